/*
 * ENOSYS for calls newer than the profile.
 *
 * A profile lists the calls that were known when it was written. A program that tries a newer one wants to hear ENOSYS,
 * and then falls back; EPERM, or being killed, it takes as final. So a stub stands in front of the program:
 *
 *        load arch
 *        arch is A? ── no ─► next section            one section for each audit architecture
 *          load number
 *          last < number <= end? ─► return ENOSYS    one or more spans of numbers
 *          jump to the program
 *        …
 *        the program
 *
 * "Newer" means: above the largest number that any rule of the profile names, on this architecture. New calls get the
 * next free number on every architecture, so nothing the profile could have meant is above. Names that libseccomp does
 * not know have no number and count as newer, which is what their users can deal with. Some ranges are not part of that
 * order and make more than one span: see spans_make().
 *
 * There is no stub if the default action lets calls through, or is ENOSYS itself. The stub never allows anything.
 */
#include "linux/seccomp_internal.h"

#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>

#define X32_BIT          0x40000000U
#define X32_LEGACY_FIRST 512U        /* 512 to 547 are x32's own and closed; new calls stay below */
#define ARM_PRIVATE      0x000f0000U /* cacheflush, set_tls, ... */

enum { MAX_SPANS = 3, MAX_ARCHS = 32 };

struct span {
        uint32_t last, end; /* ENOSYS for last < number <= end */
};

struct stub {
        struct sock_filter *items;
        size_t n_items;
};

/* A default action under which a new call goes through, or fails with ENOSYS anyway. */
static bool wants_no_stub(const struct oci_seccomp *profile)
{
        const char *action = profile->default_action;

        if (cor_streq(action, "SCMP_ACT_ERRNO"))
                return profile->default_errno_ret.set && profile->default_errno_ret.value == ENOSYS;
        return cor_streq(action, "SCMP_ACT_ALLOW") || cor_streq(action, "SCMP_ACT_LOG") ||
               cor_streq(action, "SCMP_ACT_TRACE");
}

/* The largest number from @from on and below @below that a rule names on @arch; -1 if there is none. */
static int64_t last_named(const struct oci_seccomp *profile, uint32_t arch, int64_t from, int64_t below)
{
        int64_t last = -1;

        for (size_t i = 0; i < profile->n_syscalls; i++) {
                for (size_t j = 0; j < profile->syscalls[i].n_names; j++) {
                        int nr = seccomp_syscall_resolve_name_arch(arch, profile->syscalls[i].names[j]);

                        if (nr >= from && nr < below && nr > last)
                                last = nr;
                }
        }
        return last;
}

static size_t spans_make(const struct oci_seccomp *profile, uint32_t arch, struct span spans[MAX_SPANS])
{
        size_t n = 0;
        int64_t last;

        if (arch == SCMP_ARCH_X32) {
                last = last_named(profile, arch, X32_BIT, X32_BIT + X32_LEGACY_FIRST);
                if (last >= 0)
                        spans[n++] = (struct span){ (uint32_t)last, X32_BIT + X32_LEGACY_FIRST - 1 };
                last = last_named(profile, arch, X32_BIT + X32_LEGACY_FIRST, INT64_MAX);
                if (last >= 0)
                        spans[n++] = (struct span){ (uint32_t)last, UINT32_MAX };
                return n;
        }
        last = last_named(profile, arch, 0, arch == SCMP_ARCH_ARM ? ARM_PRIVATE : INT64_MAX);
        if (last < 0)
                return 0;
        spans[n].last = (uint32_t)last;
        if (arch == SCMP_ARCH_X86_64)
                spans[n].end = X32_BIT - 1; /* above are x32's: the program knows them or refuses them all */
        else
                spans[n].end = arch == SCMP_ARCH_ARM ? ARM_PRIVATE - 1 : UINT32_MAX;
        return n + 1;
}

static void emit(struct stub *s, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
        s->items[s->n_items++] = (struct sock_filter){ .code = code, .jt = jt, .jf = jf, .k = k };
}

static void emit_spans(struct stub *s, const struct span *spans, size_t n_spans)
{
        for (size_t i = 0; i < n_spans; i++) {
                if (spans[i].last >= spans[i].end)
                        continue;
                emit(s, BPF_JMP | BPF_JGT | BPF_K, spans[i].last, 0, 2);
                emit(s, BPF_JMP | BPF_JGT | BPF_K, spans[i].end, 1, 0);
                emit(s, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
        }
}

/* The architectures of the profile and our own, each once. */
static size_t archs_of(const struct oci_seccomp *profile, uint32_t archs[MAX_ARCHS])
{
        size_t n = 0;

        archs[n++] = seccomp_arch_native();
        for (size_t i = 0; i < profile->n_architectures; i++) {
                int64_t arch = seccomp_arch_find(profile->architectures[i]);
                bool seen = arch <= 0;

                for (size_t j = 0; j < n; j++)
                        seen |= archs[j] == (uint32_t)arch;
                if (!seen && n < MAX_ARCHS)
                        archs[n++] = (uint32_t)arch;
        }
        return n;
}

/* What the kernel reports as architecture; x32 is told from x86_64 by the number alone. */
static uint32_t audit_arch(uint32_t arch)
{
        return arch == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : arch;
}

size_t seccomp_enosys_stub(const struct oci_seccomp *profile, struct sock_filter items[SECCOMP_STUB_MAX_ITEMS])
{
        struct stub s = { .items = items };
        uint32_t archs[MAX_ARCHS];
        size_t n_archs, start;

        if (wants_no_stub(profile))
                return 0;
        n_archs = archs_of(profile, archs);
        emit(&s, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
        for (size_t i = 0; i < n_archs; i++) {
                struct span spans[2 * MAX_SPANS];
                size_t n_spans = 0;

                for (size_t j = 0; j < n_archs; j++) {
                        if (audit_arch(archs[j]) != audit_arch(archs[i]))
                                continue;
                        if (j < i)
                                break; /* its section stands already */
                        n_spans += spans_make(profile, archs[j], spans + n_spans);
                }
                if (n_spans == 0)
                        continue;
                start = s.n_items;
                emit(&s, BPF_JMP | BPF_JEQ | BPF_K, audit_arch(archs[i]), 0, 0);
                emit(&s, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
                emit_spans(&s, spans, n_spans);
                emit(&s, BPF_JMP | BPF_JA, 0, 0, 0);
                items[start].jf = (uint8_t)(s.n_items - start - 1);
        }
        if (s.n_items == 1)
                return 0;
        for (size_t i = 0; i < s.n_items; i++) /* leave for the program, right behind the stub */
                if (items[i].code == (BPF_JMP | BPF_JA))
                        items[i].k = (uint32_t)(s.n_items - i - 1);
        return s.n_items;
}
