/* What can be said about a container's documents before anything is made. The words are dockerd's. */
#include "engine/spec_internal.h"
#include "spec/userns.h"

#include "base/file.h"
#include "base/process.h"
#include "engine/spec_point.h"
#include "monitor/log_settings.h"
#include "monitor/settings.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MIN_DURATION_NS = 1000000 };

/* --- Config ------------------------------------------------------------------------------------------------------ */

static int check_duration(const char *name, int64_t ns, struct cor_err *err)
{
        if (ns != 0 && ns < MIN_DURATION_NS)
                return cor_fail(err, COR_INVALID, "%s in Healthcheck cannot be less than 1ms", name);
        return 0;
}

static int check_health(const struct image_healthcheck *h, struct cor_err *err)
{
        if (!h)
                return 0;
        if (h->retries < 0)
                return cor_fail(err, COR_INVALID, "Retries in Healthcheck cannot be negative");
        return check_duration("Interval", h->interval, err) < 0 || check_duration("Timeout", h->timeout, err) < 0 ||
                               check_duration("StartPeriod", h->start_period, err) < 0 ||
                               check_duration("StartInterval", h->start_interval, err) < 0
                       ? -1
                       : 0;
}

/* It becomes a word of /etc/hosts. */
static int check_host_name(const char *name, const char *what, struct cor_err *err)
{
        for (const char *s = name ? name : ""; *s; s++)
                if ((unsigned char)*s <= ' ' || *s == 0x7f)
                        return cor_fail(err, COR_INVALID, "invalid %s format: blanks and control characters", what);
        return 0;
}

int spec_check_config(struct docker_config *c, struct cor_err *err)
{
        if (check_host_name(c->hostname, "hostname", err) < 0 || check_host_name(c->domainname, "domainname", err) < 0)
                return -1;
        if (!spec_empty(c->working_dir)) {
                auto_str clean = cor_path_clean(c->working_dir);

                if (c->working_dir[0] != '/')
                        return cor_fail(err, COR_INVALID,
                                        "the working directory '%.300s' is invalid, it needs to be an absolute path",
                                        c->working_dir);
                c->working_dir = spec_copy(c, clean);
        }
        if (!spec_empty(c->stop_signal) && (cor_signal_parse(c->stop_signal, NULL) <= 0))
                return cor_fail(err, COR_INVALID, "invalid signal: %.40s", c->stop_signal);
        for (size_t i = 0; i < c->n_env; i++)
                if (c->env[i][0] == '\0' || c->env[i][0] == '=')
                        return cor_fail(err, COR_INVALID, "invalid environment variable: %.100s", c->env[i]);
        return check_health(c->healthcheck, err);
}

/* --- the network's mode against the rest ------------------------------------------------------------------------- */

int spec_check_network(const struct docker_config *c, const struct docker_host_config *h, struct cor_err *err)
{
        const char *other = spec_container_of(h->network_mode);
        const char *why = NULL;

        if (spec_is(h->network_mode, "container") || (other && !*other))
                return cor_fail(err, COR_INVALID, "invalid network mode: invalid container format container:<name|id>");
        if (other && !spec_empty(c->hostname))
                why = "hostname and the network mode";
        else if (other && h->n_links)
                why = "container type network can't be used with links. This would result in undefined behavior";
        else if (other && h->n_dns)
                why = "dns and the network mode";
        else if (other && h->n_extra_hosts)
                why = "custom host-to-IP mapping and the network mode";
        else if (other && (h->n_port_bindings || h->publish_all_ports))
                why = "port publishing and the container type network mode";
        else if (other && c->n_exposed_ports)
                why = "port exposing and the container type network mode";
        else if (spec_is(h->uts_mode, "host") && !spec_empty(c->hostname))
                why = "hostname and the UTS mode";
        else if (spec_is(h->network_mode, "host") && h->n_links)
                why = "host type networking can't be used with links. This would result in undefined behavior";
        return why ? cor_fail(err, COR_INVALID, "conflicting options: %s", why) : 0;
}

/* --- HostConfig, piece by piece ---------------------------------------------------------------------------------- */

