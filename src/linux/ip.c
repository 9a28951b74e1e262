#include "linux/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"

int ip_family(const struct ip *a)
{
        if (a->len == 4)
                return AF_INET;
        return a->len == 16 ? AF_INET6 : AF_UNSPEC;
}

int ip_parse(const char *s, struct ip *ret)
{
        static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
        struct ip a = { .len = 4 };

        if (inet_pton(AF_INET, s, a.bytes) != 1) {
                if (inet_pton(AF_INET6, s, a.bytes) != 1)
                        return -1;
                a.len = 16;
                if (memcmp(a.bytes, mapped, sizeof mapped) == 0) {
                        memmove(a.bytes, a.bytes + sizeof mapped, 4);
                        memset(a.bytes + 4, 0, sizeof a.bytes - 4);
                        a.len = 4;
                }
        }
        *ret = a;
        return 0;
}

static int parse(const char *s, bool bits_needed, struct ip_prefix *ret)
{
        const char *slash = strchr(s, '/');
        char address[IP_TEXT_BYTES];
        struct ip_prefix p;
        uint32_t bits;

        if (!slash) {
                if (bits_needed || ip_parse(s, &p.ip) < 0)
                        return -1;
                p.bits = (uint8_t)(p.ip.len * 8);
                *ret = p;
                return 0;
        }
        if ((size_t)(slash - s) >= sizeof address)
                return -1;
        memcpy(address, s, (size_t)(slash - s));
        address[slash - s] = '\0';
        if (ip_parse(address, &p.ip) < 0 || cor_parse_u32(slash + 1, &bits) < 0)
                return -1;
        if (ip_is_4(&p.ip) && strchr(address, ':')) /* the bits count in the form that is written */
                bits = bits >= 96 ? bits - 96 : UINT32_MAX;
        if (bits > p.ip.len * 8u)
                return -1;
        p.bits = (uint8_t)bits;
        *ret = p;
        return 0;
}

int ip_prefix_parse(const char *s, struct ip_prefix *ret)
{
        return parse(s, true, ret);
}

int ip_parse_maybe_prefix(const char *s, struct ip_prefix *ret)
{
        return parse(s, false, ret);
}

const char *ip_text(const struct ip *a, char buf[IP_TEXT_BYTES])
{
        buf[0] = '\0';
        if (a->len)
                (void)!inet_ntop(ip_family(a), a->bytes, buf, IP_TEXT_BYTES);
        return buf;
}

const char *ip_prefix_text(const struct ip_prefix *p, char buf[IP_TEXT_BYTES])
{
        size_t len = strlen(ip_text(&p->ip, buf));

        if (len)
                snprintf(buf + len, IP_TEXT_BYTES - len, "/%u", (unsigned)p->bits);
        return buf;
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
        return ip_compare(a, b) == 0;
}

int ip_compare(const struct ip *a, const struct ip *b)
{
        return a->len != b->len ? a->len - b->len : memcmp(a->bytes, b->bytes, a->len);
}

struct ip ip_next(const struct ip *a)
{
        struct ip next = *a;

        for (int i = next.len - 1; i >= 0; i--)
                if (++next.bytes[i] != 0)
                        break;
        return next;
}

bool ip_is_zero(const struct ip *a)
{
        for (int i = 0; i < a->len; i++)
                if (a->bytes[i])
                        return false;
        return true;
}

bool ip_is_loopback(const struct ip *a)
{
        static const uint8_t one[16] = { [15] = 1 };

        return ip_is_4(a) ? a->bytes[0] == 127 : a->len == 16 && memcmp(a->bytes, one, sizeof one) == 0;
}

struct ip ip_mask(uint8_t len, uint8_t bits)
{
        struct ip mask = { .len = len };

        for (int i = 0; i < bits && i < len * 8; i++)
                mask.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
        return mask;
}

struct ip ip_prefix_network(const struct ip_prefix *p)
{
        struct ip network = p->ip, mask = ip_mask(p->ip.len, p->bits);

        for (int i = 0; i < network.len; i++)
                network.bytes[i] &= mask.bytes[i];
        return network;
}

struct ip ip_prefix_last(const struct ip_prefix *p)
{
        struct ip last = p->ip, mask = ip_mask(p->ip.len, p->bits);

        for (int i = 0; i < last.len; i++)
                last.bytes[i] |= (uint8_t)~mask.bytes[i];
        return last;
}

bool ip_prefix_contains(const struct ip_prefix *p, const struct ip *a)
{
        struct ip_prefix of = { .ip = *a, .bits = p->bits };
        struct ip network = ip_prefix_network(p), other = ip_prefix_network(&of);

        return ip_equal(&network, &other);
}

bool ip_prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b)
{
        return a->ip.len == b->ip.len &&
               ip_prefix_contains(a->bits < b->bits ? a : b, a->bits < b->bits ? &b->ip : &a->ip);
}
