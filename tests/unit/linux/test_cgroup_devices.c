/* Device rules: what version 1 is told, and what the program of version 2 answers. A small interpreter runs it. */
#include "cgroup_tree.h"

#include "linux/device_bpf.h"

/* Run a program on one access; 1 allowed, 0 denied. It knows what device_bpf.c emits and fails on anything else. */
static int run(const struct bpf_insn *p, int n, const struct bpf_cgroup_dev_ctx *ctx)
{
        uint64_t r[11] = { 0 };

        for (int pc = 0, steps = 0; pc >= 0 && pc < n && steps < 100000; pc++, steps++) {
                const struct bpf_insn *i = &p[pc];
                uint64_t imm = (uint64_t)(int64_t)i->imm, *d = &r[i->dst_reg];
                uint32_t word;

                switch (i->code) {
                case BPF_LDX | BPF_MEM | BPF_W:
                        memcpy(&word, (const char *)ctx + i->off, sizeof word);
                        *d = word;
                        break;
                case BPF_ALU64 | BPF_MOV | BPF_X:
                        *d = r[i->src_reg];
                        break;
                case BPF_ALU64 | BPF_MOV | BPF_K:
                        *d = imm;
                        break;
                case BPF_ALU | BPF_AND | BPF_K:
                        *d = (uint32_t)*d & (uint32_t)imm;
                        break;
                case BPF_ALU | BPF_RSH | BPF_K:
                        *d = (uint32_t)*d >> imm;
                        break;
                case BPF_JMP | BPF_JNE | BPF_K:
                        pc += *d != imm ? i->off : 0;
                        break;
                case BPF_JMP | BPF_JEQ | BPF_K:
                        pc += *d == imm ? i->off : 0;
                        break;
                case BPF_JMP | BPF_EXIT:
                        return (int)r[0];
                default:
                        fail_msg("instruction %d has code %#x", pc, i->code);
                }
        }
        fail_msg("the program does not end");
        return -1;
}

static struct device_policy policy_of(const char *json)
{
        struct oci_resources *r = resources_of(json);
        struct device_policy p;

        assert_int_equal(device_policy_make(r, &p, NULL), 0);
        cor_json_free(r);
        return p;
}

static bool allowed(const struct device_policy *p, char type, uint32_t major, uint32_t minor, const char *access)
{
        static struct bpf_insn insns[DEVICE_BPF_MAX];
        uint32_t bits = (strchr(access, 'r') ? BPF_DEVCG_ACC_READ : 0) |
                        (strchr(access, 'w') ? BPF_DEVCG_ACC_WRITE : 0) |
                        (strchr(access, 'm') ? BPF_DEVCG_ACC_MKNOD : 0);
        const struct bpf_cgroup_dev_ctx ctx = {
                .access_type = bits << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
                .major = major,
                .minor = minor,
        };
        int n = device_bpf_build(p, insns, NULL);

        assert_true(n > 0);
        return run(insns, n, &ctx) == 1;
}

static void the_default_devices_are_always_there(void **state)
{
        COR_CLEANUP(device_policy_done) struct device_policy p =
                policy_of("{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}");

        assert_true(allowed(&p, 'c', 1, 3, "rw"));
        assert_true(allowed(&p, 'c', 5, 2, "rwm"));
        assert_true(allowed(&p, 'c', 136, 77, "rw"));
        assert_true(allowed(&p, 'c', 200, 1, "m"));
        assert_true(allowed(&p, 'b', 8, 0, "m"));
        assert_false(allowed(&p, 'b', 8, 0, "r"));
        assert_false(allowed(&p, 'b', 8, 0, "rm"));
        assert_false(allowed(&p, 'c', 1, 1, "r"));
        assert_false(allowed(&p, 'b', 1, 3, "r"));
        assert_false(allowed(&p, 'c', 10, 200, "rw")); /* tun */
}

static void no_rules_mean_the_defaults(void **state)
{
        COR_CLEANUP(device_policy_done) struct device_policy p = policy_of("{}");

        assert_true(allowed(&p, 'c', 1, 3, "rw"));
        assert_false(allowed(&p, 'c', 1, 1, "r"));
}

static void the_last_rule_decides(void **state)
{
        COR_CLEANUP(device_policy_done) struct device_policy p =
                policy_of("{\"devices\":[{\"allow\":true,\"type\":\"b\",\"major\":8,\"access\":\"rwm\"},"
                          "{\"allow\":false,\"type\":\"b\",\"major\":8,\"minor\":1,\"access\":\"w\"}]}");

        assert_true(allowed(&p, 'b', 8, 0, "rw"));
        assert_true(allowed(&p, 'b', 8, 1, "r"));
        assert_false(allowed(&p, 'b', 8, 1, "w"));
        assert_false(allowed(&p, 'b', 8, 1, "rw"));
}

static void access_may_come_from_several_rules(void **state)
{
        COR_CLEANUP(device_policy_done) struct device_policy p =
                policy_of("{\"devices\":[{\"allow\":true,\"type\":\"b\",\"major\":8,\"minor\":3,\"access\":\"r\"},"
                          "{\"allow\":true,\"type\":\"b\",\"major\":8,\"access\":\"w\"}]}");

        assert_true(allowed(&p, 'b', 8, 3, "rw"));
        assert_false(allowed(&p, 'b', 8, 4, "rw"));
        assert_true(allowed(&p, 'b', 8, 4, "w"));
}

