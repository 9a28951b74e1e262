#ifndef CORACLE_ENGINE_IMAGE_H
#define CORACLE_ENGINE_IMAGE_H
/* What can be done with images: pull, push, load, save, import, and the verbs that need the store only. */
#include "engine/engine.h"
#include "image/transfer.h"
#include "spec/image.h"

/* How far it is; called from within the verb. May be NULL. */
struct engine_progress {
        void (*update)(void *context, const struct transfer_progress *p);
        void *context;
};

struct image_pull {
        const char *reference; /* as the user wrote it */
        const char *platform;
        bool all_tags;
        bool discard;
};
struct image_pulled {
        struct digest digest; /* of what the name stands for: "Digest: sha256:…" */
        bool newer;           /* the image was not here under this name before */
        char *full;           /* "docker.io/library/debian:12" */
};
void image_pulled_done(struct image_pulled *p);
#define auto_image_pulled COR_CLEANUP(image_pulled_done) struct image_pulled
int engine_pull(struct engine *e, const struct image_pull *p, const struct engine_progress *progress,
                struct image_pulled *ret, struct cor_err *err) COR_MUST_CHECK;
int engine_push(struct engine *e, const char *reference, const char *platform, bool all_tags,
                const struct engine_progress *progress, struct cor_err *err) COR_MUST_CHECK;
/* engine_load() - each image's name or id to @loaded as docker says it ("Loaded image: x:latest") */
int engine_load(struct engine *e, int input, const char *platform, const struct engine_progress *progress,
                void (*loaded)(void *context, const char *line), void *context, struct cor_err *err) COR_MUST_CHECK;
/*
 * engine_load_builtin() - the image that comes with the installation under @name, "hello": put it into the store. 1 if
 * it is there now, 0 if there is none of that name, or none for @platform (NULL: any). Whoever has an image of that
 * name is not to be asked: call it once there is none.
 */
int engine_load_builtin(struct engine *e, const char *name, const char *platform, struct cor_err *err) COR_MUST_CHECK;
int engine_save(struct engine *e, char *const *names, size_t n_names, const char *platform, bool oci, int output,
                struct cor_err *err) COR_MUST_CHECK;

struct image_import {
        const char *reference, *message, *platform;
        const char *url; /* http or https, in place of the input; NULL: none */
        char *const *changes;
        size_t n_changes;
};
int engine_import(struct engine *e, int input, const struct image_import *i, const struct engine_progress *progress,
                  struct digest *ret_id, struct cor_err *err) COR_MUST_CHECK;

/* An image with one layer more, whose archive is @input; *ret_id. The image below has to be here, whole. */
struct image_commit {
        const struct image_row *base;
        const char *reference, *author, *message;
        const char *command, *config; /* of the container: in one line, and its Config as JSON */
        char *const *changes;
        size_t n_changes;
};
int engine_commit_image(struct engine *e, int input, const struct image_commit *c, struct digest *ret_id,
                        struct cor_err *err) COR_MUST_CHECK;

/* A manifest or index as a registry has it. */
struct remote_manifest {
        char *media_type, *text;
        size_t n; /* bytes of text */
        struct digest digest;
        char *config; /* of the image, if it was asked for; NULL for an index */
};
void remote_manifest_done(struct remote_manifest *m);
#define auto_remote_manifest COR_CLEANUP(remote_manifest_done) struct remote_manifest
/*
 * engine_manifest() - `manifest inspect`: ask the registry; @insecure: plain http and unknown certificates will do;
 * @with_config: and for the configuration of the image
 */
int engine_manifest(struct engine *e, const char *reference, bool insecure, bool with_config,
                    struct remote_manifest *ret, struct cor_err *err) COR_MUST_CHECK;
struct transfer_manifest;
/*
 * engine_push_list() - push @list as @reference, which has a tag, and what it lists from other repositories of the same
 * registry; *ret says it in docker's words; free()
 */
int engine_push_list(struct engine *e, const char *reference, bool insecure, struct transfer_manifest *list,
                     struct transfer_manifest *manifests, size_t n_manifests, char **ret, struct cor_err *err)
        COR_MUST_CHECK;
/*
 * engine_login() - ask registry @domain whether the credentials are good; *ret_token an identity token, or empty;
 * free(). Storing them is registry_auth_store()'s.
 */
int engine_login(struct engine *e, const char *domain, const char *user, const char *password, char **ret_token,
                 struct cor_err *err) COR_MUST_CHECK;
/* engine_search() - docker's v1 search: JSON as it came; free() *ret */
int engine_search(struct engine *e, const char *domain, const char *term, unsigned limit, char **ret,
                  struct cor_err *err) COR_MUST_CHECK;

/* Filters as docker's: dangling, label, before, since, until, reference. */
struct image_filter {
        char **items; /* "KEY=VALUE" */
        size_t n_items;
};
/* engine_images() - those that pass @filter and, if given, match @reference (a name, or one with wildcards) */
int engine_images(struct engine *e, const struct image_filter *filter, const char *reference, struct image_list *ret,
                  struct cor_err *err) COR_MUST_CHECK;
/* engine_image() - by name, id or beginning of an id, with layers and blobs; NOT_FOUND "No such image: x" */
int engine_image(struct engine *e, const char *name, struct image_row *ret, struct cor_err *err) COR_MUST_CHECK;
/* engine_image_config() - its configuration, parsed; cor_json_free(). *ret_text (may be NULL): the bytes; free() */
int engine_image_config(struct engine *e, const struct image_row *i, struct image_config **ret, char **ret_text,
                        struct cor_err *err) COR_MUST_CHECK;
int engine_tag(struct engine *e, const char *source, const char *target, struct cor_err *err) COR_MUST_CHECK;

/* What a removal did: "Untagged: x:latest" and "Deleted: sha256:…", in order. */
struct image_removed {
        struct cor_strv lines; /* each begins with "Untagged: " or "Deleted: " */
        int64_t bytes;         /* given back to the disk */
};
void image_removed_done(struct image_removed *r);
#define auto_image_removed COR_CLEANUP(image_removed_done) struct image_removed
int engine_remove_image(struct engine *e, const char *name, const char *platform, bool force, bool no_prune,
                        struct image_removed *ret, struct cor_err *err) COR_MUST_CHECK;
/* engine_prune_images() - dangling ones, or with @all every one that no container uses */
int engine_prune_images(struct engine *e, bool all, const struct image_filter *filter, struct image_removed *ret,
                        struct cor_err *err) COR_MUST_CHECK;

/* `system check`. */
struct check_finding {
        char *what;    /* "blob sha256:…: its bytes have another digest" */
        bool repaired; /* (with repair) it is whole again, or was dangling and is gone */
};
struct check_report {
        struct check_finding *items;
        size_t n_items;
        int64_t blobs, layers, images, containers; /* looked at */
};
void check_report_done(struct check_report *r);
#define auto_check_report COR_CLEANUP(check_report_done) struct check_report
int engine_check(struct engine *e, bool repair, const struct engine_progress *progress, struct check_report *ret,
                 struct cor_err *err) COR_MUST_CHECK;

/* engine_image_event() - note for `events` what was done to @i; @full: the name that it was done by, NULL: its id */
struct image_row;
void engine_image_event(struct engine *e, const struct image_row *i, const char *action, const char *full);

#endif
