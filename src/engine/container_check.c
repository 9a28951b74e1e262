/*
 * What containers may have left on the machine: sockets, records of the runtime, processes in their cgroups. Whoever
 * notices that a monitor has died cleans up after it (container_state.c); this is for what nobody noticed, or what
 * could not be cleaned up then.
 */
#include "engine/container_check.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "engine/container_internal.h"
#include "runtime/lifecycle.h"
#include "runtime/record.h"
#include "store/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { ID_DIGITS = 64, CGROUP_MAX_BYTES = 64 << 10, GONE_MS = 5000 };

struct checking {
        struct engine *e;
        bool repair;
        container_check_found *found;
        void *context;
};

static void tell(const struct checking *c, bool repaired, char *what)
{
        c->found(c->context, what, repaired);
        free(what);
}

static bool is_id(const char *s, size_t n)
{
        return n == ID_DIGITS && strspn(s, "0123456789abcdef") >= ID_DIGITS;
}

/* Nobody is at the container of that id: it does not run, and no command works on it. */
static int is_idle(const struct checking *c, const char *id, struct cor_err *err)
{
        auto_container_row row = { 0 };
        struct cor_err why = { 0 };
        int busy;

        if (container_row_find(c->e->store, id, &row, &why) < 0) {
                if (why.kind == COR_NOT_FOUND)
                        return 1;
                *err = why;
                return -1;
        }
        busy = container_row_locked(c->e->store, row.number, CONTAINER_LOCK_WORK, err);
        if (busy == 0)
                busy = container_row_locked(c->e->store, row.number, CONTAINER_LOCK_MONITOR, err);
        return busy < 0 ? -1 : !busy;
}

/* ---- sockets ---- */

static int look_at_socket_folder(const struct checking *c, int run, const char *id, struct cor_err *err)
{
        int idle = is_idle(c, id, err);

        if (idle <= 0)
                return idle;
        if (c->repair && cor_own_remove_tree(run, id, err) < 0)
                return -1;
        tell(c, c->repair, cor_printf("container %s: the folder of its sockets is left", id));
        return 0;
}

static void close_dir(DIR **dir)
{
        if (*dir)
                closedir(*dir);
}

static DIR *open_dir(const char *path, struct cor_err *err)
{
        DIR *dir = opendir(path);

        if (!dir)
                cor_fail_errno(err, "list %s", path);
        return dir;
}

static int look_at_sockets(const struct checking *c, const char *run, struct cor_err *err)
{
        COR_CLEANUP(close_dir) DIR *dir = open_dir(run, err);
        struct dirent *entry;

        if (!dir)
                return -1;
        while ((entry = readdir(dir)))
                if (is_id(entry->d_name, strlen(entry->d_name)) &&
                    look_at_socket_folder(c, dirfd(dir), entry->d_name, err) < 0)
                        return -1;
        return 0;
}

/* ---- records of the runtime ---- */

static int look_at_records(const struct checking *c, struct cor_err *err)
{
        auto_engine_runtime runtime = { .root = NULL };
        auto_strv ids = { 0 };

        if (engine_runtime_open(c->e, &runtime, err) < 0 || container_ids(&runtime.context, &ids, err) < 0)
                return -1;
        for (size_t i = 0; i < ids.n_items; i++) {
                int idle = is_idle(c, ids.items[i], err);

                if (idle < 0)
                        return -1;
                if (!idle)
                        continue;
                if (c->repair && container_delete(&runtime.context, ids.items[i], true, err) < 0)
                        return -1;
                tell(c, c->repair, cor_printf("container %s: the runtime still has it", ids.items[i]));
        }
        return 0;
}

/* ---- processes ---- */

/* The id in a line like 0::/coracle/ID or …/coracle-ID.scope; NULL */
static const char *id_in(const char *text)
{
        for (const char *s = strpbrk(text, "/-"); s; s = strpbrk(s + 1, "/-")) {
                size_t n = strspn(s + 1, "0123456789abcdef");
                const char *end = s + 1 + n;

                if (n == ID_DIGITS && (*s == '/' ? strchr("/\n", *end) != NULL : cor_starts_with(end, ".scope")))
                        return s + 1;
        }
        return NULL;
}

static int end_process(pid_t pid, struct cor_err *err)
{
        auto_fd fd = cor_pidfd_open(pid, err);

        if (fd < 0)
                return err->kind == COR_NOT_FOUND ? 0 : -1;
        if (cor_pidfd_signal(fd, SIGKILL, err) < 0)
                return err->sys == ESRCH ? 0 : -1;
        return cor_pidfd_wait_gone(fd, GONE_MS, err) < 0 ? -1 : 0;
}

/* Only of containers that this store has: another one's may be as they should be. */
static int look_at_process(const struct checking *c, const char *pid, struct cor_err *err)
{
        auto_str path = cor_printf("/proc/%s/cgroup", pid);
        auto_str text = NULL;
        auto_container_row row = { 0 };
        char id[ID_DIGITS + 1];
        const char *found;
        size_t n = 0;
        int idle;

        if (cor_read_file(path, CGROUP_MAX_BYTES, &text, &n, NULL) < 0)
                return 0; /* gone, or not for our eyes */
        found = id_in(text);
        if (!found)
                return 0;
        memcpy(id, found, ID_DIGITS);
        id[ID_DIGITS] = '\0';
        if (container_row_find(c->e->store, id, &row, NULL) < 0)
                return 0;
        idle = is_idle(c, id, err);
        if (idle <= 0)
                return idle;
        if (c->repair && end_process(atoi(pid), err) < 0)
                return -1;
        tell(c, c->repair, cor_printf("container %s: process %s is left of it", id, pid));
        return 0;
}

static int look_at_processes(const struct checking *c, struct cor_err *err)
{
        COR_CLEANUP(close_dir) DIR *dir = open_dir("/proc", err);
        struct dirent *entry;

        if (!dir)
                return -1;
        while ((entry = readdir(dir)))
                if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && look_at_process(c, entry->d_name, err) < 0)
                        return -1;
        return 0;
}

int engine_check_containers(struct engine *e, bool repair, container_check_found *found, void *context,
                            int64_t *ret_containers, struct cor_err *err)
{
        const struct checking c = { .e = e, .repair = repair, .found = found, .context = context };
        auto_container_rows rows = { 0 };
        const char *run;

        /* the list makes sure of each that is said to run, and cleans up after those that do not */
        if (engine_containers(e, false, &rows, err) < 0 || store_run_path(e->store, &run, err) < 0 ||
            check_containers(e->store, repair, found, context, err) < 0 || look_at_records(&c, err) < 0 ||
            look_at_sockets(&c, run, err) < 0 || look_at_processes(&c, err) < 0)
                return -1;
        *ret_containers = (int64_t)rows.n_items;
        return 0;
}
