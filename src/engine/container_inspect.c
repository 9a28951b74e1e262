/* The document of one container, from its row, its documents and the files in its folder. */
#include "engine/container_inspect.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "engine/container.h"
#include "store/container.h"
#include "store/layer.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 8 << 20 };

/* What of config.json is shown: what the last start has decided. */
struct labels {
        const char *app_armor, *process, *mount;
};
struct labels_process {
        const char *app_armor, *selinux;
};
struct labels_linux {
        const char *mount;
};
struct labels_config {
        struct labels_process process;
        struct labels_linux linux_;
};
static const struct cor_json_field process_fields[] = {
        COR_FIELD("apparmorProfile", STR, struct labels_process, app_armor, 0),
        COR_FIELD("selinuxLabel", STR, struct labels_process, selinux, 0),
};
static const struct cor_json_doc process_doc = COR_DOC(struct labels_process, process_fields, NULL);
static const struct cor_json_field linux_fields[] = {
        COR_FIELD("mountLabel", STR, struct labels_linux, mount, 0),
};
static const struct cor_json_doc linux_doc = COR_DOC(struct labels_linux, linux_fields, NULL);
static const struct cor_json_field config_fields[] = {
        COR_FIELD_OBJ("process", INLINE, struct labels_config, process, &process_doc, 0),
        COR_FIELD_OBJ("linux", INLINE, struct labels_config, linux_, &linux_doc, 0),
};
static const struct cor_json_doc config_doc = COR_DOC(struct labels_config, config_fields, NULL);

/*
 * What the document is made from: everything in it points here, until it is printed and read again, after which it has
 * memory of its own.
 */
struct making {
        struct engine *e;
        struct container_row row;
        int folder; /* -1: it has lost it */
        struct docker_config *config;
        struct docker_host_config *host_config;
        struct docker_networking_config *networking;
        struct docker_network_settings *settings, no_settings;
        struct docker_mount_points *mounts;
        struct docker_health *health;
        struct labels_config *labels;
        struct docker_graph_driver driver;
        struct cor_pair driver_data[4];
        struct docker_state state;
        const char **args;
        struct cor_strv texts; /* made here */
};

static void making_done(struct making *m)
{
        container_row_done(&m->row);
        cor_fd_close(&m->folder);
        cor_json_free(m->config);
        cor_json_free(m->host_config);
        cor_json_free(m->networking);
        cor_json_free(m->settings);
        cor_json_free(m->mounts);
        cor_json_free(m->health);
        cor_json_free(m->labels);
        free(m->no_settings.networks);
        free(m->args);
        cor_strv_done(&m->texts);
}

/* @s is the document's from now on */
static const char *keep(struct making *m, char *s)
{
        cor_strv_take(&m->texts, s);
        return s;
}

static const char *time_text(struct making *m, int64_t ns)
{
        struct cor_text t = COR_TEXT_INIT;

        cor_text_add_time(&t, ns);
        return keep(m, cor_text_take(&t));
}

static int parse(const struct cor_json_doc *doc, const char *text, const char *what, void *ret, struct cor_err *err)
{
        return text ? cor_json_parse(doc, text, strlen(text), what, ret, err) : 0;
}

static int read_documents(struct making *m, struct cor_err *err)
{
        const struct container_row *r = &m->row;

        if (parse(&docker_config_doc, r->config, "Config", &m->config, err) < 0 ||
            parse(&docker_host_config_doc, r->host_config, "HostConfig", &m->host_config, err) < 0 ||
            parse(&docker_networking_config_doc, r->networking, "NetworkingConfig", &m->networking, err) < 0 ||
            parse(&docker_network_settings_doc, r->endpoints, "NetworkSettings", &m->settings, err) < 0 ||
            parse(&docker_mount_points_doc, r->mounts, "Mounts", &m->mounts, err) < 0)
                return cor_wrap(err, "container %s", r->id);
        return 0;
}

