/*
 * Moving an interface takes its addresses away and sets it down, so they are read before and given back after. It
 * happens in the runtime's process, which has a netlink socket in either network namespace; a socket belongs for ever
 * to the namespace it was made in. If anything fails, what was moved already is brought back: a virtual device would
 * vanish together with the container's namespace.
 */
#include "linux/netdev.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "linux/namespace.h"
#include "linux/netdev_message.h"

enum { DUMP_TRIES = 5 };

struct side {
        int netns, sock;
};

/* An interface on its way. */
struct moving {
        const char *host_name;
        struct netdev_link link; /* where it is now */
        bool was_up;
        struct netdev_address *addresses;
        size_t n_addresses;
};

int netdev_lo_up(struct cor_err *err)
{
        /* Any socket will do, and this kind is there whatever the kernel has of IPv4 and IPv6. */
        auto_fd sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

        if (sock < 0)
                return cor_fail_errno(err, "set up the loopback interface: make a socket");
        if (ioctl(sock, SIOCSIFFLAGS, &request) < 0)
                return cor_fail_errno(err, "set up the loopback interface");
        return 0;
}

static int take_link(const struct netlink_message *m, void *data, struct cor_err *err)
{
        (void)netdev_read_link(m, data);
        return 0;
}

static int find_link(int sock, const char *name, struct netdev_link *ret, struct cor_err *err)
{
        struct netdev_link link = { 0 };
        struct netlink_request r;

        netdev_ask_link(&r, name);
        if (netlink_exchange(sock, &r, take_link, &link, err) < 0)
                return -1;
        if (link.index == 0) {
                errno = ENODEV;
                return cor_fail_errno(err, "the kernel's answer names no interface");
        }
        *ret = link;
        return 0;
}

/* Permanent and global ones: the specification's "persistent, external communication" */
static int take_address(const struct netlink_message *m, void *data, struct cor_err *err)
{
        struct moving *moving = data;
        struct netdev_address a;

        if (!netdev_read_address(m, &a) || a.index != moving->link.index)
                return 0;
        if (a.flags & IFA_F_PERMANENT && a.scope == RT_SCOPE_UNIVERSE)
                *COR_GROW(moving->addresses, moving->n_addresses) = a;
        return 0;
}

static int read_addresses(int sock, struct moving *m, struct cor_err *err)
{
        struct netlink_request r;

        for (int i = 0; i < DUMP_TRIES; i++) {
                m->n_addresses = 0;
                free(m->addresses);
                m->addresses = NULL;
                netdev_ask_addresses(&r, m->link.index);
                if (netlink_exchange(sock, &r, take_address, m, err) == 0)
                        return 0;
                if (err->kind != COR_BUSY)
                        break;
        }
        return cor_wrap(err, "read its addresses");
}

static int add_addresses(int sock, const struct moving *m, struct cor_err *err)
{
        struct netlink_request r;

        for (size_t i = 0; i < m->n_addresses; i++) {
                netdev_make_address(&r, &m->addresses[i], m->link.index);
                if (netlink_exchange(sock, &r, NULL, NULL, err) < 0 && err->sys != EEXIST)
                        return cor_wrap(err, "give it its addresses");
        }
        return 0;
}

/* From one namespace to the other, by a name that is free there; link.index is the new one afterwards. */
static int cross(const struct side *from, const struct side *to, struct moving *m, const char *name,
                 struct cor_err *err)
{
        struct netlink_request r;

        netdev_make_move(&r, m->link.index, name, to->netns);
        if (netlink_exchange(from->sock, &r, NULL, NULL, err) < 0)
                return cor_wrap(err, "move it");
        if (find_link(to->sock, name, &m->link, err) < 0)
                return cor_wrap(err, "find it after the move");
        return 0;
}

static int set_up(int sock, const struct moving *m, struct cor_err *err)
{
        struct netlink_request r;

        netdev_make_up(&r, m->link.index);
        return netlink_exchange(sock, &r, NULL, NULL, err) < 0 ? cor_wrap(err, "set it up") : 0;
}

