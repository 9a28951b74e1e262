/*
 * ptp: a pair of interfaces between host and container. The container's has an address of a network, but sends
 * everything by way of its gateway, the host; the host's has the gateway's address and a route to the container.
 */
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "base/log.h"
#include "cni/ipam.h"
#include "cni/masquerade.h"
#include "cni/plugins.h"
#include "cni/space.h"
#include "linux/route.h"

struct ptp_config {
        bool ip_masq;
        int backend;
        uint32_t mtu;
};

static const struct cor_json_field fields[] = {
        COR_FIELD("ipMasq", BOOL, struct ptp_config, ip_masq, 0),
        COR_FIELD_WORD("ipMasqBackend", struct ptp_config, backend, masquerade_words, 0),
        COR_FIELD("mtu", U32, struct ptp_config, mtu, 0),
};
static const struct cor_json_doc ptp_doc = COR_DOC(struct ptp_config, fields, NULL);

struct addresses {
        struct ip_prefix own;
        struct ip gateway;
};

static int take(const struct cni_ip *said, struct addresses *ret, struct cor_err *err)
{
        if (text_prefix(said->address, "ips[].address", &ret->own, err) < 0)
                return -1;
        if (!said->gateway || !said->gateway[0])
                return cor_fail(err, COR_INVALID, "ips[].gateway: the address manager names none for %s",
                                said->address);
        return text_address(said->gateway, "ips[].gateway", &ret->gateway, err);
}

static uint8_t all_bits(const struct ip *a)
{
        return (uint8_t)(a->len * 8);
}

/* In the container: the kernel's own route to the network goes, what leads there by way of the host comes. */
static int route_by_host(struct space *s, int index, const struct addresses *a, struct cor_err *err)
{
        const struct ip_prefix network = { .ip = ip_prefix_network(&a->own), .bits = a->own.bits };
        const struct route kernels = { .dst = network, .index = index };
        const struct route gateway = {
                .dst = { .ip = a->gateway, .bits = all_bits(&a->gateway) },
                .index = index,
                .scope = RT_SCOPE_LINK,
                .source = a->own.ip,
        };
        const struct route rest = { .dst = network, .index = index, .gateway = a->gateway, .source = a->own.ip };

        if (route_remove(s->inside, &kernels, err) < 0)
                return -1;
        return route_replace(s->inside, &gateway, err) < 0 ? -1 : route_replace(s->inside, &rest, err);
}

static int set_up_host(struct space *s, const struct link *l, const struct addresses *a, struct cor_err *err)
{
        const struct address gateway = { .index = l->index, .ip = { .ip = a->gateway, .bits = all_bits(&a->gateway) } };
        const struct route to = { .dst = { .ip = a->own.ip, .bits = all_bits(&a->own.ip) },
                                  .index = l->index,
                                  .scope = ip_is_4(&a->own.ip) ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE };

        if (address_add(s->host, &gateway, err) < 0)
                return -1;
        return route_append(s->host, &to, err);
}

static int make_pair(struct cni_call *c, struct space *s, const struct ptp_config *p, struct link *ret_host,
                     struct link *ret_inside, struct cor_err *err)
{
        struct link_new n = {
                .kind = "veth",
                .netns = -1,
                .flags = IFF_UP,
                .mtu = p->mtu,
                .peer = { .name = c->ifname, .netns = s->netns, .mtu = p->mtu },
        };
        char name[LINK_NAME_BYTES];

        if (space_free_name(c, s, err) < 0 || link_random_name("veth", name, err) < 0)
                return -1;
        n.name = name;
        if (link_add(s->host, &n, err) < 0 || link_get(s->host, name, ret_host, err) < 0 ||
            link_get(s->inside, c->ifname, ret_inside, err) < 0)
                return -1;
        host_sysctl_try("net/ipv6/conf/%s/accept_ra", name, "0");
        return 0;
}

/* Our routes by way of the gateway come before those of the configuration, which may need them. */
static int configure(struct cni_call *c, struct space *s, const struct ptp_config *p, struct cni_result *r,
                     struct cor_err *err)
{
        struct link host, inside;

