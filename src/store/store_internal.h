#ifndef CORACLE_STORE_STORE_INTERNAL_H
#define CORACLE_STORE_STORE_INTERNAL_H
/* What the files of store/ share; nobody else includes this. */
#include "base/fd.h"
#include "base/lock.h"
#include "store/new.h"
#include "store/store.h"

struct store_db; /* db.h */

struct store {
        char *path;
        int fd;                         /* its folder */
        int images, blobs, ingest;      /* images/, images/blobs/, images/ingest/ */
        int layers, work;               /* layers/, layers/.work/ */
        bool one_filesystem;            /* all of these are on the same one */
        int containers, container_work; /* containers/, containers/.work/; -1: not needed yet */
        int container_locks;      /* containers/.lock, to look at locks only: each lock has its own; -1 as above */
        int volumes, volume_work; /* volumes/, volumes/.work/; -1: not needed yet */
        const char *overlay_prefix;
        char *run;           /* store_run_path(), once it was asked for */
        struct store_db *db; /* NULL without STORE_DATABASE */
};

#define STORE_NEW  "new-"  /* on its way in, locked by its maker */
#define STORE_GONE "gone-" /* on its way out */

enum { STORE_NAME_MAX = 32 };
/* store_containers() / store_volumes() - open these folders if they are not yet; they are made when missing */
int store_containers(const struct store *s, struct cor_err *err) COR_MUST_CHECK;
int store_volumes(const struct store *s, struct cor_err *err) COR_MUST_CHECK;
/* store_random_name() - @prefix and sixteen random digits */
void store_random_name(const char *prefix, char name[STORE_NAME_MAX]);
/* store_same() - @name in @dirfd is what @fd has open */
bool store_same(int dirfd, const char *name, int fd);
/* store_new_make() - a folder in @work, locked */
int store_new_make(int work, struct store_new *ret, struct cor_err *err) COR_MUST_CHECK;
/* store_new_is() - folder @name in @dirfd is @n */
bool store_new_is(const struct store_new *n, int dirfd, const char *name);
/* store_byte_locked() - another open file holds byte @at; 1, 0, -1 */
int store_byte_locked(int fd, int64_t at, struct cor_err *err) COR_MUST_CHECK;
/* store_move_away() - rename @name in @from into @to under a gone- name: 1, or 0 if it was not there */
int store_move_away(int from, const char *name, int to, struct cor_err *err) COR_MUST_CHECK;
/* store_clear() - remove what is gone, and what nobody works on any more, from @dirfd (ingest or work) */
int store_clear(int dirfd, struct cor_err *err) COR_MUST_CHECK;
/* store_each_name() - call @each for the names in @dirfd that do not begin with a dot; stops when it returns not 0 */
int store_each_name(int dirfd, const char *what, int (*each)(const char *name, void *context, struct cor_err *err),
                    void *context, struct cor_err *err) COR_MUST_CHECK;
/* store_each_entry() - the same with those, but for "." and ".." */
int store_each_entry(int dirfd, const char *what, int (*each)(const char *name, void *context, struct cor_err *err),
                     void *context, struct cor_err *err) COR_MUST_CHECK;
/* store_sync_folder() - fsync of a folder, which may be open as O_PATH only */
int store_sync_folder(int dirfd, const char *what, struct cor_err *err) COR_MUST_CHECK;

#endif
