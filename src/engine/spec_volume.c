/* Volumes and images as mounts of a container. */
#include "engine/spec_point.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "engine/volume.h"
#include "linux/mount.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RESOLVE_TIMEOUT_MS = 20000 };

/* --- volumes with options ---------------------------------------------------------------------------------------- */

static void add_words(struct spec *s, struct oci_mount *m, const char *words)
{
        char *cursor = (char *)(uintptr_t)spec_strdup(s, words ? words : ""), *word;

        while ((word = cor_split_next(&cursor, ',')) != NULL)
                if (*word)
                        spec_mount_option(s, m, word);
}

static bool has_word(const char *words, const char *word)
{
        size_t n = strlen(word);

        for (const char *w = words; w && *w; w += strcspn(w, ","), w += *w == ',')
                if (strncmp(w, word, n) == 0 && (w[n] == ',' || w[n] == '\0'))
                        return true;
        return false;
}

/* Where container @other has the volume mounted, as we reach it; NULL if it has not, or a link is on the way to it. */
static const char *place_in(struct spec *s, const struct container_row *other, const char *volume)
{
        struct cor_procid init = { .pid = other->now.pid, .start_time = other->now.pid_start_time };
        struct spec_point *points = NULL;
        size_t n = 0;

        if (strcmp(other->id, s->id) == 0 || other->now.pid <= 0 || !cor_procid_alive(&init) ||
            spec_points_parse(s->c, other->mounts, &points, &n, NULL) < 0)
                return NULL;
        for (size_t i = 0; i < n; i++) {
                const char *path = spec_printf(s, "/proc/%d/root%s", (int)other->now.pid, points[i].destination);
                auto_fd root = -1, fd = -1;

                if (!cor_streq(points[i].name, volume) || strcmp(points[i].type, "volume") != 0)
                        continue;
                root = open(spec_printf(s, "/proc/%d/root", (int)other->now.pid), O_PATH | O_DIRECTORY | O_CLOEXEC);
                fd = root < 0 ? -1 : cor_own_open(root, points[i].destination + 1, O_PATH | O_DIRECTORY, 0, NULL);
                return fd >= 0 && mount_is_root(fd) == 1 ? path : NULL;
        }
        return NULL;
}

/* What is in memory only is there as long as some container has it: the next one takes part. */
static const char *shared_tmpfs(struct spec *s, const char *volume)
{
        auto_container_rows all = { 0 };
        const char *path = NULL;

        if (container_row_all(s->store, true, &all, NULL) < 0)
                return NULL;
        for (size_t i = 0; i < all.n_items && !path; i++)
                path = place_in(s, &all.items[i], volume);
        return path;
}

/*
 * The kernel wants a number for the server of nfs and cifs. Names are the system's to know (a program without shared
 * libraries cannot ask its switch), so its own program is asked.
 */
static int resolve_name(const char *name, char **ret, struct cor_err *err)
{
        char *const argv[] = { (char *)"getent", (char *)"ahostsv4", (char *)(uintptr_t)name, NULL };
        const struct cor_spawn run = {
                .path = "getent", .argv = argv, .stdout_fd = -1, .stderr_fd = -1, .timeout_ms = RESOLVE_TIMEOUT_MS
        };
        auto_str out = NULL;
        int status;

        if (cor_spawn_run(&run, &status, &out, err) < 0)
                return cor_wrap(err, "error resolving passed in network volume address");
        out[strcspn(out, " \t\n")] = '\0';
        if (status != 0 || !*out)
                return cor_fail(err, COR_NOT_FOUND,
                                "error resolving passed in network volume address: %.200s: no such host", name);
        *ret = COR_TAKE(out);
        return 0;
}

static bool is_number(const char *address)
{
        struct in6_addr a;

        return inet_pton(AF_INET, address, &a) == 1 || inet_pton(AF_INET6, address, &a) == 1;
}

