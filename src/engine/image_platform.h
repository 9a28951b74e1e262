#ifndef CORACLE_ENGINE_IMAGE_PLATFORM_H
#define CORACLE_ENGINE_IMAGE_PLATFORM_H
/* The platform of an image in the store against the one that a user asked for. */
#include "image/platform.h"
#include "store/image.h"

/* image_require_platform() - platform_require() for a row of the store; @name: as the user wrote it */
static inline int image_require_platform(const struct image_row *i, const char *wanted, const char *name,
                                         struct cor_err *err)
{
        const struct image_platform have = { .architecture = i->architecture, .os = i->os, .variant = i->variant };

        return platform_require(wanted, &have, name, err);
}

#endif
