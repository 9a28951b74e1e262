/* loopback: sets lo up. CNI_IFNAME does not matter; a result of other plugins passes through. */
#include "cni/plugins.h"

#include "cni/space.h"
#include "linux/route.h"

#include <net/if.h>
#include <sys/socket.h>

/* The first address of each family; one that is not of the loopback network was put there by somebody else. */
static int take_addresses(struct space *s, const struct link *l, struct cni_result *r, struct cor_err *err)
{
        struct address *all auto_free = NULL;
        bool four = false, six = false;
        char text[IP_TEXT_BYTES];
        size_t n;

        if (address_list(s->inside, l->index, AF_UNSPEC, &all, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++) {
                bool *seen = ip_is_4(&all[i].ip.ip) ? &four : &six;
                struct cni_ip *ip;

                if (!ip_is_loopback(&all[i].ip.ip))
                        return cor_fail(err, COR_INVALID,
                                        "interface lo has the address %s, which is no loopback address",
                                        ip_prefix_text(&all[i].ip, text));
                if (*seen)
                        continue;
                *seen = true;
                ip = cni_result_add_ip(r);
                ip->interface = (struct cor_opt_u64){ .set = true, .value = 0 };
                ip->address = cor_json_strdup(r, ip_prefix_text(&all[i].ip, text));
        }
        return 0;
}

int loopback_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;
        auto_space s = SPACE_INIT;
        struct link l;

        if (space_open(c, &s, err) < 0 || link_get(s.inside, "lo", &l, err) < 0 ||
            link_set_up(s.inside, l.index, true, err) < 0)
                return -1;
        if (c->config->prev_result)
                return cni_previous(c, ret, err);
        r = cni_result_new();
        result_take_link(r, &l, c->netns);
        if (take_addresses(&s, &l, r, err) < 0)
                return -1;
        *ret = COR_TAKE(r);
        return 0;
}

int loopback_del(struct cni_call *c, struct cor_err *err)
{
        auto_space s = SPACE_INIT;
        struct link l;
        int found = space_find(c, &s, err);

        if (found <= 0)
                return found;
        return link_get(s.inside, "lo", &l, err) < 0 ? -1 : link_set_up(s.inside, l.index, false, err);
}

int loopback_check(struct cni_call *c, struct cor_err *err)
{
        auto_space s = SPACE_INIT;
        struct link l;

        if (space_open(c, &s, err) < 0 || link_get(s.inside, "lo", &l, err) < 0)
                return -1;
        return l.flags & IFF_UP ? 0 : cor_fail(err, COR_NOT_FOUND, "interface lo of the container is down");
}
