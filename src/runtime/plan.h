#ifndef CORACLE_RUNTIME_PLAN_H
#define CORACLE_RUNTIME_PLAN_H
/*
 * The plan: everything the parent looked up before it cloned. The child only carries it out, so what can fail for
 * reasons outside of the container fails here, before anything is made.
 */
#include "linux/idmap.h"
#include "linux/mount_option.h"
#include "runtime/create.h"
#include "runtime/process.h"
#include "runtime/record.h"

enum { PLAN_MAX_JOINS = 8 };

struct plan_mount {
        struct mount_options options;
        int tree; /* detached clone of a bind's source, made and idmapped by the parent when the child could not; or -1
                   */
};

struct plan {
        const struct runtime_context *ctx;
        const struct create_options *options;
        struct oci_config *config; /* owned */
        char *bundle, *rootfs;     /* absolute; the root filesystem's path has its links resolved */

        int new_flags;   /* CLONE_NEW… that clone3() makes: all new ones but cgroup and time */
        bool new_cgroup; /* unshared by init once it is in its cgroup: its root is the cgroup of that moment */
        bool new_time;   /* unshared before the clone, as offsets can only be set while nobody is inside */
        struct {
                int type, fd;
        } joins[PLAN_MAX_JOINS]; /* namespaces to enter, user first */
        size_t n_joins;
        bool userns;       /* init is in a user namespace that is not ours, new or joined */
        bool user_new;     /* … a new one: the parent writes its maps */
        bool intermediate; /* one more process between parent and init, which joins what only children get into */
        struct idmap idmap;
        bool idmap_owned, setgroups_denied;

        struct plan_mount *mounts; /* one for each of config->mounts */
        bool clone_all;            /* sources of all binds are cloned by the parent, because the child cannot */
        int root_tree;             /* like plan_mount.tree, for the root filesystem */
        struct process_plan process;
        struct seccomp_program seccomp;
        bool notify;           /* the last of config->mounts is the folder of the notification socket (notify.h) */
        bool hooks_in_runtime; /* there are prestart or createRuntime hooks: init waits for them */

        struct container container;
        struct cgroup_where *where; /* owned until the cgroup is made */
        struct cgroup *cgroup;
        struct cgroup_entry entry;
        bool cgroup_attach; /* systemd: the parent moves init */
        bool wait_setup;    /* init waits for SETUP before it does anything */

        int procfs; /* verified /proc of the runtime */
        int sync_parent, sync_child;
        int listen_fd;      /* start socket, create only */
        int console_socket; /* connected, or -1 */
};

/*
 * plan_make() - read the bundle, check, resolve; makes nothing on the system but @p's own descriptors. *ret_config is
 * the text of config.json, free(). A container without a process (which `create` allows) is refused by plan_make(), as
 * runc does.
 */
int plan_make(const struct runtime_context *ctx, const struct create_options *o, struct plan *p, char **ret_config,
              size_t *ret_len, struct cor_err *err) COR_MUST_CHECK;
void plan_init(struct plan *p);
void plan_done(struct plan *p);
/* plan_shed() - the container runs: let go of all that only its start needed; configuration, folder and cgroup stay */
void plan_shed(struct plan *p);
#define auto_plan COR_CLEANUP(plan_done) struct plan

/* plan_cgroup_request() - what the container asks of its cgroup; borrows from the plan */
void plan_cgroup_request(const struct plan *p, struct cgroup_request *ret);

/* Pieces that `exec` plans the same way. */
/* plan_descriptors() - which descriptors are passed on; all others become close-on-exec */
int plan_descriptors(int preserve_fds, struct process_plan *pp, struct cor_err *err) COR_MUST_CHECK;
/* plan_seccomp() - compile linux.seccomp of @config, or take it from the cache */
int plan_seccomp(const struct oci_config *config, struct seccomp_program *program, struct cor_err *err) COR_MUST_CHECK;

/*
 * init_run() - the first process of the container, from clone() to exec; reports failures over the plan's socket and
 * exits. @cloned_into_cgroup: the kernel put it into its version 2 cgroup already.
 */
void init_run(const struct plan *p, bool cloned_into_cgroup) __attribute__((noreturn));
/* intermediate_run() - joins namespaces, clones init as a sibling of itself, tells its pid, exits */
void intermediate_run(const struct plan *p) __attribute__((noreturn));
/* plan_clone() - clone3() with the plan's new namespaces; *ret_into_cgroup tells whether CLONE_INTO_CGROUP was used */
pid_t plan_clone(const struct plan *p, int flags, bool sibling, bool *ret_into_cgroup, struct cor_err *err)
        COR_MUST_CHECK;

#endif
