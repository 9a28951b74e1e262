#include "registry/address.h"
#include "registry/auth.h"
#include "registry/encode.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void base64_there_and_back(void **state)
{
        static const char *const pairs[][2] = { { "", "" },
                                                { "f", "Zg==" },
                                                { "fo", "Zm8=" },
                                                { "foo", "Zm9v" },
                                                { "foob", "Zm9vYg==" },
                                                { "fooba", "Zm9vYmE=" },
                                                { "foobar", "Zm9vYmFy" },
                                                { "\xff\xfe?", "//4/" } };

        for (size_t i = 0; i < COR_COUNT(pairs); i++) {
                auto_str encoded = base64_encode(pairs[i][0], strlen(pairs[i][0]));
                auto_str decoded = NULL;
                size_t n;

                assert_string_equal(encoded, pairs[i][1]);
                assert_int_equal(base64_decode(encoded, &decoded, &n), 0);
                assert_int_equal(n, strlen(pairs[i][0]));
                assert_string_equal(decoded, pairs[i][0]);
        }
}

static void base64_that_is_none(void **state)
{
        static const char *const broken[] = { "A", "AA=", "A===", "AA*A", "AAAA=", "AA==A", "=", "AA A" };
        char *decoded;
        size_t n;

        for (size_t i = 0; i < COR_COUNT(broken); i++)
                assert_int_equal(base64_decode(broken[i], &decoded, &n), -1);
}

static void what_is_special_is_escaped(void **state)
{
        auto_text t = COR_TEXT_INIT;

        percent_add(&t, "a/b:c d\xc3\xa9&", "/");
        assert_string_equal(t.s, "a/b%3Ac%20d%C3%A9%26");
}

static void addresses(void **state)
{
        static const char *const wrong[] = {
                "", ":80", "a:0", "a:65536", "a:b", "a b", "u@h", "[::1", "a/b", "[::1]x"
        };
        auto_address a = ADDRESS_INIT;
        auto_address b = ADDRESS_INIT;
        auto_str text = NULL;

        assert_int_equal(address_split("[FD00::1]:5000", &a), 0);
        assert_string_equal(a.host, "fd00::1");
        assert_int_equal(a.port, 5000);
        text = address_format(&a);
        assert_string_equal(text, "[fd00::1]:5000");
        for (size_t i = 0; i < COR_COUNT(wrong); i++)
                assert_int_equal(address_split(wrong[i], &b), -1);
        assert_int_equal(address_of_url("https://user@host/", &b), -1);
        assert_int_equal(address_of_url("ftp://host/", &b), -1);
}

static void origins(void **state)
{
        bool down;

        assert_true(address_same_origin("https://a/x", "https://A:443/y", &down) && !down);
        assert_false(address_same_origin("https://a", "https://b", &down));
        assert_false(address_same_origin("https://a", "https://a:444", &down));
        assert_true(address_same_origin("https://a", "http://a", &down) && down);
        assert_true(address_same_origin("http://a", "https://a", &down) && !down);
        assert_false(address_same_origin("https://a:5000", "http://a:5001", &down));
        assert_true(down);
        assert_false(address_same_origin("https://a", "file:///a", &down));
}

static void a_token_is_asked_for(void **state)
{
        struct challenge c = { .scheme = CHALLENGE_BEARER,
                               .realm = (char[]){ "https://auth/token?a=b#c" },
                               .service = (char[]){ "a b" } };
        struct registry_auth auth = { .user = (char[]){ "user" }, .password = (char[]){ "pass" } };
        auto_strv scopes = { 0 };
        struct token_request t = { 0 };
        struct cor_err err = { 0 };

        cor_strv_add(&scopes, "repository:x:pull");
        assert_int_equal(token_request_make(&c, &auth, "https://r", &scopes, true, &t, &err), 0);
        assert_string_equal(t.url, "https://auth/token?a=b&account=user&service=a%20b&scope=repository%3Ax%3Apull"
                                   "&offline_token=true&client_id=coracle");
        assert_string_equal(t.authorization, "Basic dXNlcjpwYXNz");
        token_request_done(&t);
        c.realm = (char[]){ "http://auth/token" };
        assert_int_equal(token_request_make(&c, &auth, "https://r", &scopes, false, &t, &err), -1);
        assert_int_equal(err.kind, COR_DENIED);
        assert_int_equal(token_request_make(&c, NULL, "https://r", &scopes, false, &t, &err), 0);
        assert_null(t.authorization);
        token_request_done(&t);
}

static void a_token_is_read(void **state)
{
        static const char *const wrong[] = {
                "", "{}", "{\"token\":\"a b\"}", "{\"token\":\"a\\r\\nb\"}", "{\"token\":5}", "[]"
        };
        static const char good[] = "{\"access_token\":\"abc\",\"expires_in\":300,\"refresh_token\":\"r\"}";
        auto_str token = NULL;
        auto_str refresh = NULL;
        struct cor_err err = { 0 };
        int64_t seconds;

        assert_int_equal(token_read(good, sizeof good - 1, &token, &seconds, &refresh, &err), 0);
        assert_string_equal(token, "abc");
        assert_string_equal(refresh, "r");
        assert_true(seconds <= 300 && seconds > 200);
        for (size_t i = 0; i < COR_COUNT(wrong); i++) {
                char *none = NULL;

                assert_int_equal(token_read(wrong[i], strlen(wrong[i]), &none, &seconds, NULL, &err), -1);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(base64_there_and_back),
                cmocka_unit_test(base64_that_is_none),
                cmocka_unit_test(what_is_special_is_escaped),
                cmocka_unit_test(addresses),
                cmocka_unit_test(origins),
                cmocka_unit_test(a_token_is_asked_for),
                cmocka_unit_test(a_token_is_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
