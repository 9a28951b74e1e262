#include "base/alloc.h"
#include "base/fd.h"
#include "base/file.h"
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "scratch.h"

static int entries(struct scratch *s, const char *name)
{
        int fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
        DIR *dir = fdopendir(fd);

        assert_non_null(dir);
        while (readdir(dir))
                n++;
        closedir(dir);
        return n - 2;
}

static void writing_replaces_the_whole_file(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        auto_str text = NULL;
        struct stat st;

        scratch_file(s, "state.json", "a longer text that was there before");
        assert_int_equal(cor_own_write(s->fd, "state.json", "new", 3, 0600, true, &err), 0);
        text = scratch_text(s, "state.json");
        assert_string_equal(text, "new");
        assert_int_equal(fstatat(s->fd, "state.json", &st, 0), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        assert_int_equal(entries(s, "."), 1); /* nothing beside it is left */
        assert_int_equal(cor_own_write(s->fd, "empty", "", 0, 0644, false, &err), 0);
        assert_true(scratch_has(s, "empty"));
}

static void writing_does_not_follow_a_link(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        auto_str kept = NULL;
        struct stat st;

        scratch_file(s, "victim", "kept");
        scratch_link(s, "victim", "state.json");
        assert_int_equal(cor_own_write(s->fd, "state.json", "new", 3, 0644, false, &err), 0);
        kept = scratch_text(s, "victim");
        assert_string_equal(kept, "kept");
        assert_int_equal(fstatat(s->fd, "state.json", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_true(S_ISREG(st.st_mode));
}

static void a_failed_write_leaves_the_old_file(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        auto_str kept = NULL;
        int status;
        pid_t pid;

        scratch_file(s, "state.json", "kept");
        scratch_dir(s, "dir");
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                struct rlimit small = { .rlim_cur = 2, .rlim_max = 2 };

                signal(SIGXFSZ, SIG_IGN);
                setrlimit(RLIMIT_FSIZE, &small);
                _exit(cor_own_write(s->fd, "state.json", "too long", 8, 0644, false, &err) == -1 && err.sys == EFBIG
                              ? 0
                              : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        kept = scratch_text(s, "state.json");
        assert_string_equal(kept, "kept");
        assert_int_equal(cor_own_write(s->fd, "dir", "x", 1, 0644, false, &err), -1);
        assert_int_equal(err.sys, EISDIR);
        assert_int_equal(entries(s, "."), 2);
        assert_int_equal(cor_own_write(-1, "x", "x", 1, 0644, false, &err), -1);
}

static void a_name_is_not_a_way_out(void **state)
{
        static const char *const bad[] = { "", ".", "..", "/", "a/b", "../x", "/etc/passwd", "x/" };
        struct scratch *s = *state;
        struct cor_err err = { 0 };

        for (size_t i = 0; i < COR_COUNT(bad); i++) {
                cor_err_clear(&err);
                assert_int_equal(cor_own_write(s->fd, bad[i], "x", 1, 0644, false, &err), -1);
                assert_int_equal(err.kind, COR_INVALID);
                cor_err_clear(&err);
                assert_int_equal(cor_own_remove_tree(s->fd, bad[i], &err), -1);
                assert_int_equal(err.kind, COR_INVALID);
        }
}

static void reading_our_own_files_checks_what_they_are(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        auto_str text = NULL;
        size_t n = 99;

        scratch_file(s, "state.json", "12345");
        scratch_link(s, "state.json", "link");
        scratch_dir(s, "dir");
        assert_int_equal(mkfifoat(s->fd, "fifo", 0600), 0);
        assert_int_equal(cor_own_read(s->fd, "state.json", 5, &text, &n, &err), 0);
        assert_string_equal(text, "12345");
        assert_int_equal(n, 5);
        free(COR_TAKE(text));
        assert_int_equal(cor_own_read(s->fd, "state.json", 4, &text, &n, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_int_equal(cor_own_read(s->fd, "fifo", 100, &text, &n, &err), -1); /* and does not hang */
        assert_int_equal(err.kind, COR_INVALID);
        assert_int_equal(cor_own_read(s->fd, "dir", 100, &text, &n, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_int_equal(cor_own_read(s->fd, "link", 100, &text, &n, &err), -1);
        assert_int_equal(err.sys, ELOOP);
        assert_int_equal(cor_own_read(s->fd, "missing", 100, &text, &n, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_null(text);
}

static void reading_takes_any_size_up_to_the_limit(void **state)
{
        static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 8192, 60000 };
        struct scratch *s = *state;
        char path[PATH_MAX + 8];

        snprintf(path, sizeof path, "%s/file", s->path);
        for (size_t i = 0; i < COR_COUNT(sizes); i++) {
                auto_str content = calloc(1, sizes[i] + 1);
                struct cor_err err = { 0 };
                auto_str text = NULL;
                size_t n;

                memset(content, 'x', sizes[i]);
                scratch_file(s, "file", content);
                assert_int_equal(cor_read_file(path, sizes[i], &text, &n, &err), 0);
                assert_int_equal(n, sizes[i]);
                assert_string_equal(text, content);
                free(COR_TAKE(text));
                assert_int_equal(cor_read_file(path, SIZE_MAX, &text, NULL, &err), 0);
                assert_string_equal(text, content);
                if (sizes[i] > 0) {
                        free(COR_TAKE(text));
                        assert_int_equal(cor_read_file(path, sizes[i] - 1, &text, &n, &err), -1);
                        assert_int_equal(err.kind, COR_INVALID);
                }
        }
}

static void reading_a_pipe_meets_the_limit(void **state)
{
        struct cor_err err = { 0 };
        auto_str text = NULL;
        char bytes[10000];
        int ends[2];
        size_t n;

        memset(bytes, 'y', sizeof bytes);
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_int_equal(write(ends[1], bytes, sizeof bytes), sizeof bytes);
        assert_int_equal(cor_read_fd(ends[0], "standard input", 5000, &text, &n, &err), -1);
        assert_string_equal(err.msg, "standard input is larger than 5000 bytes");
        close(ends[1]);
        assert_int_equal(cor_read_fd(ends[0], "standard input", 5000, &text, &n, &err), 0);
        assert_int_equal(n, sizeof bytes - 5001);
        close(ends[0]);
        assert_int_equal(cor_read_file("/nonexistent", 10, &text, &n, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_int_equal(cor_read_file("/", 10, &text, &n, &err), -1);
        assert_int_equal(err.sys, EISDIR);
}

static void files_of_the_kernel_that_claim_to_be_empty_are_read(void **state)
{
        auto_str text = NULL;
        size_t n;

        assert_int_equal(cor_read_file("/proc/self/stat", 65536, &text, &n, NULL), 0);
        assert_true(n > 20);
}

static void trees_are_removed_without_following_links(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };

        scratch_dir(s, "kept");
        scratch_file(s, "kept/file", "x");
        scratch_dir(s, "tree");
        scratch_dir(s, "tree/sub");
        scratch_file(s, "tree/sub/file", "x");
        scratch_dir(s, "tree/sub/closed");
        scratch_link(s, "../kept", "tree/link");
        scratch_link(s, "../../kept/file", "tree/sub/link");
        assert_int_equal(mkfifoat(s->fd, "tree/fifo", 0600), 0);
        assert_int_equal(cor_own_remove_tree(s->fd, "tree", &err), 0);
        assert_false(scratch_has(s, "tree"));
        assert_true(scratch_has(s, "kept/file"));
        assert_int_equal(cor_own_remove_tree(s->fd, "tree", &err), 0); /* absence is success */
        scratch_link(s, "kept", "link");
        assert_int_equal(cor_own_remove_tree(s->fd, "link", &err), 0);
        assert_int_equal(cor_own_remove_tree(s->fd, "kept/file", &err), -1);
        assert_true(scratch_has(s, "kept/file"));
        assert_int_equal(cor_own_remove_tree(s->fd, "kept", &err), 0);
        assert_int_equal(entries(s, "."), 0);
}

static void a_large_tree_is_removed(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        char name[64];

        scratch_dir(s, "tree");
        for (int i = 0; i < 3000; i++) {
                snprintf(name, sizeof name, "tree/file-%d", i);
                scratch_file(s, name, "");
        }
        assert_int_equal(cor_own_remove_tree(s->fd, "tree", &err), 0);
        assert_false(scratch_has(s, "tree"));
}

static void a_deep_tree_is_removed_with_few_descriptors(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        struct rlimit before, few;
        int at = dup(s->fd), r;

        for (int i = 0; i < 1500; i++) {
                int down;

                assert_int_equal(mkdirat(at, "deep", 0755), 0);
                assert_int_equal(mkdirat(at, ".moved.0", 0755), 0); /* the name that moving wants to use */
                assert_int_equal(symlinkat("/", at, "link"), 0);
                down = openat(at, "deep", O_PATH | O_DIRECTORY | O_CLOEXEC);
                assert_true(down >= 0);
                close(at);
                at = down;
        }
        close(at);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        few = (struct rlimit){ .rlim_cur = 256, .rlim_max = before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        r = cor_own_remove_tree(s->fd, "deep", &err);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        if (r < 0)
                fail_msg("%s", err.msg);
        assert_false(scratch_has(s, "deep"));
}

static void directories_are_made_with_their_parents(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        char path[PATH_MAX + 32];

        scratch_file(s, "file", "x");
        scratch_dir(s, "real");
        scratch_link(s, "real", "link");
        scratch_link(s, "nothing", "dangling");
        for (int i = 0; i < 2; i++) {
                snprintf(path, sizeof path, "%s//a/b/../b/c/", s->path);
                assert_int_equal(cor_mkdirs(path, 0755, &err), 0);
                snprintf(path, sizeof path, "%s/link/below", s->path);
                assert_int_equal(cor_mkdirs(path, 0755, &err), 0);
        }
        assert_true(scratch_has(s, "a/b/c"));
        assert_true(scratch_has(s, "real/below"));
        snprintf(path, sizeof path, "%s/file/x", s->path);
        assert_int_equal(cor_mkdirs(path, 0755, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        snprintf(path, sizeof path, "%s/file", s->path);
        assert_int_equal(cor_mkdirs(path, 0755, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        snprintf(path, sizeof path, "%s/dangling/x", s->path);
        assert_int_equal(cor_mkdirs(path, 0755, &err), -1);
        assert_int_equal(cor_mkdirs("", 0755, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_int_equal(cor_mkdirs("/", 0755, &err), 0);
        assert_int_equal(cor_mkdirs("/proc/self/nothing/at/all", 0755, &err), -1);
}

static void relative_directories_are_made(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

        assert_int_equal(fchdir(s->fd), 0);
        assert_int_equal(cor_mkdirs("x/y", 0755, &err), 0);
        assert_int_equal(cor_mkdirs("x/y/./z", 0755, &err), 0);
        assert_int_equal(fchdir(here), 0);
        close(here);
        assert_true(scratch_has(s, "x/y/z"));
}

static void kernel_files_take_one_write(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        auto_str text = NULL;

        scratch_file(s, "knob", "");
        assert_int_equal(cor_write_at(s->fd, "knob", "max 100\n", &err), 0);
        text = scratch_text(s, "knob");
        assert_string_equal(text, "max 100\n");
        assert_int_equal(cor_write_at(s->fd, "missing", "1", &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_false(scratch_has(s, "missing"));
        assert_int_equal(cor_write_at(AT_FDCWD, "/proc/self/oom_score_adj", "nonsense\n", &err), -1);
        assert_int_equal(err.sys, EINVAL);
        assert_string_equal(err.msg, "write \"nonsense\" to /proc/self/oom_score_adj: Invalid argument");
}

static void kernel_files_are_read_into_a_buffer(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        char buf[8] = "";

        scratch_file(s, "line", "123456\n");
        scratch_file(s, "two", "a\n\n");
        scratch_file(s, "bare", "abc");
        scratch_file(s, "empty", "");
        scratch_file(s, "long", "12345678");
        assert_int_equal(cor_read_at(s->fd, "line", buf, sizeof buf, &err), 6);
        assert_string_equal(buf, "123456");
        assert_int_equal(cor_read_at(s->fd, "two", buf, sizeof buf, &err), 2);
        assert_string_equal(buf, "a\n");
        assert_int_equal(cor_read_at(s->fd, "bare", buf, sizeof buf, &err), 3);
        assert_int_equal(cor_read_at(s->fd, "empty", buf, sizeof buf, &err), 0);
        assert_string_equal(buf, "");
        assert_int_equal(cor_read_at(s->fd, "long", buf, sizeof buf, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_int_equal(cor_read_at(s->fd, "missing", buf, sizeof buf, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
}

static void paths_are_cleaned_lexically(void **state)
{
        static const char *const cases[][2] = {
                { "", "/" },
                { "/", "/" },
                { "//", "/" },
                { ".", "/" },
                { "..", "/" },
                { "../../..", "/" },
                { "a", "/a" },
                { "/a//b/./c/", "/a/b/c" },
                { "/a/b/../c", "/a/c" },
                { "/a/../../../b", "/b" },
                { "a/..", "/" },
                { "/a/b/../..", "/" },
                { "/...", "/..." },
                { "/..a/.b/c..", "/..a/.b/c.." },
                { "/a/./../b/.", "/b" },
        };

        for (size_t i = 0; i < COR_COUNT(cases); i++) {
                auto_str clean = cor_path_clean(cases[i][0]);

                assert_string_equal(clean, cases[i][1]);
        }
}

static void relative_paths_start_at_the_working_directory(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        auto_str path = NULL;
        char here[PATH_MAX];
        char expected[PATH_MAX + 8];

        assert_non_null(getcwd(here, sizeof here));
        assert_int_equal(chdir(s->path), 0);
        assert_int_equal(cor_path_absolute("x/../bundle", &path, &err), 0);
        snprintf(expected, sizeof expected, "%s/bundle", s->path);
        assert_string_equal(path, expected);
        free(COR_TAKE(path));
        assert_int_equal(cor_path_absolute("/x/../y", &path, &err), 0);
        assert_string_equal(path, "/y");
        free(COR_TAKE(path));
        assert_int_equal(cor_path_absolute("", &path, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);

        scratch_dir(s, "gone");
        assert_int_equal(chdir("gone"), 0);
        assert_int_equal(unlinkat(s->fd, "gone", AT_REMOVEDIR), 0);
        assert_int_equal(cor_path_absolute("x", &path, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_null(path);
        assert_int_equal(chdir(here), 0);
}

static int64_t copy_to(struct scratch *s, const char *from, const char *to, struct stat *st)
{
        auto_fd in = openat(s->fd, from, O_RDONLY | O_CLOEXEC);
        auto_fd out = openat(s->fd, to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        struct cor_err err = { 0 };
        int64_t n;

        assert_true(in >= 0 && out >= 0);
        n = cor_copy_content(in, out, &err);
        assert_int_equal(fstat(out, st), 0);
        return n;
}

static void content_is_copied_with_its_holes(void **state)
{
        enum { SIZE = 32 << 20, MIDDLE = 16 << 20 };
        struct scratch *s = *state;
        auto_fd fd = openat(s->fd, "holes", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        char got[8] = "";
        struct stat st;

        assert_int_equal(pwrite(fd, "data", 4, MIDDLE), 4);
        assert_int_equal(ftruncate(fd, SIZE), 0);
        assert_int_equal(copy_to(s, "holes", "copy", &st), SIZE);
        assert_int_equal(st.st_size, SIZE);
        assert_true(st.st_blocks < SIZE / 512 / 2);
        auto_fd copy = openat(s->fd, "copy", O_RDONLY | O_CLOEXEC);
        assert_int_equal(pread(copy, got, 6, MIDDLE), 6);
        assert_memory_equal(got, "data\0\0", 6);
        scratch_file(s, "text", "some text");
        assert_int_equal(copy_to(s, "text", "text-copy", &st), 9);
        scratch_file(s, "none", "");
        assert_int_equal(copy_to(s, "none", "none-copy", &st), 0);
}

static void content_of_the_kernels_files_is_as_long_as_it_is(void **state)
{
        static const char *const paths[] = { "/proc/self/stat", "/proc/sys/kernel/ostype",
                                             "/sys/kernel/uevent_seqnum" };
        struct stat st;

        for (size_t i = 0; i < COR_COUNT(paths); i++) {
                char name[] = { 'c', (char)('0' + i), '\0' };

                if (access(paths[i], R_OK) < 0) {
                        print_message("there is no %s\n", paths[i]);
                        continue;
                }
                assert_in_range(copy_to(*state, paths[i], name, &st), 1, 1000);
                assert_in_range(st.st_size, 1, 1000);
        }
}

static void content_without_a_size_has_an_end(void **state)
{
        struct scratch *s = *state;
        auto_fd zero = open("/dev/zero", O_RDONLY | O_CLOEXEC); /* says 0 bytes, and has no end */
        auto_fd out = openat(s->fd, "endless", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        struct cor_err err = { 0 };

        assert_true(zero >= 0 && out >= 0);
        assert_int_equal(cor_copy_content(zero, out, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_non_null(strstr(err.msg, "more than 64 MiB"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(writing_replaces_the_whole_file),
                scratch_test(writing_does_not_follow_a_link),
                scratch_test(a_failed_write_leaves_the_old_file),
                scratch_test(a_name_is_not_a_way_out),
                scratch_test(reading_our_own_files_checks_what_they_are),
                scratch_test(reading_takes_any_size_up_to_the_limit),
                cmocka_unit_test(reading_a_pipe_meets_the_limit),
                cmocka_unit_test(files_of_the_kernel_that_claim_to_be_empty_are_read),
                scratch_test(trees_are_removed_without_following_links),
                scratch_test(a_large_tree_is_removed),
                scratch_test(a_deep_tree_is_removed_with_few_descriptors),
                scratch_test(directories_are_made_with_their_parents),
                scratch_test(relative_directories_are_made),
                scratch_test(kernel_files_take_one_write),
                scratch_test(kernel_files_are_read_into_a_buffer),
                cmocka_unit_test_setup_teardown(content_is_copied_with_its_holes, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(content_of_the_kernels_files_is_as_long_as_it_is, scratch_setup,
                                                scratch_teardown),
                scratch_test(content_without_a_size_has_an_end),
                cmocka_unit_test(paths_are_cleaned_lexically),
                scratch_test(relative_paths_start_at_the_working_directory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
