#include "cni/dhcp_place.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "linux/namespace.h"

#ifndef SO_NETNS_COOKIE /* Linux 5.14 */
#define SO_NETNS_COOKIE 71
#endif

/* -------------------------------------------------------------------------------------------------------- the place */

static bool says_gone(const struct cor_err *err)
{
        return err->kind == COR_NOT_FOUND || err->kind == COR_INVALID;
}

/* @inside: a socket in it */
static int same_namespace(struct dhcp_place *p, int netns, int inside, struct cor_err *err)
{
        uint64_t cookie = 0;
        socklen_t len = sizeof cookie;
        struct stat st;

        if (fstat(netns, &st) < 0)
                return cor_fail_errno(err, "%s", p->netns);
        if (getsockopt(inside, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) < 0)
                cookie = 0;
        if (!p->inode) {
                p->device = st.st_dev;
                p->inode = st.st_ino;
                p->cookie = cookie;
        }
        if (p->device == st.st_dev && p->inode == st.st_ino && p->cookie == cookie)
                return 1;
        (void)cor_fail(err, COR_NOT_FOUND, "%s is another namespace", p->netns);
        return 0;
}

int dhcp_place_find(struct dhcp_place *p, struct space *s, struct link *ret_link, struct cor_err *err)
{
        int same;

        s->netns = namespace_open(p->netns, CLONE_NEWNET, err);
        if (s->netns < 0)
                return says_gone(err) ? 0 : -1;
        s->inside = netns_socket(s->netns, NETLINK_ROUTE, err);
        if (s->inside < 0)
                return -1;
        same = same_namespace(p, s->netns, s->inside, err);
        if (same <= 0)
                return same;
        if (link_get(s->inside, p->ifname, ret_link, err) < 0)
                return says_gone(err) ? 0 : -1;
        if (p->index && p->index != ret_link->index) {
                (void)cor_fail(err, COR_NOT_FOUND, "%s is another interface", p->ifname);
                return 0;
        }
        p->index = ret_link->index;
        return 1;
}

/* ---------------------------------------------------------------------------------------------------------- packets */

/* UDP to port 68, not the later pieces of a packet, nor what is for another host. The socket has no link header. */
static int filter(int sock, struct cor_err *err)
{
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OTHERHOST, 9, 0),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 8, 0),
                BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
                BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
                BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x3fff, 4, 0),
                BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
                BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 68, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, 0x40000),
                BPF_STMT(BPF_RET | BPF_K, 0),
        };
        struct sock_fprog program = { .len = COR_COUNT(code), .filter = code };

        if (setsockopt(sock, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0)
                return cor_fail_errno(err, "filter of packets");
        return 0;
}

int dhcp_socket_open(int netns, int index, struct cor_err *err)
{
        struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = index };
        auto_netns_visit visit = NETNS_VISIT_INIT;
        auto_fd sock = -1;
        int on = 1;

        if (netns_enter(&visit, netns, err) < 0)
                return -1;
        /* Of no protocol until the filter is there: nothing else is ever queued. */
        sock = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (sock < 0)
                return cor_fail_errno(err, "socket for packets");
        if (setsockopt(sock, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) < 0)
                return cor_fail_errno(err, "socket for packets");
        if (filter(sock, err) < 0)
                return -1;
        if (bind(sock, (struct sockaddr *)&at, sizeof at) < 0)
                return cor_fail_errno(err, "socket for packets");
        return cor_fd_take(&sock);
}

int dhcp_socket_send(int sock, int index, uint16_t protocol, const uint8_t *mac, const uint8_t *packet, size_t n,
                     struct cor_err *err)
{
        struct sockaddr_ll to = {
                .sll_family = AF_PACKET,
                .sll_protocol = htons(protocol),
                .sll_ifindex = index,
                .sll_halen = DHCP_MAC_BYTES,
        };

        if (mac)
                memcpy(to.sll_addr, mac, DHCP_MAC_BYTES);
        else
                memset(to.sll_addr, 0xff, DHCP_MAC_BYTES);
        if (sendto(sock, packet, n, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof to) < 0)
                return cor_fail_errno(err, "send");
        return 0;
}

static bool is_unsummed(struct msghdr *m)
{
        for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
                struct tpacket_auxdata aux;

                if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA || c->cmsg_len < CMSG_LEN(sizeof aux))
                        continue;
                memcpy(&aux, CMSG_DATA(c), sizeof aux);
                return aux.tp_status & TP_STATUS_CSUMNOTREADY;
        }
        return false;
}

const uint8_t *dhcp_socket_receive(int sock, uint8_t buf[DHCP_PACKET_MAX_BYTES], size_t *ret_n,
                                   uint8_t ret_mac[DHCP_MAC_BYTES], bool *ret_more)
{
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
        struct sockaddr_ll from = { .sll_halen = 0 };
        struct iovec iov = { .iov_base = buf, .iov_len = DHCP_PACKET_MAX_BYTES };
        struct msghdr m = {
                .msg_name = &from,
                .msg_namelen = sizeof from,
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = sizeof control,
        };
        ssize_t n = recvmsg(sock, &m, MSG_DONTWAIT);

        *ret_more = n >= 0;
        if (n < 0 || m.msg_flags & MSG_TRUNC || from.sll_halen != DHCP_MAC_BYTES)
                return NULL;
        memcpy(ret_mac, from.sll_addr, DHCP_MAC_BYTES);
        return dhcp_packet_read(buf, (size_t)n, is_unsummed(&m), ret_n);
}
