/*
 * The container's networks: connected between its first process and its program, as the namespace is there by then, and
 * whenever somebody has changed what its row says of them.
 */
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "monitor/monitor.h"
#include "monitor/names.h"
#include "network/connect.h"
#include "network/realm.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 1 << 20 };

/* ------------------------------------------------------------------------------------------------------------ hosts */

static bool is_line_of(const char *line, const char *address)
{
        size_t n = strlen(address);

        return n > 0 && strncmp(line, address, n) == 0 && line[n] == '\t';
}

/* A line with the container's own name that is of a network it is not connected with any more */
static bool is_stale(const char *line, const char *name, const struct docker_network_settings *n)
{
        const char *tab = strchr(line, '\t');

        if (!tab || strcmp(tab + 1, name) != 0)
                return false;
        for (size_t i = 0; i < n->n_networks; i++)
                if (is_line_of(line, n->networks[i].ip_address) || is_line_of(line, n->networks[i].global_ipv6_address))
                        return false;
        return true;
}

static const char *gateway_of(const struct docker_network_settings *n)
{
        for (size_t i = 0; i < n->n_networks; i++)
                if (n->networks[i].gateway && *n->networks[i].gateway)
                        return n->networks[i].gateway;
        return NULL;
}

/* Lines for the word host-gateway (--add-host) get the address that the host has in the container's network. */
static void keep_lines(char *hosts, const char *name, const struct docker_network_settings *n, struct cor_text *out)
{
        static const char word[] = "host-gateway\t";
        const char *gateway = gateway_of(n);
        char *line;

        while ((line = cor_split_next(&hosts, '\n')) != NULL) {
                if (gateway && cor_starts_with(line, word))
                        cor_text_printf(out, "%s\t%s\n", gateway, line + strlen(word));
                else if (*line && !is_stale(line, name, n))
                        cor_text_printf(out, "%s\n", line);
        }
}

static void add_line(const char *address, const char *name, struct cor_text *out)
{
        auto_str line = cor_printf("%s\t%s\n", address, name);

        if (*address && !strstr(out->s ? out->s : "", line))
                cor_text_add(out, line);
}

/*
 * Its own addresses and name, at the end of its hosts file. The container has the file itself, so its content is
 * replaced and not the file.
 */
static int note_hosts(struct monitor *m, const struct docker_network_settings *n, struct cor_err *err)
{
        auto_fd folder = container_folder_open(m->store, m->id, err), fd = -1;
        auto_str hosts = NULL;
        auto_str name = NULL;
        auto_text text = COR_TEXT_INIT;

        if (folder < 0 || cor_own_read(folder, "hostname", FILE_MAX_BYTES, &name, NULL, err) < 0 ||
            cor_own_read(folder, "hosts", FILE_MAX_BYTES, &hosts, NULL, err) < 0)
                return -1;
        name[strcspn(name, "\n")] = '\0';
        keep_lines(hosts, name, n, &text);
        for (size_t i = 0; i < n->n_networks; i++) {
                add_line(n->networks[i].ip_address ? n->networks[i].ip_address : "", name, &text);
                add_line(n->networks[i].global_ipv6_address ? n->networks[i].global_ipv6_address : "", name, &text);
        }
        fd = cor_own_open(folder, "hosts", O_WRONLY | O_TRUNC | O_CLOEXEC, 0, err);
        return fd < 0 ? -1 : cor_write_full(fd, text.s ? text.s : "", text.len, err);
}

static int note(struct monitor *m, const struct docker_network_settings *n, struct cor_err *err)
{
        auto_text text = COR_TEXT_INIT;

        cor_json_print(&docker_network_settings_doc, n, COR_JSON_COMPACT, &text);
        if (container_row_save_endpoints(m->store, m->number, text.s, err) < 0)
                return -1;
        return note_hosts(m, n, err);
}

/* ------------------------------------------------------------------------------------------------------ connections */

static struct network_container container_of(const struct monitor *m)
{
        return (struct network_container){
                .store = m->store,
                .number = m->number,
                .id = m->id,
                .name = m->settings.name,
                .hostname = m->settings.hostname,
                .mac = m->settings.mac_address,
                .pid = m->life.pid,
        };
}

static bool has_networks(const struct monitor *m)
{
        return network_has(m->settings.network_mode) && !m->settings.network_disabled;
}

/* Where networks are there is no way back from. */
static int go_there(struct monitor *m, struct cor_err *err)
{
        if (realm_is_own() && m->settings.ports.n_items && host_sockets_start(&m->host_sockets, err) < 0)
                return -1;
        return realm_enter(err);
}

