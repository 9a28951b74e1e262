/* Extended headers of pax: "LENGTH KEY=VALUE\n" records, and what those that we know mean. */
#include "image/tar_internal.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>

#define XATTRS_MAX 1000 /* of one entry; a file system holds far fewer */

void tar_pax_done(struct tar_pax *pax)
{
        free(pax->raw);
        free(pax->items);
        *pax = (struct tar_pax){ 0 };
}

/* The record at @at of @left bytes; its length, or -1. */
static ssize_t parse_record(char *at, size_t left, struct tar_pax_record *ret)
{
        size_t len = 0, i = 0;
        char *equals;

        for (; i < left && i < 8 && at[i] >= '0' && at[i] <= '9'; i++)
                len = len * 10 + (size_t)(at[i] - '0');
        if (i == 0 || i >= left || at[i] != ' ' || len > left || len < i + 4 || at[len - 1] != '\n')
                return -1;
        i++;
        equals = memchr(at + i, '=', len - i - 1);
        if (!equals || equals == at + i || memchr(at + i, '\0', (size_t)(equals - at) - i))
                return -1;
        *equals = '\0';
        at[len - 1] = '\0';
        ret->key = at + i;
        ret->value = equals + 1;
        ret->len = (size_t)(at + len - 1 - ret->value);
        return (ssize_t)len;
}

int tar_pax_parse(char *raw, size_t n, struct tar_pax *ret, struct cor_err *err)
{
        struct tar_pax pax = { .raw = raw };

        for (size_t at = 0; at < n;) {
                struct tar_pax_record record;
                ssize_t len = parse_record(raw + at, n - at, &record);

                if (len < 0) {
                        tar_pax_done(&pax);
                        return cor_fail(err, COR_INVALID,
                                        "byte %zu of the pax header: not a record \"LENGTH KEY=VALUE\"", at);
                }
                *COR_GROW(pax.items, pax.n_items) = record;
                at += (size_t)len;
        }
        tar_pax_done(ret);
        *ret = pax;
        return 0;
}

const struct tar_pax_record *tar_pax_find(const struct tar_pax *pax, const char *key)
{
        for (size_t i = pax->n_items; i > 0; i--)
                if (strcmp(pax->items[i - 1].key, key) == 0)
                        return pax->items[i - 1].len > 0 ? &pax->items[i - 1] : NULL;
        return NULL;
}

/* The fraction behind the point; further digits than nanoseconds are dropped. */
static int fraction(const char *s, long *ret_ns)
{
        long ns = 0;
        int digits = 0;

        for (; *s >= '0' && *s <= '9'; s++)
                if (digits < 9) {
                        ns = ns * 10 + (*s - '0');
                        digits++;
                }
        for (; digits < 9; digits++)
                ns *= 10;
        *ret_ns = ns;
        return *s == '\0' ? 0 : -1;
}

int tar_pax_time(const char *s, struct timespec *ret)
{
        const char *point = strchr(s, '.');
        char whole[24];
        size_t n = point ? (size_t)(point - s) : strlen(s);
        int64_t seconds;
        long ns = 0;

        if (n >= sizeof whole)
                return -1;
        memcpy(whole, s, n);
        whole[n] = '\0';
        if (cor_parse_i64(whole, &seconds) < 0 || (point && fraction(point + 1, &ns) < 0))
                return -1;
        if (s[0] == '-' && ns > 0) { /* -1.5 is half a second before -1 */
                if (seconds == INT64_MIN)
                        return -1;
                seconds--;
                ns = 1000000000 - ns;
        }
        *ret = (struct timespec){ .tv_sec = seconds, .tv_nsec = ns };
        return 0;
}

static int time_record(const struct tar_pax *pax, const char *key, struct timespec *ret, struct cor_err *err)
{
        const struct tar_pax_record *record = tar_pax_find(pax, key);

        if (!record)
                return 0;
        if (strlen(record->value) != record->len || tar_pax_time(record->value, ret) < 0)
                return cor_fail(err, COR_INVALID, "pax header: %s is not a time in seconds", key);
        return 1;
}

static int id_record(const struct tar_pax *pax, const char *key, uint64_t *ret, struct cor_err *err)
{
        const struct tar_pax_record *record = tar_pax_find(pax, key);

        if (record && (strlen(record->value) != record->len || cor_parse_u64(record->value, ret) < 0))
                return cor_fail(err, COR_INVALID, "pax header: %s is not a number from 0 on", key);
        return 0;
}

static void name_record(const struct tar_pax *pax, const char *key, char **ret)
{
        const struct tar_pax_record *record = tar_pax_find(pax, key);

        if (record)
                *ret = record->value; /* a NUL inside ends it, as in a header's field: these names are not used */
}

