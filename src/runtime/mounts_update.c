/*
 * mounts add, mounts remove. The container runs, so that nothing in its mount namespace can be trusted: not a path, not
 * /proc, not even that things stay as they are between two looks.
 *
 *      runtime   the host's namespaces    file, options; sources become detached mounts with all their attributes
 *      child     the container's          targets are walked below its root by descriptor, and mounted on
 *
 * Without privileges the host's mounts cannot be cloned. Then the child does that too, in a copy of the host's mount
 * namespace that belongs to the container's user namespace.
 */
#include "runtime/mounts_update.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "linux/namespace.h"
#include "linux/procfs.h"
#include "runtime/message.h"
#include "runtime/mounts_added.h"
#include "runtime/plan_mounts.h"
#include "runtime/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 1 << 20, CHILD_TIMEOUT_MS = 30000, REAP_TIMEOUT_MS = 10000 };

struct mounts_list {
        struct oci_mount *items;
        size_t n_items;
        const char *extra;
};

static const struct cor_json_field list_fields[] = {
        COR_FIELD_LIST_OF("mounts", LIST_OBJ, struct mounts_list, items, n_items, &oci_mount_doc, COR_JSON_REQUIRED),
};
static const struct cor_json_doc list_doc = {
        .size = sizeof(struct mounts_list),
        .fields = list_fields,
        .n_fields = COR_COUNT(list_fields),
        .keep_extra = true,
        .extra_offset = offsetof(struct mounts_list, extra),
};

struct update {
        struct plan plan; /* as far as mounts need one */
        struct mounts_list *list;
        int pidfd;
        int namespaces; /* of the container, to be entered by the child */
        bool remove;
};

