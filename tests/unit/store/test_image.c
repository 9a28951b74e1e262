#include "base/fd.h"
#include "base/text.h"
#include "store/blob.h"
#include "store/hash.h"
#include "store/image.h"
#include "store/layer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "opened.h"

static int forget(struct store *s, const struct digest *id, const char *name, enum image_forgetting what,
                  struct cor_err *err)
{
        auto_strv names = { 0 };

        if (name)
                cor_strv_add(&names, name);
        return image_forget(s, id, &names, what, err);
}

static struct digest put(struct store *s, const char *text)
{
        struct digest d;

        assert_int_equal(blob_put(s, text, strlen(text), &d, NULL), 0);
        return d;
}

static void make_layer(struct store *s, const struct digest *name)
{
        auto_layer_ingest i = NULL;

        assert_int_equal(layer_ingest_begin(s, &i, NULL), 0);
        assert_int_equal(mkdirat(layer_ingest_fd(i), "dir", 0755), 0);
        assert_int_equal(layer_ingest_finish(i, 5, NULL), 0);
        assert_int_equal(layer_ingest_commit(i, name, NULL), 0);
}

static void add_blob(struct image_row *i, struct digest d, enum image_blob_kind kind, int64_t size)
{
        struct image_blob *b = COR_GROW(i->blobs, i->n_blobs);

        b->digest = d;
        b->kind = kind;
        b->size = size;
}

/* An image whose blobs are made of @what; one layer, called by the digest of @layer. image_row_done() */
static struct image_row make_image(struct store *s, const char *what, const char *layer)
{
        auto_str config = cor_printf("config of %s", what);
        auto_str manifest = cor_printf("manifest of %s", what);
        struct image_row i = { .created = 1000, .pulled = 2000, .size = 5 };
        struct image_layer *l = COR_GROW(i.layers, i.n_layers);

        i.id = put(s, config);
        i.manifest = put(s, manifest);
        i.architecture = cor_strdup("riscv64");
        i.os = cor_strdup("linux");
        add_blob(&i, i.manifest, IMAGE_BLOB_MANIFEST, (int64_t)strlen(manifest));
        add_blob(&i, i.id, IMAGE_BLOB_CONFIG, (int64_t)strlen(config));
        add_blob(&i, put(s, layer), IMAGE_BLOB_LAYER, (int64_t)strlen(layer));
        l->diff_id = l->name = i.blobs[2].digest;
        l->size = 5;
        if (layer_size(s, &l->name) < 0)
                make_layer(s, &l->name);
        return i;
}

static void ok(int r, const struct cor_err *err)
{
        if (r < 0)
                fail_msg("%s", err->msg);
}

static void recorded_and_found(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_image_row i = make_image(s, "a", "layer a");
        auto_image_row by_name = { 0 }, by_id = { 0 }, by_prefix = { 0 };
        auto_image_list all = { 0 };
        struct cor_err err = { 0 };
        char prefix[13];

        cor_strv_add(&i.names, "docker.io/library/a:latest");
        cor_strv_add(&i.names, "docker.io/library/a:1");
        cor_strv_add(&i.repo_digests,
                     "docker.io/library/a@sha256:0000000000000000000000000000000000000000000000000000000000000000");
        cor_strv_add(&i.labels, "one=1");
        cor_strv_add(&i.labels, "two=line\nbreak");
        ok(image_put(s, &i, &err), &err);
        ok(image_put(s, &i, &err), &err); /* again changes nothing */

        ok(image_find(s, "docker.io/library/a:1", &by_name, &err), &err);
        assert_string_equal(by_name.id.text, i.id.text);
        assert_string_equal(by_name.manifest.text, i.manifest.text);
        assert_string_equal(by_name.architecture, "riscv64");
        assert_null(by_name.variant);
        assert_int_equal(by_name.created, 1000);
        assert_int_equal(by_name.n_blobs, 3);
        assert_int_equal(by_name.blobs[1].kind, IMAGE_BLOB_CONFIG);
        assert_int_equal(by_name.n_layers, 1);
        assert_int_equal(by_name.layers[0].size, 5);
        assert_int_equal(by_name.names.n_items, 2);
        assert_string_equal(by_name.names.items[0], "docker.io/library/a:1");
        assert_int_equal(by_name.repo_digests.n_items, 1);
        assert_int_equal(by_name.labels.n_items, 2);
        assert_string_equal(by_name.labels.items[1], "two=line\nbreak");

        ok(image_find(s, i.id.text, &by_id, &err), &err);
        snprintf(prefix, sizeof prefix, "%s", digest_hex(&i.id));
        ok(image_find(s, prefix, &by_prefix, &err), &err);
        assert_string_equal(by_prefix.id.text, i.id.text);
        ok(image_all(s, false, &all, &err), &err);
        assert_int_equal(all.n_items, 1);
        assert_int_equal(all.items[0].n_blobs, 0);
        assert_int_equal(all.items[0].names.n_items, 2);
}

