#ifndef CORACLE_CNI_IPAM_H
#define CORACLE_CNI_IPAM_H
/*
 * Delegation to the plugin that manages addresses, which `ipam.type` names. It is searched in CNI_PATH. What is found
 * there is executed, as the specification has it; if it is this very program, or nothing is found and the name is one
 * of ours, the plugin runs in this process instead, which saves the start of another one.
 * Spec: CNI 1.1.0, section 4.
 */
#include "cni/call.h"

/* The addresses that a runtime names: args.cni.ips and runtimeConfig.ips. */
struct ipam_ips {
        const char **ips;
        size_t n_ips;
};
struct ipam_args {
        struct ipam_ips cni;
};
extern const struct cor_json_doc ipam_ips_doc, ipam_args_doc;

/* ipam_wanted() - the configuration names one */
bool ipam_wanted(const struct cni_call *c);
/* ipam_add() - addresses, routes and DNS for this attachment; at least one address. cor_json_free() */
int ipam_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err) COR_MUST_CHECK;
/* ipam_run() - any other verb. The caller need not be called with it: a failed ADD runs DEL */
int ipam_run(struct cni_call *c, enum cni_verb verb, struct cor_err *err) COR_MUST_CHECK;
/* ipam_undo() - give back what ipam_add() gave, after an error that stays the one to tell */
void ipam_undo(struct cni_call *c);

#endif
