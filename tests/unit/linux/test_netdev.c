/* Interfaces between two network namespaces: "host", in which the test's child lives, and "container". */
#include "linux/netdev.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "child.h"
#include "linux/netdev_message.h"
#include "linux/procfs.h"

struct world {
        int proc, host, container; /* namespaces */
        int sock;                  /* netlink, host */
};

static int our_netns(void)
{
        int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

        CHECK(fd >= 0);
        return fd;
}

static void world_init(struct world *w)
{
        struct cor_err err = { 0 };

        CHECK(unshare(CLONE_NEWNET) == 0);
        w->container = our_netns();
        CHECK(unshare(CLONE_NEWNET) == 0);
        w->host = our_netns();
        w->proc = procfs_open(&err);
        w->sock = netlink_open(NETLINK_ROUTE, &err);
        CHECK(w->proc >= 0 && w->sock >= 0);
}

static void exchange(struct world *w, struct netlink_request *r)
{
        CHECK_OK(netlink_exchange(w->sock, r, NULL, NULL, &err));
}

static int add_veth(struct world *w, const char *name, const char *peer)
{
        struct ifinfomsg h = { 0 };
        struct netlink_request r;
        size_t info, data;

        netlink_begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &h, sizeof h);
        netlink_put_str(&r, IFLA_IFNAME, name);
        info = netlink_nest(&r, IFLA_LINKINFO);
        netlink_put_str(&r, IFLA_INFO_KIND, "veth");
        data = netlink_nest(&r, IFLA_INFO_DATA);
        /* the peer's attribute starts with a header of its own */
        struct {
                struct ifinfomsg h;
                struct nlattr a;
                char name[16];
        } p = { .a = { sizeof(struct nlattr) + 16, IFLA_IFNAME } };
        strncpy(p.name, peer, sizeof p.name - 1);
        netlink_put(&r, VETH_INFO_PEER, &p, sizeof p);
        netlink_nest_end(&r, data);
        netlink_nest_end(&r, info);
        exchange(w, &r);
        netdev_make_up(&r, (int)if_nametoindex(name));
        exchange(w, &r);
        return (int)if_nametoindex(name);
}

static void add_address(struct world *w, int index, int family, const char *text, int prefix, int scope)
{
        struct netdev_address a = {
                .family = (uint8_t)family,
                .prefix_len = (uint8_t)prefix,
                .scope = (uint8_t)scope,
                .flags = IFA_F_NODAD,
                .local.len = family == AF_INET ? 4 : 16,
        };
        struct netlink_request r;

        CHECK(inet_pton(family, text, a.local.bytes) == 1);
        a.address = a.local;
        netdev_make_address(&r, &a, index);
        exchange(w, &r);
}

struct seen {
        int index, n;
        struct netdev_address items[16];
};

static int see(const struct netlink_message *m, void *data, struct cor_err *err)
{
        struct seen *s = data;
        struct netdev_address a;

        if (netdev_read_address(m, &a) && a.index == s->index && a.scope == RT_SCOPE_UNIVERSE && s->n < 16)
                s->items[s->n++] = a;
        return 0;
}

static bool has_address(const struct seen *s, int family, const char *text, int prefix)
{
        uint8_t bytes[16];

        CHECK(inet_pton(family, text, bytes) == 1);
        for (int i = 0; i < s->n; i++)
                if (s->items[i].family == family && s->items[i].prefix_len == prefix &&
                    memcmp(s->items[i].address.bytes, bytes, family == AF_INET ? 4 : 16) == 0)
                        return true;
        return false;
}

static int link_flags(const char *name)
{
        auto_fd sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq r = { 0 };

        strncpy(r.ifr_name, name, sizeof r.ifr_name - 1);
        return ioctl(sock, SIOCGIFFLAGS, &r) < 0 ? -1 : r.ifr_flags;
}

static bool is_up(const char *name)
{
        int flags = link_flags(name);

        return flags >= 0 && flags & IFF_UP;
}

static void addresses_of(const char *name, struct seen *ret)
{
        struct netlink_request r;
        struct cor_err error = { 0 };
        auto_fd sock = netlink_open(NETLINK_ROUTE, &error);

        *ret = (struct seen){ .index = (int)if_nametoindex(name) };
        netdev_ask_addresses(&r, ret->index);
        CHECK_OK(netlink_exchange(sock, &r, see, ret, &err));
}

static void lo_up(void *data)
{
        CHECK(unshare(CLONE_NEWNET) == 0);
        CHECK(!is_up("lo"));
        CHECK_OK(netdev_lo_up(&err));
        CHECK(is_up("lo"));
        CHECK_OK(netdev_lo_up(&err));
}

