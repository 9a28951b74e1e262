#include "base/fd.h"
#include "base/text.h"
#include "engine/image.h"
#include "store/blob.h"
#include "store/hash.h"
#include "store/layer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "../base/scratch.h"

#define D0 "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"

/* Not engine_open(), which would make a user namespace for ordinary users: nothing here needs other ids. */
static struct engine open_at(struct scratch *s)
{
        struct engine e = { 0 };
        struct cor_err err = { 0 };
        auto_str path = cor_printf("%s/store", s->path);

        if (store_open(path, STORE_DATABASE | STORE_CREATE, &e.store, &err) < 0)
                fail_msg("%s", err.msg);
        return e;
}

static struct digest put(struct engine *e, const char *text)
{
        struct digest d;

        assert_int_equal(blob_put(e->store, text, strlen(text), &d, NULL), 0);
        return d;
}

static void add_blob(struct image_row *i, struct digest d, enum image_blob_kind kind, int64_t size)
{
        struct image_blob *b = COR_GROW(i->blobs, i->n_blobs);

        b->digest = d;
        b->kind = kind;
        b->size = size;
}

static void add_layer(struct engine *e, struct image_row *i, const char *text)
{
        struct image_layer *l = COR_GROW(i->layers, i->n_layers);
        auto_layer_ingest in = NULL;

        l->diff_id = l->name = hash_bytes(text, strlen(text));
        l->size = 10;
        assert_int_equal(layer_ingest_begin(e->store, &in, NULL), 0);
        assert_int_equal(layer_ingest_finish(in, 10, NULL), 0);
        assert_int_equal(layer_ingest_commit(in, &l->name, NULL), 0);
}

static int64_t made_ns; /* the fraction of the second in which make() makes it */

/* An image with a layer of its own on a base that all share. @names end with NULL. Returns its id. */
static struct digest make(struct engine *e, const char *what, int64_t created, const char *label,
                          const char *const *names)
{
        auto_str config = cor_printf("{\"architecture\":\"riscv64\",\"os\":\"linux\",\"author\":\"%s\",\"rootfs\":{"
                                     "\"type\":\"layers\",\"diff_ids\":[\"" D0 "\"]}}",
                                     what);
        auto_str manifest = cor_printf("manifest of %s", what);
        auto_image_row i = { .created = created,
                             .created_ns = made_ns,
                             .architecture = cor_strdup("riscv64"),
                             .os = cor_strdup("linux") };
        struct cor_err err = { 0 };

        i.id = put(e, config);
        i.manifest = put(e, manifest);
        add_blob(&i, i.manifest, IMAGE_BLOB_MANIFEST, (int64_t)strlen(manifest));
        add_blob(&i, i.id, IMAGE_BLOB_CONFIG, (int64_t)strlen(config));
        add_layer(e, &i, "base");
        add_layer(e, &i, what);
        if (label)
                cor_strv_add(&i.labels, label);
        for (; *names; names++)
                cor_strv_add(strchr(*names, '@') ? &i.repo_digests : &i.names, *names);
        if (image_put(e->store, &i, &err) < 0)
                fail_msg("%s", err.msg);
        return i.id;
}
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NO_NAMES   ((const char *const[]){ NULL })

static void expect_error(int r, const struct cor_err *err, enum cor_kind kind, const char *text)
{
        assert_int_equal(r, -1);
        assert_string_equal(err->msg, text);
        assert_int_equal(err->kind, kind);
}

