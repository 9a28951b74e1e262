#include "engine/spec_point.h"

#include "base/file.h"
#include "store/volume.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- words of a mode: "ro,z,rslave,nocopy" ----------------------------------------------------------------------- */

enum mode_kind { MODE_RW, MODE_LABEL, MODE_PROPAGATION, MODE_COPY, MODE_CONSISTENCY, MODE_IDMAP, MODE_KINDS };
static const struct cor_word mode_words[] = {
        { "rw", MODE_RW },
        { "ro", MODE_RW },
        { "z", MODE_LABEL },
        { "Z", MODE_LABEL },
        { "private", MODE_PROPAGATION },
        { "rprivate", MODE_PROPAGATION },
        { "shared", MODE_PROPAGATION },
        { "rshared", MODE_PROPAGATION },
        { "slave", MODE_PROPAGATION },
        { "rslave", MODE_PROPAGATION },
        { "nocopy", MODE_COPY },
        { "consistent", MODE_CONSISTENCY },
        { "cached", MODE_CONSISTENCY },
        { "delegated", MODE_CONSISTENCY },
        { "idmap", MODE_IDMAP },
        { NULL, 0 },
};

struct mode {
        const char *word[MODE_KINDS]; /* of mode_words; at most one of each */
};

/* Anything but known words, each kind once, is no mode. */
static bool parse_mode(const char *text, struct mode *ret)
{
        auto_str copy = cor_strdup(text);
        char *cursor = copy, *word;
        struct mode m = { { NULL } };

        while (*text && (word = cor_split_next(&cursor, ',')) != NULL) {
                const struct cor_word *w = cor_word_find(mode_words, word);

                if (!w || m.word[w->value])
                        return false;
                m.word[w->value] = w->word;
        }
        *ret = m;
        return true;
}

static bool is_propagation(const char *word)
{
        const struct cor_word *w = cor_word_find(mode_words, word);

        return w && w->value == MODE_PROPAGATION;
}

/* --- checks that --volume and --mount share ---------------------------------------------------------------------- */

static int check_target(const char *target, struct cor_err *err)
{
        auto_str clean = NULL;

        if (spec_empty(target))
                return cor_fail(err, COR_INVALID, "field Target must not be empty");
        clean = cor_path_clean(target);
        if (strcmp(clean, "/") == 0)
                return cor_fail(err, COR_INVALID, "invalid specification: destination can't be '/'");
        if (target[0] != '/')
                return cor_fail(err, COR_INVALID, "invalid mount path: '%.300s' mount path must be absolute", target);
        return 0;
}

static const char *clean_path(void *root, const char *path)
{
        auto_str clean = cor_path_clean(path);

        return spec_copy(root, clean);
}

/* Relative, and does not climb out: the directories that ".." leaves were entered before. */
static bool is_local(const char *path)
{
        auto_str copy = cor_strdup(path);
        char *cursor = copy, *part;
        int depth = 0;

        if (path[0] == '/' || path[0] == '\0')
                return false;
        while ((part = cor_split_next(&cursor, '/')) != NULL) {
                if (strcmp(part, "..") == 0)
                        depth--;
                else if (*part && strcmp(part, ".") != 0)
                        depth++;
                if (depth < 0)
                        return false;
        }
        return true;
}

/* --- --volume ---------------------------------------------------------------------------------------------------- */

static int invalid_bind(const char *text, struct cor_err *err)
{
        return cor_fail(err, COR_INVALID, "invalid volume specification: '%.300s'", text);
}

static void fill_bind(void *root, const char *source, const struct mode *mode, struct spec_point *p)
{
        p->type = "bind";
        p->source = clean_path(root, source);
        p->propagation = mode->word[MODE_PROPAGATION] ? mode->word[MODE_PROPAGATION] : "rprivate";
        p->create_source = true;
        p->idmap = mode->word[MODE_IDMAP] != NULL;
}

static int fill_volume(void *root, const char *source, const char *driver, const struct mode *mode,
                       struct spec_point *p, struct cor_err *err)
{
        if (mode->word[MODE_PROPAGATION])
                return cor_fail(err, COR_INVALID,
                                "invalid mount config for type \"volume\": field BindOptions must not be specified");
        p->type = "volume";
        p->driver = spec_empty(driver) ? "local" : spec_copy(root, driver);
        p->no_copy = mode->word[MODE_COPY] != NULL;
        if (spec_empty(source))
                p->anonymous = true;
        else
                p->name = spec_copy(root, source);
        return 0;
}

