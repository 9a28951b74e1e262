/* What users write: volumes, mounts, tmpfs options, device rules, users. */
#include "engine/spec_point.h"
#include "engine/spec_user.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

/* Something to keep strings in. */
static void *memory(void)
{
        static const char frame[] = "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"x\"}}";
        struct oci_config *c = NULL;

        assert_int_equal(oci_config_parse(frame, sizeof frame - 1, NULL, &c, NULL), 0);
        return c;
}

/* --- --volume ---------------------------------------------------------------------------------------------------- */

static void volume_is(const char *text, const char *type, const char *source, const char *destination, bool rw,
                      const char *propagation)
{
        auto_json void *root = memory();
        struct cor_err err = { 0 };
        struct spec_point p;

        if (spec_point_parse_bind(root, text, NULL, &p, &err) < 0)
                fail_msg("%s: %s", text, err.msg);
        assert_string_equal(p.type, type);
        if (source)
                assert_string_equal(strcmp(type, "bind") == 0 ? p.source : p.name, source);
        else
                assert_true(p.anonymous && !p.name);
        assert_string_equal(p.destination, destination);
        assert_int_equal(p.rw, rw);
        assert_true(cor_streq(p.propagation, propagation));
}

static void volume_fails(const char *text, const char *message)
{
        auto_json void *root = memory();
        struct cor_err err = { 0 };
        struct spec_point p;

        assert_int_equal(spec_point_parse_bind(root, text, NULL, &p, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_string_equal(err.msg, message);
}

static void volumes_are_read_as_docker_reads_them(void **state)
{
        volume_is("/a:/b", "bind", "/a", "/b", true, "rprivate");
        volume_is("/a//x/../y/:/b/./c/:ro,rslave,z", "bind", "/a/y", "/b/c", false, "rslave");
        volume_is("name:/b:nocopy,rw", "volume", "name", "/b", true, NULL);
        volume_is("/b", "volume", NULL, "/b", true, NULL);
        volume_is("/a:/b:consistent", "bind", "/a", "/b", true, "rprivate");
}

static void volumes_that_are_none_are_refused(void **state)
{
        volume_fails("", "invalid volume specification: ''");
        volume_fails(":/x", "invalid volume specification: ':/x'");
        volume_fails("/a:/b:ro:x", "invalid volume specification: '/a:/b:ro:x'");
        volume_fails("/a:ro", "invalid volume specification: '/a:ro'");
        volume_fails("/a:/b:bad", "invalid mode: bad");
        volume_fails("/a:/b:ro,rw", "invalid mode: ro,rw");
}

static void volumes_cannot_cover_the_root(void **state)
{
        volume_fails("/a:/", "invalid volume specification: '/a:/': invalid mount config for type \"bind\": invalid "
                             "specification: destination can't be '/'");
        volume_fails("/a:/x/..", "invalid volume specification: '/a:/x/..': invalid mount config for type \"bind\": "
                                 "invalid specification: destination can't be '/'");
        volume_fails("/a:b", "invalid volume specification: '/a:b': invalid mount config for type \"bind\": invalid "
                             "mount path: 'b' mount path must be absolute");
}

static void names_of_volumes_have_few_characters(void **state)
{
        volume_fails("../x:/b", "create ../x: \"../x\" includes invalid characters for a local volume name, only "
                                "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, "
                                "use absolute path");
        volume_fails("x:/b", "volume name is too short, names should be at least two alphanumeric characters");
}

static void from_is(const char *text, const char *name, bool rw)
{
        auto_str got = NULL;
        bool got_rw;

        assert_int_equal(spec_point_parse_from(text, &got, &got_rw, NULL), 0);
        assert_string_equal(got, name);
        assert_int_equal(got_rw, rw);
}

static void volumes_from_takes_modes_of_access_only(void **state)
{
        struct cor_err err = { 0 };
        auto_str name = NULL;
        bool rw;

        from_is("c1", "c1", true);
        from_is("c1:ro", "c1", false);
        from_is("c1:rw,z", "c1", true);
        assert_int_equal(spec_point_parse_from("c1:rslave", &name, &rw, &err), -1);
        assert_string_equal(err.msg, "invalid mode: rslave");
        assert_int_equal(spec_point_parse_from("c1:nocopy", &name, &rw, &err), -1);
        assert_int_equal(spec_point_parse_from("", &name, &rw, &err), -1);
}

/* --- --mount ----------------------------------------------------------------------------------------------------- */

static void mount_fails(const struct docker_mount *m, const char *message)
{
        auto_json void *root = memory();
        struct cor_err err = { 0 };
        struct spec_point p;

        assert_int_equal(spec_point_from_mount(root, m, true, &p, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_string_equal(err.msg, message);
}

static void mounts_take_only_what_their_type_takes(void **state)
{
        struct docker_mount_bind bind = { .propagation = "odd" };
        struct docker_mount_volume volume = { .subpath = "../x" };
        struct docker_mount_image image = { .subpath = "a/../../b" };

        mount_fails(&(struct docker_mount){ .type = "odd", .target = "/x" },
                    "invalid mount config for type \"odd\": mount type unknown");
        mount_fails(&(struct docker_mount){ .type = "bind", .target = "/x" },
                    "invalid mount config for type \"bind\": field Source must not be empty");
        mount_fails(&(struct docker_mount){ .type = "bind", .source = "/" },
                    "invalid mount config for type \"bind\": field Target must not be empty");
        mount_fails(&(struct docker_mount){ .type = "bind", .source = "/nowhere-at-all", .target = "/x" },
                    "invalid mount config for type \"bind\": bind source path does not exist: /nowhere-at-all");
        mount_fails(&(struct docker_mount){ .type = "bind", .source = "/", .target = "/x", .bind_options = &bind },
                    "invalid mount config for type \"bind\": invalid propagation mode: odd");
        mount_fails(&(struct docker_mount){ .type = "tmpfs", .source = "x", .target = "/x" },
                    "invalid mount config for type \"tmpfs\": field Source must not be specified");
        mount_fails(&(struct docker_mount){ .type = "volume", .source = "vol", .target = "/x", .bind_options = &bind },
                    "invalid mount config for type \"volume\": field BindOptions must not be specified");
        mount_fails(
                &(struct docker_mount){ .type = "volume", .source = "vol", .target = "/x", .volume_options = &volume },
                "invalid mount config for type \"volume\": subpath must be a relative path within the volume");
        mount_fails(
                &(struct docker_mount){ .type = "volume", .target = "/x", .read_only = true },
                "invalid mount config for type \"volume\": must not set ReadOnly mode when using anonymous volumes");
        mount_fails(&(struct docker_mount){ .type = "image", .source = "i", .target = "/x", .image_options = &image },
                    "invalid mount config for type \"image\": subpath must be a relative path within the volume");
}

static void sizes_of_tmpfs_are_written_short(void **state)
{
        static const char *items[] = { "exec" };
        struct docker_strings option = { items, 1 };
        struct docker_mount_tmpfs t = { .size_bytes = 3 << 20, .mode = 01770, .options = &option, .n_options = 1 };
        struct docker_mount m = { .type = "tmpfs", .target = "/x", .read_only = true, .tmpfs_options = &t };
        auto_json void *root = memory();
        struct spec_point p;

        assert_int_equal(spec_point_from_mount(root, &m, true, &p, NULL), 0);
        assert_string_equal(p.data, "ro,mode=1770,size=3m,exec");
}

static void what_is_kept_of_mounts_reads_back(void **state)
{
        static const char *layers[] = { "sha256:00", "sha256:11" };
        struct spec_point points[] = {
                { .type = "volume",
                  .name = "vol",
                  .source = "/v",
                  .destination = "/x",
                  .mode = "z",
                  .rw = true,
                  .no_copy = true },
                { .type = "image", .name = "i", .destination = "/y", .layers = layers, .n_layers = 2, .subpath = "a" },
        };
        auto_json void *root = memory();
        auto_text text = COR_TEXT_INIT;
        struct spec_point *read = NULL;
        size_t n = 0;

        spec_points_print(points, 2, &text);
        assert_int_equal(spec_points_parse(root, text.s, &read, &n, NULL), 0);
        assert_int_equal(n, 2);
        assert_string_equal(read[0].name, "vol");
        assert_true(read[0].rw && read[0].no_copy && !read[1].rw);
        assert_int_equal(read[1].n_layers, 2);
        assert_string_equal(read[1].layers[1], "sha256:11");
        assert_string_equal(read[1].subpath, "a");
        n = 0;
        assert_int_equal(spec_points_parse(root, NULL, &read, &n, NULL), 0);
        assert_int_equal(n, 0);
}

/* --- tmpfs options ----------------------------------------------------------------------------------------------- */

static void tmpfs_is(const char *text, const char *expected)
{
        auto_json void *root = memory();
        auto_text joined = COR_TEXT_INIT;
        const char **words = NULL;
        struct cor_err err = { 0 };
        size_t n = 0;

        if (spec_tmpfs_options(root, text, &words, &n, &err) < 0)
                fail_msg("%s", err.msg);
        for (size_t i = 0; i < n; i++)
                cor_text_printf(&joined, "%s%s", i ? "," : "", words[i]);
        assert_string_equal(joined.s, expected);
}

static void of_contradicting_tmpfs_options_the_last_holds(void **state)
{
        tmpfs_is("", "noexec,nosuid,nodev,rprivate");
        tmpfs_is(NULL, "noexec,nosuid,nodev,rprivate");
        tmpfs_is("exec,size=1m", "nosuid,nodev,rprivate,exec,size=1m");
        tmpfs_is("size=1m,size=2m,exec,noexec", "nosuid,nodev,rprivate,size=2m,noexec");
        tmpfs_is("defaults,ro", "noexec,nosuid,nodev,rprivate,ro");
}

static void unknown_tmpfs_options_are_refused(void **state)
{
        struct cor_err err = { 0 };

        assert_int_equal(spec_point_check_tmpfs("/x", "size=1,bind=/etc", &err), -1);
        assert_string_equal(err.msg, "invalid tmpfs option \"bind=/etc\"");
        assert_int_equal(spec_point_check_tmpfs("/x", "size", &err), -1);
        assert_int_equal(spec_point_check_tmpfs("x", "", &err), -1);
        assert_int_equal(spec_point_check_tmpfs("/x", "", &err), 0);
}

/* --- device rules ------------------------------------------------------------------------------------------------ */

static void device_rules_have_docker_s_form(void **state)
{
        static const char *const wrong[] = { "",         "c",          "c 1:3",   "c 1:3 ",  "c 1 rwm",  "x 1:3 r",
                                             "c 1:3 rx", "c 1:3 rwmr", "c a:3 r", "c 1:b r", "c -1:3 r", "c  1:3 r" };
        struct oci_device_rule r;
        struct cor_err err = { 0 };

        assert_int_equal(spec_parse_device_rule("c 7:* rw", &r, &err), 0);
        assert_true(r.allow && r.type == 'c' && r.major.value == 7 && r.minor.value == -1);
        assert_string_equal(r.access, "rw");
        assert_int_equal(spec_parse_device_rule("a *:* mwr", &r, &err), 0);
        assert_string_equal(r.access, "rwm");
        for (size_t i = 0; i < COR_COUNT(wrong); i++) {
                err = (struct cor_err){ 0 };
                assert_int_equal(spec_parse_device_rule(wrong[i], &r, &err), -1);
                assert_non_null(strstr(err.msg, "in device cgroup rule format: '")
                                        ? strstr(err.msg, "'")
                                        : strstr(err.msg, "invalid device cgroup rule format: '"));
        }
}

/* --- users ------------------------------------------------------------------------------------------------------- */

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
                             "broken\n"
                             "::::\n"
                             "odd:x:12x:3::/:\n"
                             "bob:x:1000:1001::/home/bob:/bin/sh\n"
                             "4000:x:5:6::/:\n";
static const char group[] = "root:x:0:root\n"
                            "audio:x:29:alice,bob\n"
                            "bob:x:1001:\n"
                            "video:x:44:bob,root\n"
                            "nogid:x::bob\n";

static void user_is(const char *text, uint32_t uid, uint32_t gid, size_t n_gids, uint32_t last)
{
        auto_spec_user u = { 0 };
        struct cor_err err = { 0 };

        if (spec_user_find_in(passwd, group, text, NULL, 0, &u, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(u.uid, uid);
        assert_int_equal(u.gid, gid);
        assert_int_equal(u.n_gids, n_gids);
        assert_int_equal(u.gids[0], gid);
        assert_int_equal(u.gids[n_gids - 1], last);
}

static void user_fails(const char *text, const char *message)
{
        auto_spec_user u = { 0 };
        struct cor_err err = { 0 };

        assert_int_equal(spec_user_find_in(passwd, group, text, NULL, 0, &u, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_string_equal(err.msg, message);
}

static void users_are_looked_up_in_the_image(void **state)
{
        user_is(NULL, 0, 0, 3, 44);
        user_is("", 0, 0, 3, 44);
        user_is("bob", 1000, 1001, 3, 44);
        user_is("1000", 1000, 1001, 3, 44);
        user_is("bob:audio", 1000, 29, 1, 29);
        user_is("bob:7", 1000, 7, 1, 7);
        user_is(":audio", 0, 29, 1, 29);
        user_is("77", 77, 0, 1, 0);
        user_is("4000", 5, 6, 1, 6); /* a name of digits is a name first */
}

static void users_that_are_not_there_are_refused(void **state)
{
        user_fails("nobody", "unable to find user nobody: no matching entries in passwd file");
        user_fails("bob:nogroup", "unable to find group nogroup: no matching entries in group file");
        user_fails("odd", "unable to find user odd: no matching entries in passwd file");
        user_fails("2147483648", "uids and gids must be in range 0-2147483647");
        user_fails("-1", "unable to find user -1: no matching entries in passwd file");
        user_fails("0:99999999999999999999", "uids and gids must be in range 0-2147483647");
}

static void groups_are_added(void **state)
{
        static const char *const groups[] = { "audio", "123" }, *const wrong[] = { "none" };
        auto_spec_user u = { 0 };
        struct cor_err err = { 0 };

        assert_int_equal(spec_user_find_in(passwd, group, "bob", groups, 2, &u, NULL), 0);
        assert_int_equal(u.n_gids, 5);
        assert_int_equal(u.gids[3], 29);
        assert_int_equal(u.gids[4], 123);
        spec_user_done(&u);
        assert_int_equal(spec_user_find_in(passwd, group, "bob", wrong, 1, &u, &err), -1);
        spec_user_done(&u);
        assert_int_equal(spec_user_find_in(NULL, NULL, "5:6", NULL, 0, &u, NULL), 0);
        assert_int_equal(u.uid, 5);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(volumes_are_read_as_docker_reads_them),
                cmocka_unit_test(volumes_that_are_none_are_refused),
                cmocka_unit_test(volumes_cannot_cover_the_root),
                cmocka_unit_test(names_of_volumes_have_few_characters),
                cmocka_unit_test(volumes_from_takes_modes_of_access_only),
                cmocka_unit_test(mounts_take_only_what_their_type_takes),
                cmocka_unit_test(sizes_of_tmpfs_are_written_short),
                cmocka_unit_test(what_is_kept_of_mounts_reads_back),
                cmocka_unit_test(of_contradicting_tmpfs_options_the_last_holds),
                cmocka_unit_test(unknown_tmpfs_options_are_refused),
                cmocka_unit_test(device_rules_have_docker_s_form),
                cmocka_unit_test(users_are_looked_up_in_the_image),
                cmocka_unit_test(users_that_are_not_there_are_refused),
                cmocka_unit_test(groups_are_added),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
