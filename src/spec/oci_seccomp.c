/*
 * `linux.seccomp`. Spec: config-linux.md, "Seccomp". Words stay text: what they mean to libseccomp depends on its
 * version, so linux/seccomp.h turns them into numbers. Here they are only checked against what the spec knows.
 */
#include "spec/oci_internal.h"

#include <stdio.h>
#include <string.h>

static const struct cor_word action_words[] = {
        { "SCMP_ACT_ALLOW", 0 },       { "SCMP_ACT_ERRNO", 0 },
        { "SCMP_ACT_KILL", 0 },        { "SCMP_ACT_KILL_PROCESS", 0 },
        { "SCMP_ACT_KILL_THREAD", 0 }, { "SCMP_ACT_TRAP", 0 },
        { "SCMP_ACT_TRACE", 0 },       { "SCMP_ACT_LOG", 0 },
        { "SCMP_ACT_NOTIFY", 0 },      { NULL, 0 },
};

static const struct cor_word op_words[] = {
        { "SCMP_CMP_NE", 0 }, { "SCMP_CMP_LT", 0 }, { "SCMP_CMP_LE", 0 },        { "SCMP_CMP_EQ", 0 },
        { "SCMP_CMP_GE", 0 }, { "SCMP_CMP_GT", 0 }, { "SCMP_CMP_MASKED_EQ", 0 }, { NULL, 0 },
};

