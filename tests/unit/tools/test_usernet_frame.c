#include "tools/usernet/frame.h"

#include <net/ethernet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { HEADERS = ETHER_HDR_LEN + 40, ACK = 0x10, PSH = 0x08, FIN = 0x01 };

/* What came out: "frame bytes/size of a piece", one after the other. */
static char seen[256];
static uint8_t last[FRAME_MAX];

static void note(void *context, const struct virtio_net_hdr *h, const uint8_t *frame, size_t n)
{
        memcpy(last, frame, n);
        snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%zu/%u ", n, h->gso_size);
}

static void put16(uint8_t *p, size_t value)
{
        p[0] = (uint8_t)(value >> 8);
        p[1] = (uint8_t)value;
}

static size_t make(uint8_t *frame, uint32_t seq, size_t n, uint8_t flags)
{
        memset(frame, 0, HEADERS);
        put16(frame + 12, ETHERTYPE_IP);
        frame[ETHER_HDR_LEN] = 0x45;
        put16(frame + ETHER_HDR_LEN + 2, 40 + n);
        frame[ETHER_HDR_LEN + 9] = 6;
        put16(frame + ETHER_HDR_LEN + 24, seq >> 16);
        put16(frame + ETHER_HDR_LEN + 26, seq & 0xffff);
        frame[ETHER_HDR_LEN + 32] = 5 << 4;
        frame[ETHER_HDR_LEN + 33] = flags;
        memset(frame + HEADERS, (int)seq, n);
        return HEADERS + n;
}

static void add(struct frame_train *t, uint32_t seq, size_t n, uint8_t flags)
{
        uint8_t frame[HEADERS + 2000];

        frame_train_add(t, frame, make(frame, seq, n, flags));
}

static int begin(void **state)
{
        seen[0] = '\0';
        *state = frame_train_new(note, NULL);
        return 0;
}

static int end(void **state)
{
        frame_train_free(*state);
        return 0;
}

static void segments_that_follow_each_other_travel_together(void **state)
{
        uint16_t sum;

        add(*state, 0xffffffc0, 100, ACK); /* numbers go round */
        add(*state, 36, 100, ACK);
        add(*state, 136, 30, ACK | PSH);
        assert_string_equal(seen, "");
        frame_train_flush(*state);
        assert_string_equal(seen, "284/100 ");
        frame_train_flush(*state);
        assert_string_equal(seen, "284/100 ");
        assert_int_equal(last[ETHER_HDR_LEN + 33], ACK | PSH);
        assert_int_equal(last[HEADERS + 229], 136);
        sum = frame_sum(last + ETHER_HDR_LEN, 20, 0);
        assert_int_equal(sum, 0xffff); /* the IP header's is right */
}

static void others_do_not(void **state)
{
        add(*state, 0, 100, ACK);
        add(*state, 101, 100, ACK); /* a gap */
        assert_string_equal(seen, "154/0 ");
        add(*state, 201, 101, ACK); /* longer than the first */
        add(*state, 302, 10, ACK);  /* shorter: nothing follows it */
        add(*state, 312, 10, ACK);
        assert_string_equal(seen, "154/0 154/0 165/101 ");
        add(*state, 322, 0, ACK); /* no data */
        add(*state, 322, 10, ACK | FIN);
        assert_string_equal(seen, "154/0 154/0 165/101 64/0 54/0 64/0 ");
}

static void a_push_is_the_end_of_a_train(void **state)
{
        add(*state, 0, 100, ACK);
        add(*state, 100, 100, ACK | PSH);
        add(*state, 200, 100, ACK);
        assert_string_equal(seen, "254/100 ");
        frame_train_flush(*state);
        assert_string_equal(seen, "254/100 154/0 ");
}

static void a_train_is_an_ip_packet(void **state)
{
        for (uint32_t i = 0; i < 50; i++)
                add(*state, i * 1460, 1460, ACK);
        assert_string_equal(seen, "64294/1460 ");
}

static void what_is_cut_short_is_passed_on_as_it_is(void **state)
{
        uint8_t frame[HEADERS + 100];
        size_t n = make(frame, 0, 100, ACK);

        for (size_t i = 0; i <= n - 1; i++)
                frame_train_add(*state, frame, i);
        frame_train_add(*state, frame, n);
        seen[0] = '\0';
        frame_train_flush(*state);
        assert_string_equal(seen, "154/0 "); /* only the whole one has waited */
}

/* RFC 1071, section 3 */
static void the_sum_is_that_of_the_internet(void **state)
{
        const uint8_t bytes[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
        uint16_t sum = frame_sum(bytes, sizeof bytes, 0), odd;
        uint8_t got[2];

        memcpy(got, &sum, 2);
        assert_int_equal(got[0] << 8 | got[1], 0xddf2);
        odd = frame_sum(bytes, 3, 0);
        memcpy(got, &odd, 2);
        assert_int_equal(got[0] << 8 | got[1], 0xf201);
}

static void a_missing_sum_is_made_inside_of_the_frame_only(void **state)
{
        struct virtio_net_hdr h = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 2, .csum_offset = 4 };
        uint8_t frame[8] = { 9, 9, 0x12, 0x34, 0, 0, 0, 0 };

        assert_true(frame_complete(&h, frame, sizeof frame));
        assert_int_equal(frame_sum(frame + 2, 6, 0), 0xffff);
        h.csum_offset = 5;
        assert_false(frame_complete(&h, frame, sizeof frame));
        h.csum_start = 0xffff;
        h.csum_offset = 0xffff;
        assert_false(frame_complete(&h, frame, sizeof frame));
        h.flags = 0;
        assert_true(frame_complete(&h, frame, sizeof frame));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(segments_that_follow_each_other_travel_together, begin, end),
                cmocka_unit_test_setup_teardown(others_do_not, begin, end),
                cmocka_unit_test_setup_teardown(a_push_is_the_end_of_a_train, begin, end),
                cmocka_unit_test_setup_teardown(a_train_is_an_ip_packet, begin, end),
                cmocka_unit_test_setup_teardown(what_is_cut_short_is_passed_on_as_it_is, begin, end),
                cmocka_unit_test(the_sum_is_that_of_the_internet),
                cmocka_unit_test(a_missing_sum_is_made_inside_of_the_frame_only),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
