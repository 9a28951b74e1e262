#include "monitor/root.h"

#include "base/fd.h"
#include "linux/idmap.h"
#include "linux/procfs.h"
#include "runtime/context.h"
#include "store/snapshot.h"

/* By a user namespace that maps ids as the container's, or by a program for who may not do that. */
static int set_ids(const struct idmap *map, struct snapshot *s, int *ret_userns, struct cor_err *err)
{
        auto_fd procfs = -1;

        if (runtime_default_rootless()) {
                s->map = map;
                return 0;
        }
        procfs = procfs_open(err);
        *ret_userns = procfs < 0 ? -1 : idmap_userns_fd(procfs, map, err);
        s->userns = *ret_userns;
        return s->userns < 0 ? -1 : 0;
}

int monitor_mount_root(struct store *s, const struct container_row *row, bool mapped, struct cor_err *err)
{
        struct snapshot snapshot = SNAPSHOT_INIT;
        auto_fd folder = container_folder_open(s, row->id, err), userns = -1;
        auto_idmap map = { 0 };

        if (folder < 0)
                return -1;
        snapshot.fuse = row->id_map && runtime_default_rootless();
        if (mapped && row->id_map) {
                if (idmap_parse(row->id_map, &map, err) < 0 || set_ids(&map, &snapshot, &userns, err) < 0)
                        return cor_wrap(err, "container %s", row->id);
        }
        snapshot.layers = row->layers;
        snapshot.n_layers = row->n_layers;
        snapshot.folder = folder;
        snapshot.lossy = row->auto_remove;
        return snapshot_mount(s, &snapshot, err);
}
