/* Statistics, processes and removal on made-up trees; conversions of numbers. */
#include "cgroup_tree.h"

static struct cgroup *opened(const char *path)
{
        struct cgroup_request req = { .rootless = true, .id = "box", .path = path };
        auto_cgroup_where w = NULL;
        struct cgroup *cg;

        assert_int_equal(cgroup_plan(&req, &w, NULL), 0);
        assert_int_equal(cgroup_open(w, &cg, NULL), 0);
        return cg;
}

static int v2_setup(void **state)
{
        tree_make(CGROUP_V2, "0::/\n");
        tree_put("box/cgroup.procs", "");
        return 0;
}

static int v1_setup(void **state)
{
        tree_make(CGROUP_V1, "4:blkio:/\n3:memory:/\n2:cpu,cpuacct:/\n1:devices:/\n");
        tree_put("devices/box/cgroup.procs", "");
        tree_dir("cpu,cpuacct/box");
        tree_dir("memory/box");
        tree_dir("blkio/box");
        return 0;
}

static int teardown(void **state)
{
        tree_remove();
        return 0;
}

static void v2_files_are_read(void **state)
{
        auto_cgroup cg = opened("/box");
        struct cgroup_stats s;

        tree_put("box/cpu.stat", "usage_usec 10\nuser_usec 7\nsystem_usec 3\nnr_throttled 2\nthrottled_usec 5\n");
        tree_put("box/memory.stat", "anon 100\nfile 200\n");
        tree_put("box/memory.current", "300\n");
        tree_put("box/memory.max", "max\n");
        tree_put("box/memory.swap.current", "40\n");
        tree_put("box/memory.swap.max", "50\n");
        tree_put("box/memory.events", "low 0\noom 4\noom_kill 3\n");
        tree_put("box/io.stat", "8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=9 dios=9\n8:0 \n");
        tree_put("box/pids.current", "6\n");
        tree_put("box/pids.max", "max\n");
        tree_put("box/cpu.pressure", "some avg10=1.50 avg60=0.00 avg300=0.00 total=99\nfull avg10=0.00 avg60=0.00 "
                                     "avg300=0.00 total=1\n");
        tree_put("box/hugetlb.2MB.current", "2097152\n");
        tree_put("box/hugetlb.2MB.events", "max 8\n");
        tree_put("box/rdma.current", "mlx5_0 hca_handle=2 hca_object=max\n");
        assert_int_equal(cgroup_stats(cg, &s, NULL), 0);
        assert_int_equal(s.cpu.total_ns, 10000);
        assert_int_equal(s.cpu.user_ns, 7000);
        assert_int_equal(s.cpu.throttled_periods, 2);
        assert_int_equal(s.memory.cache, 200);
        assert_int_equal(s.memory.usage.usage, 300);
        assert_true(s.memory.usage.limit == UINT64_MAX);
        assert_int_equal(s.memory.swap.usage, 340);
        assert_true(s.memory.swap.limit == UINT64_MAX);
        assert_int_equal(s.oom_kill, 3);
        assert_int_equal(s.blkio.lists[CGROUP_BLKIO_SERVICE_BYTES].n_items, 2);
        assert_int_equal(s.blkio.lists[CGROUP_BLKIO_SERVICED].items[1].value, 4);
        assert_string_equal(s.blkio.lists[CGROUP_BLKIO_SERVICED].items[1].op, "Write");
        assert_int_equal(s.pids.current, 6);
        assert_int_equal(s.pids.limit, 0);
        assert_true(s.cpu.psi.set && s.cpu.psi.some.avg10 > 1.4 && s.cpu.psi.some.total_us == 99);
        assert_int_equal(s.hugetlb[0].usage, 2097152);
        assert_int_equal(s.hugetlb[0].failcnt, 8);
        assert_int_equal(s.rdma[0].hca_handles, 2);
        assert_true(s.rdma[0].hca_objects == UINT32_MAX);
        cgroup_stats_done(&s);
}