/* A file that its folder need not have; what cannot be read is not shown. */
static void read_file(const struct making *m, const char *name, const struct cor_json_doc *doc, void *ret)
{
        auto_str text = NULL;
        size_t n = 0;

        if (m->folder >= 0 && cor_own_read(m->folder, name, FILE_MAX_BYTES, &text, &n, NULL) == 0 &&
            cor_json_parse(doc, text, n, name, ret, NULL) < 0)
                return;
}

static const char *file_path(struct making *m, const char *name)
{
        auto_str folder = NULL;

        if (m->folder < 0 || faccessat(m->folder, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return "";
        folder = container_folder_path(m->e->store, m->row.id);
        return keep(m, cor_printf("%s/%s", folder, name));
}

static const char *log_path(struct making *m)
{
        const char *type = m->host_config ? m->host_config->log_config.type : NULL;
        auto_str name = cor_printf("%s-json.log", m->row.id);

        return !type || !*type || strcmp(type, "json-file") == 0 ? file_path(m, name) : "";
}

/* ---- state ---- */

static void set_state(struct making *m)
{
        const struct container_now *n = &m->row.now;
        static const char *const health[] = { NULL, "starting", "healthy", "unhealthy" };

        m->state = (struct docker_state){
                .status = container_phase_name(n->phase),
                .running = container_phase_runs(n->phase),
                .paused = n->phase == CONTAINER_PHASE_PAUSED,
                .restarting = n->phase == CONTAINER_PHASE_RESTARTING,
                .oom_killed = n->oom_killed,
                .dead = n->phase == CONTAINER_PHASE_DEAD,
                .exit_code = n->exit_code,
                .error = n->error,
                .started_at = time_text(m, n->started),
                .finished_at = time_text(m, n->finished),
                .health = m->health,
        };
        if (m->state.running && !m->state.restarting)
                m->state.pid = n->pid;
        if (m->health && n->health != CONTAINER_HEALTH_NONE)
                m->health->status = health[n->health];
}

/* ---- networks ---- */

static const char *network_name(const struct docker_host_config *h)
{
        const char *mode = h ? h->network_mode : NULL;

        if (!mode || !*mode || strcmp(mode, "default") == 0)
                return "bridge";
        return cor_starts_with(mode, "container:") ? NULL : mode;
}

/* What it is to be connected with when it is started, while it is with nothing. */
static void set_no_settings(struct making *m)
{
        struct docker_network_settings *s = &m->no_settings;
        const char *name = network_name(m->host_config);
        bool named = false;

        s->ports = COR_JSON_NONE_YET;
        for (size_t i = 0; m->networking && i < m->networking->n_endpoints; i++) {
                const struct docker_endpoint *asked = &m->networking->endpoints[i];

                *COR_GROW(s->networks, s->n_networks) = (struct docker_endpoint){
                        .name = asked->name,
                        .ipam_config = asked->ipam_config,
                        .links = asked->links,
                        .n_links = asked->n_links,
                        .aliases = asked->aliases,
                        .n_aliases = asked->n_aliases,
                        .mac_address = asked->mac_address,
                        .driver_opts = asked->driver_opts,
                        .n_driver_opts = asked->n_driver_opts,
                        .gw_priority = asked->gw_priority,
                        .network_id = asked->network_id,
                };
                named |= cor_streq(asked->name, name);
        }
        if (name && !named && s->n_networks == 0)
                COR_GROW(s->networks, s->n_networks)->name = name;
}

/* ---- where its files are ---- */

static void set_driver(struct making *m)
{
        const char *store = store_path(m->e->store);
        auto_str folder = container_folder_path(m->e->store, m->row.id);
        struct docker_graph_driver *d = &m->driver;
        struct cor_text lower = COR_TEXT_INIT;

        for (size_t i = m->row.n_layers; i-- > 0;)
                cor_text_printf(&lower, "%s%s/layers/%s/diff", lower.len ? ":" : "", store,
                                digest_hex(&m->row.layers[i]));
        d->name = "overlay2";
        d->data = m->driver_data;
        d->data[d->n_data++] = (struct cor_pair){ "LowerDir", keep(m, cor_text_take(&lower)) };
        if (m->state.pid) /* it is mounted nowhere, but whoever is in there has it */
                d->data[d->n_data++] =
                        (struct cor_pair){ "MergedDir", keep(m, cor_printf("/proc/%d/root", (int)m->state.pid)) };
        d->data[d->n_data++] = (struct cor_pair){ "UpperDir", keep(m, cor_printf("%s/upper", folder)) };
        d->data[d->n_data++] = (struct cor_pair){ "WorkDir", keep(m, cor_printf("%s/work", folder)) };
}

/* ---- the program ---- */

/* The program is the first word of entrypoint and command; the others are its arguments. */
static void set_program(struct making *m, struct docker_container *c)
{
        const struct docker_config *k = m->config;
        size_t n = k->n_entrypoint + k->n_cmd;

        c->path = "";
        c->args = COR_JSON_NONE_YET;
        if (n == 0)
                return;
        m->args = cor_realloc_array(NULL, n, sizeof *m->args);
        for (size_t i = 0; i < n; i++)
                m->args[i] = i < k->n_entrypoint ? k->entrypoint[i] : k->cmd[i - k->n_entrypoint];
        c->path = m->args[0];
        c->args = m->args + 1;
        c->n_args = n - 1;
}

static void fill(struct making *m, struct docker_container *c)
{
        static struct labels_config no_labels;
        const struct container_row *r = &m->row;
        const struct labels_config *labels = m->labels ? m->labels : &no_labels;

        set_state(m);
        set_driver(m);
        set_program(m, c);
        c->id = r->id;
        c->created = time_text(m, r->created);
        c->state = &m->state;
        c->image = r->image_id.text;
        c->resolv_conf_path = file_path(m, "resolv.conf");
        c->hostname_path = file_path(m, "hostname");
        c->hosts_path = file_path(m, "hosts");
        c->log_path = log_path(m);
        c->name = keep(m, cor_printf("/%s", r->name));
        c->restart_count = r->now.restart_count;
        c->driver = m->driver.name;
        c->platform = "linux";
        c->mount_label = labels->linux_.mount;
        c->process_label = labels->process.selinux;
        c->app_armor_profile = labels->process.app_armor;
        c->host_config = m->host_config;
        c->graph_driver = &m->driver;
        c->config = m->config;
        if (m->mounts) {
                c->mounts = m->mounts->items;
                c->n_mounts = m->mounts->n_items;
        }
        if (!m->state.running || !m->settings)
                set_no_settings(m);
        c->network_settings = m->state.running && m->settings ? m->settings : &m->no_settings;
}

static int read_all(struct making *m, const char *name, struct cor_err *err)
{
        if (engine_container(m->e, name, true, &m->row, err) < 0 || read_documents(m, err) < 0)
                return -1;
        if (!m->config || !m->host_config)
                return cor_fail(err, COR_INVALID, "container %s has no configuration", m->row.id);
        if (!m->host_config->log_config.type || !*m->host_config->log_config.type)
                m->host_config->log_config.type = "json-file"; /* what it has when nothing was said */
        m->folder = container_folder_open(m->e->store, m->row.id, NULL);
        read_file(m, "health.json", &docker_health_doc, &m->health);
        read_file(m, "config.json", &config_doc, &m->labels);
        return 0;
}

int engine_inspect_container(struct engine *e, const char *name, bool size, struct docker_container **ret,
                             struct cor_err *err)
{
        COR_CLEANUP(making_done) struct making m = { .e = e, .folder = -1 };
        struct docker_container c = { 0 };
        auto_text text = COR_TEXT_INIT;

        if (read_all(&m, name, err) < 0)
                return -1;
        fill(&m, &c);
        if (size) {
                c.size_rw.set = c.size_root_fs.set = true;
                if (engine_container_size(e, &m.row, &c.size_rw.value, &c.size_root_fs.value, err) < 0)
                        return -1;
        }
        cor_json_print(&docker_container_doc, &c, COR_JSON_COMPACT, &text);
        return cor_json_parse(&docker_container_doc, text.s, text.len, "container", ret, err);
}
