#include "runtime/exec_process.h"

#include "base/file.h"
#include "linux/caps.h"

#include <string.h>
#include <sys/ioctl.h>

enum { PROCESS_MAX_BYTES = 4 << 20, ID_MAX = INT32_MAX };

/* The kernel takes 32 bits, of which -1 means "leave it": an id that wraps around would be root. */
static int parse_id(const char *text, const char *what, uint32_t *ret, struct cor_err *err)
{
        uint32_t id;

        if (cor_parse_u32(text, &id) < 0 || id > ID_MAX)
                return cor_fail(err, COR_INVALID, "%s \"%.40s\": expected a number from 0 to %d", what, text, ID_MAX);
        *ret = id;
        return 0;
}

int exec_parse_user(const char *text, uint32_t *uid, uint32_t *gid, struct cor_err *err)
{
        auto_str copy = cor_strdup(text);
        char *colon = strchr(copy, ':');
        uint32_t u = 0, g = *gid;

        if (colon)
                *colon++ = '\0';
        if (parse_id(copy, "--user: uid", &u, err) < 0 || (colon && parse_id(colon, "--user: gid", &g, err) < 0))
                return -1;
        *uid = u;
        *gid = g;
        return 0;
}

static void append(void *root, const char ***items, size_t *n_items, char *const *more, size_t n_more)
{
        const char **all = cor_json_alloc(root, (*n_items + n_more + 1) * sizeof *all);

        if (*n_items)
                memcpy(all, *items, *n_items * sizeof *all);
        for (size_t i = 0; i < n_more; i++)
                all[*n_items + i] = more[i];
        *items = all;
        *n_items += n_more;
}

/* A variable that is given replaces the one that was there. */
static void set_env(void *root, struct oci_process *p, char *const *env, size_t n_env)
{
        for (size_t i = 0; i < n_env; i++) {
                size_t name = strcspn(env[i], "=") + 1, k;

                for (k = 0; k < p->n_env; k++)
                        if (strncmp(p->env[k], env[i], name) == 0)
                                break;
                if (k < p->n_env)
                        p->env[k] = env[i];
                else
                        append(root, &p->env, &p->n_env, &env[i], 1);
        }
}

/* Inheritable stays empty: it would survive a set-uid program's exec (CVE-2022-29162). */
static int add_caps(void *root, struct oci_process *p, char *const *caps, size_t n, struct cor_err *err)
{
        struct oci_caps *c;

        if (n == 0)
                return 0;
        if (!p->capabilities)
                p->capabilities = cor_json_alloc(root, sizeof *p->capabilities);
        c = p->capabilities;
        for (size_t i = 0; i < n; i++)
                if (caps_number(caps[i]) < 0)
                        return cor_fail(err, COR_INVALID, "--cap: unknown capability %.60s", caps[i]);
        append(root, &c->bounding, &c->n_bounding, caps, n);
        append(root, &c->effective, &c->n_effective, caps, n);
        append(root, &c->permitted, &c->n_permitted, caps, n);
        return 0;
}

static int add_gids(void *root, struct oci_process *p, char *const *lists, size_t n_lists, struct cor_err *err)
{
        struct oci_user *u = &p->user;

        for (size_t i = 0; i < n_lists; i++) {
                char *cursor = cor_json_strdup(root, lists[i]), *word;

                while ((word = cor_split_next(&cursor, ',')) != NULL) {
                        uint32_t *all = cor_json_alloc(root, (u->n_additional_gids + 1) * sizeof *all);

                        if (parse_id(word, "--additional-gids", &all[u->n_additional_gids], err) < 0)
                                return -1;
                        if (u->n_additional_gids)
                                memcpy(all, u->additional_gids, u->n_additional_gids * sizeof *all);
                        u->additional_gids = all;
                        u->n_additional_gids++;
                }
        }
        return 0;
}

/* Without a size of its own, the new terminal gets that of the user's. */
static void set_console_size(void *root, struct oci_process *p)
{
        struct winsize ws;

        p->console_size = NULL;
        if (!p->terminal || ioctl(0, TIOCGWINSZ, &ws) < 0 || ws.ws_row == 0)
                return;
        p->console_size = cor_json_alloc(root, sizeof *p->console_size);
        p->console_size->height = ws.ws_row;
        p->console_size->width = ws.ws_col;
}

static int change_process(const struct exec_options *o, struct oci_config *config, struct cor_err *err)
{
        struct oci_process *p = config->process;

        if (o->n_args == 0)
                return cor_fail(err, COR_INVALID, "exec args cannot be empty");
        p->args = NULL;
        p->n_args = 0;
        append(config, &p->args, &p->n_args, o->args, o->n_args);
        p->terminal = o->tty;
        set_console_size(config, p);
        if (o->cwd) {
                if (o->cwd[0] != '/')
                        return cor_fail(err, COR_INVALID, "--cwd %.200s: must be an absolute path", o->cwd);
                p->cwd = o->cwd;
        }
        if (o->user) {
                if (exec_parse_user(o->user, &p->user.uid, &p->user.gid, err) < 0)
                        return -1;
        }
        set_env(config, p, o->env, o->n_env);
        if (o->apparmor)
                p->apparmor_profile = o->apparmor;
        if (o->process_label)
                p->selinux_label = o->process_label;
        p->no_new_privileges = p->no_new_privileges || o->no_new_privs;
        if (add_caps(config, p, o->caps, o->n_caps, err) < 0)
                return -1;
        return add_gids(config, p, o->additional_gids, o->n_additional_gids, err);
}

int exec_process(const struct exec_options *o, struct oci_config *config, struct oci_process **ret,
                 struct oci_process **ret_owner, struct cor_err *err)
{
        auto_str text = NULL;
        size_t n;

        *ret_owner = NULL;
        if (!o->process && !o->process_json) {
                if (change_process(o, config, err) < 0)
                        return -1;
                *ret = config->process;
                return 0;
        }
        if (o->process && cor_read_file(o->process, PROCESS_MAX_BYTES, &text, &n, err) < 0)
                return cor_wrap(err, "--process");
        if (oci_process_parse(text ? text : o->process_json, text ? n : strlen(o->process_json), o->process, ret_owner,
                              err) < 0)
                return -1;
        *ret = *ret_owner;
        if (!(*ret)->exec_cpu_affinity && config->process)
                (*ret)->exec_cpu_affinity = config->process->exec_cpu_affinity;
        return 0;
}
