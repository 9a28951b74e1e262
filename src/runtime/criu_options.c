#include "runtime/criu_options.h"

#include "base/fd.h"
#include "base/file.h"
#include "linux/procfs.h"
#include "runtime/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOG_TAIL_BYTES = 64 * 1024, LOG_LEVEL = 4 };

/* --- folders ------------------------------------------------------------------------------------------------------ */

static int open_folder(const char *path, bool make, const char *flag, struct cor_err *err)
{
        int fd;

        if (make && cor_mkdirs(path, 0700, err) < 0)
                return cor_wrap(err, "%s", flag);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd >= 0 ? fd : cor_fail_errno(err, "%s %s", flag, path);
}

int criu_dirs_open(const struct criu_options *o, bool make, const char *log, struct criu_dirs *ret, struct cor_err *err)
{
        const char *images = o->image_path ? o->image_path : "checkpoint";
        const char *work = o->work_path ? o->work_path : images;
        auto_criu_dirs d = CRIU_DIRS_INIT;

        d.images = open_folder(images, make, "--image-path", err);
        if (d.images < 0)
                return -1;
        d.work = open_folder(work, true, "--work-path", err);
        if (d.work < 0)
                return -1;
        d.log = cor_printf("%s/%s", work, log);
        *ret = d;
        d = (struct criu_dirs)CRIU_DIRS_INIT;
        return 0;
}

