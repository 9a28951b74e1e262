#include "registry/http_setup.h"
#include "registry/names.h"
#include "registry/proxy.h"
#include <string.h>

static void set_trust(CURL *e, const struct http_trust *t)
{
        struct curl_blob blob = { .flags = CURL_BLOB_COPY };

        if (t->skip_verify) {
                curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
                curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
        }
        if (t->ca) {
                blob.data = t->ca;
                blob.len = strlen(t->ca);
                curl_easy_setopt(e, CURLOPT_CAINFO_BLOB, &blob);
        }
        if (t->cert && t->key) {
                blob.data = t->cert;
                blob.len = strlen(t->cert);
                curl_easy_setopt(e, CURLOPT_SSLCERT_BLOB, &blob);
                blob.data = t->key;
                blob.len = strlen(t->key);
                curl_easy_setopt(e, CURLOPT_SSLKEY_BLOB, &blob);
        }
}

/* libcurl's own look at the environment differs from what Go programs do with it (upper case, networks): ours decides.
 */
char *http_setup_proxy(const char *url, const struct http_trust *trust)
{
        return trust && trust->proxy ? cor_strdup(trust->proxy) : proxy_for(url);
}

static void set_proxy(CURL *e, const char *url, const struct http_trust *t)
{
        auto_str chosen = http_setup_proxy(url, t);

        curl_easy_setopt(e, CURLOPT_PROXY, chosen ? chosen : "");
        curl_easy_setopt(e, CURLOPT_NOPROXY, "");
        if (chosen)
                curl_easy_setopt(e, CURLOPT_PROXYPORT, names_proxy_port(chosen));
}

void http_setup(CURL *e, const char *url, const struct http_trust *trust)
{
        static const struct http_trust none;
        const struct http_trust *t = trust ? trust : &none;

        curl_easy_setopt(e, CURLOPT_URL, url);
        curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(e, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
        curl_easy_setopt(e, CURLOPT_HTTP09_ALLOWED, 0L);
        curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
        curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
        curl_easy_setopt(e, CURLOPT_BUFFERSIZE, 256L * 1024);
        curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(t->dial_ms > 0 ? t->dial_ms : 30000));
        curl_easy_setopt(e, CURLOPT_USERAGENT, "coracle/" CORACLE_VERSION);
        set_trust(e, t);
        set_proxy(e, url, t);
}

enum http_end http_setup_end(CURLcode code)
{
        switch (code) {
        case CURLE_OK:
                return HTTP_WHOLE;
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_CONNECT:
        case CURLE_PROXY:
                return HTTP_UNREACHABLE;
        case CURLE_SSL_CONNECT_ERROR:
                return HTTP_NOT_TLS;
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_INVALIDCERTSTATUS:
                return HTTP_UNTRUSTED;
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_URL_MALFORMAT:
        case CURLE_OUT_OF_MEMORY:
        case CURLE_LOGIN_DENIED:
                return HTTP_REFUSED;
        default:
                return HTTP_CUT;
        }
}
