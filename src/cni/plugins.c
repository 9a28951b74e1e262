#include "cni/plugins.h"

#include "cni/ipam.h"

static int delegate_status(struct cni_call *c, struct cor_err *err)
{
        return ipam_run(c, CNI_STATUS, err);
}

const struct cni_plugin cni_plugins[] = {
        { "bridge", "a bridge of the host, and a pair of interfaces to it", false, bridge_add, bridge_del, bridge_check,
          delegate_status, bridge_gc },
        { "host-local", "addresses out of ranges, kept in files", true, host_local_add, host_local_del,
          host_local_check, host_local_status, host_local_gc },
        { "loopback", "sets lo up", false, loopback_add, loopback_del, loopback_check, NULL, NULL },
        { .name = NULL },
};
