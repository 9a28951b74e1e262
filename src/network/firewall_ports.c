/*
 * Published ports in the table of firewall.c. A port is one element, in one of
 *
 *      port4, port6          protocol . address . port -> address . port: the kernel forwards it
 *      carried4, carried6    protocol . address . port: a monitor does
 *      routed4, routed6      protocol . address . port of a container that has an address of its own for others
 *
 * and of each container that has some, in self4 and self6, address . address: it may call itself by them,
 * where the address is one of the host's, or 0 for all of them. Chains and rules:
 *
 *      guard         not from lo, to 127.0.0.0/8                   drop
 *      prerouting    to an address of the host                     jump ports
 *      output        to ::1                                        accept
 *                    to an address of the host                     jump ports
 *      ports         in port4 or port6, by its address or by 0     translated
 *      postrouting   translated, from 127.0.0.0/8                  masquerade
 *                    translated, in self4 or self6                 masquerade
 *      input         established, related                          accept
 *                    in carried4 or carried6                       jump user
 *      forward       in routed4 or routed6                         accept
 *
 * The bridges are told to route 127.0.0.0/8, as otherwise no answer comes back to it: hence the guard, which no packet
 * on its way back meets, since translation is undone behind it. ::1 can not be routed.
 */
#include "network/firewall.h"

#include "base/alloc.h"

#include <netinet/in.h> /* before the kernel's */

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>

enum { PRIORITY_RAW = -300, PRIORITY_DSTNAT = -100, PRIORITY_FILTER = 0, PORT_AT = 2, PART = 4 };
enum { STATE_ESTABLISHED = 1 << (IP_CT_ESTABLISHED + 1), STATE_RELATED = 1 << (IP_CT_RELATED + 1) };

/* What is different in the two families. A key begins at the first register; what a map says, at `data`. */
static const struct family {
        uint8_t family;
        uint32_t len, at; /* of an address, and where a packet has its destination */
        uint32_t data;
        const char *direct, *carried, *self, *routed;
} families[] = {
        { NFPROTO_IPV4, 4, 16, NFT_REG32_08, "port4", "carried4", "self4", "routed4" },
        { NFPROTO_IPV6, 16, 24, NFT_REG32_08, "port6", "carried6", "self6", "routed6" },
};

static const struct nft_chain chains[] = {
        { .name = "guard", .type = "filter", .hook = NF_INET_PRE_ROUTING, .priority = PRIORITY_RAW },
        { .name = "ports" },
        { .name = "prerouting", .type = "nat", .hook = NF_INET_PRE_ROUTING, .priority = PRIORITY_DSTNAT },
        { .name = "output", .type = "nat", .hook = NF_INET_LOCAL_OUT, .priority = PRIORITY_DSTNAT },
        { .name = "input", .type = "filter", .hook = NF_INET_LOCAL_IN, .priority = PRIORITY_FILTER },
};

static const uint8_t loopback[4] = { 127 };

/* ------------------------------------------------------------------------------------------------------------ rules */

void firewall_add_port_sets(struct nft_change *c)
{
        for (size_t i = 0; i < COR_COUNT(families); i++) {
                const struct family *f = &families[i];
                uint32_t address = f->family == NFPROTO_IPV4 ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6;
                struct nft_set set = { .name = f->carried,
                                       .key_type =
                                               NFT_TYPE_PAIR(NFT_TYPE_PAIR(NFT_TYPE_PROTOCOL, address), NFT_TYPE_PORT),
                                       .key_len = PART + f->len + PART,
                                       .data_type = NFT_TYPE_PAIR(address, NFT_TYPE_PORT),
                                       .data_len = f->len + PART };

                nft_add_set(c, &set);
                set.name = f->routed;
                nft_add_set(c, &set);
                set.name = f->direct;
                set.map = true;
                nft_add_set(c, &set);
                nft_add_set(c, &(struct nft_set){ .name = f->self,
                                                  .key_type = NFT_TYPE_PAIR(address, address),
                                                  .key_len = 2 * f->len });
        }
}

/* protocol . address . port of the packet, or with 0 in place of its address */
static void load_key(struct nft_rule *r, const struct family *f, bool any)
{
        static const uint8_t none[16];

        nft_match_family(r, f->family);
        nft_load_meta(r, NFT_META_L4PROTO, NFT_REG32_00);
        if (any)
                nft_load(r, none, f->len, NFT_REG32_01);
        else
                nft_load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, f->at, f->len, NFT_REG32_01);
        nft_load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, PORT_AT, 2, NFT_REG32_01 + f->len / PART);
}