int spec_point_parse_bind(void *root, const char *text, const char *volume_driver, struct spec_point *ret,
                          struct cor_err *err)
{
        auto_str copy = cor_strdup(text);
        char *cursor = copy, *part[4] = { NULL };
        struct spec_point p = { 0 };
        struct mode mode = { { NULL } };
        const char *source = NULL, *target;
        size_t n = 0;

        while (n < 4 && (part[n] = cor_split_next(&cursor, ':')) != NULL)
                n++;
        if (n > 3 || n == 0 || !*part[0] || (n == 2 && parse_mode(part[1], &mode)))
                return invalid_bind(text, err);
        source = n == 1 ? NULL : part[0];
        target = n == 1 ? part[0] : part[1];
        if (n == 3 && !parse_mode(part[2], &mode))
                return cor_fail(err, COR_INVALID, "invalid mode: %.100s", part[2]);
        if (check_target(target, err) < 0) {
                if (spec_empty(target))
                        return invalid_bind(text, err);
                return cor_wrap(err, "invalid volume specification: '%.200s': invalid mount config for type \"%s\"",
                                text, source && source[0] == '/' ? "bind" : "volume");
        }
        p.destination = clean_path(root, target);
        p.mode = spec_copy(root, n == 3 ? part[2] : "");
        p.rw = !cor_streq(mode.word[MODE_RW], "ro");
        if (source && source[0] == '/')
                fill_bind(root, source, &mode, &p);
        else if (fill_volume(root, source, volume_driver, &mode, &p, err) < 0)
                return cor_wrap(err, "invalid volume specification: '%.200s'", text);
        else if (p.name && volume_name_check(p.name, err) < 0)
                return -1;
        *ret = p;
        return 0;
}

int spec_point_parse_from(const char *text, char **ret_name, bool *ret_rw, struct cor_err *err)
{
        const char *mode_text = strchr(text, ':');
        struct mode mode = { { NULL } };

        if (!*text)
                return cor_fail(err, COR_INVALID, "volumes-from specification cannot be an empty string");
        mode_text = mode_text ? mode_text + 1 : "";
        if (!parse_mode(mode_text, &mode) || mode.word[MODE_PROPAGATION] || mode.word[MODE_COPY] ||
            mode.word[MODE_IDMAP])
                return cor_fail(err, COR_INVALID, "invalid mode: %.100s", mode_text);
        *ret_name = cor_strndup(text, strcspn(text, ":"));
        *ret_rw = !cor_streq(mode.word[MODE_RW], "ro");
        return 0;
}

/* --- --mount ----------------------------------------------------------------------------------------------------- */

static int extra_field(const char *name, struct cor_err *err)
{
        return cor_fail(err, COR_INVALID, "field %s must not be specified", name);
}

static int from_bind(void *root, const struct docker_mount *m, bool look, struct spec_point *p, struct cor_err *err)
{
        const struct docker_mount_bind *o = m->bind_options;
        struct stat st;

        if (spec_empty(m->source))
                return cor_fail(err, COR_INVALID, "field Source must not be empty");
        if (o && !spec_empty(o->propagation) && !is_propagation(o->propagation))
                return cor_fail(err, COR_INVALID, "invalid propagation mode: %.40s", o->propagation);
        if (m->volume_options)
                return extra_field("VolumeOptions", err);
        if (m->image_options)
                return extra_field("ImageOptions", err);
        if (m->source[0] != '/')
                return cor_fail(err, COR_INVALID, "invalid mount path: '%.300s' mount path must be absolute",
                                m->source);
        p->create_source = o && o->create_mountpoint;
        if (look && !p->create_source && stat(m->source, &st) < 0)
                return cor_fail(err, COR_INVALID, "bind source path does not exist: %.300s", m->source);
        p->source = clean_path(root, m->source);
        p->propagation = o && !spec_empty(o->propagation) ? spec_copy(root, o->propagation) : "rprivate";
        if (o) {
                p->non_recursive = o->non_recursive;
                p->ro_non_recursive = o->read_only_non_recursive;
                p->ro_force_recursive = o->read_only_force_recursive;
                p->idmap = o->idmap;
        }
        if (p->ro_non_recursive && p->ro_force_recursive)
                return cor_fail(err, COR_INVALID,
                                "mount options conflict: ReadOnlyNonRecursive && ReadOnlyForceRecursive");
        return 0;
}

