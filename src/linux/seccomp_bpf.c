/* Filter programs as data: the checks that the kernel makes too, here before a stored program is trusted at all. */
#include "linux/seccomp_internal.h"

#include <string.h>

enum { BASE64_MAX = (SECCOMP_MAX_ITEMS * 8 + 2) / 3 * 4 };

/* Instructions that seccomp knows and that need no look at their operands. */
static bool is_plain(uint16_t code)
{
        switch (code) {
        case BPF_RET | BPF_K:
        case BPF_RET | BPF_A:
        case BPF_ALU | BPF_ADD | BPF_K: // NOLINT(misc-redundant-expression): two of the names are 0
        case BPF_ALU | BPF_ADD | BPF_X:
        case BPF_ALU | BPF_SUB | BPF_K:
        case BPF_ALU | BPF_SUB | BPF_X:
        case BPF_ALU | BPF_MUL | BPF_K:
        case BPF_ALU | BPF_MUL | BPF_X:
        case BPF_ALU | BPF_DIV | BPF_X:
        case BPF_ALU | BPF_AND | BPF_K:
        case BPF_ALU | BPF_AND | BPF_X:
        case BPF_ALU | BPF_OR | BPF_K:
        case BPF_ALU | BPF_OR | BPF_X:
        case BPF_ALU | BPF_XOR | BPF_K:
        case BPF_ALU | BPF_XOR | BPF_X:
        case BPF_ALU | BPF_LSH | BPF_X:
        case BPF_ALU | BPF_RSH | BPF_X:
        case BPF_ALU | BPF_NEG:
        case BPF_LD | BPF_W | BPF_LEN:
        case BPF_LDX | BPF_W | BPF_LEN:
        case BPF_LD | BPF_IMM:
        case BPF_LDX | BPF_IMM:
        case BPF_MISC | BPF_TAX:
        case BPF_MISC | BPF_TXA:
                return true;
        default:
                return false;
        }
}

static bool is_branch(uint16_t code)
{
        return code <= 0xff && BPF_CLASS(code) == BPF_JMP && BPF_OP(code) != BPF_JA && BPF_OP(code) <= BPF_JSET;
}

/* @left: how many instructions follow this one */
static bool is_sound(const struct sock_filter *item, size_t left)
{
        switch (item->code) {
        case BPF_LD | BPF_W | BPF_ABS:
                return item->k % 4 == 0 && item->k < sizeof(struct seccomp_data);
        case BPF_LD | BPF_MEM:
        case BPF_LDX | BPF_MEM:
        case BPF_ST:
        case BPF_STX:
                return item->k < BPF_MEMWORDS;
        case BPF_ALU | BPF_DIV | BPF_K:
                return item->k != 0;
        case BPF_ALU | BPF_LSH | BPF_K:
        case BPF_ALU | BPF_RSH | BPF_K:
                return item->k < 32;
        case BPF_JMP | BPF_JA:
                return item->k < left;
        default:
                return is_branch(item->code) ? item->jt < left && item->jf < left : is_plain(item->code);
        }
}

int seccomp_bpf_check(const struct sock_filter *items, size_t n_items, bool *ret_notifies, struct cor_err *err)
{
        bool notifies = false;

        if (n_items == 0 || n_items > SECCOMP_MAX_ITEMS)
                return cor_fail(err, COR_INVALID, "%zu instructions, expected 1 to %d", n_items, SECCOMP_MAX_ITEMS);
        for (size_t i = 0; i < n_items; i++) {
                if (!is_sound(&items[i], n_items - 1 - i))
                        return cor_fail(err, COR_INVALID, "instruction %zu is not valid (code 0x%x, k 0x%x)", i,
                                        (unsigned)items[i].code, items[i].k);
                if (items[i].code == (BPF_RET | BPF_K) &&
                    (items[i].k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
                        notifies = true;
        }
        if (BPF_CLASS(items[n_items - 1].code) != BPF_RET)
                return cor_fail(err, COR_INVALID, "does not end with a return");
        *ret_notifies = notifies;
        return 0;
}

static int base64_digit(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* base64_decode() - standard alphabet, padded, @out has room for len / 4 * 3; the number of bytes, or -1 */
static ssize_t base64_decode(const char *s, size_t len, uint8_t *out)
{
        size_t pad = 0, n = 0;
        uint32_t bits = 0;

        if (len % 4 != 0)
                return -1;
        while (pad < 2 && pad < len && s[len - 1 - pad] == '=')
                pad++;
        for (size_t i = 0; i < len; i++) {
                int digit = i < len - pad ? base64_digit(s[i]) : 0;

                if (digit < 0)
                        return -1;
                bits = bits << 6 | (uint32_t)digit;
                if (i % 4 == 3) {
                        out[n++] = (uint8_t)(bits >> 16);
                        out[n++] = (uint8_t)(bits >> 8);
                        out[n++] = (uint8_t)bits;
                }
        }
        return (ssize_t)(n - pad);
}

int seccomp_bpf_decode(const char *base64, struct seccomp_program *ret, struct cor_err *err)
{
        size_t len = strnlen(base64, BASE64_MAX + 1);
        auto_free void *bytes = NULL;
        ssize_t n;

        if (len == 0 || len > BASE64_MAX)
                return cor_fail(err, COR_INVALID, "expected 1 to %d instructions in base64", SECCOMP_MAX_ITEMS);
        bytes = cor_alloc(len / 4 * 3 + 3);
        n = base64_decode(base64, len, bytes);
        if (n < 0)
                return cor_fail(err, COR_INVALID, "not base64");
        if (n % (ssize_t)sizeof *ret->items != 0)
                return cor_fail(err, COR_INVALID, "%zd bytes, expected a multiple of 8 (instructions)", n);

        ret->n_items = (size_t)n / sizeof *ret->items;
        ret->items = bytes;
        ret->memory = COR_TAKE(bytes);
        return 0;
}
