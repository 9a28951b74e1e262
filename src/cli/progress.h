#ifndef CORACLE_CLI_PROGRESS_H
#define CORACLE_CLI_PROGRESS_H
/*
 * How far it is, as docker shows it: on a terminal a line for each thing, with a bar while its size is known; elsewhere
 * a line for each change, without bars. There are no colours. TERM=dumb is no terminal to draw on.
 */
#include "base/text.h"

struct progress;

/* One change. @id: what it is about, or NULL for a line of its own. A bar is drawn when @total is above 0. */
struct progress_change {
        const char *id, *status;
        int64_t current, total; /* bytes */
};

struct progress *progress_new(int fd);
void progress_show(struct progress *p, const struct progress_change *c);
void progress_free(struct progress *p);
static inline void progress_free_p(struct progress **p)
{
        progress_free(*p);
}
#define auto_progress COR_CLEANUP(progress_free_p) struct progress *

/* progress_bar() - "[====>    ]  1.2MB/3.4MB" for a terminal of @width columns; empty if there is no total */
void progress_bar(int64_t current, int64_t total, unsigned width, struct cor_text *out);

#endif
