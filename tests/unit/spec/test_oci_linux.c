#include "examples.h"

#include <sched.h>
#include <sys/stat.h>

static void namespaces(void **state)
{
        static const struct example examples[] = {
                { "'namespaces':[{'type':'pid'},{'type':'network','path':'/proc/1/ns/net'},{'type':'mount','path':''},"
                  "{'type':'ipc'},{'type':'uts'},{'type':'cgroup'},{'type':'time'}]",
                  NULL },
                { "'namespaces':[{'type':'pid'},{'type':'pid','path':'/x'}]",
                  "linux.namespaces[1]: type pid is there twice" },
                { "'namespaces':[{'type':'net'}]",
                  "linux.namespaces[0].type: expected one of pid, network, mount, ipc, uts, user, cgroup, time, "
                  "found \"net\"" },
                { "'namespaces':[{'path':'/x'}]", "linux.namespaces[0].type: required, but missing" },
                { "'namespaces':[{'type':'pid','path':'proc/1/ns/pid'}]",
                  "linux.namespaces[0].path: expected an absolute path, found \"proc/1/ns/pid\"" },
        };

        CHECK_EXAMPLES(&oci_config_doc, LINUX_FRAME, examples);
}

#define MAPS(KEY) "'" KEY "':[{'containerID':0,'hostID':1000,'size':1}]"

static void id_mappings(void **state)
{
        static const struct example examples[] = {
                { "'namespaces':[{'type':'user'}]," MAPS("uidMappings") "," MAPS("gidMappings"), NULL },
                { "'namespaces':[{'type':'user','path':'/x'}]," MAPS("uidMappings") "," MAPS("gidMappings"), NULL },
                { "'namespaces':[{'type':'user','path':'/x'}]", NULL },
                { MAPS("uidMappings"), "linux.uidMappings: needs a user namespace in linux.namespaces" },
                { MAPS("gidMappings"), "linux.gidMappings: needs a user namespace in linux.namespaces" },
                { "'namespaces':[{'type':'user'}]", NULL }, /* whether that will do depends on who asks */
                { "'namespaces':[{'type':'user'}]," MAPS("gidMappings"),
                  "linux.uidMappings: required by a new user namespace, but missing" },
                { "'namespaces':[{'type':'user'}]," MAPS("uidMappings"),
                  "linux.gidMappings: required by a new user namespace, but missing" },
                { "'uidMappings':[{'hostID':0,'size':1}]", "linux.uidMappings[0].containerID: required, but missing" },
                { "'uidMappings':[{'containerID':0,'hostID':0,'size':0}]",
                  "linux.uidMappings[0].size: expected at least 1" },
                { "'gidMappings':[{'containerID':4294967295,'hostID':0,'size':2}]",
                  "linux.gidMappings[0].size: reaches beyond the last id" },
                { "'gidMappings':[{'containerID':0,'hostID':2,'size':4294967294}]",
                  "linux.gidMappings[0].size: reaches beyond the last id" },
        };

        CHECK_EXAMPLES(&oci_config_doc, LINUX_FRAME, examples);
}

static void time_offsets(void **state)
{
        static const struct example examples[] = {
                { "'namespaces':[{'type':'time'}],'timeOffsets':{'monotonic':{'secs':-5,'nanosecs':999999999},"
                  "'boottime':{}}",
                  NULL },
                { "'timeOffsets':{}", NULL },
                { "'timeOffsets':{'monotonic':{'secs':1}}",
                  "linux.timeOffsets: needs a new time namespace in linux.namespaces" },
                { "'namespaces':[{'type':'time','path':'/x'}],'timeOffsets':{'monotonic':{'secs':1}}",
                  "linux.timeOffsets: needs a new time namespace in linux.namespaces" },
                { "'timeOffsets':{'realtime':{}}",
                  "linux.timeOffsets[\"realtime\"]: expected monotonic or boottime as the key" },
                { "'timeOffsets':{'boottime':{'nanosecs':1000000000}}",
                  "linux.timeOffsets[\"boottime\"].nanosecs: expected an integer from 0 to 999999999, "
                  "found 1000000000" },
        };

        CHECK_EXAMPLES(&oci_config_doc, LINUX_FRAME, examples);
}

