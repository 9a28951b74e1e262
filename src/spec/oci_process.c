/* The `process` section of config.json, which is also the process.json of `exec`. Spec: config.md, "Process". */
#include "spec/oci_internal.h"

#include <sched.h>
#include <string.h>

static const struct cor_json_field box_fields[] = {
        COR_FIELD("height", U32, struct oci_box, height, COR_JSON_REQUIRED),
        COR_FIELD("width", U32, struct oci_box, width, COR_JSON_REQUIRED),
};

static int check_box(void *object, struct cor_err *err)
{
        const struct oci_box *b = object;

        if (b->height > UINT16_MAX || b->width > UINT16_MAX)
                return cor_fail(err, COR_INVALID, "a terminal has at most %d lines and columns", UINT16_MAX);
        return 0;
}
static const struct cor_json_doc box_doc = COR_DOC(struct oci_box, box_fields, check_box);

static const struct cor_json_field user_fields[] = {
        COR_FIELD("uid", U32, struct oci_user, uid, COR_JSON_ALWAYS),
        COR_FIELD("gid", U32, struct oci_user, gid, COR_JSON_ALWAYS),
        COR_FIELD("umask", OPT_U32, struct oci_user, umask, 0),
        COR_FIELD_LIST("additionalGids", LIST_U32, struct oci_user, additional_gids, n_additional_gids, 0),
};

/* (uid_t)-1 means "leave as it is" to the kernel: a process asked to be it would stay root. */
static int check_user(void *object, struct cor_err *err)
{
        const struct oci_user *u = object;

        if (u->uid == UINT32_MAX)
                return cor_fail(err, COR_INVALID, ".uid: expected at most 4294967294, found 4294967295");
        if (u->gid == UINT32_MAX)
                return cor_fail(err, COR_INVALID, ".gid: expected at most 4294967294, found 4294967295");
        for (size_t i = 0; i < u->n_additional_gids; i++)
                if (u->additional_gids[i] == UINT32_MAX)
                        return cor_fail(err, COR_INVALID,
                                        ".additionalGids[%zu]: expected at most 4294967294, found 4294967295", i);
        if (u->umask.set && u->umask.value > 0777)
                return cor_fail(err, COR_INVALID, ".umask: expected at most 511 (octal 777), found %llu",
                                (unsigned long long)u->umask.value);
        return 0;
}
static const struct cor_json_doc user_doc = COR_DOC(struct oci_user, user_fields, check_user);

static const struct cor_json_field caps_fields[] = {
        COR_FIELD_LIST("bounding", LIST_STR, struct oci_caps, bounding, n_bounding, 0),
        COR_FIELD_LIST("effective", LIST_STR, struct oci_caps, effective, n_effective, 0),
        COR_FIELD_LIST("inheritable", LIST_STR, struct oci_caps, inheritable, n_inheritable, 0),
        COR_FIELD_LIST("permitted", LIST_STR, struct oci_caps, permitted, n_permitted, 0),
        COR_FIELD_LIST("ambient", LIST_STR, struct oci_caps, ambient, n_ambient, 0),
};
static const struct cor_json_doc caps_doc = COR_DOC(struct oci_caps, caps_fields, NULL);

static const struct cor_json_field rlimit_fields[] = {
        COR_FIELD_WORD("type", struct oci_rlimit, resource, oci_rlimit_words, COR_JSON_REQUIRED),
        COR_FIELD("hard", U64, struct oci_rlimit, hard, COR_JSON_REQUIRED),
        COR_FIELD("soft", U64, struct oci_rlimit, soft, COR_JSON_REQUIRED),
};

static int check_rlimit(void *object, struct cor_err *err)
{
        const struct oci_rlimit *l = object;

        if (l->soft > l->hard)
                return cor_fail(err, COR_INVALID, ".soft: %llu is more than the hard limit of %llu",
                                (unsigned long long)l->soft, (unsigned long long)l->hard);
        return 0;
}
static const struct cor_json_doc rlimit_doc = COR_DOC(struct oci_rlimit, rlimit_fields, check_rlimit);

static const struct cor_json_field scheduler_fields[] = {
        COR_FIELD_WORD("policy", struct oci_scheduler, policy, oci_scheduler_words, COR_JSON_REQUIRED),
        COR_FIELD("nice", I32, struct oci_scheduler, nice, 0),
        COR_FIELD("priority", I32, struct oci_scheduler, priority, 0),
        COR_FIELD_LIST_WORD("flags", struct oci_scheduler, flags, n_flags, oci_scheduler_flag_words, 0),
        COR_FIELD("runtime", U64, struct oci_scheduler, runtime, 0),
        COR_FIELD("deadline", U64, struct oci_scheduler, deadline, 0),
        COR_FIELD("period", U64, struct oci_scheduler, period, 0),
};

/* Which values go with which policy: sched_setattr(2) */
static int check_scheduler(void *object, struct cor_err *err)
{
        const struct oci_scheduler *s = object;
        const char *policy = cor_word_of(oci_scheduler_words, s->policy);
        bool realtime = s->policy == SCHED_FIFO || s->policy == SCHED_RR;
        bool deadline = policy && strcmp(policy, "SCHED_DEADLINE") == 0;

        if (s->nice < -20 || s->nice > 19)
                return cor_fail(err, COR_INVALID, ".nice: expected an integer from -20 to 19, found %d", (int)s->nice);
        if (s->priority != 0 && !realtime)
                return cor_fail(err, COR_INVALID, ".priority: only for SCHED_FIFO and SCHED_RR, not for %s", policy);
        if (realtime && (s->priority < 1 || s->priority > 99))
                return cor_fail(err, COR_INVALID, ".priority: expected an integer from 1 to 99 for %s, found %d",
                                policy, (int)s->priority);
        if (!deadline && (s->runtime != 0 || s->deadline != 0 || s->period != 0))
                return cor_fail(err, COR_INVALID, ".%s: only for SCHED_DEADLINE, not for %s",
                                s->runtime    ? "runtime"
                                : s->deadline ? "deadline"
                                              : "period",
                                policy);
        return 0;
}
static const struct cor_json_doc scheduler_doc = COR_DOC(struct oci_scheduler, scheduler_fields, check_scheduler);

