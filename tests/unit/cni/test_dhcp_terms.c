/* What a server grants, as a result of CNI; and what no server may grant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cni/dhcp_request.h"
#include "cni/dhcp_terms.h"
#include "dhcp_reply.h"

static int read_terms(const struct reply *r, struct dhcp_terms *ret, struct cni_result **ret_result,
                      struct cor_err *err)
{
        struct dhcp_message m;

        if (dhcp_message_read(r->bytes, r->n, &m, err) < 0 || dhcp_terms_read(&m, true, ret, err) < 0)
                return -1;
        return dhcp_result(&m, 0, true, ret_result, err);
}

static void expect_result(const struct reply *r, const char *json)
{
        auto_json struct cni_result *result = NULL;
        auto_text text = COR_TEXT_INIT;
        struct cor_err err = { 0 };
        struct dhcp_terms t;

        if (read_terms(r, &t, &result, &err) < 0)
                fail_msg("%s", err.msg);
        cor_json_print(&cni_result_doc, result, COR_JSON_COMPACT, &text);
        assert_string_equal(text.s, json);
}

static void expect_refused(const struct reply *r, const char *why)
{
        auto_json struct cni_result *result = NULL;
        struct cor_err err = { 0 };
        struct dhcp_terms t;

        assert_int_equal(read_terms(r, &t, &result, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        if (!strstr(err.msg, why))
                fail_msg("\"%s\" lacks \"%s\"", err.msg, why);
}

#define ADDRESS "\"ips\":[{\"address\":\"10.0.0.5/24\""

static void test_gateway_and_routes(void **state)
{
        struct reply r = reply_granting();

        (void)state;
        expect_result(&r, "{" ADDRESS "}],\"dns\":{}}");
        REPLY_OPTION(&r, DHCP_ROUTERS, 10, 0, 0, 1, 10, 0, 0, 2);
        expect_result(&r, "{" ADDRESS ",\"gateway\":\"10.0.0.1\"}],"
                          "\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.0.1\"}],\"dns\":{}}");
        REPLY_OPTION(&r, DHCP_STATIC_ROUTES, 172, 16, 3, 4, 10, 0, 0, 9);
        expect_result(&r, "{" ADDRESS ",\"gateway\":\"10.0.0.1\"}],"
                          "\"routes\":[{\"dst\":\"172.16.0.0/16\",\"gw\":\"10.0.0.9\"},"
                          "{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.0.1\"}],\"dns\":{}}");
        /* RFC 3442: classless routes are the only ones, and some are direct */
        REPLY_OPTION(&r, DHCP_CLASSLESS_ROUTES, 25, 192, 168, 7, 255, 10, 0, 0, 3, 0, 10, 0, 0, 4, 16, 10, 9, 0, 0, 0,
                     0);
        expect_result(&r, "{" ADDRESS ",\"gateway\":\"10.0.0.1\"}],"
                          "\"routes\":[{\"dst\":\"192.168.7.128/25\",\"gw\":\"10.0.0.3\"},"
                          "{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.0.4\"},"
                          "{\"dst\":\"10.9.0.0/16\",\"gw\":\"0.0.0.0\",\"scope\":253}],\"dns\":{}}");
}

static void test_names(void **state)
{
        struct reply r = reply_granting();

        (void)state;
        REPLY_OPTION(&r, DHCP_NAME_SERVERS, 10, 0, 0, 1, 9, 9, 9, 9);
        REPLY_OPTION(&r, DHCP_DOMAIN_NAME, 'a', '.', 'b', 0);
        REPLY_OPTION(&r, DHCP_DOMAIN_SEARCH, 3, 'o', 'n', 'e', 3, 'n', 'e', 't', 0, 3, 't', 'w', 'o', 0xc0, 4);
        expect_result(&r, "{" ADDRESS "}],\"dns\":{\"nameservers\":[\"10.0.0.1\",\"9.9.9.9\"],"
                          "\"domain\":\"a.b\",\"search\":[\"one.net\",\"two.net\"]}}");
}

