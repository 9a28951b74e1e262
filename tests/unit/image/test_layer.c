/* Names in archives, and a layer unpacked without any rights. */
#include "image/layer_internal.h"

#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void names_are_cleaned(void **state)
{
        static const struct {
                const char *name, *path, *base;
                size_t parent_len;
        } good[] = {
                { "a", "a", "a", 0 },
                { "./a/b", "a/b", "b", 1 },
                { "/a//b/", "a/b", "b", 1 },
                { "a/../b", "b", "b", 0 },
                { "a/b/../../c/d", "c/d", "d", 1 },
                { "a/b/c/..", "a/b", "b", 1 },
                { "", "", "", 0 },
                { ".", "", "", 0 },
                { "a/..", "", "", 0 },
                { "...", "...", "...", 0 },
                { ".wh.a", ".wh.a", ".wh.a", 0 },
        };
        struct layer_path p;
        struct cor_err err;
        bool meta;

        for (size_t i = 0; i < COR_COUNT(good); i++) {
                assert_int_equal(layer_path_parse(good[i].name, &p, &meta, &err), 0);
                assert_string_equal(p.text, good[i].path);
                assert_string_equal(p.base, good[i].base);
                assert_int_equal(p.parent_len, good[i].parent_len);
                assert_false(meta);
        }
        assert_int_equal(layer_path_parse(".wh..wh.plnk/x", &p, &meta, &err), 0);
        assert_true(meta);
}

static void names_that_lead_out_are_refused(void **state)
{
        static const char *const bad[] = {
                "..", "../a", "/..", "a/../..", "a/../../b", "./../a", ".wh.a/b", "a/.wh.b/c"
        };
        struct layer_path p;
        struct cor_err err;
        bool meta;

        for (size_t i = 0; i < COR_COUNT(bad); i++) {
                assert_int_equal(layer_path_parse(bad[i], &p, &meta, &err), -1);
                assert_int_equal(err.kind, COR_INVALID);
        }
}

static void names_have_a_length(void **state)
{
        auto_text name = COR_TEXT_INIT;
        struct layer_path p;
        struct cor_err err;
        bool meta;

        for (int i = 0; i < NAME_MAX; i++)
                cor_text_add_c(&name, 'n');
        assert_int_equal(layer_path_parse(name.s, &p, &meta, &err), 0);
        cor_text_add_c(&name, 'n');
        assert_int_equal(layer_path_parse(name.s, &p, &meta, &err), -1);
        cor_text_done(&name);
        for (int i = 0; i < PATH_MAX / 2; i++)
                cor_text_add(&name, "/a");
        assert_int_equal(layer_path_parse(name.s, &p, &meta, &err), 0);
        cor_text_add(&name, "/a");
        assert_int_equal(layer_path_parse(name.s, &p, &meta, &err), -1);
}

static void names_are_fit_to_print(void **state)
{
        char buf[32];

        assert_string_equal(layer_shown("plain/\xc3\xbc", buf, sizeof buf), "plain/\xc3\xbc");
        assert_string_equal(layer_shown("a\nb\x1b\\", buf, sizeof buf), "a\\012b\\033\\134");
        assert_string_equal(layer_shown("0123456789012345678901234567890123456789", buf, sizeof buf),
                            "012345678901234567890123...");
}

static void messages_do_not_speak_to_terminals(void **state)
{
        struct cor_err err = { .msg = "a\x1b[2J b\xc2\x9b"
                                      "c \xc3\xbc \xc3\x9b \n" };

        layer_quiet(&err);
        assert_string_equal(err.msg, "a?[2J b??c \xc3\xbc \xc3\x9b ?");
}

static void attributes_that_are_not_a_layers_are_left_out(void **state)
{
        assert_true(layer_xattr_kept("user.a"));
        assert_true(layer_xattr_kept("security.capability"));
        assert_true(layer_xattr_kept("system.posix_acl_default"));
        assert_false(layer_xattr_kept("trusted.overlay.opaque"));
        assert_false(layer_xattr_kept("user.overlay.redirect"));
        assert_false(layer_xattr_kept("security.selinux"));
        assert_false(layer_xattr_kept("system.nfs4_acl"));
        assert_false(layer_xattr_kept("com.apple.provenance"));
}

