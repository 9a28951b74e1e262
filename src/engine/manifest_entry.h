#ifndef CORACLE_ENGINE_MANIFEST_ENTRY_H
#define CORACLE_ENGINE_MANIFEST_ENTRY_H
/*
 * What docker's client says of one manifest: its name, descriptor and platform, bytes and text. It is what `manifest
 * inspect --verbose` prints, and what the files of local lists hold (engine/manifest_list.h).
 */
#include "engine/image.h"
#include "spec/image.h"

/* A document as it is read. What docker has in it beside these follows from them. */
struct manifest_entry {
        const char *ref, *raw; /* raw: the manifest's bytes, in base64 */
        struct image_descriptor *descriptor;
};
extern const struct cor_json_doc manifest_entry_doc;

/* manifest_full_name() - "docker.io/library/debian:12" of @name; free() */
int manifest_full_name(const char *name, char **ret, struct cor_err *err) COR_MUST_CHECK;
/* manifest_entry_print() - the document of manifest @text, which is called @ref */
void manifest_entry_print(const char *ref, const struct image_descriptor *d, const char *text, struct cor_text *t);
/*
 * manifest_entry_of() - the same for @m, which a registry gave with its configuration: the platform is the
 * configuration's. INVALID if it is no image.
 */
int manifest_entry_of(const char *ref, const struct remote_manifest *m, struct cor_text *t, struct cor_err *err)
        COR_MUST_CHECK;
/*
 * manifest_entry_fetch() - what a registry has under @name: of an image its document, of an index a list of the
 * documents of its images; free() *ret
 */
int manifest_entry_fetch(struct engine *e, const char *name, bool insecure, char **ret, struct cor_err *err)
        COR_MUST_CHECK;

#endif
