#include "linux/idmap.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "base/file.h"
#include "child.h"
#include "linux/namespace.h"
#include "linux/procfs.h"

static const struct oci_id_map two[] = { { 0, 1000, 1 }, { 1, 100000, 65536 } };

static void ids_are_translated_both_ways(void **state)
{
        uint32_t id = 7;

        assert_true(idmap_to_host(two, 2, 0, &id));
        assert_int_equal(id, 1000);
        assert_true(idmap_to_host(two, 2, 65536, &id));
        assert_int_equal(id, 165535);
        assert_false(idmap_to_host(two, 2, 65537, &id));
        assert_true(idmap_to_container(two, 2, 100005, &id));
        assert_int_equal(id, 6);
        assert_false(idmap_to_container(two, 2, 999, &id));
        assert_false(idmap_to_container(NULL, 0, 0, &id));
}

static void expect_bad(const struct oci_id_map *map, size_t n, const char *part)
{
        struct cor_err err = { 0 };

        assert_int_equal(idmap_check(map, n, "uidMappings", &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        if (!strstr(err.msg, part))
                fail_msg("%s lacks: %s", err.msg, part);
}

static void impossible_maps_are_refused(void **state)
{
        const struct oci_id_map empty = { 0, 0, 0 }, far = { 0, UINT32_MAX - 1, 2 };
        const struct oci_id_map inside[] = { { 0, 0, 10 }, { 9, 100, 1 } };
        const struct oci_id_map outside[] = { { 0, 0, 10 }, { 10, 5, 1 } };
        struct cor_err err = { 0 };

        expect_bad(&empty, 1, "uidMappings[0].size");
        expect_bad(&far, 1, "beyond");
        expect_bad(inside, 2, "overlaps");
        expect_bad(outside, 2, "overlaps");
        expect_bad(two, 341, "340");
        assert_int_equal(idmap_check(two, 2, "uidMappings", &err), 0);
        assert_int_equal(idmap_check(NULL, 0, "uidMappings", &err), 0);
}

static void sub_ranges_are_found_by_name_and_number(void **state)
{
        const char *text = "# comment\n"
                           "anna:100000:65536\n"
                           "bob:200000:65536\n"
                           "anna:300000\n"
                           "anna:x:5\n"
                           "anna:400000:5:extra\n"
                           "anna:4294967295:5\n"
                           "1000:500000:10\n"
                           ":600000:10\n"
                           "annabel:700000:10\n"
                           "anna:800000:0\n"
                           "anna:900000:20";
        struct oci_id_map *items auto_free = NULL;
        size_t n = 0;

        idmap_sub_ranges(text, "anna", 1000, &items, &n);
        assert_int_equal(n, 3);
        assert_int_equal(items[0].host_id, 100000);
        assert_int_equal(items[0].size, 65536);
        assert_int_equal(items[1].host_id, 500000);
        assert_int_equal(items[2].host_id, 900000);
        assert_int_equal(items[2].size, 20);
}

static void without_a_name_only_the_number_counts(void **state)
{
        struct oci_id_map *items auto_free = NULL;
        size_t n = 0;

        idmap_sub_ranges("anna:1:1\n:2:1\n1000:3:1\n", NULL, 1000, &items, &n);
        assert_int_equal(n, 1);
        assert_int_equal(items[0].host_id, 3);
}

static void expect_fill(uint32_t id, uint32_t own, const struct oci_id_map *sub, size_t n_sub,
                        const struct oci_id_map *want, size_t n_want)
{
        struct oci_id_map *items auto_free = NULL;
        struct cor_err err = { 0 };
        size_t n = 0;

        idmap_fill(id, own, sub, n_sub, &items, &n);
        assert_int_equal(n, n_want);
        assert_memory_equal(items, want, n * sizeof *items);
        assert_int_equal(idmap_check(items, n, "uidMappings", &err), 0);
}

static void own_id_becomes_root_and_ranges_follow(void **state)
{
        const struct oci_id_map sub[] = { { 0, 100000, 65536 }, { 0, 300000, 10 } };
        const struct oci_id_map want[] = { { 0, 1000, 1 }, { 1, 100000, 65536 }, { 65537, 300000, 10 } };

        expect_fill(0, 1000, sub, 2, want, 3);
        expect_fill(0, 1000, NULL, 0, want, 1);
}

static void own_id_in_the_middle_splits_the_ranges(void **state)
{
        const struct oci_id_map sub = { 0, 100000, 65536 };
        const struct oci_id_map want[] = { { 0, 100000, 33 }, { 33, 1000, 1 }, { 34, 100033, 65503 } };
        const struct oci_id_map small = { 0, 100000, 3 };
        const struct oci_id_map beyond[] = { { 0, 100000, 3 }, { 33, 1000, 1 } };
        const struct oci_id_map edge[] = { { 0, 100000, 3 }, { 3, 1000, 1 } };

        expect_fill(33, 1000, &sub, 1, want, 3);
        expect_fill(33, 1000, &small, 1, beyond, 2);
        expect_fill(3, 1000, &small, 1, edge, 2);
}

static void ranges_that_overlap_are_used_once(void **state)
{
        const struct oci_id_map same[] = { { 0, 100000, 10 }, { 0, 100005, 10 } };
        const struct oci_id_map once[] = { { 0, 1000, 1 }, { 1, 100000, 10 } };
        const struct oci_id_map around = { 0, 998, 5 };
        const struct oci_id_map cut[] = { { 0, 1000, 1 }, { 1, 998, 2 }, { 3, 1001, 2 } };

        expect_fill(0, 1000, same, 2, once, 2);
        expect_fill(0, 1000, &around, 1, cut, 3);
}

/* A child in a user namespace of its own that waits; its end comes with the pipe's. */
static pid_t namespaced_child(int *ret_release)
{
        int ready[2], release[2];
        char byte;
        pid_t pid;

        CHECK(pipe(ready) == 0 && pipe(release) == 0);
        pid = fork();
        if (pid == 0) {
                close(release[1]);
                CHECK(unshare(CLONE_NEWUSER) == 0);
                CHECK(write(ready[1], "x", 1) == 1);
                _exit(read(release[0], &byte, 1) == 0 ? 0 : 1);
        }
        close(ready[1]);
        CHECK(read(ready[0], &byte, 1) == 1);
        *ret_release = release[1];
        return pid;
}

static void expect_maps(int proc, pid_t pid, const char *uids, const char *setgroups)
{
        struct cor_err err = { 0 };
        char path[64], text[128];

        snprintf(path, sizeof path, "%d/uid_map", pid);
        CHECK(cor_read_at(proc, path, text, sizeof text, &err) > 0);
        CHECK(strstr(text, uids));
        snprintf(path, sizeof path, "%d/setgroups", pid);
        CHECK(cor_read_at(proc, path, text, sizeof text, &err) > 0);
        CHECK(strcmp(text, setgroups) == 0);
}

static void map_two_ranges(void *data)
{
        struct cor_err error = { 0 };
        auto_fd proc = procfs_open(&error);
        struct oci_id_map map[] = { { 0, 1000, 1 }, { 1, 100000, 65536 } };
        struct idmap m = { map, map, 2, 2 };
        int release;
        pid_t pid = namespaced_child(&release);

        CHECK_OK(idmap_write(proc, pid, &m, &err));
        expect_maps(proc, pid, "         1     100000      65536", "allow");
        close(release);
}

static void root_maps_directly(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(map_two_ranges, NULL), 0);
}

static void map_own_id(void *data)
{
        struct cor_err error = { 0 };
        struct oci_id_map uids = { 0, 54321, 1 }, gids = { 0, 54322, 1 }, other = { 0, 54323, 1 };
        struct idmap m = { &uids, &gids, 1, 1 }, bad = { &other, &gids, 1, 1 };
        int release;
        pid_t pid;

        CHECK(setenv("PATH", "/nonexistent", 1) == 0);
        CHECK(geteuid() != 0 || (setresgid(54322, 54322, 54322) == 0 && setresuid(54321, 54321, 54321) == 0));
        CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0); /* else our children's files in /proc are root's */
        uids.host_id = geteuid();
        gids.host_id = getegid();
        auto_fd proc = procfs_open(&error);
        pid = namespaced_child(&release);
        CHECK(idmap_write(proc, pid, &bad, &error) < 0);
        CHECK(strstr(error.msg, "several ids cannot be mapped without newuidmap"));
        CHECK_OK(idmap_write(proc, pid, &m, &err));
        expect_maps(proc, pid, "         0", "deny");
        close(release);
}