static void v1_files_are_read_and_printed(void **state)
{
        auto_cgroup cg = opened("/box");
        auto_text out = COR_TEXT_INIT;
        struct cgroup_stats s;

        tree_put("cpu,cpuacct/box/cpuacct.usage", "12\n");
        tree_put("cpu,cpuacct/box/cpuacct.usage_percpu", "5 7 \n");
        tree_put("cpu,cpuacct/box/cpuacct.usage_all", "cpu user system\n0 4 1\n1 6 1\n");
        tree_put("cpu,cpuacct/box/cpu.stat", "nr_periods 3\nnr_throttled 1\nthrottled_time 9\n");
        tree_put("memory/box/memory.stat", "cache 8\nrss 2\n");
        tree_put("memory/box/memory.usage_in_bytes", "20\n");
        tree_put("memory/box/memory.limit_in_bytes", "100\n");
        tree_put("memory/box/memory.failcnt", "1\n");
        tree_put("blkio/box/blkio.throttle.io_serviced_recursive", "8:0 Read 3\n8:0 Write 0\nTotal 3\n");
        assert_int_equal(cgroup_stats(cg, &s, NULL), 0);
        cgroup_stats_print(&s, "\"intel_rdt\":{}", &out);
        cgroup_stats_done(&s);
        assert_string_equal(
                out.s,
                "{\"cpu\":{\"usage\":{\"total\":12,\"percpu\":[5,7],\"percpu_kernel\":[1,1],\"percpu_user\":[4,6],"
                "\"kernel\":0,\"user\":0},\"throttling\":{\"periods\":3,\"throttledPeriods\":1,\"throttledTime\":9}},"
                "\"cpuset\":{\"cpu_exclusive\":0,\"mem_hardwall\":0,\"mem_exclusive\":0,\"memory_migrate\":0,"
                "\"memory_spread_page\":0,\"memory_spread_slab\":0,\"memory_pressure\":0,\"sched_load_balance\":0,"
                "\"sched_relax_domain_level\":0},\"memory\":{\"cache\":8,\"usage\":{\"limit\":100,\"usage\":20,"
                "\"failcnt\":1},"
                "\"swap\":{\"limit\":0,\"failcnt\":0},\"kernel\":{\"limit\":0,\"failcnt\":0},\"kernelTCP\":{\"limit\":"
                "0,"
                "\"failcnt\":0},\"raw\":{\"cache\":8,\"rss\":2}},\"pids\":{},\"blkio\":{\"ioServicedRecursive\":[{"
                "\"major\":8,"
                "\"op\":\"Read\",\"value\":3},{\"major\":8,\"op\":\"Write\"}]},\"hugetlb\":{},\"intel_rdt\":{}}");
}

static void garbage_in_files_is_passed_over(void **state)
{
        auto_cgroup cg = opened("/box");
        struct cgroup_stats s;

        tree_put("box/cpu.stat", "usage_usec\n\nuser_usec x\nusage_usec 99999999999999999999\nnr_throttled 2 3\n");
        tree_put("box/memory.stat", "\n \nanon\n");
        tree_put("box/io.stat", "8: rbytes=1\nx\n:\n8:0 rbytes=x rbytes= =\n");
        tree_put("box/cpu.pressure", "some\nfull avg10=\n");
        tree_put("box/rdma.max", "\n \nmlx hca_handle=-1 junk\n");
        assert_int_equal(cgroup_stats(cg, &s, NULL), 0);
        assert_int_equal(s.cpu.total_ns, 0);
        assert_int_equal(s.memory.n_raw, 0);
        assert_int_equal(s.blkio.lists[CGROUP_BLKIO_SERVICE_BYTES].n_items, 0);
        assert_false(s.cpu.psi.set);
        cgroup_stats_done(&s);
}

static void processes_of_all_levels_are_listed(void **state)
{
        auto_cgroup cg = opened("/box");
        pid_t *pids;
        size_t n;

        tree_put("box/cgroup.procs", "30\n0\n");
        tree_put("box/a/cgroup.procs", "20\n21\n");
        tree_put("box/a/b/cgroup.procs", "5\n");
        tree_put("box/c/cgroup.procs", "");
        assert_int_equal(cgroup_pids(cg, &pids, &n, NULL), 0);
        assert_int_equal(n, 4);
        assert_int_equal(pids[0], 5);
        assert_int_equal(pids[1], 20);
        assert_int_equal(pids[3], 30);
        free(pids);
}

