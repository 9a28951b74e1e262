/* linux.seccomp as JSON: parsed, compiled, and the program run by hand. What passes the checks must be a sound program.
 */
#include "../unit/linux/bpf_sim.h"
#include "linux/seccomp_internal.h"

#include <assert.h>
#include <linux/audit.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const struct seccomp_program *p, uint32_t arch, uint32_t nr, uint64_t arg)
{
        struct seccomp_data call = { .nr = (int)nr, .arch = arch, .args = { arg, arg, arg, arg, arg, arg } };

        assert(bpf_sim_run(p->items, p->n_items, &call, NULL) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const uint32_t archs[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_RISCV64, AUDIT_ARCH_ARM, 0 };
        static const uint32_t numbers[] = {
                0, 1, 102, 220, 439, 511, 512, 1023, 1024, 0xf0005, 0x40000001, UINT32_MAX
        };
        struct seccomp_options opts = SECCOMP_OPTIONS_INIT;
        auto_seccomp_program program = SECCOMP_PROGRAM_INIT;
        auto_seccomp_cache_key key = { 0 };
        auto_json struct oci_seccomp *profile = NULL;
        struct cor_err err = { 0 };

        if (cor_json_parse(&oci_seccomp_doc, (const char *)data, size, "linux.seccomp", &profile, &err) < 0) {
                assert(err.kind != COR_OK && err.msg[0]);
                return 0;
        }
        opts.listener_path = "/nowhere";
        seccomp_cache_key_make(profile, false, &key);
        if (seccomp_program_make(profile, &opts, &program, &err) < 0) {
                assert(err.kind != COR_OK && err.msg[0]);
                return 0;
        }
        for (size_t i = 0; i < COR_COUNT(archs); i++)
                for (size_t k = 0; k < COR_COUNT(numbers); k++)
                        run(&program, archs[i], numbers[k], numbers[k] ^ (uint64_t)archs[i] << 32);
        return 0;
}
