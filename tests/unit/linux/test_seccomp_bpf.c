/* Programs as data: what is taken, what is refused, and the base64 form of an annotation. */
#include "linux/seccomp_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RET(k)           BPF_STMT(BPF_RET | BPF_K, k)
#define CHECK(...)       check((struct sock_filter[]){ __VA_ARGS__ }, COR_COUNT(((struct sock_filter[]){ __VA_ARGS__ })))
#define ALLOW_BASE64     "BgAAAAAA/38=" /* one instruction: return SECCOMP_RET_ALLOW, little-endian */
#define TWO_ALLOW_BASE64 "BgAAAAAA/38GAAAAAAD/fw=="

static int check(const struct sock_filter *items, size_t n)
{
        bool notifies = false;

        return seccomp_bpf_check(items, n, &notifies, NULL) < 0 ? -1 : notifies;
}

static void sound_programs_pass(void **state)
{
        struct sock_filter longest[SECCOMP_MAX_ITEMS];

        assert_int_equal(CHECK(RET(SECCOMP_RET_ALLOW)), 0);
        assert_int_equal(CHECK(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 60), BPF_STMT(BPF_RET | BPF_A, 0)), 0);
        assert_int_equal(CHECK(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1), RET(0), RET(1)), 0);
        assert_int_equal(CHECK(BPF_STMT(BPF_JMP | BPF_JA, 1), RET(0), RET(1)), 0);
        for (size_t i = 0; i < COR_COUNT(longest); i++)
                longest[i] = (struct sock_filter)RET(0);
        assert_int_equal(check(longest, SECCOMP_MAX_ITEMS), 0);
}

static void a_program_that_notifies_is_known_by_its_returns(void **state)
{
        assert_int_equal(CHECK(RET(SECCOMP_RET_USER_NOTIF)), 1);
        assert_int_equal(CHECK(RET(SECCOMP_RET_USER_NOTIF | 5), RET(0)), 1);
        assert_int_equal(CHECK(BPF_STMT(BPF_LD | BPF_IMM, SECCOMP_RET_USER_NOTIF), RET(SECCOMP_RET_TRACE)), 0);
}

static void unsound_programs_are_refused(void **state)
{
        struct sock_filter too_long[SECCOMP_MAX_ITEMS + 1] = { 0 };

        for (size_t i = 0; i < COR_COUNT(too_long); i++)
                too_long[i] = (struct sock_filter)RET(0);
        assert_int_equal(check(too_long, 0), -1);
        assert_int_equal(check(too_long, COR_COUNT(too_long)), -1);
        assert_int_equal(CHECK(BPF_STMT(BPF_LD | BPF_IMM, 0)), -1); /* no return at the end */
        assert_int_equal(CHECK(RET(0), BPF_STMT(BPF_MISC | BPF_TAX, 0)), -1);
        assert_int_equal(CHECK(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 2), RET(0), RET(1)), -1);
        assert_int_equal(CHECK(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 2, 0), RET(0), RET(1)), -1);
        assert_int_equal(CHECK(BPF_STMT(BPF_JMP | BPF_JA, 2), RET(0), RET(1)), -1);
        assert_int_equal(CHECK(BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX), RET(0)), -1); /* a jump back */
        assert_int_equal(CHECK(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), RET(0)), -1);
        assert_int_equal(CHECK(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), RET(0)), -1);
        assert_int_equal(CHECK(BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), RET(0)), -1);
        assert_int_equal(CHECK(BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), RET(0)), -1);
        assert_int_equal(CHECK(BPF_STMT(BPF_ST, BPF_MEMWORDS), RET(0)), -1);
        assert_int_equal(CHECK(BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RET(0)), -1);
        assert_int_equal(CHECK(BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), RET(0)), -1);
        assert_int_equal(CHECK(BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), RET(0)), -1);
        assert_int_equal(CHECK({ .code = 0x100 | BPF_RET, .k = 0 }, RET(0)), -1);
        assert_int_equal(CHECK({ .code = 0x100 | BPF_JMP | BPF_JEQ, .k = 0 }, RET(0)), -1);
        assert_int_equal(CHECK({ .code = BPF_JMP | 0x50, .k = 0 }, RET(0)), -1);
}

