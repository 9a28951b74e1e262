#ifndef CORACLE_LINUX_MEMPOLICY_H
#define CORACLE_LINUX_MEMPOLICY_H
/* NUMA memory policy of the calling thread, inherited over exec (linux.memoryPolicy). */
#include "spec/oci.h"

/* mempolicy_apply() - set_mempolicy(2); UNSUPPORTED where the kernel has no NUMA. No allocation. */
int mempolicy_apply(const struct oci_memory_policy *p, struct cor_err *err) COR_MUST_CHECK;

#endif
