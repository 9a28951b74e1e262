#include "base/alloc.h"
#include "store/blob.h"
#include "store/hash.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "opened.h"

static const char hello[] = "hello\n";
#define HELLO "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"

static void put_and_read(void **state)
{
        auto_store s = open_store(*state, 0);
        struct digest d, none = digest_of("sha256:0000000000000000000000000000000000000000000000000000000000000000");
        struct cor_err err = { 0 };
        auto_str bytes = NULL;
        size_t n;

        assert_int_equal(blob_put(s, hello, 6, &d, NULL), 0);
        assert_string_equal(d.text, HELLO);
        assert_int_equal(blob_find(s, &d), 6);
        assert_int_equal(blob_read(s, &d, 6, &bytes, &n, NULL), 0);
        assert_int_equal(n, 6);
        assert_string_equal(bytes, hello);
        assert_true(scratch_has(
                *state, "store/images/blobs/sha256/5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"));
        free(COR_TAKE(bytes));
        assert_int_equal(blob_read(s, &d, 5, &bytes, &n, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_int_equal(blob_open(s, &none, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_int_equal(blob_put(s, hello, 6, &d, NULL), 0); /* again */
        assert_int_equal(blob_remove(s, &d, NULL), 0);
        assert_int_equal(blob_find(s, &d), -1);
        assert_int_equal(blob_remove(s, &d, NULL), 0);
}

static void damaged_blob_is_refused(void **state)
{
        auto_store s = open_store(*state, 0);
        struct cor_err err = { 0 };
        auto_str bytes = NULL;
        struct digest d;
        size_t n;

        assert_int_equal(blob_put(s, hello, 6, &d, NULL), 0);
        scratch_file(*state,
                     "store/images/blobs/sha256/5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
                     "hullo\n");
        assert_int_equal(blob_read(s, &d, 100, &bytes, &n, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_non_null(strstr(err.msg, "damaged"));
}

static void cut_off_ingest_is_continued(void **state)
{
        auto_store s = open_store(*state, 0);
        struct digest d = digest_of(HELLO), found;
        auto_blob_ingest i = NULL;

        assert_int_equal(blob_ingest_begin(s, &d, 6, 0, 0, &i, NULL), BLOB_INGEST_OURS);
        assert_int_equal(blob_ingest_write(i, "hel", 3, NULL), 0);
        blob_ingest_end(COR_TAKE(i));
        assert_int_equal(blob_find(s, &d), -1);
        assert_int_equal(blob_ingest_begin(s, &d, 6, 0, 0, &i, NULL), BLOB_INGEST_OURS);
        assert_int_equal(blob_ingest_offset(i), 3);
        assert_int_equal(blob_ingest_commit(i, false, NULL), -1); /* not finished */
        assert_int_equal(blob_ingest_finish(i, NULL, NULL), -1);  /* too short */
        assert_int_equal(blob_ingest_write(i, "lo\n", 3, NULL), 0);
        assert_int_equal(blob_ingest_write(i, "x", 1, NULL), -1);
        assert_int_equal(blob_ingest_finish(i, &found, NULL), 0);
        assert_true(digest_eq(&d, &found));
        assert_int_equal(blob_find(s, &d), -1);
        assert_int_equal(blob_ingest_commit(i, false, NULL), 0);
        blob_ingest_end(COR_TAKE(i));
        assert_int_equal(blob_find(s, &d), 6);
        assert_int_equal(blob_ingest_begin(s, &d, 6, 0, 0, &i, NULL), BLOB_INGEST_THERE);
        assert_int_equal(blob_ingest_begin(s, &d, 7, 0, 0, &i, NULL), -1); /* of another size */
}

static void wrong_bytes_are_thrown_away(void **state)
{
        auto_store s = open_store(*state, 0);
        struct digest d = digest_of(HELLO);
        struct cor_err err = { 0 };
        auto_blob_ingest i = NULL;

        assert_int_equal(blob_ingest_begin(s, &d, -1, 100, 0, &i, NULL), BLOB_INGEST_OURS);
        assert_int_equal(blob_ingest_write(i, "hullo\n", 6, NULL), 0);
        assert_int_equal(blob_ingest_finish(i, NULL, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_non_null(strstr(err.msg, "another digest"));
        assert_int_equal(blob_ingest_offset(i), 0);
        assert_int_equal(blob_ingest_write(i, hello, 6, NULL), 0); /* once more, right this time */
        assert_int_equal(blob_ingest_finish(i, NULL, NULL), 0);
        assert_int_equal(blob_ingest_commit(i, false, NULL), 0);
        assert_int_equal(blob_find(s, &d), 6);
}

static void too_much_is_refused(void **state)
{
        auto_store s = open_store(*state, 0);
        struct cor_err err = { 0 };
        auto_blob_ingest i = NULL;

        assert_int_equal(blob_ingest_new(s, 4, &i, NULL), 0);
        assert_int_equal(blob_ingest_write(i, "hell", 4, NULL), 0);
        assert_int_equal(blob_ingest_write(i, "o", 1, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
}

static void one_writer_at_a_time(void **state)
{
        struct digest d = digest_of(HELLO);
        int ready[2], go[2], status;
        char c;
        pid_t pid;

        assert_int_equal(pipe(ready), 0);
        assert_int_equal(pipe(go), 0);
        pid = fork();
        if (pid == 0) {
                auto_store s = open_store(*state, 0);
                auto_blob_ingest i = NULL;

                if (blob_ingest_begin(s, &d, 6, 0, 0, &i, NULL) != BLOB_INGEST_OURS || write(ready[1], "r", 1) != 1 ||
                    read(go[0], &c, 1) != 1 || blob_ingest_write(i, hello, 6, NULL) < 0 ||
                    blob_ingest_finish(i, NULL, NULL) < 0 || blob_ingest_commit(i, false, NULL) < 0)
                        _exit(1);
                _exit(0);
        }
        auto_store s = open_store(*state, 0);
        auto_blob_ingest i = NULL;

        assert_int_equal(read(ready[0], &c, 1), 1);
        assert_int_equal(blob_ingest_begin(s, &d, 6, 0, 0, &i, NULL), BLOB_INGEST_LOCKED);
        assert_int_equal(blob_ingest_begin(s, &d, 6, 0, 30, &i, NULL), BLOB_INGEST_LOCKED);
        assert_int_equal(write(go[1], "g", 1), 1);
        assert_int_equal(blob_ingest_begin(s, &d, 6, 0, -1, &i, NULL), BLOB_INGEST_THERE);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        for (int n = 0; n < 2; n++) {
                close(ready[n]);
                close(go[n]);
        }
}

static int count(const struct digest *d, int64_t size, void *context, struct cor_err *err)
{
        *(int64_t *)context += size;
        return 0;
}

static void leftovers_go_and_partial_blobs_stay(void **state)
{
        struct digest d = digest_of(HELLO), other;
        auto_blob_ingest held = NULL;
        int64_t bytes = 0;
        char name[PATH_MAX];
        struct store *s = open_store(*state, 0);

        scratch_file(*state, "store/images/ingest/new-0123456789abcdef", "x");
        scratch_file(*state, "store/images/ingest/gone-0123456789abcdef", "x");
        scratch_file(*state,
                     "store/images/ingest/sha256-5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
                     "hel");
        assert_int_equal(blob_ingest_new(s, 100, &held, NULL), 0);
        assert_int_equal(blob_ingest_write(held, "mine", 4, NULL), 0);
        {
                auto_store again = open_store(*state, 0);
                auto_blob_ingest partial = NULL;

                assert_int_equal(blob_ingest_begin(again, &d, 6, 0, 0, &partial, NULL), BLOB_INGEST_OURS);
                assert_int_equal(blob_ingest_offset(partial), 3);
        }
        assert_false(scratch_has(*state, "store/images/ingest/new-0123456789abcdef"));
        assert_false(scratch_has(*state, "store/images/ingest/gone-0123456789abcdef"));
        assert_true(scratch_has(
                *state, "store/images/ingest/sha256-5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"));
        assert_int_equal(blob_ingest_finish(held, &other, NULL), 0);
        assert_int_equal(blob_ingest_commit(held, false, NULL), 0);
        blob_ingest_end(COR_TAKE(held));
        snprintf(name, sizeof name, "store/images/blobs/sha256/%s", digest_hex(&other));
        assert_true(scratch_has(*state, name));
        scratch_file(*state, "store/images/blobs/sha256/README", "not a blob");
        assert_int_equal(blob_each(s, count, &bytes, NULL), 0);
        assert_int_equal(bytes, 4);
        store_free(s);
}

static void sha512_blobs(void **state)
{
        auto_store s = open_store(*state, 0);
        auto_hash h = hash_new(DIGEST_SHA512);
        auto_blob_ingest i = NULL;
        struct digest d;
        int64_t bytes = 0;

        hash_add(h, hello, 6);
        d = hash_digest(h);
        assert_int_equal(strncmp(d.text, "sha512:e7c22b994c59d9cf2b48e549b1e24666636045930d3da7c1", 54), 0);
        assert_int_equal(blob_ingest_begin(s, &d, 6, 0, 0, &i, NULL), BLOB_INGEST_OURS);
        assert_int_equal(blob_ingest_write(i, hello, 6, NULL), 0);
        assert_int_equal(blob_ingest_finish(i, NULL, NULL), 0);
        assert_int_equal(blob_ingest_commit(i, false, NULL), 0);
        assert_int_equal(blob_find(s, &d), 6);
        assert_int_equal(blob_each(s, count, &bytes, NULL), 0);
        assert_int_equal(bytes, 6);
}

static void chain_ids(void **state)
{
        struct digest a = digest_of("sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
                      b = digest_of(HELLO), c;

        c = hash_chain(NULL, &a);
        assert_string_equal(c.text, a.text);
        c = hash_chain(&DIGEST_NONE, &a);
        assert_string_equal(c.text, a.text);
        c = hash_chain(&a, &b);
        assert_string_equal(c.text, "sha256:12ccdcc12c3227932360fcf76d5beb07e4c1293726b75541526058053e44deea");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(put_and_read),
                scratch_test(damaged_blob_is_refused),
                scratch_test(cut_off_ingest_is_continued),
                scratch_test(wrong_bytes_are_thrown_away),
                scratch_test(too_much_is_refused),
                scratch_test(one_writer_at_a_time),
                scratch_test(leftovers_go_and_partial_blobs_stay),
                scratch_test(sha512_blobs),
                cmocka_unit_test(chain_ids),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
