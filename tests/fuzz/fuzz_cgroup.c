/* Device rules of all kinds through everything that is made from them, and the lists that the kernel shows. */
#include "linux/cgroup_priv.h"

#include "linux/device_bpf.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct device_policy *p)
{
        static struct bpf_insn insns[DEVICE_BPF_MAX];
        COR_CLEANUP(device_policy_done) struct device_policy flat = { .allow = false };

        if (device_bpf_build(p, insns, NULL) == 0)
                abort();
        if (device_policy_flat(p, &flat, NULL) < 0)
                return;
        for (size_t i = 0; i < flat.n_items; i++)
                if (flat.items[i].allow == flat.allow || !flat.items[i].access)
                        abort();
}

/* Four bytes for each rule: small numbers, so that rules meet. */
static void rules(const uint8_t *data, size_t size)
{
        static const char *const access[] = { "r", "w", "m", "rw", "rwm", "", NULL, "x" };
        struct oci_device_rule items[64];
        struct oci_resources r = { .devices = items };
        COR_CLEANUP(device_policy_done) struct device_policy p = { .allow = false };

        for (; r.n_devices < COR_COUNT(items) && size >= 4; data += 4, size -= 4)
                items[r.n_devices++] = (struct oci_device_rule){
                        .allow = data[0] & 1,
                        .type = "abc"[data[0] / 2 % 3],
                        .major = { .set = data[1] & 1, .value = data[1] / 2 % 4 - 1 },
                        .minor = { .set = data[2] & 1, .value = data[2] / 2 % 4 - 1 },
                        .access = access[data[3] % COR_COUNT(access)],
                };
        if (device_policy_make(&r, &p, NULL) == 0)
                use(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        auto_str text = cor_strndup((const char *)data, size);
        COR_CLEANUP(device_policy_done) struct device_policy p = { .allow = false };
        uint8_t bits[64];

        rules(data, size);
        (void)!cgroup_cpulist_bits(text, bits, sizeof bits, NULL);
        if (device_policy_parse_list(text, &p, NULL) == 0)
                use(&p);
        return 0;
}
