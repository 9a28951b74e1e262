#include "cni/bridge.h"

#include <string.h>

enum { VLAN_MAX = 4094 };

static const struct cor_json_field vlan_fields[] = {
        COR_FIELD("minID", OPT_U32, struct vlan_range, min, 0),
        COR_FIELD("maxID", OPT_U32, struct vlan_range, max, 0),
        COR_FIELD("id", OPT_U32, struct vlan_range, id, 0),
};

static bool is_vlan(uint64_t id)
{
        return id >= 1 && id <= VLAN_MAX;
}

static int check_range(void *object, struct cor_err *err)
{
        const struct vlan_range *r = object;

        if (r->min.set != r->max.set)
                return cor_fail(err, COR_INVALID, "minID and maxID belong together, and %s is missing",
                                r->min.set ? "maxID" : "minID");
        if ((r->min.set && !is_vlan(r->min.value)) || (r->max.set && !is_vlan(r->max.value)) ||
            (r->id.set && !is_vlan(r->id.value)))
                return cor_fail(err, COR_INVALID, "a VLAN id is a number from 1 to %d", VLAN_MAX);
        if (r->min.set && r->min.value > r->max.value)
                return cor_fail(err, COR_INVALID, "minID is greater than maxID");
        return 0;
}
static const struct cor_json_doc vlan_doc = COR_DOC(struct vlan_range, vlan_fields, check_range);

typedef __typeof__(((struct bridge_config *)NULL)->args) args_t;
typedef __typeof__(((struct bridge_config *)NULL)->args.cni) args_cni_t;
typedef __typeof__(((struct bridge_config *)NULL)->runtime) runtime_t;

static const struct cor_json_field args_cni_fields[] = { COR_FIELD("mac", STR, args_cni_t, mac, 0) };
static const struct cor_json_doc args_cni_doc = COR_DOC(args_cni_t, args_cni_fields, NULL);
static const struct cor_json_field args_fields[] = { COR_FIELD_OBJ("cni", INLINE, args_t, cni, &args_cni_doc, 0) };
static const struct cor_json_doc args_doc = COR_DOC(args_t, args_fields, NULL);
static const struct cor_json_field runtime_fields[] = { COR_FIELD("mac", STR, runtime_t, mac, 0) };
static const struct cor_json_doc runtime_doc = COR_DOC(runtime_t, runtime_fields, NULL);

static const struct cor_json_field fields[] = {
        COR_FIELD("bridge", STR, struct bridge_config, bridge, 0),
        COR_FIELD("isGateway", BOOL, struct bridge_config, is_gateway, 0),
        COR_FIELD("isDefaultGateway", BOOL, struct bridge_config, is_default_gateway, 0),
        COR_FIELD("forceAddress", BOOL, struct bridge_config, force_address, 0),
        COR_FIELD("ipMasq", BOOL, struct bridge_config, ip_masq, 0),
        COR_FIELD_WORD("ipMasqBackend", struct bridge_config, backend, masquerade_words, 0),
        COR_FIELD("mtu", U32, struct bridge_config, mtu, 0),
        COR_FIELD("hairpinMode", BOOL, struct bridge_config, hairpin, 0),
        COR_FIELD("promiscMode", BOOL, struct bridge_config, promiscuous, 0),
        COR_FIELD("vlan", U32, struct bridge_config, vlan, 0),
        COR_FIELD_LIST_OF("vlanTrunk", LIST_OBJ, struct bridge_config, trunk, n_trunk, &vlan_doc, 0),
        COR_FIELD("preserveDefaultVlan", BOOL, struct bridge_config, preserve_default_vlan, 0),
        COR_FIELD("macspoofchk", BOOL, struct bridge_config, mac_spoof_check, 0),
        COR_FIELD("enabledad", BOOL, struct bridge_config, enable_dad, 0),
        COR_FIELD("disableContainerInterface", BOOL, struct bridge_config, disable_interface, 0),
        COR_FIELD("portIsolation", BOOL, struct bridge_config, port_isolation, 0),
        COR_FIELD_OBJ("args", INLINE, struct bridge_config, args, &args_doc, 0),
        COR_FIELD_OBJ("runtimeConfig", INLINE, struct bridge_config, runtime, &runtime_doc, 0),
};
static const struct cor_json_doc bridge_doc = COR_DOC(struct bridge_config, fields, NULL);

static int choose_mac(struct cni_call *c, struct bridge_config *b, struct cor_err *err)
{
        static const char *const known[] = { "MAC", "IP", "GATEWAY", NULL };
        const char *given = b->runtime.mac, *where = "runtimeConfig.mac";
        auto_str argument = NULL;

        if (cni_argument(c, known, "MAC", &argument, err) < 0)
                return -1;
        if (!given || !*given) {
                given = b->args.cni.mac;
                where = "args.cni.mac";
        }
        if (!given || !*given) {
                given = argument;
                where = "CNI_ARGS: MAC";
        }
        if (!given || !*given)
                return 0;
        if (link_mac_parse(given, b->mac) < 0)
                return cor_fail(err, COR_INVALID, "%s: \"%.64s\" is no hardware address", where, given);
        b->has_mac = true;
        return 0;
}

static int check(struct cni_call *c, const struct bridge_config *b, struct cor_err *err)
{
        if (b->vlan > VLAN_MAX)
                return cor_fail(err, COR_INVALID, "vlan: %u is no number from 0 to %d", b->vlan, VLAN_MAX);
        if (!link_name_valid(b->bridge))
                return cor_fail(err, COR_INVALID, "bridge: \"%.64s\" is no valid name of an interface", b->bridge);
        if (b->hairpin && b->promiscuous)
                return cor_fail(err, COR_INVALID, "hairpinMode: cannot be set together with promiscMode");
        if (b->disable_interface && c->config->ipam.type && c->config->ipam.type[0])
                return cor_fail(err, COR_INVALID, "disableContainerInterface: cannot be set together with ipam");
        return 0;
}

int bridge_config_load(struct cni_call *c, struct bridge_config **ret, struct cor_err *err)
{
        auto_json struct bridge_config *b = NULL;

        if (cni_load(c, &bridge_doc, &b, err) < 0)
                return -1;
        if (!b->bridge || !b->bridge[0])
                b->bridge = "cni0";
        if (b->is_default_gateway)
                b->is_gateway = true;
        if (check(c, b, err) < 0 || choose_mac(c, b, err) < 0)
                return -1;
        *ret = COR_TAKE(b);
        return 0;
}
