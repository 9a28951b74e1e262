#include "image/transfer_message.h"

#include "base/fd.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A manifest as text may be 4 MiB, which JSON can make six times as long. */
enum { MESSAGE_MAX_BYTES = 32 << 20, READ_BYTES = 64 << 10 };

enum { ANSWER_WAIT_MS = 300000 }; /* of the engine, whose database may be busy */

static const struct cor_word type_words[] = {
        { "request", TRANSFER_REQUEST },
        { "progress", TRANSFER_PROGRESS },
        { "lease", TRANSFER_LEASE },
        { "image", TRANSFER_IMAGE },
        { "text", TRANSFER_TEXT },
        { "done", TRANSFER_DONE },
        { "error", TRANSFER_ERROR },
        { "ok", TRANSFER_OK },
        { NULL, 0 },
};

static const struct cor_word verb_words[] = {
        { "pull", TRANSFER_PULL },
        { "push", TRANSFER_PUSH },
        { "load", TRANSFER_LOAD },
        { "save", TRANSFER_SAVE },
        { "import", TRANSFER_IMPORT },
        { "manifest", TRANSFER_MANIFEST },
        { "pushList", TRANSFER_PUSH_LIST },
        { "login", TRANSFER_LOGIN },
        { "search", TRANSFER_SEARCH },
        { "commit", TRANSFER_COMMIT },
        { NULL, 0 },
};

static const struct cor_json_field blob_fields[] = {
        COR_FIELD("digest", STR, struct transfer_blob, digest, COR_JSON_REQUIRED),
        COR_FIELD("mediaType", STR, struct transfer_blob, media_type, 0),
        COR_FIELD("kind", I32, struct transfer_blob, kind, 0),
        COR_FIELD("size", I64, struct transfer_blob, size, 0),
        COR_FIELD("optional", BOOL, struct transfer_blob, optional, 0),
};
static const struct cor_json_doc blob_doc = COR_DOC(struct transfer_blob, blob_fields, NULL);

static const struct cor_json_field layer_fields[] = {
        COR_FIELD("diffId", STR, struct transfer_layer, diff_id, COR_JSON_REQUIRED),
        COR_FIELD("name", STR, struct transfer_layer, name, COR_JSON_REQUIRED),
        COR_FIELD("size", I64, struct transfer_layer, size, 0),
};
static const struct cor_json_doc layer_doc = COR_DOC(struct transfer_layer, layer_fields, NULL);

static const struct cor_json_field image_fields[] = {
        COR_FIELD("id", STR, struct transfer_image, id, COR_JSON_REQUIRED),
        COR_FIELD("manifest", STR, struct transfer_image, manifest, COR_JSON_REQUIRED),
        COR_FIELD("architecture", STR, struct transfer_image, architecture, 0),
        COR_FIELD("os", STR, struct transfer_image, os, 0),
        COR_FIELD("variant", STR, struct transfer_image, variant, 0),
        COR_FIELD("created", I64, struct transfer_image, created, 0),
        COR_FIELD("createdNs", I64, struct transfer_image, created_ns, 0),
        COR_FIELD("size", I64, struct transfer_image, size, 0),
        COR_FIELD_LIST_OF("layers", LIST_OBJ, struct transfer_image, layers, n_layers, &layer_doc, 0),
        COR_FIELD_LIST_OF("blobs", LIST_OBJ, struct transfer_image, blobs, n_blobs, &blob_doc, 0),
        COR_FIELD_LIST("names", LIST_STR, struct transfer_image, names, n_names, 0),
        COR_FIELD_LIST("repoDigests", LIST_STR, struct transfer_image, repo_digests, n_repo_digests, 0),
        COR_FIELD_LIST("labels", LIST_STR, struct transfer_image, labels, n_labels, 0),
};
static const struct cor_json_doc image_doc = COR_DOC(struct transfer_image, image_fields, NULL);

static const struct cor_json_field manifest_fields[] = {
        COR_FIELD("reference", STR, struct transfer_manifest, reference, 0),
        COR_FIELD("mediaType", STR, struct transfer_manifest, media_type, COR_JSON_REQUIRED),
        COR_FIELD("text", STR, struct transfer_manifest, text, COR_JSON_REQUIRED),
};
static const struct cor_json_doc manifest_doc = COR_DOC(struct transfer_manifest, manifest_fields, NULL);

