/* The cache of programs: what hits, what misses, and that nothing doubtful is ever used. */
#include "linux/seccomp_internal.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
        char path[64];
        int dirfd; /* the cache, "cache" in path */
        struct oci_seccomp_rule rule;
        struct oci_seccomp profile;
        struct seccomp_cache_key key;
};

static const char *const NAMES[] = { "read", "write", NULL };

static int setup(void **state)
{
        struct place *p = cor_alloc(sizeof *p);

        strcpy(p->path, "/tmp/coracle-seccomp-XXXXXX");
        if (!mkdtemp(p->path))
                return -1;
        p->dirfd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (p->dirfd < 0)
                return -1;
        p->rule = (struct oci_seccomp_rule){ .names = (const char **)(uintptr_t)NAMES,
                                             .n_names = 2,
                                             .action = "SCMP_ACT_ALLOW" };
        p->profile = (struct oci_seccomp){ .default_action = "SCMP_ACT_ERRNO", .syscalls = &p->rule, .n_syscalls = 1 };
        seccomp_cache_key_make(&p->profile, false, &p->key);
        *state = p;
        return 0;
}

static int teardown(void **state)
{
        struct place *p = *state;
        char command[128];

        snprintf(command, sizeof command, "rm -rf %s", p->path);
        seccomp_cache_key_done(&p->key);
        close(p->dirfd);
        free(p);
        return system(command);
}

static void fill(struct place *p)
{
        struct seccomp_options opts = { .cache_dirfd = p->dirfd };
        auto_seccomp_program program = SECCOMP_PROGRAM_INIT;
        struct cor_err err = { 0 };

        if (seccomp_program_make(&p->profile, &opts, &program, &err) < 0)
                fail_msg("%s", err.msg);
}

static bool hits(struct place *p)
{
        auto_seccomp_program program = SECCOMP_PROGRAM_INIT;

        return seccomp_cache_load(p->dirfd, &p->key, &program);
}

static void a_program_is_found_again_and_is_the_same(void **state)
{
        struct place *p = *state;
        auto_seccomp_program compiled = SECCOMP_PROGRAM_INIT, found = SECCOMP_PROGRAM_INIT;

        assert_false(hits(p));
        fill(p);
        assert_true(seccomp_cache_load(p->dirfd, &p->key, &found));
        assert_int_equal(seccomp_compile(&p->profile, false, &compiled, NULL), 0);
        assert_int_equal(found.n_items, compiled.n_items);
        assert_memory_equal(found.items, compiled.items, found.n_items * sizeof *found.items);
}

/* The proof that a hit is used: what make() gives is what the file holds. */
static void a_hit_is_not_compiled(void **state)
{
        struct place *p = *state;
        struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_LOG);
        struct seccomp_program planted = { .items = &allow, .n_items = 1 };
        struct seccomp_options opts = { .cache_dirfd = p->dirfd };
        auto_seccomp_program program = SECCOMP_PROGRAM_INIT;

        seccomp_cache_store(p->dirfd, &p->key, &planted);
        assert_int_equal(seccomp_program_make(&p->profile, &opts, &program, NULL), 0);
        assert_int_equal(program.n_items, 1);
        assert_int_equal(program.items[0].k, SECCOMP_RET_LOG);
}

static bool same_key(const struct oci_seccomp *a, const struct oci_seccomp *b)
{
        auto_seccomp_cache_key x = { 0 }, y = { 0 };

        seccomp_cache_key_make(a, false, &x);
        seccomp_cache_key_make(b, false, &y);
        return x.bytes.len == y.bytes.len && memcmp(x.bytes.s, y.bytes.s, x.bytes.len) == 0;
}

