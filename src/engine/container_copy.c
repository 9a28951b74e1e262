/*
 * cp: between a container and the machine, by docker's rules.
 *
 * A place is a directory and a name in it. In a container the way to the directory is looked up inside its root, which
 * no link and no "..", and no running attacker either, can lead out of; on the machine it is the caller's own view.
 */
#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "engine/container_files.h"
#include "engine/container_internal.h"
#include "engine/copy_tree.h"
#include "image/layer.h"
#include "linux/caps.h"
#include "linux/idmap.h"
#include "linux/mount.h"
#include "store/event.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40 };

struct place {
        int root; /* of the container, borrowed; -1: the machine */
        int dir;
        char *name; /* "." for the directory itself */
        struct stat st;
        bool there;    /* st is valid */
        bool slash;    /* the path ended with one: a directory is meant */
        bool contents; /* it ended with "/.": what is in the directory is meant */
};

static void place_done(struct place *p)
{
        cor_fd_close(&p->dir);
        free(p->name);
}

static int open_dir(const struct place *p, const char *path, struct cor_err *err)
{
        int fd = p->root >= 0 ? cor_root_open(p->root, path, O_RDONLY | O_DIRECTORY, 0, err)
                              : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 && p->root < 0 ? cor_fail_errno(err, "open %s", path) : fd;
}

/* The directory that @path lies in, and its last part; the path itself where that is "/", "." or ".." */
static int find_parent(struct place *p, const char *path, struct cor_err *err)
{
        auto_str way = cor_strdup(path);
        size_t n = strlen(way);
        char *slash;

        while (n > 1 && way[n - 1] == '/')
                way[--n] = '\0';
        slash = strrchr(way, '/');
        cor_fd_close(&p->dir);
        free(COR_TAKE(p->name));
        if (strcmp(slash ? slash + 1 : way, "") == 0 || strcmp(slash ? slash + 1 : way, ".") == 0 ||
            strcmp(slash ? slash + 1 : way, "..") == 0) {
                p->name = cor_strdup(".");
                p->dir = open_dir(p, way[0] ? way : "/", err);
        } else {
                p->name = cor_strdup(slash ? slash + 1 : way);
                if (slash)
                        *slash = '\0';
                p->dir = open_dir(p, !slash ? "." : way[0] ? way : "/", err);
        }
        return p->dir < 0 ? -1 : 0;
}

