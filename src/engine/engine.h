#ifndef CORACLE_ENGINE_ENGINE_H
#define CORACLE_ENGINE_ENGINE_H
/*
 * The engine: the product's verbs, without any idea of a command line or an API. It lives inside the program that uses
 * it; what programs share is the store (store/store.h).
 */
#include "store/store.h"

struct engine {
        struct store *store;
        int ahead;      /* of a monitor that was started ahead (engine_start_ahead()); none if ahead_id is NULL */
        char *ahead_id; /* of the container that it waits for */
};
/*
 * engine_open() - the caller's engine; engine_done(). @root: the store's path, or NULL for the default. Who is not root
 * enters a user namespace of their own first, in which their subordinate ids are the ids from 1 on (engine/rootless.h),
 * so this has to be called before there are threads.
 */
int engine_open(const char *root, struct engine *ret, struct cor_err *err) COR_MUST_CHECK;
void engine_done(struct engine *e);
#define auto_engine COR_CLEANUP(engine_done) struct engine

#endif