static void keys_differ_wherever_programs_may(void **state)
{
        struct place *p = *state;
        struct oci_seccomp_arg arg = { 0, 0, 0, "SCMP_CMP_EQ" };
        struct oci_seccomp_rule rule = p->rule, two[2];
        struct oci_seccomp other = p->profile;
        auto_seccomp_cache_key strict = { 0 };

        assert_true(same_key(&p->profile, &other));
        other.default_action = "SCMP_ACT_KILL";
        assert_false(same_key(&p->profile, &other));
        other = p->profile;
        other.default_errno_ret.set = true;
        assert_false(same_key(&p->profile, &other));
        other = p->profile;
        other.architectures = (const char *[]){ "SCMP_ARCH_X86", NULL };
        other.n_architectures = 1;
        assert_false(same_key(&p->profile, &other));
        other = p->profile;
        other.syscalls = &rule;
        rule.names = (const char *[]){ "rea", "dwrite", NULL };
        assert_false(same_key(&p->profile, &other));
        rule = p->rule;
        rule.errno_ret = (struct cor_opt_u64){ true, 0 };
        assert_false(same_key(&p->profile, &other));
        rule = p->rule;
        rule.args = &arg;
        rule.n_args = 1;
        assert_false(same_key(&p->profile, &other));
        two[0] = two[1] = p->rule; /* the same names, but in two rules */
        two[0].n_names = two[1].n_names = 1;
        two[1].names++;
        other.syscalls = two;
        other.n_syscalls = 2;
        assert_false(same_key(&p->profile, &other));
        seccomp_cache_key_make(&p->profile, true, &strict);
        assert_string_not_equal(p->key.name, strict.name);
        /* neither flags nor listeners are part of the program */
        other = p->profile;
        other.listener_path = "/x";
        other.n_flags = 0;
        assert_true(same_key(&p->profile, &other));
}

static void every_damaged_byte_is_noticed(void **state)
{
        struct place *p = *state;
        char bytes[4096] __attribute__((aligned(8)));
        const struct sock_filter *items;
        size_t len, n;
        int fd;

        fill(p);
        fd = openat(p->dirfd, p->key.name, O_RDONLY);
        len = (size_t)read(fd, bytes, sizeof bytes);
        close(fd);
        assert_in_range(len, 100, sizeof bytes - 8);
        assert_true(seccomp_cache_parse(bytes, len, &p->key, &items, &n));
        for (size_t i = 0; i < len; i++) {
                for (int bit = 0; bit < 8; bit++) {
                        bytes[i] ^= (char)(1 << bit);
                        if (seccomp_cache_parse(bytes, len, &p->key, &items, &n))
                                fail_msg("bit %d of byte %zu", bit, i);
                        bytes[i] ^= (char)(1 << bit);
                }
                assert_false(seccomp_cache_parse(bytes, i, &p->key, &items, &n));
        }
        assert_false(seccomp_cache_parse(bytes, len + 8, &p->key, &items, &n));
}

static void a_damaged_file_is_replaced(void **state)
{
        struct place *p = *state;
        struct stat st;
        int fd;

        fill(p);
        assert_int_equal(fstatat(p->dirfd, p->key.name, &st, 0), 0);
        fd = openat(p->dirfd, p->key.name, O_WRONLY);
        assert_int_equal(pwrite(fd, "\0\0\0\0\0\0\0\0", 8, st.st_size - 16), 8);
        close(fd);
        assert_false(hits(p));
        fill(p);
        assert_true(hits(p));
}

/* Sound as a file, but the kernel would refuse the program: our check does too. */
static void an_unsound_program_is_a_miss(void **state)
{
        struct place *p = *state;
        struct sock_filter bad = BPF_STMT(BPF_JMP | BPF_JA, 7);
        struct seccomp_program planted = { .items = &bad, .n_items = 1 };

        seccomp_cache_store(p->dirfd, &p->key, &planted);
        assert_false(hits(p));
        fill(p);
        assert_true(hits(p));
}

static void a_program_of_another_profile_under_our_name_is_a_miss(void **state)
{
        struct place *p = *state;
        auto_seccomp_cache_key other = { 0 };

        fill(p);
        seccomp_cache_key_make(&p->profile, true, &other);
        assert_int_equal(renameat(p->dirfd, p->key.name, p->dirfd, other.name), 0);
        seccomp_cache_key_done(&p->key);
        seccomp_cache_key_make(&p->profile, true, &p->key);
        assert_false(hits(p));
}

