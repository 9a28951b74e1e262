/*
 * What a process can still do that has been taken over: makes it (by ptrace) carry out system calls, and prints what
 * each one gave: "COMMAND ARGUMENT: ok", or the name of the error.
 *
 *      takeover PID [COMMAND ARGUMENT]...
 *
 *      read PATH, write PATH    open it so; with openat, not creating it
 *      create PATH              make a new file there, which is removed again
 *      list PATH                open a folder
 *      socket unix|inet|inet6|netlink|packet
 *      bind PORT                on a fresh TCP socket
 *      exec PATH, fork -, executable - (memory), mount PATH, ptrace PID, kill PID, setuid -
 *
 * `takeover landlock` prints the version of Landlock of this kernel, 0 for none.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
typedef struct user_regs_struct registers;
enum { CALL_BYTES = 2 };
static const uint8_t call_code[CALL_BYTES] = { 0x0f, 0x05 };
#define PC(r)     ((r)->rip)
#define SP(r)     ((r)->rsp)
#define RESULT(r) ((long)(r)->rax)
static void set_call(registers *r, long number, const unsigned long a[6])
{
        r->rax = (unsigned long)number;
        r->orig_rax = ~0UL; /* no call to be restarted */
        r->rdi = a[0], r->rsi = a[1], r->rdx = a[2], r->r10 = a[3], r->r8 = a[4], r->r9 = a[5];
}
#elif defined(__riscv)
#include <asm/ptrace.h>
typedef struct user_regs_struct registers;
enum { CALL_BYTES = 4 };
static const uint8_t call_code[CALL_BYTES] = { 0x73, 0, 0, 0 };
#define PC(r)     ((r)->pc)
#define SP(r)     ((r)->sp)
#define RESULT(r) ((long)(r)->a0)
static void set_call(registers *r, long number, const unsigned long a[6])
{
        r->a7 = (unsigned long)number;
        r->a0 = a[0], r->a1 = a[1], r->a2 = a[2], r->a3 = a[3], r->a4 = a[4], r->a5 = a[5];
}
#else
#error "which registers hold a system call here?"
#endif

static pid_t victim;
static registers saved;
static unsigned long call_at; /* the instruction by which it made the call that it waits in */
static unsigned long memory;  /* of the victim, below its stack: for what arguments point to */

static void die(const char *what)
{
        fprintf(stderr, "takeover: %s: %s\n", what, strerror(errno));
        exit(2);
}

static void registers_move(int request, registers *r)
{
        struct iovec v = { r, sizeof *r };

        if (ptrace(request, victim, (void *)NT_PRSTATUS, &v) < 0)
                die("registers");
}

static void put(const void *bytes, size_t n)
{
        struct iovec here = { (void *)(uintptr_t)bytes, n }, there = { (void *)memory, n };

        if (process_vm_writev(victim, &here, 1, &there, 1, 0) != (ssize_t)n)
                die("write its memory");
}

static void wait_stop(void)
{
        int status;

        if (waitpid(victim, &status, __WALL) != victim || !WIFSTOPPED(status)) {
                fprintf(stderr, "takeover: it ended\n");
                exit(2);
        }
}

static void go_on(void) /* to the beginning or to the end of a call: not every machine can single-step */
{
        if (ptrace(PTRACE_SYSCALL, victim, NULL, NULL) < 0)
                die("go on");
        wait_stop();
}

/* It was stopped inside a call: the instruction that made it is used again. */
static long call(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
        const unsigned long arguments[6] = { a, b, c, d };
        registers r = saved;

        PC(&r) = call_at;
        set_call(&r, number, arguments);
        registers_move(PTRACE_SETREGSET, &r);
        go_on();
        go_on();
        registers_move(PTRACE_GETREGSET, &r);
        return RESULT(&r);
}

static bool is_call(unsigned long address)
{
        uint8_t code[CALL_BYTES];
        struct iovec here = { code, sizeof code }, there = { (void *)address, sizeof code };

        return process_vm_readv(victim, &here, 1, &there, 1, 0) == CALL_BYTES &&
               memcmp(code, call_code, CALL_BYTES) == 0;
}

static void take_over(void)
{
        if (ptrace(PTRACE_ATTACH, victim, NULL, NULL) < 0)
                die("attach");
        wait_stop();
        registers_move(PTRACE_GETREGSET, &saved);
        call_at = PC(&saved) - CALL_BYTES;
        if (!is_call(call_at))
                call_at = PC(&saved); /* some machines go back before they stop, others when they go on */
        if (!is_call(call_at)) {
                fprintf(stderr, "takeover: it is not waiting in a system call\n");
                exit(3);
        }
        memory = (SP(&saved) - 16384) & ~15UL;
}

