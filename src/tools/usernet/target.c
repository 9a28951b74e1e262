/*
 * How the interface comes about. A short-lived child does it, so that this program never is in a namespace of the
 * target:
 *
 *   1  enters the user namespace that owns the network namespace, unless we are in it
 *   2  makes a network namespace for a moment, in which it opens /dev/net/tun and makes the interface
 *   3  moves the interface into the target, enters it, and with --configure sets addresses, routes and MTU
 *   4  reports, sends the descriptor, and ends
 *
 * Why the detour in 2: an open /dev/net/tun keeps the network namespace that it was opened in for as long as it is
 * open. Opened in the target it would keep alive what it is to serve, and nobody would ever know that all others have
 * left.
 */
#include "tools/usernet/target.h"

#include "base/fd.h"
#include "base/process.h"
#include "linux/link.h"
#include "linux/namespace.h"
#include "linux/procfs.h"
#include "linux/route.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CHILD_MS = 60000 };

/* What the child is to do; the descriptors are this process's. */
struct plan {
        const struct usernet_options *o;
        int userns, netns; /* userns -1: stay */
};

/* MSG: child to parent, once; the descriptor follows if it went well. */
struct report {
        struct cor_err err;
        bool failed, offload;
        uint8_t mac[LINK_MAC_BYTES];
};

struct ip target_ip(const struct usernet_options *o, uint32_t offset)
{
        struct ip ip = o->network.ip;
        uint32_t n =
                ((uint32_t)ip.bytes[0] << 24 | (uint32_t)ip.bytes[1] << 16 | (uint32_t)ip.bytes[2] << 8 | ip.bytes[3]) +
                offset;

        for (int i = 0; i < 4; i++)
                ip.bytes[i] = (uint8_t)(n >> (24 - 8 * i));
        return ip;
}

struct ip target_guest_address(const struct usernet_options *o, const struct target *t, uint8_t len)
{
        const uint8_t *m = t->mac;
        /* RFC 4291, appendix A: the interface identifier of a MAC address */
        struct ip ip = { 16, { 0xfd, 0, 0, 0, 0, 0, 0, 0, m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5] } };

        return len == 4 ? target_ip(o, 100) : ip;
}

void target_done(struct target *t)
{
        cor_fd_close(&t->frames);
        cor_fd_close(&t->listening);
        cor_fd_close(&t->userns);
}

/* -------------------------------------------------------------------------------------------------------- the child */

/* Make it, or take the one that is there. */
static int open_tap(const char *name, bool there, bool *ret_offload, struct cor_err *err)
{
        struct ifreq request = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR) };
        auto_fd fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

        if (fd < 0)
                return cor_fail_errno(err, "open /dev/net/tun");
        if (!there)
                request.ifr_flags |= (short)IFF_TUN_EXCL;
        snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
        if (ioctl(fd, TUNSETIFF, &request) < 0)
                return cor_fail_errno(err, "%s tap interface %s", there ? "take" : "make", name);
        /* Segments of 64 KiB, whatever the MTU, and sums that are not made: the kernel's work for many frames at once.
         */
        *ret_offload = ioctl(fd, TUNSETOFFLOAD, (unsigned long)(TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)) == 0;
        return cor_fd_take(&fd);
}

static int move_tap(const struct plan *p, struct cor_err *err)
{
        auto_fd sock = netlink_open(NETLINK_ROUTE, err);
        struct link link;

        if (sock < 0 || link_get(sock, p->o->tap, &link, err) < 0)
                return -1;
        if (link_move(sock, link.index, NULL, p->netns, err) < 0)
                return cor_wrap(err, "give interface %s to the network namespace", p->o->tap);
        return namespace_enter(p->netns, CLONE_NEWNET, err);
}

static int make_tap(const struct plan *p, bool *ret_offload, struct cor_err *err)
{
        auto_fd tap = -1;

        if (namespace_unshare(CLONE_NEWNET, err) < 0)
                return -1;
        tap = open_tap(p->o->tap, false, ret_offload, err);
        if (tap < 0 || move_tap(p, err) < 0)
                return -1;
        return cor_fd_take(&tap);
}

