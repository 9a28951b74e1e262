#ifndef CORACLE_MONITOR_LOG_TAG_H
#define CORACLE_MONITOR_LOG_TAG_H
/* What messages of a container are marked with. */
#include "base/err.h"

struct log_names {
        const char *id, *name, *image, *image_id;
};
/* log_tag() - @tag with {{.ID}}, {{.FullID}}, {{.Name}}, {{.ImageID}}, {{.ImageFullID}}, {{.ImageName}} and
 * {{.DaemonName}} filled in; free() */
int log_tag(const char *tag, const struct log_names *names, char **ret, struct cor_err *err) COR_MUST_CHECK;

#endif
