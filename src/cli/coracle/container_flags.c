#include "cli/coracle/container_words.h"

#include "base/file.h"
#include "cli/rune.h"

#include <limits.h>
#include <string.h>

enum { LINE_FILE_MAX_BYTES = 4 << 20 };

#define TEXT(NAME, LETTER, M, VALUE, HELP) OPTION_ROW(NAME, LETTER, TEXT, struct container_flags, M, VALUE, 0, HELP)
#define FILLED(NAME, LETTER, M, VALUE, HELP)                                                                           \
        OPTION_ROW(NAME, LETTER, TEXT, struct container_flags, M, VALUE, OPTION_FILLED, HELP)
#define FLAG(NAME, LETTER, M, HELP) OPTION_ROW(NAME, LETTER, FLAG, struct container_flags, M, "", 0, HELP)
#define LIST(NAME, LETTER, M, HELP)                                                                                    \
        OPTION_ROW_LIST(NAME, LETTER, struct container_flags, M.items, M.n_items, "list", HELP)
#define HIDDEN(NAME, M)                                                                                                \
        {                                                                                                              \
                .name = NAME, .type = OPTION_LIST, .flags = OPTION_HIDDEN,                                             \
                .offset = offsetof(struct container_flags, M.items),                                                   \
                .n_offset = offsetof(struct container_flags, M.n_items), .value = "list", .help = "An older name"      \
        }

