#ifndef CORACLE_NETWORK_PORTS_H
#define CORACLE_NETWORK_PORTS_H
/*
 * Published ports of a container. Each is three things:
 *
 * - a row of the store (store/port.h), which says who has it. It goes with the container
 * - a socket of the monitor, bound as long as the container has it, so that no other process gets it. What arrives
 * there all the same is forwarded by the monitor (linux/forward.h): from ::1, from IPv6 to a container without it, and
 *   everything while the kernel's table was emptied by somebody
 * - an element of the table of nftables (network/firewall.h), so that the kernel forwards what it can
 *
 * Of a container in a routed network there is the row, and an element that lets pass what is for its own address.
 *
 * Where a firewall of the host decides what may come in (network/host_firewall.h), there is no element: a connection
 * arrives at the socket then, and so has passed that firewall like one to any other program.
 */
#include "linux/forward.h"
#include "network/host_socket.h"
#include "network/port_wish.h"
#include "store/store.h"

/* Where the container is, among all its networks: texts, "" where there is none. */
struct ports_place {
        char ip4[PORT_IP_BYTES], ip6[PORT_IP_BYTES];
        bool routed4, routed6;       /* reached by these addresses, not by those of the host: ports are opened only */
        char host_ip[PORT_IP_BYTES]; /* where ports that name no address of the host are bound; "": everywhere */
};
/*
 * ports_place() - by the network that its default route is of, for each family: a bridge with a way out. On others
 * nothing can be published, and it is empty
 */
int ports_place(struct store *s, const struct docker_network_settings *now, struct ports_place *ret,
                struct cor_err *err) COR_MUST_CHECK;

struct ports_request {
        int64_t number; /* of the container */
        const struct port_wishes *wishes;
        struct ports_place place;
        pid_t pid;                       /* of its first process */
        bool direct;                     /* past a firewall of the host */
        int first_fd;                    /* the lowest number that a descriptor of theirs may have */
        const struct host_sockets *host; /* who opens them, if the caller is not in the host's network */
};

struct published;
/*
 * ports_publish() - take the ports, in place of any that the container had; *ret is NULL if none are to be published.
 * BUSY in docker's words, and with the owner, if one is not to be had; nothing is left then
 */
int ports_publish(struct store *s, const struct ports_request *r, struct published **ret, struct cor_err *err)
        COR_MUST_CHECK;
/* ports_withdraw() - they are anybody's again; what it is made of cannot fail, or is logged */
void ports_withdraw(struct store *s, int64_t number, struct published *p);
/* ports_forward() - what passes on, for a loop to step; borrowed */
struct forward *ports_forward(const struct published *p);
/* ports_are_at() - the container is there, as far as the published ports know */
bool ports_are_at(const struct published *p, const struct ports_place *place);
/*
 * ports_describe() - as inspect shows them, with those that are only exposed; @p may be NULL
 * ports_description_free()
 */
void ports_describe(const struct published *p, const struct port_wishes *wishes, struct docker_port_bindings **ret,
                    size_t *ret_n);
void ports_description_free(struct docker_port_bindings *items, size_t n_items);

/* ports_forget() - of a container whose monitor is dead: rows and elements */
void ports_forget(struct store *s, int64_t number);
/* ports_fill_firewall() - all there are, in place of what is in the table, which is there or made by the same change */
struct nft_change;
int ports_fill_firewall(struct nft_change *c, struct store *s, struct cor_err *err) COR_MUST_CHECK;
/*
 * ports_restore() - all that the firewall has to know of networks and ports, if some container is connected and
 * somebody has emptied its table: 1 if it was necessary, 0 if not
 */
int ports_restore(struct store *s, struct cor_err *err) COR_MUST_CHECK;

#endif
