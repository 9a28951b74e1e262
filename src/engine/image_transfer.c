/* The verbs that need coracle-transfer: what it asks is answered from the store's database. */
#include "engine/image.h"

#include "engine/image_platform.h"
#include "image/reference.h"
#include "image/transfer_message.h"
#include "store/blob.h"
#include "store/event.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One job under way. */
struct job {
        struct engine *engine;
        struct lease *lease;
        const struct engine_progress *progress;
        void (*on_image)(struct job *j, const struct image_row *image); /* before it is recorded; may be NULL */
        void *context;
        const char *action;   /* what `events` shall say of each image; NULL: nothing */
        struct cor_text text; /* what the job answers */
};

static void job_done(struct job *j)
{
        lease_free(j->lease);
        cor_text_done(&j->text);
}
#define auto_job COR_CLEANUP(job_done) struct job

static void on_progress(void *context, const struct transfer_progress *p)
{
        struct job *j = context;

        if (j->progress && j->progress->update)
                j->progress->update(j->progress->context, p);
}

static int on_lease(void *context, const struct digest *items, size_t n_items, struct cor_err *err)
{
        struct job *j = context;

        return lease_add(j->lease, items, n_items, err);
}

static int on_image(void *context, const struct image_row *image, struct cor_err *err)
{
        struct job *j = context;

        if (j->on_image)
                j->on_image(j, image);
        if (image_put(j->engine->store, image, err) < 0)
                return -1;
        if (j->action)
                engine_image_event(j->engine, image, j->action, NULL);
        return 0;
}

static void on_text(void *context, const char *text, size_t n)
{
        struct job *j = context;

        cor_text_add_n(&j->text, text, n);
}

/* Docker's id of what came from or went to a registry is its name. */
static void note_exchange(struct engine *e, const struct reference *ref, const char *full, const char *action)
{
        auto_image_row image = { 0 };
        auto_str familiar = reference_familiar(ref);
        auto_str name = reference_familiar_name(ref);

        if (image_find(e->store, full, &image, NULL) == 0)
                event_write_image(e->store, &image, action, familiar, name);
        else /* with --all-tags it has no name of this kind */
                event_write_image(e->store, &(struct image_row){ 0 }, action, familiar, name);
}

static int job_run(struct job *j, struct transfer_request *request, int input, int output, struct cor_err *err)
{
        const struct transfer_events events = {
                .progress = on_progress, .lease = on_lease, .image = on_image, .text = on_text, .context = j
        };

        request->store = store_path(j->engine->store);
        if (lease_new(j->engine->store, &j->lease, err) < 0)
                return -1;
        return transfer_run(request, input, output, &events, err);
}

/* ------------------------------------------------------------------------------------------------------------- pull */

struct pulled {
        struct digest digest;
        bool newer;
};

static void note_pulled(struct job *j, const struct image_row *image)
{
        struct pulled *p = j->context;
        const char *digested = image->repo_digests.n_items > 0 ? image->repo_digests.items[0] : NULL;
        const char *name = image->names.n_items > 0 ? image->names.items[0] : digested;
        const char *at = digested ? strchr(digested, '@') : NULL;
        auto_image_row before = { 0 };

        if (!name || image_find(j->engine->store, name, &before, NULL) < 0 || !digest_eq(&before.id, &image->id))
                p->newer = true;
        if (at)
                (void)!digest_parse(at + 1, &p->digest, NULL);
}

void image_pulled_done(struct image_pulled *p)
{
        free(p->full);
        *p = (struct image_pulled){ 0 };
}

int engine_pull(struct engine *e, const struct image_pull *p, const struct engine_progress *progress,
                struct image_pulled *ret, struct cor_err *err)
{
        struct pulled pulled = { .digest = DIGEST_NONE };
        auto_job j = { .engine = e, .progress = progress, .on_image = note_pulled, .context = &pulled };
        auto_reference ref = { 0 };
        auto_str full = NULL;
        struct platform platform;
        struct transfer_request request = {
                .verb = TRANSFER_PULL, .platform = p->platform, .all_tags = p->all_tags, .discard = p->discard
        };

