#include "network/connect.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "linux/namespace.h"
#include "linux/netdev_message.h"
#include "linux/procfs.h"
#include "network/bridge.h"
#include "store/address.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#define INSIDE "eth0"
enum { ID_BYTES = 32 };

bool network_wanted(const char *mode)
{
        return !mode || !*mode || strcmp(mode, "default") == 0 || strcmp(mode, NETWORK_BRIDGE) == 0;
}

/* What is known of a connection before and while it is made. */
struct connection {
        const struct network_request *request;
        struct bridge bridge;
        uint32_t address;
        uint8_t mac[NETDEV_MAC_BYTES];
        char host_name[NETDEV_NAME_BYTES]; /* of the host's end */
        int netns, sock, inside;           /* the container's namespace; sockets here and there */
};

static void connection_done(struct connection *c)
{
        cor_fd_close(&c->netns);
        cor_fd_close(&c->sock);
        cor_fd_close(&c->inside);
}

/* 02:42 and the address, as docker has long made them: locally administered, and nobody else's on this bridge. */
static int choose_mac(struct connection *c, struct cor_err *err)
{
        const char *given = c->request->mac;
        unsigned b[NETDEV_MAC_BYTES] = {
                0x02, 0x42, c->address >> 24, c->address >> 16 & 255, c->address >> 8 & 255, c->address & 255
        };
        int used = 0;

        if (given && *given &&
            (sscanf(given, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &used) != 6 ||
             given[used]))
                return cor_fail(err, COR_INVALID, "invalid MAC address: %.40s", given);
        for (int i = 0; i < NETDEV_MAC_BYTES; i++)
                c->mac[i] = (uint8_t)b[i];
        return 0;
}

static int choose_address(struct store *s, struct connection *c, struct cor_err *err)
{
        uint32_t mask = UINT32_MAX << (32 - c->bridge.prefix_len);
        uint32_t first = (c->bridge.address & mask) + 2, last = (c->bridge.address | ~mask) - 1;

        return address_take(s, NETWORK_BRIDGE, first, last, c->request->number, &c->address, err);
}

/* A socket in the container's namespace belongs to it for ever; we are back in ours at once. */
static int open_inside(struct connection *c, struct cor_err *err)
{
        auto_fd procfs = procfs_open(err);
        auto_fd own = procfs < 0 ? -1 : namespace_open_pid(procfs, 0, CLONE_NEWNET, err);

        c->netns = own < 0 ? -1 : namespace_open_pid(procfs, c->request->pid, CLONE_NEWNET, err);
        if (c->netns < 0 || namespace_enter(c->netns, CLONE_NEWNET, err) < 0)
                return -1;
        c->inside = netlink_open(NETLINK_ROUTE, err);
        if (namespace_enter(own, CLONE_NEWNET, NULL) < 0) {
                cor_log(COR_LOG_ERROR, "cannot return to the host's network namespace");
                abort(); /* nothing that is done from here on would be done where it is meant */
        }
        return c->inside < 0 ? -1 : 0;
}

static int make_pair(struct connection *c, struct cor_err *err)
{
        struct netlink_request r;
        uint32_t random;

        if (getrandom(&random, sizeof random, 0) != sizeof random)
                return cor_fail_errno(err, "random number");
        snprintf(c->host_name, sizeof c->host_name, "veth%08x", random);
        netdev_make_veth(&r, c->host_name, c->bridge.index, INSIDE, c->netns, c->mac);
        return netlink_exchange(c->sock, &r, NULL, NULL, err) < 0 ? cor_wrap(err, "make interface %s", c->host_name)
                                                                  : 0;
}

static int take_link(const struct netlink_message *m, void *data, struct cor_err *err)
{
        (void)err;
        (void)netdev_read_link(m, data);
        return 0;
}

