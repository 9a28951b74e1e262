/*
 * bandwidth: how fast a container may receive and send. What it receives is sent by the host's end of its pair, which
 * is limited (ingress); what it sends comes in there, goes by way of an interface of our own (ifb), and that is limited
 * (egress). The ifb carries the owner's comment as its alias, for GC. Rates are in bits a second, bursts in bits.
 */
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <stdio.h>
#include <string.h>

#include "cni/owner.h"
#include "cni/plugins.h"
#include "cni/space.h"
#include "linux/tc.h"

#define PREFIX "bwp"

struct limits {
        uint64_t ingress_rate, ingress_burst, egress_rate, egress_burst;
};
struct bandwidth {
        struct limits own;
        struct {
                struct limits *bandwidth;
        } runtime;
};

#define LIMIT_FIELDS(S, M)                                                                                             \
        COR_FIELD("ingressRate", U64, S, M ingress_rate, 0), COR_FIELD("ingressBurst", U64, S, M ingress_burst, 0),    \
                COR_FIELD("egressRate", U64, S, M egress_rate, 0), COR_FIELD("egressBurst", U64, S, M egress_burst, 0)

static const struct cor_json_field limits_fields[] = { LIMIT_FIELDS(struct limits, ) };
static const struct cor_json_doc limits_doc = COR_DOC(struct limits, limits_fields, NULL);
typedef __typeof__(((struct bandwidth *)NULL)->runtime) runtime_t;
static const struct cor_json_field runtime_fields[] = { COR_FIELD_OBJ("bandwidth", OBJ, runtime_t, bandwidth,
                                                                      &limits_doc, 0) };
static const struct cor_json_doc runtime_doc = COR_DOC(runtime_t, runtime_fields, NULL);
static const struct cor_json_field fields[] = {
        LIMIT_FIELDS(struct bandwidth, own.),
        COR_FIELD_OBJ("runtimeConfig", INLINE, struct bandwidth, runtime, &runtime_doc, 0),
};
static const struct cor_json_doc bandwidth_doc = COR_DOC(struct bandwidth, fields, NULL);

static int check_pair(uint64_t rate, uint64_t burst, const char *way, struct cor_err *err)
{
        if (!rate != !burst)
                return cor_fail(err, COR_INVALID, "%s%s: has to be there when %s%s is", way, rate ? "Burst" : "Rate",
                                way, rate ? "Rate" : "Burst");
        if (burst / 8 > UINT32_MAX)
                return cor_fail(err, COR_INVALID, "%sBurst: %llu bits are more than 4 GB", way,
                                (unsigned long long)burst);
        if ((rate && rate < 8) || (burst && burst < 8))
                return cor_fail(err, COR_INVALID, "%sRate: less than a byte", way);
        return 0;
}

static int load(struct cni_call *c, struct limits *ret, struct cor_err *err)
{
        auto_json struct bandwidth *b = NULL;

        if (cni_load(c, &bandwidth_doc, &b, err) < 0)
                return -1;
        *ret = b->runtime.bandwidth ? *b->runtime.bandwidth : b->own;
        return check_pair(ret->ingress_rate, ret->ingress_burst, "ingress", err) < 0
                       ? -1
                       : check_pair(ret->egress_rate, ret->egress_burst, "egress", err);
}

static void name_of(const struct cni_call *c, char ret[LINK_NAME_BYTES])
{
        char digest[OWNER_DIGEST + 1];
        char comment[OWNER_TEXT_BYTES];

        owner_comment(c, comment);
        owner_digest(comment, "bandwidth", digest);
        snprintf(ret, LINK_NAME_BYTES, PREFIX "%.12s", digest);
}

static int find_host_end(struct cni_call *c, struct space *s, struct link *ret, struct cor_err *err)
{
        struct link inside;

        if (link_get(s->inside, c->ifname, &inside, err) < 0)
                return -1;
        if (strcmp(inside.kind, "veth") != 0 || !inside.parent)
                return cor_fail(err, COR_UNSUPPORTED, "interface %s of the container has no other end on the host",
                                c->ifname);
        if (link_get_index(s->host, inside.parent, ret, err) < 0)
                return cor_wrap(err, "the other end of interface %s", c->ifname);
        return 0;
}

static int limit_egress(struct cni_call *c, struct space *s, const struct limits *l, const struct link *port,
                        struct link *ret, struct cor_err *err)
{
        char comment[OWNER_TEXT_BYTES];
        char name[LINK_NAME_BYTES];
        const struct link_new n = { .name = name, .kind = "ifb", .netns = -1, .flags = IFF_UP, .mtu = port->mtu };

