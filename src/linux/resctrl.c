#include "linux/resctrl.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "spec/oci.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define RESCTRL_ROOT  "/sys/fs/resctrl"
#define RESCTRL_MAGIC 0x07655821 /* RDTGROUP_SUPER_MAGIC */

enum { SCHEMATA_MAX_BYTES = 65536 };

static int open_root(struct cor_err *err)
{
        auto_fd fd = open(RESCTRL_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct statfs fs;

        if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != RESCTRL_MAGIC)
                return cor_fail(err, COR_UNSUPPORTED,
                                "linux.intelRdt: no resctrl file system is mounted at " RESCTRL_ROOT);
        return cor_fd_take(&fd);
}

bool resctrl_available(void)
{
        auto_fd fd = open_root(NULL);

        return fd >= 0;
}

/* A class is named by the configuration: one path component, and none of the file system's own directories. */
static int class_name(const struct oci_intel_rdt *rdt, const char *id, const char **ret, struct cor_err *err)
{
        static const char *const reserved[] = { ".", "..", "info", "mon_groups", "mon_data" };
        const char *name = rdt->clos_id ? rdt->clos_id : id;

        if (name[0] == '\0' || strchr(name, '/'))
                return cor_fail(err, COR_INVALID, "linux.intelRdt.closID: \"%.80s\" is not a name", name);
        for (size_t i = 0; i < COR_COUNT(reserved); i++)
                if (strcmp(name, reserved[i]) == 0)
                        return cor_fail(err, COR_INVALID, "linux.intelRdt.closID: \"%s\" is reserved", name);
        *ret = name;
        return 0;
}

/* All lines that the configuration asks for, in the order the specification gives them. */
static char *wanted_schemata(const struct oci_intel_rdt *rdt)
{
        auto_text t = COR_TEXT_INIT;

        if (rdt->l3_cache_schema && rdt->l3_cache_schema[0])
                cor_text_printf(&t, "%s\n", rdt->l3_cache_schema);
        if (rdt->mem_bw_schema && rdt->mem_bw_schema[0])
                cor_text_printf(&t, "%s\n", rdt->mem_bw_schema);
        for (size_t i = 0; i < rdt->n_schemata; i++)
                cor_text_printf(&t, "%s\n", rdt->schemata[i]);
        return t.len ? cor_text_take(&t) : NULL;
}

static bool has_line(const char *text, const char *line, size_t n)
{
        for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
                p += strspn(p, " ");
                if (strncmp(p, line, n) == 0 && (p[n] == '\n' || p[n] == '\0'))
                        return true;
        }
        return false;
}

/* A class that others made is only joined, and so has to be what was asked for already. */
static int check_schemata(int dir, const char *name, const char *wanted, struct cor_err *err)
{
        auto_fd fd = openat(dir, "schemata", O_RDONLY | O_CLOEXEC);
        auto_str present = NULL;
        size_t n;

        if (fd < 0)
                return cor_fail_errno(err, "linux.intelRdt: open %s/schemata", name);
        if (cor_read_fd(fd, "schemata", SCHEMATA_MAX_BYTES, &present, &n, err) < 0)
                return -1;
        for (const char *p = wanted; *p; p += strcspn(p, "\n") + 1)
                if (!has_line(present, p, strcspn(p, "\n")))
                        return cor_fail(err, COR_INVALID,
                                        "linux.intelRdt: class %s exists and has other schemata: %.*s", name,
                                        (int)strcspn(p, "\n"), p);
        return 0;
}

static int write_schemata(int dir, const char *text, struct cor_err *err)
{
        if (cor_write_at(dir, "schemata", text, err) < 0)
                return cor_wrap(err, "linux.intelRdt: schemata");
        return 0;
}

static int open_dir(int parent, const char *name, struct cor_err *err)
{
        int fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd >= 0 ? fd : cor_fail_errno(err, "linux.intelRdt: open %s", name);
}

static int add_task(int dir, pid_t pid, struct cor_err *err)
{
        char text[16];

        snprintf(text, sizeof text, "%d", (int)pid);
        if (cor_write_at(dir, "tasks", text, err) < 0)
                return cor_wrap(err, "linux.intelRdt: tasks");
        return 0;
}

static int add_monitoring(int dir, const char *id, pid_t pid, bool make, struct cor_err *err)
{
        auto_str path = cor_printf("mon_groups/%s", id);
        auto_fd group = -1;

        if (make && mkdirat(dir, path, 0755) < 0 && errno != EEXIST)
                return cor_fail_errno(err, "linux.intelRdt.enableMonitoring: make %s", path);
        group = open_dir(dir, path, err);
        return group < 0 ? -1 : add_task(group, pid, err);
}