        if (reference_parse(p->reference, &ref, err) < 0)
                return -1;
        if (p->platform && platform_parse(p->platform, &platform, err) < 0)
                return -1;
        if (!p->all_tags)
                reference_default_tag(&ref);
        request.reference = full = reference_full(&ref);
        if (job_run(&j, &request, -1, -1, err) < 0)
                return -1;
        note_exchange(e, &ref, full, "pull");
        *ret = (struct image_pulled){ .digest = pulled.digest, .newer = pulled.newer, .full = COR_TAKE(full) };
        return 0;
}

/* ----------------------------------------------------------------------------------------------- load, save, import */

int engine_load(struct engine *e, int input, const char *platform, const struct engine_progress *progress,
                void (*loaded)(void *context, const char *line), void *context, struct cor_err *err)
{
        auto_job j = { .engine = e, .progress = progress, .action = "load" };
        struct transfer_request request = { .verb = TRANSFER_LOAD, .platform = platform };
        int r = job_run(&j, &request, input, -1, err);
        char *cursor = j.text.s;

        for (char *line; cursor && (line = cor_split_next(&cursor, '\n'));) /* also those before a failure */
                if (*line)
                        loaded(context, line);
        return r;
}

/* The images that @names mean, each once, with the names that were asked for. */
static int find_all(struct engine *e, char *const *names, size_t n_names, const char *platform, struct image_list *ret,
                    struct cor_err *err)
{
        for (size_t i = 0; i < n_names; i++) {
                auto_image_row row = { 0 };
                auto_reference ref = { 0 };
                struct image_row *known = NULL;

                if (engine_image(e, names[i], &row, err) < 0 ||
                    image_require_platform(&row, platform, names[i], err) < 0)
                        return -1;
                for (size_t k = 0; k < ret->n_items; k++)
                        if (digest_eq(&ret->items[k].id, &row.id))
                                known = &ret->items[k];
                if (!known) {
                        cor_strv_done(&row.names);
                        known = COR_GROW(ret->items, ret->n_items);
                        *known = row;
                        row = (struct image_row){ 0 };
                }
                if (!digest_is(names[i]) && reference_parse(names[i], &ref, NULL) == 0) {
                        auto_image_row named = { 0 };
                        auto_str full = NULL;

                        reference_default_tag(&ref);
                        full = reference_tagged(&ref);
                        if (full && image_find(e->store, full, &named, NULL) == 0 && digest_eq(&named.id, &known->id))
                                cor_strv_add(&known->names, full);
                }
        }
        return 0;
}

int engine_save(struct engine *e, char *const *names, size_t n_names, const char *platform, bool oci, int output,
                struct cor_err *err)
{
        auto_job j = { .engine = e };
        auto_image_list list = { 0 };
        struct transfer_request request = { .verb = TRANSFER_SAVE, .oci_format = oci };
        int r = find_all(e, names, n_names, platform, &list, err);

        for (size_t i = 0; r == 0 && i < list.n_items; i++)
                transfer_image_from_row(&list.items[i], COR_GROW(request.images, request.n_images));
        if (r == 0)
                r = job_run(&j, &request, -1, output, err);
        for (size_t i = 0; r == 0 && i < list.n_items; i++)
                engine_image_event(e, &list.items[i], "save", NULL);
        for (size_t i = 0; i < request.n_images; i++)
                transfer_image_done(&request.images[i]);
        free(request.images);
        return r;
}

static void note_id(struct job *j, const struct image_row *image)
{
        *(struct digest *)j->context = image->id;
}

int engine_import(struct engine *e, int input, const struct image_import *i, const struct engine_progress *progress,
                  struct digest *ret_id, struct cor_err *err)
{
        auto_job j = { .engine = e, .progress = progress, .on_image = note_id, .context = ret_id, .action = "import" };
        struct transfer_request request = { .verb = TRANSFER_IMPORT,
                                            .reference = i->reference,
                                            .platform = i->platform,
                                            .url = i->url,
                                            .message = i->message,
                                            .changes = (const char **)(uintptr_t)i->changes,
                                            .n_changes = i->n_changes };
        auto_reference ref = { 0 };
        auto_str full = NULL;

