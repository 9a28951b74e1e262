/*
 * Save: images as an archive that is both an OCI layout and docker's form, as docker has written it since version 25.
 * Blobs are copied as they are: nothing is compressed again, and digests stay.
 */
#include "image/job.h"

#include "base/fd.h"
#include "image/tar.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK_BYTES = 256 << 10, OUT_BYTES = 1 << 20 };

struct save {
        struct transfer_job *job;
        struct tar_writer *writer;
        struct cor_strv written;       /* names of blobs that are in the archive already */
        struct cor_text index, docker; /* index.json and manifest.json so far */
        char *out;
        size_t n_out;
};

/* ---------------------------------------------------------------------------------------------------------- writing */

static int flush(struct save *s, struct cor_err *err)
{
        size_t n = s->n_out;

        s->n_out = 0;
        return n > 0 ? cor_write_full(s->job->output, s->out, n, err) : 0;
}

static int write_out(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        struct save *s = context;

        if (s->n_out + n > OUT_BYTES && flush(s, err) < 0)
                return -1;
        if (n > OUT_BYTES)
                return cor_write_full(s->job->output, bytes, n, err);
        memcpy(s->out + s->n_out, bytes, n);
        s->n_out += n;
        return 0;
}

static int write_header(struct save *s, const char *name, enum tar_type type, int64_t size, struct cor_err *err)
{
        auto_str owned = cor_strdup(name);
        struct tar_entry e = { .type = type, .name = owned, .mode = type == TAR_DIR ? 0755 : 0644, .size = size };

        return tar_write_entry(s->writer, &e, err);
}

static int write_text(struct save *s, const char *name, const struct cor_text *text, struct cor_err *err)
{
        if (write_header(s, name, TAR_FILE, (int64_t)text->len, err) < 0)
                return -1;
        return tar_write_data(s->writer, text->s, text->len, err);
}

static int copy_blob(struct save *s, int fd, int64_t size, struct cor_err *err)
{
        auto_free char *buf = cor_alloc(CHUNK_BYTES);

        while (size > 0) {
                ssize_t n = read(fd, buf, size < CHUNK_BYTES ? (size_t)size : (size_t)CHUNK_BYTES);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? cor_fail_errno(err, "read the blob")
                                     : cor_fail(err, COR_INVALID,
                                                "the blob is shorter than it was (coracle system check)");
                if (tar_write_data(s->writer, buf, (size_t)n, err) < 0)
                        return -1;
                size -= n;
        }
        return 0;
}

static int write_blob(struct save *s, const struct digest *d, struct cor_err *err)
{
        auto_str name = cor_printf("blobs/%s/%s", digest_name(d), digest_hex(d));
        auto_fd fd = -1;
        int64_t size = blob_find(s->job->store, d);

        for (size_t i = 0; i < s->written.n_items; i++)
                if (strcmp(s->written.items[i], name) == 0)
                        return 0;
        cor_strv_add(&s->written, name);
        fd = size < 0 ? -1 : blob_open(s->job->store, d, err);
        if (fd < 0)
                return cor_fail(err, COR_NOT_FOUND,
                                "%s is not in the store: it was unpacked and discarded, pull the image again", d->text);
        if (write_header(s, name, TAR_FILE, size, err) < 0)
                return -1;
        return copy_blob(s, fd, size, err) < 0 ? cor_wrap(err, "%s", d->text) : 0;
}

/* -------------------------------------------------------------------------------------------------------- one image */

static const struct transfer_blob *find_kind(const struct transfer_image *image, enum image_blob_kind kind)
{
        for (size_t i = 0; i < image->n_blobs; i++)
                if (image->blobs[i].kind == (int)kind)
                        return &image->blobs[i];
        return NULL;
}

static char *tag_of(const char *name)
{
        auto_reference ref = { 0 };

        return reference_parse(name, &ref, NULL) == 0 && ref.tag ? cor_strdup(ref.tag) : NULL;
}

/* An entry of index.json for each name, or one without. */
static void add_to_index(struct save *s, const struct transfer_image *image)
{
        const struct transfer_blob *manifest = find_kind(image, IMAGE_BLOB_MANIFEST);

        for (size_t i = 0; i < image->n_names || i == 0; i++) {
                auto_str tag = i < image->n_names ? tag_of(image->names[i]) : NULL;
                struct cor_pair annotations[] = {
                        { "io.containerd.image.name", i < image->n_names ? image->names[i] : NULL },
                        { "org.opencontainers.image.ref.name", tag },
                };
                struct image_platform platform = { .architecture = image->architecture,
                                                   .os = image->os,
                                                   .variant =
                                                           image->variant && *image->variant ? image->variant : NULL };
                struct image_descriptor d = { .media_type = manifest->media_type,
                                              .digest = manifest->digest,
                                              .size = (uint64_t)manifest->size,
                                              .platform = &platform,
                                              .annotations = annotations,
                                              .n_annotations = tag ? COR_COUNT(annotations) : 0 };

                cor_text_add(&s->index, s->index.len > 0 ? "," : "");
                cor_json_print(&image_descriptor_doc, &d, COR_JSON_COMPACT, &s->index);
        }
}

