#include "linux/seccomp_allow.h"

#include "linux/seccomp.h"

#include <errno.h>

int seccomp_allow_only(struct oci_seccomp_rule *rules, size_t n_rules, struct cor_err *err)
{
        const struct oci_seccomp profile = {
                .default_action = "SCMP_ACT_ERRNO",
                .default_errno_ret = { true, EPERM },
                .syscalls = rules,
                .n_syscalls = n_rules,
        };
        const struct seccomp_options options = SECCOMP_OPTIONS_INIT;
        auto_seccomp_program program = SECCOMP_PROGRAM_INIT;
        int notify = -1;

        if (seccomp_program_make(&profile, &options, &program, err) < 0)
                return -1;
        return seccomp_program_install(&program, &notify, err);
}
