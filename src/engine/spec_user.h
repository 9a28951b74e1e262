#ifndef CORACLE_ENGINE_SPEC_USER_H
#define CORACLE_ENGINE_SPEC_USER_H
/*
 * Users and groups as a container knows them: its own /etc/passwd and /etc/group decide, which are the image's or
 * written by whoever runs in it. They are opened below the root, no link leads out of it.
 */
#include "base/err.h"
#include <stdint.h>

struct spec_user {
        uint32_t uid, gid;
        uint32_t *gids; /* the group itself first, then supplementary ones and those asked for; owned */
        size_t n_gids;
};
void spec_user_done(struct spec_user *u);
#define auto_spec_user COR_CLEANUP(spec_user_done) struct spec_user

/**
 * spec_user_find() - who is "USER", "USER:GROUP", ":GROUP" or nobody in particular (root)?
 * @root:     directory, the container's root; -1: there are no files, only numbers are known
 * @text:     names or numbers; NULL and "" are user 0
 * @groups:   further groups (--group-add)
 *
 * INVALID, in docker's words, for names that are not there and numbers that are none.
 */
int spec_user_find(int root, const char *text, const char *const *groups, size_t n_groups, struct spec_user *ret,
                   struct cor_err *err) COR_MUST_CHECK;
/* spec_user_find_in() - the same from the text of the two files, either of which may be NULL */
int spec_user_find_in(const char *passwd, const char *group, const char *text, const char *const *groups,
                      size_t n_groups, struct spec_user *ret, struct cor_err *err) COR_MUST_CHECK;

/* spec_user_highest() - the highest id in the two files below that of nobody (65534); 0: none */
uint32_t spec_user_highest(int root);

#endif
