/*
 * Images as mounts: their layers, read-only, put together by the kernel in the container's own mount namespace. One
 * layer is bound as it is.
 */
#include "engine/spec_point.h"

#include "base/fd.h"
#include "base/file.h"
#include "engine/image.h"
#include "store/image.h"
#include "store/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { OPTION_MAX_BYTES = 3900 }; /* mount(2) takes a page */

int spec_image_point(struct store *s, void *memory, struct spec_point *p, struct cor_err *err)
{
        struct engine e = { .store = s };
        auto_image_row image = { 0 };

        if (engine_image(&e, p->name, &image, err) < 0)
                return -1;
        for (size_t i = 0; i < image.n_layers; i++)
                *SPEC_GROW(memory, p->layers, p->n_layers) = spec_copy(memory, image.layers[i].name.text);
        p->source = spec_copy(memory, image.id.text);
        return 0;
}

/* --- a part of an image ------------------------------------------------------------------------------------------ */

/* What a layer has at a path: nothing, a directory (opaque: what lies below is hidden), or something else. */
enum found { FOUND_NOTHING, FOUND_DIR, FOUND_OPAQUE, FOUND_FILE, FOUND_END };

static bool is_opaque(const struct store *s, int dir)
{
        auto_str name = cor_printf("%sopaque", store_overlay_prefix(s));
        char value[4];

        return fgetxattr(dir, name, value, sizeof value) == 1 && value[0] == 'y';
}

/* Along @path in one layer, no links: whatever is in the way of it hides the layers below. */
static enum found look(const struct store *s, int layer, const char *path)
{
        auto_str copy = cor_strdup(path);
        auto_fd dir = openat(layer, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        char *cursor = copy, *part;
        bool opaque = false;

        while (dir >= 0 && (part = cor_split_next(&cursor, '/')) != NULL) {
                auto_fd next = -1;
                struct stat st;

                if (*part == '\0' || strcmp(part, ".") == 0)
                        continue;
                if (fstatat(dir, part, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return opaque ? FOUND_END : FOUND_NOTHING;
                if (S_ISREG(st.st_mode) && (!cursor || cursor[strspn(cursor, "/.")] == '\0'))
                        return FOUND_FILE;
                if (!S_ISDIR(st.st_mode)) /* a whiteout, a link, a file on the way */
                        return FOUND_END;
                next = openat(dir, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                opaque = opaque || is_opaque(s, next);
                cor_fd_close(&dir);
                dir = cor_fd_take(&next);
        }
        return dir < 0 ? FOUND_END : opaque ? FOUND_OPAQUE : FOUND_DIR;
}

/* The folders to put together, topmost first. */
static int collect(struct spec *s, const struct spec_point *p, struct cor_strv *ret, struct cor_err *err)
{
        for (size_t i = p->n_layers; i-- > 0;) {
                struct digest name;
                auto_fd layer = -1;
                enum found found = FOUND_DIR;

                if (digest_parse(p->layers[i], &name, err) < 0)
                        return -1;
                layer = layer_open(s->store, &name, err);
                if (layer < 0)
                        return cor_wrap(err, "image %s is not there any more", p->name);
                if (p->subpath)
                        found = look(s->store, layer, p->subpath);
                if (found == FOUND_END)
                        break;
                if (found == FOUND_NOTHING)
                        continue;
                if (found == FOUND_FILE && ret->n_items > 0)
                        break;
                cor_strv_take(ret, cor_printf("%s/layers/%s/diff%s%s", store_path(s->store), digest_hex(&name),
                                              p->subpath ? "/" : "", p->subpath ? p->subpath : ""));
                if (found != FOUND_DIR)
                        break;
        }
        if (ret->n_items == 0)
                return cor_fail(err, COR_NOT_FOUND, "image %s: no such file or directory: %s", p->name,
                                p->subpath ? p->subpath : "/");
        return 0;
}

static int add_overlay(struct spec *s, const struct spec_point *p, const struct cor_strv *folders, struct cor_err *err)
{
        auto_text lower = COR_TEXT_INIT;
        struct oci_mount *m;

        cor_text_add(&lower, "lowerdir=");
        for (size_t i = 0; i < folders->n_items; i++) {
                if (strpbrk(folders->items[i], ":,\\"))
                        return cor_fail(err, COR_UNSUPPORTED, "image %s: the path %s cannot be put into a mount option",
                                        p->name, folders->items[i]);
                cor_text_printf(&lower, "%s%s", i ? ":" : "", folders->items[i]);
        }
        if (s->mapped)
                return cor_fail(err, COR_UNSUPPORTED,
                                "image %s has several layers, which cannot be mounted in a container with a user "
                                "namespace of its own",
                                p->name);
        if (lower.len > OPTION_MAX_BYTES)
                return cor_fail(err, COR_UNSUPPORTED, "image %s has too many layers to be mounted in a container (%zu)",
                                p->name, folders->n_items);
        m = spec_mount_add(s, p->destination, "overlay", "overlay");
        spec_mount_option(s, m, spec_strdup(s, lower.s));
        if (s->rootless)
                spec_mount_option(s, m, "userxattr");
        spec_mount_option(s, m, "ro");
        return 0;
}

int spec_add_image(struct spec *s, const struct spec_point *p, struct cor_err *err)
{
        auto_strv folders = { 0 };
        struct oci_mount *m;

        if (collect(s, p, &folders, err) < 0)
                return -1;
        if (folders.n_items > 1)
                return add_overlay(s, p, &folders, err);
        m = spec_mount_add(s, p->destination, "bind", spec_strdup(s, folders.items[0]));
        spec_mount_option(s, m, "bind");
        spec_mount_option(s, m, "ro");
        spec_map_mount(s, m);
        return 0;
}
