/*
 * Runs a program on a kernel that seems to lack something: a seccomp filter, which all its descendants inherit,
 * answers.
 *
 *      refuse WORD[,WORD]... -- PROGRAM [ARGUMENT]...
 *
 * A WORD is one of
 *      CALL[=ERROR]    a system call by its name; ENOSYS without ERROR, which is one of ENOSYS, EPERM, EINVAL and
 *                      EOPNOTSUPP
 *      CALL:WHAT       one use of a call that older kernels do not know, see uses[]
 *      file:NAME       a file of this name cannot be opened: ENOENT, as a file of sysfs or a cgroup that came later
 *      SET[=ERROR]     several of them, see sets[]; "nothing" is the filter alone
 *
 * Needs CAP_SYS_ADMIN: without it a filter can only be had together with no_new_privs, under which programs like
 * newuidmap do not work. What stands behind a pointer (the structure of clone3, a name) no filter sees: for these words
 * there is a process that reads it from the caller's memory (supervise.h).
 */
#include "supervise.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum {
        NEWEST =
                440, /* the last call of Linux 5.10 (process_madvise); from 424 on all machines have the same numbers */
        NEWEST_MAX = 600, /* more than there are */
        FILES_MAX = 8,
};

static const struct {
        const char *name, *words;
} sets[] = {
        { "nothing", "" },
        { "mount_api", "open_tree,move_mount,fsopen,fsconfig,fsmount,fspick,mount_setattr" },
        { "pidfd", "pidfd_open,pidfd_send_signal,pidfd_getfd" },
        { "landlock", "landlock_create_ruleset,landlock_add_rule,landlock_restrict_self" },
        /* what a sandbox of 2019 has never heard of */
        { "sandbox", "mount_api,openat2,clone3,close_range,faccessat2,pidfd_getfd,epoll_pwait2,quotactl_fd,landlock" },
        { "linux-5.10", "newer,close_range:cloexec,memfd_create:exec" },
};

/* By an argument that is a number: the call is refused when @arg has one of @bits. */
static const struct {
        const char *name, *call;
        unsigned arg;
        uint64_t bits;
        int error;
} uses[] = {
        { "close_range:cloexec", "close_range", 2, 4, EINVAL },   /* Linux 5.11 */
        { "memfd_create:exec", "memfd_create", 1, 0x18, EINVAL }, /* 6.3: MFD_NOEXEC_SEAL, MFD_EXEC */
        { "unshare:newtime", "unshare", 0, 0x80, EINVAL },        /* 5.6 */
};

/* By what stands behind a pointer. */
enum { INTO_CGROUP = 1, LOWER = 2, IDMAP = 4, FILES = 8 };
static const struct {
        const char *name;
        unsigned question;
        const char *calls[3];
} asked[] = {
        { "clone3:into_cgroup", INTO_CGROUP, { "clone3" } },   /* 5.7 */
        { "fsconfig:lowerdir+", LOWER, { "fsconfig" } },       /* 6.7 */
        { "mount_setattr:idmap", IDMAP, { "mount_setattr" } }, /* file systems that cannot */
        { "file:", FILES, { "openat", "openat2", "faccessat" } },
};

static scmp_filter_ctx filter;
static unsigned questions;
static char *files[FILES_MAX]; /* that are not there */
static size_t n_files;

/* ------------------------------------------------------------------------------------------------------- the filter */

/* @only: what an argument has to be, or NULL */
static void add(int call, uint32_t action, const struct scmp_arg_cmp *only)
{
        int r = seccomp_rule_add_array(filter, action, call, only ? 1 : 0, only);

        if (r < 0 && r != -EEXIST)
                supervise_die("add a rule", -r);
}

static int error_of(const char *name)
{
        static const struct {
                const char *name;
                int error;
        } errors[] = { { "ENOSYS", ENOSYS }, { "EPERM", EPERM }, { "EINVAL", EINVAL }, { "EOPNOTSUPP", EOPNOTSUPP } };

        for (size_t i = 0; i < COUNT(errors); i++)
                if (strcmp(errors[i].name, name) == 0)
                        return errors[i].error;
        supervise_die("expected ENOSYS, EPERM, EINVAL or EOPNOTSUPP after =", 0);
}

static bool add_use(const char *word)
{
        for (size_t i = 0; i < COUNT(uses); i++) {
                if (strcmp(uses[i].name, word) != 0)
                        continue;
                for (uint64_t bit = 1; bit <= uses[i].bits; bit <<= 1) {
                        const struct scmp_arg_cmp only = { uses[i].arg, SCMP_CMP_MASKED_EQ, bit, bit };

                        if (uses[i].bits & bit)
                                add(supervise_call(uses[i].call), SCMP_ACT_ERRNO((unsigned)uses[i].error), &only);
                }
                return true;
        }
        return false;
}

