#include "examples.h"

static void required_members(void **state)
{
        static const struct example examples[] = {
                { "{'ociVersion':'1.0.0','root':{'path':'rootfs'}}", NULL },
                { "{'root':{'path':'rootfs'}}", "ociVersion: required, but missing" },
                { "{'ociVersion':'1.0.0'}", "root: required, but missing" },
                { "{'ociVersion':'1.0.0','root':{}}", "root.path: required, but missing" },
                { "{'ociVersion':'1.0.0','root':{'path':''}}", "root.path: expected a path, found an empty string" },
                { "{'ociVersion':'1.0.0','root':{'path':'r','readonly':1}}",
                  "root.readonly: expected true or false, found an integer" },
        };

        CHECK_EXAMPLES(&oci_config_doc, "$", examples);
}

#define BAD_VERSION(V)                                                                                                 \
        {                                                                                                              \
                V, "ociVersion: expected a version such as \"1.3.0\", found \"" V "\""                                 \
        }
static void versions(void **state)
{
        static const struct example examples[] = {
                { "1.0.0", NULL },
                { "1.0.2-dev", NULL },
                { "1.3.0+dev", NULL },
                { "1.0.0-rc5-1.x+git.7", NULL },
                { "1.99.0", NULL },
                { "0.9.0", "ociVersion: expected a version 1, found \"0.9.0\"" },
                { "2.0.0", "ociVersion: expected a version 1, found \"2.0.0\"" },
                { "10.0.0", "ociVersion: expected a version 1, found \"10.0.0\"" },
                BAD_VERSION(""),
                BAD_VERSION("1"),
                BAD_VERSION("1.0"),
                BAD_VERSION("1.0.0.0"),
                BAD_VERSION("v1.0.0"),
                BAD_VERSION("1.00.0"),
                BAD_VERSION("1.0.0-"),
                BAD_VERSION("1.0.0+"),
                BAD_VERSION("1.0.0 "),
                BAD_VERSION("1.0.9999999999"),
        };

        CHECK_EXAMPLES(&oci_config_doc, "{'ociVersion':'$','root':{'path':'r'}}", examples);
}

static void mounts(void **state)
{
        static const struct example examples[] = {
                { "'mounts':[{'destination':'/proc','type':'proc','source':'proc','options':['ro']}]", NULL },
                { "'mounts':[{'destination':'/a','uidMappings':[{'containerID':0,'hostID':1,'size':1}],"
                  "'gidMappings':[{'containerID':0,'hostID':1,'size':1}]}]",
                  NULL },
                { "'mounts':[{'type':'proc'}]", "mounts[0].destination: required, but missing" },
                { "'mounts':[{'destination':''}]", "mounts[0].destination: expected a path, found an empty string" },
                { "'mounts':[{'destination':'/a','options':'ro'}]",
                  "mounts[0].options: expected a list of strings, found a string" },
                { "'mounts':[{'destination':'/a','uidMappings':[{'containerID':0,'hostID':1,'size':1}]}]",
                  "mounts[0].gidMappings: required beside uidMappings, but missing" },
                { "'mounts':[{'destination':'/a','gidMappings':[{'containerID':0,'hostID':1,'size':1}]}]",
                  "mounts[0].uidMappings: required beside gidMappings, but missing" },
                { "'mounts':{'destination':'/a'}", "mounts: expected a list of objects, found an object" },
        };

        CHECK_EXAMPLES(&oci_config_doc, TOP_FRAME, examples);
}

static void hooks(void **state)
{
        static const struct example examples[] = {
                { "'hooks':{'prestart':[{'path':'/bin/a','args':['a'],'env':['A=1'],'timeout':5}],'createRuntime':[],"
                  "'createContainer':[{'path':'/b'}],'startContainer':null,'poststart':[{'path':'/c'}]}",
                  NULL },
                { "'hooks':{'poststop':[{'path':'/a'},{'args':['b']}]}",
                  "hooks.poststop[1].path: required, but missing" },
                { "'hooks':{'createRuntime':[{'path':'a'}]}",
                  "hooks.createRuntime[0].path: expected an absolute path, found \"a\"" },
                { "'hooks':{'startContainer':[{'path':'/a','timeout':0}]}",
                  "hooks.startContainer[0].timeout: expected at least 1 second, found 0" },
                { "'hooks':{'createContainer':[{'path':'/a','timeout':-1}]}",
                  "hooks.createContainer[0].timeout: expected at least 1 second, found -1" },
                { "'hooks':{'prestart':[{'path':'/a','env':[1]}]}",
                  "hooks.prestart[0].env[0]: expected a string, found an integer" },
        };

        CHECK_EXAMPLES(&oci_config_doc, TOP_FRAME, examples);
}

