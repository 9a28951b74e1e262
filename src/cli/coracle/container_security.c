/* Flags of security, namespaces and health; and those that would have no effect. */
#include "cli/coracle/container_words.h"

#include "base/file.h"
#include "spec/userns.h"

#include <ctype.h>
#include <string.h>

enum { PROFILE_MAX_BYTES = 1 << 20 };

/* ---- --security-opt ---- */

/* Any document */
static const struct cor_json_doc any_doc = { .size = sizeof(struct container_request) };

/* JSON without the white space between its words */
static char *compact(struct container_request *r, const char *s)
{
        char *copy = request_text(r, s, strlen(s)), *out = copy;
        bool quoted = false;

        for (; *s; s++) {
                if (!quoted && strchr(" \t\r\n", *s))
                        continue;
                if (quoted && *s == '\\' && s[1])
                        *out++ = *s++;
                else if (*s == '"')
                        quoted = !quoted;
                *out++ = *s;
        }
        *out = '\0';
        return copy;
}

/* The client reads the profile: it is the caller's file. */
static int read_profile(struct container_request *r, const char *path, const char **ret, struct cor_err *err)
{
        auto_json void *document = NULL;
        struct cor_err why = { 0 };
        auto_str text = NULL;
        size_t n;

        if (cor_read_file(path, PROFILE_MAX_BYTES, &text, &n, &why) < 0)
                return cor_fail(err, COR_INVALID, "opening seccomp profile (%.100s) failed: %s", path, why.msg);
        if (cor_json_parse(&any_doc, text, n, NULL, &document, &why) < 0)
                return cor_fail(err, COR_INVALID, "compacting json for seccomp profile (%.100s) failed: %s", path,
                                why.msg);
        *ret = request_printf(r, "seccomp=%s", compact(r, text));
        return 0;
}

static int security_option(struct container_request *r, const char *word, struct cor_err *err)
{
        struct docker_host_config *h = &r->host;
        const char *value, *key = request_cut(r, word, '=', &value);

        if (!value && strcmp(key, "no-new-privileges") != 0)
                key = request_cut(r, word, ':', &value);
        if ((!value || !*value) && strcmp(key, "no-new-privileges") != 0)
                return cor_fail(err, COR_INVALID, "Invalid --security-opt: \"%.200s\"", word);
        if (strcmp(word, "systempaths=unconfined") == 0) { /* lists that are there, and empty */
                h->masked_paths = request_take(r, sizeof *h->masked_paths);
                h->readonly_paths = request_take(r, sizeof *h->readonly_paths);
                return 0;
        }
        if (value && strcmp(key, "seccomp") == 0 && strcmp(value, "builtin") != 0 && strcmp(value, "unconfined") != 0 &&
            read_profile(r, value, &word, err) < 0)
                return -1;
        request_add(r, &h->security_opt, &h->n_security_opt, word);
        return 0;
}

/* ---- namespaces, system calls, rights ---- */

static bool is_mode(const char *mode, const char *one, const char *other)
{
        if (!mode || strcmp(mode, one) == 0)
                return true;
        if (other && strcmp(other, "container:") == 0)
                return cor_starts_with(mode, other) && mode[strlen(other)];
        return other && strcmp(mode, other) == 0;
}

static int namespaces(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        struct docker_host_config *h = &r->host;
        struct userns_mode userns;

        h->pid_mode = f->pid;
        h->uts_mode = f->uts;
        h->userns_mode = f->userns;
        h->cgroupns_mode = f->cgroupns;
        h->ipc_mode = f->ipc;
        if (!is_mode(f->pid, "host", "container:"))
                return cor_fail(err, COR_INVALID, "--pid: invalid PID mode");
        if (!is_mode(f->uts, "host", NULL))
                return cor_fail(err, COR_INVALID, "--uts: invalid UTS mode");
        if (userns_mode_parse(f->userns, &userns, err) < 0)
                return cor_wrap(err, "--userns");
        if (!is_mode(f->cgroupns, "host", "private"))
                return cor_fail(err, COR_INVALID, "--cgroupns: invalid CGROUP mode");
        return 0;
}

/* "net_admin" as "CAP_NET_ADMIN"; sorted, each once, and nothing beside ALL */
static void capabilities(struct container_request *r, const struct flag_list *l, const char ***items, size_t *n)
{
        struct cor_pair *found = NULL;
        size_t n_found = 0;

        for (size_t i = 0; i < l->n_items; i++) {
                char *name =
                        request_printf(r, "%s%s", strncasecmp(l->items[i], "CAP_", 4) == 0 ? "" : "CAP_", l->items[i]);

                for (char *c = name; *c; c++)
                        *c = (char)toupper((unsigned char)*c);
                request_set(r, &found, &n_found, name, "");
        }
        for (size_t i = 0; i < n_found; i++)
                if (strcmp(found[i].key, "CAP_ALL") == 0) {
                        request_add(r, items, n, "ALL");
                        return;
                }
        for (size_t i = 0; i < n_found; i++)
                request_add(r, items, n, found[i].key);
}

