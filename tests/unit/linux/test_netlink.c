#include "linux/netlink.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "child.h"
#include "linux/link_message.h"
#include "linux/netdev_message.h"

static struct netlink_cursor attributes(const struct netlink_request *r)
{
        return (struct netlink_cursor){ r->bytes + sizeof(struct nlmsghdr), r->len - sizeof(struct nlmsghdr) };
}

static void what_is_put_is_read_back(void **state)
{
        struct netlink_request r;
        struct netlink_cursor c, in;
        struct netlink_attr a, b;
        size_t mark;

        netlink_begin(&r, RTM_NEWLINK, 0, NULL, 0);
        netlink_put_u8(&r, 1, 8);
        netlink_put_u16(&r, 2, 1616);
        netlink_put_u32(&r, 3, 323232);
        netlink_put_u64(&r, 4, UINT64_C(64646464646464));
        netlink_put_str(&r, 5, "text");
        mark = netlink_nest(&r, 6);
        netlink_put_str(&r, 7, "inner");
        netlink_nest_end(&r, mark);
        netlink_put(&r, 8, NULL, 0);
        assert_false(r.overflow);

        c = attributes(&r);
        assert_true(netlink_next_attr(&c, &a) && a.type == 1 && netlink_u8(&a, 0) == 8);
        assert_true(netlink_next_attr(&c, &a) && a.type == 2 && netlink_u16(&a, 0) == 1616);
        assert_true(netlink_next_attr(&c, &a) && a.type == 3 && netlink_u32(&a, 0) == 323232);
        assert_true(netlink_next_attr(&c, &a) && a.type == 4 && netlink_u64(&a, 0) == UINT64_C(64646464646464));
        assert_true(netlink_next_attr(&c, &a) && a.type == 5);
        assert_string_equal(netlink_str(&a), "text");
        assert_true(netlink_next_attr(&c, &a) && a.type == 6);
        in = netlink_inside(&a);
        assert_true(netlink_next_attr(&in, &b) && b.type == 7);
        assert_string_equal(netlink_str(&b), "inner");
        assert_false(netlink_next_attr(&in, &b));
        assert_true(netlink_next_attr(&c, &a) && a.type == 8 && a.len == 0);
        assert_false(netlink_next_attr(&c, &a));
}

static void values_that_are_too_short_give_the_default(void **state)
{
        const uint8_t three[] = { 1, 2, 3 };
        const struct netlink_attr a = { .data = three, .len = 3 }, empty = { .data = three, .len = 0 };

        assert_int_equal(netlink_u32(&a, 77), 77);
        assert_int_equal(netlink_u64(&a, 78), 78);
        assert_int_equal(netlink_u16(&empty, 79), 79);
        assert_int_equal(netlink_u8(&empty, 80), 80);
        assert_null(netlink_str(&a)); /* no NUL inside */
        assert_null(netlink_str(&empty));
}

