/*
 * restore. Instead of cloning an init of our own we let criu make the processes, as our children.
 *
 *      runtime      folder, record, cgroup, as for create
 *      criu         joins the cgroup, gets a mount namespace of its own; there the root file system becomes a mount,
 * and every place in it that something is to be mounted on is made. Nothing of that is seen on the host, and it is gone
 * with criu. runtime      asks; hooks when the namespaces are there; takes the terminal
 */
#include "runtime/checkpoint.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "linux/namespace.h"
#include "linux/procfs.h"
#include "runtime/creation.h"
#include "runtime/criu.h"
#include "runtime/criu_options.h"
#include "runtime/rootfs.h"
#include "runtime/start.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_FILE         "restore.log"
#define DESCRIPTORS_FILE "descriptors.json"
#define ROOT_MOUNT       "criu-root" /* in the container's folder */

enum { DESCRIPTORS_MAX_BYTES = 64 * 1024, CGROUP_FILE_MAX_BYTES = 64 * 1024 };

struct restore {
        const struct restore_options *o;
        struct plan plan;
        struct creation creation;
        struct criu_dirs dirs;
        int namespaces[PLAN_MAX_JOINS]; /* that criu inherits */
        const char *keys[PLAN_MAX_JOINS];
        size_t n_namespaces;
};

static void restore_done(struct restore *r)
{
        for (size_t i = 0; i < r->n_namespaces; i++)
                cor_fd_close(&r->namespaces[i]);
        criu_dirs_done(&r->dirs);
        creation_done(&r->creation);
        plan_done(&r->plan);
}

/* --- in the child, before it becomes criu ------------------------------------------------------------------------- */

/* criu wants the root to be a mount that nothing lies over. */
static int mount_root(const struct plan *p, struct cor_err *err)
{
        auto_str path = cor_printf("%s/%s/" ROOT_MOUNT, p->ctx->root, p->options->id);
        auto_fd tree = mount_clone(AT_FDCWD, p->rootfs, true, false, err);
        auto_fd target = tree < 0 ? -1 : open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (tree < 0)
                return -1;
        if (target < 0)
                return cor_fail_errno(err, "open %s", path);
        return mount_attach(tree, target, err);
}

/* The content of a tmpfs is in the images, with the places that things are mounted on. */
static bool is_on_tmpfs(const struct oci_config *c, const char *place)
{
        for (size_t i = 0; i < c->n_mounts; i++) {
                auto_str clean = cor_path_clean(c->mounts[i].destination);
                size_t n = strlen(clean);

                if (cor_streq(c->mounts[i].type, "tmpfs") && strncmp(place, clean, n) == 0 && place[n] == '/')
                        return true;
        }
        return false;
}

static int make_place(const struct plan *p, struct rootfs *root, size_t i, struct cor_err *err)
{
        const struct oci_mount *m = &p->config->mounts[i];
        const struct mount_options *o = &p->mounts[i].options;
        auto_str clean = cor_path_clean(m->destination);
        auto_fd fd = -1;

        if (o->remount || strcmp(clean, "/") == 0 || is_on_tmpfs(p->config, clean) || cor_streq(m->type, "cgroup") ||
            cor_streq(m->type, "cgroup2"))
                return 0;
        /* what is bound is mounted here, too, as places further down may have to be made in it */
        if (o->bind || o->rbind || cor_streq(m->type, "bind"))
                return rootfs_mount(p, root, i, err);
        fd = cor_root_mkdirs(root->root, clean, 0755, err);
        return fd < 0 ? -1 : 0;
}

static int make_places(const struct plan *p, struct cor_err *err)
{
        auto_rootfs root;

        rootfs_init(&root);
        root.procfs = p->procfs;
        root.root = open(p->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root.root < 0)
                return cor_fail_errno(err, "root.path: open %s", p->rootfs);
        for (size_t i = 0; i < p->config->n_mounts; i++)
                if (make_place(p, &root, i, err) < 0)
                        return cor_wrap(err, "mounts[%zu] (%s)", i, p->config->mounts[i].destination);
        return 0;
}

static int prepare_child(void *arg, struct cor_err *err)
{
        const struct restore *r = arg;
        const struct plan *p = &r->plan;

        if (cgroup_entry_join(&p->entry, false, err) < 0 || namespace_unshare(CLONE_NEWNS, err) < 0 ||
            mount_propagation("/", MS_SLAVE | MS_REC, err) < 0)
                return -1;
        mount_by_path(p->procfs);
        return mount_root(p, err) < 0 ? -1 : make_places(p, err);
}

