#include "registry/proxy.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void networks_hold_addresses(void **state)
{
        assert_true(network_holds("10.0.0.0/8", "10.255.1.2"));
        assert_false(network_holds("10.0.0.0/8", "11.0.0.1"));
        assert_true(network_holds("192.168.16.0/20", "192.168.31.255"));
        assert_false(network_holds("192.168.16.0/20", "192.168.32.0"));
        assert_true(network_holds("0.0.0.0/0", "8.8.8.8"));
        assert_true(network_holds("1.2.3.4", "1.2.3.4"));
        assert_true(network_holds("fd00::/8", "fd12::1"));
        assert_false(network_holds("fd00::/8", "fe80::1"));
        assert_false(network_holds("0.0.0.0/0", "::1"));
        assert_false(network_holds("10.0.0.0/33", "10.0.0.0"));
        assert_false(network_holds("10.0.0.0/", "10.0.0.0"));
        assert_false(network_holds("10.0.0.0/8", "name"));
}

static void names_cover_what_is_below_them(void **state)
{
        assert_true(proxy_bypasses("example.org", "example.org", 443));
        assert_true(proxy_bypasses("example.org", "a.Example.org", 443));
        assert_false(proxy_bypasses("example.org", "badexample.org", 443));
        assert_false(proxy_bypasses(".example.org", "example.org", 443));
        assert_true(proxy_bypasses(".example.org", "a.example.org", 443));
        assert_true(proxy_bypasses("*.example.org", "a.example.org", 443));
        assert_true(proxy_bypasses("x, example.org:5000 ,y", "example.org", 5000));
        assert_false(proxy_bypasses("example.org:5000", "example.org", 443));
        assert_true(proxy_bypasses("*", "anything", 1));
        assert_true(proxy_bypasses("10.0.0.0/8", "10.1.1.1", 80));
        assert_true(proxy_bypasses("10.1.1.1", "10.1.1.1", 80));
        assert_true(proxy_bypasses("[fd00::1]:80", "fd00::1", 80));
        assert_false(proxy_bypasses("", "x", 80));
        assert_false(proxy_bypasses(",,", "x", 80));
}

static void expect_proxy(const char *url, const char *expected)
{
        char *got = proxy_for(url);

        if (expected)
                assert_string_equal(got, expected);
        else
                assert_null(got);
        free(got);
}

static void the_environment_decides(void **state)
{
        setenv("HTTP_PROXY", "http://upper:1", 1);
        setenv("https_proxy", "http://lower:2", 1);
        setenv("NO_PROXY", "direct.test,10.0.0.0/8", 1);
        expect_proxy("http://a.test/v2/", "http://upper:1");
        expect_proxy("https://a.test/v2/", "http://lower:2");
        expect_proxy("https://b.direct.test:5000/", NULL);
        expect_proxy("https://10.1.2.3/", NULL);
        expect_proxy("https://localhost:5000/", NULL);
        expect_proxy("http://127.0.0.9/", NULL);
        expect_proxy("http://[::1]:80/", NULL);
        unsetenv("HTTP_PROXY");
        expect_proxy("http://a.test/", NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(networks_hold_addresses),
                cmocka_unit_test(names_cover_what_is_below_them),
                cmocka_unit_test(the_environment_decides),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
