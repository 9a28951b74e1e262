#ifndef CORACLE_IMAGE_LIMITS_H
#define CORACLE_IMAGE_LIMITS_H
/*
 * What an archive may grow to, of those that come from outside. daemon.json has them (docs/registries.md), and an error
 * names the key of the limit that it met.
 */
#include "registry/config.h"
#include <stdint.h>

struct image_limits {
        unsigned ratio;  /* unpacked bytes for each one that is read, once there are 64 MiB; 0: any */
        int64_t entries; /* files of an archive */
        int64_t bytes;   /* in the files of a layer; 0: any */
};

struct image_limits image_limits_of(const struct registry_config *c);

#endif