static void a_request_that_overflows_is_not_sent(void **state)
{
        static const char big[NETLINK_REQUEST_MAX];
        struct cor_err err = { 0 };
        struct netlink_request r;

        netlink_begin(&r, RTM_GETLINK, 0, NULL, 0);
        netlink_put(&r, 1, big, NETLINK_REQUEST_MAX - 100);
        assert_false(r.overflow);
        netlink_put(&r, 1, big, 100);
        assert_true(r.overflow);
        netlink_put_u8(&r, 2, 1); /* once too long, always too long */
        netlink_nest_end(&r, netlink_nest(&r, 3));
        assert_true(r.overflow && r.len <= sizeof r.bytes);
        assert_int_equal(netlink_exchange(-1, &r, NULL, NULL, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);

        netlink_begin(&r, RTM_GETLINK, 0, NULL, 0);
        netlink_put(&r, 1, big, 100000);
        assert_true(r.overflow);
}

/* Reading ends where a length does not fit, and never beyond the bytes (the sanitizers' builds watch). */
static void lengths_that_lie_end_the_reading(void **state)
{
        struct nlmsghdr h = { .nlmsg_len = sizeof h + 4, .nlmsg_type = RTM_NEWLINK };
        struct nlattr lie = { .nla_len = 9, .nla_type = 1 }, tiny = { .nla_len = 3, .nla_type = 1 };
        struct netlink_message m;
        struct netlink_cursor c;
        struct netlink_attr a;

        c = (struct netlink_cursor){ (const uint8_t *)&h, sizeof h };
        assert_false(netlink_next_message(&c, &m));
        h.nlmsg_len = 5;
        assert_false(netlink_next_message(&c, &m));
        h.nlmsg_len = sizeof h;
        assert_true(netlink_next_message(&c, &m) && m.len == 0 && c.left == 0);
        c = (struct netlink_cursor){ (const uint8_t *)&lie, sizeof lie };
        assert_false(netlink_next_attr(&c, &a));
        c = (struct netlink_cursor){ (const uint8_t *)&tiny, sizeof tiny };
        assert_false(netlink_next_attr(&c, &a));
}

static void an_acknowledgement_tells_number_and_text(void **state)
{
        struct netlink_request r;
        struct netlink_message m = { .type = NLMSG_ERROR, .flags = NLM_F_CAPPED | NLM_F_ACK_TLVS };
        struct netlink_ack ack;
        const int32_t code = -17, wrong = 5;
        struct nlmsghdr about = { .nlmsg_len = 500 };
        uint8_t body[200];

        netlink_begin(&r, 0, 0, NULL, 0);
        netlink_put_str(&r, NLMSGERR_ATTR_MSG, "no, because");
        memcpy(body, &code, 4);
        memcpy(body + 4, &about, sizeof about);
        memcpy(body + 4 + sizeof about, r.bytes + sizeof about, r.len - sizeof about);
        m.body = body;
        m.len = 4 + r.len;
        assert_true(netlink_read_ack(&m, &ack));
        assert_int_equal(ack.error, 17);
        assert_string_equal(ack.text, "no, because");

        m.flags = NLM_F_ACK_TLVS; /* not cut off, so the text would come after 500 bytes that are not there */
        assert_true(netlink_read_ack(&m, &ack) && ack.error == 17 && ack.text[0] == '\0');
        m.len = 2;
        assert_true(netlink_read_ack(&m, &ack) && ack.error == EPROTO);
        memcpy(body, &wrong, 4);
        m.len = 4;
        assert_true(netlink_read_ack(&m, &ack) && ack.error == EPROTO);
        m.type = RTM_NEWLINK;
        assert_false(netlink_read_ack(&m, &ack));
}

static int count(const struct netlink_message *m, void *data, struct cor_err *err)
{
        struct netdev_link link;

        if (netdev_read_link(m, &link) && strcmp(link.name, "lo") == 0)
                ++*(int *)data;
        return 0;
}

static int refuse(const struct netlink_message *m, void *data, struct cor_err *err)
{
        return cor_fail(err, COR_DENIED, "enough");
}

static void the_kernel_answers(void **state)
{
        const struct ifinfomsg all = { 0 };
        struct netlink_request r;
        struct cor_err err = { 0 };
        int seen = 0;
        auto_fd sock = netlink_open(NETLINK_ROUTE, &err);

        assert_true(sock >= 0);
        netdev_ask_link(&r, "lo");
        assert_int_equal(netlink_exchange(sock, &r, count, &seen, &err), 0);
        assert_int_equal(seen, 1);
        netlink_begin(&r, RTM_GETLINK, NLM_F_DUMP, &all, sizeof all);
        assert_int_equal(netlink_exchange(sock, &r, count, &seen, &err), 0);
        assert_int_equal(seen, 2);
        netdev_ask_link(&r, "nosuchdevice");
        assert_int_equal(netlink_exchange(sock, &r, count, &seen, &err), -1);
        assert_int_equal(err.sys, ENODEV);

        /* an exchange that was broken off does not disturb the next one */
        netlink_begin(&r, RTM_GETLINK, NLM_F_DUMP, &all, sizeof all);
        assert_int_equal(netlink_exchange(sock, &r, refuse, NULL, &err), -1);
        assert_int_equal(err.kind, COR_DENIED);
        netdev_ask_link(&r, "lo");
        assert_int_equal(netlink_exchange(sock, &r, count, &seen, &err), 0);
        assert_int_equal(seen, 3);
}

static void what_the_kernel_says_about_a_mistake_is_in_the_error(void **state)
{
        const struct ifinfomsg odd = { .ifi_change = 77 }; /* strict checking finds this */
        struct netlink_request r;
        struct cor_err err = { 0 };
        auto_fd sock = netlink_open(NETLINK_ROUTE, &err);

        netlink_begin(&r, RTM_GETLINK, NLM_F_DUMP, &odd, sizeof odd);
        assert_int_equal(netlink_exchange(sock, &r, NULL, NULL, &err), -1);
        assert_int_equal(err.sys, EINVAL);
        assert_string_equal(err.msg, "Invalid values in header for link dump request: Invalid argument");
}

static void a_vlan_has_an_id_also_if_that_is_0(void **state)
{
        struct link_new l = { .name = "v0", .kind = "vlan", .netns = -1, .peer = { .netns = -1 } };
        struct netlink_request zero, five;

        link_make(&zero, &l);
        l.vlan = 5;
        link_make(&five, &l);
        assert_int_equal(zero.len, five.len);
        l.kind = "dummy";
        l.vlan = 0;
        link_make(&zero, &l);
        assert_true(zero.len < five.len);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_put_is_read_back),
                cmocka_unit_test(values_that_are_too_short_give_the_default),
                cmocka_unit_test(a_request_that_overflows_is_not_sent),
                cmocka_unit_test(lengths_that_lie_end_the_reading),
                cmocka_unit_test(an_acknowledgement_tells_number_and_text),
                cmocka_unit_test(the_kernel_answers),
                cmocka_unit_test(what_the_kernel_says_about_a_mistake_is_in_the_error),
                cmocka_unit_test(a_vlan_has_an_id_also_if_that_is_0),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
