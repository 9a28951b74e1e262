#include "registry/names.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { KNOWN_MS = 60000, UNKNOWN_MS = 1000, NAMES_MAX = 256 };

#ifndef CURLU_PUNYCODE /* libcurl before 7.88: hosts that are not ASCII are then not found */
#define CURLU_PUNYCODE 0
#endif

struct name {
        char *host, *addresses; /* NULL: asked for */
        int64_t until;
};

struct names {
        struct broker *broker;
        struct name *items;
        size_t n_items;
};

struct names *names_new(struct broker *b)
{
        struct names *n = cor_alloc(sizeof *n);

        n->broker = b;
        return n;
}

static void name_done(struct name *x)
{
        free(x->host);
        free(x->addresses);
}

static void forget(struct names *n, struct name *x)
{
        name_done(x);
        *x = n->items[--n->n_items];
}

void names_free(struct names *n)
{
        if (!n)
                return;
        for (size_t i = 0; i < n->n_items; i++)
                name_done(&n->items[i]);
        free(n->items);
        free(n);
}

int names_fd(const struct names *n)
{
        return broker_fd(n->broker);
}

int names_step(struct names *n, int64_t now_ms, struct cor_err *err)
{
        char *host, *addresses;
        int r;

        while ((r = broker_next_name(n->broker, &host, &addresses, err)) == 1) {
                for (size_t i = 0; i < n->n_items; i++)
                        if (!n->items[i].addresses && strcmp(n->items[i].host, host) == 0) {
                                n->items[i].addresses = COR_TAKE(addresses);
                                n->items[i].until = now_ms + (*n->items[i].addresses ? KNOWN_MS : UNKNOWN_MS);
                                break;
                        }
                free(host);
                free(addresses);
        }
        return r;
}

static struct name *lookup(struct names *n, const char *host)
{
        for (size_t i = 0; i < n->n_items; i++)
                if (strcasecmp(n->items[i].host, host) == 0)
                        return &n->items[i];
        return NULL;
}

/* 1 with its addresses, 0 they are being asked for */
static int find(struct names *n, const char *host, int64_t now_ms, const char **ret, struct cor_err *err)
{
        struct name *x = lookup(n, host);

        if (x && x->addresses && now_ms >= x->until) {
                forget(n, x);
                x = NULL;
        }
        if (x) {
                *ret = x->addresses;
                return x->addresses != NULL;
        }
        for (size_t i = n->n_items; i-- > 0 && n->n_items >= NAMES_MAX;) /* more than a transfer could ever need */
                if (n->items[i].addresses)
                        forget(n, &n->items[i]);
        if (broker_ask_name(n->broker, host, err) < 0)
                return -1;
        *COR_GROW(n->items, n->n_items) = (struct name){ .host = cor_strdup(host) };
        return 0;
}

/* --------------------------------------------------------------------------------------------------- what is needed */

/* Host and port as libcurl reads them out of a URL; false: there is nothing to look up. */
static bool take_apart(const char *url, unsigned flags, const char *port_otherwise, char **ret_host, char **ret_port)
{
        CURLU *u = curl_url();
        char *host = NULL, *port = NULL;
        unsigned char number[16];
        bool named = curl_url_set(u, CURLUPART_URL, url, flags | CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
                     curl_url_get(u, CURLUPART_HOST, &host, CURLU_PUNYCODE) == CURLUE_OK && host[0] != '[' &&
                     inet_pton(AF_INET, host, number) != 1 && strcasecmp(host, "localhost") != 0;

        if (named && curl_url_get(u, CURLUPART_PORT, &port, port_otherwise ? 0 : CURLU_DEFAULT_PORT) != CURLUE_OK)
                port = NULL;
        if (named) {
                *ret_host = cor_strdup(host);
                *ret_port = cor_strdup(port ? port : port_otherwise ? port_otherwise : "443");
        }
        curl_free(host);
        curl_free(port);
        curl_url_cleanup(u);
        return named;
}

long names_proxy_port(const char *url)
{
        return strncasecmp(url, "socks", 5) == 0 ? 1080 : strncasecmp(url, "https:", 6) == 0 ? 443 : 80;
}

/* One more line of the list: 1, 0 its name is being asked for. */
static int add(struct names *n, const char *what, const char *host, const char *port, int64_t now_ms,
               struct curl_slist **list, struct cor_err *err)
{
        const char *addresses = NULL;
        auto_str line = NULL;
        int r = find(n, host, now_ms, &addresses, err);

        if (r <= 0)
                return r;
        if (!*addresses)
                return cor_fail(err, COR_NOT_FOUND, "Could not resolve %s: %s", what, host);
        line = cor_printf("+%s:%s:%s", host, port, addresses);
        *list = curl_slist_append(*list, line);
        return 1;
}

int names_find(struct names *n, const char *url, const char *proxy, int64_t now_ms, struct curl_slist **ret,
               struct cor_err *err)
{
        struct curl_slist *list = NULL;
        auto_str host = NULL;
        auto_str port = NULL;
        auto_str proxy_host = NULL;
        auto_str proxy_port = NULL;
        /* a proxy looks up names itself, but for the two kinds that are given addresses */
        bool ours = !proxy || strncasecmp(proxy, "socks4:", 7) == 0 || strncasecmp(proxy, "socks5:", 7) == 0;
        int r = 1;

        if (proxy) {
                auto_str otherwise = cor_printf("%ld", names_proxy_port(proxy));

                if (take_apart(proxy, CURLU_GUESS_SCHEME, otherwise, &proxy_host, &proxy_port))
                        r = add(n, "proxy", proxy_host, proxy_port, now_ms, &list, err);
        }
        if (r == 1 && ours && take_apart(url, 0, NULL, &host, &port))
                r = add(n, "host", host, port, now_ms, &list, err);
        if (r == 1)
                *ret = list;
        else
                curl_slist_free_all(list);
        return r;
}
