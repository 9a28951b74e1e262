/*
 * bench-filter: compiles `linux.seccomp` of a bundle's config.json to the array of struct sock_filter that
 * bench-minimal -s loads, so that the minimal program runs under the same filter as the runtimes.
 *
 *      bench-filter CONFIG.JSON >FILTER
 */
#include <errno.h>
#include <jansson.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <unistd.h>

enum { ARGS_MAX = 6 };

static noreturn void die(const char *what, const char *which)
{
        fprintf(stderr, "bench-filter: %s: %s\n", what, which ? which : "missing");
        exit(1);
}

static uint32_t action_of(const char *name, const json_t *errno_ret)
{
        uint16_t number = json_is_integer(errno_ret) ? (uint16_t)json_integer_value(errno_ret) : EPERM;

        if (name && strcmp(name, "SCMP_ACT_ALLOW") == 0)
                return SCMP_ACT_ALLOW;
        if (name && strcmp(name, "SCMP_ACT_ERRNO") == 0)
                return SCMP_ACT_ERRNO(number);
        die("unknown action", name);
}

static enum scmp_compare compare_of(const char *name)
{
        static const struct {
                const char *name;
                enum scmp_compare op;
        } table[] = { { "SCMP_CMP_EQ", SCMP_CMP_EQ },
                      { "SCMP_CMP_NE", SCMP_CMP_NE },
                      { "SCMP_CMP_GT", SCMP_CMP_GT },
                      { "SCMP_CMP_GE", SCMP_CMP_GE },
                      { "SCMP_CMP_LT", SCMP_CMP_LT },
                      { "SCMP_CMP_LE", SCMP_CMP_LE },
                      { "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ } };
        size_t i;

        for (i = 0; name && i < sizeof table / sizeof table[0]; i++)
                if (strcmp(table[i].name, name) == 0)
                        return table[i].op;
        die("unknown comparison", name);
}

static void arch_add(scmp_filter_ctx ctx, const char *name)
{
        char lower[32] = "";
        uint32_t arch;
        size_t i;
        int r;

        if (!name || strncmp(name, "SCMP_ARCH_", 10) != 0)
                die("unknown architecture", name);
        for (i = 0; name[10 + i] && i < sizeof lower - 1; i++)
                lower[i] = name[10 + i] >= 'A' && name[10 + i] <= 'Z' ? (char)(name[10 + i] + 32) : name[10 + i];
        arch = seccomp_arch_resolve_name(lower);
        r = arch ? seccomp_arch_add(ctx, arch) : -EINVAL;
        if (r < 0 && r != -EEXIST)
                die("cannot add architecture", name);
}

static void rule_add(scmp_filter_ctx ctx, uint32_t action, const char *name, json_t *args)
{
        struct scmp_arg_cmp cmp[ARGS_MAX];
        unsigned n = 0;
        json_t *arg;
        size_t i;
        int nr = name ? seccomp_syscall_resolve_name(name) : __NR_SCMP_ERROR;

        if (nr == __NR_SCMP_ERROR)
                return; /* newer than the library */
        json_array_foreach(args, i, arg)
        {
                if (n == ARGS_MAX)
                        die("too many arguments", name);
                cmp[n++] = (struct scmp_arg_cmp){
                        .arg = (unsigned)json_integer_value(json_object_get(arg, "index")),
                        .op = compare_of(json_string_value(json_object_get(arg, "op"))),
                        .datum_a = (scmp_datum_t)json_integer_value(json_object_get(arg, "value")),
                        .datum_b = (scmp_datum_t)json_integer_value(json_object_get(arg, "valueTwo")),
                };
        }
        if (seccomp_rule_add_array(ctx, action, nr, n, cmp) < 0)
                die("cannot add a rule for", name);
}

static void rules_add(scmp_filter_ctx ctx, json_t *profile, uint32_t default_action)
{
        json_t *group, *name;
        uint32_t action;
        size_t i, k;

        json_array_foreach(json_object_get(profile, "syscalls"), i, group)
        {
                action = action_of(json_string_value(json_object_get(group, "action")),
                                   json_object_get(group, "errnoRet"));
                if (action == default_action)
                        continue;
                json_array_foreach(json_object_get(group, "names"), k, name)
                        rule_add(ctx, action, json_string_value(name), json_object_get(group, "args"));
        }
}

int main(int argc, char **argv)
{
        json_t *config, *profile, *arch;
        json_error_t error;
        scmp_filter_ctx ctx;
        uint32_t action;
        size_t i;

        if (argc != 2)
                die("usage", "bench-filter CONFIG.JSON >FILTER");
        config = json_load_file(argv[1], 0, &error);
        if (!config)
                die(argv[1], error.text);
        profile = json_object_get(json_object_get(config, "linux"), "seccomp");
        action = action_of(json_string_value(json_object_get(profile, "defaultAction")),
                           json_object_get(profile, "defaultErrnoRet"));
        ctx = seccomp_init(action);
        if (!ctx)
                die("libseccomp", "cannot make a filter");
        json_array_foreach(json_object_get(profile, "architectures"), i, arch) arch_add(ctx, json_string_value(arch));
        rules_add(ctx, profile, action);
        seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree, as the runtimes do */
        if (seccomp_export_bpf(ctx, STDOUT_FILENO) < 0)
                die("libseccomp", "cannot write the filter");
        seccomp_release(ctx);
        json_decref(config);
        return 0;
}
