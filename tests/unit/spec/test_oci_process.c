#include "examples.h"

#include <sched.h>
#include <sys/resource.h>

static void required_members(void **state)
{
        static const struct example examples[] = {
                { "{'cwd':'/'}", NULL },
                { "{'cwd':'/','args':['sh'],'user':{}}", NULL },
                { "{'args':['sh']}", "cwd: required, but missing" },
                { "{'cwd':null}", "cwd: required, but missing" },
                { "{'cwd':''}", "cwd: expected an absolute path, found \"\"" },
                { "{'cwd':'work'}", "cwd: expected an absolute path, found \"work\"" },
                { "{'cwd':3}", "cwd: expected a string, found an integer" },
                { "[]", "expected an object, found a list" },
        };

        CHECK_EXAMPLES(&oci_process_doc, "$", examples);
}

static void terminal_and_console_size(void **state)
{
        static const struct example examples[] = {
                { "'terminal':true,'consoleSize':{'height':25,'width':80}", NULL },
                { "'terminal':'yes'", "terminal: expected true or false, found a string" },
                { "'consoleSize':{'height':25}", "consoleSize.width: required, but missing" },
                { "'consoleSize':{'height':-1,'width':80}",
                  "consoleSize.height: expected an integer from 0 to 4294967295, found -1" },
                { "'consoleSize':{'height':25,'width':65536}",
                  "consoleSize: a terminal has at most 65535 lines and columns" },
        };

        CHECK_EXAMPLES(&oci_process_doc, PROCESS_FRAME, examples);
}

static void user(void **state)
{
        static const struct example examples[] = {
                { "'user':{'uid':0,'gid':4294967294,'umask':511,'additionalGids':[0,5]}", NULL },
                { "'user':{'uid':4294967295}", "user.uid: expected at most 4294967294, found 4294967295" },
                { "'user':{'gid':4294967295}", "user.gid: expected at most 4294967294, found 4294967295" },
                { "'user':{'uid':4294967296}", "user.uid: expected an integer from 0 to 4294967295, found 4294967296" },
                { "'user':{'uid':-1}", "user.uid: expected an integer from 0 to 4294967295, found -1" },
                { "'user':{'uid':'root'}", "user.uid: expected an integer, found a string" },
                { "'user':{'umask':512}", "user.umask: expected at most 511 (octal 777), found 512" },
                { "'user':{'additionalGids':[1,4294967295]}",
                  "user.additionalGids[1]: expected at most 4294967294, found 4294967295" },
                { "'user':{'additionalGids':['wheel']}",
                  "user.additionalGids[0]: expected an integer, found a string" },
        };

        CHECK_EXAMPLES(&oci_process_doc, PROCESS_FRAME, examples);
}

static void environment(void **state)
{
        static const struct example examples[] = {
                { "'env':['A=','A==b','A']", NULL },
                { "'env':['A=1','=1']", "env[1]: expected NAME=VALUE, found \"=1\"" },
                { "'env':['']", "env[0]: expected NAME=VALUE, found \"\"" },
                { "'env':['A=\\u0000']", "env[0]: expected a string without NUL characters" },
                { "'env':{'A':'1'}", "env: expected a list of strings, found an object" },
        };

        CHECK_EXAMPLES(&oci_process_doc, PROCESS_FRAME, examples);
}

static void resource_limits(void **state)
{
        static const struct example examples[] = {
                { "'rlimits':[{'type':'RLIMIT_NOFILE','hard':18446744073709551615,'soft':1024}]", NULL },
                { "'rlimits':[{'type':'RLIMIT_CPU','hard':0,'soft':0},{'type':'RLIMIT_RTTIME','hard':1,'soft':1}]",
                  NULL },
                { "'rlimits':[{'type':'RLIMIT_AS','hard':1,'soft':1},{'type':'RLIMIT_AS','hard':1,'soft':1}]",
                  "rlimits[1]: RLIMIT_AS is there twice" },
                { "'rlimits':[{'type':'RLIMIT_CPU','hard':1,'soft':2}]",
                  "rlimits[0].soft: 2 is more than the hard limit of 1" },
                { "'rlimits':[{'type':'RLIMIT_CPU','hard':1}]", "rlimits[0].soft: required, but missing" },
                { "'rlimits':[{'hard':1,'soft':1}]", "rlimits[0].type: required, but missing" },
                { "'rlimits':[{'type':'RLIMIT_NONE','hard':1,'soft':1}]",
                  "rlimits[0].type: expected one of RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, "
                  "RLIMIT_RSS, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS, RLIMIT_LOCKS, "
                  "RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_RTPRIO, RLIMIT_RTTIME, "
                  "found \"RLIMIT_NONE\"" },
        };

        CHECK_EXAMPLES(&oci_process_doc, PROCESS_FRAME, examples);
}

