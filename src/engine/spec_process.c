/* `process` of config.json: the program, its environment, who runs it, and its limits. */
#include "engine/spec_internal.h"

#include "base/file.h"
#include "engine/spec_user.h"
#include "linux/caps.h"

#include <ctype.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

enum { STOP_TIMEOUT_S = 10, GRACE_MAX_S = 86400 };

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* --- environment ------------------------------------------------------------------------------------------------- */

/* The index of the variable that @entry, "NAME=VALUE" or "NAME", is about; @n if it is not there. */
static size_t find_variable(const char *const *env, size_t n, const char *entry)
{
        size_t name = strcspn(entry, "="), i;

        for (i = 0; i < n; i++)
                if (strncmp(env[i], entry, name) == 0 && env[i][name] == '=')
                        break;
        return i;
}

static void set_variable(struct spec *s, struct oci_process *p, const char *entry)
{
        size_t at = find_variable(p->env, p->n_env, entry);

        if (!strchr(entry, '=')) { /* a name alone takes the variable away */
                if (at == p->n_env)
                        return;
                memmove(&p->env[at], &p->env[at + 1], (p->n_env - at - 1) * sizeof *p->env);
                p->n_env--;
        } else if (at < p->n_env) {
                p->env[at] = entry;
        } else {
                spec_add(s, &p->env, &p->n_env, entry);
        }
}

static void make_environment(struct spec *s, struct oci_process *p)
{
        spec_add(s, &p->env, &p->n_env, DEFAULT_PATH);
        spec_add(s, &p->env, &p->n_env, spec_printf(s, "HOSTNAME=%s", s->config->hostname ? s->config->hostname : ""));
        if (s->config->tty)
                spec_add(s, &p->env, &p->n_env, "TERM=xterm");
        for (size_t i = 0; i < s->config->n_env; i++)
                set_variable(s, p, s->config->env[i]);
}

/* --- the program ------------------------------------------------------------------------------------------------- */

/* When the program ends, what it has started is asked to end as well, and gets as long as the program has at a stop. */
static void add_init_options(struct spec *s, struct oci_process *p)
{
        int64_t seconds = s->config->stop_timeout.set ? s->config->stop_timeout.value : STOP_TIMEOUT_S;

        spec_add(s, &p->args, &p->n_args, "--wait-all");
        spec_add(s, &p->args, &p->n_args, "--grace");
        spec_add(s, &p->args, &p->n_args,
                 spec_printf(s, "%lld", (long long)(seconds < 0 || seconds > GRACE_MAX_S ? GRACE_MAX_S : seconds)));
}

static int make_args(struct spec *s, struct oci_process *p, struct cor_err *err)
{
        const struct docker_config *c = s->config;

        if (spec_wants_init(s)) {
                spec_add(s, &p->args, &p->n_args, SPEC_INIT);
                if (INIT_HAS_OPTIONS)
                        add_init_options(s, p);
                spec_add(s, &p->args, &p->n_args, "--");
        }
        for (size_t i = 0; i < c->n_entrypoint; i++)
                spec_add(s, &p->args, &p->n_args, c->entrypoint[i]);
        for (size_t i = 0; i < c->n_cmd; i++)
                spec_add(s, &p->args, &p->n_args, c->cmd[i]);
        if (c->n_entrypoint + c->n_cmd == 0)
                return cor_fail(err, COR_INVALID, "no command specified");
        return 0;
}

/* --- the user ---------------------------------------------------------------------------------------------------- */

static int make_user(struct spec *s, struct oci_process *p, struct cor_err *err)
{
        auto_spec_user u = { 0 };
        uint32_t host;

        if (spec_user_find(s->root, s->config->user, s->host->group_add, s->host->n_group_add, &u, err) < 0)
                return -1;
        if (s->mapped && (!idmap_to_host(s->ids.uids, s->ids.n_uids, u.uid, &host) ||
                          !idmap_to_host(s->ids.gids, s->ids.n_gids, u.gid, &host)))
                return cor_fail(err, COR_INVALID,
                                "user %u:%u is not among the ids of the container's user namespace "
                                "(--userns=auto:size=NUMBER asks for more)",
                                u.uid, u.gid);
        p->user.uid = u.uid;
        p->user.gid = u.gid;
        p->user.n_additional_gids = u.n_gids;
        p->user.additional_gids = cor_json_alloc(s->c, u.n_gids * sizeof *u.gids);
        memcpy(p->user.additional_gids, u.gids, u.n_gids * sizeof *u.gids);
        return 0;
}

/* --- limits ------------------------------------------------------------------------------------------------------ */

static int make_limits(struct spec *s, struct oci_process *p, struct cor_err *err)
{
        for (size_t i = 0; i < s->host->n_ulimits; i++) {
                const struct docker_ulimit *u = &s->host->ulimits[i];
                struct oci_rlimit *l = SPEC_GROW(s->c, p->rlimits, p->n_rlimits);
                char *name = spec_printf(s, "RLIMIT_%s", u->name ? u->name : "");
                const struct cor_word *word;

                for (char *t = name; *t; t++)
                        *t = (char)toupper((unsigned char)*t);
                word = cor_word_find(oci_rlimit_words, name);
                if (!word)
                        return cor_fail(err, COR_INVALID, "invalid ulimit type: %s", u->name ? u->name : "");
                /* -1 is "unlimited" in both worlds */
                *l = (struct oci_rlimit){ (int)word->value, (uint64_t)u->hard, (uint64_t)u->soft };
        }
        return 0;
}

static void make_console(struct spec *s, struct oci_process *p)
{
        if (!s->config->tty || !s->host->console_size[0] || !s->host->console_size[1])
                return;
        p->console_size = cor_json_alloc(s->c, sizeof *p->console_size);
        p->console_size->height = s->host->console_size[0];
        p->console_size->width = s->host->console_size[1];
}

/* Lowering the score needs a capability that root of a user namespace does not have: it stays as ours is. */
static int64_t oom_score(struct spec *s)
{
        struct caps now = { 0 };
        char text[32];
        int64_t own;

        if (cor_read_at(AT_FDCWD, "/proc/self/oom_score_adj", text, sizeof text, NULL) < 0 ||
            cor_parse_i64(text, &own) < 0 || own <= s->host->oom_score_adj)
                return s->host->oom_score_adj;
        if (!s->rootless && caps_current(false, &now, NULL) == 0 && (now.effective & 1ULL << CAP_SYS_RESOURCE))
                return s->host->oom_score_adj;
        if (s->host->oom_score_adj != 0)
                spec_warn(s->warnings, "Lowering the OOM score needs CAP_SYS_RESOURCE. It stays at %d.", (int)own);
        return own;
}

int spec_make_process(struct spec *s, struct cor_err *err)
{
        struct oci_process *p = cor_json_alloc(s->c, sizeof *p);

        s->c->process = p;
        p->terminal = s->config->tty;
        p->cwd = spec_empty(s->config->working_dir) ? "/" : s->config->working_dir;
        make_environment(s, p);
        make_console(s, p);
        p->oom_score_adj = (struct cor_opt_i64){ true, oom_score(s) };
        if (make_args(s, p, err) < 0 || make_user(s, p, err) < 0 || make_limits(s, p, err) < 0)
                return -1;
        return 0;
}