/* Deeper than a path can be long and than there are descriptors: a container may do that with its own cgroups. */
static void deep_trees_are_walked_and_removed(void **state)
{
        enum { DEPTH = 2500 };
        auto_cgroup cg = opened("/deep");
        struct cor_err err = { 0 };
        pid_t *pids = NULL;
        size_t n;
        int at = open(tree, O_PATH | O_CLOEXEC);

        for (int i = 0; i < DEPTH; i++) {
                int next;

                assert_int_equal(mkdirat(at, i == 0 ? "deep" : "d", 0755), 0);
                next = openat(at, i == 0 ? "deep" : "d", O_PATH | O_CLOEXEC);
                assert_true(next >= 0);
                close(at);
                at = next;
        }
        close(at);
        if (cgroup_pids(cg, &pids, &n, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(n, 0);
        free(pids);
        if (cgroup_destroy(cg, 0, &err) < 0)
                fail_msg("%s", err.msg);
        assert_false(tree_has("deep"));
}

static void links_in_a_tree_are_not_followed(void **state)
{
        auto_cgroup cg = opened("/box");
        auto_str link = cor_printf("%s/box/out", tree);
        struct cor_err err = { 0 };

        tree_put("other/cgroup.procs", "1\n");
        assert_int_equal(symlink("../other", link), 0);
        assert_int_equal(cgroup_destroy(cg, 0, &err), -1); /* a link is no cgroup: left alone */
        assert_true(tree_has("other/cgroup.procs"));
}

static void weights_fit_at_both_ends_and_at_the_default(void **state)
{
        assert_int_equal(cgroup_weight_of_shares(0), 0);
        assert_int_equal(cgroup_weight_of_shares(1), 1);
        assert_int_equal(cgroup_weight_of_shares(2), 1);
        assert_int_equal(cgroup_weight_of_shares(1024), 100);
        assert_int_equal(cgroup_weight_of_shares(262144), 10000);
        assert_int_equal(cgroup_weight_of_shares(256), 35); /* as runc and crun: 34.1, rounded up */
        assert_int_equal(cgroup_weight_of_shares(512), 59);
        assert_int_equal(cgroup_weight_of_shares(2048), 174);
        assert_int_equal(cgroup_weight_of_shares(4096), 303);
        assert_int_equal(cgroup_weight_of_shares(262143), 10000);
        assert_int_equal(cgroup_weight_of_shares(UINT64_MAX), 10000);
        for (uint64_t s = 3; s < 262144; s++)
                assert_true(cgroup_weight_of_shares(s) >= cgroup_weight_of_shares(s - 1));
        assert_int_equal(cgroup_io_weight_of_blkio(0), 0);
        assert_int_equal(cgroup_io_weight_of_blkio(1), 1);
        assert_int_equal(cgroup_io_weight_of_blkio(10), 1);
        assert_int_equal(cgroup_io_weight_of_blkio(1000), 10000);
}

static void lists_of_cpus_become_bits(void **state)
{
        uint8_t bits[4];

        assert_int_equal(cgroup_cpulist_bits("0-3,9", bits, sizeof bits, NULL), 2);
        assert_int_equal(bits[0], 0x0f);
        assert_int_equal(bits[1], 0x02);
        assert_int_equal(cgroup_cpulist_bits("31", bits, sizeof bits, NULL), 4);
        assert_int_equal(cgroup_cpulist_bits("", bits, sizeof bits, NULL), 0);
        static const char *const bad[] = { "a", "3-1", "32", "1-", "-1", "1;2", "99999999999999999999999", "0-" };
        for (size_t i = 0; i < COR_COUNT(bad); i++)
                assert_int_equal(cgroup_cpulist_bits(bad[i], bits, sizeof bits, NULL), -1);
}

#define V1(f) cmocka_unit_test_setup_teardown(f, v1_setup, teardown)
#define V2(f) cmocka_unit_test_setup_teardown(f, v2_setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                V2(v2_files_are_read),
                V1(v1_files_are_read_and_printed),
                V2(garbage_in_files_is_passed_over),
                V2(processes_of_all_levels_are_listed),
                V2(deep_trees_are_walked_and_removed),
                V2(links_in_a_tree_are_not_followed),
                cmocka_unit_test(weights_fit_at_both_ends_and_at_the_default),
                cmocka_unit_test(lists_of_cpus_become_bits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
