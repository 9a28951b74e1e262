#ifndef CORACLE_STORE_CHECK_H
#define CORACLE_STORE_CHECK_H
/* Looking whether what is in the store is what it should be. Reads everything; changes nothing. */
#include "store/store.h"

/* check_blob() - hash it again: 1 it is whole, 0 its bytes are others, -1 (NOT_FOUND: it has gone meanwhile) */
int check_blob(const struct store *s, const struct digest *d, void (*progress)(void *context, int64_t done),
               void *context, struct cor_err *err) COR_MUST_CHECK;
/*
 * check_layer() - count again what was recorded when it was made: 1 it is whole as far as that tells, 0 and in @why
 * what is wrong, -1 (NOT_FOUND: it has gone meanwhile)
 */
int check_layer(const struct store *s, const struct digest *name, char why[128], struct cor_err *err) COR_MUST_CHECK;
/*
 * check_tree_size() - bytes of the files below @dir, which may be in use: what goes meanwhile does not count, and what
 * has several names counts once
 */
int check_tree_size(int dir, int64_t *ret, struct cor_err *err) COR_MUST_CHECK;
/* check_database() - call @found with each thing that SQLite finds wrong with its file */
int check_database(struct store *s, void (*found)(void *context, const char *what), void *context, struct cor_err *err)
        COR_MUST_CHECK;

/*
 * check_containers() - folders, rows and layers of containers and volumes: @found is called with each thing that is
 * wrong. @repair: folders that belong to nothing are removed
 */
int check_containers(struct store *s, bool repair, void (*found)(void *context, const char *what, bool repaired),
                     void *context, struct cor_err *err) COR_MUST_CHECK;

#endif