static void test_times(void **state)
{
        static const struct {
                uint32_t lease, renew, rebind; /* 0: not said */
                int64_t lease_ms, renew_ms, rebind_ms;
        } cases[] = {
                { 0, 0, 0, 3600000, 1800000, 3150000 }, { 80, 0, 0, 80000, 40000, 70000 },
                { 80, 10, 20, 80000, 10000, 20000 },    { 80, 90, 20, 80000, 40000, 70000 },
                { 80, 10, 90, 80000, 10000, 70000 },    { 1, 0, 0, 2000, 1000, 1750 },
                { UINT32_MAX, 5, 6, -1, -1, -1 },
        };

        (void)state;
        for (size_t i = 0; i < COR_COUNT(cases); i++) {
                const uint32_t given[] = { cases[i].lease, cases[i].renew, cases[i].rebind };
                const uint8_t codes[] = { DHCP_LEASE_TIME, DHCP_RENEWAL_TIME, DHCP_REBINDING_TIME };
                auto_json struct cni_result *result = NULL;
                struct reply r = reply_granting();
                struct dhcp_terms t = { .lease_ms = 0 };

                for (size_t j = 0; j < COR_COUNT(given); j++)
                        if (given[j])
                                REPLY_OPTION(&r, codes[j], (uint8_t)(given[j] >> 24), (uint8_t)(given[j] >> 16),
                                             (uint8_t)(given[j] >> 8), (uint8_t)given[j]);
                assert_int_equal(read_terms(&r, &t, &result, NULL), 0);
                assert_int_equal(t.lease_ms, cases[i].lease_ms);
                assert_int_equal(t.renew_ms, cases[i].renew_ms);
                assert_int_equal(t.rebind_ms, cases[i].rebind_ms);
        }
}

static void test_what_nobody_can_be_granted(void **state)
{
        static const struct {
                uint8_t code, len, value[24];
                const char *why;
        } cases[] = {
                { DHCP_ROUTERS, 3, { 10, 0, 0 }, "option 3 (routers): 3 bytes" },
                { DHCP_ROUTERS, 0, { 0 }, "option 3 (routers): 0 bytes" },
                { DHCP_ROUTERS, 4, { 127, 0, 0, 1 }, "option 3 (routers): no address" },
                { DHCP_ROUTERS, 4, { 224, 0, 0, 1 }, "option 3 (routers): no address" },
                { DHCP_STATIC_ROUTES, 7, { 10 }, "option 33 (routes): is cut off" },
                { DHCP_STATIC_ROUTES, 8, { 0, 0, 0, 0, 10, 0, 0, 1 }, "option 33" },
                { DHCP_CLASSLESS_ROUTES, 9, { 33, 1, 2, 3, 4, 10, 0, 0, 1 }, "option 121 (routes): is cut off" },
                { DHCP_CLASSLESS_ROUTES, 7, { 24, 192, 168, 1, 10, 0, 0 }, "option 121 (routes): is cut off" },
                { DHCP_CLASSLESS_ROUTES, 6, { 8, 127, 10, 0, 0, 1 }, "option 121: a route that cannot be: to 127.0." },
                { DHCP_CLASSLESS_ROUTES, 5, { 0, 255, 255, 255, 255 }, "option 121: a route that cannot be" },
                { DHCP_NAME_SERVERS, 5, { 10, 0, 0, 1, 9 }, "option 6 (name servers): 5 bytes" },
                { DHCP_NAME_SERVERS, 4, { 0, 0, 0, 0 }, "option 6 (name servers): no address" },
                { DHCP_DOMAIN_NAME, 9, "a\nnamese", "option 15" },
                { DHCP_DOMAIN_NAME, 4, "a..b", "option 15" },
                { DHCP_DOMAIN_NAME, 4, "a\0.b", "option 15" },
                { DHCP_DOMAIN_SEARCH, 3, { 3, 'a', 'b' }, "option 119" },
                { DHCP_DOMAIN_SEARCH, 2, { 1, 'a' }, "option 119" },
                { DHCP_DOMAIN_SEARCH, 2, { 0xc0, 0 }, "option 119" }, /* leads to itself */
                { DHCP_DOMAIN_SEARCH, 4, { 1, 'a', 0xc0, 0 }, "option 119" },
                { DHCP_DOMAIN_SEARCH, 2, { 0xc0, 9 }, "option 119" },
                { DHCP_DOMAIN_SEARCH, 1, { 0xc0 }, "option 119" },
                { DHCP_DOMAIN_SEARCH, 1, { 0 }, "option 119" },
                { DHCP_DOMAIN_SEARCH, 3, { 1, ' ', 0 }, "option 119" },
                { DHCP_DOMAIN_SEARCH, 3, { 0x81, 'a', 0 }, "option 119" },
        };

        (void)state;
        for (size_t i = 0; i < COR_COUNT(cases); i++) {
                struct reply r = reply_granting();

                reply_option(&r, cases[i].code, cases[i].value, cases[i].len);
                expect_refused(&r, cases[i].why);
        }
}

