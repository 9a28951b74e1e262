/*
 * From the rules of a profile to a program, by libseccomp. Its parts that depend on the kernel (loading, flags) are not
 * used: the program is exported, and gets our own head (seccomp_enosys.c).
 */
#include "linux/seccomp_internal.h"

#include "base/fd.h"
#include "base/log.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_ARGS = 6 };

struct compiler {
        scmp_filter_ctx ctx;
        uint32_t default_action;
        bool fail_unknown;
        size_t n_rules;
};

static void compiler_done(struct compiler *c)
{
        if (c->ctx)
                seccomp_release(c->ctx);
}

static int compiler_start(struct compiler *c, const struct oci_seccomp *profile, struct cor_err *err)
{
        if (seccomp_action_parse(profile->default_action, &profile->default_errno_ret, "linux.seccomp.defaultAction",
                                 &c->default_action, err) < 0)
                return -1;
        if (c->default_action == SCMP_ACT_NOTIFY)
                return cor_fail(err, COR_INVALID,
                                "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be the default, it would stop the "
                                "container before its listener is handed over");
        c->ctx = seccomp_init(c->default_action);
        if (!c->ctx)
                return cor_fail(err, COR_UNSUPPORTED, "linux.seccomp.defaultAction: libseccomp refuses %s",
                                profile->default_action);
        /* A balanced tree instead of a list: fewer steps for each call, and for the kernel when it loads the program.
         */
        (void)seccomp_attr_set(c->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        return 0;
}

static int add_archs(struct compiler *c, const struct oci_seccomp *profile, struct cor_err *err)
{
        for (size_t i = 0; i < profile->n_architectures; i++) {
                int64_t arch = seccomp_arch_find(profile->architectures[i]);
                int rc;

                if (arch < 0)
                        return cor_fail(err, COR_INVALID,
                                        "linux.seccomp.architectures[%zu]: expected an architecture (SCMP_ARCH_…), "
                                        "found \"%s\"",
                                        i, profile->architectures[i]);
                if (arch == 0) { /* its calls stay forbidden, as those of all architectures not named */
                        cor_debug("seccomp: architecture %s is unknown to libseccomp, ignored",
                                  profile->architectures[i]);
                        continue;
                }
                rc = seccomp_arch_add(c->ctx, (uint32_t)arch);
                if (rc == -EDOM) /* the other byte order: it cannot run here */
                        continue;
                if (rc < 0 && rc != -EEXIST)
                        return cor_fail(err, COR_INVALID, "linux.seccomp.architectures[%zu]: %s: %s", i,
                                        profile->architectures[i], strerror(-rc));
        }
        return 0;
}

static int add_one(struct compiler *c, uint32_t action, int nr, const struct scmp_arg_cmp *args, unsigned n_args,
                   const char *name, struct cor_err *err)
{
        int rc;

        if (++c->n_rules > SECCOMP_MAX_RULES)
                return cor_fail(err, COR_INVALID, "linux.seccomp.syscalls: more than %d rules", SECCOMP_MAX_RULES);
        rc = seccomp_rule_add_array(c->ctx, action, nr, n_args, args);
        if (rc < 0 && rc != -EEXIST)
                return cor_fail(err, COR_INVALID, "linux.seccomp.syscalls: cannot add the rule for %s: %s", name,
                                strerror(-rc));
        return 0;
}

/*
 * Conditions of one rule hold together. An argument that is named twice cannot be said that way in libseccomp: then
 * each condition is a rule of its own, any of which suffices. Profiles in use rely on it (runc does the same).
 */
static int add_conditions(struct compiler *c, uint32_t action, int nr, const struct scmp_arg_cmp *args, unsigned n_args,
                          const char *name, struct cor_err *err)
{
        unsigned seen = 0;
        bool twice = false;

        for (unsigned i = 0; i < n_args; i++) {
                twice |= seen & 1U << args[i].arg;
                seen |= 1U << args[i].arg;
        }
        if (!twice)
                return add_one(c, action, nr, args, n_args, name, err);
        for (unsigned i = 0; i < n_args; i++)
                if (add_one(c, action, nr, &args[i], 1, name, err) < 0)
                        return -1;
        return 0;
}

static int args_parse(const struct oci_seccomp_rule *rule, size_t index, struct scmp_arg_cmp **ret, struct cor_err *err)
{
        auto_free struct scmp_arg_cmp *args = cor_realloc_array(NULL, rule->n_args, sizeof *args);

        for (size_t i = 0; i < rule->n_args; i++) {
                const struct oci_seccomp_arg *arg = &rule->args[i];
                int op = seccomp_operator_find(arg->op);

                if (op < 0)
                        return cor_fail(err, COR_INVALID,
                                        "linux.seccomp.syscalls[%zu].args[%zu].op: expected a comparison (SCMP_CMP_…), "
                                        "found \"%s\"",
                                        index, i, arg->op ? arg->op : "");
                if (arg->index >= MAX_ARGS)
                        return cor_fail(err, COR_INVALID,
                                        "linux.seccomp.syscalls[%zu].args[%zu].index: expected 0 to %d, found %u",
                                        index, i, MAX_ARGS - 1, arg->index);
                args[i] = (struct scmp_arg_cmp){
                        .arg = arg->index, .op = (enum scmp_compare)op, .datum_a = arg->value, .datum_b = arg->value_two
                };
        }
        *ret = COR_TAKE(args);
        return 0;
}

static int add_name(struct compiler *c, const struct oci_seccomp_rule *rule, size_t index, size_t name_index,
                    uint32_t action, const struct scmp_arg_cmp *args, struct cor_err *err)
{
        const char *name = rule->names[name_index];
        int nr = seccomp_syscall_resolve_name(name);

        if (name[0] == '\0')
                return cor_fail(err, COR_INVALID,
                                "linux.seccomp.syscalls[%zu].names[%zu]: expected the name of a system call", index,
                                name_index);
        if (nr == __NR_SCMP_ERROR) {
                if (c->fail_unknown)
                        return cor_fail(err, COR_INVALID,
                                        "linux.seccomp.syscalls[%zu].names[%zu]: unknown system call \"%s\"", index,
                                        name_index, name);
                cor_debug("seccomp: unknown system call %s ignored", name);
                return 0;
        }
        if (action == c->default_action)
                return 0;
        if (action == SCMP_ACT_NOTIFY && strcmp(name, "write") == 0)
                return cor_fail(
                        err, COR_INVALID,
                        "linux.seccomp.syscalls[%zu].action: SCMP_ACT_NOTIFY cannot be used for write, by which "
                        "the listener itself is handed over",
                        index);
        return add_conditions(c, action, nr, args, (unsigned)rule->n_args, name, err);
}

static int add_rule(struct compiler *c, const struct oci_seccomp_rule *rule, size_t index, struct cor_err *err)
{
        auto_free struct scmp_arg_cmp *args = NULL;
        uint32_t action;
        char where[64];

        snprintf(where, sizeof where, "linux.seccomp.syscalls[%zu].action", index);
        if (seccomp_action_parse(rule->action, &rule->errno_ret, where, &action, err) < 0)
                return -1;
        if (rule->n_names == 0)
                return cor_fail(err, COR_INVALID, "linux.seccomp.syscalls[%zu].names: expected at least one name",
                                index);
        if (rule->n_args > SECCOMP_MAX_RULES)
                return cor_fail(err, COR_INVALID, "linux.seccomp.syscalls[%zu].args: more than %d", index,
                                SECCOMP_MAX_RULES);
        if (args_parse(rule, index, &args, err) < 0)
                return -1;
        for (size_t i = 0; i < rule->n_names; i++)
                if (add_name(c, rule, index, i, action, args, err) < 0)
                        return -1;
        return 0;
}

/* The whole program: the stub, then what libseccomp generates, read back from a file in memory. */
static int program_export(struct compiler *c, const struct oci_seccomp *profile, struct seccomp_program *ret,
                          struct cor_err *err)
{
        struct sock_filter stub[SECCOMP_STUB_MAX_ITEMS], *items;
        auto_fd fd = memfd_create("seccomp", MFD_CLOEXEC);
        size_t n_stub, n_items;
        struct stat st;
        int rc;

        if (fd < 0)
                return cor_fail_errno(err, "a file in memory for the seccomp program");
        rc = seccomp_export_bpf(c->ctx, fd);
        if (rc < 0)
                return cor_fail(err, COR_INVALID, "linux.seccomp: libseccomp cannot make a program: %s", strerror(-rc));
        if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
                return cor_fail_errno(err, "the seccomp program");
        n_items = (size_t)st.st_size / sizeof *items;
        if (n_items == 0 || n_items > SECCOMP_MAX_ITEMS)
                return cor_fail(err, COR_INVALID, "linux.seccomp: needs %zu instructions, the kernel takes %d", n_items,
                                SECCOMP_MAX_ITEMS);

        n_stub = seccomp_enosys_stub(profile, stub);
        if (n_stub + n_items > SECCOMP_MAX_ITEMS) { /* the default action answers for new calls then */
                cor_debug("seccomp: no room for the ENOSYS stub");
                n_stub = 0;
        }
        items = cor_realloc_array(NULL, n_stub + n_items, sizeof *items);
        memcpy(items, stub, n_stub * sizeof *items);
        ret->memory = ret->items = items;
        ret->n_items = n_stub + n_items;
        if (cor_read_full(fd, items + n_stub, n_items * sizeof *items, err) != (ssize_t)(n_items * sizeof *items))
                return cor_fail(err, COR_SYSTEM, "the seccomp program cannot be read back");
        return 0;
}

int seccomp_compile(const struct oci_seccomp *profile, bool fail_unknown, struct seccomp_program *ret,
                    struct cor_err *err)
{
        COR_CLEANUP(compiler_done) struct compiler c = { .fail_unknown = fail_unknown };

        if (compiler_start(&c, profile, err) < 0 || add_archs(&c, profile, err) < 0)
                return -1;
        for (size_t i = 0; i < profile->n_syscalls; i++)
                if (add_rule(&c, &profile->syscalls[i], i, err) < 0)
                        return -1;
        return program_export(&c, profile, ret, err);
}