static long open_path(const char *path, int flags)
{
        long fd;

        put(path, strlen(path) + 1);
        fd = call(SYS_openat, (unsigned long)AT_FDCWD, memory, (unsigned long)(flags | O_CLOEXEC), 0600);
        if (fd >= 0)
                call(SYS_close, (unsigned long)fd, 0, 0, 0);
        return fd;
}

static long do_create(const char *path)
{
        long r = open_path(path, O_WRONLY | O_CREAT | O_EXCL);

        if (r >= 0)
                call(SYS_unlinkat, (unsigned long)AT_FDCWD, memory, 0, 0);
        return r;
}

static long make_socket(int domain, int type)
{
        return call(SYS_socket, (unsigned long)domain, (unsigned long)(type | SOCK_CLOEXEC), 0, 0);
}

static long do_socket(const char *name)
{
        static const struct {
                const char *name;
                int domain;
        } domains[] = { { "unix", AF_UNIX },
                        { "inet", AF_INET },
                        { "inet6", AF_INET6 },
                        { "netlink", AF_NETLINK },
                        { "packet", AF_PACKET } };

        for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
                if (strcmp(domains[i].name, name) == 0)
                        return make_socket(domains[i].domain, domains[i].domain == AF_NETLINK ? SOCK_RAW : SOCK_STREAM);
        return -EINVAL;
}

static long do_bind(const char *port)
{
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
        long fd = make_socket(AF_INET, SOCK_STREAM);

        put(&a, sizeof a);
        return fd < 0 ? fd : call(SYS_bind, (unsigned long)fd, memory, sizeof a, 0);
}

static long do_exec(const char *path)
{
        put(path, strlen(path) + 1);
        return call(SYS_execve, memory, 0, 0, 0);
}

static long do_mount(const char *path)
{
        put(path, strlen(path) + 1);
        return call(SYS_mount, memory, memory, memory, MS_ASYNC);
}

static long run(const char *command, const char *argument)
{
        if (strcmp(command, "read") == 0)
                return open_path(argument, O_RDONLY);
        if (strcmp(command, "write") == 0)
                return open_path(argument, O_RDWR);
        if (strcmp(command, "list") == 0)
                return open_path(argument, O_RDONLY | O_DIRECTORY);
        if (strcmp(command, "create") == 0)
                return do_create(argument);
        if (strcmp(command, "socket") == 0)
                return do_socket(argument);
        if (strcmp(command, "bind") == 0)
                return do_bind(argument);
        if (strcmp(command, "exec") == 0)
                return do_exec(argument);
        if (strcmp(command, "mount") == 0)
                return do_mount(argument);
        if (strcmp(command, "fork") == 0)
                return call(SYS_clone, SIGCHLD, 0, 0, 0);
        if (strcmp(command, "executable") == 0)
                return call(SYS_mprotect, memory & ~4095UL, 4096, PROT_READ | PROT_EXEC, 0);
        if (strcmp(command, "ptrace") == 0)
                return call(SYS_ptrace, PTRACE_SEIZE, strtoul(argument, NULL, 10), 0, 0);
        if (strcmp(command, "kill") == 0)
                return call(SYS_kill, strtoul(argument, NULL, 10), 0, 0, 0);
        if (strcmp(command, "setuid") == 0)
                return call(SYS_setuid, 1, 0, 0, 0);
        fprintf(stderr, "takeover: no command '%s'\n", command);
        exit(2);
}

int main(int argc, char **argv)
{
        if (argc == 2 && strcmp(argv[1], "landlock") == 0) {
                long version = syscall(444, NULL, 0, 1);

                printf("%ld\n", version < 0 ? 0 : version);
                return 0;
        }
        if (argc < 4 || argc % 2 != 0) {
                fprintf(stderr, "usage: takeover PID [COMMAND ARGUMENT]...\n");
                return 2;
        }
        victim = atoi(argv[1]);
        take_over();
        for (int i = 2; i + 1 < argc; i += 2) {
                long r = run(argv[i], argv[i + 1]);

                printf("%s %s: %s\n", argv[i], argv[i + 1], r >= 0 ? "ok" : strerrorname_np((int)-r));
        }
        registers_move(PTRACE_SETREGSET, &saved);
        ptrace(PTRACE_DETACH, victim, NULL, NULL);
        return 0;
}
