/*
 * The attack of CVE-2019-5736, carried out: hold a process's binary by /proc/PID/exe, wait until nobody executes it,
 * write to it. The victim is this program, copied to a file of its own, and started as "victim".
 */
#include "linux/clone_self.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "child.h"
#include "linux/caps.h"

#define NOBODY 54321

static char dir[] = "/tmp/coracle-test-XXXXXX";
static char *victim_path;

/* Says how it came to run ('1': executed again, '0': at once), then lives until its stdin ends. */
static int victim(char **argv, char **envp)
{
        char how = getenv("CORACLE_CLONE_SELF") ? '1' : '0', byte;
        struct cor_err err = { 0 };

        if (strcmp(argv[1], "naive-victim") != 0 && clone_self_protect(argv, envp, &err) < 0) {
                dprintf(2, "# %s\n", err.msg);
                return 3;
        }
        if (getenv("CORACLE_CLONE_SELF"))
                return 4; /* the mark must not reach our own children */
        if (write(1, &how, 1) != 1)
                return 5;
        while (read(0, &byte, 1) < 0 && errno == EINTR)
                ;
        return 0;
}

struct held {
        pid_t pid;
        int in, exe; /* its stdin; an O_PATH descriptor of its /proc/PID/exe */
        char how;
};

static void start(const char *word, struct held *ret)
{
        int in[2], out[2];
        char exe[64];

        CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
        ret->pid = fork();
        if (ret->pid == 0) {
                CHECK(dup2(in[0], 0) == 0 && dup2(out[1], 1) == 1);
                execl(victim_path, "victim", word, NULL);
                _exit(6);
        }
        close(in[0]);
        close(out[1]);
        ret->in = in[1];
        CHECK(read(out[0], &ret->how, 1) == 1);
        close(out[0]);
        snprintf(exe, sizeof exe, "/proc/%d/exe", ret->pid);
        ret->exe = open(exe, O_PATH | O_CLOEXEC);
        CHECK(ret->exe >= 0);
}

static void finish(struct held *h)
{
        int status;

        close(h->in);
        CHECK(waitpid(h->pid, &status, 0) == h->pid && status == 0);
}

/* Can the held binary be written to? An open() that succeeds on a sealed file does not count. */
static bool can_write(int exe)
{
        char path[64];
        int fd;

        snprintf(path, sizeof path, "/proc/self/fd/%d", exe);
        fd = open(path, O_RDWR | O_CLOEXEC);
        return fd >= 0 && pwrite(fd, "#", 1, 0) == 1;
}

static void attack_naive(void *data)
{
        struct held h;

        start("naive-victim", &h);
        CHECK(!can_write(h.exe) && errno == ETXTBSY);
        finish(&h);
        CHECK(can_write(h.exe));
}

static void without_protection_the_attack_succeeds(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(attack_naive, NULL), 0);
        auto_fd fd = open(victim_path, O_RDWR | O_CLOEXEC); /* repair it for the others */
        assert_int_equal(pwrite(fd, "\177", 1, 0), 1);
}

static void try_to_unprotect(int exe)
{
        struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };
        char path[64];

        snprintf(path, sizeof path, "/proc/self/fd/%d", exe);
        CHECK(syscall(SYS_mount_setattr, exe, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0);
        CHECK(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL) < 0);
}

static void attack_clone(void *data)
{
        struct held h;

        start("victim", &h);
        CHECK(h.how == '1');
        CHECK(!can_write(h.exe)); /* ETXTBSY comes before EROFS */
        try_to_unprotect(h.exe);
        finish(&h);
        CHECK(!can_write(h.exe) && errno == EROFS);
        try_to_unprotect(h.exe);
        CHECK(!can_write(h.exe) && errno == EROFS);
}

static void the_binary_cannot_be_written_also_when_its_last_process_is_gone(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(attack_clone, NULL), 0);
}