static int check_mode(const char *mode, const char *const *words, bool container, const char *what, struct cor_err *err)
{
        const char *other = spec_container_of(mode);

        if (spec_empty(mode) || (container && other && *other))
                return 0;
        for (size_t i = 0; words[i]; i++)
                if (strcmp(words[i], mode) == 0)
                        return 0;
        return cor_fail(err, COR_INVALID, "invalid %s mode: %.100s", what, mode);
}

static int check_modes(const struct docker_host_config *h, struct cor_err *err)
{
        struct userns_mode userns;
        static const char *const host[] = { "host", NULL }, *const cgroup[] = { "host", "private", NULL };
        static const char *const ipc[] = { "none", "private", "shareable", "host", NULL };

        return check_mode(h->ipc_mode, ipc, true, "IPC", err) < 0 ||
                               check_mode(h->pid_mode, host, true, "PID", err) < 0 ||
                               check_mode(h->uts_mode, host, false, "UTS", err) < 0 ||
                               userns_mode_parse(h->userns_mode, &userns, err) < 0 ||
                               check_mode(h->cgroupns_mode, cgroup, false, "cgroup namespace", err) < 0
                       ? -1
                       : 0;
}

int spec_check_restart(const struct docker_host_config *h, struct cor_err *err)
{
        const struct docker_restart_policy *p = &h->restart_policy;
        bool none = spec_empty(p->name) || spec_is(p->name, "no");

        if (h->auto_remove && !none)
                return cor_fail(err, COR_INVALID, "can't create 'AutoRemove' container with restart policy");
        if (spec_empty(p->name))
                return 0;
        if (spec_is(p->name, "on-failure"))
                return p->maximum_retry_count >= 0
                               ? 0
                               : cor_fail(err, COR_INVALID,
                                          "invalid restart policy: maximum retry count cannot be negative");
        if (!none && !spec_is(p->name, "always") && !spec_is(p->name, "unless-stopped"))
                return cor_fail(err, COR_INVALID,
                                "invalid restart policy: unknown policy '%.40s'; use one of 'no', 'always', "
                                "'on-failure', or 'unless-stopped'",
                                p->name);
        if (p->maximum_retry_count != 0)
                return cor_fail(err, COR_INVALID,
                                "invalid restart policy: maximum retry count can only be used with 'on-failure'%s",
                                p->maximum_retry_count < 0 ? " and cannot be negative" : "");
        return 0;
}

static bool is_address(const char *text)
{
        auto_str plain = cor_strdup(text);
        struct in6_addr a;
        size_t n = strlen(plain);

        if (n > 2 && plain[0] == '[' && plain[n - 1] == ']') {
                plain[n - 1] = '\0';
                memmove(plain, plain + 1, n - 1);
        }
        return inet_pton(AF_INET, plain, &a) == 1 || inet_pton(AF_INET6, plain, &a) == 1;
}

static bool is_clean_word(const char *text)
{
        return *text && !text[strcspn(text, " \t\r\n\f\v")];
}

static int check_names(const struct docker_host_config *h, struct cor_err *err)
{
        for (size_t i = 0; i < h->n_extra_hosts; i++) {
                const char *entry = h->extra_hosts[i], *ip = strchr(entry, ':');

                if (!ip || ip == entry || entry[strcspn(entry, " \t\r\n\f\v")])
                        return cor_fail(err, COR_INVALID, "bad format for add-host: \"%.200s\"", entry);
                if (strcmp(ip + 1, "host-gateway") != 0 && !is_address(ip + 1))
                        return cor_fail(err, COR_INVALID, "invalid IP address in add-host: \"%.100s\"", ip + 1);
        }
        for (size_t i = 0; i < h->n_dns; i++)
                if (!is_address(h->dns[i]))
                        return cor_fail(err, COR_INVALID, "bad nameserver address %.100s", h->dns[i]);
        /* they become words of a line in resolv.conf */
        for (size_t i = 0; i < h->n_dns_search; i++)
                if (!is_clean_word(h->dns_search[i]))
                        return cor_fail(err, COR_INVALID, "invalid domain for dns-search: \"%.200s\"",
                                        h->dns_search[i]);
        for (size_t i = 0; i < h->n_dns_options; i++)
                if (!is_clean_word(h->dns_options[i]))
                        return cor_fail(err, COR_INVALID, "invalid dns-option: \"%.200s\"", h->dns_options[i]);
        return 0;
}

