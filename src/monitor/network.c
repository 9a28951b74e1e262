/* The container's network: connected between its first process and its program, as the namespace is there by then. */
#include "base/fd.h"
#include "base/file.h"
#include "monitor/monitor.h"
#include "network/connect.h"
#include "runtime/context.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 1 << 20 };

/* Lines for the word host-gateway (--add-host) get the address that the host has in the container's network. */
static void replace_gateway(char *hosts, const char *gateway, struct cor_text *out)
{
        static const char word[] = "host-gateway\t";
        char *line;

        while ((line = cor_split_next(&hosts, '\n')) != NULL) {
                bool marked = cor_starts_with(line, word);

                if (marked && gateway && *gateway)
                        cor_text_printf(out, "%s\t%s\n", gateway, line + strlen(word));
                else if (*line)
                        cor_text_printf(out, "%s\n", line);
        }
}

/*
 * Its own address and name, at the end of its hosts file, unless an earlier start of the same monitor put it there. The
 * container has the file itself, so its content is replaced and not the file.
 */
static int note_host(struct monitor *m, const struct docker_network_settings *n, struct cor_err *err)
{
        auto_fd folder = container_folder_open(m->store, m->id, err), fd = -1;
        auto_str hosts = NULL;
        auto_str name = NULL;
        auto_str line = NULL;
        auto_text text = COR_TEXT_INIT;

        if (folder < 0 || cor_own_read(folder, "hostname", FILE_MAX_BYTES, &name, NULL, err) < 0 ||
            cor_own_read(folder, "hosts", FILE_MAX_BYTES, &hosts, NULL, err) < 0)
                return -1;
        name[strcspn(name, "\n")] = '\0';
        line = cor_printf("%s\t%s\n", n->ip_address, name);
        if (strstr(hosts, line))
                return 0;
        replace_gateway(hosts, n->gateway, &text);
        cor_text_add(&text, line);
        fd = cor_own_open(folder, "hosts", O_WRONLY | O_TRUNC | O_CLOEXEC, 0, err);
        return fd < 0 ? -1 : cor_write_full(fd, text.s, text.len, err);
}

static int note(struct monitor *m, const struct docker_network_settings *n, struct cor_err *err)
{
        auto_text text = COR_TEXT_INIT;

        cor_json_print(&docker_network_settings_doc, n, COR_JSON_COMPACT, &text);
        if (container_row_save_endpoints(m->store, m->number, text.s, err) < 0)
                return -1;
        return note_host(m, n, err);
}

int monitor_connect(struct monitor *m, struct cor_err *err)
{
        const struct network_request r = {
                .number = m->number, .id = m->id, .mac = m->settings.mac_address, .pid = m->life.pid
        };
        struct docker_network_settings *n = NULL;
        int done;

        /* A user may make nothing in the host's network. */
        if (!network_wanted(m->settings.network_mode) || m->settings.network_disabled || runtime_default_rootless())
                return 0;
        if (network_connect(m->store, &r, &n, err) < 0)
                return -1;
        m->life.connected = true;
        done = note(m, n, err);
        network_settings_free(n);
        return done;
}

void monitor_disconnect(struct monitor *m)
{
        struct cor_err err = { 0 };

        if (m->life.connected && monitor_open_store(m, &err) == 0)
                network_disconnect(m->store, m->number);
        m->life.connected = false;
}
