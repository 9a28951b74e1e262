#include "monitor/root.h"

#include "base/fd.h"
#include "linux/idmap.h"
#include "linux/procfs.h"
#include "store/snapshot.h"

/* A user namespace that maps ids as the container's, or -1 with no error if it has none. */
static int open_userns(const struct container_row *row, struct cor_err *err)
{
        auto_fd procfs = -1;
        auto_idmap map = { 0 };

        if (!row->id_map)
                return -1;
        procfs = procfs_open(err);
        return procfs < 0 || idmap_parse(row->id_map, &map, err) < 0 ? -1 : idmap_userns_fd(procfs, &map, err);
}

int monitor_mount_root(struct store *s, const struct container_row *row, bool mapped, struct cor_err *err)
{
        struct snapshot snapshot = SNAPSHOT_INIT;
        auto_fd folder = container_folder_open(s, row->id, err), userns = -1;

        if (folder < 0)
                return -1;
        if (mapped) {
                userns = open_userns(row, err);
                if (row->id_map && userns < 0)
                        return -1;
        }
        snapshot.userns = userns;
        snapshot.layers = row->layers;
        snapshot.n_layers = row->n_layers;
        snapshot.folder = folder;
        snapshot.lossy = row->auto_remove;
        return snapshot_mount(s, &snapshot, err);
}