/* --- what is asked for -------------------------------------------------------------------------------------------- */

static void add_mount(struct cor_text *m, const char *place, const char *source)
{
        criu_add_pair(m, CRIU_EXT_MNT, place, source);
}

static void add_mounts(struct cor_text *m, const struct restore *r, int root)
{
        const struct plan *p = &r->plan;

        criu_mounts(p->config, p->cgroup, root, p->rootfs, add_mount, m);
        if (p->config->linux_->n_masked_paths)
                add_mount(m, "/dev/null", "/dev/null");
}

/*
 * Namespaces by path: the network and process ones were dumped by a key, and come back as descriptors; others are
 * joined by criu.
 */
static int add_namespaces(struct cor_text *m, struct restore *r, struct cor_err *err)
{
        const struct oci_linux *l = r->plan.config->linux_;

        for (size_t i = 0; i < l->n_namespaces; i++) {
                const struct oci_namespace *ns = &l->namespaces[i];
                const char *key = criu_namespace_key(ns->type);

                if (!ns->path)
                        continue;
                if (ns->type == CLONE_NEWCGROUP)
                        return cor_fail(err, COR_UNSUPPORTED,
                                        "linux.namespaces: criu cannot restore into an existing cgroup namespace");
                if (!key) {
                        criu_add_pair(m, CRIU_JOIN_NS, namespace_type_of(ns->type)->proc, ns->path);
                        continue;
                }
                r->namespaces[r->n_namespaces] = namespace_open(ns->path, ns->type, err);
                if (r->namespaces[r->n_namespaces] < 0)
                        return cor_wrap(err, "linux.namespaces");
                criu_add_key(m, CRIU_INHERIT_FD, key, CRIU_FIRST_FD + (int64_t)r->n_namespaces);
                r->n_namespaces++;
        }
        return 0;
}

struct descriptors {
        const char **items;
        size_t n_items;
};
static const struct cor_json_field descriptors_fields[] = {
        COR_FIELD_LIST("fds", LIST_STR, struct descriptors, items, n_items, COR_JSON_REQUIRED),
};
static const struct cor_json_doc descriptors_doc = COR_DOC(struct descriptors, descriptors_fields, NULL);

/* Pipes that came from outside are replaced by what we have in their place. */
static int add_pipes(struct cor_text *m, const struct restore *r, struct cor_err *err)
{
        auto_json struct descriptors *list = NULL;
        auto_str text = NULL;
        auto_str whole = NULL;
        size_t n;

        if (cor_own_read(r->dirs.images, DESCRIPTORS_FILE, DESCRIPTORS_MAX_BYTES, &text, &n, err) < 0)
                return cor_wrap(err, "--image-path");
        whole = cor_printf("{\"fds\":%s}", text); /* the binding reads objects */
        if (cor_json_parse(&descriptors_doc, whole, strlen(whole), DESCRIPTORS_FILE, &list, err) < 0)
                return -1;
        for (size_t i = 0; i < list->n_items && i < 3; i++)
                if (cor_starts_with(list->items[i], "pipe:"))
                        criu_add_key(m, CRIU_INHERIT_FD, list->items[i], (int64_t)i);
        return 0;
}

/* Where criu is now is where it shall put the processes: one entry for each controller, as /proc/PID/cgroup has it. */
static int add_cgroups(struct cor_text *m, const struct restore *r, pid_t criu, struct cor_err *err)
{
        char path[32];
        auto_fd fd = -1;
        auto_str text = NULL;
        char *cursor, *line;

        snprintf(path, sizeof path, "%d/cgroup", (int)criu);
        fd = procfs_file(r->plan.procfs, path, O_RDONLY, err);
        if (fd < 0 || cor_read_fd(fd, path, CGROUP_FILE_MAX_BYTES, &text, NULL, err) < 0)
                return -1;
        cursor = text;
        while ((line = cor_split_next(&cursor, '\n')) != NULL) {
                char *names = strchr(line, ':'), *place = names ? strchr(names + 1, ':') : NULL, *name;

                if (!place)
                        continue;
                *place++ = '\0';
                names++;
                while ((name = cor_split_next(&names, ',')) != NULL)
                        criu_add_pair(m, CRIU_CG_ROOT, name, place);
        }
        return 0;
}

