#include "cni/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *const cni_verb_words[] = { "ADD", "DEL", "CHECK", "STATUS", "GC", NULL };

int cni_fail(struct cni_call *c, enum cni_code code, struct cor_err *err, const char *fmt, ...)
{
        char text[sizeof err->msg];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        c->code = (int)code;
        return cor_fail(err, COR_INVALID, "%s", text);
}

int cni_code_of(const struct cni_call *c, const struct cor_err *err)
{
        if (c->code)
                return c->code;
        switch (err->kind) {
        case COR_INVALID:
                return CNI_CODE_CONFIG;
        case COR_BUSY:
        case COR_TIMEOUT:
                return CNI_CODE_TRY_AGAIN;
        default:
                return CNI_CODE_INTERNAL;
        }
}

int cni_load(struct cni_call *c, const struct cor_json_doc *doc, void *ret, struct cor_err *err)
{
        if (cor_json_parse(doc, c->input, c->input_len, NULL, ret, err) == 0)
                return 0;
        if (!c->code)
                c->code = CNI_CODE_DECODE;
        return -1;
}

int cni_previous(struct cni_call *c, struct cni_result **ret, struct cor_err *err)
{
        const char *text = c->config->prev_result;

        if (!text)
                return cni_fail(c, CNI_CODE_CONFIG, err, "prevResult: required key is missing");
        if (cni_result_parse(c->version, text, strlen(text), "prevResult", ret, err) == 0)
                return 0;
        c->code = CNI_CODE_DECODE;
        return -1;
}

static bool is_among(const char *word, const char *const words[])
{
        for (size_t i = 0; words[i]; i++)
                if (strcmp(words[i], word) == 0)
                        return true;
        return false;
}

static bool is_true(const char *s)
{
        return strcmp(s, "1") == 0 || strcasecmp(s, "true") == 0;
}

int cni_argument(struct cni_call *c, const char *const known[], const char *key, char **ret, struct cor_err *err)
{
        auto_str text = cor_strdup(c->args);
        auto_str found = NULL;
        const char *unknown = NULL;
        bool ignore = false;
        char *cursor = text;

        *ret = NULL;
        if (!c->args[0])
                return 0;
        for (char *pair; (pair = cor_split_next(&cursor, ';'));) {
                char *value = strchr(pair, '=');

                if (!value)
                        return cni_fail(c, CNI_CODE_ENVIRONMENT, err, "CNI_ARGS: \"%.64s\" is no KEY=VALUE", pair);
                *value++ = '\0';
                if (strcmp(pair, "IgnoreUnknown") == 0)
                        ignore = is_true(value);
                else if (strcmp(pair, key) == 0) {
                        free(found);
                        found = cor_strdup(value);
                } else if (!is_among(pair, known))
                        unknown = pair;
        }
        if (unknown && !ignore)
                return cni_fail(c, CNI_CODE_ENVIRONMENT, err,
                                "CNI_ARGS: unknown key \"%.64s\" (IgnoreUnknown=1 would let it pass)", unknown);
        *ret = COR_TAKE(found);
        return 0;
}

bool cni_is_attached(const struct cni_call *c, const char *container_id, const char *ifname)
{
        for (size_t i = 0; i < c->config->n_attachments; i++) {
                const struct cni_attachment *a = &c->config->attachments[i];

                if (strcmp(a->container_id, container_id) == 0 && (!ifname || strcmp(a->ifname, ifname) == 0))
                        return true;
        }
        return false;
}

const struct cni_plugin *cni_plugin_find(const char *name)
{
        for (const struct cni_plugin *p = cni_plugins; p->name; p++)
                if (strcmp(p->name, name) == 0)
                        return p;
        return NULL;
}

int cni_plugin_run(const struct cni_plugin *p, struct cni_call *c, struct cni_result **ret_result, struct cor_err *err)
{
        int (*const verbs[])(struct cni_call *, struct cor_err *) = {
                [CNI_DEL] = p->del,
                [CNI_CHECK] = p->check,
                [CNI_STATUS] = p->status,
                [CNI_GC] = p->gc,
        };

        if (c->verb == CNI_ADD)
                return p->add(c, ret_result, err);
        return verbs[c->verb] ? verbs[c->verb](c, err) : 0;
}
