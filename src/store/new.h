#ifndef CORACLE_STORE_NEW_H
#define CORACLE_STORE_NEW_H
/*
 * A folder in the making: in the .work beside its place to be, locked by its maker, so that what a dead one left there
 * is cleared away. It is renamed into its place by whoever records the thing: until then there is nothing of it.
 */
#include "base/err.h"
#include "store/store.h"

struct store_new {
        int fd; /* -1: none */
        int parent;
        char name[32];
};
#define STORE_NEW_INIT                                                                                                 \
        {                                                                                                              \
                .fd = -1                                                                                               \
        }
/* container_folder_new() - of a container to be; what it is made of goes into ret->fd */
int container_folder_new(struct store *s, struct store_new *ret, struct cor_err *err) COR_MUST_CHECK;
/* volume_folder_new() - of a volume to be, with a _data */
int volume_folder_new(struct store *s, struct store_new *ret, struct cor_err *err) COR_MUST_CHECK;
/* store_new_done() - remove it, unless it has left for its place */
void store_new_done(struct store_new *n);
#define auto_store_new COR_CLEANUP(store_new_done) struct store_new

#endif
