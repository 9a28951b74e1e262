#include "monitor/settings.h"

#include "base/process.h"
#include "spec/docker.h"
#include "store/container.h"

#include <string.h>

enum { STOP_TIMEOUT_S = 10, STOP_TIMEOUT_MAX_S = 1000000, HEALTH_RETRIES = 3, HEALTH_RETRIES_MAX = 1000000 };
enum { INTERVAL_MS = 30 * 1000, TIMEOUT_MS = 30 * 1000, START_INTERVAL_MS = 5 * 1000 };
static const int64_t DURATION_MAX_MS = INT64_C(1000) * 60 * 60 * 24 * 365;

static const struct cor_word restart_words[] = {
        { "", RESTART_NO },
        { "no", RESTART_NO },
        { "always", RESTART_ALWAYS },
        { "unless-stopped", RESTART_UNLESS_STOPPED },
        { "on-failure", RESTART_ON_FAILURE },
        { NULL, 0 },
};

static int read_restart(const struct docker_restart_policy *p, struct restart_policy *ret, struct cor_err *err)
{
        const struct cor_word *w = cor_word_find(restart_words, p->name ? p->name : "");

        if (!w)
                return cor_fail(err, COR_INVALID, "invalid restart policy '%.40s'", p->name);
        ret->when = (enum restart_when)w->value;
        ret->max_retries = p->maximum_retry_count;
        return 0;
}

/* Nanoseconds to milliseconds; 0 and what makes no sense become @def. */
static int64_t duration(int64_t ns, int64_t def)
{
        int64_t ms = ns / 1000000;

        if (ns <= 0)
                return def;
        return ms < 1 ? 1 : ms > DURATION_MAX_MS ? DURATION_MAX_MS : ms;
}

static void add_all(struct cor_strv *to, const char *const *items, size_t n)
{
        for (size_t i = 0; i < n; i++)
                cor_strv_add(to, items[i]);
}

static int read_health(const struct docker_config *c, struct health_settings *ret, struct cor_err *err)
{
        static const char *const default_shell[] = { "/bin/sh", "-c" };
        const struct image_healthcheck *h = c->healthcheck;

        if (!h || h->n_test == 0 || strcmp(h->test[0], "NONE") == 0)
                return 0;
        if (strcmp(h->test[0], "CMD-SHELL") == 0) {
                if (c->n_shell)
                        add_all(&ret->command, c->shell, c->n_shell);
                else
                        add_all(&ret->command, default_shell, COR_COUNT(default_shell));
        } else if (strcmp(h->test[0], "CMD") != 0) {
                return cor_fail(err, COR_INVALID, "Healthcheck.Test: %.40s: expected NONE, CMD or CMD-SHELL",
                                h->test[0]);
        }
        add_all(&ret->command, h->test + 1, h->n_test - 1);
        ret->interval_ms = duration(h->interval, INTERVAL_MS);
        ret->timeout_ms = duration(h->timeout, TIMEOUT_MS);
        ret->start_period_ms = duration(h->start_period, 0);
        ret->start_interval_ms = duration(h->start_interval, START_INTERVAL_MS);
        ret->retries = h->retries > 0 && h->retries < HEALTH_RETRIES_MAX ? (int)h->retries : HEALTH_RETRIES;
        return 0;
}

static int read_stop(const struct docker_config *c, struct settings *ret, struct cor_err *err)
{
        int64_t seconds = c->stop_timeout.set ? c->stop_timeout.value : STOP_TIMEOUT_S;

        ret->stop_timeout_ms =
                seconds < 0 ? -1 : (int)(seconds > STOP_TIMEOUT_MAX_S ? STOP_TIMEOUT_MAX_S : seconds) * 1000;
        if (!c->stop_signal || !c->stop_signal[0])
                return 0;
        ret->stop_signal = cor_signal_parse(c->stop_signal, err);
        return ret->stop_signal < 0 ? cor_wrap(err, "StopSignal") : 0;
}

