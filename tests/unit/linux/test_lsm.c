#include "linux/lsm.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/file.h"
#include "child.h"
#include "linux/procfs.h"

static void nothing_asked_nothing_done(void **state)
{
        struct cor_err err = { 0 };

        assert_int_equal(lsm_check(NULL, "", NULL, &err), 0);
        assert_int_equal(lsm_apparmor_on_exec(-1, NULL, &err), 0);
        assert_int_equal(lsm_apparmor_on_exec(-1, "", &err), 0);
        assert_int_equal(lsm_selinux_on_exec(-1, NULL, &err), 0);
        assert_int_equal(lsm_selinux_for_keys(-1, "", &err), 0);
}

static void protection_that_cannot_be_had_is_an_error(void **state)
{
        struct cor_err err = { 0 };

        if (!lsm_apparmor_enabled()) {
                assert_int_equal(lsm_check("docker-default", NULL, NULL, &err), -1);
                assert_int_equal(err.kind, COR_INVALID);
                assert_non_null(strstr(err.msg, "process.apparmorProfile: docker-default"));
        }
        if (!lsm_selinux_enabled()) {
                assert_int_equal(lsm_check(NULL, "system_u:system_r:container_t:s0:c1,c2", NULL, &err), -1);
                assert_non_null(strstr(err.msg, "process.selinuxLabel"));
                assert_int_equal(lsm_check(NULL, NULL, "system_u:object_r:container_file_t:s0:c1,c2", &err), -1);
                assert_non_null(strstr(err.msg, "linux.mountLabel"));
        }
}

static void a_label_cannot_break_out_of_its_option(void **state)
{
        struct cor_err err = { 0 };

        assert_int_equal(lsm_check(NULL, NULL, "x\",suid,context=\"y", &err), -1);
        assert_non_null(strstr(err.msg, "not a SELinux label"));
}

static void the_label_is_quoted_among_the_options(void **state)
{
        char *both auto_free = lsm_mount_label("size=1m", "u:r:t:s0:c1,c2", NULL);
        char *alone auto_free = lsm_mount_label("", "u:r:t:s0", "rootcontext");
        char *none auto_free = lsm_mount_label("size=1m", "", NULL);

        assert_string_equal(both, "size=1m,context=\"u:r:t:s0:c1,c2\"");
        assert_string_equal(alone, "rootcontext=\"u:r:t:s0\"");
        assert_string_equal(none, "size=1m");
        assert_null(lsm_mount_label(NULL, NULL, NULL));
}

/* CVE-2019-16884 and its kin: the label would be written to an innocent file, and the container run unconfined. */
static void fake_attr(void *data)
{
        struct cor_err error = { 0 };
        char file[] = "/tmp/coracle-test-XXXXXX", *text auto_free = NULL;
        auto_fd fd = mkstemp(file);

        CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        CHECK(mount(file, "/proc/thread-self/attr/exec", NULL, MS_BIND, NULL) == 0);
        (void)mount(file, "/proc/thread-self/attr/apparmor/exec", NULL, MS_BIND, NULL); /* not on every kernel */
        unlink(file);
        auto_fd proc = procfs_open(&error);
        CHECK(lsm_apparmor_on_exec(proc, "profile", &error) < 0);
        CHECK(error.kind == COR_INVALID && strstr(error.msg, "mounted over"));
        CHECK(lsm_selinux_on_exec(proc, "u:r:t:s0", &error) < 0);
        CHECK(error.kind == COR_INVALID && strstr(error.msg, "mounted over"));
        CHECK(cor_read_fd(fd, file, 100, &text, NULL, &error) == 0 && *text == '\0');
}

static void a_label_is_not_written_to_a_false_file(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(fake_attr, NULL), 0);
}

static void change_profile(void *data)
{
        struct cor_err error = { 0 };
        auto_fd proc = procfs_open(&error);
        char text[200];

        CHECK(lsm_apparmor_on_exec(proc, "coracle-test-no-such-profile", &error) < 0);
        CHECK(error.kind == COR_NOT_FOUND && strstr(error.msg, "coracle-test-no-such-profile"));
        CHECK_OK(lsm_apparmor_on_exec(proc, "unconfined", &err));
        CHECK(cor_read_at(proc, "thread-self/attr/apparmor/exec", text, sizeof text, &error) > 0);
        CHECK(strncmp(text, "unconfined", 10) == 0);
}

static void a_profile_takes_effect_at_exec(void **state)
{
        NEED_ROOT();
        if (!lsm_apparmor_has_profiles()) {
                print_message("skipped: AppArmor is not enabled here: runs with make check-amd64\n");
                skip();
        }
        assert_int_equal(in_child(change_profile, NULL), 0);
}

static void hide_securityfs(void *data)
{
        struct cor_err error = { 0 };

        CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        CHECK(umount2("/sys/kernel/security", MNT_DETACH) == 0);
        CHECK(!lsm_apparmor_has_profiles());
        CHECK_OK(lsm_check("unconfined", NULL, NULL, &err));
        auto_fd proc = procfs_open(&error);
        CHECK_OK(lsm_apparmor_on_exec(proc, "unconfined", &err));
}

/* As podman does before it has a container with mapped ids made. */
static void a_profile_is_set_where_securityfs_is_hidden(void **state)
{
        NEED_ROOT();
        if (!lsm_apparmor_has_profiles()) {
                print_message("skipped: AppArmor is not enabled here: runs with make check-amd64\n");
                skip();
        }
        assert_int_equal(in_child(hide_securityfs, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_asked_nothing_done),
                cmocka_unit_test(protection_that_cannot_be_had_is_an_error),
                cmocka_unit_test(a_label_cannot_break_out_of_its_option),
                cmocka_unit_test(the_label_is_quoted_among_the_options),
                cmocka_unit_test(a_label_is_not_written_to_a_false_file),
                cmocka_unit_test(a_profile_takes_effect_at_exec),
                cmocka_unit_test(a_profile_is_set_where_securityfs_is_hidden),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
