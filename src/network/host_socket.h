#ifndef CORACLE_NETWORK_HOST_SOCKET_H
#define CORACLE_NETWORK_HOST_SOCKET_H
/*
 * Sockets of the host's network for who has left it for a user's own (network/realm.h) and cannot come back: a child,
 * forked before, opens them and hands them over. It ends with its parent.
 */
#include "linux/forward.h"

struct host_sockets {
        int sock;
        pid_t pid;
};
#define HOST_SOCKETS_INIT                                                                                              \
        {                                                                                                              \
                .sock = -1                                                                                             \
        }
/* host_sockets_start() - while the caller, which has no threads, is still there; does nothing the second time */
int host_sockets_start(struct host_sockets *h, struct cor_err *err) COR_MUST_CHECK;
/* host_sockets_end() - the child is collected */
void host_sockets_end(struct host_sockets *h);
/* host_sockets_listen() - forward_listen() there; here if @h was not started */
int host_sockets_listen(const struct host_sockets *h, int protocol, const struct forward_address *at,
                        struct cor_err *err) COR_MUST_CHECK;

#endif
