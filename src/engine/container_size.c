#include "base/fd.h"
#include "engine/container_inspect.h"
#include "store/check.h"
#include "store/container.h"
#include "store/layer.h"
#include "store/snapshot.h"

int engine_container_size(struct engine *e, const struct container_row *r, int64_t *ret_rw, int64_t *ret_root,
                          struct cor_err *err)
{
        auto_fd folder = container_folder_open(e->store, r->id, err), upper = -1;
        struct cor_err none = { 0 };
        int64_t rw = 0, root = 0;

        if (folder < 0)
                return -1;
        upper = snapshot_upper(folder, &none);
        if (upper < 0 && none.kind != COR_NOT_FOUND) { /* not made before the first start */
                if (err)
                        *err = none;
                return -1;
        }
        if (upper >= 0 && check_tree_size(upper, &rw, err) < 0)
                return cor_wrap(err, "container %s", r->id);
        for (size_t i = 0; i < r->n_layers; i++) {
                int64_t size = layer_size(e->store, &r->layers[i]);

                root += size > 0 ? size : 0;
        }
        *ret_rw = rw;
        *ret_root = rw + root;
        return 0;
}
