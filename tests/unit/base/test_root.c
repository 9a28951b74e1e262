/*
 * Look-ups inside a root. The cases run in two programs: here with openat2(2), and in test_root_walk.c with a seccomp
 * filter that answers ENOSYS to it, where the walk of our own must give the same.
 */
#include "base/alloc.h"
#include "base/fd.h"
#include "base/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "scratch.h"

/* root/ is the root; what must never be touched is beside it, in outside/. */
static int setup(void **state)
{
        struct scratch *s;
        int root;

        if (scratch_setup(state) < 0)
                return -1;
        s = *state;
        scratch_dir(s, "root");
        scratch_dir(s, "outside");
        scratch_file(s, "outside/secret", "secret");
        root = openat(s->fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(root >= 0);
        dup3(root, s->fd, O_CLOEXEC); /* so that the helpers' names are those in the root */
        close(root);
        return 0;
}

static bool same_file(int fd, struct scratch *s, const char *name)
{
        struct stat a, b;

        return fstat(fd, &a) == 0 && fstatat(s->fd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_dev == b.st_dev &&
               a.st_ino == b.st_ino;
}

static int entries_outside(struct scratch *s)
{
        int fd = openat(s->fd, "../outside", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
        DIR *dir = fdopendir(fd);

        assert_non_null(dir);
        while (readdir(dir))
                n++;
        closedir(dir);
        return n - 2;
}

/* @path opens as what is called @name without any link */
#define assert_opens(s, path, name)                                                                                    \
        do {                                                                                                           \
                struct cor_err e_ = { 0 };                                                                             \
                auto_fd fd_ = cor_root_open((s)->fd, path, O_PATH, 0, &e_);                                            \
                if (fd_ < 0)                                                                                           \
                        fail_msg("%s", e_.msg);                                                                        \
                assert_true(same_file(fd_, s, name));                                                                  \
        } while (0)

#define assert_refused(s, path, flags, errno_)                                                                         \
        do {                                                                                                           \
                struct cor_err e_ = { 0 };                                                                             \
                auto_fd fd_ = cor_root_open((s)->fd, path, flags, 0644, &e_);                                          \
                assert_int_equal(fd_, -1);                                                                             \
                assert_int_equal(e_.sys, errno_);                                                                      \
        } while (0)

static void links_resolve_inside_the_root(void **state)
{
        struct scratch *s = *state;

        scratch_dir(s, "etc");
        scratch_file(s, "etc/passwd", "in");
        scratch_link(s, "/etc", "absolute");
        scratch_link(s, "../../../../../../etc", "escape");
        scratch_link(s, "etc/../absolute/../escape", "winding");

        assert_opens(s, "/etc/passwd", "etc/passwd");
        assert_opens(s, "absolute/passwd", "etc/passwd");
        assert_opens(s, "escape/passwd", "etc/passwd");
        assert_opens(s, "winding/./passwd", "etc/passwd");
        assert_opens(s, "../../../etc//passwd", "etc/passwd");
        assert_opens(s, "etc/../../../../etc/passwd", "etc/passwd");
        assert_opens(s, "/", ".");
        assert_opens(s, "..", ".");
        assert_opens(s, "etc/..", ".");
        assert_refused(s, "../outside/secret", O_PATH, ENOENT);
        assert_refused(s, "", O_PATH, ENOENT);
}

static void links_that_lead_nowhere_are_refused(void **state)
{
        struct scratch *s = *state;
        char target[64];

        scratch_link(s, "loop", "loop");
        scratch_link(s, "b", "a");
        scratch_link(s, "a", "b");
        scratch_link(s, "nothing", "dangling");
        scratch_file(s, "file", "x");
        scratch_dir(s, "end");
        scratch_link(s, "end", "chain0");
        for (int i = 1; i <= 40; i++) {
                char name[64];

                snprintf(name, sizeof name, "chain%d", i);
                snprintf(target, sizeof target, "chain%d", i - 1);
                scratch_link(s, target, name);
        }
        assert_refused(s, "loop", O_PATH, ELOOP);
        assert_refused(s, "a/x", O_PATH, ELOOP);
        assert_refused(s, "dangling", O_PATH, ENOENT);
        assert_refused(s, "file/x", O_PATH, ENOTDIR);
        assert_refused(s, "file/..", O_PATH, ENOTDIR);
        assert_refused(s, "file/", O_PATH, ENOTDIR);
        assert_opens(s, "chain39", "end"); /* 40 links */
        assert_refused(s, "chain40", O_PATH, ELOOP);
}

static void names_that_are_too_long_are_refused(void **state)
{
        struct scratch *s = *state;
        char name[PATH_MAX + 10];

        memset(name, 'x', sizeof name);
        name[NAME_MAX + 1] = '\0';
        assert_refused(s, name, O_PATH, ENAMETOOLONG);
        for (size_t i = 0; i < sizeof name; i++)
                name[i] = i % 2 ? '/' : '.';
        name[sizeof name - 1] = '\0';
        assert_refused(s, name, O_PATH, ENAMETOOLONG);
}

static void magic_links_are_refused(void **state)
{
        struct cor_err err = { 0 };
        auto_fd proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;

        assert_true(proc >= 0);
        assert_int_equal(cor_root_open(proc, "self/root/etc", O_PATH, 0, &err), -1);
        assert_int_equal(err.sys, ELOOP);
        assert_int_equal(cor_root_open(proc, "self/cwd", O_PATH, 0, &err), -1);
        assert_int_equal(err.sys, ELOOP);
        assert_int_equal(cor_root_open(proc, "self/exe", O_RDONLY, 0, &err), -1);
        assert_int_equal(err.sys, ELOOP);
        assert_int_equal(cor_root_open(proc, "self/fd/0", O_RDONLY, 0, &err), -1);
        assert_int_equal(err.sys, ELOOP);
        assert_int_equal(cor_root_open(proc, "self/ns/mnt", O_RDONLY, 0, &err), -1);
        assert_int_equal(err.sys, ELOOP);
        fd = cor_root_open(proc, "mounts", O_RDONLY, 0, &err); /* an ordinary one, by way of another */
        assert_true(fd >= 0);
}

static void a_last_link_can_be_meant_itself(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        auto_fd link = -1, file = -1, through = -1;

        scratch_dir(s, "dir");
        scratch_file(s, "dir/file", "x");
        scratch_link(s, "dir", "to_dir");
        scratch_link(s, "/dir/file", "dir/to_file");

        link = cor_root_open_nofollow(s->fd, "to_dir/to_file", O_PATH, &err);
        assert_true(link >= 0 && same_file(link, s, "dir/to_file"));
        assert_int_equal(cor_root_open_nofollow(s->fd, "to_dir/to_file", O_RDONLY, &err), -1);
        assert_int_equal(err.sys, ELOOP);
        file = cor_root_open_nofollow(s->fd, "to_dir/file", O_RDONLY, &err);
        assert_true(file >= 0 && same_file(file, s, "dir/file"));
        assert_int_equal(cor_root_open_nofollow(s->fd, "to_dir", O_PATH | O_DIRECTORY, &err), -1);
        assert_int_equal(err.sys, ENOTDIR);
        through = cor_root_open_nofollow(s->fd, "to_dir/", O_PATH, &err);
        assert_true(through >= 0 && same_file(through, s, "dir"));
}

static void files_are_made_inside_the_root(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        auto_fd fd = -1, again = -1;

        scratch_link(s, "/../outside/new", "trap");
        scratch_dir(s, "outside"); /* the one that the link can mean */
        fd = cor_root_open(s->fd, "trap", O_WRONLY | O_CREAT, 0600, &err);
        assert_true(fd >= 0 && same_file(fd, s, "outside/new"));
        assert_int_equal(entries_outside(s), 1);
        assert_refused(s, "trap", O_WRONLY | O_CREAT | O_EXCL, EEXIST);
        assert_refused(s, "missing/new", O_WRONLY | O_CREAT, ENOENT);
        assert_refused(s, "outside", O_WRONLY | O_CREAT, EISDIR);
        again = cor_root_open(s->fd, "outside/new", O_RDWR | O_CREAT, 0600, &err);
        assert_true(again >= 0 && same_file(again, s, "outside/new"));
}

static void check_mkdirs(struct scratch *s, const char *path, const char *made)
{
        struct cor_err err = { 0 };
        auto_fd fd = cor_root_mkdirs(s->fd, path, 0755, &err);

        if (fd < 0)
                fail_msg("%s", err.msg);
        assert_true(fcntl(fd, F_GETFL) & O_PATH);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_true(same_file(fd, s, made));
        assert_int_equal(entries_outside(s), 1);
}

static void missing_directories_are_made_inside_the_root(void **state)
{
        struct scratch *s = *state;

        check_mkdirs(s, "/a/b/c", "a/b/c");
        check_mkdirs(s, "a//b/./d/", "a/b/d");
        check_mkdirs(s, "../../x", "x");
        check_mkdirs(s, "x/../../y/z", "y/z");
        check_mkdirs(s, "new/../sibling", "sibling");
        check_mkdirs(s, "/", ".");
        check_mkdirs(s, "a/b", "a/b");
}

static void what_a_dangling_link_means_is_made_inside_the_root(void **state)
{
        struct scratch *s = *state;
        char absolute[PATH_MAX + 32];

        scratch_link(s, "/../../outside/made", "up");
        scratch_link(s, "here/and/there", "relative");
        scratch_link(s, "up", "to_up");
        snprintf(absolute, sizeof absolute, "%s/outside/x", s->path);
        scratch_link(s, absolute, "absolute");

        check_mkdirs(s, "to_up/below", "outside/made/below");
        check_mkdirs(s, "relative/too", "here/and/there/too");
        check_mkdirs(s, "absolute", absolute + 1);
        check_mkdirs(s, "up", "outside/made");
}

static void what_is_no_directory_cannot_become_one(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        const char *const bad[] = { "file", "file/", "file/below", "dir/../file", "to_file", "to_file/x" };

        scratch_dir(s, "dir");
        scratch_file(s, "file", "x");
        scratch_link(s, "dir/../file", "to_file");
        scratch_link(s, "loop", "loop");
        for (size_t i = 0; i < COR_COUNT(bad); i++) {
                cor_err_clear(&err);
                assert_int_equal(cor_root_mkdirs(s->fd, bad[i], 0755, &err), -1);
                assert_int_equal(err.kind, COR_INVALID);
        }
        assert_int_equal(cor_root_mkdirs(s->fd, "loop/x", 0755, &err), -1);
        assert_int_equal(err.sys, ELOOP);
        assert_int_equal(cor_root_mkdirs(s->fd, "", 0755, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
}

static void made_directories_have_the_mode(void **state)
{
        struct scratch *s = *state;
        struct stat st;

        umask(0);
        close(cor_root_mkdirs(s->fd, "private/inner", 0711, NULL));
        assert_int_equal(fstatat(s->fd, "private", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0711);
        assert_int_equal(fstatat(s->fd, "private/inner", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0711);
        umask(022);
}

static void check_mkfile(struct scratch *s, const char *path, const char *made)
{
        struct cor_err err = { 0 };
        auto_fd fd = cor_root_mkfile(s->fd, path, &err);

        if (fd < 0)
                fail_msg("%s", err.msg);
        assert_true(fcntl(fd, F_GETFL) & O_PATH);
        assert_true(same_file(fd, s, made));
        assert_int_equal(entries_outside(s), 1);
}

static void missing_files_are_made_inside_the_root(void **state)
{
        struct scratch *s = *state;
        struct stat st;
        auto_str kept = NULL;

        scratch_file(s, "there", "kept");
        scratch_link(s, "../../outside/planted", "trap");
        scratch_link(s, "/etc/real", "link");
        assert_int_equal(mkfifoat(s->fd, "fifo", 0600), 0);

        check_mkfile(s, "/new/deep/file", "new/deep/file");
        check_mkfile(s, "there", "there");
        check_mkfile(s, "trap", "outside/planted");
        check_mkfile(s, "link", "etc/real");
        check_mkfile(s, "fifo", "fifo");
        kept = scratch_text(s, "there");
        assert_string_equal(kept, "kept");
        assert_int_equal(fstatat(s->fd, "new/deep/file", &st, 0), 0);
        assert_true(S_ISREG(st.st_mode) && st.st_size == 0 && (st.st_mode & 0777) == 0644);
}

static void a_directory_is_no_file(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        const char *const bad[] = { "dir", "dir/", "/", "", ".", "x/..", "x/.", "new/", "file/x", "to_dir" };

        scratch_dir(s, "dir");
        scratch_file(s, "file", "x");
        scratch_link(s, "dir", "to_dir");
        for (size_t i = 0; i < COR_COUNT(bad); i++) {
                cor_err_clear(&err);
                assert_int_equal(cor_root_mkfile(s->fd, bad[i], &err), -1);
                assert_int_equal(err.kind, COR_INVALID);
        }
        assert_false(scratch_has(s, "x"));
        assert_false(scratch_has(s, "new"));
}

static void our_own_folders_know_no_links(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        auto_fd plain = -1, up = -1, link = -1;

        scratch_dir(s, "dir");
        scratch_file(s, "dir/file", "x");
        scratch_link(s, "file", "dir/link");
        scratch_link(s, "dir", "to_dir");

        plain = cor_own_open(s->fd, "dir/file", O_RDONLY, 0, &err);
        assert_true(plain >= 0 && same_file(plain, s, "dir/file"));
        up = cor_own_open(s->fd, "dir/../dir/./file", O_RDONLY, 0, &err);
        assert_true(up >= 0 && same_file(up, s, "dir/file"));
        link = cor_own_open(s->fd, "dir/link", O_PATH | O_NOFOLLOW, 0, &err);
        assert_true(link >= 0 && same_file(link, s, "dir/link"));
        assert_int_equal(cor_own_open(s->fd, "dir/link", O_RDONLY, 0, &err), -1);
        assert_int_equal(err.sys, ELOOP);
        assert_int_equal(cor_own_open(s->fd, "to_dir/file", O_RDONLY, 0, &err), -1);
        assert_int_equal(err.sys, ELOOP);
        assert_int_equal(cor_own_open(s->fd, "../outside/secret", O_RDONLY, 0, &err), -1);
        assert_int_equal(err.sys, EXDEV);
        assert_int_equal(cor_own_open(s->fd, "dir/../../outside/secret", O_RDONLY, 0, &err), -1);
        assert_int_equal(err.sys, EXDEV);
        assert_int_equal(cor_own_open(s->fd, "/dir/file", O_RDONLY, 0, &err), -1);
        assert_int_equal(err.sys, EXDEV);
        assert_int_equal(cor_own_open(s->fd, "dir/link", O_WRONLY | O_CREAT, 0600, &err), -1);
        assert_int_equal(err.sys, ELOOP);
}

static void descriptors_are_not_left_open(void **state)
{
        struct scratch *s = *state;
        int before = dup(s->fd), after;

        close(before);
        scratch_link(s, "a/../b/../c", "winding");
        close(cor_root_mkdirs(s->fd, "winding/x", 0755, NULL));
        close(cor_root_mkfile(s->fd, "winding/f", NULL));
        assert_int_equal(cor_root_mkdirs(s->fd, "c/f/x", 0755, NULL), -1);
        assert_int_equal(cor_root_mkfile(s->fd, "c/x", NULL), -1);
        after = dup(s->fd);
        close(after);
        assert_int_equal(before, after);
}

/* A child that, until killed, exchanges "swap", a directory, with a link that leads out. */
static pid_t start_exchanging(struct scratch *s)
{
        char outside[PATH_MAX + 16];
        pid_t pid;

        scratch_dir(s, "swap");
        scratch_link(s, "../outside", "swap.link");
        snprintf(outside, sizeof outside, "%s/outside", s->path);
        scratch_link(s, outside, "swap.other");
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                alarm(60);
                for (;;) {
                        renameat2(s->fd, "swap", s->fd, "swap.link", RENAME_EXCHANGE);
                        renameat2(s->fd, "swap", s->fd, "swap.other", RENAME_EXCHANGE);
                        sched_yield();
                }
        }
        return pid;
}

static void an_exchange_of_links_during_the_look_up_does_not_escape(void **state)
{
        struct scratch *s = *state;
        pid_t pid = start_exchanging(s);
        char inside[PATH_MAX + 8], shown[64], name[64];

        snprintf(inside, sizeof inside, "%s/root", s->path);
        for (int i = 0; i < 1500; i++) {
                auto_fd fd = -1;
                char at[2 * PATH_MAX];
                ssize_t n;

                snprintf(name, sizeof name, "swap/x/../../swap/planted%d/y", i);
                fd = i % 2 ? cor_root_mkdirs(s->fd, name, 0755, NULL) : cor_root_mkfile(s->fd, name, NULL);
                if (fd < 0)
                        continue; /* an error is a fair answer to a race */
                snprintf(shown, sizeof shown, "/proc/self/fd/%d", fd);
                n = readlink(shown, at, sizeof at - 1);
                assert_true(n > 0);
                at[n] = '\0';
                assert_memory_equal(at, inside, strlen(inside));
        }
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(entries_outside(s), 1);
}

/* From here on openat2() gives @sys in this process and its children. */
static void refuse_openat2(int sys)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

        if (!filter || seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)sys), SCMP_SYS(openat2), 0) < 0 ||
            seccomp_load(filter) < 0)
                _exit(99);
        seccomp_release(filter);
}

#ifndef REFUSE_OPENAT2

#define PIECES      9
#define DEPTH       4
#define FLAGS       4
#define N_ANSWERS   ((PIECES * PIECES * PIECES * PIECES) * FLAGS)
#define TRAILING(n) ((n) % 5 == 0 ? "/" : "")

struct answer {
        int sys;
        uint64_t ino;
};

/* The answer to each path of DEPTH pieces; every fifth ends with a slash. */
static void answer_all(int rootfd, struct answer *answers)
{
        static const char *const pieces[PIECES] = { "dir", "file", "to_dir",   "to_root", "up",
                                                    "..",  ".",    "dangling", "to_file" };
        static const int flags[FLAGS] = { O_PATH, O_PATH | O_NOFOLLOW, O_PATH | O_DIRECTORY, O_RDONLY | O_NOFOLLOW };

        for (int n = 0; n < N_ANSWERS; n++) {
                struct cor_err err = { 0 };
                struct stat st = { 0 };
                char path[128];
                auto_fd fd = -1;
                int at = n / FLAGS;

                snprintf(path, sizeof path, "%s/%s/%s/%s%s", pieces[at % PIECES], pieces[at / PIECES % PIECES],
                         pieces[at / PIECES / PIECES % PIECES], pieces[at / PIECES / PIECES / PIECES], TRAILING(at));
                fd = cor_root_open(rootfd, path, flags[n % FLAGS], 0, &err);
                if (fd >= 0)
                        fstat(fd, &st);
                answers[n] = (struct answer){ .sys = fd < 0 ? err.sys : 0, .ino = st.st_ino };
        }
}

static void make_tree(struct scratch *s)
{
        scratch_dir(s, "dir");
        scratch_dir(s, "dir/dir");
        scratch_file(s, "file", "x");
        scratch_file(s, "dir/file", "x");
        for (int i = 0; i < 2; i++) {
                char name[64];
                const char *in = i ? "dir/" : "";

                scratch_link(s, "dir", (snprintf(name, sizeof name, "%sto_dir", in), name));
                scratch_link(s, "/", (snprintf(name, sizeof name, "%sto_root", in), name));
                scratch_link(s, "../../dir", (snprintf(name, sizeof name, "%sup", in), name));
                scratch_link(s, "nothing", (snprintf(name, sizeof name, "%sdangling", in), name));
                scratch_link(s, "/file", (snprintf(name, sizeof name, "%sto_file", in), name));
        }
}

/* One process with @sys for openat2() fills @answers; its exit status. */
static int answer_with(int sys, int rootfd, struct answer *answers)
{
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                refuse_openat2(sys);
                answer_all(rootfd, answers);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return status;
}

static void the_walk_answers_as_the_kernel_does(void **state)
{
        struct scratch *s = *state;
        size_t bytes = N_ANSWERS * sizeof(struct answer);
        struct answer *kernel = calloc(N_ANSWERS, sizeof *kernel);
        struct answer *ours = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        int found = 0;

        assert_true(kernel && ours != MAP_FAILED);
        make_tree(s);
        answer_all(s->fd, kernel);
        for (int i = 0; i < 2; i++) {
                memset(ours, 0xff, bytes);
                assert_int_equal(answer_with(i ? EPERM : ENOSYS, s->fd, ours), 0);
                for (int n = 0; n < N_ANSWERS; n++) {
                        if (kernel[n].sys != ours[n].sys || kernel[n].ino != ours[n].ino)
                                fail_msg("path %d, flags %d: kernel %s, walk %s", n / FLAGS, n % FLAGS,
                                         strerror(kernel[n].sys), strerror(ours[n].sys));
                        found += kernel[n].ino != 0;
                }
        }
        assert_true(found > 1000);
        munmap(ours, bytes);
        free(kernel);
}

#else

static void a_path_that_takes_too_many_steps_is_refused(void **state)
{
        struct scratch *s = *state;
        char target[PATH_MAX], path[64 * 4];
        size_t n = 0;

        /* d/d/d/…/../../.. again and again through links: each ".." walks again from the root. */
        for (int i = 0; i < 700; i++)
                n += (size_t)snprintf(target + n, sizeof target - n, "d/");
        close(cor_root_mkdirs(s->fd, target, 0755, NULL));
        for (int i = 0; i < 699; i++)
                n += (size_t)snprintf(target + n, sizeof target - n, "../");
        snprintf(target + n, sizeof target - n, "..");
        assert_int_equal(symlinkat(target, s->fd, "far"), 0);
        n = 0;
        for (int i = 0; i < 30; i++)
                n += (size_t)snprintf(path + n, sizeof path - n, "far/");
        snprintf(path + n, sizeof path - n, "d");
        assert_refused(s, path, O_PATH, ELOOP);
}

#endif

static int group_setup(void **state)
{
#ifdef REFUSE_OPENAT2
        refuse_openat2(ENOSYS);
#endif
        return 0;
}

#define in_root(f) cmocka_unit_test_setup_teardown(f, setup, scratch_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                in_root(links_resolve_inside_the_root),
                in_root(links_that_lead_nowhere_are_refused),
                in_root(names_that_are_too_long_are_refused),
                in_root(magic_links_are_refused),
                in_root(a_last_link_can_be_meant_itself),
                in_root(files_are_made_inside_the_root),
                in_root(missing_directories_are_made_inside_the_root),
                in_root(what_a_dangling_link_means_is_made_inside_the_root),
                in_root(what_is_no_directory_cannot_become_one),
                in_root(made_directories_have_the_mode),
                in_root(missing_files_are_made_inside_the_root),
                in_root(a_directory_is_no_file),
                in_root(our_own_folders_know_no_links),
                in_root(descriptors_are_not_left_open),
                in_root(an_exchange_of_links_during_the_look_up_does_not_escape),
#ifdef REFUSE_OPENAT2
                in_root(a_path_that_takes_too_many_steps_is_refused),
#else
                in_root(the_walk_answers_as_the_kernel_does),
#endif
        };

        return cmocka_run_group_tests(tests, group_setup, NULL);
}
