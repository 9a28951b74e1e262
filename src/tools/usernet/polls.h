#ifndef CORACLE_USERNET_POLLS_H
#define CORACLE_USERNET_POLLS_H
/* What one round of the loop waits for: everybody adds theirs before it, and looks at them by index after it. */
#include "base/alloc.h"

#include <poll.h>
#include <stdint.h>

struct polls {
        struct pollfd *items;
        size_t n_items, room;
        int64_t due; /* on the monotonic clock, in ms; -1: never */
};

/* polls_begin() - a new round; the memory of the last one is used again */
static inline void polls_begin(struct polls *p)
{
        p->n_items = 0;
        p->due = -1;
}

/* polls_add() - the index of a new one; a negative @fd is fine, and never ready */
static inline size_t polls_add(struct polls *p, int fd, short events)
{
        if (p->n_items == p->room) {
                p->room = p->room ? p->room * 2 : 16;
                p->items = cor_realloc_array(p->items, p->room, sizeof *p->items);
        }
        p->items[p->n_items] = (struct pollfd){ .fd = fd, .events = events };
        return p->n_items++;
}

/* polls_due() - wake up at @due_ms at the latest */
static inline void polls_due(struct polls *p, int64_t due_ms)
{
        if (p->due < 0 || due_ms < p->due)
                p->due = due_ms;
}

#endif
