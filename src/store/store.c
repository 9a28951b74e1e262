#include "store/store.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LAYOUT      "{\"imageLayoutVersion\":\"1.0.0\"}"
#define EMPTY_INDEX "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}"

/* Layers hold set-id programs of any age, blobs what is nobody else's business: nobody else gets in. */
#define STORE_MODE 0700

int store_default_path(char **ret, struct cor_err *err)
{
        const char *named = getenv("COR_STORE"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

        if (named && *named)
                return cor_path_absolute(named, ret, err);
        if (geteuid() == 0)
                *ret = cor_strdup("/var/lib/coracle");
        else if (data && data[0] == '/')
                *ret = cor_printf("%s/coracle", data);
        else if (home && home[0] == '/')
                *ret = cor_printf("%s/.local/share/coracle", home);
        else
                return cor_fail(err, COR_INVALID,
                                "where is the store? neither COR_STORE nor XDG_DATA_HOME nor HOME is an absolute path");
        return 0;
}

/* Open folder @name of @dirfd; with @made, make it if it is missing and say so there. */
static int open_folder(int dirfd, const char *name, bool *made, int *ret, struct cor_err *err)
{
        bool fixed = false;

        if (made && mkdirat(dirfd, name, STORE_MODE) == 0)
                *made = true;
        else if (made && errno != EEXIST && errno != EROFS)
                return cor_fail_errno(err, "make folder %s", name);
        else
                fixed = made && errno == EROFS;
        *ret = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*ret < 0 && errno == ENOENT && fixed) /* why it was not made */
                errno = EROFS;
        return *ret < 0 ? cor_fail_errno(err, "folder %s", name) : 0;
}

/* 1 there, 0 missing. What cannot be looked for must not be taken for missing: it would be written anew. */
static int look_for(int dir, const char *name, struct cor_err *err)
{
        if (faccessat(dir, name, F_OK, 0) == 0)
                return 1;
        return errno == ENOENT ? 0 : cor_fail_errno(err, "look for %s", name);
}

/* The layout's file comes last: where it is, all else is. */
static int make_layout(struct store *s, struct cor_err *err)
{
        auto_fd sha256 = -1;
        bool made;
        int there = look_for(s->images, "oci-layout", err);

        if (there != 0)
                return there < 0 ? -1 : 0;
        there = open_folder(s->blobs, "sha256", &made, &sha256, err) < 0 ? -1 : look_for(s->images, "index.json", err);
        if (there < 0)
                return -1;
        if (there == 0 && cor_own_write(s->images, "index.json", EMPTY_INDEX, strlen(EMPTY_INDEX), 0644, true, err) < 0)
                return -1;
        return cor_own_write(s->images, "oci-layout", LAYOUT, strlen(LAYOUT), 0644, true, err);
}

static int open_folders(struct store *s, bool create, struct cor_err *err)
{
        bool made = false, *make = create ? &made : NULL;

        if (open_folder(s->fd, "images", make, &s->images, err) < 0 ||
            open_folder(s->images, "blobs", make, &s->blobs, err) < 0 ||
            open_folder(s->images, "ingest", make, &s->ingest, err) < 0 ||
            open_folder(s->fd, "layers", make, &s->layers, err) < 0 ||
            open_folder(s->layers, ".work", make, &s->work, err) < 0)
                return -1;
        if (create && make_layout(s, err) < 0)
                return -1;
        return made ? store_sync(s, err) : 0;
}

/*
 * Removing an attribute that is not there tells who may write it, and changes nothing: EPERM for those who may not,
 * ENODATA for those who may.
 */
static const char *find_prefix(int layers)
{
        if (fremovexattr(layers, "trusted.overlay.coracle") == 0 || errno == ENODATA)
                return "trusted.overlay.";
        return errno == EROFS && geteuid() == 0 ? "trusted.overlay." : "user.overlay.";
}

static int on_one_filesystem(struct store *s, struct cor_err *err)
{
        struct stat top, images, layers;

        if (fstat(s->fd, &top) < 0 || fstat(s->images, &images) < 0 || fstat(s->layers, &layers) < 0)
                return cor_fail_errno(err, "look at its folders");
        s->one_filesystem = top.st_dev == images.st_dev && top.st_dev == layers.st_dev;
        return 0;
}