static int read_wanted(const char *text, struct docker_networking_config **ret, struct cor_err *err)
{
        const char *json = text ? text : "{}";

        return cor_json_parse(&docker_networking_config_doc, json, strlen(json), "NetworkingConfig", ret, err);
}

static int connect_all(struct monitor *m, const struct docker_networking_config *wanted,
                       struct docker_network_settings *now, struct cor_err *err)
{
        const struct docker_endpoint single = { .name = network_name_of(m->settings.network_mode) };
        const struct network_container c = container_of(m);

        /* none at all, and an empty list: it was disconnected from the last */
        return wanted->endpoints ? network_connect(&c, wanted->endpoints, wanted->n_endpoints, now, err)
                                 : network_connect(&c, &single, 1, now, err);
}

static int publish_and_note(struct monitor *m, struct docker_network_settings *now, struct cor_err *err)
{
        int r = monitor_publish(m, now, err) < 0 ? -1 : note(m, now, err);

        monitor_publish_done(now);
        return r;
}

int monitor_connect(struct monitor *m, struct cor_err *err)
{
        auto_json struct docker_networking_config *wanted = NULL;
        auto_json struct docker_network_settings *now = NULL;

        if (!has_networks(m))
                return 0;
        if (read_wanted(m->settings.networking, &wanted, err) < 0 || network_settings_new(&now, err) < 0 ||
            go_there(m, err) < 0 || connect_all(m, wanted, now, err) < 0)
                return -1;
        m->life.connected = true;
        now->sandbox_key = cor_json_alloc(now, 32);
        snprintf((char *)(uintptr_t)now->sandbox_key, 32, "/proc/%d/ns/net", (int)m->life.pid);
        now->sandbox_id = now->n_networks ? now->networks[0].endpoint_id : NULL;
        if (names_update(m, now, true, err) < 0)
                return -1;
        return publish_and_note(m, now, err);
}

void monitor_disconnect(struct monitor *m)
{
        struct cor_err err = { 0 };

        if (m->life.connected && monitor_open_store(m, &err) == 0) {
                monitor_withdraw(m);
                network_release(m->store, m->number, m->id);
        }
        names_close(m);
        m->life.connected = false;
}

/* ---------------------------------------------------------------------------------------------------- while it runs */

static const struct docker_endpoint *find(const struct docker_endpoint *items, size_t n, const char *network_id)
{
        for (size_t i = 0; i < n; i++)
                if (cor_streq(items[i].network_id, network_id))
                        return &items[i];
        return NULL;
}

static int leave(struct monitor *m, const struct docker_networking_config *wanted, struct docker_network_settings *now,
                 struct cor_err *err)
{
        const struct network_container c = container_of(m);

        for (size_t i = now->n_networks; i-- > 0;) {
                const char *id = now->networks[i].network_id;

                if (!find(wanted->endpoints, wanted->n_endpoints, id) && network_disconnect(&c, id, now, err) < 0)
                        return -1;
        }
        return 0;
}

static int join(struct monitor *m, const struct docker_networking_config *wanted, struct docker_network_settings *now,
                struct cor_err *err)
{
        const struct network_container c = container_of(m);

        for (size_t i = 0; i < wanted->n_endpoints; i++) {
                const struct docker_endpoint *e = &wanted->endpoints[i];

                if (!find(now->networks, now->n_networks, e->network_id) && network_connect(&c, e, 1, now, err) < 0)
                        return -1;
        }
        return 0;
}

int monitor_reconnect(struct monitor *m, struct cor_err *err)
{
        auto_json struct docker_networking_config *wanted = NULL;
        auto_json struct docker_network_settings *now = NULL;
        auto_container_row row = { 0 };
        struct cor_err noting = { 0 };
        int r;

        if (m->state != STATE_RUNNING || m->life.pid == 0)
                return cor_fail(err, COR_BUSY, "container %s is not running", m->id);
        if (monitor_open_store(m, err) < 0 || container_row_get(m->store, m->number, &row, err) < 0 ||
            read_wanted(row.networking, &wanted, err) < 0 || go_there(m, err) < 0)
                return -1;
        if (row.endpoints ? cor_json_parse(&docker_network_settings_doc, row.endpoints, strlen(row.endpoints),
                                           "NetworkSettings", &now, err) < 0
                          : network_settings_new(&now, err) < 0)
                return -1;
        free(m->settings.networking);
        m->settings.networking = cor_strdup(row.networking);
        r = leave(m, wanted, now, err) < 0 || join(m, wanted, now, err) < 0 ? -1 : 0;
        m->life.connected = true;
        if (names_update(m, now, false, &noting) < 0)
                cor_warn("container %s: %s", m->id, noting.msg);
        if (publish_and_note(m, now, &noting) < 0 && r == 0) {
                *err = noting;
                return -1;
        }
        return r;
}
