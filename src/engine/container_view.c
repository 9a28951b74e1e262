/* The root filesystem of a container for those who are not in it, and what is made of it: export. */
#include "base/fd.h"
#include "base/process.h"
#include "engine/container_files.h"
#include "engine/container_internal.h"
#include "image/layer.h"
#include "linux/idmap.h"
#include "linux/mount.h"
#include "monitor/root.h"
#include "store/event.h"

#include <fcntl.h>
#include <unistd.h>

enum { NOBODY = 65534 };

/* Its own mount, cloned where it is: a second overlay on the same folders would not see what the first one has. */
static int clone_running(const struct container_row *r, struct cor_err *err)
{
        const struct cor_procid id = { .pid = r->now.pid, .start_time = r->now.pid_start_time };
        auto_str path = cor_printf("/proc/%d/root/", (int)r->now.pid);
        auto_fd pidfd = cor_procid_open(&id, err), mnt = -1; /* as long as it is open, the pid is nobody else's */

        if (pidfd < 0)
                return -1;
        mnt = mount_is_elsewhere(path) ? mount_clone_elsewhere(path, false, err)
                                       : mount_clone(AT_FDCWD, path, false, false, err);
        if (mnt < 0)
                return -1;
        return cor_procid_alive(&id) ? cor_fd_take(&mnt) : container_not_running(r, err);
}

int container_view(struct engine *e, const struct container_row *r, struct cor_err *err)
{
        int mnt;

        if (container_phase_alive(r->now.phase))
                mnt = clone_running(r, err);
        else
                mnt = monitor_mount_root(e->store, r, false, err);
        return mnt < 0 ? cor_wrap(err, "the files of container %s", r->id) : mnt;
}

int container_view_map(const struct container_row *r, struct idmap *ret, struct cor_err *err)
{
        *ret = (struct idmap){ 0 };
        if (!r->id_map || (r->now.phase != CONTAINER_PHASE_RUNNING && r->now.phase != CONTAINER_PHASE_PAUSED))
                return 0;
        return idmap_parse(r->id_map, ret, err);
}

static uint64_t inside(const struct oci_id_map *map, size_t n, uint64_t id)
{
        uint32_t found;

        return id <= UINT32_MAX && idmap_to_container(map, n, (uint32_t)id, &found) ? found : NOBODY;
}

void container_view_owner(const struct idmap *map, uint64_t *uid, uint64_t *gid)
{
        if (map->n_uids == 0)
                return;
        *uid = inside(map->uids, map->n_uids, *uid);
        *gid = inside(map->gids, map->n_gids, *gid);
}

struct export
{
        int output;
        struct idmap map;
};

static int write_all(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        return cor_write_full(((const struct export *)context)->output, bytes, n, err);
}

static void map_owner(void *context, uint64_t *uid, uint64_t *gid)
{
        container_view_owner(&((const struct export *)context)->map, uid, gid);
}

static void export_done(struct export *x)
{
        idmap_done(&x->map);
}

int engine_export(struct engine *e, const char *name, int output, struct cor_err *err)
{
        COR_CLEANUP(export_done) struct export x = { .output = output };
        const struct tar_sink sink = { .write = write_all, .context = &x, .owner = map_owner };
        auto_tar_writer writer = tar_writer_new(&sink);
        auto_container_row row = { 0 };
        auto_fd lock = container_work(e, name, &row, err), view = -1, root = -1;

        if (lock < 0)
                return -1;
        view = container_view(e, &row, err);
        if (view < 0 || container_view_map(&row, &x.map, err) < 0)
                return -1;
        if (container_runs(&row)) /* others may work on it while its files are read */
                cor_fd_close(&lock);
        root = openat(view, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return cor_fail_errno(err, "open the root of container %s", row.id);
        /* in a mounted overlay there are no marks of overlays: what looks like one is a file of the container */
        if (layer_diff(root, "coracle.no.overlay.", writer, err) < 0)
                return cor_wrap(err, "export container %s", row.id);
        event_write_container(e->store, &row, "export", NULL, 0);
        return 0;
}
