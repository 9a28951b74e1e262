/* DNS messages: questions that are right and wrong, answers, and names of addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "network/dns.h"

struct message {
        uint8_t bytes[600];
        size_t n;
};

static struct message ask(const char *name, uint8_t type, bool edns)
{
        struct message m = { .bytes = { 0x12, 0x34, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, edns ? 1 : 0 }, .n = 12 };

        for (size_t len; *name; name += len + (name[len] == '.')) {
                len = strcspn(name, ".");
                m.bytes[m.n++] = (uint8_t)len;
                memcpy(m.bytes + m.n, name, len);
                m.n += len;
        }
        memcpy(m.bytes + m.n, (uint8_t[]){ 0, 0, type, 0, 1 }, 5);
        m.n += 5;
        if (edns) {
                memcpy(m.bytes + m.n, (uint8_t[]){ 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0 }, 11);
                m.n += 11;
        }
        return m;
}

static void test_questions(void **state)
{
        struct message m = ask("Web.one", DNS_A, false), e = ask("web", DNS_AAAA, true);
        struct dns_question q;
        enum dns_code code;

        (void)state;
        assert_true(dns_read_question(m.bytes, m.n, &q, &code));
        assert_int_equal(code, DNS_OK);
        assert_string_equal(q.name, "Web.one");
        assert_int_equal(q.type, DNS_A);
        assert_int_equal(q.id, 0x1234);
        assert_int_equal(q.end, m.n);
        assert_int_equal(q.udp_bytes, 512);
        assert_true(dns_read_question(e.bytes, e.n, &q, &code));
        assert_true(q.has_edns);
        assert_int_equal(q.udp_bytes, 1232);
        for (size_t n = 0; n < m.n; n++) { /* cut anywhere */
                bool any = dns_read_question(m.bytes, n, &q, &code);

                assert_true(any == (n >= 12));
                assert_true(!any || code == DNS_FORMAT_ERROR);
        }
        m.bytes[2] = 0x81; /* an answer */
        assert_false(dns_read_question(m.bytes, m.n, &q, &code));
        m.bytes[2] = 0x29; /* an update */
        assert_true(dns_read_question(m.bytes, m.n, &q, &code));
        assert_int_equal(code, DNS_NOT_DONE);
        m = ask("x", DNS_A, false);
        m.bytes[12] = 0xc0; /* a pointer to itself */
        assert_true(dns_read_question(m.bytes, m.n, &q, &code));
        assert_int_equal(code, DNS_FORMAT_ERROR);
        m = ask("a b", DNS_A, false); /* no name of ours, but one that can be passed on */
        assert_true(dns_read_question(m.bytes, m.n, &q, &code));
        assert_int_equal(code, DNS_OK);
        assert_string_equal(q.name, "");
}

static void test_answers(void **state)
{
        struct message m = ask("web", DNS_A, true), p = ask("1.0.0.10.in-addr.arpa", DNS_PTR, false);
        struct ip ips[60];
        uint8_t out[DNS_UDP_MAX];
        struct dns_question q;
        enum dns_code code;
        size_t n;

        (void)state;
        for (size_t i = 0; i < COR_COUNT(ips); i++)
                ips[i] = (struct ip){ .len = i % 2 ? 16 : 4, .bytes = { 10, 0, 0, (uint8_t)i } };
        assert_true(dns_read_question(m.bytes, m.n, &q, &code));
        n = dns_write_answer(m.bytes, &q, &(struct dns_answer){ .ips = ips, .n_ips = 4 }, q.udp_bytes, out);
        assert_int_equal(n, m.n + 2 * 16);
        assert_int_equal(out[7], 2);
        assert_true(dns_answers(out, n, m.bytes, &q, 0x1234));
        assert_false(dns_answers(out, n, m.bytes, &q, 0x1235));
        assert_false(dns_is_truncated(out));
        assert_memory_equal(out + q.end + 12, ips[0].bytes, 4);
        n = dns_write_answer(m.bytes, &q, &(struct dns_answer){ .ips = ips, .n_ips = 60 }, 200, out);
        assert_true(n <= 200 && dns_is_truncated(out));
        n = dns_write_answer(m.bytes, &q, &(struct dns_answer){ .code = DNS_SERVER_FAILURE }, 512, out);
        assert_int_equal(n, m.n);
        assert_int_equal(dns_code_of(out), DNS_SERVER_FAILURE);
        out[13] ^= 0x20; /* an answer may be in another case, … */
        assert_true(dns_answers(out, n, m.bytes, &q, 0x1234));
        out[13] ^= 1; /* … but not about another name */
        assert_false(dns_answers(out, n, m.bytes, &q, 0x1234));
        assert_true(dns_read_question(p.bytes, p.n, &q, &code));
        n = dns_write_answer(p.bytes, &q, &(struct dns_answer){ .name = "web.one" }, 512, out);
        assert_memory_equal(out + q.end + 12, "\3web\3one", 9);
        assert_int_equal(n, q.end + 12 + 9);
}

static void test_reverse(void **state)
{
        struct ip a;

        (void)state;
        assert_true(dns_reverse("2.0.18.172.in-addr.arpa", &a));
        assert_memory_equal(a.bytes, ((uint8_t[]){ 172, 18, 0, 2 }), 4);
        assert_true(dns_reverse("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.D.f.IP6.ARPA", &a));
        assert_int_equal(a.bytes[0], 0xfd);
        assert_int_equal(a.bytes[15], 1);
        assert_false(dns_reverse("256.0.18.172.in-addr.arpa", &a));
        assert_false(dns_reverse("0.18.172.in-addr.arpa", &a));
        assert_false(dns_reverse("1.2.3.4.5.in-addr.arpa", &a));
        assert_false(dns_reverse("", &a));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_questions),
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_reverse),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
