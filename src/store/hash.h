#ifndef CORACLE_STORE_HASH_H
#define CORACLE_STORE_HASH_H
/* Hashing a stream while it passes (libcrypto's own SHA code, which knows the processors' instructions). */
#include "spec/digest.h"
#include <stddef.h>

struct hash; /* one running hash */

struct hash *hash_new(enum digest_algorithm algorithm);
void hash_free(struct hash *h);
static inline void hash_free_p(struct hash **h)
{
        hash_free(*h);
}
#define auto_hash COR_CLEANUP(hash_free_p) struct hash *

void hash_add(struct hash *h, const void *bytes, size_t n);
/* hash_digest() - of what was added; the hash starts anew */
struct digest hash_digest(struct hash *h);
/* hash_bytes() - of @n bytes, sha256 */
struct digest hash_bytes(const void *bytes, size_t n);
/* hash_chain() - the chain id of a layer on top of @parent (image-spec config.md, "Layer ChainID"; none: diff_id) */
struct digest hash_chain(const struct digest *parent, const struct digest *diff_id);

#endif
