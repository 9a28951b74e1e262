/* What the programs made from profiles answer, by simulation for all architectures and by the kernel for our own. */
#include "bpf_sim.h"
#include "linux/seccomp_internal.h"

#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ERR(n) (SECCOMP_RET_ERRNO | (n))
#define NAMES(...)                                                                                                     \
        .names = (const char *[]){ __VA_ARGS__, NULL },                                                                \
        .n_names = sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *)
#define ARGS(...)                                                                                                      \
        .args = (struct oci_seccomp_arg[]){ __VA_ARGS__ },                                                             \
        .n_args = sizeof((struct oci_seccomp_arg[]){ __VA_ARGS__ }) / sizeof(struct oci_seccomp_arg)
#define RULES(...)                                                                                                     \
        .syscalls = (struct oci_seccomp_rule[]){ __VA_ARGS__ },                                                        \
        .n_syscalls = sizeof((struct oci_seccomp_rule[]){ __VA_ARGS__ }) / sizeof(struct oci_seccomp_rule)
#define ARCHS(...)                                                                                                     \
        .architectures = (const char *[]){ __VA_ARGS__, NULL },                                                        \
        .n_architectures = sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *)
#define ALLOW(...)                                                                                                     \
        {                                                                                                              \
                NAMES(__VA_ARGS__), .action = "SCMP_ACT_ALLOW"                                                         \
        }

static void make(const struct oci_seccomp *profile, struct seccomp_program *ret)
{
        struct seccomp_options opts = SECCOMP_OPTIONS_INIT;
        struct cor_err err = { 0 };

        if (seccomp_program_make(profile, &opts, ret, &err) < 0)
                fail_msg("%s", err.msg);
}

