/*
 * macvlan, ipvlan, vlan: interfaces that live on another one, their master, which is on the host or, with
 * linkInContainer, in the container. Without a name it is the interface of the default route.
 */
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/iface.h"
#include "cni/plugins.h"
#include "linux/route.h"

struct child_config {
        const char *master, *mac;
        int mode;
        uint32_t mtu, vlan, broadcast_queue;
        bool in_container;
        struct {
                const char *mac;
        } runtime;
};

/* -------------------------------------------------------------------------------------------------------- documents */

static const struct cor_word macvlan_modes[] = {
        { "bridge", MACVLAN_MODE_BRIDGE }, { "", MACVLAN_MODE_BRIDGE },           { "private", MACVLAN_MODE_PRIVATE },
        { "vepa", MACVLAN_MODE_VEPA },     { "passthru", MACVLAN_MODE_PASSTHRU }, { NULL, 0 },
};
static const struct cor_word ipvlan_modes[] = {
        { "l2", IPVLAN_MODE_L2 },
        { "", IPVLAN_MODE_L2 },
        { "l3", IPVLAN_MODE_L3 },
        { "l3s", IPVLAN_MODE_L3S },
        { NULL, 0 },
};

typedef __typeof__(((struct child_config *)NULL)->runtime) runtime_t;
static const struct cor_json_field runtime_fields[] = { COR_FIELD("mac", STR, runtime_t, mac, 0) };
static const struct cor_json_doc runtime_doc = COR_DOC(runtime_t, runtime_fields, NULL);

#define COMMON_FIELDS                                                                                                  \
        COR_FIELD("master", STR, struct child_config, master, 0), COR_FIELD("mtu", U32, struct child_config, mtu, 0),  \
                COR_FIELD("linkInContainer", BOOL, struct child_config, in_container, 0)

static const struct cor_json_field macvlan_fields[] = {
        COMMON_FIELDS,
        { .key = "mode",
          .type = COR_JSON_WORD,
          .offset = offsetof(struct child_config, mode),
          .words = macvlan_modes,
          .def = MACVLAN_MODE_BRIDGE },
        COR_FIELD("mac", STR, struct child_config, mac, 0),
        COR_FIELD("bcqueuelen", U32, struct child_config, broadcast_queue, 0),
        COR_FIELD_OBJ("runtimeConfig", INLINE, struct child_config, runtime, &runtime_doc, 0),
};
static const struct cor_json_doc macvlan_doc = COR_DOC(struct child_config, macvlan_fields, NULL);

static const struct cor_json_field ipvlan_fields[] = {
        COMMON_FIELDS,
        COR_FIELD_WORD("mode", struct child_config, mode, ipvlan_modes, 0),
};
static const struct cor_json_doc ipvlan_doc = COR_DOC(struct child_config, ipvlan_fields, NULL);

static const struct cor_json_field vlan_fields[] = {
        COMMON_FIELDS,
        COR_FIELD("vlanId", U32, struct child_config, vlan, 0),
};
static const struct cor_json_doc vlan_doc = COR_DOC(struct child_config, vlan_fields, NULL);

/* ----------------------------------------------------------------------------------------------------------- master */

