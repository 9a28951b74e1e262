/*
 * Making the bridge takes several steps, and somebody may be killed between any two of them: each is repeated by
 * whoever comes next, and does nothing where it was done. The last one is the firewall.
 */
#include "network/bridge.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "linux/netdev_message.h"
#include "linux/procfs.h"
#include "network/firewall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LOCK_MS = 10000, LOCK_STEP_US = 2000, DUMP_TRIES = 5 };

/* ------------------------------------------------------------------------------------------------------------ subnet
 */

static uint32_t netmask(uint8_t prefix_len)
{
        return prefix_len == 0 ? 0 : UINT32_MAX << (32 - prefix_len);
}

static bool overlap(const struct subnet *a, const struct subnet *b)
{
        uint32_t mask = netmask(a->prefix_len < b->prefix_len ? a->prefix_len : b->prefix_len);

        return (a->address & mask) == (b->address & mask);
}

static bool is_free(const struct subnet *candidate, const struct subnet *others, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (overlap(candidate, &others[i]))
                        return false;
        return true;
}

bool bridge_choose(const struct subnet *others, size_t n, struct subnet *ret)
{
        struct subnet s = { .prefix_len = 16 };

        for (uint32_t second = 17; second < 32; second++) { /* 172.17.0.0/16 to 172.31.0.0/16 */
                s.address = 172u << 24 | second << 16;
                if (is_free(&s, others, n))
                        goto found;
        }
        s.prefix_len = 20;
        for (uint32_t third = 0; third < 256; third += 16) { /* 192.168.0.0/20 to 192.168.240.0/20 */
                s.address = 192u << 24 | 168u << 16 | third << 8;
                if (is_free(&s, others, n))
                        goto found;
        }
        return false;
found:
        *ret = s;
        return true;
}

/* -------------------------------------------------------------------------------------------------- what the host has
 */

struct addresses {
        int bridge; /* index of the bridge */
        struct subnet own, *others;
        size_t n_others;
};

static int take_address(const struct netlink_message *m, void *data, struct cor_err *err)
{
        struct addresses *all = data;
        struct netdev_address a;
        struct subnet s;

        (void)err;
        if (!netdev_read_address(m, &a) || a.family != AF_INET || a.local.len != sizeof s.address)
                return 0;
        memcpy(&s.address, a.local.bytes, sizeof s.address);
        s.address = ntohl(s.address);
        s.prefix_len = a.prefix_len;
        if (a.index == all->bridge)
                all->own = s;
        else
                *COR_GROW(all->others, all->n_others) = s;
        return 0;
}

static int read_addresses(int sock, struct addresses *all, struct cor_err *err)
{
        struct netlink_request r;

        for (int i = 0; i < DUMP_TRIES; i++) {
                free(all->others);
                all->others = NULL;
                all->n_others = 0;
                netdev_ask_addresses(&r, 0);
                if (netlink_exchange(sock, &r, take_address, all, err) == 0)
                        return 0;
                if (err->kind != COR_BUSY)
                        break;
        }
        return cor_wrap(err, "read the host's addresses");
}

static int take_link(const struct netlink_message *m, void *data, struct cor_err *err)
{
        (void)err;
        (void)netdev_read_link(m, data);
        return 0;
}

/* 1, or 0 if there is none of that name */
static int find_link(int sock, struct netdev_link *ret, struct cor_err *err)
{
        struct netlink_request r;

        *ret = (struct netdev_link){ 0 };
        netdev_ask_link(&r, BRIDGE_INTERFACE);
        if (netlink_exchange(sock, &r, take_link, ret, err) == 0)
                return ret->index != 0;
        return err->sys == ENODEV ? 0 : -1;
}

/* -------------------------------------------------------------------------------------------------------------- making
 */