static int write_maps(struct nft_change *c)
{
        struct nft_rule r;

        for (size_t i = 0; i < 2 * COR_COUNT(families); i++) {
                const struct family *f = &families[i / 2];

                nft_rule_begin(&r, c, "ports");
                load_key(&r, f, i % 2 == 1);
                nft_look_up(&r, f->direct, NFT_REG32_00, f->data);
                nft_nat(&r, NFT_NAT_DNAT, f->family, f->data, f->data + f->len / PART);
                nft_rule_end(&r, c);
        }
        return 2 * COR_COUNT(families);
}

int firewall_write_routed(struct nft_change *c)
{
        struct nft_rule r;

        for (size_t i = 0; i < COR_COUNT(families); i++) {
                nft_rule_begin(&r, c, "forward");
                load_key(&r, &families[i], false);
                nft_look_up(&r, families[i].routed, NFT_REG32_00, 0);
                nft_verdict(&r, NF_ACCEPT, NULL);
                nft_rule_end(&r, c);
        }
        return COR_COUNT(families);
}

static int write_carried(struct nft_change *c)
{
        struct nft_rule r;

        nft_rule_begin(&r, c, "input");
        nft_match_ct_bits(&r, NFT_CT_STATE, STATE_ESTABLISHED | STATE_RELATED);
        nft_verdict(&r, NF_ACCEPT, NULL);
        nft_rule_end(&r, c);
        for (size_t i = 0; i < 2 * COR_COUNT(families); i++) {
                nft_rule_begin(&r, c, "input");
                load_key(&r, &families[i / 2], i % 2 == 1);
                nft_look_up(&r, families[i / 2].carried, NFT_REG32_00, 0);
                nft_verdict(&r, NFT_JUMP, FIREWALL_USER);
                nft_rule_end(&r, c);
        }
        return 1 + 2 * COR_COUNT(families);
}

static void write_jump(struct nft_change *c, const char *chain)
{
        const uint32_t local = RTN_LOCAL;
        struct nft_rule r;

        nft_rule_begin(&r, c, chain);
        nft_load_fib_type(&r, NFT_REG32_00);
        nft_compare(&r, NFT_REG32_00, NFT_CMP_EQ, &local, sizeof local);
        nft_verdict(&r, NFT_JUMP, "ports");
        nft_rule_end(&r, c);
}

static int write_ways(struct nft_change *c)
{
        static const struct in6_addr loopback6 = IN6ADDR_LOOPBACK_INIT;
        struct nft_rule r;

        nft_rule_begin(&r, c, "guard");
        nft_match_interface(&r, NFT_META_IIFNAME, NFT_CMP_NEQ, "lo");
        nft_match_family(&r, NFPROTO_IPV4);
        nft_match_network(&r, false, NFT_CMP_EQ, loopback, sizeof loopback, 8);
        nft_verdict(&r, NF_DROP, NULL);
        nft_rule_end(&r, c);

        write_jump(c, "prerouting");

        nft_rule_begin(&r, c, "output");
        nft_match_family(&r, NFPROTO_IPV6);
        nft_match_network(&r, false, NFT_CMP_EQ, &loopback6, sizeof loopback6, 128);
        nft_verdict(&r, NF_ACCEPT, NULL);
        nft_rule_end(&r, c);
        write_jump(c, "output");

        nft_rule_begin(&r, c, "postrouting");
        nft_match_ct_bits(&r, NFT_CT_STATUS, IPS_DST_NAT);
        nft_match_family(&r, NFPROTO_IPV4);
        nft_match_network(&r, true, NFT_CMP_EQ, loopback, sizeof loopback, 8);
        nft_masquerade_packet(&r);
        nft_rule_end(&r, c);
        for (size_t i = 0; i < COR_COUNT(families); i++) {
                const struct family *f = &families[i];

                nft_rule_begin(&r, c, "postrouting");
                nft_match_ct_bits(&r, NFT_CT_STATUS, IPS_DST_NAT);
                nft_match_family(&r, f->family);
                nft_load_payload(&r, NFT_PAYLOAD_NETWORK_HEADER, f->at - f->len, 2 * f->len, NFT_REG32_00);
                nft_look_up(&r, f->self, NFT_REG32_00, 0);
                nft_masquerade_packet(&r);
                nft_rule_end(&r, c);
        }
        return 5 + COR_COUNT(families);
}

int firewall_write_ports(struct nft_change *c)
{
        for (size_t i = 0; i < COR_COUNT(chains); i++) {
                nft_add_chain(c, &chains[i]);
                nft_flush_chain(c, chains[i].name);
        }
        return write_maps(c) + write_carried(c) + write_ways(c);
}

