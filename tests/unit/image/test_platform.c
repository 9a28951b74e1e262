/* Platforms: names, and the choice from an index. */
#include "image/platform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void names_are_normalised(void **state)
{
        static const struct {
                const char *text, *normal;
        } good[] = {
                { "linux/amd64", "linux/amd64" },     { "linux/x86_64", "linux/amd64" },
                { "LINUX/AMD64/v1", "linux/amd64" },  { "linux/arm64", "linux/arm64" },
                { "linux/aarch64/8", "linux/arm64" }, { "linux/arm64/v9", "linux/arm64/v9" },
                { "linux/arm", "linux/arm/v7" },      { "linux/armhf", "linux/arm/v7" },
                { "linux/armel", "linux/arm/v6" },    { "linux/riscv64", "linux/riscv64" },
                { "riscv64", "linux/riscv64" },       { "i386", "linux/386" },
                { "macos/arm64", "darwin/arm64" },    { "linux/amd64/v3", "linux/amd64/v3" },
        };

        for (size_t i = 0; i < COR_COUNT(good); i++) {
                struct platform p;
                struct cor_err err = { 0 };
                auto_str text = NULL;

                if (platform_parse(good[i].text, &p, &err) < 0)
                        fail_msg("%s: %s", good[i].text, err.msg);
                text = platform_format(&p);
                assert_string_equal(text, good[i].normal);
        }
}

static void nonsense_is_refused(void **state)
{
        static const char *const bad[] = { "",         "/",
                                           "linux/",   "linux//v8",
                                           "a/b/c/d",  "linux/amd 64",
                                           "nonsense", "linux/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

        for (size_t i = 0; i < COR_COUNT(bad); i++) {
                struct platform p;
                struct cor_err err = { 0 };

                if (platform_parse(bad[i], &p, &err) == 0)
                        fail_msg("'%s' was taken", bad[i]);
                assert_int_equal(err.kind, COR_INVALID);
        }
}

#define ENTRY(PLATFORM)                                                                                                \
        "{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"size\":1,\"digest\":\"sha256:"                                    \
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"" PLATFORM "}"
#define FOR(OS, ARCH, VARIANT)                                                                                         \
        ENTRY(",\"platform\":{\"os\":\"" OS "\",\"architecture\":\"" ARCH "\",\"variant\":\"" VARIANT "\"}")
#define INDEX(ENTRIES) "{\"schemaVersion\":2,\"manifests\":[" ENTRIES "]}"

static const char eight[] =
        INDEX(FOR("linux", "amd64", "") "," FOR("linux", "arm", "v5") "," FOR("linux", "arm", "v7") "," FOR(
                "linux", "arm64", "v8") "," FOR("linux", "386",
                                                "") "," FOR("linux", "riscv64",
                                                            "") "," FOR("linux", "s390x",
                                                                        "") "," FOR("windows", "amd64",
                                                                                    "") "," FOR("unknown", "unknown",
                                                                                                ""));

/* The number that @want gets from @index, or -1. */
static int chosen(const char *index, const char *want, struct cor_err *err)
{
        struct image_manifest *m = NULL;
        struct platform p;
        int i;

        assert_int_equal(image_manifest_parse(index, strlen(index), "index", &m, err), 0);
        assert_int_equal(platform_parse(want, &p, err), 0);
        i = platform_choose(m, &p, err);
        cor_json_free(m);
        return i;
}

static void each_of_eight_gets_its_own(void **state)
{
        static const char *const wanted[] = { "linux/amd64", "linux/arm/v5",  "linux/arm/v7", "linux/arm64",
                                              "linux/386",   "linux/riscv64", "linux/s390x",  "windows/amd64" };

        for (size_t i = 0; i < COR_COUNT(wanted); i++) {
                struct cor_err err = { 0 };

                assert_int_equal(chosen(eight, wanted[i], &err), i);
        }
}

static void lower_variants_serve(void **state)
{
        struct cor_err err = { 0 };

        assert_int_equal(chosen(eight, "linux/arm/v6", &err), 1);
        assert_int_equal(chosen(eight, "linux/amd64/v3", &err), 0);
        assert_int_equal(chosen(INDEX(FOR("linux", "386", "")), "linux/amd64", &err), 0);
        assert_int_equal(chosen(INDEX(FOR("linux", "arm", "v5") "," FOR("linux", "arm", "v7")), "linux/arm64", &err),
                         1);
        assert_int_equal(
                chosen(INDEX(FOR("linux", "amd64", "v3") "," FOR("linux", "amd64", "v2")), "linux/amd64/v3", &err), 0);
        assert_int_equal(chosen(INDEX(FOR("linux", "arm64", "") "," ENTRY("")), "linux/amd64", &err), 1);
}

static void what_does_not_run_is_not_chosen(void **state)
{
        struct cor_err err = { 0 };

        assert_int_equal(chosen(eight, "linux/ppc64le", &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_string_equal(err.msg, "no matching manifest for linux/ppc64le in the manifest list entries");
        assert_int_equal(chosen(INDEX(FOR("linux", "amd64", "v3")), "linux/amd64", &err), -1);
        assert_int_equal(chosen(INDEX(FOR("linux", "arm", "v7")), "linux/arm/v6", &err), -1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_are_normalised),
                cmocka_unit_test(nonsense_is_refused),
                cmocka_unit_test(each_of_eight_gets_its_own),
                cmocka_unit_test(lower_variants_serve),
                cmocka_unit_test(what_does_not_run_is_not_chosen),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
