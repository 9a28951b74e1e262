#include "engine/system.h"

#include "base/file.h"
#include "base/process.h"
#include "engine/cdi.h"
#include "engine/container.h"
#include "engine/image.h"
#include "engine/network_config.h"
#include "engine/rootless.h"
#include "engine/spec.h"
#include "linux/lsm.h"
#include "monitor/log_settings.h"
#include "registry/config.h"
#include "store/hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { TEXT_MAX_BYTES = 64 << 10 };

static char *kept(struct docker_info *i, const char *text)
{
        return cor_json_strdup(i, text ? text : "");
}

/* A list of @n texts */
static const char **kept_list(struct docker_info *i, const char *const *items, size_t n)
{
        const char **copy = cor_json_alloc(i, (n + 1) * sizeof *copy);

        for (size_t k = 0; k < n; k++)
                copy[k] = kept(i, items[k]);
        return copy;
}

/* --- the machine -------------------------------------------------------------------------------------------------- */

/* The value of @key ("PRETTY_NAME=") in os-release(5) */
static char *release_value(struct docker_info *i, const char *text, const char *key, const char *otherwise)
{
        auto_str copy = cor_strdup(text);
        char *cursor = copy, *line;

        while ((line = cor_split_next(&cursor, '\n')) != NULL) {
                char quote;

                if (!cor_starts_with(line, key))
                        continue;
                line += strlen(key);
                quote = *line;
                if (quote == '"' || quote == '\'') {
                        line++;
                        line[strcspn(line, (char[]){ quote, '\0' })] = '\0';
                }
                return kept(i, line);
        }
        return kept(i, otherwise);
}

static void add_machine(struct docker_info *i)
{
        auto_str release = NULL;
        struct sysinfo memory;
        struct utsname u;

        if (cor_read_file("/etc/os-release", TEXT_MAX_BYTES, &release, NULL, NULL) < 0 &&
            cor_read_file("/usr/lib/os-release", TEXT_MAX_BYTES, &release, NULL, NULL) < 0)
                release = cor_strdup("");
        if (uname(&u) < 0)
                memset(&u, 0, sizeof u);
        i->kernel_version = kept(i, u.release);
        i->operating_system = release_value(i, release, "PRETTY_NAME=", "Linux");
        i->os_version = release_value(i, release, "VERSION_ID=", "");
        i->os_type = "linux";
        i->architecture = kept(i, u.machine);
        i->name = kept(i, u.nodename);
        i->n_cpu = get_nprocs();
        i->memory = sysinfo(&memory) < 0 ? 0 : (int64_t)memory.totalram * memory.mem_unit;
}

static bool forwards(void)
{
        auto_str text = NULL;

        return cor_read_file("/proc/sys/net/ipv4/ip_forward", TEXT_MAX_BYTES, &text, NULL, NULL) == 0 && *text == '1';
}

static void add_limits(struct docker_info *i)
{
        struct spec_abilities a;

        spec_abilities(&a);
        i->memory_limit = a.memory;
        i->swap_limit = a.swap;
        i->cpu_period = a.cpu_period;
        i->cpu_quota = a.cpu_quota;
        i->cpu_shares = a.cpu_shares;
        i->cpuset = a.cpuset;
        i->pids_limit = a.pids;
        i->oom_kill_disable = a.oom_kill_disable;
        i->ipv4_forwarding = forwards();
        i->cgroup_version = spec_host_is_unified() ? "2" : "1";
        i->cgroup_driver = !spec_host_is_unified() ? rootless_entered() ? "none" : "cgroupfs"
                           : spec_has_systemd()    ? "systemd"
                                                   : "cgroupfs";
}

static void add_warnings(struct docker_info *i)
{
        const struct {
                bool fine;
                const char *text;
        } rows[] = {
                { i->memory_limit, "WARNING: No memory limit support" },
                { i->swap_limit, "WARNING: No swap limit support" },
                { i->cpu_quota, "WARNING: No cpu cfs quota support" },
                { i->cpu_period, "WARNING: No cpu cfs period support" },
                { i->cpu_shares, "WARNING: No cpu shares support" },
                { i->cpuset, "WARNING: No cpuset support" },
                { i->ipv4_forwarding || rootless_entered(), "WARNING: IPv4 forwarding is disabled" },
        };

        i->warnings = cor_json_alloc(i, COR_COUNT(rows) * sizeof *i->warnings);
        for (size_t k = 0; k < COR_COUNT(rows); k++)
                if (!rows[k].fine)
                        i->warnings[i->n_warnings++] = rows[k].text;
        if (i->n_warnings == 0)
                i->warnings = NULL;
}