#define DEVICE(MORE) "'devices':[{'path':'/dev/x'," MORE "}]"

static void devices(void **state)
{
        static const struct example examples[] = {
                { DEVICE("'type':'c','major':0,'minor':1048575,'fileMode':438,'uid':0,'gid':4294967295"), NULL },
                { DEVICE("'type':'b','major':4095,'minor':0"), NULL },
                { DEVICE("'type':'u','major':1,'minor':1"), NULL },
                { DEVICE("'type':'p'"), NULL },
                { "'devices':[{'type':'p'}]", "linux.devices[0].path: required, but missing" },
                { "'devices':[{'path':'dev/x','type':'p'}]",
                  "linux.devices[0].path: expected an absolute path, found \"dev/x\"" },
                { DEVICE("'major':1,'minor':1"), "linux.devices[0].type: required, but missing" },
                { DEVICE("'type':'s'"), "linux.devices[0].type: expected one of c, b, p, u, found \"s\"" },
                { DEVICE("'type':'c','minor':1"), "linux.devices[0].major: required for a device, but missing" },
                { DEVICE("'type':'b','major':1"), "linux.devices[0].minor: required for a device, but missing" },
                { DEVICE("'type':'c','major':4096,'minor':1"),
                  "linux.devices[0].major: expected an integer from 0 to 4095, found 4096" },
                { DEVICE("'type':'c','major':1,'minor':-2"),
                  "linux.devices[0].minor: expected an integer from 0 to 1048575, found -2" },
                { DEVICE("'type':'p','fileMode':'0666'"),
                  "linux.devices[0].fileMode: expected an integer, found a string" },
        };

        CHECK_EXAMPLES(&oci_config_doc, LINUX_FRAME, examples);
}

#define BAD_DEVICE_NAME(NAME, SHOWN)                                                                                   \
        {                                                                                                              \
                "'netDevices':{'" NAME "':{}}",                                                                        \
                        "linux.netDevices[\"" SHOWN "\"]: expected the name of a network device as the key"            \
        }
static void network_devices(void **state)
{
        static const struct example examples[] = {
                { "'netDevices':{'eth0':{'name':'c0'},'eth1':{},'fifteen_letters':{'name':''}}", NULL },
                BAD_DEVICE_NAME("", ""),
                BAD_DEVICE_NAME(".", "."),
                BAD_DEVICE_NAME("..", ".."),
                BAD_DEVICE_NAME("a/b", "a/b"),
                BAD_DEVICE_NAME("a:b", "a:b"),
                BAD_DEVICE_NAME("a b", "a b"),
                BAD_DEVICE_NAME("a\\tb", "a?b"),
                BAD_DEVICE_NAME("sixteen_letters_", "sixteen_letters_"),
                { "'netDevices':{'eth0':{'name':'a/b'}}",
                  "linux.netDevices[\"eth0\"].name: expected the name of a network device, found \"a/b\"" },
                { "'netDevices':{'eth0':{'name':'x'},'eth1':{'name':'x'}}",
                  "linux.netDevices: \"eth0\" and \"eth1\" would both be named \"x\"" },
                { "'netDevices':{'eth0':{'name':'eth1'},'eth1':{}}",
                  "linux.netDevices: \"eth0\" and \"eth1\" would both be named \"eth1\"" },
        };
        static const struct example without[] = {
                { "'netDevices':{'eth0':{}}", "linux.netDevices: needs a network namespace in linux.namespaces" },
        };

        CHECK_EXAMPLES(&oci_config_doc, NS_FRAME, examples);
        CHECK_EXAMPLES(&oci_config_doc, LINUX_FRAME, without);
}

static void many_network_devices_are_refused_at_once(void **state)
{
        auto_text t = COR_TEXT_INIT;
        auto_str text = NULL;
        struct oci_config *c = NULL;
        struct cor_err err = { 0 };

        cor_text_add(&t, "'netDevices':{");
        for (int i = 0; i < 300000; i++)
                cor_text_printf(&t, "%s'e%d':{}", i > 0 ? "," : "", i);
        cor_text_add(&t, "}");
        text = json_filled(NS_FRAME, t.s);
        assert_int_equal(oci_config_parse(text, strlen(text), "config.json", &c, &err), -1);
        assert_string_equal(err.msg, "config.json: linux.netDevices: expected at most 1024, found 300000");
}

