/*
 * The grammar (distribution/reference):
 *
 *      reference       name [":" tag] ["@" digest]
 *      name            [domain "/"] component ("/" component)*
 *      domain          host [":" port], host: labels of letters, digits and inner dashes, or "[" IPv6 "]"
 *      component       [a-z0-9]+ (("." | "_" | "__" | "-"+) [a-z0-9]+)*
 *      tag             [A-Za-z0-9_][A-Za-z0-9_.-]{0,127}
 */
#include "image/reference.h"

#include "base/text.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 255, TAG_MAX_BYTES = 128, REFERENCE_MAX_BYTES = 1024 };

static const char default_domain[] = "docker.io", legacy_domain[] = "index.docker.io", official[] = "library/";

void reference_done(struct reference *r)
{
        free(r->domain);
        free(r->path);
        free(r->tag);
        *r = (struct reference){ 0 };
}

static bool is_lower_alnum(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
        return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* One component of a path: @n bytes at @s. */
static bool component_ok(const char *s, size_t n)
{
        size_t i = 0;

        for (;;) {
                size_t start = i;

                while (i < n && is_lower_alnum(s[i]))
                        i++;
                if (i == start)
                        return false;
                if (i == n)
                        return true;
                if (s[i] == '-') {
                        while (i < n && s[i] == '-')
                                i++;
                } else if (s[i] == '.') {
                        i++;
                } else if (s[i] == '_') {
                        i += i + 1 < n && s[i + 1] == '_' ? 2 : 1;
                } else {
                        return false;
                }
        }
}

static bool path_ok(const char *s)
{
        for (;;) {
                size_t n = strcspn(s, "/");

                if (!component_ok(s, n))
                        return false;
                if (!s[n])
                        return true;
                s += n + 1;
        }
}

static bool host_label_ok(const char *s, size_t n)
{
        if (n == 0 || !is_alnum(s[0]) || !is_alnum(s[n - 1]))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!is_alnum(s[i]) && s[i] != '-')
                        return false;
        return true;
}

static bool port_ok(const char *s)
{
        return *s && strspn(s, "0123456789") == strlen(s);
}

static bool domain_ok(const char *s)
{
        size_t n;

        if (*s == '[') {
                n = strspn(s + 1, "0123456789abcdefABCDEF:");
                return n > 0 && s[n + 1] == ']' && (!s[n + 2] || (s[n + 2] == ':' && port_ok(s + n + 3)));
        }
        for (;;) {
                n = strcspn(s, ".:");
                if (!host_label_ok(s, n))
                        return false;
                if (s[n] == ':')
                        return port_ok(s + n + 1);
                if (!s[n])
                        return true;
                s += n + 1;
        }
}

static bool tag_ok(const char *s)
{
        size_t n = strlen(s);

        if (n == 0 || n > TAG_MAX_BYTES || !(is_alnum(s[0]) || s[0] == '_'))
                return false;
        for (size_t i = 1; i < n; i++)
                if (!is_alnum(s[i]) && s[i] != '_' && s[i] != '.' && s[i] != '-')
                        return false;
        return true;
}

/* What docker takes for a digest at first sight: ALGORITHM:HEX with at least 32 digits. */
static bool digest_shaped(const char *s)
{
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+.");

        return n > 0 && isalpha((unsigned char)s[0]) && s[n] == ':' &&
               strspn(s + n + 1, "0123456789abcdefABCDEF") == strlen(s + n + 1) && strlen(s + n + 1) >= 32;
}

static bool has_upper(const char *s)
{
        for (; *s; s++)
                if (*s >= 'A' && *s <= 'Z')
                        return true;
        return false;
}

