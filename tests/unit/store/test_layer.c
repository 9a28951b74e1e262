#include "base/alloc.h"
#include "base/fd.h"
#include "store/layer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "opened.h"

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void make_layer(struct store *s, const struct digest *name, int64_t size, const char *file)
{
        auto_layer_ingest i = NULL;
        auto_fd fd = -1;

        assert_int_equal(layer_ingest_begin(s, &i, NULL), 0);
        fd = openat(layer_ingest_fd(i), file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        assert_int_equal(layer_ingest_commit(i, name, NULL), -1); /* not finished */
        assert_int_equal(layer_ingest_finish(i, size, NULL), 0);
        assert_int_equal(store_sync(s, NULL), 0);
        assert_int_equal(layer_ingest_commit(i, name, NULL), 0);
}

static int count(const struct digest *name, int64_t size, void *context, struct cor_err *err)
{
        *(int64_t *)context += size;
        return 0;
}

static void made_found_removed(void **state)
{
        auto_store s = open_store(*state, 0);
        struct digest a = digest_of(A), b = digest_of(B), found = DIGEST_NONE;
        struct cor_err err = { 0 };
        int64_t bytes = 0;
        auto_fd fd = -1;

        assert_int_equal(layer_find(s, &a, &b, &found), 0);
        assert_int_equal(layer_open(s, &b, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        make_layer(s, &b, 42, "file");
        assert_int_equal(layer_find(s, &a, &b, &found), 1);
        assert_string_equal(found.text, B);
        make_layer(s, &a, 7, "file");
        assert_int_equal(layer_find(s, &a, &b, &found), 1); /* the one that all images share comes first */
        assert_string_equal(found.text, A);
        assert_int_equal(layer_size(s, &b), 42);
        assert_int_equal(layer_each(s, count, &bytes, NULL), 0);
        assert_int_equal(bytes, 49);
        fd = layer_open(s, &b, NULL);
        assert_true(fd >= 0);
        assert_int_equal(faccessat(fd, "file", F_OK, 0), 0);
        assert_int_equal(layer_remove(s, &b, NULL), 0);
        assert_int_equal(layer_remove(s, &b, NULL), 0);
        assert_int_equal(layer_size(s, &b), -1);
        assert_true(faccessat(fd, "file", F_OK, 0) < 0);
}

static void second_of_the_same_is_dropped(void **state)
{
        auto_store s = open_store(*state, 0);
        struct digest a = digest_of(A);

        make_layer(s, &a, 1, "first");
        make_layer(s, &a, 2, "second");
        assert_int_equal(layer_size(s, &a), 1);
        assert_true(scratch_has(
                *state, "store/layers/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/diff/first"));
        assert_false(scratch_has(
                *state, "store/layers/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/diff/second"));
}

static void leftovers_go_and_what_is_held_stays(void **state)
{
        struct store *s = open_store(*state, 0);
        auto_layer_ingest held = NULL;
        struct digest a = digest_of(A);

        scratch_dir(*state, "store/layers/.work/new-0123456789abcdef");
        scratch_dir(*state, "store/layers/.work/new-0123456789abcdef/diff");
        scratch_dir(*state, "store/layers/.work/gone-0123456789abcdef");
        scratch_file(*state, "store/layers/.work/gone-0123456789abcdef/x", "x");
        assert_int_equal(layer_ingest_begin(s, &held, NULL), 0);
        assert_int_equal(mkdirat(layer_ingest_fd(held), "mine", 0755), 0);
        store_free(open_store(*state, 0));
        assert_false(scratch_has(*state, "store/layers/.work/new-0123456789abcdef"));
        assert_false(scratch_has(*state, "store/layers/.work/gone-0123456789abcdef"));
        assert_int_equal(layer_ingest_finish(held, 0, NULL), 0);
        assert_int_equal(layer_ingest_commit(held, &a, NULL), 0);
        layer_ingest_end(COR_TAKE(held));
        assert_true(scratch_has(
                *state, "store/layers/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/diff/mine"));
        store_free(s);
}

static void one_maker_at_a_time(void **state)
{
        auto_store s = open_store(*state, 0);
        struct digest a = digest_of(A), b = digest_of(B);
        auto_fd first = layer_lock(s, &a, 0, NULL), second = -1;
        struct cor_err err = { 0 };

        assert_true(first >= 0);
        assert_int_equal(layer_lock(s, &a, 20, &err), -1);
        assert_int_equal(err.kind, COR_BUSY);
        second = layer_lock(s, &b, 0, NULL);
        assert_true(second >= 0);
        cor_fd_close(&first);
        first = layer_lock(s, &a, 0, NULL);
        assert_true(first >= 0);
}

static void a_store_that_is_not_there(void **state)
{
        struct cor_err err = { 0 };
        struct scratch *scratch = *state;
        auto_store s = NULL;

        assert_int_equal(store_open(scratch->path, 0, &s, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        scratch_file(scratch, "file", "");
        snprintf(scratch->path + strlen(scratch->path), 8, "/file");
        assert_int_equal(store_open(scratch->path, STORE_CREATE, &s, &err), -1);
        *strrchr(scratch->path, '/') = '\0';
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(made_found_removed),
                scratch_test(second_of_the_same_is_dropped),
                scratch_test(leftovers_go_and_what_is_held_stays),
                scratch_test(one_maker_at_a_time),
                scratch_test(a_store_that_is_not_there),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
