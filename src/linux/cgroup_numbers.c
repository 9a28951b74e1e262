/* Conversions between the numbers of config.json, which are those of version 1, and those of version 2. */
#include "linux/cgroup_priv.h"

#include <string.h>

/* Of @x >= 1 and good to some 14 digits, which spares the programs the mathematical library for one formula. */
static double log_2(double x)
{
        double whole = 0, ratio, power, sum = 0;

        while (x >= 2) {
                x /= 2;
                whole++;
        }
        /* ln x = 2 (r + r^3/3 + r^5/5 + …), r = (x - 1)/(x + 1) <= 1/3 */
        ratio = power = (x - 1) / (x + 1);
        for (int n = 1; n < 40; n += 2, power *= ratio * ratio)
                sum += power / n;
        return whole + sum * 2 / 0.693147180559945309;
}

/* 10^@x of @x >= 0 */
static double exp_10(double x)
{
        double whole = 1, term = 1, sum = 1;

        while (x >= 1) {
                x--;
                whole *= 10;
        }
        x *= 2.302585092994045684;
        for (int n = 1; n < 40; n++) {
                term *= x / n;
                sum += term;
        }
        return whole * sum;
}

static uint64_t round_up(double x)
{
        uint64_t n = (uint64_t)x;

        return n + ((double)n + 1e-9 < x);
}

uint64_t cgroup_weight_of_shares(uint64_t shares)
{
        double l;

        if (shares == 0)
                return 0;
        if (shares <= 2)
                return 1;
        if (shares >= 262144)
                return 10000;
        /* the curve that runs through (2, 1), (1024, 100) and (262144, 10000) */
        l = log_2((double)shares);
        return round_up(exp_10((l * l + 125 * l) / 612.0 - 7.0 / 34.0));
}

uint64_t cgroup_io_weight_of_blkio(uint64_t weight)
{
        if (weight == 0)
                return 0;
        return weight <= 10 ? 1 : 1 + (weight - 10) * 9999 / 990;
}

int cgroup_swap_of(const struct oci_memory *m, int64_t *ret, struct cor_err *err)
{
        int64_t limit = m->limit.set ? m->limit.value : 0, swap = m->swap.set ? m->swap.value : 0;

        if (swap == 0 && limit == -1) { /* as on version 1: no limit at all lifts that of memory+swap, too */
                *ret = -1;
                return 1;
        }
        if (swap == 0)
                return 0;
        if (swap == -1 || limit == -1) {
                *ret = swap;
                return 1;
        }
        if (limit == 0)
                return cor_fail(err, COR_INVALID,
                                "linux.resources.memory.swap: needs memory.limit as well, because it "
                                "is the limit of memory and swap together");
        if (swap < limit)
                return cor_fail(err, COR_INVALID,
                                "linux.resources.memory.swap: is the limit of memory and swap together, so it cannot "
                                "be below memory.limit");
        *ret = swap - limit;
        return 1;
}

static int bad_list(const char *list, struct cor_err *err)
{
        return cor_fail(err, COR_INVALID, "'%s' is no list of numbers and ranges like 0-3,7", list);
}

ssize_t cgroup_cpulist_bits(const char *list, uint8_t *bits, size_t size, struct cor_err *err)
{
        auto_str copy = cor_strdup(list);
        char *s = copy + strspn(copy, " \n");
        size_t used = 0;

        memset(bits, 0, size);
        while (*s) {
                uint64_t first, last;

                if (!cgroup_parse_u64(&s, &first))
                        return bad_list(list, err);
                last = first;
                if (*s == '-' && (s++, !cgroup_parse_u64(&s, &last)))
                        return bad_list(list, err);
                if (last < first)
                        return bad_list(list, err);
                if (last >= size * 8)
                        return cor_fail(err, COR_INVALID, "'%s' has a number above %zu", list, size * 8 - 1);
                for (uint64_t i = first; i <= last; i++)
                        bits[i / 8] |= (uint8_t)(1U << i % 8);
                if (last / 8 + 1 > used)
                        used = last / 8 + 1;
                s += strspn(s, " \n");
                if (*s == ',')
                        s++;
                else if (*s)
                        return bad_list(list, err);
        }
        return (ssize_t)used;
}
