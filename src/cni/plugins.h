#ifndef CORACLE_CNI_PLUGINS_H
#define CORACLE_CNI_PLUGINS_H
/* The verbs of all plugins, for the table in plugins.c. Each plugin is a file of its name, which begins with what it
 * does. */
#include "cni/call.h"

#define PLUGIN_VERBS(NAME)                                                                                             \
        int NAME##_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err);                              \
        int NAME##_del(struct cni_call *c, struct cor_err *err);                                                       \
        int NAME##_check(struct cni_call *c, struct cor_err *err);                                                     \
        int NAME##_status(struct cni_call *c, struct cor_err *err);                                                    \
        int NAME##_gc(struct cni_call *c, struct cor_err *err)

PLUGIN_VERBS(bandwidth);
PLUGIN_VERBS(bridge);
PLUGIN_VERBS(dhcp);
PLUGIN_VERBS(dummy);
PLUGIN_VERBS(firewall);
PLUGIN_VERBS(host_device);
PLUGIN_VERBS(host_local);
PLUGIN_VERBS(ipvlan);
PLUGIN_VERBS(loopback);
PLUGIN_VERBS(macvlan);
PLUGIN_VERBS(portmap);
PLUGIN_VERBS(ptp);
PLUGIN_VERBS(sbr);
PLUGIN_VERBS(static);
PLUGIN_VERBS(tap);
PLUGIN_VERBS(tuning);
PLUGIN_VERBS(vlan);
PLUGIN_VERBS(vrf);

#endif