static void add_path(struct cor_text *t, const char *digest)
{
        struct digest d;

        if (digest_parse(digest, &d, NULL) == 0)
                cor_text_printf(t, "\"blobs/%s/%s\"", digest_name(&d), digest_hex(&d));
}

/* What docker's own form says of it. */
static void add_to_docker(struct save *s, const struct transfer_image *image)
{
        const char *comma = "";

        cor_text_add(&s->docker, s->docker.len > 0 ? ",{\"Config\":" : "{\"Config\":");
        add_path(&s->docker, image->id);
        cor_text_add(&s->docker, ",\"RepoTags\":[");
        for (size_t i = 0; i < image->n_names; i++, comma = ",") {
                auto_reference ref = { 0 };
                auto_str familiar = NULL;

                if (reference_parse(image->names[i], &ref, NULL) < 0)
                        continue;
                familiar = reference_familiar(&ref);
                cor_text_add(&s->docker, comma);
                cor_text_add_json(&s->docker, familiar);
        }
        cor_text_add(&s->docker, "],\"Layers\":[");
        comma = "";
        for (size_t i = 0; i < image->n_blobs; i++)
                if (image->blobs[i].kind == IMAGE_BLOB_LAYER) {
                        cor_text_add(&s->docker, comma);
                        add_path(&s->docker, image->blobs[i].digest);
                        comma = ",";
                }
        cor_text_add(&s->docker, "]}");
}

static int save_image(struct save *s, const struct transfer_image *image, struct cor_err *err)
{
        if (!find_kind(image, IMAGE_BLOB_MANIFEST))
                return cor_fail(err, COR_INVALID, "image %s has no manifest", image->id);
        for (size_t i = 0; i < image->n_blobs; i++) {
                struct digest d;

                if (image->blobs[i].kind == IMAGE_BLOB_INDEX || image->blobs[i].kind == IMAGE_BLOB_OTHER)
                        continue;
                if (digest_parse(image->blobs[i].digest, &d, err) < 0 || write_blob(s, &d, err) < 0)
                        return cor_wrap(err, "image %s", image->n_names > 0 ? image->names[0] : image->id);
        }
        add_to_index(s, image);
        if (!s->job->request->oci_format)
                add_to_docker(s, image);
        return 0;
}

/* -------------------------------------------------------------------------------------------------------- the whole */

static int write_documents(struct save *s, struct cor_err *err)
{
        auto_text index = COR_TEXT_INIT, docker = COR_TEXT_INIT, layout = COR_TEXT_INIT;

        cor_text_printf(&index, "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[%s]}", MEDIA_OCI_INDEX,
                        s->index.s ? s->index.s : "");
        cor_text_add(&layout, "{\"imageLayoutVersion\":\"1.0.0\"}");
        if (write_text(s, "index.json", &index, err) < 0)
                return -1;
        if (s->docker.len > 0) {
                cor_text_printf(&docker, "[%s]", s->docker.s);
                if (write_text(s, "manifest.json", &docker, err) < 0)
                        return -1;
        }
        return write_text(s, "oci-layout", &layout, err);
}

static int save_all(struct save *s, struct cor_err *err)
{
        const struct transfer_request *request = s->job->request;

        if (write_header(s, "blobs/", TAR_DIR, 0, err) < 0 || write_header(s, "blobs/sha256/", TAR_DIR, 0, err) < 0)
                return -1;
        for (size_t i = 0; i < request->n_images; i++)
                if (save_image(s, &request->images[i], err) < 0)
                        return -1;
        if (write_documents(s, err) < 0 || tar_write_end(s->writer, err) < 0)
                return -1;
        return flush(s, err);
}

int job_save(struct transfer_job *job, struct cor_err *err)
{
        struct save s = { .job = job, .out = cor_alloc(OUT_BYTES) };
        const struct tar_sink sink = { .write = write_out, .context = &s };
        int r;

        s.writer = tar_writer_new(&sink);
        r = save_all(&s, err);
        tar_writer_free(s.writer);
        cor_strv_done(&s.written);
        cor_text_done(&s.index);
        cor_text_done(&s.docker);
        free(s.out);
        return r;
}
