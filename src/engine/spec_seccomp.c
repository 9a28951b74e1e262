/*
 * Which filter a container gets; and profiles in docker's form, which is that of OCI with conditions. They are read
 * like any other document, then what does not apply here is left out.
 */
#include "engine/spec_internal.h"

#include "base/file.h"
#include "engine/default_seccomp.h"
#include "linux/caps.h"

#include <string.h>

enum { PROFILE_MAX_BYTES = 4 << 20 };

struct condition {
        const char **arches, **caps;
        size_t n_arches, n_caps;
        const char *min_kernel;
};
struct arch_row {
        const char *architecture;
        const char **sub_architectures;
        size_t n_sub_architectures;
};
struct profile_rule {
        const char *name;
        const char **names;
        size_t n_names;
        const char *action;
        struct cor_opt_u64 errno_ret;
        struct oci_seccomp_arg *args;
        size_t n_args;
        struct condition *includes, *excludes;
};
struct profile {
        const char *default_action;
        struct cor_opt_u64 default_errno_ret;
        const char **architectures, **flags;
        size_t n_architectures, n_flags;
        struct arch_row *arch_map;
        size_t n_arch_map;
        const char *listener_path, *listener_metadata;
        struct profile_rule *syscalls;
        size_t n_syscalls;
};

static const struct cor_json_field condition_fields[] = {
        COR_FIELD_LIST("arches", LIST_STR, struct condition, arches, n_arches, 0),
        COR_FIELD_LIST("caps", LIST_STR, struct condition, caps, n_caps, 0),
        COR_FIELD("minKernel", STR, struct condition, min_kernel, 0),
};
static const struct cor_json_doc condition_doc = COR_DOC(struct condition, condition_fields, NULL);

static const struct cor_json_field arch_fields[] = {
        COR_FIELD("architecture", STR, struct arch_row, architecture, 0),
        COR_FIELD_LIST("subArchitectures", LIST_STR, struct arch_row, sub_architectures, n_sub_architectures, 0),
};
static const struct cor_json_doc arch_doc = COR_DOC(struct arch_row, arch_fields, NULL);

static const struct cor_json_field arg_fields[] = {
        COR_FIELD("index", U32, struct oci_seccomp_arg, index, 0),
        COR_FIELD("value", U64, struct oci_seccomp_arg, value, 0),
        COR_FIELD("valueTwo", U64, struct oci_seccomp_arg, value_two, 0),
        COR_FIELD("op", STR, struct oci_seccomp_arg, op, COR_JSON_REQUIRED),
};
static const struct cor_json_doc arg_doc = COR_DOC(struct oci_seccomp_arg, arg_fields, NULL);

static const struct cor_json_field rule_fields[] = {
        COR_FIELD("name", STR, struct profile_rule, name, 0),
        COR_FIELD_LIST("names", LIST_STR, struct profile_rule, names, n_names, 0),
        COR_FIELD("action", STR, struct profile_rule, action, COR_JSON_REQUIRED),
        COR_FIELD("errnoRet", OPT_U32, struct profile_rule, errno_ret, 0),
        COR_FIELD_LIST_OF("args", LIST_OBJ, struct profile_rule, args, n_args, &arg_doc, 0),
        COR_FIELD_OBJ("includes", OBJ, struct profile_rule, includes, &condition_doc, 0),
        COR_FIELD_OBJ("excludes", OBJ, struct profile_rule, excludes, &condition_doc, 0),
};
static const struct cor_json_doc rule_doc = COR_DOC(struct profile_rule, rule_fields, NULL);

static const struct cor_json_field profile_fields[] = {
        COR_FIELD("defaultAction", STR, struct profile, default_action, 0),
        COR_FIELD("defaultErrnoRet", OPT_U32, struct profile, default_errno_ret, 0),
        COR_FIELD_LIST("architectures", LIST_STR, struct profile, architectures, n_architectures, 0),
        COR_FIELD_LIST("flags", LIST_STR, struct profile, flags, n_flags, 0),
        COR_FIELD_LIST_OF("archMap", LIST_OBJ, struct profile, arch_map, n_arch_map, &arch_doc, 0),
        COR_FIELD("listenerPath", STR, struct profile, listener_path, 0),
        COR_FIELD("listenerMetadata", STR, struct profile, listener_metadata, 0),
        COR_FIELD_LIST_OF("syscalls", LIST_OBJ, struct profile, syscalls, n_syscalls, &rule_doc, 0),
};
static const struct cor_json_doc profile_doc = COR_DOC(struct profile, profile_fields, NULL);

