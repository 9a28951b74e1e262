/*
 * What `create` and `start` write for a container, without an image in the store: bundle STORE ID ROOT CONFIG
 * HOST-CONFIG [IMAGE-CONFIG], the last three JSON documents. Prints the bundle's folder; warnings go to standard error.
 */
#include "base/file.h"
#include "engine/spec.h"
#include "store/volume.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int fail(const struct cor_err *err)
{
        fprintf(stderr, "bundle: %s\n", err->msg);
        return 1;
}

static char *print(const struct cor_json_doc *doc, const void *object)
{
        struct cor_text t = COR_TEXT_INIT;

        cor_json_print(doc, object, COR_JSON_COMPACT, &t);
        return cor_text_take(&t);
}

static int parse(const struct cor_json_doc *doc, const char *text, const char *what, void *ret, struct cor_err *err)
{
        return cor_json_parse(doc, text, strlen(text), what, ret, err);
}

/* The row as `create` makes it; an image is what the folder ROOT is. */
static int make_row(struct store *s, char **argv, int root, struct container_row *r, struct cor_strv *warnings,
                    struct cor_err *err)
{
        auto_json struct docker_config *config = NULL;
        auto_json struct docker_host_config *host = NULL;
        auto_json struct image_config_run *image = NULL;
        auto_spec_documents d = { 0 };
        auto_spec_mounts mounts = { 0 };
        struct spec_new n = { .id = argv[2] };

        if (parse(&docker_config_doc, argv[4], "Config", &config, err) < 0 ||
            parse(&docker_host_config_doc, argv[5], "HostConfig", &host, err) < 0 ||
            (argv[6] && parse(&image_config_run_doc, argv[6], "image", &image, err) < 0))
                return -1;
        n.config = config;
        n.host_config = host;
        n.image = image;
        if (spec_prepare(s, &n, &d, warnings, err) < 0 || spec_mounts_create(s, n.id, &d, root, &mounts, err) < 0)
                return -1;
        r->id = cor_strdup(n.id);
        r->config = print(&docker_config_doc, d.config);
        r->host_config = print(&docker_host_config_doc, d.host_config);
        r->mounts = COR_TAKE(mounts.json);
        for (size_t i = 0; i < mounts.made.n_items; i++)
                if (volume_row_add(s, &mounts.made.items[i], err) < 0)
                        return -1;
        return 0;
}

int main(int argc, char **argv)
{
        auto_store store = NULL;
        auto_container_row row = { 0 };
        auto_strv warnings = { 0 };
        auto_str folder = NULL;
        struct cor_err err = { 0 };
        auto_spec_documents documents = { 0 };
        struct spec_start start = { .row = &row, .documents = &documents };

        if (argc < 6 || argc > 7) {
                fprintf(stderr, "usage: bundle STORE ID ROOT CONFIG HOST-CONFIG [IMAGE-CONFIG]\n");
                return 2;
        }
        start.root = open(argv[3], O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (store_open(argv[1], STORE_DATABASE | STORE_CREATE, &store, &err) < 0 ||
            make_row(store, argv, start.root, &row, &warnings, &err) < 0)
                return fail(&err);
        folder = container_folder_path(store, row.id);
        if (cor_mkdirs(folder, 0700, &err) < 0 || spec_documents_parse(&row, &documents, &err) < 0 ||
            spec_write(store, &start, &warnings, &err) < 0)
                return fail(&err);
        for (size_t i = 0; i < warnings.n_items; i++)
                fprintf(stderr, "WARNING: %s\n", warnings.items[i]);
        puts(folder);
        return 0;
}