static int fill_class(const struct oci_intel_rdt *rdt, int dir, bool made, const char *name, const char *id, pid_t pid,
                      struct cor_err *err)
{
        auto_str wanted = wanted_schemata(rdt);

        if (wanted && made && write_schemata(dir, wanted, err) < 0)
                return -1;
        if (wanted && !made && rdt->clos_id && check_schemata(dir, name, wanted, err) < 0)
                return -1;
        if (add_task(dir, pid, err) < 0)
                return -1;
        return rdt->enable_monitoring ? add_monitoring(dir, id, pid, true, err) : 0;
}

int resctrl_setup(const struct oci_intel_rdt *rdt, const char *id, pid_t pid, char **ret_path, struct cor_err *err)
{
        auto_fd root = open_root(err), dir = -1;
        const char *name;
        bool made = false, must_exist;

        if (root < 0 || class_name(rdt, id, &name, err) < 0)
                return -1;
        must_exist = rdt->clos_id && !rdt->l3_cache_schema && !rdt->mem_bw_schema && rdt->n_schemata == 0;
        if (!must_exist) {
                if (mkdirat(root, name, 0755) == 0)
                        made = true;
                else if (errno != EEXIST)
                        return cor_fail_errno(err, "linux.intelRdt: make class %s", name);
        }
        dir = open_dir(root, name, err);
        if (dir < 0 || fill_class(rdt, dir, made, name, id, pid, err) < 0) {
                if (made)
                        unlinkat(root, name, AT_REMOVEDIR);
                return -1;
        }
        *ret_path = NULL;
        if (made)
                *ret_path = cor_printf(RESCTRL_ROOT "/%s", name);
        else if (rdt->enable_monitoring)
                *ret_path = cor_printf(RESCTRL_ROOT "/%s/mon_groups/%s", name, id);
        return 0;
}

int resctrl_update(const struct oci_intel_rdt *rdt, const char *id, const char *l3, const char *mb, struct cor_err *err)
{
        auto_fd root = open_root(err), dir = -1;
        auto_text text = COR_TEXT_INIT;
        const char *name;

        if (root < 0 || class_name(rdt, id, &name, err) < 0)
                return -1;
        if (l3 && l3[0])
                cor_text_printf(&text, "%s\n", l3);
        if (mb && mb[0])
                cor_text_printf(&text, "%s\n", mb);
        if (text.len == 0)
                return 0;
        dir = open_dir(root, name, err);
        return dir < 0 ? -1 : write_schemata(dir, text.s, err);
}

int resctrl_join(const struct oci_intel_rdt *rdt, const char *id, pid_t pid, struct cor_err *err)
{
        auto_fd root = open_root(err), dir = -1;
        const char *name;

        if (root < 0 || class_name(rdt, id, &name, err) < 0)
                return -1;
        dir = open_dir(root, name, err);
        if (dir < 0 || add_task(dir, pid, err) < 0)
                return -1;
        return rdt->enable_monitoring ? add_monitoring(dir, id, pid, false, err) : 0;
}

int resctrl_remove(const char *path, struct cor_err *err)
{
        auto_fd root = -1;

        if (!cor_starts_with(path, RESCTRL_ROOT "/"))
                return cor_fail(err, COR_INVALID, "%s: not below " RESCTRL_ROOT, path);
        root = open_root(NULL);
        if (root < 0)
                return 0; /* unmounted: nothing is left */
        if (unlinkat(root, path + strlen(RESCTRL_ROOT "/"), AT_REMOVEDIR) < 0 && errno != ENOENT)
                return cor_fail_errno(err, "remove %s", path);
        return 0;
}

/* One "key": "value" of a file, if it is there. */
static void print_file(int dir, const char *file, const char *key, struct cor_text *out)
{
        auto_fd fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
        auto_str text = NULL;
        size_t n;

        if (fd < 0 || cor_read_fd(fd, file, SCHEMATA_MAX_BYTES, &text, &n, NULL) < 0)
                return;
        while (n > 0 && text[n - 1] == '\n')
                text[--n] = '\0';
        cor_text_printf(out, "%s\"%s\":", out->len && out->s[out->len - 1] == '{' ? "" : ",", key);
        cor_text_add_json(out, text);
}

int resctrl_print_stats(const struct oci_intel_rdt *rdt, const char *id, struct cor_text *out, struct cor_err *err)
{
        auto_fd root = open_root(err), dir = -1;
        const char *name;

        if (root < 0 || class_name(rdt, id, &name, err) < 0)
                return -1;
        dir = open_dir(root, name, err);
        if (dir < 0)
                return -1;
        cor_text_add_c(out, '{');
        print_file(root, "schemata", "l3_cache_schema_root", out);
        print_file(dir, "schemata", "l3_cache_schema", out);
        cor_text_add_c(out, '}');
        return 0;
}