static void add_pairs(struct cor_strv *to, const struct cor_pair *pairs, size_t n)
{
        for (size_t i = 0; i < n; i++)
                cor_strv_take(to, cor_printf("%s=%s", pairs[i].key, pairs[i].value));
}

static int read_config(const struct docker_config *c, struct settings *ret, struct cor_err *err)
{
        ret->tty = c->tty;
        ret->open_stdin = c->open_stdin;
        ret->stdin_once = c->stdin_once;
        ret->network_disabled = c->network_disabled;
        ret->mac_address = cor_strdup(c->mac_address);
        ret->hostname = cor_strdup(c->hostname);
        add_pairs(&ret->labels, c->labels, c->n_labels);
        add_all(&ret->env, c->env, c->n_env);
        return read_stop(c, ret, err) < 0 || read_health(c, &ret->health, err) < 0 ? -1 : 0;
}

static int read_host_config(const struct docker_host_config *h, struct settings *ret, struct cor_err *err)
{
        if (h->runtime && h->runtime[0] == '/')
                ret->runtime = cor_strdup(h->runtime);
        ret->pid_file = cor_strdup(h->pid_file);
        ret->network_mode = cor_strdup(h->network_mode ? h->network_mode : "");
        ret->log_type = cor_strdup(h->log_config.type && h->log_config.type[0] ? h->log_config.type : "json-file");
        for (size_t i = 0; i < h->n_annotations; i++)
                if (strcmp(h->annotations[i].key, SETTINGS_STOP_ANNOTATION) == 0)
                        ret->stop_all = strcmp(h->annotations[i].value, "all") == 0;
        add_pairs(&ret->log_options, h->log_config.config, h->log_config.n_config);
        return read_restart(&h->restart_policy, &ret->restart, err);
}

/* The label that opens published ports whatever a firewall of the host says (docs/networking.md). */
static bool is_direct(const struct docker_config *c)
{
        for (size_t i = 0; i < c->n_labels; i++)
                if (strcmp(c->labels[i].key, "coracle.publish") == 0)
                        return strcmp(c->labels[i].value, "direct") == 0;
        return false;
}

int settings_read(const struct container_row *row, struct settings *ret, struct cor_err *err)
{
        auto_json struct docker_config *config = NULL;
        auto_json struct docker_host_config *host = NULL;
        auto_settings s = { 0 };

        if (!row->config || !row->host_config)
                return cor_fail(err, COR_INVALID, "container %s has no documents", row->id);
        if (cor_json_parse(&docker_config_doc, row->config, strlen(row->config), "Config", &config, err) < 0 ||
            cor_json_parse(&docker_host_config_doc, row->host_config, strlen(row->host_config), "HostConfig", &host,
                           err) < 0)
                return -1;
        s.auto_remove = row->auto_remove;
        s.created = row->created;
        s.id = cor_strdup(row->id);
        s.name = cor_strdup(row->name ? row->name : "");
        s.image = cor_strdup(row->image ? row->image : "");
        s.image_id = cor_strdup(row->image_id.text);
        s.networking = cor_strdup(row->networking);
        s.ports_direct = is_direct(config);
        if (read_config(config, &s, err) < 0 || read_host_config(host, &s, err) < 0 ||
            port_wishes_read(config, host, &s.ports, err) < 0)
                return -1;
        *ret = s;
        s = (struct settings){ 0 };
        return 0;
}

void settings_done(struct settings *s)
{
        char *strings[] = { s->pid_file, s->runtime, s->network_mode, s->mac_address, s->networking, s->hostname,
                            s->log_type, s->id,      s->name,         s->image,       s->image_id };

        for (size_t i = 0; i < COR_COUNT(strings); i++)
                free(strings[i]);
        cor_strv_done(&s->log_options);
        cor_strv_done(&s->labels);
        cor_strv_done(&s->env);
        cor_strv_done(&s->health.command);
        port_wishes_done(&s->ports);
        *s = (struct settings){ 0 };
}
