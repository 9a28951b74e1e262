/* Which limit is written to which file, in which form. */
#include "cgroup_tree.h"

#include "linux/cgroup_systemd.h"

#define V2_FILES                                                                                                       \
        "cpu.max cpu.weight cpu.idle cpu.max.burst cpuset.cpus cpuset.mems memory.max memory.swap.max memory.low "     \
        "memory.high pids.max cgroup.procs io.weight io.max hugetlb.2MB.max hugetlb.2MB.rsvd.max rdma.max"

/* Rootless, so that device rules, which only a kernel can take, are left out. */
static struct cgroup_request request(const struct oci_resources *r)
{
        return (struct cgroup_request){ .rootless = true, .id = "box", .path = "/box", .resources = r };
}

static int create(const char *json, struct cgroup **ret, struct cor_err *err)
{
        struct oci_resources *r = resources_of(json);
        struct cgroup_request req = request(r);
        auto_cgroup_where w = NULL;
        int ret_code;

        assert_int_equal(cgroup_plan(&req, &w, NULL), 0);
        ret_code = cgroup_create(&req, w, ret, err);
        cor_json_free(r);
        return ret_code;
}

static struct cgroup *made(const char *json)
{
        struct cor_err err = { 0 };
        struct cgroup *cg;

        if (create(json, &cg, &err) < 0)
                fail_msg("%s", err.msg);
        return cg;
}

static void update(struct cgroup *cg, const char *json)
{
        struct oci_resources *r = resources_of(json);
        struct cor_err err = { 0 };

        if (cgroup_update(cg, r, &err) < 0)
                fail_msg("%s", err.msg);
        cor_json_free(r);
}

static void refused(const char *json, enum cor_kind kind, const char *part)
{
        struct cor_err err = { 0 };
        struct cgroup *cg = NULL;

        assert_int_equal(create(json, &cg, &err), -1);
        expect_error(&err, kind, part);
        assert_null(cg);
}

static int v2_setup(void **state)
{
        tree_make(CGROUP_V2, "0::/\n");
        tree_files("box", V2_FILES);
        return 0;
}

static int v1_setup(void **state)
{
        tree_make(CGROUP_V1,
                  "8:net_cls,net_prio:/\n7:blkio:/\n6:pids:/\n5:hugetlb:/\n4:memory:/\n3:cpu,cpuacct:/\n2:devices:/\n"
                  "1:cpuset:/\n0::/\n");
        tree_files("cpu,cpuacct/box", "cpu.shares cpu.cfs_quota_us cpu.cfs_period_us cpu.cfs_burst_us cpu.idle "
                                      "cpu.rt_runtime_us cpu.rt_period_us");
        tree_files("memory/box", "memory.limit_in_bytes memory.memsw.limit_in_bytes memory.soft_limit_in_bytes "
                                 "memory.oom_control memory.swappiness");
        tree_files("blkio/box", "blkio.weight blkio.leaf_weight blkio.weight_device blkio.throttle.read_bps_device "
                                "blkio.throttle.write_iops_device");
        tree_files("pids/box", "pids.max");
        tree_files("devices/box", "devices.allow devices.deny cgroup.procs");
        tree_files("hugetlb/box", "hugetlb.2MB.limit_in_bytes hugetlb.2MB.rsvd.limit_in_bytes");
        tree_files("net_cls,net_prio/box", "net_cls.classid net_prio.ifpriomap");
        tree_put("cpuset/cpuset.cpus", "0-3\n");
        tree_put("cpuset/cpuset.mems", "0\n");
        tree_files("cpuset/box", "cpuset.cpus cpuset.mems");
        return 0;
}

static int teardown(void **state)
{
        tree_remove();
        return 0;
}

/* --- version 2 --------------------------------------------------------------------------------------------------- */