static int from_volume(void *root, const struct docker_mount *m, struct spec_point *p, struct cor_err *err)
{
        const struct docker_mount_volume *o = m->volume_options;

        if (m->bind_options)
                return extra_field("BindOptions", err);
        if (m->image_options)
                return extra_field("ImageOptions", err);
        p->anonymous = spec_empty(m->source);
        p->driver = "local";
        if (o && !spec_empty(o->subpath)) {
                if (p->anonymous)
                        return cor_fail(err, COR_INVALID, "must not set Subpath when using anonymous volumes");
                if (!is_local(o->subpath))
                        return cor_fail(err, COR_INVALID, "subpath must be a relative path within the volume");
                p->subpath = spec_copy(root, o->subpath);
        }
        if (m->read_only && p->anonymous)
                return cor_fail(err, COR_INVALID, "must not set ReadOnly mode when using anonymous volumes");
        if (!p->anonymous) {
                if (volume_name_check(m->source, err) < 0)
                        return -1;
                p->name = spec_copy(root, m->source);
        }
        p->mode = "z";
        if (o) {
                p->no_copy = o->no_copy;
                p->volume = o;
                if (o->driver_config && !spec_empty(o->driver_config->name))
                        p->driver = spec_copy(root, o->driver_config->name);
        }
        return 0;
}

static int from_image(void *root, const struct docker_mount *m, struct spec_point *p, struct cor_err *err)
{
        if (m->bind_options)
                return extra_field("BindOptions", err);
        if (m->volume_options)
                return extra_field("VolumeOptions", err);
        if (spec_empty(m->source))
                return cor_fail(err, COR_INVALID, "field Source must not be empty");
        if (m->image_options && !spec_empty(m->image_options->subpath)) {
                if (!is_local(m->image_options->subpath))
                        return cor_fail(err, COR_INVALID, "subpath must be a relative path within the volume");
                p->subpath = spec_copy(root, m->image_options->subpath);
        }
        p->name = spec_copy(root, m->source);
        p->propagation = "rprivate";
        p->rw = false;
        return 0;
}

static int add_tmpfs_option(const struct docker_strings *o, struct cor_text *data, struct cor_err *err)
{
        if (o->n_items < 1 || o->n_items > 2)
                return cor_fail(err, COR_INVALID, "invalid option array length");
        if (strcmp(o->items[0], "exec") != 0 && strcmp(o->items[0], "noexec") != 0)
                return cor_fail(err, COR_INVALID, "invalid option: %.100s", o->items[0]);
        cor_text_printf(data, ",%s", o->items[0]);
        if (o->n_items == 2)
                cor_text_printf(data, "=%s", o->items[1]);
        return 0;
}

static void add_tmpfs_size(int64_t size, struct cor_text *data)
{
        static const struct {
                char suffix;
                int shift;
        } units[] = { { 'g', 30 }, { 'm', 20 }, { 'k', 10 } };

        for (size_t i = 0; i < COR_COUNT(units); i++)
                if (size % (1LL << units[i].shift) == 0) {
                        cor_text_printf(data, ",size=%" PRId64 "%c", size >> units[i].shift, units[i].suffix);
                        return;
                }
        cor_text_printf(data, ",size=%" PRId64, size);
}

static int from_tmpfs(void *root, const struct docker_mount *m, struct spec_point *p, struct cor_err *err)
{
        const struct docker_mount_tmpfs *o = m->tmpfs_options;
        auto_text data = COR_TEXT_INIT;

        if (m->bind_options)
                return extra_field("BindOptions", err);
        if (m->image_options)
                return extra_field("ImageOptions", err);
        if (!spec_empty(m->source))
                return extra_field("Source", err);
        if (m->read_only)
                cor_text_add(&data, ",ro");
        if (o && o->mode)
                cor_text_printf(&data, ",mode=%o", (unsigned)o->mode);
        if (o && o->size_bytes < 0)
                return cor_fail(err, COR_INVALID, "invalid tmpfs size: %" PRId64, o->size_bytes);
        if (o && o->size_bytes)
                add_tmpfs_size(o->size_bytes, &data);
        for (size_t i = 0; o && i < o->n_options; i++)
                if (add_tmpfs_option(&o->options[i], &data, err) < 0)
                        return -1;
        p->data = spec_copy(root, data.len > 0 ? data.s + 1 : "");
        return 0;
}

