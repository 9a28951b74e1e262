/* Where a container's cgroup is put: the forms of linux.cgroupsPath in all layouts. */
#include "cgroup_tree.h"

#define V1_SELF "4:memory:/own/m\n3:cpu,cpuacct:/own\n2:name=systemd:/own\n1:devices:/own\n0::/own\n"

static struct cgroup_where *plan(const struct cgroup_request *req)
{
        struct cor_err err = { 0 };
        struct cgroup_where *w;

        if (cgroup_plan(req, &w, &err) < 0)
                fail_msg("%s", err.msg);
        return w;
}

static void expect_path(enum cgroup_manager manager, const char *path, const char *expected)
{
        struct cgroup_request req = { .manager = manager, .id = "box", .path = path };
        auto_cgroup_where w = plan(&req);

        assert_string_equal(w->path, expected);
}

static void expect_refused(enum cgroup_manager manager, const char *path, const char *part)
{
        struct cgroup_request req = { .manager = manager, .id = "box", .path = path };
        struct cor_err err = { 0 };
        struct cgroup_where *w = NULL;

        assert_int_equal(cgroup_plan(&req, &w, &err), -1);
        expect_error(&err, COR_INVALID, part);
        assert_null(w);
}

static int v2_setup(void **state)
{
        tree_make(CGROUP_V2, "1:name=systemd:/\n0::/user.slice/session\n");
        tree_dir("user.slice/session");
        return 0;
}

static int v1_setup(void **state)
{
        tree_make(CGROUP_V1, V1_SELF);
        tree_dir("memory/own/m");
        tree_dir("cpu,cpuacct/own");
        tree_dir("systemd/own");
        tree_dir("devices/own");
        return 0;
}

static int teardown(void **state)
{
        tree_remove();
        return 0;
}

static void absolute_paths_count_from_the_mount(void **state)
{
        expect_path(CGROUP_CGROUPFS, "/a/b", "/a/b");
        expect_path(CGROUP_CGROUPFS, "//a/./b/", "/a/b");
}

static void dots_never_lead_out(void **state)
{
        expect_path(CGROUP_CGROUPFS, "/../../a", "/a");
        expect_path(CGROUP_CGROUPFS, "/a/../../b", "/b");
        expect_path(CGROUP_CGROUPFS, "../../a", "/user.slice/a");
        expect_refused(CGROUP_CGROUPFS, "/a/..", "root of all cgroups");
        expect_refused(CGROUP_CGROUPFS, "..", "root of all cgroups");
        expect_refused(CGROUP_CGROUPFS, "/a\nb", "line break");
}

static void v2_relative_paths_are_beside_our_own(void **state)
{
        expect_path(CGROUP_CGROUPFS, "a/b", "/user.slice/a/b");
        expect_path(CGROUP_CGROUPFS, NULL, "/user.slice/box");
        expect_path(CGROUP_CGROUPFS, "", "/user.slice/box");
}

static void v1_relative_paths_are_below_our_own_in_each_hierarchy(void **state)
{
        struct cgroup_request req = { .id = "box" };
        auto_cgroup_where w = plan(&req);

        assert_int_equal(w->mode, CGROUP_V1);
        assert_string_equal(cgroup_where_path(w, "memory"), "/own/m/box");
        assert_string_equal(cgroup_where_path(w, "cpu,cpuacct"), "/own/box");
        assert_string_equal(cgroup_where_path(w, "name=systemd"), "/own/box");
}

static void a_v2_mount_beside_v1_ones_is_hybrid(void **state)
{
        struct cgroup_request req = { .id = "box", .path = "/x" };

        tree_put("unified/cgroup.controllers", "hugetlb pids\n");
        auto_cgroup_where w = plan(&req);
        assert_int_equal(w->mode, CGROUP_HYBRID);

        struct cgroup_layout l;
        assert_int_equal(cgroup_layout_read(&l, NULL), 0);
        assert_int_equal(cgroup_layout_v2(&l)->ctls, 1 << CTL_HUGETLB | 1 << CTL_PIDS);
        cgroup_layout_done(&l);
}