static int decode(const char *text, struct cor_err *err)
{
        auto_seccomp_program p = SECCOMP_PROGRAM_INIT;

        return seccomp_bpf_decode(text, &p, err) < 0 ? -1 : (int)p.n_items;
}

static void base64_is_read_strictly(void **state)
{
        auto_seccomp_program p = SECCOMP_PROGRAM_INIT;
        struct cor_err err = { 0 };
        auto_free char *huge = cor_alloc(50000);

        assert_int_equal(seccomp_bpf_decode(ALLOW_BASE64, &p, &err), 0);
        assert_int_equal(p.n_items, 1);
        assert_memory_equal(p.items, ((uint8_t[]){ 6, 0, 0, 0, 0, 0, 0xff, 0x7f }), 8);
        assert_int_equal(decode(TWO_ALLOW_BASE64, &err), 2);

        assert_int_equal(decode("", &err), -1);
        assert_int_equal(decode("BgAAAAAA/38", &err), -1);
        assert_string_equal(err.msg, "not base64");
        assert_int_equal(decode("BgAAAAAA/3.=", &err), -1);
        assert_int_equal(decode("====", &err), -1);
        assert_int_equal(decode("BgAAAAAA\n/38=", &err), -1);
        assert_int_equal(decode("BgAAAAAA", &err), -1);
        assert_string_equal(err.msg, "6 bytes, expected a multiple of 8 (instructions)");
        memset(huge, 'A', 49999);
        assert_int_equal(decode(huge, &err), -1);
        assert_string_equal(err.msg, "expected 1 to 4096 instructions in base64");
}

static void a_ready_program_replaces_the_rules(void **state)
{
        struct cor_pair data = { "run.oci.seccomp_bpf_data", ALLOW_BASE64 };
        struct oci_seccomp profile = { .default_action = "SCMP_ACT_ERRNO" };
        struct seccomp_options opts = SECCOMP_OPTIONS_INIT;
        auto_seccomp_program p = SECCOMP_PROGRAM_INIT;
        struct cor_err err = { 0 };

        assert_int_equal(seccomp_options_read(&data, 1, &opts, &err), 0);
        assert_int_equal(seccomp_program_make(&profile, &opts, &p, &err), 0);
        assert_int_equal(p.n_items, 1);
        seccomp_program_done(&p);
        assert_int_equal(seccomp_program_make(NULL, &opts, &p, &err), 0);
        seccomp_program_done(&p);

        opts.bpf_base64 = "FQAAAAAAAAA="; /* a jump at the end */
        assert_int_equal(seccomp_program_make(&profile, &opts, &p, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_non_null(strstr(err.msg, "instruction 0 is not valid"));
}

static void a_receiver_must_be_an_absolute_path(void **state)
{
        struct cor_pair receiver = { "run.oci.seccomp.receiver", "sock" };
        struct seccomp_options opts = SECCOMP_OPTIONS_INIT;
        struct cor_err err = { 0 };

        assert_int_equal(seccomp_options_read(&receiver, 1, &opts, &err), -1);
        assert_string_equal(err.msg,
                            "annotations[\"run.oci.seccomp.receiver\"]: expected an absolute path, found \"sock\"");
        receiver.value = "/run/agent";
        assert_int_equal(seccomp_options_read(&receiver, 1, &opts, &err), 0);
        assert_string_equal(opts.listener_path, "/run/agent");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(sound_programs_pass),
                cmocka_unit_test(a_program_that_notifies_is_known_by_its_returns),
                cmocka_unit_test(unsound_programs_are_refused),
                cmocka_unit_test(base64_is_read_strictly),
                cmocka_unit_test(a_ready_program_replaces_the_rules),
                cmocka_unit_test(a_receiver_must_be_an_absolute_path),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
