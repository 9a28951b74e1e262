/* Manifests, indexes and image configurations: what is read, and what is refused with which words. */
#include "spec/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIGEST     "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DESCRIPTOR "{\"mediaType\":\"x/y\",\"digest\":\"" DIGEST "\",\"size\":7}"

static void a_manifest_is_read(void **state)
{
        static const char text[] =
                "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_DOCKER_MANIFEST "\",\"config\":" DESCRIPTOR
                ",\"layers\":[" DESCRIPTOR "," DESCRIPTOR "],\"annotations\":{\"a\":\"b\"},\"unknown\":[1]}";
        struct image_manifest *m = NULL;
        struct cor_err err = { 0 };

        if (image_manifest_parse(text, strlen(text), "manifest", &m, &err) < 0)
                fail_msg("%s", err.msg);
        assert_false(image_manifest_is_index(m));
        assert_int_equal(m->n_layers, 2);
        assert_int_equal(m->layers[1].size, 7);
        assert_string_equal(m->config->digest, DIGEST);
        assert_string_equal(m->annotations[0].value, "b");
        cor_json_free(m);
}

static void wrong_manifests_are_refused(void **state)
{
        static const struct {
                const char *text, *reason;
                enum cor_kind kind;
        } bad[] = {
                { "{\"schemaVersion\":1,\"name\":\"x\"}", "schemaVersion: 1 is Docker's old image format",
                  COR_UNSUPPORTED },
                { "{\"schemaVersion\":3,\"config\":" DESCRIPTOR "}", "schemaVersion: expected 2, found 3",
                  COR_INVALID },
                { "{\"config\":" DESCRIPTOR "}", "schemaVersion", COR_INVALID },
                { "{\"schemaVersion\":2}", "not an image manifest", COR_INVALID },
                { "{\"schemaVersion\":2,\"config\":" DESCRIPTOR ",\"manifests\":[" DESCRIPTOR "]}",
                  "expected one of them", COR_INVALID },
                { "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"manifests\":[" DESCRIPTOR "]}",
                  "but it lists manifests", COR_INVALID },
                { "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX "\",\"config\":" DESCRIPTOR "}",
                  "but it has a config", COR_INVALID },
                { "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:12\",\"size\":1}}",
                  "config.digest: 'sha256:12'", COR_INVALID },
                { "{\"schemaVersion\":2,\"config\":{\"digest\":\"" DIGEST "\",\"size\":-1}}", "config.size",
                  COR_INVALID },
                { "{\"schemaVersion\":2,\"config\":{\"digest\":\"../../etc/passwd\",\"size\":1}}", "not a digest",
                  COR_INVALID },
                { "<html>", "manifest", COR_INVALID },
                { "", "manifest", COR_INVALID },
        };

        for (size_t i = 0; i < COR_COUNT(bad); i++) {
                struct image_manifest *m = NULL;
                struct cor_err err = { 0 };

                if (image_manifest_parse(bad[i].text, strlen(bad[i].text), "manifest", &m, &err) == 0)
                        fail_msg("taken: %s", bad[i].text);
                assert_int_equal(err.kind, bad[i].kind);
                if (!strstr(err.msg, bad[i].reason))
                        fail_msg("%s: '%s', expected '%s'", bad[i].text, err.msg, bad[i].reason);
        }
}

static void a_manifest_has_an_end(void **state)
{
        struct image_manifest *m = NULL;
        struct cor_err err = { 0 };
        auto_text many = COR_TEXT_INIT;

        assert_int_equal(image_manifest_parse("{}", (size_t)IMAGE_MANIFEST_MAX_BYTES + 1, "manifest", &m, &err), -1);
        assert_non_null(strstr(err.msg, "more than the limit"));
        cor_text_add(&many, "{\"schemaVersion\":2,\"config\":" DESCRIPTOR ",\"layers\":[" DESCRIPTOR);
        for (int i = 0; i < 10000; i++)
                cor_text_add(&many, "," DESCRIPTOR);
        cor_text_add(&many, "]}");
        assert_int_equal(image_manifest_parse(many.s, many.len, "manifest", &m, &err), -1);
        assert_non_null(strstr(err.msg, "layers: 10001 entries, more than the limit of 4096"));
}

