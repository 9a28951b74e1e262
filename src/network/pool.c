#include "network/pool.h"

#include <stdio.h>
#include <string.h>

/* Subnets of @bits, from one address to another; all that changes lies in the first 8 bytes. */
struct pool {
        uint8_t len, bits, first[8], last[8];
};

static const struct pool pools4[] = {
        { 4, 16, { 172, 17 }, { 172, 31 } },
        { 4, 20, { 192, 168 }, { 192, 168, 240 } },
};

static bool is_free(const struct ip_prefix *candidate, const struct ip_prefix *others, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (ip_prefix_overlaps(candidate, &others[i]))
                        return false;
        return true;
}

/* The next one of the same size */
static void advance(struct ip_prefix *p)
{
        struct ip last = ip_prefix_last(p);

        p->ip = ip_next(&last);
}

static bool choose_from(const struct pool *pool, const struct ip_prefix *others, size_t n, struct ip_prefix *ret)
{
        struct ip_prefix p = { .ip.len = pool->len, .bits = pool->bits };
        struct ip last = { .len = pool->len };
        size_t known = pool->len < sizeof pool->first ? pool->len : sizeof pool->first;

        memcpy(p.ip.bytes, pool->first, known);
        memcpy(last.bytes, pool->last, known);
        for (; ip_compare(&p.ip, &last) <= 0; advance(&p))
                if (is_free(&p, others, n)) {
                        *ret = p;
                        return true;
                }
        return false;
}

bool pool_choose(int family, const char *seed, const struct ip_prefix *others, size_t n, struct ip_prefix *ret)
{
        struct pool ula = { .len = 16, .bits = 64, .first = { 0xfd }, .last = { 0xfd } };

        if (family == 0) {
                for (size_t i = 0; i < COR_COUNT(pools4); i++)
                        if (choose_from(&pools4[i], others, n, ret))
                                return true;
                return false;
        }
        for (int i = 1; i < 6; i++) {
                unsigned byte = 0;

                (void)!sscanf(seed + 2 * (size_t)(i - 1), "%2x", &byte);
                ula.first[i] = ula.last[i] = (uint8_t)byte;
        }
        ula.last[6] = ula.last[7] = 0xff;
        return choose_from(&ula, others, n, ret);
}
