#include "monitor/root.h"

#include "base/fd.h"
#include "store/snapshot.h"

int monitor_mount_root(struct store *s, const struct container_row *row, struct cor_err *err)
{
        struct snapshot snapshot = SNAPSHOT_INIT;
        auto_fd folder = container_folder_open(s, row->id, err);

        if (folder < 0)
                return -1;
        snapshot.layers = row->layers;
        snapshot.n_layers = row->n_layers;
        snapshot.folder = folder;
        snapshot.lossy = row->auto_remove;
        return snapshot_mount(s, &snapshot, err);
}
