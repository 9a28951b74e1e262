/* The processes of a container, as ps(1) of the host shows them: docker's rows and columns. */
#include "base/text.h"
#include "engine/container_inspect.h"
#include "engine/container_internal.h"
#include "runtime/ps.h"
#include "store/container.h"
#include "store/event.h"

#include <string.h>

/* The next word of *@s; the last of @more columns has the rest of the line */
static char *next_word(char **s, bool last)
{
        char *start = *s + strspn(*s, " \t"), *end;

        if (!*start)
                return NULL;
        end = last ? start + strlen(start) : start + strcspn(start, " \t");
        *s = *end ? end + 1 : end;
        while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
                end--;
        *end = '\0';
        return start;
}

struct table {
        struct cor_strv titles;
        struct docker_strings *rows;
        size_t n_rows;
};

static void table_done(struct table *t)
{
        cor_strv_done(&t->titles);
        for (size_t i = 0; i < t->n_rows; i++)
                free(t->rows[i].items);
        free(t->rows);
}

/* @text is changed in place, and the rows point into it */
static void read_table(char *text, struct table *t)
{
        char *cursor = text, *line = cor_split_next(&cursor, '\n'), *word;

        while (line && (word = next_word(&line, false)))
                cor_strv_add(&t->titles, word);
        while (cursor && (line = cor_split_next(&cursor, '\n'))) {
                struct docker_strings row = { 0 };

                for (size_t i = 0; i < t->titles.n_items && (word = next_word(&line, i + 1 == t->titles.n_items)); i++)
                        *COR_GROW(row.items, row.n_items) = word;
                if (row.n_items > 0)
                        *COR_GROW(t->rows, t->n_rows) = row;
        }
}

static int list(struct engine *e, const struct container_row *r, char *const *args, size_t n_args, struct cor_text *out,
                struct cor_err *err)
{
        auto_free pid_t *pids = NULL;
        auto_cgroup cgroup = NULL;
        size_t n = 1;

        if (container_cgroup_of(e, r->id, &cgroup, err) < 0)
                return -1;
        if (cgroup_exists(cgroup))
                return cgroup_pids(cgroup, &pids, &n, err) < 0 ? -1 : ps_table(pids, n, args, n_args, out, err);
        return ps_table(&r->now.pid, n, args, n_args, out, err); /* no cgroup was to be had: all we know of */
}

int engine_top(struct engine *e, const char *name, char *const *args, size_t n_args, struct docker_top **ret,
               struct cor_err *err)
{
        COR_CLEANUP(table_done) struct table table = { .rows = NULL };
        auto_container_row row = { 0 };
        auto_text text = COR_TEXT_INIT, json = COR_TEXT_INIT;
        struct docker_top top;

        if (engine_container(e, name, false, &row, err) < 0)
                return -1;
        if (row.now.phase == CONTAINER_PHASE_RESTARTING)
                return cor_fail(err, COR_BUSY, "Container %s is restarting, wait until the container is running",
                                row.id);
        if (!container_phase_alive(row.now.phase))
                return cor_fail(err, COR_BUSY, "container %s is not running", row.id);
        if (list(e, &row, args, n_args, &text, err) < 0)
                return -1;
        event_write_container(e->store, &row, "top", NULL, 0);
        if (text.s)
                read_table(text.s, &table);
        top = (struct docker_top){ .titles = (const char **)table.titles.items,
                                   .n_titles = table.titles.n_items,
                                   .processes = table.rows ? table.rows : COR_JSON_NONE_YET,
                                   .n_processes = table.n_rows };
        cor_json_print(&docker_top_doc, &top, COR_JSON_COMPACT, &json);
        return cor_json_parse(&docker_top_doc, json.s, json.len, "processes", ret, err);
}