static const struct cor_json_field io_priority_fields[] = {
        COR_FIELD_WORD("class", struct oci_io_priority, class_, oci_ioprio_words, COR_JSON_REQUIRED),
        COR_FIELD("priority", I32, struct oci_io_priority, priority, COR_JSON_ALWAYS),
};

static int check_io_priority(void *object, struct cor_err *err)
{
        const struct oci_io_priority *p = object;

        if (p->priority < 0 || p->priority > 7)
                return cor_fail(err, COR_INVALID, ".priority: expected an integer from 0 to 7, found %d",
                                (int)p->priority);
        return 0;
}
static const struct cor_json_doc io_priority_doc =
        COR_DOC(struct oci_io_priority, io_priority_fields, check_io_priority);

static const struct cor_json_field affinity_fields[] = {
        COR_FIELD("initial", STR, struct oci_cpu_affinity, initial, 0),
        COR_FIELD("final", STR, struct oci_cpu_affinity, final, 0),
};

static int check_affinity(void *object, struct cor_err *err)
{
        const struct oci_cpu_affinity *a = object;
        const char *const lists[] = { a->initial, a->final };

        for (size_t i = 0; i < COR_COUNT(lists); i++)
                if (lists[i] && lists[i][0] && !oci_list_valid(lists[i], OCI_CPU_MAX))
                        return cor_fail(err, COR_INVALID,
                                        ".%s: expected a list of CPUs such as \"0-3,7\", found \"%.80s\"",
                                        i == 0 ? "initial" : "final", lists[i]);
        return 0;
}
static const struct cor_json_doc affinity_doc = COR_DOC(struct oci_cpu_affinity, affinity_fields, check_affinity);

static const struct cor_json_field process_fields[] = {
        COR_FIELD("terminal", BOOL, struct oci_process, terminal, 0),
        COR_FIELD_OBJ("consoleSize", OBJ, struct oci_process, console_size, &box_doc, 0),
        COR_FIELD_OBJ("user", INLINE, struct oci_process, user, &user_doc, 0),
        COR_FIELD_LIST("args", LIST_STR, struct oci_process, args, n_args, 0),
        COR_FIELD_LIST("env", LIST_STR, struct oci_process, env, n_env, 0),
        COR_FIELD("cwd", STR, struct oci_process, cwd, COR_JSON_REQUIRED),
        COR_FIELD_OBJ("capabilities", OBJ, struct oci_process, capabilities, &caps_doc, 0),
        COR_FIELD_LIST_OF("rlimits", LIST_OBJ, struct oci_process, rlimits, n_rlimits, &rlimit_doc, 0),
        COR_FIELD("noNewPrivileges", BOOL, struct oci_process, no_new_privileges, 0),
        COR_FIELD("apparmorProfile", STR, struct oci_process, apparmor_profile, 0),
        COR_FIELD("oomScoreAdj", OPT_I64, struct oci_process, oom_score_adj, 0),
        COR_FIELD_OBJ("scheduler", OBJ, struct oci_process, scheduler, &scheduler_doc, 0),
        COR_FIELD("selinuxLabel", STR, struct oci_process, selinux_label, 0),
        COR_FIELD_OBJ("ioPriority", OBJ, struct oci_process, io_priority, &io_priority_doc, 0),
        COR_FIELD_OBJ("execCPUAffinity", OBJ, struct oci_process, exec_cpu_affinity, &affinity_doc, 0),
};

static int check_env(const struct oci_process *p, struct cor_err *err)
{
        for (size_t i = 0; i < p->n_env; i++)
                if (p->env[i][0] == '\0' || p->env[i][0] == '=')
                        return cor_fail(err, COR_INVALID, ".env[%zu]: expected NAME=VALUE, found \"%.80s\"", i,
                                        p->env[i]);
        return 0;
}

static int check_rlimits(const struct oci_process *p, struct cor_err *err)
{
        uint64_t seen = 0;

        for (size_t i = 0; i < p->n_rlimits; i++) {
                uint64_t bit = 1ULL << p->rlimits[i].resource;

                if (seen & bit)
                        return cor_fail(err, COR_INVALID, ".rlimits[%zu]: %s is there twice", i,
                                        cor_word_of(oci_rlimit_words, p->rlimits[i].resource));
                seen |= bit;
        }
        return 0;
}

static int check_process(void *object, struct cor_err *err)
{
        const struct oci_process *p = object;

        if (p->cwd[0] != '/')
                return cor_fail(err, COR_INVALID, ".cwd: expected an absolute path, found \"%.200s\"", p->cwd);
        if (p->oom_score_adj.set && (p->oom_score_adj.value < -1000 || p->oom_score_adj.value > 1000))
                return cor_fail(err, COR_INVALID, ".oomScoreAdj: expected an integer from -1000 to 1000, found %lld",
                                (long long)p->oom_score_adj.value);
        if (check_env(p, err) < 0)
                return -1;
        return check_rlimits(p, err);
}

const struct cor_json_doc oci_process_doc = COR_DOC(struct oci_process, process_fields, check_process);