        if (i->reference) {
                if (reference_parse(i->reference, &ref, err) < 0)
                        return -1;
                if (digest_set(&ref.digest))
                        return cor_fail(err, COR_INVALID, "%s: cannot import digest reference", i->reference);
                reference_default_tag(&ref);
                request.reference = full = reference_full(&ref);
        }
        return job_run(&j, &request, input, -1, err);
}

static bool lacks_blobs(const struct engine *e, const struct image_row *i)
{
        for (size_t n = 0; n < i->n_blobs; n++)
                if (i->blobs[n].kind == IMAGE_BLOB_LAYER && blob_find(e->store, &i->blobs[n].digest) < 0)
                        return true;
        return false;
}

int engine_commit_image(struct engine *e, int input, const struct image_commit *c, struct digest *ret_id,
                        struct cor_err *err)
{
        auto_job j = { .engine = e, .on_image = note_id, .context = ret_id };
        struct transfer_image base = { 0 };
        struct transfer_request request = { .verb = TRANSFER_COMMIT,
                                            .images = &base,
                                            .n_images = 1,
                                            .author = c->author,
                                            .message = c->message,
                                            .command = c->command,
                                            .config = c->config,
                                            .changes = (const char **)(uintptr_t)c->changes,
                                            .n_changes = c->n_changes,
                                            .discard = lacks_blobs(e, c->base) };
        auto_reference ref = { 0 };
        auto_str full = NULL;
        int r;

        if (c->reference) {
                if (reference_parse(c->reference, &ref, err) < 0)
                        return -1;
                if (digest_set(&ref.digest))
                        return cor_fail(err, COR_INVALID, "%s: cannot commit to digest reference", c->reference);
                reference_default_tag(&ref);
                request.reference = full = reference_full(&ref);
        }
        transfer_image_from_row(c->base, &base);
        r = job_run(&j, &request, input, -1, err);
        transfer_image_done(&base);
        return r;
}

/* ------------------------------------------------------------------------------------------------------------- push */

/* The images that bear tags of the repository, or the one that bears @ref, each under one name. */
static int find_pushed(struct engine *e, const struct reference *ref, bool all_tags, struct image_list *ret,
                       struct cor_err *err)
{
        auto_image_list all = { 0 };
        auto_str name = reference_name(ref);
        auto_str full = reference_tagged(ref);
        auto_str familiar = reference_familiar_name(ref);

        if (image_all(e->store, true, &all, err) < 0)
                return -1;
        for (size_t i = 0; i < all.n_items; i++)
                for (size_t k = 0; k < all.items[i].names.n_items; k++) {
                        const char *known = all.items[i].names.items[k];
                        bool wanted = all_tags ? cor_starts_with(known, name) && known[strlen(name)] == ':'
                                               : strcmp(known, full) == 0;
                        struct image_row *row;

                        if (!wanted)
                                continue;
                        row = COR_GROW(ret->items, ret->n_items);
                        if (image_find(e->store, known, row, err) < 0)
                                return -1;
                        cor_strv_done(&row->names);
                        cor_strv_add(&row->names, known);
                }
        if (ret->n_items > 0)
                return 0;
        return cor_fail(err, COR_NOT_FOUND, "An image does not exist locally with the tag: %s", familiar);
}

