#ifndef CORACLE_STORE_PORT_H
#define CORACLE_STORE_PORT_H
/* Which container has which port of the host. A row belongs to its container, and goes with it. */
#include "store/store.h"
#include <string.h>

enum { PORT_IP_BYTES = 46 };
struct port_row {
        int64_t container;
        int protocol;                /* IPPROTO_TCP, _UDP, _SCTP */
        char host_ip[PORT_IP_BYTES]; /* "0.0.0.0", "::", or one address; or the container's (port_row_is_routed()) */
        uint16_t host_port;
        char container_ip[PORT_IP_BYTES];
        uint16_t container_port;
        bool direct;  /* the kernel forwards it; else its monitor alone does */
        bool dropped; /* of port_take(): by @choose, as its container is dead */
};
struct port_rows {
        struct port_row *items;
        size_t n_items;
};
void port_rows_done(struct port_rows *l);
#define auto_port_rows COR_CLEANUP(port_rows_done) struct port_rows

/* port_row_is_routed() - it is no port of the host: the container's own address has that port open, for everybody */
static inline bool port_row_is_routed(const struct port_row *r)
{
        return strcmp(r->host_ip, r->container_ip) == 0;
}

/*
 * port_take() - rows for container @number, which has none afterwards but those. @choose says which: it sees those of
 * all others, may mark some of them as dropped, and adds to @own. Meanwhile nobody else chooses: what it makes sure of
 * stays so.
 */
typedef int port_choose_fn(void *data, struct port_rows *others, struct port_rows *own, struct cor_err *err);
int port_take(struct store *s, int64_t number, port_choose_fn *choose, void *data, struct cor_err *err) COR_MUST_CHECK;
/* port_drop() - all that container @number has; how many. @ret may be NULL: which they were */
int port_drop(struct store *s, int64_t number, struct port_rows *ret, struct cor_err *err) COR_MUST_CHECK;
/* port_all() - of container @number, or 0: of all */
int port_all(struct store *s, int64_t number, struct port_rows *ret, struct cor_err *err) COR_MUST_CHECK;
/* port_save_line() - the ports of container @number as lists show them */
int port_save_line(struct store *s, int64_t number, const char *line, struct cor_err *err) COR_MUST_CHECK;

#endif