static int reopen(int *fd, int root, struct cor_err *err)
{
        char link[32], path[4096];
        ssize_t n;
        int other;

        snprintf(link, sizeof link, "/proc/self/fd/%d", *fd);
        n = readlink(link, path, sizeof path - 1);
        if (n < 0)
                return cor_fail_errno(err, "read %s", link);
        path[n] = '\0';
        /* this path has no links any more, which would lead back to our own root */
        other = openat(root, n > 1 ? path + 1 : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (other < 0)
                return cor_fail_errno(err, "open %s for criu", path);
        close(*fd);
        *fd = other;
        return 0;
}

int criu_dirs_enter(struct criu_dirs *d, int procfs, pid_t pid, struct cor_err *err)
{
        char path[32];
        auto_fd dir = -1, root = -1;

        snprintf(path, sizeof path, "%d", (int)pid);
        dir = procfs_file(procfs, path, O_PATH | O_DIRECTORY, err);
        if (dir < 0)
                return -1;
        root = openat(dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return cor_fail_errno(err, "open the root of criu");
        return reopen(&d->work, root, err);
}

void criu_dirs_done(struct criu_dirs *d)
{
        cor_fd_close(&d->images);
        cor_fd_close(&d->work);
        free(d->log);
        d->log = NULL;
}

/* The last error that is not only there because of another one. */
static char *last_cause(char *text)
{
        char *cursor = text, *line, *found = NULL;

        while ((line = cor_split_next(&cursor, '\n')) != NULL) {
                char *error = strstr(line, "Error (");

                if (error && !strstr(error, "FAILED") && !strstr(error, " failed with "))
                        found = error;
        }
        return cor_strdup(found);
}

/* The end of the log is where the reason is. */
static char *find_error(const struct criu_dirs *d, const char *log)
{
        auto_fd fd = cor_own_open(d->work, log, O_RDONLY, 0, NULL);
        auto_free char *text = cor_alloc(LOG_TAIL_BYTES + 1);
        struct cor_err ignored;
        off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

        if (size < 0 || lseek(fd, size > LOG_TAIL_BYTES ? size - LOG_TAIL_BYTES : 0, SEEK_SET) < 0 ||
            cor_read_full(fd, text, LOG_TAIL_BYTES, &ignored) <= 0)
                return NULL;
        return last_cause(text);
}

int criu_dirs_explain(const struct criu_dirs *d, const char *log, struct cor_err *err)
{
        auto_str line = find_error(d, log);
        struct cor_err first = *err;

        /* what criu itself says in its reply is the first complaint, harmless or not */
        if (line)
                return cor_fail(err, first.kind, "criu failed: %.300s (see %s)", line, d->log);
        return cor_fail(err, first.kind, "%.300s (see %s)", first.msg, d->log);
}

/* --- options ------------------------------------------------------------------------------------------------------ */

int criu_options_check(const struct criu_options *o, struct cor_err *err)
{
        for (size_t i = 0; i < o->n_empty_ns; i++)
                if (strcmp(o->empty_ns[i], "network") != 0)
                        return cor_fail(err, COR_INVALID, "--empty-ns %s: expected network", o->empty_ns[i]);
        return 0;
}

/* Settings in this file win over what we ask for; criu lets one that is not there be. */
static void add_config_file(struct cor_text *m, const struct oci_config *config)
{
        static const char *const usual[] = { "/etc/criu/crun.conf", "/etc/criu/runc.conf" };
        const char *path = oci_annotation(config, "org.criu.config");

        for (size_t i = 0; !path && i < COR_COUNT(usual); i++)
                if (access(usual[i], F_OK) == 0)
                        path = usual[i];
        if (path && path[0])
                criu_add_str(m, CRIU_CONFIG_FILE, path);
}

void criu_options_add(struct cor_text *message, const struct criu_options *o, const struct criu_dirs *d,
                      const char *log, const struct oci_config *config)
{
        static const int modes[] = { /* rpc.proto: criu_cg_mode */
                                     [CHECKPOINT_CGROUPS_DEFAULT] = 6,
                                     [CHECKPOINT_SOFT] = 3,
                                     [CHECKPOINT_FULL] = 4,
                                     [CHECKPOINT_STRICT] = 5,
                                     [CHECKPOINT_IGNORE] = 0
        };

        criu_add_int(message, CRIU_IMAGES_DIR_FD, d->images);
        criu_add_int(message, CRIU_WORK_DIR_FD, d->work);
        criu_add_int(message, CRIU_LOG_LEVEL, LOG_LEVEL);
        criu_add_str(message, CRIU_LOG_FILE, log);
        criu_add_bool(message, CRIU_NOTIFY_SCRIPTS, true);
        criu_add_bool(message, CRIU_ORPHAN_PTS_MASTER, true);
        criu_add_bool(message, CRIU_MANAGE_CGROUPS, true);
        criu_add_int(message, CRIU_MANAGE_CGROUPS_MODE, modes[o->manage_cgroups]);
        if (o->network_lock != CHECKPOINT_LOCK_DEFAULT)
                criu_add_int(message, CRIU_NETWORK_LOCK, o->network_lock);
        /* interfaces and addresses are the engine's: it sets them up again by its hooks */
        criu_add_int(message, CRIU_EMPTY_NS, CLONE_NEWNET);
        criu_add_bool(message, CRIU_TCP_ESTABLISHED, o->tcp_established);
        criu_add_bool(message, CRIU_EXT_UNIX_SK, o->ext_unix_sk);
        criu_add_bool(message, CRIU_SHELL_JOB, o->shell_job);
        criu_add_bool(message, CRIU_FILE_LOCKS, o->file_locks);
        criu_add_bool(message, CRIU_LINK_REMAP, o->link_remap);
        criu_add_bool(message, CRIU_AUTO_DEDUP, o->auto_dedup);
        criu_add_bool(message, CRIU_LAZY_PAGES, o->lazy_pages);
        add_config_file(message, config);
}

const char *criu_namespace_key(int type)
{
        return type == CLONE_NEWNET ? "extRootNetNS" : type == CLONE_NEWPID ? "extRootPidNS" : NULL;
}

/* --- mounts ------------------------------------------------------------------------------------------------------- */

struct mounts {
        int root;
        const char *root_path; /* where that is, as we see it */
        criu_mount_fn each;
        struct cor_text *message;
};

/* Where a destination really is: /var/run/x in a container whose /var/run is a link is /run/x. */
static char *resolve(const struct mounts *w, const char *clean)
{
        auto_fd fd = cor_root_open(w->root, clean, O_PATH, 0, NULL);
        size_t n = strlen(w->root_path);
        char path[40], real[4096];
        ssize_t len;

        if (fd < 0)
                return cor_strdup(clean);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        len = readlink(path, real, sizeof real - 1);
        if (len < 0)
                return cor_strdup(clean);
        real[len] = '\0';
        if (n > 1 && (strncmp(real, w->root_path, n) != 0 || real[n] != '/'))
                return cor_strdup(clean);
        return cor_strdup(n > 1 ? real + n : real);
}

static void one_mount(const struct mounts *w, const char *destination, const char *source)
{
        auto_str clean = cor_path_clean(destination);
        auto_str real = resolve(w, clean);

        w->each(w->message, real, source);
        if (strcmp(real, clean) != 0)
                w->each(w->message, clean, source);
}

/* Version 1 without a cgroup namespace: what is mounted are binds of the host's. */
static void cgroup_mount(const struct mounts *w, const struct oci_mount *m, struct cgroup *cg)
{
        const struct cgroup_mount *list = NULL;
        size_t n = cg ? cgroup_mounts(cg, &list) : 0;

        for (size_t i = 0; i < n; i++) {
                auto_str place = cor_printf("%s%s%s", m->destination, list[i].name[0] ? "/" : "", list[i].name);
                auto_str source = cor_printf("%s%s", list[i].source, list[i].path);

                one_mount(w, place, source);
        }
}

static void devices(const struct mounts *w, const struct oci_config *config)
{
        static const char *const defaults[] = { "/dev/null",   "/dev/zero",    "/dev/full",
                                                "/dev/random", "/dev/urandom", "/dev/tty" };

        if (oci_namespace_find(config, CLONE_NEWUSER)) /* where they cannot be made, they are bound */
                for (size_t i = 0; i < COR_COUNT(defaults); i++)
                        one_mount(w, defaults[i], defaults[i]);
        for (size_t i = 0; i < config->linux_->n_devices; i++)
                one_mount(w, config->linux_->devices[i].path, config->linux_->devices[i].path);
}

int criu_mounts_check(const struct oci_config *config, struct cor_err *err)
{
        for (size_t i = 0; i < config->n_mounts; i++) {
                const struct oci_mount *m = &config->mounts[i];
                struct mount_options o;
                bool mapped;

                mount_options_parse(m->options, m->n_options, &o);
                mapped = o.idmap || o.ridmap || m->n_uid_mappings || m->n_gid_mappings;
                mount_options_done(&o);
                if (mapped)
                        return cor_fail(err, COR_UNSUPPORTED,
                                        "mounts[%zu] (%s): criu does not restore the id mapping of a mount", i,
                                        m->destination);
        }
        return 0;
}

void criu_mounts(const struct oci_config *config, struct cgroup *cg, int root, const char *root_path,
                 criu_mount_fn each, struct cor_text *message)
{
        struct mounts w = { .root = root, .root_path = root_path, .each = each, .message = message };
        bool cgroupns = oci_namespace_find(config, CLONE_NEWCGROUP) != NULL;

        for (size_t i = 0; i < config->n_mounts; i++) {
                const struct oci_mount *m = &config->mounts[i];
                struct mount_options o;

                mount_options_parse(m->options, m->n_options, &o);
                if (!o.remount && (o.bind || o.rbind || cor_streq(m->type, "bind")))
                        one_mount(&w, m->destination, m->source);
                else if (!cgroupns && cor_streq(m->type, "cgroup"))
                        cgroup_mount(&w, m, cg);
                mount_options_done(&o);
        }
        devices(&w, config);
}