static const struct cor_json_field request_fields[] = {
        COR_FIELD_WORD("verb", struct transfer_request, verb, verb_words, COR_JSON_REQUIRED),
        COR_FIELD("store", STR, struct transfer_request, store, 0),
        COR_FIELD("reference", STR, struct transfer_request, reference, 0),
        COR_FIELD("platform", STR, struct transfer_request, platform, 0),
        COR_FIELD_LIST_OF("images", LIST_OBJ, struct transfer_request, images, n_images, &image_doc, 0),
        COR_FIELD("domain", STR, struct transfer_request, domain, 0),
        COR_FIELD("user", STR, struct transfer_request, user, 0),
        COR_FIELD("password", STR, struct transfer_request, password, 0),
        COR_FIELD("term", STR, struct transfer_request, term, 0),
        COR_FIELD("url", STR, struct transfer_request, url, 0),
        COR_FIELD("message", STR, struct transfer_request, message, 0),
        COR_FIELD("author", STR, struct transfer_request, author, 0),
        COR_FIELD("command", STR, struct transfer_request, command, 0),
        COR_FIELD("config", STR, struct transfer_request, config, 0),
        COR_FIELD_LIST("changes", LIST_STR, struct transfer_request, changes, n_changes, 0),
        COR_FIELD("discard", BOOL, struct transfer_request, discard, 0),
        COR_FIELD("insecure", BOOL, struct transfer_request, insecure, 0),
        COR_FIELD("withConfig", BOOL, struct transfer_request, with_config, 0),
        COR_FIELD_OBJ("list", OBJ, struct transfer_request, list, &manifest_doc, 0),
        COR_FIELD_LIST_OF("manifests", LIST_OBJ, struct transfer_request, manifests, n_manifests, &manifest_doc, 0),
        COR_FIELD("allTags", BOOL, struct transfer_request, all_tags, 0),
        COR_FIELD("ociFormat", BOOL, struct transfer_request, oci_format, 0),
        COR_FIELD("limit", U32, struct transfer_request, limit, 0),
};
static const struct cor_json_doc request_doc = COR_DOC(struct transfer_request, request_fields, NULL);

static const struct cor_json_field message_fields[] = {
        COR_FIELD_WORD("type", struct transfer_message, type, type_words, COR_JSON_REQUIRED),
        COR_FIELD("id", STR, struct transfer_message, id, 0),
        COR_FIELD("status", STR, struct transfer_message, status, 0),
        COR_FIELD("text", STR, struct transfer_message, text, 0),
        COR_FIELD("current", I64, struct transfer_message, current, 0),
        COR_FIELD("total", I64, struct transfer_message, total, 0),
        COR_FIELD_LIST("digests", LIST_STR, struct transfer_message, digests, n_digests, 0),
        COR_FIELD_OBJ("image", OBJ, struct transfer_message, image, &image_doc, 0),
        COR_FIELD_OBJ("request", OBJ, struct transfer_message, request, &request_doc, 0),
        COR_FIELD("kind", I64, struct transfer_message, kind, 0),
        COR_FIELD("sys", I64, struct transfer_message, sys, 0),
};
static const struct cor_json_doc message_doc = COR_DOC(struct transfer_message, message_fields, NULL);

void transfer_channel_done(struct transfer_channel *c)
{
        cor_fd_close(&c->fd);
        cor_text_done(&c->ahead);
}

int transfer_send(struct transfer_channel *c, const struct transfer_message *m, struct cor_err *err)
{
        auto_text line = COR_TEXT_INIT;

        cor_json_print(&message_doc, m, COR_JSON_COMPACT, &line);
        cor_text_add_c(&line, '\n');
        for (size_t done = 0; done < line.len;) {
                ssize_t n = send(c->fd, line.s + done, line.len - done, MSG_NOSIGNAL);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return cor_fail_errno(err, "speak with the other side of the transfer");
                done += (size_t)n;
        }
        return 0;
}

/* Read more into c->ahead; 1, or 0 at the end. */
static int read_ahead(struct transfer_channel *c, int timeout_ms, struct cor_err *err)
{
        char buf[READ_BYTES];
        ssize_t n;
        int ready = cor_wait_readable(c->fd, timeout_ms, err);

        if (ready <= 0)
                return ready < 0 ? -1 : cor_fail(err, COR_TIMEOUT, "the other side of the transfer says nothing");
        n = cor_recv(c->fd, buf, sizeof buf, 0);
        if (n < 0)
                return cor_fail_errno(err, "hear the other side of the transfer");
        cor_text_add_n(&c->ahead, buf, (size_t)n);
        return n > 0;
}

int transfer_receive(struct transfer_channel *c, int timeout_ms, struct transfer_message **ret, struct cor_err *err)
{
        size_t looked = 0, len;
        char *end;
        int r;

        while (!(end = c->ahead.len > looked ? memchr(c->ahead.s + looked, '\n', c->ahead.len - looked) : NULL)) {
                looked = c->ahead.len;
                if (looked > MESSAGE_MAX_BYTES)
                        return cor_fail(err, COR_INVALID, "a message of the transfer is over %d bytes",
                                        (int)MESSAGE_MAX_BYTES);
                r = read_ahead(c, timeout_ms, err);
                if (r < 0)
                        return -1;
                if (r == 0)
                        return 0;
        }
        len = (size_t)(end - c->ahead.s) + 1;
        if (cor_json_parse(&message_doc, c->ahead.s, len - 1, "message of the transfer", ret, err) < 0)
                return -1;
        memmove(c->ahead.s, c->ahead.s + len, c->ahead.len - len);
        c->ahead.len -= len;
        return 1;
}

