#include "cni/iface.h"

#include <net/if.h>
#include <string.h>

#include "base/log.h"

static int undo_link(struct cni_call *c, struct space *s, const struct iface_kind *k, const void *config,
                     struct cor_err *err)
{
        return k->undo ? k->undo(c, s, config, err) : space_delete(s, c->ifname, err);
}

/* Addresses that come with a previous result, where a plugin is chained and has no manager of its own. */
static int take_result(struct cni_call *c, const struct iface_kind *k, struct cni_result **ret, bool *ret_given,
                       struct cor_err *err)
{
        *ret_given = false;
        if (ipam_wanted(c)) {
                *ret_given = true;
                return ipam_add(c, ret, err);
        }
        if (k->needs_ipam && c->config->prev_result)
                return cni_previous(c, ret, err);
        if (k->needs_ipam)
                return cni_fail(c, CNI_CODE_CONFIG, err, "ipam: required key is missing");
        *ret = cni_result_new();
        return 0;
}

static int configure(struct cni_call *c, struct space *s, const struct iface_kind *k, const struct link *l,
                     struct cni_result *r, struct cor_err *err)
{
        r->interfaces = NULL;
        r->n_interfaces = 0;
        result_take_link(r, l, c->netns);
        result_take_dns(c, r);
        for (size_t i = 0; i < r->n_ips; i++)
                r->ips[i].interface = (struct cor_opt_u64){ .set = true, .value = 0 };
        if (r->n_ips == 0)
                return link_set_up(s->inside, l->index, true, err);
        if (k->announces) {
                auto_netns_visit visit = NETNS_VISIT_INIT;

                if (netns_enter(&visit, s->netns, err) < 0)
                        return -1;
                host_sysctl_try("net/ipv4/conf/%s/arp_notify", c->ifname, "1");
                host_sysctl_try("net/ipv6/conf/%s/ndisc_notify", c->ifname, "1");
        }
        return space_configure(s, c->ifname, r, err);
}

int iface_add(struct cni_call *c, const struct iface_kind *k, const void *config, struct cni_result **ret,
              struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;
        auto_space s = SPACE_INIT;
        struct cor_err later = { 0 };
        bool given = false;
        struct link l;

        if (k->needs_ipam && !ipam_wanted(c) && !c->config->prev_result)
                return cni_fail(c, CNI_CODE_CONFIG, err, "ipam: required key is missing");
        if (space_open(c, &s, err) < 0 || space_free_name(c, &s, err) < 0 || k->make(c, &s, config, &l, err) < 0)
                return -1;
        if (take_result(c, k, &r, &given, err) == 0 && r && configure(c, &s, k, &l, r, err) == 0) {
                *ret = COR_TAKE(r);
                return 0;
        }
        if (given && r)
                ipam_undo(c);
        if (undo_link(c, &s, k, config, &later) < 0)
                cor_warn("%s", later.msg);
        return -1;
}

int iface_del(struct cni_call *c, const struct iface_kind *k, const void *config, struct cor_err *err)
{
        struct cor_err later = { 0 };
        auto_space s = SPACE_INIT;
        int result = ipam_run(c, CNI_DEL, err);
        int found = space_find(c, &s, result ? &later : err);

        if (found < 0 || (found > 0 && undo_link(c, &s, k, config, result ? &later : err) < 0))
                result = -1;
        return result;
}

int iface_check(struct cni_call *c, const struct iface_kind *k, const void *config, struct cor_err *err)
{
        auto_json struct cni_result *previous = NULL;
        auto_space s = SPACE_INIT;
        struct link l;

        if (cni_previous(c, &previous, err) < 0 || space_open(c, &s, err) < 0 || ipam_run(c, CNI_CHECK, err) < 0 ||
            space_check_link(c, &s, previous, k->kind, &l, err) < 0)
                return -1;
        if (!(l.flags & IFF_UP))
                return cor_fail(err, COR_NOT_FOUND, "interface %s of the container is down", c->ifname);
        if (k->check && k->check(c, &s, config, &l, err) < 0)
                return -1;
        return space_check_addresses(&s, c->ifname, previous, err);
}

int iface_settle(struct cni_call *c, struct space *s, const char *temporary, struct link *ret, struct cor_err *err)
{
        if (link_get(s->inside, temporary, ret, err) < 0)
                return -1;
        if (link_set_name(s->inside, ret->index, c->ifname, err) == 0 && link_get(s->inside, c->ifname, ret, err) == 0)
                return 0;
        (void)!link_remove(s->inside, ret->index, NULL);
        return -1;
}

int iface_mac(const char *runtime, const char *configured, uint8_t ret[LINK_MAC_BYTES], struct cor_err *err)
{
        const char *given = runtime && *runtime ? runtime : configured;

        if (!given || !*given)
                return 0;
        if (link_mac_parse(given, ret) == 0)
                return 1;
        return cor_fail(err, COR_INVALID, "%s: \"%.64s\" is no hardware address",
                        given == runtime ? "runtimeConfig.mac" : "mac", given);
}