int tar_pax_owners(const struct tar_pax *pax, struct tar_entry *e, struct cor_err *err)
{
        int atime, ctime;

        if (pax->n_items == 0)
                return 0;
        name_record(pax, "uname", &e->uname);
        name_record(pax, "gname", &e->gname);
        if (id_record(pax, "uid", &e->uid, err) < 0 || id_record(pax, "gid", &e->gid, err) < 0 ||
            time_record(pax, "mtime", &e->mtime, err) < 0)
                return -1;
        atime = time_record(pax, "atime", &e->atime, err);
        ctime = atime < 0 ? -1 : time_record(pax, "ctime", &e->ctime, err);
        if (ctime < 0)
                return -1;
        e->has_atime |= atime > 0;
        e->has_ctime |= ctime > 0;
        return 0;
}

/* The later of two values of one attribute holds; libarchive's form gives way to the plain one. */
static int put_xattr(struct tar_entry *e, char *name, char *value, size_t len, bool replace, struct cor_err *err)
{
        for (size_t i = 0; i < e->n_xattrs; i++)
                if (strcmp(e->xattrs[i].name, name) == 0) {
                        if (replace)
                                e->xattrs[i] = (struct tar_xattr){ name, value, len };
                        return 0;
                }
        if (e->n_xattrs >= XATTRS_MAX)
                return cor_fail(err, COR_INVALID, "more than %d extended attributes", XATTRS_MAX);
        *COR_GROW(e->xattrs, e->n_xattrs) = (struct tar_xattr){ name, value, len };
        return 0;
}

static int hex_digit(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : -1;
}

static void decode_percent(char *s)
{
        char *to = s;

        for (; *s; s++) {
                int high = *s == '%' ? hex_digit(s[1]) : -1, low = high < 0 ? -1 : hex_digit(s[2]);

                *to++ = low < 0 ? *s : (char)(high * 16 + low);
                s += low < 0 ? 0 : 2;
        }
        *to = '\0';
}

static int base64_digit(char c)
{
        return c >= 'A' && c <= 'Z'   ? c - 'A'
               : c >= 'a' && c <= 'z' ? c - 'a' + 26
               : c >= '0' && c <= '9' ? c - '0' + 52
               : c == '+'             ? 62
               : c == '/'             ? 63
                                      : -1;
}

/* In place; libarchive writes no padding. The new length. */
static size_t decode_base64(char *s, size_t n)
{
        unsigned bits = 0, have = 0;
        size_t out = 0;

        for (size_t i = 0; i < n; i++) {
                int digit = base64_digit(s[i]);

                if (digit < 0)
                        continue;
                bits = (bits << 6 | (unsigned)digit) & 0xffffff;
                have += 6;
                if (have >= 8) {
                        have -= 8;
                        s[out++] = (char)(uint8_t)(bits >> have);
                }
        }
        return out;
}

static int put_acl(struct tar_entry *e, const char *text, const char *name, char **ret_own, struct cor_err *err)
{
        size_t len;

        free(*ret_own);
        tar_acl_parse(text, ret_own, &len);
        return *ret_own ? put_xattr(e, (char *)(uintptr_t)name, *ret_own, len, false, err) : 0;
}

int tar_pax_xattrs(const struct tar_pax *pax, struct tar_entry *e, char *ret_own[2], struct cor_err *err)
{
        static const char plain[] = "SCHILY.xattr.", coded[] = "LIBARCHIVE.xattr.";
        const struct tar_pax_record *access = tar_pax_find(pax, "SCHILY.acl.access");
        const struct tar_pax_record *by_default = tar_pax_find(pax, "SCHILY.acl.default");
        int r = 0;

        for (size_t i = 0; i < pax->n_items && r == 0; i++) {
                const struct tar_pax_record *p = &pax->items[i];
                char *key = (char *)(uintptr_t)p->key;

                if (strncmp(key, plain, sizeof plain - 1) == 0) {
                        r = put_xattr(e, key + sizeof plain - 1, p->value, p->len, true, err);
                } else if (strncmp(key, coded, sizeof coded - 1) == 0) {
                        decode_percent(key + sizeof coded - 1);
                        r = put_xattr(e, key + sizeof coded - 1, p->value, decode_base64(p->value, p->len), false, err);
                }
        }
        if (r == 0 && access)
                r = put_acl(e, access->value, "system.posix_acl_access", &ret_own[0], err);
        if (r == 0 && by_default)
                r = put_acl(e, by_default->value, "system.posix_acl_default", &ret_own[1], err);
        return r;
}