static const struct cor_word flag_words[] = {
        { "SECCOMP_FILTER_FLAG_TSYNC", 0 },
        { "SECCOMP_FILTER_FLAG_LOG", 0 },
        { "SECCOMP_FILTER_FLAG_SPEC_ALLOW", 0 },
        { "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 0 },
        { NULL, 0 },
};

static const struct cor_word arch_words[] = {
        { "SCMP_ARCH_X86", 0 },      { "SCMP_ARCH_X86_64", 0 },      { "SCMP_ARCH_X32", 0 },
        { "SCMP_ARCH_ARM", 0 },      { "SCMP_ARCH_AARCH64", 0 },     { "SCMP_ARCH_MIPS", 0 },
        { "SCMP_ARCH_MIPS64", 0 },   { "SCMP_ARCH_MIPS64N32", 0 },   { "SCMP_ARCH_MIPSEL", 0 },
        { "SCMP_ARCH_MIPSEL64", 0 }, { "SCMP_ARCH_MIPSEL64N32", 0 }, { "SCMP_ARCH_PPC", 0 },
        { "SCMP_ARCH_PPC64", 0 },    { "SCMP_ARCH_PPC64LE", 0 },     { "SCMP_ARCH_S390", 0 },
        { "SCMP_ARCH_S390X", 0 },    { "SCMP_ARCH_PARISC", 0 },      { "SCMP_ARCH_PARISC64", 0 },
        { "SCMP_ARCH_RISCV64", 0 },  { "SCMP_ARCH_LOONGARCH64", 0 }, { "SCMP_ARCH_M68K", 0 },
        { "SCMP_ARCH_SH", 0 },       { "SCMP_ARCH_SHEB", 0 },        { NULL, 0 },
};

/* linux/bpf_common.h: a filter sees six arguments; SECCOMP_RET_DATA has 16 bits, and errno stops at MAX_ERRNO */
enum { SYSCALL_ARGS = 6, ERRNO_MAX = 4095, TRACE_MAX = 65535 };

static int check_word(const char *place, const struct cor_word *words, const char *s, struct cor_err *err)
{
        auto_text list = COR_TEXT_INIT;

        if (cor_word_find(words, s))
                return 0;
        for (const struct cor_word *w = words; w->word; w++)
                cor_text_printf(&list, "%s%s", list.len > 0 ? ", " : "", w->word);
        return cor_fail(err, COR_INVALID, "%s: found \"%.60s\", expected one of %s", place, s, list.s);
}

static int check_words(const char *key, const struct cor_word *words, const char *const *items, size_t n,
                       struct cor_err *err)
{
        char place[64];

        for (size_t i = 0; i < n; i++) {
                if (cor_word_find(words, items[i]))
                        continue;
                snprintf(place, sizeof place, ".%s[%zu]", key, i);
                return check_word(place, words, items[i], err);
        }
        return 0;
}

static int check_errno(const char *key, struct cor_opt_u64 ret, const char *action, struct cor_err *err)
{
        bool is_errno = strcmp(action, "SCMP_ACT_ERRNO") == 0;
        unsigned max = is_errno ? ERRNO_MAX : TRACE_MAX;

        if (!ret.set)
                return 0;
        if (!is_errno && strcmp(action, "SCMP_ACT_TRACE") != 0)
                return cor_fail(err, COR_INVALID, ".%s: only for SCMP_ACT_ERRNO and SCMP_ACT_TRACE, not for %s", key,
                                action);
        if (ret.value > max)
                return cor_fail(err, COR_INVALID, ".%s: expected an integer from 0 to %u, found %llu", key, max,
                                (unsigned long long)ret.value);
        return 0;
}

static const struct cor_json_field arg_fields[] = {
        COR_FIELD("index", U32, struct oci_seccomp_arg, index, COR_JSON_REQUIRED),
        COR_FIELD("value", U64, struct oci_seccomp_arg, value, COR_JSON_REQUIRED),
        COR_FIELD("valueTwo", U64, struct oci_seccomp_arg, value_two, 0),
        COR_FIELD("op", STR, struct oci_seccomp_arg, op, COR_JSON_REQUIRED),
};

static int check_arg(void *object, struct cor_err *err)
{
        const struct oci_seccomp_arg *a = object;

        if (a->index >= SYSCALL_ARGS)
                return cor_fail(err, COR_INVALID, ".index: expected an integer from 0 to 5, found %u",
                                (unsigned)a->index);
        return check_word(".op", op_words, a->op, err);
}
static const struct cor_json_doc arg_doc = COR_DOC(struct oci_seccomp_arg, arg_fields, check_arg);

static const struct cor_json_field rule_fields[] = {
        COR_FIELD_LIST("names", LIST_STR, struct oci_seccomp_rule, names, n_names, COR_JSON_REQUIRED),
        COR_FIELD("action", STR, struct oci_seccomp_rule, action, COR_JSON_REQUIRED),
        COR_FIELD("errnoRet", OPT_U32, struct oci_seccomp_rule, errno_ret, 0),
        COR_FIELD_LIST_OF("args", LIST_OBJ, struct oci_seccomp_rule, args, n_args, &arg_doc, 0),
};

static int check_rule(void *object, struct cor_err *err)
{
        const struct oci_seccomp_rule *r = object;

        if (check_word(".action", action_words, r->action, err) < 0)
                return -1;
        if (r->n_names == 0)
                return cor_fail(err, COR_INVALID, ".names: expected at least one system call");
        for (size_t i = 0; i < r->n_names; i++)
                if (r->names[i][0] == '\0')
                        return cor_fail(err, COR_INVALID,
                                        ".names[%zu]: expected the name of a system call, "
                                        "found an empty string",
                                        i);
        return check_errno("errnoRet", r->errno_ret, r->action, err);
}
static const struct cor_json_doc rule_doc = COR_DOC(struct oci_seccomp_rule, rule_fields, check_rule);

static const struct cor_json_field seccomp_fields[] = {
        COR_FIELD("defaultAction", STR, struct oci_seccomp, default_action, COR_JSON_REQUIRED),
        COR_FIELD("defaultErrnoRet", OPT_U32, struct oci_seccomp, default_errno_ret, 0),
        COR_FIELD_LIST("architectures", LIST_STR, struct oci_seccomp, architectures, n_architectures, 0),
        COR_FIELD_LIST("flags", LIST_STR, struct oci_seccomp, flags, n_flags, 0),
        COR_FIELD("listenerPath", STR, struct oci_seccomp, listener_path, 0),
        COR_FIELD("listenerMetadata", STR, struct oci_seccomp, listener_metadata, 0),
        COR_FIELD_LIST_OF("syscalls", LIST_OBJ, struct oci_seccomp, syscalls, n_syscalls, &rule_doc, 0),
};

/*
 * A notified call waits until the listener has the filter's descriptor, which is sent with write() by way of the
 * runtime: a filter that notifies of write() would wait for itself. Whether there is a listener at all is judged where
 * the program is made: an annotation may name one too.
 */
static int check_notify(const struct oci_seccomp *s, struct cor_err *err)
{
        if (strcmp(s->default_action, "SCMP_ACT_NOTIFY") == 0)
                return cor_fail(err, COR_INVALID, ".defaultAction: SCMP_ACT_NOTIFY cannot be the default action");
        for (size_t i = 0; i < s->n_syscalls; i++) {
                const struct oci_seccomp_rule *r = &s->syscalls[i];

                if (strcmp(r->action, "SCMP_ACT_NOTIFY") != 0)
                        continue;
                for (size_t k = 0; k < r->n_names; k++)
                        if (strcmp(r->names[k], "write") == 0)
                                return cor_fail(err, COR_INVALID,
                                                ".syscalls[%zu].names[%zu]: SCMP_ACT_NOTIFY cannot be used for write",
                                                i, k);
        }
        return 0;
}

static int check_seccomp(void *object, struct cor_err *err)
{
        const struct oci_seccomp *s = object;

        if (check_word(".defaultAction", action_words, s->default_action, err) < 0 ||
            check_words("architectures", arch_words, s->architectures, s->n_architectures, err) < 0 ||
            check_words("flags", flag_words, s->flags, s->n_flags, err) < 0 ||
            check_errno("defaultErrnoRet", s->default_errno_ret, s->default_action, err) < 0)
                return -1;
        if (s->listener_path && s->listener_path[0] && s->listener_path[0] != '/')
                return cor_fail(err, COR_INVALID, ".listenerPath: expected an absolute path, found \"%.200s\"",
                                s->listener_path);
        if (s->listener_metadata && s->listener_metadata[0] && (!s->listener_path || !s->listener_path[0]))
                return cor_fail(err, COR_INVALID, ".listenerMetadata: needs a listenerPath");
        return check_notify(s, err);
}

const struct cor_json_doc oci_seccomp_doc = COR_DOC(struct oci_seccomp, seccomp_fields, check_seccomp);
