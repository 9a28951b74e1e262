#ifndef CORACLE_SPEC_DIGEST_H
#define CORACLE_SPEC_DIGEST_H
/* Content digests as the image specification writes them: "sha256:" and 64 hexadecimal digits (lower case). */
#include "base/err.h"
#include <stdbool.h>

enum digest_algorithm { DIGEST_SHA256, DIGEST_SHA512 };
enum { DIGEST_TEXT_MAX = 7 + 128 };

/* A value: copied freely; text is empty for "none". */
struct digest {
        char text[DIGEST_TEXT_MAX + 1];
};
#define DIGEST_NONE                                                                                                    \
        (struct digest)                                                                                                \
        {                                                                                                              \
                .text = ""                                                                                             \
        }

/* digest_parse() - the whole of @s; INVALID names the text and what was expected (the registered algorithms only) */
int digest_parse(const char *s, struct digest *ret, struct cor_err *err) COR_MUST_CHECK;
/* digest_is() - @s is a digest that digest_parse() takes */
bool digest_is(const char *s);
enum digest_algorithm digest_algorithm(const struct digest *d);
/* digest_name() - "sha256" or "sha512"; a folder's name in an OCI image layout */
const char *digest_name(const struct digest *d);
/* digest_hex() - the digits, terminated; fit for a file's name */
const char *digest_hex(const struct digest *d);
bool digest_eq(const struct digest *a, const struct digest *b);
static inline bool digest_set(const struct digest *d)
{
        return d->text[0] != '\0';
}
/* digest_from_bytes() - from a hash's raw bytes (32 or 64 of them) */
struct digest digest_from_bytes(enum digest_algorithm algorithm, const unsigned char *bytes);

#endif
