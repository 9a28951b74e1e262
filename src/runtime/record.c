#include "runtime/record.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD_FILE "record.json"
#define CONFIG_FILE "config.json"
#define INIT_FILE   "init"

enum { ID_MAX_BYTES = 1024, RECORD_MAX_BYTES = 1 << 20 };

static const struct cor_json_field record_fields[] = {
        COR_FIELD("version", STR, struct container_record, version, 0),
        COR_FIELD("ociVersion", STR, struct container_record, oci_version, 0),
        COR_FIELD("id", STR, struct container_record, id, COR_JSON_REQUIRED),
        COR_FIELD("bundle", STR, struct container_record, bundle, COR_JSON_REQUIRED),
        COR_FIELD("rootfs", STR, struct container_record, rootfs, COR_JSON_REQUIRED),
        COR_FIELD("created", STR, struct container_record, created, COR_JSON_REQUIRED),
        COR_FIELD("pid", I32, struct container_record, pid, 0),
        COR_FIELD("startTime", U64, struct container_record, start_time, 0),
        COR_FIELD("owner", U32, struct container_record, owner, 0),
        COR_FIELD("rootless", BOOL, struct container_record, rootless, 0),
        COR_FIELD("terminal", BOOL, struct container_record, terminal, 0),
        COR_FIELD("ready", BOOL, struct container_record, ready, 0),
        COR_FIELD("clos", STR, struct container_record, clos, 0),
        COR_FIELD_LIST("descriptors", LIST_STR, struct container_record, descriptors, n_descriptors, 0),
        COR_FIELD_OBJ("cgroup", INLINE, struct container_record, cgroup, &cgroup_where_doc, COR_JSON_REQUIRED),
};
static const struct cor_json_doc record_doc = COR_DOC(struct container_record, record_fields, NULL);

int container_id_check(const char *id, struct cor_err *err)
{
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.";
        size_t n = strlen(id);

        if (n == 0)
                return cor_fail(err, COR_INVALID, "container id cannot be empty");
        if (n > ID_MAX_BYTES || strcmp(id, ".") == 0 || strcmp(id, "..") == 0 || strspn(id, allowed) != n)
                return cor_fail(err, COR_INVALID, "invalid container id %.80s: expected letters, digits and _+-.", id);
        return 0;
}

void container_done(struct container *c)
{
        cor_fd_close(&c->dirfd);
        free(c->id);
        cor_json_free(c->record);
        c->id = NULL;
        c->record = NULL;
}

static void move(struct container *from, struct container *to)
{
        *to = *from;
        *from = (struct container)CONTAINER_INIT;
}

