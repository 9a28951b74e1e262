#ifndef CORACLE_LINUX_ROUTE_H
#define CORACLE_LINUX_ROUTE_H
/*
 * Addresses of interfaces, routes, rules and neighbours. The messages (…_make, …_read) are bytes in, bytes out; the
 * others speak with the kernel over @sock, a NETLINK_ROUTE socket that belongs to one network namespace.
 */
#include "linux/ip.h"
#include "linux/netlink.h"

/* -------------------------------------------------------------------------------------------------------- addresses */

struct address {
        int index;           /* of its interface */
        struct ip_prefix ip; /* with the bits of its network */
        struct ip broadcast; /* none for IPv6 */
        uint8_t scope;
        uint32_t flags; /* IFA_F_… */
};
bool address_read(const struct netlink_message *m, struct address *ret);
void address_make(struct netlink_request *r, const struct address *a);

/* address_add() - IPv4 gets its broadcast address as ip(8) would give it none: as @a says. EXISTS if it is there */
int address_add(int sock, const struct address *a, struct cor_err *err) COR_MUST_CHECK;
/* address_remove() - success if it is not there */
int address_remove(int sock, const struct address *a, struct cor_err *err) COR_MUST_CHECK;
/* address_list() - of interface @index (0: of all), of AF_… @family (AF_UNSPEC: both); free() *ret */
int address_list(int sock, int index, int family, struct address **ret, size_t *ret_n, struct cor_err *err)
        COR_MUST_CHECK;

/* ----------------------------------------------------------------------------------------------------------- routes */

struct route {
        struct ip_prefix dst;                  /* bits 0: the default route; its family must be set by a zero address */
        struct ip gateway;                     /* none: the destination is on the link */
        struct ip source;                      /* preferred source address; none: the kernel's choice */
        int index;                             /* of the interface; 0: the gateway's */
        uint32_t priority, table, mtu, advmss; /* 0: the kernel's default */
        uint8_t scope, protocol, type;         /* RT_SCOPE_…, RTPROT_… (0: boot), RTN_… (0: unicast) */
        uint32_t flags;                        /* RTNH_F_… */
        bool several;                          /* read only: it has more than one next hop; gateway is of the first */
};
bool route_read(const struct netlink_message *m, struct route *ret);
/* route_make() - RTM_… @type with NLM_F_… @flags */
void route_make(struct netlink_request *r, uint16_t type, uint16_t flags, const struct route *route);

/* route_add() - EXISTS if there is one to that destination with that priority */
int route_add(int sock, const struct route *route, struct cor_err *err) COR_MUST_CHECK;
/* route_append() - beside one that is there already; success if exactly this one is */
int route_append(int sock, const struct route *route, struct cor_err *err) COR_MUST_CHECK;
/* route_replace() - whether there is one or not */
int route_replace(int sock, const struct route *route, struct cor_err *err) COR_MUST_CHECK;
/* route_remove() - success if it is not there */
int route_remove(int sock, const struct route *route, struct cor_err *err) COR_MUST_CHECK;
/* route_list() - of AF_… @family in @table (0: in all); free() *ret */
int route_list(int sock, int family, uint32_t table, struct route **ret, size_t *ret_n, struct cor_err *err)
        COR_MUST_CHECK;
/* route_to() - how the kernel would send to @a from here */
int route_to(int sock, const struct ip *a, struct route *ret, struct cor_err *err) COR_MUST_CHECK;

/* ------------------------------------------------------------------------------------------------------------ rules */

struct route_rule {
        uint8_t family; /* AF_…; needed where src and dst are not set */
        struct ip_prefix src, dst;
        uint32_t table, priority; /* priority 0: the kernel's choice */
        uint32_t mark;            /* 0: of all packets */
};
bool route_rule_read(const struct netlink_message *m, struct route_rule *ret);
void route_rule_make(struct netlink_request *r, uint16_t type, uint16_t flags, const struct route_rule *rule);
int route_rule_add(int sock, const struct route_rule *rule, struct cor_err *err) COR_MUST_CHECK;
int route_rule_remove(int sock, const struct route_rule *rule, struct cor_err *err) COR_MUST_CHECK;
int route_rule_list(int sock, int family, struct route_rule **ret, size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;

/* ------------------------------------------------------------------------------------------------------- neighbours */

struct neighbour {
        int index;
        struct ip ip;
        uint8_t mac_len, mac[32];
        uint16_t state; /* NUD_… */
};
bool neighbour_read(const struct netlink_message *m, struct neighbour *ret);
/* neighbour_set() - make or replace it */
int neighbour_set(int sock, const struct neighbour *n, struct cor_err *err) COR_MUST_CHECK;
int neighbour_list(int sock, int index, struct neighbour **ret, size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;

#endif
