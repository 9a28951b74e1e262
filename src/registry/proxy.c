#include "registry/proxy.h"
#include "base/text.h"
#include "registry/address.h"
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

struct ip {
        unsigned char bytes[16];
        unsigned bits; /* 32 or 128; 0: not an address */
};

static struct ip ip_parse(const char *s)
{
        struct ip ip = { .bits = 0 };

        if (inet_pton(AF_INET, s, ip.bytes) == 1)
                ip.bits = 32;
        else if (inet_pton(AF_INET6, s, ip.bytes) == 1)
                ip.bits = 128;
        return ip;
}

static bool same_bits(const struct ip *a, const struct ip *b, unsigned bits)
{
        unsigned whole = bits / 8, rest = bits % 8;
        unsigned mask = rest ? 0xffU << (8 - rest) & 0xffU : 0;

        return memcmp(a->bytes, b->bytes, whole) == 0 &&
               (rest == 0 || ((a->bytes[whole] ^ b->bytes[whole]) & mask) == 0);
}

bool network_holds(const char *network, const char *host)
{
        auto_str copy = cor_strdup(network);
        char *slash = strchr(copy, '/');
        struct ip have = ip_parse(host), want;
        uint32_t bits;

        if (slash)
                *slash = '\0';
        want = ip_parse(copy);
        if (have.bits == 0 || have.bits != want.bits)
                return false;
        bits = want.bits;
        if (slash && (cor_parse_u32(slash + 1, &bits) < 0 || bits > want.bits))
                return false;
        return same_bits(&have, &want, bits);
}

bool host_is_loopback(const char *host)
{
        size_t n = strlen(host);

        return strcasecmp(host, "localhost") == 0 || (n > 10 && strcasecmp(host + n - 10, ".localhost") == 0) ||
               network_holds("127.0.0.0/8", host) || network_holds("::1", host);
}

/* @rule is the name of @host or of a domain above it. */
static bool name_covers(const char *rule, const char *host)
{
        size_t n_host = strlen(host), n;
        bool below_only = *rule == '.';

        if (cor_starts_with(rule, "*."))
                below_only = true, rule++;
        rule += *rule == '.';
        n = strlen(rule);
        if (n == 0 || n > n_host || strcasecmp(host + n_host - n, rule) != 0)
                return false;
        return n == n_host ? !below_only : host[n_host - n - 1] == '.';
}

static bool rule_covers(const char *rule, const char *host, int port)
{
        auto_address a = ADDRESS_INIT;

        if (cor_streq(rule, "*"))
                return true;
        if (strchr(rule, '/') || ip_parse(rule).bits)
                return network_holds(rule, host);
        if (address_split(rule, &a) < 0 || (a.port && a.port != port))
                return false;
        return ip_parse(a.host).bits ? network_holds(a.host, host) : name_covers(a.host, host);
}

bool proxy_bypasses(const char *no_proxy, const char *host, int port)
{
        auto_str list = cor_strdup(no_proxy);
        char *cursor = list;

        for (char *rule; (rule = cor_split_next(&cursor, ','));) {
                rule += strspn(rule, " \t");
                rule[strcspn(rule, " \t")] = '\0';
                if (*rule && rule_covers(rule, host, port))
                        return true;
        }
        return false;
}

static const char *of_environment(const char *upper, const char *lower)
{
        const char *s = getenv(upper);

        if (!s || !*s)
                s = getenv(lower);
        return s && *s ? s : NULL;
}

char *proxy_for(const char *url)
{
        auto_address a = ADDRESS_INIT;
        bool https = cor_starts_with(url, "https:");
        const char *proxy =
                https ? of_environment("HTTPS_PROXY", "https_proxy") : of_environment("HTTP_PROXY", "http_proxy");
        const char *none = of_environment("NO_PROXY", "no_proxy");

        if (!proxy || address_of_url(url, &a) < 0 || host_is_loopback(a.host))
                return NULL;
        if (none && proxy_bypasses(none, a.host, a.port ? a.port : https ? 443 : 80))
                return NULL;
        return cor_strdup(proxy);
}