/* --- conditions -------------------------------------------------------------------------------------------------- */

static bool is_in(const char *const *list, size_t n, const char *word)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(list[i], word) == 0)
                        return true;
        return false;
}

static bool has_cap(const struct seccomp_target *t, const char *name)
{
        int number = caps_number(name);

        return number >= 0 && (t->caps & 1ULL << number);
}

/* "4.8": is the kernel at least that? 1, 0, -1 */
static int kernel_since(const struct seccomp_target *t, const char *version, struct cor_err *err)
{
        auto_str copy = cor_strdup(version);
        char *cursor = copy, *major = cor_split_next(&cursor, '.'), *minor = cor_split_next(&cursor, '.');
        uint32_t want[2];

        if (!minor || cursor || cor_parse_u32(major, &want[0]) < 0 || cor_parse_u32(minor, &want[1]) < 0)
                return cor_fail(err, COR_INVALID,
                                "invalid kernel version \"%.40s\": expected \"<kernel>.<major>\", such as 4.8",
                                version);
        return t->kernel > want[0] || (t->kernel == want[0] && t->kernel_minor >= want[1]);
}

static int excluded(const struct condition *c, const struct seccomp_target *t, struct cor_err *err)
{
        if (!c)
                return 0;
        if (is_in(c->arches, c->n_arches, t->arch))
                return 1;
        for (size_t i = 0; i < c->n_caps; i++)
                if (has_cap(t, c->caps[i]))
                        return 1;
        return spec_empty(c->min_kernel) ? 0 : kernel_since(t, c->min_kernel, err);
}

static int included(const struct condition *c, const struct seccomp_target *t, struct cor_err *err)
{
        if (!c)
                return 1;
        if (c->n_arches > 0 && !is_in(c->arches, c->n_arches, t->arch))
                return 0;
        for (size_t i = 0; i < c->n_caps; i++)
                if (!has_cap(t, c->caps[i]))
                        return 0;
        return spec_empty(c->min_kernel) ? 1 : kernel_since(t, c->min_kernel, err);
}

/* --- from one form to the other ---------------------------------------------------------------------------------- */

static const char **copy_list(void *root, const char *const *from, size_t n)
{
        const char **to = cor_json_alloc(root, (n + 1) * sizeof *to);

        for (size_t i = 0; i < n; i++)
                to[i] = spec_copy(root, from[i]);
        return to;
}

static int convert_rule(void *root, const struct profile_rule *r, struct oci_seccomp_rule *to, struct cor_err *err)
{
        if (!spec_empty(r->name) && r->n_names > 0)
                return cor_fail(err, COR_INVALID,
                                "both 'name' and 'names' are specified in the seccomp profile, use either 'name' or "
                                "'names'");
        to->names = spec_empty(r->name) ? copy_list(root, r->names, r->n_names) : copy_list(root, &r->name, 1);
        to->n_names = spec_empty(r->name) ? r->n_names : 1;
        to->action = spec_copy(root, r->action);
        to->errno_ret = r->errno_ret;
        to->args = cor_json_alloc(root, r->n_args * sizeof *to->args);
        to->n_args = r->n_args;
        for (size_t i = 0; i < r->n_args; i++) {
                to->args[i] = r->args[i];
                to->args[i].op = spec_copy(root, r->args[i].op);
        }
        return 0;
}

static int convert_rules(void *root, const struct profile *p, const struct seccomp_target *t, struct oci_seccomp *to,
                         struct cor_err *err)
{
        to->syscalls = cor_json_alloc(root, p->n_syscalls * sizeof *to->syscalls);
        for (size_t i = 0; i < p->n_syscalls; i++) {
                const struct profile_rule *r = &p->syscalls[i];
                int no = excluded(r->excludes, t, err), yes = no == 0 ? included(r->includes, t, err) : 0;

                if (no < 0 || yes < 0)
                        return cor_wrap(err, "syscalls[%zu]", i);
                if (yes && convert_rule(root, r, &to->syscalls[to->n_syscalls++], err) < 0)
                        return cor_wrap(err, "syscalls[%zu]", i);
        }
        return 0;
}