        if (make_pair(c, s, p, &host, &inside, err) < 0)
                return -1;
        result_take_link(r, &host, NULL);
        result_take_link(r, &inside, c->netns);
        for (size_t i = 0; i < r->n_ips; i++)
                r->ips[i].interface = (struct cor_opt_u64){ .set = true, .value = 1 };
        if (space_configure(s, c->ifname, r, err) < 0)
                return -1;
        for (size_t i = 0; i < r->n_ips; i++) {
                struct addresses a;

                if (take(&r->ips[i], &a, err) < 0 || route_by_host(s, inside.index, &a, err) < 0 ||
                    set_up_host(s, &host, &a, err) < 0)
                        return -1;
        }
        if (space_forward(r, err) < 0)
                return -1;
        if (p->ip_masq && masquerade_add(c, (enum masquerade_backend)p->backend, r, err) < 0)
                return -1;
        result_take_dns(c, r);
        return 0;
}

static void undo(struct cni_call *c, struct space *s, const struct ptp_config *p)
{
        struct cor_err err = { 0 };
        int code = c->code;

        if (space_delete(s, c->ifname, &err) < 0)
                cor_warn("remove interface %s: %s", c->ifname, err.msg);
        ipam_undo(c);
        if (p->ip_masq && masquerade_del(c, (enum masquerade_backend)p->backend, &err) < 0)
                cor_warn("%s", err.msg);
        c->code = code;
}

int ptp_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err)
{
        auto_json struct ptp_config *p = NULL;
        auto_json struct cni_result *r = NULL;
        auto_space s = SPACE_INIT;

        if (cni_load(c, &ptp_doc, &p, err) < 0)
                return -1;
        if (!ipam_wanted(c))
                return cni_fail(c, CNI_CODE_CONFIG, err, "ipam: required key is missing");
        if (space_open(c, &s, err) < 0 || space_free_name(c, &s, err) < 0 || ipam_add(c, &r, err) < 0)
                return -1;
        if (configure(c, &s, p, r, err) < 0) {
                undo(c, &s, p);
                return -1;
        }
        *ret = COR_TAKE(r);
        return 0;
}

int ptp_del(struct cni_call *c, struct cor_err *err)
{
        auto_json struct ptp_config *p = NULL;
        struct cor_err later = { 0 };
        auto_space s = SPACE_INIT;
        int found, result;

        if (cni_load(c, &ptp_doc, &p, err) < 0)
                return -1;
        result = ipam_run(c, CNI_DEL, err);
        found = space_find(c, &s, result ? &later : err);
        if (found < 0 || (found > 0 && space_delete(&s, c->ifname, result ? &later : err) < 0))
                result = -1;
        if (p->ip_masq && masquerade_del(c, (enum masquerade_backend)p->backend, result ? &later : err) < 0)
                result = -1;
        return result;
}

int ptp_check(struct cni_call *c, struct cor_err *err)
{
        auto_json struct ptp_config *p = NULL;
        auto_json struct cni_result *previous = NULL;
        auto_space s = SPACE_INIT;
        struct link inside, host;

        if (cni_load(c, &ptp_doc, &p, err) < 0 || cni_previous(c, &previous, err) < 0 || space_open(c, &s, err) < 0 ||
            ipam_run(c, CNI_CHECK, err) < 0 || space_check_link(c, &s, previous, "veth", &inside, err) < 0 ||
            space_check_addresses(&s, c->ifname, previous, err) < 0)
                return -1;
        if (link_get_index(s.host, inside.parent, &host, err) < 0)
                return cor_wrap(err, "the other end of interface %s", inside.name);
        if (!(host.flags & IFF_UP))
                return cor_fail(err, COR_NOT_FOUND, "interface %s, the other end of %s, is down", host.name,
                                inside.name);
        return p->ip_masq ? masquerade_check(c, (enum masquerade_backend)p->backend, err) : 0;
}

int ptp_gc(struct cni_call *c, struct cor_err *err)
{
        struct cor_err later = { 0 };
        int result = ipam_run(c, CNI_GC, err);

        return masquerade_gc(c, result ? &later : err) < 0 ? -1 : result;
}
