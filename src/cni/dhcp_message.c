#include "cni/dhcp_message.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

/* Where things stand in a message: RFC 2131, figure 1. */
enum {
        AT_OP = 0,
        AT_XID = 4,
        AT_SECS = 8,
        AT_FLAGS = 10,
        AT_CLIENT = 12,
        AT_YOURS = 16,
        AT_MAC = 28,
        AT_SERVER_NAME = 44,
        AT_FILE = 108,
        AT_COOKIE = 236,
        AT_OPTIONS = 240,
        SERVER_NAME_BYTES = 64,
        FILE_BYTES = 128,
        REQUEST_OP = 1,
        REPLY_OP = 2,
        ETHERNET = 1,
        FLAG_BROADCAST = 0x80, /* in the first byte of the flags */
        SHORTEST_BYTES = 300,  /* as BOOTP has it; there are servers that drop what is shorter */
        IN_FILE = 1,           /* of the option "overload" */
        IN_SERVER_NAME = 2,
};
enum { SERVER_PORT = 67, CLIENT_PORT = 68, IP_BYTES = 20, UDP_BYTES = 8, PROTOCOL_UDP = 17, TTL = 64 };
static const uint8_t cookie[4] = { 99, 130, 83, 99 };

static uint32_t get32(const uint8_t *p)
{
        return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static uint16_t get16(const uint8_t *p)
{
        return (uint16_t)(p[0] << 8 | p[1]);
}
static void put32(uint8_t *p, uint32_t v)
{
        for (int i = 0; i < 4; i++)
                p[i] = (uint8_t)(v >> (24 - 8 * i));
}
static void put16(uint8_t *p, uint16_t v)
{
        p[0] = (uint8_t)(v >> 8);
        p[1] = (uint8_t)v;
}

/* ---------------------------------------------------------------------------------------------------------- reading */

struct area {
        const uint8_t *bytes;
        size_t n;
};
typedef void piece_fn(struct dhcp_message *m, uint8_t code, const uint8_t *value, uint8_t len);

static void count_piece(struct dhcp_message *m, uint8_t code, const uint8_t *value, uint8_t len)
{
        (void)value;
        m->options[code].there = true;
        m->options[code].len = (uint16_t)(m->options[code].len + len);
}

/* Behind the pieces that came before. All values together are shorter than the message that they are from. */
static void place_piece(struct dhcp_message *m, uint8_t code, const uint8_t *value, uint8_t len)
{
        memcpy(m->values + m->options[code].at + m->options[code].len, value, len);
        m->options[code].len = (uint16_t)(m->options[code].len + len);
}

static int walk(struct dhcp_message *m, const struct area *a, piece_fn *fn, struct cor_err *err)
{
        for (size_t at = 0; at < a->n && a->bytes[at] != DHCP_END;) {
                uint8_t code = a->bytes[at++];
                uint8_t len;

                if (code == DHCP_PAD)
                        continue;
                if (at >= a->n)
                        return cor_fail(err, COR_INVALID, "option %d has no length", code);
                len = a->bytes[at++];
                if (len > a->n - at)
                        return cor_fail(err, COR_INVALID, "option %d is longer than what is left of the message", code);
                fn(m, code, a->bytes + at, len);
                at += len;
        }
        return 0;
}

static int walk_all(struct dhcp_message *m, const struct area *areas, size_t n, piece_fn *fn, struct cor_err *err)
{
        for (size_t i = 0; i < n; i++)
                if (walk(m, &areas[i], fn, err) < 0)
                        return -1;
        return 0;
}

/* The option "overload", in the options proper only, says that two other fields hold options as well. */
static size_t find_areas(struct dhcp_message *m, const uint8_t *bytes, size_t n, struct area ret[3],
                         struct cor_err *err)
{
        struct area own = { bytes + AT_OPTIONS, n - AT_OPTIONS };
        size_t n_areas = 1;
        uint8_t overload = 0;

        ret[0] = own;
        for (size_t at = 0; at + 2 < own.n && own.bytes[at] != DHCP_END;) {
                if (own.bytes[at] == DHCP_OVERLOAD && own.bytes[at + 1] == 1)
                        overload = own.bytes[at + 2];
                at += own.bytes[at] == DHCP_PAD ? 1 : 2u + own.bytes[at + 1];
        }
        if (overload & IN_FILE)
                ret[n_areas++] = (struct area){ bytes + AT_FILE, FILE_BYTES };
        if (overload & IN_SERVER_NAME)
                ret[n_areas++] = (struct area){ bytes + AT_SERVER_NAME, SERVER_NAME_BYTES };
        return walk_all(m, ret, n_areas, count_piece, err) < 0 ? 0 : n_areas;
}

static int read_options(struct dhcp_message *m, const uint8_t *bytes, size_t n, struct cor_err *err)
{
        struct area areas[3];
        size_t n_areas = find_areas(m, bytes, n, areas, err);
        uint16_t at = 0;

        if (n_areas == 0)
                return -1;
        for (size_t i = 0; i < COR_COUNT(m->options); i++) {
                m->options[i].at = at;
                at = (uint16_t)(at + m->options[i].len);
                m->options[i].len = 0;
        }
        return walk_all(m, areas, n_areas, place_piece, err);
}

const uint8_t *dhcp_option(const struct dhcp_message *m, uint8_t code, size_t *ret_len)
{
        if (!m->options[code].there)
                return NULL;
        *ret_len = m->options[code].len;
        return m->values + m->options[code].at;
}

static struct ip address_at(const uint8_t *p)
{
        struct ip a = { .len = 4 };

        memcpy(a.bytes, p, 4);
        return a;
}

bool dhcp_option_address(const struct dhcp_message *m, uint8_t code, struct ip *ret)
{
        size_t len;
        const uint8_t *value = dhcp_option(m, code, &len);

        if (!value || len != 4)
                return false;
        *ret = address_at(value);
        return true;
}

bool dhcp_option_seconds(const struct dhcp_message *m, uint8_t code, uint32_t *ret)
{
        size_t len;
        const uint8_t *value = dhcp_option(m, code, &len);

        if (!value || len != 4)
                return false;
        *ret = get32(value);
        return true;
}

int dhcp_message_read(const uint8_t *bytes, size_t n, struct dhcp_message *ret, struct cor_err *err)
{
        const uint8_t *type;
        size_t len;

        if (n < AT_OPTIONS || n > DHCP_PACKET_MAX_BYTES)
                return cor_fail(err, COR_INVALID, "a message of %zu bytes", n);
        if (bytes[AT_OP] != REPLY_OP || bytes[AT_OP + 1] != ETHERNET || bytes[AT_OP + 2] != DHCP_MAC_BYTES ||
            memcmp(bytes + AT_COOKIE, cookie, sizeof cookie) != 0)
                return cor_fail(err, COR_INVALID, "no message of a DHCP server");
        memset(ret, 0, sizeof *ret);
        ret->xid = get32(bytes + AT_XID);
        memcpy(ret->mac, bytes + AT_MAC, DHCP_MAC_BYTES);
        if (get32(bytes + AT_YOURS) != 0)
                ret->yours = address_at(bytes + AT_YOURS);
        if (read_options(ret, bytes, n, err) < 0)
                return -1;
        type = dhcp_option(ret, DHCP_MESSAGE_TYPE, &len);
        if (!type || len != 1 || type[0] < DHCP_DISCOVER || type[0] > DHCP_INFORM)
                return cor_fail(err, COR_INVALID, "a message without a type");
        ret->type = (enum dhcp_type)type[0];
        return 0;
}

/* ---------------------------------------------------------------------------------------------------------- writing */

struct writer {
        uint8_t *out;
        size_t n, room;
        bool full;
};

static void put_option(struct writer *w, uint8_t code, const void *value, size_t len)
{
        if (w->full || len > DHCP_VALUE_MAX_BYTES || len + 2 > w->room - w->n) {
                w->full = true;
                return;
        }
        w->out[w->n++] = code;
        w->out[w->n++] = (uint8_t)len;
        memcpy(w->out + w->n, value, len);
        w->n += len;
}

static void put_options(struct writer *w, const struct dhcp_outgoing *o)
{
        const uint8_t type = (uint8_t)o->type;
        uint8_t longest[2];

        put16(longest, DHCP_PACKET_MAX_BYTES);
        put_option(w, DHCP_MESSAGE_TYPE, &type, 1);
        if (o->requested.len)
                put_option(w, DHCP_REQUESTED_ADDRESS, o->requested.bytes, 4);
        if (o->server.len)
                put_option(w, DHCP_SERVER, o->server.bytes, 4);
        if (o->type != DHCP_RELEASE)
                put_option(w, DHCP_MAX_BYTES, longest, sizeof longest);
        if (o->n_parameters)
                put_option(w, DHCP_PARAMETERS, o->parameters, o->n_parameters);
        for (size_t i = 0; i < o->n_values; i++)
                put_option(w, o->values[i].code, o->values[i].bytes, o->values[i].len);
}

int dhcp_message_write(const struct dhcp_outgoing *o, uint8_t ret[DHCP_PACKET_MAX_BYTES - DHCP_FRAME_BYTES],
                       size_t *ret_n, struct cor_err *err)
{
        struct writer w = { .out = ret, .n = AT_OPTIONS, .room = DHCP_PACKET_MAX_BYTES - DHCP_FRAME_BYTES - 1 };

        memset(ret, 0, DHCP_PACKET_MAX_BYTES - DHCP_FRAME_BYTES);
        ret[AT_OP] = REQUEST_OP;
        ret[AT_OP + 1] = ETHERNET;
        ret[AT_OP + 2] = DHCP_MAC_BYTES;
        put32(ret + AT_XID, o->xid);
        put16(ret + AT_SECS, o->secs);
        ret[AT_FLAGS] = o->broadcast ? FLAG_BROADCAST : 0;
        if (o->client.len)
                memcpy(ret + AT_CLIENT, o->client.bytes, 4);
        memcpy(ret + AT_MAC, o->mac, DHCP_MAC_BYTES);
        memcpy(ret + AT_COOKIE, cookie, sizeof cookie);
        put_options(&w, o);
        if (w.full)
                return cor_fail(err, COR_INVALID, "the options do not fit into a message of %d bytes",
                                DHCP_PACKET_MAX_BYTES - DHCP_FRAME_BYTES);
        ret[w.n++] = DHCP_END;
        *ret_n = w.n < SHORTEST_BYTES ? SHORTEST_BYTES : w.n;
        return 0;
}

/* ---------------------------------------------------------------------------------------------------------- packets */

static uint32_t add_up(uint32_t sum, const uint8_t *p, size_t n)
{
        for (size_t i = 0; i + 1 < n; i += 2)
                sum += get16(p + i);
        return n % 2 ? sum + ((uint32_t)p[n - 1] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
        while (sum >> 16)
                sum = (sum & 0xffff) + (sum >> 16);
        return (uint16_t)~sum;
}

/* Over the addresses, the protocol, the length, and the datagram itself. */
static uint16_t sum_udp(const uint8_t *ip, const uint8_t *udp, size_t n)
{
        return fold(add_up(add_up((uint32_t)(PROTOCOL_UDP + n), ip + 12, 8), udp, n));
}

size_t dhcp_packet_write(const struct ip *from, const struct ip *to, const uint8_t *message, size_t n,
                         uint8_t ret[DHCP_PACKET_MAX_BYTES])
{
        uint8_t *ip = ret, *udp = ret + IP_BYTES;
        uint16_t sum;

        memset(ret, 0, IP_BYTES + UDP_BYTES);
        ip[0] = 0x45;
        put16(ip + 2, (uint16_t)(n + DHCP_FRAME_BYTES));
        ip[8] = TTL;
        ip[9] = PROTOCOL_UDP;
        if (from->len)
                memcpy(ip + 12, from->bytes, 4);
        memcpy(ip + 16, to->bytes, 4);
        put16(ip + 10, fold(add_up(0, ip, IP_BYTES)));
        put16(udp, CLIENT_PORT);
        put16(udp + 2, SERVER_PORT);
        put16(udp + 4, (uint16_t)(n + UDP_BYTES));
        memcpy(udp + UDP_BYTES, message, n);
        sum = sum_udp(ip, udp, n + UDP_BYTES);
        put16(udp + 6, sum ? sum : 0xffff);
        return n + DHCP_FRAME_BYTES;
}

/* The whole IP packet is there, in one piece, with a header that is right; its length. */
static size_t check_ip(const uint8_t *packet, size_t n, size_t *ret_header)
{
        size_t header, total;

        if (n < IP_BYTES || packet[0] >> 4 != 4)
                return 0;
        header = (packet[0] & 15u) * 4u;
        total = get16(packet + 2);
        if (header < IP_BYTES || total < header + UDP_BYTES || total > n || packet[9] != PROTOCOL_UDP ||
            (get16(packet + 6) & 0x3fff) != 0 || fold(add_up(0, packet, header)) != 0)
                return 0;
        *ret_header = header;
        return total;
}

const uint8_t *dhcp_packet_read(const uint8_t *packet, size_t n, bool unsummed, size_t *ret_n)
{
        size_t header, len, total = check_ip(packet, n, &header);
        const uint8_t *udp;

        if (total == 0)
                return NULL;
        udp = packet + header;
        len = get16(udp + 4);
        if (len < UDP_BYTES || len > total - header || get16(udp) != SERVER_PORT || get16(udp + 2) != CLIENT_PORT)
                return NULL;
        if (!unsummed && get16(udp + 6) != 0 && sum_udp(packet, udp, len) != 0)
                return NULL;
        *ret_n = len - UDP_BYTES;
        return udp + UDP_BYTES;
}

void dhcp_arp_write(const struct ip *a, const uint8_t mac[DHCP_MAC_BYTES], uint8_t ret[DHCP_ARP_BYTES])
{
        /* Ethernet and IPv4, their lengths, a request; then who asks, and for what: both times the same address */
        static const uint8_t head[] = { 0, 1, 8, 0, DHCP_MAC_BYTES, 4, 0, 1 };

        memset(ret, 0, DHCP_ARP_BYTES);
        memcpy(ret, head, sizeof head);
        memcpy(ret + 8, mac, DHCP_MAC_BYTES);
        memcpy(ret + 14, a->bytes, 4);
        memcpy(ret + 24, a->bytes, 4);
}
