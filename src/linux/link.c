#include "linux/link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fd.h"
#include "linux/netlink_list.h"

/* ---------------------------------------------------------------------------------------------------------- look up */

static int take_link(const struct netlink_message *m, void *data, struct cor_err *err)
{
        (void)err;
        (void)link_read(m, data);
        return 0;
}

static int ask(int sock, struct netlink_request *r, struct link *ret, struct cor_err *err)
{
        struct link l = { 0 };

        if (netlink_exchange(sock, r, take_link, &l, err) < 0)
                return err->sys == ENODEV ? 0 : -1;
        if (l.index == 0)
                return 0;
        *ret = l;
        return 1;
}

int link_find(int sock, const char *name, struct link *ret, struct cor_err *err)
{
        struct netlink_request r;
        struct cor_err failed = { 0 };
        int found;

        if (!link_name_valid(name))
                return 0;
        link_ask(&r, name, 0);
        found = ask(sock, &r, ret, &failed);
        if (found < 0) {
                if (err)
                        *err = failed;
                return cor_wrap(err, "look up interface %s", name);
        }
        return found;
}

int link_get(int sock, const char *name, struct link *ret, struct cor_err *err)
{
        int found = link_find(sock, name, ret, err);

        if (found == 0) {
                errno = ENODEV;
                cor_fail(err, COR_NOT_FOUND, "there is no interface %.64s", name);
        }
        return found > 0 ? 0 : -1;
}

int link_get_index(int sock, int index, struct link *ret, struct cor_err *err)
{
        struct netlink_request r;
        struct cor_err failed = { 0 };
        int found;

        link_ask(&r, NULL, index);
        found = ask(sock, &r, ret, &failed);
        if (found == 0)
                return cor_fail(err, COR_NOT_FOUND, "there is no interface with index %d", index);
        if (found < 0 && err)
                *err = failed;
        return found < 0 ? cor_wrap(err, "look up the interface with index %d", index) : 0;
}

static void add_link(const struct netlink_message *m, struct netlink_list *l)
{
        struct link link;

        if (link_read(m, &link))
                netlink_list_add(l, &link);
}

int link_list(int sock, int master, struct link **ret, size_t *ret_n, struct cor_err *err)
{
        struct netlink_list l = { .item_size = sizeof **ret, .take = add_link };
        struct netlink_request r;

        link_ask_all(&r, master);
        return netlink_list_get(sock, &r, &l, ret, ret_n, err) < 0 ? cor_wrap(err, "list interfaces") : 0;
}

/* ----------------------------------------------------------------------------------------------------------- change */

int link_add(int sock, const struct link_new *l, struct cor_err *err)
{
        struct netlink_request r;

        link_make(&r, l);
        if (netlink_exchange(sock, &r, NULL, NULL, err) == 0)
                return 0;
        if (err && err->sys == EOPNOTSUPP)
                return cor_fail(err, COR_UNSUPPORTED, "this kernel cannot make %s interfaces", l->kind);
        return cor_wrap(err, "make %s interface %s", l->kind, l->name);
}

int link_remove(int sock, int index, struct cor_err *err)
{
        struct cor_err failed = { 0 };
        struct netlink_request r;

        link_make_delete(&r, index);
        if (netlink_exchange(sock, &r, NULL, NULL, &failed) == 0 || failed.sys == ENODEV)
                return 0;
        if (err)
                *err = failed;
        return cor_wrap(err, "remove an interface");
}

int link_set_flags(int sock, int index, unsigned flags, unsigned change, struct cor_err *err)
{
        struct netlink_request r;

        link_change(&r, index, flags, change);
        return netlink_exchange(sock, &r, NULL, NULL, err);
}

int link_set_up(int sock, int index, bool up, struct cor_err *err)
{
        return link_set_flags(sock, index, up ? IFF_UP : 0, IFF_UP, err) < 0
                       ? cor_wrap(err, "set the interface %s", up ? "up" : "down")
                       : 0;
}

static int set_text(int sock, int index, uint16_t attribute, const char *text, struct cor_err *err)
{
        struct netlink_request r;

        link_change(&r, index, 0, 0);
        netlink_put_str(&r, attribute, text);
        return netlink_exchange(sock, &r, NULL, NULL, err);
}

int link_set_name(int sock, int index, const char *name, struct cor_err *err)
{
        return set_text(sock, index, IFLA_IFNAME, name, err) < 0 ? cor_wrap(err, "name the interface %s", name) : 0;
}

int link_set_alias(int sock, int index, const char *alias, struct cor_err *err)
{
        struct netlink_request r;

        link_change(&r, index, 0, 0);
        netlink_put(&r, IFLA_IFALIAS, alias, strlen(alias));
        return netlink_exchange(sock, &r, NULL, NULL, err) < 0 ? cor_wrap(err, "set the interface's alias") : 0;
}

