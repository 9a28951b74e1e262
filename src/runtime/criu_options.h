#ifndef CORACLE_RUNTIME_CRIU_OPTIONS_H
#define CORACLE_RUNTIME_CRIU_OPTIONS_H
/* What checkpoint and restore tell criu in the same way, and where it puts its files. */
#include "runtime/checkpoint.h"
#include "runtime/criu_wire.h"
#include "runtime/plan.h"

/* The folders criu works in. */
struct criu_dirs {
        int images, work; /* may be the same folder, never the same descriptor */
        char *log;        /* path of the log, for errors */
};
#define CRIU_DIRS_INIT                                                                                                 \
        {                                                                                                              \
                .images = -1, .work = -1                                                                               \
        }
/* criu_dirs_open() - @make: make those of them that are missing; @log: name of the log file */
int criu_dirs_open(const struct criu_options *o, bool make, const char *log, struct criu_dirs *ret, struct cor_err *err)
        COR_MUST_CHECK;
/*
 * criu_dirs_enter() - open the folder of work once more as process @pid sees it, which has a mount namespace of its
 * own: criu is given our descriptors, and mounts things in that folder
 */
int criu_dirs_enter(struct criu_dirs *d, int procfs, pid_t pid, struct cor_err *err) COR_MUST_CHECK;
void criu_dirs_done(struct criu_dirs *d);
#define auto_criu_dirs COR_CLEANUP(criu_dirs_done) struct criu_dirs
/* criu_dirs_explain() - say in @err what criu's log says, and where it is; returns -1 */
int criu_dirs_explain(const struct criu_dirs *d, const char *log, struct cor_err *err);

/* criu_options_check() - INVALID for what criu would not take */
int criu_options_check(const struct criu_options *o, struct cor_err *err) COR_MUST_CHECK;
/* criu_options_add() - all of @o, the folders, and what is always the same */
void criu_options_add(struct cor_text *message, const struct criu_options *o, const struct criu_dirs *d,
                      const char *log, const struct oci_config *config);

/* criu_mounts_check() - UNSUPPORTED if there are mounts that would come back as something else */
int criu_mounts_check(const struct oci_config *config, struct cor_err *err) COR_MUST_CHECK;
/*
 * Mounts that are not in the images: each has a key, its place in the container, under which it is dumped, and by which
 * restore finds what has to be there. criu_mounts() calls @each for all that there may be; more than there are do not
 * matter. @root: of the container, as far as it exists; links in destinations are resolved below it.
 */
typedef void (*criu_mount_fn)(struct cor_text *message, const char *place, const char *source);
void criu_mounts(const struct oci_config *config, struct cgroup *cg, int root, const char *root_path,
                 criu_mount_fn each, struct cor_text *message);

/* The key of a namespace that is not in the images, by criu's habit: "extRootNetNS"; NULL if it has to be */
const char *criu_namespace_key(int type);

#endif
