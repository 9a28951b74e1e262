/*
 * The low-level functions of libcrypto, which OpenSSL 3 calls deprecated: the newer interface drags its providers, four
 * megabytes, into a static program, where these bring 48 KB; the code that hashes is the same.
 */
#define OPENSSL_API_COMPAT 0x10100000L
#include "store/hash.h"
#include "base/alloc.h"

#include <openssl/sha.h>
#include <string.h>

struct hash {
        enum digest_algorithm algorithm;
        union {
                SHA256_CTX sha256;
                SHA512_CTX sha512;
        };
};

static void begin(struct hash *h)
{
        if (h->algorithm == DIGEST_SHA512)
                SHA512_Init(&h->sha512);
        else
                SHA256_Init(&h->sha256);
}

struct hash *hash_new(enum digest_algorithm algorithm)
{
        struct hash *h = cor_alloc(sizeof *h);

        h->algorithm = algorithm;
        begin(h);
        return h;
}

void hash_free(struct hash *h)
{
        free(h);
}

void hash_add(struct hash *h, const void *bytes, size_t n)
{
        if (h->algorithm == DIGEST_SHA512)
                SHA512_Update(&h->sha512, bytes, n);
        else
                SHA256_Update(&h->sha256, bytes, n);
}

struct digest hash_digest(struct hash *h)
{
        unsigned char bytes[SHA512_DIGEST_LENGTH];

        if (h->algorithm == DIGEST_SHA512)
                SHA512_Final(bytes, &h->sha512);
        else
                SHA256_Final(bytes, &h->sha256);
        begin(h);
        return digest_from_bytes(h->algorithm, bytes);
}

struct digest hash_bytes(const void *bytes, size_t n)
{
        struct hash h = { .algorithm = DIGEST_SHA256 };

        begin(&h);
        hash_add(&h, bytes, n);
        return hash_digest(&h);
}

struct digest hash_chain(const struct digest *parent, const struct digest *diff_id)
{
        char both[2 * sizeof diff_id->text];
        size_t n;

        if (!parent || !digest_set(parent))
                return *diff_id;
        n = strlen(parent->text);
        memcpy(both, parent->text, n);
        both[n++] = ' ';
        memcpy(both + n, diff_id->text, strlen(diff_id->text));
        return hash_bytes(both, n + strlen(diff_id->text));
}