static void what_others_may_write_is_not_used(void **state)
{
        struct place *p = *state;

        fill(p);
        assert_true(hits(p));
        assert_int_equal(fchmodat(p->dirfd, p->key.name, 0620, 0), 0);
        assert_false(hits(p));
        assert_int_equal(fchmodat(p->dirfd, p->key.name, 0602, 0), 0);
        assert_false(hits(p));
        assert_int_equal(fchmodat(p->dirfd, p->key.name, 0644, 0), 0);
        assert_true(hits(p));
        assert_int_equal(fchmod(p->dirfd, 0770), 0);
        assert_false(hits(p));
        assert_int_equal(fchmod(p->dirfd, 0700), 0);
        if (geteuid() == 0) {
                assert_int_equal(fchownat(p->dirfd, p->key.name, 1, 0, 0), 0);
                assert_false(hits(p));
                assert_int_equal(fchownat(p->dirfd, p->key.name, 0, 0, 0), 0);
                assert_true(hits(p));
                assert_int_equal(fchown(p->dirfd, 1, 0), 0);
                assert_false(hits(p));
        }
}

static void odd_things_under_the_name_are_misses(void **state)
{
        struct place *p = *state;

        fill(p);
        assert_int_equal(renameat(p->dirfd, p->key.name, p->dirfd, "moved"), 0);
        assert_int_equal(symlinkat("moved", p->dirfd, p->key.name), 0);
        assert_false(hits(p));
        assert_int_equal(unlinkat(p->dirfd, p->key.name, 0), 0);
        assert_int_equal(mkfifoat(p->dirfd, p->key.name, 0600), 0); /* must not hang */
        assert_false(hits(p));
        assert_int_equal(unlinkat(p->dirfd, p->key.name, 0), 0);
        assert_int_equal(mkdirat(p->dirfd, p->key.name, 0700), 0);
        assert_false(hits(p));
        fill(p); /* storing fails, making does not */
}

static int count(struct place *p)
{
        char command[128];
        FILE *f;
        int n = -1;

        snprintf(command, sizeof command, "ls -A %s | wc -l", p->path);
        f = popen(command, "r");
        if (f && fscanf(f, "%d", &n) != 1)
                n = -1;
        if (f)
                pclose(f);
        return n;
}

static void the_directory_stays_small_and_the_newest_stay(void **state)
{
        struct place *p = *state;

        for (unsigned i = 0; i < 80; i++) {
                p->profile.default_errno_ret = (struct cor_opt_u64){ true, i + 1 };
                fill(p);
        }
        assert_int_equal(count(p), 64);
        seccomp_cache_key_done(&p->key);
        seccomp_cache_key_make(&p->profile, false, &p->key);
        assert_true(hits(p));
}

static void the_directory_is_made_and_must_be_ours_alone(void **state)
{
        struct place *p = *state;
        struct stat st;
        int fd = seccomp_cache_open(p->dirfd, "cache");

        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        close(fd);
        assert_int_equal(fchmodat(p->dirfd, "cache", 0777, 0), 0);
        assert_int_equal(seccomp_cache_open(p->dirfd, "cache"), -1);
        assert_int_equal(unlinkat(p->dirfd, "cache", AT_REMOVEDIR), 0);
        assert_int_equal(symlinkat("/tmp", p->dirfd, "cache"), 0);
        assert_int_equal(seccomp_cache_open(p->dirfd, "cache"), -1);
        assert_int_equal(seccomp_cache_open(p->dirfd, "not/there"), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_program_is_found_again_and_is_the_same),
                TEST(a_hit_is_not_compiled),
                TEST(keys_differ_wherever_programs_may),
                TEST(every_damaged_byte_is_noticed),
                TEST(a_damaged_file_is_replaced),
                TEST(an_unsound_program_is_a_miss),
                TEST(a_program_of_another_profile_under_our_name_is_a_miss),
                TEST(what_others_may_write_is_not_used),
                TEST(odd_things_under_the_name_are_misses),
                TEST(the_directory_stays_small_and_the_newest_stay),
                TEST(the_directory_is_made_and_must_be_ours_alone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