static void masked_and_readonly_paths(void **state)
{
        static const struct example examples[] = {
                { "'maskedPaths':['/proc/kcore'],'readonlyPaths':['/proc/sys']", NULL },
                { "'maskedPaths':['/a','proc/kcore']",
                  "linux.maskedPaths[1]: expected an absolute path, found \"proc/kcore\"" },
                { "'readonlyPaths':['']", "linux.readonlyPaths[0]: expected an absolute path, found \"\"" },
        };
        static const struct example without[] = {
                { "'maskedPaths':[],'readonlyPaths':[]", NULL },
                { "'maskedPaths':['/a']", "linux.maskedPaths: needs a mount namespace in linux.namespaces" },
                { "'readonlyPaths':['/a']", "linux.readonlyPaths: needs a mount namespace in linux.namespaces" },
        };

        CHECK_EXAMPLES(&oci_config_doc, NS_FRAME, examples);
        CHECK_EXAMPLES(&oci_config_doc, LINUX_FRAME, without);
}

static void propagation(void **state)
{
        static const struct example examples[] = {
                { "'rootfsPropagation':''", NULL },
                { "'rootfsPropagation':'rshared'", NULL },
                { "'rootfsPropagation':'unbindable'", NULL },
                { "'rootfsPropagation':'rx'",
                  "linux.rootfsPropagation: expected one of shared, rshared, slave, rslave, private, rprivate, "
                  "unbindable, runbindable, found \"rx\"" },
        };

        CHECK_EXAMPLES(&oci_config_doc, LINUX_FRAME, examples);
}

static void intel_rdt(void **state)
{
        static const struct example examples[] = {
                { "'intelRdt':{'closID':'/','schemata':['L3:0=f'],'l3CacheSchema':'L3:0=f','memBwSchema':'MB:0=20',"
                  "'enableMonitoring':true}",
                  NULL },
                { "'intelRdt':{'closID':'group_1'}", NULL },
                { "'intelRdt':{'closID':'..'}",
                  "linux.intelRdt.closID: expected the name of a directory, found \"..\"" },
                { "'intelRdt':{'closID':'.'}", "linux.intelRdt.closID: expected the name of a directory, found \".\"" },
                { "'intelRdt':{'closID':'a/../b'}",
                  "linux.intelRdt.closID: expected the name of a directory, found \"a/../b\"" },
                { "'intelRdt':{'schemata':['a','L3:0=f\\nMB:0=1']}",
                  "linux.intelRdt.schemata[1]: expected a single line" },
                { "'intelRdt':{'l3CacheSchema':'a\\nb'}", "linux.intelRdt.l3CacheSchema: expected a single line" },
                { "'intelRdt':{'memBwSchema':'L3:0=1'}",
                  "linux.intelRdt.memBwSchema: expected a single line that starts with \"MB:\"" },
        };

        CHECK_EXAMPLES(&oci_config_doc, LINUX_FRAME, examples);
}

static void memory_policy(void **state)
{
        static const struct example examples[] = {
                { "'memoryPolicy':{'mode':'MPOL_DEFAULT'}", NULL },
                { "'memoryPolicy':{'mode':'MPOL_BIND','nodes':'0-3,7','flags':['MPOL_F_STATIC_NODES']}", NULL },
                { "'memoryPolicy':{'mode':'MPOL_PREFERRED'}", NULL },
                { "'memoryPolicy':{'nodes':'0'}", "linux.memoryPolicy.mode: required, but missing" },
                { "'memoryPolicy':{'mode':'MPOL_LOCAL','nodes':'0'}",
                  "linux.memoryPolicy.nodes: MPOL_LOCAL takes none" },
                { "'memoryPolicy':{'mode':'MPOL_INTERLEAVE'}",
                  "linux.memoryPolicy.nodes: required by MPOL_INTERLEAVE, but missing" },
                { "'memoryPolicy':{'mode':'MPOL_BIND','nodes':'1-0'}",
                  "linux.memoryPolicy.nodes: expected a list of nodes such as \"0-3,7\", found \"1-0\"" },
                { "'memoryPolicy':{'mode':'BIND'}",
                  "linux.memoryPolicy.mode: expected one of MPOL_DEFAULT, MPOL_PREFERRED, MPOL_BIND, "
                  "MPOL_INTERLEAVE, MPOL_LOCAL, MPOL_PREFERRED_MANY, MPOL_WEIGHTED_INTERLEAVE, found \"BIND\"" },
                { "'memoryPolicy':{'mode':'MPOL_DEFAULT','flags':['X']}",
                  "linux.memoryPolicy.flags[0]: expected one of MPOL_F_NUMA_BALANCING, MPOL_F_RELATIVE_NODES, "
                  "MPOL_F_STATIC_NODES, found \"X\"" },
        };

        CHECK_EXAMPLES(&oci_config_doc, LINUX_FRAME, examples);
}

