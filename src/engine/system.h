#ifndef CORACLE_ENGINE_SYSTEM_H
#define CORACLE_ENGINE_SYSTEM_H
/* The store and the machine as one document. */
#include "engine/engine.h"
#include "spec/docker_system.h"

/*
 * engine_info() - docker's SystemInfo (API 1.51) of this engine, for which no daemon has to run: what only a daemon has
 * is 0, empty or false, `LiveRestoreEnabled` is true, and `Warnings` names the limits that this machine cannot hold.
 * Print it with COR_JSON_API; cor_json_free() *ret.
 */
int engine_info(struct engine *e, struct docker_info **ret, struct cor_err *err) COR_MUST_CHECK;

#endif