static bool add_asked(char *word)
{
        for (size_t i = 0; i < COUNT(asked); i++) {
                bool file = asked[i].question == FILES;

                if (file ? strncmp(word, "file:", 5) != 0 : strcmp(word, asked[i].name) != 0)
                        continue;
                if (file && n_files == FILES_MAX)
                        supervise_die("too many files", 0);
                if (file)
                        files[n_files++] = strdup(word + 5);
                questions |= asked[i].question;
                for (size_t k = 0; k < COUNT(asked[i].calls) && asked[i].calls[k]; k++)
                        add(supervise_call(asked[i].calls[k]), SCMP_ACT_NOTIFY, NULL);
                return true;
        }
        return false;
}

static void add_words(const char *words, int error);

static bool add_set(const char *name, int error)
{
        for (size_t i = 0; i < COUNT(sets); i++)
                if (strcmp(sets[i].name, name) == 0) {
                        add_words(sets[i].words, error);
                        return true;
                }
        return false;
}

static void add_newer(int error)
{
        for (int n = NEWEST + 1; n < NEWEST_MAX; n++)
                add(n, SCMP_ACT_ERRNO((unsigned)error), NULL);
}

static void add_word(char *word, int error)
{
        char *equals = strchr(word, '=');

        if (equals) {
                *equals = '\0';
                error = error_of(equals + 1);
        }
        if (strcmp(word, "newer") == 0)
                add_newer(error);
        else if (!add_set(word, error) && !add_use(word) && !add_asked(word))
                add(supervise_call(word), SCMP_ACT_ERRNO((unsigned)error), NULL);
}

static void add_words(const char *words, int error)
{
        char *copy = strdup(words), *rest = copy, *word;

        while ((word = strsep(&rest, ",")))
                if (*word)
                        add_word(word, error);
        free(copy);
}

static void filter_make(const char *words)
{
        filter = seccomp_init(SCMP_ACT_ALLOW);
        if (!filter || seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0) < 0 ||
            seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW) < 0)
                supervise_die("make a filter", ENOMEM);
        add_words(words, ENOSYS);
}

/* ----------------------------------------------------------------------------------------------- what it cannot see */

/* As much as can be read at @address of the process, up to @max bytes: a text may end just before a hole. */
static size_t read_there(pid_t pid, uint64_t address, void *bytes, size_t max)
{
        size_t have = 0;

        while (have < max) {
                size_t part = 4096 - (address + have) % 4096;
                struct iovec here = { (char *)bytes + have, part < max - have ? part : max - have };
                struct iovec there = { (void *)(uintptr_t)(address + have), here.iov_len };
                ssize_t n = process_vm_readv(pid, &here, 1, &there, 1, 0);

                if (n <= 0)
                        break;
                have += (size_t)n;
        }
        return have;
}

static void text_there(pid_t pid, uint64_t address, char *text, size_t size)
{
        text[read_there(pid, address, text, size - 1)] = '\0';
}

static bool is_hidden(const char *path)
{
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

        for (size_t i = 0; i < n_files; i++)
                if (strcmp(name, files[i]) == 0)
                        return true;
        return false;
}

/* The error of this call, or 0 to let it through. */
static int answer(const struct seccomp_notif *n)
{
        const __u64 *args = n->data.args;
        uint64_t number = 0;
        char text[4096];

        switch (n->data.nr) {
        case SYS_clone3:
                read_there((pid_t)n->pid, args[0], &number, sizeof number); /* its flags come first */
                return number & CLONE_INTO_CGROUP ? EINVAL : 0;
        case SYS_fsconfig:
                text_there((pid_t)n->pid, args[2], text, sizeof text);
                return strcmp(text, "lowerdir+") == 0 ? EINVAL : 0;
        case SYS_mount_setattr:
                read_there((pid_t)n->pid, args[3], &number, sizeof number); /* what to set comes first */
                return number & 0x00100000 ? EINVAL : 0;
        default:
                text_there((pid_t)n->pid, args[1], text, sizeof text);
                return is_hidden(text) ? ENOENT : 0;
        }
}

static void answer_all(int listener)
{
        struct supervise s;
        int r;

        if (!supervise_begin(&s, listener))
                return;
        while ((r = supervise_next(&s, -1)) >= 0)
                if (r > 0)
                        supervise_answer(&s, s.question->id, answer(s.question));
}

int main(int argc, char **argv)
{
        if (argc < 4 || strcmp(argv[2], "--") != 0)
                supervise_die("expected WORD[,WORD]... -- PROGRAM [ARGUMENT]...", 0);
        filter_make(argv[1]);
        supervise_load(filter, questions ? answer_all : NULL);
        seccomp_release(filter);
        execvp(argv[3], argv + 3);
        supervise_die(argv[3], errno);
}
