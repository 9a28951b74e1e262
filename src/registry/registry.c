#include "base/text.h"
#include "registry/address.h"
#include "registry/auth.h"
#include "registry/broker.h"
#include "registry/host.h"
#include "registry/internal.h"
#include "registry/trust.h"

#include <stdio.h>
#include <string.h>

enum { WAIT_MAX_MS = 1000 };

/* ----------------------------------------------------------------------------------------------------------- handle */

static int host_open(struct host *h, struct cor_err *err)
{
        const char *url = h->settings.url;

        h->root = h->settings.override_path || cor_ends_with(url, "/v2") ? cor_strdup(url) : cor_printf("%s/v2", url);
        return http_trust_load(&h->settings, &h->trust, err);
}

static void host_close(struct host *h)
{
        registry_host_done(&h->settings);
        http_trust_done(&h->trust);
        free(h->root);
        registry_auth_done(&h->auth);
        free(h->authorization);
}

static int hosts_open(struct registry *r, struct cor_err *err)
{
        struct registry_host *found = NULL;
        size_t n = 0;
        int result = 0;

        if (registry_config_hosts(r->config, r->domain, &found, &n, err) < 0)
                return -1;
        r->hosts = cor_realloc_array(NULL, n, sizeof *r->hosts);
        for (size_t i = 0; i < n; i++)
                r->hosts[i] = (struct host){ .settings = found[i] };
        r->n_hosts = n;
        free(found); /* what it pointed to is the hosts' */
        for (size_t i = 0; i < n && result == 0; i++)
                result = host_open(&r->hosts[i], err);
        return result < 0 ? cor_wrap(err, "registry %s", r->domain) : 0;
}

/* "debian" for library/debian of docker.io */
static char *familiar(const char *domain, const char *path)
{
        if (!path)
                return cor_strdup(domain);
        if (!cor_streq(domain, "docker.io"))
                return cor_printf("%s/%s", domain, path);
        if (cor_starts_with(path, "library/") && !strchr(path + strlen("library/"), '/'))
                path += strlen("library/");
        return cor_strdup(path);
}

int registry_new(const struct registry_config *config, const char *domain, const char *path, struct registry **ret,
                 struct cor_err *err)
{
        auto_registry r = cor_alloc(sizeof *r);

        r->config = config;
        r->domain = cor_strdup(domain);
        r->path = cor_strdup(path);
        r->name = familiar(domain, path);
        r->attempts = config->max_attempts > 0 ? config->max_attempts : 1;
        if (hosts_open(r, err) < 0 || http_new(config->stall_ms, &r->http, err) < 0)
                return -1;
        *ret = COR_TAKE(r);
        return 0;
}

void registry_free(struct registry *r)
{
        if (!r)
                return;
        jobs_free(r);
        while (r->calls)
                call_drop(r->calls);
        http_free(r->http);
        broker_free(r->broker);
        for (size_t i = 0; i < r->n_hosts; i++)
                host_close(&r->hosts[i]);
        free(r->hosts);
        free(r->domain);
        free(r->path);
        free(r->name);
        free(r->mounting_digest);
        free(r->mounting_url);
        free(r->refresh_token);
        free(r);
}

int registry_detach(struct registry *r, struct cor_err *err)
{
        auto_strv domains = { 0 };

        for (size_t i = 0; i < r->n_hosts; i++) {
                char *domain = host_domain(&r->hosts[i]);

                if (domain)
                        cor_strv_take(&domains, domain);
        }
        if (broker_start(r->config, &domains, &r->broker, err) < 0)
                return -1;
        http_use_broker(r->http, r->broker);
        return 0;
}

size_t registry_n_pull_hosts(const struct registry *r)
{
        size_t n = 0;

        for (size_t i = 0; i < r->n_hosts; i++)
                n += r->hosts[i].settings.pull;
        return n;
}

void registry_files(struct cor_strv *ret)
{
        http_trust_files(ret);
}

/* ------------------------------------------------------------------------------------------------------------- loop */

