#ifndef CORACLE_LINUX_SECCOMP_ALLOW_H
#define CORACLE_LINUX_SECCOMP_ALLOW_H
/* A list of what a program of ours may call from now on, which puts itself under it before it reads hostile bytes. */
#include "base/alloc.h"
#include "spec/oci.h"

/* An oci_seccomp_rule: the calls of array @NAMES are let through, or only with the oci_seccomp_arg of array @ARGS */
#define SECCOMP_ALLOW(NAMES)                                                                                           \
        {                                                                                                              \
                .names = (NAMES), .n_names = COR_COUNT(NAMES), .action = "SCMP_ACT_ALLOW"                              \
        }
#define SECCOMP_ALLOW_IF(NAMES, ARGS)                                                                                  \
        {                                                                                                              \
                .names = (NAMES), .n_names = COR_COUNT(NAMES), .action = "SCMP_ACT_ALLOW", .args = (ARGS),             \
                .n_args = COR_COUNT(ARGS)                                                                              \
        }

/* seccomp_allow_only() - put the calling, single-threaded process under @rules for ever; all else fails with EPERM */
int seccomp_allow_only(struct oci_seccomp_rule *rules, size_t n_rules, struct cor_err *err) COR_MUST_CHECK;

#endif
