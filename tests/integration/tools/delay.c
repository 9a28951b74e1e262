/*
 * Runs a program so that what is done at the same time is done in an order that seldom comes about by itself: some
 * system calls of Coracle's programs begin late, by a time that is drawn for each.
 *
 *      delay SEED -- PROGRAM [ARGUMENT]...
 *
 * SEED, a number above 0, is what the times depend on; which call gets which depends on the order in which they come.
 * One call in RARITY is delayed, by DELAY_MS at most. Other programs, and what runs in containers, are not kept
 * waiting. A program under the filter has no seccomp listener of its own: the kernel gives it none.
 */
#include "supervise.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum { RARITY = 4, DELAY_MS = 25, WAITING_MAX = 512 };

/* By what one process can come before another or behind it. */
static const char *const calls[] = {
        "accept4",  "clone",      "clone3",     "close",     "connect",   "dup3",     "epoll_wait", "epoll_pwait",
        "execve",   "execveat",   "exit_group", "fork",      "ftruncate", "kill",     "linkat",     "mkdirat",
        "mount",    "move_mount", "openat2",    "poll",      "ppoll",     "pwrite64", "read",       "recvfrom",
        "recvmsg",  "rename",     "renameat",   "renameat2", "rmdir",     "sendmsg",  "sendto",     "setns",
        "shutdown", "socketpair", "splice",     "umount2",   "unlink",    "unlinkat", "unshare",    "vfork",
        "wait4",    "waitid",     "write",      "writev",
};

struct waiting {
        uint64_t id;
        int64_t until_ms;
};
static struct waiting all[WAITING_MAX];
static size_t n_all;
static uint64_t random_state;

static int64_t now_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint64_t draw(void) /* xorshift64 */
{
        random_state ^= random_state << 13;
        random_state ^= random_state >> 7;
        random_state ^= random_state << 17;
        return random_state;
}

static bool is_ours(pid_t pid)
{
        static const char name[] = "coracle";
        char path[64], comm[sizeof name] = "";
        bool is;
        FILE *f;

        snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
        f = fopen(path, "re");
        is = f && fread(comm, 1, sizeof name - 1, f) == sizeof name - 1 && memcmp(comm, name, sizeof name - 1) == 0;
        if (f)
                fclose(f);
        return is;
}

static void let_go_due(struct supervise *s)
{
        int64_t now = now_ms();

        for (size_t i = 0; i < n_all;) {
                if (all[i].until_ms > now) {
                        i++;
                        continue;
                }
                supervise_answer(s, all[i].id, 0);
                all[i] = all[--n_all];
        }
}

static int ms_to_next(void)
{
        int64_t first = -1, now = now_ms();

        for (size_t i = 0; i < n_all; i++)
                if (first < 0 || all[i].until_ms < first)
                        first = all[i].until_ms;
        return first < 0 ? -1 : first <= now ? 0 : (int)(first - now);
}

static void delay_all(int listener)
{
        struct supervise s;
        int r;

        if (!supervise_begin(&s, listener))
                return;
        while ((r = supervise_next(&s, ms_to_next())) >= 0) {
                let_go_due(&s);
                if (r == 0)
                        continue;
                if (n_all < WAITING_MAX && draw() % RARITY == 0 && is_ours((pid_t)s.question->pid))
                        all[n_all++] = (struct waiting){ s.question->id, now_ms() + 1 + (int64_t)(draw() % DELAY_MS) };
                else
                        supervise_answer(&s, s.question->id, 0);
        }
}

int main(int argc, char **argv)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

        if (argc < 4 || strcmp(argv[2], "--") != 0 || (random_state = strtoull(argv[1], NULL, 10)) == 0)
                supervise_die("expected SEED -- PROGRAM [ARGUMENT]..., SEED a number above 0", 0);
        if (!filter || seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0) < 0)
                supervise_die("make a filter", ENOMEM);
        for (size_t i = 0; i < COUNT(calls); i++) {
                int n = supervise_call(calls[i]), r = n < 0 ? 0 : seccomp_rule_add(filter, SCMP_ACT_NOTIFY, n, 0);

                if (r < 0 && r != -EEXIST)
                        supervise_die(calls[i], -r);
        }
        supervise_load(filter, delay_all);
        seccomp_release(filter);
        execvp(argv[3], argv + 3);
        supervise_die(argv[3], errno);
}
