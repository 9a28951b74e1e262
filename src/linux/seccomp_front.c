/*
 * The head of a program: what can be said by the number of the call alone.
 *
 * libseccomp is good at conditions on arguments, but a profile is mostly a list of a few hundred names without any: for
 * these its work takes tens of milliseconds and gives well over a thousand instructions, which the kernel checks,
 * compiles, and tries for each number when the program is installed. Numbers of calls that are treated alike lie side
 * by side, though. So the head holds, for each architecture, ranges of numbers, found by halving:
 *
 *        load arch
 *        arch is A? ── no ─► next section            one section for each audit architecture
 *          load number
 *          number >= m? …                            a tree; x32 is the upper part of x86_64's
 *            return ACTION | go to the rest
 *        …
 *        the rest: libseccomp's program for the calls with conditions, and for architectures not in the profile
 *
 * ENOSYS for calls newer than the profile is one of these ranges. A profile lists the calls that were known when it was
 * written. A program that tries a newer one wants to hear ENOSYS, and then falls back; EPERM, or being killed, it takes
 * as final. "Newer" means: above the largest number that any rule names on this architecture. New calls get the next
 * free number on every architecture, so nothing the profile could have meant is above. Names that libseccomp does not
 * know have no number and count as newer, which is what their users can deal with. There is no such range if the
 * default action lets calls through, or is ENOSYS itself. It never allows anything.
 */
#include "linux/seccomp_internal.h"

#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <string.h>

#define X32_BIT     0x40000000U
#define ARM_PRIVATE 0x000f0000U /* cacheflush, set_tls, ...: outside the order of numbers */

/* Not an action: the rest of the program decides. */
#define REST UINT32_MAX

enum {
        WINDOW = 1024,    /* numbers looked at one by one, from the architecture's first on */
        FOLDED_END = 512, /* the numbers of socket and IPC calls are all below */
        X32_LEGACY = 512, /* from here on x32 has old calls of its own; new calls stay below */
        MAX_RANGES = 2 * (WINDOW + 4),
        MAX_LEAVES = 16,
};

struct range {
        uint32_t first, value; /* up to the next range's first */
};

struct leaf {
        uint32_t value;
        size_t place;
};

struct head {
        const struct seccomp_front *front;
        bool coarse, enosys;
        struct range ranges[MAX_RANGES]; /* of one section */
        size_t n_ranges;
        struct sock_filter *items; /* the last one first */
        size_t n_items;
        struct leaf leaves[MAX_LEAVES]; /* the nearest instruction for each value */
        size_t n_leaves;
        bool failed;
};

/* The first number of an architecture. */
static uint32_t number_base(uint32_t arch)
{
        switch (arch) {
        case SCMP_ARCH_X32:
                return X32_BIT;
        case SCMP_ARCH_MIPS:
        case SCMP_ARCH_MIPSEL:
                return 4000;
        case SCMP_ARCH_MIPS64:
        case SCMP_ARCH_MIPSEL64:
                return 5000;
        case SCMP_ARCH_MIPS64N32:
        case SCMP_ARCH_MIPSEL64N32:
                return 6000;
        default:
                return 0;
        }
}

bool seccomp_front_can_hold(const char *name, uint32_t arch)
{
        int nr = seccomp_syscall_resolve_name_arch(arch, name);

        return nr < 0 || (uint32_t)nr - number_base(arch) < WINDOW;
}

/* A default action under which a new call goes through, or fails with ENOSYS anyway. */
static bool wants_enosys(uint32_t default_action)
{
        switch (default_action & SECCOMP_RET_ACTION_FULL) {
        case SECCOMP_RET_ALLOW:
        case SECCOMP_RET_LOG:
        case SECCOMP_RET_TRACE:
                return false;
        default:
                return default_action != (SECCOMP_RET_ERRNO | ENOSYS);
        }
}

static void add_range(struct head *h, uint32_t first, uint32_t value)
{
        if (h->n_ranges > 0 && h->ranges[h->n_ranges - 1].value == value)
                return;
        assert(h->n_ranges < MAX_RANGES);
        h->ranges[h->n_ranges++] = (struct range){ first, value };
}

/* mark() - enter what a rule says of one number; two rules that disagree are for libseccomp to settle */
static void mark(struct head *h, uint32_t *value, uint32_t action)
{
        if (*value != h->front->default_action && *value != REST && action != REST && *value != action)
                h->failed = true;
        if (*value != REST)
                *value = action;
}