static void update_done(struct update *u)
{
        plan_done(&u->plan); /* its mounts are counted by the configuration, which still points into the list */
        cor_json_free(u->list);
        cor_fd_close(&u->pidfd);
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

/* The binding reads objects, so the array gets one around it. */
static int read_list(const char *file, struct mounts_list **ret, struct cor_err *err)
{
        COR_CLEANUP(cor_json_free_p) struct mounts_list *list = NULL;
        auto_str text = NULL;
        auto_str whole = NULL;
        size_t n;

        if (cor_read_file(file, FILE_MAX_BYTES, &text, &n, err) < 0)
                return -1;
        if (text[strspn(text, " \t\r\n")] != '[' || strlen(text) != n)
                return cor_fail(err, COR_INVALID, "%s: expected an array of mounts", file);
        whole = cor_printf("{\"mounts\":%s}", text);
        if (cor_json_parse(&list_doc, whole, strlen(whole), file, &list, err) < 0)
                return -1;
        if (list->extra)
                return cor_fail(err, COR_INVALID, "%s: expected nothing but an array of mounts", file);
        *ret = COR_TAKE(list);
        return 0;
}

/* --- the plan ----------------------------------------------------------------------------------------------------- */

/* What would need the host's paths once more in the container, where they lead elsewhere. */
static int check_mount(const struct oci_mount *m, const struct mount_options *o, struct cor_err *err)
{
        const char *type = m->type ? m->type : "";

        if (o->copy_symlink)
                return cor_fail(err, COR_UNSUPPORTED, "copy-symlink: not for a container that exists already");
        if (o->bind || o->rbind || o->remount)
                return 0;
        if (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0 || strcmp(type, "overlay") == 0)
                return cor_fail(err, COR_UNSUPPORTED, "type %s: not for a container that exists already", type);
        return 0;
}

/* All attributes come before the mount is attached: the container must not see it without them. */
static int open_sources(struct update *u, struct cor_err *err)
{
        struct plan *p = &u->plan;

        if (plan_mount_sources(p, err) < 0)
                return -1;
        for (size_t i = 0; i < p->config->n_mounts; i++) {
                const struct plan_mount *pm = &p->mounts[i];

                if (check_mount(&p->config->mounts[i], &pm->options, err) < 0 ||
                    (pm->tree >= 0 && (mount_change(pm->tree, &pm->options.attrs, false, err) < 0 ||
                                       mount_change(pm->tree, &pm->options.recursive, true, err) < 0)))
                        return cor_wrap(err, "mounts[%zu] (%s)", i, p->config->mounts[i].destination);
        }
        return 0;
}

static int plan_namespaces(struct update *u, struct cor_err *err)
{
        const struct oci_linux *l = u->plan.config->linux_;
        auto_fd user = namespace_open_pid(u->plan.procfs, u->plan.container.record->pid, CLONE_NEWUSER, err);
        int ours = user < 0 ? -1 : namespace_is_ours(u->plan.procfs, user, CLONE_NEWUSER, err);

        if (ours < 0)
                return -1;
        u->plan.userns = !ours;
        u->namespaces = CLONE_NEWNS | (ours ? 0 : CLONE_NEWUSER);
        if (!ours) { /* where ids are mapped as the container's are */
                u->plan.joins[0].type = CLONE_NEWUSER;
                u->plan.joins[u->plan.n_joins++].fd = cor_fd_take(&user);
        }
        for (size_t i = 0; i < l->n_namespaces; i++)
                if (l->namespaces[i].type & (CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID))
                        u->namespaces |= l->namespaces[i].type;
        return 0;
}

static bool wants_proc(const struct update *u)
{
        for (size_t i = 0; !u->remove && i < u->list->n_items; i++)
                if (cor_streq(u->list->items[i].type, "proc"))
                        return true;
        return false;
}

/* A procfs shows the pid namespace of whoever makes it; entering that one is for children only. */
static int plan_pid_namespace(struct update *u, struct cor_err *err)
{
        bool needed = (u->namespaces & CLONE_NEWPID) && wants_proc(u);

        u->namespaces &= ~CLONE_NEWPID;
        if (!needed)
                return 0;
        if (geteuid() != 0)
                return cor_fail(err, COR_UNSUPPORTED, "type proc: only root can add it to a container that exists");
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return cor_fail_errno(err, "become non-dumpable");
        return namespace_enter_pidfd(u->pidfd, CLONE_NEWPID, err);
}

static int plan_update(const struct runtime_context *ctx, const char *id, const char *file, struct update *u,
                       struct cor_err *err)
{
        struct plan *p = &u->plan;
        enum container_status status;
        struct cor_procid init;

        if (container_open(ctx, id, &p->container, err) < 0)
                return -1;
        status = container_status(&p->container);
        if (status == CONTAINER_CREATING || status == CONTAINER_STOPPED)
                return cor_fail(err, COR_BUSY, "container not running: %s", container_status_name(status));
        if (read_list(file, &u->list, err) < 0 || container_config(&p->container, &p->config, err) < 0)
                return -1;
        p->ctx = ctx;
        p->clone_all = true;
        p->config->mounts = u->list->items;
        p->config->n_mounts = u->list->n_items;
        p->bundle = cor_strdup(p->container.record->bundle);
        p->idmap = (struct idmap){
                .uids = p->config->linux_->uid_mappings,
                .gids = p->config->linux_->gid_mappings,
                .n_uids = p->config->linux_->n_uid_mappings,
                .n_gids = p->config->linux_->n_gid_mappings,
        };
        for (size_t i = 0; i < p->config->n_mounts; i++)
                if (p->config->mounts[i].destination[0] != '/')
                        return cor_fail(err, COR_INVALID, "%s: [%zu].destination: expected an absolute path", file, i);
        init = container_init_process(&p->container);
        p->procfs = procfs_open(err);
        u->pidfd = p->procfs < 0 ? -1 : cor_procid_open(&init, err);
        if (u->pidfd < 0 || plan_namespaces(u, err) < 0)
                return -1;
        if (!u->remove && geteuid() == 0 && open_sources(u, err) < 0)
                return -1;
        return plan_pid_namespace(u, err);
}

/* --- in the container --------------------------------------------------------------------------------------------- */

/* umount(2) knows paths only: the way to a descriptor is by our own procfs, not by the one in the container. */
static int unmount_fd(const struct plan *p, int fd, struct cor_err *err)
{
        char path[40];

        if (fchdir(p->procfs) < 0)
                return cor_fail_errno(err, "enter /proc");
        snprintf(path, sizeof path, "self/fd/%d", fd);
        if (umount2(path, MNT_DETACH) < 0)
                return cor_fail_errno(err, "unmount");
        return 0;
}

static int unmount(const struct plan *p, const struct rootfs *r, const char *destination, struct cor_err *err)
{
        auto_str path = cor_path_clean(destination);
        auto_fd fd = -1;

        if (strcmp(path, "/") == 0)
                return cor_fail(err, COR_INVALID, "the root itself cannot be unmounted");
        fd = cor_root_open(r->root, path, O_PATH, 0, err);
        if (fd < 0)
                return -1;
        if (mount_is_root(fd) == 0)
                return cor_fail(err, COR_NOT_FOUND, "nothing is mounted there");
        return unmount_fd(p, fd, err);
}

static int remove_all(const struct plan *p, const struct rootfs *r, struct cor_err *err)
{
        for (size_t i = 0; i < p->config->n_mounts; i++)
                if (unmount(p, r, p->config->mounts[i].destination, err) < 0)
                        return cor_wrap(err, "mounts[%zu] (%s)", i, p->config->mounts[i].destination);
        return 0;
}

static int add_all(const struct plan *p, struct rootfs *r, struct cor_err *err)
{
        static const struct mount_attrs readonly = { .set = MOUNT_ATTR_RDONLY };
        struct cor_err ignored;
        size_t i = 0;

        umask(0);
        for (; i < p->config->n_mounts; i++)
                if (rootfs_mount(p, r, i, err) < 0)
                        goto undo;
        for (size_t k = 0; k < r->n_late; k++)
                if (mount_change(r->late[k], &readonly, false, err) < 0)
                        goto undo;
        return 0;
undo:
        if (i < p->config->n_mounts)
                cor_wrap(err, "mounts[%zu] (%s)", i, p->config->mounts[i].destination);
        while (i-- > 0)
                if (!p->mounts[i].options.remount)
                        (void)!unmount(p, r, p->config->mounts[i].destination, &ignored);
        return -1;
}

/* Root there as far as there is one: what is made shall belong to it. */
static void become_root(void)
{
        if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)
                return;
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int enter(struct update *u, struct cor_err *err)
{
        bool unprivileged = geteuid() != 0;
        int flags = u->namespaces;

        if (unprivileged && (flags & CLONE_NEWUSER)) {
                if (namespace_enter_pidfd(u->pidfd, CLONE_NEWUSER, err) < 0)
                        return -1;
                flags &= ~CLONE_NEWUSER;
                become_root();
                if (!u->remove && (namespace_unshare(CLONE_NEWNS, err) < 0 || open_sources(u, err) < 0))
                        return -1;
        }
        if (namespace_enter_pidfd(u->pidfd, flags, err) < 0)
                return -1;
        if (flags & CLONE_NEWUSER)
                become_root();
        return 0;
}

static int run_inside(struct update *u, struct cor_err *err)
{
        auto_rootfs r;

        rootfs_init(&r);
        r.procfs = u->plan.procfs;
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return cor_fail_errno(err, "prctl");
        mount_links(u->plan.procfs);
        if (enter(u, err) < 0)
                return -1;
        r.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (r.root < 0)
                return cor_fail_errno(err, "open the container's root");
        return u->remove ? remove_all(&u->plan, &r, err) : add_all(&u->plan, &r, err);
}

static void __attribute__((noreturn)) child(struct update *u)
{
        struct cor_err err = { 0 };

        cor_fd_close(&u->plan.sync_parent);
        if (run_inside(u, &err) == 0 && message_send(u->plan.sync_child, MSG_READY, 0, &err) == 0)
                _exit(0);
        message_send_error(u->plan.sync_child, &err);
        _exit(1);
}

/* A file system in the container may never answer (FUSE): that is no reason for us to wait for ever. */
static int await_child(struct update *u, pid_t pid, struct cor_err *err)
{
        int r = cor_wait_readable(u->plan.sync_parent, CHILD_TIMEOUT_MS, err);

        if (r > 0)
                r = message_expect(u->plan.sync_parent, MSG_READY, err);
        else if (r == 0)
                r = cor_fail(err, COR_TIMEOUT, "no answer from the container's file systems");
        if (r < 0)
                kill(pid, SIGKILL);
        if (cor_child_wait(pid, REAP_TIMEOUT_MS, NULL) == 0)
                cor_warn("process %d does not end", (int)pid);
        return r;
}

/* What was bound is noted before it is, and what was taken away afterwards: the note may say too much, but not too
 * little.
 */
static int note(const struct update *u, bool added, struct cor_err *err)
{
        const struct oci_config *c = u->plan.config;

        for (size_t i = 0; i < c->n_mounts; i++) {
                const struct oci_mount *m = &c->mounts[i];
                struct mount_options o;
                bool bind;

                mount_options_parse(m->options, m->n_options, &o);
                bind = (o.bind || o.rbind || cor_streq(m->type, "bind")) && !o.remount;
                mount_options_done(&o);
                if ((bind || u->remove) && mounts_added_note(u->plan.container.dirfd, m->destination, added, err) < 0)
                        return -1;
        }
        return 0;
}

static int update_mounts(const struct runtime_context *ctx, const char *id, const char *file, bool remove,
                         struct cor_err *err)
{
        COR_CLEANUP(update_done) struct update u = { .pidfd = -1, .remove = remove };
        struct cor_err ignored = { 0 };
        bool into_cgroup;
        pid_t pid;
        int r;

        plan_init(&u.plan);
        if (plan_update(ctx, id, file, &u, err) < 0 || message_pair(&u.plan.sync_parent, &u.plan.sync_child, err) < 0)
                return -1;
        if (!remove && note(&u, true, err) < 0)
                return -1;
        pid = plan_clone(&u.plan, 0, false, &into_cgroup, err);
        if (pid == 0)
                child(&u);
        cor_fd_close(&u.plan.sync_child);
        r = pid < 0 ? -1 : await_child(&u, pid, err);
        if ((r < 0) != remove && note(&u, false, &ignored) < 0) /* taken away, or never there */
                cor_warn("%s", ignored.msg);
        return r;
}

int container_mounts_add(const struct runtime_context *ctx, const char *id, const char *file, struct cor_err *err)
{
        return update_mounts(ctx, id, file, false, err);
}

int container_mounts_remove(const struct runtime_context *ctx, const char *id, const char *file, struct cor_err *err)
{
        return update_mounts(ctx, id, file, true, err);
}
