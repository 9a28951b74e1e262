#ifndef CORACLE_IMAGE_JOB_H
#define CORACLE_IMAGE_JOB_H
/* The jobs of coracle-transfer, one function each; image/transfer.h says what a request holds. */
#include "image/receive.h"
#include "image/reference.h"
#include "registry/registry.h"

/* What every job is handed: made while the process still has its rights, used when it has given them up. */
struct transfer_job {
        const struct transfer_request *request;
        struct transfer_channel *channel;
        struct store *store;
        struct unpacker *unpacker;  /* pull, load, import */
        struct reference reference; /* of the request, if it has one */
        struct registry_config config;
        struct registry *registry; /* of the reference, or of the request's domain; all but load, save, import */
        int input, output;         /* -1: none */
};

int job_pull(struct transfer_job *job, struct cor_err *err) COR_MUST_CHECK;
int job_push(struct transfer_job *job, struct cor_err *err) COR_MUST_CHECK;
int job_load(struct transfer_job *job, struct cor_err *err) COR_MUST_CHECK;
int job_save(struct transfer_job *job, struct cor_err *err) COR_MUST_CHECK;
int job_push_list(struct transfer_job *job, struct cor_err *err) COR_MUST_CHECK;
int job_manifest(struct transfer_job *job, struct cor_err *err) COR_MUST_CHECK;
int job_login(struct transfer_job *job, struct cor_err *err) COR_MUST_CHECK;
int job_search(struct transfer_job *job, struct cor_err *err) COR_MUST_CHECK;
int job_import(struct transfer_job *job, struct cor_err *err) COR_MUST_CHECK;

/* job_fetch_small() - a blob of at most @limit bytes from the registry, checked, into memory; free() *ret */
int job_fetch_small(struct transfer_job *job, const struct image_descriptor *d, size_t limit, char **ret, size_t *ret_n,
                    struct cor_err *err) COR_MUST_CHECK;

#endif