int engine_push(struct engine *e, const char *reference, const char *platform, bool all_tags,
                const struct engine_progress *progress, struct cor_err *err)
{
        auto_job j = { .engine = e, .progress = progress };
        auto_reference ref = { 0 };
        auto_image_list list = { 0 };
        auto_str full = NULL;
        struct transfer_request request = { .verb = TRANSFER_PUSH };
        int r;

        if (reference_parse(reference, &ref, err) < 0)
                return -1;
        if (digest_set(&ref.digest))
                return cor_fail(err, COR_INVALID, "cannot push a digest reference");
        if (all_tags && ref.tag)
                return cor_fail(err, COR_INVALID, "tag can't be used with --all-tags/-a");
        reference_default_tag(&ref);
        request.reference = full = reference_full(&ref);
        r = find_pushed(e, &ref, all_tags, &list, err);
        for (size_t i = 0; r == 0 && i < list.n_items; i++)
                r = image_require_platform(&list.items[i], platform, reference, err);
        for (size_t i = 0; r == 0 && i < list.n_items; i++)
                transfer_image_from_row(&list.items[i], COR_GROW(request.images, request.n_images));
        if (r == 0)
                r = job_run(&j, &request, -1, -1, err);
        if (r == 0)
                note_exchange(e, &ref, full, "push");
        for (size_t i = 0; i < request.n_images; i++)
                transfer_image_done(&request.images[i]);
        free(request.images);
        return r;
}

/* -------------------------------------------------------------------------------------------------------- questions */

/* Run a job whose answer is text; *ret is never NULL on success. */
static int ask(struct engine *e, struct transfer_request *request, char **ret, struct cor_err *err)
{
        auto_job j = { .engine = e };

        if (job_run(&j, request, -1, -1, err) < 0)
                return -1;
        *ret = cor_text_take(&j.text);
        return 0;
}

int engine_manifest(struct engine *e, const char *reference, bool insecure, bool with_config,
                    struct remote_manifest *ret, struct cor_err *err)
{
        struct transfer_request request = { .verb = TRANSFER_MANIFEST,
                                            .insecure = insecure,
                                            .with_config = with_config };
        auto_reference ref = { 0 };
        auto_str full = NULL;
        auto_str answer = NULL;
        char type[128], digest[DIGEST_TEXT_MAX + 1];
        size_t n;
        int head = 0;

        if (reference_parse(reference, &ref, err) < 0)
                return -1;
        reference_default_tag(&ref);
        request.reference = full = reference_full(&ref);
        if (ask(e, &request, &answer, err) < 0)
                return -1;
        if (sscanf(answer, "%127s %135s %zu%n", type, digest, &n, &head) != 3 || answer[head] != '\n' ||
            strlen(answer + head + 1) < n || digest_parse(digest, &ret->digest, err) < 0)
                return cor_fail(err, COR_SYSTEM, "coracle-transfer answered with something that is no manifest");
        ret->media_type = cor_strdup(type);
        ret->text = cor_strndup(answer + head + 1, n);
        ret->n = n;
        ret->config = answer[(size_t)head + 1 + n] ? cor_strdup(answer + head + 1 + n) : NULL;
        return 0;
}

void remote_manifest_done(struct remote_manifest *m)
{
        free(m->media_type);
        free(m->text);
        free(m->config);
        *m = (struct remote_manifest){ 0 };
}

int engine_push_list(struct engine *e, const char *reference, bool insecure, struct transfer_manifest *list,
                     struct transfer_manifest *manifests, size_t n_manifests, char **ret, struct cor_err *err)
{
        struct transfer_request request = { .verb = TRANSFER_PUSH_LIST,
                                            .reference = reference,
                                            .insecure = insecure,
                                            .list = list,
                                            .manifests = manifests,
                                            .n_manifests = n_manifests };

        return ask(e, &request, ret, err);
}

int engine_login(struct engine *e, const char *domain, const char *user, const char *password, char **ret_token,
                 struct cor_err *err)
{
        struct transfer_request request = {
                .verb = TRANSFER_LOGIN, .domain = domain, .user = user, .password = password
        };

        return ask(e, &request, ret_token, err);
}

int engine_search(struct engine *e, const char *domain, const char *term, unsigned limit, char **ret,
                  struct cor_err *err)
{
        struct transfer_request request = { .verb = TRANSFER_SEARCH, .domain = domain, .term = term, .limit = limit };

        return ask(e, &request, ret, err);
}
