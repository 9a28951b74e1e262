#include "cni/plugins.h"

#include "cni/dhcp_server.h"
#include "cni/ipam.h"

static int delegate_status(struct cni_call *c, struct cor_err *err)
{
        return ipam_run(c, CNI_STATUS, err);
}

static int delegate_gc(struct cni_call *c, struct cor_err *err)
{
        return ipam_run(c, CNI_GC, err);
}

/* One that makes an interface and leaves the rest to the manager of addresses. */
#define INTERFACE(NAME, WHAT, FUNCTIONS)                                                                               \
        {                                                                                                              \
                .name = NAME, .what = WHAT, .add = FUNCTIONS##_add, .del = FUNCTIONS##_del,                            \
                .check = FUNCTIONS##_check, .status = delegate_status, .gc = delegate_gc                               \
        }

const struct cni_plugin cni_plugins[] = {
        { "bandwidth", "how fast a container receives and sends", false, bandwidth_add, bandwidth_del, bandwidth_check,
          NULL, bandwidth_gc },
        { "bridge", "a bridge of the host, and a pair of interfaces to it", false, bridge_add, bridge_del, bridge_check,
          delegate_status, bridge_gc },
        { "dhcp", "addresses of a DHCP server, by way of a daemon", true, dhcp_add, dhcp_del, dhcp_check, dhcp_status,
          dhcp_gc, dhcp_daemon_main },
        INTERFACE("dummy", "an interface that leads nowhere", dummy),
        { "firewall", "lets a container's packets through the host", false, firewall_add, firewall_del, firewall_check,
          NULL, firewall_gc },
        INTERFACE("host-device", "an interface of the host, moved into the container", host_device),
        { "host-local", "addresses out of ranges, kept in files", true, host_local_add, host_local_del,
          host_local_check, host_local_status, host_local_gc },
        INTERFACE("ipvlan", "an address of its own on an interface of the host", ipvlan),
        { "loopback", "sets lo up", false, loopback_add, loopback_del, loopback_check, NULL, NULL },
        INTERFACE("macvlan", "a hardware address of its own on an interface of the host", macvlan),
        { "portmap", "ports of the host that lead to the container", false, portmap_add, portmap_del, portmap_check,
          NULL, portmap_gc },
        { "ptp", "a pair of interfaces between host and container", false, ptp_add, ptp_del, ptp_check, delegate_status,
          ptp_gc },
        { "sbr", "routing by source", false, sbr_add, sbr_del, sbr_check, NULL, NULL },
        { "static", "addresses that the configuration names", true, static_add, NULL, static_check, NULL, NULL },
        INTERFACE("tap", "an interface whose other end is a program", tap),
        { "tuning", "sysctls and attributes of the interface", false, tuning_add, tuning_del, tuning_check, NULL,
          NULL },
        INTERFACE("vlan", "a VLAN of an interface of the host", vlan),
        { "vrf", "a routing domain for the interface", false, vrf_add, vrf_del, vrf_check, NULL, NULL },
        { .name = NULL },
};