/* "addr=NAME" among the options of @m becomes "addr=NUMBER" */
static int settle_address(struct spec *s, struct oci_mount *m, struct cor_err *err)
{
        for (size_t i = 0; i < m->n_options; i++) {
                auto_str number = NULL;

                if (!cor_starts_with(m->options[i], "addr=") || is_number(m->options[i] + strlen("addr=")))
                        continue;
                if (resolve_name(m->options[i] + strlen("addr="), &number, err) < 0)
                        return -1;
                m->options[i] = spec_printf(s, "addr=%s", number);
        }
        return 0;
}

/* The volume stands for what mount(8) would mount; here it is mounted in the container, and nowhere else. */
static int add_mounted(struct spec *s, const struct spec_point *p, const struct volume_row *v, struct cor_err *err)
{
        const char *type = volume_option(&v->options, "type"), *o = volume_option(&v->options, "o");
        const char *device = volume_option(&v->options, "device");
        bool bind = has_word(o, "bind") || has_word(o, "rbind");
        const char *shared = spec_is(type, "tmpfs") ? shared_tmpfs(s, p->name) : NULL;
        struct oci_mount *m;

        if (p->subpath)
                return cor_fail(err, COR_UNSUPPORTED,
                                "volume %s: a part of a volume that is mounted from elsewhere cannot be had", p->name);
        if (shared)
                return spec_bind_options(s, spec_mount_add(s, p->destination, "bind", shared), p, err);
        m = spec_mount_add(s, p->destination, bind ? "bind" : spec_strdup(s, type), spec_strdup(s, device));
        add_words(s, m, o);
        if (!p->rw)
                spec_mount_option(s, m, "ro");
        if (!cor_starts_with(type, "nfs") && !spec_is(type, "cifs"))
                return 0;
        return settle_address(s, m, err) < 0 ? cor_wrap(err, "volume %s", p->name) : 0;
}

/* --- a folder, or a part of it ----------------------------------------------------------------------------------- */

/* Where @subpath, with all links that containers may have put there, really is: the path of its descriptor. */
static int resolve(struct spec *s, int folder, const char *subpath, const char **ret, struct cor_err *err)
{
        char link[64], path[PATH_MAX];
        auto_fd fd = cor_root_open(folder, subpath, O_PATH, 0, err);
        ssize_t n;

        if (fd < 0)
                return -1;
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        n = readlink(link, path, sizeof path - 1);
        if (n < 0 || (size_t)n >= sizeof path - 1)
                return cor_fail_errno(err, "%s", subpath);
        path[n] = '\0';
        *ret = spec_strdup(s, path);
        return 0;
}

static int volume_source(struct spec *s, const struct spec_point *p, const char **ret, struct cor_err *err)
{
        auto_fd folder = volume_folder_open(s->store, p->name, err);

        if (folder < 0)
                return -1;
        return resolve(s, folder, p->subpath ? p->subpath : "/", ret, err);
}

/*
 * Who has the volume can change what is in it at any moment: our runtime looks the part up again, below the volume. Any
 * other one gets what the path leads to now.
 */
static int add_part(struct spec *s, const struct spec_point *p, const char *source, struct cor_err *err)
{
        auto_str folder = volume_folder_path(s->store, p->name);
        struct oci_mount *m = spec_mount_add(s, p->destination, "bind", source);

        if (!spec_other_runtime(s)) {
                m->source = spec_printf(s, "%s/%s", folder, p->subpath);
                spec_mount_option(s, m, spec_printf(s, "x-beneath=%s", folder));
        }
        spec_map_mount(s, m);
        return spec_bind_options(s, m, p, err);
}

int spec_add_volume(struct spec *s, const struct spec_point *p, struct cor_err *err)
{
        auto_volume_row v = { 0 };
        const char *source = NULL;
        struct oci_mount *m;

        if (volume_row_find(s->store, p->name, &v, err) < 0)
                return -1;
        if (volume_option(&v.options, "type"))
                return add_mounted(s, p, &v, err);
        if (volume_source(s, p, &source, err) < 0)
                return cor_wrap(err, "error while mounting volume '%s'", p->name);
        if (p->subpath)
                return add_part(s, p, source, err);
        m = spec_mount_add(s, p->destination, "bind", source);
        spec_map_mount(s, m);
        return spec_bind_options(s, m, p, err);
}
