#include "registry/challenge.h"
#include "base/text.h"
#include <string.h>
#include <strings.h>

enum { CHALLENGES_MAX = 16 };

static void challenge_done(struct challenge *c)
{
        free(c->realm);
        free(c->service);
        free(c->scope);
        free(c->error);
}

void challenges_done(struct challenges *c)
{
        for (size_t i = 0; i < c->n_items; i++)
                challenge_done(&c->items[i]);
        free(c->items);
        *c = (struct challenges){ 0 };
}

/* "tchar" of RFC 9110 */
static bool is_token(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *skip_space(const char *s)
{
        while (*s == ' ' || *s == '\t')
                s++;
        return s;
}

static size_t token_len(const char *s)
{
        size_t n = 0;

        while (is_token(s[n]))
                n++;
        return n;
}

/* A quoted string or a token at *@s, which moves behind it; NULL if there is none that can be taken. */
static char *value_at(const char **s)
{
        auto_text text = COR_TEXT_INIT;
        const char *p = *s;

        if (*p != '"') {
                size_t n = strcspn(p, ", \t");

                *s = p + n;
                return cor_strndup(p, n);
        }
        for (p++; *p && *p != '"'; p++) {
                if (*p == '\\' && p[1])
                        p++;
                if ((unsigned char)*p < ' ' || *p == 0x7f)
                        return NULL;
                cor_text_add_c(&text, *p);
        }
        if (*p != '"')
                return NULL;
        *s = p + 1;
        return cor_text_take(&text);
}

static char **member(struct challenge *c, const char *name, size_t n)
{
        const struct {
                const char *name;
                char **at;
        } rows[] = {
                { "realm", &c->realm },
                { "service", &c->service },
                { "scope", &c->scope },
                { "error", &c->error },
        };

        for (size_t i = 0; i < COR_COUNT(rows); i++)
                if (strlen(rows[i].name) == n && strncasecmp(rows[i].name, name, n) == 0)
                        return rows[i].at;
        return NULL;
}

/* Parameters of @c from @s on; where they end (at the next scheme or the end), or NULL when they cannot be read. */
static const char *parameters(const char *s, struct challenge *c)
{
        for (;;) {
                const char *name = s = skip_space(s + strspn(s, ", \t"));
                size_t n = token_len(s);
                auto_str value = NULL;
                char **at;

                s = skip_space(s + n);
                if (n == 0 || *s != '=')
                        return name;
                s = skip_space(s + 1);
                value = value_at(&s);
                if (!value)
                        return NULL;
                at = member(c, name, n);
                if (at && !*at) /* given twice: the first holds */
                        *at = COR_TAKE(value);
                s = skip_space(s);
                if (*s && *s != ',')
                        return NULL;
        }
}

static enum challenge_scheme scheme_of(const char *s, size_t n)
{
        if (n == 5 && strncasecmp(s, "Basic", n) == 0)
                return CHALLENGE_BASIC;
        return n == 6 && strncasecmp(s, "Bearer", n) == 0 ? CHALLENGE_BEARER : CHALLENGE_OTHER;
}

/* The base64 that some schemes (Negotiate) have in place of parameters. */
static const char *skip_token68(const char *s)
{
        size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");
        const char *end;

        n += strspn(s + n, "=");
        end = skip_space(s + n);
        return n && (!*end || *end == ',') ? end : s;
}

void challenges_parse(const char *value, struct challenges *ret)
{
        const char *s = value;

        while (s && ret->n_items < CHALLENGES_MAX) {
                struct challenge *c;
                size_t n;

                s += strspn(s, ", \t");
                n = token_len(s);
                if (n == 0)
                        return;
                c = COR_GROW(ret->items, ret->n_items);
                c->scheme = scheme_of(s, n);
                s += n;
                if (*s && *s != ' ' && *s != '\t' && *s != ',')
                        return;
                s = parameters(skip_token68(skip_space(s)), c);
        }
}

const struct challenge *challenges_choose(const struct challenges *c)
{
        const struct challenge *basic = NULL;

        for (size_t i = 0; i < c->n_items; i++) {
                if (c->items[i].scheme == CHALLENGE_BEARER && c->items[i].realm)
                        return &c->items[i];
                if (c->items[i].scheme == CHALLENGE_BASIC && !basic)
                        basic = &c->items[i];
        }
        return basic;
}
