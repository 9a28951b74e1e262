/* DHCP messages and packets: what is right is read, what is cut, too long or somebody else's is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "cni/dhcp_message.h"
#include "dhcp_reply.h"

static const struct ip server = { 4, { 10, 0, 0, 1 } }, client = { 4, { 10, 0, 0, 5 } };
static const uint8_t mac[DHCP_MAC_BYTES] = { 2, 0, 0, 0, 0, 9 };

static void expect_refused(const struct reply *r, const char *why)
{
        struct dhcp_message m;
        struct cor_err err = { 0 };

        assert_int_equal(dhcp_message_read(r->bytes, r->n, &m, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        if (!strstr(err.msg, why))
                fail_msg("\"%s\" lacks \"%s\"", err.msg, why);
}

static void test_a_reply_is_read(void **state)
{
        struct reply r = reply_granting();
        struct dhcp_message m;
        struct ip ip;
        uint32_t seconds;
        size_t len;

        (void)state;
        REPLY_OPTION(&r, DHCP_PAD); /* an empty list: code and length 0 are two pads */
        REPLY_OPTION(&r, DHCP_LEASE_TIME, 0, 0, 0x0e, 0x10);
        REPLY_OPTION(&r, DHCP_END);
        assert_int_equal(dhcp_message_read(r.bytes, r.n, &m, NULL), 0);
        assert_int_equal(m.type, DHCP_ACK);
        assert_int_equal(m.xid, 0x01020304);
        assert_memory_equal(m.mac, mac, sizeof mac);
        assert_true(ip_equal(&m.yours, &client));
        assert_true(dhcp_option_address(&m, DHCP_SERVER, &ip) && ip_equal(&ip, &server));
        assert_true(dhcp_option_seconds(&m, DHCP_LEASE_TIME, &seconds));
        assert_int_equal(seconds, 3600);
        assert_null(dhcp_option(&m, DHCP_ROUTERS, &len));
        assert_false(dhcp_option_address(&m, DHCP_ROUTERS, &ip));
        assert_false(dhcp_option_seconds(&m, DHCP_MESSAGE_TYPE, &seconds)); /* one byte */
}

static void test_pieces_of_an_option_are_one(void **state)
{
        struct reply r = reply_granting();
        struct dhcp_message m;
        const uint8_t *value;
        size_t len;

        (void)state;
        REPLY_OPTION(&r, DHCP_CLASSLESS_ROUTES, 24, 192);
        REPLY_OPTION(&r, DHCP_OVERLOAD, 3);
        REPLY_OPTION(&r, DHCP_CLASSLESS_ROUTES, 168);
        REPLY_OPTION(&r, DHCP_END);
        memcpy(r.bytes + 108, (const uint8_t[]){ DHCP_CLASSLESS_ROUTES, 2, 5, 10, DHCP_END }, 5);  /* the file */
        memcpy(r.bytes + 44, (const uint8_t[]){ DHCP_CLASSLESS_ROUTES, 3, 0, 0, 1, DHCP_END }, 6); /* server's name */
        assert_int_equal(dhcp_message_read(r.bytes, r.n, &m, NULL), 0);
        value = dhcp_option(&m, DHCP_CLASSLESS_ROUTES, &len);
        assert_int_equal(len, 8);
        assert_memory_equal(value, ((const uint8_t[]){ 24, 192, 168, 5, 10, 0, 0, 1 }), 8);
}

static void test_what_is_not_asked_for_overloads_nothing(void **state)
{
        struct reply r = reply_granting();
        struct dhcp_message m;
        size_t len;

        (void)state;
        REPLY_OPTION(&r, DHCP_END);
        memcpy(r.bytes + 108, (const uint8_t[]){ DHCP_ROUTERS, 4, 10, 0, 0, 1, DHCP_END }, 7);
        assert_int_equal(dhcp_message_read(r.bytes, r.n, &m, NULL), 0);
        assert_null(dhcp_option(&m, DHCP_ROUTERS, &len));
}