static void one_own_id_needs_no_privilege(void **state)
{
        if (geteuid() != 0 && access("/proc/sys/kernel/unprivileged_userns_clone", F_OK) == 0)
                print_message("may be refused: unprivileged user namespaces are restricted here\n");
        assert_int_equal(in_child(map_own_id, NULL), 0);
}

static void make_namespace(void *data)
{
        struct oci_id_map uids[] = { { 0, 1000, 1 }, { 1, 100000, 65536 } }, gids = { 0, 5, 7 };
        struct oci_id_map twice[] = { { 0, 1000, 1 }, { 0, 1000, 1 } };
        struct idmap m = { uids, &gids, 2, 1 }, bad = { twice, &gids, 2, 1 };
        struct cor_err error = { 0 };
        auto_fd proc = procfs_open(&error);
        auto_fd fd = idmap_userns_fd(proc, &m, &error);
        char text[256];

        CHECK(fd >= 0);
        CHECK(waitpid(-1, NULL, __WALL) == -1 && errno == ECHILD); /* nothing is left behind */
        CHECK(idmap_userns_fd(proc, &bad, &error) == -1);
        CHECK(waitpid(-1, NULL, __WALL) == -1 && errno == ECHILD);
        CHECK_OK(namespace_enter(fd, CLONE_NEWUSER, &err));
        CHECK(cor_read_at(proc, "self/gid_map", text, sizeof text, &error) > 0);
        CHECK(strcmp(text, "         0          5          7") == 0);
}

