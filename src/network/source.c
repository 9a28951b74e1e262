#include "network/source.h"

#include "linux/route.h"

#include <netinet/in.h> /* before the kernel's */

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <string.h>

enum { PRIORITY_MANGLE = -150, LOOPBACK_INDEX = 1 };

static const struct nft_chain chains[] = {
        { .name = "source-out", .type = "filter", .hook = NF_INET_LOCAL_OUT, .priority = PRIORITY_MANGLE },
        { .name = "source-back", .type = "filter", .hook = NF_INET_PRE_ROUTING, .priority = PRIORITY_MANGLE },
};

int source_write_rules(struct nft_change *c)
{
        const uint32_t out = SOURCE_OUT, back = SOURCE_BACK;
        struct nft_rule r;

        for (size_t i = 0; i < COR_COUNT(chains); i++) {
                nft_add_chain(c, &chains[i]);
                nft_flush_chain(c, chains[i].name);
        }
        nft_rule_begin(&r, c, "source-out");
        nft_load_meta(&r, NFT_META_MARK, NFT_REG32_00);
        nft_compare(&r, NFT_REG32_00, NFT_CMP_EQ, &out, sizeof out);
        nft_load(&r, &back, sizeof back, NFT_REG32_00);
        nft_set_ct(&r, NFT_CT_MARK, NFT_REG32_00);
        nft_rule_end(&r, c);
        nft_rule_begin(&r, c, "source-back");
        nft_load_ct(&r, NFT_CT_MARK, NFT_REG32_00);
        nft_compare(&r, NFT_REG32_00, NFT_CMP_EQ, &back, sizeof back);
        nft_set_meta(&r, NFT_META_MARK, NFT_REG32_00);
        nft_rule_end(&r, c);
        return 2;
}

/* Whatever is looked up in the table is for a socket here. */
static int make_way_back(int sock, uint8_t len, uint8_t family, struct cor_err *err)
{
        const struct route here = { .dst = { .ip = { .len = len } },
                                    .index = LOOPBACK_INDEX,
                                    .table = SOURCE_TABLE,
                                    .scope = RT_SCOPE_HOST,
                                    .type = RTN_LOCAL };
        const struct route_rule rule = { .family = family, .table = SOURCE_TABLE, .mark = SOURCE_BACK };

        if (route_replace(sock, &here, err) < 0)
                return -1;
        return route_rule_add(sock, &rule, err) == 0 || err->kind == COR_EXISTS ? 0 : -1;
}

static bool is_within_link(const struct ip *a)
{
        return !ip_is_4(a) && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

/* Nobody in this network is called so: it is reached by way of a gateway, or not at all. */
static bool is_elsewhere(int sock, const struct ip *a)
{
        struct cor_err err = { 0 };
        struct route way;

        if (route_to(sock, a, &way, &err) < 0)
                return err.sys == ENETUNREACH || err.sys == EHOSTUNREACH;
        return way.type == RTN_UNICAST && way.gateway.len > 0;
}

static bool may_take(void *data, const struct forward_address *client)
{
        const int *sock = data;
        struct sockaddr_in6 v6;
        struct sockaddr_in v4;
        struct ip a = { 0 };

        if (client->sa.ss_family == AF_INET) {
                memcpy(&v4, &client->sa, sizeof v4);
                a.len = sizeof v4.sin_addr;
                memcpy(a.bytes, &v4.sin_addr, a.len);
        } else if (client->sa.ss_family == AF_INET6) {
                memcpy(&v6, &client->sa, sizeof v6);
                a.len = sizeof v6.sin6_addr;
                memcpy(a.bytes, &v6.sin6_addr, a.len);
        }
        return a.len && !ip_is_zero(&a) && !ip_is_loopback(&a) && !is_within_link(&a) && is_elsewhere(*sock, &a);
}

int source_keep(struct forward *f, int *sock, struct cor_err *err)
{
        if (make_way_back(*sock, sizeof(struct in_addr), AF_INET, err) < 0)
                return -1;
        if (make_way_back(*sock, sizeof(struct in6_addr), AF_INET6, err) < 0 && err->sys != EAFNOSUPPORT &&
            err->sys != EOPNOTSUPP)
                return -1;
        forward_keep_sources(f, SOURCE_OUT, may_take, sock);
        return 0;
}