int transfer_error_of(const struct transfer_message *m, struct cor_err *err)
{
        enum cor_kind kind = m->kind > COR_OK && m->kind <= COR_EXEC_REFUSED ? (enum cor_kind)m->kind : COR_SYSTEM;

        cor_fail(err, kind, "%s", m->text ? m->text : "the transfer failed");
        if (err)
                err->sys = (int)m->sys;
        return -1;
}

int transfer_ask(struct transfer_channel *c, const struct transfer_message *m, struct cor_err *err)
{
        auto_json struct transfer_message *reply = NULL;
        int r = transfer_send(c, m, err) < 0 ? -1 : transfer_receive(c, ANSWER_WAIT_MS, &reply, err);

        if (r < 0)
                return -1;
        if (r == 0)
                return cor_fail(err, COR_BUSY, "interrupted");
        return reply->type == TRANSFER_OK ? 0 : transfer_error_of(reply, err);
}

/* ----------------------------------------------------------------------------------------------- images of messages */

static int copy_blob(const struct transfer_blob *m, struct image_blob *ret, struct cor_err *err)
{
        if (digest_parse(m->digest, &ret->digest, err) < 0)
                return -1;
        if (m->kind < IMAGE_BLOB_INDEX || m->kind > IMAGE_BLOB_OTHER)
                return cor_fail(err, COR_INVALID, "blob %s: no such kind: %d", m->digest, m->kind);
        ret->kind = (enum image_blob_kind)m->kind;
        ret->size = m->size;
        ret->media_type = cor_strdup(m->media_type ? m->media_type : "");
        ret->optional = m->optional;
        return 0;
}

static int copy_lists(const struct transfer_image *m, struct image_row *ret, struct cor_err *err)
{
        for (size_t i = 0; i < m->n_layers; i++) {
                struct image_layer *l = COR_GROW(ret->layers, ret->n_layers);

                l->size = m->layers[i].size;
                if (digest_parse(m->layers[i].diff_id, &l->diff_id, err) < 0 ||
                    digest_parse(m->layers[i].name, &l->name, err) < 0)
                        return -1;
        }
        for (size_t i = 0; i < m->n_blobs; i++)
                if (copy_blob(&m->blobs[i], COR_GROW(ret->blobs, ret->n_blobs), err) < 0)
                        return -1;
        for (size_t i = 0; i < m->n_names; i++)
                cor_strv_add(&ret->names, m->names[i]);
        for (size_t i = 0; i < m->n_repo_digests; i++)
                cor_strv_add(&ret->repo_digests, m->repo_digests[i]);
        for (size_t i = 0; i < m->n_labels; i++)
                cor_strv_add(&ret->labels, m->labels[i]);
        return 0;
}

int transfer_image_to_row(const struct transfer_image *m, struct image_row *ret, struct cor_err *err)
{
        auto_image_row row = { 0 };

        row.architecture = cor_strdup(m->architecture ? m->architecture : "");
        row.os = cor_strdup(m->os ? m->os : "");
        row.variant = cor_strdup(m->variant ? m->variant : "");
        row.created = m->created;
        row.created_ns = m->created_ns;
        row.size = m->size;
        if (digest_parse(m->id, &row.id, err) < 0 || digest_parse(m->manifest, &row.manifest, err) < 0 ||
            copy_lists(m, &row, err) < 0)
                return cor_wrap(err, "image of the transfer");
        *ret = row;
        row = (struct image_row){ 0 };
        return 0;
}

void transfer_image_from_row(const struct image_row *i, struct transfer_image *ret)
{
        struct transfer_image m = {
                .id = i->id.text,
                .manifest = i->manifest.text,
                .architecture = i->architecture,
                .os = i->os,
                .variant = i->variant,
                .created = i->created,
                .created_ns = i->created_ns,
                .size = i->size,
                .names = (const char **)i->names.items,
                .n_names = i->names.n_items,
                .repo_digests = (const char **)i->repo_digests.items,
                .n_repo_digests = i->repo_digests.n_items,
                .labels = (const char **)i->labels.items,
                .n_labels = i->labels.n_items,
        };

        for (size_t n = 0; n < i->n_layers; n++)
                *COR_GROW(m.layers, m.n_layers) = (struct transfer_layer){
                        .diff_id = i->layers[n].diff_id.text,
                        .name = i->layers[n].name.text,
                        .size = i->layers[n].size,
                };
        for (size_t n = 0; n < i->n_blobs; n++)
                *COR_GROW(m.blobs, m.n_blobs) = (struct transfer_blob){
                        .digest = i->blobs[n].digest.text,
                        .media_type = i->blobs[n].media_type,
                        .kind = (int)i->blobs[n].kind,
                        .size = i->blobs[n].size,
                        .optional = i->blobs[n].optional,
                };
        *ret = m;
}

void transfer_image_done(struct transfer_image *m)
{
        free(m->layers);
        free(m->blobs);
        *m = (struct transfer_image){ 0 };
}
