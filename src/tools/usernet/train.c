/*
 * The train: what GRO does in a network card. A segment joins those that wait if it is of the same stream, carries on
 * where they end, says nothing new but data, and none of them was shorter than the first. All headers are those of the
 * first; length, checksum, and a PSH that comes with the last are put right when it leaves.
 */
#include "tools/usernet/frame.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "base/alloc.h"

enum {
        IPV4_BYTES = 20,
        IPV6_BYTES = 40,
        TCP_BYTES = 20,
        TCP_CHECKSUM_AT = 16,
        TCP_ACK = 0x10,
        TCP_PSH = 0x08,
        WHOLE_MAX = ETH_HLEN + 65535 - 1, /* an IP packet is shorter than 64 KiB */
};

/* Where things are in a frame that may travel in company. */
struct segment {
        bool ipv6;
        size_t tcp, data, n; /* offsets of the TCP header and of what it carries; the length of all */
        uint32_t seq;
        uint8_t flags;
};

struct frame_train {
        frame_sender *send;
        void *context;
        bool waiting, closed; /* closed: the last was short, or had a PSH: nothing may follow */
        struct segment first;
        size_t n, each; /* bytes so far; of data in each segment but the last */
        uint32_t next;  /* sequence number of what would follow */
        uint8_t bytes[FRAME_MAX];
};

struct frame_train *frame_train_new(frame_sender *send, void *context)
{
        struct frame_train *t = cor_alloc(sizeof *t);

        t->send = send;
        t->context = context;
        return t;
}

void frame_train_free(struct frame_train *t)
{
        free(t);
}

