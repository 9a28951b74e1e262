#ifndef CORACLE_IMAGE_PLATFORM_H
#define CORACLE_IMAGE_PLATFORM_H
/*
 * Platforms, normalised as containerd does: x86_64 is amd64, aarch64 is arm64 (v8 is its default), armhf is arm/v7, and
 * so on. Choosing from an index takes the best fit: the exact variant, then lower ones the machine can run, in order of
 * the index among equals.
 */
#include "spec/image.h"

struct platform {
        char os[32], architecture[32], variant[32], os_version[64];
};

/* platform_parse() - "linux/arm64/v8", "arm64", "linux"; what is missing is this machine's. INVALID names what is wrong
 */
int platform_parse(const char *s, struct platform *ret, struct cor_err *err) COR_MUST_CHECK;
/* platform_host() - this machine's: the kernel's architecture, with variant */
struct platform platform_host(void);
/* platform_format() - "linux/arm64/v8"; free() */
char *platform_format(const struct platform *p);
/* platform_of() - from a document's fields, normalised */
struct platform platform_of(const struct image_platform *p);
/* platform_rank() - how well @have serves @want: 0 is exact, higher is worse, -1 does not run */
int platform_rank(const struct platform *want, const struct platform *have);
/*
 * platform_require() - an image that was found as @reference serves the platform that was asked for: @wanted as the
 * user wrote it (NULL: any), @have as its configuration says (which may say nothing). NOT_FOUND names both.
 */
int platform_require(const char *wanted, const struct image_platform *have, const char *reference, struct cor_err *err)
        COR_MUST_CHECK;
/*
 * platform_choose() - the manifest of an index for @want: its number, or NOT_FOUND as docker says it ("no matching
 * manifest for linux/riscv64 in the manifest list entries"). Attestations (platform unknown/unknown) are never chosen.
 */
int platform_choose(const struct image_manifest *index, const struct platform *want, struct cor_err *err)
        COR_MUST_CHECK;

#endif