static void test_what_is_no_reply_is_refused(void **state)
{
        const struct reply good = reply_granting();
        struct reply r;

        (void)state;
        r = good, r.n = 239;
        expect_refused(&r, "239 bytes");
        r = good, r.bytes[0] = 1; /* of a client */
        expect_refused(&r, "no message of a DHCP server");
        r = good, r.bytes[2] = 16; /* hardware addresses of InfiniBand */
        expect_refused(&r, "no message of a DHCP server");
        r = good, r.bytes[239]++;
        expect_refused(&r, "no message of a DHCP server");
        r = good, r.bytes[242] = 9; /* no type that there is */
        expect_refused(&r, "without a type");
        r = good, r.bytes[240] = 99;
        expect_refused(&r, "without a type");
        r = good, r.bytes[r.n++] = DHCP_ROUTERS;
        expect_refused(&r, "option 3 has no length");
        r.bytes[r.n++] = 4;
        expect_refused(&r, "option 3 is longer than");
        r = good;
        REPLY_OPTION(&r, DHCP_OVERLOAD, 1);
        memset(r.bytes + 108, 0, 128);
        r.bytes[235] = 77; /* the last byte of the file */
        expect_refused(&r, "option 77 has no length");
}

static void test_cut_anywhere_nothing_is_read_past_the_end(void **state)
{
        struct reply r = reply_granting();

        (void)state;
        REPLY_OPTION(&r, DHCP_ROUTERS, 10, 0, 0, 1);
        for (size_t n = 0; n <= r.n; n++) {
                uint8_t *exact = cor_alloc(n ? n : 1); /* so that a sanitizer sees it */
                struct dhcp_message m;

                memcpy(exact, r.bytes, n);
                (void)!dhcp_message_read(exact, n, &m, NULL);
                free(exact);
        }
}

static size_t write_request(uint8_t packet[DHCP_PACKET_MAX_BYTES])
{
        static const uint8_t wanted[] = { 3, 1 };
        const struct dhcp_value value = { .code = DHCP_CLIENT, .len = 3, .bytes = { 0, 'a', 'b' } };
        const struct dhcp_outgoing o = {
                .type = DHCP_REQUEST,
                .xid = 0x01020304,
                .mac = mac,
                .broadcast = true,
                .requested = client,
                .server = server,
                .values = &value,
                .n_values = 1,
                .parameters = wanted,
                .n_parameters = sizeof wanted,
        };
        uint8_t message[DHCP_PACKET_MAX_BYTES - DHCP_FRAME_BYTES];
        size_t n;

        assert_int_equal(dhcp_message_write(&o, message, &n, NULL), 0);
        assert_int_equal(n, 300);
        return dhcp_packet_write(&(struct ip){ 0 }, &(struct ip){ 4, { 255, 255, 255, 255 } }, message, n, packet);
}

static void test_what_is_written_is_what_is_meant(void **state)
{
        static const uint8_t options[] = { 53, 1, 3, 50,   4,  10, 0, 0, 5,  54, 4, 10,  0,   0,  1,
                                           57, 2, 5, 0xdc, 55, 2,  3, 1, 61, 3,  0, 'a', 'b', 255 };
        uint8_t packet[DHCP_PACKET_MAX_BYTES], *message = packet + DHCP_FRAME_BYTES;
        struct dhcp_message m;
        size_t n = write_request(packet);
        struct ip ip;

        (void)state;
        assert_int_equal(n, 328);
        assert_memory_equal(message + 240, options, sizeof options);
        assert_int_equal(message[0], 1);
        assert_int_equal(message[10], 0x80);
        assert_int_equal(packet[9], 17);
        assert_int_equal(packet[21], 68);
        assert_int_equal(packet[23], 67);
        message[0] = 2; /* and as if a server had written it, it reads back */
        assert_int_equal(dhcp_message_read(message, n - DHCP_FRAME_BYTES, &m, NULL), 0);
        assert_int_equal(m.type, DHCP_REQUEST);
        assert_true(dhcp_option_address(&m, DHCP_REQUESTED_ADDRESS, &ip) && ip_equal(&ip, &client));
}