static int from_type(void *root, const struct docker_mount *m, bool look, struct spec_point *p, struct cor_err *err)
{
        if (check_target(m->target, err) < 0)
                return -1;
        p->destination = clean_path(root, m->target);
        if (cor_streq(p->type, "bind"))
                return from_bind(root, m, look, p, err);
        if (cor_streq(p->type, "volume"))
                return from_volume(root, m, p, err);
        if (cor_streq(p->type, "tmpfs"))
                return from_tmpfs(root, m, p, err);
        if (cor_streq(p->type, "image"))
                return from_image(root, m, p, err);
        return cor_fail(err, COR_INVALID, "mount type unknown");
}

int spec_point_from_mount(void *root, const struct docker_mount *m, bool look, struct spec_point *ret,
                          struct cor_err *err)
{
        struct spec_point p = { .rw = !m->read_only, .mode = "" };

        p.type = spec_copy(root, m->type ? m->type : "");
        if (from_type(root, m, look, &p, err) < 0)
                return cor_wrap(err, "invalid mount config for type \"%.40s\"", p.type);
        *ret = p;
        return 0;
}

/* --- tmpfs ------------------------------------------------------------------------------------------------------- */

/* Words that contradict each other share a key; 0 is for what takes a value and is its own key. */
static const struct cor_word tmpfs_flags[] = {
        { "ro", 1 },       { "rw", 1 },          { "suid", 2 },         { "nosuid", 2 },         { "dev", 3 },
        { "nodev", 3 },    { "exec", 4 },        { "noexec", 4 },       { "sync", 5 },           { "async", 5 },
        { "dirsync", 6 },  { "mand", 7 },        { "nomand", 7 },       { "atime", 8 },          { "noatime", 8 },
        { "diratime", 9 }, { "nodiratime", 9 },  { "relatime", 10 },    { "norelatime", 10 },    { "strictatime", 11 },
        { "private", 12 }, { "rprivate", 12 },   { "shared", 12 },      { "rshared", 12 },       { "slave", 12 },
        { "rslave", 12 },  { "unbindable", 12 }, { "runbindable", 12 }, { "nostrictatime", 11 }, { NULL, 0 },
};
static const struct cor_word tmpfs_values[] = {
        { "size", 32 },      { "mode", 33 },      { "uid", 34 },  { "gid", 35 },
        { "nr_inodes", 36 }, { "nr_blocks", 37 }, { "mpol", 38 }, { NULL, 0 },
};

static int tmpfs_key(const char *option, struct cor_err *err)
{
        const struct cor_word *flag = cor_word_find(tmpfs_flags, option);
        const char *value = strchr(option, '=');
        auto_str name = cor_strndup(option, strcspn(option, "="));

        if (!flag && value)
                flag = cor_word_find(tmpfs_values, name);
        if (!flag)
                return cor_fail(err, COR_INVALID, "invalid tmpfs option \"%.100s\"", option);
        return (int)flag->value;
}

int spec_tmpfs_options(void *root, const char *text, const char ***ret, size_t *ret_n, struct cor_err *err)
{
        auto_str joined = cor_printf("noexec,nosuid,nodev,rprivate%s%s", spec_empty(text) ? "" : ",", text ? text : "");
        auto_strv all = { 0 };
        char *cursor = joined, *word;
        auto_free uint64_t *keys = NULL;
        uint64_t seen = 0;

        while ((word = cor_split_next(&cursor, ',')) != NULL)
                if (strcmp(word, "defaults") != 0)
                        cor_strv_add(&all, word);
        keys = cor_alloc(all.n_items * sizeof *keys);
        for (size_t i = all.n_items; i-- > 0;) { /* from behind: the last word holds */
                int key = tmpfs_key(all.items[i], err);

                if (key < 0)
                        return -1;
                keys[i] = seen & 1ULL << key ? 0 : 1;
                seen |= 1ULL << key;
        }
        for (size_t i = 0; i < all.n_items; i++)
                if (keys[i])
                        *SPEC_GROW(root, *ret, *ret_n) = spec_copy(root, all.items[i]);
        return 0;
}

