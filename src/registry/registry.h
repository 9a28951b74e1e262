#ifndef CORACLE_REGISTRY_REGISTRY_H
#define CORACLE_REGISTRY_REGISTRY_H
/*
 * The distribution protocol (OCI distribution-spec 1.1, Docker Registry HTTP API V2) over libcurl. One handle speaks
 * for one repository ("library/debian" of "docker.io"), by way of its mirrors where such are configured, and takes care
 * of tokens, redirects, retries (back-off, Retry-After), and of what a hostile server may try: every answer is bounded
 * in size and time, redirects go to http(s) only, credentials go to the host they are for and no other.
 *
 * Single-threaded: transfers run side by side in one loop (curl multi), driven by registry_run().
 */
#include "registry/config.h"
#include "spec/digest.h"

struct registry;

/* registry_new() - @domain as in a reference; @config is borrowed and must outlive it */
int registry_new(const struct registry_config *config, const char *domain, const char *path, struct registry **ret,
                 struct cor_err *err) COR_MUST_CHECK;
void registry_free(struct registry *r);
static inline void registry_free_p(struct registry **r)
{
        registry_free(*r);
}
#define auto_registry COR_CLEANUP(registry_free_p) struct registry *
/*
 * registry_detach() - hand to a process of its own (registry/broker.h) what takes more rights than to speak with the
 * registry: names and credentials. To be called once, while the caller has one thread and those rights; afterwards the
 * handle opens no file but those of registry_files(), and starts no program.
 */
int registry_detach(struct registry *r, struct cor_err *err) COR_MUST_CHECK;
/* registry_n_pull_hosts() - how many places may be asked for a blob: its mirrors, and itself */
size_t registry_n_pull_hosts(const struct registry *r);
/* registry_files() - files and folders that are read while connecting: the system's certificates */
void registry_files(struct cor_strv *ret);

/* A manifest as the registry gave it: the bytes a digest covers. */
struct registry_manifest {
        char *bytes;
        size_t n;
        char *media_type;
        struct digest digest; /* computed from the bytes */
};
void registry_manifest_done(struct registry_manifest *m);
#define auto_registry_manifest COR_CLEANUP(registry_manifest_done) struct registry_manifest
/* registry_get_manifest() - by tag or digest (checked); NOT_FOUND as docker says it ("manifest for … not found") */
int registry_get_manifest(struct registry *r, const char *tag_or_digest, struct registry_manifest *ret,
                          struct cor_err *err) COR_MUST_CHECK;
/* registry_head_manifest() - its digest and size without its bytes; NOT_FOUND */
int registry_head_manifest(struct registry *r, const char *tag_or_digest, struct digest *ret, int64_t *ret_size,
                           struct cor_err *err) COR_MUST_CHECK;
int registry_put_manifest(struct registry *r, const char *tag_or_digest, const char *media_type, const void *bytes,
                          size_t n, struct cor_err *err) COR_MUST_CHECK;

/* registry_list_tags() - all tags, appended to @ret */
int registry_list_tags(struct registry *r, struct cor_strv *ret, struct cor_err *err) COR_MUST_CHECK;

/*
 * Downloads. `write` gets the bytes in order from `offset` on; when the server cannot continue there (no Range),
 * `restart` is called and bytes come from 0 on. `done` is called once, with NULL or the error, after retries are used
 * up.
 */
struct registry_download {
        struct digest digest;
        int64_t size, offset;
        const char *const *urls; /* of a non-distributable layer; NULL-terminated or NULL */
        int (*write)(void *context, const void *bytes, size_t n, struct cor_err *err);
        int (*restart)(void *context, struct cor_err *err);
        /* all bytes have come: the digest is right, or not (then another host is asked, from 0 on). NULL: checked later
         */
        int (*check)(void *context, struct cor_err *err);
        void (*done)(void *context, struct cor_err *error);
        void *context;
};
int registry_download(struct registry *r, const struct registry_download *d, struct cor_err *err) COR_MUST_CHECK;

/* registry_blob_exists() - HEAD: 1 with its size, 0 */
int registry_blob_exists(struct registry *r, const struct digest *d, int64_t *ret_size, struct cor_err *err)
        COR_MUST_CHECK;
/* registry_mount_blob() - cross-repository mount from @from: 1 mounted, 0 the registry wants an upload */
int registry_mount_blob(struct registry *r, const struct digest *d, const char *from, struct cor_err *err)
        COR_MUST_CHECK;
/* Uploads: `read` gives the bytes from any offset (a retry goes back). `done` as for downloads. */
struct registry_upload {
        struct digest digest;
        int64_t size;
        ssize_t (*read)(void *context, int64_t offset, void *buf, size_t n, struct cor_err *err);
        void (*progress)(void *context, int64_t sent);
        void (*done)(void *context, struct cor_err *error);
        void *context;
};
int registry_upload(struct registry *r, const struct registry_upload *u, struct cor_err *err) COR_MUST_CHECK;
/* registry_run() - drive started transfers until all are done, or until @wake_fd (-1: none) is readable: 1 there is
 * more to do, 0 all done, -1. At most config->max_downloads (max_uploads) run at once; the rest wait their turn. */
int registry_run(struct registry *r, int wake_fd, struct cor_err *err) COR_MUST_CHECK;
/* registry_cancel() - end all transfers that still run; `done` is called for each */
void registry_cancel(struct registry *r);

/*
 * registry_fetch() - the body of any address, by a handle without a path that is good for nothing else afterwards;
 * redirects are followed, and no credentials shown. `write` as for downloads; each try begins at 0, after `restart` if
 * anything has come.
 */
struct registry_fetch {
        const char *url;
        int64_t limit;          /* of its bytes; 0: any */
        const char *limit_name; /* for the error */
        int (*write)(void *context, const void *bytes, size_t n, struct cor_err *err);
        int (*restart)(void *context, struct cor_err *err);
        void (*progress)(void *context, int64_t got, int64_t total); /* total 0: not known. May be NULL */
        void *context;
};
int registry_fetch(struct registry *r, const struct registry_fetch *wanted, struct cor_err *err) COR_MUST_CHECK;
/* registry_fetch_domain() - what to give to registry_new() for @url; free() */
int registry_fetch_domain(const char *url, char **ret, struct cor_err *err) COR_MUST_CHECK;

/* registry_referrers() - the index of what refers to @subject (API, or the fallback tag); free() *ret */
int registry_referrers(struct registry *r, const struct digest *subject, const char *artifact_type, char **ret,
                       size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;
/*
 * The registry as a whole, by a handle without a path; only the registry itself is asked, no mirror.
 * registry_login() - check the credentials there; *ret_token an identity token if it gave one, else NULL
 * registry_search() - docker's v1 search: the JSON as it came; UNSUPPORTED says that the registry offers none
 */
int registry_login(struct registry *r, const char *user, const char *password, char **ret_token, struct cor_err *err)
        COR_MUST_CHECK;
int registry_search(struct registry *r, const char *term, int limit, char **ret, size_t *ret_n, struct cor_err *err)
        COR_MUST_CHECK;

#endif
