/*
 * What the network was made of is remembered by the text of daemon.json's keys. If that differs, and nobody is
 * connected, the bridge goes before the row is changed: who is killed in between leaves a network without a bridge. All
 * of it is done under the lock of networks, for which everybody waits who would make the bridge.
 */
#include "network/default.h"

#include "base/fd.h"
#include "base/text.h"
#include "network/bridge.h"
#include "network/connect.h"
#include "network/realm.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

enum { MTU = 1500, NUMBER_BYTES = 16 };
#define OPTION "com.docker.network."

static int parse(const struct network_row *r, struct docker_network **ret, struct cor_err *err)
{
        return cor_json_parse(&docker_network_doc, r->document, strlen(r->document), r->name, ret, err);
}

static bool is_so(const struct docker_network *d, const struct network_default *w)
{
        return d->ipam.n_config > 0 && (d->configured && w->configured ? strcmp(d->configured, w->configured) == 0
                                                                       : d->configured == w->configured);
}

static bool is_kept(const struct network_row *r, const struct docker_network *d)
{
        return r->users > 0 && d->ipam.n_config > 0;
}

static void set_option(struct docker_network *d, const char *key, const char *value)
{
        struct cor_pair *list = cor_json_alloc(d, (d->n_options + 1) * sizeof *list);

        for (size_t i = 0; i < d->n_options; i++)
                if (strcmp(d->options[i].key, key) == 0) {
                        d->options[i].value = value;
                        return;
                }
        if (d->n_options)
                memcpy(list, d->options, d->n_options * sizeof *list);
        list[d->n_options++] = (struct cor_pair){ key, value };
        d->options = list;
}

static bool is_taken(const struct network_default *w, const struct ip_prefix *host, size_t n_host)
{
        for (size_t i = 0; i < w->n_ipam; i++) {
                struct ip_prefix p;

                if (ip_prefix_parse(w->ipam[i].subnet, &p) < 0)
                        continue;
                for (size_t h = 0; h < n_host; h++)
                        if (ip_prefix_overlaps(&p, &host[h]))
                                return true;
        }
        return false;
}

static void fill(struct docker_network *d, const struct network_default *w, const struct ip_prefix *host, size_t n_host)
{
        bool asked = !w->yields || !is_taken(w, host, n_host);
        char mtu[NUMBER_BYTES];

        snprintf(mtu, sizeof mtu, "%u", w->mtu ? w->mtu : MTU);
        set_option(d, OPTION "bridge.enable_icc", w->apart ? "false" : "true");
        set_option(d, OPTION "bridge.enable_ip_masquerade", w->no_masquerade ? "false" : "true");
        set_option(d, OPTION "bridge.host_binding_ipv4", w->host_ip ? w->host_ip : "0.0.0.0");
        set_option(d, OPTION "driver.mtu", cor_json_strdup(d, mtu));
        d->enable_ipv6 = w->ipv6;
        d->automatic = false;
        d->configured = w->configured;
        d->ipam.n_config = asked ? w->n_ipam : 0;
        d->ipam.config = NULL;
        if (d->ipam.n_config) {
                d->ipam.config = cor_json_alloc(d, w->n_ipam * sizeof *w->ipam);
                memcpy(d->ipam.config, w->ipam, w->n_ipam * sizeof *w->ipam);
        }
}

static int change(struct network_row *r, const struct ip_prefix *host, size_t n_host, void *data, struct cor_err *err)
{
        auto_json struct docker_network *d = NULL;
        const struct network_default *w = data;
        auto_text text = COR_TEXT_INIT;

        if (parse(r, &d, err) < 0)
                return -1;
        if (is_so(d, w) || is_kept(r, d))
                return 0;
        fill(d, w, host, n_host);
        cor_json_print(&docker_network_doc, d, COR_JSON_COMPACT, &text);
        free(r->document);
        r->document = cor_text_take(&text);
        return 1;
}

static int clear_bridge(const struct network_row *r, struct cor_err *err)
{
        int there = realm_there(err);
        auto_network n = NULL;
        auto_fd sock = -1;

        if (there <= 0)
                return there;
        sock = realm_socket(NETLINK_ROUTE, err);
        return sock < 0 || network_parse(r, &n, err) < 0 ? -1 : bridge_clear(sock, n, err);
}

/* 1: nothing is to be done */
static int look(struct store *s, const struct network_default *w, struct network_row *row, bool *ret_used,
                struct cor_err *err)
{
        auto_json struct docker_network *d = NULL;

        if (network_row_find(s, NETWORK_DEFAULT, row, err) < 0 || parse(row, &d, err) < 0)
                return -1;
        *ret_used = d->ipam.n_config > 0;
        return is_so(d, w) || is_kept(row, d);
}

static int settle(struct store *s, const struct network_default *w, struct cor_err *err)
{
        auto_network_row row = { 0 };
        auto_fd run = store_run_open(s, err), held = -1;
        bool used;
        int r;

        held = run < 0 ? -1 : network_lock(run, err);
        r = held < 0 ? -1 : look(s, w, &row, &used, err);
        if (r != 0)
                return r < 0 ? -1 : 0;
        if (used && clear_bridge(&row, err) < 0)
                return -1;
        return network_subnet_settle(s, row.number, w->pools, change, (void *)(uintptr_t)w, err);
}

int network_default_settle(struct store *s, const struct network_default *w, struct cor_err *err)
{
        auto_network_row row = { 0 };
        bool used;
        int r = look(s, w, &row, &used, err);

        return r != 0 ? (r < 0 ? -1 : 0) : settle(s, w, err);
}