int spec_point_check_tmpfs(const char *destination, const char *options, struct cor_err *err)
{
        auto_str joined = cor_strdup(options ? options : "");
        char *cursor = joined, *word;

        if (check_target(destination, err) < 0)
                return -1;
        while (*joined && (word = cor_split_next(&cursor, ',')) != NULL)
                if (strcmp(word, "defaults") != 0 && tmpfs_key(word, err) < 0)
                        return -1;
        return 0;
}

/* --- as they are kept -------------------------------------------------------------------------------------------- */

#define S struct spec_point
static const struct cor_json_field point_fields[] = {
        COR_FIELD("Type", STR, S, type, COR_JSON_REQUIRED),
        COR_FIELD("Name", STR, S, name, 0),
        COR_FIELD("Source", STR, S, source, COR_JSON_ALWAYS),
        COR_FIELD("Destination", STR, S, destination, COR_JSON_REQUIRED),
        COR_FIELD("Driver", STR, S, driver, 0),
        COR_FIELD("Mode", STR, S, mode, COR_JSON_ALWAYS),
        COR_FIELD("RW", BOOL, S, rw, COR_JSON_ALWAYS),
        COR_FIELD("Propagation", STR, S, propagation, COR_JSON_ALWAYS),
        COR_FIELD("NoCopy", BOOL, S, no_copy, 0),
        COR_FIELD("NonRecursive", BOOL, S, non_recursive, 0),
        COR_FIELD("CreateSource", BOOL, S, create_source, 0),
        COR_FIELD("ReadOnlyNonRecursive", BOOL, S, ro_non_recursive, 0),
        COR_FIELD("ReadOnlyForceRecursive", BOOL, S, ro_force_recursive, 0),
        COR_FIELD("IDMap", BOOL, S, idmap, 0),
        COR_FIELD("Subpath", STR, S, subpath, 0),
        COR_FIELD("TmpfsOptions", STR, S, data, 0),
        COR_FIELD_LIST("Layers", LIST_STR, S, layers, n_layers, 0),
};
#undef S
static const struct cor_json_doc point_doc = COR_DOC(struct spec_point, point_fields, NULL);

struct points {
        struct spec_point *items;
        size_t n_items;
};
static const struct cor_json_field points_fields[] = {
        COR_FIELD_LIST_OF("Mounts", LIST_OBJ, struct points, items, n_items, &point_doc, 0),
};
static const struct cor_json_doc points_doc = COR_DOC(struct points, points_fields, NULL);

static void copy_point(void *root, const struct spec_point *from, struct spec_point *to)
{
        const char **texts[] = { &to->type, &to->name,    &to->source,      &to->destination, &to->driver,
                                 &to->mode, &to->subpath, &to->propagation, &to->data };

        *to = *from;
        for (size_t i = 0; i < COR_COUNT(texts); i++)
                *texts[i] = spec_copy(root, *texts[i]);
        to->layers = NULL;
        to->n_layers = 0;
        for (size_t i = 0; i < from->n_layers; i++)
                *SPEC_GROW(root, to->layers, to->n_layers) = spec_copy(root, from->layers[i]);
}

int spec_points_parse(void *root, const char *json, struct spec_point **ret, size_t *ret_n, struct cor_err *err)
{
        auto_str text = cor_printf("{\"Mounts\":%s}", spec_empty(json) ? "[]" : json);
        auto_json struct points *p = NULL;

        if (cor_json_parse(&points_doc, text, strlen(text), "mounts of the container", &p, err) < 0)
                return -1;
        for (size_t i = 0; i < p->n_items; i++)
                copy_point(root, &p->items[i], SPEC_GROW(root, *ret, *ret_n));
        return 0;
}

void spec_points_print(const struct spec_point *points, size_t n, struct cor_text *out)
{
        for (size_t i = 0; i < n; i++) {
                cor_text_add_c(out, i == 0 ? '[' : ',');
                cor_json_print(&point_doc, &points[i], COR_JSON_COMPACT, out);
        }
        cor_text_add(out, n == 0 ? "[]" : "]");
}