static int give_address(int sock, int index, const struct subnet *s, struct cor_err *err)
{
        const uint32_t address = htonl(s->address), broadcast = htonl(s->address | ~netmask(s->prefix_len));
        struct netdev_address a = { .family = AF_INET, .prefix_len = s->prefix_len };
        struct netlink_request r;

        a.local.len = a.address.len = a.broadcast.len = sizeof address;
        memcpy(a.local.bytes, &address, sizeof address);
        memcpy(a.address.bytes, &address, sizeof address);
        memcpy(a.broadcast.bytes, &broadcast, sizeof broadcast);
        netdev_make_address(&r, &a, index);
        return netlink_exchange(sock, &r, NULL, NULL, err) < 0 && err->sys != EEXIST ? -1 : 0;
}

static int set_up(int sock, int index, struct cor_err *err)
{
        struct netlink_request r;

        netdev_make_up(&r, index);
        return netlink_exchange(sock, &r, NULL, NULL, err);
}

static int forward(struct cor_err *err)
{
        auto_fd procfs = procfs_open(err);

        if (procfs < 0 || procfs_write(procfs, "sys/net/ipv4/ip_forward", "1", err) < 0)
                return cor_wrap(err, "let the host forward packets");
        return 0;
}

static int add_to_firewall(struct nft_change *c, void *data, struct cor_err *err)
{
        const struct firewall_network w = { .bridge = BRIDGE_INTERFACE, .together = true, .masquerade[0] = true };

        (void)data;
        (void)err;
        firewall_add_network(c, &w);
        return 0;
}

static int translate(struct cor_err *err)
{
        const struct firewall_content content = { .fill = add_to_firewall };
        auto_nft_change c = { .family = 0 };
        auto_fd sock = netlink_open(NETLINK_NETFILTER, err);
        int r = sock < 0 ? -1 : firewall_ensure(sock, &content, err);

        if (r != 0)
                return r < 0 ? -1 : 0;
        firewall_begin(&c);
        (void)!add_to_firewall(&c, NULL, err);
        return nft_change_commit(&c, sock, err);
}

static int make_link(int sock, struct netdev_link *link, struct cor_err *err)
{
        struct netlink_request r;
        int found = find_link(sock, link, err);

        if (found != 0)
                return found < 0 ? -1 : 0;
        netdev_make_bridge(&r, BRIDGE_INTERFACE);
        if (netlink_exchange(sock, &r, NULL, NULL, err) < 0)
                return -1;
        return find_link(sock, link, err) > 0 ? 0 : cor_wrap(err, "it is gone again");
}

static int make(int sock, struct bridge *ret, struct cor_err *err)
{
        struct addresses all = { .others = NULL };
        struct netdev_link link;
        int r = -1;

        if (make_link(sock, &link, err) < 0)
                return -1;
        all.bridge = link.index;
        if (read_addresses(sock, &all, err) < 0)
                goto out;
        if (all.own.prefix_len == 0) {
                if (!bridge_choose(all.others, all.n_others, &all.own)) {
                        cor_fail(err, COR_BUSY,
                                 "could not find an available, non-overlapping IPv4 address pool among the defaults");
                        goto out;
                }
                all.own.address |= 1;
                if (give_address(sock, link.index, &all.own, err) < 0)
                        goto out;
        }
        if (set_up(sock, link.index, err) < 0 || forward(err) < 0 || translate(err) < 0)
                goto out;
        *ret = (struct bridge){ .index = link.index, .address = all.own.address, .prefix_len = all.own.prefix_len };
        r = 0;
out:
        free(all.others);
        return r;
}

static int lock(int run, struct cor_err *err)
{
        auto_fd fd = openat(run, "network.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        int64_t end = cor_now_ms() + LOCK_MS;

        while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if ((errno != EWOULDBLOCK && errno != EINTR) || cor_now_ms() > end)
                        return cor_fail_errno(err, "lock network.lock");
                usleep(LOCK_STEP_US);
        }
        return fd < 0 ? cor_fail_errno(err, "open network.lock") : cor_fd_take(&fd);
}

int bridge_open(int sock, int run, struct bridge *ret, struct cor_err *err)
{
        auto_fd held = lock(run, err);

        if (held < 0 || make(sock, ret, err) < 0)
                return cor_wrap(err, "network " BRIDGE_INTERFACE);
        return 0;
}
