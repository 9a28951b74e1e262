/* Classes of service on a made-up resctrl file system. */
#include "cgroup_tree.h"

#include "linux/resctrl.h"
#include <sys/stat.h>

static int setup(void **state)
{
        tree_make(CGROUP_V1, "");
        resctrl_mount = tree;
        tree_put("schemata", "    L3:0=7ff;1=7ff\n    MB:0=100;1=100\n");
        tree_put("tasks", "");
        tree_put("gold/schemata", "    L3:0=7f0;1=01f\n    MB:0= 20;1= 70\n");
        tree_put("gold/tasks", "");
        tree_dir("gold/mon_groups");
        return 0;
}

static int teardown(void **state)
{
        resctrl_mount = NULL;
        tree_remove();
        return 0;
}

static void expect_ok(const struct oci_intel_rdt *rdt, const char *path)
{
        struct cor_err err = { 0 };
        auto_str made = NULL;

        if (resctrl_setup(rdt, "box", 77, &made, &err) < 0)
                fail_msg("%s", err.msg);
        if (!path)
                assert_null(made);
        else
                assert_string_equal(made, path);
}

static void expect_bad(const struct oci_intel_rdt *rdt, enum cor_kind kind, const char *part)
{
        struct cor_err err = { 0 };
        char *made = NULL;

        assert_int_equal(resctrl_setup(rdt, "box", 77, &made, &err), -1);
        expect_error(&err, kind, part);
        assert_null(made);
}

static void a_class_that_exists_is_joined(void **state)
{
        const struct oci_intel_rdt rdt = { .clos_id = "gold" }, root = { .clos_id = "/" };

        expect_ok(&rdt, NULL);
        tree_expect("gold/tasks", "77");
        expect_ok(&root, NULL);
        tree_expect("tasks", "77");
}

static void a_class_without_schemata_must_exist(void **state)
{
        const struct oci_intel_rdt rdt = { .clos_id = "silver" };

        expect_bad(&rdt, COR_NOT_FOUND, "must exist");
        assert_false(tree_has("silver"));
}

static void an_existing_class_must_match(void **state)
{
        const char *same[] = { "L3:1=1f;0=07f0", "MB:0=20" }, *other[] = { "L3:0=7f0;1=3f" }, *more[] = { "L2:0=f" };
        const struct oci_intel_rdt good = { .clos_id = "gold", .schemata = same, .n_schemata = 2 },
                                   bad = { .clos_id = "gold", .schemata = other, .n_schemata = 1 },
                                   missing = { .clos_id = "gold", .schemata = more, .n_schemata = 1 };

        expect_bad(&bad, COR_INVALID, "L3:1=1f, but 3f");
        expect_bad(&missing, COR_INVALID, "(nothing)");
        tree_expect("gold/tasks", "");
        tree_put("gold/schemata", "    L3:0=7f0;1=01f\n    MB:0=20;1=70\n");
        expect_ok(&good, NULL);
        tree_expect("gold/schemata", "    L3:0=7f0;1=01f\n    MB:0=20;1=70\n");
}

static void what_fails_is_removed(void **state)
{
        const struct oci_intel_rdt rdt = { .clos_id = "silver", .l3_cache_schema = "L3:0=f" },
                                   own = { .clos_id = NULL };

        expect_bad(&rdt, COR_NOT_FOUND, "schemata"); /* no kernel fills the new directory */
        assert_false(tree_has("silver"));
        expect_bad(&own, COR_NOT_FOUND, "tasks");
        assert_false(tree_has("box"));
}

static void names_cannot_lead_out(void **state)
{
        static const char *const bad[] = { "..", ".", "a/b", "../x", "a\nb" };

        for (size_t i = 0; i < COR_COUNT(bad); i++) {
                const struct oci_intel_rdt rdt = { .clos_id = bad[i], .l3_cache_schema = "L3:0=f" };

                expect_bad(&rdt, COR_INVALID, "linux.intelRdt.closID");
        }
}

static void schemata_are_lines(void **state)
{
        const struct oci_intel_rdt two = { .clos_id = "x", .l3_cache_schema = "L3:0=f\nMB:0=1" },
                                   mb = { .clos_id = "x", .mem_bw_schema = "L3:0=f" };

        expect_bad(&two, COR_INVALID, "l3CacheSchema");
        expect_bad(&mb, COR_INVALID, "does not start with MB:");
}

static void updates_are_written_in_order(void **state)
{
        const struct oci_intel_rdt rdt = { .clos_id = "gold" };

        tree_put("gold/schemata", "");
        assert_int_equal(resctrl_update(&rdt, "box", "L3:0=1", "MB:0=50", NULL), 0);
        tree_expect("gold/schemata", "L3:0=1\nMB:0=50\n");
}

static void statistics_have_runcs_keys(void **state)
{
        const struct oci_intel_rdt rdt = { .clos_id = "gold" };
        auto_text out = COR_TEXT_INIT;

        tree_put("info/L3/cbm_mask", "7ff\n");
        tree_put("info/L3/min_cbm_bits", "1\n");
        tree_put("info/L3/num_closids", "16\n");
        tree_put("info/L3_MON/mon_features", "llc_occupancy\nmbm_total_bytes\nmbm_local_bytes\n");
        tree_put("gold/mon_data/mon_L3_00/llc_occupancy", "5\n");
        tree_put("gold/mon_data/mon_L3_00/mbm_total_bytes", "6\n");
        tree_put("gold/mon_data/mon_L3_00/mbm_local_bytes", "7\n");
        assert_int_equal(resctrl_print_stats(&rdt, "box", &out, NULL), 0);
        assert_string_equal(out.s, "{\"l3_cache_info\":{\"cbm_mask\":\"7ff\",\"min_cbm_bits\":1,\"num_closids\":16},"
                                   "\"l3_cache_schema_root\":\"L3:0=7ff;1=7ff\",\"l3_cache_schema\":\"L3:0=7f0;1=01f\","
                                   "\"schemata\":[\"    L3:0=7f0;1=01f\",\"    MB:0= 20;1= 70\"],"
                                   "\"mbm_stats\":[{\"mbm_total_bytes\":6,\"mbm_local_bytes\":7}],"
                                   "\"cmt_stats\":[{\"llc_occupancy\":5}]}");
}

static void without_resctrl_it_is_said(void **state)
{
        const struct oci_intel_rdt rdt = { .clos_id = "gold" };

        resctrl_mount = NULL;
        if (resctrl_available()) {
                print_message("skipped: this machine has resctrl: runs on the CI machine\n");
                skip();
        }
        expect_bad(&rdt, COR_UNSUPPORTED, "resctrl");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_class_that_exists_is_joined), TEST(a_class_without_schemata_must_exist),
                TEST(an_existing_class_must_match),  TEST(what_fails_is_removed),
                TEST(names_cannot_lead_out),         TEST(schemata_are_lines),
                TEST(updates_are_written_in_order),  TEST(statistics_have_runcs_keys),
                TEST(without_resctrl_it_is_said),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