static int is_there(const char *name, struct cor_err *err)
{
        auto_fd sock = netlink_open(NETLINK_ROUTE, err);
        struct link link;

        return sock < 0 ? -1 : link_find(sock, name, &link, err);
}

static int set_up_tap(const struct usernet_options *o, int sock, int index, struct cor_err *err)
{
        struct address address = { .index = index, .ip = { target_ip(o, 100), o->network.bits } };
        struct route route = { .dst = { { 4, { 0 } }, 0 }, .gateway = target_ip(o, 2), .index = index };

        address.broadcast = ip_prefix_last(&o->network);
        if (o->has_mac && link_set_mac(sock, index, o->mac, sizeof o->mac, err) < 0)
                return -1;
        if (link_set_mtu(sock, index, o->mtu, err) < 0 || link_set_up(sock, index, true, err) < 0 ||
            address_add(sock, &address, err) < 0)
                return -1;
        return route_add(sock, &route, err) < 0 ? cor_wrap(err, "add the default route") : 0;
}

static int configure(const struct usernet_options *o, struct report *r, struct cor_err *err)
{
        auto_fd sock = netlink_open(NETLINK_ROUTE, err);
        struct link tap, lo;

        if (sock < 0 || link_get(sock, o->tap, &tap, err) < 0)
                return -1;
        if (o->configure) {
                if (link_get(sock, "lo", &lo, err) < 0 || link_set_up(sock, lo.index, true, err) < 0)
                        return -1;
                if (set_up_tap(o, sock, tap.index, err) < 0)
                        return cor_wrap(err, "configure interface %s", o->tap);
                if (link_get(sock, o->tap, &tap, err) < 0)
                        return -1;
        }
        memcpy(r->mac, tap.mac, sizeof r->mac);
        return 0;
}

static int work(const struct plan *p, struct report *r)
{
        auto_fd tap = -1;
        int there;

        if (p->userns >= 0 && namespace_enter(p->userns, CLONE_NEWUSER, &r->err) < 0)
                return -1;
        if (namespace_enter(p->netns, CLONE_NEWNET, &r->err) < 0)
                return -1;
        there = is_there(p->o->tap, &r->err);
        if (there < 0)
                return -1;
        tap = there ? open_tap(p->o->tap, true, &r->offload, &r->err) : make_tap(p, &r->offload, &r->err);
        if (tap < 0 || configure(p->o, r, &r->err) < 0)
                return -1;
        return cor_fd_take(&tap);
}

static void serve(void *context, int socket)
{
        struct report r = { .failed = false };
        int tap;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        tap = work(context, &r);
        r.failed = tap < 0;
        if (cor_write_full(socket, &r, sizeof r, NULL) < 0 || tap < 0)
                _exit(1);
        _exit(cor_send_fd(socket, tap, "", 1, NULL) < 0 ? 1 : 0);
}

/* ------------------------------------------------------------------------------------------------------- the parent */

static int take_report(int socket, struct target *t, struct cor_err *err)
{
        struct report r;
        char byte;
        int ready = cor_wait_readable(socket, CHILD_MS, err);
        ssize_t n;

        if (ready <= 0)
                return ready < 0 ? -1 : cor_fail(err, COR_TIMEOUT, "no answer in %d s", CHILD_MS / 1000);
        n = cor_recv(socket, &r, sizeof r, 0);
        if (n != (ssize_t)sizeof r)
                return n < 0 ? cor_fail_errno(err, "no answer") : cor_fail(err, COR_SYSTEM, "it ended unexpectedly");
        if (r.failed) {
                *err = r.err;
                return -1;
        }
        t->offload = r.offload;
        memcpy(t->mac, r.mac, sizeof t->mac);
        t->frames = cor_recv_fd(socket, &byte, 1, NULL, err);
        return t->frames < 0 ? -1 : 0;
}

static int run_child(const struct plan *p, struct target *t, struct cor_err *err)
{
        struct plan plan = *p;
        auto_fd socket = -1;
        pid_t pid;
        int ret;

        socket = cor_child_serve(serve, &plan, &pid, err);
        if (socket < 0)
                return -1;
        ret = take_report(socket, t, err);
        cor_fd_close(&socket);
        if (ret < 0)
                kill(pid, SIGKILL);
        (void)cor_child_wait(pid, CHILD_MS, NULL);
        return ret;
}