/* What cannot be removed now (a read-only disk, say) is no reason not to open the store. */
static void clear(struct store *s)
{
        struct cor_err err = { 0 };

        if (store_clear(s->ingest, &err) < 0 || store_clear(s->work, &err) < 0)
                cor_debug("store %s: %s", s->path, err.msg);
}

/* Whoever made the last change may have died before index.json followed. */
static int open_database(struct store *s, bool create, struct cor_err *err)
{
        struct cor_err late = { 0 };

        if (db_open(s, create, &s->db, err) < 0)
                return -1;
        if (create && store_index_write(s, &late) < 0)
                cor_debug("store %s: %s", s->path, late.msg);
        return 0;
}

static int open_store(struct store *s, unsigned flags, struct cor_err *err)
{
        bool create = flags & STORE_CREATE;

        if (create && cor_mkdirs(s->path, STORE_MODE, err) < 0)
                return -1;
        s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (s->fd < 0)
                return cor_fail_errno(err, "open the folder");
        if (!create) {
                int there = look_for(s->fd, "images/oci-layout", err);

                if (there <= 0)
                        return there < 0 ? -1 : cor_fail(err, COR_NOT_FOUND, "there is no store");
        }
        if (open_folders(s, create, err) < 0 || on_one_filesystem(s, err) < 0)
                return -1;
        s->overlay_prefix = find_prefix(s->layers);
        if (create)
                clear(s);
        return flags & STORE_DATABASE ? open_database(s, create, err) : 0;
}

int store_open(const char *path, unsigned flags, struct store **ret, struct cor_err *err)
{
        auto_store s = cor_alloc(sizeof *s);

        s->fd = s->images = s->blobs = s->ingest = s->layers = s->work = -1;
        s->containers = s->container_work = s->container_locks = s->volumes = s->volume_work = -1;
        if (cor_path_absolute(path, &s->path, err) < 0 || open_store(s, flags, err) < 0)
                return cor_wrap(err, "store %s", path);
        *ret = COR_TAKE(s);
        return 0;
}

void store_free(struct store *s)
{
        if (!s)
                return;
        db_close(s->db);
        cor_fd_close(&s->volume_work);
        cor_fd_close(&s->volumes);
        cor_fd_close(&s->container_locks);
        cor_fd_close(&s->container_work);
        cor_fd_close(&s->containers);
        cor_fd_close(&s->work);
        cor_fd_close(&s->layers);
        cor_fd_close(&s->ingest);
        cor_fd_close(&s->blobs);
        cor_fd_close(&s->images);
        cor_fd_close(&s->fd);
        free(s->run);
        free(s->path);
        free(s);
}

/* A folder of things with a folder for those on their way out, which are cleared away on this occasion. */
static int open_things(const struct store *s, const char *name, int *ret, int *ret_work, struct cor_err *err)
{
        auto_fd things = -1, work = -1;
        struct cor_err late = { 0 };
        bool made = false;

        if (*ret >= 0)
                return 0;
        if (open_folder(s->fd, name, &made, &things, err) < 0 || open_folder(things, ".work", &made, &work, err) < 0 ||
            (made && store_sync_folder(s->fd, "the store", err) < 0))
                return cor_wrap(err, "store %s", s->path);
        if (store_clear(work, &late) < 0)
                cor_debug("store %s: %s", s->path, late.msg);
        *ret = cor_fd_take(&things);
        *ret_work = cor_fd_take(&work);
        return 0;
}

/* That they are opened late is nothing that can be seen from outside. */
int store_containers(const struct store *s, struct cor_err *err)
{
        struct store *m = (struct store *)(uintptr_t)s;

        return open_things(s, "containers", &m->containers, &m->container_work, err);
}

int store_volumes(const struct store *s, struct cor_err *err)
{
        struct store *m = (struct store *)(uintptr_t)s;

        return open_things(s, "volumes", &m->volumes, &m->volume_work, err);
}

const char *store_path(const struct store *s)
{
        return s->path;
}

int store_images_fd(const struct store *s)
{
        return s->images;
}

int store_layers_fd(const struct store *s)
{
        return s->layers;
}

const char *store_overlay_prefix(const struct store *s)
{
        return s->overlay_prefix;
}

int store_sync(struct store *s, struct cor_err *err)
{
        if (syncfs(s->images) < 0 || (!s->one_filesystem && (syncfs(s->layers) < 0 || syncfs(s->fd) < 0)))
                return cor_fail_errno(err, "store %s: sync", s->path);
        return 0;
}