int link_set_mac(int sock, int index, const uint8_t *mac, size_t len, struct cor_err *err)
{
        struct netlink_request r;

        link_change(&r, index, 0, 0);
        netlink_put(&r, IFLA_ADDRESS, mac, len);
        return netlink_exchange(sock, &r, NULL, NULL, err) < 0 ? cor_wrap(err, "set the hardware address") : 0;
}

static int set_number(int sock, int index, uint16_t attribute, uint32_t value, const char *what, struct cor_err *err)
{
        struct netlink_request r;

        link_change(&r, index, 0, 0);
        netlink_put_u32(&r, attribute, value);
        return netlink_exchange(sock, &r, NULL, NULL, err) < 0 ? cor_wrap(err, "set the %s to %u", what, value) : 0;
}

int link_set_mtu(int sock, int index, uint32_t mtu, struct cor_err *err)
{
        return set_number(sock, index, IFLA_MTU, mtu, "MTU", err);
}

int link_set_queue_len(int sock, int index, uint32_t len, struct cor_err *err)
{
        return set_number(sock, index, IFLA_TXQLEN, len, "length of the transmit queue", err);
}

int link_set_master(int sock, int index, int master, struct cor_err *err)
{
        return set_number(sock, index, IFLA_MASTER, (uint32_t)master, "master", err);
}

int link_set_port(int sock, int index, uint16_t attribute, bool on, struct cor_err *err)
{
        struct netlink_request r;

        link_change_port(&r, index, attribute, on);
        return netlink_exchange(sock, &r, NULL, NULL, err) < 0 ? cor_wrap(err, "set up the bridge's port") : 0;
}

int link_move(int sock, int index, const char *name, int netns, struct cor_err *err)
{
        struct netlink_request r;

        link_change_move(&r, index, name, netns);
        return netlink_exchange(sock, &r, NULL, NULL, err) < 0 ? cor_wrap(err, "move the interface") : 0;
}

/* ------------------------------------------------------------------------------------------------ VLANs of a bridge */

int link_vlan(int sock, int port, bool add, uint16_t first, uint16_t last, uint16_t flags, struct cor_err *err)
{
        struct netlink_request r;

        link_vlan_change(&r, port, add, first, last, flags);
        if (netlink_exchange(sock, &r, NULL, NULL, err) == 0)
                return 0;
        if (err && err->sys == EOPNOTSUPP)
                return cor_fail(err, COR_UNSUPPORTED, "this kernel has no VLAN filtering of bridges");
        return cor_wrap(err, "%s VLAN %u", add ? "add" : "remove", (unsigned)first);
}

static void add_vlan(uint16_t id, uint16_t flags, void *data)
{
        (void)flags;
        netlink_list_add(data, &id);
}

static void add_vlans(const struct netlink_message *m, struct netlink_list *l)
{
        link_vlan_read(m, *(const int *)l->wanted, add_vlan, l);
}

int link_vlan_list(int sock, int port, uint16_t **ret, size_t *ret_n, struct cor_err *err)
{
        struct netlink_list l = { .item_size = sizeof **ret, .take = add_vlans, .wanted = &port };
        struct netlink_request r;

        link_vlan_ask(&r);
        return netlink_list_get(sock, &r, &l, ret, ret_n, err) < 0 ? cor_wrap(err, "list VLANs") : 0;
}

/* -------------------------------------------------------------------------------------------------------------- tap */

int link_tap_add(const char *name, bool multi_queue, int64_t owner, int64_t group, struct cor_err *err)
{
        struct ifreq request = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL) };
        auto_fd fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

        if (fd < 0)
                return cor_fail_errno(err, "open /dev/net/tun");
        if (multi_queue)
                request.ifr_flags |= IFF_MULTI_QUEUE;
        snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
        if (ioctl(fd, TUNSETIFF, &request) < 0)
                return cor_fail_errno(err, "make tap interface %s", name);
        if (owner >= 0 && ioctl(fd, TUNSETOWNER, (unsigned long)owner) < 0)
                return cor_fail_errno(err, "set the owner of tap interface %s", name);
        if (group >= 0 && ioctl(fd, TUNSETGROUP, (unsigned long)group) < 0)
                return cor_fail_errno(err, "set the group of tap interface %s", name);
        return ioctl(fd, TUNSETPERSIST, 1UL) < 0 ? cor_fail_errno(err, "keep tap interface %s", name) : 0;
}

int link_random_name(const char *prefix, char ret[LINK_NAME_BYTES], struct cor_err *err)
{
        uint32_t random;

        if (getrandom(&random, sizeof random, 0) != sizeof random)
                return cor_fail_errno(err, "random number");
        snprintf(ret, LINK_NAME_BYTES, "%.7s%08x", prefix, random);
        return 0;
}