        name_of(c, name);
        owner_comment(c, comment);
        if (link_add(s->host, &n, err) < 0 || link_get(s->host, name, ret, err) < 0 ||
            link_set_alias(s->host, ret->index, comment, err) < 0 ||
            tc_limit(s->host, ret->index, l->egress_rate / 8, (uint32_t)(l->egress_burst / 8), err) < 0)
                return -1;
        return tc_redirect(s->host, port->index, ret->index, err);
}

static int remove_ifb(struct cni_call *c, int sock, struct cor_err *err)
{
        char name[LINK_NAME_BYTES];
        struct link l;
        int found;

        name_of(c, name);
        found = link_find(sock, name, &l, err);
        return found > 0 ? link_remove(sock, l.index, err) : found;
}

static int limit(struct cni_call *c, struct space *s, const struct limits *l, struct cni_result *r, struct cor_err *err)
{
        struct link port, ifb;

        if (find_host_end(c, s, &port, err) < 0)
                return -1;
        if (l->ingress_rate &&
            tc_limit(s->host, port.index, l->ingress_rate / 8, (uint32_t)(l->ingress_burst / 8), err) < 0)
                return -1;
        if (!l->egress_rate)
                return 0;
        if (limit_egress(c, s, l, &port, &ifb, err) < 0) {
                struct cor_err later = { 0 };

                (void)!remove_ifb(c, s->host, &later);
                return -1;
        }
        result_take_link(r, &ifb, NULL);
        return 0;
}

int bandwidth_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;
        auto_space s = SPACE_INIT;
        struct limits l;

        if (load(c, &l, err) < 0 || cni_previous(c, &r, err) < 0)
                return -1;
        if ((l.ingress_rate || l.egress_rate) && (space_open(c, &s, err) < 0 || limit(c, &s, &l, r, err) < 0))
                return -1;
        *ret = COR_TAKE(r);
        return 0;
}

int bandwidth_del(struct cni_call *c, struct cor_err *err)
{
        auto_space s = SPACE_INIT;

        s.host = netlink_open(NETLINK_ROUTE, err);
        return s.host < 0 ? -1 : remove_ifb(c, s.host, err);
}

static int check_limit(struct space *s, const struct link *l, uint64_t rate, const char *key, struct cor_err *err)
{
        struct tc_qdisc q;
        int found = tc_find(s->host, l->index, TC_H_ROOT, "tbf", &q, err);

        if (found == 0 || (found > 0 && q.rate != rate / 8))
                return cor_fail(err, COR_NOT_FOUND, "%s: interface %s is not limited to that", key, l->name);
        return found < 0 ? -1 : 0;
}

int bandwidth_check(struct cni_call *c, struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;
        auto_space s = SPACE_INIT;
        char name[LINK_NAME_BYTES];
        struct link port, ifb;
        struct tc_qdisc q;
        struct limits l;
        int found;

        if (load(c, &l, err) < 0 || cni_previous(c, &r, err) < 0 || space_open(c, &s, err) < 0)
                return -1;
        if (!l.ingress_rate && !l.egress_rate)
                return 0;
        if (find_host_end(c, &s, &port, err) < 0 ||
            (l.ingress_rate && check_limit(&s, &port, l.ingress_rate, "ingressRate", err) < 0))
                return -1;
        if (!l.egress_rate)
                return 0;
        name_of(c, name);
        if (link_get(s.host, name, &ifb, err) < 0 || check_limit(&s, &ifb, l.egress_rate, "egressRate", err) < 0)
                return -1;
        found = tc_find(s.host, port.index, TC_H_INGRESS, "ingress", &q, err);
        if (found == 0)
                return cor_fail(err, COR_NOT_FOUND, "egressRate: what interface %s sends is not taken", c->ifname);
        return found < 0 ? -1 : 0;
}

int bandwidth_gc(struct cni_call *c, struct cor_err *err)
{
        struct link *all auto_free = NULL;
        auto_space s = SPACE_INIT;
        size_t n;

        s.host = netlink_open(NETLINK_ROUTE, err);
        if (s.host < 0 || link_list(s.host, 0, &all, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                if (strcmp(all[i].kind, "ifb") == 0 && cor_starts_with(all[i].name, PREFIX) &&
                    owner_is_stale(c, all[i].alias) && link_remove(s.host, all[i].index, err) < 0)
                        return -1;
        return 0;
}