static void convert_archs(void *root, const struct profile *p, const struct seccomp_target *t, struct oci_seccomp *to)
{
        struct oci_seccomp own = { 0 };

        to->architectures = copy_list(root, p->architectures, p->n_architectures);
        to->n_architectures = p->n_architectures;
        seccomp_target_archs(root, t, &own);
        for (size_t i = 0; i < p->n_arch_map && own.n_architectures > 0; i++) {
                const struct arch_row *a = &p->arch_map[i];

                if (!cor_streq(a->architecture, own.architectures[0]))
                        continue;
                to->architectures = cor_json_alloc(root, (a->n_sub_architectures + 2) * sizeof *to->architectures);
                to->architectures[0] = own.architectures[0];
                for (size_t k = 0; k < a->n_sub_architectures; k++)
                        to->architectures[k + 1] = spec_copy(root, a->sub_architectures[k]);
                to->n_architectures = a->n_sub_architectures + 1;
                return;
        }
}

static int convert(void *root, const struct profile *p, const struct seccomp_target *t, struct oci_seccomp **ret,
                   struct cor_err *err)
{
        struct oci_seccomp *to;

        if (p->n_architectures > 0 && p->n_arch_map > 0)
                return cor_fail(err, COR_INVALID,
                                "both 'architectures' and 'archMap' are specified in the seccomp profile, use either "
                                "'architectures' or 'archMap'");
        *ret = NULL;
        if (spec_empty(p->default_action) && p->n_syscalls == 0)
                return 0;
        to = cor_json_alloc(root, sizeof *to);
        to->default_action = spec_copy(root, p->default_action ? p->default_action : "");
        to->default_errno_ret = p->default_errno_ret;
        to->flags = copy_list(root, p->flags, p->n_flags);
        to->n_flags = p->n_flags;
        to->listener_path = spec_copy(root, p->listener_path);
        to->listener_metadata = spec_copy(root, p->listener_metadata);
        convert_archs(root, p, t, to);
        if (convert_rules(root, p, t, to, err) < 0)
                return -1;
        *ret = to;
        return 0;
}

int seccomp_profile_parse(void *root, const char *text, size_t n, const char *what, const struct seccomp_target *t,
                          struct oci_seccomp **ret, struct cor_err *err)
{
        auto_json struct profile *p = NULL;

        if (cor_json_parse(&profile_doc, text, n, NULL, &p, err) < 0 || convert(root, p, t, ret, err) < 0)
                return cor_wrap(err, "Decoding seccomp profile failed: %s", what);
        return 0;
}

/* --- the choice -------------------------------------------------------------------------------------------------- */

static int read_profile(struct spec *s, const struct seccomp_target *t, const char *given, struct oci_seccomp **ret,
                        struct cor_err *err)
{
        auto_str text = NULL;
        size_t n;

        if (given[strspn(given, " \t\r\n")] == '{') /* clients of docker send the document itself */
                return seccomp_profile_parse(s->c, given, strlen(given), "--security-opt seccomp", t, ret, err);
        if (cor_read_file(given, PROFILE_MAX_BYTES, &text, &n, err) < 0)
                return cor_wrap(err, "opening seccomp profile (%.200s) failed", given);
        return seccomp_profile_parse(s->c, text, n, given, t, ret, err);
}

int spec_make_seccomp(struct spec *s, struct cor_err *err)
{
        const char *profile = s->security.seccomp;
        struct seccomp_target t;

        if (spec_is(profile, "unconfined") || (s->host->privileged && spec_empty(profile)))
                return 0;
        seccomp_target_here(s->caps, &t);
        if (!spec_empty(profile) && !spec_is(profile, "builtin"))
                return read_profile(s, &t, profile, &s->c->linux_->seccomp, err);
        s->c->linux_->seccomp = default_seccomp(s->c, &t);
        return 0;
}