static void look(struct place *p)
{
        p->there = fstatat(p->dir, p->name, &p->st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Where the link leads, from the directory that it lies in */
static int follow(struct place *p, char **path, struct cor_err *err)
{
        char target[PATH_MAX];
        ssize_t n = readlinkat(p->dir, p->name, target, sizeof target - 1);
        char *slash, *next;

        if (n < 0)
                return cor_fail_errno(err, "read link %s", *path);
        target[n] = '\0';
        slash = strrchr(*path, '/');
        next = target[0] == '/' ? cor_strdup(target)
                                : cor_printf("%.*s%s", slash ? (int)(slash - *path + 1) : 0, *path, target);
        free(*path);
        *path = next;
        return 0;
}

/* @links: a link at the end of the path is followed */
static int find_place(struct place *p, const char *path, bool links, struct cor_err *err)
{
        size_t n = strlen(path);
        auto_str way = cor_strdup(path);

        p->slash = n > 0 && path[n - 1] == '/';
        p->contents = strcmp(path, ".") == 0 || (n > 1 && strcmp(path + n - 2, "/.") == 0);
        for (int i = 0; i < LINKS_MAX; i++) {
                if (find_parent(p, way, err) < 0)
                        return -1;
                look(p);
                if (!p->there || !S_ISLNK(p->st.st_mode) || !(links || p->slash))
                        return 0;
                for (size_t end = strlen(way); end > 1 && way[end - 1] == '/'; end--)
                        way[end - 1] = '\0';
                if (follow(p, &way, err) < 0)
                        return -1;
        }
        return cor_fail(err, COR_INVALID, "%s: too many links", path);
}

/* The name that a copy of it has in another directory */
static char *base_name(const char *path)
{
        auto_str clean = cor_path_clean(path);
        const char *slash = strrchr(clean, '/');

        return cor_strdup(slash && slash[1] ? slash + 1 : ".");
}

static int inside(struct copy_tree *c, const struct place *from, int to_dir, const char *to, struct cor_err *err)
{
        auto_fd source = openat(from->dir, from->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        auto_fd target = -1;

        if (source < 0)
                return cor_fail_errno(err, "open %s", from->name);
        target = openat(to_dir, to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return target < 0 ? cor_fail_errno(err, "open %s", to) : copy_tree_inside(c, source, target, err);
}

static int copy_dir(struct copy_tree *c, const struct place *from, const char *path, const struct place *to,
                    struct cor_err *err)
{
        auto_str name = base_name(path);
        auto_fd target = -1;

        if (!to->there)
                return copy_tree(c, from->dir, from->name, to->dir, to->name, err);
        if (!S_ISDIR(to->st.st_mode))
                return cor_fail(err, COR_INVALID, "cannot copy directory");
        if (from->contents || strcmp(name, ".") == 0)
                return inside(c, from, to->dir, to->name, err);
        target = openat(to->dir, to->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return target < 0 ? cor_fail_errno(err, "open %s", to->name)
                          : copy_tree(c, from->dir, from->name, target, name, err);
}

static int copy_file(struct copy_tree *c, const struct place *from, const char *path, const struct place *to,
                     struct cor_err *err)
{
        auto_str name = base_name(path);
        auto_fd target = -1;

        if (to->there && S_ISDIR(to->st.st_mode)) {
                target = openat(to->dir, to->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                return target < 0 ? cor_fail_errno(err, "open %s", to->name)
                                  : copy_tree(c, from->dir, from->name, target, name, err);
        }
        if (to->slash || to->contents)
                return cor_fail(err, to->there ? COR_INVALID : COR_NOT_FOUND,
                                to->there ? "not a directory" : "no such directory");
        return copy_tree(c, from->dir, from->name, to->dir, to->name, err);
}

static int copy_between(struct copy_tree *c, int from_root, const char *source, bool links, int to_root,
                        const char *target, struct cor_err *err)
{
        COR_CLEANUP(place_done) struct place from = { .root = from_root, .dir = -1 };
        COR_CLEANUP(place_done) struct place to = { .root = to_root, .dir = -1 };

        if (find_place(&from, source, links, err) < 0)
                return -1;
        if (!from.there)
                return from_root >= 0 ? cor_fail(err, COR_NOT_FOUND, "Could not find the file %s in container", source)
                                      : cor_fail(err, COR_NOT_FOUND, "lstat %s: no such file or directory", source);
        if ((from.slash || from.contents) && !S_ISDIR(from.st.st_mode))
                return cor_fail(err, COR_INVALID, "%s: not a directory", source);
        if (find_place(&to, target, true, err) < 0)
                return cor_wrap(err, "the directory of %s", target);
        return S_ISDIR(from.st.st_mode) ? copy_dir(c, &from, source, &to, err) : copy_file(c, &from, source, &to, err);
}

/* ---- the container's side ---- */

struct side {
        struct container_row row;
        int lock, view, root;
        struct idmap map; /* of its owners, if it runs */
        bool changed;     /* what we make belongs to its root, as long as this lives; before: */
        uid_t uid;
        gid_t gid;
};

static void side_done(struct side *s)
{
        cor_fd_close(&s->root);
        cor_fd_close(&s->view);
        cor_fd_close(&s->lock);
        container_row_done(&s->row);
        idmap_done(&s->map);
        if (s->changed && caps_file_owner(s->uid, s->gid, NULL, NULL, NULL) < 0)
                s->changed = false; /* what comes belongs to the container's root as well */
}

static const struct idmap *side_map(const struct side *s)
{
        return s->map.n_uids ? &s->map : NULL;
}

/* What is made in a container that runs belongs to its root: files of ids that it does not have cannot be made there.
 */
static int become_root_of(struct side *s, struct cor_err *err)
{
        uint32_t uid = 0, gid = 0;

        if (!side_map(s))
                return 0;
        if (!idmap_to_host(s->map.uids, s->map.n_uids, 0, &uid) || !idmap_to_host(s->map.gids, s->map.n_gids, 0, &gid))
                return cor_fail(err, COR_UNSUPPORTED, "container %s has no root", s->row.id);
        s->changed = true;
        return caps_file_owner(uid, gid, &s->uid, &s->gid, err);
}

/* One volume or folder of the machine, where the container would have it; what is not there is left out */
static int mount_point(int root, const struct docker_mount_point *m, struct cor_err *err)
{
        const struct mount_attrs read_only = { .set = MOUNT_ATTR_RDONLY };
        auto_fd source = -1, target = -1, mnt = -1;

        if (!m->source || !m->destination || (!cor_streq(m->type, "bind") && !cor_streq(m->type, "volume")))
                return 0;
        source = open(m->source, O_PATH | O_CLOEXEC);
        target = source < 0 ? -1 : cor_root_open(root, m->destination, O_PATH, 0, NULL);
        if (target < 0)
                return 0;
        mnt = mount_clone(source, "", true, false, err);
        if (mnt < 0 || (!m->rw && mount_change(mnt, &read_only, true, err) < 0) || mount_attach(mnt, target, err) < 0)
                return cor_wrap(err, "mount %s", m->destination);
        return 0;
}

/*
 * A container that does not run has its volumes all the same: they are mounted for us alone, in a mount namespace that
 * ends with this process.
 */
static int mount_points(struct engine *e, struct side *s, struct cor_err *err)
{
        auto_json struct docker_mount_points *points = NULL;
        auto_str path = container_folder_path(e->store, s->row.id);
        auto_fd place = -1;

        if (!s->row.mounts)
                return 0;
        if (cor_json_parse(&docker_mount_points_doc, s->row.mounts, strlen(s->row.mounts), "Mounts", &points, err) < 0)
                return -1;
        if (points->n_items == 0)
                return 0;
        if (unshare(CLONE_NEWNS) < 0)
                return cor_fail_errno(err, "make a mount namespace");
        if (mount_propagation("/", MS_REC | MS_PRIVATE, err) < 0)
                return -1;
        place = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); /* as it is in our namespace */
        if (place < 0)
                return cor_fail_errno(err, "open %s", path);
        if (mount_attach(s->view, place, err) < 0)
                return -1;
        for (size_t i = 0; i < points->n_items; i++)
                if (mount_point(s->view, &points->items[i], err) < 0)
                        return -1;
        return 0;
}

static int open_side(struct engine *e, const char *name, struct side *s, struct cor_err *err)
{
        s->lock = container_work(e, name, &s->row, err);
        if (s->lock < 0 || container_view_map(&s->row, &s->map, err) < 0)
                return -1;
        if (container_phase_alive(s->row.now.phase)) {
                const struct cor_procid id = { .pid = s->row.now.pid, .start_time = s->row.now.pid_start_time };
                auto_str root = cor_printf("/proc/%d/root", (int)id.pid);
                auto_fd pidfd = cor_procid_open(&id, err);

                if (pidfd < 0)
                        return -1;
                cor_fd_close(&s->lock); /* as it runs, its files are its own business */
                s->root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (s->root < 0)
                        return cor_fail_errno(err, "open the root of container %s", s->row.id);
                return cor_procid_alive(&id) ? 0 : container_not_running(&s->row, err);
        }
        s->view = container_view(e, &s->row, err);
        if (s->view < 0 || mount_points(e, s, err) < 0)
                return -1;
        s->root = openat(s->view, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        return s->root < 0 ? cor_fail_errno(err, "open the root of container %s", s->row.id) : 0;
}

/* A path in a container begins at its root, whether it says so or not. */
static char *rooted(const char *path)
{
        return path[0] == '/' ? cor_strdup(path) : cor_printf("/%s", path);
}

int engine_copy_out(struct engine *e, const char *name, const char *source, const char *target,
                    const struct container_copy *o, int64_t *ret_bytes, struct cor_err *err)
{
        COR_CLEANUP(side_done) struct side s = { .lock = -1, .view = -1, .root = -1 };
        struct copy_tree c = { .keep_owner = o->archive, .drop_setid = !o->archive };
        auto_str path = rooted(source);

        if (open_side(e, name, &s, err) < 0)
                return -1;
        c.map = side_map(&s);
        if (copy_between(&c, s.root, path, o->follow, -1, target, err) < 0)
                return -1;
        event_write_container(e->store, &s.row, "archive-path", NULL, 0);
        *ret_bytes = c.bytes;
        return 0;
}

int engine_copy_in(struct engine *e, const char *source, const char *name, const char *target,
                   const struct container_copy *o, int64_t *ret_bytes, struct cor_err *err)
{
        COR_CLEANUP(side_done) struct side s = { .lock = -1, .view = -1, .root = -1 };
        struct copy_tree c = { .keep_owner = o->archive, .all_kinds = true, .into = true };
        auto_str path = rooted(target);

        if (open_side(e, name, &s, err) < 0 || become_root_of(&s, err) < 0)
                return -1;
        c.map = side_map(&s);
        if (copy_between(&c, -1, source, o->follow, s.root, path, err) < 0)
                return -1;
        event_write_container(e->store, &s.row, "extract-to-dir", NULL, 0);
        *ret_bytes = c.bytes;
        return 0;
}

/* ---- archives ---- */

static int write_all(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        return cor_write_full(*(const int *)context, bytes, n, err);
}

static ssize_t read_some(void *context, void *buf, size_t n, struct cor_err *err)
{
        ssize_t got;

        do
                got = read(*(const int *)context, buf, n);
        while (got < 0 && errno == EINTR);
        return got < 0 ? cor_fail_errno(err, "read the archive") : got;
}

/* A folder of our own, by way of which archives go; removed in the end */
struct stage {
        char path[PATH_MAX];
        int fd;
};

static void stage_done(struct stage *s)
{
        auto_fd parent = -1;
        char *slash = strrchr(s->path, '/');

        cor_fd_close(&s->fd);
        if (!slash)
                return;
        *slash = '\0';
        parent = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (parent >= 0 && cor_own_remove_tree(parent, slash + 1, NULL) < 0)
                s->path[0] = '\0';
}

static int stage_make(struct stage *s, struct cor_err *err)
{
        const char *parent = getenv("TMPDIR");

        snprintf(s->path, sizeof s->path, "%s/coracle-cp-XXXXXX", parent && parent[0] == '/' ? parent : "/tmp");
        if (!mkdtemp(s->path)) {
                s->path[0] = '\0';
                return cor_fail_errno(err, "make a folder for the archive");
        }
        s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return s->fd < 0 ? cor_fail_errno(err, "open %s", s->path) : 0;
}

int engine_copy_archive_out(struct engine *e, const char *name, const char *source, const struct container_copy *o,
                            int output, struct cor_err *err)
{
        COR_CLEANUP(stage_done) struct stage stage = { .fd = -1 };
        const struct tar_sink sink = { .write = write_all, .context = &output };
        const struct container_copy all = { .archive = true, .follow = o->follow };
        auto_tar_writer writer = tar_writer_new(&sink);
        int64_t bytes;

        if (stage_make(&stage, err) < 0 || engine_copy_out(e, name, source, stage.path, &all, &bytes, err) < 0 ||
            layer_diff_inside(stage.fd, "coracle.no.overlay.", writer, err) < 0)
                return -1;
        return 0;
}

int engine_copy_archive_in(struct engine *e, int input, const char *name, const char *target, struct cor_err *err)
{
        COR_CLEANUP(stage_done) struct stage stage = { .fd = -1 };
        const struct tar_source source = { .read = read_some, .context = &input };
        const struct layer_apply_options apply = { .overlay_prefix = store_overlay_prefix(e->store) };
        const struct container_copy all = { .archive = true };
        const struct tar_limits limits = { 0 };
        auto_tar_reader reader = tar_reader_new(&source, &limits);
        struct layer_applied applied;
        auto_str from = NULL;
        int64_t bytes;

        if (stage_make(&stage, err) < 0 || layer_apply(stage.fd, reader, &apply, &applied, err) < 0)
                return -1;
        from = cor_printf("%s/.", stage.path);
        return engine_copy_in(e, from, name, target, &all, &bytes, err);
}