/* A port "80/tcp", "53/udp", and what it is published as: "", "8080", "8000-8010". */
static bool is_port_range(const char *text, size_t n)
{
        auto_str copy = cor_strndup(text, n);
        char *cursor = copy, *from = cor_split_next(&cursor, '-'), *to = cor_split_next(&cursor, '-');
        uint32_t a, b;

        if (!from || cursor || cor_parse_u32(from, &a) < 0 || a > UINT16_MAX)
                return false;
        return !to || (cor_parse_u32(to, &b) == 0 && b <= UINT16_MAX && a <= b);
}

static int check_port(const char *port, struct cor_err *err)
{
        size_t n = strcspn(port, "/");
        const char *protocol = port[n] ? port + n + 1 : "tcp";

        if (!is_port_range(port, n) || strchr(port, '-'))
                return cor_fail(err, COR_INVALID, "invalid port specification: \"%.100s\"", port);
        if (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0 && strcmp(protocol, "sctp") != 0)
                return cor_fail(err, COR_INVALID, "invalid proto: %.40s", protocol);
        return 0;
}

static int check_ports(const struct docker_host_config *h, struct cor_err *err)
{
        for (size_t i = 0; i < h->n_port_bindings; i++) {
                const struct docker_port_bindings *p = &h->port_bindings[i];

                if (check_port(p->port, err) < 0)
                        return -1;
                for (size_t k = 0; k < p->n_items; k++) {
                        const char *host = p->items[k].host_port, *ip = p->items[k].host_ip;

                        if (!spec_empty(host) && !is_port_range(host, strlen(host)))
                                return cor_fail(err, COR_INVALID, "invalid port specification: \"%.100s\"", host);
                        if (!spec_empty(ip) && !is_address(ip))
                                return cor_fail(err, COR_INVALID, "invalid IP address: %.100s", ip);
                }
        }
        return 0;
}

static int check_mounts(struct docker_host_config *h, struct cor_strv *warnings, struct cor_err *err)
{
        struct spec_point p;

        for (size_t i = 0; i < h->n_mounts; i++) {
                if (spec_point_from_mount(h, &h->mounts[i], true, &p, err) < 0)
                        return -1;
                if (spec_is(p.type, "image"))
                        spec_warn(warnings, "Image mount is an experimental feature");
        }
        for (size_t i = 0; i < h->n_binds; i++)
                if (spec_point_parse_bind(h, h->binds[i], h->volume_driver, &p, err) < 0)
                        return -1;
        for (size_t i = 0; i < h->n_tmpfs; i++)
                if (spec_point_check_tmpfs(h->tmpfs[i].key, h->tmpfs[i].value, err) < 0)
                        return -1;
        for (size_t i = 0; i < h->n_volumes_from; i++) {
                auto_str name = NULL;
                bool rw;

                if (spec_point_parse_from(h->volumes_from[i], &name, &rw, err) < 0)
                        return -1;
        }
        return 0;
}

static int check_devices(const struct docker_host_config *h, struct cor_err *err)
{
        struct oci_device_rule rule;

        for (size_t i = 0; i < h->n_devices; i++) {
                const struct docker_device *d = &h->devices[i];
                const char *p = d->cgroup_permissions;

                if (spec_empty(d->path_on_host))
                        return cor_fail(err, COR_INVALID, "invalid device mapping: PathOnHost is empty");
                if (spec_empty(d->path_in_container) || d->path_in_container[0] != '/')
                        return cor_fail(err, COR_INVALID, "%.200s is not an absolute path",
                                        d->path_in_container ? d->path_in_container : "");
                if (spec_empty(p) || strlen(p) > 3 || strspn(p, "rwm") != strlen(p))
                        return cor_fail(err, COR_INVALID, "invalid device mode: %.40s", p ? p : "");
        }
        for (size_t i = 0; i < h->n_device_cgroup_rules; i++)
                if (spec_parse_device_rule(h->device_cgroup_rules[i], &rule, err) < 0)
                        return -1;
        return 0;
}

