#ifndef CORACLE_ENGINE_CONTAINER_FILTER_H
#define CORACLE_ENGINE_CONTAINER_FILTER_H
/* Filters of containers, as `ps --filter` and `container prune --filter` of docker take them. */
#include "engine/container.h"

enum container_filter_use { CONTAINER_FILTER_LIST, CONTAINER_FILTER_PRUNE };

/* Of one key any of its values may fit, of several keys each has to; labels have to fit all. */
struct container_match {
        struct cor_strv ids, labels, labels_not, ancestors, volumes, networks, published, exposed;
        struct cor_strv names;    /* regular expressions */
        uint32_t phases, healths; /* bits; 0: any */
        int32_t *codes;           /* of exited containers */
        size_t n_codes;
        bool has_before, has_since, has_until, has_task, task;
        int64_t before, since; /* the container's number */
        int64_t until;         /* nanoseconds since 1970 */
        bool documents;        /* rows have to be full: what is asked for is in documents */
};
void container_match_done(struct container_match *m);
#define auto_container_match COR_CLEANUP(container_match_done) struct container_match

/* container_match_parse() - "KEY=VALUE" each; INVALID with docker's words; before and since name a container */
int container_match_parse(struct engine *e, char *const *items, size_t n, enum container_filter_use use,
                          struct container_match *ret, struct cor_err *err) COR_MUST_CHECK;
/* container_match_fits() - 1, 0, or -1 when it cannot be told */
int container_match_fits(struct engine *e, const struct container_match *m, const struct container_row *r,
                         struct cor_err *err) COR_MUST_CHECK;

#endif
