#include "network/pool.h"

#include <stdio.h>

enum { SEED_BYTES = 5, OWN_BITS = 48, OWN_SUBNET_BITS = 64 };

#define POOL4(A, B, BITS, SUBNET_BITS)                                                                                 \
        {                                                                                                              \
                .base = { .ip = { .len = 4, .bytes = { (A), (B) } }, .bits = (BITS) }, .bits = (SUBNET_BITS)           \
        }
static const struct pool standard[] = {
        POOL4(172, 17, 16, 16), POOL4(172, 18, 15, 16),  POOL4(172, 20, 14, 16),
        POOL4(172, 24, 13, 16), POOL4(192, 168, 16, 20),
};

static const struct ip_prefix *find_overlap(const struct ip_prefix *p, const struct ip_prefix *others, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (ip_prefix_overlaps(p, &others[i]))
                        return &others[i];
        return NULL;
}

/* What is taken is stepped over as a whole: a large pool of small subnets is not tried one by one. */
static bool choose_from(const struct pool *pool, const struct ip_prefix *others, size_t n, struct ip_prefix *ret)
{
        struct ip_prefix p = { .ip = ip_prefix_network(&pool->base), .bits = pool->bits };
        const struct ip last = ip_prefix_last(&pool->base);
        const struct ip_prefix *other;

        while ((other = find_overlap(&p, others, n)) != NULL) {
                struct ip end = ip_prefix_last(other->bits < p.bits ? other : &p);

                if (ip_compare(&end, &last) >= 0)
                        return false;
                p.ip = ip_next(&end);
        }
        *ret = p;
        return true;
}

static bool choose_own(const char *seed, const struct ip_prefix *others, size_t n, struct ip_prefix *ret)
{
        struct pool own = { .base = { .ip = { .len = 16, .bytes = { 0xfd } }, .bits = OWN_BITS },
                            .bits = OWN_SUBNET_BITS };

        for (int i = 0; i < SEED_BYTES; i++) {
                unsigned byte = 0;

                (void)!sscanf(seed + 2 * (size_t)i, "%2x", &byte);
                own.base.ip.bytes[i + 1] = (uint8_t)byte;
        }
        return choose_from(&own, others, n, ret);
}

bool pool_choose(const struct pools *own, int family, const char *seed, const struct ip_prefix *others, size_t n,
                 struct ip_prefix *ret)
{
        const struct pool *items = own->n_items ? own->items : standard;
        size_t n_items = own->n_items ? own->n_items : COR_COUNT(standard);
        bool any = false;

        for (size_t i = 0; i < n_items; i++) {
                if (ip_is_4(&items[i].base.ip) != (family == 0))
                        continue;
                any = true;
                if (choose_from(&items[i], others, n, ret))
                        return true;
        }
        return family == 1 && !any && choose_own(seed, others, n, ret);
}
