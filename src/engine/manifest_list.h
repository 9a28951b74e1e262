#ifndef CORACLE_ENGINE_MANIFEST_LIST_H
#define CORACLE_ENGINE_MANIFEST_LIST_H
/*
 * Lists of manifests put together by hand (`manifest create`), before they are pushed. They lie where docker has them,
 * as docker has them: manifests/LIST/MANIFEST in the folder of config.json, each file a manifest with its platform.
 */
#include "engine/image.h"

/* manifest_list_folder() - where they are for the caller; free() */
int manifest_list_folder(char **ret, struct cor_err *err) COR_MUST_CHECK;

/*
 * manifest_list_create() - begin @list, or with @amend add to it, with the registry's @manifests; *ret_name is its full
 * name; free(). EXISTS if there is one and @amend is not set.
 */
int manifest_list_create(struct engine *e, const char *folder, const char *list, char *const *manifests,
                         size_t n_manifests, bool amend, bool insecure, char **ret_name, struct cor_err *err)
        COR_MUST_CHECK;

struct manifest_annotation {
        const char *os, *architecture, *variant, *os_version; /* NULL: stays */
        char **os_features;
        size_t n_os_features;
};
int manifest_list_annotate(const char *folder, const char *list, const char *manifest,
                           const struct manifest_annotation *a, struct cor_err *err) COR_MUST_CHECK;

/*
 * manifest_list_text() - the list as it would be pushed, with @verbose the documents of its manifests
 * (engine/manifest_entry.h); NOT_FOUND. free() *ret
 */
int manifest_list_text(const char *folder, const char *list, bool verbose, char **ret, struct cor_err *err)
        COR_MUST_CHECK;
/* manifest_list_member() - one manifest of it, as its registry has it, or its document; NOT_FOUND. free() *ret */
int manifest_list_member(const char *folder, const char *list, const char *manifest, bool verbose, char **ret,
                         struct cor_err *err) COR_MUST_CHECK;
/* manifest_list_push() - *ret says what was pushed, the digest last; with @purge the list goes; free() */
int manifest_list_push(struct engine *e, const char *folder, const char *list, bool insecure, bool purge, char **ret,
                       struct cor_err *err) COR_MUST_CHECK;
/* manifest_list_remove() - NOT_FOUND */
int manifest_list_remove(const char *folder, const char *list, struct cor_err *err) COR_MUST_CHECK;

#endif