static void a_namespace_is_made_for_idmapped_mounts(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(make_namespace, NULL), 0);
}

static void default_for_somebody(void *data)
{
        auto_idmap m = { 0 };

        CHECK(geteuid() != 0 || (setresgid(54322, 54322, 54322) == 0 && setresuid(54321, 54321, 54321) == 0));
        CHECK_OK(idmap_rootless_default(0, 0, &m, &err));
        CHECK(m.n_uids >= 1 && m.uids[0].container_id == 0 && m.uids[0].host_id == geteuid() && m.uids[0].size == 1);
        CHECK(m.n_gids >= 1 && m.gids[0].container_id == 0 && m.gids[0].host_id == getegid() && m.gids[0].size == 1);
}

static void a_user_without_a_mapping_gets_one(void **state)
{
        assert_int_equal(in_child(default_for_somebody, NULL), 0);
}

/* @text in place of file @path, in the mount namespace of this child alone */
static void replace_file(const char *path, const char *text)
{
        char name[] = "/tmp/coracle-test-XXXXXX";
        auto_fd fd = mkostemp(name, O_CLOEXEC);
        auto_str source = cor_printf("/proc/self/fd/%d", fd);

        CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, 0644) == 0);
        CHECK(mount(source, path, NULL, MS_BIND, NULL) == 0);
        CHECK(unlink(name) == 0);
}