static void v2_cpu_is_converted(void **state)
{
        auto_cgroup cg = made("{\"cpu\":{\"shares\":1024,\"quota\":50000,\"period\":200000,\"burst\":1000,"
                              "\"cpus\":\"0-1\",\"mems\":\"0\"}}");

        tree_expect("box/cpu.weight", "100");
        tree_expect("box/cpu.max", "50000 200000");
        tree_expect("box/cpu.max.burst", "1000");
        tree_expect("box/cpuset.cpus", "0-1");
        tree_expect("box/cpuset.mems", "0");
        tree_expect("box/cpu.idle", "");
}

static void v2_a_quota_alone_keeps_the_period_and_a_period_the_quota(void **state)
{
        auto_cgroup cg = made("{}");

        update(cg, "{\"cpu\":{\"quota\":-1}}");
        tree_expect("box/cpu.max", "max");
        tree_put("box/cpu.max", "30000 10000\n");
        update(cg, "{\"cpu\":{\"period\":50000}}");
        tree_expect("box/cpu.max", "30000 50000\n"); /* a plain file keeps the old text's end */
}

static void v2_swap_is_what_is_above_memory(void **state)
{
        auto_cgroup cg = made("{\"memory\":{\"limit\":1000,\"swap\":3000,\"reservation\":500}}");

        tree_expect("box/memory.max", "1000");
        tree_expect("box/memory.swap.max", "2000");
        tree_expect("box/memory.low", "500");
}

static void v2_minus_one_is_max(void **state)
{
        auto_cgroup cg = made("{\"memory\":{\"limit\":-1},\"pids\":{\"limit\":-1}}");

        tree_expect("box/memory.max", "max");
        tree_expect("box/memory.swap.max", "max"); /* as version 1, where memory+swap cannot be below memory */
        tree_expect("box/pids.max", "max");
}

static void v2_equal_memory_and_swap_means_no_swap(void **state)
{
        auto_cgroup cg = made("{\"memory\":{\"limit\":1000,\"swap\":1000}}");

        tree_expect("box/memory.swap.max", "0");
}

static void v2_swap_alone_counts_from_the_present_limit(void **state)
{
        auto_cgroup cg = made("{}");

        tree_put("box/memory.max", "4000\n");
        update(cg, "{\"memory\":{\"swap\":10000}}");
        tree_expect("box/memory.swap.max", "6000");
}

static void v2_limits_below_the_usage_are_refused_when_asked_to_check(void **state)
{
        struct oci_resources *r = resources_of("{\"memory\":{\"limit\":1000,\"checkBeforeUpdate\":true}}");
        auto_cgroup cg = made("{}");
        struct cor_err err = { 0 };

        tree_put("box/memory.current", "2000\n");
        tree_put("box/cgroup.procs", "");
        assert_int_equal(cgroup_update(cg, r, &err), -1);
        expect_error(&err, COR_BUSY, "1000 <= usage 2000");
        tree_expect("box/memory.max", "");
        cor_json_free(r);
}

static void v2_io_uses_bfq_where_it_is_there(void **state)
{
        static const char json[] = "{\"blockIO\":{\"weight\":500,\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,"
                                   "\"rate\":1000}]}}";

        cgroup_close(made(json));
        tree_expect("box/io.weight", "4950");
        tree_expect("box/io.max", "8:0 rbps=1000");
        tree_put("box/io.bfq.weight", "");
        tree_put("box/io.weight", "");
        cgroup_close(made(json));
        tree_expect("box/io.bfq.weight", "500");
        tree_expect("box/io.weight", "");
}

static void v2_a_throttle_of_zero_is_lifted(void **state)
{
        auto_cgroup cg = made("{\"blockIO\":{\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":16,\"rate\":0}]}}");

        tree_expect("box/io.max", "8:16 wiops=max");
}

static void v2_huge_pages_are_limited_when_used_and_when_reserved(void **state)
{
        auto_cgroup cg = made("{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304}]}");

        tree_expect("box/hugetlb.2MB.max", "4194304");
        tree_expect("box/hugetlb.2MB.rsvd.max", "4194304");
}

