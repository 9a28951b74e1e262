#include "registry/hosts_toml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct registry_config none;

static struct registry_host *parse(const char *text, const char *domain, size_t *n)
{
        struct registry_host *hosts = NULL;
        struct cor_err err = { 0 };

        if (hosts_toml_parse(&none, text, strlen(text), "/certs", domain, &hosts, n, &err) < 0)
                fail_msg("%s", err.msg);
        return hosts;
}

static void expect_error(const char *text, const char *expected)
{
        struct registry_host *hosts;
        struct cor_err err = { 0 };
        size_t n;

        assert_int_equal(hosts_toml_parse(&none, text, strlen(text), "/certs", "x.test", &hosts, &n, &err), -1);
        assert_string_equal(err.msg, expected);
}

static void a_mirror_with_everything(void **state)
{
        size_t n;
        struct registry_host *h = parse("server = \"https://docker.io\"\n"
                                        "[host.\"https://mirror:5000/sub/\"]\n"
                                        "capabilities = [\"pull\", \"resolve\"]\n"
                                        "ca = [\"a.crt\", \"/b.crt\"]\n"
                                        "client = [[\"c.cert\", \"c.key\"], [\"d.pem\", \"\"]]\n"
                                        "skip_verify = true\n"
                                        "override_path = true\n"
                                        "dial_timeout = \"1.5s\"\n"
                                        "proxy = \"socks5://p:1080\"\n"
                                        "[host.\"https://mirror:5000/sub\".header]\n"
                                        "x-a = [\"1\", \"2\"]\n",
                                        "docker.io", &n);

        assert_int_equal(n, 2);
        assert_string_equal(h[0].url, "https://mirror:5000/sub");
        assert_true(h[0].pull && h[0].resolve && !h[0].push && h[0].skip_verify && h[0].override_path &&
                    h[0].name_space);
        assert_int_equal(h[0].ca.n_items, 2);
        assert_string_equal(h[0].ca.items[0], "/certs/a.crt");
        assert_string_equal(h[0].ca.items[1], "/b.crt");
        assert_string_equal(h[0].client_cert, "/certs/c.cert");
        assert_string_equal(h[0].client_key, "/certs/c.key");
        assert_int_equal(h[0].dial_ms, 1500);
        assert_string_equal(h[0].proxy, "socks5://p:1080");
        assert_int_equal(h[0].headers.n_items, 2);
        assert_string_equal(h[0].headers.items[1], "x-a: 2");
        assert_string_equal(h[1].url, "https://registry-1.docker.io");
        assert_true(h[1].pull && h[1].resolve && h[1].push && !h[1].skip_verify && !h[1].name_space);
        registry_hosts_free(h, n);
}

static void without_a_server_the_registry_itself_comes_last(void **state)
{
        size_t n;
        struct registry_host *h = parse("client = \"me.pem\"\n[host.\"m\"]\n", "localhost:5000", &n);

        assert_int_equal(n, 2);
        assert_string_equal(h[0].url, "https://m");
        assert_true(h[0].push);
        assert_false(h[0].plain_fallback);
        assert_string_equal(h[1].url, "https://localhost:5000");
        assert_true(h[1].plain_fallback);
        assert_string_equal(h[1].client_cert, "/certs/me.pem");
        assert_string_equal(h[1].client_key, "/certs/me.pem");
        registry_hosts_free(h, n);
}

static void mistakes_are_named_with_line_and_key(void **state)
{
        expect_error("server = 5", "line 1: server: expected a URL");
        expect_error("server = \"ftp://x\"", "line 1: server: expected http://HOST or https://HOST, found 'ftp://x'");
        expect_error("\nskip_verify = \"true\"", "line 2: skip_verify: expected true or false");
        expect_error("[host.\"https://m\"]\ncapabilities = [\"pul\"]",
                     "line 2: host.https://m.capabilities: expected \"pull\", \"resolve\" or \"push\", found 'pul'");
        expect_error("dial_timeout = \"0s\"",
                     "line 1: dial_timeout: expected a duration such as \"30s\", at most \"10m\"");
        expect_error("proxy = \"http://p/x\"",
                     "line 1: proxy: expected http://, https://, socks5:// or socks5h:// and a host, without a path");
        expect_error("[header]\n\"a b\" = \"c\"", "line 2: header.a b: 'a b' cannot be the name of a header");
        expect_error("[header]\na = \"b\\r\\nc\"", "line 2: header.a: a header holds no control characters");
        expect_error("host = 1", "line 1: host: expected a table for each host: [host.\"https://…\"]");
        expect_error("client = [[\"a\",\"b\",\"c\"]]",
                     "line 1: client: expected a file, a list of files, or a list of pairs [\"CERTIFICATE\", \"KEY\"]");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_mirror_with_everything),
                cmocka_unit_test(without_a_server_the_registry_itself_comes_last),
                cmocka_unit_test(mistakes_are_named_with_line_and_key),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