/* An image's id, which is no name. */
static bool is_hex_id(const char *s)
{
        return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

/* Is the part before the first slash, @n bytes of it, a domain rather than a namespace of the default one? */
static bool names_domain(const char *s, size_t n)
{
        bool upper = false;

        for (size_t i = 0; i < n; i++) {
                if (s[i] == '.' || s[i] == ':')
                        return true;
                upper |= s[i] >= 'A' && s[i] <= 'Z';
        }
        return upper || (n == strlen("localhost") && strncmp(s, "localhost", n) == 0);
}

/* Set domain and path from @name, which has neither tag nor digest any more. */
static void split_domain(const char *name, struct reference *r)
{
        size_t slash = strcspn(name, "/");

        if (name[slash] && names_domain(name, slash)) {
                r->domain = cor_strndup(name, slash);
                name += slash + 1;
        } else {
                r->domain = cor_strdup(default_domain);
        }
        if (strcmp(r->domain, legacy_domain) == 0) {
                free(r->domain);
                r->domain = cor_strdup(default_domain);
        }
        if (strcmp(r->domain, default_domain) == 0 && !strchr(name, '/'))
                r->path = cor_printf("%s%s", official, name);
        else
                r->path = cor_strdup(name);
}

static int check_name(const struct reference *r, struct cor_err *err)
{
        if (has_upper(r->path))
                return cor_fail(err, COR_INVALID,
                                "invalid reference format: repository name (%.300s) must be lowercase", r->path);
        if (!domain_ok(r->domain) || !path_ok(r->path))
                return cor_fail(err, COR_INVALID, "invalid reference format");
        if (strlen(r->domain) + 1 + strlen(r->path) > NAME_MAX_BYTES)
                return cor_fail(err, COR_INVALID, "repository name must not be more than %d characters",
                                (int)NAME_MAX_BYTES);
        return 0;
}

/* Cut "@DIGEST" off @name and read it. */
static int take_digest(char *name, struct reference *r, struct cor_err *err)
{
        char *at = strchr(name, '@');

        if (!at)
                return 0;
        if (!digest_shaped(at + 1))
                return cor_fail(err, COR_INVALID, "invalid reference format");
        *at = '\0';
        return digest_parse(at + 1, &r->digest, err);
}

/* Cut ":TAG" off @name; a colon before the last slash belongs to a port. */
static int take_tag(char *name, struct reference *r, struct cor_err *err)
{
        char *slash = strrchr(name, '/'), *colon = strchr(slash ? slash : name, ':');

        if (!colon)
                return 0;
        if (!tag_ok(colon + 1))
                return cor_fail(err, COR_INVALID, "invalid reference format");
        r->tag = cor_strdup(colon + 1);
        *colon = '\0';
        return 0;
}

int reference_parse(const char *s, struct reference *ret, struct cor_err *err)
{
        auto_reference r = { 0 };
        auto_str name = NULL;

        if (strlen(s) > REFERENCE_MAX_BYTES)
                return cor_fail(err, COR_INVALID, "invalid reference format: longer than %d bytes",
                                (int)REFERENCE_MAX_BYTES);
        if (is_hex_id(s))
                return cor_fail(err, COR_INVALID,
                                "invalid repository name (%s), cannot specify 64-byte hexadecimal strings", s);
        name = cor_strdup(s);
        if (take_digest(name, &r, err) < 0 || take_tag(name, &r, err) < 0)
                return -1;
        split_domain(name, &r);
        if (check_name(&r, err) < 0)
                return -1;
        *ret = r;
        r = (struct reference){ 0 };
        return 0;
}

bool reference_default_tag(struct reference *r)
{
        if (r->tag || digest_set(&r->digest))
                return false;
        r->tag = cor_strdup("latest");
        return true;
}

char *reference_name(const struct reference *r)
{
        return cor_printf("%s/%s", r->domain, r->path);
}

static char *with_suffixes(const char *name, const char *tag, const struct digest *digest)
{
        return cor_printf("%s%s%s%s%s", name, tag ? ":" : "", tag ? tag : "", digest && digest_set(digest) ? "@" : "",
                          digest ? digest->text : "");
}

char *reference_full(const struct reference *r)
{
        auto_str name = reference_name(r);

        return with_suffixes(name, r->tag, &r->digest);
}

char *reference_tagged(const struct reference *r)
{
        auto_str name = reference_name(r);

        return r->tag ? with_suffixes(name, r->tag, NULL) : NULL;
}

char *reference_digested(const struct reference *r, const struct digest *d)
{
        auto_str name = reference_name(r);

        return with_suffixes(name, NULL, d);
}

char *reference_familiar_name(const struct reference *r)
{
        const char *rest = r->path + strlen(official);

        /* docker shortens "docker.io/a.b/c" as well, to what then means something else */
        if (strcmp(r->domain, default_domain) != 0 || names_domain(r->path, strcspn(r->path, "/")))
                return reference_name(r);
        return cor_strdup(cor_starts_with(r->path, official) && !strchr(rest, '/') && !is_hex_id(rest) ? rest
                                                                                                       : r->path);
}

char *reference_familiar(const struct reference *r)
{
        auto_str name = reference_familiar_name(r);

        return with_suffixes(name, r->tag, &r->digest);
}