static void v2_unified_goes_to_the_files_as_it_is(void **state)
{
        auto_cgroup cg = made("{\"unified\":{\"memory.high\":\"5000\",\"cpu.weight\":\"7\"}}");

        tree_expect("box/memory.high", "5000");
        tree_expect("box/cpu.weight", "7");
}

static void v2_a_missing_controller_is_named(void **state)
{
        tree_put("box/cgroup.controllers", "cpu pids\n");
        tree_remove();
        v2_setup(NULL);
        tree_put("box/cgroup.controllers", "cpu pids\n");
        auto_str file = cor_printf("%s/box/memory.max", tree);
        unlink(file);
        refused("{\"memory\":{\"limit\":1000}}", COR_UNSUPPORTED, "controller \"memory\" is not available");
}

static void what_fails_leaves_nothing(void **state)
{
        struct oci_resources *r = resources_of("{\"pids\":{\"limit\":5}}");
        struct cgroup_request req = { .rootless = true, .id = "box", .path = "/new/deep/er", .resources = r };
        auto_cgroup_where w = NULL;
        struct cgroup *cg = NULL;
        struct cor_err err = { 0 };

        assert_int_equal(cgroup_plan(&req, &w, NULL), 0);
        assert_int_equal(cgroup_create(&req, w, &cg, &err), -1); /* plain directories have no pids.max */
        expect_error(&err, COR_NOT_FOUND, "pids.max");
        assert_false(tree_has("new"));
        cor_json_free(r);
}

static void a_cgroup_with_processes_is_not_taken(void **state)
{
        tree_put("box/sub/cgroup.procs", "1\n");
        refused("{}", COR_BUSY, "not empty: 1 process");
        tree_put("box/sub/cgroup.procs", "");
        tree_put("box/cgroup.freeze", "1\n");
        refused("{}", COR_BUSY, "frozen");
}

/* --- version 1 --------------------------------------------------------------------------------------------------- */

static void v1_cpu_has_files_of_its_own(void **state)
{
        auto_cgroup cg = made("{\"cpu\":{\"shares\":512,\"quota\":-1,\"period\":50000,\"burst\":10,\"idle\":1,"
                              "\"realtimeRuntime\":9000,\"realtimePeriod\":100000,\"cpus\":\"1\",\"mems\":\"0\"}}");

        tree_expect("cpu,cpuacct/box/cpu.shares", "512");
        tree_expect("cpu,cpuacct/box/cpu.cfs_quota_us", "-1");
        tree_expect("cpu,cpuacct/box/cpu.cfs_period_us", "50000");
        tree_expect("cpu,cpuacct/box/cpu.cfs_burst_us", "10");
        tree_expect("cpu,cpuacct/box/cpu.idle", "1");
        tree_expect("cpu,cpuacct/box/cpu.rt_runtime_us", "9000");
        tree_expect("cpu,cpuacct/box/cpu.rt_period_us", "100000");
}

static void v1_an_empty_cpuset_takes_over_from_above(void **state)
{
        tree_files("cpuset/pod", "cpuset.cpus cpuset.mems");
        tree_files("cpuset/pod/box", "cpuset.cpus cpuset.mems");

        auto_str pod = cor_printf("cpuset/pod"), *box = cor_printf("cpuset/pod/box");
        int root = open(tree, O_PATH | O_CLOEXEC);
        assert_int_equal(cgroup_v1_cpuset_inherit(root, pod, box, false, NULL), 0);
        close(root);
        tree_expect("cpuset/pod/cpuset.cpus", "0-3");
        tree_expect("cpuset/pod/box/cpuset.cpus", "0-3");
        tree_expect("cpuset/pod/box/cpuset.mems", "0");
}

static void v1_memory_and_swap_are_sums(void **state)
{
        auto_cgroup cg = made("{\"memory\":{\"limit\":1000,\"swap\":3000,\"reservation\":500,\"swappiness\":10,"
                              "\"disableOOMKiller\":true}}");

        tree_expect("memory/box/memory.limit_in_bytes", "1000");
        tree_expect("memory/box/memory.memsw.limit_in_bytes", "3000");
        tree_expect("memory/box/memory.soft_limit_in_bytes", "500");
        tree_expect("memory/box/memory.swappiness", "10");
        tree_expect("memory/box/memory.oom_control", "1");
}