/* The one that owns @netns; -1 without an error if it is out of our reach: then the process's own is tried. */
static int open_userns(const struct usernet_options *o, int procfs, int netns, struct cor_err *err)
{
        int fd;

        if (o->userns_path)
                return namespace_open(o->userns_path, CLONE_NEWUSER, err);
        fd = ioctl(netns, NS_GET_USERNS);
        if (fd >= 0)
                return cor_fd_cloexec(fd, true, err) < 0 ? -1 : fd;
        if (o->pid)
                return namespace_open_pid(procfs, o->pid, CLONE_NEWUSER, err);
        return cor_fail_errno(err, "find the user namespace of network namespace %s", o->path);
}

static int open_namespaces(const struct usernet_options *o, struct plan *p, struct cor_err *err)
{
        auto_fd procfs = procfs_open(err);
        auto_fd pidfd = -1;
        int same;

        if (procfs < 0)
                return -1;
        if (o->pid) {
                pidfd = cor_pidfd_open(o->pid, err);
                if (pidfd < 0)
                        return cor_wrap(err, "process %d", o->pid);
        }
        p->netns = o->pid ? namespace_open_pid(procfs, o->pid, CLONE_NEWNET, err)
                          : namespace_open(o->path, CLONE_NEWNET, err);
        if (p->netns < 0)
                return -1;
        p->userns = open_userns(o, procfs, p->netns, err);
        if (p->userns < 0)
                return -1;
        /* Still the same process: what was opened by its number was its own. */
        if (o->pid && cor_pidfd_wait_gone(pidfd, 0, err) != 0)
                return cor_fail(err, COR_NOT_FOUND, "process %d has ended", o->pid);
        same = namespace_is_ours(procfs, p->userns, CLONE_NEWUSER, err);
        if (same == 1)
                cor_fd_close(&p->userns);
        return same < 0 ? -1 : 0;
}

static int open_netns(const struct usernet_options *o, struct target *t, struct cor_err *err)
{
        struct plan plan = { .o = o, .userns = -1, .netns = -1 };
        int ret = open_namespaces(o, &plan, err);

        if (ret == 0)
                ret = run_child(&plan, t, err);
        cor_fd_close(&plan.netns);
        t->userns = plan.userns;
        return ret;
}

/* ------------------------------------------------------------------------------------------------------------- bess */

static int listen_bess(const char *path, struct cor_err *err)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        auto_fd sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (sock < 0)
                return cor_fail_errno(err, "make a socket");
        if (strlen(path) >= sizeof address.sun_path)
                return cor_fail(err, COR_INVALID, "path of the socket %.40s…: longer than %zu bytes", path,
                                sizeof address.sun_path - 1);
        snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
        if (bind(sock, (struct sockaddr *)&address, sizeof address) < 0 || listen(sock, 1) < 0)
                return cor_fail_errno(err, "listen at %s", path);
        return cor_fd_take(&sock);
}

int target_accept(struct target *t, int exit_fd, struct cor_err *err)
{
        struct pollfd fds[] = { { .fd = t->listening, .events = POLLIN }, { .fd = exit_fd, .events = POLLIN } };

        while (t->listening >= 0 && t->frames < 0) {
                if (poll(fds, COR_COUNT(fds), -1) < 0 && errno != EINTR)
                        return cor_fail_errno(err, "wait for a connection");
                if (fds[1].revents)
                        return 1;
                t->frames = accept4(t->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                if (t->frames < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                        return cor_fail_errno(err, "accept a connection");
        }
        cor_fd_close(&t->listening); /* there is one guest */
        return 0;
}

int target_open(const struct usernet_options *o, struct target *ret, struct cor_err *err)
{
        if (o->target == TARGET_NETNS)
                return open_netns(o, ret, err);
        ret->listening = listen_bess(o->path, err);
        return ret->listening < 0 ? cor_wrap(err, "bess socket") : 0;
}
