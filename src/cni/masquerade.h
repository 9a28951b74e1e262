#ifndef CORACLE_CNI_MASQUERADE_H
#define CORACLE_CNI_MASQUERADE_H
/*
 * ipMasq: what a container sends out of its network gets the host's address. By nftables, or by iptables where
 * ipMasqBackend asks for it.
 */
#include "cni/call.h"

enum masquerade_backend { MASQUERADE_NFTABLES, MASQUERADE_IPTABLES };
extern const struct cor_word masquerade_words[];

/* masquerade_add() - for the addresses of @r */
int masquerade_add(struct cni_call *c, enum masquerade_backend backend, const struct cni_result *r, struct cor_err *err)
        COR_MUST_CHECK;
/* masquerade_del() - success if there is nothing */
int masquerade_del(struct cni_call *c, enum masquerade_backend backend, struct cor_err *err) COR_MUST_CHECK;
int masquerade_check(struct cni_call *c, enum masquerade_backend backend, struct cor_err *err) COR_MUST_CHECK;
int masquerade_gc(struct cni_call *c, struct cor_err *err) COR_MUST_CHECK;

#endif