static int add_options(struct cor_text *m, struct restore *r, struct cor_err *err)
{
        const struct restore_options *o = r->o;
        const struct plan *p = &r->plan;
        auto_str root = cor_printf("%s/%s/" ROOT_MOUNT, p->ctx->root, p->options->id);
        auto_fd rootfs = open(p->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (rootfs < 0)
                return cor_fail_errno(err, "root.path: open %s", p->rootfs);
        criu_options_add(m, &o->criu, &r->dirs, LOG_FILE, p->config);
        criu_add_str(m, CRIU_ROOT, root);
        criu_add_bool(m, CRIU_EVASIVE_DEVICES, true);
        criu_add_bool(m, CRIU_RST_SIBLING, true);
        criu_add_bool(m, CRIU_TCP_CLOSE, o->tcp_close);
        criu_add_str(m, CRIU_LSM_PROFILE, o->lsm_profile);
        criu_add_str(m, CRIU_LSM_MOUNT_CONTEXT, o->lsm_mount_context);
        add_mounts(m, r, rootfs);
        return 0;
}

/* --- doing it ----------------------------------------------------------------------------------------------------- */

static int on_notify(void *arg, const struct criu_reply *what, int fd, struct cor_err *err)
{
        struct restore *r = arg;
        int master;

        cor_debug("criu: %s", what->script);
        if (strcmp(what->script, "setup-namespaces") == 0) {
                r->creation.init = what->pid;
                r->creation.hooks_due = r->plan.config->hooks != NULL;
                return r->creation.hooks_due ? creation_hooks(&r->creation, err) : 0;
        }
        if (strcmp(what->script, "post-restore") == 0) {
                r->creation.init = what->pid;
                /* from here on there are processes, whatever becomes of us */
                return creation_record_init(&r->creation, err) < 0 ? -1 : creation_save(&r->creation, err);
        }
        if (strcmp(what->script, "orphan-pts-master") != 0)
                return 0;
        master = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (master < 0)
                return cor_fail(err, COR_SYSTEM, "criu sent no terminal");
        if (creation_take_console(&r->creation, &master, err) < 0) {
                cor_fd_close(&master);
                return -1;
        }
        cor_fd_close(&master);
        return 0;
}

/* Images are for their owner only. What belongs to root's group may read them, too. */
static int open_to_group(int dir, struct cor_err *err)
{
        int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *list = copy < 0 ? NULL : fdopendir(copy);
        const struct dirent *e;
        struct stat st;

        if (!list) {
                cor_fd_close(&copy);
                return cor_fail_errno(err, "--image-path");
        }
        while ((e = readdir(list)) != NULL)
                if (fstatat(copy, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_gid == 0)
                        (void)!fchmodat(copy, e->d_name, (st.st_mode & 07777) | S_IRGRP, 0);
        if (fstat(copy, &st) == 0 && st.st_gid == 0)
                (void)!fchmod(copy, (st.st_mode & 07777) | S_IRGRP | S_IXGRP);
        closedir(list);
        return 0;
}

/*
 * Processes in a user namespace read the images themselves, first as the host's root without any rights, as long as no
 * id is mapped, and later as the container's, and the files are root's. So there is a view of the folder in which they
 * belong to the container's root, but to the group of the host's. Where the file system has no such views, or the
 * folder refers to another one by a link that leads out of it, the modes of the files decide.
 */
static void map_images(struct restore *r)
{
        const struct plan *p = &r->plan;
        struct oci_id_map groups = { .size = UINT32_MAX };
        struct idmap map = { .uids = p->idmap.uids, .n_uids = p->idmap.n_uids, .gids = &groups, .n_gids = 1 };
        struct cor_err ignored;
        auto_fd userns = -1, view = -1;

        if (!p->user_new || faccessat(r->dirs.images, "parent", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return;
        userns = idmap_userns_fd(p->procfs, &map, &ignored);
        view = userns < 0 ? -1 : mount_clone(r->dirs.images, "", false, false, &ignored);
        if (view < 0 || mount_idmap(view, userns, false, &ignored) < 0 || open_to_group(r->dirs.images, &ignored) < 0)
                return;
        close(r->dirs.images);
        r->dirs.images = cor_fd_take(&view);
}

static int run_criu(struct restore *r, struct cor_err *err)
{
        auto_text message = COR_TEXT_INIT;
        auto_criu criu = CRIU_INIT;
        struct criu_start start = { .stdio = true, .prepare = prepare_child, .arg = r, .fds = r->namespaces };
        struct criu_reply reply;

        if (add_namespaces(&message, r, err) < 0 || add_pipes(&message, r, err) < 0)
                return -1;
        start.n_fds = r->n_namespaces;
        criu.watch.cgroup = r->plan.cgroup;
        criu.watch.fg = r->creation.fg;
        criu.watch.may_idle = r->o->criu.lazy_pages;
        map_images(r);
        if (criu_start(&start, &criu, err) < 0 || criu_dirs_enter(&r->dirs, r->plan.procfs, criu.pid, err) < 0)
                return -1;
        if (r->plan.cgroup_attach && cgroup_attach(r->plan.cgroup, criu.pid, err) < 0)
                return -1;
        if (add_options(&message, r, err) < 0 || add_cgroups(&message, r, criu.pid, err) < 0)
                return -1;
        if (criu_call(&criu, CRIU_RESTORE, &message, on_notify, r, &reply, err) < 0)
                return criu.failed ? criu_dirs_explain(&r->dirs, LOG_FILE, err) : -1;
        r->creation.init = reply.pid;
        r->creation.hooks_due = r->plan.config->hooks != NULL;
        return 0;
}

static int build(struct restore *r, const char *config, size_t config_len, struct cor_err *err)
{
        struct plan *p = &r->plan;

        if (creation_make_folder(&r->creation, config, config_len, err) < 0)
                return -1;
        if (mkdirat(p->container.dirfd, ROOT_MOUNT, 0755) < 0)
                return cor_fail_errno(err, "make a folder for the root mount");
        if (creation_make_cgroup(p, err) < 0 || run_criu(r, err) < 0)
                return -1;
        (void)unlinkat(p->container.dirfd, ROOT_MOUNT, AT_REMOVEDIR);
        if (creation_record_init(&r->creation, err) < 0 || creation_ready(&r->creation, err) < 0)
                return -1;
        return start_announce(r->o->pid_file, NULL, r->creation.init, err);
}

static int restore(const struct runtime_context *ctx, const struct create_options *create, struct restore *r,
                   struct cor_err *err)
{
        auto_str config = NULL;
        size_t config_len = 0;

        if (criu_options_check(&r->o->criu, err) < 0 ||
            criu_dirs_open(&r->o->criu, false, LOG_FILE, &r->dirs, err) < 0 ||
            plan_make(ctx, create, &r->plan, &config, &config_len, err) < 0 ||
            criu_mounts_check(r->plan.config, err) < 0)
                return -1;
        if (build(r, config, config_len, err) == 0)
                return 0;
        creation_undo(&r->creation);
        return err->kind == COR_EXISTS ? -1 : cor_wrap(err, "restore of container %s", r->o->id);
}

int container_restore(const struct runtime_context *ctx, const struct restore_options *o, int *ret_code,
                      struct cor_err *err)
{
        COR_CLEANUP(foreground_done) struct foreground fg = FOREGROUND_INIT;
        COR_CLEANUP(restore_done) struct restore r = { .o = o, .dirs = CRIU_DIRS_INIT };
        const struct create_options create = {
                .id = o->id,
                .bundle = o->bundle,
                .console_socket = o->console_socket,
                .detach = o->detach,
                .no_pivot = o->no_pivot,
        };

        plan_init(&r.plan);
        r.creation = (struct creation){ .plan = &r.plan, .fg = o->detach ? NULL : &fg, .master = -1 };
        if (!o->detach && foreground_init(&fg, !o->no_subreaper, err) < 0)
                return -1;
        if (restore(ctx, &create, &r, err) < 0)
                return -1;
        *ret_code = 0;
        if (o->detach)
                return 0;
        if (foreground_terminal(&fg, r.creation.master, err) < 0 || foreground_raw(&fg, err) < 0) {
                creation_undo(&r.creation);
                return -1;
        }
        if (foreground_wait(&fg, r.creation.init, ret_code, err) < 0)
                return -1;
        r.creation.init = 0;
        creation_undo(&r.creation);
        return 0;
}