static void loopback_is_set_up(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(lo_up, NULL), 0);
}

static void move_and_rename(void *data)
{
        const struct oci_net_device devices[] = { { "va0", "eth0" }, { "va1", NULL } };
        struct world w;
        struct seen seen;

        world_init(&w);
        int index = add_veth(&w, "va0", "vb0");
        (void)add_veth(&w, "va1", "vb1");
        add_address(&w, index, AF_INET, "10.11.12.13", 24, RT_SCOPE_UNIVERSE);
        add_address(&w, index, AF_INET, "10.11.12.14", 24, RT_SCOPE_UNIVERSE); /* a secondary one */
        add_address(&w, index, AF_INET, "169.254.7.7", 16, RT_SCOPE_LINK);
        add_address(&w, index, AF_INET6, "fd00::17", 64, RT_SCOPE_UNIVERSE);
        CHECK_OK(netdev_move_all(w.proc, w.container, devices, 2, &err));
        CHECK(if_nametoindex("va0") == 0 && if_nametoindex("va1") == 0); /* and we are back on the host */
        CHECK(if_nametoindex("vb0") != 0);

        CHECK(setns(w.container, CLONE_NEWNET) == 0);
        CHECK(is_up("eth0") && is_up("va1"));
        addresses_of("eth0", &seen);
        CHECK(has_address(&seen, AF_INET, "10.11.12.13", 24));
        CHECK(has_address(&seen, AF_INET, "10.11.12.14", 24));
        CHECK(has_address(&seen, AF_INET6, "fd00::17", 64));
        CHECK(seen.n == 3); /* not the one of link scope */
}

static void an_interface_arrives_with_name_and_addresses(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(move_and_rename, NULL), 0);
}

static void move_by_template(void *data)
{
        const struct oci_net_device devices[] = { { "va0", "eth%d" }, { "va1", "eth%d" } };
        struct world w;

        world_init(&w);
        add_address(&w, add_veth(&w, "va0", "vb0"), AF_INET, "10.11.12.13", 24, RT_SCOPE_UNIVERSE);
        (void)add_veth(&w, "va1", "vb1");
        CHECK_OK(netdev_move_all(w.proc, w.container, devices, 2, &err));
        CHECK(setns(w.container, CLONE_NEWNET) == 0);
        CHECK(is_up("eth0") && is_up("eth1"));
}

static void the_kernel_completes_a_template(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(move_by_template, NULL), 0);
}

static void name_taken(void *data)
{
        const struct oci_net_device devices[] = { { "va0", "fine" }, { "va1", "taken" } };
        struct cor_err error = { 0 };
        struct world w;
        struct seen seen;

        world_init(&w);
        add_address(&w, add_veth(&w, "va0", "vb0"), AF_INET, "10.11.12.13", 24, RT_SCOPE_UNIVERSE);
        (void)add_veth(&w, "va1", "vb1");
        int other = w.sock;
        CHECK(setns(w.container, CLONE_NEWNET) == 0);
        w.sock = netlink_open(NETLINK_ROUTE, &error);
        (void)add_veth(&w, "taken", "peer");
        CHECK(setns(w.host, CLONE_NEWNET) == 0);
        w.sock = other;

        CHECK(netdev_move_all(w.proc, w.container, devices, 2, &error) < 0);
        CHECK(error.kind == COR_EXISTS && strstr(error.msg, "linux.netDevices[\"va1\"]") && strstr(error.msg, "taken"));
        /* both are on the host as they were */
        CHECK(is_up("va0") && is_up("va1"));
        addresses_of("va0", &seen);
        CHECK(has_address(&seen, AF_INET, "10.11.12.13", 24));
}

static void a_failure_leaves_all_interfaces_on_the_host(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(name_taken, NULL), 0);
}

static void no_such_device(void *data)
{
        const struct oci_net_device device = { "nowhere", NULL };
        struct cor_err error = { 0 };
        struct world w;

        world_init(&w);
        CHECK(netdev_move_all(w.proc, w.container, &device, 1, &error) < 0);
        CHECK(error.sys == ENODEV && strstr(error.msg, "linux.netDevices[\"nowhere\"]"));
        CHECK(netdev_move_all(w.proc, w.container, NULL, 0, &error) == 0);
}

static void a_missing_interface_is_named(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(no_such_device, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(loopback_is_set_up),
                cmocka_unit_test(an_interface_arrives_with_name_and_addresses),
                cmocka_unit_test(the_kernel_completes_a_template),
                cmocka_unit_test(a_failure_leaves_all_interfaces_on_the_host),
                cmocka_unit_test(a_missing_interface_is_named),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
