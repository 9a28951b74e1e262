#ifndef CORACLE_ENGINE_CONTAINER_INSPECT_H
#define CORACLE_ENGINE_CONTAINER_INSPECT_H
/*
 * Containers as documents: inspect, lists, statistics, processes, sizes. What is handed out is docker's (API 1.51);
 * print it with COR_JSON_API. Objects are ended by cor_json_free().
 */
#include "base/alloc.h"
#include "engine/engine.h"
#include "spec/docker_summary.h"

struct container_row;

/* engine_inspect_container() - @size: with the bytes it has written, and all of its files */
int engine_inspect_container(struct engine *e, const char *name, bool size, struct docker_container **ret,
                             struct cor_err *err) COR_MUST_CHECK;

struct container_query {
        bool all;     /* else only those that run; a filter of states counts for itself */
        int64_t last; /* > 0: the newest so many, in whatever state */
        bool size;
        /*
         * With ports, networks, mounts, annotations, and the image's id in place of a name that stands for another one
         * by now, which cost a look at each container's documents. Filters that need them look anyway.
         */
        bool documents;
        /*
         * ancestor, before, exited, expose, health, id, is-task, isolation, label, name, network, publish, since,
         * status, volume; of one key several times, any of its values will do
         */
        const struct cor_pair *filters;
        size_t n_filters;
};
/* A list; what its items point to belongs to it. */
struct container_summaries {
        struct docker_summaries list;  /* newest first */
        const char *const *ports_text; /* for each, the ports as `ps` shows them, or NULL */
        void *rest;
};
int engine_list_containers(struct engine *e, const struct container_query *q, struct container_summaries *ret,
                           struct cor_err *err) COR_MUST_CHECK;
void container_summaries_done(struct container_summaries *s);
#define auto_container_summaries COR_CLEANUP(container_summaries_done) struct container_summaries

/* container_status_text() - "Up 5 minutes (healthy)", "Exited (0) 3 seconds ago"; @now: ns since 1970; free() */
char *container_status_text(const struct container_row *r, int64_t now) __attribute__((returns_nonnull));

/*
 * engine_stats() - what it uses now; all zero if it does not run. @before: an earlier document of it, or NULL, from
 * which the members `precpu` and `preread` come
 */
int engine_stats(struct engine *e, const char *name, const struct docker_stats *before, struct docker_stats **ret,
                 struct cor_err *err) COR_MUST_CHECK;

/* engine_top() - its processes as ps(1) shows them with @args ("-ef" if there are none); BUSY if it does not run */
int engine_top(struct engine *e, const char *name, char *const *args, size_t n_args, struct docker_top **ret,
               struct cor_err *err) COR_MUST_CHECK;

/* engine_container_size() - *ret_rw: bytes that it has written, *ret_root: with all of its layers */
int engine_container_size(struct engine *e, const struct container_row *r, int64_t *ret_rw, int64_t *ret_root,
                          struct cor_err *err) COR_MUST_CHECK;
/* engine_volume_size() - bytes of its files; -1 in *ret if it has lost its folder */
int engine_volume_size(struct engine *e, const char *name, int64_t *ret, struct cor_err *err) COR_MUST_CHECK;

#endif