int registry_step(struct registry *r, int wake_fd, int max_ms, struct cor_err *err)
{
        jobs_step(r);
        return http_step(r->http, wake_fd, calls_step(r, max_ms), err);
}

int registry_run(struct registry *r, int wake_fd, struct cor_err *err)
{
        while (r->jobs) {
                int woken = registry_step(r, wake_fd, WAIT_MAX_MS, err);

                if (woken < 0)
                        return -1;
                if (woken)
                        return r->jobs ? 1 : 0;
        }
        return 0;
}

void registry_cancel(struct registry *r)
{
        while (r->jobs) {
                struct job *j = r->jobs;
                struct cor_err err = { 0 };

                cor_fail(&err, COR_BUSY, "canceled");
                j->cancel(j, &err);
        }
}

/* ---------------------------------------------------------------------------------------------------- waiting calls */

void outcome_done(struct outcome *o)
{
        for (size_t i = 0; i < HTTP_HEADERS; i++)
                free(o->answer.headers[i]);
        free(o->answer.body);
        free(o->url);
        *o = (struct outcome){ 0 };
}

static void keep(void *context, const struct http_answer *a, const char *url, const struct cor_err *error)
{
        struct outcome *o = context;

        o->over = true;
        o->answer = (struct http_answer){ .end = a->end, .status = a->status, .n = a->n };
        for (size_t i = 0; i < HTTP_HEADERS; i++)
                o->answer.headers[i] = cor_strdup(a->headers[i]);
        if (a->body) {
                o->answer.body = cor_alloc(a->n + 1);
                memcpy(o->answer.body, a->body, a->n);
        }
        o->url = cor_strdup(url);
        if (error)
                o->err = *error;
}

int registry_ask(struct registry *r, struct call_spec *spec, struct outcome *o, struct cor_err *err)
{
        struct call *c;
        int woken = 0;

        spec->done = keep;
        spec->context = o;
        c = call_new(r, spec);
        while (!o->over && woken == 0)
                woken = registry_step(r, r->config->wake_fd > 0 ? r->config->wake_fd : -1, WAIT_MAX_MS, err);
        if (o->over)
                return 0;
        call_drop(c);
        return woken < 0 ? -1 : cor_fail(err, COR_BUSY, "interrupted");
}

int registry_denied(const struct registry *r, const struct cor_err *problem, bool push, struct cor_err *err)
{
        if (push)
                return cor_fail(err, COR_DENIED, "%s", problem->msg);
        return cor_fail(err, COR_DENIED,
                        "pull access denied for %s, repository does not exist or may require 'docker login': %s",
                        r->name, problem->msg);
}

/* ------------------------------------------------------------------------------------------------------------ queue */

void job_add(struct registry *r, struct job *j)
{
        struct job **at = &r->jobs;

        while (*at)
                at = &(*at)->next;
        j->registry = r;
        *at = j;
}

void job_remove(struct job *j)
{
        for (struct job **at = &j->registry->jobs; *at; at = &(*at)->next)
                if (*at == j) {
                        *at = j->next;
                        return;
                }
}

static int at_most(const struct registry *r, enum job_kind kind)
{
        int n = kind == JOB_DOWNLOAD ? r->config->max_downloads : r->config->max_uploads;

        return n > 0 ? n : 1;
}

/* The first job that has to wait no longer, or NULL. */
static struct job *next_job(struct registry *r)
{
        int running[2] = { 0, 0 };

        for (struct job *j = r->jobs; j; j = j->next)
                running[j->kind] += j->running;
        for (struct job *j = r->jobs; j; j = j->next)
                if (!j->running && running[j->kind] < at_most(r, j->kind))
                        return j;
        return NULL;
}

void jobs_step(struct registry *r)
{
        for (struct job *j; (j = next_job(r));) {
                j->running = true;
                j->start(j); /* which may end it at once */
        }
}

void jobs_free(struct registry *r)
{
        while (r->jobs) {
                struct job *j = r->jobs;

                r->jobs = j->next;
                j->drop(j);
        }
}