static void everything_can_be_allowed_but_some(void **state)
{
        COR_CLEANUP(device_policy_done) struct device_policy p =
                policy_of("{\"devices\":[{\"allow\":true,\"access\":\"rwm\"},"
                          "{\"allow\":false,\"type\":\"c\",\"major\":10,\"minor\":200,\"access\":\"rwm\"}]}");

        assert_true(allowed(&p, 'b', 8, 0, "rwm"));
        assert_false(allowed(&p, 'c', 10, 200, "r"));
        assert_true(allowed(&p, 'c', 10, 201, "r"));
}

static void a_rule_for_all_forgets_those_before(void **state)
{
        COR_CLEANUP(device_policy_done) struct device_policy
                p = policy_of("{\"devices\":[{\"allow\":true,\"type\":\"b\",\"major\":8,\"access\":\"rwm\"},"
                              "{\"allow\":false,\"access\":\"rwm\"}]}"),
                all = policy_of("{\"devices\":[{\"allow\":true}]}");

        assert_false(allowed(&p, 'b', 8, 0, "r"));
        assert_true(all.allow);
        assert_int_equal(all.n_items, 0);
}

static void part_of_all_is_both_kinds(void **state)
{
        COR_CLEANUP(device_policy_done) struct device_policy p =
                policy_of("{\"devices\":[{\"allow\":true,\"access\":\"rwm\"},{\"allow\":false,\"access\":\"m\"}]}");

        assert_true(allowed(&p, 'b', 8, 0, "rw"));
        assert_true(allowed(&p, 'c', 9, 0, "rw"));
        assert_true(allowed(&p, 'c', 1, 3, "m")); /* a default device */
}

static void what_version_1_cannot_say_is_refused_there(void **state)
{
        COR_CLEANUP(device_policy_done) struct device_policy
                p = policy_of("{\"devices\":[{\"allow\":true,\"type\":\"b\",\"major\":8,\"access\":\"rwm\"},"
                              "{\"allow\":false,\"type\":\"b\",\"major\":8,\"minor\":1,\"access\":\"w\"}]}"),
                flat = { .allow = false };
        struct cor_err err = { 0 };

        assert_int_equal(device_policy_flat(&p, &flat, &err), -1);
        expect_error(&err, COR_INVALID, "cannot deny 'b 8:1 w' out of 'b 8:* rwm'");
}

static void version_1_gets_no_exception_from_an_exception(void **state)
{
        COR_CLEANUP(device_policy_done) struct device_policy
                p = policy_of("{\"devices\":[{\"allow\":true,\"type\":\"b\",\"major\":8,\"minor\":1,\"access\":\"rw\"},"
                              "{\"allow\":false,\"type\":\"b\",\"major\":8,\"access\":\"w\"}]}"),
                flat = { .allow = false };
        char text[64];

        assert_int_equal(device_policy_flat(&p, &flat, NULL), 0);
        device_rule_format(&flat.items[0], text, sizeof text);
        assert_string_equal(text, "b 8:1 r");
        for (size_t i = 0; i < flat.n_items; i++)
                assert_true(flat.items[i].allow);
}

static void odd_rules_are_refused(void **state)
{
        const struct oci_device_rule rules[] = { { .allow = true, .type = 'c', .access = "rx" },
                                                 { .allow = true, .type = 'c', .major = { true, -2 } },
                                                 { .allow = true, .type = 'b', .minor = { true, 1LL << 40 } } };

        for (size_t i = 0; i < COR_COUNT(rules); i++) {
                struct oci_device_rule rule = rules[i];
                const struct oci_resources r = { .devices = &rule, .n_devices = 1 };
                struct device_policy p;
                struct cor_err err = { 0 };

                assert_int_equal(device_policy_make(&r, &p, &err), -1);
                expect_error(&err, COR_INVALID, "linux.resources.devices[0]");
        }
}

static void too_many_rules_are_refused(void **state)
{
        static struct bpf_insn insns[DEVICE_BPF_MAX];
        static struct oci_device_rule rules[2000];
        const struct oci_resources r = { .devices = rules, .n_devices = COR_COUNT(rules) };
        COR_CLEANUP(device_policy_done) struct device_policy p = { .allow = false };
        struct cor_err err = { 0 };

        for (size_t i = 0; i < COR_COUNT(rules); i++)
                rules[i] = (struct oci_device_rule){
                        .allow = true, .type = 'c', .major = { true, (int64_t)i }, .access = "r"
                };
        assert_int_equal(device_policy_make(&r, &p, NULL), 0);
        assert_int_equal(device_bpf_build(&p, insns, &err), -1);
        expect_error(&err, COR_INVALID, "too many rules");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_default_devices_are_always_there),
                cmocka_unit_test(no_rules_mean_the_defaults),
                cmocka_unit_test(the_last_rule_decides),
                cmocka_unit_test(access_may_come_from_several_rules),
                cmocka_unit_test(everything_can_be_allowed_but_some),
                cmocka_unit_test(a_rule_for_all_forgets_those_before),
                cmocka_unit_test(part_of_all_is_both_kinds),
                cmocka_unit_test(what_version_1_cannot_say_is_refused_there),
                cmocka_unit_test(version_1_gets_no_exception_from_an_exception),
                cmocka_unit_test(odd_rules_are_refused),
                cmocka_unit_test(too_many_rules_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
