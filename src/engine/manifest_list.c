#include "engine/manifest_list.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "engine/manifest_entry.h"
#include "image/reference.h"
#include "image/transfer.h"
#include "registry/config.h"
#include "registry/encode.h"
#include "spec/image.h"
#include "store/hash.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENTRY_MAX_BYTES = 16 << 20 };

/* A list that was read. */
struct list {
        char *name; /* full */
        int dir;
        struct manifest_entry **entries;
        char **texts; /* of the manifests */
        size_t n_entries, n_texts;
};

static void list_done(struct list *l)
{
        for (size_t i = 0; i < l->n_entries; i++)
                cor_json_free(l->entries[i]);
        for (size_t i = 0; i < l->n_texts; i++)
                free(l->texts[i]);
        free(l->entries);
        free(l->texts);
        free(l->name);
        cor_fd_close(&l->dir);
}
#define auto_list COR_CLEANUP(list_done) struct list
#define LIST_INIT                                                                                                      \
        {                                                                                                              \
                .dir = -1                                                                                              \
        }

int manifest_list_folder(char **ret, struct cor_err *err)
{
        auto_registry_config c = { 0 };

        if (registry_config_load(&c, err) < 0)
                return -1;
        if (!c.client_config)
                return cor_fail(err, COR_INVALID, "no place for lists of manifests: set HOME or DOCKER_CONFIG");
        *ret = cor_printf("%s/manifests", c.client_config);
        return 0;
}

/* As the name of a file: docker's rule. What reference_parse() took is never "." or "..". */
static char *file_name(const char *full)
{
        char *s = cor_strdup(full);

        for (char *c = s; *c; c++)
                *c = *c == ':' ? '-' : *c == '/' ? '_' : *c;
        return s;
}

/* ---------------------------------------------------------------------------------------------------------- reading */

static int read_entry(struct list *l, const char *name, struct cor_err *err)
{
        auto_json struct manifest_entry *e = NULL;
        auto_str text = NULL;
        char *raw = NULL;
        struct digest found;
        size_t n;

        if (cor_own_read(l->dir, name, ENTRY_MAX_BYTES, &text, &n, err) < 0 ||
            cor_json_parse(&manifest_entry_doc, text, n, name, &e, err) < 0)
                return -1;
        if (base64_decode(e->raw, &raw, &n) < 0)
                return cor_fail(err, COR_INVALID, "%s: Raw: expected base64", name);
        *COR_GROW(l->texts, l->n_texts) = raw;
        found = hash_bytes(raw, n);
        if (strlen(raw) != n || strcmp(found.text, e->descriptor->digest) != 0)
                return cor_fail(err, COR_INVALID, "%s: its manifest has another digest than its descriptor", name);
        *COR_GROW(l->entries, l->n_entries) = COR_TAKE(e);
        return 0;
}

