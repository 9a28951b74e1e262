#include "base/file.h"
#include "spec/docker.h"

#include "../json_quotes.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Parse @text by @doc; the caller frees */
static void *parsed(const struct cor_json_doc *doc, const char *text)
{
        auto_str quoted = json_quotes(text);
        struct cor_err err = { 0 };
        void *object = NULL;

        if (cor_json_parse(doc, quoted, strlen(quoted), "doc", &object, &err) < 0)
                fail_msg("%s", err.msg);
        return object;
}

static void refused(const struct cor_json_doc *doc, const char *text, const char *message)
{
        auto_str quoted = json_quotes(text);
        struct cor_err err = { 0 };
        void *object = NULL;

        assert_int_equal(cor_json_parse(doc, quoted, strlen(quoted), "doc", &object, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_string_equal(err.msg, message);
}

static void prints(const struct cor_json_doc *doc, const void *object, const char *expected)
{
        auto_str quoted = json_quotes(expected);
        auto_text out = COR_TEXT_INIT;

        cor_json_print(doc, object, COR_JSON_COMPACT | COR_JSON_API, &out);
        assert_string_equal(out.s, quoted);
}

/* What docker 28 prints of a container comes out the same, to the byte. */
static void inspect_document_is_dockers(void **state)
{
        auto_str path = cor_printf("%s/tests/unit/spec/docker_inspect.json", getenv("CORACLE_SOURCE"));
        auto_json struct docker_container *c = NULL;
        struct cor_err err = { 0 };
        auto_text out = COR_TEXT_INIT;
        auto_str text = NULL;
        size_t len = 0;

        if (cor_read_file(path, 1 << 20, &text, &len, &err) < 0 ||
            cor_json_parse(&docker_container_doc, text, len, "inspect", &c, &err) < 0)
                fail_msg("%s", err.msg);
        cor_json_print(&docker_container_doc, c, COR_JSON_FOUR_SPACES | COR_JSON_API, &out);
        cor_text_add_c(&out, '\n');
        assert_string_equal(out.s, text);
        assert_string_equal(c->name, "/web");
        assert_int_equal(c->host_config->n_port_bindings, 3);
        assert_string_equal(c->host_config->port_bindings[2].port, "80/tcp");
        assert_string_equal(c->host_config->port_bindings[2].items[1].host_port, "8081");
        assert_int_equal(c->host_config->console_size[1], 80);
        assert_string_equal(c->host_config->device_requests[0].capabilities[0].items[1], "nvidia");
        assert_int_equal(c->config->stop_timeout.value, 7);
}

/* The keys that docker's documents always have, and what they are when nothing was said */
static void nothing_said_is_null_where_docker_says_so(void **state)
{
        struct docker_config config = { 0 };
        struct docker_networking_config networking = { 0 };
        struct docker_state s = { .status = "created" };
        struct docker_mount_points mounts = { 0 };

        prints(&docker_config_doc, &config,
               "{'Hostname':'','Domainname':'','User':'','AttachStdin':false,'AttachStdout':false,"
               "'AttachStderr':false,'Tty':false,'OpenStdin':false,'StdinOnce':false,'Env':null,'Cmd':null,'Image':'',"
               "'Volumes':null,'WorkingDir':'','Entrypoint':null,'OnBuild':null,'Labels':null}");
        config.labels = COR_JSON_NONE_YET;
        config.cmd = COR_JSON_NONE_YET;
        prints(&docker_config_doc, &config,
               "{'Hostname':'','Domainname':'','User':'','AttachStdin':false,'AttachStdout':false,"
               "'AttachStderr':false,'Tty':false,'OpenStdin':false,'StdinOnce':false,'Env':null,'Cmd':[],'Image':'',"
               "'Volumes':null,'WorkingDir':'','Entrypoint':null,'OnBuild':null,'Labels':{}}");
        prints(&docker_networking_config_doc, &networking, "{'EndpointsConfig':null}");
        prints(&docker_mount_points_doc, &mounts, "[]");
        prints(&docker_state_doc, &s,
               "{'Status':'created','Running':false,'Paused':false,'Restarting':false,'OOMKilled':false,'Dead':false,"
               "'Pid':0,'ExitCode':0,'Error':'','StartedAt':'','FinishedAt':''}");
}

static void commands_come_as_text_or_as_lists(void **state)
{
        auto_json struct docker_config *c =
                parsed(&docker_config_doc, "{'Cmd':'echo hi','Entrypoint':['a','b'],'Shell':null}");
        auto_json struct docker_host_config *h = parsed(&docker_host_config_doc, "{'CapAdd':'ALL'}");

        assert_int_equal(c->n_cmd, 1);
        assert_string_equal(c->cmd[0], "echo hi");
        assert_null(c->cmd[1]);
        assert_int_equal(c->n_entrypoint, 2);
        assert_null(c->shell);
        assert_string_equal(h->cap_add[0], "ALL");
        refused(&docker_config_doc, "{'Cmd':7}", "doc: Cmd: expected a list of strings, found an integer");
        refused(&docker_config_doc, "{'Env':'A=1'}", "doc: Env: expected a list of strings, found a string");
}

static void sets_have_nulls_or_objects(void **state)
{
        auto_json struct docker_config *c =
                parsed(&docker_config_doc, "{'Volumes':{'/b':null,'/a':{}},'Labels':{'x':null,'w':'1'}}");
        auto_text out = COR_TEXT_INIT;

        assert_int_equal(c->n_volumes, 2);
        assert_string_equal(c->volumes[0].key, "/b");
        cor_json_print(&docker_config_doc, c, COR_JSON_COMPACT | COR_JSON_API, &out);
        assert_non_null(strstr(out.s, "\"Volumes\":{\"/a\":{},\"/b\":{}}"));
        assert_non_null(strstr(out.s, "\"Labels\":{\"w\":\"1\",\"x\":\"\"}"));
        refused(&docker_config_doc, "{'Volumes':{'/a':1}}",
                "doc: Volumes[\"/a\"]: expected an object, found an integer");
}

static void faults_name_their_place(void **state)
{
        refused(&docker_host_config_doc, "{'PortBindings':{'80/tcp':[{'HostPort':80}]}}",
                "doc: PortBindings[\"80/tcp\"][0].HostPort: expected a string, found an integer");
        refused(&docker_host_config_doc, "{'PortBindings':{'80/tcp':{}}}",
                "doc: PortBindings[\"80/tcp\"]: expected a list of objects, found an object");
        refused(&docker_host_config_doc, "{'DeviceRequests':[{'Capabilities':[['gpu'],[1]]}]}",
                "doc: DeviceRequests[0].Capabilities[1][0]: expected a string, found an integer");
        refused(&docker_host_config_doc, "{'ConsoleSize':[1,-1]}",
                "doc: ConsoleSize[1]: expected an integer from 0 to 4294967295, found -1");
        refused(&docker_mount_points_doc, "{}", "doc: expected a list of objects, found an object");
}

static void a_list_may_be_a_document(void **state)
{
        auto_json struct docker_mount_points *m =
                parsed(&docker_mount_points_doc, "[{'Type':'bind','Source':'/a','Destination':'/b','RW':true}]");
        auto_json struct docker_mount_points *none = parsed(&docker_mount_points_doc, "[]");

        assert_int_equal(m->n_items, 1);
        assert_string_equal(m->items[0].destination, "/b");
        assert_int_equal(none->n_items, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(inspect_document_is_dockers),
                cmocka_unit_test(nothing_said_is_null_where_docker_says_so),
                cmocka_unit_test(commands_come_as_text_or_as_lists),
                cmocka_unit_test(sets_have_nulls_or_objects),
                cmocka_unit_test(faults_name_their_place),
                cmocka_unit_test(a_list_may_be_a_document),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
