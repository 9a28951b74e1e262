#include "linux/device_bpf.h"

#include "base/fd.h"
#include "linux/cgroup_priv.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The program. R1 is the context; R2 the kind of device, R3 the access that is still undecided, R4 major, R5 minor.
 * Rules are tried from the last to the first:
 *
 *      if (kind, major or minor differ) goto next
 *      allow:  R3 &= ~access; if (R3 == 0) return 1
 *      deny:   if (R3 & access) return 0
 *
 * and what is left undecided gets the default.
 */
enum { KIND = BPF_REG_2, WANT = BPF_REG_3, MAJOR = BPF_REG_4, MINOR = BPF_REG_5, TMP = BPF_REG_6 };

struct program {
        struct bpf_insn *insns;
        int n;
};

static void emit(struct program *p, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
        if (p->n < DEVICE_BPF_MAX)
                p->insns[p->n] =
                        (struct bpf_insn){ .code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm };
        p->n++;
}

static void load(struct program *p, uint8_t dst, size_t offset)
{
        emit(p, BPF_LDX | BPF_MEM | BPF_W, dst, BPF_REG_1, (int16_t)offset, 0);
}

static void ret(struct program *p, int value)
{
        emit(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value);
        emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void prologue(struct program *p)
{
        /* access_type is (access << 16) | kind */
        load(p, KIND, offsetof(struct bpf_cgroup_dev_ctx, access_type));
        emit(p, BPF_ALU64 | BPF_MOV | BPF_X, WANT, KIND, 0, 0);
        emit(p, BPF_ALU | BPF_AND | BPF_K, KIND, 0, 0, 0xffff);
        emit(p, BPF_ALU | BPF_RSH | BPF_K, WANT, 0, 0, 16);
        load(p, MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
        load(p, MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
}

/* The kernel's bits of access are others than ours. */
static int32_t bpf_access(unsigned access)
{
        return (access & DEV_READ ? BPF_DEVCG_ACC_READ : 0) | (access & DEV_WRITE ? BPF_DEVCG_ACC_WRITE : 0) |
               (access & DEV_MKNOD ? BPF_DEVCG_ACC_MKNOD : 0);
}

static void rule(struct program *p, const struct device_rule *r)
{
        int32_t access = bpf_access(r->access);
        int jumps[3], n_jumps = 0;

        if (r->type != 'a') {
                jumps[n_jumps++] = p->n;
                emit(p, BPF_JMP | BPF_JNE | BPF_K, KIND, 0, 0,
                     r->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
        }
        if (r->major >= 0) {
                jumps[n_jumps++] = p->n;
                emit(p, BPF_JMP | BPF_JNE | BPF_K, MAJOR, 0, 0, (int32_t)r->major);
        }
        if (r->minor >= 0) {
                jumps[n_jumps++] = p->n;
                emit(p, BPF_JMP | BPF_JNE | BPF_K, MINOR, 0, 0, (int32_t)r->minor);
        }
        if (r->allow) {
                emit(p, BPF_ALU | BPF_AND | BPF_K, WANT, 0, 0, 7 & ~access);
                emit(p, BPF_JMP | BPF_JNE | BPF_K, WANT, 0, 2, 0);
                ret(p, 1);
        } else {
                emit(p, BPF_ALU64 | BPF_MOV | BPF_X, TMP, WANT, 0, 0);
                emit(p, BPF_ALU | BPF_AND | BPF_K, TMP, 0, 0, access);
                emit(p, BPF_JMP | BPF_JEQ | BPF_K, TMP, 0, 2, 0);
                ret(p, 0);
        }
        for (int i = 0; i < n_jumps; i++)
                if (jumps[i] < DEVICE_BPF_MAX)
                        p->insns[jumps[i]].off = (int16_t)(p->n - jumps[i] - 1);
}

int device_bpf_build(const struct device_policy *policy, struct bpf_insn *ret_insns, struct cor_err *err)
{
        struct program p = { .insns = ret_insns };

        prologue(&p);
        for (size_t i = policy->n_items; i > 0 && p.n <= DEVICE_BPF_MAX; i--)
                rule(&p, &policy->items[i - 1]);
        ret(&p, policy->allow ? 1 : 0);
        if (p.n > DEVICE_BPF_MAX)
                return cor_fail(err, COR_INVALID, "linux.resources.devices: too many rules (%zu)", policy->n_items);
        return p.n;
}

/* --- the kernel -------------------------------------------------------------------------------------------------- */

static int bpf(int cmd, union bpf_attr *attr)
{
        int r;

        do
                r = (int)syscall(SYS_bpf, cmd, attr, sizeof *attr);
        while (r < 0 && errno == EAGAIN);
        return r;
}

/* Before Linux 5.11 programs count as locked memory, of which all containers of a user together may have little. */
static int load_unlimited(union bpf_attr *attr)
{
        const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
        struct rlimit old;
        int fd, sys;

        if (prlimit(0, RLIMIT_MEMLOCK, &none, &old) < 0) {
                errno = EPERM;
                return -1;
        }
        fd = bpf(BPF_PROG_LOAD, attr);
        sys = errno;
        (void)!prlimit(0, RLIMIT_MEMLOCK, &old, NULL);
        errno = sys;
        return fd;
}

static int prog_load(const struct bpf_insn *insns, int n, struct cor_err *err)
{
        union bpf_attr attr;
        int fd;

        memset(&attr, 0, sizeof attr);
        attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
        attr.insns = (uint64_t)(uintptr_t)insns;
        attr.insn_cnt = (uint32_t)n;
        attr.license = (uint64_t)(uintptr_t) "Apache-2.0";
        attr.expected_attach_type = BPF_CGROUP_DEVICE;
        memcpy(attr.prog_name, "coracle_devices", sizeof "coracle_devices");
        fd = bpf(BPF_PROG_LOAD, &attr);
        if (fd < 0 && errno == EPERM)
                fd = load_unlimited(&attr);
        return fd >= 0 ? fd : cor_fail_errno(err, "device rules: load a BPF program of %d instructions", n);
}

enum { MAX_ATTACHED = 64 };

/* The programs that are attached to exactly this cgroup; their number, or -1. */
static int attached(int dir_fd, uint32_t *ids, uint32_t *ret_flags)
{
        union bpf_attr attr;

        memset(&attr, 0, sizeof attr);
        attr.query.target_fd = (uint32_t)dir_fd;
        attr.query.attach_type = BPF_CGROUP_DEVICE;
        attr.query.prog_cnt = MAX_ATTACHED;
        attr.query.prog_ids = (uint64_t)(uintptr_t)ids;
        if (bpf(BPF_PROG_QUERY, &attr) < 0)
                return -1;
        *ret_flags = attr.query.attach_flags;
        return (int)attr.query.prog_cnt;
}

static int prog_of_id(uint32_t id)
{
        union bpf_attr attr;

        memset(&attr, 0, sizeof attr);
        attr.prog_id = id;
        return bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}

static int attach(int dir_fd, int prog, uint32_t flags, int replace)
{
        union bpf_attr attr;

        memset(&attr, 0, sizeof attr);
        attr.target_fd = (uint32_t)dir_fd;
        attr.attach_bpf_fd = (uint32_t)prog;
        attr.attach_type = BPF_CGROUP_DEVICE;
        attr.attach_flags = flags;
        if (replace >= 0) {
                attr.attach_flags |= BPF_F_REPLACE;
                attr.replace_bpf_fd = (uint32_t)replace;
        }
        return bpf(BPF_PROG_ATTACH, &attr);
}

static int detach(int dir_fd, int prog)
{
        union bpf_attr attr;

        memset(&attr, 0, sizeof attr);
        attr.target_fd = (uint32_t)dir_fd;
        attr.attach_bpf_fd = (uint32_t)prog;
        attr.attach_type = BPF_CGROUP_DEVICE;
        return bpf(BPF_PROG_DETACH, &attr);
}

/* @n programs are there already: put ours in the place of one, in one step, and take the others off. */
static int replace(int dir_fd, int prog, const uint32_t *ids, int n, uint32_t flags, struct cor_err *err)
{
        auto_fd first = prog_of_id(ids[0]);
        int r;

        if (first < 0)
                return cor_fail_errno(err, "device rules: open the present BPF program %u", ids[0]);
        if (!(flags & BPF_F_ALLOW_MULTI)) /* a single one is replaced by the next */
                return attach(dir_fd, prog, flags, -1) < 0 ? cor_fail_errno(err, "device rules: replace BPF program")
                                                           : 0;
        r = attach(dir_fd, prog, flags, first);
        if (r < 0 && errno == EINVAL) { /* before 5.6: both hold for a moment, and each can only take access away */
                r = attach(dir_fd, prog, flags, -1);
                if (r == 0)
                        r = detach(dir_fd, first);
        }
        if (r < 0)
                return cor_fail_errno(err, "device rules: replace BPF program %u", ids[0]);
        for (int i = 1; i < n; i++) {
                auto_fd other = prog_of_id(ids[i]);

                if (other >= 0 && detach(dir_fd, other) < 0)
                        return cor_fail_errno(err, "device rules: detach BPF program %u", ids[i]);
        }
        return 0;
}

int device_bpf_attach(int dir_fd, const struct device_policy *p, struct cor_err *err)
{
        auto_free struct bpf_insn *insns = cor_realloc_array(NULL, DEVICE_BPF_MAX, sizeof *insns);
        uint32_t ids[MAX_ATTACHED], flags = 0;
        int len = device_bpf_build(p, insns, err), n;
        auto_fd prog = len < 0 ? -1 : prog_load(insns, len, err), dir = -1;

        if (prog < 0)
                return -1;
        dir = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* bpf() takes no O_PATH */
        if (dir < 0)
                return cor_fail_errno(err, "device rules: open the cgroup");
        n = attached(dir, ids, &flags);
        if (n < 0)
                return cor_fail_errno(err, "device rules: ask for the BPF programs of the cgroup");
        if (n > 0)
                return replace(dir, prog, ids, n, flags, err);
        if (attach(dir, prog, BPF_F_ALLOW_MULTI, -1) < 0)
                return cor_fail_errno(err, "device rules: attach a BPF program to the cgroup");
        return 0;
}
