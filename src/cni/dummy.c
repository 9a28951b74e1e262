/* dummy: an interface that leads nowhere, for addresses that shall be there. tap: one whose other end is a program. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "cni/iface.h"
#include "cni/plugins.h"
#include "linux/procfs.h"

/* ------------------------------------------------------------------------------------------------------------ dummy */

static int make_dummy(struct cni_call *c, struct space *s, const void *config, struct link *ret, struct cor_err *err)
{
        const struct link_new n = { .name = c->ifname, .kind = "dummy", .netns = -1 };

        (void)config;
        return link_add(s->inside, &n, err) < 0 ? -1 : link_get(s->inside, c->ifname, ret, err);
}

static const struct iface_kind dummy_kind = { .kind = "dummy", .needs_ipam = true, .make = make_dummy };

int dummy_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err)
{
        return iface_add(c, &dummy_kind, NULL, ret, err);
}

int dummy_del(struct cni_call *c, struct cor_err *err)
{
        return iface_del(c, &dummy_kind, NULL, err);
}

int dummy_check(struct cni_call *c, struct cor_err *err)
{
        return iface_check(c, &dummy_kind, NULL, err);
}

/* -------------------------------------------------------------------------------------------------------------- tap */

struct tap_config {
        bool multi_queue;
        uint32_t mtu;
        const char *mac, *bridge, *selinux_context;
        struct cor_opt_u64 owner, group;
        struct {
                const char *mac;
        } runtime;
};

typedef __typeof__(((struct tap_config *)NULL)->runtime) runtime_t;
static const struct cor_json_field runtime_fields[] = { COR_FIELD("mac", STR, runtime_t, mac, 0) };
static const struct cor_json_doc runtime_doc = COR_DOC(runtime_t, runtime_fields, NULL);

static const struct cor_json_field tap_fields[] = {
        COR_FIELD("multiQueue", BOOL, struct tap_config, multi_queue, 0),
        COR_FIELD("mtu", U32, struct tap_config, mtu, 0),
        COR_FIELD("mac", STR, struct tap_config, mac, 0),
        COR_FIELD("owner", OPT_U32, struct tap_config, owner, 0),
        COR_FIELD("group", OPT_U32, struct tap_config, group, 0),
        COR_FIELD("selinuxContext", STR, struct tap_config, selinux_context, 0),
        COR_FIELD("selinuxcontext", STR, struct tap_config, selinux_context, 0),
        COR_FIELD("bridge", STR, struct tap_config, bridge, 0),
        COR_FIELD_OBJ("runtimeConfig", INLINE, struct tap_config, runtime, &runtime_doc, 0),
};
static const struct cor_json_doc tap_doc = COR_DOC(struct tap_config, tap_fields, NULL);

/* SELinux labels a tap with the socket context of who makes it. */
static int set_label(const char *context, struct cor_err *err)
{
        auto_fd procfs = -1;

        if (!context || !*context)
                return 0;
        procfs = procfs_open(err);
        if (procfs < 0 || procfs_write(procfs, "self/attr/sockcreate", context, err) < 0)
                return cor_wrap(err, "selinuxContext");
        return 0;
}

static int make_device(struct space *s, const struct tap_config *t, const char *name, struct cor_err *err)
{
        auto_netns_visit visit = NETNS_VISIT_INIT;

        if (set_label(t->selinux_context, err) < 0 || netns_enter(&visit, s->netns, err) < 0)
                return -1;
        return link_tap_add(name, t->multi_queue, t->owner.set ? (int64_t)t->owner.value : -1,
                            t->group.set ? (int64_t)t->group.value : -1, err);
}

static int set_up_tap(struct cni_call *c, struct space *s, const struct tap_config *t, struct link *l,
                      const uint8_t *mac, struct cor_err *err)
{
        struct link bridge;

        if (mac && link_set_mac(s->inside, l->index, mac, LINK_MAC_BYTES, err) < 0)
                return -1;
        if (t->mtu && link_set_mtu(s->inside, l->index, t->mtu, err) < 0)
                return -1;
        if (t->bridge && t->bridge[0] &&
            (link_get(s->inside, t->bridge, &bridge, err) < 0 ||
             link_set_master(s->inside, l->index, bridge.index, err) < 0))
                return cor_wrap(err, "bridge");
        return link_get(s->inside, c->ifname, l, err);
}

static int make_tap(struct cni_call *c, struct space *s, const void *config, struct link *ret, struct cor_err *err)
{
        const struct tap_config *t = config;
        uint8_t mac[LINK_MAC_BYTES];
        int has_mac = iface_mac(t->runtime.mac, t->mac, mac, err);

        if (has_mac < 0 || make_device(s, t, c->ifname, err) < 0 || link_get(s->inside, c->ifname, ret, err) < 0)
                return -1;
        if (set_up_tap(c, s, t, ret, has_mac ? mac : NULL, err) == 0)
                return 0;
        (void)!link_remove(s->inside, ret->index, NULL);
        return -1;
}

static const struct iface_kind tap_kind = { .kind = "tun", .announces = true, .make = make_tap };

int tap_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err)
{
        auto_json struct tap_config *config = NULL;

        return cni_load(c, &tap_doc, &config, err) < 0 ? -1 : iface_add(c, &tap_kind, config, ret, err);
}

int tap_del(struct cni_call *c, struct cor_err *err)
{
        return iface_del(c, &tap_kind, NULL, err);
}

int tap_check(struct cni_call *c, struct cor_err *err)
{
        return iface_check(c, &tap_kind, NULL, err);
}
