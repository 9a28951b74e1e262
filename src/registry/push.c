/* Manifests on their way out, and what refers to what (distribution-spec, "Pushing Manifests with Subject", "Listing
 * Referrers"). A registry without the referrers API is helped by an index under the tag sha256-HEX of the subject. */
#include "base/text.h"
#include "registry/encode.h"
#include "registry/internal.h"
#include "registry/redirect.h"
#include "spec/image.h"
#include "spec/registry.h"
#include "store/hash.h"

#include <string.h>

enum { PAGES_MAX = 100, REFERRERS_MAX = 100000 };

/* The pages of an answer; the first one is what is printed, the others keep their memory. */
struct pages {
        struct referrers *items[PAGES_MAX];
        size_t n_items;
};

static void pages_done(struct pages *p)
{
        for (size_t i = 0; i < p->n_items; i++)
                cor_json_free(p->items[i]);
}
#define auto_pages COR_CLEANUP(pages_done) struct pages

static int outcome_error(const struct outcome *o, struct cor_err *err)
{
        if (err)
                *err = o->err;
        return -1;
}

/* -------------------------------------------------------------------------------------------------------- referrers */

static int add_page(struct pages *p, const char *text, size_t n, struct cor_err *err)
{
        struct referrers *page = NULL, *first;
        struct referrer *all;

        if (p->n_items == PAGES_MAX)
                return cor_fail(err, COR_INVALID, "the list of referrers has more than %d pages", PAGES_MAX);
        if (cor_json_parse(&referrers_doc, text, n, "referrers", &page, err) < 0)
                return -1;
        p->items[p->n_items++] = page;
        first = p->items[0];
        if (page == first || page->n_manifests == 0)
                return 0;
        if (first->n_manifests + page->n_manifests > REFERRERS_MAX)
                return cor_fail(err, COR_INVALID, "more than %d referrers", REFERRERS_MAX);
        all = cor_json_alloc(first, (first->n_manifests + page->n_manifests) * sizeof *all);
        if (first->n_manifests)
                memcpy(all, first->manifests, first->n_manifests * sizeof *all);
        memcpy(all + first->n_manifests, page->manifests, page->n_manifests * sizeof *all);
        first->manifests = all;
        first->n_manifests += page->n_manifests;
        return 0;
}

/* <URL>; rel="next" */
static char *next_page(const struct outcome *o)
{
        const char *link = o->answer.headers[HTTP_LINK];
        const char *open = link ? strchr(link, '<') : NULL, *close = open ? strchr(open, '>') : NULL;
        auto_str target = close && strstr(close, "next") ? cor_strndup(open + 1, (size_t)(close - open - 1)) : NULL;
        char *url = NULL;

        return target && redirect_resolve(o->url, target, &url, NULL) == 0 ? url : NULL;
}

/* 1 the API answered, 0 there is none */
static int list(struct registry *r, const struct digest *subject, const char *type, struct pages *p,
                struct cor_err *err)
{
        auto_str path = cor_printf("%s/referrers/%s", r->path, subject->text);
        auto_str url = NULL;
        auto_text query = COR_TEXT_INIT;

        if (type) {
                cor_text_add(&query, "artifactType=");
                percent_add(&query, type, "/");
        }
        do {
                struct call_spec spec = { .method = "GET",
                                          .need = CALL_PULL,
                                          .path = path,
                                          .query = query.s,
                                          .url = url,
                                          .body_max = IMAGE_MANIFEST_MAX_BYTES };
                auto_outcome o = { 0 };

                if (registry_ask(r, &spec, &o, err) < 0)
                        return -1;
                if (o.err.kind != COR_OK && p->n_items == 0 && (o.answer.status == 404 || o.answer.status == 405))
                        return 0;
                if (o.err.kind != COR_OK)
                        return outcome_error(&o, err);
                if (p->n_items == 0 && problem_is_html(o.answer.body, o.answer.n))
                        return 0;
                if (add_page(p, o.answer.body ?: "", o.answer.n, err) < 0)
                        return -1;
                free(url);
                url = next_page(&o);
        } while (url);
        return 1;
}

/* The tag of the fallback: at most 32 characters of the algorithm and 64 of the digits. */
static char *fallback_tag(const struct digest *subject)
{
        return cor_printf("%s-%.64s", digest_name(subject), digest_hex(subject));
}

static int fallback(struct registry *r, const struct digest *subject, struct pages *p, struct cor_err *err)
{
        static const char empty[] = "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX "\",\"manifests\":[]}";
        auto_str tag = fallback_tag(subject);
        auto_registry_manifest m = { 0 };
        struct cor_err problem = { 0 };

        if (registry_get_manifest(r, tag, &m, &problem) == 0)
                return add_page(p, m.bytes, m.n, err);
        if (problem.kind == COR_NOT_FOUND)
                return add_page(p, empty, sizeof empty - 1, err);
        if (err)
                *err = problem;
        return -1;
}