static int give_address(struct connection *c, struct cor_err *err)
{
        const uint32_t mask = UINT32_MAX << (32 - c->bridge.prefix_len);
        const uint32_t own = htonl(c->address), broadcast = htonl(c->address | ~mask);
        const uint32_t gateway = htonl(c->bridge.address);
        struct netdev_address a = { .family = AF_INET, .prefix_len = c->bridge.prefix_len };
        struct netdev_bytes by = { .len = sizeof gateway };
        struct netdev_link link = { 0 };
        struct netlink_request r;

        netdev_ask_link(&r, INSIDE);
        if (netlink_exchange(c->inside, &r, take_link, &link, err) < 0)
                return -1;
        a.local.len = a.address.len = a.broadcast.len = sizeof own;
        memcpy(a.local.bytes, &own, sizeof own);
        memcpy(a.address.bytes, &own, sizeof own);
        memcpy(a.broadcast.bytes, &broadcast, sizeof broadcast);
        memcpy(by.bytes, &gateway, sizeof gateway);
        netdev_make_address(&r, &a, link.index);
        if (netlink_exchange(c->inside, &r, NULL, NULL, err) < 0)
                return -1;
        netdev_make_up(&r, link.index);
        if (netlink_exchange(c->inside, &r, NULL, NULL, err) < 0)
                return -1;
        netdev_make_default_route(&r, link.index, &by);
        return netlink_exchange(c->inside, &r, NULL, NULL, err);
}

static int make(struct store *s, struct connection *c, struct cor_err *err)
{
        const char *run;
        auto_fd folder = -1;
        struct netlink_request r;

        if (store_run_path(s, &run, err) < 0)
                return -1;
        folder = open(run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0)
                return cor_fail_errno(err, "open %s", run);
        c->sock = netlink_open(NETLINK_ROUTE, err);
        if (c->sock < 0 || open_inside(c, err) < 0 || bridge_open(c->sock, folder, &c->bridge, err) < 0 ||
            choose_address(s, c, err) < 0)
                return -1;
        if (choose_mac(c, err) < 0 || make_pair(c, err) < 0) {
                network_disconnect(s, c->request->number);
                return -1;
        }
        if (give_address(c, err) == 0)
                return 0;
        netdev_make_delete(&r, c->host_name);
        (void)!netlink_exchange(c->sock, &r, NULL, NULL, NULL);
        network_disconnect(s, c->request->number);
        return -1;
}

/* ------------------------------------------------------------------------------------------------- what docker shows
 */

static char *print_address(uint32_t address)
{
        return cor_printf("%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

static char *print_mac(const uint8_t *m)
{
        return cor_printf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static struct docker_network_settings *describe(const struct connection *c)
{
        struct docker_network_settings *n = cor_alloc(sizeof *n);
        struct docker_endpoint *e = n->networks = cor_alloc(sizeof *e);

        n->n_networks = 1;
        e->name = NETWORK_BRIDGE;
        n->endpoint_id = e->endpoint_id = cor_random_hex(ID_BYTES);
        n->gateway = e->gateway = print_address(c->bridge.address);
        n->ip_address = e->ip_address = print_address(c->address);
        n->mac_address = e->mac_address = print_mac(c->mac);
        n->ip_prefix_len = e->ip_prefix_len = c->bridge.prefix_len;
        n->sandbox_key = cor_printf("/proc/%d/ns/net", (int)c->request->pid);
        n->sandbox_id = cor_random_hex(ID_BYTES);
        return n;
}

void network_settings_free(struct docker_network_settings *n)
{
        const char *const owned[] = { n ? n->endpoint_id : NULL, n ? n->gateway : NULL,     n ? n->ip_address : NULL,
                                      n ? n->mac_address : NULL, n ? n->sandbox_key : NULL, n ? n->sandbox_id : NULL };

        for (size_t i = 0; i < COR_COUNT(owned); i++)
                free((char *)owned[i]);
        if (n)
                free(n->networks);
        free(n);
}

int network_connect(struct store *s, const struct network_request *r, struct docker_network_settings **ret,
                    struct cor_err *err)
{
        COR_CLEANUP(connection_done)
        struct connection c = { .request = r, .netns = -1, .sock = -1, .inside = -1 };

        if (make(s, &c, err) < 0)
                return cor_wrap(err, "failed to set up container networking");
        *ret = describe(&c);
        return 0;
}

void network_disconnect(struct store *s, int64_t number)
{
        struct cor_err err = { 0 };

        if (address_drop(s, number, &err) < 0)
                cor_warn("the address of container number %lld: %s", (long long)number, err.msg);
}
