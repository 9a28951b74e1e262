#ifndef CORACLE_REGISTRY_PROXY_H
#define CORACLE_REGISTRY_PROXY_H
/*
 * Proxies by the environment, as Go programs (docker, containerd) read it: HTTP_PROXY for http, HTTPS_PROXY for https,
 * each also in lower case; NO_PROXY lists what is reached directly: names (with all below them), ".below", addresses,
 * networks (10.0.0.0/8), each with an optional port, or "*". The machine itself is always reached directly.
 */
#include <stdbool.h>

/* proxy_for() - the proxy for @url, or NULL for none; free() */
char *proxy_for(const char *url);
/* proxy_bypasses() - the list @no_proxy names @host (without brackets) at @port */
bool proxy_bypasses(const char *no_proxy, const char *host, int port);
/* network_holds() - @network is an address or an address/bits that holds address @host */
bool network_holds(const char *network, const char *host);
/* host_is_loopback() - localhost, below it, or a loopback address; @host without brackets */
bool host_is_loopback(const char *host);

#endif