static void test_addresses_that_no_host_has(void **state)
{
        static const struct {
                uint8_t yours[4], mask[4];
                const char *why;
        } cases[] = {
                { { 0, 0, 0, 0 }, { 255, 255, 255, 0 }, "0.0.0.0 is none" },
                { { 127, 0, 0, 1 }, { 255, 255, 255, 0 }, "127.0.0.1 is none" },
                { { 239, 0, 0, 1 }, { 255, 255, 255, 0 }, "239.0.0.1 is none" },
                { { 255, 255, 255, 255 }, { 255, 255, 255, 0 }, "is none" },
                { { 10, 0, 0, 0 }, { 255, 255, 255, 0 }, "10.0.0.0/24 is none" },
                { { 10, 0, 0, 255 }, { 255, 255, 255, 0 }, "10.0.0.255/24 is none" },
                { { 10, 0, 0, 5 }, { 255, 0, 255, 0 }, "option 1 (subnet mask) is no mask" },
                { { 10, 0, 0, 5 }, { 0, 0, 0, 0 }, "option 1 (subnet mask) is no mask" },
        };
        struct reply r = reply_of(DHCP_OFFER);

        (void)state;
        for (size_t i = 0; i < COR_COUNT(cases); i++) {
                r = reply_of(DHCP_OFFER);
                memcpy(r.bytes + 16, cases[i].yours, 4);
                REPLY_OPTION(&r, DHCP_SERVER, 10, 0, 0, 1);
                reply_option(&r, DHCP_SUBNET_MASK, cases[i].mask, 4);
                expect_refused(&r, cases[i].why);
        }
        r = reply_of(DHCP_OFFER);
        REPLY_OPTION(&r, DHCP_SUBNET_MASK, 255, 255, 255, 0);
        expect_refused(&r, "option 54 (server) is not there");
        r = reply_of(DHCP_OFFER);
        REPLY_OPTION(&r, DHCP_SERVER, 10, 0, 0, 1);
        expect_refused(&r, "option 1 (subnet mask) is not there");
}

static void test_options_by_name(void **state)
{
        (void)state;
        assert_int_equal(dhcp_option_number("routers"), 3);
        assert_int_equal(dhcp_option_number("dhcp-client-identifier"), 61);
        assert_int_equal(dhcp_option_number("121"), 121);
        assert_int_equal(dhcp_option_number("0"), -1);
        assert_int_equal(dhcp_option_number("255"), -1);
        assert_int_equal(dhcp_option_number("-1"), -1);
        assert_int_equal(dhcp_option_number("router"), -1);
        assert_int_equal(dhcp_option_number(""), -1);
        assert_true(dhcp_option_settable(12));
        assert_false(dhcp_option_settable(53));
        assert_false(dhcp_option_settable(255));
        assert_false(dhcp_option_settable(300));
}

static void test_hexadecimal(void **state)
{
        static const uint8_t bytes[] = { 0, 0xa5, 0xff };
        auto_str text = dhcp_hex(bytes, sizeof bytes);
        uint8_t back[4];

        (void)state;
        assert_string_equal(text, "00a5ff");
        assert_int_equal(dhcp_unhex(text, back, sizeof back), 3);
        assert_memory_equal(back, bytes, 3);
        assert_int_equal(dhcp_unhex("", back, 0), 0);
        assert_int_equal(dhcp_unhex("0", back, sizeof back), -1);
        assert_int_equal(dhcp_unhex("0g", back, sizeof back), -1);
        assert_int_equal(dhcp_unhex("0011223344", back, sizeof back), -1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_gateway_and_routes),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_times),
                cmocka_unit_test(test_what_nobody_can_be_granted),
                cmocka_unit_test(test_addresses_that_no_host_has),
                cmocka_unit_test(test_options_by_name),
                cmocka_unit_test(test_hexadecimal),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
