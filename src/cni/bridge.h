#ifndef CORACLE_CNI_BRIDGE_H
#define CORACLE_CNI_BRIDGE_H
/* bridge in three parts: configuration (bridge_config.c), bridge and port (bridge_port.c), the verbs (bridge.c). */
#include "cni/masquerade.h"
#include "cni/space.h"

struct vlan_range {
        struct cor_opt_u64 min, max, id;
};
struct bridge_config {
        const char *bridge;
        bool is_gateway, is_default_gateway, force_address, ip_masq, hairpin, promiscuous, preserve_default_vlan;
        bool mac_spoof_check, enable_dad, disable_interface, port_isolation;
        int backend; /* enum masquerade_backend */
        uint32_t mtu, vlan;
        struct vlan_range *trunk;
        size_t n_trunk;
        struct {
                struct {
                        const char *mac;
                } cni;
        } args;
        struct {
                const char *mac;
        } runtime;
        bool has_mac; /* of the runtime, the arguments or CNI_ARGS, the first of these that is there */
        uint8_t mac[LINK_MAC_BYTES];
};
/* bridge_config_load() - read and checked; cor_json_free() */
int bridge_config_load(struct cni_call *c, struct bridge_config **ret, struct cor_err *err) COR_MUST_CHECK;

/* bridge_ensure() - the bridge, made and set up as far as it is not */
int bridge_ensure(struct space *s, const struct bridge_config *b, struct link *ret, struct cor_err *err) COR_MUST_CHECK;
/* bridge_plug() - a pair of interfaces: *ret_inside in the container, *ret_port on the host, a port of @bridge */
int bridge_plug(struct cni_call *c, struct space *s, const struct bridge_config *b, const struct link *bridge,
                struct link *ret_port, struct link *ret_inside, struct cor_err *err) COR_MUST_CHECK;
/*
 * bridge_gateway() - give the addresses that are the container's gateways to the bridge, or, with a VLAN, to an
 * interface that is a port of the bridge in that VLAN and becomes one of @r
 */
int bridge_gateway(struct space *s, const struct bridge_config *b, const struct link *bridge, struct cni_result *r,
                   struct cor_err *err) COR_MUST_CHECK;
/* bridge_await() - wait until the port carries packets */
int bridge_await(struct space *s, const struct link *port, struct link *ret, struct cor_err *err) COR_MUST_CHECK;

/* macspoofchk: the port lets nothing in whose source is not the container's hardware address. */
int spoof_check_add(struct cni_call *c, const struct link *port, const struct link *inside, struct cor_err *err)
        COR_MUST_CHECK;
int spoof_check_del(struct cni_call *c, struct cor_err *err) COR_MUST_CHECK;
int spoof_check_gc(struct cni_call *c, struct cor_err *err) COR_MUST_CHECK;
/* spoof_check_there() - for CHECK */
int spoof_check_there(struct cni_call *c, struct cor_err *err) COR_MUST_CHECK;

#endif
