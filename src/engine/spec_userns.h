#ifndef CORACLE_ENGINE_SPEC_USERNS_H
#define CORACLE_ENGINE_SPEC_USERNS_H
/*
 * User namespaces of containers (--userns). Which ids of the host a container has is decided at create, and stays: its
 * row has the map. What lies in the store belongs to the ids of the image, 0 and up; mounts that map ids show it to the
 * container as its own (store/snapshot.h), so neither layers nor volumes change their owners.
 */
#include "engine/spec.h"
#include "linux/idmap.h"
#include "spec/userns.h"

/* What container_row_add() has to know. */
struct spec_ids {
        struct id_pool pool; /* for `auto`; its size is 0 otherwise */
        char *map;           /* for the others: container_row.id_map, or NULL */
        struct oci_id_map *uids, *gids;
};
void spec_ids_done(struct spec_ids *i);
#define auto_spec_ids COR_CLEANUP(spec_ids_done) struct spec_ids
/*
 * spec_userns_make() - the ids of a container of these documents. @root: its root filesystem, where `auto` looks for
 * the highest id that is in use; -1: there is none
 */
int spec_userns_make(struct store *s, const struct spec_documents *d, int root, struct spec_ids *ret,
                     struct cor_err *err) COR_MUST_CHECK;
/* spec_userns_wants_root() - @root would be of use */
bool spec_userns_wants_root(const struct spec_documents *d);

#endif
