#ifndef CORACLE_REGISTRY_HTTP_SETUP_H
#define CORACLE_REGISTRY_HTTP_SETUP_H
/* How libcurl's handles are set up, and what its results mean; for http.c alone. */
#include "registry/http.h"
#include <curl/curl.h>

void http_setup(CURL *easy, const char *url, const struct http_trust *trust);
/* http_setup_proxy() - the proxy by which @url is reached, or NULL; free() */
char *http_setup_proxy(const char *url, const struct http_trust *trust);
enum http_end http_setup_end(CURLcode code);

#endif
