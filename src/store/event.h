#ifndef CORACLE_STORE_EVENT_H
#define CORACLE_STORE_EVENT_H
/*
 * What happened to containers, images, volumes and networks of a store since the machine started, for `events`. Each
 * event is a line of the file `events` below store_run_path(), docker's document as JSON. Past 1 MB the file becomes
 * events.1, in place of the one before: so the last megabyte, and at least 256 events, can be asked for.
 */
#include "spec/docker_event.h"
#include "store/store.h"

struct container_row;
struct image_row;

/*
 * event_write() - note an event, now. That it cannot be noted is no reason for what has happened to fail, and so is
 * logged only.
 */
void event_write(struct store *s, const char *type, const char *action, const char *id,
                 const struct cor_pair *attributes, size_t n_attributes);
/* event_write_container() - with the attributes that docker has: labels, image, name, and @more */
void event_write_container(struct store *s, const struct container_row *r, const char *action,
                           const struct cor_pair *more, size_t n_more);
/* event_write_image() - of @id, which is a name for what came from or went to a registry; NULL: the image's id */
void event_write_image(struct store *s, const struct image_row *i, const char *action, const char *id,
                       const char *name);
/* event_write_volume() - @container: whose it is that mounts or unmounts it; NULL for what concerns nobody else */
void event_write_volume(struct store *s, const char *name, const char *action, const char *container,
                        const struct cor_pair *more, size_t n_more);
/* event_write_prune() - of containers, images, volumes, networks: how many bytes they held */
void event_write_prune(struct store *s, const char *type, int64_t bytes);

struct event_query {
        int64_t since, until;           /* nanoseconds since 1970; since 0: from now on; until 0: for ever */
        const struct cor_pair *filters; /* docker's: type, event, container, image, volume, network, label, scope, … */
        size_t n_filters;               /* one key several times: any of its values */
};
/* event_matches() - whether @e passes the filters and lies in the time of @q */
bool event_matches(const struct event_query *q, const struct docker_event *e);
/* event_query_check() - INVALID, in docker's words, if there is no such filter */
int event_query_check(const struct event_query *q, struct cor_err *err) COR_MUST_CHECK;

struct event_reader;
/* event_reader_open() - @q is borrowed; what is written from now on is not missed */
int event_reader_open(struct store *s, const struct event_query *q, struct event_reader **ret, struct cor_err *err)
        COR_MUST_CHECK;
/* event_reader_fd() - readable when there may be more */
int event_reader_fd(const struct event_reader *r);
/*
 * event_reader_next() - the next one that matches, valid until the next call; with @wait until there is one. 1; 0 there
 * is none (yet), and with @wait that its time is over
 */
int event_reader_next(struct event_reader *r, bool wait, const struct docker_event **ret, struct cor_err *err)
        COR_MUST_CHECK;
void event_reader_free(struct event_reader *r);
static inline void event_reader_free_p(struct event_reader **r)
{
        event_reader_free(*r);
}
#define auto_event_reader COR_CLEANUP(event_reader_free_p) struct event_reader *

#endif
