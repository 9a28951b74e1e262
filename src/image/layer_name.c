/* Names as they stand in archives. */
#include "image/layer_internal.h"

#include <stdio.h>
#include <string.h>

/* Put one part of a name behind what @p has. */
static int add_part(struct layer_path *p, size_t *len, const char *part, size_t n, struct cor_err *err)
{
        if (n > NAME_MAX)
                return cor_fail(err, COR_INVALID, "a part of its name has %zu bytes, and %d is the most", n, NAME_MAX);
        if (*len + 1 + n >= sizeof p->text)
                return cor_fail(err, COR_INVALID, "its name has more than %zu bytes", sizeof p->text - 1);
        p->parent_len = *len;
        if (*len > 0)
                p->text[(*len)++] = '/';
        p->base = p->text + *len;
        memcpy(p->text + *len, part, n);
        *len += n;
        p->text[*len] = '\0';
        return 0;
}

static void drop_part(struct layer_path *p, size_t *len)
{
        const char *slash;

        *len = p->parent_len;
        p->text[*len] = '\0';
        slash = memrchr(p->text, '/', *len);
        p->base = slash ? slash + 1 : p->text;
        p->parent_len = slash ? (size_t)(slash - p->text) : 0;
}

static bool is_whiteout_name(const char *part, size_t n)
{
        return n >= sizeof WHITEOUT_PREFIX - 1 && memcmp(part, WHITEOUT_PREFIX, sizeof WHITEOUT_PREFIX - 1) == 0;
}

/* The parts before the last one: a whiteout among them is nothing that could be a directory. */
static int check_parents(const struct layer_path *p, bool *ret_meta, struct cor_err *err)
{
        for (const char *part = p->text; part < p->base;) {
                size_t n = strcspn(part, "/");

                if (n >= sizeof WHITEOUT_META - 1 && memcmp(part, WHITEOUT_META, sizeof WHITEOUT_META - 1) == 0)
                        *ret_meta = true;
                else if (is_whiteout_name(part, n))
                        return cor_fail(err, COR_INVALID, "a whiteout cannot be a directory");
                part += n + 1;
        }
        return 0;
}

int layer_path_parse(const char *name, struct layer_path *p, bool *ret_meta, struct cor_err *err)
{
        size_t len = 0;

        p->text[0] = '\0';
        p->base = p->text;
        p->parent_len = 0;
        *ret_meta = false;
        for (const char *part = name; *part;) {
                size_t n = strcspn(part, "/");

                if (n == 2 && part[0] == '.' && part[1] == '.') {
                        if (len == 0)
                                return cor_fail(err, COR_INVALID, "its name leads out of the tree");
                        drop_part(p, &len);
                } else if (n > 0 && !(n == 1 && part[0] == '.') && add_part(p, &len, part, n, err) < 0) {
                        return -1;
                }
                part += n + (part[n] == '/');
        }
        return check_parents(p, ret_meta, err);
}

/* A byte of a control character: those of ASCII, and of Unicode the ones that terminals take commands from. */
static bool is_control(const char *s, const char *begin)
{
        unsigned char c = (unsigned char)s[0], next = c ? (unsigned char)s[1] : 0;

        if (c < 0x20 || c == 0x7f || (c == 0xc2 && next >= 0x80 && next < 0xa0))
                return true;
        return c >= 0x80 && c < 0xa0 && s > begin && (unsigned char)s[-1] == 0xc2;
}

const char *layer_shown(const char *name, char *buf, size_t n)
{
        const char *s = name;
        size_t at = 0;

        for (; *s && at + 8 < n; s++)
                if (is_control(s, name) || *s == '\\')
                        at += (size_t)snprintf(buf + at, n - at, "\\%03o", (unsigned)(unsigned char)*s);
                else
                        buf[at++] = *s;
        snprintf(buf + at, n - at, "%s", *s ? "..." : "");
        return buf;
}

void layer_quiet(struct cor_err *err)
{
        bool control[sizeof err->msg] = { false };

        if (!err)
                return;
        for (size_t i = 0; err->msg[i]; i++)
                control[i] = is_control(err->msg + i, err->msg);
        for (size_t i = 0; err->msg[i]; i++)
                if (control[i])
                        err->msg[i] = '?';
}
