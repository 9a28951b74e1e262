/* The rules of a profile as a list of calls, checked, and sorted into plain ones and others. */
#include "linux/seccomp_internal.h"

#include "base/log.h"

#include <seccomp.h>
#include <stdio.h>
#include <string.h>

enum { MAX_ARGS = 6 };

static int args_check(const struct oci_seccomp_rule *rule, size_t index, struct cor_err *err)
{
        if (rule->n_args > SECCOMP_MAX_RULES)
                return cor_fail(err, COR_INVALID, "linux.seccomp.syscalls[%zu].args: more than %d", index,
                                SECCOMP_MAX_RULES);
        for (size_t i = 0; i < rule->n_args; i++) {
                const struct oci_seccomp_arg *arg = &rule->args[i];

                if (seccomp_operator_find(arg->op) < 0)
                        return cor_fail(err, COR_INVALID,
                                        "linux.seccomp.syscalls[%zu].args[%zu].op: expected a comparison (SCMP_CMP_…), "
                                        "found \"%s\"",
                                        index, i, arg->op ? arg->op : "");
                if (arg->index >= MAX_ARGS)
                        return cor_fail(err, COR_INVALID,
                                        "linux.seccomp.syscalls[%zu].args[%zu].index: expected 0 to %d, found %u",
                                        index, i, MAX_ARGS - 1, arg->index);
        }
        return 0;
}

static int add_name(struct seccomp_rules *r, const struct oci_seccomp_rule *rule, size_t index, size_t name_index,
                    uint32_t action, struct cor_err *err)
{
        const char *name = rule->names[name_index];
        int nr = seccomp_syscall_resolve_name(name);

        if (name[0] == '\0')
                return cor_fail(err, COR_INVALID,
                                "linux.seccomp.syscalls[%zu].names[%zu]: expected the name of a system call", index,
                                name_index);
        if (nr == __NR_SCMP_ERROR) {
                if (r->fail_unknown)
                        return cor_fail(err, COR_INVALID,
                                        "linux.seccomp.syscalls[%zu].names[%zu]: unknown system call \"%s\"", index,
                                        name_index, name);
                cor_debug("seccomp: unknown system call %s ignored", name);
                return 0;
        }
        if (action == SCMP_ACT_NOTIFY && strcmp(name, "write") == 0)
                return cor_fail(err, COR_INVALID,
                                "linux.seccomp.syscalls[%zu].action: SCMP_ACT_NOTIFY cannot be used for write, by "
                                "which the listener itself is handed over",
                                index);
        if (r->n_calls == SECCOMP_MAX_CALLS)
                return cor_fail(err, COR_INVALID, "linux.seccomp.syscalls: more than %d names", SECCOMP_MAX_CALLS);
        *COR_GROW(r->calls, r->n_calls) =
                (struct seccomp_call){ .name = name, .rule = rule, .nr = nr, .action = action };
        return 0;
}

static int add_rule(struct seccomp_rules *r, const struct oci_seccomp_rule *rule, size_t index, struct cor_err *err)
{
        uint32_t action;
        char where[64];

        snprintf(where, sizeof where, "linux.seccomp.syscalls[%zu].action", index);
        if (seccomp_action_parse(rule->action, &rule->errno_ret, where, &action, err) < 0)
                return -1;
        if (rule->n_names == 0)
                return cor_fail(err, COR_INVALID, "linux.seccomp.syscalls[%zu].names: expected at least one name",
                                index);
        if (args_check(rule, index, err) < 0)
                return -1;
        for (size_t i = 0; i < rule->n_names; i++)
                if (add_name(r, rule, index, i, action, err) < 0)
                        return -1;
        return 0;
}

int seccomp_rules_read(const struct oci_seccomp *profile, bool fail_unknown, struct seccomp_rules *ret,
                       struct cor_err *err)
{
        ret->fail_unknown = fail_unknown;
        if (seccomp_action_parse(profile->default_action, &profile->default_errno_ret, "linux.seccomp.defaultAction",
                                 &ret->default_action, err) < 0)
                return -1;
        if (ret->default_action == SCMP_ACT_NOTIFY)
                return cor_fail(err, COR_INVALID,
                                "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be the default, it would stop the "
                                "container before its listener is handed over");
        for (size_t i = 0; i < profile->n_syscalls; i++)
                if (add_rule(ret, &profile->syscalls[i], i, err) < 0)
                        return -1;
        return 0;
}

bool seccomp_call_is_folded(const char *name)
{
        static const char *const folded[] = {
                "accept",     "accept4",    "bind",       "connect",    "getpeername",     "getsockname",
                "getsockopt", "ipc",        "listen",     "msgctl",     "msgget",          "msgrcv",
                "msgsnd",     "recv",       "recvfrom",   "recvmmsg",   "recvmsg",         "semctl",
                "semget",     "semop",      "semtimedop", "send",       "sendmmsg",        "sendmsg",
                "sendto",     "setsockopt", "shmat",      "shmctl",     "shmdt",           "shmget",
                "shutdown",   "socket",     "socketcall", "socketpair", "recvmmsg_time64", "semtimedop_time64",
        };

        for (size_t i = 0; i < COR_COUNT(folded); i++)
                if (strcmp(folded[i], name) == 0)
                        return true;
        return false;
}

static bool is_plain(const struct seccomp_call *call, const uint32_t *archs, size_t n_archs)
{
        if (call->rule->n_args > 0 || seccomp_call_is_folded(call->name))
                return false;
        for (size_t i = 0; i < n_archs; i++)
                if (!seccomp_front_can_hold(call->name, archs[i]))
                        return false;
        return true;
}

struct ordered {
        struct seccomp_call *call;
};

static int compare_nr(const void *a, const void *b)
{
        int x = ((const struct ordered *)a)->call->nr, y = ((const struct ordered *)b)->call->nr;

        return (x > y) - (x < y);
}

/* A call is plain if all that the profile says of it is one action, without conditions. */
static void sort_group(const struct ordered *group, size_t n, const uint32_t *archs, size_t n_archs,
                       uint32_t default_action)
{
        const struct seccomp_call *first = NULL;
        bool plain = true;

        for (size_t i = 0; i < n; i++) {
                const struct seccomp_call *call = group[i].call;

                if (call->action == default_action) /* says nothing */
                        continue;
                if (!first)
                        first = call;
                plain = plain && call->action == first->action && is_plain(call, archs, n_archs);
        }
        for (size_t i = 0; i < n; i++)
                group[i].call->plain = plain;
}

void seccomp_rules_sort(struct seccomp_rules *r, const uint32_t *archs, size_t n_archs)
{
        auto_free struct ordered *order = cor_realloc_array(NULL, r->n_calls, sizeof *order);
        size_t start = 0;

        for (size_t i = 0; i < r->n_calls; i++)
                order[i].call = &r->calls[i];
        qsort(order, r->n_calls, sizeof *order, compare_nr);
        for (size_t i = 1; i <= r->n_calls; i++) {
                if (i < r->n_calls && order[i].call->nr == order[start].call->nr)
                        continue;
                sort_group(order + start, i - start, archs, n_archs, r->default_action);
                start = i;
        }
}

void seccomp_rules_done(struct seccomp_rules *r)
{
        free(r->calls);
        r->calls = NULL;
        r->n_calls = 0;
}
