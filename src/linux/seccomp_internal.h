#ifndef CORACLE_LINUX_SECCOMP_INTERNAL_H
#define CORACLE_LINUX_SECCOMP_INTERNAL_H
/* What the files of seccomp share with each other and with their tests; users of filters need linux/seccomp.h only. */
#include "linux/seccomp.h"
#include "spec/oci.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>

enum {
        SECCOMP_MAX_ITEMS = BPF_MAXINSNS, /* instructions, the kernel's limit */
        SECCOMP_MAX_RULES = 4096,         /* rules handed to libseccomp, which gets slow long before that */
        SECCOMP_MAX_CALLS = 65536,        /* names in all rules */
};

/* --- seccomp_words.c: the names in the profile --- */

/* seccomp_action_parse() - SCMP_ACT_… and errnoRet to libseccomp's action; @where names both keys' owner in errors */
int seccomp_action_parse(const char *word, const struct cor_opt_u64 *errno_ret, const char *where, uint32_t *ret,
                         struct cor_err *err) COR_MUST_CHECK;
/* seccomp_operator_find() - SCMP_CMP_… to libseccomp's scmp_compare, or -1 */
int seccomp_operator_find(const char *word);
/* seccomp_arch_find() - SCMP_ARCH_… to libseccomp's token; 0 if this libseccomp lacks it, -1 if there is no such name
 */
int64_t seccomp_arch_find(const char *word);
/* seccomp_flags_make() - the flags of the profile for a program that notifies or does not */
int seccomp_flags_make(const struct oci_seccomp *profile, bool notifies, unsigned *ret, struct cor_err *err)
        COR_MUST_CHECK;

/* --- seccomp_bpf.c: programs as bytes --- */

/*
 * seccomp_bpf_check() - the program is one that the kernel would take: known instructions, loads inside struct
 * seccomp_data, jumps inside the program, a return at its end. *ret_notifies: it can ask a listener.
 */
int seccomp_bpf_check(const struct sock_filter *items, size_t n_items, bool *ret_notifies, struct cor_err *err)
        COR_MUST_CHECK;
/* seccomp_bpf_decode() - a checked program from base64 into @ret (items and memory) */
int seccomp_bpf_decode(const char *base64, struct seccomp_program *ret, struct cor_err *err) COR_MUST_CHECK;

/* --- seccomp_rules.c --- */

/* One name of one rule. */
struct seccomp_call {
        const char *name;
        const struct oci_seccomp_rule *rule;
        int nr; /* libseccomp's for our own architecture: below 0 if it has no such call */
        uint32_t action;
        bool plain; /* the number alone decides, on all architectures */
};

struct seccomp_rules {
        struct seccomp_call *calls; /* in the order of the profile; names that libseccomp does not know are left out */
        size_t n_calls;
        uint32_t default_action;
        bool fail_unknown;
};

/* seccomp_rules_read() - check the rules and list their calls in @ret, zeroed before; seccomp_rules_done() in any case
 */
int seccomp_rules_read(const struct oci_seccomp *profile, bool fail_unknown, struct seccomp_rules *ret,
                       struct cor_err *err) COR_MUST_CHECK;
/* seccomp_rules_sort() - find out which calls are plain */
void seccomp_rules_sort(struct seccomp_rules *rules, const uint32_t *archs, size_t n_archs);
/* seccomp_call_is_folded() - some architectures fold this call into socketcall or ipc; libseccomp knows how */
bool seccomp_call_is_folded(const char *name);
void seccomp_rules_done(struct seccomp_rules *rules);

/* --- seccomp_front.c --- */

struct seccomp_front {
        const struct seccomp_call *calls;
        size_t n_calls;
        const uint32_t *archs; /* libseccomp's tokens, each once */
        size_t n_archs;
        uint32_t default_action;
};

/* seccomp_front_can_hold() - the call's number on @arch is one that the front can decide about */
bool seccomp_front_can_hold(const char *name, uint32_t arch);
/*
 * seccomp_front_make() - the head of the program, which decides about plain calls and about newer ones; the
 * instructions that follow it decide about all others. A @coarse one knows newer calls only. Their count, or 0 if it
 * cannot be done, or if there is nothing to do.
 */
size_t seccomp_front_make(const struct seccomp_front *front, bool coarse, struct sock_filter items[SECCOMP_MAX_ITEMS]);

/* --- seccomp_compile.c --- */

/* seccomp_compile() - the program of the profile's rules (items and memory), never from the cache */
int seccomp_compile(const struct oci_seccomp *profile, bool fail_unknown, struct seccomp_program *ret,
                    struct cor_err *err) COR_MUST_CHECK;

/* --- seccomp_cache.c --- */

/* What a program depends on, as bytes; equal keys mean equal programs. */
struct seccomp_cache_key {
        struct cor_text bytes; /* padded to a multiple of 8 */
        char name[24];         /* of the file */
};
void seccomp_cache_key_make(const struct oci_seccomp *profile, bool fail_unknown, struct seccomp_cache_key *ret);
void seccomp_cache_key_done(struct seccomp_cache_key *key);
#define auto_seccomp_cache_key COR_CLEANUP(seccomp_cache_key_done) struct seccomp_cache_key

/* seccomp_cache_load() - fill @ret (items and memory) if the cache has the program; failures are misses */
bool seccomp_cache_load(int dirfd, const struct seccomp_cache_key *key, struct seccomp_program *ret);
/* seccomp_cache_store() - keep a program; failures are ignored */
void seccomp_cache_store(int dirfd, const struct seccomp_cache_key *key, const struct seccomp_program *program);
/* seccomp_cache_parse() - a cache file's bytes, 8-aligned: true if it is whole, sound, and made for @key */
bool seccomp_cache_parse(const void *bytes, size_t len, const struct seccomp_cache_key *key,
                         const struct sock_filter **ret_items, size_t *ret_n_items);

#endif
