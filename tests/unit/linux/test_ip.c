/* Addresses and networks as values. */
#include "linux/ip.h"

#include "child.h"

#include <sys/socket.h>

static struct ip address(const char *s)
{
        struct ip a;

        assert_int_equal(ip_parse(s, &a), 0);
        return a;
}

static struct ip_prefix prefix(const char *s)
{
        struct ip_prefix p;

        assert_int_equal(ip_prefix_parse(s, &p), 0);
        return p;
}

static void text_comes_back(void **state)
{
        static const char *const texts[] = { "0.0.0.0/0", "10.1.2.3/24", "255.255.255.255/32", "::/0", "fd00::1/64" };
        char buf[IP_TEXT_BYTES];

        (void)state;
        for (size_t i = 0; i < COR_COUNT(texts); i++) {
                struct ip_prefix p = prefix(texts[i]);

                assert_string_equal(ip_prefix_text(&p, buf), texts[i]);
        }
}

static void what_is_no_address_is_refused(void **state)
{
        static const char *const bad[] = {
                "",        "10.1.2",     "10.1.2.3/", "10.1.2.3/33", "10.1.2.3/-1",       "10.1.2.3/ 8",
                "::1/129", "1.2.3.4/8x", "/8",        "010.1.2.3/8", "::ffff:1.2.3.4/95", "10.0.0.0/4294967304"
        };
        struct ip_prefix p;

        (void)state;
        for (size_t i = 0; i < COR_COUNT(bad); i++)
                assert_int_equal(ip_prefix_parse(bad[i], &p), -1);
        assert_int_equal(ip_prefix_parse("10.1.2.3", &p), -1);
        assert_int_equal(ip_parse_maybe_prefix("10.1.2.3", &p), 0);
        assert_int_equal(p.bits, 32);
}

static void mapped_addresses_are_of_version_4(void **state)
{
        struct ip_prefix p = prefix("::ffff:10.0.0.1/104");

        (void)state;
        assert_int_equal(ip_family(&p.ip), AF_INET);
        assert_int_equal(p.bits, 8);
}

static void networks_have_a_first_and_a_last_address(void **state)
{
        struct ip_prefix p = prefix("10.1.2.3/23"), six = prefix("fd00:1::5/64");
        struct ip first = ip_prefix_network(&p), last = ip_prefix_last(&p), a = address("10.1.3.255");
        char buf[IP_TEXT_BYTES];

        (void)state;
        assert_string_equal(ip_text(&first, buf), "10.1.2.0");
        assert_string_equal(ip_text(&last, buf), "10.1.3.255");
        assert_true(ip_prefix_contains(&p, &a));
        a = ip_next(&a);
        assert_string_equal(ip_text(&a, buf), "10.1.4.0");
        assert_false(ip_prefix_contains(&p, &a));
        assert_false(ip_prefix_contains(&six, &a));
        last = ip_prefix_last(&six);
        assert_string_equal(ip_text(&last, buf), "fd00:1::ffff:ffff:ffff:ffff");
        assert_true(ip_compare(&first, &last) < 0);
}

static void an_address_has_properties(void **state)
{
        struct ip four = address("127.1.2.3"), six = address("::1"), zero = address("::"), other = address("10.0.0.1");

        (void)state;
        assert_true(ip_is_loopback(&four) && ip_is_loopback(&six));
        assert_false(ip_is_loopback(&other) || ip_is_loopback(&zero));
        assert_true(ip_is_zero(&zero));
        assert_false(ip_is_zero(&other));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(text_comes_back),
                cmocka_unit_test(what_is_no_address_is_refused),
                cmocka_unit_test(mapped_addresses_are_of_version_4),
                cmocka_unit_test(networks_have_a_first_and_a_last_address),
                cmocka_unit_test(an_address_has_properties),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
