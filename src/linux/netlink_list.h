#ifndef CORACLE_LINUX_NETLINK_LIST_H
#define CORACLE_LINUX_NETLINK_LIST_H
/* What the kernel lists (a dump): collected into an array, begun anew when the list changed while it was read. */
#include "linux/netlink.h"

/* netlink_dump() - netlink_exchange() of @r, again while BUSY; @reset, which may be NULL, forgets what was collected */
int netlink_dump(int sock, struct netlink_request *r, netlink_fn *fn, void *data, void (*reset)(void *data),
                 struct cor_err *err) COR_MUST_CHECK;

/* A list being collected: @take looks at a message, and adds what is wanted of it. */
struct netlink_list {
        size_t item_size;
        void (*take)(const struct netlink_message *m, struct netlink_list *l);
        const void *wanted; /* for @take */
        void *items;
        size_t n_items;
};
void netlink_list_add(struct netlink_list *l, const void *item);
/* netlink_list_get() - *ret is an array of items, free() */
int netlink_list_get(int sock, struct netlink_request *r, struct netlink_list *l, void *ret, size_t *ret_n,
                     struct cor_err *err) COR_MUST_CHECK;

#endif
