#ifndef CORACLE_IMAGE_TRANSFER_H
#define CORACLE_IMAGE_TRANSFER_H
/*
 * The border between the engine and coracle-transfer, the process that speaks with registries and reads archives. The
 * engine holds the database, asks for one job, and answers what the job asks; the job touches blobs and layers only.
 *
 *      engine                                coracle-transfer
 *      request (transfer_request)  ───────►
 *                                  ◄───────  progress …                     (no answer)
 *                                  ◄───────  lease: digests it will use     answered: ok
 *                                  ◄───────  image: one is whole and synced answered: ok, once it is recorded
 *                                  ◄───────  text: the result of a query    (no answer)
 *                                  ◄───────  done, or error
 *
 * One message is one JSON object on a line, over a socket pair. End of file ends the job: the transfer process then
 * stops at once and keeps what a later one can continue.
 */
#include "base/json.h"
#include "store/image.h"

enum transfer_verb {
        TRANSFER_PULL,
        TRANSFER_PUSH,
        TRANSFER_LOAD,
        TRANSFER_SAVE,
        TRANSFER_IMPORT,
        TRANSFER_MANIFEST,  /* `manifest inspect`: the manifest as text */
        TRANSFER_PUSH_LIST, /* `manifest push` */
        TRANSFER_LOGIN,
        TRANSFER_SEARCH,
        TRANSFER_COMMIT, /* import, as one layer more on top of images[0] */
};

/* A manifest or a list of them, as its bytes are. */
struct transfer_manifest {
        const char *reference; /* full: where it was found */
        const char *media_type, *text;
};

/* Everything is optional but the verb and what it is about. */
struct transfer_request {
        int verb;
        const char *store;             /* path of the store */
        const char *reference;         /* full: pull, push, manifest */
        const char *platform;          /* "linux/riscv64": pull, load, import; NULL: this machine's */
        struct transfer_image *images; /* push, save, commit: what the database knows */
        size_t n_images;
        const char *domain, *user, *password, *term; /* login, search */
        const char *url;                             /* import: in place of an input */
        const char *message;                         /* import, commit */
        const char *author, *command, *config;       /* commit: config is a container's Config as JSON */
        const char **changes;                        /* import, commit: Dockerfile instructions */
        size_t n_changes;
        bool discard;                               /* keep only the unpacked form of layers */
        bool insecure;                              /* manifest inspect --insecure */
        bool with_config;                           /* manifest: and its image's configuration behind it */
        struct transfer_manifest *list, *manifests; /* push of a list: it, and what it lists */
        size_t n_manifests;
        bool all_tags;   /* pull: every tag of the repository */
        bool oci_format; /* save as an OCI archive without docker's manifest.json */
        uint32_t limit;  /* search */
};

/* An image as it crosses the border; store/image.h says what is what. */
struct transfer_blob {
        const char *digest, *media_type;
        int kind;
        int64_t size;
        bool optional;
};
struct transfer_layer {
        const char *diff_id, *name;
        int64_t size;
};
struct transfer_image {
        const char *id, *manifest, *architecture, *os, *variant;
        int64_t created, created_ns, size;
        struct transfer_layer *layers;
        size_t n_layers;
        struct transfer_blob *blobs;
        size_t n_blobs;
        const char **names, **repo_digests, **labels;
        size_t n_names, n_repo_digests, n_labels;
};

/* Progress of one thing: a layer by its short digest, or a line that concerns the whole (id NULL). */
struct transfer_progress {
        const char *id;     /* "3b65ec22a9e9", the tag, or NULL */
        const char *status; /* docker's words: "Pulling fs layer", "Downloading", "Extracting", "Pull complete" … */
        int64_t current, total; /* bytes; total 0: no bar */
};

/* What the engine does with what comes. */
struct transfer_events {
        void (*progress)(void *context, const struct transfer_progress *p);
        int (*lease)(void *context, const struct digest *items, size_t n_items, struct cor_err *err);
        int (*image)(void *context, const struct image_row *image, struct cor_err *err);
        void (*text)(void *context, const char *text, size_t n);
        void *context;
};

/**
 * transfer_run() - start coracle-transfer, hand it @request, and serve it to its end
 * @input, @output: descriptors for the archive that load and import read and save writes; -1: none
 *
 * The error is the job's own. The process has a process group of its own: what ends the caller (Ctrl-C, say) ends the
 * conversation, and the job stops by itself.
 */
int transfer_run(const struct transfer_request *request, int input, int output, const struct transfer_events *events,
                 struct cor_err *err) COR_MUST_CHECK;

#endif
