#include "linux/link_message.h"

#include <ctype.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef IFLA_MACVLAN_BC_QUEUE_LEN /* newer than the headers of the oldest system we are built on */
#define IFLA_MACVLAN_BC_QUEUE_LEN 7
#endif

/* ---------------------------------------------------------------------------------------------------------- reading */

static void copy_text(const struct netlink_attr *a, char *to, size_t size)
{
        const char *s = netlink_str(a);

        if (s && strlen(s) < size)
                memcpy(to, s, strlen(s) + 1);
}

static void read_data(struct netlink_cursor c, struct link *l)
{
        struct netlink_attr a;

        while (netlink_next_attr(&c, &a)) {
                if (strcmp(l->kind, "vlan") == 0 && a.type == IFLA_VLAN_ID)
                        l->vlan = netlink_u16(&a, 0);
                else if (strcmp(l->kind, "macvlan") == 0 && a.type == IFLA_MACVLAN_MODE)
                        l->macvlan_mode = netlink_u32(&a, 0);
                else if (strcmp(l->kind, "ipvlan") == 0 && a.type == IFLA_IPVLAN_MODE)
                        l->ipvlan_mode = netlink_u16(&a, 0);
                else if (strcmp(l->kind, "vrf") == 0 && a.type == IFLA_VRF_TABLE)
                        l->vrf_table = netlink_u32(&a, 0);
                else if (strcmp(l->kind, "bridge") == 0 && a.type == IFLA_BR_VLAN_FILTERING)
                        l->vlan_filtering = netlink_u8(&a, 0) != 0;
        }
}

/* The kind comes first, and says how to read the data. */
static void read_info(struct netlink_cursor c, struct link *l)
{
        struct netlink_attr a;

        while (netlink_next_attr(&c, &a)) {
                if (a.type == IFLA_INFO_KIND)
                        copy_text(&a, l->kind, sizeof l->kind);
                else if (a.type == IFLA_INFO_DATA)
                        read_data(netlink_inside(&a), l);
        }
}

static void read_attribute(const struct netlink_attr *a, struct link *l)
{
        switch (a->type) {
        case IFLA_IFNAME:
                copy_text(a, l->name, sizeof l->name);
                break;
        case IFLA_IFALIAS:
                copy_text(a, l->alias, sizeof l->alias);
                break;
        case IFLA_ADDRESS:
                if (a->len <= sizeof l->mac) {
                        l->mac_len = (uint8_t)a->len;
                        memcpy(l->mac, a->data, a->len);
                }
                break;
        case IFLA_MTU:
                l->mtu = netlink_u32(a, 0);
                break;
        case IFLA_TXQLEN:
                l->queue_len = netlink_u32(a, 0);
                break;
        case IFLA_PROMISCUITY:
                l->promiscuity = netlink_u32(a, 0);
                break;
        case IFLA_MASTER:
                l->master = (int)netlink_u32(a, 0);
                break;
        case IFLA_LINK:
                l->parent = (int)netlink_u32(a, 0);
                break;
        case IFLA_LINK_NETNSID:
                l->has_parent_netns = true;
                break;
        case IFLA_OPERSTATE:
                l->operstate = netlink_u8(a, 0);
                break;
        case IFLA_LINKINFO:
                read_info(netlink_inside(a), l);
                break;
        default:
                break;
        }
}

bool link_read(const struct netlink_message *m, struct link *ret)
{
        struct netlink_cursor c;
        struct netlink_attr a;
        struct ifinfomsg h;

        if (m->type != RTM_NEWLINK || !netlink_header(m, &h, sizeof h, &c) || h.ifi_family != AF_UNSPEC)
                return false;
        *ret = (struct link){ .index = h.ifi_index, .flags = h.ifi_flags };
        while (netlink_next_attr(&c, &a))
                read_attribute(&a, ret);
        return true;
}

/* ---------------------------------------------------------------------------------------------------------- writing */

static void begin(struct netlink_request *r, uint16_t type, uint16_t message_flags, struct ifinfomsg h)
{
        netlink_begin(r, type, message_flags, &h, sizeof h);
}

