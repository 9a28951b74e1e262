#include "runtime/criu_wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The expected bytes follow from protobuf's encoding and the numbers in criu's rpc.proto. */
#define EXPECT(TEXT, BYTES)                                                                                            \
        do {                                                                                                           \
                assert_int_equal((TEXT).len, sizeof(BYTES) - 1);                                                       \
                assert_memory_equal((TEXT).s, BYTES, sizeof(BYTES) - 1);                                               \
        } while (0)

static void numbers_are_written_seven_bits_at_a_time(void **state)
{
        auto_text t = COR_TEXT_INIT;

        criu_add_int(&t, 2, 1);
        criu_add_int(&t, 2, 300);
        criu_add_int(&t, 34, 0);
        criu_add_int(&t, 17, -1); /* an int32 below zero takes ten bytes */
        EXPECT(t, "\x10\x01\x10\xac\x02\x90\x02\x00\x88\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

static void what_is_not_set_is_left_out(void **state)
{
        auto_text t = COR_TEXT_INIT;

        criu_add_str(&t, CRIU_LSM_PROFILE, NULL);
        criu_add_bool(&t, CRIU_SHELL_JOB, false);
        assert_int_equal(t.len, 0);
        criu_add_bool(&t, CRIU_SHELL_JOB, true);
        criu_add_str(&t, CRIU_ROOT, "");
        EXPECT(t, "\x38\x01\x6a\x00");
}

static void messages_are_nested(void **state)
{
        auto_text opts = COR_TEXT_INIT;
        auto_text t = COR_TEXT_INIT;

        criu_add_str(&opts, CRIU_ROOT, "/r");
        criu_add_pair(&opts, CRIU_EXT_MNT, "/a", "/b");
        criu_add_key(&opts, CRIU_INHERIT_FD, "pipe:[7]", 1);
        criu_request(&t, CRIU_DUMP, &opts);
        EXPECT(t, "\x08\x01\x12\x1e\x6a\x02/r\xba\x01\x08\x0a\x02/a\x12\x02/b\xda\x01\x0c\x0a\x08pipe:[7]\x10\x01");
}

static void a_notification_is_answered(void **state)
{
        auto_text t = COR_TEXT_INIT;

        criu_request_notified(&t);
        EXPECT(t, "\x08\x06\x18\x01");
}

static void parse(const char *bytes, size_t n, struct criu_reply *ret)
{
        struct cor_err err = { 0 };

        if (criu_reply_parse(bytes, n, ret, &err) < 0)
                fail_msg("%s", err.msg);
}
#define PARSE(BYTES, REPLY) parse(BYTES, sizeof(BYTES) - 1, REPLY)

static void replies_are_read(void **state)
{
        struct criu_reply r;

        PARSE("\x08\x02\x10\x01\x22\x03\x08\xd2\x09", &r);
        assert_int_equal(r.type, CRIU_RESTORE);
        assert_true(r.success);
        assert_int_equal(r.pid, 1234);

        PARSE("\x08\x06\x10\x01\x2a\x0f\x0a\x0bnetwork-loc\x10\x05", &r);
        assert_int_equal(r.type, CRIU_NOTIFY);
        assert_string_equal(r.script, "network-loc");
        assert_int_equal(r.pid, 5);

        PARSE("\x08\x01\x10\x00\x38\x0d\x4a\x08no luck\n", &r);
        assert_false(r.success);
        assert_int_equal(r.sys, EACCES);
        assert_string_equal(r.message, "no luck");
}

static void fields_of_newer_versions_are_passed_over(void **state)
{
        struct criu_reply r;

        /* a version, a fixed64, a fixed32 */
        PARSE("\x52\x04\x08\x03\x10\x11\xa1\x06\x01\x02\x03\x04\x05\x06\x07\x08\xad\x06\x01\x02\x03\x04\x08\x01\x10"
              "\x01",
              &r);
        assert_int_equal(r.type, CRIU_DUMP);
        assert_true(r.success);
}

static void long_texts_are_cut(void **state)
{
        auto_text inner = COR_TEXT_INIT;
        auto_text t = COR_TEXT_INIT;
        struct criu_reply r;
        char text[1000];

        memset(text, 'x', sizeof text - 1);
        text[sizeof text - 1] = '\0';
        criu_add_str(&inner, 1, text);
        criu_add_message(&t, 5, &inner);
        criu_add_str(&t, 9, text);
        parse(t.s, t.len, &r);
        assert_int_equal(strlen(r.script), sizeof r.script - 1);
        assert_int_equal(strlen(r.message), sizeof r.message - 1);
}

static void what_is_no_message_is_refused(void **state)
{
        static const struct {
                const char *bytes;
                size_t n;
        } bad[] = {
                { "", 0 },
                { "\x08", 1 },                                              /* a key without a value */
                { "\x08\x80", 2 },                                          /* a number that does not end */
                { "\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12 }, /* … or is too long */
                { "\x4a\x05xx", 4 },                                        /* less text than announced */
                { "\x4a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 },
                { "\x2a\x02\x0a\x05", 4 }, /* the same one level down */
                { "\x0b", 1 },             /* groups are not used */
                { "\xa1\x06\x01", 3 },
        };

        for (size_t i = 0; i < COR_COUNT(bad); i++) {
                struct criu_reply r = { .pid = 77 };
                struct cor_err err = { 0 };

                if (criu_reply_parse(bad[i].bytes, bad[i].n, &r, &err) != -1)
                        fail_msg("number %zu was taken", i);
                assert_int_equal(err.kind, COR_INVALID);
                assert_int_equal(r.pid, 77);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(numbers_are_written_seven_bits_at_a_time),
                cmocka_unit_test(what_is_not_set_is_left_out),
                cmocka_unit_test(messages_are_nested),
                cmocka_unit_test(a_notification_is_answered),
                cmocka_unit_test(replies_are_read),
                cmocka_unit_test(fields_of_newer_versions_are_passed_over),
                cmocka_unit_test(long_texts_are_cut),
                cmocka_unit_test(what_is_no_message_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
