#include "spec/digest.h"
#include <string.h>

static const struct {
        const char *name;
        size_t name_len, n_digits;
} algorithms[] = {
        [DIGEST_SHA256] = { "sha256", 6, 64 },
        [DIGEST_SHA512] = { "sha512", 6, 128 },
};

/* @s up to @len bytes is a digest of algorithm @a */
static bool is_of(const char *s, size_t a)
{
        const char *digits = s + algorithms[a].name_len + 1;

        return strncmp(s, algorithms[a].name, algorithms[a].name_len) == 0 && s[algorithms[a].name_len] == ':' &&
               strspn(digits, "0123456789abcdef") == algorithms[a].n_digits && !digits[algorithms[a].n_digits];
}

bool digest_is(const char *s)
{
        for (size_t a = 0; a < COR_COUNT(algorithms); a++)
                if (is_of(s, a))
                        return true;
        return false;
}

int digest_parse(const char *s, struct digest *ret, struct cor_err *err)
{
        if (!digest_is(s))
                return cor_fail(err, COR_INVALID,
                                "'%.150s' is not a digest: expected sha256: and 64 hexadecimal digits in lower case",
                                s);
        *ret = DIGEST_NONE;
        memcpy(ret->text, s, strlen(s) + 1);
        return 0;
}

enum digest_algorithm digest_algorithm(const struct digest *d)
{
        return strncmp(d->text, "sha512", 6) == 0 ? DIGEST_SHA512 : DIGEST_SHA256;
}

const char *digest_name(const struct digest *d)
{
        return algorithms[digest_algorithm(d)].name;
}

const char *digest_hex(const struct digest *d)
{
        const char *colon = strchr(d->text, ':');

        return colon ? colon + 1 : d->text;
}

bool digest_eq(const struct digest *a, const struct digest *b)
{
        return strcmp(a->text, b->text) == 0;
}

struct digest digest_from_bytes(enum digest_algorithm algorithm, const unsigned char *bytes)
{
        static const char digits[] = "0123456789abcdef";
        struct digest d = DIGEST_NONE;
        char *out = d.text;

        memcpy(out, algorithms[algorithm].name, algorithms[algorithm].name_len);
        out += algorithms[algorithm].name_len;
        *out++ = ':';
        for (size_t i = 0; i < algorithms[algorithm].n_digits / 2; i++) {
                *out++ = digits[bytes[i] >> 4];
                *out++ = digits[bytes[i] & 15];
        }
        return d;
}