const struct option container_rows[CONTAINER_N_ROWS] = {
        FLAG("detach", 'd', detach, "Leave it running in the background, and print its id"),
        TEXT("detach-keys", 0, detach_keys, "string", "Keys that detach from it (default ctrl-p,ctrl-q)"),
        OPTION_ROW("sig-proxy", 0, FLAG, struct container_flags, no_sig_proxy, "", OPTION_OFF,
                   "Hand signals on to its first process; on unless it is =false"),

        LIST("add-host", 0, add_host, "One more line HOST:IP of /etc/hosts; the IP host-gateway is the host's"),
        LIST("annotation", 0, annotation, "An annotation KEY=VALUE for the OCI runtime"),
        LIST("attach", 'a', attach, "Attach to stdin, stdout or stderr only"),
        FILLED("blkio-weight", 0, blkio_weight, "uint16", "Weight for block devices, 10 to 1000; 0: none"),
        LIST("blkio-weight-device", 0, blkio_weight_device, "Weight DEVICE:WEIGHT for one block device"),
        LIST("cap-add", 0, cap_add, "One more capability, or ALL"),
        LIST("cap-drop", 0, cap_drop, "A capability less, or ALL"),
        TEXT("cgroup-parent", 0, cgroup_parent, "string", "The cgroup above that of the container"),
        TEXT("cgroupns", 0, cgroupns, "string", "Cgroup namespace: host or private"),
        OPTION_ROW("cidfile", 0, TEXT, struct container_flags, cidfile, "string", OPTION_FILE,
                   "Write the id to this file, which must not be there"),
        FILLED("cpu-count", 0, cpu_count, "int", "Of Windows; refused"),
        FILLED("cpu-percent", 0, cpu_percent, "int", "Of Windows; refused"),
        FILLED("cpu-period", 0, cpu_period, "int", "Period of the CPU quota, in microseconds"),
        FILLED("cpu-quota", 0, cpu_quota, "int", "CPU time in each period, in microseconds"),
        FILLED("cpu-rt-period", 0, cpu_rt_period, "int", "Period of real-time scheduling, in microseconds"),
        FILLED("cpu-rt-runtime", 0, cpu_rt_runtime, "int", "Real-time CPU time in each period, in microseconds"),
        FILLED("cpu-shares", 'c', cpu_shares, "int", "Weight for the processors"),
        FILLED("cpus", 0, cpus, "decimal", "How many processors: 1.5"),
        TEXT("cpuset-cpus", 0, cpuset_cpus, "string", "Which processors: 0-3 or 0,1"),
        TEXT("cpuset-mems", 0, cpuset_mems, "string", "Which memory nodes: 0-3 or 0,1"),
        LIST("device", 0, device, "A device of the host, HOST[:CONTAINER][:rwm], or of CDI, VENDOR/CLASS=NAME"),
        LIST("device-cgroup-rule", 0, device_cgroup_rule, "Allow devices: 'c 42:* rmw'"),
        LIST("device-read-bps", 0, device_read_bps, "Bytes per second from a device, DEVICE:RATE"),
        LIST("device-read-iops", 0, device_read_iops, "Reads per second from a device, DEVICE:RATE"),
        LIST("device-write-bps", 0, device_write_bps, "Bytes per second to a device, DEVICE:RATE"),
        LIST("device-write-iops", 0, device_write_iops, "Writes per second to a device, DEVICE:RATE"),
        OPTION_ROW("disable-content-trust", 0, FLAG, struct container_flags, verify_image, "", OPTION_OFF,
                   "Accepted; =false is refused: there is no content trust"),
        LIST("dns", 0, dns, "A name server of its own"),
        HIDDEN("dns-opt", dns_option),
        LIST("dns-option", 0, dns_option, "An option of resolv.conf"),
        LIST("dns-search", 0, dns_search, "A domain to search names in"),
        TEXT("domainname", 0, domainname, "string", "Its NIS domain"),
        LIST("entrypoint", 0, entrypoint, "The program in place of the image's ENTRYPOINT; empty: none"),
        LIST("env", 'e', env, "A variable, KEY=VALUE, or KEY with its value here"),
        LIST("env-file", 0, env_file, "A file of variables"),
        LIST("expose", 0, expose, "A port or a range of ports that it serves"),
        LIST("gpus", 0, gpus, "GPUs: 'all', a number, or 'device=ID'"),
        LIST("group-add", 0, group_add, "One more group of its user"),
        TEXT("health-cmd", 0, health_cmd, "string", "The command that tells whether it is well"),
        FILLED("health-interval", 0, health_interval, "duration", "Time between two checks (default 30s)"),
        FILLED("health-retries", 0, health_retries, "int", "Failures in a row that make it unhealthy (default 3)"),
        FILLED("health-start-interval", 0, health_start_interval, "duration",
               "Time between two checks while it starts (default 5s)"),
        FILLED("health-start-period", 0, health_start_period, "duration",
               "Time to start, in which failures do not count"),
        FILLED("health-timeout", 0, health_timeout, "duration", "How long a check may take (default 30s)"),
        TEXT("hostname", 'h', hostname, "string", "Its host name"),
        OPTION_ROW("init", 0, OPT_FLAG, struct container_flags, init, "", 0,
                   "Run an init that hands signals on and collects dead processes"),
        FLAG("interactive", 'i', interactive, "Keep stdin open"),
        FILLED("io-maxbandwidth", 0, io_maxbandwidth, "bytes", "Of Windows; refused"),
        FILLED("io-maxiops", 0, io_maxiops, "uint", "Of Windows; refused"),
        TEXT("ip", 0, ip, "string", "Its IPv4 address"),
        TEXT("ip6", 0, ip6, "string", "Its IPv6 address"),
        TEXT("ipc", 0, ipc, "string", "IPC namespace: none, private, shareable, host or container:ID"),
        TEXT("isolation", 0, isolation, "string", "Of Windows; 'default' is accepted"),
        FILLED("kernel-memory", 0, kernel_memory, "bytes", "Refused: kernels have no such limit any more"),
        LIST("label", 'l', label, "A label, KEY=VALUE"),
        LIST("label-file", 0, label_file, "A file of labels"),
        LIST("link", 0, link, "Make another container known by name"),
        LIST("link-local-ip", 0, link_local_ip, "A link-local address"),
        TEXT("log-driver", 0, log_driver, "string", "Where its output goes (default json-file)"),
        LIST("log-opt", 0, log_opt, "An option of the log driver, KEY=VALUE"),
        TEXT("mac-address", 0, mac_address, "string", "Its MAC address"),
        FILLED("memory", 'm', memory, "bytes", "Limit of memory"),
        FILLED("memory-reservation", 0, memory_reservation, "bytes", "Memory to be kept to when it gets scarce"),
        FILLED("memory-swap", 0, memory_swap, "bytes", "Limit of memory and swap together; -1: none"),
        FILLED("memory-swappiness", 0, memory_swappiness, "int", "How readily its memory is swapped, 0 to 100"),
        LIST("mount", 0, mount, "A mount: type=bind|volume|tmpfs|image,src=...,dst=...[,...]"),
        TEXT("name", 0, name, "string", "Its name"),
        HIDDEN("net", network),
        HIDDEN("net-alias", network_alias),
        LIST("network", 0, network, "Its network: bridge, host, none or container:ID"),
        LIST("network-alias", 0, network_alias, "One more name in its network"),
        FLAG("no-healthcheck", 0, no_healthcheck, "Turn the image's HEALTHCHECK off"),
        FLAG("oom-kill-disable", 0, oom_kill_disable, "Do not kill it when its memory is used up"),
        FILLED("oom-score-adj", 0, oom_score_adj, "int",
               "Whom the kernel kills first when memory is used up, -1000 to 1000"),
        TEXT("pid", 0, pid, "string", "PID namespace: host or container:ID"),
        OPTION_ROW("pidfile", 0, TEXT, struct container_flags, pidfile, "string", OPTION_FILE,
                   "Write the pid of its first process to this file at each start"),
        FILLED("pids-limit", 0, pids_limit, "int", "How many processes; -1: any"),
        TEXT("platform", 0, platform, "string", "Platform of the image: os/arch[/variant]"),
        FLAG("privileged", 0, privileged, "Give it all rights"),
        LIST("publish", 'p', publish, "Publish a port, [[IP:]PORT:]PORT[/PROTOCOL]"),
        FLAG("publish-all", 'P', publish_all, "Publish all exposed ports"),
        TEXT("pull", 0, pull, "string", "Pull the image: always, missing or never (default missing)"),
        FLAG("quiet", 'q', quiet, "Pull silently"),
        FLAG("read-only", 0, read_only, "Mount the root filesystem read-only"),
        TEXT("restart", 0, restart, "string", "When to start it again: no, on-failure[:MAX], always, unless-stopped"),
        FLAG("rm", 0, rm, "Remove it with its anonymous volumes when it ends"),
        TEXT("runtime", 0, runtime, "string", "Another OCI runtime: its path, or its name in PATH"),
        LIST("security-opt", 0, security_opt,
             "seccomp=FILE, apparmor=PROFILE, label=..., no-new-privileges, systempaths=..."),
        FILLED("shm-size", 0, shm_size, "bytes", "Size of /dev/shm"),
        TEXT("stop-signal", 0, stop_signal, "string", "The signal that asks it to end"),
        FILLED("stop-timeout", 0, stop_timeout, "int", "Seconds until it is killed"),
        LIST("storage-opt", 0, storage_opt, "An option of the writable layer: size=10G"),
        LIST("sysctl", 0, sysctl, "A kernel parameter of its namespaces, KEY=VALUE"),
        LIST("tmpfs", 0, tmpfs, "A tmpfs, PATH[:OPTIONS]"),
        FLAG("tty", 't', tty, "Give it a terminal"),
        LIST("ulimit", 0, ulimit, "A limit of its processes, NAME=SOFT[:HARD]"),
        FLAG("use-api-socket", 0, use_api_socket, "Refused: there is no API socket"),
        TEXT("user", 'u', user, "string", "Its user, NAME|UID[:GROUP|GID]"),
        TEXT("userns", 0, userns, "string",
             "User namespace: host, auto[:size=NUMBER], container:NAME, or of an ordinary user keep-id, nomap"),
        TEXT("uts", 0, uts, "string", "UTS namespace: host"),
        LIST("volume", 'v', volume, "A bind mount or a volume, [SOURCE:]TARGET[:OPTIONS]"),
        TEXT("volume-driver", 0, volume_driver, "string", "Driver of volumes that are made for it: local"),
        LIST("volumes-from", 0, volumes_from, "All volumes of another container, ID[:ro|rw]"),
        TEXT("workdir", 'w', workdir, "string", "The folder that it works in"),
};

