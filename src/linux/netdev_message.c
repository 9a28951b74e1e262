#include "linux/netdev_message.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

/* Flags that an address is made with; the others are states that the kernel finds out by itself. */
enum { KEPT_FLAGS = IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN };

bool netdev_read_link(const struct netlink_message *m, struct netdev_link *ret)
{
        struct netlink_cursor c;
        struct netlink_attr a;
        struct ifinfomsg h;

        if (m->type != RTM_NEWLINK || !netlink_header(m, &h, sizeof h, &c))
                return false;
        *ret = (struct netdev_link){ .index = h.ifi_index, .flags = h.ifi_flags };
        while (netlink_next_attr(&c, &a)) {
                const char *name = a.type == IFLA_IFNAME ? netlink_str(&a) : NULL;

                if (name && strlen(name) < sizeof ret->name)
                        memcpy(ret->name, name, strlen(name) + 1);
        }
        return true;
}

static void read_bytes(const struct netlink_attr *a, struct netdev_bytes *ret)
{
        if (a->len > sizeof ret->bytes)
                return;
        ret->len = (uint8_t)a->len;
        if (a->len)
                memcpy(ret->bytes, a->data, a->len);
}

bool netdev_read_address(const struct netlink_message *m, struct netdev_address *ret)
{
        struct netlink_cursor c;
        struct netlink_attr a;
        struct ifaddrmsg h;

        if (m->type != RTM_NEWADDR || !netlink_header(m, &h, sizeof h, &c))
                return false;
        *ret = (struct netdev_address){
                .index = (int)h.ifa_index,
                .family = h.ifa_family,
                .prefix_len = h.ifa_prefixlen,
                .scope = h.ifa_scope,
                .flags = h.ifa_flags,
        };
        while (netlink_next_attr(&c, &a)) {
                if (a.type == IFA_LOCAL)
                        read_bytes(&a, &ret->local);
                else if (a.type == IFA_ADDRESS)
                        read_bytes(&a, &ret->address);
                else if (a.type == IFA_BROADCAST)
                        read_bytes(&a, &ret->broadcast);
                else if (a.type == IFA_FLAGS)
                        ret->flags = netlink_u32(&a, ret->flags);
                else if (a.type == IFA_RT_PRIORITY)
                        ret->metric = netlink_u32(&a, 0);
        }
        return true;
}

static void begin_link(struct netlink_request *r, uint16_t type, int index, unsigned flags, unsigned change)
{
        struct ifinfomsg h = { .ifi_index = index, .ifi_flags = flags, .ifi_change = change };

        netlink_begin(r, type, 0, &h, sizeof h);
}

void netdev_ask_link(struct netlink_request *r, const char *name)
{
        begin_link(r, RTM_GETLINK, 0, 0, 0);
        netlink_put_str(r, IFLA_IFNAME, name);
}

void netdev_ask_addresses(struct netlink_request *r, int index)
{
        struct ifaddrmsg h = { .ifa_family = AF_UNSPEC, .ifa_index = (unsigned)index };

        netlink_begin(r, RTM_GETADDR, NLM_F_DUMP, &h, sizeof h);
}

void netdev_make_move(struct netlink_request *r, int index, const char *name, int netns)
{
        begin_link(r, RTM_NEWLINK, index, 0, 0);
        netlink_put_u32(r, IFLA_NET_NS_FD, (uint32_t)netns);
        netlink_put_str(r, IFLA_IFNAME, name);
}

void netdev_make_name(struct netlink_request *r, int index, const char *name)
{
        begin_link(r, RTM_NEWLINK, index, 0, 0);
        netlink_put_str(r, IFLA_IFNAME, name);
}

void netdev_make_up(struct netlink_request *r, int index)
{
        begin_link(r, RTM_NEWLINK, index, IFF_UP, IFF_UP);
}

static void put_bytes(struct netlink_request *r, uint16_t type, const struct netdev_bytes *b)
{
        if (b->len)
                netlink_put(r, type, b->bytes, b->len);
}

void netdev_make_address(struct netlink_request *r, const struct netdev_address *a, int index)
{
        struct ifaddrmsg h = {
                .ifa_family = a->family,
                .ifa_prefixlen = a->prefix_len,
                .ifa_scope = a->scope,
                .ifa_index = (unsigned)index,
        };

        netlink_begin(r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &h, sizeof h);
        put_bytes(r, IFA_LOCAL, &a->local);
        put_bytes(r, IFA_ADDRESS, &a->address);
        put_bytes(r, IFA_BROADCAST, &a->broadcast);
        netlink_put_u32(r, IFA_FLAGS, a->flags & KEPT_FLAGS);
        if (a->metric)
                netlink_put_u32(r, IFA_RT_PRIORITY, a->metric);
}
