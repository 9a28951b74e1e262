#ifndef CORACLE_CNI_DHCP_LEASES_H
#define CORACLE_CNI_DHCP_LEASES_H
/*
 * All leases of a daemon. Each that was granted is a file, so that the next daemon goes on with it: the request, where
 * the interface is, and the server's acknowledgement as it came. The folder is below /run and does not outlive the
 * machine, like the leases.
 */
#include "cni/dhcp_lease.h"

struct dhcp_leases {
        struct dhcp_settings settings;
        struct dhcp_lease **items;
        size_t n_items;
        int dir, lock;
        void (*ended)(void *data, struct dhcp_lease *l,
                      const struct cor_err *why); /* somebody waits for it: tell him */
        void *data;
};
#define DHCP_LEASES_INIT                                                                                               \
        {                                                                                                              \
                .dir = -1, .lock = -1                                                                                  \
        }
/* dhcp_leases_open() - make @folder, lock it, and resume what it has; BUSY if another daemon is at work with it */
int dhcp_leases_open(struct dhcp_leases *d, const char *folder, struct cor_err *err) COR_MUST_CHECK;
/* dhcp_leases_done() - those that are granted stay, for the next daemon */
void dhcp_leases_done(struct dhcp_leases *d);

/*
 * dhcp_leases_serve() - what @q wants. 0 done, for ADD with the lease in *ret_lease; 1 ADD will be done, or have
 * failed, when ended() is called for this lease; -1
 */
int dhcp_leases_serve(struct dhcp_leases *d, const struct dhcp_request *q, struct dhcp_lease **ret_lease,
                      struct cor_err *err) COR_MUST_CHECK;
/* dhcp_leases_step() - what has come in, and what is due; calls ended() with no error for what was granted */
void dhcp_leases_step(struct dhcp_leases *d);
/* dhcp_leases_due() - when the next step is due; INT64_MAX: never */
int64_t dhcp_leases_due(const struct dhcp_leases *d);
/* dhcp_leases_drop() - nobody waits for it any more */
void dhcp_leases_drop(struct dhcp_leases *d, struct dhcp_lease *l);

#endif
