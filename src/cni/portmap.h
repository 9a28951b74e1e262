#ifndef CORACLE_CNI_PORTMAP_H
#define CORACLE_CNI_PORTMAP_H
/* portmap in three parts: configuration and verbs (portmap.c), rules by nftables, rules by iptables. */
#include "cni/space.h"

enum portmap_backend { PORTMAP_NFTABLES, PORTMAP_IPTABLES };

struct port_mapping {
        uint32_t host_port, container_port;
        int protocol; /* IPPROTO_… */
        const char *host_ip_text;
        struct ip host_ip; /* none: all addresses of the host */
};
struct portmap {
        int backend; /* enum portmap_backend */
        bool snat, masq_all;
        struct cor_opt_u64 mark_bit;
        const char *external_mark_chain;
        const char **conditions[2]; /* of IPv4, of IPv6 */
        size_t n_conditions[2];
        struct {
                struct port_mapping *mappings;
                size_t n_mappings;
        } runtime;
        struct ip_prefix to[2]; /* the container's addresses */
};

/* portmap_applies() - the mapping is for the family of @to */
bool portmap_applies(const struct port_mapping *m, const struct ip *to);

int portmap_nft_add(struct cni_call *c, const struct portmap *p, struct cor_err *err) COR_MUST_CHECK;
int portmap_nft_del(struct cni_call *c, struct cor_err *err) COR_MUST_CHECK;
int portmap_nft_check(struct cni_call *c, const struct portmap *p, struct cor_err *err) COR_MUST_CHECK;
int portmap_nft_gc(struct cni_call *c, struct cor_err *err) COR_MUST_CHECK;

int portmap_iptables_add(struct cni_call *c, const struct portmap *p, struct cor_err *err) COR_MUST_CHECK;
int portmap_iptables_del(struct cni_call *c, struct cor_err *err) COR_MUST_CHECK;
int portmap_iptables_check(struct cni_call *c, const struct portmap *p, struct cor_err *err) COR_MUST_CHECK;

#endif
