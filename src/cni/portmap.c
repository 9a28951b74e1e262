/*
 * portmap: ports of the host that lead to the container. What comes to an address of the host, and nothing else, is
 * sent on to the first address of each family that the container's interface has. Connections that come back to where
 * they began, or from 127.0.0.1, get the host's address (snat).
 */
#include "cni/portmap.h"

#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "cni/condition.h"
#include "cni/plugins.h"
#include "linux/conntrack.h"
#include "linux/route.h"

enum { PORT_MAX = 65535, MARK_BIT_MAX = 31 };

/* --------------------------------------------------------------------------------------------------------- document */

static const struct cor_word protocols[] = {
        { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP },   { "sctp", IPPROTO_SCTP }, { "TCP", IPPROTO_TCP },
        { "UDP", IPPROTO_UDP }, { "SCTP", IPPROTO_SCTP }, { "", IPPROTO_TCP },      { NULL, 0 },
};
static const struct cor_word backends[] = {
        { "nftables", PORTMAP_NFTABLES },
        { "iptables", PORTMAP_IPTABLES },
        { NULL, 0 },
};

static int check_mapping(void *object, struct cor_err *err)
{
        struct port_mapping *m = object;

        if (m->host_port < 1 || m->host_port > PORT_MAX)
                return cor_fail(err, COR_INVALID, ".hostPort: %u is no port", m->host_port);
        if (m->container_port < 1 || m->container_port > PORT_MAX)
                return cor_fail(err, COR_INVALID, ".containerPort: %u is no port", m->container_port);
        if (!m->host_ip_text || !m->host_ip_text[0])
                return 0;
        return text_address(m->host_ip_text, ".hostIP", &m->host_ip, err);
}

static const struct cor_json_field mapping_fields[] = {
        COR_FIELD("hostPort", U32, struct port_mapping, host_port, COR_JSON_REQUIRED),
        COR_FIELD("containerPort", U32, struct port_mapping, container_port, COR_JSON_REQUIRED),
        { .key = "protocol",
          .type = COR_JSON_WORD,
          .offset = offsetof(struct port_mapping, protocol),
          .words = protocols,
          .def = IPPROTO_TCP },
        COR_FIELD("hostIP", STR, struct port_mapping, host_ip_text, 0),
};
static const struct cor_json_doc mapping_doc = COR_DOC(struct port_mapping, mapping_fields, check_mapping);

typedef __typeof__(((struct portmap *)NULL)->runtime) runtime_t;
static const struct cor_json_field runtime_fields[] = {
        COR_FIELD_LIST_OF("portMappings", LIST_OBJ, runtime_t, mappings, n_mappings, &mapping_doc, 0),
};
static const struct cor_json_doc runtime_doc = COR_DOC(runtime_t, runtime_fields, NULL);

static const struct cor_json_field fields[] = {
        COR_FIELD_WORD("backend", struct portmap, backend, backends, 0),
        COR_FIELD_DEF("snat", BOOL, struct portmap, snat, true),
        COR_FIELD("masqAll", BOOL, struct portmap, masq_all, 0),
        COR_FIELD("markMasqBit", OPT_U32, struct portmap, mark_bit, 0),
        COR_FIELD("externalSetMarkChain", STR, struct portmap, external_mark_chain, 0),
        COR_FIELD_LIST("conditionsV4", LIST_STR, struct portmap, conditions[0], n_conditions[0], 0),
        COR_FIELD_LIST("conditionsV6", LIST_STR, struct portmap, conditions[1], n_conditions[1], 0),
        COR_FIELD_OBJ("runtimeConfig", INLINE, struct portmap, runtime, &runtime_doc, 0),
};
static const struct cor_json_doc portmap_doc = COR_DOC(struct portmap, fields, NULL);

static int load(struct cni_call *c, struct portmap **ret, struct cor_err *err)
{
        auto_json struct portmap *p = NULL;

        if (cni_load(c, &portmap_doc, &p, err) < 0)
                return -1;
        if (p->mark_bit.set && p->external_mark_chain)
                return cor_fail(err, COR_INVALID, "externalSetMarkChain: cannot be set together with markMasqBit");
        if (p->mark_bit.set && p->mark_bit.value > MARK_BIT_MAX)
                return cor_fail(err, COR_INVALID, "markMasqBit: %llu is no number from 0 to 31",
                                (unsigned long long)p->mark_bit.value);
        if (p->backend == PORTMAP_NFTABLES &&
            (condition_check(p->conditions[0], p->n_conditions[0], false, "conditionsV4", err) < 0 ||
             condition_check(p->conditions[1], p->n_conditions[1], true, "conditionsV6", err) < 0))
                return -1;
        *ret = COR_TAKE(p);
        return 0;
}