static void map_by_helper(void *data)
{
        struct cor_err error = { 0 };
        auto_idmap m = { 0 };
        int release;
        pid_t pid;

        CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        replace_file("/etc/passwd", "root:x:0:0::/:/bin/sh\nsomebody:x:54321:54322::/:/bin/sh\n");
        replace_file("/etc/subuid", "somebody:200000:1000\n54321:300000:10\nroot:400000:5\n");
        replace_file("/etc/subgid", "somebody:210000:2000\n");
        CHECK(setresgid(54322, 54322, 54322) == 0 && setresuid(54321, 54321, 54321) == 0);
        CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);

        CHECK_OK(idmap_rootless_default(0, 0, &m, &err));
        CHECK(m.n_uids == 3 && m.uids[1].host_id == 200000 && m.uids[2].host_id == 300000);
        CHECK(m.n_gids == 2 && m.gids[1].host_id == 210000 && m.gids[1].size == 2000);
        auto_fd proc = procfs_open(&error);
        pid = namespaced_child(&release);
        CHECK_OK(idmap_write(proc, pid, &m, &err));
        expect_maps(proc, pid, "      1001     300000         10", "allow");
        close(release);

        m.uids[1].host_id = 500000; /* somebody else's */
        pid = namespaced_child(&release);
        CHECK(idmap_write(proc, pid, &m, &error) < 0 && error.kind == COR_DENIED);
        CHECK(strstr(error.msg, "newuidmap failed (1): newuidmap: "));
        close(release);
}

static void several_ids_are_mapped_by_the_helpers(void **state)
{
        NEED_ROOT();
        if (access("/usr/bin/newuidmap", X_OK) < 0 || access("/usr/bin/newgidmap", X_OK) < 0 ||
            access("/etc/subuid", F_OK) < 0 || access("/etc/subgid", F_OK) < 0) {
                print_message("skipped: no newuidmap and newgidmap here: runs where Debian's uidmap is\n");
                skip();
        }
        assert_int_equal(in_child(map_by_helper, NULL), 0);
}

static void a_map_is_kept_as_text(void **state)
{
        static const char *const bad[] = {
                "",      "0:1:1",   "0:1:1;0:1", "0:1:1;x:1:1",          "0:1:0;0:1:1",
                "0:1;0", "0:1:2,1", ";:",        "0:1:4294967295;0:1:1", "0:1:5,2:9:1;0:1:1"
        };
        const struct idmap m = {
                .uids = (struct oci_id_map *)two, .gids = (struct oci_id_map *)two, .n_uids = 2, .n_gids = 1
        };
        auto_str text = idmap_format(&m);
        auto_idmap again = { 0 };
        struct cor_err err = { 0 };

        assert_string_equal(text, "0:1000:1,1:100000:65536;0:1000:1");
        assert_int_equal(idmap_parse(text, &again, &err), 0);
        assert_int_equal(again.n_uids, 2);
        assert_int_equal(again.n_gids, 1);
        assert_memory_equal(again.uids, two, sizeof two);
        for (size_t i = 0; i < COR_COUNT(bad); i++) {
                assert_int_equal(idmap_parse(bad[i], &again, &err), -1);
                assert_int_equal(err.kind, COR_INVALID);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ids_are_translated_both_ways),
                cmocka_unit_test(impossible_maps_are_refused),
                cmocka_unit_test(sub_ranges_are_found_by_name_and_number),
                cmocka_unit_test(without_a_name_only_the_number_counts),
                cmocka_unit_test(own_id_becomes_root_and_ranges_follow),
                cmocka_unit_test(own_id_in_the_middle_splits_the_ranges),
                cmocka_unit_test(ranges_that_overlap_are_used_once),
                cmocka_unit_test(a_map_is_kept_as_text),
                cmocka_unit_test(root_maps_directly),
                cmocka_unit_test(one_own_id_needs_no_privilege),
                cmocka_unit_test(a_namespace_is_made_for_idmapped_mounts),
                cmocka_unit_test(a_user_without_a_mapping_gets_one),
                cmocka_unit_test(several_ids_are_mapped_by_the_helpers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
