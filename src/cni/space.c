#include "cni/space.h"

#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "linux/namespace.h"

void space_done(struct space *s)
{
        cor_fd_close(&s->netns);
        cor_fd_close(&s->inside);
        cor_fd_close(&s->host);
}

int space_open(struct cni_call *c, struct space *s, struct cor_err *err)
{
        s->netns = namespace_open(c->netns, CLONE_NEWNET, err);
        if (s->netns < 0) {
                c->code = c->verb == CNI_ADD && !c->config->prev_result ? CNI_CODE_CONTAINER : CNI_CODE_NETNS;
                return cor_wrap(err, "CNI_NETNS");
        }
        s->host = netlink_open(NETLINK_ROUTE, err);
        s->inside = s->host < 0 ? -1 : netns_socket(s->netns, NETLINK_ROUTE, err);
        return s->inside < 0 ? -1 : 0;
}

int space_find(struct cni_call *c, struct space *s, struct cor_err *err)
{
        s->host = netlink_open(NETLINK_ROUTE, err);
        if (s->host < 0)
                return -1;
        if (!c->netns[0])
                return 0;
        /* After a reboot there may be a file of that name that is no namespace any more. */
        s->netns = namespace_open(c->netns, CLONE_NEWNET, NULL);
        if (s->netns < 0)
                return 0;
        s->inside = netns_socket(s->netns, NETLINK_ROUTE, err);
        return s->inside < 0 ? -1 : 1;
}

int space_free_name(struct cni_call *c, struct space *s, struct cor_err *err)
{
        struct link l;
        int found = link_find(s->inside, c->ifname, &l, err);

        if (found > 0)
                return cor_fail(err, COR_EXISTS, "the container has an interface %s already", c->ifname);
        return found;
}

int space_delete(struct space *s, const char *name, struct cor_err *err)
{
        struct link l;
        int found = link_find(s->inside, name, &l, err);

        return found > 0 ? link_remove(s->inside, l.index, err) : found;
}

/* ----------------------------------------------------------------------------------------------------------- sysctl */

/* @path with its %s replaced; the names of interfaces hold no slash. */
static void fill(char *buf, size_t size, const char *path, const char *ifname)
{
        const char *at = strstr(path, "%s");

        if (at)
                snprintf(buf, size, "%.*s%s%s", (int)(at - path), path, ifname, at + 2);
        else
                snprintf(buf, size, "%s", path);
}

int space_sysctl(struct space *s, const char *path, const char *ifname, const char *value, struct cor_err *err)
{
        auto_netns_visit visit = NETNS_VISIT_INIT;
        char full[256];

        fill(full, sizeof full, path, ifname);
        return netns_enter(&visit, s->netns, err) < 0 ? -1 : netns_sysctl(full, value, err);
}

void host_sysctl_try(const char *path, const char *ifname, const char *value)
{
        char full[256];

        fill(full, sizeof full, path, ifname);
        (void)!netns_sysctl(full, value, NULL);
}

/* ----------------------------------------------------------------------------------------------------------- result */

int text_address(const char *text, const char *what, struct ip *ret, struct cor_err *err)
{
        return ip_parse(text, ret) == 0 ? 0 : cor_fail(err, COR_INVALID, "%s: \"%.64s\" is no IP address", what, text);
}

int text_prefix(const char *text, const char *what, struct ip_prefix *ret, struct cor_err *err)
{
        if (ip_prefix_parse(text, ret) == 0)
                return 0;
        return cor_fail(err, COR_INVALID, "%s: \"%.64s\" is no address with a prefix length (ADDRESS/BITS)", what,
                        text);
}

void result_take_link(struct cni_result *r, const struct link *l, const char *sandbox)
{
        struct cni_interface *i = cni_result_add_interface(r);
        char mac[LINK_MAC_TEXT_BYTES];

        i->name = cor_json_strdup(r, l->name);
        i->mac = l->mac_len ? cor_json_strdup(r, link_mac_text(l->mac, l->mac_len, mac)) : NULL;
        i->mtu = l->mtu;
        i->sandbox = sandbox ? cor_json_strdup(r, sandbox) : NULL;
}

static const char **copy_list(struct cni_result *r, const char *const *from, size_t n)
{
        const char **to = cor_json_alloc(r, (n + 1) * sizeof *to);

        for (size_t i = 0; i < n; i++)
                to[i] = cor_json_strdup(r, from[i]);
        return to;
}

void result_take_dns(struct cni_call *c, struct cni_result *r)
{
        const struct cni_dns *d = &c->config->dns;

        if (!cni_dns_is_set(d))
                return;
        r->dns = (struct cni_dns){
                .nameservers = copy_list(r, d->nameservers, d->n_nameservers),
                .n_nameservers = d->n_nameservers,
                .search = copy_list(r, d->search, d->n_search),
                .n_search = d->n_search,
                .options = copy_list(r, d->options, d->n_options),
                .n_options = d->n_options,
                .domain = d->domain ? cor_json_strdup(r, d->domain) : NULL,
        };
}

const struct cni_interface *result_interface(const struct cni_result *r, const char *name, const char *sandbox)
{
        for (size_t i = 0; i < r->n_interfaces; i++) {
                const struct cni_interface *f = &r->interfaces[i];

                if (f->name && strcmp(f->name, name) == 0 &&
                    strcmp(f->sandbox ? f->sandbox : "", sandbox ? sandbox : "") == 0)
                        return f;
        }
        return NULL;
}

int space_check_link(struct cni_call *c, struct space *s, const struct cni_result *previous, const char *kind,
                     struct link *ret_link, struct cor_err *err)
{
        const struct cni_interface *said = result_interface(previous, c->ifname, c->netns);
        char mac[LINK_MAC_TEXT_BYTES];

        if (!said)
                return cor_fail(err, COR_INVALID, "prevResult: interfaces has no %s in %s", c->ifname, c->netns);
        if (link_get(s->inside, c->ifname, ret_link, err) < 0)
                return cor_wrap(err, "in the container");
        if (kind && strcmp(ret_link->kind, kind) != 0)
                return cor_fail(err, COR_NOT_FOUND, "interface %s of the container is no %s", c->ifname, kind);
        link_mac_text(ret_link->mac, ret_link->mac_len, mac);
        if (said->mac && said->mac[0] && strcmp(said->mac, mac) != 0)
                return cor_fail(err, COR_NOT_FOUND, "interface %s of the container has the hardware address %s, not %s",
                                c->ifname, mac, said->mac);
        return 0;
}