static void what_is_not_there_is_not_found(void **state)
{
        static const char *const names[] = {
                "docker.io/library/b:1", "abc", "", "sha256:", "sha256:zz", "xyz", "sha512:ab", ":"
        };
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_image_row i = make_image(s, "a", "layer a"), found = { 0 };
        struct digest none = hash_bytes("none", 4);
        struct cor_err err = { 0 };

        ok(image_put(s, &i, &err), &err);
        for (size_t n = 0; n < COR_COUNT(names); n++) {
                if (strncmp(names[n], digest_hex(&i.id), strlen(names[n])) == 0 && *names[n])
                        continue;
                assert_int_equal(image_find(s, names[n], &found, &err), -1);
                assert_int_equal(err.kind, COR_NOT_FOUND);
        }
        assert_int_equal(forget(s, &none, NULL, IMAGE_FORGET_ALL, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_int_equal(image_tag(s, &none, "docker.io/library/b:1", &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
}

static void prefix_of_two_ids_is_refused(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        struct cor_err err = { 0 };
        char first[17] = { 0 }, digit[2] = { 0 };

        for (int n = 0; n < 20; n++) { /* with 20 of them, two begin with the same digit */
                auto_str what = cor_printf("image %d", n);
                auto_image_row i = make_image(s, what, "layer"), found = { 0 };

                digit[0] = digest_hex(&i.id)[0];
                ok(image_put(s, &i, &err), &err);
                if (strchr(first, digit[0])) {
                        assert_int_equal(image_find(s, digit, &found, &err), -1);
                        assert_int_equal(err.kind, COR_INVALID);
                        return;
                }
                first[strlen(first)] = digit[0];
        }
        fail();
}

static void incomplete_images_are_refused(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_image_row i = make_image(s, "a", "layer a");
        auto_image_list all = { 0 };
        struct cor_err err = { 0 };

        ok(blob_remove(s, &i.blobs[2].digest, &err), &err);
        assert_int_equal(image_put(s, &i, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_non_null(strstr(err.msg, i.blobs[2].digest.text));
        i.blobs[2].optional = true;
        ok(layer_remove(s, &i.layers[0].name, &err), &err);
        assert_int_equal(image_put(s, &i, &err), -1);
        make_layer(s, &i.layers[0].name);
        i.blobs[1].size++;
        assert_int_equal(image_put(s, &i, &err), -1);
        i.blobs[1].size--;
        ok(image_all(s, false, &all, &err), &err);
        assert_int_equal(all.n_items, 0);
        ok(image_put(s, &i, &err), &err);
}

static void a_name_leads_to_one_image(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_image_row a = make_image(s, "a", "layer a"), b = make_image(s, "b", "layer b");
        auto_image_row found = { 0 }, old = { 0 };
        struct cor_err err = { 0 };

        cor_strv_add(&a.names, "docker.io/library/x:1");
        cor_strv_add(&b.names, "docker.io/library/x:1");
        ok(image_put(s, &a, &err), &err);
        ok(image_put(s, &b, &err), &err);
        ok(image_find(s, "docker.io/library/x:1", &found, &err), &err);
        assert_string_equal(found.id.text, b.id.text);
        ok(image_find(s, a.id.text, &old, &err), &err);
        assert_int_equal(old.names.n_items, 0);
        ok(image_tag(s, &a.id, "docker.io/library/x:1", &err), &err);
        assert_int_equal(forget(s, &b.id, "docker.io/library/x:1", IMAGE_FORGET_NAMES, &err), 0); /* not its name */
        image_row_done(&found);
        ok(image_find(s, "docker.io/library/x:1", &found, &err), &err);
        assert_string_equal(found.id.text, a.id.text);
        ok(image_tag(s, &a.id, "docker.io/library/y:1", &err), &err);
        assert_int_equal(forget(s, &a.id, "docker.io/library/x:1", IMAGE_FORGET_UNLESS_NAMED, &err), 0);
        assert_int_equal(forget(s, &a.id, "docker.io/library/y:1", IMAGE_FORGET_UNLESS_NAMED, &err), 1);
        image_row_done(&found);
        assert_int_equal(image_find(s, "docker.io/library/x:1", &found, &err), -1);
}

static void newest_first(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_image_row a = make_image(s, "a", "layer"), b = make_image(s, "b", "layer"),
                       c = make_image(s, "c", "layer");
        auto_image_list all = { 0 };
        struct cor_err err = { 0 };

        b.created = 3000;
        ok(image_put(s, &a, &err), &err);
        ok(image_put(s, &b, &err), &err);
        ok(image_put(s, &c, &err), &err);
        ok(image_all(s, true, &all, &err), &err);
        assert_int_equal(all.n_items, 3);
        assert_string_equal(all.items[0].id.text, b.id.text);
        assert_string_equal(all.items[1].id.text, c.id.text);
        for (int n = 0; n < 3; n++) {
                assert_int_equal(all.items[n].n_blobs, 3);
                assert_int_equal(all.items[n].n_layers, 1);
        }
        assert_string_equal(all.items[2].blobs[1].digest.text, a.id.text);
}

static void index_json_follows(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_image_row i = make_image(s, "a", "layer a");
        struct cor_err err = { 0 };
        auto_str wanted = NULL;
        auto_str text = NULL;

        ok(image_put(s, &i, &err), &err);
        ok(image_tag(s, &i.id, "docker.io/library/a:1", &err), &err);
        wanted = cor_printf(
                "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[{"
                "\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"%s\",\"size\":13,"
                "\"annotations\":{\"org.opencontainers.image.ref.name\":\"docker.io/library/a:1\"},"
                "\"platform\":{\"architecture\":\"riscv64\",\"os\":\"linux\"}}]}\n",
                i.manifest.text);
        text = scratch_text(*state, "store/images/index.json");
        assert_string_equal(text, wanted);
        assert_int_equal(forget(s, &i.id, NULL, IMAGE_FORGET_ALL, &err), 1);
        free(COR_TAKE(text));
        text = scratch_text(*state, "store/images/index.json");
        assert_null(strstr(text, "digest"));
}

static bool collected_has(const struct collected *c, const struct digest *d)
{
        for (size_t n = 0; n < c->n_items; n++)
                if (digest_eq(&c->items[n], d))
                        return true;
        return false;
}

static void collected_is_exactly_what_nothing_refers_to(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_image_row a = make_image(s, "a", "shared layer"), b = make_image(s, "b", "shared layer");
        auto_collected first = { 0 }, second = { 0 }, third = { 0 };
        struct digest loose = put(s, "loose");
        struct cor_err err = { 0 };

        ok(image_put(s, &a, &err), &err);
        ok(image_put(s, &b, &err), &err);
        ok(store_collect(s, &first, &err), &err);
        assert_int_equal(first.n_items, 1);
        assert_int_equal(first.bytes, 5);
        assert_true(collected_has(&first, &loose));
        assert_int_equal(blob_find(s, &loose), -1);

        assert_int_equal(forget(s, &a.id, NULL, IMAGE_FORGET_ALL, &err), 1);
        ok(store_collect(s, &second, &err), &err);
        assert_int_equal(second.n_items, 2);
        assert_true(collected_has(&second, &a.id) && collected_has(&second, &a.manifest));
        assert_int_equal(layer_size(s, &b.layers[0].name), 5);

        assert_int_equal(forget(s, &b.id, NULL, IMAGE_FORGET_ALL, &err), 1);
        ok(store_collect(s, &third, &err), &err);
        assert_int_equal(third.n_items, 4); /* the layer's archive and its unpacked form */
        assert_int_equal(layer_size(s, &b.layers[0].name), -1);
}

static void a_lease_protects_while_it_lives(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_collected c = { 0 };
        auto_lease lease = NULL;
        auto_lease other = NULL;
        struct cor_err err = { 0 };
        struct digest blob = hash_bytes("blob", 4), layer = hash_bytes("layer", 5);

        ok(lease_new(s, &lease, &err), &err);
        ok(lease_new(s, &other, &err), &err);
        ok(lease_add(lease, &blob, 1, &err), &err);
        ok(lease_add(lease, &layer, 1, &err), &err);
        ok(lease_add(lease, &layer, 1, &err), &err); /* again */
        put(s, "blob");
        make_layer(s, &layer);
        ok(store_collect(s, &c, &err), &err);
        assert_int_equal(c.n_items, 0);
        lease_free(COR_TAKE(lease));
        ok(store_collect(s, &c, &err), &err);
        assert_int_equal(c.n_items, 2);
        assert_int_equal(blob_find(s, &blob), -1);
}

static void the_lease_of_a_killed_process_ends(void **state)
{
        struct digest blob = hash_bytes("blob", 4);
        struct cor_err err = { 0 };
        auto_collected c = { 0 };
        int ready[2], status;
        char byte;
        pid_t pid;

        assert_int_equal(pipe(ready), 0);
        pid = fork();
        if (pid == 0) {
                struct store *s = open_store(*state, STORE_DATABASE);
                struct lease *lease;

                if (lease_new(s, &lease, &err) < 0 || lease_add(lease, &blob, 1, &err) < 0 ||
                    blob_put(s, "blob", 4, &blob, &err) < 0 || write(ready[1], "r", 1) != 1)
                        _exit(1);
                for (;;)
                        pause();
        }
        auto_store s = open_store(*state, STORE_DATABASE);

        assert_int_equal(read(ready[0], &byte, 1), 1);
        ok(store_collect(s, &c, &err), &err);
        assert_int_equal(c.n_items, 0);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        ok(store_collect(s, &c, &err), &err);
        assert_int_equal(c.n_items, 1);
        close(ready[0]);
        close(ready[1]);
}

/* A pull over and over, as an engine does it. */
static int pull_for_ever(struct scratch *scratch, int rounds)
{
        auto_store s = open_store(scratch, STORE_DATABASE);
        struct cor_err err = { 0 };

        for (int n = 0; n < rounds; n++) {
                static const char layer_text[] = "layer x", config[] = "config of x", manifest[] = "manifest of x";
                struct digest wanted[] = { hash_bytes(layer_text, 7), hash_bytes(config, 11),
                                           hash_bytes(manifest, 13) };
                struct image_layer layer = { .diff_id = wanted[0], .name = wanted[0], .size = 5 };
                struct image_blob blobs[] = {
                        { .digest = wanted[2], .kind = IMAGE_BLOB_MANIFEST, .size = 13 },
                        { .digest = wanted[1], .kind = IMAGE_BLOB_CONFIG, .size = 11 },
                        { .digest = wanted[0], .kind = IMAGE_BLOB_LAYER, .size = 7 },
                };
                struct image_row row = { .id = wanted[1],
                                         .manifest = wanted[2],
                                         .layers = &layer,
                                         .blobs = blobs,
                                         .n_layers = 1,
                                         .n_blobs = 3 };
                auto_lease lease = NULL;
                struct digest d;

                if (lease_new(s, &lease, &err) < 0 || lease_add(lease, wanted, 3, &err) < 0 ||
                    blob_put(s, layer_text, 7, &d, &err) < 0 || blob_put(s, config, 11, &d, &err) < 0 ||
                    blob_put(s, manifest, 13, &d, &err) < 0) {
                        print_message("pull: %s\n", err.msg);
                        return -1;
                }
                if (layer_size(s, &wanted[0]) < 0)
                        make_layer(s, &wanted[0]);
                if (image_put(s, &row, &err) < 0 ||
                    (n % 2 && forget(s, &row.id, NULL, IMAGE_FORGET_ALL, &err) < 0 && err.kind != COR_NOT_FOUND)) {
                        print_message("pull: %s\n", err.msg);
                        return -1;
                }
        }
        return 0;
}

static void pulls_and_collections_side_by_side(void **state)
{
        pid_t pids[2];
        int status, left = 2;
        struct cor_err err = { 0 };

        store_free(open_store(*state, STORE_DATABASE));
        for (int n = 0; n < 2; n++) {
                pids[n] = fork();
                if (pids[n] == 0)
                        _exit(pull_for_ever(*state, 60) < 0);
        }
        auto_store s = open_store(*state, STORE_DATABASE);

        while (left > 0) { /* each image that is there is whole, always */
                auto_collected c = { 0 };
                auto_image_list all = { 0 };

                ok(store_collect(s, &c, &err), &err);
                if (waitpid(-1, &status, WNOHANG) > 0) {
                        assert_int_equal(status, 0);
                        left--;
                }
        }
        auto_image_list all = { 0 };

        ok(image_all(s, true, &all, &err), &err);
        for (size_t n = 0; n < all.n_items; n++) {
                for (size_t b = 0; b < all.items[n].n_blobs; b++)
                        assert_true(blob_find(s, &all.items[n].blobs[b].digest) >= 0);
                for (size_t l = 0; l < all.items[n].n_layers; l++)
                        assert_true(layer_size(s, &all.items[n].layers[l].name) >= 0);
        }
}

static void many_processes_make_one_store(void **state)
{
        pid_t pids[6];
        int status;

        for (size_t n = 0; n < COR_COUNT(pids); n++) {
                pids[n] = fork();
                if (pids[n] == 0) {
                        auto_str what = cor_printf("%zu", n);
                        auto_store s = open_store(*state, STORE_DATABASE);
                        auto_image_row i = make_image(s, what, "layer of all");

                        _exit(image_put(s, &i, NULL) < 0);
                }
        }
        for (size_t n = 0; n < COR_COUNT(pids); n++) {
                assert_int_equal(waitpid(pids[n], &status, 0), pids[n]);
                assert_int_equal(status, 0);
        }
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_image_list all = { 0 };

        assert_int_equal(image_all(s, false, &all, NULL), 0);
        assert_int_equal(all.n_items, COR_COUNT(pids));
}

static void a_newer_store_is_refused(void **state)
{
        auto_str path = cor_printf("%s/store", ((struct scratch *)*state)->path);
        static const uint8_t version[] = { 0, 0, 3, 231 };
        struct cor_err err = { 0 };
        auto_store s = open_store(*state, STORE_DATABASE);
        struct store *newer = NULL;
        auto_fd fd = -1;

        store_free(COR_TAKE(s));
        /* user_version, at byte 60 of the file; the log may still hold the page */
        assert_int_equal(unlinkat(((struct scratch *)*state)->fd, "store/coracle.db-wal", 0), 0);
        fd = openat(((struct scratch *)*state)->fd, "store/coracle.db", O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_true(lseek(fd, 0, SEEK_END) > 64);
        assert_int_equal(pwrite(fd, version, 4, 60), 4);
        assert_int_equal(store_open(path, STORE_CREATE | STORE_DATABASE, &newer, &err), -1);
        assert_int_equal(err.kind, COR_UNSUPPORTED);
        assert_non_null(strstr(err.msg, "newer version"));
}

static void a_broken_database_is_an_error(void **state)
{
        auto_str path = cor_printf("%s/store", ((struct scratch *)*state)->path);
        struct store *s = open_store(*state, STORE_DATABASE);
        struct cor_err err = { 0 };

        store_free(s);
        scratch_file(*state, "store/coracle.db",
                     "this is not a database, but a text of some length ...................");
        unlinkat(((struct scratch *)*state)->fd, "store/coracle.db-wal", 0);
        assert_int_equal(store_open(path, STORE_CREATE | STORE_DATABASE, &s, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_non_null(strstr(err.msg, "not a database"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(recorded_and_found),
                scratch_test(what_is_not_there_is_not_found),
                scratch_test(prefix_of_two_ids_is_refused),
                scratch_test(incomplete_images_are_refused),
                scratch_test(a_name_leads_to_one_image),
                scratch_test(newest_first),
                scratch_test(index_json_follows),
                scratch_test(collected_is_exactly_what_nothing_refers_to),
                scratch_test(a_lease_protects_while_it_lives),
                scratch_test(the_lease_of_a_killed_process_ends),
                scratch_test(pulls_and_collections_side_by_side),
                scratch_test(many_processes_make_one_store),
                scratch_test(a_newer_store_is_refused),
                scratch_test(a_broken_database_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
