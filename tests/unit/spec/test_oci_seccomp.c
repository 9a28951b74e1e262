#include "examples.h"

#define ACTIONS                                                                                                        \
        "SCMP_ACT_ALLOW, SCMP_ACT_ERRNO, SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_TRAP, "  \
        "SCMP_ACT_TRACE, SCMP_ACT_LOG, SCMP_ACT_NOTIFY"

static void profile(void **state)
{
        static const struct example examples[] = {
                { "{'defaultAction':'SCMP_ACT_ALLOW'}", NULL },
                { "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38,'architectures':['SCMP_ARCH_X86_64',"
                  "'SCMP_ARCH_RISCV64','SCMP_ARCH_LOONGARCH64'],'flags':['SECCOMP_FILTER_FLAG_LOG']}",
                  NULL },
                { "{}", "defaultAction: required, but missing" },
                { "{'defaultAction':''}", "defaultAction: found \"\", expected one of " ACTIONS },
                { "{'defaultAction':'SCMP_ACT_STOP'}",
                  "defaultAction: found \"SCMP_ACT_STOP\", expected one of " ACTIONS },
                { "{'defaultAction':'SCMP_ACT_ALLOW','defaultErrnoRet':1}",
                  "defaultErrnoRet: only for SCMP_ACT_ERRNO and SCMP_ACT_TRACE, not for SCMP_ACT_ALLOW" },
                { "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':4096}",
                  "defaultErrnoRet: expected an integer from 0 to 4095, found 4096" },
                { "{'defaultAction':'SCMP_ACT_TRACE','defaultErrnoRet':65535}", NULL },
                { "{'defaultAction':'SCMP_ACT_TRACE','defaultErrnoRet':65536}",
                  "defaultErrnoRet: expected an integer from 0 to 65535, found 65536" },
                { "{'defaultAction':'SCMP_ACT_ALLOW','flags':['SECCOMP_FILTER_FLAG_LOG','FAST']}",
                  "flags[1]: found \"FAST\", expected one of SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG, "
                  "SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" },
        };

        CHECK_EXAMPLES(&oci_seccomp_doc, "$", examples);
}

static void unknown_architectures_are_named(void **state)
{
        auto_str text = json_quotes("{'defaultAction':'SCMP_ACT_ALLOW','architectures':['SCMP_ARCH_VAX']}");
        struct cor_err err = { 0 };
        void *s = NULL;

        assert_int_equal(cor_json_parse(&oci_seccomp_doc, text, strlen(text), NULL, &s, &err), -1);
        assert_true(cor_starts_with(err.msg, "architectures[0]: found \"SCMP_ARCH_VAX\", expected one of "
                                             "SCMP_ARCH_X86, SCMP_ARCH_X86_64, "));
}

#define RULES_FRAME "{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[$]}"