/* In a container without a cgroup namespace our path is that of the host, and the mount shows a part of it. */
static void a_mount_of_a_subtree_is_taken_into_account(void **state)
{
        auto_str info = cor_printf("%s.mountinfo", tree);
        auto_str text = cor_printf("31 23 0:28 /docker/abc %s ro,nosuid - cgroup2 cgroup rw\n", tree);
        auto_str self = cor_printf("%s", "0::/docker/abc/inner/me\n");
        struct cgroup_request req = { .id = "box" };
        int fd = open(info, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        close(fd);
        fd = open(tree_self, O_WRONLY | O_TRUNC | O_CLOEXEC);
        assert_int_equal(write(fd, self, strlen(self)), strlen(self));
        close(fd);
        cgroup_host.mountinfo = info;
        auto_cgroup_where w = plan(&req);
        unlink(info);
        assert_string_equal(w->path, "/inner/box");
}

static void systemd_names_become_scopes_in_nested_slices(void **state)
{
        struct cgroup_request req = { .manager = CGROUP_SYSTEMD, .id = "box", .path = "a-b.slice:docker:123" };
        auto_cgroup_where w = plan(&req);

        assert_string_equal(w->slice, "a-b.slice");
        assert_string_equal(w->unit, "docker-123.scope");
        assert_string_equal(w->path, "/a.slice/a-b.slice/docker-123.scope");
        expect_path(CGROUP_SYSTEMD, NULL, "/system.slice/coracle-box.scope");
        expect_path(CGROUP_SYSTEMD, "-.slice:p:n", "/p-n.scope");
        expect_path(CGROUP_SYSTEMD, ":p:n", "/system.slice/p-n.scope");
        expect_path(CGROUP_SYSTEMD, "::n", "/system.slice/n.scope");
}

static void rootless_systemd_uses_the_users_slice(void **state)
{
        struct cgroup_request req = { .manager = CGROUP_SYSTEMD, .id = "box", .rootless = true };
        auto_cgroup_where w = plan(&req);

        assert_string_equal(w->slice, "user.slice");
        assert_true(w->rootless);
}

static void wrong_systemd_names_are_refused(void **state)
{
        expect_refused(CGROUP_SYSTEMD, "/a/b", "slice:prefix:name");
        expect_refused(CGROUP_SYSTEMD, "a.slice:b", "slice:prefix:name");
        expect_refused(CGROUP_SYSTEMD, "a.slice:b:c:d", "slice:prefix:name");
        expect_refused(CGROUP_SYSTEMD, "a.slice:b:", "slice:prefix:name");
        expect_refused(CGROUP_SYSTEMD, "a:b:c", "not the name of a systemd slice");
        expect_refused(CGROUP_SYSTEMD, "a--b.slice:b:c", "not the name of a systemd slice");
        expect_refused(CGROUP_SYSTEMD, "-a.slice:b:c", "not the name of a systemd slice");
        expect_refused(CGROUP_SYSTEMD, "../a.slice:b:c", "not the name of a systemd slice");
        expect_refused(CGROUP_SYSTEMD, ".slice:b:c", "not the name of a systemd slice");
        expect_refused(CGROUP_SYSTEMD, "a.slice:b:../../c", "cannot be the name of a systemd unit");
}

static void sub_cgroups_come_from_annotations(void **state)
{
        const struct cor_pair notes[] = { { "run.oci.systemd.subgroup", "/sub/../in" },
                                          { "run.oci.delegate-cgroup", "../pay" } };
        struct cgroup_request req = {
                .manager = CGROUP_SYSTEMD, .id = "box", .annotations = notes, .n_annotations = 2
        };
        auto_cgroup_where w = plan(&req);

        assert_string_equal(w->subgroup, "in");
        assert_string_equal(w->delegate, "pay");
        assert_string_equal(w->path, "/system.slice/coracle-box.scope/in");
}

static void odd_annotations_are_refused(void **state)
{
        const struct cor_pair bad = { "org.systemd.property.No-Way", "1" };
        struct cgroup_request req = { .manager = CGROUP_SYSTEMD, .id = "box", .annotations = &bad, .n_annotations = 1 };
        struct cor_err err = { 0 };
        struct cgroup_where *w;

        assert_int_equal(cgroup_plan(&req, &w, &err), -1);
        expect_error(&err, COR_INVALID, "No-Way");
}

static void delegation_needs_v2(void **state)
{
        const struct cor_pair note = { "run.oci.delegate-cgroup", "pay" };
        struct cgroup_request req = { .id = "box", .annotations = &note, .n_annotations = 1 };
        struct cor_err err = { 0 };
        struct cgroup_where *w;

        assert_int_equal(cgroup_plan(&req, &w, &err), -1);
        expect_error(&err, COR_UNSUPPORTED, "run.oci.delegate-cgroup");
}

static void a_plan_survives_json(void **state)
{
        struct cgroup_request req = { .id = "box" };
        auto_cgroup_where w = plan(&req);
        auto_text text = COR_TEXT_INIT;
        struct cgroup_where *again;
        struct cor_err err = { 0 };

        cor_json_print(&cgroup_where_doc, w, COR_JSON_COMPACT, &text);
        if (cor_json_parse(&cgroup_where_doc, text.s, text.len, "test", &again, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(again->mode, CGROUP_V1);
        assert_string_equal(cgroup_where_path(again, "memory"), "/own/m/box");
        assert_string_equal(cgroup_where_path(again, "devices"), "/own/box");
        cor_json_free(again);
}

static void without_cgroups_there_is_nothing_to_plan(void **state)
{
        struct cgroup_request req = { .manager = CGROUP_DISABLED, .id = "box" };
        auto_cgroup_where w = plan(&req);
        auto_cgroup cg = NULL;

        assert_int_equal(cgroup_create(&req, w, &cg, NULL), 0);
        assert_false(cgroup_exists(cg));
        assert_int_equal(cgroup_destroy(cg, 0, NULL), 0);
}

#define V1(f) cmocka_unit_test_setup_teardown(f, v1_setup, teardown)
#define V2(f) cmocka_unit_test_setup_teardown(f, v2_setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                V2(absolute_paths_count_from_the_mount),
                V2(dots_never_lead_out),
                V2(v2_relative_paths_are_beside_our_own),
                V1(v1_relative_paths_are_below_our_own_in_each_hierarchy),
                V1(a_v2_mount_beside_v1_ones_is_hybrid),
                V2(a_mount_of_a_subtree_is_taken_into_account),
                V2(systemd_names_become_scopes_in_nested_slices),
                V2(rootless_systemd_uses_the_users_slice),
                V2(wrong_systemd_names_are_refused),
                V2(sub_cgroups_come_from_annotations),
                V2(odd_annotations_are_refused),
                V1(delegation_needs_v2),
                V1(a_plan_survives_json),
                V2(without_cgroups_there_is_nothing_to_plan),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
