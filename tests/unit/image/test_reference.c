/* References: the vectors are docker's own behaviour (docker tag, docker pull) and distribution/reference's grammar. */
#include "base/alloc.h"
#include "image/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEX    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LONG8  "aaaaaaaa"
#define LONG64 LONG8 LONG8 LONG8 LONG8 LONG8 LONG8 LONG8 LONG8

static void takes_what_docker_takes(void **state)
{
        static const struct {
                const char *text, *full, *familiar, *name;
        } good[] = {
                { "debian", "docker.io/library/debian", "debian", "debian" },
                { "debian:12", "docker.io/library/debian:12", "debian:12", "debian" },
                { "library/debian", "docker.io/library/debian", "debian", "debian" },
                { "docker.io/debian", "docker.io/library/debian", "debian", "debian" },
                { "index.docker.io/debian", "docker.io/library/debian", "debian", "debian" },
                { "docker.io/user/x", "docker.io/user/x", "user/x", "user/x" },
                { "user/x:1.0_a-b", "docker.io/user/x:1.0_a-b", "user/x:1.0_a-b", "user/x" },
                { "localhost/x", "localhost/x", "localhost/x", "localhost/x" },
                { "localhost:5000/x:y", "localhost:5000/x:y", "localhost:5000/x:y", "localhost:5000/x" },
                { "Reg/x", "Reg/x", "Reg/x", "Reg/x" },
                { "reg.example/a/b/c", "reg.example/a/b/c", "reg.example/a/b/c", "reg.example/a/b/c" },
                { "[::1]:5000/x", "[::1]:5000/x", "[::1]:5000/x", "[::1]:5000/x" },
                { "[fe80::1]/x", "[fe80::1]/x", "[fe80::1]/x", "[fe80::1]/x" },
                { "a__b/c--d.e_f", "docker.io/a__b/c--d.e_f", "a__b/c--d.e_f", "a__b/c--d.e_f" },
                { "x:_tag", "docker.io/library/x:_tag", "x:_tag", "x" },
                { "x@sha256:" HEX, "docker.io/library/x@sha256:" HEX, "x@sha256:" HEX, "x" },
                { "x:t@sha256:" HEX, "docker.io/library/x:t@sha256:" HEX, "x:t@sha256:" HEX, "x" },
                { "xn--n3h.com/app:9", "xn--n3h.com/app:9", "xn--n3h.com/app:9", "xn--n3h.com/app" },
                { "docker.io/a.b/c", "docker.io/a.b/c", "docker.io/a.b/c", "docker.io/a.b/c" },
                { "library/" HEX, "docker.io/library/" HEX, "library/" HEX, "library/" HEX },
                { "library/a/b", "docker.io/library/a/b", "library/a/b", "library/a/b" },
                { "x:" LONG64 LONG64, "docker.io/library/x:" LONG64 LONG64, "x:" LONG64 LONG64, "x" },
        };

        for (size_t i = 0; i < COR_COUNT(good); i++) {
                auto_reference r = { 0 };
                struct cor_err err = { 0 };
                auto_str full = NULL;
                auto_str familiar = NULL;
                auto_str name = NULL;

                if (reference_parse(good[i].text, &r, &err) < 0)
                        fail_msg("%s: %s", good[i].text, err.msg);
                full = reference_full(&r);
                familiar = reference_familiar(&r);
                name = reference_familiar_name(&r);
                assert_string_equal(full, good[i].full);
                assert_string_equal(familiar, good[i].familiar);
                assert_string_equal(name, good[i].name);
        }
}

static void refuses_with_the_reason(void **state)
{
        static const struct {
                const char *text, *reason;
        } bad[] = {
                { "", "invalid reference format" },
                { "-x", "invalid reference format" },
                { "x-", "invalid reference format" },
                { "x/", "invalid reference format" },
                { "/x", "invalid reference format" },
                { "a//b", "invalid reference format" },
                { "a___b", "invalid reference format" },
                { "a..b", "invalid reference format" },
                { "x:", "invalid reference format" },
                { "x:-t", "invalid reference format" },
                { "x:a b", "invalid reference format" },
                { "x:" LONG64 LONG64 "a", "invalid reference format" },
                { "x@", "invalid reference format" },
                { "x@sha256:abc", "invalid reference format" },
                { "x@sha256:" LONG64 "aa", "not a digest" },
                { "x@md5:" LONG8 LONG8 LONG8 LONG8, "not a digest" },
                { "Debian", "repository name (library/Debian) must be lowercase" },
                { "user/Debian:x", "repository name (user/Debian) must be lowercase" },
                { HEX, "cannot specify 64-byte hexadecimal strings" },
                { "https://x/y", "invalid reference format" },
                { "host:port/x", "invalid reference format" },
                { "host:/x", "invalid reference format" },
                { "[::1/x", "invalid reference format" },
                { "[]/x", "invalid reference format" },
                { "-h.io/x", "invalid reference format" },
                { "a/../b", "invalid reference format" },
                { "x\n", "invalid reference format" },
                { "reg.io/" LONG64 "/" LONG64 "/" LONG64 "/" LONG64, "must not be more than 255 characters" },
        };

        for (size_t i = 0; i < COR_COUNT(bad); i++) {
                auto_reference r = { 0 };
                struct cor_err err = { 0 };

                if (reference_parse(bad[i].text, &r, &err) == 0)
                        fail_msg("'%s' was taken", bad[i].text);
                assert_int_equal(err.kind, COR_INVALID);
                if (!strstr(err.msg, bad[i].reason))
                        fail_msg("'%s': '%s', expected '%s'", bad[i].text, err.msg, bad[i].reason);
        }
}

static void the_tag_is_latest_only_without_one(void **state)
{
        auto_reference plain = { 0 }, digested = { 0 };
        auto_str tagged = NULL;
        auto_str none = NULL;

        assert_int_equal(reference_parse("debian", &plain, NULL), 0);
        assert_true(reference_default_tag(&plain));
        tagged = reference_tagged(&plain);
        assert_string_equal(tagged, "docker.io/library/debian:latest");
        assert_int_equal(reference_parse("debian@sha256:" HEX, &digested, NULL), 0);
        assert_false(reference_default_tag(&digested));
        none = reference_tagged(&digested);
        assert_null(none);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(takes_what_docker_takes),
                cmocka_unit_test(refuses_with_the_reason),
                cmocka_unit_test(the_tag_is_latest_only_without_one),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
