/* vrf: the container's interface becomes a member of a routing domain of its own, made if it is not there. */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/plugins.h"
#include "cni/space.h"
#include "linux/route.h"

struct vrf_config {
        const char *name;
        uint32_t table;
};
static const struct cor_json_field fields[] = {
        COR_FIELD("vrfname", STR, struct vrf_config, name, COR_JSON_REQUIRED),
        COR_FIELD("table", U32, struct vrf_config, table, 0),
};
static const struct cor_json_doc vrf_doc = COR_DOC(struct vrf_config, fields, NULL);

static int load(struct cni_call *c, struct vrf_config **ret, struct cor_err *err)
{
        auto_json struct vrf_config *v = NULL;

        if (cni_load(c, &vrf_doc, &v, err) < 0)
                return -1;
        if (!link_name_valid(v->name))
                return cor_fail(err, COR_INVALID, "vrfname: \"%.64s\" is no valid name of an interface", v->name);
        *ret = COR_TAKE(v);
        return 0;
}

/* The first table that no other of these has. */
static int free_table(struct space *s, uint32_t *ret, struct cor_err *err)
{
        struct link *all auto_free = NULL;
        uint32_t table = 1;
        size_t n;

        if (link_list(s->inside, 0, &all, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                if (strcmp(all[i].kind, "vrf") == 0 && all[i].vrf_table == table) {
                        table++;
                        i = (size_t)-1;
                }
        *ret = table;
        return 0;
}

static int ensure(struct space *s, const struct vrf_config *v, struct link *ret, struct cor_err *err)
{
        struct link_new n = { .name = v->name, .kind = "vrf", .netns = -1, .flags = IFF_UP, .vrf_table = v->table };
        int found = link_find(s->inside, v->name, ret, err);

        if (found < 0)
                return -1;
        if (found > 0 && strcmp(ret->kind, "vrf") != 0)
                return cor_fail(err, COR_EXISTS, "vrfname: interface %s is no vrf", v->name);
        if (found > 0 && v->table && ret->vrf_table != v->table)
                return cor_fail(err, COR_EXISTS, "table: vrf %s has table %u already", v->name, ret->vrf_table);
        if (found > 0)
                return 0;
        if (!n.vrf_table && free_table(s, &n.vrf_table, err) < 0)
                return -1;
        return link_add(s->inside, &n, err) < 0 ? -1 : link_get(s->inside, v->name, ret, err);
}

/* Joining takes IPv6 addresses and routes away: they are given back, the routes into the table of the vrf. */
static int join(struct space *s, const struct link *vrf, const struct link *l, struct cor_err *err)
{
        struct address *addresses auto_free = NULL;
        struct route *routes auto_free = NULL;
        size_t n_addresses, n_routes;

        if (address_list(s->inside, l->index, AF_INET6, &addresses, &n_addresses, err) < 0 ||
            route_list(s->inside, AF_UNSPEC, RT_TABLE_MAIN, &routes, &n_routes, err) < 0 ||
            link_set_master(s->inside, l->index, vrf->index, err) < 0)
                return -1;
        for (size_t i = 0; i < n_addresses; i++) {
                struct cor_err failed = { 0 };

                if (addresses[i].scope != RT_SCOPE_UNIVERSE)
                        continue;
                addresses[i].flags = IFA_F_NODAD;
                if (address_add(s->inside, &addresses[i], &failed) < 0 && failed.sys != EEXIST) {
                        *err = failed;
                        return -1;
                }
        }
        for (size_t i = 0; i < n_routes; i++) {
                if (routes[i].index != l->index || routes[i].scope != RT_SCOPE_UNIVERSE || !routes[i].gateway.len)
                        continue;
                routes[i].table = vrf->vrf_table;
                routes[i].flags = 0;
                if (route_replace(s->inside, &routes[i], err) < 0)
                        return -1;
        }
        return 0;
}

int vrf_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;
        auto_json struct vrf_config *v = NULL;
        auto_space s = SPACE_INIT;
        struct link vrf, l;

        if (load(c, &v, err) < 0 || cni_previous(c, &r, err) < 0 || space_open(c, &s, err) < 0 ||
            link_get(s.inside, c->ifname, &l, err) < 0)
                return -1;
        if (l.master)
                return cor_fail(err, COR_EXISTS, "interface %s of the container is a member of something already",
                                c->ifname);
        if (ensure(&s, v, &vrf, err) < 0)
                return -1;
        if (join(&s, &vrf, &l, err) < 0) {
                struct cor_err later = { 0 };

                (void)!vrf_del(c, &later);
                return -1;
        }
        *ret = COR_TAKE(r);
        return 0;
}

/* The last member takes the vrf along. */
int vrf_del(struct cni_call *c, struct cor_err *err)
{
        auto_json struct vrf_config *v = NULL;
        struct link *members auto_free = NULL;
        auto_space s = SPACE_INIT;
        struct link vrf, l;
        int found;
        size_t n;

        if (load(c, &v, err) < 0)
                return -1;
        found = space_find(c, &s, err);
        if (found > 0)
                found = link_find(s.inside, v->name, &vrf, err);
        if (found <= 0 || strcmp(vrf.kind, "vrf") != 0)
                return found < 0 ? -1 : 0;
        found = link_find(s.inside, c->ifname, &l, err);
        if (found < 0 || (found > 0 && l.master == vrf.index && link_set_master(s.inside, l.index, 0, err) < 0) ||
            link_list(s.inside, vrf.index, &members, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                if (members[i].master == vrf.index)
                        return 0;
        return link_remove(s.inside, vrf.index, err);
}

int vrf_check(struct cni_call *c, struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;
        auto_json struct vrf_config *v = NULL;
        auto_space s = SPACE_INIT;
        struct link vrf, l;

        if (load(c, &v, err) < 0 || cni_previous(c, &r, err) < 0 || space_open(c, &s, err) < 0 ||
            link_get(s.inside, v->name, &vrf, err) < 0 || link_get(s.inside, c->ifname, &l, err) < 0)
                return -1;
        if (v->table && vrf.vrf_table != v->table)
                return cor_fail(err, COR_NOT_FOUND, "table: vrf %s has table %u, not %u", v->name, vrf.vrf_table,
                                v->table);
        if (l.master != vrf.index)
                return cor_fail(err, COR_NOT_FOUND, "interface %s is no member of vrf %s", c->ifname, v->name);
        return 0;
}
