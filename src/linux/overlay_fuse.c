/*
 * Overlays by the program fuse-overlayfs, for users whose kernel cannot, or who want ids mapped that they may not map
 * themselves (idmapped mounts of the host's file systems are root's).
 *
 *      caller                  child (own mount namespace)          fuse-overlayfs
 *      fork                    runs it                      ────►   mounts itself on o->place, goes to the background
 *                  ◄────────   a detached clone of that mount       serves until the last clone is gone, then ends
 *                              unmounts o->place, and ends
 */
#include "base/fd.h"
#include "base/process.h"
#include "base/text.h"
#include "linux/idmap.h"
#include "linux/mount.h"
#include "linux/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define PROGRAM "fuse-overlayfs"
enum { START_MS = 30000, MESSAGE_MAX = 300 };

/* The path of a folder, as an option of a mount may hold it; free() */
static int path_of(int fd, char **ret, struct cor_err *err)
{
        auto_str link = cor_printf("/proc/self/fd/%d", fd);
        char path[PATH_MAX];
        ssize_t n = readlink(link, path, sizeof path - 1);

        if (n < 0)
                return cor_fail_errno(err, PROGRAM ": read a link");
        path[n] = '\0';
        if (strpbrk(path, ":,\\"))
                return cor_fail(err, COR_UNSUPPORTED, PROGRAM ": the path %s cannot be put into a mount option", path);
        *ret = cor_strdup(path);
        return 0;
}

static int add_path(struct cor_text *t, const char *before, int fd, struct cor_err *err)
{
        auto_str path = NULL;

        if (path_of(fd, &path, err) < 0)
                return -1;
        cor_text_printf(t, "%s%s", before, path);
        return 0;
}

static void add_map(struct cor_text *t, const char *key, const struct oci_id_map *map, size_t n)
{
        for (size_t i = 0; i < n; i++)
                cor_text_printf(t, "%s%u:%u:%u", i ? ":" : key, map[i].container_id, map[i].host_id, map[i].size);
}

static int options(const struct overlay *o, struct cor_text *t, struct cor_err *err)
{
        for (size_t i = 0; i < o->n_lower; i++)
                if (add_path(t, i ? ":" : "lowerdir=", o->lower[i], err) < 0)
                        return -1;
        if (o->upper >= 0 &&
            (add_path(t, ",upperdir=", o->upper, err) < 0 || add_path(t, ",workdir=", o->work, err) < 0))
                return -1;
        if (o->map) {
                add_map(t, ",uidmapping=", o->map->uids, o->map->n_uids);
                add_map(t, ",gidmapping=", o->map->gids, o->map->n_gids);
        }
        if (o->lossy)
                cor_text_add(t, ",volatile");
        if (o->label)
                cor_text_printf(t, ",context=\"%s\"", o->label);
        return 0;
}

static int start(const char *with, const char *place, struct cor_err *err)
{
        char *const argv[] = { (char *)PROGRAM, (char *)"-o", (char *)with, (char *)place, NULL };
        const struct cor_spawn run = {
                .path = PROGRAM, .argv = argv, .stdout_fd = -1, .stderr_fd = -1, .timeout_ms = START_MS
        };
        auto_str said = NULL;
        int status;

        if (cor_spawn_run(&run, &status, &said, err) < 0)
                return -1;
        if (status == 0)
                return 0;
        if (said)
                said[strcspn(said, "\n")] = '\0';
        return cor_fail(err, COR_SYSTEM, PROGRAM " failed (%d): %.*s", cor_status_code(status), MESSAGE_MAX,
                        said && *said ? said : "no message");
}

static int in_child(const struct overlay *o, struct cor_err *err)
{
        auto_text with = COR_TEXT_INIT;
        auto_str place = NULL;
        auto_fd fd = -1;

        if (options(o, &with, err) < 0 || path_of(o->place, &place, err) < 0 || start(with.s, place, err) < 0)
                return -1;
        fd = mount_clone(AT_FDCWD, place, false, false, err);
        if (fd < 0)
                return -1;
        if (umount2(place, MNT_DETACH) < 0) /* or it would serve its own namespace for ever */
                return cor_fail_errno(err, PROGRAM ": unmount %s", place);
        return cor_fd_take(&fd);
}

int overlay_mount_fuse(const struct overlay *o, struct cor_err *err)
{
        struct cor_err why = { 0 };
        int fd = overlay_alone(o, in_child, &why);

        if (fd >= 0)
                return fd;
        if (why.kind == COR_NOT_FOUND || why.kind == COR_EXEC_MISSING)
                return cor_fail(err, COR_UNSUPPORTED,
                                "the program " PROGRAM " is not there: install the package " PROGRAM);
        if (err)
                *err = why;
        return -1;
}
