#ifndef CORACLE_REGISTRY_CONFIG_H
#define CORACLE_REGISTRY_CONFIG_H
/*
 * How registries are reached: daemon.json (registry-mirrors, insecure-registries, max-concurrent-downloads, -uploads,
 * max-download-attempts; userns-remap for the engine), certs.d (docker's *.crt, *.cert and *.key, and containerd's
 * hosts.toml), proxies from the environment, and credentials from docker's config.json with its helpers. No libcurl
 * here: the command line uses it too.
 */
#include "base/alloc.h"
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

/* One place to ask, in order; the last one is the registry itself. */
struct registry_host {
        char *url; /* "https://mirror.example:5000", with the path prefix in front of /v2 if there is one */
        bool pull, resolve, push, skip_verify;
        bool override_path;  /* url is the whole root of the API: no /v2 behind it */
        bool plain_fallback; /* try http when https fails (insecure registry, loopback) */
        bool name_space;     /* it is asked in the registry's name (?ns=): another one of containerd's hosts */
        struct cor_strv ca;  /* files, in addition to the system's certificates */
        char *client_cert, *client_key; /* files; NULL: none; the same one twice if it holds both */
        char *proxy;                    /* NULL: by the environment */
        int dial_ms;                    /* for a connection to come about; 0: 30 s */
        struct cor_strv headers;        /* "Name: value" */
};

struct registry_auth {
        char *user, *password, *identity_token, *registry_token; /* NULL: not there */
};
void registry_auth_done(struct registry_auth *a);
#define auto_registry_auth COR_CLEANUP(registry_auth_done) struct registry_auth

struct registry_config {
        int max_downloads, max_uploads, max_attempts; /* 3, 5, 5 */
        unsigned image_ratio;                         /* archives of images: 1000; 0: any (image/limits.h) */
        int64_t image_entries, image_bytes;           /* 4 million, any; 0: any */
        struct cor_strv mirrors, insecure;            /* of daemon.json, and --insecure of the command line */
        struct cor_strv certs_dirs;                   /* in order of preference */
        char *userns_remap;                           /* "default", "USER", "USER:GROUP"; NULL: none */
        char *client_config;                          /* folder of config.json: $DOCKER_CONFIG or ~/.docker */
        int wake_fd;  /* whoever waits for an answer stops (BUSY) when this is readable; 0: nothing does that */
        int stall_ms; /* a transfer without a byte for so long is begun again; 0: 30 s */
};
/*
 * registry_config_load() - from the places of this user and system, all optional; a broken file is INVALID with its
 * place. Folders, the first one first: $COR_CONFIG alone if that is set; else ~/.config/coracle (not for root),
 * /etc/coracle, and those of containerd (certs.d only) and docker. The first daemon.json that is there holds.
 */
int registry_config_load(struct registry_config *ret, struct cor_err *err) COR_MUST_CHECK;
void registry_config_done(struct registry_config *c);
#define auto_registry_config COR_CLEANUP(registry_config_done) struct registry_config

/*
 * daemon_json_read() - the one that holds, for who knows other keys of it: 1, with its path and its text of *ret_n
 * bytes, both to be free()d; 0: there is none, or it is empty
 */
int daemon_json_read(char **ret_path, char **ret_text, size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;

/*
 * registry_config_hosts() - the places to ask for @domain, in order; free with registry_hosts_free(). hosts.toml
 * decides where there is one (errors name file and line); else docker's way: mirrors for docker.io, certificates by
 * certs.d, https. Not for the static programs: networks in `insecure` may need a name to be resolved.
 */
int registry_config_hosts(const struct registry_config *c, const char *domain, struct registry_host **ret,
                          size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;
void registry_hosts_free(struct registry_host *hosts, size_t n);

/*
 * Credentials of docker's config.json. docker.io's key is "https://index.docker.io/v1/". Helpers (credHelpers,
 * credsStore) are docker-credential-NAME in PATH; they run as the caller, with an end to the wait.
 */
int registry_auth_find(const struct registry_config *c, const char *domain, struct registry_auth *ret,
                       struct cor_err *err) COR_MUST_CHECK; /* 1 found, 0 none */
int registry_auth_store(const struct registry_config *c, const char *domain, const struct registry_auth *auth,
                        struct cor_err *err) COR_MUST_CHECK;
int registry_auth_erase(const struct registry_config *c, const char *domain, struct cor_err *err) COR_MUST_CHECK;

#endif
