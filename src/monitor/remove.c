#include "monitor/remove.h"

#include "base/log.h"
#include "monitor/clear.h"
#include "network/ports.h"
#include "store/event.h"
#include "store/volume.h"

#include <unistd.h>

static void remove_volume(struct store *s, const char *name)
{
        auto_volume_row v = { 0 };
        struct cor_err err = { 0 };

        if (volume_row_find(s, name, &v, &err) < 0 || !v.anonymous)
                return;
        if (volume_row_remove(s, name, &err) == 0)
                event_write_volume(s, name, "destroy", NULL, NULL, 0);
        else if (err.kind != COR_BUSY && err.kind != COR_NOT_FOUND)
                cor_warn("volume %s is left over: %s", name, err.msg);
}

/* An end that went wrong (an error of the disk) may have left the runtime's record, and with it a cgroup. */
static void clear_record(struct store *s, const char *id)
{
        auto_str record = NULL;
        const char *run;

        if (store_run_path(s, &run, NULL) < 0)
                return;
        record = cor_printf("%s/runtime/%s", run, id);
        if (access(record, F_OK) == 0)
                monitor_clear(s, id);
}

int monitor_remove(struct store *s, const struct container_row *row, bool volumes, struct cor_err *err)
{
        auto_container_gone gone = CONTAINER_GONE_NONE;

        return monitor_forget(s, row, volumes, &gone, err) < 0 ? -1 : container_folder_clear(s, &gone, err);
}

int monitor_forget(struct store *s, const struct container_row *row, bool volumes, struct container_gone *ret,
                   struct cor_err *err)
{
        auto_container_gone gone = CONTAINER_GONE_NONE;

        clear_record(s, row->id);
        ports_forget(s, row->number); /* of a monitor that died before it could say that the container runs */
        if (container_folder_drop(s, row->id, &gone, err) < 0 ||
            container_row_remove(s, row->number, !row->auto_remove, err) < 0)
                return -1;
        *ret = gone;
        gone = (struct container_gone)CONTAINER_GONE_NONE;
        for (size_t i = 0; volumes && i < row->volumes.n_items; i++)
                remove_volume(s, row->volumes.items[i]);
        event_write_container(s, row, "destroy", NULL, 0);
        return 0;
}
