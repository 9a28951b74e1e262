#include "cni/ipam.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"

enum { PLUGIN_TIMEOUT_MS = 120000 }; /* a DHCP server may take its time */

static const struct cor_json_field ips_fields[] = { COR_FIELD_LIST("ips", LIST_STR, struct ipam_ips, ips, n_ips, 0) };
const struct cor_json_doc ipam_ips_doc = COR_DOC(struct ipam_ips, ips_fields, NULL);
static const struct cor_json_field args_fields[] = {
        COR_FIELD_OBJ("cni", INLINE, struct ipam_args, cni, &ipam_ips_doc, 0),
};
const struct cor_json_doc ipam_args_doc = COR_DOC(struct ipam_args, args_fields, NULL);

bool ipam_wanted(const struct cni_call *c)
{
        return c->config->ipam.type && c->config->ipam.type[0];
}

/* The first file of that name in CNI_PATH that can be executed; NULL: none. */
static char *find_in_path(const struct cni_call *c, const char *name)
{
        auto_str dirs = cor_strdup(c->path);
        char *cursor = dirs;

        for (const char *dir; (dir = cor_split_next(&cursor, ':'));) {
                auto_str file = cor_printf("%s/%s", dir, name);
                struct stat st;

                if (*dir && stat(file, &st) == 0 && S_ISREG(st.st_mode) && access(file, X_OK) == 0)
                        return COR_TAKE(file);
        }
        return NULL;
}

static bool is_this_program(const char *file)
{
        struct stat own, other;

        return stat("/proc/self/exe", &own) == 0 && stat(file, &other) == 0 && own.st_dev == other.st_dev &&
               own.st_ino == other.st_ino;
}

static int run_here(const struct cni_plugin *p, struct cni_call *c, enum cni_verb verb, struct cni_result **ret,
                    struct cor_err *err)
{
        struct cni_call inner = *c;
        int result;

        inner.plugin = p->name;
        inner.verb = verb;
        result = cni_plugin_run(p, &inner, ret, err);
        if (result < 0)
                c->code = cni_code_of(&inner, err);
        return result;
}

/* Our environment with another command. */
static void make_environment(enum cni_verb verb, struct cor_strv *env)
{
        for (char **e = environ; *e; e++)
                if (!cor_starts_with(*e, "CNI_COMMAND="))
                        cor_strv_add(env, *e);
        cor_strv_take(env, cor_printf("CNI_COMMAND=%s", cni_verb_words[verb]));
}

/* What a plugin says when it fails is an error document, most of the time. */
static int tell_failure(struct cni_call *c, const char *output, int status, struct cor_err *err)
{
        auto_json struct cni_error *said = NULL;

        if (output && cor_json_parse(&cni_error_doc, output, strlen(output), NULL, &said, NULL) == 0 && said->msg &&
            said->msg[0])
                return cni_fail(c, said->code ? (enum cni_code)said->code : CNI_CODE_INTERNAL, err, "%s%s%s", said->msg,
                                said->details ? "; " : "", said->details ? said->details : "");
        return cni_fail(c, CNI_CODE_INTERNAL, err, "it ended with status %d: %.200s", cor_status_code(status),
                        output ? output : "");
}

static int run_program(const char *file, struct cni_call *c, enum cni_verb verb, struct cni_result **ret,
                       struct cor_err *err)
{
        char *const argv[] = { (char *)file, NULL };
        auto_strv env = { 0 };
        auto_str output = NULL;
        struct cor_spawn s = {
                .path = file,
                .argv = argv,
                .input = c->input,
                .input_len = c->input_len,
                .stdout_fd = -1,
                .stderr_fd = STDERR_FILENO,
                .timeout_ms = PLUGIN_TIMEOUT_MS,
        };
        int status;

        make_environment(verb, &env);
        s.envp = env.items;
        if (cor_spawn_run(&s, &status, &output, err) < 0)
                return -1;
        if (status != 0)
                return tell_failure(c, output, status, err);
        if (verb != CNI_ADD)
                return 0;
        if (cni_result_parse(c->version, output ? output : "", output ? strlen(output) : 0, "its result", ret, err) <
            0) {
                c->code = CNI_CODE_DECODE;
                return -1;
        }
        return 0;
}

/*
 * A program whose ADD fails is to be called with DEL (section 4); the error of ADD is the one to tell. Our own leave
 * nothing, and would take what another ADD of the same attachment has.
 */
static int run_program_whole(const char *file, struct cni_call *c, enum cni_verb verb, struct cni_result **ret,
                             struct cor_err *err)
{
        struct cor_err ignored = { 0 };
        int code;

        if (run_program(file, c, verb, ret, err) == 0)
                return 0;
        code = c->code;
        if (verb == CNI_ADD)
                (void)!run_program(file, c, CNI_DEL, ret, &ignored);
        c->code = code;
        return -1;
}

static int delegate(struct cni_call *c, enum cni_verb verb, struct cni_result **ret, struct cor_err *err)
{
        const char *name = c->config->ipam.type;
        const struct cni_plugin *own = cni_plugin_find(name);
        auto_str file = NULL;
        int result;

        if (strchr(name, '/'))
                return cni_fail(c, CNI_CODE_CONFIG, err, "ipam.type: \"%.64s\" is no name of a plugin", name);
        file = find_in_path(c, name);
        if (own && !own->ipam) { /* which would delegate in turn, for ever */
                if (!file || is_this_program(file))
                        return cni_fail(c, CNI_CODE_CONFIG, err, "ipam.type: plugin %s does not manage addresses",
                                        name);
                own = NULL;
        }
        if (!file && !own)
                return cni_fail(c, CNI_CODE_CONFIG, err, "ipam.type: there is no plugin \"%.64s\" in CNI_PATH (%.200s)",
                                name, c->path);
        if (own && (!file || is_this_program(file)))
                result = run_here(own, c, verb, ret, err);
        else
                result = run_program_whole(file, c, verb, ret, err);
        return result < 0 ? cor_wrap(err, "ipam plugin %s", name) : 0;
}

int ipam_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;

        if (delegate(c, CNI_ADD, &r, err) < 0)
                return -1;
        if (!r || r->n_ips == 0) {
                ipam_undo(c);
                return cni_fail(c, CNI_CODE_CONFIG, err, "ipam plugin %s: its result has no address",
                                c->config->ipam.type);
        }
        *ret = COR_TAKE(r);
        return 0;
}

int ipam_run(struct cni_call *c, enum cni_verb verb, struct cor_err *err)
{
        struct cni_result *none = NULL;

        return ipam_wanted(c) ? delegate(c, verb, &none, err) : 0;
}

void ipam_undo(struct cni_call *c)
{
        struct cor_err err = { 0 };
        int code = c->code;

        if (ipam_run(c, CNI_DEL, &err) < 0)
                cor_warn("give addresses back: %s", err.msg);
        c->code = code;
}
