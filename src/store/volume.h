#ifndef CORACLE_STORE_VOLUME_H
#define CORACLE_STORE_VOLUME_H
/* Volumes: rows of the database, and volumes/<name>/_data in the store. */
#include "base/alloc.h"
#include "store/new.h"
#include "store/store.h"

struct volume_row {
        char *name, *driver;             /* "local" */
        struct cor_strv options, labels; /* "KEY=VALUE" */
        int64_t created;                 /* nanoseconds since 1970 */
        bool anonymous;                  /* its name was made up, and `volume prune` may take it */
        int64_t users;                   /* containers that have it */
        const struct store_new
                *folder; /* to volume_row_add() and the like: what becomes its folder, or NULL; borrowed */
        bool made;       /* by container_row_add_with() */
};
void volume_row_done(struct volume_row *v);
#define auto_volume_row COR_CLEANUP(volume_row_done) struct volume_row
struct volume_rows {
        struct volume_row *items;
        size_t n_items;
};
void volume_rows_done(struct volume_rows *l);
#define auto_volume_rows COR_CLEANUP(volume_rows_done) struct volume_rows

/* volume_name_check() - INVALID in docker's words if @name is none for a volume */
int volume_name_check(const char *name, struct cor_err *err) COR_MUST_CHECK;
/* volume_row_add() - record it and make its folder, synced; EXISTS if the name is taken */
int volume_row_add(struct store *s, const struct volume_row *v, struct cor_err *err) COR_MUST_CHECK;
/* volume_row_find() - NOT_FOUND "get x: no such volume" */
int volume_row_find(struct store *s, const char *name, struct volume_row *ret, struct cor_err *err) COR_MUST_CHECK;
int volume_row_all(struct store *s, struct volume_rows *ret, struct cor_err *err) COR_MUST_CHECK;
/* volume_row_remove() - row and folder; BUSY "remove x: volume is in use - [ID, ...]" while a container has it */
int volume_row_remove(struct store *s, const char *name, struct cor_err *err) COR_MUST_CHECK;
/* volume_folder_open() - its _data, O_PATH; volume_folder_path(): free() */
int volume_folder_open(const struct store *s, const char *name, struct cor_err *err) COR_MUST_CHECK;
char *volume_folder_path(const struct store *s, const char *name) __attribute__((returns_nonnull));

#endif
