#include "registry/trust.h"
#include "base/file.h"
#include "base/text.h"
#include <curl/curl.h>
#include <string.h>

enum { PEM_MAX_BYTES = 4 << 20 };

static int read_pem(const char *path, const char *what, char **ret, struct cor_err *err)
{
        auto_str text = NULL;
        size_t n;

        if (cor_read_file(path, PEM_MAX_BYTES, &text, &n, err) < 0)
                return cor_wrap(err, "%s", what);
        if (!strstr(text, "-----BEGIN "))
                return cor_fail(err, COR_INVALID, "%s %s: expected PEM (-----BEGIN …)", what, path);
        *ret = COR_TAKE(text);
        return 0;
}

/* libcurl takes given certificates in place of the system's: we want both. */
static void add_system(struct cor_text *all)
{
        const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
        const char *file = getenv("SSL_CERT_FILE");
        auto_str text = NULL;
        size_t n;

        if (!file && v->age >= CURLVERSION_SEVENTH)
                file = v->cainfo;
        if (file && cor_read_file(file, PEM_MAX_BYTES, &text, &n, NULL) == 0) {
                cor_text_add(all, text);
                cor_text_add_c(all, '\n');
        }
}

static int load_ca(const struct registry_host *h, char **ret, struct cor_err *err)
{
        auto_text all = COR_TEXT_INIT;

        if (h->ca.n_items == 0 && !getenv("SSL_CERT_FILE"))
                return 0;
        for (size_t i = 0; i < h->ca.n_items; i++) {
                auto_str text = NULL;

                if (read_pem(h->ca.items[i], "certificate authority", &text, err) < 0)
                        return -1;
                cor_text_add(&all, text);
                cor_text_add_c(&all, '\n');
        }
        add_system(&all);
        *ret = cor_text_take(&all);
        return 0;
}

int http_trust_load(const struct registry_host *h, struct http_trust *ret, struct cor_err *err)
{
        struct http_trust t = { .skip_verify = h->skip_verify, .dial_ms = h->dial_ms, .proxy = cor_strdup(h->proxy) };

        if (load_ca(h, &t.ca, err) < 0 ||
            (h->client_cert && read_pem(h->client_cert, "client certificate", &t.cert, err) < 0) ||
            (h->client_key && read_pem(h->client_key, "client key", &t.key, err) < 0)) {
                http_trust_done(&t);
                return -1;
        }
        *ret = t;
        return 0;
}

void http_trust_files(struct cor_strv *ret)
{
        /* a folder of certificates holds links to where packages and administrators keep them */
        static const char *const homes[] = { "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
                                             "/etc/pki/ca-trust", "/var/lib/ca-certificates" };
        const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);

        if (v->age < CURLVERSION_SEVENTH)
                return;
        if (v->cainfo)
                cor_strv_add(ret, v->cainfo);
        if (!v->capath)
                return;
        cor_strv_add(ret, v->capath);
        for (size_t i = 0; i < COR_COUNT(homes); i++)
                cor_strv_add(ret, homes[i]);
}