/* ---- files of variables and labels ---- */

struct line_file {
        const char *path;
        unsigned number;
        bool look_up; /* a name without a value has that of the environment, or is left out */
};

static bool is_utf8(const char *s, size_t n)
{
        uint32_t rune;

        for (size_t i = 0, len; i < n; i += len) {
                len = rune_next(s + i, n - i, &rune);
                if (rune == RUNE_ERROR && len == 1)
                        return false;
        }
        return true;
}

static int add_line(struct container_request *r, const struct line_file *f, const char *line, const char ***items,
                    size_t *n, struct cor_err *err)
{
        size_t key;

        if (!is_utf8(line, strlen(line)))
                return cor_fail(err, COR_INVALID, "invalid env file (%s): invalid utf8 bytes at line %u", f->path,
                                f->number);
        if (f->number == 1 && cor_starts_with(line, "\xef\xbb\xbf"))
                line += 3;
        line += strspn(line, " \t\v\f\r");
        if (!*line || *line == '#')
                return 0;
        key = strcspn(line, "=");
        if (key == 0)
                return cor_fail(err, COR_INVALID, "invalid env file (%s): no variable name on line '%.100s'", f->path,
                                line);
        if (strcspn(line, " \t") < key)
                return cor_fail(err, COR_INVALID, "invalid env file (%s): variable '%.*s' contains whitespaces",
                                f->path, (int)(key < 100 ? key : 100), line);
        if (line[key] == '=' || !f->look_up)
                request_add(r, items, n, request_text(r, line, strlen(line)));
        else if (getenv(line))
                request_add(r, items, n, request_printf(r, "%s=%s", line, getenv(line)));
        return 0;
}

