#include "registry/problem.h"
#include "spec/registry.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct cor_word reasons[] = {
        { "Bad Request", 400 },
        { "Unauthorized", 401 },
        { "Payment Required", 402 },
        { "Forbidden", 403 },
        { "Not Found", 404 },
        { "Method Not Allowed", 405 },
        { "Not Acceptable", 406 },
        { "Proxy Authentication Required", 407 },
        { "Request Timeout", 408 },
        { "Conflict", 409 },
        { "Gone", 410 },
        { "Length Required", 411 },
        { "Precondition Failed", 412 },
        { "Content Too Large", 413 },
        { "Unsupported Media Type", 415 },
        { "Range Not Satisfiable", 416 },
        { "I'm a teapot", 418 },
        { "Misdirected Request", 421 },
        { "Unprocessable Content", 422 },
        { "Too Many Requests", 429 },
        { "Unavailable For Legal Reasons", 451 },
        { "Internal Server Error", 500 },
        { "Not Implemented", 501 },
        { "Bad Gateway", 502 },
        { "Service Unavailable", 503 },
        { "Gateway Timeout", 504 },
        { "Insufficient Storage", 507 },
        { NULL, 0 },
};

const char *problem_status(int status)
{
        return cor_word_of(reasons, status) ?: "unexpected status";
}

static enum cor_kind kind_of(int status)
{
        switch (status) {
        case 401:
        case 403:
        case 407:
                return COR_DENIED;
        case 404:
        case 410:
                return COR_NOT_FOUND;
        case 408:
        case 504:
                return COR_TIMEOUT;
        case 429:
        case 503:
                return COR_BUSY;
        case 405:
        case 501:
                return COR_UNSUPPORTED;
        default:
                return status >= 500 ? COR_SYSTEM : COR_INVALID;
        }
}

bool problem_is_html(const char *body, size_t n)
{
        size_t i = 0;

        if (n >= 3 && memcmp(body, "\xef\xbb\xbf", 3) == 0)
                i = 3;
        while (i < n && isspace((unsigned char)body[i]))
                i++;
        return i < n && body[i] == '<';
}

/* @s without what a terminal would act on. */
static void add_clean(struct cor_text *t, const char *s)
{
        for (; *s; s++)
                cor_text_add_c(t, (unsigned char)*s < ' ' || *s == 0x7f ? ' ' : *s);
}

/* MANIFEST_UNKNOWN is said "manifest unknown". */
static void add_code(struct cor_text *t, const char *code)
{
        for (; *code; code++)
                cor_text_add_c(t, isgraph((unsigned char)*code) && *code != '_' ? (char)tolower((unsigned char)*code)
                                                                                : ' ');
}

static void describe_item(const struct problem_item *item, struct cor_text *t)
{
        if (t->len)
                cor_text_add(t, "; ");
        if (item->code) {
                add_code(t, item->code);
                cor_text_add(t, item->message ? ": " : "");
        }
        add_clean(t, item->message ?: "");
}

static void mark(struct problem *p, const char *code)
{
        p->denied |= strcasecmp(code, "DENIED") == 0 || strcasecmp(code, "UNAUTHORIZED") == 0;
        p->name_unknown |= strcasecmp(code, "NAME_UNKNOWN") == 0;
        p->manifest_unknown |= strcasecmp(code, "MANIFEST_UNKNOWN") == 0 || strcasecmp(code, "NOT_FOUND") == 0;
        if (strcasecmp(code, "TOOMANYREQUESTS") == 0)
                p->kind = COR_BUSY;
}

/* The text of a document that could be read; empty if it says nothing. */
static void describe(const struct problem_answer *a, struct problem *p, struct cor_text *t)
{
        for (size_t i = 0; i < a->n_errors && i < 4; i++) {
                describe_item(&a->errors[i], t);
                mark(p, a->errors[i].code ?: "");
        }
        if (t->len)
                return;
        if (a->error) {
                add_code(t, a->error);
                cor_text_add(t, a->error_description ? ": " : "");
                add_clean(t, a->error_description ?: "");
        } else if (a->details || a->message) {
                cor_text_add(t, p->kind == COR_DENIED ? "unauthorized: " : "");
                add_clean(t, a->details ?: a->message);
        }
}

struct problem problem_read(int status, const char *body, size_t n)
{
        struct problem p = { .kind = kind_of(status), .denied = status == 401 || status == 403 };
        struct problem_answer *a = NULL;
        auto_text t = COR_TEXT_INIT;

        if (n && cor_json_parse(&problem_answer_doc, body, n, NULL, &a, NULL) == 0)
                describe(a, &p, &t);
        if (t.len == 0)
                cor_text_printf(&t, "%d %s%s", status, problem_status(status),
                                problem_is_html(body, n) ? " (an HTML page instead of a registry's answer)" : "");
        cor_json_free(a);
        snprintf(p.text, sizeof p.text, "%s", t.s);
        return p;
}
