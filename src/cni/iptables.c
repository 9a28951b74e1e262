#include "cni/iptables.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/process.h"
#include "base/text.h"

enum { RUN_TIMEOUT_MS = 60000, MISSING = 1 };

/* *ret_code is the exit code; *ret_output what it printed, which may be NULL. */
static int run(bool six, const struct cor_strv *rest, int *ret_code, char **ret_output, struct cor_err *err)
{
        auto_strv argv = { 0 };
        struct cor_spawn s = { .stdout_fd = -1, .stderr_fd = -1, .timeout_ms = RUN_TIMEOUT_MS };
        int status;

        s.path = six ? "ip6tables" : "iptables";
        cor_strv_add(&argv, s.path);
        cor_strv_add(&argv, "-w");
        for (size_t i = 0; i < rest->n_items; i++)
                cor_strv_add(&argv, rest->items[i]);
        s.argv = argv.items;
        if (cor_spawn_run(&s, &status, ret_output, err) < 0)
                return cor_wrap(err, "%s", s.path);
        *ret_code = cor_status_code(status);
        return 0;
}

static int run_well(bool six, const struct cor_strv *rest, struct cor_err *err)
{
        auto_str output = NULL;
        int code;

        if (run(six, rest, &code, &output, err) < 0)
                return -1;
        return code == 0 ? 0 : cor_fail(err, COR_SYSTEM, "%s: %.300s", six ? "ip6tables" : "iptables", output ?: "");
}

static void begin(struct cor_strv *v, const char *table, const char *verb, const char *chain)
{
        cor_strv_add(v, "-t");
        cor_strv_add(v, table);
        cor_strv_add(v, verb);
        cor_strv_add(v, chain);
}

static void add_words(struct cor_strv *v, const char *const *words)
{
        for (; *words; words++)
                cor_strv_add(v, *words);
}

/* 1 it is there, 0 it is not: then the rule is wrong, or a chain in it is missing, which the next call tells */
static int has(bool six, const char *table, const char *chain, const char *const *rule, struct cor_err *err)
{
        auto_strv v = { 0 };
        auto_str output = NULL;
        int code;

        begin(&v, table, "-C", chain);
        add_words(&v, rule);
        return run(six, &v, &code, &output, err) < 0 ? -1 : code == 0;
}

static int put(bool six, const char *table, const char *verb, const char *chain, const char *const *rule,
               struct cor_err *err)
{
        auto_strv v = { 0 };

        begin(&v, table, verb, chain);
        add_words(&v, rule);
        return run_well(six, &v, err);
}

int iptables_new_chain(bool six, const char *table, const char *chain, struct cor_err *err)
{
        auto_strv look = { 0 };
        auto_strv make = { 0 };
        auto_str output = NULL;
        int code;

        begin(&look, table, "-S", chain);
        if (run(six, &look, &code, &output, err) < 0)
                return -1;
        if (code == 0)
                return 0;
        begin(&make, table, "-N", chain);
        return run_well(six, &make, err);
}

int iptables_ensure_rule(bool six, const char *table, const char *chain, const char *const *rule, struct cor_err *err)
{
        int there = has(six, table, chain, rule, err);

        return there != 0 ? there < 0 ? -1 : 0 : put(six, table, "-A", chain, rule, err);
}

int iptables_ensure_first_rule(bool six, const char *table, const char *chain, const char *const *rule,
                               struct cor_err *err)
{
        int there = has(six, table, chain, rule, err);

        return there != 0 ? there < 0 ? -1 : 0 : put(six, table, "-I", chain, rule, err);
}

int iptables_has_rule(bool six, const char *table, const char *chain, const char *const *rule, struct cor_err *err)
{
        return has(six, table, chain, rule, err);
}

int iptables_remove_rule(bool six, const char *table, const char *chain, const char *const *rule, struct cor_err *err)
{
        int there = has(six, table, chain, rule, err);

        return there <= 0 ? there : put(six, table, "-D", chain, rule, err);
}

/* The words of a line of `iptables -S`, "-A FROM …" made "-D FROM …". */
static void delete_line(char *line, const char *table, struct cor_strv *v)
{
        char *save = NULL;

        cor_strv_add(v, "-t");
        cor_strv_add(v, table);
        cor_strv_add(v, "-D");
        (void)strtok_r(line, " ", &save);
        for (const char *word; (word = strtok_r(NULL, " ", &save));)
                cor_strv_add(v, word);
}

static bool jumps_to(const char *line, const char *chain)
{
        auto_str jump = cor_printf(" -j %s", chain);
        auto_str jump_on = cor_printf("%s ", jump);

        return cor_starts_with(line, "-A ") && (cor_ends_with(line, jump) || strstr(line, jump_on));
}

static int drop_jumps(bool six, const char *table, const char *from, const char *chain, struct cor_err *err)
{
        auto_strv look = { 0 };
        auto_str output = NULL;
        char *cursor;
        int code;

        begin(&look, table, "-S", from);
        if (run(six, &look, &code, &output, err) < 0)
                return err->kind == COR_EXEC_MISSING || err->kind == COR_NOT_FOUND ? MISSING : -1;
        cursor = code == 0 ? output : NULL;
        for (char *line; cursor && (line = cor_split_next(&cursor, '\n'));) {
                auto_strv v = { 0 };

                if (!jumps_to(line, chain))
                        continue;
                delete_line(line, table, &v);
                if (run_well(six, &v, err) < 0)
                        return -1;
        }
        return 0;
}

int iptables_drop_chain(bool six, const char *table, const char *from, const char *chain, struct cor_err *err)
{
        auto_strv look = { 0 };
        auto_strv flush = { 0 };
        auto_strv drop = { 0 };
        auto_str output = NULL;
        int code, jumps = drop_jumps(six, table, from, chain, err);

        if (jumps != 0)
                return jumps == MISSING ? 0 : -1;
        begin(&look, table, "-S", chain);
        if (run(six, &look, &code, &output, err) < 0)
                return -1;
        if (code != 0)
                return 0;
        begin(&flush, table, "-F", chain);
        begin(&drop, table, "-X", chain);
        return run_well(six, &flush, err) < 0 ? -1 : run_well(six, &drop, err);
}