static int open_root(const struct runtime_context *ctx, bool make, struct cor_err *err)
{
        int fd = open(ctx->root, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0 && errno == ENOENT && make) {
                /* sticky: what cleans up $XDG_RUNTIME_DIR leaves it alone (XDG Base Directory Specification) */
                if (cor_mkdirs(ctx->root, 01700, err) < 0)
                        return -1;
                fd = open(ctx->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        }
        return fd >= 0 ? fd : cor_fail_errno(err, "state directory %s", ctx->root);
}

/*
 * Whether the folder that we hold is the one that has the name. A lock is got on a folder that others have removed
 * meanwhile, too, and by then the name may be that of a new container.
 */
static bool is_current(const struct container *c)
{
        auto_str path = cor_printf("../%s", c->id);
        struct stat ours, named;

        return fstat(c->dirfd, &ours) == 0 && fstatat(c->dirfd, path, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
               ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

int container_make(const struct runtime_context *ctx, const char *id, struct container *ret, struct cor_err *err)
{
        auto_fd root = -1;
        auto_container c = CONTAINER_INIT;

        if (container_id_check(id, err) < 0)
                return -1;
        root = open_root(ctx, true, err);
        if (root < 0)
                return -1;
        if (mkdirat(root, id, 0700) < 0) {
                if (errno == EEXIST)
                        return cor_fail(err, COR_EXISTS, "container with given ID already exists: %s", id);
                return cor_fail_errno(err, "make %s/%s", ctx->root, id);
        }
        c.dirfd = openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (c.dirfd < 0) {
                cor_fail_errno(err, "open %s/%s", ctx->root, id);
                (void)unlinkat(root, id, AT_REMOVEDIR); /* empty, it would keep the id for nobody */
                // cppcheck-suppress memleak ; it was not opened
                return -1;
        }
        /* `delete --force` may have been quicker; whoever finds the folder locked leaves it alone */
        if (flock(c.dirfd, LOCK_EX | LOCK_NB) < 0)
                return cor_fail_errno(err, "lock %s/%s", ctx->root, id);
        c.locked = true;
        c.id = cor_strdup(id);
        if (!is_current(&c))
                return cor_fail(err, COR_BUSY, "container %s was deleted while it was made", id);
        move(&c, ret);
        return 0;
}

/* "PID STARTTIME\n" */
static void read_init(struct container *c)
{
        auto_fd fd = openat(c->dirfd, INIT_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        char text[64], *cursor = text, *pid;
        ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
        struct cor_procid id;

        if (n < 2 || text[n - 1] != '\n')
                return;
        text[n - 1] = '\0';
        pid = cor_split_next(&cursor, ' ');
        if (!cursor || cor_parse_i32(pid, &id.pid) < 0 || cor_parse_u64(cursor, &id.start_time) < 0)
                return;
        c->record->pid = id.pid;
        c->record->start_time = id.start_time;
        c->record->ready = true;
}

static int read_record(struct container *c, struct cor_err *err)
{
        auto_str text = NULL;
        size_t n;

        if (cor_own_read(c->dirfd, RECORD_FILE, RECORD_MAX_BYTES, &text, &n, err) < 0) {
                if (!err || err->kind != COR_NOT_FOUND)
                        return -1;
                cor_err_clear(err);
                return 0;
        }
        cor_json_free(COR_TAKE(c->record));
        if (n == 0) /* just being written */
                return 0;
        if (cor_json_parse(&record_doc, text, n, RECORD_FILE, &c->record, err) < 0)
                return -1;
        read_init(c);
        return 0;
}

int container_open_folder(const struct runtime_context *ctx, const char *id, struct container *ret, struct cor_err *err)
{
        auto_fd root = -1;
        auto_container c = CONTAINER_INIT;

        if (container_id_check(id, err) < 0)
                return -1;
        root = open(ctx->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root >= 0)
                c.dirfd = openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (c.dirfd < 0) {
                if (errno == ENOENT)
                        return cor_fail(err, COR_NOT_FOUND, "container does not exist: %s", id);
                return cor_fail_errno(err, "open %s/%s", ctx->root, id);
        }
        c.id = cor_strdup(id);
        move(&c, ret);
        return 0;
}

int container_open(const struct runtime_context *ctx, const char *id, struct container *ret, struct cor_err *err)
{
        auto_container c = CONTAINER_INIT;

        if (container_open_folder(ctx, id, &c, err) < 0)
                return -1;
        if (read_record(&c, err) < 0)
                return cor_wrap(err, "container %s", id);
        move(&c, ret);
        return 0;
}

int container_lock(struct container *c, int timeout_ms, struct cor_err *err)
{
        int held = cor_flock(c->dirfd, timeout_ms, err);

        if (held < 0)
                return cor_wrap(err, "container %s", c->id);
        if (held == 0)
                return cor_fail(err, COR_BUSY, "container %s is in use by another command", c->id);
        c->locked = true;
        if (!is_current(c))
                return cor_fail(err, COR_NOT_FOUND, "container does not exist: %s", c->id);
        return read_record(c, err);
}

void container_unlock(struct container *c)
{
        (void)flock(c->dirfd, LOCK_UN);
        c->locked = false;
}

/* A file that is not there yet needs no renaming: see record.h. */
static int write_new(const struct container *c, const char *name, const char *text, size_t n, struct cor_err *err)
{
        auto_fd fd = openat(c->dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (fd < 0)
                return cor_fail_errno(err, "make %s of container %s", name, c->id);
        if (cor_write_full(fd, text, n, err) < 0)
                return cor_wrap(err, "%s of container %s", name, c->id);
        return 0;
}

int container_begin(struct container *c, const struct container_record *record, const char *config, size_t n,
                    struct cor_err *err)
{
        auto_text text = COR_TEXT_INIT;

        cor_json_print(&record_doc, record, COR_JSON_COMPACT, &text);
        cor_text_add_c(&text, '\n');
        if (write_new(c, RECORD_FILE, text.s, text.len, err) < 0)
                return -1;
        return write_new(c, CONFIG_FILE, config, n, err);
}

int container_ready(struct container *c, const struct cor_procid *init, struct cor_err *err)
{
        char text[64];
        int n = snprintf(text, sizeof text, "%d %llu\n", (int)init->pid, (unsigned long long)init->start_time);

        return write_new(c, INIT_FILE, text, (size_t)n, err);
}

int container_save(struct container *c, const struct container_record *record, struct cor_err *err)
{
        auto_text text = COR_TEXT_INIT;

        cor_json_print(&record_doc, record, COR_JSON_COMPACT, &text);
        cor_text_add_c(&text, '\n');
        return cor_own_write(c->dirfd, RECORD_FILE, text.s, text.len, 0600, false, err);
}

int container_config(const struct container *c, struct oci_config **ret, struct cor_err *err)
{
        auto_str text = NULL;
        size_t n;

        if (cor_own_read(c->dirfd, CONFIG_FILE, OCI_CONFIG_MAX_BYTES, &text, &n, err) < 0)
                return cor_wrap(err, "container %s", c->id);
        return oci_config_parse(text, n, CONFIG_FILE, ret, err);
}

int container_remove(const struct runtime_context *ctx, struct container *c, struct cor_err *err)
{
        auto_fd root = open_root(ctx, false, err);

        if (root < 0)
                return -1;
        if (cor_own_remove_tree(root, c->id, err) < 0)
                return cor_wrap(err, "remove the state of container %s", c->id);
        return 0;
}

static int compare_ids(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

int container_ids(const struct runtime_context *ctx, struct cor_strv *ret, struct cor_err *err)
{
        DIR *dir = opendir(ctx->root);
        struct dirent *e;

        if (!dir)
                return errno == ENOENT ? 0 : cor_fail_errno(err, "open %s", ctx->root);
        while ((e = readdir(dir)) != NULL)
                if (container_id_check(e->d_name, NULL) == 0 && (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN))
                        cor_strv_add(ret, e->d_name);
        closedir(dir);
        if (ret->n_items > 1)
                qsort(ret->items, ret->n_items, sizeof *ret->items, compare_ids);
        return 0;
}

struct cor_procid container_init_process(const struct container *c)
{
        struct cor_procid none = { 0 };

        if (!c->record || c->record->pid <= 0)
                return none;
        return (struct cor_procid){ .pid = c->record->pid, .start_time = c->record->start_time };
}

int container_cgroup(const struct container *c, struct cgroup **ret, struct cor_err *err)
{
        if (!c->record)
                return cor_fail(err, COR_NOT_FOUND, "container %s was never completed", c->id);
        return cgroup_open(&c->record->cgroup, ret, err);
}

static bool is_frozen(const struct container *c)
{
        struct cor_err err = { 0 };
        auto_cgroup cg = NULL;

        return container_cgroup(c, &cg, &err) == 0 && cgroup_is_frozen(cg, &err) == 1;
}

/* Whether somebody else holds the lock. Ours for the look is shared, and given up at once. */
static bool is_locked(const struct container *c)
{
        if (c->locked)
                return false;
        if (flock(c->dirfd, LOCK_SH | LOCK_NB) < 0)
                return true;
        (void)flock(c->dirfd, LOCK_UN);
        return false;
}

enum container_status container_status(const struct container *c)
{
        struct cor_procid init = container_init_process(c);

        if (!c->record)
                return CONTAINER_STOPPED;
        if (init.pid == 0 || !cor_procid_alive(&init)) {
                /* without a first process yet: somebody makes it just now, or died over it */
                return init.pid == 0 && is_locked(c) ? CONTAINER_CREATING : CONTAINER_STOPPED;
        }
        if (!c->record->ready)
                return CONTAINER_CREATING;
        if (is_frozen(c))
                return CONTAINER_PAUSED;
        return faccessat(c->dirfd, CONTAINER_START_SOCKET, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? CONTAINER_CREATED
                                                                                           : CONTAINER_RUNNING;
}

const char *container_status_name(enum container_status status)
{
        static const char *const names[] = {
                [CONTAINER_CREATING] = "creating", [CONTAINER_CREATED] = "created", [CONTAINER_RUNNING] = "running",
                [CONTAINER_PAUSED] = "paused",     [CONTAINER_STOPPED] = "stopped",
        };

        return names[status];
}
