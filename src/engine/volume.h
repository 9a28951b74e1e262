#ifndef CORACLE_ENGINE_VOLUME_H
#define CORACLE_ENGINE_VOLUME_H
/*
 * Volumes of the local driver, as docker has it: a folder, or with the options type, device and o what mount(8) would
 * mount. What they are and who uses them is in the store (store/volume.h).
 */
#include "engine/engine.h"
#include "store/volume.h"

struct volume_new {
        const char *name;                        /* NULL or "": one is made up, and the volume is anonymous */
        const char *driver;                      /* NULL, "" or "local" */
        const struct cor_strv *options, *labels; /* "KEY=VALUE"; may be NULL */
};
/* volume_prepare() - check it, and make the row of it that is not in the database yet; a name is made up if it has none
 */
int volume_prepare(const struct volume_new *n, struct volume_row *ret, struct cor_err *err) COR_MUST_CHECK;
/* volume_prepare_folder() - for its ->folder, of the size that it may have */
int volume_prepare_folder(struct store *s, const struct volume_row *v, struct store_new *ret, struct cor_err *err)
        COR_MUST_CHECK;
/*
 * engine_create_volume() - a volume of that name that is there already is fine, if its driver is the same. free()
 * *ret_name
 */
int engine_create_volume(struct store *s, const struct volume_new *n, char **ret_name, struct cor_err *err)
        COR_MUST_CHECK;
/* engine_remove_volume() - @force: one that is not there is no error. BUSY while containers have it */
int engine_remove_volume(struct store *s, const char *name, bool force, struct cor_err *err) COR_MUST_CHECK;

struct volume_pruned {
        struct cor_strv names;
        uint64_t bytes; /* that they held */
};
void volume_pruned_done(struct volume_pruned *p);
#define auto_volume_pruned COR_CLEANUP(volume_pruned_done) struct volume_pruned
/*
 * engine_prune_volumes() - remove anonymous volumes that nobody uses, or with @all any; only those for which @wanted
 * (may be NULL) is true
 */
int engine_prune_volumes(struct store *s, bool all, bool (*wanted)(const struct volume_row *v, void *arg), void *arg,
                         struct volume_pruned *ret, struct cor_err *err) COR_MUST_CHECK;
/* engine_volume_size() - bytes that the files of a volume take up on disk */
int engine_volume_size(struct store *s, const char *name, uint64_t *ret, struct cor_err *err) COR_MUST_CHECK;

/* volume_option() - the value of "KEY=VALUE" in @list, or NULL */
const char *volume_option(const struct cor_strv *list, const char *key);

#endif
