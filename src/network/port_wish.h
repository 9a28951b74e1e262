#ifndef CORACLE_NETWORK_PORT_WISH_H
#define CORACLE_NETWORK_PORT_WISH_H
/* Which ports a container wants to have published: docker's ExposedPorts, PortBindings and PublishAllPorts, read. */
#include "spec/docker.h"
#include "store/port.h"

struct port_wish {
        int protocol; /* IPPROTO_TCP, _UDP, _SCTP */
        uint16_t port;
        bool published;         /* else it is only exposed */
        uint16_t first, last;   /* ports of the host, one of which it shall be; both 0: any that is free */
        char ip[PORT_IP_BYTES]; /* of the host; "": all */
};
struct port_wishes {
        struct port_wish *items;
        size_t n_items;
};
/* port_wishes_read() - in the order of protocol and port; INVALID in docker's words */
int port_wishes_read(const struct docker_config *c, const struct docker_host_config *h, struct port_wishes *ret,
                     struct cor_err *err) COR_MUST_CHECK;
void port_wishes_done(struct port_wishes *w);
#define auto_port_wishes COR_CLEANUP(port_wishes_done) struct port_wishes

/* port_protocol_name() - "tcp" */
const char *port_protocol_name(int protocol);

#endif
