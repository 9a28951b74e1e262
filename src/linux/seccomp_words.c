/* The names that profiles use for actions, comparisons, architectures and flags. */
#include "linux/seccomp_internal.h"

#include <ctype.h>
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's, for headers that are older than the kernel we may meet. */
#ifndef SECCOMP_FILTER_FLAG_TSYNC_ESRCH
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH (1UL << 4)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

enum { ERRNO_MAX = 4095, TRACE_DATA_MAX = 0xffff };

static const struct cor_word actions[] = {
        { "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
        { "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0) },
        { "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
        { "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
        { "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
        { "SCMP_ACT_LOG", SCMP_ACT_LOG },
        { "SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY },
        { "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0) },
        { "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
        { NULL, 0 },
};

static const struct cor_word operators[] = {
        { "SCMP_CMP_EQ", SCMP_CMP_EQ }, { "SCMP_CMP_GE", SCMP_CMP_GE },
        { "SCMP_CMP_GT", SCMP_CMP_GT }, { "SCMP_CMP_LE", SCMP_CMP_LE },
        { "SCMP_CMP_LT", SCMP_CMP_LT }, { "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
        { "SCMP_CMP_NE", SCMP_CMP_NE }, { NULL, 0 },
};

/* In lower case and without the prefix these are libseccomp's own names; older versions lack some. */
static const char *const archs[] = {
        "SCMP_ARCH_AARCH64",  "SCMP_ARCH_ARM",         "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K",
        "SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",      "SCMP_ARCH_MIPS64N32",   "SCMP_ARCH_MIPSEL",
        "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PARISC",      "SCMP_ARCH_PARISC64",
        "SCMP_ARCH_PPC",      "SCMP_ARCH_PPC64",       "SCMP_ARCH_PPC64LE",     "SCMP_ARCH_RISCV64",
        "SCMP_ARCH_S390",     "SCMP_ARCH_S390X",       "SCMP_ARCH_SH",          "SCMP_ARCH_SHEB",
        "SCMP_ARCH_X32",      "SCMP_ARCH_X86",         "SCMP_ARCH_X86_64",
};

static const struct cor_word flags[] = {
        { "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
        { "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
        { "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
        { "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
        { NULL, 0 },
};

int seccomp_action_parse(const char *word, const struct cor_opt_u64 *errno_ret, const char *where, uint32_t *ret,
                         struct cor_err *err)
{
        const struct cor_word *action = word ? cor_word_find(actions, word) : NULL;
        uint64_t data = errno_ret->set ? errno_ret->value : EPERM, limit;

        if (!action)
                return cor_fail(err, COR_INVALID, "%s: expected an action (SCMP_ACT_…), found \"%s\"", where,
                                word ? word : "");
        if (action->value != SCMP_ACT_ERRNO(0) && action->value != SCMP_ACT_TRACE(0)) {
                if (errno_ret->set)
                        return cor_fail(err, COR_INVALID, "%s: %s takes no errno value", where, word);
                *ret = (uint32_t)action->value;
                return 0;
        }
        limit = action->value == SCMP_ACT_ERRNO(0) ? ERRNO_MAX : TRACE_DATA_MAX;
        if (data > limit)
                return cor_fail(err, COR_INVALID, "%s: errno value %llu for %s, expected at most %llu", where,
                                (unsigned long long)data, word, (unsigned long long)limit);
        *ret = (uint32_t)action->value | (uint32_t)data;
        return 0;
}

int seccomp_operator_find(const char *word)
{
        const struct cor_word *op = word ? cor_word_find(operators, word) : NULL;

        return op ? (int)op->value : -1;
}

static uint32_t arch_token(const char *word)
{
        char name[32];
        size_t i;

        word += strlen("SCMP_ARCH_");
        for (i = 0; i < sizeof name - 1 && word[i]; i++)
                name[i] = (char)tolower((unsigned char)word[i]);
        name[i] = '\0';
        return seccomp_arch_resolve_name(name);
}

int64_t seccomp_arch_find(const char *word)
{
        for (size_t i = 0; word && i < COR_COUNT(archs); i++)
                if (strcmp(archs[i], word) == 0)
                        return arch_token(word);
        return -1;
}

/* A kernel that knows the flags goes on to read the program, and fails there. */
static bool kernel_knows(unsigned long bits)
{
        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, bits, NULL) < 0 && errno == EFAULT;
}

static bool flag_supported(int64_t bit)
{
        if (bit == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
                bit |= SECCOMP_FILTER_FLAG_NEW_LISTENER; /* means nothing, and is refused, without */
        return kernel_knows((unsigned long)bit);
}

static int flag_add(const char *word, size_t i, bool notifies, unsigned *bits, struct cor_err *err)
{
        const struct cor_word *flag = word ? cor_word_find(flags, word) : NULL;

        if (!flag)
                return cor_fail(err, COR_INVALID,
                                "linux.seccomp.flags[%zu]: expected a flag (SECCOMP_FILTER_FLAG_…), found \"%s\"", i,
                                word ? word : "");
        if (flag->value == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) {
                if (!flag_supported(flag->value))
                        return cor_fail(err, COR_UNSUPPORTED, "linux.seccomp.flags[%zu]: this kernel lacks %s", i,
                                        word);
                if (!notifies)
                        return 0;
        }
        *bits |= (unsigned)flag->value;
        return 0;
}

int seccomp_flags_make(const struct oci_seccomp *profile, bool notifies, unsigned *ret, struct cor_err *err)
{
        unsigned bits = 0;

        if (!profile->flags) /* absent, unlike an empty list: as runc does */
                bits |= SECCOMP_FILTER_FLAG_SPEC_ALLOW;
        for (size_t i = 0; profile->flags && i < profile->n_flags; i++)
                if (flag_add(profile->flags[i], i, notifies, &bits, err) < 0)
                        return -1;
        if (notifies) {
                bits |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
                if (bits & SECCOMP_FILTER_FLAG_TSYNC) /* the return value cannot be both a descriptor and a thread */
                        bits |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
        }
        *ret = bits;
        return 0;
}

void seccomp_features(struct seccomp_features *ret)
{
        const struct scmp_version *version = seccomp_version();
        size_t n = 0;

        memset(ret, 0, sizeof *ret);
        if (version)
                snprintf(ret->library, sizeof ret->library, "%u.%u.%u", version->major, version->minor, version->micro);
        for (size_t i = 0; actions[i].word; i++)
                ret->actions[i] = actions[i].word;
        for (size_t i = 0; operators[i].word; i++)
                ret->operators[i] = operators[i].word;
        for (size_t i = 0; i < COR_COUNT(archs); i++)
                if (arch_token(archs[i]) != 0)
                        ret->archs[n++] = archs[i];
        n = 0;
        for (size_t i = 0; flags[i].word; i++) {
                ret->known_flags[i] = flags[i].word;
                if (flag_supported(flags[i].value))
                        ret->supported_flags[n++] = flags[i].word;
        }
}