static void mark_calls(struct head *h, uint32_t arch, uint32_t values[WINDOW], int64_t last[2])
{
        const struct seccomp_front *f = h->front;

        for (size_t i = 0; i < f->n_calls; i++) {
                const struct seccomp_call *call = &f->calls[i];
                int nr = seccomp_syscall_resolve_name_arch(arch, call->name);
                uint32_t at = (uint32_t)nr - number_base(arch);
                bool legacy = arch == SCMP_ARCH_X32 && at >= X32_LEGACY;

                if (nr < 0 || at >= WINDOW)
                        continue;
                if ((int64_t)at > last[legacy])
                        last[legacy] = at;
                if (!h->coarse && call->action != f->default_action)
                        mark(h, &values[at], call->plain ? call->action : REST);
        }
}

static bool is_named(const struct head *h, const char *name)
{
        for (size_t i = 0; i < h->front->n_calls; i++)
                if (strcmp(h->front->calls[i].name, name) == 0)
                        return true;
        return false;
}

/*
 * On some architectures socketcall and ipc are the doors to many calls, some of which have numbers of their own beside.
 * libseccomp takes care of both ways, and keeps those numbers to itself: they are found by asking for the names of all.
 */
static void mark_folded(struct head *h, uint32_t arch, uint32_t values[WINDOW], int64_t *last)
{
        if (seccomp_syscall_resolve_name_arch(arch, "socketcall") < 0 &&
            seccomp_syscall_resolve_name_arch(arch, "ipc") < 0)
                return;
        for (uint32_t at = 0; at < FOLDED_END; at++) {
                auto_free char *name = seccomp_syscall_resolve_num_arch(arch, (int)(number_base(arch) + at));

                if (!name || !seccomp_call_is_folded(name))
                        continue;
                values[at] = REST;
                if (at > *last && is_named(h, name))
                        *last = at;
        }
}

static void mark_newer(struct head *h, uint32_t values[WINDOW], int64_t last, int64_t end)
{
        for (int64_t at = last + 1; h->enosys && last >= 0 && at < end; at++)
                values[at] = SECCOMP_RET_ERRNO | ENOSYS;
}

/* All numbers of one architecture as ranges. */
static void add_arch(struct head *h, uint32_t arch)
{
        uint32_t base = number_base(arch), gap = h->coarse ? REST : h->front->default_action;
        int64_t last[2] = { -1, -1 }; /* the largest named, and that among x32's old calls */
        uint32_t values[WINDOW];

        for (size_t i = 0; i < WINDOW; i++)
                values[i] = gap;
        mark_calls(h, arch, values, last);
        mark_folded(h, arch, values, &last[0]);
        if (arch == SCMP_ARCH_X32) {
                mark_newer(h, values, last[0], X32_LEGACY);
                mark_newer(h, values, last[1], WINDOW);
        } else {
                mark_newer(h, values, last[0], WINDOW);
        }
        if (base > 0 && h->n_ranges == 0)
                add_range(h, 0, gap);
        for (uint32_t i = 0; i < WINDOW; i++)
                add_range(h, base + i, values[i]);
        if (arch == SCMP_ARCH_ARM)
                add_range(h, ARM_PRIVATE, REST);
}

/*
 * Instructions are written from the last to the first: then all that a jump can reach is there already, and a return is
 * written once for all jumps that reach it. Places are counted from the end of the head, which is 0.
 */
static size_t emit(struct head *h, uint16_t code, uint32_t k, size_t jt, size_t jf)
{
        if (h->n_items == SECCOMP_MAX_ITEMS)
                h->failed = true;
        else
                h->items[h->n_items++] =
                        (struct sock_filter){ .code = code, .jt = (uint8_t)jt, .jf = (uint8_t)jf, .k = k };
        return h->n_items;
}

/* How many instructions a jump that comes next would skip to get to @place. */
static size_t distance(const struct head *h, size_t place)
{
        return h->n_items - place;
}

/* reach() - @place, or that of a jump to it, if a condition that comes next cannot jump so far */
static size_t reach(struct head *h, size_t place)
{
        if (distance(h, place) + 1 <= UINT8_MAX) /* the other side of the condition may need a jump too */
                return place;
        return emit(h, BPF_JMP | BPF_JA, (uint32_t)distance(h, place), 0, 0);
}

