#include "spec/registry.h"

static const struct cor_json_field token_answer_fields[] = {
        COR_FIELD("token", STR, struct token_answer, token, 0),
        COR_FIELD("access_token", STR, struct token_answer, access_token, 0),
        COR_FIELD("refresh_token", STR, struct token_answer, refresh_token, 0),
        COR_FIELD("expires_in", OPT_I64, struct token_answer, expires_in, 0),
};
const struct cor_json_doc token_answer_doc = COR_DOC(struct token_answer, token_answer_fields, NULL);

static const struct cor_json_field problem_item_fields[] = {
        COR_FIELD("code", STR, struct problem_item, code, 0),
        COR_FIELD("message", STR, struct problem_item, message, 0),
        COR_FIELD("detail", RAW, struct problem_item, detail, 0),
};
static const struct cor_json_doc problem_item_doc = COR_DOC(struct problem_item, problem_item_fields, NULL);
static const struct cor_json_field problem_answer_fields[] = {
        COR_FIELD_LIST_OF("errors", LIST_OBJ, struct problem_answer, errors, n_errors, &problem_item_doc, 0),
        COR_FIELD("details", STR, struct problem_answer, details, 0),
        COR_FIELD("message", STR, struct problem_answer, message, 0),
        COR_FIELD("error", STR, struct problem_answer, error, 0),
        COR_FIELD("error_description", STR, struct problem_answer, error_description, 0),
};
const struct cor_json_doc problem_answer_doc = COR_DOC(struct problem_answer, problem_answer_fields, NULL);

static const struct cor_json_field docker_auth_fields[] = {
        COR_FIELD("auth", STR, struct docker_auth, auth, 0),
        COR_FIELD("username", STR, struct docker_auth, username, 0),
        COR_FIELD("password", STR, struct docker_auth, password, 0),
        COR_FIELD("identitytoken", STR, struct docker_auth, identity_token, 0),
        COR_FIELD("registrytoken", STR, struct docker_auth, registry_token, 0),
};
static const struct cor_json_doc docker_auth_doc = {
        .size = sizeof(struct docker_auth),
        .fields = docker_auth_fields,
        .n_fields = COR_COUNT(docker_auth_fields),
        .keep_extra = true,
        .extra_offset = offsetof(struct docker_auth, extra),
};
static const struct cor_json_field docker_config_fields[] = {
        COR_FIELD_LIST_OF("auths", MAP_OBJ, struct docker_client, auths, n_auths, &docker_auth_doc, COR_JSON_ALWAYS),
        COR_FIELD("credsStore", STR, struct docker_client, creds_store, 0),
        COR_FIELD_LIST("credHelpers", MAP_STR, struct docker_client, cred_helpers, n_cred_helpers, 0),
};
const struct cor_json_doc docker_client_doc = {
        .size = sizeof(struct docker_client),
        .fields = docker_config_fields,
        .n_fields = COR_COUNT(docker_config_fields),
        .keep_extra = true,
        .extra_offset = offsetof(struct docker_client, extra),
};

static const struct cor_json_field helper_credentials_fields[] = {
        COR_FIELD("ServerURL", STR, struct helper_credentials, server_url, COR_JSON_ALWAYS),
        COR_FIELD("Username", STR, struct helper_credentials, username, COR_JSON_ALWAYS),
        COR_FIELD("Secret", STR, struct helper_credentials, secret, COR_JSON_ALWAYS),
};
const struct cor_json_doc helper_credentials_doc = COR_DOC(struct helper_credentials, helper_credentials_fields, NULL);

static const struct cor_json_field daemon_config_fields[] = {
        COR_FIELD_LIST("registry-mirrors", LIST_STR, struct daemon_config, mirrors, n_mirrors, 0),
        COR_FIELD_LIST("insecure-registries", LIST_STR, struct daemon_config, insecure, n_insecure, 0),
        COR_FIELD("max-concurrent-downloads", OPT_U32, struct daemon_config, max_downloads, 0),
        COR_FIELD("max-concurrent-uploads", OPT_U32, struct daemon_config, max_uploads, 0),
        COR_FIELD("max-download-attempts", OPT_U32, struct daemon_config, max_attempts, 0),
        COR_FIELD("image-max-ratio", OPT_U32, struct daemon_config, image_ratio, 0),
        COR_FIELD("image-max-entries", OPT_U64, struct daemon_config, image_entries, 0),
        COR_FIELD("image-max-layer-size", STR, struct daemon_config, image_bytes, 0),
        COR_FIELD("userns-remap", STR, struct daemon_config, userns_remap, 0),
};
const struct cor_json_doc daemon_config_doc = COR_DOC(struct daemon_config, daemon_config_fields, NULL);

static const struct cor_json_field referrer_fields[] = {
        COR_FIELD("mediaType", STR, struct referrer, media_type, COR_JSON_REQUIRED),
        COR_FIELD("digest", STR, struct referrer, digest, COR_JSON_REQUIRED),
        COR_FIELD("size", U64, struct referrer, size, COR_JSON_REQUIRED | COR_JSON_ALWAYS),
        COR_FIELD("artifactType", STR, struct referrer, artifact_type, 0),
};
static const struct cor_json_doc referrer_doc = {
        .size = sizeof(struct referrer),
        .fields = referrer_fields,
        .n_fields = COR_COUNT(referrer_fields),
        .keep_extra = true,
        .extra_offset = offsetof(struct referrer, extra),
};
static const struct cor_json_field referrers_fields[] = {
        COR_FIELD("schemaVersion", U32, struct referrers, schema_version, COR_JSON_ALWAYS),
        COR_FIELD("mediaType", STR, struct referrers, media_type, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("manifests", LIST_OBJ, struct referrers, manifests, n_manifests, &referrer_doc,
                          COR_JSON_ALWAYS),
};
const struct cor_json_doc referrers_doc = {
        .size = sizeof(struct referrers),
        .fields = referrers_fields,
        .n_fields = COR_COUNT(referrers_fields),
        .keep_extra = true,
        .extra_offset = offsetof(struct referrers, extra),
};
