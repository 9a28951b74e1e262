/*
 * Random profiles for all architectures, each call of each, against the meaning of a profile written down once more, by
 * name and without any program. (libseccomp alone is no measure: without its tree, 2.5.4 at times compares the
 * architecture where it wants the number.)
 */
#include "bpf_sim.h"
#include "linux/seccomp_internal.h"

#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define X32        0x40000000U
#define ERR_ENOSYS (SECCOMP_RET_ERRNO | ENOSYS)

enum { PROFILES = 150, MAX_RULES = 12, MAX_NAMES = 40, MAX_RULE_ARGS = 2, N_ARCHS = 8 };

struct arch {
        const char *word;
        uint32_t token, base;
};

static const struct arch ARCHS[N_ARCHS] = {
        { "SCMP_ARCH_X86_64", SCMP_ARCH_X86_64, 0 },
        { "SCMP_ARCH_X86", SCMP_ARCH_X86, 0 },
        { "SCMP_ARCH_X32", SCMP_ARCH_X32, X32 },
        { "SCMP_ARCH_ARM", SCMP_ARCH_ARM, 0 },
        { "SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64, 0 },
        { "SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64, 0 },
        { "SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64, 5000 },
        { "SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE, 0 },
};

struct sample {
        struct oci_seccomp profile;
        struct oci_seccomp_rule rules[MAX_RULES];
        struct oci_seccomp_arg args[MAX_RULES][MAX_RULE_ARGS];
        const char *names[MAX_RULES][MAX_NAMES], *archs[N_ARCHS];
        char *owned[MAX_RULES * MAX_NAMES];
        size_t n_owned;
        struct cor_opt_u64 def;
};

static unsigned profile_id; /* names the random profile in errors, and is its seed */
static uint64_t seed;

static unsigned pick(unsigned n)
{
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        return (unsigned)(seed >> 33) % n;
}

static const uint64_t VALUES[] = { 0, 1, 2, 8, 0x20000, UINT32_MAX, 1ULL << 32, UINT64_MAX };
enum { N_VALUES_32 = 6 }; /* those that fit into 32 bits */

static bool is_door(const char *name)
{
        return strcmp(name, "socketcall") == 0 || strcmp(name, "ipc") == 0;
}

/* Whether the meaning of a profile is beyond doubt when rule @n names @name too. */
static bool is_clear(const struct sample *s, size_t n, const char *name)
{
        if (is_door(name) || strcmp(name, "sys_debug_setcontext") == 0) /* libseccomp 2.5 takes it for switch_endian */
                return false;
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < s->rules[i].n_names; k++)
                        if (strcmp(s->rules[i].names[k], name) == 0 &&
                            (strcmp(s->rules[i].action, s->rules[n].action) != 0 || s->rules[i].n_args > 0 ||
                             s->rules[n].n_args > 0))
                                return false;
        return true;
}

static void sample_rule(struct sample *s, size_t i)
{
        static const char *const actions[] = { "SCMP_ACT_ALLOW", "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO",
                                               "SCMP_ACT_LOG",   "SCMP_ACT_KILL",  "SCMP_ACT_TRAP" };
        static const char *const ops[] = { "SCMP_CMP_EQ", "SCMP_CMP_NE", "SCMP_CMP_LT",       "SCMP_CMP_LE",
                                           "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ" };
        struct oci_seccomp_rule *rule = &s->rules[i];
        unsigned n = pick(3) == 0 ? MAX_NAMES : 1 + pick(4);
        unsigned first = pick(460), step = 1 + pick(3);

        rule->action = actions[pick(COR_COUNT(actions))];
        rule->names = s->names[i];
        rule->args = s->args[i];
        for (unsigned k = pick(3) ? 0 : 1 + pick(MAX_RULE_ARGS); k > 0; k--)
                rule->args[rule->n_args++] =
                        (struct oci_seccomp_arg){ pick(3), VALUES[pick(COR_COUNT(VALUES))],
                                                  VALUES[pick(COR_COUNT(VALUES))], ops[pick(COR_COUNT(ops))] };
        if (rule->n_args == 2 && rule->args[0].index == rule->args[1].index) /* libseccomp 2.5 mixes up ranges */
                rule->args[0].op = rule->args[1].op = "SCMP_CMP_EQ";
        for (unsigned k = 0; k < n; k++) {
                const struct arch *arch = &ARCHS[pick(N_ARCHS)];
                char *name = seccomp_syscall_resolve_num_arch(arch->token, (int)(arch->base + first + k * step));

                if (!name)
                        continue;
                s->owned[s->n_owned++] = name;
                if (is_clear(s, i, name))
                        rule->names[rule->n_names++] = name;
        }
        if (rule->n_names == 0)
                rule->names[rule->n_names++] = "no_such_call";
}

static void sample_make(struct sample *s)
{
        static const char *const defaults[] = { "SCMP_ACT_ERRNO", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS",
                                                "SCMP_ACT_ALLOW", "SCMP_ACT_LOG" };

        memset(s, 0, sizeof *s);
        s->profile.default_action = defaults[pick(COR_COUNT(defaults))];
        if (pick(3) == 0 && strcmp(s->profile.default_action, "SCMP_ACT_ERRNO") == 0)
                s->profile.default_errno_ret = (struct cor_opt_u64){ true, ENOSYS };
        s->profile.architectures = s->archs;
        for (size_t i = 0; i < N_ARCHS; i++)
                if (pick(2))
                        s->archs[s->profile.n_architectures++] = ARCHS[i].word;
        s->profile.syscalls = s->rules;
        s->profile.n_syscalls = 1 + pick(MAX_RULES);
        for (size_t i = 0; i < s->profile.n_syscalls; i++)
                sample_rule(s, i);
}

static void sample_done(struct sample *s)
{
        for (size_t i = 0; i < s->n_owned; i++)
                free(s->owned[i]);
}

static uint32_t action_of(const char *word, const struct cor_opt_u64 *errno_ret)
{
        uint32_t action = 0;

        assert_int_equal(seccomp_action_parse(word, errno_ret, "", &action, NULL), 0);
        return action;
}

static bool holds(const struct oci_seccomp_arg *arg, const uint64_t *args)
{
        uint64_t value = args[arg->index];

        switch (seccomp_operator_find(arg->op)) {
        case SCMP_CMP_EQ:
                return value == arg->value;
        case SCMP_CMP_NE:
                return value != arg->value;
        case SCMP_CMP_LT:
                return value < arg->value;
        case SCMP_CMP_LE:
                return value <= arg->value;
        case SCMP_CMP_GT:
                return value > arg->value;
        case SCMP_CMP_GE:
                return value >= arg->value;
        default:
                return (value & arg->value) == (arg->value_two & arg->value);
        }
}

static bool rule_names(const struct oci_seccomp_rule *rule, const char *name)
{
        for (size_t k = 0; k < rule->n_names; k++)
                if (strcmp(rule->names[k], name) == 0)
                        return true;
        return false;
}

static bool rule_matches(const struct oci_seccomp_rule *rule, const uint64_t *args)
{
        bool twice = rule->n_args == 2 && rule->args[0].index == rule->args[1].index;

        if (twice)
                return holds(&rule->args[0], args) || holds(&rule->args[1], args);
        for (size_t k = 0; k < rule->n_args; k++)
                if (!holds(&rule->args[k], args))
                        return false;
        return true;
}

/* What the profile says of a call by name. */
static uint32_t meaning(const struct sample *s, const char *name, const uint64_t *args)
{
        uint32_t def = action_of(s->profile.default_action, &s->profile.default_errno_ret);

        for (size_t i = 0; name && i < s->profile.n_syscalls; i++) {
                const struct oci_seccomp_rule *rule = &s->rules[i];
                uint32_t action = action_of(rule->action, &rule->errno_ret);

                if (action != def && rule_names(rule, name) && rule_matches(rule, args))
                        return action;
        }
        return def;
}

static bool is_named(const struct sample *s, const char *name)
{
        for (size_t i = 0; i < s->profile.n_syscalls; i++)
                if (rule_names(&s->rules[i], name))
                        return true;
        return false;
}

/* The largest of @n numbers from @from on whose call the profile names on @arch, or -1. */
static int64_t last_named(const struct sample *s, uint32_t arch, int64_t from, int n)
{
        int64_t last = -1;

        for (int64_t nr = from; nr < from + n; nr++) {
                char *name = seccomp_syscall_resolve_num_arch(arch, (int)nr);

                if (name && is_named(s, name))
                        last = nr;
                free(name);
        }
        return last;
}

static bool is_newer(const struct sample *s, const struct arch *arch, const int64_t last[2], int64_t nr)
{
        uint32_t def = action_of(s->profile.default_action, &s->profile.default_errno_ret);

        if (def == SCMP_ACT_ALLOW || def == SCMP_ACT_LOG || def == SCMP_ACT_ERRNO(ENOSYS))
                return false;
        if (arch->token == SCMP_ARCH_X32)
                return nr < X32 + 512 ? last[0] >= 0 && nr > last[0] : last[1] >= 0 && nr > last[1];
        if (arch->token == SCMP_ARCH_ARM && nr >= 0xf0000)
                return false;
        return last[0] >= 0 && nr > last[0];
}

/* Calls on 32-bit architectures see and compare 32 bits. */
static bool is_64(const struct arch *arch)
{
        return arch->token != SCMP_ARCH_X86 && arch->token != SCMP_ARCH_ARM && arch->token != SCMP_ARCH_X32;
}

/* What a comparison with more than 32 bits means there is libseccomp's affair. */
static bool has_wide_rule(const struct sample *s, const char *name)
{
        for (size_t i = 0; i < s->profile.n_syscalls; i++)
                for (size_t k = 0; k < s->rules[i].n_args; k++)
                        if ((s->rules[i].args[k].value | s->rules[i].args[k].value_two) > UINT32_MAX &&
                            rule_names(&s->rules[i], name))
                                return true;
        return false;
}

static void compare(const struct sample *s, const struct seccomp_program *p, const struct arch *arch, int64_t nr,
                    const int64_t last[2])
{
        char *name = nr < arch->base ? NULL : seccomp_syscall_resolve_num_arch(arch->token, (int)nr);
        struct seccomp_data data = { .nr = (int)nr,
                                     .arch = arch->token == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : arch->token };
        uint64_t args[6] = { 0 };
        int64_t got, expected;

        for (size_t i = 0; i < 3; i++) {
                args[i] = VALUES[pick(is_64(arch) ? COR_COUNT(VALUES) : N_VALUES_32)];
                data.args[i] = args[i];
        }
        got = bpf_sim_run(p->items, p->n_items, &data, NULL);
        expected = is_newer(s, arch, last, nr) ? ERR_ENOSYS : meaning(s, name, args);
        if (got != expected && !(name && (is_door(name) || (!is_64(arch) && has_wide_rule(s, name)))))
                fail_msg("profile %u: %s nr %lld %s (%llx %llx %llx): %llx instead of %llx", profile_id, arch->word,
                         (long long)nr, name ? name : "", (unsigned long long)args[0], (unsigned long long)args[1],
                         (unsigned long long)args[2], (unsigned long long)got, (unsigned long long)expected);
        free(name);
}

static bool in_profile(const struct sample *s, const struct arch *arch)
{
        for (size_t i = 0; i < s->profile.n_architectures; i++)
                if (strcmp(s->archs[i], arch->word) == 0)
                        return true;
        return arch->token == seccomp_arch_native();
}

static void compare_arch(const struct sample *s, const struct seccomp_program *p, const struct arch *arch)
{
        bool x32 = arch->token == SCMP_ARCH_X32;
        int64_t last[2] = { last_named(s, arch->token, arch->base, 512),
                            x32 ? last_named(s, arch->token, X32 + 512, 100) : -1 };

        for (int64_t nr = 0; nr < 1100; nr++)
                for (int tries = 0; tries < 3; tries++)
                        compare(s, p, arch, arch->base + nr, last);
        if (arch->base > 0 && !x32)
                compare(s, p, arch, 17, last);
        if (arch->token == SCMP_ARCH_ARM)
                for (int64_t nr = 0xeffff; nr < 0xf0010; nr++)
                        compare(s, p, arch, nr, last);
        if (arch->token != SCMP_ARCH_X86_64)
                compare(s, p, arch, 0x7fffffff, last);
}

/* Of an architecture that is not in the profile, every call is refused. */
static void check_foreign(const struct seccomp_program *p, const struct arch *arch)
{
        for (int64_t nr = 0; nr < 600; nr++) {
                struct seccomp_data data = { .nr = (int)(arch->base + nr),
                                             .arch = arch->token == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : arch->token };

                if (bpf_sim_run(p->items, p->n_items, &data, NULL) != SECCOMP_RET_KILL_THREAD)
                        fail_msg("profile %u: foreign %s nr %lld passes", profile_id, arch->word, (long long)nr);
        }
}

static void random_profiles_mean_what_they_say(void **state)
{
        static struct sample s;

        for (profile_id = 1; profile_id <= PROFILES; profile_id++) {
                struct seccomp_options opts = SECCOMP_OPTIONS_INIT;
                auto_seccomp_program p = SECCOMP_PROGRAM_INIT;
                struct cor_err err = { 0 };

                seed = profile_id;
                sample_make(&s);
                if (seccomp_program_make(&s.profile, &opts, &p, &err) < 0)
                        fail_msg("profile %u: %s", profile_id, err.msg);
                for (size_t i = 0; i < N_ARCHS; i++) {
                        if (in_profile(&s, &ARCHS[i]))
                                compare_arch(&s, &p, &ARCHS[i]);
                        else
                                check_foreign(&p, &ARCHS[i]);
                }
                sample_done(&s);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(random_profiles_mean_what_they_say) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
