#include "registry/redirect.h"
#include "registry/address.h"
#include <curl/curl.h>
#include <string.h>

enum { URL_MAX_BYTES = 16 * 1024 };

/* No control characters: they would stand in the request. */
static bool is_clean(const char *s)
{
        for (; *s; s++)
                if ((unsigned char)*s < ' ' || *s == 0x7f)
                        return false;
        return true;
}

int redirect_resolve(const char *base, const char *location, char **ret, struct cor_err *err)
{
        auto_address a = ADDRESS_INIT;
        CURLU *u = curl_url();
        char *url = NULL;
        CURLUcode code;

        code = curl_url_set(u, CURLUPART_URL, base, 0);
        if (code == CURLUE_OK)
                code = strlen(location) <= URL_MAX_BYTES && is_clean(location)
                               ? curl_url_set(u, CURLUPART_URL, location, CURLU_DISALLOW_USER)
                               : CURLUE_MALFORMED_INPUT;
        if (code == CURLUE_OK)
                code = curl_url_get(u, CURLUPART_URL, &url, 0);
        if (code == CURLUE_OK && address_of_url(url, &a) == 0)
                *ret = cor_strdup(url);
        else
                cor_fail(err, COR_INVALID, "the registry sends to '%.150s': expected an http or https URL", location);
        curl_free(url);
        curl_url_cleanup(u);
        return a.host ? 0 : -1;
}

time_t redirect_date(const char *s)
{
        return curl_getdate(s, NULL);
}
