/*
 * The default filter: what it lets through depends on capabilities, architecture and kernel; and profiles in docker's
 * form. Where Debian's profile of podman is installed, both are compared call by call; that of docker itself is looked
 * at by tests/integration/bundle_docker.bats.
 */
#include "base/file.h"
#include "engine/default_seccomp.h"
#include "linux/caps.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../json_quotes.h"
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void *memory(void)
{
        static const char frame[] = "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"x\"}}";
        struct oci_config *c = NULL;

        assert_int_equal(oci_config_parse(frame, sizeof frame - 1, NULL, &c, NULL), 0);
        return c;
}

static bool has_name(const struct oci_seccomp_rule *r, const char *name)
{
        for (size_t i = 0; i < r->n_names; i++)
                if (strcmp(r->names[i], name) == 0)
                        return true;
        return false;
}

/* Some rule allows @name, whatever its arguments are. */
static bool allows(const struct oci_seccomp *p, const char *name)
{
        for (size_t i = 0; i < p->n_syscalls; i++)
                if (p->syscalls[i].n_args == 0 && strcmp(p->syscalls[i].action, "SCMP_ACT_ALLOW") == 0 &&
                    has_name(&p->syscalls[i], name))
                        return true;
        return false;
}

static bool default_allows(const char *name, const char *arch, unsigned major, unsigned minor, uint64_t caps)
{
        auto_json void *root = memory();
        struct seccomp_target t = { .arch = arch, .kernel = major, .kernel_minor = minor, .caps = caps };

        return allows(default_seccomp(root, &t), name);
}

static void some_calls_need_a_capability(void **state)
{
        static const struct {
                const char *name;
                int cap;
        } calls[] = {
                { "mount", CAP_SYS_ADMIN },
                { "setns", CAP_SYS_ADMIN },
                { "bpf", CAP_BPF },
                { "reboot", CAP_SYS_BOOT },
                { "chroot", CAP_SYS_CHROOT },
                { "init_module", CAP_SYS_MODULE },
                { "kcmp", CAP_SYS_PTRACE },
                { "iopl", CAP_SYS_RAWIO },
                { "settimeofday", CAP_SYS_TIME },
                { "mbind", CAP_SYS_NICE },
                { "syslog", CAP_SYSLOG },
                { "perf_event_open", CAP_PERFMON },
                { "acct", CAP_SYS_PACCT },
                { "vhangup", CAP_SYS_TTY_CONFIG },
                { "open_by_handle_at", CAP_DAC_READ_SEARCH },
        };

        for (size_t i = 0; i < COR_COUNT(calls); i++) {
                assert_false(default_allows(calls[i].name, "amd64", 6, 1, 0));
                assert_true(default_allows(calls[i].name, "amd64", 6, 1, 1ULL << calls[i].cap));
        }
}

static void some_depend_on_kernel_and_architecture(void **state)
{
        assert_true(default_allows("ptrace", "amd64", 4, 8, 0));
        assert_false(default_allows("ptrace", "amd64", 4, 7, 0));
        assert_true(default_allows("arch_prctl", "amd64", 6, 1, 0));
        assert_false(default_allows("arch_prctl", "riscv64", 6, 1, 0));
        assert_true(default_allows("riscv_flush_icache", "riscv64", 6, 1, 0));
        assert_true(default_allows("openat", "", 0, 0, 0));
        assert_false(default_allows("keyctl", "amd64", 6, 1, 0));
        assert_false(default_allows("io_uring_setup", "amd64", 6, 1, 0));
}

static void new_namespaces_need_the_right_to_them(void **state)
{
        auto_json void *root = memory();
        struct seccomp_target t = { .arch = "amd64", .kernel = 6 };
        struct oci_seccomp *p = default_seccomp(root, &t);
        bool masked = false, enosys = false;

        for (size_t i = 0; i < p->n_syscalls; i++) {
                struct oci_seccomp_rule *r = &p->syscalls[i];

                if (has_name(r, "clone") && r->n_args == 1)
                        masked = r->args[0].index == 0 && r->args[0].value == 0x7e020000 &&
                                 strcmp(r->args[0].op, "SCMP_CMP_MASKED_EQ") == 0;
                if (has_name(r, "clone3"))
                        enosys = strcmp(r->action, "SCMP_ACT_ERRNO") == 0 && r->errno_ret.value == 38;
        }
        assert_true(masked && enosys && !allows(p, "clone"));
        t.caps = 1ULL << CAP_SYS_ADMIN;
        assert_true(allows(default_seccomp(root, &t), "clone3"));
}

/* --- profiles ---------------------------------------------------------------------------------------------------- */

static int parse(void *root, const char *text, const struct seccomp_target *t, struct oci_seccomp **ret,
                 struct cor_err *err)
{
        auto_str quoted = json_quotes(text);

        return seccomp_profile_parse(root, quoted, strlen(quoted), "p.json", t, ret, err);
}