static void add_security(struct docker_info *i)
{
        const char *list[4];
        size_t n = 0;

        if (!rootless_entered() && lsm_apparmor_has_profiles())
                list[n++] = "name=apparmor";
        list[n++] = "name=seccomp,profile=builtin";
        if (rootless_entered())
                list[n++] = "name=rootless";
        if (access("/proc/self/ns/cgroup", F_OK) == 0)
                list[n++] = "name=cgroupns";
        i->security_options = kept_list(i, list, n);
        i->n_security_options = n;
}

/* --- the store ---------------------------------------------------------------------------------------------------- */

/* statfs(2)'s numbers, and docker's names for them */
static const char *filesystem_name(const char *path)
{
        static const struct {
                uint32_t magic;
                const char *name;
        } names[] = {
                { 0xef53, "extfs" },     { 0x58465342, "xfs" },       { 0x9123683e, "btrfs" }, { 0xf2f52010, "f2fs" },
                { 0x01021994, "tmpfs" }, { 0x794c7630, "overlayfs" }, { 0x2fc12fc1, "zfs" },   { 0x6969, "nfs" },
                { 0x65735546, "fuse" },  { 0xca451a4e, "bcachefs" },
        };
        struct statfs fs;

        if (statfs(path, &fs) == 0)
                for (size_t k = 0; k < COR_COUNT(names); k++)
                        if ((uint32_t)fs.f_type == names[k].magic)
                                return names[k].name;
        return "<unknown>";
}

static void add_status(struct docker_info *i, const char *name, const char *value)
{
        struct docker_strings *row = &i->driver_status[i->n_driver_status++];

        row->items = cor_json_alloc(i, 2 * sizeof *row->items);
        row->items[row->n_items++] = name;
        row->items[row->n_items++] = value;
}

/*
 * An engine is known by an id of its own, the same each time, and different on each machine and for each store: a UUID
 * of what both are known by.
 */
static char *engine_id(struct docker_info *i, const char *root)
{
        auto_str machine = NULL;
        auto_str known = NULL;
        auto_str id = NULL;
        struct digest d;
        const char *hex;

        if (cor_read_file("/etc/machine-id", TEXT_MAX_BYTES, &machine, NULL, NULL) < 0)
                machine = cor_strdup("");
        known = cor_printf("coracle %s %s", machine, root);
        d = hash_bytes(known, strlen(known));
        hex = digest_hex(&d);
        id = cor_printf("%.8s-%.4s-8%.3s-a%.3s-%.12s", hex, hex + 8, hex + 12, hex + 15, hex + 18);
        return kept(i, id);
}

static void add_containers(struct docker_info *i, const struct container_rows *rows)
{
        i->containers = (int64_t)rows->n_items;
        for (size_t k = 0; k < rows->n_items; k++) {
                enum container_phase phase = rows->items[k].now.phase;

                i->running += phase == CONTAINER_PHASE_RUNNING || phase == CONTAINER_PHASE_RESTARTING;
                i->paused += phase == CONTAINER_PHASE_PAUSED;
        }
        i->stopped = i->containers - i->running - i->paused;
}

static int add_store(struct engine *e, struct docker_info *i, struct cor_err *err)
{
        auto_container_rows rows = { 0 };
        auto_image_list images = { 0 };

        if (image_all(e->store, false, &images, err) < 0 || engine_containers(e, false, &rows, err) < 0)
                return -1;
        add_containers(i, &rows);
        i->images = (int64_t)images.n_items;
        i->root_dir = kept(i, store_path(e->store));
        i->id = engine_id(i, i->root_dir);
        i->driver = "overlay";
        i->driver_status = cor_json_alloc(i, 2 * sizeof *i->driver_status);
        add_status(i, "Backing Filesystem", filesystem_name(i->root_dir));
        add_status(i, "userxattr", rootless_entered() ? "true" : "false");
        return 0;
}

/* --- how registries are reached ----------------------------------------------------------------------------------- */

static struct docker_index *add_index(struct docker_info *i, const char *name)
{
        struct docker_index *index = &i->registries.indexes[i->registries.n_indexes++];

        index->key = index->name = kept(i, name);
        return index;
}

static int add_registries(struct docker_info *i, struct cor_err *err)
{
        struct docker_registries *r = &i->registries;
        auto_registry_config c = { 0 };
        struct docker_index *official;

        if (registry_config_load(&c, err) < 0)
                return -1;
        r->indexes = cor_json_alloc(i, (c.insecure.n_items + 1) * sizeof *r->indexes);
        r->insecure = cor_json_alloc(i, (c.insecure.n_items + 2) * sizeof *r->insecure);
        r->mirrors = cor_json_alloc(i, (c.mirrors.n_items + 1) * sizeof *r->mirrors);
        r->insecure[r->n_insecure++] = "::1/128";
        r->insecure[r->n_insecure++] = "127.0.0.0/8";
        for (size_t k = 0; k < c.mirrors.n_items; k++)
                r->mirrors[r->n_mirrors++] = kept(i, c.mirrors.items[k]);
        if (r->n_mirrors == 0)
                r->mirrors = NULL;
        official = add_index(i, "docker.io");
        official->official = official->secure = true;
        official->mirrors = r->mirrors;
        official->n_mirrors = r->n_mirrors;
        for (size_t k = 0; k < c.insecure.n_items; k++)
                if (strchr(c.insecure.items[k], '/'))
                        r->insecure[r->n_insecure++] = kept(i, c.insecure.items[k]);
                else
                        (void)add_index(i, c.insecure.items[k]);
        return 0;
}

