#include "engine/network_from.h"

#include "base/text.h"

#include <string.h>

static bool is_said(const char *text)
{
        return text && *text;
}

int network_from_check(const struct docker_network *a, struct cor_err *err)
{
        if (!a->config_only)
                return 0;
        if (a->ingress || a->internal || a->attachable || is_said(a->scope))
                return cor_fail(err, COR_DENIED,
                                "configuration network can only contain network specific fields. Network operator "
                                "fields like [ ingress | internal | attachable | scope ] are not supported.");
        if (is_said(a->config_from.network))
                return cor_fail(err, COR_DENIED,
                                "a configuration network cannot depend on another configuration network");
        return 0;
}

static int check_silence(const struct docker_network *a, struct cor_err *err)
{
        bool families = (a->asked_ipv4.set && !a->asked_ipv4.value) || (a->asked_ipv6.set && a->asked_ipv6.value);
        bool ipam = (is_said(a->ipam.driver) && strcmp(a->ipam.driver, "default") != 0) || a->ipam.n_options ||
                    a->ipam.n_config;

        if (families || ipam || a->n_labels)
                return cor_fail(err, COR_DENIED,
                                "user specified configurations are not supported if the network depends on a "
                                "configuration network");
        if (a->n_options)
                return cor_fail(err, COR_DENIED,
                                "network driver options are not supported if the network depends on a configuration "
                                "network");
        return 0;
}

/* By its name, and nothing else, as with docker */
static int find(struct engine *e, const char *name, struct docker_network **ret, struct cor_err *err)
{
        auto_json struct docker_network *d = NULL;
        auto_network_row row = { 0 };
        int r = network_row_find(e->store, name, &row, err);

        if (r < 0 && err->kind != COR_NOT_FOUND)
                return -1;
        if (r == 0 && network_row_document(&row, &d, err) < 0)
                return -1;
        if (!d || !d->config_only || strcmp(row.name, name) != 0)
                return cor_fail(err, COR_NOT_FOUND, "configuration network \"%.100s\" does not exist", name);
        *ret = COR_TAKE(d);
        return 0;
}

int network_from_take(struct engine *e, struct docker_network *a, struct docker_network **ret, struct cor_err *err)
{
        struct docker_network *d = NULL;

        if (check_silence(a, err) < 0 || find(e, a->config_from.network, &d, err) < 0)
                return -1;
        a->enable_ipv4 = d->enable_ipv4;
        a->enable_ipv6 = d->enable_ipv6;
        a->ipam = d->ipam;
        a->options = d->options;
        a->n_options = d->n_options;
        a->labels = d->labels;
        a->n_labels = d->n_labels;
        *ret = d;
        return 0;
}

int network_from_unused(struct engine *e, const struct network_row *row, struct cor_err *err)
{
        auto_json struct docker_network *own = NULL;
        auto_network_rows all = { 0 };

        if (network_row_document(row, &own, err) < 0)
                return -1;
        if (!own->config_only)
                return 0;
        if (network_row_all(e->store, &all, err) < 0)
                return -1;
        for (size_t i = 0; i < all.n_items; i++) {
                auto_json struct docker_network *d = NULL;

                if (network_row_document(&all.items[i], &d, err) < 0)
                        return -1;
                if (cor_streq(d->config_from.network, row->name))
                        return cor_fail(err, COR_DENIED,
                                        "error while removing network: configuration network \"%s\" is in use",
                                        row->name);
        }
        return 0;
}
