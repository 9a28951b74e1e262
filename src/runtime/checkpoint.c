#include "runtime/checkpoint.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "linux/namespace.h"
#include "linux/procfs.h"
#include "runtime/criu.h"
#include "runtime/criu_options.h"
#include "runtime/lifecycle.h"
#include "runtime/mounts_added.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_FILE         "dump.log"
#define DESCRIPTORS_FILE "descriptors.json"

struct checkpoint {
        const struct checkpoint_options *o;
        struct container container;
        struct oci_config *config;
        struct cgroup *cgroup;
        struct criu_dirs dirs;
        int procfs;
        int status_fd; /* -1 once it was written to */
};

static void checkpoint_done(struct checkpoint *c)
{
        container_done(&c->container);
        cor_json_free(c->config);
        cgroup_close(c->cgroup);
        criu_dirs_done(&c->dirs);
        cor_fd_close(&c->procfs);
}

/* --- what is asked for -------------------------------------------------------------------------------------------- */

static int check_status_fd(int fd, struct cor_err *err)
{
        int flags = fd < 0 ? 0 : fcntl(fd, F_GETFL);

        if (fd < 0)
                return 0;
        if (flags < 0)
                return cor_fail_errno(err, "--status-fd %d", fd);
        if ((flags & O_ACCMODE) == O_RDONLY)
                return cor_fail(err, COR_INVALID, "--status-fd %d: not open for writing", fd);
        return cor_fd_cloexec(fd, true, err);
}

/* "10.0.0.1:27", "[::1]:27" */
static int add_page_server(struct cor_text *m, const char *text, struct cor_err *err)
{
        const char *colon = text ? strrchr(text, ':') : NULL;
        bool brackets = text && text[0] == '[';
        auto_str address = NULL;
        uint32_t port;

        if (!text)
                return 0;
        if (!colon || colon == text || (brackets && colon[-1] != ']') || cor_parse_u32(colon + 1, &port) < 0 ||
            port == 0 || port > UINT16_MAX)
                return cor_fail(err, COR_INVALID, "--page-server %s: expected ADDRESS:PORT", text);
        address = brackets ? cor_strndup(text + 1, (size_t)(colon - text) - 2)
                           : cor_strndup(text, (size_t)(colon - text));
        criu_add_key(m, CRIU_PAGE_SERVER, address, port);
        return 0;
}

static int check_parent(const struct checkpoint *c, struct cor_err *err)
{
        const char *path = c->o->parent_path;
        struct stat st;

        if (!path)
                return 0;
        if (path[0] == '/')
                return cor_fail(err, COR_INVALID, "--parent-path %s: expected a path relative to --image-path", path);
        if (fstatat(c->dirs.images, path, &st, 0) < 0)
                return cor_fail_errno(err, "--parent-path %s", path);
        if (!S_ISDIR(st.st_mode))
                return cor_fail(err, COR_INVALID, "--parent-path %s: not a directory", path);
        return 0;
}

/* A namespace that is not the container's own stays where it is: criu dumps it under a name only. */
static int add_namespace(struct cor_text *m, const struct checkpoint *c, int type, struct cor_err *err)
{
        const struct oci_namespace *ns = oci_namespace_find(c->config, type);
        auto_str text = NULL;
        auto_fd fd = -1;
        struct stat st;

        if (!ns || !ns->path)
                return 0;
        fd = namespace_open_pid(c->procfs, c->container.record->pid, type, err);
        if (fd < 0)
                return -1;
        if (fstat(fd, &st) < 0)
                return cor_fail_errno(err, "look at the %s namespace", namespace_type_of(type)->name);
        text = cor_printf("%s[%llu]:%s", namespace_type_of(type)->proc, (unsigned long long)st.st_ino,
                          criu_namespace_key(type));
        criu_add_str(m, CRIU_EXTERNAL, text);
        return 0;
}

/* criu stops everything by the freezer: nothing can fork its way out then. */
static void add_freezer(struct cor_text *m, const struct checkpoint *c)
{
        const struct cgroup_mount *list = NULL;
        size_t n = c->cgroup ? cgroup_mounts(c->cgroup, &list) : 0;

        for (size_t i = 0; i < n; i++) {
                bool v2_only = n == 1 && !list[i].option;
                auto_str path = NULL;

                if (!v2_only && !cor_streq(list[i].option, "freezer"))
                        continue;
                path = cor_printf("%s%s", list[i].source, list[i].path);
                criu_add_str(m, CRIU_FREEZE_CGROUP, path);
                return;
        }
}

static void add_mount(struct cor_text *m, const char *place, const char *source)
{
        criu_add_pair(m, CRIU_EXT_MNT, place, place);
}

static void add_masks(struct cor_text *m, const struct checkpoint *c, int root)
{
        const struct oci_linux *l = c->config->linux_;

        for (size_t i = 0; i < l->n_masked_paths; i++) {
                auto_fd fd = cor_root_open(root, l->masked_paths[i], O_PATH, 0, NULL);
                struct stat st;

                if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
                        criu_add_pair(m, CRIU_EXT_MNT, l->masked_paths[i], "/dev/null");
        }
}

