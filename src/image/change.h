#ifndef CORACLE_IMAGE_CHANGE_H
#define CORACLE_IMAGE_CHANGE_H
/*
 * Dockerfile instructions that change an image's configuration, as `import --change` and `commit --change` take them:
 * CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR.
 */
#include "base/alloc.h"
#include "spec/image.h"

struct image_change {
        struct cor_strv strings; /* what the lists point to */
        struct image_config_run config;
};

/* image_change_begin() - begin with what @from has, which lives at least as long */
void image_change_begin(struct image_change *c, const struct image_config_run *from);
/* image_change_apply() - one instruction: "CMD [\"a\"]", "ENV A=b C=d"; INVALID names it */
int image_change_apply(struct image_change *c, const char *instruction, struct cor_err *err) COR_MUST_CHECK;
/* image_change_config() - the configuration so far; borrowed */
struct image_config_run *image_change_config(struct image_change *c);
void image_change_done(struct image_change *c);

#endif
