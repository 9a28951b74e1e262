#include "registry/address.h"
#include "base/text.h"
#include <ctype.h>
#include <string.h>

void address_done(struct address *a)
{
        free(a->host);
        *a = (struct address)ADDRESS_INIT;
}

static int take_port(const char *s, int *ret)
{
        uint32_t port = 0;

        if (*s && (*s != ':' || cor_parse_u32(s + 1, &port) < 0 || port == 0 || port > 65535))
                return -1;
        *ret = (int)port;
        return 0;
}

int address_split(const char *s, struct address *ret)
{
        const char *host = s, *end;
        int port;

        if (*s == '[') {
                host = s + 1;
                end = strchr(host, ']');
                if (!end || take_port(end + 1, &port) < 0)
                        return -1;
        } else {
                end = s + strcspn(s, ":");
                if (take_port(end, &port) < 0)
                        return -1;
        }
        if (end == host || strcspn(host, "@/ \t\"\\?#%") < (size_t)(end - host))
                return -1;
        ret->host = cor_strndup(host, (size_t)(end - host));
        for (char *c = ret->host; *c; c++)
                *c = (char)tolower((unsigned char)*c);
        ret->port = port;
        return 0;
}

char *address_format(const struct address *a)
{
        bool v6 = strchr(a->host, ':') != NULL;
        auto_text t = COR_TEXT_INIT;

        cor_text_printf(&t, "%s%s%s", v6 ? "[" : "", a->host, v6 ? "]" : "");
        if (a->port)
                cor_text_printf(&t, ":%d", a->port);
        return cor_text_take(&t);
}

int address_of_url(const char *url, struct address *ret)
{
        const char *s = cor_starts_with(url, "https://") ? url + 8 : cor_starts_with(url, "http://") ? url + 7 : NULL;
        auto_str authority = s ? cor_strndup(s, strcspn(s, "/?#")) : NULL;

        return authority ? address_split(authority, ret) : -1;
}

bool address_same_origin(const char *url, const char *other, bool *ret_downgrade)
{
        auto_address a = ADDRESS_INIT, b = ADDRESS_INIT;
        bool a_https = cor_starts_with(url, "https:"), b_https = cor_starts_with(other, "https:");
        int a_port, b_port;

        if (address_of_url(url, &a) < 0 || address_of_url(other, &b) < 0)
                return false;
        a_port = a.port ? a.port : a_https ? 443 : 80;
        b_port = b.port ? b.port : b_https ? 443 : 80;
        if (ret_downgrade)
                *ret_downgrade = a_https && !b_https;
        if (a_https != b_https && !a.port && !b.port)
                return strcmp(a.host, b.host) == 0;
        return strcmp(a.host, b.host) == 0 && a_port == b_port;
}
