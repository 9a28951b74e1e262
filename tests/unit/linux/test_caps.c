#include "linux/caps.h"

#include <linux/capability.h>
#include <sys/prctl.h>

#include "child.h"

#define BIT(n) (UINT64_C(1) << (n))

static void names_are_read_in_any_case_with_and_without_prefix(void **state)
{
        assert_int_equal(caps_number("CAP_CHOWN"), 0);
        assert_int_equal(caps_number("chown"), 0);
        assert_int_equal(caps_number("Cap_Sys_Admin"), CAP_SYS_ADMIN);
        assert_int_equal(caps_number("CAP_"), -1);
        assert_int_equal(caps_number(""), -1);
        assert_int_equal(caps_number("CAP_CAP_CHOWN"), -1);
        assert_int_equal(caps_number("CAP_CHOWN2"), -1);
}

static void every_number_has_its_name(void **state)
{
        int n = 0;

        for (; caps_name(n); n++)
                assert_int_equal(caps_number(caps_name(n)), n);
        assert_int_equal(n, CAP_LAST_CAP + 1);
        assert_string_equal(caps_name(CAP_SYS_PTRACE), "CAP_SYS_PTRACE");
        assert_null(caps_name(-1));
        assert_true(caps_known() & BIT(CAP_SYS_ADMIN));
}

static void unknown_names_are_collected_once(void **state)
{
        const char *bounding[] = { "CAP_FOO", "CAP_KILL", "CAP_FO" }, *permitted[] = { "CAP_FOO" };
        struct oci_caps c = { .bounding = bounding, .n_bounding = 3, .permitted = permitted, .n_permitted = 1 };
        auto_text unknown = COR_TEXT_INIT;
        struct caps caps;

        caps_parse(&c, &caps, &unknown);
        assert_int_equal(caps.bounding, BIT(CAP_KILL));
        assert_int_equal(caps.permitted, 0);
        assert_string_equal(unknown.s, "CAP_FOO, CAP_FO");
}

static void ambient_needs_permitted_and_inheritable(void **state)
{
        const char *kill[] = { "CAP_KILL", "CAP_CHOWN" };
        struct oci_caps c = { .permitted = kill,
                              .n_permitted = 2,
                              .inheritable = kill,
                              .n_inheritable = 1,
                              .ambient = kill,
                              .n_ambient = 2 };
        auto_text unknown = COR_TEXT_INIT;
        struct caps caps;

        caps_parse(&c, &caps, &unknown);
        assert_int_equal(caps.ambient, BIT(CAP_KILL));
        assert_int_equal(unknown.len, 0);
}

static void no_section_means_no_capabilities(void **state)
{
        struct caps caps = { .bounding = 1 };

        caps_parse(NULL, &caps, NULL);
        assert_int_equal(caps.bounding | caps.effective | caps.permitted | caps.inheritable | caps.ambient, 0);
}

static void sets_are_printed_by_name(void **state)
{
        auto_text out = COR_TEXT_INIT;

        caps_format(BIT(CAP_CHOWN) | BIT(CAP_BPF) | BIT(60), &out);
        assert_string_equal(out.s, "CAP_CHOWN, CAP_BPF, 60");
}

static void become_uid_1000(void *data)
{
        struct caps want = { .bounding = BIT(CAP_KILL) | BIT(CAP_CHOWN),
                             .permitted = BIT(CAP_KILL) | BIT(CAP_CHOWN),
                             .effective = BIT(CAP_KILL),
                             .inheritable = BIT(CAP_KILL),
                             .ambient = BIT(CAP_KILL) };
        struct caps now;

        CHECK_OK(caps_drop_bounding(want.bounding, &err));
        CHECK_OK(caps_keep(&err));
        CHECK(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
        CHECK_OK(caps_apply(&want, NULL, &err));
        CHECK_OK(caps_current(true, &now, &err));
        CHECK(memcmp(&now, &want, sizeof now) == 0);
}

static void all_five_sets_arrive_at_another_user(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(become_uid_1000, NULL), 0);
}

