#ifndef CORACLE_CNI_IFACE_H
#define CORACLE_CNI_IFACE_H
/*
 * What the plugins have in common that give a container one interface: it is made, the address manager is asked, the
 * interface configured, and if anything fails all of it is undone.
 */
#include "cni/ipam.h"
#include "cni/space.h"

struct iface_kind {
        const char *kind; /* of the interface, as the kernel says it; NULL: any */
        bool needs_ipam;  /* it is no use without addresses */
        bool announces;   /* tells its neighbours when it gets an address */
        /* make() - put it into the container under CNI_IFNAME. It must not leave anything behind when it fails. */
        int (*make)(struct cni_call *c, struct space *s, const void *config, struct link *ret, struct cor_err *err);
        /* undo() - NULL: it is removed. Success if it is not there. */
        int (*undo)(struct cni_call *c, struct space *s, const void *config, struct cor_err *err);
        /* check() - beside name, kind, hardware address, addresses and routes; may be NULL */
        int (*check)(struct cni_call *c, struct space *s, const void *config, const struct link *l,
                     struct cor_err *err);
};
int iface_add(struct cni_call *c, const struct iface_kind *k, const void *config, struct cni_result **ret,
              struct cor_err *err) COR_MUST_CHECK;
int iface_del(struct cni_call *c, const struct iface_kind *k, const void *config, struct cor_err *err) COR_MUST_CHECK;
int iface_check(struct cni_call *c, const struct iface_kind *k, const void *config, struct cor_err *err) COR_MUST_CHECK;

/*
 * iface_settle() - give interface @temporary of the container the name CNI_IFNAME, or remove it. The kernel looks for a
 * new interface's name among the host's, too, so that it may not be made under its own.
 */
int iface_settle(struct cni_call *c, struct space *s, const char *temporary, struct link *ret, struct cor_err *err)
        COR_MUST_CHECK;
/* iface_mac() - the first of the given texts that is not empty; 1 parsed, 0 none */
int iface_mac(const char *runtime, const char *configured, uint8_t ret[LINK_MAC_BYTES], struct cor_err *err)
        COR_MUST_CHECK;

#endif