static void filter(struct referrers *all, const char *type)
{
        size_t kept = 0;

        for (size_t i = 0; i < all->n_manifests; i++)
                if (cor_streq(all->manifests[i].artifact_type, type))
                        all->manifests[kept++] = all->manifests[i];
        all->n_manifests = kept;
}

int registry_referrers(struct registry *r, const struct digest *subject, const char *artifact_type, char **ret,
                       size_t *ret_n, struct cor_err *err)
{
        auto_text text = COR_TEXT_INIT;
        auto_pages p = { .n_items = 0 };
        int found = list(r, subject, artifact_type, &p, err);

        if (found == 0)
                found = fallback(r, subject, &p, err);
        if (found < 0)
                return cor_wrap(err, "referrers of %s", subject->text);
        if (artifact_type) /* a registry need not filter */
                filter(p.items[0], artifact_type);
        cor_json_print(&referrers_doc, p.items[0], COR_JSON_COMPACT, &text);
        *ret_n = text.len;
        *ret = cor_text_take(&text);
        return 0;
}

/* -------------------------------------------------------------------------------------------------------- manifests */

static int put(struct registry *r, const char *reference, const char *type, const void *bytes, size_t n,
               struct outcome *o, struct cor_err *err)
{
        auto_str path = cor_printf("%s/manifests/%s", r->path, reference);
        auto_str content_type = cor_printf("Content-Type: %s", type);
        char *headers[] = { content_type, NULL };
        struct call_spec spec = {
                .method = "PUT",
                .need = CALL_PUSH,
                .path = path,
                .headers = headers,
                .body = bytes,
                .n_body = n,
                .answer_ms = 120 * 1000,
        };

        if (registry_ask(r, &spec, o, err) < 0)
                return -1;
        return o->err.kind == COR_OK ? 0 : outcome_error(o, err);
}

/* Into the index of the fallback tag, once. */
static int add_to_fallback(struct registry *r, const struct image_manifest *m, const char *type,
                           const struct digest *own, size_t n, struct cor_err *err)
{
        auto_text text = COR_TEXT_INIT;
        auto_pages p = { .n_items = 0 };
        auto_outcome o = { 0 };
        auto_str tag = NULL;
        struct digest subject;
        struct referrers *all;
        struct referrer *grown;

        if (digest_parse(m->subject->digest, &subject, err) < 0 || fallback(r, &subject, &p, err) < 0)
                return -1;
        all = p.items[0];
        for (size_t i = 0; i < all->n_manifests; i++)
                if (cor_streq(all->manifests[i].digest, own->text))
                        return 0;
        grown = cor_json_alloc(all, (all->n_manifests + 1) * sizeof *grown);
        if (all->n_manifests)
                memcpy(grown, all->manifests, all->n_manifests * sizeof *grown);
        grown[all->n_manifests] = (struct referrer){
                .media_type = type,
                .digest = own->text,
                .size = n,
                .artifact_type = m->artifact_type
                                         ?: m->config ? m->config->media_type
                                                      : NULL,
        };
        all->manifests = grown;
        all->n_manifests++;
        cor_json_print(&referrers_doc, all, COR_JSON_COMPACT, &text);
        tag = fallback_tag(&subject);
        return put(r, tag, MEDIA_OCI_INDEX, text.s, text.len, &o, err);
}

int registry_put_manifest(struct registry *r, const char *tag_or_digest, const char *media_type, const void *bytes,
                          size_t n, struct cor_err *err)
{
        auto_json struct image_manifest *m = NULL;
        auto_outcome o = { 0 };
        struct digest own = hash_bytes(bytes, n);
        const char *said;

        if (put(r, tag_or_digest, media_type, bytes, n, &o, err) < 0)
                return -1;
        said = o.answer.headers[HTTP_DOCKER_CONTENT_DIGEST];
        if (said && cor_starts_with(said, "sha256:") && !cor_streq(said, own.text))
                return cor_fail(err, COR_INVALID, "%s: the registry stored the manifest as %.80s, not as %s", r->name,
                                said, own.text);
        if (o.answer.headers[HTTP_OCI_SUBJECT] || image_manifest_parse(bytes, n, "manifest", &m, NULL) < 0 ||
            !m->subject)
                return 0;
        if (add_to_fallback(r, m, media_type, &own, n, err) < 0)
                return cor_wrap(err, "referrers of %s", m->subject->digest);
        return 0;
}
