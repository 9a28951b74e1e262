/*
 * Sets, each of names of interfaces (i: where a packet comes from, o: where it goes), f is its family:
 *
 *      bridges     o            bridges of ours
 *      internal    i or o       … of internal networks
 *      same        i . o        each bridge and itself
 *      together    i . o        … if its containers may speak with each other
 *      masquerade  f . i        what comes from there leaves with an address of the host
 *      routed      f . o        containers can be reached by their own addresses, …
 *      open        f . o        … and at all ports
 *
 * Chains and rules:
 *
 *      forward       jump user
 *                    established, related                          accept
 *                    from or to an internal one, not within it     drop
 *                    not to a bridge of ours                       accept
 *                    within a bridge, together                     accept
 *                    translated: a published port                  accept
 *                    a published port of a routed one              accept
 *                    to an open one                                accept
 *                    ICMP to a routed one                          accept
 *                    anything else                                 drop
 *      postrouting   from a bridge to elsewhere, masquerade        masquerade
 *                    within a bridge, to a published port          masquerade
 *
 * Published ports have their own, drawn in firewall_ports.c, and so have addresses of clients, in source.h. To accept
 * means that this table has nothing against it: other tables are asked as well.
 */
#include "network/firewall.h"

#include "base/fd.h"
#include "network/realm.h"
#include "network/source.h"

#include <netinet/in.h> /* before the kernel's, which leave out then what it has */

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <string.h>

enum { PRIORITY_FILTER = 0, PRIORITY_SRCNAT = 100, NAME_LEN = IFNAMSIZ, FAMILY_LEN = 4 };
enum { STATE_ESTABLISHED = 1 << (IP_CT_ESTABLISHED + 1), STATE_RELATED = 1 << (IP_CT_RELATED + 1) };

#define TYPE_SAME   NFT_TYPE_PAIR(NFT_TYPE_NAME, NFT_TYPE_NAME)
#define TYPE_FAMILY NFT_TYPE_PAIR(NFT_TYPE_FAMILY, NFT_TYPE_NAME)

static const struct nft_set sets[] = {
        { .name = "bridges", .key_type = NFT_TYPE_NAME, .key_len = NAME_LEN },
        { .name = "internal", .key_type = NFT_TYPE_NAME, .key_len = NAME_LEN },
        { .name = "same", .key_type = TYPE_SAME, .key_len = 2 * NAME_LEN },
        { .name = "together", .key_type = TYPE_SAME, .key_len = 2 * NAME_LEN },
        { .name = "masquerade", .key_type = TYPE_FAMILY, .key_len = FAMILY_LEN + NAME_LEN },
        { .name = "routed", .key_type = TYPE_FAMILY, .key_len = FAMILY_LEN + NAME_LEN },
        { .name = "open", .key_type = TYPE_FAMILY, .key_len = FAMILY_LEN + NAME_LEN },
};

static const struct nft_chain chains[] = {
        { .name = FIREWALL_USER },
        { .name = "forward", .type = "filter", .hook = NF_INET_FORWARD, .priority = PRIORITY_FILTER },
        { .name = "postrouting", .type = "nat", .hook = NF_INET_POST_ROUTING, .priority = PRIORITY_SRCNAT },
};

void firewall_begin(struct nft_change *c)
{
        nft_change_begin(c, NFPROTO_INET, FIREWALL_TABLE);
}

/* ------------------------------------------------------------------------------------------------------------ rules */

/* The table being put together. */
struct table {
        struct nft_change *c;
        int n_rules;
};

static void look_up(struct nft_rule *r, const char *set, uint32_t reg)
{
        nft_look_up(r, set, reg, 0);
}

static void if_name(struct nft_rule *r, uint32_t which, const char *set, bool absent)
{
        nft_load_meta(r, which, NFT_REG32_00);
        (absent ? nft_look_up_not : look_up)(r, set, NFT_REG32_00);
}

