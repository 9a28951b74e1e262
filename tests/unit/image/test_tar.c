/* Archives: numbers, times and ACLs as text; what the writer writes is what the reader reads. */
#include "image/tar_internal.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct pipe {
        struct cor_text bytes;
        size_t at, piece;
};

static ssize_t read_pipe(void *context, void *buf, size_t n, struct cor_err *err)
{
        struct pipe *p = context;

        if (n > p->piece)
                n = p->piece;
        if (n > p->bytes.len - p->at)
                n = p->bytes.len - p->at;
        memcpy(buf, p->bytes.s + p->at, n);
        p->at += n;
        return (ssize_t)n;
}

static int write_pipe(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        cor_text_add_n(&((struct pipe *)context)->bytes, bytes, n);
        return 0;
}

static void numbers_are_octal_or_base_256(void **state)
{
        static const struct {
                const char *field;
                size_t n;
                int64_t value;
        } good[] = {
                { "0000644", 8, 0644 },
                { "    644 ", 8, 0644 },
                { "644\0zzzz", 8, 0644 },
                { "77777777", 8, 077777777 },
                { "\0\0\0\0\0\0\0\0", 8, 0 },
                { "        ", 8, 0 },
                { "\x80\0\0\0\0\x20\0\0", 8, 1 << 21 },
                { "\xff\xff\xff\xff\xff\xff\xff\xfe", 8, -2 },
                { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", 12, -256 },
                { "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12, INT64_MAX },
        };
        static const char *const bad[] = { "0000x44", "00 0644", "-000644", "0000848", "1.5    " };
        int64_t value;

        for (size_t i = 0; i < COR_COUNT(good); i++) {
                assert_int_equal(tar_number((const uint8_t *)good[i].field, good[i].n, &value), 0);
                assert_int_equal(value, good[i].value);
        }
        for (size_t i = 0; i < COR_COUNT(bad); i++)
                assert_int_equal(tar_number((const uint8_t *)bad[i], 8, &value), -1);
        assert_int_equal(tar_number((const uint8_t *)"\x80\0\0\0\x80\0\0\0\0\0\0\0", 12, &value), -1);
        assert_int_equal(tar_number((const uint8_t *)"\x80\0\1\0\0\0\0\0\0\0\0\0", 12, &value), -1);
}

static void times_have_fractions_and_signs(void **state)
{
        static const struct {
                const char *text;
                int64_t s;
                long ns;
        } good[] = {
                { "0", 0, 0 },
                { "1.5", 1, 500000000 },
                { "-1.25", -2, 750000000 },
                { "-0.5", -1, 500000000 },
                { "-3", -3, 0 },
                { "1.", 1, 0 },
                { "1.1234567899", 1, 123456789 },
                { "9223372036854775807", INT64_MAX, 0 },
        };
        static const char *const bad[] = {
                "", "x", "1.x", ".5.5", "1 ", "9223372036854775808", "-9223372036854775808.5", "1e5", "--1", "1.-5"
        };
        struct timespec t;

        for (size_t i = 0; i < COR_COUNT(good); i++) {
                assert_int_equal(tar_pax_time(good[i].text, &t), 0);
                assert_int_equal(t.tv_sec, good[i].s);
                assert_int_equal(t.tv_nsec, good[i].ns);
        }
        for (size_t i = 0; i < COR_COUNT(bad); i++)
                if (tar_pax_time(bad[i], &t) == 0)
                        fail_msg("\"%s\" was taken", bad[i]);
}

static void acls_are_read_if_every_name_is_a_number(void **state)
{
        static const uint8_t want[] = { 2, 0,    0,   0,   1,   0,   6,  0, 255, 255, 255, 255, 2,   0,  7,
                                        0, 0xd2, 4,   0,   0,   4,   0,  4, 0,   255, 255, 255, 255, 16, 0,
                                        7, 0,    255, 255, 255, 255, 32, 0, 0,   0,   255, 255, 255, 255 };
        static const char *const same[] = { "user::rw-,user:1234:rwx,group::r--,mask::rwx,other::---",
                                            "other::---\nmask::rwx\n\ngroup::r--\nu:name:rwx:1234\nuser::rw- # all\n" };
        static const char *const none[] = {
                "user::rw-,user:root:rwx,other::---", "", ",", "user", "user::q", "mask:1:r", "x::r"
        };

        for (size_t i = 0; i < COR_COUNT(same); i++) {
                auto_str acl = NULL;
                size_t len;

                tar_acl_parse(same[i], &acl, &len);
                assert_non_null(acl);
                assert_int_equal(len, sizeof want);
                assert_memory_equal(acl, want, len);
        }
        for (size_t i = 0; i < COR_COUNT(none); i++) {
                auto_str acl = NULL;
                size_t len;

                tar_acl_parse(none[i], &acl, &len);
                assert_null(acl);
        }
}

/* --------------------------------------------------------------------------------------------------- there and back */

static char *of_length(char c, size_t n)
{
        char *s = cor_alloc(n + 1);

        memset(s, c, n);
        return s;
}

static void write_one(struct tar_writer *w, const struct tar_entry *e)
{
        struct cor_err err = { 0 };
        int64_t stored = e->size;

        if (tar_write_entry(w, e, &err) < 0)
                fail_msg("%s: %s", e->name, err.msg);
        if (e->sparse)
                stored = 0;
        for (size_t i = 0; i < e->n_extents; i++)
                stored += e->extents[i].length;
        for (int64_t i = 0; i < stored; i++)
                assert_int_equal(tar_write_data(w, &"abcdefghij"[i % 10], 1, &err), 0);
}

static void expect_data(struct tar_reader *r, const struct tar_entry *e)
{
        int64_t stored = 0, at;
        const void *bytes;
        size_t n, extent = 0;
        struct cor_err err = { 0 };

        while (tar_data(r, &at, &bytes, &n, &err) > 0) {
                while (e->sparse && at >= e->extents[extent].offset + e->extents[extent].length)
                        extent++;
                if (e->sparse)
                        assert_true(at >= e->extents[extent].offset);
                for (size_t i = 0; i < n; i++)
                        assert_int_equal(((const char *)bytes)[i], 'a' + (stored + (int64_t)i) % 10);
                stored += (int64_t)n;
        }
        assert_int_equal(err.kind, COR_OK);
        if (!e->sparse)
                assert_int_equal(stored, e->size);
}

static void expect_same(const struct tar_entry *a, const struct tar_entry *b)
{
        assert_int_equal(a->type, b->type);
        assert_string_equal(a->name, b->name);
        if (b->link)
                assert_string_equal(a->link, b->link);
        assert_int_equal(a->mode, b->mode);
        assert_int_equal(a->uid, b->uid);
        assert_int_equal(a->gid, b->gid);
        assert_int_equal(a->size, b->size);
        assert_int_equal(a->mtime.tv_sec, b->mtime.tv_sec);
        assert_int_equal(a->mtime.tv_nsec, b->mtime.tv_nsec);
        assert_int_equal(a->has_atime, b->has_atime);
        assert_int_equal(a->atime.tv_sec, b->atime.tv_sec);
        assert_int_equal(a->dev_major, b->dev_major);
        assert_int_equal(a->dev_minor, b->dev_minor);
        assert_string_equal(a->uname, b->uname ? b->uname : "");
        assert_int_equal(a->sparse, b->sparse);
        assert_int_equal(a->n_xattrs, b->n_xattrs);
        for (size_t i = 0; i < a->n_xattrs; i++) {
                assert_string_equal(a->xattrs[i].name, b->xattrs[i].name);
                assert_int_equal(a->xattrs[i].len, b->xattrs[i].len);
                assert_memory_equal(a->xattrs[i].value, b->xattrs[i].value, a->xattrs[i].len);
        }
}

static void what_is_written_is_read(void **state)
{
        auto_str name_100 = of_length('a', 100);
        auto_str name_101 = of_length('b', 101);
        auto_str name_5000 = of_length('c', 5000);
        auto_str first = of_length('p', 150);
        auto_str last = of_length('q', 100);
        auto_str both = cor_printf("%s/%s", first, last);
        auto_str link_101 = of_length('l', 101);
        auto_str owner = of_length('o', 40);
        struct tar_xattr xattrs[] = { { (char[]){ "user.a=b%" }, (char[]){ "value" },
                                        5 }, /* in the order of the records */
                                      { (char[]){ "security.x" }, (char[]){ "\0\n=\xff" }, 4 },
                                      { (char[]){ "user.empty" }, (char[]){ "" }, 0 } };
        struct tar_extent extents[] = { { 5, 100 }, { 1000, 1 }, { 1 << 20, 4096 } };
        const struct tar_entry entries[] = {
                { .name = (char[]){ "file" }, .size = 1000, .mode = 0644, .mtime = { 1, 0 } },
                { .name = (char[]){ "empty" }, .mode = 07777, .uname = (char[]){ "root" } },
                { .name = name_100, .size = 512, .uid = 07777777 },
                { .name = name_101, .size = 513, .uid = 010000000, .gid = 4294967294 },
                { .name = name_5000, .size = 1, .mtime = { -2, 500000000 } },
                { .name = both, .mtime = { -1, 999999999 } },
                { .name = (char[]){ "late" }, .mtime = { 1LL << 35, 1 }, .uname = owner },
                { .name = (char[]){ "dir/" }, .type = TAR_DIR, .mtime = { 1234567890, 120000000 } },
                { .name = (char[]){ "link" }, .type = TAR_SYMLINK, .link = link_101 },
                { .name = (char[]){ "hard" }, .type = TAR_HARDLINK, .link = (char[]){ "file" } },
                { .name = (char[]){ "null" }, .type = TAR_CHAR, .dev_major = 1, .dev_minor = 1048575 },
                { .name = (char[]){ "loop" }, .type = TAR_BLOCK, .dev_major = 4095, .dev_minor = 3 },
                { .name = (char[]){ "fifo" }, .type = TAR_FIFO, .has_atime = true, .atime = { 77, 0 } },
                { .name = (char[]){ "x\xff\n=" }, .xattrs = xattrs, .n_xattrs = COR_COUNT(xattrs) },
                { .name = both, .sparse = true, .size = 2 << 20, .extents = extents, .n_extents = COR_COUNT(extents) },
                { .name = (char[]){ "hole" }, .sparse = true, .size = 1LL << 42 },
        };
        struct pipe pipe = { .piece = 700 };
        auto_tar_writer w = tar_writer_new(&(struct tar_sink){ write_pipe, &pipe });
        auto_tar_reader r = tar_reader_new(&(struct tar_source){ read_pipe, &pipe }, NULL);
        const struct tar_entry *e;
        struct cor_err err = { 0 };

        for (size_t i = 0; i < COR_COUNT(entries); i++)
                write_one(w, &entries[i]);
        assert_int_equal(tar_write_end(w, &err), 0);
        assert_int_equal(pipe.bytes.len % TAR_BLOCK_BYTES, 0);
        for (size_t i = 0; i < COR_COUNT(entries); i++) {
                if (tar_next(r, &e, &err) != 1)
                        fail_msg("%s: %s", entries[i].name, err.msg);
                expect_same(e, &entries[i]);
                if (i % 2 == 0)
                        expect_data(r, e);
        }
        assert_int_equal(tar_next(r, &e, &err), 0);
        assert_int_equal(tar_drain(r, &err), 0);
        assert_int_equal(pipe.at, pipe.bytes.len);
        cor_text_done(&pipe.bytes);
}

static void plain_entries_have_no_pax_header(void **state)
{
        const struct tar_entry e = { .name = (char[]){ "a" }, .mode = 0644, .uid = 1000, .mtime = { 1234567890, 0 } };
        struct pipe pipe = { 0 };
        auto_tar_writer w = tar_writer_new(&(struct tar_sink){ write_pipe, &pipe });
        struct cor_err err = { 0 };

        assert_int_equal(tar_write_entry(w, &e, &err), 0);
        assert_int_equal(pipe.bytes.len, TAR_BLOCK_BYTES);
        assert_memory_equal(pipe.bytes.s + AT_MAGIC,
                            "ustar\0"
                            "00",
                            8);
        cor_text_done(&pipe.bytes);
}

static void an_entry_has_exactly_its_data(void **state)
{
        const struct tar_entry e = { .name = (char[]){ "a" }, .size = 3 };
        struct pipe pipe = { 0 };
        auto_tar_writer w = tar_writer_new(&(struct tar_sink){ write_pipe, &pipe });
        struct cor_err err = { 0 };

        assert_int_equal(tar_write_entry(w, &e, &err), 0);
        assert_int_equal(tar_write_data(w, "four", 4, &err), -1);
        assert_int_equal(tar_write_data(w, "12", 2, &err), 0);
        assert_int_equal(tar_write_entry(w, &e, &err), -1);
        assert_int_equal(tar_write_end(w, &err), -1);
        assert_non_null(strstr(err.msg, "1 bytes of an entry's data are missing"));
        cor_text_done(&pipe.bytes);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(numbers_are_octal_or_base_256),
                cmocka_unit_test(times_have_fractions_and_signs),
                cmocka_unit_test(acls_are_read_if_every_name_is_a_number),
                cmocka_unit_test(what_is_written_is_read),
                cmocka_unit_test(plain_entries_have_no_pax_header),
                cmocka_unit_test(an_entry_has_exactly_its_data),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