/* --------------------------------------------------------------------------------------------------------- elements */

struct made {
        uint8_t key[2 * 16], data[16 + PART];
        const char *set;
        struct nft_element element;
};

static void put_port(uint8_t *to, uint16_t port)
{
        to[0] = (uint8_t)(port >> 8);
        to[1] = (uint8_t)port;
}

/* @m may not be moved afterwards */
static void make(const struct firewall_port *p, struct made *m)
{
        const struct family *f = &families[p->family == NFPROTO_IPV6];

        *m = (struct made){ .key = { p->protocol }, .set = p->direct ? f->direct : p->routed ? f->routed : f->carried };
        memcpy(m->key + PART, p->host_ip, f->len);
        put_port(m->key + PART + f->len, p->host_port);
        m->element = (struct nft_element){ .key = m->key, .key_len = PART + f->len + PART };
        if (!p->direct)
                return;
        memcpy(m->data, p->container_ip, f->len);
        put_port(m->data + f->len, p->container_port);
        m->element.data = m->data;
        m->element.data_len = f->len + PART;
}

/* No protocol has this number: it stands for all ports having been put in. */
static const struct firewall_port marker = { .family = NFPROTO_IPV4, .protocol = 255 };

/* Its address, twice */
static bool make_self(const struct firewall_port *p, struct made *m)
{
        const struct family *f = &families[p->family == NFPROTO_IPV6];

        if (!p->direct)
                return false;
        *m = (struct made){ .set = f->self };
        memcpy(m->key, p->container_ip, f->len);
        memcpy(m->key + f->len, p->container_ip, f->len);
        m->element = (struct nft_element){ .key = m->key, .key_len = 2 * f->len };
        return true;
}

/* The first one of its container and family; those of a container are together. */
static bool is_first(const struct firewall_port *items, size_t i)
{
        for (size_t k = i; k-- > 0;)
                if (items[k].direct && items[k].family == items[i].family)
                        return memcmp(items[k].container_ip, items[i].container_ip, sizeof items[k].container_ip) != 0;
        return true;
}

/* Neighbours of the same set go into messages together. */
static void add_made(struct nft_change *c, const struct made *made, size_t n)
{
        struct nft_element *elements = cor_realloc_array(NULL, n ? n : 1, sizeof *elements);

        for (size_t i = 0, from = 0; i < n; i++) {
                elements[i] = made[i].element;
                if (i + 1 < n && made[i + 1].set == made[from].set)
                        continue;
                nft_add_elements(c, made[from].set, elements + from, i + 1 - from);
                from = i + 1;
        }
        free(elements);
}

void firewall_add_ports(struct nft_change *c, const struct firewall_port *items, size_t n_items)
{
        struct made *made = cor_realloc_array(NULL, 2 * n_items + 1, sizeof *made);
        size_t n = 0;

        make(&marker, &made[n++]);
        for (int pass = 0; pass < 6; pass++) /* set by set */
                for (size_t i = 0; i < n_items; i++)
                        if ((items[i].family == NFPROTO_IPV6) == (pass & 1) && (items[i].direct   ? 2
                                                                                : items[i].routed ? 1
                                                                                                  : 0) == pass / 2)
                                make(&items[i], &made[n++]);
        for (size_t i = 0; i < n_items; i++)
                if (items[i].direct && is_first(items, i) && make_self(&items[i], &made[n]))
                        n++;
        add_made(c, made, n);
        free(made);
}

void firewall_empty_ports(struct nft_change *c)
{
        for (size_t i = 0; i < COR_COUNT(families); i++) {
                nft_flush_set(c, families[i].direct);
                nft_flush_set(c, families[i].carried);
                nft_flush_set(c, families[i].self);
                nft_flush_set(c, families[i].routed);
        }
}

int firewall_remove_ports(int sock, const struct firewall_port *items, size_t n_items, struct cor_err *err)
{
        auto_nft_change c = { .family = 0 };
        struct made m;

        firewall_begin(&c);
        for (size_t i = 0; i < n_items; i++) {
                make(&items[i], &m);
                m.element.data = NULL;
                nft_delete_elements(&c, m.set, &m.element, 1);
                if (items[i].direct && is_first(items, i) && make_self(&items[i], &m))
                        nft_delete_elements(&c, m.set, &m.element, 1);
        }
        return nft_change_commit(&c, sock, err);
}

int firewall_has_ports(int sock, struct cor_err *err)
{
        struct made m;

        make(&marker, &m);
        return nft_find_element(sock, NFPROTO_INET, FIREWALL_TABLE, m.set, m.element.key, m.element.key_len, err);
}