static int add_file(struct container_request *r, const char *path, bool look_up, const char ***items, size_t *n,
                    struct cor_err *err)
{
        struct line_file f = { .path = path, .look_up = look_up };
        auto_str text = NULL;
        char *cursor, *line;
        size_t len;

        if (cor_read_file(path, LINE_FILE_MAX_BYTES, &text, &len, err) < 0)
                return -1;
        if (strlen(text) != len)
                return cor_fail(err, COR_INVALID, "invalid env file (%s): there is a NUL byte in it", path);
        for (cursor = text; (line = cor_split_next(&cursor, '\n')) != NULL;) {
                size_t end = strlen(line);

                if (end > 0 && line[end - 1] == '\r')
                        line[end - 1] = '\0';
                f.number++;
                if (add_line(r, &f, line, items, n, err) < 0)
                        return -1;
        }
        return 0;
}

int container_env(struct container_request *r, const struct flag_list *files, const struct flag_list *env,
                  const char ***ret, size_t *ret_n, struct cor_err *err)
{
        for (size_t i = 0; i < files->n_items; i++)
                if (add_file(r, files->items[i], true, ret, ret_n, err) < 0)
                        return -1;
        for (size_t i = 0; i < env->n_items; i++) {
                const char *word = env->items[i], *value = strchr(word, '=') ? NULL : getenv(word);

                if (!*word || *word == '=')
                        return container_flag_wrong(err, "env", word, "invalid environment variable: %.100s", word);
                request_add(r, ret, ret_n, value ? request_printf(r, "%s=%s", word, value) : word);
        }
        return 0;
}

static int labels(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        const char **lines = NULL;
        size_t n = 0;

        for (size_t i = 0; i < f->label_file.n_items; i++)
                if (add_file(r, f->label_file.items[i], false, &lines, &n, err) < 0)
                        return -1;
        for (size_t i = 0; i < f->label.n_items; i++) {
                const char *word = f->label.items[i], *start = word + strspn(word, " \t");
                size_t key = strcspn(start, "=");

                if (key == 0)
                        return container_flag_wrong(err, "label", word, "invalid label '%.100s': empty name", word);
                if (strcspn(start, " \t") < key)
                        return container_flag_wrong(err, "label", word, "label '%.*s' contains whitespaces",
                                                    (int)(key < 100 ? key : 100), start);
                request_add(r, &lines, &n, word);
        }
        for (size_t i = 0; i < n; i++)
                request_set_word(r, &r->config.labels, &r->config.n_labels, lines[i]);
        return 0;
}

/* ---- the process ---- */

static int streams(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        struct docker_config *c = &r->config;

        for (size_t i = 0; i < f->attach.n_items; i++) {
                const char *word = f->attach.items[i];

                if (strcasecmp(word, "stdin") == 0)
                        c->attach_stdin = true;
                else if (strcasecmp(word, "stdout") == 0)
                        c->attach_stdout = true;
                else if (strcasecmp(word, "stderr") == 0)
                        c->attach_stderr = true;
                else
                        return container_flag_wrong(err, "attach", word, "valid streams are STDIN, STDOUT and STDERR");
        }
        if (f->attach.n_items == 0)
                c->attach_stdout = c->attach_stderr = true;
        c->tty = f->tty;
        c->open_stdin = f->interactive;
        c->attach_stdin = c->attach_stdin || f->interactive;
        c->stdin_once = c->open_stdin && c->attach_stdin;
        return 0;
}

static void program(struct container_request *r, const struct container_flags *f, char **args, size_t n_args)
{
        struct docker_config *c = &r->config;

        c->image = args[0];
        for (size_t i = 1; i < n_args; i++)
                request_add(r, &c->cmd, &c->n_cmd, args[i]);
        if (f->entrypoint.n_items > 0) /* an empty one takes that of the image away */
                request_add(r, &c->entrypoint, &c->n_entrypoint, f->entrypoint.items[f->entrypoint.n_items - 1]);
        c->hostname = f->hostname;
        c->domainname = f->domainname;
        c->user = f->user;
        c->working_dir = f->workdir;
        c->stop_signal = f->stop_signal;
}

