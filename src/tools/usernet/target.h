#ifndef CORACLE_USERNET_TARGET_H
#define CORACLE_USERNET_TARGET_H
/*
 * The other side: a tap interface in a network namespace, or a User Mode Linux at a socket (bess). A descriptor that
 * frames are read from and written to, one each time.
 */
#include "tools/usernet/options.h"

struct target {
        int frames;                  /* not blocking; -1: nobody is there yet */
        int listening;               /* bess: where somebody will connect to, or -1 */
        int userns;                  /* that of the namespace, -1: the one we are in */
        bool offload;                /* a struct virtio_net_hdr is in front of each frame (frame.h) */
        uint8_t mac[LINK_MAC_BYTES]; /* of the tap interface */
};
#define TARGET_INIT                                                                                                    \
        {                                                                                                              \
                .frames = -1, .listening = -1, .userns = -1                                                            \
        }
void target_done(struct target *t);

/*
 * target_open() - make the tap interface and, with --configure, set it up; a child does that in the namespace. With
 * bess, listen only: target_accept() waits for somebody to connect, or for @exit_fd (1), and does nothing else.
 *
 * The interface lives and dies with the network namespace, which is not kept by it: when the last process is gone from
 * there, @frames reports an error. Not so one that was there before: it keeps its namespace.
 */
int target_open(const struct usernet_options *o, struct target *ret, struct cor_err *err) COR_MUST_CHECK;

int target_accept(struct target *t, int exit_fd, struct cor_err *err) COR_MUST_CHECK;

/* target_guest_address() - the address that --configure gives, of the given length (4, or 16: the one made of the MAC)
 */
struct ip target_guest_address(const struct usernet_options *o, const struct target *t, uint8_t len);

/* target_ip() - the address at @offset in the network */
struct ip target_ip(const struct usernet_options *o, uint32_t offset);

#endif
