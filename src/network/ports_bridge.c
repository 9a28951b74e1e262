/* Published ports ask two things of a bridge that it does not do by itself. */
#include "network/ports_internal.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "linux/link.h"
#include "linux/namespace.h"
#include "linux/netns.h"
#include "linux/procfs.h"
#include "linux/route.h"
#include "network/realm.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <sched.h>
#include <string.h>

/* What comes from 127.0.0.1 leaves with the address of the bridge, which has to take back what is for 127.0.0.1 then.
 */
int ports_route_localhost(const char *ip4, struct cor_err *err)
{
        auto_fd sock = realm_socket(NETLINK_ROUTE, err);
        auto_str path = NULL;
        struct route way;
        struct link link;
        struct ip ip;

        if (sock < 0)
                return -1;
        if (ip_parse(ip4, &ip) < 0)
                return cor_fail(err, COR_INVALID, "invalid IP address: %.60s", ip4);
        if (route_to(sock, &ip, &way, err) < 0 || link_get_index(sock, way.index, &link, err) < 0)
                return -1;
        path = cor_printf("net/ipv4/conf/%s/route_localnet", link.name);
        return netns_sysctl(path, "1", err);
}

/* Packets between ports of a bridge are translated on the bridge itself: they never come to the host's own stack. */
static bool bridges_translate(void)
{
        char value[8];

        return netns_sysctl_read("net/bridge/bridge-nf-call-iptables", value, sizeof value, NULL) == 0 &&
               strcmp(value, "1") == 0;
}

int ports_let_turn_back(pid_t pid, struct cor_err *err)
{
        auto_fd procfs = -1, netns = -1, inside = -1, sock = -1;
        auto_free struct link *links = NULL;
        size_t n_links = 0;

        if (!bridges_translate())
                return 0;
        procfs = procfs_open(err);
        netns = procfs < 0 ? -1 : namespace_open_pid(procfs, pid, CLONE_NEWNET, err);
        inside = netns < 0 ? -1 : netns_socket(netns, NETLINK_ROUTE, err);
        sock = inside < 0 ? -1 : realm_socket(NETLINK_ROUTE, err);
        if (sock < 0 || link_list(inside, 0, &links, &n_links, err) < 0)
                return -1;
        for (size_t i = 0; i < n_links; i++) {
                struct cor_err ignored; /* one that is no port of a bridge here has nothing to turn */

                if (strcmp(links[i].kind, "veth") == 0 && links[i].parent > 0)
                        (void)!link_set_port(sock, links[i].parent, IFLA_BRPORT_MODE, true, &ignored);
        }
        return 0;
}