static void found_as_docker_finds(void **state)
{
        COR_CLEANUP(engine_done) struct engine e = open_at(*state);
        struct digest id = make(&e, "a", 0, NULL, NAMES("docker.io/library/a:latest", "docker.io/library/a@" D1));
        char prefix[13];
        struct cor_err err = { 0 };
        const char *const names[] = { "a",           "a:latest", "library/a",     "docker.io/a", "a@" D1,
                                      "a:other@" D1, id.text,    digest_hex(&id), prefix };

        snprintf(prefix, sizeof prefix, "%s", digest_hex(&id));
        for (size_t n = 0; n < COR_COUNT(names); n++) {
                auto_image_row i = { 0 };

                if (engine_image(&e, names[n], &i, &err) < 0)
                        fail_msg("%s: %s", names[n], err.msg);
                assert_string_equal(i.id.text, id.text);
                assert_int_equal(i.n_layers, 2);
        }
        struct image_row none;

        expect_error(engine_image(&e, "b", &none, &err), &err, COR_NOT_FOUND, "No such image: b:latest");
        expect_error(engine_image(&e, "x.io/b:1", &none, &err), &err, COR_NOT_FOUND, "No such image: x.io/b:1");
        expect_error(engine_image(&e, D1, &none, &err), &err, COR_NOT_FOUND, "No such image: " D1);
        expect_error(engine_image(&e, &D1[7], &none, &err), &err, COR_NOT_FOUND, "No such image: " D1);
        assert_int_equal(engine_image(&e, "UPPER", &none, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_int_equal(engine_image(&e, "", &none, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
}

static void configuration_is_read(void **state)
{
        COR_CLEANUP(engine_done) struct engine e = open_at(*state);
        struct image_config *config auto_json = NULL;
        auto_image_row i = { 0 };
        auto_str text = NULL;

        make(&e, "a", 0, NULL, NAMES("docker.io/library/a:latest"));
        assert_int_equal(engine_image(&e, "a", &i, NULL), 0);
        assert_int_equal(engine_image_config(&e, &i, &config, &text, NULL), 0);
        assert_string_equal(config->author, "a");
        assert_non_null(strstr(text, "riscv64"));
}

static void tagged(void **state)
{
        COR_CLEANUP(engine_done) struct engine e = open_at(*state);
        struct cor_err err = { 0 };
        auto_image_row i = { 0 };

        make(&e, "a", 0, NULL, NAMES("docker.io/library/a:latest"));
        assert_int_equal(engine_tag(&e, "a", "localhost:5000/b:1", &err), 0);
        assert_int_equal(engine_tag(&e, "localhost:5000/b:1", "c", &err), 0);
        assert_int_equal(engine_image(&e, "c", &i, &err), 0);
        assert_int_equal(i.names.n_items, 3);
        expect_error(engine_tag(&e, "none", "c", &err), &err, COR_NOT_FOUND, "No such image: none:latest");
        expect_error(engine_tag(&e, "a", "a@" D1, &err), &err, COR_INVALID,
                     "refusing to create a tag with a digest reference");
        expect_error(engine_tag(&e, "a", "sha256:1234", &err), &err, COR_INVALID,
                     "refusing to create an ambiguous tag using digest algorithm as name");
        expect_error(engine_tag(&e, "a", "Foo", &err), &err, COR_INVALID,
                     "Error parsing reference: \"Foo\" is not a valid repository/tag: invalid reference format: "
                     "repository name (library/Foo) must be lowercase");
}

/* The ids' first letters of what is listed, as "b a ": each image is called by one letter. */
static void expect_list(struct engine *e, const char *filters, const char *reference, const char *wanted)
{
        auto_strv items = { 0 };
        auto_image_list list = { 0 };
        auto_text got = COR_TEXT_INIT;
        auto_str copy = cor_strdup(filters);
        char *cursor = copy, *piece;
        struct cor_err err = { 0 };

        while (*filters && (piece = cor_split_next(&cursor, ' ')))
                cor_strv_add(&items, piece);
        struct image_filter filter = { items.items, items.n_items };

        if (engine_images(e, &filter, reference, &list, &err) < 0) {
                assert_string_equal(err.msg, wanted);
                return;
        }
        for (size_t n = 0; n < list.n_items; n++)
                for (const char *what = "abcd"; *what; what++) {
                        auto_str config = cor_printf("{\"architecture\":\"riscv64\",\"os\":\"linux\",\"author\":\"%c\","
                                                     "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D0 "\"]}}",
                                                     *what);
                        struct digest id = hash_bytes(config, strlen(config));

                        if (digest_eq(&id, &list.items[n].id))
                                cor_text_printf(&got, "%c%zu ", *what, list.items[n].names.n_items);
                }
        if (strcmp(got.len ? got.s : "", wanted) != 0)
                fail_msg("%s %s: %s, not %s", filters, reference ? reference : "", got.len ? got.s : "", wanted);
}

static void listed_and_filtered(void **state)
{
        COR_CLEANUP(engine_done) struct engine e = open_at(*state);

        make(&e, "a", 1000, "who=me", NAMES("docker.io/library/a:1", "docker.io/library/a:2"));
        make(&e, "b", 2000, "who=you", NAMES("localhost:5000/team/b:1", "localhost:5000/team/b@" D1));
        make(&e, "c", 3000, NULL, NAMES("docker.io/library/c@" D0));
        make(&e, "d", 4000, NULL, NO_NAMES);

        expect_list(&e, "", NULL, "d0 c0 b1 a2 ");
        expect_list(&e, "dangling=true", NULL, "d0 c0 ");
        expect_list(&e, "dangling=1", NULL, "d0 c0 ");
        expect_list(&e, "dangling=false", NULL, "c0 b1 a2 ");
        expect_list(&e, "label=who", NULL, "b1 a2 ");
        expect_list(&e, "label=who=me", NULL, "a2 ");
        expect_list(&e, "label=who=me label=who=you", NULL, "");
        expect_list(&e, "label=wh", NULL, "");
        expect_list(&e, "before=c@" D0, NULL, "b1 a2 ");
        expect_list(&e, "since=a:1", NULL, "d0 c0 b1 ");
        expect_list(&e, "since=a:1 before=c@" D0, NULL, "b1 ");
        expect_list(&e, "until=2000", NULL, "b1 a2 ");
        expect_list(&e, "until=1970-01-01T00:16:40Z", NULL, "a2 ");
        expect_list(&e, "until=24h", NULL, "d0 c0 b1 a2 ");
        expect_list(&e, "reference=a:*", NULL, "a2 ");
        expect_list(&e, "reference=a:1", NULL, "a1 "); /* the other name is not shown */
        expect_list(&e, "reference=a", NULL, "a2 ");
        expect_list(&e, "", "a", "a2 ");
        expect_list(&e, "", "a:2", "a1 ");
        expect_list(&e, "reference=*/*/b", NULL, "b1 ");
        expect_list(&e, "reference=a:1 reference=*/*/b", NULL, "b1 a1 ");
        expect_list(&e, "reference=c", NULL, "c0 ");
        expect_list(&e, "", "none", "");
        expect_list(&e, "dangling=maybe", NULL, "invalid filter 'dangling=[maybe]'");
        expect_list(&e, "what=ever", NULL, "invalid filter 'what'");
        expect_list(&e, "label!=x", NULL, "invalid filter 'label!'");
        expect_list(&e, "before=none", NULL, "No such image: none:latest");
        expect_list(&e, "reference=[", NULL, "syntax error in pattern");
        expect_list(&e, "until=soon", NULL, "failed to parse value as time or duration: \"soon\"");
}

static struct digest layer_chain(const char *what)
{
        struct digest base = hash_bytes("base", 4), own = hash_bytes(what, strlen(what));

        return hash_chain(&base, &own);
}

static void expect_lines(const struct image_removed *r, const char *const *lines)
{
        for (size_t n = 0; n < r->lines.n_items; n++) {
                if (!lines[n])
                        fail_msg("also: %s", r->lines.items[n]);
                assert_string_equal(r->lines.items[n], lines[n]);
        }
        assert_null(lines[r->lines.n_items]);
}

static void of_one_second_the_fraction_says_which_is_older(void **state)
{
        COR_CLEANUP(engine_done) struct engine e = open_at(*state);

        made_ns = 1;
        make(&e, "a", 1000, NULL, NAMES("docker.io/library/a:1"));
        made_ns = 2;
        make(&e, "b", 1000, NULL, NAMES("docker.io/library/b:1"));
        made_ns = 0;
        expect_list(&e, "before=b:1", NULL, "a1 ");
        expect_list(&e, "since=a:1", NULL, "b1 ");
        expect_list(&e, "before=a:1", NULL, "");
        expect_list(&e, "since=b:1", NULL, "");
}

static void removed_by_name(void **state)
{
        COR_CLEANUP(engine_done) struct engine e = open_at(*state);
        struct digest a = make(&e, "a", 0, NULL,
                               NAMES("docker.io/library/a:1", "docker.io/library/a:2", "docker.io/library/a@" D1));
        struct digest chain = layer_chain("a"), base = hash_bytes("base", 4);
        auto_str deleted = cor_printf("Deleted: %s", a.text);
        auto_str deleted_layer = cor_printf("Deleted: %s", chain.text);
        auto_str deleted_base = cor_printf("Deleted: %s", base.text);
        auto_image_removed one = { 0 }, two = { 0 }, three = { 0 };
        struct cor_err err = { 0 };

        make(&e, "b", 0, NULL, NAMES("docker.io/library/b:latest"));
        assert_int_equal(engine_remove_image(&e, "a:1", NULL, false, false, &one, &err), 0);
        expect_lines(&one, NAMES("Untagged: a:1"));
        expect_error(engine_remove_image(&e, "a:2", "linux/amd64", false, false, &two, &err), &err, COR_NOT_FOUND,
                     "image with reference a:2 was found but does not match the specified platform: wanted "
                     "linux/amd64, actual: linux/riscv64");
        assert_int_equal(engine_remove_image(&e, "a:2", "linux/riscv64", false, false, &two, &err), 0);
        expect_lines(&two, NAMES("Untagged: a:2", "Untagged: a@" D1, deleted, deleted_layer)); /* b has the base, too */
        assert_int_equal(blob_find(e.store, &a), -1);
        expect_error(engine_remove_image(&e, "a:2", NULL, false, false, &two, &err), &err, COR_NOT_FOUND,
                     "No such image: a:2");
        assert_int_equal(engine_remove_image(&e, "b", NULL, false, false, &three, &err), 0);
        assert_int_equal(three.lines.n_items, 4);
        assert_string_equal(three.lines.items[3], deleted_base);
        assert_true(three.bytes >= 20);
}

static void removed_by_id(void **state)
{
        COR_CLEANUP(engine_done) struct engine e = open_at(*state);
        struct digest a = make(&e, "a", 0, NULL, NAMES("docker.io/library/a:1", "x.io/a:1", "x.io/a@" D1));
        struct digest b = make(&e, "b", 0, NULL, NAMES("docker.io/library/b:1", "docker.io/library/b@" D1));
        auto_str refused = cor_printf(
                "conflict: unable to delete %.12s (must be forced) - image is referenced in multiple repositories",
                digest_hex(&a));
        auto_image_removed r = { 0 }, forced = { 0 };
        struct cor_err err = { 0 };

        expect_error(engine_remove_image(&e, digest_hex(&a), NULL, false, false, &r, &err), &err, COR_BUSY, refused);
        assert_int_equal(engine_remove_image(&e, b.text, NULL, false, false, &r, &err), 0);
        assert_string_equal(r.lines.items[0], "Untagged: b:1");
        assert_string_equal(r.lines.items[1], "Untagged: b@" D1);
        assert_int_equal(r.lines.n_items, 4);
        assert_int_equal(engine_remove_image(&e, digest_hex(&a), NULL, true, false, &forced, &err), 0);
        assert_int_equal(forced.lines.n_items, 6);
}

static void pruned(void **state)
{
        COR_CLEANUP(engine_done) struct engine e = open_at(*state);
        auto_image_removed r = { 0 }, labelled = { 0 }, rest = { 0 };
        char *keep[] = { (char[]){ "label!=keep" }, NULL }, *wrong[] = { (char[]){ "reference=x" }, NULL };
        struct image_filter filter = { keep, 1 }, bad = { wrong, 1 };
        auto_image_list left = { 0 };
        struct cor_err err = { 0 };

        make(&e, "a", 1000, NULL, NAMES("docker.io/library/a:1"));
        make(&e, "b", 2000, "keep=1", NAMES("docker.io/library/b:1"));
        make(&e, "c", 3000, NULL, NAMES("docker.io/library/c@" D0));
        make(&e, "d", 4000, NULL, NO_NAMES);
        expect_error(engine_prune_images(&e, false, &bad, &r, &err), &err, COR_INVALID, "invalid filter 'reference'");
        assert_int_equal(engine_prune_images(&e, false, NULL, &r, &err), 0);
        assert_int_equal(r.lines.n_items, 5); /* d: itself and a layer; c: a digest, itself and a layer */
        assert_int_equal(engine_prune_images(&e, true, &filter, &labelled, &err), 0);
        assert_string_equal(labelled.lines.items[0], "Untagged: a:1");
        assert_int_equal(labelled.lines.n_items, 3);
        assert_int_equal(engine_images(&e, NULL, NULL, &left, &err), 0);
        assert_int_equal(left.n_items, 1);
        assert_int_equal(engine_prune_images(&e, true, NULL, &rest, &err), 0);
        assert_int_equal(rest.lines.n_items, 4); /* a name, the image, its layer, and the base that is left by all */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(found_as_docker_finds),
                scratch_test(configuration_is_read),
                scratch_test(tagged),
                scratch_test(listed_and_filtered),
                scratch_test(of_one_second_the_fraction_says_which_is_older),
                scratch_test(removed_by_name),
                scratch_test(removed_by_id),
                scratch_test(pruned),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
