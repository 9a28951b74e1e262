#include "registry/config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/coracle-unit-XXXXXX";
static const char *const names[] = { "daemon.json", "config.json" };

static char *file(const char *name)
{
        return cor_printf("%s/%s", folder, name);
}

static int make_folder(void **state)
{
        if (!mkdtemp(folder))
                return -1;
        return setenv("COR_CONFIG", folder, 1) || setenv("DOCKER_CONFIG", folder, 1) ? -1 : 0;
}

static int remove_files(void **state)
{
        for (size_t i = 0; i < COR_COUNT(names); i++) {
                auto_str path = file(names[i]);

                unlink(path);
        }
        return 0;
}

static int remove_folder(void **state)
{
        return rmdir(folder);
}

static void write_file(const char *name, const char *text)
{
        auto_str path = file(name);
        FILE *f = fopen(path, "w");

        assert_non_null(f);
        fputs(text, f);
        fclose(f);
}

static void load(struct registry_config *c)
{
        struct cor_err err = { 0 };

        if (registry_config_load(c, &err) < 0)
                fail_msg("%s", err.msg);
}

static void expect_error(const char *text, const char *expected)
{
        struct registry_config c;
        struct cor_err err = { 0 };

        write_file("daemon.json", text);
        assert_int_equal(registry_config_load(&c, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_non_null(strstr(err.msg, expected));
        assert_non_null(strstr(err.msg, "/daemon.json"));
}

static void without_files_there_are_docker_s_defaults(void **state)
{
        auto_registry_config c = { 0 };

        load(&c);
        assert_int_equal(c.max_downloads, 3);
        assert_int_equal(c.max_uploads, 5);
        assert_int_equal(c.max_attempts, 5);
        assert_int_equal(c.mirrors.n_items + c.insecure.n_items, 0);
        assert_int_equal(c.certs_dirs.n_items, 1);
        assert_string_equal(c.client_config, folder);
}

static void daemon_json_is_docker_s(void **state)
{
        auto_registry_config c = { 0 };

        write_file("daemon.json",
                   "{\"registry-mirrors\":[\"https://m.test/a/\"],\"insecure-registries\":[\"http://r:5000\","
                   "\"10.0.0.0/8\"],\"max-concurrent-downloads\":0,\"max-concurrent-uploads\":9,"
                   "\"max-download-attempts\":2,\"storage-driver\":\"overlay2\"}");
        load(&c);
        assert_string_equal(c.mirrors.items[0], "https://m.test/a");
        assert_string_equal(c.insecure.items[0], "r:5000");
        assert_string_equal(c.insecure.items[1], "10.0.0.0/8");
        assert_true(c.max_downloads > 50);
        assert_int_equal(c.max_uploads, 9);
        assert_int_equal(c.max_attempts, 2);
}

static void archives_have_limits_that_can_be_changed(void **state)
{
        auto_registry_config c = { 0 }, d = { 0 };

        load(&c);
        assert_int_equal(c.image_ratio, 1000);
        assert_int_equal(c.image_entries, 4000000);
        assert_int_equal(c.image_bytes, 0);
        write_file("daemon.json", "{\"image-max-ratio\":7,\"image-max-entries\":0,\"image-max-layer-size\":\"20g\"}");
        load(&d);
        assert_int_equal(d.image_ratio, 7);
        assert_int_equal(d.image_entries, 0);
        assert_int_equal(d.image_bytes, 20LL << 30);
}

static void an_empty_file_says_nothing(void **state)
{
        auto_registry_config c = { 0 };

        write_file("daemon.json", "");
        load(&c);
        assert_int_equal(c.max_downloads, 3);
}

static void mistakes_are_named_with_their_place(void **state)
{
        expect_error("{", "line 1");
        expect_error("{\"registry-mirrors\":[\"ftp://x\"]}",
                     "registry-mirrors[0]: expected http://HOST or https://HOST");
        expect_error("{\"registry-mirrors\":\"x\"}", "registry-mirrors: expected");
        expect_error("{\"insecure-registries\":[\"a b\"]}",
                     "insecure-registries[0]: expected HOST[:PORT] or NETWORK/BITS");
        expect_error("{\"max-download-attempts\":0}", "max-download-attempts: expected 1 to");
        expect_error("{\"max-concurrent-downloads\":-1}", "max-concurrent-downloads: ");
        expect_error("{\"image-max-ratio\":-1}", "image-max-ratio: ");
        expect_error("{\"image-max-layer-size\":\"1 cow\"}", "image-max-layer-size: expected a size");
        expect_error("{\"image-max-entries\":18446744073709551615}", "image-max-entries: ");
}

static void credentials_are_found_stored_and_erased(void **state)
{
        auto_registry_config c = { 0 };
        auto_registry_auth found = { 0 };
        struct registry_auth none = { 0 };
        struct registry_auth mine = { .user = (char[]){ "me" }, .password = (char[]){ "p:w" } };
        struct cor_err err = { 0 };

        load(&c);
        assert_int_equal(registry_auth_find(&c, "r.test", &none, &err), 0);
        write_file("config.json", "{\"auths\":{\"https://r.test/v1/\":{\"auth\":\"YTpi\"}},\"keep\":{\"x\":[1]}}");
        assert_int_equal(registry_auth_find(&c, "r.test", &found, &err), 1);
        assert_string_equal(found.user, "a");
        assert_string_equal(found.password, "b");
        registry_auth_done(&found);
        assert_int_equal(registry_auth_store(&c, "docker.io", &mine, &err), 0);
        assert_int_equal(registry_auth_find(&c, "docker.io", &found, &err), 1);
        assert_string_equal(found.user, "me");
        assert_string_equal(found.password, "p:w");
        registry_auth_done(&found);
        assert_int_equal(registry_auth_erase(&c, "r.test", &err), 0);
        assert_int_equal(registry_auth_find(&c, "r.test", &none, &err), 0);
        assert_int_equal(registry_auth_find(&c, "index.docker.io", &found, &err), 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(without_files_there_are_docker_s_defaults, remove_files),
                cmocka_unit_test_teardown(daemon_json_is_docker_s, remove_files),
                cmocka_unit_test_teardown(archives_have_limits_that_can_be_changed, remove_files),
                cmocka_unit_test_teardown(an_empty_file_says_nothing, remove_files),
                cmocka_unit_test_teardown(mistakes_are_named_with_their_place, remove_files),
                cmocka_unit_test_teardown(credentials_are_found_stored_and_erased, remove_files),
        };

        return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