static int stop_timeout(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        struct cor_err why = { 0 };

        if (!f->stop_timeout)
                return 0;
        if (words_i64(f->stop_timeout, "ParseInt", 64, &r->config.stop_timeout.value, &why) < 0)
                return container_flag_wrong(err, "stop-timeout", f->stop_timeout, "%s", why.msg);
        r->config.stop_timeout.set = true;
        return 0;
}

int container_restart(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        struct docker_restart_policy *p = &r->host.restart_policy;
        const char *count;
        int64_t n = 0;

        if (!f->restart)
                return 0;
        p->name = request_cut(r, f->restart, ':', &count);
        if (count && !*p->name)
                return cor_fail(err, COR_INVALID, "invalid restart policy format: no policy provided before colon");
        if (count && *count && (cor_parse_i64(count, &n) < 0 || n > INT_MAX || n < INT_MIN))
                return cor_fail(err, COR_INVALID,
                                "invalid restart policy format: maximum retry count must be an integer");
        p->maximum_retry_count = n;
        return 0;
}

static int log_config(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        struct docker_log_config *l = &r->host.log_config;

        l->type = f->log_driver;
        if (cor_streq(f->log_driver, "none") && f->log_opt.n_items > 0)
                return cor_fail(err, COR_INVALID, "invalid logging opts for driver %s", f->log_driver);
        for (size_t i = 0; i < f->log_opt.n_items; i++)
                request_set_word(r, &l->config, &l->n_config, f->log_opt.items[i]);
        return 0;
}

static int identity(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        struct docker_host_config *h = &r->host;

        for (size_t i = 0; i < f->annotation.n_items; i++)
                request_set_word(r, &h->annotations, &h->n_annotations, f->annotation.items[i]);
        request_add_all(r, &h->group_add, &h->n_group_add, &f->group_add);
        h->container_id_file = f->cidfile;
        if (f->pidfile) {
                auto_str path = NULL;

                if (cor_path_absolute(f->pidfile, &path, err) < 0)
                        return cor_wrap(err, "--pidfile");
                h->pid_file = request_text(r, path, strlen(path));
        }
        h->auto_remove = f->rm;
        h->runtime = f->runtime;
        h->isolation = f->isolation;
        h->init = f->init;
        if (container_restart(r, f, err) < 0)
                return -1;
        if (!h->restart_policy.name)
                h->restart_policy.name = "no";
        if (h->auto_remove && *h->restart_policy.name && strcmp(h->restart_policy.name, "no") != 0)
                return cor_fail(err, COR_INVALID, "conflicting options: cannot specify both --restart and --rm");
        return 0;
}

/* What docker's client sends as [] or {} where nothing was given, and others see again in `inspect` */
static void empty_lists(struct container_request *r)
{
        struct docker_host_config *h = &r->host;

        r->config.labels = COR_JSON_NONE_YET;
        h->log_config.config = COR_JSON_NONE_YET;
        h->port_bindings = COR_JSON_NONE_YET;
        h->dns = h->dns_options = h->dns_search = COR_JSON_NONE_YET;
        h->blkio_weight_device = COR_JSON_NONE_YET;
        h->blkio_device_read_bps = h->blkio_device_write_bps = COR_JSON_NONE_YET;
        h->blkio_device_read_iops = h->blkio_device_write_iops = COR_JSON_NONE_YET;
        h->devices = COR_JSON_NONE_YET;
        h->ulimits = COR_JSON_NONE_YET;
}

int container_request_make(const struct container_flags *f, char **args, size_t n_args, struct container_request **ret,
                           struct cor_err *err)
{
        auto_container_request r = container_request_new();

        empty_lists(r);
        program(r, f, args, n_args);
        if (streams(r, f, err) < 0 || stop_timeout(r, f, err) < 0 || container_resources(r, f, err) < 0 ||
            container_limits(r, f, err) < 0 || container_storage(r, f, err) < 0 || container_network(r, f, err) < 0 ||
            container_devices(r, f, err) < 0 ||
            container_env(r, &f->env_file, &f->env, &r->config.env, &r->config.n_env, err) < 0 ||
            labels(r, f, err) < 0 || container_security(r, f, err) < 0 || log_config(r, f, err) < 0 ||
            container_health(r, f, err) < 0 || identity(r, f, err) < 0)
                return -1;
        *ret = COR_TAKE(r);
        return 0;
}

int container_request_update(const struct container_flags *f, struct container_request **ret, struct cor_err *err)
{
        auto_container_request r = container_request_new();

        if (container_resources(r, f, err) < 0 || container_restart(r, f, err) < 0)
                return -1;
        *ret = COR_TAKE(r);
        return 0;
}