static int add_pools(struct docker_info *i, struct cor_err *err)
{
        auto_network_config c = { .file = NULL };

        if (network_config_load(&c, err) < 0)
                return -1;
        i->pools = cor_json_alloc(i, (c.said->n_pools + 1) * sizeof *i->pools);
        for (size_t k = 0; k < c.said->n_pools; k++)
                i->pools[i->n_pools++] = (struct docker_address_pool){ .base = kept(i, c.said->pools[k].base),
                                                                       .size = c.said->pools[k].size };
        return 0;
}

/* A proxy's name and password are nobody's concern. */
static char *proxy(struct docker_info *i, const char *upper, const char *lower)
{
        const char *url = getenv(upper), *host, *at;
        auto_str masked = NULL;

        if (!url || !*url)
                url = getenv(lower);
        if (!url)
                return kept(i, "");
        host = strstr(url, "://");
        host = host ? host + 3 : url;
        at = memrchr(host, '@', strcspn(host, "/?#"));
        if (!at)
                return kept(i, url);
        masked = cor_printf("%.*sxxxxx:xxxxx%s", (int)(host - url), url, at);
        return kept(i, masked);
}

/* --- what there is only one of ------------------------------------------------------------------------------------ */

static void add_plugins(struct docker_info *i)
{
        static const char *const volume[] = { "local" };
        static const char *const network[] = { "bridge", "host", "ipvlan", "macvlan", "null" };
        struct docker_plugins *p = &i->plugins;
        const char *const *log = log_driver_names();

        while (log[p->n_log])
                p->n_log++;
        p->n_volume = COR_COUNT(volume);
        p->n_network = COR_COUNT(network);
        p->volume = kept_list(i, volume, p->n_volume);
        p->network = kept_list(i, network, p->n_network);
        p->log = kept_list(i, log, p->n_log);
        i->logging_driver = "json-file";
}

static void add_cdi(struct docker_info *i)
{
        auto_str copy = cor_strdup(cdi_folders());
        char *cursor = copy, *folder;

        i->cdi_dirs = cor_json_alloc(i, (strlen(copy) + 1) * sizeof *i->cdi_dirs);
        while ((folder = cor_split_next(&cursor, ':')) != NULL)
                i->cdi_dirs[i->n_cdi_dirs++] = kept(i, folder);
}

static void add_parts(struct docker_info *i)
{
        i->runtimes = cor_json_alloc(i, 2 * sizeof *i->runtimes);
        i->runtimes[i->n_runtimes++] = (struct docker_runtime){ .name = "coracle" };
        i->runtimes[i->n_runtimes++] = (struct docker_runtime){ .name = "runc" }; /* the same, by docker's name */
        i->default_runtime = "coracle";
        i->init_binary = "coracle-init";
        i->containerd_commit.id = i->runc_commit.id = i->init_commit.id = "";
        i->swarm = (struct docker_swarm){ .node_id = "", .node_addr = "", .state = "inactive", .error = "" };
        i->server_version = CORACLE_VERSION;
        i->index_server = "https://index.docker.io/v1/";
        i->firewall.driver = "nftables";
        i->isolation = "";
        i->live_restore = true; /* there is nothing that containers could end with */
}

static void add_time(struct docker_info *i)
{
        auto_text now = COR_TEXT_INIT;

        cor_text_add_now(&now, true);
        i->system_time = kept(i, now.s);
}

int engine_info(struct engine *e, struct docker_info **ret, struct cor_err *err)
{
        auto_json struct docker_info *i = NULL;

        if (cor_json_parse(&docker_info_doc, "{}", 2, "info", &i, err) < 0)
                return -1;
        if (add_store(e, i, err) < 0 || add_registries(i, err) < 0 || add_pools(i, err) < 0)
                return -1;
        add_machine(i);
        add_limits(i);
        add_warnings(i);
        add_security(i);
        add_plugins(i);
        add_cdi(i);
        add_parts(i);
        add_time(i);
        i->http_proxy = proxy(i, "HTTP_PROXY", "http_proxy");
        i->https_proxy = proxy(i, "HTTPS_PROXY", "https_proxy");
        i->no_proxy = proxy(i, "NO_PROXY", "no_proxy");
        *ret = COR_TAKE(i);
        return 0;
}