static void oom_score(void **state)
{
        static const struct example examples[] = {
                { "'oomScoreAdj':-1000", NULL },
                { "'oomScoreAdj':1000", NULL },
                { "'oomScoreAdj':1001", "oomScoreAdj: expected an integer from -1000 to 1000, found 1001" },
                { "'oomScoreAdj':-1001", "oomScoreAdj: expected an integer from -1000 to 1000, found -1001" },
        };

        CHECK_EXAMPLES(&oci_process_doc, PROCESS_FRAME, examples);
}

static void capabilities(void **state)
{
        static const struct example examples[] = {
                { "'capabilities':{}", NULL },
                { "'capabilities':{'bounding':['CAP_CHOWN','CAP_OF_TOMORROW'],'effective':[],'ambient':null}", NULL },
                { "'capabilities':{'inheritable':[1]}",
                  "capabilities.inheritable[0]: expected a string, found an integer" },
                { "'capabilities':['CAP_CHOWN']", "capabilities: expected an object, found a list" },
        };

        CHECK_EXAMPLES(&oci_process_doc, PROCESS_FRAME, examples);
}

static void scheduler(void **state)
{
        static const struct example examples[] = {
                { "'scheduler':{'policy':'SCHED_OTHER','nice':-20}", NULL },
                { "'scheduler':{'policy':'SCHED_BATCH','nice':19,'flags':['SCHED_FLAG_RESET_ON_FORK']}", NULL },
                { "'scheduler':{'policy':'SCHED_FIFO','priority':99}", NULL },
                { "'scheduler':{'policy':'SCHED_FIFO','priority':1,'nice':3}", NULL },
                { "'scheduler':{'policy':'SCHED_DEADLINE','runtime':1000,'deadline':2000,'period':3000}", NULL },
                { "'scheduler':{}", "scheduler.policy: required, but missing" },
                { "'scheduler':{'policy':'SCHED_FAST'}",
                  "scheduler.policy: expected one of SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_ISO, "
                  "SCHED_IDLE, SCHED_DEADLINE, found \"SCHED_FAST\"" },
                { "'scheduler':{'policy':'SCHED_OTHER','nice':20}",
                  "scheduler.nice: expected an integer from -20 to 19, found 20" },
                { "'scheduler':{'policy':'SCHED_OTHER','nice':-21}",
                  "scheduler.nice: expected an integer from -20 to 19, found -21" },
                { "'scheduler':{'policy':'SCHED_OTHER','priority':1}",
                  "scheduler.priority: only for SCHED_FIFO and SCHED_RR, not for SCHED_OTHER" },
                { "'scheduler':{'policy':'SCHED_RR','priority':100}",
                  "scheduler.priority: expected an integer from 1 to 99 for SCHED_RR, found 100" },
                { "'scheduler':{'policy':'SCHED_FIFO'}",
                  "scheduler.priority: expected an integer from 1 to 99 for SCHED_FIFO, found 0" },
                { "'scheduler':{'policy':'SCHED_FIFO','priority':1,'runtime':5}",
                  "scheduler.runtime: only for SCHED_DEADLINE, not for SCHED_FIFO" },
                { "'scheduler':{'policy':'SCHED_OTHER','deadline':5}",
                  "scheduler.deadline: only for SCHED_DEADLINE, not for SCHED_OTHER" },
                { "'scheduler':{'policy':'SCHED_IDLE','period':5}",
                  "scheduler.period: only for SCHED_DEADLINE, not for SCHED_IDLE" },
                { "'scheduler':{'policy':'SCHED_OTHER','flags':['X']}",
                  "scheduler.flags[0]: expected one of SCHED_FLAG_RESET_ON_FORK, SCHED_FLAG_RECLAIM, "
                  "SCHED_FLAG_DL_OVERRUN, SCHED_FLAG_KEEP_POLICY, SCHED_FLAG_KEEP_PARAMS, SCHED_FLAG_UTIL_CLAMP_MIN, "
                  "SCHED_FLAG_UTIL_CLAMP_MAX, found \"X\"" },
        };

        CHECK_EXAMPLES(&oci_process_doc, PROCESS_FRAME, examples);
}

static void io_priority(void **state)
{
        static const struct example examples[] = {
                { "'ioPriority':{'class':'IOPRIO_CLASS_BE','priority':7}", NULL },
                { "'ioPriority':{'class':'IOPRIO_CLASS_IDLE'}", NULL },
                { "'ioPriority':{'priority':7}", "ioPriority.class: required, but missing" },
                { "'ioPriority':{'class':'IOPRIO_CLASS_RT','priority':8}",
                  "ioPriority.priority: expected an integer from 0 to 7, found 8" },
                { "'ioPriority':{'class':'IOPRIO_CLASS_RT','priority':-1}",
                  "ioPriority.priority: expected an integer from 0 to 7, found -1" },
                { "'ioPriority':{'class':'RT'}", "ioPriority.class: expected one of IOPRIO_CLASS_RT, "
                                                 "IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE, found \"RT\"" },
        };

        CHECK_EXAMPLES(&oci_process_doc, PROCESS_FRAME, examples);
}