static int add_mounts(struct cor_text *m, const struct checkpoint *c, struct cor_err *err)
{
        char path[32];
        auto_fd dir = -1, root = -1;

        snprintf(path, sizeof path, "%d", (int)c->container.record->pid);
        dir = procfs_file(c->procfs, path, O_PATH | O_DIRECTORY, err);
        if (dir < 0)
                return -1;
        root = openat(dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return cor_fail_errno(err, "open the container's root");
        criu_mounts(c->config, c->cgroup, root, "/", add_mount, m);
        add_masks(m, c, root);
        if (faccessat(c->container.dirfd, "notify", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                add_mount(m, "/run/notify", NULL);
        return 0;
}

static int make_message(struct cor_text *m, const struct checkpoint *c, struct cor_err *err)
{
        const struct checkpoint_options *o = c->o;

        criu_options_add(m, &o->criu, &c->dirs, LOG_FILE, c->config);
        criu_add_int(m, CRIU_PID, c->container.record->pid);
        criu_add_str(m, CRIU_ROOT, c->container.record->rootfs);
        criu_add_bool(m, CRIU_LEAVE_RUNNING, o->leave_running);
        criu_add_bool(m, CRIU_TCP_SKIP_IN_FLIGHT, o->tcp_skip_in_flight);
        if (o->parent_path) {
                criu_add_str(m, CRIU_PARENT_IMG, o->parent_path);
                criu_add_bool(m, CRIU_TRACK_MEM, true);
        }
        add_freezer(m, c);
        if (add_page_server(m, o->page_server, err) < 0 || add_namespace(m, c, CLONE_NEWNET, err) < 0 ||
            add_namespace(m, c, CLONE_NEWPID, err) < 0)
                return -1;
        return o->pre_dump ? 0 : add_mounts(m, c, err);
}

static int write_descriptors(const struct checkpoint *c, struct cor_err *err)
{
        const struct container_record *r = c->container.record;
        auto_text t = COR_TEXT_INIT;

        cor_text_add_c(&t, '[');
        for (size_t i = 0; i < r->n_descriptors; i++) {
                if (i > 0)
                        cor_text_add_c(&t, ',');
                cor_text_add_json(&t, r->descriptors[i]);
        }
        cor_text_add_c(&t, ']');
        return cor_own_write(c->dirs.images, DESCRIPTORS_FILE, t.s, t.len, 0600, false, err);
}

/* --- doing it ----------------------------------------------------------------------------------------------------- */

static int on_notify(void *arg, const struct criu_reply *what, int fd, struct cor_err *err)
{
        struct checkpoint *c = arg;

        cor_debug("criu: %s", what->script);
        if (strcmp(what->script, "status-ready") != 0 || c->status_fd < 0)
                return 0;
        if (write(c->status_fd, "", 1) < 0)
                cor_warn("--status-fd: %s", strerror(errno));
        cor_fd_close(&c->status_fd); /* whoever waits for it may wait for its end */
        return 0;
}

static int dump(struct checkpoint *c, struct cor_err *err)
{
        enum criu_type type = c->o->pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP;
        auto_text message = COR_TEXT_INIT;
        auto_criu criu = CRIU_INIT;
        struct criu_reply reply;
        const struct criu_start start = { .stdio = false };

        if (make_message(&message, c, err) < 0 || (type == CRIU_DUMP && write_descriptors(c, err) < 0))
                return -1;
        criu.watch.may_idle = c->o->criu.lazy_pages;
        if (criu_start(&start, &criu, err) < 0)
                return -1;
        if (criu_call(&criu, type, &message, on_notify, c, &reply, err) < 0)
                return criu.failed ? criu_dirs_explain(&c->dirs, LOG_FILE, err) : -1;
        return 0;
}

static int prepare(const struct runtime_context *ctx, struct checkpoint *c, struct cor_err *err)
{
        const struct checkpoint_options *o = c->o;
        enum container_status status;

        if (container_open(ctx, o->id, &c->container, err) < 0)
                return -1;
        status = container_status(&c->container);
        if (status != CONTAINER_RUNNING && status != CONTAINER_PAUSED)
                return cor_fail(err, COR_BUSY, "container cannot be checkpointed in %s state",
                                container_status_name(status));
        c->status_fd = o->status_fd > 0 ? o->status_fd : -1;
        if (criu_options_check(&o->criu, err) < 0 || check_status_fd(c->status_fd, err) < 0)
                return -1;
        c->procfs = procfs_open(err);
        if (c->procfs < 0 || container_config(&c->container, &c->config, err) < 0 ||
            container_cgroup(&c->container, &c->cgroup, err) < 0 || criu_mounts_check(c->config, err) < 0 ||
            mounts_added_check(c->container.dirfd, err) < 0)
                return -1;
        return criu_dirs_open(&o->criu, true, LOG_FILE, &c->dirs, err) < 0 ? -1 : check_parent(c, err);
}

int container_checkpoint(const struct runtime_context *ctx, const struct checkpoint_options *o, struct cor_err *err)
{
        COR_CLEANUP(checkpoint_done)
        struct checkpoint c = {
                .o = o, .container = CONTAINER_INIT, .dirs = CRIU_DIRS_INIT, .procfs = -1, .status_fd = -1
        };

        if (prepare(ctx, &c, err) < 0 || dump(&c, err) < 0)
                return cor_wrap(err, "checkpoint of container %s", o->id);
        /* its processes are gone, and it lives on in the images: the rest is of no use to anybody */
        return o->leave_running || o->pre_dump ? 0 : container_delete(ctx, o->id, true, err);
}