static void attack_copy(void *data)
{
        struct caps weak = { .bounding = caps_known() & ~(UINT64_C(1) << 21) }; /* no CAP_SYS_ADMIN */
        struct held h;

        weak.permitted = weak.effective = weak.bounding;
        CHECK_OK(caps_drop_bounding(weak.bounding, &err));
        CHECK_OK(caps_apply(&weak, NULL, &err));
        start("victim", &h);
        CHECK(h.how == '1');
        CHECK(!can_write(h.exe));
        finish(&h);
        CHECK(!can_write(h.exe) && errno == EPERM);
}

static void without_the_right_to_clone_mounts_a_sealed_copy_runs(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(attack_copy, NULL), 0);
}

static void run_as_owner(void *data)
{
        struct held h;

        CHECK(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
        CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
        start("victim", &h);
        CHECK(h.how == *(char *)data);
        CHECK(!can_write(h.exe));
        finish(&h);
        CHECK(!can_write(h.exe));
}

static void somebody_elses_binary_needs_nothing(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(run_as_owner, (char[]){ '0' }), 0);
}

static void ones_own_binary_is_copied(void **state)
{
        NEED_ROOT();
        assert_int_equal(chown(victim_path, NOBODY, NOBODY), 0);
        assert_int_equal(in_child(run_as_owner, (char[]){ '1' }), 0);
        assert_int_equal(chown(victim_path, 0, 0), 0);
}

static void run_on_read_only_mount(void *data)
{
        struct held h;

        CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        CHECK(mount(dir, dir, NULL, MS_BIND, NULL) == 0);
        CHECK(mount(NULL, dir, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
        start("victim", &h);
        CHECK(h.how == '0');
        finish(&h);
}

static void on_a_read_only_mount_nothing_is_executed_twice(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(run_on_read_only_mount, NULL), 0);
}

static void run_with_mark(void *data)
{
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                CHECK(setenv("CORACLE_CLONE_SELF", "1", 1) == 0);
                CHECK(dup2(open("/dev/null", O_RDWR), 2) == 2);
                execl(victim_path, "victim", "victim", NULL);
        }
        CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

static void a_forged_mark_does_not_turn_protection_off(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(run_with_mark, NULL), 0);
}

static void a_process_keeps_its_name(void **state)
{
        char path[64], name[32] = { 0 };
        struct held h;

        NEED_ROOT();
        start("victim", &h);
        snprintf(path, sizeof path, "/proc/%d/comm", h.pid);
        auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(read(fd, name, sizeof name - 1) > 0);
        finish(&h);
        close(h.exe);
        assert_string_equal(name, "victim\n");
}

static int copy_ourselves(void **state)
{
        char chunk[65536];
        ssize_t n;

        if (!mkdtemp(dir) || chmod(dir, 0755) < 0)
                return -1;
        victim_path = cor_printf("%s/victim", dir);
        auto_fd from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        auto_fd to = open(victim_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

        while ((n = read(from, chunk, sizeof chunk)) > 0)
                if (write(to, chunk, (size_t)n) != n)
                        return -1;
        return n == 0 && fchmod(to, 0755) == 0 ? 0 : -1;
}

static int remove_copy(void **state)
{
        unlink(victim_path);
        free(victim_path);
        return rmdir(dir);
}

int main(int argc, char **argv, char **envp)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(without_protection_the_attack_succeeds),
                cmocka_unit_test(the_binary_cannot_be_written_also_when_its_last_process_is_gone),
                cmocka_unit_test(without_the_right_to_clone_mounts_a_sealed_copy_runs),
                cmocka_unit_test(somebody_elses_binary_needs_nothing),
                cmocka_unit_test(ones_own_binary_is_copied),
                cmocka_unit_test(on_a_read_only_mount_nothing_is_executed_twice),
                cmocka_unit_test(a_forged_mark_does_not_turn_protection_off),
                cmocka_unit_test(a_process_keeps_its_name),
        };

        if (argc > 1)
                return victim(argv, envp);
        return cmocka_run_group_tests(tests, copy_ourselves, remove_copy);
}
