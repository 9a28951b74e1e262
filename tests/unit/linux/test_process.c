/* What a process's settings become: scheduling, affinity, limits, memory policy, personality, session keyring. */
#include "linux/sched.h"

#include <sched.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "child.h"
#include "linux/keyring.h"
#include "linux/mempolicy.h"
#include "linux/personality.h"
#include "linux/rlimit.h"

static void be_batch_and_nice(void *data)
{
        struct oci_scheduler s = { .policy = SCHED_BATCH, .nice = 7 };

        CHECK_OK(sched_apply(&s, &err));
        CHECK(sched_getscheduler(0) == SCHED_BATCH);
        CHECK(getpriority(PRIO_PROCESS, 0) == 7);
}

static void a_policy_and_a_nice_value_are_set(void **state)
{
        assert_int_equal(in_child(be_batch_and_nice, NULL), 0);
}

static void refused_policies(void *data)
{
        struct oci_scheduler bad = { .policy = SCHED_FIFO, .priority = 1000 };
        struct cor_err error = { 0 };

        CHECK(sched_apply(&bad, &error) < 0);
        CHECK(error.sys == EINVAL && strncmp(error.msg, "process.scheduler: ", 19) == 0);
}

static void an_impossible_policy_is_an_error(void **state)
{
        assert_int_equal(in_child(refused_policies, NULL), 0);
}

static void set_io_class(void *data)
{
        struct oci_io_priority p = { .class_ = 3, .priority = 0 }, best = { .class_ = 2, .priority = 6 };

        CHECK_OK(sched_apply_io(&best, &err));
        CHECK(syscall(SYS_ioprio_get, 1, 0) == (2 << 13 | 6));
        CHECK_OK(sched_apply_io(&p, &err));
        CHECK(syscall(SYS_ioprio_get, 1, 0) == 3 << 13);
}

