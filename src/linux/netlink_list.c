#include "linux/netlink_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { DUMP_TRIES = 8 };

int netlink_dump(int sock, struct netlink_request *r, netlink_fn *fn, void *data, void (*reset)(void *data),
                 struct cor_err *err)
{
        struct cor_err failed = { 0 };

        for (int i = 0;; i++) {
                if (reset)
                        reset(data);
                if (netlink_exchange(sock, r, fn, data, &failed) == 0)
                        return 0;
                if (failed.kind != COR_BUSY || i == DUMP_TRIES)
                        break;
        }
        if (err)
                *err = failed;
        return -1;
}

void netlink_list_add(struct netlink_list *l, const void *item)
{
        l->items = cor_grow(l->items, l->n_items, l->item_size);
        memcpy((char *)l->items + l->n_items++ * l->item_size, item, l->item_size);
}

static int take(const struct netlink_message *m, void *data, struct cor_err *err)
{
        struct netlink_list *l = data;

        (void)err;
        l->take(m, l);
        return 0;
}

static void forget(void *data)
{
        struct netlink_list *l = data;

        free(l->items);
        l->items = NULL;
        l->n_items = 0;
}

int netlink_list_get(int sock, struct netlink_request *r, struct netlink_list *l, void *ret, size_t *ret_n,
                     struct cor_err *err)
{
        if (netlink_dump(sock, r, take, l, forget, err) < 0) {
                forget(l);
                return -1;
        }
        *(void **)ret = l->items;
        *ret_n = l->n_items;
        return 0;
}