static void if_pair(struct nft_rule *r, const char *set, bool absent)
{
        nft_load_meta(r, NFT_META_IIFNAME, NFT_REG32_00);
        nft_load_meta(r, NFT_META_OIFNAME, NFT_REG32_04);
        (absent ? nft_look_up_not : look_up)(r, set, NFT_REG32_00);
}

static void if_family(struct nft_rule *r, uint32_t which, const char *set)
{
        nft_load_meta(r, NFT_META_NFPROTO, NFT_REG32_00);
        nft_load_meta(r, which, NFT_REG32_01);
        look_up(r, set, NFT_REG32_00);
}

static void end(struct table *t, struct nft_rule *r)
{
        nft_rule_end(r, t->c);
        t->n_rules++;
}

static void then(struct table *t, struct nft_rule *r, int verdict)
{
        nft_verdict(r, verdict, NULL);
        end(t, r);
}

static void allow_icmp(struct table *t, uint8_t protocol)
{
        struct nft_rule r;

        nft_rule_begin(&r, t->c, "forward");
        if_family(&r, NFT_META_OIFNAME, "routed");
        nft_match_protocol(&r, protocol);
        then(t, &r, NF_ACCEPT);
}

static void close_internal(struct table *t, uint32_t which)
{
        struct nft_rule r;

        nft_rule_begin(&r, t->c, "forward");
        if_name(&r, which, "internal", false);
        if_pair(&r, "same", true);
        then(t, &r, NF_DROP);
}

static void write_forward(struct table *t)
{
        struct nft_rule r;

        nft_rule_begin(&r, t->c, "forward");
        nft_verdict(&r, NFT_JUMP, FIREWALL_USER);
        end(t, &r);
        nft_rule_begin(&r, t->c, "forward");
        nft_match_ct_bits(&r, NFT_CT_STATE, STATE_ESTABLISHED | STATE_RELATED);
        then(t, &r, NF_ACCEPT);
        close_internal(t, NFT_META_IIFNAME);
        close_internal(t, NFT_META_OIFNAME);
        nft_rule_begin(&r, t->c, "forward");
        if_name(&r, NFT_META_OIFNAME, "bridges", true);
        then(t, &r, NF_ACCEPT);
        nft_rule_begin(&r, t->c, "forward");
        if_pair(&r, "together", false);
        then(t, &r, NF_ACCEPT);
        nft_rule_begin(&r, t->c, "forward");
        nft_match_ct_bits(&r, NFT_CT_STATUS, IPS_DST_NAT);
        then(t, &r, NF_ACCEPT);
        t->n_rules += firewall_write_routed(t->c);
        nft_rule_begin(&r, t->c, "forward");
        if_family(&r, NFT_META_OIFNAME, "open");
        then(t, &r, NF_ACCEPT);
        allow_icmp(t, IPPROTO_ICMP);
        allow_icmp(t, IPPROTO_ICMPV6);
        nft_rule_begin(&r, t->c, "forward");
        then(t, &r, NF_DROP);
}

static void write_postrouting(struct table *t)
{
        struct nft_rule r;

        nft_rule_begin(&r, t->c, "postrouting");
        if_family(&r, NFT_META_IIFNAME, "masquerade");
        if_pair(&r, "same", true);
        nft_masquerade_packet(&r);
        end(t, &r);
        nft_rule_begin(&r, t->c, "postrouting");
        if_pair(&r, "same", false);
        nft_match_ct_bits(&r, NFT_CT_STATUS, IPS_DST_NAT);
        nft_masquerade_packet(&r);
        end(t, &r);
}

/* The table as it should be, whatever is there of it: what the sets hold stays, and so does the users' chain. */
static int write_table(struct nft_change *c)
{
        struct table t = { .c = c };

        nft_add_table(c);
        for (size_t i = 0; i < COR_COUNT(sets); i++)
                nft_add_set(c, &sets[i]);
        firewall_add_port_sets(c);
        for (size_t i = 0; i < COR_COUNT(chains); i++) {
                nft_add_chain(c, &chains[i]);
                if (chains[i].type)
                        nft_flush_chain(c, chains[i].name);
        }
        write_forward(&t);
        write_postrouting(&t);
        if (realm_is_own())
                t.n_rules += source_write_rules(c);
        return t.n_rules + firewall_write_ports(c);
}

