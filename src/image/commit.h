#ifndef CORACLE_IMAGE_COMMIT_H
#define CORACLE_IMAGE_COMMIT_H
/* The documents of an image that is another one with a layer more. */
#include "image/job.h"

/* What the new image stands on: manifest and configuration of the one that the request names. */
struct commit_base;
int commit_base_open(const struct transfer_job *job, struct commit_base **ret, struct cor_err *err) COR_MUST_CHECK;
void commit_base_free(struct commit_base *b);
/* commit_media_type() - of the manifest: of the same family as the one below */
const char *commit_media_type(const struct commit_base *b);

struct commit_layer {
        const struct digest *diff_id, *blob;
        int64_t size;
        const char *media_type;
};
int commit_config(const struct commit_base *b, const struct transfer_request *request, const struct commit_layer *layer,
                  struct cor_text *out, struct cor_err *err) COR_MUST_CHECK;
void commit_manifest(const struct commit_base *b, const struct commit_layer *layer, const struct digest *config,
                     size_t config_size, struct cor_text *out);

#endif