static void refused(const struct oci_seccomp *profile, const char *why)
{
        struct seccomp_options opts = SECCOMP_OPTIONS_INIT;
        struct seccomp_program program = SECCOMP_PROGRAM_INIT;
        struct cor_err err = { 0 };

        assert_int_equal(seccomp_program_make(profile, &opts, &program, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        if (!strstr(err.msg, why))
                fail_msg("expected \"%s\" in: %s", why, err.msg);
        assert_null(program.memory);
}

static uint32_t audit_of(uint32_t arch)
{
        return arch == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : arch;
}

static uint32_t answer_args(const struct seccomp_program *p, uint32_t arch, int nr, const uint64_t args[6])
{
        struct seccomp_data data = { .nr = nr, .arch = audit_of(arch) };
        int64_t value;

        if (args)
                memcpy(data.args, args, sizeof data.args);
        value = bpf_sim_run(p->items, p->n_items, &data, NULL);
        assert_true(value >= 0);
        return (uint32_t)value;
}

static uint32_t answer(const struct seccomp_program *p, uint32_t arch, const char *name)
{
        return answer_args(p, arch, seccomp_syscall_resolve_name_arch(arch, name), NULL);
}

static void names_get_their_action_and_others_the_default(void **state)
{
        struct oci_seccomp profile = {
                .default_action = "SCMP_ACT_ERRNO",
                .default_errno_ret = { true, EACCES },
                RULES(ALLOW("read", "write", "openat2"), { NAMES("getpid"), .action = "SCMP_ACT_ERRNO" },
                      { NAMES("getppid"), .action = "SCMP_ACT_ERRNO", .errno_ret = { true, 38 } },
                      { NAMES("gettid"), .action = "SCMP_ACT_TRACE", .errno_ret = { true, 4711 } },
                      { NAMES("getuid"), .action = "SCMP_ACT_TRAP" }, { NAMES("geteuid"), .action = "SCMP_ACT_LOG" },
                      { NAMES("getgid"), .action = "SCMP_ACT_KILL" },
                      { NAMES("getegid"), .action = "SCMP_ACT_KILL_PROCESS" },
                      { NAMES("getcwd"), .action = "SCMP_ACT_KILL_THREAD" }),
        };
        auto_seccomp_program p = SECCOMP_PROGRAM_INIT;
        uint32_t native = seccomp_arch_native();

        make(&profile, &p);
        assert_int_equal(answer(&p, native, "read"), SECCOMP_RET_ALLOW);
        assert_int_equal(answer(&p, native, "openat2"), SECCOMP_RET_ALLOW);
        assert_int_equal(answer(&p, native, "getpid"), ERR(EPERM));
        assert_int_equal(answer(&p, native, "getppid"), ERR(38));
        assert_int_equal(answer(&p, native, "gettid"), SECCOMP_RET_TRACE | 4711);
        assert_int_equal(answer(&p, native, "getuid"), SECCOMP_RET_TRAP);
        assert_int_equal(answer(&p, native, "geteuid"), SECCOMP_RET_LOG);
        assert_int_equal(answer(&p, native, "getgid"), SECCOMP_RET_KILL_THREAD);
        assert_int_equal(answer(&p, native, "getegid"), SECCOMP_RET_KILL_PROCESS);
        assert_int_equal(answer(&p, native, "getcwd"), SECCOMP_RET_KILL_THREAD);
        assert_int_equal(answer(&p, native, "mount"), ERR(EACCES));
        assert_false(p.notifies);
}

static void every_comparison_compares(void **state)
{
        struct oci_seccomp profile = {
                .default_action = "SCMP_ACT_ERRNO",
                RULES({ NAMES("read"), .action = "SCMP_ACT_ALLOW", ARGS({ 0, 7, 0, "SCMP_CMP_EQ" }) },
                      { NAMES("write"), .action = "SCMP_ACT_ALLOW", ARGS({ 1, 7, 0, "SCMP_CMP_NE" }) },
                      { NAMES("close"), .action = "SCMP_ACT_ALLOW", ARGS({ 2, 1ULL << 40, 0, "SCMP_CMP_LT" }) },
                      { NAMES("dup"), .action = "SCMP_ACT_ALLOW", ARGS({ 3, 7, 0, "SCMP_CMP_LE" }) },
                      { NAMES("getpid"), .action = "SCMP_ACT_ALLOW", ARGS({ 4, 7, 0, "SCMP_CMP_GT" }) },
                      { NAMES("getppid"), .action = "SCMP_ACT_ALLOW", ARGS({ 5, 1ULL << 33, 0, "SCMP_CMP_GE" }) },
                      { NAMES("clone"), .action = "SCMP_ACT_ALLOW",
                        ARGS({ 0, 0x7E020000, 0x20000, "SCMP_CMP_MASKED_EQ" }) }),
        };
        static const struct {
                const char *name;
                int arg;
                uint64_t value;
                bool allowed;
        } cases[] = {
                { "read", 0, 7, true },
                { "read", 0, 8, false },
                { "read", 0, 7 | 1ULL << 32, false },
                { "write", 1, 8, true },
                { "write", 1, 7, false },
                { "close", 2, (1ULL << 40) - 1, true },
                { "close", 2, 1ULL << 40, false },
                { "dup", 3, 7, true },
                { "dup", 3, 8, false },
                { "getpid", 4, 8, true },
                { "getpid", 4, 7, false },
                { "getppid", 5, 1ULL << 33, true },
                { "getppid", 5, (1ULL << 33) - 1, false },
                { "clone", 0, 0x20011, true },
                { "clone", 0, 0x10020011, false },
                { "clone", 0, 0x11, false },
        };
        auto_seccomp_program p = SECCOMP_PROGRAM_INIT;
        uint32_t native = seccomp_arch_native();

        make(&profile, &p);
        for (size_t i = 0; i < COR_COUNT(cases); i++) {
                uint64_t args[6] = { 0 };
                uint32_t got;

                args[cases[i].arg] = cases[i].value;
                got = answer_args(&p, native, seccomp_syscall_resolve_name(cases[i].name), args);
                if (got != (cases[i].allowed ? SECCOMP_RET_ALLOW : ERR(EPERM)))
                        fail_msg("%s with %llx: %x", cases[i].name, (unsigned long long)cases[i].value, got);
        }
}

static void conditions_of_a_rule_hold_together_unless_an_argument_is_named_twice(void **state)
{
        struct oci_seccomp profile = {
                .default_action = "SCMP_ACT_ERRNO",
                RULES({ NAMES("read"), .action = "SCMP_ACT_ALLOW",
                        ARGS({ 0, 1, 0, "SCMP_CMP_EQ" }, { 1, 2, 0, "SCMP_CMP_EQ" }) },
                      { NAMES("personality"), .action = "SCMP_ACT_ALLOW",
                        ARGS({ 0, 0, 0, "SCMP_CMP_EQ" }, { 0, 8, 0, "SCMP_CMP_EQ" }, { 1, 5, 0, "SCMP_CMP_EQ" }) }),
        };
        auto_seccomp_program p = SECCOMP_PROGRAM_INIT;
        uint32_t native = seccomp_arch_native();
        int nr_read = seccomp_syscall_resolve_name("read"), nr_pers = seccomp_syscall_resolve_name("personality");

        make(&profile, &p);
        assert_int_equal(answer_args(&p, native, nr_read, (uint64_t[6]){ 1, 2 }), SECCOMP_RET_ALLOW);
        assert_int_equal(answer_args(&p, native, nr_read, (uint64_t[6]){ 1, 3 }), ERR(EPERM));
        assert_int_equal(answer_args(&p, native, nr_read, (uint64_t[6]){ 2, 2 }), ERR(EPERM));
        assert_int_equal(answer_args(&p, native, nr_pers, (uint64_t[6]){ 0, 1 }), SECCOMP_RET_ALLOW);
        assert_int_equal(answer_args(&p, native, nr_pers, (uint64_t[6]){ 8, 1 }), SECCOMP_RET_ALLOW);
        assert_int_equal(answer_args(&p, native, nr_pers, (uint64_t[6]){ 9, 5 }), SECCOMP_RET_ALLOW);
        assert_int_equal(answer_args(&p, native, nr_pers, (uint64_t[6]){ 9, 1 }), ERR(EPERM));
}

/* All little-endian architectures at once, whatever we run on; every number of each. */
static void all_architectures_answer_alike_and_newer_calls_get_enosys(void **state)
{
        static const uint32_t archs[] = { SCMP_ARCH_X86_64,  SCMP_ARCH_X86,     SCMP_ARCH_X32,     SCMP_ARCH_ARM,
                                          SCMP_ARCH_AARCH64, SCMP_ARCH_RISCV64, SCMP_ARCH_PPC64LE, SCMP_ARCH_MIPSEL64 };
        static const char *const allowed[] = { "read", "futex", "clone3", "set_tls", "execveat", "faccessat2" };
        struct oci_seccomp profile = {
                .default_action = "SCMP_ACT_KILL_PROCESS",
                ARCHS("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64",
                      "SCMP_ARCH_RISCV64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_S390X"),
                RULES(ALLOW("read", "futex", "clone3", "set_tls", "execveat", "faccessat2", "not_a_call_at_all")),
        };
        auto_seccomp_program p = SECCOMP_PROGRAM_INIT;

        make(&profile, &p);
        for (size_t i = 0; i < COR_COUNT(archs); i++) {
                uint32_t base = archs[i] == SCMP_ARCH_X32 ? 0x40000000 : archs[i] == SCMP_ARCH_MIPSEL64 ? 5000 : 0;
                int last = seccomp_syscall_resolve_name_arch(archs[i], "faccessat2");

                assert_int_equal(last, base + 439);
                for (int nr = (int)base; nr < (int)base + 700; nr++) {
                        uint32_t expected = nr > last ? ERR(ENOSYS) : SECCOMP_RET_KILL_PROCESS;

                        if (archs[i] == SCMP_ARCH_X32 && nr - base >= 512 && nr - base <= 545)
                                expected = SECCOMP_RET_KILL_PROCESS; /* x32's old ones: execveat is the last named */
                        for (size_t j = 0; j < COR_COUNT(allowed); j++)
                                if (seccomp_syscall_resolve_name_arch(archs[i], allowed[j]) == nr)
                                        expected = SECCOMP_RET_ALLOW;
                        if (answer_args(&p, archs[i], nr, NULL) != expected)
                                fail_msg("arch %x nr %d: %x instead of %x", archs[i], nr,
                                         answer_args(&p, archs[i], nr, NULL), expected);
                }
        }
        /* ARM's private calls stand outside the order */
        assert_int_equal(answer(&p, SCMP_ARCH_ARM, "set_tls"), SECCOMP_RET_ALLOW);
        assert_int_equal(answer(&p, SCMP_ARCH_ARM, "cacheflush"), SECCOMP_RET_KILL_PROCESS);
        assert_int_equal(answer_args(&p, SCMP_ARCH_ARM, 0xeffff, NULL), ERR(ENOSYS));
        assert_int_equal(answer_args(&p, SCMP_ARCH_ARM, 0xf0000, NULL), SECCOMP_RET_KILL_PROCESS);
        /* an architecture that is not in the profile is refused as a whole */
        assert_int_equal(answer_args(&p, SCMP_ARCH_PARISC, 3, NULL), SECCOMP_RET_KILL_THREAD);
}

static void x32_calls_stay_forbidden_without_x32(void **state)
{
        struct oci_seccomp profile = {
                .default_action = "SCMP_ACT_ERRNO",
                ARCHS("SCMP_ARCH_X86_64"),
                RULES(ALLOW("read", "faccessat2")),
        };
        auto_seccomp_program p = SECCOMP_PROGRAM_INIT;

        make(&profile, &p);
        assert_int_equal(answer_args(&p, SCMP_ARCH_X86_64, 0, NULL), SECCOMP_RET_ALLOW);
        assert_int_equal(answer_args(&p, SCMP_ARCH_X86_64, 440, NULL), ERR(ENOSYS));
        assert_int_equal(answer_args(&p, SCMP_ARCH_X86_64, 0x3fffffff, NULL), ERR(ENOSYS));
        assert_int_equal(answer_args(&p, SCMP_ARCH_X86_64, 0x40000000, NULL), SECCOMP_RET_KILL_THREAD);
        assert_int_equal(answer_args(&p, SCMP_ARCH_X86_64, 0x40000000 + 440, NULL), SECCOMP_RET_KILL_THREAD);
}

static void no_stub_where_it_would_change_what_is_let_through(void **state)
{
        static const char *const actions[] = { "SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE" };
        struct oci_seccomp profile = {
                RULES({ NAMES("mount"), .action = "SCMP_ACT_ERRNO", .errno_ret = { true, EPERM } }),
        };

        for (size_t i = 0; i < COR_COUNT(actions); i++) {
                auto_seccomp_program p = SECCOMP_PROGRAM_INIT;

                profile.default_action = actions[i];
                make(&profile, &p);
                assert_int_not_equal(answer_args(&p, seccomp_arch_native(), 900, NULL), ERR(ENOSYS));
                assert_int_equal(answer(&p, seccomp_arch_native(), "mount"), ERR(EPERM));
        }
}

/* Every call libseccomp knows, but every seventh: as large as profiles get. */
static void a_large_profile_is_exact(void **state)
{
        const char *names[1024];
        struct oci_seccomp_rule rule = { .names = names, .action = "SCMP_ACT_ALLOW" };
        struct oci_seccomp profile = { .default_action = "SCMP_ACT_ERRNO", .syscalls = &rule, .n_syscalls = 1 };
        auto_seccomp_program p = SECCOMP_PROGRAM_INIT;
        uint32_t native = seccomp_arch_native();
        int last = 0;

        for (int nr = 0; nr < 1024; nr++) {
                char *name = seccomp_syscall_resolve_num_arch(native, nr);

                if (name && nr % 7 != 3)
                        names[rule.n_names++] = name;
                else
                        free(name);
        }
        assert_true(rule.n_names > 200);
        make(&profile, &p);
        for (size_t i = 0; i < rule.n_names; i++) {
                int nr = seccomp_syscall_resolve_name(names[i]);

                last = nr > last ? nr : last;
                assert_int_equal(answer_args(&p, native, nr, NULL), SECCOMP_RET_ALLOW);
        }
        for (int nr = 3; nr < 1024; nr += 7)
                assert_int_equal(answer_args(&p, native, nr, NULL), nr > last ? ERR(ENOSYS) : ERR(EPERM));
        for (size_t i = 0; i < rule.n_names; i++)
                free((void *)(uintptr_t)names[i]);
}

static void wrong_profiles_are_refused_with_their_place(void **state)
{
        struct oci_seccomp p = { .default_action = "SCMP_ACT_ERRNO" };
        struct oci_seccomp_rule rule = { NAMES("read"), .action = "SCMP_ACT_ALLOW" };
        struct oci_seccomp_arg arg = { 0, 0, 0, "SCMP_CMP_EQ" };

        refused(&(struct oci_seccomp){ 0 }, "linux.seccomp.defaultAction: expected an action");
        refused(&(struct oci_seccomp){ .default_action = "SCMP_ACT_FOO" }, "found \"SCMP_ACT_FOO\"");
        refused(&(struct oci_seccomp){ .default_action = "SCMP_ACT_NOTIFY" }, "cannot be the default");
        refused(&(struct oci_seccomp){ .default_action = "SCMP_ACT_ALLOW", .default_errno_ret = { true, 1 } },
                "SCMP_ACT_ALLOW takes no errno value");
        refused(&(struct oci_seccomp){ .default_action = "SCMP_ACT_ERRNO", .default_errno_ret = { true, 4096 } },
                "expected at most 4095");
        refused(&(struct oci_seccomp){ .default_action = "SCMP_ACT_ERRNO", ARCHS("SCMP_ARCH_Z80") },
                "linux.seccomp.architectures[0]: expected an architecture (SCMP_ARCH_…), found \"SCMP_ARCH_Z80\"");
        refused(&(struct oci_seccomp){ .default_action = "SCMP_ACT_ERRNO",
                                       .flags = (const char *[]){ "SECCOMP_FILTER_FLAG_FOO", NULL },
                                       .n_flags = 1 },
                "linux.seccomp.flags[0]: expected a flag");
        refused(&(struct oci_seccomp){ .default_action = "SCMP_ACT_ERRNO", .listener_metadata = "x" },
                "linux.seccomp.listenerMetadata");

        p.syscalls = &rule;
        p.n_syscalls = 1;
        rule.action = "SCMP_ACT_NOTIFY";
        refused(&p, "linux.seccomp.listenerPath: required");
        rule.names = (const char *[]){ "write", NULL };
        refused(&p, "cannot be used for write");
        rule.action = "SCMP_ACT_ALLOW";
        rule.errno_ret = (struct cor_opt_u64){ true, 1 };
        refused(&p, "linux.seccomp.syscalls[0].action: SCMP_ACT_ALLOW takes no errno value");
        rule.errno_ret.set = false;
        rule.args = &arg;
        rule.n_args = 1;
        arg.index = 6;
        refused(&p, "linux.seccomp.syscalls[0].args[0].index: expected 0 to 5, found 6");
        arg.index = 0;
        arg.op = "SCMP_CMP_MAYBE";
        refused(&p, "linux.seccomp.syscalls[0].args[0].op: expected a comparison");
        rule.n_args = 0;
        rule.names = (const char *[]){ "", NULL };
        refused(&p, "linux.seccomp.syscalls[0].names[0]: expected the name");
        rule.n_names = 0;
        refused(&p, "linux.seccomp.syscalls[0].names: expected at least one name");
}

static void too_many_rules_are_refused(void **state)
{
        struct oci_seccomp_arg args[SECCOMP_MAX_RULES + 1];
        struct oci_seccomp_rule rule = { NAMES("read"), .action = "SCMP_ACT_ALLOW", .args = args };
        struct oci_seccomp profile = { .default_action = "SCMP_ACT_ERRNO", .syscalls = &rule, .n_syscalls = 1 };

        for (size_t i = 0; i < COR_COUNT(args); i++)
                args[i] = (struct oci_seccomp_arg){ 0, i, 0, "SCMP_CMP_EQ" };
        rule.n_args = COR_COUNT(args);
        refused(&profile, "linux.seccomp.syscalls[0].args: more than");
        rule.n_args = SECCOMP_MAX_RULES;
        refused(&profile, "the kernel takes 4096");
}

static void unknown_calls_are_ignored_unless_asked_otherwise(void **state)
{
        struct oci_seccomp profile = { .default_action = "SCMP_ACT_ERRNO", RULES(ALLOW("read", "no_such_call")) };
        struct seccomp_options opts = SECCOMP_OPTIONS_INIT;
        auto_seccomp_program p = SECCOMP_PROGRAM_INIT;
        struct cor_pair on = { "run.oci.seccomp_fail_unknown_syscall", "1" };
        struct cor_err err = { 0 };

        make(&profile, &p);
        assert_int_equal(seccomp_options_read(&on, 1, &opts, &err), 0);
        seccomp_program_done(&p);
        assert_int_equal(seccomp_program_make(&profile, &opts, &p, &err), -1);
        assert_string_equal(err.msg, "linux.seccomp.syscalls[0].names[1]: unknown system call \"no_such_call\"");
}

static void flags_are_taken_from_the_profile(void **state)
{
        struct oci_seccomp profile = { .default_action = "SCMP_ACT_ALLOW" };
        const char *log[] = { "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC", NULL };
        auto_seccomp_program p = SECCOMP_PROGRAM_INIT;
        unsigned bits = 0;

        make(&profile, &p);
        assert_int_equal(p.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
        seccomp_program_done(&p);
        profile.flags = log;
        make(&profile, &p);
        assert_int_equal(p.flags, 0);
        profile.n_flags = 2;
        assert_int_equal(seccomp_flags_make(&profile, true, &bits, NULL), 0);
        assert_int_equal(bits, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_NEW_LISTENER |
                                       SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
}

static void features_name_what_profiles_may_use(void **state)
{
        struct seccomp_features f;
        int n = 0;

        seccomp_features(&f);
        for (size_t i = 0; f.archs[i]; i++)
                n += seccomp_arch_find(f.archs[i]) > 0;
        assert_true(n > 10);
        for (size_t i = 0; f.operators[i]; i++)
                assert_true(seccomp_operator_find(f.operators[i]) >= 0);
        assert_string_equal(f.actions[0], "SCMP_ACT_ALLOW");
        assert_string_equal(f.known_flags[3], "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");
}

/* The exit status of a child under @p that makes a few calls and says what it saw; -1 if it cannot be put under it. */
static int kernel_says(const struct seccomp_program *p)
{
        struct cor_err err = { 0 };
        int status, listener, bad = 0;
        pid_t pid = fork();

        if (pid == 0) {
                if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_program_install(p, &listener, &err) < 0)
                        _exit(100);
                bad |= syscall(SYS_getppid) > 0 ? 0 : 1;
                bad |= syscall(SYS_getuid) == -1 && errno == EPERM ? 0 : 2;
                bad |= syscall(SYS_getgid) == -1 && errno == EXDEV ? 0 : 4;
                bad |= syscall(1000) == -1 && errno == ENOSYS ? 0 : 8;
                bad |= syscall(SYS_dup, 200) == -1 && errno == EBADF ? 0 : 16;
                bad |= syscall(SYS_dup, 201) == -1 && errno == EPERM ? 0 : 32;
                syscall(SYS_exit_group, bad); /* sanitizers make calls of their own in _exit() */
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
                return 101;
        return WEXITSTATUS(status);
}

static void the_kernel_agrees(void **state)
{
        struct oci_seccomp profile = {
                .default_action = "SCMP_ACT_ERRNO",
                RULES(ALLOW("getppid", "exit_group"),
                      { NAMES("getgid"), .action = "SCMP_ACT_ERRNO", .errno_ret = { true, EXDEV } },
                      { NAMES("dup"), .action = "SCMP_ACT_ALLOW", ARGS({ 0, 200, 0, "SCMP_CMP_EQ" }) }),
        };
        auto_seccomp_program p = SECCOMP_PROGRAM_INIT;
        int said;

        if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &(uint32_t){ SECCOMP_RET_ERRNO }) < 0) {
                print_message("skipped: seccomp(2) does not work here: %s; runs on the CI machine\n", strerror(errno));
                skip();
        }
        make(&profile, &p);
        said = kernel_says(&p);
        assert_int_equal(said, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_get_their_action_and_others_the_default),
                cmocka_unit_test(every_comparison_compares),
                cmocka_unit_test(conditions_of_a_rule_hold_together_unless_an_argument_is_named_twice),
                cmocka_unit_test(all_architectures_answer_alike_and_newer_calls_get_enosys),
                cmocka_unit_test(x32_calls_stay_forbidden_without_x32),
                cmocka_unit_test(no_stub_where_it_would_change_what_is_let_through),
                cmocka_unit_test(a_large_profile_is_exact),
                cmocka_unit_test(wrong_profiles_are_refused_with_their_place),
                cmocka_unit_test(too_many_rules_are_refused),
                cmocka_unit_test(unknown_calls_are_ignored_unless_asked_otherwise),
                cmocka_unit_test(flags_are_taken_from_the_profile),
                cmocka_unit_test(features_name_what_profiles_may_use),
                cmocka_unit_test(the_kernel_agrees),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
