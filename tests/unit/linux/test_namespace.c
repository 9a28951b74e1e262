#include "linux/namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/fd.h"
#include "child.h"
#include "linux/procfs.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static void types_have_their_names(void **state)
{
        assert_string_equal(namespace_type_of(CLONE_NEWNET)->name, "network");
        assert_string_equal(namespace_type_of(CLONE_NEWNET)->proc, "net");
        assert_string_equal(namespace_type_of(CLONE_NEWPID)->proc_kids, "pid_for_children");
        assert_null(namespace_type_of(CLONE_VM));
}

static void flags_are_printed_in_words_and_cut_where_the_room_ends(void **state)
{
        char buf[64], small[8];

        assert_string_equal(namespace_words(CLONE_NEWPID | CLONE_NEWNS, buf, sizeof buf), "pid, mount");
        assert_string_equal(namespace_words(0, buf, sizeof buf), "");
        assert_string_equal(namespace_words(CLONE_NEWPID | CLONE_NEWNS, small, sizeof small), "pid, mo");
}

static void a_path_of_another_type_is_refused(void **state)
{
        struct cor_err err = { 0 };

        assert_int_equal(namespace_open("/proc/self/ns/uts", CLONE_NEWNET, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_string_equal(err.msg, "/proc/self/ns/uts is a uts namespace, expected a network namespace");
}

static void what_is_no_namespace_is_refused(void **state)
{
        char fifo[] = "/tmp/coracle-test-XXXXXX";
        struct cor_err err = { 0 };

        assert_int_equal(namespace_open("/dev/null", CLONE_NEWNET, &err), -1);
        assert_string_equal(err.msg, "/dev/null is not a namespace, expected a network namespace");
        assert_int_equal(namespace_open("/nowhere/at/all", CLONE_NEWNET, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);

        assert_non_null(mkdtemp(fifo));
        auto_str path = cor_printf("%s/fifo", fifo);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(namespace_open(path, CLONE_NEWNET, &err), -1);
        unlink(path);
        rmdir(fifo);
        assert_int_equal(err.kind, COR_INVALID);
}

static void a_namespace_is_the_same_as_itself(void **state)
{
        struct cor_err err = { 0 };
        auto_fd proc = procfs_open(&err);
        auto_fd a = namespace_open("/proc/self/ns/uts", CLONE_NEWUTS, &err);
        auto_fd b = namespace_open_pid(proc, getpid(), CLONE_NEWUTS, &err);
        auto_fd c = namespace_open_pid(proc, 0, CLONE_NEWIPC, &err);

        assert_true(proc >= 0 && a >= 0 && b >= 0 && c >= 0);
        assert_int_equal(namespace_same(a, b, &err), 1);
        assert_int_equal(namespace_same(a, c, &err), 0);
        assert_int_equal(namespace_is_ours(proc, a, CLONE_NEWUTS, &err), 1);
}

static void leave_and_return(void *data)
{
        struct cor_err error = { 0 };
        auto_fd proc = procfs_open(&error);
        auto_fd old = namespace_open_pid(proc, 0, CLONE_NEWUTS, &error);
        struct utsname before, after;

        CHECK(proc >= 0 && old >= 0 && uname(&before) == 0);
        CHECK_OK(namespace_unshare(CLONE_NEWUTS | CLONE_NEWIPC, &err));
        CHECK(namespace_is_ours(proc, old, CLONE_NEWUTS, &error) == 0);
        CHECK(sethostname("elsewhere", 9) == 0);
        CHECK_OK(namespace_enter(old, CLONE_NEWUTS, &err));
        CHECK(uname(&after) == 0 && strcmp(before.nodename, after.nodename) == 0);
        CHECK(namespace_is_ours(proc, old, CLONE_NEWUTS, &error) == 1);
}

static void namespaces_are_left_and_entered(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(leave_and_return, NULL), 0);
}

static void enter_by_pidfd(void *data)
{
        struct cor_err error = { 0 };
        auto_fd proc = procfs_open(&error);
        auto_fd pidfd = (int)syscall(SYS_pidfd_open, getppid(), 0);
        auto_fd old = namespace_open_pid(proc, 0, CLONE_NEWUTS, &error);

        CHECK(pidfd >= 0 && old >= 0);
        CHECK_OK(namespace_unshare(CLONE_NEWUTS | CLONE_NEWIPC, &err));
        CHECK_OK(namespace_enter_pidfd(pidfd, CLONE_NEWUTS | CLONE_NEWIPC, &err));
        CHECK(namespace_is_ours(proc, old, CLONE_NEWUTS, &error) == 1);
}

static void several_are_entered_at_once_by_pidfd(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(enter_by_pidfd, NULL), 0);
}

static void new_clock(void *data)
{
        const struct oci_time_offset offsets[] = { { "monotonic", 100000, 5 }, { "boottime", 200000, 0 } };
        struct cor_err error = { 0 };
        auto_fd proc = procfs_open(&error);
        struct timespec before, after;
        int status;
        pid_t pid;

        CHECK(clock_gettime(CLOCK_MONOTONIC, &before) == 0);
        CHECK_OK(namespace_unshare(CLONE_NEWTIME, &err));
        CHECK_OK(namespace_write_offsets(proc, offsets, 2, &err));
        pid = fork();
        if (pid == 0)
                _exit(clock_gettime(CLOCK_MONOTONIC, &after) == 0 && after.tv_sec - before.tv_sec >= 100000 ? 0 : 1);
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void a_child_lives_in_shifted_time(void **state)
{
        NEED_ROOT();
        if (access("/proc/self/ns/time", F_OK) < 0) {
                print_message("skipped: no time namespaces: runs on the CI machine\n");
                skip();
        }
        assert_int_equal(in_child(new_clock, NULL), 0);
}

static void odd_clocks_are_refused(void **state)
{
        const struct oci_time_offset odd = { "realtime", 1, 0 };
        struct oci_time_offset many[20];
        struct cor_err err = { 0 };

        assert_int_equal(namespace_write_offsets(-1, &odd, 1, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        for (size_t i = 0; i < 20; i++)
                many[i] = (struct oci_time_offset){ "monotonic", INT64_MIN, 999999999 };
        assert_int_equal(namespace_write_offsets(-1, many, 20, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
}

/* Attacks on /proc: each in a mount namespace of its own. */
static void own_mounts(void)
{
        CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
}

static void tmpfs_on_proc(void *data)
{
        struct cor_err error = { 0 };

        own_mounts();
        CHECK(mount("tmpfs", "/proc", "tmpfs", 0, NULL) == 0);
        CHECK(procfs_open(&error) < 0 && error.kind == COR_INVALID);
}

static void folder_of_proc_on_proc(void *data)
{
        struct cor_err error = { 0 };

        own_mounts();
        CHECK(mount("/proc/self", "/proc", NULL, MS_BIND, NULL) == 0);
        CHECK(procfs_open(&error) < 0 && error.kind == COR_INVALID);
}

static void file_of_proc_on_another(void *data)
{
        struct cor_err error = { 0 };
        auto_fd proc = procfs_open(&error);
        auto_str target = cor_printf("/proc/%d/attr", getpid());

        own_mounts();
        CHECK(proc >= 0);
        cor_fd_close(&proc);
        proc = procfs_open(&error);
        CHECK(proc >= 0);
        CHECK(mount("/proc/sys", target, NULL, MS_BIND, NULL) == 0);
        CHECK(procfs_file(proc, "self/attr", O_PATH, &error) < 0 && error.kind == COR_INVALID);
        CHECK(procfs_write(proc, "self/attr/exec", "x", &error) < 0 && error.kind == COR_INVALID);
}

/* `unshare --pid --fork` without a new /proc: the numbers there are not ours */
static void proc_of_others(void *data)
{
        struct cor_err error = { 0 };
        char name[16] = { 0 };
        int status;
        pid_t pid;

        CHECK(unshare(CLONE_NEWPID) == 0);
        pid = fork();
        if (pid == 0) {
                auto_fd proc = procfs_open(&error);

                CHECK(proc >= 0 && getpid() == 1);
                CHECK(readlinkat(proc, "self", name, sizeof name - 1) == 1 && strcmp(name, "1") == 0);
                _exit(0);
        }
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void the_proc_of_another_pid_namespace_is_not_used(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(proc_of_others, NULL), 0);
}

static void a_false_proc_is_noticed(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(tmpfs_on_proc, NULL), 0);
        assert_int_equal(in_child(folder_of_proc_on_proc, NULL), 0);
        assert_int_equal(in_child(file_of_proc_on_another, NULL), 0);
}

static void links_out_of_proc_are_not_followed(void **state)
{
        struct cor_err err = { 0 };
        auto_fd proc = procfs_open(&err);

        assert_true(proc >= 0);
        assert_int_equal(procfs_file(proc, "self/root/etc", O_PATH, &err), -1);
        assert_int_equal(procfs_file(proc, "self/exe", O_RDONLY, &err), -1);
        assert_int_equal(procfs_file(proc, "../etc/passwd", O_RDONLY, &err), -1);
        auto_fd ok = procfs_file(proc, "self/status", O_RDONLY, &err);
        assert_true(ok >= 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(types_have_their_names),
                cmocka_unit_test(flags_are_printed_in_words_and_cut_where_the_room_ends),
                cmocka_unit_test(a_path_of_another_type_is_refused),
                cmocka_unit_test(what_is_no_namespace_is_refused),
                cmocka_unit_test(a_namespace_is_the_same_as_itself),
                cmocka_unit_test(namespaces_are_left_and_entered),
                cmocka_unit_test(several_are_entered_at_once_by_pidfd),
                cmocka_unit_test(a_child_lives_in_shifted_time),
                cmocka_unit_test(odd_clocks_are_refused),
                cmocka_unit_test(a_false_proc_is_noticed),
                cmocka_unit_test(the_proc_of_another_pid_namespace_is_not_used),
                cmocka_unit_test(links_out_of_proc_are_not_followed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