static void test_options_that_do_not_fit_are_an_error(void **state)
{
        static struct dhcp_value values[6];
        const struct dhcp_outgoing o = { .type = DHCP_REQUEST, .mac = mac, .values = values, .n_values = 6 };
        uint8_t message[DHCP_PACKET_MAX_BYTES - DHCP_FRAME_BYTES];
        struct cor_err err = { 0 };
        size_t n;

        (void)state;
        for (size_t i = 0; i < COR_COUNT(values); i++)
                values[i] = (struct dhcp_value){ .code = 77, .len = 255 };
        assert_int_equal(dhcp_message_write(&o, message, &n, &err), -1);
        assert_non_null(strstr(err.msg, "do not fit"));
}

/* What we have written as if it came back from a server: the ports are exchanged, which the sum does not notice. */
static size_t write_answer(uint8_t packet[DHCP_PACKET_MAX_BYTES])
{
        size_t n = write_request(packet);

        packet[21] = 67;
        packet[23] = 68;
        return n;
}

static void test_packets(void **state)
{
        uint8_t packet[DHCP_PACKET_MAX_BYTES];
        size_t n = write_answer(packet), len;

        (void)state;
        assert_ptr_equal(dhcp_packet_read(packet, n, false, &len), packet + DHCP_FRAME_BYTES);
        assert_int_equal(len, 300);
        assert_non_null(dhcp_packet_read(packet, n + 10, false, &len)); /* padding of a short frame */
        assert_int_equal(len, 300);
        packet[100] ^= 1;
        assert_null(dhcp_packet_read(packet, n, false, &len));
        assert_non_null(dhcp_packet_read(packet, n, true, &len)); /* a sum that nobody has made yet */
        packet[26] = packet[27] = 0;                              /* and none at all */
        assert_non_null(dhcp_packet_read(packet, n, false, &len));
}

static void test_packets_that_are_none(void **state)
{
        static const struct {
                size_t at;
                uint8_t value;
        } changes[] = {
                { 0, 0x65 },                            /* IPv6 */
                { 0, 0x44 },                            /* a header that is too short for one */
                { 0, 0x4f },                            /* with options that are not there: the sum is another */
                { 2, 0x7f },                            /* longer than what came */
                { 6, 0x20 },                            /* more pieces follow */
                { 7, 1 },                               /* a later piece */
                { 9, 6 },                               /* TCP */
                { 10, 0x55 },                           /* a wrong sum */
                { 21, 66 },   { 23, 69 }, { 24, 0x7f }, /* longer than the packet */
        };
        uint8_t packet[DHCP_PACKET_MAX_BYTES];
        size_t len;

        (void)state;
        for (size_t i = 0; i < COR_COUNT(changes); i++) {
                size_t n = write_answer(packet);

                packet[changes[i].at] = changes[i].value;
                assert_null(dhcp_packet_read(packet, n, true, &len));
        }
        (void)write_answer(packet);
        packet[24] = 0, packet[25] = 7; /* shorter than UDP's own header */
        assert_null(dhcp_packet_read(packet, 328, true, &len));
        for (size_t n = 0; n < 328; n++) {
                write_answer(packet);
                assert_null(dhcp_packet_read(packet, n, true, &len));
        }
}

static void test_an_announcement(void **state)
{
        static const uint8_t wanted[DHCP_ARP_BYTES] = { 0,  1, 8, 0, 6, 4, 0, 1, 2, 0, 0,  0, 0, 9,
                                                        10, 0, 0, 5, 0, 0, 0, 0, 0, 0, 10, 0, 0, 5 };
        uint8_t packet[DHCP_ARP_BYTES];

        (void)state;
        dhcp_arp_write(&client, mac, packet);
        assert_memory_equal(packet, wanted, sizeof wanted);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_reply_is_read),
                cmocka_unit_test(test_pieces_of_an_option_are_one),
                cmocka_unit_test(test_what_is_not_asked_for_overloads_nothing),
                cmocka_unit_test(test_what_is_no_reply_is_refused),
                cmocka_unit_test(test_cut_anywhere_nothing_is_read_past_the_end),
                cmocka_unit_test(test_what_is_written_is_what_is_meant),
                cmocka_unit_test(test_options_that_do_not_fit_are_an_error),
                cmocka_unit_test(test_packets),
                cmocka_unit_test(test_packets_that_are_none),
                cmocka_unit_test(test_an_announcement),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
