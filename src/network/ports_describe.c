/* Published ports as documents and lists have them. */
#include "network/ports_internal.h"

#include "base/alloc.h"

#include <string.h>

static struct docker_port_bindings *bindings_of(struct docker_port_bindings **items, size_t *n_items, int protocol,
                                                uint16_t port)
{
        auto_str key = cor_printf("%u/%s", port, port_protocol_name(protocol));
        struct docker_port_bindings *b;

        /* wishes and rows are in order */
        for (size_t i = *n_items; i-- > 0;)
                if (strcmp((*items)[i].port, key) == 0)
                        return &(*items)[i];
        b = COR_GROW(*items, *n_items);
        b->port = COR_TAKE(key);
        return b;
}

static bool belongs(const struct port_row *row, const struct port_wish *w)
{
        return row->protocol == w->protocol && row->container_port == w->port;
}

/* Docker's way to say that there is none on the host: any address, and no port */
static void describe(const struct port_row *row, struct docker_port_binding *ret)
{
        if (port_row_is_routed(row)) {
                ret->host_ip = cor_strdup(strchr(row->host_ip, ':') ? "::" : "0.0.0.0");
                ret->host_port = cor_strdup("");
                return;
        }
        ret->host_ip = cor_strdup(row->host_ip);
        ret->host_port = cor_printf("%u", row->host_port);
}

void ports_describe(const struct published *p, const struct port_wishes *wishes, struct docker_port_bindings **ret,
                    size_t *ret_n)
{
        *ret = NULL;
        *ret_n = 0;
        for (size_t i = 0; i < wishes->n_items; i++) {
                const struct port_wish *w = &wishes->items[i];
                struct docker_port_bindings *b;

                if (i > 0 && w->protocol == w[-1].protocol && w->port == w[-1].port)
                        continue;
                b = bindings_of(ret, ret_n, w->protocol, w->port);
                for (size_t k = 0; p && k < p->rows.n_items; k++) {
                        if (!belongs(&p->rows.items[k], w))
                                continue;
                        describe(&p->rows.items[k], COR_GROW(b->items, b->n_items));
                }
        }
}

void ports_description_free(struct docker_port_bindings *items, size_t n_items)
{
        for (size_t i = 0; i < n_items; i++) {
                for (size_t k = 0; k < items[i].n_items; k++) {
                        free((char *)items[i].items[k].host_ip);
                        free((char *)items[i].items[k].host_port);
                }
                free(items[i].items);
                free((char *)items[i].port);
        }
        free(items);
}
