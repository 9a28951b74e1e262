#include "cli/coracle/settings.h"

#include "base/file.h"

#include <string.h>

enum { CONFIG_MAX_BYTES = 4 << 20 };

#define P struct settings_proxy
static const struct cor_json_field proxy_fields[] = {
        COR_FIELD("httpProxy", STR, P, http, 0), COR_FIELD("httpsProxy", STR, P, https, 0),
        COR_FIELD("ftpProxy", STR, P, ftp, 0),   COR_FIELD("noProxy", STR, P, no, 0),
        COR_FIELD("allProxy", STR, P, all, 0),
};
static const struct cor_json_doc proxy_doc = COR_DOC(P, proxy_fields, NULL);

#define S struct settings
static const struct cor_json_field settings_fields[] = {
        COR_FIELD("detachKeys", STR, S, detach_keys, 0),
        COR_FIELD("psFormat", STR, S, ps_format, 0),
        COR_FIELD("statsFormat", STR, S, stats_format, 0),
        COR_FIELD("volumesFormat", STR, S, volumes_format, 0),
        COR_FIELD("networksFormat", STR, S, networks_format, 0),
        COR_FIELD_LIST_OF("proxies", MAP_OBJ, S, proxies, n_proxies, &proxy_doc, 0),
};
static const struct cor_json_doc settings_doc = COR_DOC(S, settings_fields, NULL);

int settings_load(struct settings **ret, struct cor_err *err)
{
        const char *folder = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
        auto_str path = folder && *folder ? cor_printf("%s/config.json", folder)
                                          : cor_printf("%s/.docker/config.json", home ? home : "");
        struct cor_err why = { 0 };
        auto_str text = NULL;
        size_t n;

        if (cor_read_file(path, CONFIG_MAX_BYTES, &text, &n, &why) < 0) {
                if (why.kind != COR_NOT_FOUND && why.kind != COR_DENIED)
                        return cor_fail(err, why.kind, "%s", why.msg);
                return cor_json_parse(&settings_doc, "{}", 2, NULL, ret, err);
        }
        return cor_json_parse(&settings_doc, text, n, path, ret, err);
}
