/*
 * From the rules of a profile to a program: a head of our own for what depends on the number of a call alone
 * (seccomp_front.c), and libseccomp's program for the rest. libseccomp's parts that load programs are not used.
 */
#include "linux/seccomp_internal.h"

#include "base/fd.h"
#include "base/log.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        MAX_ARCHS = 32,
        KERNEL_LEVEL =
                6, /* libseccomp's name for what every kernel has that we run on: it need not try out each feature */
};

struct compiler {
        scmp_filter_ctx ctx;
        struct seccomp_rules rules;
        uint32_t archs[MAX_ARCHS]; /* our own first */
        size_t n_archs;
        size_t n_added; /* rules */
};

static void compiler_done(struct compiler *c)
{
        if (c->ctx)
                seccomp_release(c->ctx);
        seccomp_rules_done(&c->rules);
}

static int ctx_start(struct compiler *c, struct cor_err *err)
{
        if (c->ctx)
                seccomp_release(c->ctx);
        c->n_archs = c->n_added = 0;
        (void)seccomp_api_set(KERNEL_LEVEL);
        c->ctx = seccomp_init(c->rules.default_action);
        if (!c->ctx)
                return cor_fail(err, COR_UNSUPPORTED, "linux.seccomp.defaultAction: libseccomp refuses it");
        c->archs[c->n_archs++] = seccomp_arch_native();
        /* A balanced tree instead of a list: fewer steps for each call. */
        (void)seccomp_attr_set(c->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        return 0;
}

static int add_arch(struct compiler *c, const char *word, size_t index, struct cor_err *err)
{
        int64_t arch = seccomp_arch_find(word);
        int rc;

        if (arch < 0)
                return cor_fail(err, COR_INVALID,
                                "linux.seccomp.architectures[%zu]: expected an architecture (SCMP_ARCH_…), "
                                "found \"%s\"",
                                index, word);
        if (arch == 0) { /* its calls stay forbidden, as those of all architectures not named */
                cor_debug("seccomp: architecture %s is unknown to libseccomp, ignored", word);
                return 0;
        }
        rc = seccomp_arch_add(c->ctx, (uint32_t)arch);
        if (rc == -EEXIST || rc == -EDOM) /* the other byte order: it cannot run here */
                return 0;
        if (rc < 0)
                return cor_fail(err, COR_INVALID, "linux.seccomp.architectures[%zu]: %s: %s", index, word,
                                strerror(-rc));
        if (c->n_archs < MAX_ARCHS)
                c->archs[c->n_archs++] = (uint32_t)arch;
        return 0;
}

static int add_one(struct compiler *c, const struct seccomp_call *call, const struct scmp_arg_cmp *args,
                   unsigned n_args, struct cor_err *err)
{
        int rc;

        if (++c->n_added > SECCOMP_MAX_RULES)
                return cor_fail(err, COR_INVALID, "linux.seccomp.syscalls: more than %d rules", SECCOMP_MAX_RULES);
        rc = seccomp_rule_add_array(c->ctx, call->action, call->nr, n_args, args);
        if (rc < 0 && rc != -EEXIST)
                return cor_fail(err, COR_INVALID, "linux.seccomp.syscalls: cannot add the rule for %s: %s", call->name,
                                strerror(-rc));
        return 0;
}

/*
 * Conditions of one rule hold together. An argument that is named twice cannot be said that way in libseccomp: then
 * each condition is a rule of its own, any of which suffices. Profiles in use rely on it (runc does the same).
 */
static int add_call(struct compiler *c, const struct seccomp_call *call, struct cor_err *err)
{
        unsigned n_args = (unsigned)call->rule->n_args, seen = 0;
        auto_free struct scmp_arg_cmp *args = cor_realloc_array(NULL, n_args, sizeof *args);
        bool twice = false;

        for (unsigned i = 0; i < n_args; i++) {
                const struct oci_seccomp_arg *arg = &call->rule->args[i];

                args[i] = (struct scmp_arg_cmp){ .arg = arg->index,
                                                 .op = (enum scmp_compare)seccomp_operator_find(arg->op),
                                                 .datum_a = arg->value,
                                                 .datum_b = arg->value_two };
                twice |= (seen >> arg->index) & 1;
                seen |= 1U << arg->index;
        }
        if (!twice)
                return add_one(c, call, args, n_args, err);
        for (unsigned i = 0; i < n_args; i++)
                if (add_one(c, call, &args[i], 1, err) < 0)
                        return -1;
        return 0;
}

/* libseccomp's program: of all calls, or of those only that are not @plain. */
static int fill_ctx(struct compiler *c, const struct oci_seccomp *profile, bool all, struct cor_err *err)
{
        if (ctx_start(c, err) < 0)
                return -1;
        for (size_t i = 0; i < profile->n_architectures; i++)
                if (add_arch(c, profile->architectures[i], i, err) < 0)
                        return -1;
        if (!all)
                seccomp_rules_sort(&c->rules, c->archs, c->n_archs);
        for (size_t i = 0; i < c->rules.n_calls; i++) {
                const struct seccomp_call *call = &c->rules.calls[i];

                if (call->action != c->rules.default_action && (all || !call->plain) && add_call(c, call, err) < 0)
                        return -1;
        }
        return 0;
}

/* join() - the head, then what libseccomp generates, read back from a file in memory; 1 if that is too long */
static int join(struct compiler *c, const struct sock_filter *head, size_t n_head, struct seccomp_program *ret,
                struct cor_err *err)
{
        auto_fd fd = memfd_create("seccomp", MFD_CLOEXEC);
        auto_free struct sock_filter *items = NULL;
        size_t n_rest;
        struct stat st;
        int rc;

        if (fd < 0)
                return cor_fail_errno(err, "a file in memory for the seccomp program");
        rc = seccomp_export_bpf(c->ctx, fd);
        if (rc < 0)
                return cor_fail(err, COR_INVALID, "linux.seccomp: libseccomp cannot make a program: %s", strerror(-rc));
        if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
                return cor_fail_errno(err, "the seccomp program");
        n_rest = (size_t)st.st_size / sizeof *items;
        if (n_rest == 0 || n_head + n_rest > SECCOMP_MAX_ITEMS) {
                cor_fail(err, COR_INVALID, "linux.seccomp: needs %zu instructions, the kernel takes %d",
                         n_head + n_rest, SECCOMP_MAX_ITEMS);
                return 1;
        }
        items = cor_realloc_array(NULL, n_head + n_rest, sizeof *items);
        memcpy(items, head, n_head * sizeof *items);
        if (cor_read_full(fd, items + n_head, n_rest * sizeof *items, err) != (ssize_t)(n_rest * sizeof *items))
                return cor_fail(err, COR_SYSTEM, "the seccomp program cannot be read back");
        ret->n_items = n_head + n_rest;
        ret->memory = ret->items = COR_TAKE(items);
        return 0;
}

static size_t head_make(const struct compiler *c, bool coarse, struct sock_filter head[SECCOMP_MAX_ITEMS])
{
        const struct seccomp_front front = { .calls = c->rules.calls,
                                             .n_calls = c->rules.n_calls,
                                             .archs = c->archs,
                                             .n_archs = c->n_archs,
                                             .default_action = c->rules.default_action };

        return seccomp_front_make(&front, coarse, head);
}

/* What the plain way cannot hold: everything through libseccomp, the head for newer calls only, or none. */
static int compile_coarsely(struct compiler *c, const struct oci_seccomp *profile, struct seccomp_program *ret,
                            struct cor_err *err)
{
        struct sock_filter head[SECCOMP_MAX_ITEMS];
        int r;

        if (fill_ctx(c, profile, true, err) < 0)
                return -1;
        r = join(c, head, head_make(c, true, head), ret, err);
        if (r <= 0)
                return r;
        cor_debug("seccomp: no room to answer newer calls with ENOSYS");
        return join(c, head, 0, ret, err) == 0 ? 0 : -1;
}

int seccomp_compile(const struct oci_seccomp *profile, bool fail_unknown, struct seccomp_program *ret,
                    struct cor_err *err)
{
        COR_CLEANUP(compiler_done) struct compiler c = { 0 };
        struct sock_filter head[SECCOMP_MAX_ITEMS];
        size_t n_head;
        int r;

        if (seccomp_rules_read(profile, fail_unknown, &c.rules, err) < 0 || fill_ctx(&c, profile, false, err) < 0)
                return -1;
        n_head = head_make(&c, false, head);
        if (n_head > 0) {
                r = join(&c, head, n_head, ret, err);
                if (r <= 0)
                        return r;
        }
        return compile_coarsely(&c, profile, ret, err);
}
