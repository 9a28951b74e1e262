#ifndef CORACLE_CNI_DHCP_TERMS_H
#define CORACLE_CNI_DHCP_TERMS_H
/*
 * What a server offers: an address and for how long, and what comes with it, as a result of CNI. All of it is checked
 * before it is used: addresses that no host can have, masks with holes, options of a wrong length and names that are
 * none are refused, each by the number of its option.
 * Spec: RFC 2131, 2132, 3397 (domain search), 3442 (classless routes).
 */
#include "cni/dhcp_message.h"
#include "spec/cni.h"

struct dhcp_terms {
        struct ip_prefix address;
        struct ip server;
        int64_t lease_ms, renew_ms, rebind_ms; /* from the moment it was asked for; -1: for ever */
};
/* dhcp_terms_read() - of an offer or an acknowledgement; INVALID if dhcp_result() would not have it */
int dhcp_terms_read(const struct dhcp_message *m, bool dns, struct dhcp_terms *ret, struct cor_err *err) COR_MUST_CHECK;

/* dhcp_result() - address, gateway, routes with @priority and, if @dns, name servers and domains. cor_json_free() */
int dhcp_result(const struct dhcp_message *m, uint32_t priority, bool dns, struct cni_result **ret, struct cor_err *err)
        COR_MUST_CHECK;

#endif
