#ifndef CORACLE_REGISTRY_BROKER_H
#define CORACLE_REGISTRY_BROKER_H
/*
 * The process that speaks with registries is confined (image/confine.h): it executes nothing, loads nothing, and opens
 * no file of the machine. The broker is forked before that and does for it the two things that need these:
 *
 *      names         the addresses of a host, by the machine's resolver (nsswitch.conf: files, DNS, daemons, modules)
 *      credentials   of docker's config.json or a helper program; only for the domains it was started with, so that
 *                    whoever takes the other process over gets those of the registry it speaks with, and no more
 *
 * It hears that one process and nobody else. Each question is answered by a child, so that a slow name server or a
 * helper that asks a person delays no other. One socket pair, SOCK_SEQPACKET; the broker ends with its other side.
 */
#include "registry/config.h"

struct broker;

/* broker_start() - fork it, from a process with one thread; @config is borrowed, @domains are copied. broker_free() */
int broker_start(const struct registry_config *config, const struct cor_strv *domains, struct broker **ret,
                 struct cor_err *err) COR_MUST_CHECK;
void broker_free(struct broker *b);
/* broker_fd() - readable when an answer has come */
int broker_fd(const struct broker *b);

/* broker_ask_name() - ask for the addresses of @host; the answer comes by broker_next_name() */
int broker_ask_name(struct broker *b, const char *host, struct cor_err *err) COR_MUST_CHECK;
/*
 * broker_next_name() - an answer, without waiting: 1 with *ret_host and *ret_addresses ("127.0.0.1,::1"; empty: there
 * are none; both free()), 0 if none has come
 */
int broker_next_name(struct broker *b, char **ret_host, char **ret_addresses, struct cor_err *err) COR_MUST_CHECK;
/* broker_credentials() - registry_auth_find() by the broker; BUSY when the configuration's wake_fd is readable first */
int broker_credentials(struct broker *b, const char *domain, struct registry_auth *ret, struct cor_err *err)
        COR_MUST_CHECK;

#endif