static void an_io_class_and_priority_are_set(void **state)
{
        struct oci_io_priority bad = { .class_ = 2, .priority = 8 };
        struct cor_err err = { 0 };

        assert_int_equal(in_child(set_io_class, NULL), 0);
        assert_int_equal(sched_apply_io(&bad, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
}

static void pin_and_release(void *data)
{
        cpu_set_t before, after;
        struct bitlist one = { 0 };
        unsigned last = 0;

        CHECK(sched_getaffinity(0, sizeof before, &before) == 0);
        for (unsigned i = 0; i < CPU_SETSIZE; i++)
                if (CPU_ISSET(i, &before))
                        last = i;
        one.bits[last / (8 * sizeof(long))] = 1UL << last % (8 * sizeof(long));
        one.n_bits = last + 1;
        CHECK_OK(sched_set_cpus(0, &one, &err));
        CHECK(sched_getaffinity(0, sizeof after, &after) == 0);
        CHECK(CPU_COUNT(&after) == 1 && CPU_ISSET(last, &after));
        CHECK_OK(sched_reset_cpus(0, &err));
        CHECK(sched_getaffinity(0, sizeof after, &after) == 0);
        CHECK(CPU_COUNT(&after) >= CPU_COUNT(&before));
}

static void affinity_is_set_and_taken_back(void **state)
{
        assert_int_equal(in_child(pin_and_release, NULL), 0);
}

static void no_such_cpu(void *data)
{
        struct bitlist far;
        struct cor_err error = { 0 };

        CHECK_OK(bitlist_parse("8000-8191", "cpus", &far, &err));
        CHECK(sched_set_cpus(0, &far, &error) < 0 && error.sys == EINVAL);
}

static void processors_that_are_not_there_are_an_error(void **state)
{
        assert_int_equal(in_child(no_such_cpu, NULL), 0);
}

static void lower_limits(void *data)
{
        const struct oci_rlimit limits[] = { { RLIMIT_NOFILE, 77, 66 }, { RLIMIT_CORE, 0, 0 } };
        struct rlimit now;

        CHECK_OK(rlimit_apply(limits, 2, &err));
        CHECK(getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == 66 && now.rlim_max == 77);
        CHECK(getrlimit(RLIMIT_CORE, &now) == 0 && now.rlim_cur == 0 && now.rlim_max == 0);
}

static void limits_are_set(void **state)
{
        assert_int_equal(in_child(lower_limits, NULL), 0);
}

static void soft_above_hard(void *data)
{
        const struct oci_rlimit limit = { RLIMIT_NOFILE, 10, UINT64_MAX };
        const struct oci_rlimit unknown = { 99, 10, 10 };
        struct cor_err error = { 0 };

        CHECK(rlimit_apply(&limit, 1, &error) < 0);
        CHECK(strcmp(error.msg, "process.rlimits: set RLIMIT_NOFILE to soft unlimited, hard 10: Invalid argument") ==
              0);
        CHECK(rlimit_apply(&unknown, 1, &error) < 0 && error.kind == COR_INVALID);
}

static void impossible_limits_name_themselves(void **state)
{
        assert_int_equal(in_child(soft_above_hard, NULL), 0);
}

static void bind_memory(void *data)
{
        int flags[] = { 1 << 15 };
        struct oci_memory_policy p = { .mode = 2, .nodes = "0", .flags = flags, .n_flags = 1 };
        struct oci_memory_policy plain = { .mode = 0 }, far = { .mode = 2, .nodes = "1023" };
        struct cor_err error = { 0 };
        unsigned long nodes = 0;
        int mode = 0;

        if (syscall(SYS_get_mempolicy, NULL, NULL, 0, NULL, 0) < 0 && errno == ENOSYS)
                _exit(77);
        CHECK_OK(mempolicy_apply(&p, &err));
        /* the kernel wants room for all its nodes: 1024 at most */
        unsigned long mask[1024 / (8 * sizeof(long))] = { 0 };
        CHECK(syscall(SYS_get_mempolicy, &mode, mask, 1024, NULL, 0) == 0);
        nodes = mask[0];
        CHECK(mode == (2 | 1 << 15) && nodes == 1);
        CHECK_OK(mempolicy_apply(&plain, &err));
        CHECK(mempolicy_apply(&far, &error) < 0 && strncmp(error.msg, "linux.memoryPolicy: ", 20) == 0);
        far.nodes = "x";
        CHECK(mempolicy_apply(&far, &error) < 0 && error.kind == COR_INVALID);
}

static void a_memory_policy_is_set(void **state)
{
        int code = in_child(bind_memory, NULL);

        if (code == 77) {
                print_message("skipped: this kernel has no memory policies: runs on the CI machine\n");
                skip();
        }
        assert_int_equal(code, 0);
}

static void become_32_bit(void *data)
{
        struct oci_personality p = { .domain = PER_LINUX32 };

        CHECK_OK(personality_apply(&p, &err));
        CHECK((personality(0xffffffff) & PER_MASK) == PER_LINUX32);
}

static void the_execution_domain_is_set_and_flags_are_refused(void **state)
{
        const char *flags[] = { "ADDR_NO_RANDOMIZE" };
        struct oci_personality bad = { .flags = flags, .n_flags = 1 };
        struct cor_err err = { 0 };

        assert_int_equal(in_child(become_32_bit, NULL), 0);
        assert_int_equal(personality_apply(&bad, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
}

static void join_keyring(void *data)
{
        struct cor_err error = { 0 };
        char *text auto_free = NULL;
        int joined = keyring_join("_ses.coracle-test", &error);

        if (joined == 0)
                _exit(77);
        CHECK(joined == 1);
        CHECK_OK(cor_read_file("/proc/keys", 1 << 20, &text, NULL, &err));
        char *line = strstr(text, "_ses.coracle-test");
        CHECK(line);
        while (line > text && line[-1] != '\n')
                line--;
        CHECK(strstr(line, " 3f1b0000 "));
}

static void a_session_keyring_is_searchable_by_its_user(void **state)
{
        int code = in_child(join_keyring, NULL);

        if (code == 77) {
                print_message("skipped: no keyrings here: runs on the CI machine\n");
                skip();
        }
        assert_int_equal(code, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_policy_and_a_nice_value_are_set),
                cmocka_unit_test(an_impossible_policy_is_an_error),
                cmocka_unit_test(an_io_class_and_priority_are_set),
                cmocka_unit_test(affinity_is_set_and_taken_back),
                cmocka_unit_test(processors_that_are_not_there_are_an_error),
                cmocka_unit_test(limits_are_set),
                cmocka_unit_test(impossible_limits_name_themselves),
                cmocka_unit_test(a_memory_policy_is_set),
                cmocka_unit_test(the_execution_domain_is_set_and_flags_are_refused),
                cmocka_unit_test(a_session_keyring_is_searchable_by_its_user),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