static int compare(int sock, int n_rules, struct cor_err *err)
{
        int found = nft_count_rules(sock, NFPROTO_INET, FIREWALL_TABLE, FIREWALL_USER, err);

        return found < 0 ? -1 : found >= n_rules;
}

int firewall_whole(int sock, struct cor_err *err)
{
        auto_nft_change c = { .family = 0 };

        firewall_begin(&c);
        return compare(sock, write_table(&c), err);
}

int firewall_ensure(int sock, const struct firewall_content *content, struct cor_err *err)
{
        auto_nft_change c = { .family = 0 };
        int r;

        firewall_begin(&c);
        r = compare(sock, write_table(&c), err);
        if (r != 0)
                return r < 0 ? -1 : 0;
        if ((content->fill && content->fill(&c, content->data, err) < 0) || nft_change_commit(&c, sock, err) < 0)
                return -1;
        return 1;
}

/* --------------------------------------------------------------------------------------------------------- networks */

struct key {
        uint8_t bytes[2 * NAME_LEN];
        uint32_t len;
};

static void add_name(struct key *k, const char *name)
{
        size_t n = strlen(name);

        memcpy(k->bytes + k->len, name, n < NAME_LEN ? n : NAME_LEN - 1);
        k->len += NAME_LEN;
}

static struct key name_key(const char *bridge)
{
        struct key k = { .len = 0 };

        add_name(&k, bridge);
        return k;
}

static struct key pair_key(const char *bridge)
{
        struct key k = name_key(bridge);

        add_name(&k, bridge);
        return k;
}

static struct key family_key(uint8_t family, const char *bridge)
{
        struct key k = { .bytes = { family }, .len = FAMILY_LEN };

        add_name(&k, bridge);
        return k;
}

static void add(struct nft_change *c, const char *set, struct key k)
{
        nft_add_elements(c, set, &(struct nft_element){ .key = k.bytes, .key_len = k.len }, 1);
}

static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };

void firewall_add_network(struct nft_change *c, const struct firewall_network *w)
{
        add(c, "bridges", name_key(w->bridge));
        add(c, "same", pair_key(w->bridge));
        if (w->internal)
                add(c, "internal", name_key(w->bridge));
        if (w->together)
                add(c, "together", pair_key(w->bridge));
        for (size_t i = 0; i < COR_COUNT(families); i++) {
                if (w->masquerade[i])
                        add(c, "masquerade", family_key(families[i], w->bridge));
                if (w->mode[i] == FIREWALL_ROUTED)
                        add(c, "routed", family_key(families[i], w->bridge));
                if (w->mode[i] == FIREWALL_OPEN)
                        add(c, "open", family_key(families[i], w->bridge));
        }
}

int firewall_has_network(int sock, const char *bridge, struct cor_err *err)
{
        const struct key k = name_key(bridge);

        return nft_find_element(sock, NFPROTO_INET, FIREWALL_TABLE, "bridges", k.bytes, k.len, err);
}

static int forget(int sock, const char *set, struct key k, struct cor_err *err)
{
        auto_nft_change c = { .family = 0 };

        firewall_begin(&c);
        nft_delete_elements(&c, set, &(struct nft_element){ .key = k.bytes, .key_len = k.len }, 1);
        return nft_change_commit(&c, sock, err) == 0 || err->sys == ENOENT ? 0 : -1;
}

int firewall_remove_network(int sock, const char *bridge, struct cor_err *err)
{
        for (size_t i = 0; i < COR_COUNT(sets); i++) {
                uint32_t type = sets[i].key_type;

                for (size_t f = 0; f < (type == TYPE_FAMILY ? COR_COUNT(families) : 1); f++)
                        if (forget(sock, sets[i].name,
                                   type == TYPE_FAMILY ? family_key(families[f], bridge)
                                   : type == TYPE_SAME ? pair_key(bridge)
                                                       : name_key(bridge),
                                   err) < 0)
                                return -1;
        }
        return 0;
}
