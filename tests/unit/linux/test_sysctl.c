#include "linux/sysctl.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "base/fd.h"
#include "base/file.h"
#include "child.h"
#include "linux/caps.h"

static void expect_path(const char *key, const char *path)
{
        char buf[SYSCTL_PATH_MAX];
        struct cor_err err = { 0 };

        assert_int_equal(sysctl_path(key, buf, sizeof buf, &err), 0);
        assert_string_equal(buf, path);
}

static void dots_and_slashes_change_places_when_a_dot_comes_first(void **state)
{
        expect_path("net.ipv4.ip_forward", "net/ipv4/ip_forward");
        expect_path("net/ipv4/ip_forward", "net/ipv4/ip_forward");
        expect_path("net.ipv4.conf.eth0/100.forwarding", "net/ipv4/conf/eth0.100/forwarding");
        expect_path("net/ipv4/conf/eth0.100/forwarding", "net/ipv4/conf/eth0.100/forwarding");
        expect_path("net/ipv4/conf/.../forwarding", "net/ipv4/conf/.../forwarding");
        expect_path("single", "single");
}

static void what_is_no_path_below_is_refused(void **state)
{
        static const char *const bad[] = { "",       ".",      "/",           "..",           "/net/x",
                                           ".net.x", "net..x", "net//x",      "net/../x",     "net.//.x",
                                           "net/.",  "net./",  "net/x/..",    "net x",        "net\n",
                                           "net.x.", "net/x/", "../../etc/x", "net.ipv4.\x7f" };
        char buf[SYSCTL_PATH_MAX], long_key[300];
        struct cor_err err = { 0 };

        for (size_t i = 0; i < COR_COUNT(bad); i++)
                if (sysctl_path(bad[i], buf, sizeof buf, &err) != -1 || err.kind != COR_INVALID)
                        fail_msg("\"%s\" was taken", bad[i]);
        memset(long_key, 'x', sizeof long_key - 1);
        long_key[sizeof long_key - 1] = '\0';
        assert_int_equal(sysctl_path(long_key, buf, sizeof buf, &err), -1);
}

static void keys_know_their_namespace(void **state)
{
        assert_int_equal(sysctl_namespace("net.ipv4.ip_forward"), CLONE_NEWNET);
        assert_int_equal(sysctl_namespace("kernel/shmmax"), CLONE_NEWIPC);
        assert_int_equal(sysctl_namespace("fs.mqueue.msg_max"), CLONE_NEWIPC);
        assert_int_equal(sysctl_namespace("kernel.domainname"), CLONE_NEWUTS);
        assert_int_equal(sysctl_namespace("user.max_pid_namespaces"), CLONE_NEWUSER);
        assert_int_equal(sysctl_namespace("vm.swappiness"), 0);
        assert_int_equal(sysctl_namespace("network"), 0);
}

static void write_in_own_namespaces(void *data)
{
        struct cor_err error = { 0 };
        auto_fd proc = procfs_open(&error);
        char before[64], inside[64], after[64];
        auto_fd host_net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

        CHECK(cor_read_at(proc, "sys/net/ipv4/ip_forward", before, sizeof before, &error) > 0);
        CHECK(unshare(CLONE_NEWNET | CLONE_NEWIPC) == 0);
        CHECK_OK(sysctl_write(proc, "net.ipv4.ip_forward", before[0] == '1' ? "0" : "1", &err));
        CHECK_OK(sysctl_write(proc, "kernel/msgmax", "4321", &err));
        CHECK(cor_read_at(proc, "sys/net/ipv4/ip_forward", inside, sizeof inside, &error) > 0);
        CHECK(inside[0] != before[0]);
        CHECK(cor_read_at(proc, "sys/kernel/msgmax", inside, sizeof inside, &error) > 0);
        CHECK(strcmp(inside, "4321") == 0);
        CHECK(sysctl_write(proc, "net.ipv4.nothing_here", "1", &error) < 0 && error.kind == COR_NOT_FOUND);
        CHECK(setns(host_net, CLONE_NEWNET) == 0);
        CHECK(cor_read_at(proc, "sys/net/ipv4/ip_forward", after, sizeof after, &error) > 0);
        CHECK(strcmp(before, after) == 0);
}

static void values_reach_the_callers_namespaces_alone(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(write_in_own_namespaces, NULL), 0);
}

/* CVE-2025-52881: the write is led to another file of the procfs. It must reach the one that was meant, or none. */
static void redirect(void *data)
{
        struct caps weak = { .bounding = ~UINT64_C(0) };
        struct cor_err error = { 0 };
        char value[64];

        CHECK(unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS) == 0);
        CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        CHECK(mount("/proc/sys/kernel/domainname", "/proc/sys/net/ipv4/ip_forward", NULL, MS_BIND, NULL) == 0);
        auto_fd proc = procfs_open(&error);
        auto_fd fresh = procfs_new(&error);
        CHECK(fresh >= 0 && procfs_check(fresh, &error) == 0);

        CHECK_OK(sysctl_write(proc, "net.ipv4.ip_forward", "1", &err));
        CHECK(cor_read_at(fresh, "sys/net/ipv4/ip_forward", value, sizeof value, &error) > 0 && value[0] == '1');
        CHECK(cor_read_at(proc, "sys/kernel/domainname", value, sizeof value, &error) > 0 && strcmp(value, "1") != 0);

        CHECK_OK(caps_apply(&weak, NULL, &err)); /* no right to mount: nothing is written at all */
        CHECK(sysctl_write(proc, "net.ipv4.ip_forward", "2", &error) < 0);
        CHECK(error.kind == COR_INVALID && strstr(error.msg, "mounted over"));
        CHECK(cor_read_at(proc, "sys/kernel/domainname", value, sizeof value, &error) > 0 && strcmp(value, "2") != 0);
}

static void a_redirected_write_goes_where_it_was_meant_to(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(redirect, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(dots_and_slashes_change_places_when_a_dot_comes_first),
                cmocka_unit_test(what_is_no_path_below_is_refused),
                cmocka_unit_test(keys_know_their_namespace),
                cmocka_unit_test(values_reach_the_callers_namespaces_alone),
                cmocka_unit_test(a_redirected_write_goes_where_it_was_meant_to),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
