/* The addresses and routes of a container's interface: made as the address manager says, and looked at again. */
#include "cni/space.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/process.h"
#include "linux/route.h"

enum { SETTLE_MS = 10000, SETTLE_STEP_MS = 5 };

struct gateways {
        struct ip four, six;
};

/* IPv6 may be switched off in a fresh namespace; and addresses shall outlive an interface that is set down. */
static int enable_ipv6(struct space *s, const char *name, struct cor_err *err)
{
        auto_netns_visit visit = NETNS_VISIT_INIT;
        const char *const interfaces[] = { "lo", name };
        char path[128];
        char value[16];

        if (netns_enter(&visit, s->netns, err) < 0)
                return -1;
        for (size_t i = 0; i < COR_COUNT(interfaces); i++) {
                snprintf(path, sizeof path, "net/ipv6/conf/%s/disable_ipv6", interfaces[i]);
                if (netns_sysctl_read(path, value, sizeof value, NULL) == 0 && strcmp(value, "0") != 0 &&
                    netns_sysctl(path, "0", err) < 0)
                        return -1;
        }
        snprintf(path, sizeof path, "net/ipv6/conf/%s/keep_addr_on_down", name);
        return netns_sysctl(path, "1", err);
}

static bool is_of(const struct cni_result *r, const struct cni_ip *ip, const char *name)
{
        return ip->interface.value < r->n_interfaces && strcmp(r->interfaces[ip->interface.value].name, name) == 0;
}

static int add_address(struct space *s, const struct link *l, const struct cni_ip *said, struct gateways *gw,
                       bool *six_ready, struct cor_err *err)
{
        struct address a = { .index = l->index };
        struct ip gateway;
        struct ip *first;

        if (text_prefix(said->address, "ips[].address", &a.ip, err) < 0)
                return -1;
        if (!ip_is_4(&a.ip.ip) && !*six_ready) {
                if (enable_ipv6(s, l->name, err) < 0)
                        return -1;
                *six_ready = true;
        }
        if (ip_is_4(&a.ip.ip) && a.ip.bits < 31)
                a.broadcast = ip_prefix_last(&a.ip);
        if (address_add(s->inside, &a, err) < 0)
                return -1;
        if (!said->gateway || !said->gateway[0])
                return 0;
        if (text_address(said->gateway, "ips[].gateway", &gateway, err) < 0)
                return -1;
        first = ip_is_4(&gateway) ? &gw->four : &gw->six;
        if (!first->len)
                *first = gateway;
        return 0;
}