static void rules(void **state)
{
        static const struct example examples[] = {
                { "{'names':['read','call_of_tomorrow'],'action':'SCMP_ACT_ALLOW'}", NULL },
                { "{'names':['clone'],'action':'SCMP_ACT_ERRNO','errnoRet':1,'args':[{'index':5,'value':2114060288,"
                  "'valueTwo':18446744073709551615,'op':'SCMP_CMP_MASKED_EQ'}]}",
                  NULL },
                { "{'action':'SCMP_ACT_ALLOW'}", "syscalls[0].names: required, but missing" },
                { "{'names':[],'action':'SCMP_ACT_ALLOW'}", "syscalls[0].names: expected at least one system call" },
                { "{'names':['a',''],'action':'SCMP_ACT_ALLOW'}",
                  "syscalls[0].names[1]: expected the name of a system call, found an empty string" },
                { "{'names':['a']}", "syscalls[0].action: required, but missing" },
                { "{'names':['a'],'action':'allow'}", "syscalls[0].action: found \"allow\", expected one of " ACTIONS },
                { "{'names':['a'],'action':'SCMP_ACT_ALLOW','errnoRet':0}",
                  "syscalls[0].errnoRet: only for SCMP_ACT_ERRNO and SCMP_ACT_TRACE, not for SCMP_ACT_ALLOW" },
                { "{'names':['a'],'action':'SCMP_ACT_ERRNO','errnoRet':4096}",
                  "syscalls[0].errnoRet: expected an integer from 0 to 4095, found 4096" },
                { "{'names':['a'],'action':'SCMP_ACT_ALLOW','args':[{'index':6,'value':1,'op':'SCMP_CMP_EQ'}]}",
                  "syscalls[0].args[0].index: expected an integer from 0 to 5, found 6" },
                { "{'names':['a'],'action':'SCMP_ACT_ALLOW','args':[{'index':0,'op':'SCMP_CMP_EQ'}]}",
                  "syscalls[0].args[0].value: required, but missing" },
                { "{'names':['a'],'action':'SCMP_ACT_ALLOW','args':[{'index':0,'value':1,'op':'=='}]}",
                  "syscalls[0].args[0].op: found \"==\", expected one of SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE, "
                  "SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ" },
        };

        CHECK_EXAMPLES(&oci_seccomp_doc, RULES_FRAME, examples);
}

static void notify(void **state)
{
        static const struct example examples[] = {
                { "'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/run/agent','listenerMetadata':'m',"
                  "'syscalls':[{'names':['mount'],'action':'SCMP_ACT_NOTIFY'}]",
                  NULL },
                { "'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/run/agent'", NULL },
                { "'defaultAction':'SCMP_ACT_NOTIFY','listenerPath':'/run/agent'",
                  "defaultAction: SCMP_ACT_NOTIFY cannot be the default action" },
                { "'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['mount'],'action':'SCMP_ACT_NOTIFY'}]",
                  NULL },
                { "'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'','syscalls':[{'names':['mount'],"
                  "'action':'SCMP_ACT_NOTIFY'}]",
                  NULL },
                { "'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/a','syscalls':[{'names':['read','write'],"
                  "'action':'SCMP_ACT_NOTIFY'}]",
                  "syscalls[0].names[1]: SCMP_ACT_NOTIFY cannot be used for write" },
                { "'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'agent'",
                  "listenerPath: expected an absolute path, found \"agent\"" },
                { "'defaultAction':'SCMP_ACT_ALLOW','listenerMetadata':'m'", "listenerMetadata: needs a listenerPath" },
        };

        CHECK_EXAMPLES(&oci_seccomp_doc, "{$}", examples);
}

static void values_are_read(void **state)
{
        auto_str text = json_quotes("{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':0,'syscalls':[{'names':['a',"
                                    "'b'],'action':'SCMP_ACT_ALLOW','args':[{'index':2,'value':18446744073709551615,"
                                    "'valueTwo':7,'op':'SCMP_CMP_NE'}]}]}");
        auto_json struct oci_seccomp *s = NULL;
        struct cor_err err = { 0 };

        assert_int_equal(cor_json_parse(&oci_seccomp_doc, text, strlen(text), NULL, &s, &err), 0);
        assert_true(s->default_errno_ret.set && s->default_errno_ret.value == 0);
        assert_true(s->n_syscalls == 1 && s->syscalls[0].n_names == 2 && !s->syscalls[0].errno_ret.set);
        assert_string_equal(s->syscalls[0].names[1], "b");
        assert_true(s->syscalls[0].args[0].index == 2 && s->syscalls[0].args[0].value == UINT64_MAX);
        assert_true(s->syscalls[0].args[0].value_two == 7);
        assert_string_equal(s->syscalls[0].args[0].op, "SCMP_CMP_NE");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(profile),         cmocka_unit_test(unknown_architectures_are_named),
                cmocka_unit_test(rules),           cmocka_unit_test(notify),
                cmocka_unit_test(values_are_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