/* --------------------------------------------------------------------------------------------------- where it leads */

static bool is_the_containers(const struct cni_call *c, const struct cni_result *r, const struct cni_ip *ip)
{
        const struct cni_interface *i;

        if (!ip->interface.set || ip->interface.value >= r->n_interfaces)
                return true;
        i = &r->interfaces[ip->interface.value];
        return i->sandbox && i->sandbox[0] && strcmp(i->name, c->ifname) == 0;
}

static int find_addresses(const struct cni_call *c, const struct cni_result *r, struct portmap *p, struct cor_err *err)
{
        for (size_t i = 0; i < r->n_ips; i++) {
                struct ip_prefix a;

                if (!is_the_containers(c, r, &r->ips[i]))
                        continue;
                if (text_prefix(r->ips[i].address, "prevResult: ips[].address", &a, err) < 0)
                        return -1;
                if (!p->to[!ip_is_4(&a.ip)].ip.len)
                        p->to[!ip_is_4(&a.ip)] = a;
        }
        return 0;
}

bool portmap_applies(const struct port_mapping *m, const struct ip *to)
{
        return !m->host_ip.len || m->host_ip.len == to->len;
}

/* What comes from 127.0.0.1 may only be routed where that interface allows it; portmap_nft.c shuts the way in. */
static int route_localhost(const struct ip *to, struct cor_err *err)
{
        auto_fd sock = netlink_open(NETLINK_ROUTE, err);
        struct route route;
        struct link l;

        if (sock < 0 || route_to(sock, to, &route, err) < 0 || link_get_index(sock, route.index, &l, err) < 0)
                return -1;
        host_sysctl_try("net/ipv4/conf/%s/route_localnet", l.name, "1");
        return 0;
}

static bool is_stale(const struct conntrack_entry *e, void *data)
{
        const struct portmap *p = data;

        for (size_t i = 0; i < p->runtime.n_mappings; i++) {
                const struct port_mapping *m = &p->runtime.mappings[i];

                if (m->protocol == IPPROTO_UDP && e->protocol == IPPROTO_UDP && e->to_port == m->host_port)
                        return true;
        }
        return false;
}

/* A client of UDP goes on speaking to where the port led before. */
static void forget_connections(struct portmap *p)
{
        struct cor_err err = { 0 };
        auto_fd sock = netlink_open(NETLINK_NETFILTER, &err);

        for (int six = 0; sock >= 0 && six < 2; six++)
                if (p->to[six].ip.len &&
                    conntrack_forget(sock, (uint8_t)ip_family(&p->to[six].ip), is_stale, p, &err) < 0)
                        cor_warn("forget connections of UDP ports: %s", err.msg);
}

/* ------------------------------------------------------------------------------------------------------------ verbs */

int portmap_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;
        auto_json struct portmap *p = NULL;
        struct cor_err later = { 0 };
        int done;

        if (load(c, &p, err) < 0 || cni_previous(c, &r, err) < 0 || find_addresses(c, r, p, err) < 0)
                return -1;
        if (p->runtime.n_mappings && (p->to[0].ip.len || p->to[1].ip.len)) {
                done = p->backend == PORTMAP_IPTABLES ? portmap_iptables_add(c, p, err) : portmap_nft_add(c, p, err);
                if (done == 0 && p->snat && p->to[0].ip.len)
                        done = route_localhost(&p->to[0].ip, err);
                if (done < 0) {
                        (void)!(p->backend == PORTMAP_IPTABLES ? portmap_iptables_del(c, &later)
                                                               : portmap_nft_del(c, &later));
                        return -1;
                }
                forget_connections(p);
        }
        *ret = COR_TAKE(r);
        return 0;
}

int portmap_del(struct cni_call *c, struct cor_err *err)
{
        auto_json struct portmap *p = NULL;

        if (load(c, &p, err) < 0)
                return -1;
        if (p->backend == PORTMAP_IPTABLES)
                return portmap_iptables_del(c, err);
        return portmap_nft_del(c, err);
}

int portmap_check(struct cni_call *c, struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;
        auto_json struct portmap *p = NULL;

        if (load(c, &p, err) < 0 || cni_previous(c, &r, err) < 0 || find_addresses(c, r, p, err) < 0)
                return -1;
        if (p->runtime.n_mappings == 0)
                return 0;
        return p->backend == PORTMAP_IPTABLES ? portmap_iptables_check(c, p, err) : portmap_nft_check(c, p, err);
}

int portmap_gc(struct cni_call *c, struct cor_err *err)
{
        return portmap_nft_gc(c, err);
}