static int by_name(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static int names_of(int dir, struct cor_strv *ret_names, struct cor_err *err)
{
        int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *stream = copy < 0 ? NULL : fdopendir(copy);
        const struct dirent *d;
        int failed;

        if (!stream) {
                cor_fail_errno(err, "read the list of manifests");
                cor_fd_close(&copy);
                return -1;
        }
        while (errno = 0, (d = readdir(stream)))
                if (d->d_name[0] != '.')
                        cor_strv_add(ret_names, d->d_name);
        failed = errno;
        closedir(stream);
        if ((errno = failed))
                return cor_fail_errno(err, "read the list of manifests");
        if (ret_names->n_items > 0)
                qsort(ret_names->items, ret_names->n_items, sizeof *ret_names->items, by_name);
        return 0;
}

static int read_all(struct list *l, struct cor_err *err)
{
        auto_strv names = { 0 };

        if (names_of(l->dir, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.n_items; i++)
                if (read_entry(l, names.items[i], err) < 0)
                        return -1;
        return 0;
}

/* The folder of list @name: NOT_FOUND. */
static int open_list(const char *folder, const char *name, struct list *l, struct cor_err *err)
{
        auto_str file = NULL;
        auto_str path = NULL;

        if (manifest_full_name(name, &l->name, err) < 0)
                return -1;
        file = file_name(l->name);
        path = cor_printf("%s/%s", folder, file);
        l->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (l->dir < 0 && errno == ENOENT)
                return cor_fail(err, COR_NOT_FOUND, "No such manifest: %s", l->name);
        return l->dir < 0 ? cor_fail_errno(err, "open %s", path) : 0;
}

static int load_list(const char *folder, const char *name, struct list *l, struct cor_err *err)
{
        if (open_list(folder, name, l, err) < 0)
                return -1;
        return read_all(l, err) < 0 ? cor_wrap(err, "manifest list %s", l->name) : 0;
}

/* ---------------------------------------------------------------------------------------------------------- writing */

static void add_platform(struct cor_text *t, const struct image_platform *p, const char *indent)
{
        const char *const words[][2] = { { "architecture", p->architecture ? p->architecture : "" },
                                         { "os", p->os ? p->os : "" },
                                         { "os.version", p->os_version },
                                         { "variant", p->variant } };
        const char *comma = "";

        cor_text_add(t, "{");
        for (size_t i = 0; i < COR_COUNT(words); i++) {
                if (i == 3 && p->n_os_features > 0) {
                        cor_text_printf(t, "%s%s   \"os.features\": [", comma, indent);
                        for (size_t k = 0; k < p->n_os_features; k++) {
                                cor_text_printf(t, "%s%s      ", k ? "," : "", indent);
                                cor_text_add_json(t, p->os_features[k]);
                        }
                        cor_text_printf(t, "%s   ]", indent);
                }
                if (!words[i][1] || (i > 1 && !*words[i][1]))
                        continue;
                cor_text_printf(t, "%s%s   \"%s\": ", comma, indent, words[i][0]);
                cor_text_add_json(t, words[i][1]);
                comma = ",";
        }
        cor_text_printf(t, "%s}", indent);
}

static const char *list_type(const struct list *l)
{
        return l->n_entries > 0 && strcmp(l->entries[0]->descriptor->media_type, MEDIA_OCI_MANIFEST) == 0
                       ? MEDIA_OCI_INDEX
                       : MEDIA_DOCKER_LIST;
}

/* Member for member and space for space as docker writes it, so that the same list has the same digest. */
static void print_list(const struct list *l, struct cor_text *t)
{
        cor_text_printf(t, "{\n   \"schemaVersion\": 2,\n   \"mediaType\": \"%s\",\n   \"manifests\": [", list_type(l));
        for (size_t i = 0; i < l->n_entries; i++) {
                const struct image_descriptor *d = l->entries[i]->descriptor;

                cor_text_printf(t, "%s\n      {\n         \"mediaType\": \"%s\",\n         \"size\": %llu,\n",
                                i ? "," : "", d->media_type, (unsigned long long)d->size);
                cor_text_printf(t, "         \"digest\": \"%s\",\n         \"platform\": ", d->digest);
                add_platform(t, d->platform, "\n         ");
                cor_text_add(t, "\n      }");
        }
        cor_text_add(t, l->n_entries > 0 ? "\n   ]\n}" : "]\n}");
}

static int check_platforms(const struct list *l, struct cor_err *err)
{
        for (size_t i = 0; i < l->n_entries; i++) {
                const struct image_platform *p = l->entries[i]->descriptor->platform;

                if (!p || !p->architecture || !*p->architecture || !p->os || !*p->os)
                        return cor_fail(err, COR_INVALID,
                                        "manifest %s must have an OS and Architecture to be pushed to a registry",
                                        l->entries[i]->ref);
        }
        return 0;
}

static int write_entry(int dir, const char *ref, const struct cor_text *document, struct cor_err *err)
{
        auto_str name = file_name(ref);

        return cor_own_write(dir, name, document->s, document->len, 0644, true, err);
}

/* ----------------------------------------------------------------------------------------------------------- create */

static int add_manifest(struct engine *e, int dir, const char *name, bool insecure, struct cor_err *err)
{
        auto_remote_manifest m = { 0 };
        auto_text t = COR_TEXT_INIT;
        auto_str full = NULL;

        if (manifest_full_name(name, &full, err) < 0 || engine_manifest(e, name, insecure, true, &m, err) < 0)
                return -1;
        if (media_is_index(m.media_type))
                return cor_fail(err, COR_INVALID, "%s is a manifest list", full);
        if (manifest_entry_of(full, &m, &t, err) < 0)
                return -1;
        return write_entry(dir, full, &t, err);
}

static int remove_folder(const char *folder, const char *name, struct cor_err *err)
{
        auto_fd dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return dir < 0 ? cor_fail_errno(err, "open %s", folder) : cor_own_remove_tree(dir, name, err);
}

/* A list is made under another name, and appears when all of it is there. */
static int create_new(struct engine *e, const char *folder, const char *file, char *const *manifests, size_t n,
                      bool insecure, struct cor_err *err)
{
        auto_str beside = cor_printf("%s/.new-XXXXXX", folder);
        auto_str path = cor_printf("%s/%s", folder, file);
        auto_fd dir = -1;
        int r = 0;

        if (cor_mkdirs(folder, 0700, err) < 0)
                return -1;
        if (!mkdtemp(beside))
                return cor_fail_errno(err, "make a folder in %s", folder);
        dir = open(beside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0 || fchmod(dir, 0755) < 0)
                r = cor_fail_errno(err, "open %s", beside);
        for (size_t i = 0; i < n && r == 0; i++)
                r = add_manifest(e, dir, manifests[i], insecure, err);
        if (r == 0 && rename(beside, path) < 0)
                r = cor_fail_errno(err, "rename %s to %s", beside, path);
        if (r < 0)
                (void)!remove_folder(folder, strrchr(beside, '/') + 1, NULL);
        return r;
}

int manifest_list_create(struct engine *e, const char *folder, const char *list, char *const *manifests,
                         size_t n_manifests, bool amend, bool insecure, char **ret_name, struct cor_err *err)
{
        auto_list l = LIST_INIT;
        struct cor_err none = { 0 };
        auto_str file = NULL;
        int r = open_list(folder, list, &l, &none);

        if (r < 0 && none.kind != COR_NOT_FOUND) {
                *err = none;
                return -1;
        }
        if (r == 0 && !amend)
                return cor_fail(err, COR_EXISTS, "refusing to amend an existing manifest list with no --amend flag");
        file = file_name(l.name);
        if (r < 0 && create_new(e, folder, file, manifests, n_manifests, insecure, err) < 0)
                return -1;
        for (size_t i = 0; r == 0 && i < n_manifests; i++)
                if (add_manifest(e, l.dir, manifests[i], insecure, err) < 0)
                        return -1;
        *ret_name = COR_TAKE(l.name);
        return 0;
}

/* --------------------------------------------------------------------------------------------------------- annotate */

/* What Go programs are built for, and docker lets a list name: systems, each with its architectures. */
static const char *const systems[][2] = {
        { "aix", "ppc64" },
        { "darwin", "386 amd64 arm arm64" },
        { "dragonfly", "amd64" },
        { "freebsd", "386 amd64 arm" },
        { "linux", "386 amd64 arm arm64 mips mipsle mips64 mips64le ppc64le riscv64 s390x" },
        { "netbsd", "386 amd64 arm" },
        { "openbsd", "386 amd64 arm" },
        { "plan9", "386 amd64" },
        { "solaris", "amd64" },
        { "windows", "386 amd64 arm arm64" },
};

static bool is_built_for(const char *os, const char *architecture)
{
        size_t n = strlen(architecture);

        for (size_t i = 0; i < COR_COUNT(systems); i++) {
                if (strcmp(systems[i][0], os) != 0)
                        continue;
                for (const char *s = systems[i][1]; *s; s += strspn(s, " ")) {
                        size_t len = strcspn(s, " ");

                        if (len == n && strncmp(s, architecture, n) == 0)
                                return true;
                        s += len;
                }
        }
        return false;
}

static struct manifest_entry *find_entry(const struct list *l, const char *full, size_t *ret_at)
{
        for (size_t i = 0; i < l->n_entries; i++)
                if (strcmp(l->entries[i]->ref, full) == 0) {
                        *ret_at = i;
                        return l->entries[i];
                }
        return NULL;
}

/* A manifest of a list by its name. */
static struct manifest_entry *get_entry(const struct list *l, const char *manifest, size_t *ret_at, struct cor_err *err)
{
        auto_str full = NULL;
        struct manifest_entry *e;

        if (manifest_full_name(manifest, &full, err) < 0)
                return NULL;
        e = find_entry(l, full, ret_at);
        if (!e)
                cor_fail(err, COR_NOT_FOUND, "manifest for image %s does not exist in %s", full, l->name);
        return e;
}

int manifest_list_annotate(const char *folder, const char *list, const char *manifest,
                           const struct manifest_annotation *a, struct cor_err *err)
{
        struct image_platform none = { 0 }, *p;
        struct image_descriptor d;
        auto_text t = COR_TEXT_INIT;
        auto_list l = LIST_INIT;
        struct manifest_entry *e;
        size_t at;

        if (load_list(folder, list, &l, err) < 0 || !(e = get_entry(&l, manifest, &at, err)))
                return -1;
        d = *e->descriptor;
        p = d.platform = d.platform ? d.platform : &none;
        p->os = a->os ? a->os : p->os;
        p->architecture = a->architecture ? a->architecture : p->architecture;
        p->variant = a->variant ? a->variant : p->variant;
        p->os_version = a->os_version ? a->os_version : p->os_version;
        if (a->n_os_features > 0) {
                p->os_features = (const char **)(uintptr_t)a->os_features;
                p->n_os_features = a->n_os_features;
        }
        if (!is_built_for(p->os ? p->os : "", p->architecture ? p->architecture : ""))
                return cor_fail(err, COR_INVALID, "manifest entry for image has unsupported os/arch combination: %s/%s",
                                p->os ? p->os : "", p->architecture ? p->architecture : "");
        manifest_entry_print(e->ref, &d, l.texts[at], &t);
        return write_entry(l.dir, e->ref, &t, err);
}

/* ------------------------------------------------------------------------------------------------ inspect, push, rm */

int manifest_list_text(const char *folder, const char *list, bool verbose, char **ret, struct cor_err *err)
{
        auto_list l = LIST_INIT;
        auto_text t = COR_TEXT_INIT;

        if (load_list(folder, list, &l, err) < 0 || check_platforms(&l, err) < 0)
                return -1;
        if (!verbose)
                print_list(&l, &t);
        for (size_t i = 0; verbose && i < l.n_entries; i++) {
                cor_text_add_c(&t, i ? ',' : '[');
                manifest_entry_print(l.entries[i]->ref, l.entries[i]->descriptor, l.texts[i], &t);
        }
        if (verbose)
                cor_text_add(&t, l.n_entries > 0 ? "]" : "[]");
        *ret = cor_text_take(&t);
        return 0;
}

int manifest_list_member(const char *folder, const char *list, const char *manifest, bool verbose, char **ret,
                         struct cor_err *err)
{
        auto_list l = LIST_INIT;
        auto_text t = COR_TEXT_INIT;
        const struct manifest_entry *e;
        size_t at;

        if (load_list(folder, list, &l, err) < 0 || !(e = get_entry(&l, manifest, &at, err)))
                return -1;
        if (verbose)
                manifest_entry_print(e->ref, e->descriptor, l.texts[at], &t);
        else
                cor_text_add(&t, l.texts[at]);
        *ret = cor_text_take(&t);
        return 0;
}

int manifest_list_push(struct engine *e, const char *folder, const char *list, bool insecure, bool purge, char **ret,
                       struct cor_err *err)
{
        auto_list l = LIST_INIT;
        auto_text t = COR_TEXT_INIT;
        struct transfer_manifest whole = { 0 }, *manifests = NULL;
        size_t n = 0;
        int r;

        if (load_list(folder, list, &l, err) < 0 || check_platforms(&l, err) < 0)
                return -1;
        print_list(&l, &t);
        whole.media_type = list_type(&l);
        whole.text = t.s;
        for (size_t i = 0; i < l.n_entries; i++)
                *COR_GROW(manifests, n) =
                        (struct transfer_manifest){ .reference = l.entries[i]->ref,
                                                    .media_type = l.entries[i]->descriptor->media_type,
                                                    .text = l.texts[i] };
        r = engine_push_list(e, l.name, insecure, &whole, manifests, n, ret, err);
        free(manifests);
        if (r < 0)
                return -1;
        return purge ? manifest_list_remove(folder, list, err) : 0;
}

int manifest_list_remove(const char *folder, const char *list, struct cor_err *err)
{
        auto_list l = LIST_INIT;
        auto_str file = NULL;

        if (open_list(folder, list, &l, err) < 0)
                return -1;
        file = file_name(l.name);
        return remove_folder(folder, file, err);
}