/* The place of an instruction that does @value: one that is near, or a new one. */
static size_t emit_leaf(struct head *h, uint32_t value)
{
        struct leaf *leaf = NULL;

        for (size_t i = 0; i < h->n_leaves; i++)
                if (h->leaves[i].value == value)
                        leaf = &h->leaves[i];
        if (leaf && distance(h, leaf->place) + 1 <= UINT8_MAX)
                return leaf->place;
        if (!leaf)
                leaf = &h->leaves[h->n_leaves < MAX_LEAVES ? h->n_leaves++ : 0];
        leaf->value = value;
        leaf->place = value == REST ? emit(h, BPF_JMP | BPF_JA, (uint32_t)h->n_items, 0, 0)
                                    : emit(h, BPF_RET | BPF_K, value, 0, 0);
        return leaf->place;
}

static size_t emit_tree(struct head *h, const struct range *ranges, size_t n)
{
        size_t above = 0, below;

        if (n == 1)
                return emit_leaf(h, ranges[0].value);
        if (n - n / 2 > 1)
                above = emit_tree(h, ranges + n / 2, n - n / 2);
        below = emit_tree(h, ranges, n / 2);
        if (n - n / 2 == 1) /* now, when it is nearest */
                above = emit_leaf(h, ranges[n / 2].value);
        above = reach(h, above);
        below = reach(h, below);
        return emit(h, BPF_JMP | BPF_JGE | BPF_K, ranges[n / 2].first, distance(h, above), distance(h, below));
}

static void emit_section(struct head *h, uint32_t audit)
{
        size_t end = h->n_items, root = emit_tree(h, h->ranges, h->n_ranges), skip;

        if (root != h->n_items)
                emit(h, BPF_JMP | BPF_JA, (uint32_t)distance(h, root), 0, 0);
        emit(h, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
        skip = distance(h, end);
        if (skip > UINT8_MAX)
                emit(h, BPF_JMP | BPF_JA, (uint32_t)skip, 0, 0);
        emit(h, BPF_JMP | BPF_JEQ | BPF_K, audit, skip > UINT8_MAX, skip > UINT8_MAX ? 0 : skip);
}

static bool has_arch(const struct seccomp_front *f, uint32_t arch)
{
        for (size_t i = 0; i < f->n_archs; i++)
                if (f->archs[i] == arch)
                        return true;
        return false;
}

/* x86_64 and x32 are one to the kernel: x32's numbers are the upper half. */
static void make_x86_64(struct head *h)
{
        if (has_arch(h->front, SCMP_ARCH_X86_64))
                add_arch(h, SCMP_ARCH_X86_64);
        else
                add_range(h, 0, REST);
        if (has_arch(h->front, SCMP_ARCH_X32))
                add_arch(h, SCMP_ARCH_X32);
        else
                add_range(h, X32_BIT, REST);
        emit_section(h, AUDIT_ARCH_X86_64);
}

/* One section for each audit architecture, our own first. */
static void make_sections(struct head *h)
{
        const struct seccomp_front *f = h->front;

        for (size_t i = f->n_archs; i-- > 0;) {
                h->n_ranges = 0;
                if (f->archs[i] == SCMP_ARCH_X86_64 ||
                    (f->archs[i] == SCMP_ARCH_X32 && !has_arch(f, SCMP_ARCH_X86_64))) {
                        make_x86_64(h);
                } else if (f->archs[i] != SCMP_ARCH_X32) {
                        add_arch(h, f->archs[i]);
                        emit_section(h, f->archs[i]);
                }
        }
}

size_t seccomp_front_make(const struct seccomp_front *front, bool coarse, struct sock_filter items[SECCOMP_MAX_ITEMS])
{
        struct head h = {
                .front = front, .coarse = coarse, .enosys = wants_enosys(front->default_action), .items = items
        };

        if (coarse && !h.enosys)
                return 0;
        make_sections(&h);
        emit(&h, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
        if (h.failed)
                return 0;
        for (size_t i = 0; i < h.n_items / 2; i++) {
                struct sock_filter first = items[i];

                items[i] = items[h.n_items - 1 - i];
                items[h.n_items - 1 - i] = first;
        }
        return h.n_items;
}
