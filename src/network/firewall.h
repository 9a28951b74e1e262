#ifndef CORACLE_NETWORK_FIREWALL_H
#define CORACLE_NETWORK_FIREWALL_H
/*
 * The one nftables table of Coracle, "coracle" of the family inet: chains and rules that are always the same, and sets
 * that say what is true of which bridge, so that a network costs a few elements. Rules and sets are drawn at the head
 * of firewall.c. What others may write into is the chain "user": it is asked first about everything that is forwarded,
 * and never touched.
 *
 * Somebody may flush all of it. Whoever needs it looks, and makes it anew, whole, in one transaction: for what was in
 * the sets then, it asks.
 */
#include "linux/nft_rule.h"

#define FIREWALL_TABLE "coracle"
#define FIREWALL_USER  "user" /* the users' own chain */

enum firewall_mode {
        FIREWALL_NAT,    /* only published ports, by the host's addresses */
        FIREWALL_ROUTED, /* only published ports, by the containers' own addresses; and ICMP */
        FIREWALL_OPEN,   /* all ports: docker's nat-unprotected */
};
struct firewall_network {
        const char *bridge;
        bool internal;      /* nothing is forwarded to or from it */
        bool together;      /* its containers may speak with each other */
        bool masquerade[2]; /* [0]: of IPv4, [1]: of IPv6 */
        enum firewall_mode mode[2];
};

/* What the sets hold, put into @c again; the table and its sets are there. */
struct firewall_content {
        int (*fill)(struct nft_change *c, void *data, struct cor_err *err);
        void *data;
};
/*
 * firewall_ensure() - the table is there, whole: 1 if it had to be made, 0 if not. The caller holds the lock of
 * networks (network_lock()). @sock: NETLINK_NETFILTER
 */
int firewall_ensure(int sock, const struct firewall_content *content, struct cor_err *err) COR_MUST_CHECK;
/* firewall_whole() - 1 it is there, 0 it is not, or lacks rules */
int firewall_whole(int sock, struct cor_err *err) COR_MUST_CHECK;
/* firewall_begin() - an empty change of the table, to be nft_change_done() */
void firewall_begin(struct nft_change *c);
/* firewall_add_network() - what the sets say of it; the same again is fine */
void firewall_add_network(struct nft_change *c, const struct firewall_network *network);
/* firewall_has_network() - the sets know the bridge: 1, 0 */
int firewall_has_network(int sock, const char *bridge, struct cor_err *err) COR_MUST_CHECK;
/* firewall_remove_network() - none of the sets knows the bridge any more; it is no error if none did */
int firewall_remove_network(int sock, const char *bridge, struct cor_err *err) COR_MUST_CHECK;

/*
 * Published ports (firewall_ports.c). One the kernel forwards is an element of a map; one that arrives at a socket of
 * the host, as a monitor forwards it, is an element of a set, so that the chain "user" is asked about it on its way in.
 */
struct firewall_port {
        uint8_t family; /* NFPROTO_IPV4, NFPROTO_IPV6: of the host's address */
        uint8_t protocol;
        uint8_t host_ip[16], container_ip[16]; /* in network byte order; host_ip all 0: any address of the host */
        uint16_t host_port, container_port;
        bool direct; /* by the kernel; both addresses are of the same family */
        bool routed; /* neither: what is for the container's own address and port may pass */
};
/* firewall_add_port_sets() - what the rules of both look things up in */
void firewall_add_port_sets(struct nft_change *c);
/* firewall_write_routed() - of the chain "forward" the rules that let pass what is routed; how many */
int firewall_write_routed(struct nft_change *c);
/* firewall_write_ports() - their part of the table, of which firewall.c is the rest; how many rules */
int firewall_write_ports(struct nft_change *c);
/* firewall_add_ports() - into a change; firewall_empty_ports() first: in place of all that were there */
void firewall_add_ports(struct nft_change *c, const struct firewall_port *items, size_t n_items);
void firewall_empty_ports(struct nft_change *c);
/* firewall_remove_ports() - all of a container; NOT_FOUND if one is not there, and then all others stay */
int firewall_remove_ports(int sock, const struct firewall_port *items, size_t n_items, struct cor_err *err)
        COR_MUST_CHECK;
/* firewall_has_ports() - somebody has put them in since the table was made: 1, 0 */
int firewall_has_ports(int sock, struct cor_err *err) COR_MUST_CHECK;

#endif