void link_ask(struct netlink_request *r, const char *name, int index)
{
        begin(r, RTM_GETLINK, 0, (struct ifinfomsg){ .ifi_index = name ? 0 : index });
        if (name)
                netlink_put_str(r, IFLA_IFNAME, name);
}

void link_ask_all(struct netlink_request *r, int master)
{
        begin(r, RTM_GETLINK, NLM_F_DUMP, (struct ifinfomsg){ .ifi_index = 0 });
        if (master)
                netlink_put_u32(r, IFLA_MASTER, (uint32_t)master);
}

static void put_peer(struct netlink_request *r, const struct link_new *l)
{
        const struct ifinfomsg h = { .ifi_family = AF_UNSPEC };
        size_t nest = netlink_nest(r, VETH_INFO_PEER);

        netlink_put_header(r, &h, sizeof h);
        if (l->peer.name)
                netlink_put_str(r, IFLA_IFNAME, l->peer.name);
        if (l->peer.mac)
                netlink_put(r, IFLA_ADDRESS, l->peer.mac, LINK_MAC_BYTES);
        if (l->peer.mtu)
                netlink_put_u32(r, IFLA_MTU, l->peer.mtu);
        if (l->peer.netns >= 0)
                netlink_put_u32(r, IFLA_NET_NS_FD, (uint32_t)l->peer.netns);
        netlink_nest_end(r, nest);
}

static void put_data(struct netlink_request *r, const struct link_new *l)
{
        size_t data = netlink_nest(r, IFLA_INFO_DATA);

        if (l->peer.name)
                put_peer(r, l);
        if (strcmp(l->kind, "vlan") == 0)
                netlink_put_u16(r, IFLA_VLAN_ID, l->vlan);
        if (l->macvlan_mode)
                netlink_put_u32(r, IFLA_MACVLAN_MODE, l->macvlan_mode);
        if (l->macvlan_broadcast_queue)
                netlink_put_u32(r, IFLA_MACVLAN_BC_QUEUE_LEN, l->macvlan_broadcast_queue);
        if (l->ipvlan)
                netlink_put_u16(r, IFLA_IPVLAN_MODE, l->ipvlan_mode);
        if (l->vrf_table)
                netlink_put_u32(r, IFLA_VRF_TABLE, l->vrf_table);
        if (l->vlan_filtering)
                netlink_put_u8(r, IFLA_BR_VLAN_FILTERING, 1);
        netlink_nest_end(r, data);
}

void link_make(struct netlink_request *r, const struct link_new *l)
{
        size_t info;

        begin(r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
              (struct ifinfomsg){ .ifi_flags = l->flags, .ifi_change = l->flags });
        netlink_put_str(r, IFLA_IFNAME, l->name);
        if (l->parent)
                netlink_put_u32(r, IFLA_LINK, (uint32_t)l->parent);
        if (l->master)
                netlink_put_u32(r, IFLA_MASTER, (uint32_t)l->master);
        if (l->mtu)
                netlink_put_u32(r, IFLA_MTU, l->mtu);
        if (l->queue_len)
                netlink_put_u32(r, IFLA_TXQLEN, l->queue_len);
        if (l->mac)
                netlink_put(r, IFLA_ADDRESS, l->mac, LINK_MAC_BYTES);
        if (l->netns >= 0)
                netlink_put_u32(r, IFLA_NET_NS_FD, (uint32_t)l->netns);
        info = netlink_nest(r, IFLA_LINKINFO);
        netlink_put_str(r, IFLA_INFO_KIND, l->kind);
        put_data(r, l);
        netlink_nest_end(r, info);
}

void link_make_delete(struct netlink_request *r, int index)
{
        begin(r, RTM_DELLINK, 0, (struct ifinfomsg){ .ifi_index = index });
}

void link_change(struct netlink_request *r, int index, unsigned flags, unsigned change)
{
        begin(r, RTM_NEWLINK, 0, (struct ifinfomsg){ .ifi_index = index, .ifi_flags = flags, .ifi_change = change });
}

void link_change_move(struct netlink_request *r, int index, const char *name, int netns)
{
        link_change(r, index, 0, 0);
        netlink_put_u32(r, IFLA_NET_NS_FD, (uint32_t)netns);
        if (name)
                netlink_put_str(r, IFLA_IFNAME, name);
}

