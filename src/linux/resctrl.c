#include "linux/resctrl.h"

#include "base/fd.h"
#include "base/file.h"
#include "spec/oci.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define RESCTRL_MAGIC 0x7655821

const char *resctrl_mount;

/* Mounted somewhere else than usual: the long way. */
static char *find_mount(void)
{
        auto_str text = NULL;
        char *cursor, *line;

        if (cor_read_file("/proc/self/mounts", (size_t)64 << 20, &text, NULL, NULL) < 0)
                return NULL;
        cursor = text;
        while ((line = cor_split_next(&cursor, '\n'))) {
                const char *path, *type;

                (void)cor_split_next(&line, ' ');
                path = cor_split_next(&line, ' ');
                type = cor_split_next(&line, ' ');
                if (path && type && strcmp(type, "resctrl") == 0)
                        return cor_strdup(path);
        }
        return NULL;
}

/* The mount point, or NULL; free() */
static char *mount_point(void)
{
        struct statfs st;

        if (resctrl_mount)
                return cor_strdup(resctrl_mount);
        if (statfs("/sys/fs/resctrl", &st) < 0) /* the kernel makes the directory if processor and kernel have it */
                return NULL;
        return st.f_type == RESCTRL_MAGIC ? cor_strdup("/sys/fs/resctrl") : find_mount();
}

bool resctrl_available(void)
{
        auto_str root = mount_point();

        return root != NULL;
}

/* --- a container's group ----------------------------------------------------------------------------------------- */

struct group {
        char *root, *path, *monitor; /* monitor: NULL if it has none of its own */
};

static void group_done(struct group *g)
{
        free(g->root);
        free(g->path);
        free(g->monitor);
}
#define auto_group COR_CLEANUP(group_done) struct group

static bool is_name(const char *s)
{
        return *s && strcmp(s, ".") != 0 && strcmp(s, "..") != 0 && !strpbrk(s, "/\n");
}

static int group_find(const struct oci_intel_rdt *rdt, const char *id, struct group *g, struct cor_err *err)
{
        const char *name = rdt->clos_id && *rdt->clos_id ? rdt->clos_id : id;

        g->root = mount_point();
        if (!g->root)
                return cor_fail(err, COR_UNSUPPORTED, "linux.intelRdt: no resctrl file system is mounted on this host");
        if (strcmp(name, "/") == 0)
                g->path = cor_strdup(g->root);
        else if (is_name(name))
                g->path = cor_printf("%s/%s", g->root, name);
        else
                return cor_fail(err, COR_INVALID, "linux.intelRdt.closID: '%s' cannot be the name of a class", name);
        if (rdt->enable_monitoring)
                g->monitor = cor_printf("%s/mon_groups/%s", g->path, id);
        return 0;
}

int resctrl_paths(const struct oci_intel_rdt *rdt, const char *id, char **ret_root, char **ret_class,
                  char **ret_monitor, struct cor_err *err)
{
        auto_group g = { .root = NULL };

        if (group_find(rdt, id, &g, err) < 0)
                return -1;
        *ret_root = COR_TAKE(g.root);
        *ret_class = COR_TAKE(g.path);
        *ret_monitor = COR_TAKE(g.monitor);
        return 0;
}

/* The kernel explains a refusal in a file. */
static int refused(const struct group *g, struct cor_err *err)
{
        auto_str file = cor_printf("%s/info/last_cmd_status", g->root);
        char status[256];

        if (cor_read_at(AT_FDCWD, file, status, sizeof status, NULL) <= 0 || strcmp(status, "ok") == 0)
                return -1;
        return cor_wrap(err, "linux.intelRdt (%s)", status);
}

static int write_in(const struct group *g, const char *dir, const char *file, const char *text, struct cor_err *err)
{
        auto_str path = cor_printf("%s/%s", dir, file);

        return cor_write_at(AT_FDCWD, path, text, err) < 0 ? refused(g, err) : 0;
}

static int add_task(const struct group *g, pid_t pid, struct cor_err *err)
{
        auto_str text = cor_printf("%d", (int)pid);

        if (write_in(g, g->path, "tasks", text, err) < 0)
                return -1;
        return g->monitor ? write_in(g, g->monitor, "tasks", text, err) : 0;
}

/* --- schemata ---------------------------------------------------------------------------------------------------- */

static int add_line(struct cor_text *t, const char *line, const char *what, struct cor_err *err)
{
        if (!line || !*line)
                return 0;
        if (strchr(line, '\n') || !strchr(line, ':'))
                return cor_fail(err, COR_INVALID, "linux.intelRdt.%s: expected one line like L3:0=ff;1=f, found '%s'",
                                what, line);
        cor_text_printf(t, "%s\n", line);
        return 0;
}

/* All lines to write, in the order of the specification. */
static int collect(const struct oci_intel_rdt *rdt, struct cor_text *ret, struct cor_err *err)
{
        if (rdt->mem_bw_schema && *rdt->mem_bw_schema && !cor_starts_with(rdt->mem_bw_schema, "MB:"))
                return cor_fail(err, COR_INVALID,
                                "linux.intelRdt.memBwSchema: '%s' does not start with MB:", rdt->mem_bw_schema);
        if (add_line(ret, rdt->l3_cache_schema, "l3CacheSchema", err) < 0 ||
            add_line(ret, rdt->mem_bw_schema, "memBwSchema", err) < 0)
                return -1;
        for (size_t i = 0; i < rdt->n_schemata; i++)
                if (add_line(ret, rdt->schemata[i], "schemata", err) < 0)
                        return -1;
        return 0;
}