/* --------------------------------------------------------------------------------------------------- there and back */

static int add_text(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        cor_text_add_n(context, bytes, n);
        return 0;
}

struct input {
        const struct cor_text *text;
        size_t at;
};

static ssize_t read_text(void *context, void *buf, size_t n, struct cor_err *err)
{
        struct input *in = context;

        if (n > in->text->len - in->at)
                n = in->text->len - in->at;
        memcpy(buf, in->text->s + in->at, n);
        in->at += n;
        return (ssize_t)n;
}

static void write_archive(struct cor_text *out)
{
        uint64_t uid = getuid(), gid = getgid();
        const struct tar_entry entries[] = {
                { .type = TAR_DIR,
                  .name = (char[]){ "./" },
                  .mode = 0700,
                  .uid = uid,
                  .gid = gid,
                  .mtime = { 1000, 1 } },
                { .type = TAR_DIR,
                  .name = (char[]){ "dir/" },
                  .mode = 0750,
                  .uid = uid,
                  .gid = gid,
                  .mtime = { 2000, 0 } },
                { .name = (char[]){ "dir/file" },
                  .mode = 0640,
                  .uid = uid,
                  .gid = gid,
                  .size = 3,
                  .mtime = { -1, 5000 } },
                { .type = TAR_SYMLINK,
                  .name = (char[]){ "dir/link" },
                  .link = (char[]){ "file" },
                  .mode = 0777,
                  .uid = uid,
                  .gid = gid,
                  .mtime = { 7, 0 } },
                { .type = TAR_HARDLINK,
                  .name = (char[]){ "hard" },
                  .link = (char[]){ "dir/file" },
                  .mode = 0640,
                  .uid = uid,
                  .gid = gid,
                  .mtime = { -1, 5000 } },
        };
        auto_tar_writer w = tar_writer_new(&(struct tar_sink){ add_text, out });
        struct cor_err err = { 0 };

        for (size_t i = 0; i < COR_COUNT(entries); i++) {
                assert_int_equal(tar_write_entry(w, &entries[i], &err), 0);
                assert_int_equal(tar_write_data(w, "abc", (size_t)entries[i].size, &err), 0);
        }
        assert_int_equal(tar_write_end(w, &err), 0);
}

static void a_layer_packs_to_the_archive_it_came_from(void **state)
{
        char path[] = "/tmp/coracle-unit-XXXXXX";
        const struct layer_apply_options options = { .overlay_prefix = "user.overlay.", .rootless = true };
        auto_text archive = COR_TEXT_INIT, again = COR_TEXT_INIT;
        struct input in = { .text = &archive };
        auto_tar_reader r = tar_reader_new(&(struct tar_source){ read_text, &in }, NULL);
        auto_tar_writer w = tar_writer_new(&(struct tar_sink){ add_text, &again });
        struct layer_applied applied;
        struct cor_err err = { 0 };
        int dir;

        write_archive(&archive);
        assert_non_null(mkdtemp(path));
        dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (layer_apply(dir, r, &options, &applied, &err) < 0 || layer_diff(dir, "user.overlay.", w, &err) < 0)
                fail_msg("%s", err.msg);
        close(dir);
        assert_int_equal(cor_own_remove_tree(AT_FDCWD, path + 0, &err), -1); /* a path is not a name */
        dir = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(cor_own_remove_tree(dir, path + 5, &err), 0);
        close(dir);
        assert_int_equal(applied.bytes, 3);
        assert_int_equal(applied.entries, 5);
        assert_false(applied.needs_lower);
        assert_int_equal(again.len, archive.len);
        assert_memory_equal(again.s, archive.s, again.len);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_are_cleaned),
                cmocka_unit_test(names_that_lead_out_are_refused),
                cmocka_unit_test(names_have_a_length),
                cmocka_unit_test(names_are_fit_to_print),
                cmocka_unit_test(messages_do_not_speak_to_terminals),
                cmocka_unit_test(attributes_that_are_not_a_layers_are_left_out),
                cmocka_unit_test(a_layer_packs_to_the_archive_it_came_from),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
