/*
 * The engine's verbs, and one that makes an image out of nothing: what the fault tests run.
 *
 *      images STORE make NAME TEXT     an image with two layers, one of them the same for all, called NAME
 *      images STORE load FILE
 *      images STORE pull REFERENCE
 *      images STORE tag SOURCE TARGET
 *      images STORE rmi NAME
 *      images STORE prune
 *      images STORE list               lines "NAME ID", and "<none> ID"
 *      images STORE check              findings, repaired where that is possible; exit status 1 if one is left
 *
 * Several verbs, each with its arguments, are run one after the other when they stand behind each other.
 */
#include "base/fd.h"
#include "engine/image.h"
#include "store/blob.h"
#include "store/hash.h"
#include "store/layer.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As a transfer does it: protect, look, write, sync once, put in place. */
struct making {
        struct store *s;
        struct lease *lease;
        struct image_row row;
};

static int add_blob(struct making *m, const char *text, enum image_blob_kind kind, struct digest *ret,
                    struct cor_err *err)
{
        struct digest d = hash_bytes(text, strlen(text));
        struct image_blob *b = COR_GROW(m->row.blobs, m->row.n_blobs);
        auto_blob_ingest in = NULL;
        int state;

        b->digest = *ret = d;
        b->kind = kind;
        b->size = (int64_t)strlen(text);
        if (lease_add(m->lease, &d, 1, err) < 0)
                return -1;
        state = blob_ingest_begin(m->s, &d, b->size, 0, -1, &in, err);
        if (state != BLOB_INGEST_OURS)
                return state < 0 ? -1 : 0;
        if ((blob_ingest_offset(in) < b->size &&
             blob_ingest_write(in, text + blob_ingest_offset(in), (size_t)(b->size - blob_ingest_offset(in)), err) <
                     0) ||
            blob_ingest_finish(in, NULL, err) < 0)
                return -1;
        return store_sync(m->s, err) < 0 ? -1 : blob_ingest_commit(in, true, err);
}

static int write_file(int dirfd, const char *name, const char *text, struct cor_err *err)
{
        auto_fd fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

        if (fd < 0 || cor_write_full(fd, text, strlen(text), err) < 0)
                return cor_fail_errno(err, "write %s", name);
        return 0;
}

static int add_layer(struct making *m, const char *text, struct cor_err *err)
{
        struct digest d = hash_bytes(text, strlen(text));
        struct image_layer *l = COR_GROW(m->row.layers, m->row.n_layers);
        auto_layer_ingest in = NULL;
        auto_fd lock = -1;

        l->diff_id = l->name = d;
        l->size = 2 * (int64_t)strlen(text);
        if (lease_add(m->lease, &d, 1, err) < 0 || (lock = layer_lock(m->s, &d, -1, err)) < 0)
                return -1;
        if (layer_size(m->s, &d) >= 0)
                return 0;
        if (layer_ingest_begin(m->s, &in, err) < 0)
                return -1;
        if (mkdirat(layer_ingest_fd(in), "dir", 0755) < 0)
                return cor_fail_errno(err, "make a folder");
        if (write_file(layer_ingest_fd(in), "file", text, err) < 0 ||
            write_file(layer_ingest_fd(in), "dir/file", text, err) < 0 || layer_ingest_finish(in, l->size, err) < 0 ||
            store_sync(m->s, err) < 0)
                return -1;
        return layer_ingest_commit(in, &d, err);
}

static void making_done(struct making *m)
{
        image_row_done(&m->row);
        lease_free(m->lease);
}

static int make(struct engine *e, char **args, struct cor_err *err)
{
        COR_CLEANUP(making_done) struct making m = { .s = e->store };
        auto_str config = cor_printf("config of %s", args[1]);
        auto_str manifest = cor_printf("manifest of %s", args[1]);
        struct digest archive;

        m.row.created = m.row.pulled = 1000;
        if (lease_new(e->store, &m.lease, err) < 0 ||
            add_blob(&m, manifest, IMAGE_BLOB_MANIFEST, &m.row.manifest, err) < 0 ||
            add_blob(&m, config, IMAGE_BLOB_CONFIG, &m.row.id, err) < 0 ||
            add_blob(&m, args[1], IMAGE_BLOB_LAYER, &archive, err) < 0 || add_layer(&m, "the same for all", err) < 0 ||
            add_layer(&m, args[1], err) < 0 || blob_sync_folder(e->store, err) < 0 ||
            layer_sync_folder(e->store, err) < 0)
                return -1;
        cor_strv_take(&m.row.names, cor_printf("docker.io/library/%s", args[0]));
        return image_put(e->store, &m.row, err);
}

