#ifndef CORACLE_TESTS_BPF_SIM_H
#define CORACLE_TESTS_BPF_SIM_H
/* A seccomp filter run by hand: what would the kernel answer to this call? For tests and fuzz targets. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct bpf_sim {
        uint32_t a, x, mem[BPF_MEMWORDS];
        size_t pc, steps;
};

static inline bool bpf_sim_alu(struct bpf_sim *s, const struct sock_filter *item)
{
        uint32_t v = BPF_SRC(item->code) == BPF_X ? s->x : item->k;

        switch (BPF_OP(item->code)) {
        case BPF_ADD:
                s->a += v;
                return true;
        case BPF_SUB:
                s->a -= v;
                return true;
        case BPF_MUL:
                s->a *= v;
                return true;
        case BPF_DIV: /* the kernel ends a program that divides by zero with 0 */
                s->a = v ? s->a / v : 0;
                return v != 0;
        case BPF_AND:
                s->a &= v;
                return true;
        case BPF_OR:
                s->a |= v;
                return true;
        case BPF_XOR:
                s->a ^= v;
                return true;
        case BPF_LSH:
                s->a <<= v & 31;
                return true;
        case BPF_RSH:
                s->a >>= v & 31;
                return true;
        case BPF_NEG:
                s->a = 0 - s->a;
                return true;
        default:
                return false;
        }
}

static inline void bpf_sim_jump(struct bpf_sim *s, const struct sock_filter *item)
{
        uint32_t v = BPF_SRC(item->code) == BPF_X ? s->x : item->k;
        bool yes = false;

        switch (BPF_OP(item->code)) {
        case BPF_JA:
                s->pc += item->k;
                return;
        case BPF_JEQ:
                yes = s->a == v;
                break;
        case BPF_JGT:
                yes = s->a > v;
                break;
        case BPF_JGE:
                yes = s->a >= v;
                break;
        case BPF_JSET:
                yes = s->a & v;
                break;
        }
        s->pc += yes ? item->jt : item->jf;
}

static inline uint32_t bpf_sim_load(const struct bpf_sim *s, const struct sock_filter *item,
                                    const struct seccomp_data *data)
{
        uint32_t word;

        switch (BPF_MODE(item->code)) {
        case BPF_ABS:
                memcpy(&word, (const char *)data + item->k, sizeof word);
                return word;
        case BPF_MEM:
                return s->mem[item->k];
        case BPF_LEN:
                return sizeof *data;
        default:
                return item->k;
        }
}

/* bpf_sim_run() - the return value for @data; the program must have passed seccomp_bpf_check(). -1: it ran out of
 * itself */
static inline int64_t bpf_sim_run(const struct sock_filter *items, size_t n_items, const struct seccomp_data *data,
                                  size_t *ret_steps)
{
        struct bpf_sim s = { 0 };

        while (s.pc < n_items) {
                const struct sock_filter *item = &items[s.pc++];

                s.steps++;
                switch (BPF_CLASS(item->code)) {
                case BPF_LD:
                        s.a = bpf_sim_load(&s, item, data);
                        break;
                case BPF_LDX:
                        s.x = bpf_sim_load(&s, item, data);
                        break;
                case BPF_ST:
                        s.mem[item->k] = s.a;
                        break;
                case BPF_STX:
                        s.mem[item->k] = s.x;
                        break;
                case BPF_ALU:
                        if (!bpf_sim_alu(&s, item))
                                return 0;
                        break;
                case BPF_JMP:
                        bpf_sim_jump(&s, item);
                        break;
                case BPF_RET:
                        if (ret_steps)
                                *ret_steps = s.steps;
                        return BPF_RVAL(item->code) == BPF_A ? s.a : item->k;
                case BPF_MISC:
                        if (BPF_MISCOP(item->code) == BPF_TAX)
                                s.x = s.a;
                        else
                                s.a = s.x;
                        break;
                }
        }
        return -1;
}

#endif
