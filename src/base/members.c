#include "base/members.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 1 << 20, LOCK_MS = 30000 };

void members_end(struct members *m)
{
        cor_fd_close(&m->lock);
        cor_fd_close(&m->run);
        cor_text_done(&m->others);
        free(m->path);
        m->path = NULL;
}

/* 0 where a user has no such place */
static int open_run(struct members *m, struct cor_err *err)
{
        const char *own = getenv("CORACLE_RUN"), *xdg = getenv("XDG_RUNTIME_DIR");

        m->path = own && own[0] == '/' ? cor_strdup(own) : xdg && xdg[0] == '/' ? cor_printf("%s/coracle", xdg) : NULL;
        if (!m->path)
                return 0;
        if (cor_mkdirs(m->path, 0700, err) < 0)
                return -1;
        m->run = open(m->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return m->run < 0 ? cor_fail_errno(err, "open %s", m->path) : 1;
}

static void add_line(struct cor_text *out, const struct cor_procid *id)
{
        cor_text_printf(out, "%d %llu\n", (int)id->pid, (unsigned long long)id->start_time);
}

static void sort_out(struct members *m, char *list)
{
        char *line;

        while ((line = cor_split_next(&list, '\n'))) {
                struct cor_procid id = { 0 };
                char *start = line;
                const char *pid = cor_split_next(&start, ' ');

                if (!start || cor_parse_i32(pid, &id.pid) < 0 || cor_parse_u64(start, &id.start_time) < 0 ||
                    !cor_procid_alive(&id))
                        continue;
                if (m->first.pid == 0)
                        m->first = id;
                add_line(&m->others, &id);
        }
}

int members_begin(const char *name, struct members *m, struct cor_err *err)
{
        auto_str lock = cor_printf("%s.lock", name);
        auto_str list = NULL;
        struct cor_err missing = { 0 };
        int r = open_run(m, err);

        if (r <= 0)
                return r;
        m->name = name;
        m->lock = cor_lock_file(m->run, lock, LOCK_MS, err);
        if (m->lock < 0)
                return -1;
        if (cor_own_read(m->run, name, LIST_MAX, &list, NULL, &missing) < 0 && missing.kind != COR_NOT_FOUND) {
                *err = missing;
                return -1;
        }
        if (list)
                sort_out(m, list);
        return 1;
}

int members_add(struct members *m, pid_t pid, struct cor_err *err)
{
        struct cor_procid id;

        if (cor_procid_get(pid, &id, NULL, err) < 0)
                return -1;
        add_line(&m->others, &id);
        return cor_own_write(m->run, m->name, m->others.s, m->others.len, 0600, false, err);
}