static void show_loaded(void *context, const char *line)
{
        puts(line);
}

static int load(struct engine *e, char **args, struct cor_err *err)
{
        auto_fd fd = open(args[0], O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return cor_fail_errno(err, "open %s", args[0]);
        return engine_load(e, fd, NULL, NULL, show_loaded, NULL, err);
}

static int pull(struct engine *e, char **args, struct cor_err *err)
{
        const struct image_pull p = { .reference = args[0] };
        auto_image_pulled pulled = { 0 };

        return engine_pull(e, &p, NULL, &pulled, err);
}

static int tag(struct engine *e, char **args, struct cor_err *err)
{
        return engine_tag(e, args[0], args[1], err);
}

static int show_removed(struct image_removed *r)
{
        for (size_t i = 0; i < r->lines.n_items; i++)
                puts(r->lines.items[i]);
        return 0;
}

static int rmi(struct engine *e, char **args, struct cor_err *err)
{
        auto_image_removed r = { 0 };

        return engine_remove_image(e, args[0], NULL, false, false, &r, err) < 0 ? -1 : show_removed(&r);
}

static int prune(struct engine *e, char **args, struct cor_err *err)
{
        auto_image_removed r = { 0 };

        return engine_prune_images(e, true, NULL, &r, err) < 0 ? -1 : show_removed(&r);
}

static int list(struct engine *e, char **args, struct cor_err *err)
{
        auto_image_list l = { 0 };

        if (engine_images(e, NULL, NULL, &l, err) < 0)
                return -1;
        for (size_t i = 0; i < l.n_items; i++) {
                for (size_t n = 0; n < l.items[i].names.n_items; n++)
                        printf("%s %s\n", l.items[i].names.items[n], l.items[i].id.text);
                if (l.items[i].names.n_items == 0)
                        printf("<none> %s\n", l.items[i].id.text);
        }
        return 0;
}

static int check(struct engine *e, char **args, struct cor_err *err)
{
        int left = 0;

        for (int round = 0; round < 2; round++) { /* what was repaired is found in order the second time */
                auto_check_report r = { 0 };

                if (engine_check(e, round == 0, NULL, &r, err) < 0)
                        return -1;
                for (size_t i = 0; i < r.n_items; i++) {
                        printf("%s%s\n", r.items[i].what, r.items[i].repaired ? " (repaired)" : "");
                        left |= !r.items[i].repaired;
                }
        }
        return left;
}

static const struct {
        const char *word;
        int n_args;
        int (*run)(struct engine *e, char **args, struct cor_err *err);
} verbs[] = {
        { "make", 2, make }, { "load", 1, load },   { "pull", 1, pull }, { "tag", 2, tag },
        { "rmi", 1, rmi },   { "prune", 0, prune }, { "list", 0, list }, { "check", 0, check },
};

/* One verb; *@args is behind it and its arguments afterwards. */
static int run_verb(struct engine *e, char ***args, struct cor_err *err)
{
        for (size_t i = 0; i < COR_COUNT(verbs); i++) {
                char **own = *args + 1;
                int n = 0;

                if (strcmp(**args, verbs[i].word) != 0)
                        continue;
                while (n < verbs[i].n_args && own[n])
                        n++;
                if (n < verbs[i].n_args)
                        break;
                *args = own + n;
                return verbs[i].run(e, own, err);
        }
        return cor_fail(err, COR_INVALID, "%s: no such verb, or too few arguments", **args);
}

int main(int argc, char **argv)
{
        auto_engine e = { 0 };
        struct cor_err err = { 0 };
        char **args = argv + 2;
        int r;

        if (argc < 3) {
                fprintf(stderr, "usage: images STORE (make NAME TEXT | load FILE | pull REFERENCE | tag SOURCE TARGET "
                                "| rmi NAME | prune | list | "
                                "check)...\n");
                return 2;
        }
        r = engine_open(argv[1], &e, &err);
        while (r == 0 && *args)
                r = run_verb(&e, &args, &err);
        if (r < 0)
                fprintf(stderr, "images: %s\n", err.msg);
        return r < 0 ? 2 : r;
}
