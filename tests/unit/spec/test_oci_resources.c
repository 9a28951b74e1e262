#include "examples.h"

static void device_rules(void **state)
{
        static const struct example examples[] = {
                { "'devices':[{'allow':false,'access':'rwm'},{'allow':true,'type':'c','major':1,'minor':3,'access':'r'}"
                  "]",
                  NULL },
                { "'devices':[{'allow':true,'type':'b','major':-1,'minor':4294967295,'access':''}]", NULL },
                { "'devices':[{'access':'rwm'}]", "devices[0].allow: required, but missing" },
                { "'devices':[{'allow':true,'type':'u'}]", "devices[0].type: expected one of a, b, c, found \"u\"" },
                { "'devices':[{'allow':true},{'allow':true},{'allow':true,'major':'1'}]",
                  "devices[2].major: expected an integer, found a string" },
                { "'devices':[{'allow':true,'major':-2}]",
                  "devices[0].major: expected a device number from 0 to 4294967295, or -1 for any, found -2" },
                { "'devices':[{'allow':true,'minor':4294967296}]",
                  "devices[0].minor: expected a device number from 0 to 4294967295, or -1 for any, found 4294967296" },
                { "'devices':[{'allow':true,'access':'rwx'}]",
                  "devices[0].access: expected letters of \"rwm\", found \"rwx\"" },
        };

        CHECK_EXAMPLES(&oci_resources_doc, "{$}", examples);
}

static void memory(void **state)
{
        static const struct example examples[] = {
                { "'memory':{'limit':-1,'reservation':0,'swap':9223372036854775807,'kernel':5,'kernelTCP':6,"
                  "'swappiness':100,'disableOOMKiller':false,'useHierarchy':true,'checkBeforeUpdate':true}",
                  NULL },
                { "'memory':{'limit':'1g'}", "memory.limit: expected an integer, found a string" },
                { "'memory':{'limit':1.5}",
                  "memory.limit: expected an integer, found a number with fraction or exponent" },
                { "'memory':{'swap':9223372036854775808}",
                  "memory.swap: expected an integer from -9223372036854775808 to 9223372036854775807, "
                  "found 9223372036854775808" },
                { "'memory':{'swappiness':101}", "memory.swappiness: expected an integer from 0 to 100, found 101" },
                { "'memory':[]", "memory: expected an object, found a list" },
        };

        CHECK_EXAMPLES(&oci_resources_doc, "{$}", examples);
}

static void cpu_and_pids(void **state)
{
        static const struct example examples[] = {
                { "'cpu':{'shares':1024,'quota':-1,'burst':0,'period':100000,'realtimeRuntime':1,'realtimePeriod':2,"
                  "'cpus':'0-1','mems':'0','idle':1},'pids':{'limit':-1}",
                  NULL },
                { "'cpu':{'cpus':'','mems':''},'pids':{}", NULL },
                { "'cpu':{'cpus':'0-'}", "cpu.cpus: expected a list of CPUs such as \"0-3,7\", found \"0-\"" },
                { "'cpu':{'cpus':'0\\n1'}", "cpu.cpus: expected a list of CPUs such as \"0-3,7\", found \"0?1\"" },
                { "'cpu':{'mems':'1024'}", "cpu.mems: expected a list of nodes such as \"0-1\", found \"1024\"" },
                { "'cpu':{'idle':2}", "cpu.idle: expected 0 or 1, found 2" },
                { "'cpu':{'shares':-1}", "cpu.shares: expected an integer from 0 to 18446744073709551615, found -1" },
                { "'pids':{'limit':'max'}", "pids.limit: expected an integer, found a string" },
        };

        CHECK_EXAMPLES(&oci_resources_doc, "{$}", examples);
}