/* Our own annotation: who hears of a stop (monitor/settings.h). */
static int check_stop(const struct docker_host_config *h, struct cor_err *err)
{
        for (size_t i = 0; i < h->n_annotations; i++) {
                if (strcmp(h->annotations[i].key, SETTINGS_STOP_ANNOTATION) != 0)
                        continue;
                if (strcmp(h->annotations[i].value, "all") != 0 && strcmp(h->annotations[i].value, "first") != 0)
                        return cor_fail(err, COR_INVALID,
                                        "annotation " SETTINGS_STOP_ANNOTATION "=%.40s: expected first or all",
                                        h->annotations[i].value);
                if (strcmp(h->annotations[i].value, "all") == 0 && h->runtime && h->runtime[0] == '/')
                        return cor_fail(err, COR_UNSUPPORTED,
                                        "annotation " SETTINGS_STOP_ANNOTATION "=all: not with another runtime");
        }
        return 0;
}

static int check_annotations(const struct docker_host_config *h, struct cor_err *err)
{
        for (size_t i = 0; i < h->n_annotations; i++)
                if (spec_empty(h->annotations[i].key))
                        return cor_fail(err, COR_INVALID,
                                        "invalid Annotations: the empty string is not permitted as an annotation key");
        return check_stop(h, err);
}

/* Keys that would change the host are refused when the container is made, not when it starts. */
static int check_sysctls(const struct docker_host_config *h, struct cor_err *err)
{
        for (size_t i = 0; i < h->n_sysctls; i++) {
                const char *key = h->sysctls[i].key;

                if (spec_is(h->network_mode, "host") && cor_starts_with(key, "net."))
                        return cor_fail(err, COR_INVALID, "sysctl \"%.100s\" not allowed in host network namespace",
                                        key);
                if (spec_is(h->ipc_mode, "host") &&
                    (cor_starts_with(key, "kernel.msg") || cor_starts_with(key, "kernel.shm") ||
                     cor_starts_with(key, "fs.mqueue.") || cor_streq(key, "kernel.sem")))
                        return cor_fail(err, COR_INVALID, "sysctl \"%.100s\" not allowed in host ipc namespace", key);
        }
        return 0;
}

static int check_rest(const struct docker_host_config *h, struct cor_err *err)
{
        uint64_t caps;

        if (!spec_empty(h->isolation) && strcasecmp(h->isolation, "default") != 0)
                return cor_fail(err, COR_INVALID, "invalid isolation (%.40s): linux only supports 'default'",
                                h->isolation);
        if (!spec_empty(h->runtime) && h->runtime[0] != '/' && !spec_is(h->runtime, "coracle") &&
            !spec_is(h->runtime, "runc") && !spec_is(h->runtime, "io.containerd.runc.v2"))
                return cor_fail(err, COR_INVALID,
                                "unknown or invalid runtime name: %.100s (expected the path of a program)", h->runtime);
        if (h->shm_size < 0)
                return cor_fail(err, COR_INVALID, "SHM size can not be less than 0");
        if (h->oom_score_adj < -1000 || h->oom_score_adj > 1000)
                return cor_fail(err, COR_INVALID, "Invalid value %lld, range for oom score adj is [-1000, 1000]",
                                (long long)h->oom_score_adj);
        if (!spec_empty(h->cgroup))
                return cor_fail(err, COR_INVALID, "Cgroup: joining the cgroup of another container cannot be had");
        return spec_caps(h, &caps, err);
}

int spec_check_host(const struct docker_config *c, struct docker_host_config *h, struct cor_strv *warnings,
                    struct cor_err *err)
{
        const struct docker_log_config *log = &h->log_config;
        auto_log_settings settings = { 0 };
        struct spec_security ignored;

        (void)c;
        if (log_settings_read(log->type, log->config, log->n_config, &settings, err) < 0)
                return -1;
        if (spec_check_restart(h, err) < 0 || check_mounts(h, warnings, err) < 0 || check_names(h, err) < 0 ||
            check_ports(h, err) < 0 || check_annotations(h, err) < 0 || check_modes(h, err) < 0 ||
            check_rest(h, err) < 0 || check_devices(h, err) < 0 || check_sysctls(h, err) < 0)
                return -1;
        if (spec_is(h->network_mode, "host") && h->n_port_bindings)
                spec_warn(warnings, "Published ports are discarded when using host network mode");
        return spec_security_parse(h, h, &ignored, err);
}
