#include "network/ports_line.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct port {
        const char *ip, *type; /* ip NULL: it is only exposed */
        unsigned inside, outside;
};
struct ports {
        struct port *items;
        size_t n_items;
};
/* A run of neighbours that is not at its end yet. */
struct run {
        const char *ip, *type;
        unsigned first, last;
};

static void add_all(struct ports *all, const struct docker_port_bindings *b)
{
        char *slash = NULL;
        struct port p = { .inside = (unsigned)strtoul(b->port, &slash, 10) };

        p.type = slash && *slash == '/' ? slash + 1 : "tcp";
        if (b->n_items == 0)
                *COR_GROW(all->items, all->n_items) = p;
        for (size_t i = 0; i < b->n_items; i++) {
                p.ip = b->items[i].host_ip ? b->items[i].host_ip : "";
                p.outside = (unsigned)strtoul(b->items[i].host_port ? b->items[i].host_port : "", NULL, 10);
                *COR_GROW(all->items, all->n_items) = p;
        }
}

static int order(const void *a, const void *b)
{
        const struct port *x = a, *y = b;
        int ip = strcmp(x->ip ? x->ip : "", y->ip ? y->ip : "");

        if (x->inside != y->inside)
                return x->inside < y->inside ? -1 : 1;
        if (ip != 0)
                return ip;
        if (x->outside != y->outside)
                return x->outside < y->outside ? -1 : 1;
        return strcmp(x->type, y->type);
}

static void add_separator(struct cor_text *out)
{
        if (out->len)
                cor_text_add(out, ", ");
}

static void add_host(const char *ip, struct cor_text *out)
{
        cor_text_printf(out, strchr(ip, ':') ? "[%s]:" : "%s:", ip);
}

static void add_run(const struct run *r, struct cor_text *out)
{
        add_separator(out);
        for (int side = r->ip ? 0 : 1; side < 2; side++) {
                if (side == 0)
                        add_host(r->ip, out);
                cor_text_printf(out, "%u", r->first);
                if (r->last != r->first)
                        cor_text_printf(out, "-%u", r->last);
                if (side == 0)
                        cor_text_add(out, "->");
        }
        cor_text_printf(out, "/%s", r->type);
}

struct runs {
        struct run *items;
        size_t n_items;
};

static void fold(struct runs *runs, const struct port *p, struct cor_text *out)
{
        struct run *r = NULL;

        for (size_t i = 0; i < runs->n_items && !r; i++)
                if (cor_streq(runs->items[i].ip, p->ip) && cor_streq(runs->items[i].type, p->type))
                        r = &runs->items[i];
        if (!r) {
                *COR_GROW(runs->items, runs->n_items) = (struct run){ p->ip, p->type, p->inside, p->inside };
                return;
        }
        if (p->inside == r->last + 1) {
                r->last++;
                return;
        }
        add_run(r, out);
        r->first = r->last = p->inside;
}

char *ports_line(const struct docker_port_bindings *items, size_t n_items)
{
        struct cor_text out = COR_TEXT_INIT;
        struct ports all = { .items = NULL };
        struct runs runs = { .items = NULL };

        for (size_t i = 0; i < n_items; i++)
                add_all(&all, &items[i]);
        if (all.n_items > 1)
                qsort(all.items, all.n_items, sizeof *all.items, order);
        for (size_t i = 0; i < all.n_items; i++)
                if (!all.items[i].ip || all.items[i].inside == all.items[i].outside)
                        fold(&runs, &all.items[i], &out);
        for (size_t i = 0; i < runs.n_items; i++)
                add_run(&runs.items[i], &out);
        for (size_t i = 0; i < all.n_items; i++) {
                const struct port *p = &all.items[i];

                if (!p->ip || p->inside == p->outside)
                        continue;
                add_separator(&out);
                add_host(p->ip, &out);
                cor_text_printf(&out, "%u->%u/%s", p->outside, p->inside, p->type);
        }
        free(runs.items);
        free(all.items);
        return cor_text_take(&out);
}
