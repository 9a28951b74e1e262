#ifndef CORACLE_LINUX_IP_H
#define CORACLE_LINUX_IP_H
/* Addresses of IPv4 and IPv6 and their networks, as values. An IPv4 address that is written as IPv6 is one of IPv4. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

enum { IP_TEXT_BYTES = 64 };
struct ip {
        uint8_t len, bytes[16]; /* 4 or 16; 0: none */
};
struct ip_prefix {
        struct ip ip;
        uint8_t bits; /* of the network's part */
};

/* ip_family() - AF_INET or AF_INET6; AF_UNSPEC for none */
int ip_family(const struct ip *a);
static inline bool ip_is_4(const struct ip *a)
{
        return a->len == 4;
}

/* ip_parse() / ip_prefix_parse() - "10.1.0.1", "fd00::1/64"; -1 without touching *ret if it is not exactly that */
int ip_parse(const char *s, struct ip *ret) COR_MUST_CHECK;
int ip_prefix_parse(const char *s, struct ip_prefix *ret) COR_MUST_CHECK;
/* ip_parse_maybe_prefix() - an address, with the bits behind it or without: then those of a single address */
int ip_parse_maybe_prefix(const char *s, struct ip_prefix *ret) COR_MUST_CHECK;
/* ip_text() / ip_prefix_text() - in @buf, which is returned; "" for none */
const char *ip_text(const struct ip *a, char buf[IP_TEXT_BYTES]);
const char *ip_prefix_text(const struct ip_prefix *p, char buf[IP_TEXT_BYTES]);

bool ip_equal(const struct ip *a, const struct ip *b);
/* ip_compare() - by family, then by value: below, equal to or above 0 */
int ip_compare(const struct ip *a, const struct ip *b);
/* ip_next() - one more; after the last address of all comes the first */
struct ip ip_next(const struct ip *a);
bool ip_is_zero(const struct ip *a);
bool ip_is_loopback(const struct ip *a);

/* ip_mask() - the mask of the first @bits as an address of @len bytes */
struct ip ip_mask(uint8_t len, uint8_t bits);
/* ip_prefix_network() / ip_prefix_last() - the first and the last address of the network that @p is in */
struct ip ip_prefix_network(const struct ip_prefix *p);
struct ip ip_prefix_last(const struct ip_prefix *p);
bool ip_prefix_contains(const struct ip_prefix *p, const struct ip *a);
/* ip_prefix_overlaps() - they have addresses in common */
bool ip_prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b);

#endif
