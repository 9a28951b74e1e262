#ifndef CORACLE_MONITOR_LOG_TAG_H
#define CORACLE_MONITOR_LOG_TAG_H
/* What messages of a container are marked with. */
#include "base/alloc.h"
#include "base/err.h"

struct log_names {
        const char *id, *name, *image, *image_id;
        const struct cor_strv *labels; /* KEY=VALUE; NULL: none */
};
/*
 * log_tag() - @tag with docker's words filled in: {{.ID}}, {{.FullID}}, {{.Name}}, {{.ImageID}}, {{.ImageFullID}},
 * {{.ImageName}}, {{.DaemonName}}, {{.Hostname}}, {{.ContainerID}}, {{.ContainerName}}, {{.ContainerImageID}},
 * {{.ContainerImageName}}, {{index .ContainerLabels "KEY"}}, and with | lower, upper behind them. free()
 */
int log_tag(const char *tag, const struct log_names *names, char **ret, struct cor_err *err) COR_MUST_CHECK;

#endif