static void conditions_of_a_profile_are_judged(void **state)
{
        static const char text[] =
                "{'defaultAction':'SCMP_ACT_ERRNO','archMap':[{'architecture':'SCMP_ARCH_X86_64',"
                "'subArchitectures':['SCMP_ARCH_X86']}],'syscalls':["
                "{'name':'a','action':'SCMP_ACT_ALLOW'},"
                "{'names':['b'],'action':'SCMP_ACT_ALLOW','includes':{'caps':['CAP_SYS_ADMIN']}},"
                "{'names':['c'],'action':'SCMP_ACT_ALLOW','excludes':{'arches':['amd64']}},"
                "{'names':['d'],'action':'SCMP_ACT_ALLOW','includes':{'minKernel':'5.10','arches':['amd64','arm']}},"
                "{'names':['e'],'action':'SCMP_ACT_ALLOW','excludes':{'minKernel':'5.9'}}]}";
        struct seccomp_target t = { .arch = "amd64", .kernel = 5, .kernel_minor = 10 };
        auto_json void *root = memory();
        struct oci_seccomp *p = NULL;

        assert_int_equal(parse(root, text, &t, &p, NULL), 0);
        assert_true(allows(p, "a") && !allows(p, "b") && !allows(p, "c") && allows(p, "d") && !allows(p, "e"));
        assert_int_equal(p->n_architectures, 2);
        assert_string_equal(p->architectures[1], "SCMP_ARCH_X86");
        t = (struct seccomp_target){ .arch = "arm64", .kernel = 5, .kernel_minor = 8, .caps = 1ULL << CAP_SYS_ADMIN };
        assert_int_equal(parse(root, text, &t, &p, NULL), 0);
        assert_true(allows(p, "b") && allows(p, "c") && !allows(p, "d") && allows(p, "e"));
        assert_int_equal(p->n_architectures, 0);
}

static void profile_fails(const char *text, const char *message)
{
        auto_json void *root = memory();
        struct seccomp_target t = { .arch = "amd64" };
        struct oci_seccomp *p = NULL;
        struct cor_err err = { 0 };

        assert_int_equal(parse(root, text, &t, &p, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_string_equal(err.msg, message);
}

static void wrong_profiles_are_refused(void **state)
{
        profile_fails("{'syscalls':[{'names':['x']}]}",
                      "Decoding seccomp profile failed: p.json: syscalls[0].action: required, but missing");
        profile_fails("{'defaultAction':'x','syscalls':[{'name':'x','names':['x'],'action':'y'}]}",
                      "Decoding seccomp profile failed: p.json: syscalls[0]: both 'name' and 'names' are specified in "
                      "the seccomp profile, use either 'name' or 'names'");
        profile_fails(
                "{'defaultAction':'x','architectures':['a'],'archMap':[{}]}",
                "Decoding seccomp profile failed: p.json: both 'architectures' and 'archMap' are specified in the "
                "seccomp profile, use either 'architectures' or 'archMap'");
        profile_fails("{'defaultAction':'x','syscalls':[{'names':['x'],'action':'y','includes':{'minKernel':'six'}}]}",
                      "Decoding seccomp profile failed: p.json: syscalls[0]: invalid kernel version \"six\": expected "
                      "\"<kernel>.<major>\", such as 4.8");
}

/* --- beside podman's --------------------------------------------------------------------------------------------- */

/* Newer than that profile, or kept out by podman only (io_pgetevents, vmsplice). Podman itself allows far more. */
static const char *const newer[] = {
        "cachestat",
        "fchmodat2",
        "futex_requeue",
        "futex_wait",
        "futex_waitv",
        "futex_wake",
        "getxattrat",
        "listmount",
        "listxattrat",
        "io_pgetevents",
        "io_pgetevents_time64",
        "map_shadow_stack",
        "mseal",
        "statmount",
        "removexattrat",
        "riscv_hwprobe",
        "set_mempolicy_home_node",
        "setxattrat",
        "uretprobe",
        "lsm_get_self_attr",
        "lsm_list_modules",
        "lsm_set_self_attr",
        "quotactl_fd",
        "vmsplice",
};

static bool is_newer(const char *name)
{
        for (size_t i = 0; i < COR_COUNT(newer); i++)
                if (strcmp(newer[i], name) == 0)
                        return true;
        return false;
}

static void compare(const struct oci_seccomp *ours, const struct oci_seccomp *theirs, struct cor_text *found)
{
        for (size_t i = 0; i < ours->n_syscalls; i++)
                for (size_t k = 0; k < ours->syscalls[i].n_names; k++) {
                        const char *name = ours->syscalls[i].names[k];

                        if (!is_newer(name) && allows(ours, name) && !allows(theirs, name))
                                cor_text_printf(found, "%s ", name);
                }
}

static void nothing_is_allowed_that_podman_keeps_out(void **state)
{
        static const char path[] = "/usr/share/containers/seccomp.json";
        static const uint64_t caps[] = { 0, 0xa80425fb, ~0ULL };
        auto_str text = NULL;
        auto_text found = COR_TEXT_INIT;
        size_t n;

        if (cor_read_file(path, 1 << 20, &text, &n, NULL) < 0) {
                puts("# skipped: there is no /usr/share/containers/seccomp.json; runs where Debian's "
                     "golang-github-containers-common is");
                skip();
        }
        cor_text_add(&found, "");
        for (size_t i = 0; i < COR_COUNT(caps); i++) {
                struct seccomp_target t = { .arch = "amd64", .kernel = 6, .kernel_minor = 1, .caps = caps[i] };
                auto_json void *root = memory();
                struct oci_seccomp *ours = default_seccomp(root, &t), *theirs = NULL;

                assert_int_equal(seccomp_profile_parse(root, text, n, path, &t, &theirs, NULL), 0);
                compare(ours, theirs, &found);
        }
        assert_string_equal(found.s, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(some_calls_need_a_capability),
                cmocka_unit_test(some_depend_on_kernel_and_architecture),
                cmocka_unit_test(new_namespaces_need_the_right_to_them),
                cmocka_unit_test(conditions_of_a_profile_are_judged),
                cmocka_unit_test(wrong_profiles_are_refused),
                cmocka_unit_test(nothing_is_allowed_that_podman_keeps_out),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