static void a_configuration_is_read(void **state)
{
        static const char text[] =
                "{\"architecture\":\"riscv64\",\"os\":\"linux\",\"created\":\"2024-01-02T03:04:05Z\",\"config\":{"
                "\"Env\":"
                "[\"A=b\"],\"Cmd\":null,\"ExposedPorts\":{\"80/"
                "tcp\":{}},\"Labels\":{\"k\":\"v\"},\"Healthcheck\":{\"Test\":"
                "[\"NONE\"],\"Interval\":30000000000}},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" DIGEST
                "\"]},\"history\":[{\"created_by\":\"x\",\"empty_layer\":true}]}";
        struct image_config *c = NULL;
        struct cor_err err = { 0 };

        if (image_config_parse(text, strlen(text), "config", &c, &err) < 0)
                fail_msg("%s", err.msg);
        assert_string_equal(c->architecture, "riscv64");
        assert_int_equal(c->rootfs.n_diff_ids, 1);
        assert_int_equal(c->config->n_cmd, 0);
        assert_string_equal(c->config->exposed_ports[0].key, "80/tcp");
        assert_string_equal(c->config->labels[0].value, "v");
        assert_int_equal(c->config->healthcheck->interval, 30000000000);
        assert_true(c->history[0].empty_layer);
        cor_json_free(c);
}

static void a_wrong_diff_id_is_named(void **state)
{
        static const char text[] = "{\"os\":\"linux\",\"rootfs\":{\"diff_ids\":[\"" DIGEST "\",\"nonsense\"]}}";
        struct image_config *c = NULL;
        struct cor_err err = { 0 };

        assert_int_equal(image_config_parse(text, strlen(text), "config", &c, &err), -1);
        assert_string_equal(err.msg, "config: rootfs.diff_ids[1]: 'nonsense' is not a digest");
}

static void media_types_of_both_families(void **state)
{
        assert_true(media_is_index(MEDIA_OCI_INDEX) && media_is_index(MEDIA_DOCKER_LIST));
        assert_true(media_is_manifest(MEDIA_OCI_MANIFEST) && media_is_manifest(MEDIA_DOCKER_MANIFEST));
        assert_true(media_is_layer(MEDIA_OCI_LAYER) && media_is_layer(MEDIA_OCI_LAYER "+zstd"));
        assert_true(media_is_layer(MEDIA_DOCKER_LAYER ".gzip"));
        assert_true(media_is_layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"));
        assert_false(media_is_layer(MEDIA_OCI_LAYER "x") || media_is_layer(NULL) || media_is_layer(MEDIA_OCI_CONFIG));
        assert_false(media_is_index(MEDIA_OCI_MANIFEST) || media_is_index(NULL));
}

static void digests_are_strict(void **state)
{
        static const char *const bad[] = { "", "sha256:", "sha256", DIGEST "0", "sha256:ABCDEF", "SHA256:" };
        struct digest d;

        assert_int_equal(digest_parse(DIGEST, &d, NULL), 0);
        assert_string_equal(digest_name(&d), "sha256");
        assert_int_equal(strlen(digest_hex(&d)), 64);
        for (size_t i = 0; i < COR_COUNT(bad); i++)
                assert_false(digest_is(bad[i]));
        assert_false(digest_is("sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"));
        assert_false(digest_is("sha512:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_manifest_is_read),       cmocka_unit_test(wrong_manifests_are_refused),
                cmocka_unit_test(a_manifest_has_an_end),    cmocka_unit_test(a_configuration_is_read),
                cmocka_unit_test(a_wrong_diff_id_is_named), cmocka_unit_test(media_types_of_both_families),
                cmocka_unit_test(digests_are_strict),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
