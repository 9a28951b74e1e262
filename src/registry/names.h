#ifndef CORACLE_REGISTRY_NAMES_H
#define CORACLE_REGISTRY_NAMES_H
/*
 * Names of hosts for libcurl, where the process itself may not look them up: asked of the broker, remembered for a
 * while, and handed to each transfer (CURLOPT_RESOLVE), which then looks up nothing. For http.c alone.
 */
#include "registry/broker.h"
#include <curl/curl.h>

struct names;

struct names *names_new(struct broker *b); /* borrows it */
void names_free(struct names *n);
int names_fd(const struct names *n); /* readable when an answer has come */
/* names_step() - take the answers that have come; @now_ms is the clock by which they age */
int names_step(struct names *n, int64_t now_ms, struct cor_err *err) COR_MUST_CHECK;
/*
 * names_find() - what a transfer of @url by way of @proxy (NULL: none) has to know: 1 with *ret (maybe NULL), a list
 * that the caller frees; 0 something is being asked for; NOT_FOUND if a host has no address
 */
int names_find(struct names *n, const char *url, const char *proxy, int64_t now_ms, struct curl_slist **ret,
               struct cor_err *err) COR_MUST_CHECK;
/* names_proxy_port() - the port of proxy @url when it names none, as Go programs have it */
long names_proxy_port(const char *url);

#endif