static const char *plain(const char *s)
{
        s += strspn(s, " ");
        while (s[0] == '0' && s[1])
                s++;
        return s;
}

/* What class @present says about domain @id of resource @name; NULL if nothing. free() */
static char *value_of(const char *present, const char *name, const char *id)
{
        auto_str copy = cor_strdup(present);
        char *cursor = copy, *line;

        while ((line = cor_split_next(&cursor, '\n'))) {
                char *pair, *found = cor_split_next(&line, ':');

                if (!found || strcmp(found + strspn(found, " "), name) != 0)
                        continue;
                while ((pair = cor_split_next(&line, ';'))) {
                        char *key = cor_split_next(&pair, '=');

                        if (key && pair && strcmp(plain(key), plain(id)) == 0)
                                return cor_strdup(plain(pair));
                }
        }
        return NULL;
}

/* The class was there before us: it must already be what the container asks for. */
static int compare(const struct group *g, const char *wanted, struct cor_err *err)
{
        auto_str path = cor_printf("%s/schemata", g->path), *present = NULL, *copy = cor_strdup(wanted);
        char *cursor = copy, *line;

        if (cor_read_file(path, 1 << 16, &present, NULL, err) < 0)
                return -1;
        while ((line = cor_split_next(&cursor, '\n'))) {
                char *pair, *name = cor_split_next(&line, ':');

                while (line && (pair = cor_split_next(&line, ';'))) {
                        char *id = cor_split_next(&pair, '=');
                        auto_str has = pair ? value_of(present, name + strspn(name, " "), id) : NULL;

                        if (!has || strcasecmp(has, plain(pair)) != 0)
                                return cor_fail(err, COR_INVALID,
                                                "linux.intelRdt: class %s exists with %s:%s=%s, but %s is asked for",
                                                g->path, name, id ? id : "", has ? has : "(nothing)",
                                                pair ? pair : "more");
                }
        }
        return 0;
}

/* --- verbs ------------------------------------------------------------------------------------------------------- */

/* The directory of the class: *ret_made if it is ours now. */
static int prepare(const struct oci_intel_rdt *rdt, const struct group *g, bool *ret_made, struct cor_err *err)
{
        bool named = rdt->clos_id && *rdt->clos_id;
        auto_text schemata = COR_TEXT_INIT;

        *ret_made = false;
        if (collect(rdt, &schemata, err) < 0)
                return -1;
        if (named && schemata.len == 0) {
                if (access(g->path, F_OK) < 0)
                        return cor_fail(err, COR_NOT_FOUND,
                                        "linux.intelRdt.closID: class %s must exist when no schemata are given",
                                        g->path);
                return 0;
        }
        if (mkdir(g->path, 0755) == 0) {
                *ret_made = true;
        } else if (errno != EEXIST) {
                cor_fail_errno(err, "linux.intelRdt: make class %s", g->path);
                return refused(g, err);
        } else if (named) {
                return compare(g, schemata.s, err);
        }
        return schemata.len ? write_in(g, g->path, "schemata", schemata.s, err) : 0;
}

int resctrl_setup(const struct oci_intel_rdt *rdt, const char *id, pid_t pid, char **ret_path, struct cor_err *err)
{
        auto_group g = { .root = NULL };
        bool made = false, monitor = false, named = rdt->clos_id && *rdt->clos_id;

        if (group_find(rdt, id, &g, err) < 0)
                return -1;
        if (prepare(rdt, &g, &made, err) < 0)
                goto fail;
        if (g.monitor) {
                monitor = mkdir(g.monitor, 0755) == 0;
                if (!monitor && errno != EEXIST) {
                        cor_fail_errno(err, "linux.intelRdt: make monitoring group %s", g.monitor);
                        (void)!refused(&g, err);
                        goto fail;
                }
        }
        if (add_task(&g, pid, err) < 0)
                goto fail;
        /* a class of our own goes with all in it; one with a name stays */
        *ret_path = made && !named ? COR_TAKE(g.path) : monitor ? COR_TAKE(g.monitor) : NULL;
        return 0;
fail:
        if (monitor)
                rmdir(g.monitor);
        if (made)
                rmdir(g.path);
        return -1;
}

int resctrl_update(const struct oci_intel_rdt *rdt, const char *id, const char *l3, const char *mb, struct cor_err *err)
{
        auto_group g = { .root = NULL };
        auto_text t = COR_TEXT_INIT;

        if (group_find(rdt, id, &g, err) < 0 || add_line(&t, l3, "l3CacheSchema", err) < 0 ||
            add_line(&t, mb, "memBwSchema", err) < 0)
                return -1;
        return t.len ? write_in(&g, g.path, "schemata", t.s, err) : 0;
}

int resctrl_join(const struct oci_intel_rdt *rdt, const char *id, pid_t pid, struct cor_err *err)
{
        auto_group g = { .root = NULL };

        return group_find(rdt, id, &g, err) < 0 ? -1 : add_task(&g, pid, err);
}

int resctrl_remove(const char *path, struct cor_err *err)
{
        if (rmdir(path) == 0 || errno == ENOENT)
                return 0;
        return cor_fail_errno(err, "remove resctrl group %s", path);
}
