#include "tools/usernet/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct ip guest = { 4, { 10, 0, 2, 100 } }, guest6 = { 16, { 0xfd, [15] = 5 } }, none;

static void parsed(const char *text, struct request *ret)
{
        struct cor_err err = { 0 };

        if (request_parse(text, strlen(text), &guest, &guest6, ret, &err) < 0)
                fail_msg("%s: %s", text, err.msg);
}

static void refused(const char *text, const struct ip *six, const char *why)
{
        struct cor_err err = { 0 };
        struct request r;

        assert_int_equal(request_parse(text, strlen(text), &guest, six, &r, &err), -1);
        if (!cor_starts_with(err.msg, why))
                fail_msg("%s: %s, expected %s", text, err.msg, why);
}

#define ADD(ARGUMENTS) "{\"execute\":\"add_hostfwd\",\"arguments\":{" ARGUMENTS "}}"

static void what_is_not_given_has_a_default_of_the_right_family(void **state)
{
        char text[IP_TEXT_BYTES];
        struct request r;

        parsed(ADD("\"proto\":\"tcp\",\"host_port\":1,\"guest_port\":65535"), &r);
        assert_int_equal(r.kind, REQUEST_ADD);
        assert_false(r.forward.udp);
        assert_int_equal(r.forward.host_port, 1);
        assert_int_equal(r.forward.guest_port, 65535);
        assert_string_equal(ip_text(&r.forward.host, text), "0.0.0.0");
        assert_string_equal(ip_text(&r.forward.guest, text), "10.0.2.100");

        parsed(ADD("\"proto\":\"udp6\",\"host_port\":1,\"guest_port\":2"), &r);
        assert_true(r.forward.udp);
        assert_string_equal(ip_text(&r.forward.host, text), "::");
        assert_string_equal(ip_text(&r.forward.guest, text), "fd00::5");

        parsed(ADD("\"proto\":\"tcp\",\"host_addr\":\"::1\",\"host_port\":1,\"guest_port\":2"), &r);
        assert_string_equal(ip_text(&r.forward.guest, text), "fd00::5");
}

static void empty_addresses_are_none(void **state)
{
        char text[IP_TEXT_BYTES];
        struct request r;

        parsed(ADD("\"proto\":\"tcp\",\"host_addr\":\"\",\"guest_addr\":\"\",\"host_port\":1,\"guest_port\":2"), &r);
        assert_string_equal(ip_text(&r.forward.host, text), "0.0.0.0");
        assert_string_equal(ip_text(&r.forward.guest, text), "10.0.2.100");
}

static void families_are_not_mixed(void **state)
{
        refused(ADD("\"proto\":\"tcp4\",\"host_addr\":\"::1\",\"host_port\":1,\"guest_port\":2"), &guest6,
                "bad request: add_hostfwd: bad arguments.host_addr: ");
        refused(ADD("\"proto\":\"tcp\",\"host_addr\":\"::1\",\"guest_addr\":\"10.0.2.1\",\"host_port\":1,\"guest_"
                    "port\":2"),
                &guest6, "bad request: add_hostfwd: bad arguments.guest_addr: ");
        refused(ADD("\"proto\":\"tcp6\",\"host_port\":1,\"guest_port\":2"), &none,
                "bad request: add_hostfwd: bad arguments.guest_addr: ");
}

static void a_request_has_less_than_4096_bytes(void **state)
{
        char text[REQUEST_MAX + 1] = "{\"execute\":\"list_hostfwd\"}";
        struct cor_err err = { 0 };
        struct request r;

        memset(text + strlen(text), ' ', sizeof text - strlen(text) - 1);
        assert_int_equal(request_parse(text, REQUEST_MAX - 1, &guest, &none, &r, &err), 0);
        assert_int_equal(r.kind, REQUEST_LIST);
        assert_int_equal(request_parse(text, REQUEST_MAX, &guest, &none, &r, &err), -1);
        assert_string_equal(err.msg, "bad request: too large message");
}

static void answers_are_those_of_slirp4netns(void **state)
{
        struct request_entry entries[2] = { { .id = 1 }, { .id = 7 } };
        auto_text out = COR_TEXT_INIT;
        struct request r;

        parsed(ADD("\"proto\":\"udp\",\"host_addr\":\"127.0.0.1\",\"host_port\":5,\"guest_port\":6"), &r);
        entries[0].forward = entries[1].forward = r.forward;
        request_answer_list(entries, 0, &out);
        assert_string_equal(out.s, "{\"return\":{\"entries\":[]},\"entries\":[]}");
        cor_text_done(&out);
        request_answer_added(3, &out);
        request_answer_done(&out);
        request_answer_error("a \"b\"", &out);
        assert_string_equal(out.s, "{\"return\":{\"id\":3}}{\"return\":{}}{\"error\":{\"desc\":\"a \\\"b\\\"\"}}");
        cor_text_done(&out);
        request_answer_list(entries, 2, &out);
        assert_non_null(strstr(out.s, "},{\"id\":7,\"proto\":\"udp\",\"host_addr\":\"127.0.0.1\",\"host_port\":5,"
                                      "\"guest_addr\":\"10.0.2.100\",\"guest_port\":6}]"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_not_given_has_a_default_of_the_right_family),
                cmocka_unit_test(empty_addresses_are_none),
                cmocka_unit_test(families_are_not_mixed),
                cmocka_unit_test(a_request_has_less_than_4096_bytes),
                cmocka_unit_test(answers_are_those_of_slirp4netns),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