static int default_route_link(int sock, struct link *ret, struct cor_err *err)
{
        struct route *routes auto_free = NULL;
        size_t n;
        int index = 0;

        if (route_list(sock, AF_UNSPEC, RT_TABLE_MAIN, &routes, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n && !index; i++)
                if (routes[i].dst.bits == 0)
                        index = routes[i].index;
        if (!index)
                return cor_fail(err, COR_INVALID, "master: required key is missing, as there is no default route");
        return link_get_index(sock, index, ret, err);
}

/* A plugin that is chained works on the interface of the one before it. */
static int previous_interface(struct cni_call *c, char ret[LINK_NAME_BYTES], struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;

        if (cni_previous(c, &r, err) < 0)
                return -1;
        if (r->n_interfaces != 1 || !r->interfaces[0].name || !link_name_valid(r->interfaces[0].name))
                return cor_fail(err, COR_INVALID,
                                "master: required key is missing, as prevResult has not one interface");
        memcpy(ret, r->interfaces[0].name, strlen(r->interfaces[0].name) + 1);
        return 0;
}

static int find_master(struct cni_call *c, struct space *s, const struct child_config *config, struct link *ret,
                       struct cor_err *err)
{
        int sock = config->in_container ? s->inside : s->host;
        char name[LINK_NAME_BYTES];

        if (config->master && config->master[0])
                return link_get(sock, config->master, ret, err) < 0 ? cor_wrap(err, "master") : 0;
        if (!c->config->prev_result)
                return default_route_link(sock, ret, err);
        if (previous_interface(c, name, err) < 0)
                return -1;
        return link_get(sock, name, ret, err) < 0 ? cor_wrap(err, "master") : 0;
}

static int make(struct cni_call *c, struct space *s, const struct child_config *config, const struct link_new *kind,
                struct link *ret, struct cor_err *err)
{
        struct link_new n = *kind;
        char name[LINK_NAME_BYTES];
        struct link master;

        if (find_master(c, s, config, &master, err) < 0)
                return -1;
        if (config->mtu > master.mtu)
                return cor_fail(err, COR_INVALID, "mtu: %u is more than the %u of master %s", config->mtu, master.mtu,
                                master.name);
        if (link_random_name("cni", name, err) < 0)
                return -1;
        n.name = name;
        n.parent = master.index;
        n.mtu = config->mtu;
        n.netns = config->in_container ? -1 : s->netns;
        if (link_add(config->in_container ? s->inside : s->host, &n, err) < 0)
                return -1;
        return iface_settle(c, s, name, ret, err);
}

static int check_mtu(const struct child_config *config, const struct link *l, struct cor_err *err)
{
        if (config->mtu && config->mtu != l->mtu)
                return cor_fail(err, COR_NOT_FOUND, "interface %s of the container has the MTU %u, not %u", l->name,
                                l->mtu, config->mtu);
        return 0;
}

/* ---------------------------------------------------------------------------------------------------------- macvlan */

static int make_macvlan(struct cni_call *c, struct space *s, const void *config, struct link *ret, struct cor_err *err)
{
        const struct child_config *m = config;
        struct link_new n = {
                .kind = "macvlan",
                .macvlan_mode = (uint32_t)m->mode,
                .macvlan_broadcast_queue = m->broadcast_queue,
        };
        uint8_t mac[LINK_MAC_BYTES];
        int has_mac = iface_mac(m->runtime.mac, m->mac, mac, err);

        if (has_mac < 0)
                return -1;
        n.mac = has_mac ? mac : NULL;
        return make(c, s, m, &n, ret, err);
}

static int check_macvlan(struct cni_call *c, struct space *s, const void *config, const struct link *l,
                         struct cor_err *err)
{
        const struct child_config *m = config;

        (void)c, (void)s;
        if (l->macvlan_mode != (uint32_t)m->mode)
                return cor_fail(err, COR_NOT_FOUND, "interface %s of the container is not in mode %s", l->name,
                                cor_word_of(macvlan_modes, m->mode));
        return check_mtu(m, l, err);
}

static const struct iface_kind macvlan_kind = {
        .kind = "macvlan", .announces = true, .make = make_macvlan, .check = check_macvlan
};

/* ----------------------------------------------------------------------------------------------------------- ipvlan */

static int make_ipvlan(struct cni_call *c, struct space *s, const void *config, struct link *ret, struct cor_err *err)
{
        const struct child_config *i = config;
        struct link_new n = { .kind = "ipvlan", .ipvlan = true, .ipvlan_mode = (uint16_t)i->mode };

        return make(c, s, i, &n, ret, err);
}

static int check_ipvlan(struct cni_call *c, struct space *s, const void *config, const struct link *l,
                        struct cor_err *err)
{
        const struct child_config *i = config;

        (void)c, (void)s;
        if (l->ipvlan_mode != (uint16_t)i->mode)
                return cor_fail(err, COR_NOT_FOUND, "interface %s of the container is not in mode %s", l->name,
                                cor_word_of(ipvlan_modes, i->mode));
        return check_mtu(i, l, err);
}

static const struct iface_kind ipvlan_kind = {
        .kind = "ipvlan", .needs_ipam = true, .announces = true, .make = make_ipvlan, .check = check_ipvlan
};

/* ------------------------------------------------------------------------------------------------------------- vlan */

static int make_vlan(struct cni_call *c, struct space *s, const void *config, struct link *ret, struct cor_err *err)
{
        const struct child_config *v = config;
        struct link_new n = { .kind = "vlan", .vlan = (uint16_t)v->vlan };

        if (v->vlan > 4094)
                return cor_fail(err, COR_INVALID, "vlanId: %u is no number from 0 to 4094", v->vlan);
        return make(c, s, v, &n, ret, err);
}

static int check_vlan(struct cni_call *c, struct space *s, const void *config, const struct link *l,
                      struct cor_err *err)
{
        const struct child_config *v = config;

        (void)c, (void)s;
        if (l->vlan != v->vlan)
                return cor_fail(err, COR_NOT_FOUND, "interface %s of the container is in VLAN %u, not %u", l->name,
                                (unsigned)l->vlan, v->vlan);
        return check_mtu(v, l, err);
}

static const struct iface_kind vlan_kind = {
        .kind = "vlan", .needs_ipam = true, .make = make_vlan, .check = check_vlan
};

/* ------------------------------------------------------------------------------------------------------------ verbs */

#define VERBS(NAME)                                                                                                    \
        int NAME##_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err)                               \
        {                                                                                                              \
                auto_json struct child_config *config = NULL;                                                          \
                                                                                                                       \
                return cni_load(c, &NAME##_doc, &config, err) < 0 ? -1 : iface_add(c, &NAME##_kind, config, ret, err); \
        }                                                                                                              \
        int NAME##_del(struct cni_call *c, struct cor_err *err)                                                        \
        {                                                                                                              \
                return iface_del(c, &NAME##_kind, NULL, err);                                                          \
        }                                                                                                              \
        int NAME##_check(struct cni_call *c, struct cor_err *err)                                                      \
        {                                                                                                              \
                auto_json struct child_config *config = NULL;                                                          \
                                                                                                                       \
                return cni_load(c, &NAME##_doc, &config, err) < 0 ? -1 : iface_check(c, &NAME##_kind, config, err);    \
        }

VERBS(macvlan)
VERBS(ipvlan)
VERBS(vlan)