static uint16_t get16(const uint8_t *p)
{
        return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, size_t value)
{
        p[0] = (uint8_t)(value >> 8);
        p[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *p)
{
        return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The length that the IP header gives, from its beginning; 0 unless it carries TCP, plainly and in one piece. */
static size_t read_ip(const uint8_t *frame, size_t n, struct segment *s)
{
        const uint8_t *ip = frame + ETH_HLEN;

        if (n < ETH_HLEN + IPV4_BYTES + TCP_BYTES)
                return 0;
        if (get16(frame + 12) == ETH_P_IP) {
                s->tcp = ETH_HLEN + IPV4_BYTES;
                return ip[0] == 0x45 && ip[9] == IPPROTO_TCP && !(get16(ip + 6) & 0x3fff) ? get16(ip + 2) : 0;
        }
        if (get16(frame + 12) != ETH_P_IPV6 || n < ETH_HLEN + IPV6_BYTES + TCP_BYTES)
                return 0;
        s->ipv6 = true;
        s->tcp = ETH_HLEN + IPV6_BYTES;
        return ip[0] >> 4 == 6 && ip[6] == IPPROTO_TCP ? IPV6_BYTES + (size_t)get16(ip + 4) : 0;
}

static bool read_segment(const uint8_t *frame, size_t n, struct segment *s)
{
        size_t len;

        *s = (struct segment){ .n = n };
        len = read_ip(frame, n, s);
        if (len == 0 || ETH_HLEN + len != n)
                return false;
        s->data = s->tcp + (size_t)(frame[s->tcp + 12] >> 4) * 4;
        s->seq = get32(frame + s->tcp + 4);
        s->flags = frame[s->tcp + 13];
        return s->data >= s->tcp + TCP_BYTES && s->data < n && (s->flags & ~TCP_PSH) == TCP_ACK;
}

/* All but lengths, identifications, checksums, sequence numbers and the PSH is the same in both. */
static bool same_stream(const struct frame_train *t, const uint8_t *frame, const struct segment *s)
{
        const uint8_t *a = t->bytes, *b = frame;
        size_t ip = ETH_HLEN, tcp = s->tcp;

        if (s->ipv6 != t->first.ipv6 || s->data != t->first.data || memcmp(a, b, ETH_HLEN) != 0)
                return false;
        if (s->ipv6 ? memcmp(a + ip, b + ip, 4) != 0 || memcmp(a + ip + 6, b + ip + 6, 34) != 0
                    : memcmp(a + ip, b + ip, 2) != 0 || memcmp(a + ip + 6, b + ip + 6, 4) != 0 ||
                              memcmp(a + ip + 12, b + ip + 12, 8) != 0)
                return false;
        return memcmp(a + tcp, b + tcp, 4) == 0 && memcmp(a + tcp + 8, b + tcp + 8, 5) == 0 &&
               memcmp(a + tcp + 14, b + tcp + 14, 2) == 0 &&
               memcmp(a + tcp + 18, b + tcp + 18, s->data - tcp - 18) == 0;
}

static void join(struct frame_train *t, const uint8_t *frame, const struct segment *s)
{
        size_t more = s->n - s->data;

        memcpy(t->bytes + t->n, frame + s->data, more);
        t->n += more;
        t->next += (uint32_t)more;
        t->bytes[t->first.tcp + 13] |= s->flags & TCP_PSH;
        t->closed = more < t->each || s->flags & TCP_PSH;
}

static void begin(struct frame_train *t, const uint8_t *frame, const struct segment *s)
{
        memcpy(t->bytes, frame, s->n);
        t->first = *s;
        t->n = s->n;
        t->each = s->n - s->data;
        t->next = s->seq + (uint32_t)t->each;
        t->waiting = true;
        t->closed = false;
}

/* Whether another one like it would fit behind it, and may come. */
static bool may_lead(const struct segment *s)
{
        return !(s->flags & TCP_PSH) && s->n + (s->n - s->data) <= WHOLE_MAX;
}

void frame_train_add(struct frame_train *t, const uint8_t *frame, size_t n)
{
        static const struct virtio_net_hdr plain;
        struct segment s;
        bool is_segment = n <= FRAME_MAX && read_segment(frame, n, &s);

        if (is_segment && t->waiting && !t->closed && s.seq == t->next && s.n - s.data <= t->each &&
            t->n + (s.n - s.data) <= WHOLE_MAX && same_stream(t, frame, &s)) {
                join(t, frame, &s);
                return;
        }
        frame_train_flush(t);
        if (is_segment && may_lead(&s))
                begin(t, frame, &s);
        else if (n <= FRAME_MAX)
                t->send(t->context, &plain, frame, n);
}

/* RFC 9293, 3.1: addresses, protocol and length are summed up too; the kernel does the rest. */
static void put_pseudo_sum(uint8_t *frame, const struct segment *s, size_t tcp_len)
{
        uint8_t rest[8] = { 0, 0, (uint8_t)(tcp_len >> 8), (uint8_t)tcp_len, 0, 0, 0, IPPROTO_TCP };
        uint8_t *ip = frame + ETH_HLEN;
        uint16_t sum = frame_sum(rest, sizeof rest, 0);

        sum = s->ipv6 ? frame_sum(ip + 8, 32, sum) : frame_sum(ip + 12, 8, sum);
        memcpy(frame + s->tcp + TCP_CHECKSUM_AT, &sum, sizeof sum);
}

static void put_lengths(uint8_t *frame, const struct segment *s, size_t n)
{
        uint8_t *ip = frame + ETH_HLEN;
        uint16_t sum;

        if (s->ipv6) {
                put16(ip + 4, n - ETH_HLEN - IPV6_BYTES);
                return;
        }
        put16(ip + 2, n - ETH_HLEN);
        memset(ip + 10, 0, 2);
        sum = (uint16_t)~frame_sum(ip, IPV4_BYTES, 0);
        memcpy(ip + 10, &sum, sizeof sum);
}

void frame_train_flush(struct frame_train *t)
{
        uint8_t *frame = t->bytes;
        const struct segment *s = &t->first;
        struct virtio_net_hdr h = { 0 };

        if (!t->waiting)
                return;
        t->waiting = false;
        if (t->n > s->n) {
                put_lengths(frame, s, t->n);
                put_pseudo_sum(frame, s, t->n - s->tcp);
                h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
                h.gso_type = s->ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
                h.hdr_len = (uint16_t)s->data;
                h.gso_size = (uint16_t)t->each;
                h.csum_start = (uint16_t)s->tcp;
                h.csum_offset = TCP_CHECKSUM_AT;
        }
        t->send(t->context, &h, frame, t->n);
}