static void lose_ambient(void *data)
{
        struct caps with = { .bounding = BIT(CAP_KILL),
                             .permitted = BIT(CAP_KILL),
                             .inheritable = BIT(CAP_KILL),
                             .ambient = BIT(CAP_KILL) };
        struct caps none = { 0 }, now;

        CHECK_OK(caps_apply(&with, NULL, &err));
        CHECK_OK(caps_current(true, &now, &err));
        CHECK(now.ambient == BIT(CAP_KILL));
        CHECK_OK(caps_apply(&none, NULL, &err));
        CHECK_OK(caps_current(true, &now, &err));
        CHECK(now.ambient == 0 && now.permitted == 0 && now.inheritable == 0);
}

static void ambient_is_emptied_first(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(lose_ambient, NULL), 0);
}

static void ask_for_what_is_missing(void *data)
{
        struct caps less = { .bounding = BIT(CAP_KILL) | BIT(CAP_SETPCAP),
                             .permitted = BIT(CAP_KILL) | BIT(CAP_SETPCAP),
                             .effective = BIT(CAP_SETPCAP) };
        struct caps more = { .bounding = ~UINT64_C(0),
                             .permitted = BIT(CAP_KILL) | BIT(CAP_SYS_ADMIN),
                             .effective = BIT(CAP_KILL) | BIT(CAP_SYS_ADMIN),
                             .inheritable = BIT(CAP_SYS_ADMIN) };
        struct caps now;
        uint64_t left_out = 0;

        CHECK_OK(caps_drop_bounding(less.bounding, &err));
        CHECK_OK(caps_apply(&less, NULL, &err));
        CHECK_OK(caps_apply(&more, &left_out, &err));
        CHECK(left_out == BIT(CAP_SYS_ADMIN));
        CHECK_OK(caps_current(true, &now, &err));
        CHECK(now.permitted == BIT(CAP_KILL) && now.effective == BIT(CAP_KILL) && now.inheritable == 0);
        CHECK(now.bounding == less.bounding);
}

static void what_the_caller_lacks_is_left_out_and_reported(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(ask_for_what_is_missing, NULL), 0);
}

static void inherit_outside_of_bounding(void *data)
{
        struct caps want = { .bounding = BIT(CAP_KILL),
                             .permitted = BIT(CAP_KILL) | BIT(CAP_CHOWN),
                             .inheritable = BIT(CAP_KILL) | BIT(CAP_CHOWN) };
        uint64_t left_out = 0;
        struct caps now;

        CHECK_OK(caps_drop_bounding(want.bounding, &err));
        CHECK_OK(caps_apply(&want, &left_out, &err));
        CHECK_OK(caps_current(false, &now, &err));
        CHECK(now.inheritable == BIT(CAP_KILL) && left_out == BIT(CAP_CHOWN));
}

static void inheritable_stays_within_bounding(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(inherit_outside_of_bounding, NULL), 0);
}

static void drop_without_the_right(void *data)
{
        struct caps none = { 0 }, before, after;

        CHECK_OK(caps_apply(&none, NULL, &err));
        CHECK_OK(caps_current(true, &before, &err));
        CHECK_OK(caps_drop_bounding(0, &err));
        CHECK_OK(caps_current(true, &after, &err));
        CHECK(before.bounding == after.bounding);
}

static void without_setpcap_the_bounding_set_stays(void **state)
{
        assert_int_equal(in_child(drop_without_the_right, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_are_read_in_any_case_with_and_without_prefix),
                cmocka_unit_test(every_number_has_its_name),
                cmocka_unit_test(unknown_names_are_collected_once),
                cmocka_unit_test(ambient_needs_permitted_and_inheritable),
                cmocka_unit_test(no_section_means_no_capabilities),
                cmocka_unit_test(sets_are_printed_by_name),
                cmocka_unit_test(all_five_sets_arrive_at_another_user),
                cmocka_unit_test(ambient_is_emptied_first),
                cmocka_unit_test(what_the_caller_lacks_is_left_out_and_reported),
                cmocka_unit_test(inheritable_stays_within_bounding),
                cmocka_unit_test(without_setpcap_the_bounding_set_stays),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
