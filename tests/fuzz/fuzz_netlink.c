/* The readers of netlink answers: messages, attributes at three levels, acknowledgements, links and addresses. */
#include "linux/conntrack.h"
#include "linux/link_message.h"
#include "linux/netdev_message.h"
#include "linux/netlink.h"
#include "linux/nft_list.h"
#include "linux/route.h"
#include "linux/tc.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every byte that a reader hands out is touched, so that the sanitizers see whose it is. */
static unsigned touch(const uint8_t *p, size_t n)
{
        unsigned sum = 0;

        for (size_t i = 0; i < n; i++)
                sum += p[i];
        return sum;
}

static unsigned read_attributes(struct netlink_cursor c, int depth)
{
        struct netlink_attr a;
        unsigned sum = 0;

        while (netlink_next_attr(&c, &a)) {
                sum += touch(a.data, a.len) + netlink_u8(&a, 1) + netlink_u16(&a, 2) + netlink_u32(&a, 3);
                sum += (unsigned)netlink_u64(&a, 4);
                if (netlink_str(&a))
                        assert(strlen(netlink_str(&a)) < a.len);
                if (depth > 0)
                        sum += read_attributes(netlink_inside(&a), depth - 1);
        }
        return sum;
}

static void count_vlan(uint16_t id, uint16_t flags, void *data)
{
        *(unsigned *)data += (unsigned)id + flags;
}

/* Links, addresses, routes, rules and neighbours: whatever is said to be read is within its bounds. */
static void read_typed(const struct netlink_message *m)
{
        struct conntrack_entry entry;
        struct route_rule rule;
        struct nft_listed_rule listed;
        struct neighbour neighbour;
        struct tc_qdisc qdisc;
        struct address address;
        struct route route;
        struct link link;
        unsigned sum = 0;

        if (link_read(m, &link)) {
                assert(strlen(link.name) < sizeof link.name && strlen(link.kind) < sizeof link.kind);
                assert(strlen(link.alias) < sizeof link.alias && link.mac_len <= sizeof link.mac);
        }
        if (conntrack_read(m, &entry))
                assert(entry.protocol != 0);
        link_vlan_read(m, 1, count_vlan, &sum);
        if (address_read(m, &address))
                assert((address.ip.ip.len == 4 || address.ip.ip.len == 16) && address.ip.bits <= address.ip.ip.len * 8);
        if (route_read(m, &route))
                assert(route.dst.bits <= route.dst.ip.len * 8 && route.gateway.len <= 16 && route.source.len <= 16);
        if (route_rule_read(m, &rule))
                assert(rule.src.bits <= rule.src.ip.len * 8 && rule.dst.bits <= rule.dst.ip.len * 8);
        if (nft_listed_rule_read(m, &listed))
                assert(strlen(listed.chain) < sizeof listed.chain && strlen(listed.comment) < sizeof listed.comment);
        if (tc_read(m, &qdisc))
                assert(strlen(qdisc.kind) < sizeof qdisc.kind);
        if (neighbour_read(m, &neighbour))
                assert(neighbour.mac_len <= sizeof neighbour.mac && neighbour.ip.len <= 16);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct netlink_cursor c = { data, size };
        struct netlink_message m;

        while (netlink_next_message(&c, &m)) {
                struct netlink_cursor rest = { m.body, m.len };
                struct netdev_address address;
                struct netdev_link link;
                struct netlink_ack ack;
                uint8_t header[16];

                assert(m.body >= data && m.len <= size && c.left <= size);
                touch(m.body, m.len);
                read_attributes(rest, 2);
                if (netlink_header(&m, header, sizeof header, &rest))
                        read_attributes(rest, 2);
                if (netlink_read_ack(&m, &ack))
                        assert(ack.error >= 0 && ack.error <= 4095 && strlen(ack.text) < sizeof ack.text);
                read_typed(&m);
                if (netdev_read_link(&m, &link))
                        assert(strlen(link.name) < sizeof link.name);
                if (netdev_read_address(&m, &address))
                        assert(address.local.len <= 16 && address.address.len <= 16 && address.broadcast.len <= 16);
        }
        return 0;
}
