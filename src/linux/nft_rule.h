#ifndef CORACLE_LINUX_NFT_RULE_H
#define CORACLE_LINUX_NFT_RULE_H
/*
 * A rule of nftables: expressions that the kernel carries out from left to right, until one does not fit. They work on
 * sixteen registers of 4 bytes, NFT_REG32_00 to NFT_REG32_15; a longer value takes several, and so does a key of
 * several parts, each of which begins at a register.
 */
#include "linux/nft_change.h"
#include <linux/netfilter/nf_tables.h>

struct nft_rule {
        struct netlink_request request;
        size_t list;
        const char *
                comment; /* shown by nft(8), found by linux/nft_list.h; NULL: none. Up to NFT_COMMENT_MAX bytes count */
};
/* nft_rule_begin() - the last rule of @chain so far; nft_rule_end() puts it into the change */
void nft_rule_begin(struct nft_rule *r, const struct nft_change *c, const char *chain);
void nft_rule_end(struct nft_rule *r, struct nft_change *c);
/* nft_rule_begin_first() - the same before all rules of @chain */
void nft_rule_begin_first(struct nft_rule *r, const struct nft_change *c, const char *chain);

/* Into a register: NFT_META_…, @len bytes of a header (NFT_PAYLOAD_…), NFT_CT_…, a constant. */
void nft_load_meta(struct nft_rule *r, uint32_t key, uint32_t reg);
void nft_load_payload(struct nft_rule *r, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg);
void nft_load_ct(struct nft_rule *r, uint32_t key, uint32_t reg);
/* nft_load_ct_of() - what has a direction: IP_CT_DIR_ORIGINAL (0) or IP_CT_DIR_REPLY (1) */
void nft_load_ct_of(struct nft_rule *r, uint32_t key, uint8_t direction, uint32_t reg);
void nft_load(struct nft_rule *r, const void *bytes, size_t n, uint32_t reg);
/* nft_load_fib_type() - RTN_… of the packet's destination, as an uint32_t */
void nft_load_fib_type(struct nft_rule *r, uint32_t reg);

/* Go on if … */
void nft_compare(struct nft_rule *r, uint32_t reg, enum nft_cmp_ops how, const void *bytes, size_t n);
/* nft_mask() - register &= @mask */
void nft_mask(struct nft_rule *r, uint32_t reg, const void *mask, size_t n);
/* nft_look_up() - the key that begins at @reg is in @set; of a map (@data not 0) its data comes into @data */
void nft_look_up(struct nft_rule *r, const char *set, uint32_t reg, uint32_t data);
void nft_look_up_not(struct nft_rule *r, const char *set, uint32_t reg);

/* The common ones. */
void nft_match_family(struct nft_rule *r, uint8_t family);     /* of the packet: NFPROTO_IPV4, NFPROTO_IPV6 */
void nft_match_protocol(struct nft_rule *r, uint8_t protocol); /* IPPROTO_TCP, … */
void nft_match_interface(struct nft_rule *r, uint32_t key, enum nft_cmp_ops how,
                         const char *name); /* NFT_META_IIFNAME */
/* nft_match_interfaces() - all whose names begin so */
void nft_match_interfaces(struct nft_rule *r, uint32_t key, const char *prefix);
void nft_match_ct_bits(struct nft_rule *r, uint32_t key, uint32_t bits); /* any of them is set */
/* nft_match_network() - address @bytes of @n, the first @prefix_len bits of which count; @source or destination */
void nft_match_network(struct nft_rule *r, bool source, enum nft_cmp_ops how, const void *bytes, size_t n,
                       uint8_t prefix_len);

/* nft_match_extension() - a match of iptables, as iptables-nft has them in its own tables; @info is its struct */
void nft_match_extension(struct nft_rule *r, const char *name, uint32_t revision, const void *info, size_t n);
/* nft_match_states() - "-m conntrack --ctstate" of iptables-nft, not nftables' own ct: bits XT_CONNTRACK_STATE_BIT() or
 * XT_CONNTRACK_STATE_DNAT */
void nft_match_states(struct nft_rule *r, uint16_t states);

/* What becomes of the packet. */
void nft_verdict(struct nft_rule *r, int verdict, const char *chain); /* NF_ACCEPT, NF_DROP, NFT_JUMP, NFT_RETURN, … */
void nft_masquerade_packet(struct nft_rule *r);
/* nft_nat() - @type: NFT_NAT_DNAT or _SNAT; registers of the address and, unless 0, the port, each the beginning of it
 */
void nft_nat(struct nft_rule *r, enum nft_nat_types type, uint8_t family, uint32_t address, uint32_t port);
void nft_set_meta(struct nft_rule *r, uint32_t key, uint32_t reg);
void nft_set_ct(struct nft_rule *r, uint32_t key, uint32_t reg);
void nft_count(struct nft_rule *r);
void nft_reject(struct nft_rule *r, enum nft_reject_types type, uint8_t code);

#endif
