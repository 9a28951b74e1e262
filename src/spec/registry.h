#ifndef CORACLE_SPEC_REGISTRY_H
#define CORACLE_SPEC_REGISTRY_H
/*
 * The documents around registries: what they and their token servers answer (distribution-spec 1.1, "Error Codes";
 * Docker Registry v2 authentication, OAuth 2), docker's config.json with its credential helpers, and the rows of
 * daemon.json that concern registries.
 */
#include "base/json.h"

/* What a token server answers. */
struct token_answer {
        const char *token, *access_token; /* two names of the same */
        const char *refresh_token;
        struct cor_opt_i64 expires_in; /* seconds; 60 when absent */
};

/* One entry of "errors". */
struct problem_item {
        const char *code, *message;
        const char *detail; /* any JSON */
};
/* What a registry or a token server answers when it refuses. */
struct problem_answer {
        struct problem_item *errors;
        size_t n_errors;
        const char *details, *message;         /* of Docker Hub's token server, and others */
        const char *error, *error_description; /* of OAuth 2 */
};

/* One registry's entry in docker's config.json; what is not named here is kept. */
struct docker_auth {
        const char *key;
        const char *auth; /* base64 of USER:PASSWORD */
        const char *username, *password;
        const char *identity_token, *registry_token;
        const char *extra;
};
struct docker_client {
        struct docker_auth *auths;
        size_t n_auths;
        const char *creds_store;
        struct cor_pair *cred_helpers; /* registry -> helper */
        size_t n_cred_helpers;
        const char *extra;
};

/* What a credential helper reads and writes. */
struct helper_credentials {
        const char *server_url, *username, *secret;
};

/* daemon.json. */
struct daemon_config {
        const char **mirrors, **insecure;
        size_t n_mirrors, n_insecure;
        struct cor_opt_u64 max_downloads, max_uploads, max_attempts;
        struct cor_opt_u64 image_ratio, image_entries; /* ours, as the next: docker has no such limits */
        const char *image_bytes;                       /* "20g" */
        const char *userns_remap;                      /* the engine's concern */
};

/* A page of referrers, or the index behind the fallback tag: the descriptors as they came. */
struct referrer {
        const char *media_type, *digest, *artifact_type;
        uint64_t size;
        const char *extra; /* annotations and whatever else */
};
struct referrers {
        uint32_t schema_version;
        const char *media_type;
        struct referrer *manifests;
        size_t n_manifests;
        const char *extra;
};

extern const struct cor_json_doc token_answer_doc, problem_answer_doc, docker_client_doc, helper_credentials_doc,
        daemon_config_doc, referrers_doc;

#endif
