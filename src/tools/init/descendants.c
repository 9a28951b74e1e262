#include "tools/init/descendants.h"

#include "tools/init/say.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TREE_MAX   (1u << 22) /* the kernel's own limit on pids */
#define READ_TRIES 8          /* readings of a tree that keeps changing; the last one is used as it is */

struct process {
        pid_t pid;
        uint64_t start_time;
};

/* The tree in breadth-first order, this process first: parents get a signal before the children they would replace. */
struct tree {
        struct process *items;
        size_t n_items, room;
        pid_t parent; /* whose children are being read */
        bool changed; /* something ended while we looked */
};

static ssize_t read_small(const char *path, char *buf, size_t size)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n;

        if (fd < 0)
                return -1;
        n = read(fd, buf, size - 1);
        close(fd);
        if (n >= 0)
                buf[n] = '\0';
        return n;
}

int process_stat_parse(const char *text, struct process_stat *ret)
{
        const char *p = strrchr(text, ')'); /* the name before it may hold anything, also ")" */
        struct process_stat stat;
        char *end;
        long parent;

        if (!p || p[1] != ' ' || !p[2] || p[3] != ' ')
                return -1;
        stat.state = p[2];
        parent = strtol(p + 4, &end, 10);
        if (end == p + 4 || *end != ' ' || parent < 0 || parent > INT_MAX)
                return -1;
        stat.parent = (pid_t)parent;

        for (int field = 4; field < 21; field++) { /* to the end of field 21; the 22nd is the start time */
                end = strchr(end + 1, ' ');
                if (!end)
                        return -1;
        }
        if (end[1] < '0' || end[1] > '9')
                return -1;
        stat.start_time = strtoull(end + 1, NULL, 10);
        *ret = stat;
        return 0;
}

static int process_stat_read(pid_t pid, struct process_stat *ret)
{
        char path[32], text[1024];

        snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
        if (read_small(path, text, sizeof text) < 0)
                return -1;
        return process_stat_parse(text, ret);
}

/* process_lives() - it is still that process, and its children are still its own */
static bool process_lives(const struct process *p)
{
        struct process_stat now;

        return process_stat_read(p->pid, &now) == 0 && now.start_time == p->start_time && now.state != 'Z' &&
               now.state != 'X';
}

void pid_reader_feed(struct pid_reader *r, const char *text, size_t len, void (*found)(pid_t pid, void *context),
                     void *context)
{
        for (size_t i = 0; i < len; i++) {
                if (text[i] >= '0' && text[i] <= '9') {
                        if (r->value <= INT_MAX)
                                r->value = r->value * 10 + (uint64_t)(text[i] - '0');
                        continue;
                }
                if (r->value > 0 && r->value <= INT_MAX)
                        found((pid_t)r->value, context);
                r->value = 0;
        }
}

static int tree_add(struct tree *t, pid_t pid, uint64_t start_time)
{
        if (t->n_items == t->room) {
                size_t room = t->room ? t->room * 2 : 64;
                struct process *items = room <= TREE_MAX ? realloc(t->items, room * sizeof *items) : NULL;

                if (!items)
                        return -1;
                t->items = items;
                t->room = room;
        }
        t->items[t->n_items++] = (struct process){ .pid = pid, .start_time = start_time };
        return 0;
}

/* tree_found() - @pid stood among the children of t->parent: take it in if that is (still) true */
static void tree_found(pid_t pid, void *context)
{
        struct tree *t = context;
        struct process_stat stat;

        if (process_stat_read(pid, &stat) < 0 || stat.parent != t->parent) {
                t->changed = true;
                return;
        }
        if (stat.state == 'Z' || stat.state == 'X')
                return;
        if (tree_add(t, pid, stat.start_time) < 0)
                say(SAY_WARNING, "too many descendants: some do not get the signal");
}

/* tree_add_children() - take in the children of @parent's thread @tid */
static void tree_add_children(struct tree *t, pid_t parent, const char *tid)
{
        char path[64], text[4096];
        struct pid_reader reader = { 0 };
        ssize_t n;
        int fd;

        snprintf(path, sizeof path, "/proc/%ld/task/%.16s/children", (long)parent, tid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
                t->changed = true;
                return;
        }
        t->parent = parent;
        while ((n = read(fd, text, sizeof text)) > 0)
                pid_reader_feed(&reader, text, (size_t)n, tree_found, t);
        close(fd);
}