static void bring_back(const struct side *host, const struct side *target, struct moving *m)
{
        struct cor_err ignored; /* the error that led here is the one to tell */

        if (cross(target, host, m, m->host_name, &ignored) == 0 && add_addresses(host->sock, m, &ignored) == 0 &&
            m->was_up)
                (void)!set_up(host->sock, m, &ignored);
}

/*
 * The final name may be a template ("eth%d") that the kernel completes, so that one would not know it afterwards: such
 * an interface crosses under a name of ours and is renamed behind.
 */
static int settle(const struct side *target, struct moving *m, const char *template, struct cor_err *err)
{
        struct netlink_request r;

        if (template) {
                netdev_make_name(&r, m->link.index, template);
                if (netlink_exchange(target->sock, &r, NULL, NULL, err) < 0)
                        return cor_wrap(err, "name it %s", template);
        }
        if (add_addresses(target->sock, m, err) < 0)
                return -1;
        return set_up(target->sock, m, err);
}

static int move_one(const struct side *host, const struct side *target, const char *name, struct moving *m,
                    struct cor_err *err)
{
        bool is_template = strchr(name, '%') != NULL;
        char crossing[NETDEV_NAME_BYTES];
        struct netdev_link other;
        struct cor_err absent;

        if (find_link(host->sock, m->host_name, &m->link, err) < 0)
                return -1;
        m->was_up = m->link.flags & IFF_UP;
        if (read_addresses(host->sock, m, err) < 0)
                return -1;

        if (is_template)
                snprintf(crossing, sizeof crossing, "cor%08x", (unsigned)m->link.index);
        else
                snprintf(crossing, sizeof crossing, "%s", name);
        if (find_link(target->sock, crossing, &other, &absent) == 0)
                return cor_fail(err, COR_EXISTS, "the container has an interface %s already", crossing);
        if (absent.sys != ENODEV) {
                *err = absent;
                return -1;
        }
        if (cross(host, target, m, crossing, err) < 0)
                return -1;
        if (settle(target, m, is_template ? name : NULL, err) < 0) {
                bring_back(host, target, m);
                return -1;
        }
        return 0;
}

/* A socket in @netns, made on a short visit there. */
static int visit(int procfs, struct side *host, struct side *target, struct cor_err *err)
{
        struct cor_err failed = { 0 };

        host->netns = namespace_open_pid(procfs, 0, CLONE_NEWNET, err);
        if (host->netns < 0 || (host->sock = netlink_open(NETLINK_ROUTE, err)) < 0)
                return -1;
        if (namespace_enter(target->netns, CLONE_NEWNET, err) < 0)
                return -1;
        target->sock = netlink_open(NETLINK_ROUTE, &failed);
        if (namespace_enter(host->netns, CLONE_NEWNET, err) < 0)
                return cor_wrap(err, "come back from the container's network namespace");
        if (target->sock < 0)
                *err = failed;
        return target->sock < 0 ? -1 : 0;
}

int netdev_move_all(int procfs, int netns, const struct oci_net_device *devices, size_t n_devices, struct cor_err *err)
{
        struct side host = { -1, -1 }, target = { netns, -1 };
        struct moving *moving auto_free = NULL;
        size_t done = 0;
        int result;

        if (n_devices == 0)
                return 0;
        moving = cor_alloc(n_devices * sizeof *moving);
        result = visit(procfs, &host, &target, err);
        for (; result == 0 && done < n_devices; done++) {
                const struct oci_net_device *d = &devices[done];

                moving[done].host_name = d->host_name;
                result = move_one(&host, &target, d->name ? d->name : d->host_name, &moving[done], err);
                if (result < 0) {
                        cor_wrap(err, "linux.netDevices[\"%s\"]", d->host_name);
                        break;
                }
        }
        for (size_t i = 0; i < n_devices; i++) {
                if (result < 0 && i < done)
                        bring_back(&host, &target, &moving[i]);
                free(moving[i].addresses);
        }
        cor_fd_close(&host.netns);
        cor_fd_close(&host.sock);
        cor_fd_close(&target.sock);
        return result;
}