static void block_io(void **state)
{
        static const struct example examples[] = {
                { "'blockIO':{'weight':10,'leafWeight':1000,'weightDevice':[{'major':8,'minor':0,'weight':0}],"
                  "'throttleReadBpsDevice':[{'major':8,'minor':0,'rate':18446744073709551615}],"
                  "'throttleWriteBpsDevice':[{'major':8,'minor':1,'rate':0}],"
                  "'throttleReadIOPSDevice':[{'major':8,'minor':2,'rate':1}],'throttleWriteIOPSDevice':[]}",
                  NULL },
                { "'blockIO':{'weight':9}", "blockIO.weight: expected an integer from 10 to 1000, found 9" },
                { "'blockIO':{'leafWeight':1001}",
                  "blockIO.leafWeight: expected an integer from 10 to 1000, found 1001" },
                { "'blockIO':{'weight':65536}", "blockIO.weight: expected an integer from 0 to 65535, found 65536" },
                { "'blockIO':{'weightDevice':[{'minor':0}]}", "blockIO.weightDevice[0].major: required, but missing" },
                { "'blockIO':{'weightDevice':[{'major':8,'minor':0,'weight':1}]}",
                  "blockIO.weightDevice[0].weight: expected an integer from 10 to 1000, found 1" },
                { "'blockIO':{'weightDevice':[{'major':8,'minor':0,'leafWeight':1}]}",
                  "blockIO.weightDevice[0].leafWeight: expected an integer from 10 to 1000, found 1" },
                { "'blockIO':{'throttleReadBpsDevice':[{'major':-1,'minor':0,'rate':1}]}",
                  "blockIO.throttleReadBpsDevice[0].major: expected a device number from 0 to 4294967295" },
                { "'blockIO':{'throttleWriteIOPSDevice':[{'major':1,'minor':4294967296,'rate':1}]}",
                  "blockIO.throttleWriteIOPSDevice[0].minor: expected a device number from 0 to 4294967295" },
        };

        CHECK_EXAMPLES(&oci_resources_doc, "{$}", examples);
}

#define BAD_PAGE_SIZE(SIZE)                                                                                            \
        {                                                                                                              \
                "'hugepageLimits':[{'pageSize':'" SIZE "','limit':0}]",                                                \
                        "hugepageLimits[0].pageSize: expected a size such as \"64KB\", \"2MB\" or \"1GB\", "           \
                        "found \"" SIZE "\""                                                                           \
        }
static void huge_pages(void **state)
{
        static const struct example examples[] = {
                { "'hugepageLimits':[{'pageSize':'2MB','limit':9223372036854772000},{'pageSize':'64KB','limit':0},"
                  "{'pageSize':'1GB','limit':18446744073709551615}]",
                  NULL },
                BAD_PAGE_SIZE("2M"),
                BAD_PAGE_SIZE("MB"),
                BAD_PAGE_SIZE("02MB"),
                BAD_PAGE_SIZE("-2MB"),
                BAD_PAGE_SIZE("2mb"),
                BAD_PAGE_SIZE("2MB/../x"),
                BAD_PAGE_SIZE(""),
                { "'hugepageLimits':[{'pageSize':'2MB'}]", "hugepageLimits[0].limit: required, but missing" },
                { "'hugepageLimits':[{'limit':1}]", "hugepageLimits[0].pageSize: required, but missing" },
        };

        CHECK_EXAMPLES(&oci_resources_doc, "{$}", examples);
}

