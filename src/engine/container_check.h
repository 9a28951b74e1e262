#ifndef CORACLE_ENGINE_CONTAINER_CHECK_H
#define CORACLE_ENGINE_CONTAINER_CHECK_H
/* The part of `system check` that is about containers and volumes. */
#include "engine/engine.h"

typedef void container_check_found(void *context, const char *what, bool repaired);
/*
 * engine_check_containers() - @found is called with each thing that is wrong: folders without rows and rows without
 * folders, layers that are missing, sockets, records and processes of containers that do not run. With @repair what
 * belongs to nothing is removed. *ret_containers: how many there are
 */
int engine_check_containers(struct engine *e, bool repair, container_check_found *found, void *context,
                            int64_t *ret_containers, struct cor_err *err) COR_MUST_CHECK;

#endif
