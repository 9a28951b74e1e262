/*
 * Programs from outside: the bytes as a cache file, and as an annotation in base64. Whatever is accepted must run to a
 * return within its own length.
 */
#include "../unit/linux/bpf_sim.h"
#include "linux/seccomp_internal.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const struct sock_filter *items, size_t n_items)
{
        struct seccomp_data call = { .nr = 1, .arch = 2, .args = { 3, 4, 5, 6, 7, 8 } };
        bool notifies;

        if (seccomp_bpf_check(items, n_items, &notifies, NULL) == 0)
                assert(bpf_sim_run(items, n_items, &call, NULL) >= 0);
}

/* As the file of an empty profile. */
static void as_cache_file(const uint8_t *data, size_t size)
{
        struct oci_seccomp profile = { .default_action = "SCMP_ACT_ALLOW" };
        auto_seccomp_cache_key key = { 0 };
        auto_free char *bytes = cor_alloc(size + 8);
        const struct sock_filter *items;
        size_t n_items;

        seccomp_cache_key_make(&profile, false, &key);
        memcpy(bytes, data, size);
        if (seccomp_cache_parse(bytes, size, &key, &items, &n_items))
                run(items, n_items);
}

static void as_annotation(const uint8_t *data, size_t size)
{
        auto_seccomp_program program = SECCOMP_PROGRAM_INIT;
        auto_str text = cor_strndup((const char *)data, size);
        struct cor_err err = { 0 };

        if (seccomp_bpf_decode(text, &program, &err) == 0)
                run(program.items, program.n_items);
        else
                assert(err.msg[0]);
}

static void as_program(const uint8_t *data, size_t size)
{
        size_t n_items = size / sizeof(struct sock_filter);
        auto_free struct sock_filter *items = cor_realloc_array(NULL, n_items, sizeof *items);

        memcpy(items, data, n_items * sizeof *items);
        run(items, n_items);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        as_cache_file(data, size);
        as_annotation(data, size);
        as_program(data, size);
        return 0;
}