static void personality(void **state)
{
        static const struct example examples[] = {
                { "'personality':{'domain':'LINUX'}", NULL },
                { "'personality':{'domain':'LINUX32','flags':[]}", NULL },
                { "'personality':{}", "linux.personality.domain: required, but missing" },
                { "'personality':{'domain':'BSD'}",
                  "linux.personality.domain: expected one of LINUX, LINUX32, found \"BSD\"" },
                { "'personality':{'domain':'LINUX','flags':['ADDR_NO_RANDOMIZE']}",
                  "linux.personality.flags: the specification knows no flags yet, found \"ADDR_NO_RANDOMIZE\"" },
        };

        CHECK_EXAMPLES(&oci_config_doc, LINUX_FRAME, examples);
}

static void values_are_read(void **state)
{
        auto_str text = json_quotes(
                "{'ociVersion':'1.3.0','root':{'path':'r'},'linux':{'namespaces':[{'type':'user','path':'/u'},"
                "{'type':'network'},{'type':'ipc','path':''}],'devices':[{'path':'/dev/f','type':'p','fileMode':4534},"
                "{'path':'/dev/c','type':'u','major':1,'minor':3,'fileMode':8630}],'netDevices':{'e0':{'name':'c0'}},"
                "'cgroupsPath':'/a','mountLabel':'l','personality':{'domain':'LINUX32'},'resources':"
                "{'rdma':{'r':{'hcaObjects':4}}}}}");
        auto_json struct oci_config *c = NULL;
        struct cor_err err = { 0 };
        struct oci_linux *l;

        assert_int_equal(oci_config_parse(text, strlen(text), "config.json", &c, &err), 0);
        l = c->linux_;
        assert_int_equal(l->n_namespaces, 3);
        assert_int_equal(l->namespaces[0].type, CLONE_NEWUSER);
        assert_true(!oci_namespace_new(c, CLONE_NEWUSER) && oci_namespace_new(c, CLONE_NEWNET));
        assert_true(oci_namespace_new(c, CLONE_NEWIPC) && !oci_namespace_new(c, CLONE_NEWPID));
        assert_string_equal(oci_namespace_find(c, CLONE_NEWUSER)->path, "/u");
        assert_null(oci_namespace_find(c, CLONE_NEWPID));
        assert_true(l->devices[0].type == S_IFIFO && l->devices[0].major == 0 && l->devices[0].file_mode.value == 0666);
        assert_true(l->devices[1].type == S_IFCHR && l->devices[1].minor == 3 && l->devices[1].file_mode.value == 0666);
        assert_string_equal(l->net_devices[0].host_name, "e0");
        assert_string_equal(l->net_devices[0].name, "c0");
        assert_string_equal(l->cgroups_path, "/a");
        assert_string_equal(l->mount_label, "l");
        assert_int_equal(l->personality->domain, 8);
        assert_string_equal(l->resources->rdma[0].device, "r");
        assert_true(l->resources->rdma[0].hca_objects.value == 4 && !l->resources->rdma[0].hca_handles.set);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(namespaces),
                cmocka_unit_test(id_mappings),
                cmocka_unit_test(time_offsets),
                cmocka_unit_test(devices),
                cmocka_unit_test(network_devices),
                cmocka_unit_test(many_network_devices_are_refused_at_once),
                cmocka_unit_test(masked_and_readonly_paths),
                cmocka_unit_test(propagation),
                cmocka_unit_test(intel_rdt),
                cmocka_unit_test(memory_policy),
                cmocka_unit_test(personality),
                cmocka_unit_test(values_are_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