#define LETTERS_64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void host_names(void **state)
{
        static const struct example examples[] = {
                { "'linux':{'namespaces':[{'type':'uts'}]},'hostname':'h','domainname':'d'", NULL },
                { "'linux':{'namespaces':[{'type':'uts','path':'/u'}]},'hostname':'" LETTERS_64 "'", NULL },
                { "'hostname':'','domainname':''", NULL },
                { "'hostname':'h'", "hostname: needs a uts namespace in linux.namespaces" },
                { "'domainname':'d'", "domainname: needs a uts namespace in linux.namespaces" },
                { "'linux':{'namespaces':[{'type':'uts'}]},'hostname':'" LETTERS_64 "a'",
                  "hostname: expected at most 64 characters, found 65" },
        };

        CHECK_EXAMPLES(&oci_config_doc, TOP_FRAME, examples);
}

static void annotations(void **state)
{
        static const struct example examples[] = {
                { "'annotations':{'com.example.key':'','a b':'v\\n'}", NULL },
                { "'annotations':{'a':1}", "annotations[\"a\"]: expected a string, found an integer" },
                { "'annotations':{'':'v'}", "annotations: a key is empty" },
                { "'annotations':['a']", "annotations: expected an object of strings, found a list" },
        };

        CHECK_EXAMPLES(&oci_config_doc, TOP_FRAME, examples);
}

static void unknown_properties_are_ignored(void **state)
{
        static const struct example examples[] = {
                { "'x':1e999,'windows':{},'process':{'cwd':'/','commandLine':'x','user':{'username':'u'}},"
                  "'linux':{'y':[[]],'resources':{'z':null,'memory':{'a':'b'}}}",
                  NULL },
        };

        CHECK_EXAMPLES(&oci_config_doc, TOP_FRAME, examples);
}

static void errors_in_sections_have_the_whole_place(void **state)
{
        static const struct example examples[] = {
                { "'process':{}", "process.cwd: required, but missing" },
                { "'process':{'cwd':'x'}", "process.cwd: expected an absolute path, found \"x\"" },
                { "'linux':{'resources':{'devices':[{'allow':true},{'allow':true},{'allow':true,'major':'x'}]}}",
                  "linux.resources.devices[2].major: expected an integer, found a string" },
                { "'linux':{'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['a'],"
                  "'action':'SCMP_ACT_ALLOW','args':[{'index':9,'value':0,'op':'SCMP_CMP_EQ'}]}]}}",
                  "linux.seccomp.syscalls[0].args[0].index: expected an integer from 0 to 5, found 9" },
        };

        CHECK_EXAMPLES(&oci_config_doc, TOP_FRAME, examples);
}

static struct oci_config *parse(const char *text)
{
        auto_str quoted = json_quotes(text);
        struct oci_config *c = NULL;
        struct cor_err err = { 0 };

        if (oci_config_parse(quoted, strlen(quoted), "config.json", &c, &err) < 0)
                fail_msg("%s", err.msg);
        return c;
}

static void the_linux_section_is_always_there(void **state)
{
        auto_json struct oci_config *c = parse("{'ociVersion':'1.0.0','root':{'path':'r'}}");

        assert_non_null(c->linux_);
        assert_null(c->process);
        assert_null(oci_namespace_find(c, 0x20000));
        assert_null(oci_annotation(c, "a"));
}

static void destinations_become_absolute(void **state)
{
        auto_json struct oci_config *c = parse("{'ociVersion':'1.0.0','root':{'path':'r'},'mounts':["
                                               "{'destination':'a/b'},{'destination':'/c'},{'destination':'../d'}]}");

        assert_string_equal(c->mounts[0].destination, "/a/b");
        assert_string_equal(c->mounts[1].destination, "/c");
        assert_string_equal(c->mounts[2].destination, "/../d");
}

static void annotations_are_found(void **state)
{
        auto_json struct oci_config *c =
                parse("{'ociVersion':'1.0.0','root':{'path':'r'},'annotations':{'a':'1','b':'2'}}");

        assert_string_equal(oci_annotation(c, "b"), "2");
        assert_null(oci_annotation(c, "c"));
}

static void a_document_has_a_limit(void **state)
{
        size_t len = OCI_CONFIG_MAX_BYTES + 1;
        char *text = cor_alloc(len);
        struct oci_config *c = NULL;
        struct cor_err err = { 0 };

        memset(text, ' ', len);
        assert_int_equal(oci_config_parse(text, len, "config.json", &c, &err), -1);
        assert_string_equal(err.msg, "config.json: 16777217 bytes, more than the limit of 16777216");
        assert_int_equal(oci_config_parse(text, len - 1, "config.json", &c, &err), -1);
        assert_true(cor_starts_with(err.msg, "config.json: line 1, column "));
        free(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(required_members),
                cmocka_unit_test(versions),
                cmocka_unit_test(mounts),
                cmocka_unit_test(hooks),
                cmocka_unit_test(host_names),
                cmocka_unit_test(annotations),
                cmocka_unit_test(unknown_properties_are_ignored),
                cmocka_unit_test(errors_in_sections_have_the_whole_place),
                cmocka_unit_test(the_linux_section_is_always_there),
                cmocka_unit_test(destinations_become_absolute),
                cmocka_unit_test(annotations_are_found),
                cmocka_unit_test(a_document_has_a_limit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