#define BAD_INITIAL(LIST)                                                                                              \
        {                                                                                                              \
                "'execCPUAffinity':{'initial':'" LIST "'}",                                                            \
                        "execCPUAffinity.initial: expected a list of CPUs such as \"0-3,7\", found \"" LIST "\""       \
        }
static void cpu_affinity(void **state)
{
        static const struct example examples[] = {
                { "'execCPUAffinity':{'initial':'0','final':'0-3,7,9-9'}", NULL },
                { "'execCPUAffinity':{'initial':''}", NULL },
                BAD_INITIAL("3-0"),
                BAD_INITIAL("0-"),
                BAD_INITIAL("-1"),
                BAD_INITIAL("0,"),
                BAD_INITIAL(",0"),
                BAD_INITIAL("0,,1"),
                BAD_INITIAL("0 "),
                BAD_INITIAL("0-1-2"),
                BAD_INITIAL("8192"),
                BAD_INITIAL("99999999999999999999"),
                BAD_INITIAL("all"),
                { "'execCPUAffinity':{'final':'x'}",
                  "execCPUAffinity.final: expected a list of CPUs such as \"0-3,7\", found \"x\"" },
        };

        CHECK_EXAMPLES(&oci_process_doc, PROCESS_FRAME, examples);
}

static void the_whole_process_is_read(void **state)
{
        auto_str text = json_quotes(
                "{'terminal':true,'user':{'uid':1,'gid':2,'umask':18,'additionalGids':[3]},'args':['sh','-c'],"
                "'env':['A=1'],'cwd':'/w','capabilities':{'ambient':['CAP_KILL']},'noNewPrivileges':true,"
                "'rlimits':[{'type':'RLIMIT_NOFILE','hard':18446744073709551615,'soft':5}],'apparmorProfile':'a',"
                "'selinuxLabel':'s','oomScoreAdj':0,'scheduler':{'policy':'SCHED_RR','priority':4,"
                "'flags':['SCHED_FLAG_RECLAIM','SCHED_FLAG_KEEP_POLICY']},"
                "'ioPriority':{'class':'IOPRIO_CLASS_IDLE','priority':3},'execCPUAffinity':{'final':'1'}}");
        auto_json struct oci_process *p = NULL;
        struct cor_err err = { 0 };

        assert_int_equal(oci_process_parse(text, strlen(text), "process.json", &p, &err), 0);
        assert_true(p->terminal && p->no_new_privileges && p->oom_score_adj.set);
        assert_true(p->user.uid == 1 && p->user.gid == 2 && p->user.umask.value == 022);
        assert_true(p->user.n_additional_gids == 1 && p->user.additional_gids[0] == 3);
        assert_true(p->n_args == 2 && !p->args[2] && p->n_env == 1);
        assert_string_equal(p->args[1], "-c");
        assert_string_equal(p->cwd, "/w");
        assert_string_equal(p->capabilities->ambient[0], "CAP_KILL");
        assert_null(p->capabilities->bounding);
        assert_true(p->rlimits[0].resource == RLIMIT_NOFILE && p->rlimits[0].hard == RLIM64_INFINITY);
        assert_string_equal(p->apparmor_profile, "a");
        assert_string_equal(p->selinux_label, "s");
        assert_true(p->scheduler->policy == SCHED_RR && p->scheduler->priority == 4);
        assert_true(p->scheduler->n_flags == 2 && (p->scheduler->flags[0] | p->scheduler->flags[1]) == 0x0a);
        assert_true(p->io_priority->class_ == 3 && p->io_priority->priority == 3);
        assert_string_equal(p->exec_cpu_affinity->final, "1");
}

static void errors_name_the_file_given(void **state)
{
        struct oci_process *p = NULL;
        struct cor_err err = { 0 };

        assert_int_equal(oci_process_parse("{}", 2, "process.json", &p, &err), -1);
        assert_string_equal(err.msg, "process.json: cwd: required, but missing");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(required_members),
                cmocka_unit_test(terminal_and_console_size),
                cmocka_unit_test(user),
                cmocka_unit_test(environment),
                cmocka_unit_test(resource_limits),
                cmocka_unit_test(oom_score),
                cmocka_unit_test(capabilities),
                cmocka_unit_test(scheduler),
                cmocka_unit_test(io_priority),
                cmocka_unit_test(cpu_affinity),
                cmocka_unit_test(the_whole_process_is_read),
                cmocka_unit_test(errors_name_the_file_given),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
