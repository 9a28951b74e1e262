/* Files of the Container Device Interface: how they are read, and which of them counts. */
#include "base/file.h"
#include "engine/cdi.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../base/scratch.h"
#include "../json_quotes.h"

static const char json[] = "{'cdiVersion':'0.6.0','kind':'vendor.com/net','devices':[{'name':'0','containerEdits':{"
                           "'env':['A=b'],'deviceNodes':[{'path':'/dev/x','hostPath':'/dev/null','permissions':'rw',"
                           "'major':1,'minor':3,'fileMode':438}],'additionalGids':[5]}}],"
                           "'containerEdits':{'mounts':[{'hostPath':'/a','containerPath':'/b','options':['ro']}]}}";
static const char yaml[] =
        "# generated\n"
        "cdiVersion: \"0.6.0\"\n"
        "kind: vendor.com/net\n"
        "devices:\n"
        "- name: \"0\"\n"
        "  containerEdits:\n"
        "    env:\n"
        "    - A=b\n"
        "    deviceNodes:\n"
        "    - { path: /dev/x, hostPath: /dev/null, permissions: rw, major: 1, minor: 3, fileMode: 438 }\n"
        "    additionalGids: [5]\n"
        "containerEdits:\n"
        "  mounts:\n"
        "  - hostPath: /a\n"
        "    containerPath: /b\n"
        "    options:\n"
        "    - ro\n";

static void check_content(const struct cdi_spec *s)
{
        const struct cdi_node *n = s->devices[0].edits.device_nodes;

        assert_string_equal(s->kind, "vendor.com/net");
        assert_int_equal(s->n_devices, 1);
        assert_string_equal(s->devices[0].name, "0");
        assert_string_equal(s->devices[0].edits.env[0], "A=b");
        assert_true(n->major.value == 1 && n->minor.value == 3 && n->file_mode.value == 0666);
        assert_string_equal(n->host_path, "/dev/null");
        assert_int_equal(s->devices[0].edits.additional_gids[0], 5);
        assert_string_equal(s->edits.mounts[0].options[0], "ro");
}

static bool have_yaml(void)
{
        auto_str out = NULL;
        struct cor_err err = { 0 };

        if (cdi_yaml_to_json("a: b", 4, &out, &err) == 0)
                return true;
        assert_int_equal(err.kind, COR_UNSUPPORTED);
        puts("# skipped: built without libyaml; runs where libyaml-dev is installed");
        return false;
}

static void json_and_yaml_say_the_same(void **state)
{
        auto_str quoted = json_quotes(json);
        auto_json struct cdi_spec *a = NULL;
        auto_json struct cdi_spec *b = NULL;
        struct cor_err err = { 0 };

        assert_int_equal(cdi_spec_parse(quoted, strlen(quoted), false, "f", &a, NULL), 0);
        check_content(a);
        if (!have_yaml())
                skip();
        if (cdi_spec_parse(yaml, sizeof yaml - 1, true, "f", &b, &err) < 0)
                fail_msg("%s", err.msg);
        check_content(b);
}

static void yaml_is(const char *text, const char *expected)
{
        auto_str out = NULL;
        auto_str quoted = json_quotes(expected);
        struct cor_err err = { 0 };

        if (cdi_yaml_to_json(text, strlen(text), &out, &err) < 0)
                fail_msg("%s", err.msg);
        assert_string_equal(out, quoted);
}

static void yaml_fails(const char *text, const char *message)
{
        auto_str out = NULL;
        struct cor_err err = { 0 };

        assert_int_equal(cdi_yaml_to_json(text, strlen(text), &out, &err), -1);
        assert_non_null(strstr(err.msg, message));
}

static void plain_words_of_yaml_have_types(void **state)
{
        if (!have_yaml())
                skip();
        yaml_is("a: 1\nb: '1'\nc: true\nd: \"true\"\ne: ~\nf: -7\ng: 1.5\nh: 007\n1: x\n",
                "{'a':1,'b':'1','c':true,'d':'true','e':null,'f':-7,'g':'1.5','h':'007','1':'x'}");
        yaml_is("[a, [b, {c: d}], []]", "['a',['b',{'c':'d'}],[]]");
}

static void yaml_that_is_dangerous_or_broken_is_refused(void **state)
{
        auto_text deep = COR_TEXT_INIT;

        if (!have_yaml())
                skip();
        for (int i = 0; i < 100; i++)
                cor_text_add_c(&deep, '[');
        yaml_fails("a: &x [1]\nb: *x\n", "aliases are not taken");
        yaml_fails("a: [", "YAML: line");
        yaml_fails(deep.s, "nested more than");
        yaml_fails("? [a]\n: b\n", "a key of a map is not a word");
        yaml_fails("a: 1\n---\nb: 2\n", "expected one document");
}

static void write_spec(struct scratch *s, const char *name, const char *kind, const char *device)
{
        auto_str text =
                cor_printf("{\"cdiVersion\":\"0.5.0\",\"kind\":\"%s\",\"devices\":[{\"name\":\"%s\"}]}", kind, device);

        assert_int_equal(cor_own_write(s->fd, name, text, strlen(text), 0644, false, NULL), 0);
}

static void later_folders_come_first_and_conflicts_are_told(void **state)
{
        struct scratch *s = *state;
        auto_cdi_registry r = { 0 };
        auto_str folders = cor_printf("%s:%s/later:/nowhere", s->path, s->path);
        const struct cdi_spec *spec;
        const struct cdi_device *device;
        struct cor_err err = { 0 };

        assert_int_equal(mkdirat(s->fd, "later", 0755), 0);
        write_spec(s, "a.json", "v.com/c", "one");
        write_spec(s, "moved", "v.com/c", "one");
        assert_int_equal(renameat(s->fd, "moved", s->fd, "later/b.json"), 0);
        write_spec(s, "d1.json", "v.com/c", "twice");
        write_spec(s, "d2.json", "v.com/c", "twice");
        assert_int_equal(cor_own_write(s->fd, "broken.json", "{", 1, 0644, false, NULL), 0);
        setenv("CORACLE_CDI", folders, 1);
        cdi_registry_read(&r);
        assert_int_equal(r.n_items, 4);
        assert_int_equal(cdi_find(&r, "v.com/c=one", &spec, &device, NULL), 0);
        assert_int_equal(spec->folder, 1);
        assert_int_equal(cdi_find(&r, "v.com/c=twice", &spec, &device, &err), -1);
        assert_non_null(strstr(err.msg, "two files of one folder describe device v.com/c=twice"));
        assert_int_equal(cdi_find(&r, "v.com/c=none", &spec, &device, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_non_null(strstr(err.msg, "unresolvable CDI devices v.com/c=none ("));
        assert_non_null(strstr(err.msg, "broken.json"));
        assert_true(cdi_has_kind(&r, "v.com/c") && !cdi_has_kind(&r, "v.com"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(json_and_yaml_say_the_same),
                cmocka_unit_test(plain_words_of_yaml_have_types),
                cmocka_unit_test(yaml_that_is_dangerous_or_broken_is_refused),
                cmocka_unit_test_setup_teardown(later_folders_come_first_and_conflicts_are_told, scratch_setup,
                                                scratch_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