static void network_and_rdma(void **state)
{
        static const struct example examples[] = {
                { "'network':{'classID':4294967295,'priorities':[{'name':'eth0','priority':500}]}", NULL },
                { "'network':{'classID':4294967296}",
                  "network.classID: expected an integer from 0 to 4294967295, found 4294967296" },
                { "'network':{'priorities':[{'name':'eth0 5\\nlo','priority':1}]}",
                  "network.priorities[0].name: expected the name of a network device, found \"eth0 5?lo\"" },
                { "'network':{'priorities':[{'name':'eth0'}]}",
                  "network.priorities[0].priority: required, but missing" },
                { "'rdma':{'mlx5_1':{'hcaHandles':3,'hcaObjects':10000},'mlx4_0':{}}", NULL },
                { "'rdma':{'mlx5_1':{'hcaHandles':-1}}",
                  "rdma[\"mlx5_1\"].hcaHandles: expected an integer from 0 to 4294967295, found -1" },
                { "'rdma':{'a b':{}}", "rdma[\"a b\"]: expected the name of an RDMA device as the key" },
                { "'rdma':{'':{}}", "rdma[\"\"]: expected the name of an RDMA device as the key" },
                { "'rdma':{'a\\nb':{}}", "rdma[\"a?b\"]: expected the name of an RDMA device as the key" },
        };

        CHECK_EXAMPLES(&oci_resources_doc, "{$}", examples);
}

#define BAD_UNIFIED(KEY, SHOWN)                                                                                        \
        {                                                                                                              \
                "'unified':{'" KEY "':'1'}",                                                                           \
                        "unified: expected names of cgroup files such as \"memory.high\", found \"" SHOWN "\""         \
        }
static void unified(void **state)
{
        static const struct example examples[] = {
                { "'unified':{'memory.high':'max','io.max':'8:0 rbps=1\\n8:1 rbps=2','hugetlb.2MB.max':''}", NULL },
                BAD_UNIFIED("../memory.high", "../memory.high"),
                BAD_UNIFIED("a/b.c", "a/b.c"),
                BAD_UNIFIED("..", ".."),
                BAD_UNIFIED(".", "."),
                BAD_UNIFIED("", ""),
                BAD_UNIFIED("memory", "memory"),
                BAD_UNIFIED(".high", ".high"),
                BAD_UNIFIED("a.b\\n", "a.b?"),
                { "'unified':{'memory.high':1}", "unified[\"memory.high\"]: expected a string, found an integer" },
        };

        CHECK_EXAMPLES(&oci_resources_doc, "{$}", examples);
}

static void a_rule_without_type_is_for_all_devices(void **state)
{
        auto_str text = json_quotes("{'devices':[{'allow':false},{'allow':true,'type':''},{'allow':true,'type':'b'}]}");
        auto_json struct oci_resources *r = NULL;
        struct cor_err err = { 0 };

        assert_int_equal(oci_resources_parse(text, strlen(text), "resources", &r, &err), 0);
        assert_int_equal(r->devices[0].type, 'a');
        assert_int_equal(r->devices[1].type, 'a');
        assert_int_equal(r->devices[2].type, 'b');
        assert_false(r->devices[0].major.set || r->devices[0].allow);
        assert_null(r->memory);
}

static void a_swappiness_of_minus_one_is_none(void **state)
{
        auto_str text = json_quotes("{'memory':{'swappiness':18446744073709551615,'limit':1}}");
        auto_json struct oci_resources *r = NULL;
        struct cor_err err = { 0 };

        assert_int_equal(oci_resources_parse(text, strlen(text), "resources", &r, &err), 0);
        assert_false(r->memory->swappiness.set);
        assert_true(r->memory->limit.set);
        survives_printing(&oci_resources_doc, r);
}

static void errors_name_the_document_given(void **state)
{
        struct oci_resources *r = NULL;
        struct cor_err err = { 0 };

        assert_int_equal(oci_resources_parse("{\"pids\":1}", 10, "resources file -", &r, &err), -1);
        assert_string_equal(err.msg, "resources file -: pids: expected an object, found an integer");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(device_rules),
                cmocka_unit_test(memory),
                cmocka_unit_test(cpu_and_pids),
                cmocka_unit_test(block_io),
                cmocka_unit_test(huge_pages),
                cmocka_unit_test(network_and_rdma),
                cmocka_unit_test(unified),
                cmocka_unit_test(a_rule_without_type_is_for_all_devices),
                cmocka_unit_test(a_swappiness_of_minus_one_is_none),
                cmocka_unit_test(errors_name_the_document_given),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