/* 1 none of its IPv6 addresses is being tried for duplicates any more, 0 some are */
static int is_settled(struct space *s, int index, struct cor_err *err)
{
        struct address *a auto_free = NULL;
        char text[IP_TEXT_BYTES];
        size_t n;

        if (address_list(s->inside, index, AF_INET6, &a, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++) {
                if (a[i].flags & IFA_F_DADFAILED)
                        return cor_fail(err, COR_EXISTS, "address %s is used by somebody else on this link",
                                        ip_prefix_text(&a[i].ip, text));
                if (a[i].flags & IFA_F_TENTATIVE && !(a[i].flags & IFA_F_OPTIMISTIC))
                        return 0;
        }
        return 1;
}

/* Without a carrier nobody can be asked: an interface whose other end is a program that does not run yet. */
static int settle(struct space *s, int index, struct cor_err *err)
{
        struct link l;
        const struct timespec step = { .tv_nsec = SETTLE_STEP_MS * 1000000L };
        int64_t end = cor_now_ms() + SETTLE_MS;

        if (link_get_index(s->inside, index, &l, err) < 0)
                return -1;
        while (l.flags & IFF_LOWER_UP) {
                int settled = is_settled(s, index, err);

                if (settled != 0)
                        return settled < 0 ? -1 : 0;
                if (cor_now_ms() > end)
                        return cor_fail(err, COR_TIMEOUT, "IPv6 addresses are still being tried for duplicates");
                nanosleep(&step, NULL);
        }
        return 0;
}

static int add_route(struct space *s, int index, const struct cni_route *said, const struct gateways *gw,
                     struct cor_err *err)
{
        struct route r = {
                .index = index,
                .priority = said->priority,
                .mtu = said->mtu,
                .advmss = said->advmss,
                .table = (uint32_t)said->table.value,
                .scope = (uint8_t)said->scope.value,
        };

        if (text_prefix(said->dst, "routes[].dst", &r.dst, err) < 0)
                return -1;
        r.dst.ip = ip_prefix_network(&r.dst);
        r.gateway = ip_is_4(&r.dst.ip) ? gw->four : gw->six;
        if (said->gw && said->gw[0] && text_address(said->gw, "routes[].gw", &r.gateway, err) < 0)
                return -1;
        return route_append(s->inside, &r, err);
}

int space_configure(struct space *s, const char *name, const struct cni_result *r, struct cor_err *err)
{
        struct gateways gw = { .four = { 0 } };
        bool six_ready = false;
        struct link l;

        if (link_get(s->inside, name, &l, err) < 0)
                return -1;
        for (size_t i = 0; i < r->n_ips; i++) {
                if (!r->ips[i].interface.set)
                        continue;
                if (!is_of(r, &r->ips[i], name))
                        return cor_fail(err, COR_INVALID, "ips[%zu].interface: is not %s", i, name);
                if (add_address(s, &l, &r->ips[i], &gw, &six_ready, err) < 0)
                        return cor_wrap(err, "interface %s", name);
        }
        if (link_set_up(s->inside, l.index, true, err) < 0)
                return cor_wrap(err, "interface %s", name);
        if (gw.six.len && settle(s, l.index, err) < 0)
                return cor_wrap(err, "interface %s", name);
        for (size_t i = 0; i < r->n_routes; i++)
                if (add_route(s, l.index, &r->routes[i], &gw, err) < 0)
                        return cor_wrap(err, "interface %s", name);
        return 0;
}

static int enable(const char *path, struct cor_err *err)
{
        char value[16];

        if (netns_sysctl_read(path, value, sizeof value, NULL) == 0 && strcmp(value, "1") == 0)
                return 0;
        return netns_sysctl(path, "1", err);
}

int space_forward(const struct cni_result *r, struct cor_err *err)
{
        bool four = false, six = false;

        for (size_t i = 0; i < r->n_ips; i++)
                *(strchr(r->ips[i].address, ':') ? &six : &four) = true;
        if (four && enable("net/ipv4/ip_forward", err) < 0)
                return cor_wrap(err, "let the host forward packets");
        if (six && enable("net/ipv6/conf/all/forwarding", err) < 0)
                return cor_wrap(err, "let the host forward packets");
        return 0;
}

/* ------------------------------------------------------------------------------------------------------------ CHECK */

static int check_address(const struct address *have, size_t n, const struct cni_ip *said, const char *name,
                         struct cor_err *err)
{
        struct ip_prefix want;

        if (text_prefix(said->address, "prevResult: ips[].address", &want, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                if (ip_equal(&have[i].ip.ip, &want.ip) && have[i].ip.bits == want.bits)
                        return 0;
        return cor_fail(err, COR_NOT_FOUND, "interface %s of the container lacks the address %s", name, said->address);
}

static int check_route(const struct route *have, size_t n, const struct cni_route *said, struct cor_err *err)
{
        struct ip_prefix want;
        struct ip gateway = { 0 };

        if (text_prefix(said->dst, "prevResult: routes[].dst", &want, err) < 0)
                return -1;
        if (said->gw && said->gw[0] && text_address(said->gw, "prevResult: routes[].gw", &gateway, err) < 0)
                return -1;
        if (ip_is_zero(&gateway)) /* the destination is on the link: the kernel takes it for none, too */
                gateway.len = 0;
        want.ip = ip_prefix_network(&want);
        for (size_t i = 0; i < n; i++)
                if (have[i].dst.bits == want.bits && ip_equal(&have[i].dst.ip, &want.ip) &&
                    (!said->table.set || have[i].table == said->table.value) &&
                    (!gateway.len || ip_equal(&gateway, &have[i].gateway) || have[i].several))
                        return 0;
        return cor_fail(err, COR_NOT_FOUND, "the container lacks the route to %s%s%s", said->dst,
                        gateway.len ? " by way of " : "", gateway.len ? said->gw : "");
}

int space_check_addresses(struct space *s, const char *name, const struct cni_result *r, struct cor_err *err)
{
        struct address *addresses auto_free = NULL;
        struct route *routes auto_free = NULL;
        size_t n_addresses, n_routes = 0;
        struct link l;

        if (link_get(s->inside, name, &l, err) < 0 ||
            address_list(s->inside, l.index, AF_UNSPEC, &addresses, &n_addresses, err) < 0)
                return -1;
        for (size_t i = 0; i < r->n_ips; i++)
                if (is_of(r, &r->ips[i], name) && check_address(addresses, n_addresses, &r->ips[i], name, err) < 0)
                        return -1;
        if (r->n_routes && route_list(s->inside, AF_UNSPEC, 0, &routes, &n_routes, err) < 0)
                return -1;
        for (size_t i = 0; i < r->n_routes; i++)
                if (check_route(routes, n_routes, &r->routes[i], err) < 0)
                        return -1;
        return 0;
}
