#ifndef CORACLE_ENGINE_DEFAULT_SECCOMP_H
#define CORACLE_ENGINE_DEFAULT_SECCOMP_H
/*
 * The system calls that a container may make unless it is told otherwise: those of docker's default profile. Some
 * depend on capabilities, on the architecture or on the kernel's version.
 */
#include "spec/oci.h"

struct seccomp_target {
        const char *arch;              /* docker's name: amd64, arm64, riscv64, … */
        unsigned kernel, kernel_minor; /* version of the running kernel */
        uint64_t caps;                 /* of the program */
};
/* seccomp_target_here() - this machine */
void seccomp_target_here(uint64_t caps, struct seccomp_target *ret);
/* seccomp_target_archs() - the architectures whose programs run on that machine */
void seccomp_target_archs(void *root, const struct seccomp_target *t, struct oci_seccomp *p);
/* default_seccomp() - the profile, in memory of document @root */
struct oci_seccomp *default_seccomp(void *root, const struct seccomp_target *t) __attribute__((returns_nonnull));
/*
 * seccomp_profile_parse() - docker's form of a profile (archMap, includes, excludes), or the OCI one, for @t; @root as
 * above. @what names it in errors.
 */
int seccomp_profile_parse(void *root, const char *text, size_t n, const char *what, const struct seccomp_target *t,
                          struct oci_seccomp **ret, struct cor_err *err) COR_MUST_CHECK;

#endif