void link_change_port(struct netlink_request *r, int index, uint16_t attribute, bool on)
{
        size_t nest;

        begin(r, RTM_SETLINK, 0, (struct ifinfomsg){ .ifi_family = AF_BRIDGE, .ifi_index = index });
        nest = netlink_nest(r, IFLA_PROTINFO);
        netlink_put_u8(r, attribute, on);
        netlink_nest_end(r, nest);
}

/* ------------------------------------------------------------------------------------------------ VLANs of a bridge */

void link_vlan_change(struct netlink_request *r, int port, bool add, uint16_t first, uint16_t last, uint16_t flags)
{
        struct bridge_vlan_info v = { .vid = first, .flags = flags };
        size_t nest;

        begin(r, add ? RTM_SETLINK : RTM_DELLINK, 0, (struct ifinfomsg){ .ifi_family = AF_BRIDGE, .ifi_index = port });
        nest = netlink_nest(r, IFLA_AF_SPEC);
        if (last > first) {
                v.flags = flags | BRIDGE_VLAN_INFO_RANGE_BEGIN;
                netlink_put(r, IFLA_BRIDGE_VLAN_INFO, &v, sizeof v);
                v = (struct bridge_vlan_info){ .vid = last, .flags = flags | BRIDGE_VLAN_INFO_RANGE_END };
        }
        netlink_put(r, IFLA_BRIDGE_VLAN_INFO, &v, sizeof v);
        netlink_nest_end(r, nest);
}

void link_vlan_ask(struct netlink_request *r)
{
        begin(r, RTM_GETLINK, NLM_F_DUMP, (struct ifinfomsg){ .ifi_family = AF_BRIDGE });
        netlink_put_u32(r, IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN);
}

void link_vlan_read(const struct netlink_message *m, int port, void (*each)(uint16_t id, uint16_t flags, void *data),
                    void *data)
{
        struct netlink_cursor c, inside;
        struct netlink_attr a;
        struct ifinfomsg h;

        if (m->type != RTM_NEWLINK || !netlink_header(m, &h, sizeof h, &c) || h.ifi_index != port)
                return;
        while (netlink_next_attr(&c, &a)) {
                if (a.type != IFLA_AF_SPEC)
                        continue;
                inside = netlink_inside(&a);
                while (netlink_next_attr(&inside, &a)) {
                        struct bridge_vlan_info v;

                        if (a.type != IFLA_BRIDGE_VLAN_INFO || a.len < sizeof v)
                                continue;
                        memcpy(&v, a.data, sizeof v);
                        each(v.vid, v.flags, data);
                }
        }
}

/* ------------------------------------------------------------------------------------------------------------- text */

int link_mac_parse(const char *s, uint8_t ret[LINK_MAC_BYTES])
{
        uint8_t mac[LINK_MAC_BYTES];
        char separator = s[0] && s[1] ? s[2] : '\0';

        if ((separator != ':' && separator != '-') || strlen(s) != 3 * LINK_MAC_BYTES - 1)
                return -1;
        for (size_t i = 0; i < LINK_MAC_BYTES; i++) {
                const char *p = s + 3 * i;
                const char pair[3] = { p[0], p[1], '\0' };

                if (!isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1]) ||
                    (i < LINK_MAC_BYTES - 1 && p[2] != separator))
                        return -1;
                mac[i] = (uint8_t)strtoul(pair, NULL, 16);
        }
        memcpy(ret, mac, sizeof mac);
        return 0;
}

const char *link_mac_text(const uint8_t *mac, size_t len, char buf[LINK_MAC_TEXT_BYTES])
{
        size_t used = 0;

        buf[0] = '\0';
        for (size_t i = 0; i < len && used + 3 < LINK_MAC_TEXT_BYTES; i++)
                used += (size_t)snprintf(buf + used, LINK_MAC_TEXT_BYTES - used, i ? ":%02x" : "%02x", mac[i]);
        return buf;
}

bool link_name_valid(const char *name)
{
        size_t len = strlen(name);

        if (len == 0 || len >= LINK_NAME_BYTES || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                return false;
        for (; *name; name++)
                if (*name == '/' || *name == ':' || isspace((unsigned char)*name) || iscntrl((unsigned char)*name))
                        return false;
        return true;
}
