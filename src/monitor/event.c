/* What the monitor does and sees, for `events`, in docker's words. */
#include "monitor/monitor.h"

#include "base/log.h"
#include "spec/docker.h"
#include "store/event.h"

#include <stdio.h>
#include <string.h>

void monitor_event_of(struct monitor *m, const struct container_row *row, const char *action, const char *key,
                      const char *value)
{
        const struct cor_pair more = { .key = key, .value = value };

        event_write_container(m->store, row, action, &more, key != NULL);
}

/* Whether somebody reads it or not, it is no reason to fail. */
static int with_row(struct monitor *m, struct container_row *row)
{
        struct cor_err err = { 0 };

        if (monitor_open_store(m, &err) == 0 && container_row_find(m->store, m->id, row, &err) == 0)
                return 0;
        cor_warn("note an event of container %s: %s", m->id, err.msg);
        return -1;
}

void monitor_event(struct monitor *m, const char *action, const char *key, const char *value)
{
        auto_container_row row = { 0 };

        if (with_row(m, &row) == 0)
                monitor_event_of(m, &row, action, key, value);
}

void monitor_event_signal(struct monitor *m, int sig)
{
        char text[16];

        snprintf(text, sizeof text, "%d", sig);
        monitor_event(m, "kill", "signal", text);
}

/* Docker's order since version 23: first what the container lets go of, its networks before its volumes. */
void monitor_event_die(struct monitor *m)
{
        auto_container_row row = { 0 };
        char code[16], duration[24];
        const struct cor_pair more[] = { { "execDuration", duration }, { "exitCode", code } };

        snprintf(code, sizeof code, "%d", (int)m->now.exit_code);
        snprintf(duration, sizeof duration, "%lld", (long long)((m->now.finished - m->now.started) / 1000000000));
        if (with_row(m, &row) < 0)
                return;
        for (size_t i = 0; i < row.volumes.n_items; i++)
                event_write_volume(m->store, row.volumes.items[i], "unmount", m->id, NULL, 0);
        event_write_container(m->store, &row, "die", more, COR_COUNT(more));
}

void monitor_event_resize(struct monitor *m)
{
        auto_container_row row = { 0 };
        char height[8], width[8];
        const struct cor_pair more[] = { { "height", height }, { "width", width } };

        snprintf(height, sizeof height, "%u", m->size.rows);
        snprintf(width, sizeof width, "%u", m->size.columns);
        if (with_row(m, &row) == 0)
                event_write_container(m->store, &row, "resize", more, COR_COUNT(more));
}

void monitor_event_exec_die(struct monitor *m, const char *id, int code)
{
        auto_container_row row = { 0 };
        char text[16];
        const struct cor_pair more[] = { { "execID", id }, { "exitCode", text } };

        snprintf(text, sizeof text, "%d", code);
        if (with_row(m, &row) == 0)
                event_write_container(m->store, &row, "exec_die", more, COR_COUNT(more));
}

static void volumes_mounted(struct monitor *m, const struct container_row *row)
{
        auto_json struct docker_mount_points *mounts = NULL;
        struct cor_err ignored;

        if (row->volumes.n_items == 0 || !row->mounts ||
            cor_json_parse(&docker_mount_points_doc, row->mounts, strlen(row->mounts), "Mounts", &mounts, &ignored) < 0)
                return;
        for (size_t i = 0; i < mounts->n_items; i++) {
                const struct docker_mount_point *p = &mounts->items[i];
                const struct cor_pair more[] = { { "destination", p->destination },
                                                 { "propagation", p->propagation ? p->propagation : "" },
                                                 { "read/write", p->rw ? "true" : "false" } };

                if (cor_streq(p->type, "volume") && p->name)
                        event_write_volume(m->store, p->name, "mount", m->id, more, COR_COUNT(more));
        }
}

void monitor_event_start(struct monitor *m, const struct container_row *row)
{
        if (m->attached)
                monitor_event_of(m, row, "attach", NULL, NULL);
        m->attached = false;
        volumes_mounted(m, row);
        monitor_event_of(m, row, "start", NULL, NULL);
}
