/*
 * Where a static program begins, before its C library: a shortcut to what clone_self_protect() does in the common case.
 *
 * Executing the protected clone of our own binary means that the program starts twice. Nearly half of that is the C
 * library making itself ready (relocations, questions to the processor that a virtual machine answers slowly), which
 * the first of the two never needs. So the entry point is here: it clones the mount and executes the clone with system
 * calls alone, and where anything is not as expected it does nothing and goes on to the library's own entry. main()
 * checks afterwards as ever; nothing relies on this file.
 *
 * The code runs without relocations, thread pointer and stack protector: no library calls, no pointers in static data.
 */
#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

enum { ENV_MAX = 1024, FLAG_RDONLY = 1 /* ST_RDONLY in statfs.f_flags */ };

#if defined(__x86_64__)
__asm__(".pushsection .text\n"
        ".globl clone_self_entry\n"
        ".type clone_self_entry, @function\n"
        "clone_self_entry:\n"
        "       endbr64\n"
        "       mov %rsp, %rbx\n"
        "       mov %rdx, %r12\n"
        "       mov %rsp, %rdi\n"
        "       and $-16, %rsp\n"
        "       call clone_self_early\n"
        "       mov %rbx, %rsp\n"
        "       mov %r12, %rdx\n"
        "       xor %ebp, %ebp\n"
        "       jmp _start\n"
        ".popsection\n");

static inline long call(long n, long a, long b, long c, long d, long e)
{
        register long r10 __asm__("r10") = d;
        register long r8 __asm__("r8") = e;
        long ret;

        __asm__ volatile("syscall"
                         : "=a"(ret)
                         : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                         : "rcx", "r11", "memory");
        return ret;
}
#elif defined(__riscv) && __riscv_xlen == 64
__asm__(".pushsection .text\n"
        ".globl clone_self_entry\n"
        ".type clone_self_entry, @function\n"
        "clone_self_entry:\n"
        "       .option push\n"
        "       .option norelax\n"
        "       lla gp, __global_pointer$\n"
        "       .option pop\n"
        "       mv s1, a0\n"
        "       mv s2, sp\n"
        "       mv a0, sp\n"
        "       andi sp, sp, -16\n"
        "       call clone_self_early\n"
        "       mv sp, s2\n"
        "       mv a0, s1\n"
        "       tail _start\n"
        ".popsection\n");

static inline long call(long n, long a, long b, long c, long d, long e)
{
        register long a7 __asm__("a7") = n;
        register long a0 __asm__("a0") = a;
        register long a1 __asm__("a1") = b;
        register long a2 __asm__("a2") = c;
        register long a3 __asm__("a3") = d;
        register long a4 __asm__("a4") = e;

        __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a7) : "memory");
        return a0;
}
#else
#error "meson.build links this file only where there is code for the processor"
#endif

void clone_self_early(long *stack);

static bool same(const char *a, const char *b, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (a[i] != b[i])
                        return false;
        return true;
}

/* Is one of the words a command that goes into a container? One too many does no harm. */
static bool wanted(char **argv)
{
        for (size_t i = 1; argv[i]; i++)
                if (same(argv[i], "run", 4) || same(argv[i], "exec", 5) || same(argv[i], "create", 7) ||
                    same(argv[i], "restore", 8))
                        return true;
        return false;
}

static void run_clone(int exe, char **argv, char **env)
{
        struct mount_attr attr;
        long tree;

        attr.attr_set = MOUNT_ATTR_RDONLY;
        attr.attr_clr = 0;
        attr.propagation = 0;
        attr.userns_fd = 0;
        tree = call(SYS_open_tree, exe, (long)"", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH, 0, 0);
        if (tree < 0)
                return;
        if (call(SYS_mount_setattr, tree, (long)"", AT_EMPTY_PATH, (long)&attr, sizeof attr) == 0)
                call(SYS_execveat, tree, (long)"", (long)argv, (long)env, AT_EMPTY_PATH);
        call(SYS_close, tree, 0, 0, 0, 0);
}

void clone_self_early(long *stack)
{
        char **argv = (char **)(stack + 1), **envp = argv + stack[0] + 1;
        char *env[ENV_MAX];
        uint64_t statfs[16]; /* struct statfs: f_flags is the eleventh word */
        char mark[] = { 'C', 'O', 'R', 'A', 'C', 'L', 'E', '_', 'C', 'L', 'O',
                        'N', 'E', '_', 'S', 'E', 'L', 'F', '=', '1', '\0' };
        size_t n = 0;
        long exe;

        if (stack[0] < 2 || !wanted(argv))
                return;
        for (; envp[n]; n++) {
                if (n >= ENV_MAX - 2 || same(envp[n], mark, sizeof mark - 2))
                        return; /* too many, or this is the second start */
                env[n] = envp[n];
        }
        env[n] = mark;
        env[n + 1] = NULL;
        exe = call(SYS_openat, AT_FDCWD, (long)"/proc/self/exe", O_RDONLY | O_CLOEXEC, 0, 0);
        if (exe < 0)
                return;
        /* one of the standard descriptors was closed: main() sees to that first */
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): the kernel has filled statfs */
        if (exe > 2 && call(SYS_fstatfs, exe, (long)statfs, 0, 0, 0) == 0 && !(statfs[10] & FLAG_RDONLY))
                run_clone((int)exe, argv, env);
        call(SYS_close, exe, 0, 0, 0, 0);
}