static bool is_sysctl(const char *word)
{
        static const char words[][24] = { "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
                                          "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced" };
        size_t len = strcspn(word, "=");

        if (!word[len] || len == 0)
                return false;
        for (size_t i = 0; i < COR_COUNT(words); i++)
                if (strlen(words[i]) == len && strncmp(words[i], word, len) == 0)
                        return true;
        return cor_starts_with(word, "net.") || cor_starts_with(word, "fs.mqueue.");
}

int container_security(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        struct docker_host_config *h = &r->host;

        if (namespaces(r, f, err) < 0)
                return -1;
        for (size_t i = 0; i < f->security_opt.n_items; i++)
                if (security_option(r, f->security_opt.items[i], err) < 0)
                        return -1;
        for (size_t i = 0; i < f->sysctl.n_items; i++) {
                if (!is_sysctl(f->sysctl.items[i]))
                        return container_flag_wrong(err, "sysctl", f->sysctl.items[i], "sysctl '%.100s' is not allowed",
                                                    f->sysctl.items[i]);
                request_set_word(r, &h->sysctls, &h->n_sysctls, f->sysctl.items[i]);
        }
        capabilities(r, &f->cap_add, &h->cap_add, &h->n_cap_add);
        capabilities(r, &f->cap_drop, &h->cap_drop, &h->n_cap_drop);
        h->privileged = f->privileged;
        return 0;
}

/* ---- health ---- */

struct health_time {
        char flag[24];
        const char *given;
        int64_t *to;
};

static int health_times(const struct health_time *times, size_t n, struct cor_err *err)
{
        struct cor_err why = { 0 };

        for (size_t i = 0; i < n; i++)
                if (times[i].given && words_duration(times[i].given, times[i].to, &why) < 0)
                        return container_flag_wrong(err, times[i].flag, times[i].given, "%s", why.msg);
        for (size_t i = 0; i < n; i++)
                if (*times[i].to < 0)
                        return cor_fail(err, COR_INVALID, "--%s cannot be negative", times[i].flag);
        return 0;
}

int container_health(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        struct image_healthcheck *h = request_take(r, sizeof *h);
        const struct health_time times[] = {
                { "health-interval", f->health_interval, &h->interval },
                { "health-timeout", f->health_timeout, &h->timeout },
                { "health-start-period", f->health_start_period, &h->start_period },
                { "health-start-interval", f->health_start_interval, &h->start_interval },
        };
        struct cor_err why = { 0 };

        if (health_times(times, COR_COUNT(times), err) < 0)
                return -1;
        if (f->health_retries && words_i64(f->health_retries, "ParseInt", 64, &h->retries, &why) < 0)
                return container_flag_wrong(err, "health-retries", f->health_retries, "%s", why.msg);
        if (h->retries < 0)
                return cor_fail(err, COR_INVALID, "--health-retries cannot be negative");
        if (f->health_cmd) {
                request_add(r, &h->test, &h->n_test, "CMD-SHELL");
                request_add(r, &h->test, &h->n_test, f->health_cmd);
        }
        if (h->n_test > 0 || h->interval || h->timeout || h->start_period || h->start_interval || h->retries)
                r->config.healthcheck = h;
        if (!f->no_healthcheck)
                return 0;
        if (r->config.healthcheck)
                return cor_fail(err, COR_INVALID, "--no-healthcheck conflicts with --health-* options");
        request_add(r, &h->test, &h->n_test, "NONE");
        r->config.healthcheck = h;
        return 0;
}

/* ---- what would have no effect ---- */

int container_flags_refuse(const struct container_flags *f, struct cor_err *err)
{
        const struct {
                bool given;
                char flag[28];
                const char *why;
        } refused[] = {
                { f->use_api_socket, "use-api-socket", "there is no daemon whose socket could be given" },
                { f->verify_image, "disable-content-trust=false", "there is no content trust" },
                { f->kernel_memory != NULL, "kernel-memory", "kernels have no such limit any more" },
                { f->cpu_count != NULL, "cpu-count", "it is of Windows only" },
                { f->cpu_percent != NULL, "cpu-percent", "it is of Windows only" },
                { f->io_maxbandwidth != NULL, "io-maxbandwidth", "it is of Windows only" },
                { f->io_maxiops != NULL, "io-maxiops", "it is of Windows only" },
                { f->isolation && strcmp(f->isolation, "default") != 0, "isolation",
                  "other kinds are of Windows only" },
                { f->volume_driver && strcmp(f->volume_driver, "local") != 0, "volume-driver",
                  "there is the driver local only" },
        };

        for (size_t i = 0; i < COR_COUNT(refused); i++)
                if (refused[i].given)
                        return cor_fail(err, COR_UNSUPPORTED, "--%s: %s", refused[i].flag, refused[i].why);
        return 0;
}