/* tree_expand() - take in the children of all threads of item @i, unless it turned out to be gone */
static void tree_expand(struct tree *t, size_t i)
{
        struct process parent = t->items[i];
        size_t n_before = t->n_items;
        struct dirent *entry;
        char path[32];
        DIR *dir;

        snprintf(path, sizeof path, "/proc/%ld/task", (long)parent.pid);
        dir = opendir(path);
        if (!dir) {
                t->changed = true;
                return;
        }
        while ((entry = readdir(dir))) {
                if (entry->d_name[0] != '.')
                        tree_add_children(t, parent.pid, entry->d_name);
        }
        closedir(dir);

        if (!process_lives(&parent)) {
                t->n_items = n_before; /* perhaps another process's children */
                t->changed = true;
        }
}

/* tree_read() - fill @t with this process and all below it */
static int tree_read(struct tree *t, struct cor_err *err)
{
        struct process_stat self;

        if (process_stat_read(getpid(), &self) < 0)
                return cor_fail_errno(err, "read /proc/%ld/stat", (long)getpid());

        for (int tries = READ_TRIES; tries > 0; tries--) {
                t->n_items = 0;
                t->changed = false;
                if (tree_add(t, getpid(), self.start_time) < 0)
                        return cor_fail(err, COR_SYSTEM, "no memory for the list of processes");
                for (size_t i = 0; i < t->n_items; i++)
                        tree_expand(t, i);
                /* What ended after its turn, but before its parent's list was complete, may have left orphans to us. */
                for (size_t i = 0; i < t->n_items && !t->changed; i++)
                        t->changed = !process_lives(&t->items[i]);
                if (!t->changed)
                        break;
        }
        return 0;
}

/* process_signal() - send @sig to exactly that process; whether it got it */
static bool process_signal(const struct process *p, int sig)
{
        int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
        bool sent = false;

        if (fd < 0)
                return false;
        /* Held by the descriptor, then compared: from here on the pid cannot become another process's. */
        if (process_lives(p)) {
                sent = syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) == 0;
                if (!sent && errno != ESRCH)
                        say(SAY_WARNING, "cannot send a signal to process %ld: %s", (long)p->pid, strerror(errno));
        }
        close(fd);
        return sent;
}

int descendants_check(struct cor_err *err)
{
        char text[64];
        ssize_t n;
        int pidfd;

        if (getpid() == 1)
                return 0;
        n = readlink("/proc/self", text, sizeof text - 1);
        if (n < 0)
                return cor_fail_errno(err, "the descendants cannot be found: read /proc/self");
        text[n] = '\0';
        if (strtol(text, NULL, 10) != getpid())
                return cor_fail(err, COR_UNSUPPORTED,
                                "the descendants cannot be found: /proc belongs to another pid namespace");
        if (access("/proc/thread-self/children", R_OK) < 0)
                return cor_fail(err, COR_UNSUPPORTED,
                                "the descendants cannot be found: "
                                "this kernel has no /proc/PID/task/TID/children");
        pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
        if (pidfd < 0)
                return cor_fail(
                        err, COR_UNSUPPORTED,
                        "the descendants cannot be signalled: the kernel, or a seccomp profile around this program, "
                        "refuses pidfd_open() (Linux 5.3)");
        close(pidfd);
        return 0;
}

/* tree_signal() - send @sig to all of the tree but this process; how many got it */
static int tree_signal(const struct tree *t, int sig)
{
        int n_reached = 0;

        for (size_t i = 1; i < t->n_items; i++)
                n_reached += process_signal(&t->items[i], sig);
        return n_reached;
}

int descendants_signal(int sig, struct cor_err *err)
{
        struct tree tree = { 0 };
        int result;

        if (getpid() == 1) {
                if (kill(-1, sig) == 0)
                        return 1;
                return errno == ESRCH ? 0 : cor_fail_errno(err, "send a signal to all processes");
        }
        result = tree_read(&tree, err) < 0 ? -1 : tree_signal(&tree, sig);
        free(tree.items);
        return result;
}
