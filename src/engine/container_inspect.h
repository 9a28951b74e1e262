#ifndef CORACLE_ENGINE_CONTAINER_INSPECT_H
#define CORACLE_ENGINE_CONTAINER_INSPECT_H
/*
 * Containers as documents: inspect, statistics, processes, sizes. What is handed out is docker's (API 1.51);
 * print it with COR_JSON_API. Objects are ended by cor_json_free().
 */
#include "engine/engine.h"
#include "spec/docker_summary.h"

struct container_row;

/* engine_inspect_container() - @size: with the bytes it has written, and all of its files */
int engine_inspect_container(struct engine *e, const char *name, bool size, struct docker_container **ret,
                             struct cor_err *err) COR_MUST_CHECK;

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

#endif