static void v1_no_memory_limit_means_none_with_swap(void **state)
{
        auto_cgroup cg = made("{\"memory\":{\"limit\":-1}}");

        tree_expect("memory/box/memory.limit_in_bytes", "-1");
        tree_expect("memory/box/memory.memsw.limit_in_bytes", "-1");
}

static void v1_block_io_names_devices(void **state)
{
        auto_cgroup cg =
                made("{\"blockIO\":{\"weight\":300,\"leafWeight\":20,\"weightDevice\":[{\"major\":8,\"minor\":0,"
                     "\"weight\":400}],\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":7}],"
                     "\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":0,\"rate\":9}]}}");

        tree_expect("blkio/box/blkio.weight", "300");
        tree_expect("blkio/box/blkio.leaf_weight", "20");
        tree_expect("blkio/box/blkio.weight_device", "8:0 400");
        tree_expect("blkio/box/blkio.throttle.read_bps_device", "8:0 7");
        tree_expect("blkio/box/blkio.throttle.write_iops_device", "8:0 9");
}

static void v1_small_controllers(void **state)
{
        auto_cgroup cg = made("{\"pids\":{\"limit\":7},\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":2097152}],"
                              "\"network\":{\"classID\":1048577,\"priorities\":[{\"name\":\"lo\",\"priority\":5}]}}");

        tree_expect("pids/box/pids.max", "7");
        tree_expect("hugetlb/box/hugetlb.2MB.limit_in_bytes", "2097152");
        tree_expect("hugetlb/box/hugetlb.2MB.rsvd.limit_in_bytes", "2097152");
        tree_expect("net_cls,net_prio/box/net_cls.classid", "1048577");
        tree_expect("net_cls,net_prio/box/net_prio.ifpriomap", "lo 5");
}

static void v1_devices_are_denied_then_allowed(void **state)
{
        auto_cgroup cg = made("{\"devices\":[{\"allow\":true,\"type\":\"b\",\"major\":7,\"access\":\"rw\"}]}");

        tree_expect("devices/box/devices.deny", "a");
        tree_expect("devices/box/devices.allow",
                    "b 7:* rwc *:* mb *:* mc 1:3 rwmc 1:5 rwmc 1:7 rwmc 1:8 rwmc 1:9 rwmc 5:0 rwm"
                    "c 5:2 rwmc 136:* rwm");
}

static void v1_devices_of_a_running_container_change_without_a_gap(void **state)
{
        auto_cgroup cg = made("{}");

        tree_put("devices/box/cgroup.procs", "");
        tree_put("devices/box/devices.allow", "");
        tree_put("devices/box/devices.deny", "");
        tree_put("devices/box/devices.list", "c *:* m\nb *:* m\nc 1:3 rwm\nc 1:5 rwm\nc 1:7 rwm\nc 1:8 rwm\nc 1:9 rwm\n"
                                             "c 5:0 rwm\nc 5:2 rwm\nc 136:* rwm\nb 7:* rw\n");
        update(cg, "{\"devices\":[{\"allow\":true,\"type\":\"b\",\"major\":9,\"access\":\"r\"}]}");
        tree_expect("devices/box/devices.allow", "b 9:* r");
        tree_expect("devices/box/devices.deny", "b 7:* rw");
}

/* --- what is refused --------------------------------------------------------------------------------------------- */

static void v2_nonsense_is_refused(void **state)
{
        refused("{\"memory\":{\"limit\":1000,\"swap\":999}}", COR_INVALID, "memory.swap");
        refused("{\"memory\":{\"limit\":-2}}", COR_INVALID, "linux.resources.memory");
        refused("{\"cpu\":{\"realtimeRuntime\":5}}", COR_UNSUPPORTED, "realtimeRuntime");
        refused("{\"network\":{\"classID\":5}}", COR_UNSUPPORTED, "network.classID");
}

