/* Binds that pass mounts on, between the host and the container: the host's side has to agree. */
#include "engine/spec_internal.h"

#include "base/file.h"
#include "linux/mount.h"

#include <limits.h>
#include <string.h>

enum { MOUNTINFO_MAX_BYTES = 64 << 20 };

static bool is_below(const char *path, const char *dir)
{
        size_t n = strlen(dir);

        return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0' || strcmp(dir, "/") == 0);
}

/* The mount that @path lies on, and its optional fields ("shared:1 master:2"). Later lines cover earlier ones. */
static int find_mount(const char *path, char **ret_mount, char **ret_fields, struct cor_err *err)
{
        auto_str text = NULL;
        auto_str mount = NULL;
        auto_str fields = NULL;
        char *cursor, *line;
        size_t n;

        if (cor_read_file("/proc/self/mountinfo", MOUNTINFO_MAX_BYTES, &text, &n, err) < 0)
                return -1;
        cursor = text;
        while ((line = cor_split_next(&cursor, '\n')) != NULL) {
                char *field[6] = { NULL }, *end;
                size_t k = 0;

                while (k < 6 && (field[k] = cor_split_next(&line, ' ')) != NULL)
                        k++;
                if (k < 6 || !line || (end = strstr(line, "- ")) == NULL)
                        continue;
                mount_unescape(field[4]);
                if (!is_below(path, field[4]) || (mount && strlen(field[4]) < strlen(mount)))
                        continue;
                free(mount);
                free(fields);
                mount = cor_strdup(field[4]);
                fields = cor_strndup(line, (size_t)(end - line));
        }
        if (!mount)
                return cor_fail(err, COR_NOT_FOUND, "Can't find mount point of %s", path);
        *ret_mount = COR_TAKE(mount);
        *ret_fields = COR_TAKE(fields);
        return 0;
}

static void set_root_propagation(struct spec *s, const char *word)
{
        struct oci_linux *l = s->c->linux_;

        if (!cor_streq(l->rootfs_propagation, "shared")) /* the wider one holds */
                l->rootfs_propagation = word;
}

int spec_propagate(struct spec *s, const struct spec_point *p, struct cor_err *err)
{
        bool shared = spec_is(p->propagation, "shared") || spec_is(p->propagation, "rshared");
        bool slave = spec_is(p->propagation, "slave") || spec_is(p->propagation, "rslave");
        auto_str mount = NULL;
        auto_str fields = NULL;
        char real[PATH_MAX];

        if (!shared && !slave)
                return 0;
        if (!realpath(p->source, real))
                return cor_fail_errno(err, "%s", p->source);
        if (find_mount(real, &mount, &fields, err) < 0)
                return -1;
        if (shared && !strstr(fields, "shared:"))
                return cor_fail(err, COR_INVALID, "path %s is mounted on %s but it is not a shared mount", p->source,
                                mount);
        if (slave && !strstr(fields, "shared:") && !strstr(fields, "master:"))
                return cor_fail(err, COR_INVALID, "path %s is mounted on %s but it is not a shared or slave mount",
                                p->source, mount);
        set_root_propagation(s, shared ? "shared" : "rslave");
        return 0;
}