static void v1_nonsense_is_refused(void **state)
{
        refused("{\"unified\":{\"memory.max\":\"1\"}}", COR_INVALID, "linux.resources.unified");
        refused("{\"cpu\":{\"shares\":1}}", COR_INVALID, "minimum allowed cpu-shares is 2");
        refused("{\"cpu\":{\"shares\":262145}}", COR_INVALID, "maximum allowed cpu-shares is 262144");
        refused("{\"rdma\":{\"mlx\":{\"hcaHandles\":1}}}", COR_UNSUPPORTED, "linux.resources.rdma");
}

/* --- systemd ----------------------------------------------------------------------------------------------------- */

static void systemd_gets_the_same_limits(void **state)
{
        struct oci_resources *r = resources_of("{\"memory\":{\"limit\":1000,\"swap\":3000},\"pids\":{\"limit\":-1},"
                                               "\"cpu\":{\"shares\":1024,\"quota\":12345,\"cpus\":\"0,9\"}}");
        auto_text t = COR_TEXT_INIT;

        assert_int_equal(cgroup_systemd_properties(CGROUP_V2, r, true, &t, NULL), 0);
        assert_non_null(strstr(t.s, "{\"name\":\"MemoryMax\",\"type\":\"t\",\"since\":0,\"value\":\"1000\"}"));
        assert_non_null(strstr(t.s, "\"MemorySwapMax\",\"type\":\"t\",\"since\":0,\"value\":\"2000\""));
        assert_non_null(strstr(t.s, "\"TasksMax\",\"type\":\"t\",\"since\":0,\"value\":\"18446744073709551615\""));
        assert_non_null(strstr(t.s, "\"CPUWeight\",\"type\":\"t\",\"since\":0,\"value\":\"100\""));
        assert_non_null(
                strstr(t.s, "\"CPUQuotaPerSecUSec\",\"type\":\"t\",\"since\":0,\"value\":\"130000\"")); /* whole % */
        assert_non_null(strstr(t.s, "\"AllowedCPUs\",\"type\":\"ay\",\"since\":244,\"value\":\"0102\""));
        assert_null(strstr(t.s, "DevicePolicy"));
        cor_json_free(r);
}

#define V1(f) cmocka_unit_test_setup_teardown(f, v1_setup, teardown)
#define V2(f) cmocka_unit_test_setup_teardown(f, v2_setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                V2(v2_cpu_is_converted),
                V2(v2_a_quota_alone_keeps_the_period_and_a_period_the_quota),
                V2(v2_swap_is_what_is_above_memory),
                V2(v2_minus_one_is_max),
                V2(v2_equal_memory_and_swap_means_no_swap),
                V2(v2_swap_alone_counts_from_the_present_limit),
                V2(v2_limits_below_the_usage_are_refused_when_asked_to_check),
                V2(v2_io_uses_bfq_where_it_is_there),
                V2(v2_a_throttle_of_zero_is_lifted),
                V2(v2_huge_pages_are_limited_when_used_and_when_reserved),
                V2(v2_unified_goes_to_the_files_as_it_is),
                V2(v2_a_missing_controller_is_named),
                V2(what_fails_leaves_nothing),
                V2(a_cgroup_with_processes_is_not_taken),
                V1(v1_cpu_has_files_of_its_own),
                V1(v1_an_empty_cpuset_takes_over_from_above),
                V1(v1_memory_and_swap_are_sums),
                V1(v1_no_memory_limit_means_none_with_swap),
                V1(v1_block_io_names_devices),
                V1(v1_small_controllers),
                V1(v1_devices_are_denied_then_allowed),
                V1(v1_devices_of_a_running_container_change_without_a_gap),
                V2(v2_nonsense_is_refused),
                V1(v1_nonsense_is_refused),
                V2(systemd_gets_the_same_limits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
