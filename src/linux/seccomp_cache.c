/*
 * Compiled programs on disk, found by content.
 *
 * Compiling docker's default profile takes libseccomp milliseconds, longer than all the rest of a container's start.
 * The result depends on nothing but the profile's rules, libseccomp and the machine's architecture: these, as bytes,
 * are the key. A file is named by a hash of the key and holds the key itself, so that a collision, by chance or made,
 * is a miss and nothing more:
 *
 *        struct head | key, padded to 8 | instructions
 *
 * What is read back decides what a container may do. The directory and the file must belong to us and be writable by
 * nobody else; sizes must add up, a checksum guards against torn writes, and the caller checks the program itself as it
 * does any other. Whatever is wrong is a miss: the program is compiled again and the file replaced.
 */
#include "linux/seccomp_internal.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        FORMAT = 3, /* raised when a key's bytes, or what our code makes of the same profile, change */
        KEY_MAX = 1 << 20,
        MAX_FILES = 64,
        MAX_SWEEP = 4096, /* entries looked at when the directory is swept */
};

static const char MAGIC[8] = "corscmp";

struct head {
        char magic[8];
        uint64_t sum; /* of all that follows */
        uint32_t format, key_len, n_items, zero;
};

static uint64_t hash_words(const void *bytes, size_t len)
{
        uint64_t hash = 0xcbf29ce484222325, word; /* FNV-1a, eight bytes at a time, with a final mix */

        for (size_t i = 0; i + sizeof word <= len; i += sizeof word) {
                memcpy(&word, (const char *)bytes + i, sizeof word);
                hash = (hash ^ word) * 0x100000001b3;
                hash ^= hash >> 29;
        }
        return hash ^ len;
}

static void put_u64(struct cor_text *t, uint64_t value)
{
        cor_text_add_n(t, &value, sizeof value);
}

static void put_str(struct cor_text *t, const char *s)
{
        uint32_t len = s ? (uint32_t)strlen(s) : UINT32_MAX;

        cor_text_add_n(t, &len, sizeof len);
        if (s)
                cor_text_add_n(t, s, len);
}

static void put_opt(struct cor_text *t, const struct cor_opt_u64 *opt)
{
        put_u64(t, opt->set);
        put_u64(t, opt->set ? opt->value : 0);
}

static void put_rule(struct cor_text *t, const struct oci_seccomp_rule *rule)
{
        put_str(t, rule->action);
        put_opt(t, &rule->errno_ret);
        put_u64(t, rule->n_args);
        for (size_t i = 0; i < rule->n_args; i++) {
                put_u64(t, rule->args[i].index);
                put_u64(t, rule->args[i].value);
                put_u64(t, rule->args[i].value_two);
                put_str(t, rule->args[i].op);
        }
        put_u64(t, rule->n_names);
        for (size_t i = 0; i < rule->n_names; i++)
                put_str(t, rule->names[i]);
}

void seccomp_cache_key_make(const struct oci_seccomp *profile, bool fail_unknown, struct seccomp_cache_key *ret)
{
        const struct scmp_version *version = seccomp_version();
        struct cor_text *t = &ret->bytes;

        *ret = (struct seccomp_cache_key){ 0 };
        put_u64(t, FORMAT);
        put_u64(t, version->major);
        put_u64(t, version->minor);
        put_u64(t, version->micro);
        put_u64(t, seccomp_arch_native());
        put_u64(t, fail_unknown);
        put_str(t, profile->default_action);
        put_opt(t, &profile->default_errno_ret);
        put_u64(t, profile->n_architectures);
        for (size_t i = 0; i < profile->n_architectures; i++)
                put_str(t, profile->architectures[i]);
        put_u64(t, profile->n_syscalls);
        for (size_t i = 0; i < profile->n_syscalls; i++)
                put_rule(t, &profile->syscalls[i]);
        while (t->len % 8 != 0)
                cor_text_add_c(t, '\0');

        snprintf(ret->name, sizeof ret->name, "%016" PRIx64 ".bpf", hash_words(t->s, t->len));
}

void seccomp_cache_key_done(struct seccomp_cache_key *key)
{
        cor_text_done(&key->bytes);
}

/* Ours, and for nobody else to write. */
static bool trusted(int fd, mode_t type, struct stat *ret)
{
        return fstat(fd, ret) == 0 && (ret->st_mode & S_IFMT) == type && ret->st_uid == geteuid() &&
               (ret->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

int seccomp_cache_open(int dirfd, const char *name)
{
        const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        auto_fd fd = openat(dirfd, name, flags);
        struct stat st;

        if (fd < 0 && errno == ENOENT && (mkdirat(dirfd, name, 0700) == 0 || errno == EEXIST))
                fd = openat(dirfd, name, flags);
        if (fd < 0) {
                cor_debug("seccomp: no cache in %s: %s", name, strerror(errno));
                return -1;
        }
        if (!trusted(fd, S_IFDIR, &st)) {
                cor_debug("seccomp: cache %s is not used: others own it or may write there", name);
                return -1;
        }
        return cor_fd_take(&fd);
}

bool seccomp_cache_parse(const void *bytes, size_t len, const struct seccomp_cache_key *key,
                         const struct sock_filter **ret_items, size_t *ret_n_items)
{
        const char *body = (const char *)bytes + sizeof(struct head);
        struct head head;

        if (len < sizeof head)
                return false;
        memcpy(&head, bytes, sizeof head);
        if (memcmp(head.magic, MAGIC, sizeof MAGIC) != 0 || head.format != FORMAT || head.zero != 0)
                return false;
        if (head.n_items == 0 || head.n_items > SECCOMP_MAX_ITEMS || head.key_len != key->bytes.len)
                return false;
        if (len != sizeof head + head.key_len + head.n_items * sizeof(struct sock_filter))
                return false;
        if (memcmp(body, key->bytes.s, head.key_len) != 0 || hash_words(body, len - sizeof head) != head.sum)
                return false;

        *ret_items = (const struct sock_filter *)(const void *)(body + head.key_len);
        *ret_n_items = head.n_items;
        return true;
}

bool seccomp_cache_load(int dirfd, const struct seccomp_cache_key *key, struct seccomp_program *ret)
{
        const size_t least = sizeof(struct head) + key->bytes.len;
        auto_fd fd = openat(dirfd, key->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        auto_free char *bytes = NULL;
        const struct sock_filter *items;
        size_t n_items, len;
        bool notifies;
        struct stat st;

        if (fd < 0 || key->bytes.len > KEY_MAX)
                return false;
        if (!trusted(dirfd, S_IFDIR, &st) || !trusted(fd, S_IFREG, &st)) {
                cor_debug("seccomp: cached program %s is not used: others may write it", key->name);
                return false;
        }
        len = (size_t)st.st_size;
        if (st.st_size < 0 || len < least || len > least + SECCOMP_MAX_ITEMS * sizeof *items)
                return false;
        bytes = cor_alloc(len);
        if (read(fd, bytes, len) != (ssize_t)len || !seccomp_cache_parse(bytes, len, key, &items, &n_items) ||
            seccomp_bpf_check(items, n_items, &notifies, NULL) < 0) {
                cor_debug("seccomp: cached program %s is damaged, or of another profile", key->name);
                return false;
        }
        ret->items = (struct sock_filter *)(void *)(bytes + ((const char *)items - bytes));
        ret->n_items = n_items;
        ret->memory = COR_TAKE(bytes);
        return true;
}

/* sweep() - keep the directory small: when it is over its limit, the oldest file goes */
static void sweep(int dirfd)
{
        int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        char oldest[sizeof((struct dirent *)0)->d_name] = "";
        struct timespec when = { 0 };
        const struct dirent *entry;
        struct stat st;

        if (!dir) {
                cor_fd_close(&fd);
                return;
        }
        for (int seen = 0; seen < MAX_SWEEP && (entry = readdir(dir)); seen++) {
                if (fstatat(dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode))
                        continue;
                if (n++ == 0 || st.st_mtim.tv_sec < when.tv_sec ||
                    (st.st_mtim.tv_sec == when.tv_sec && st.st_mtim.tv_nsec < when.tv_nsec)) {
                        when = st.st_mtim;
                        memcpy(oldest, entry->d_name, strlen(entry->d_name) + 1);
                }
        }
        closedir(dir);
        if (n > MAX_FILES)
                (void)unlinkat(dirfd, oldest, 0);
}

void seccomp_cache_store(int dirfd, const struct seccomp_cache_key *key, const struct seccomp_program *program)
{
        struct head head = { .format = FORMAT,
                             .key_len = (uint32_t)key->bytes.len,
                             .n_items = (uint32_t)program->n_items };
        auto_text file = COR_TEXT_INIT;
        struct cor_err err = { 0 };
        struct stat st;

        if (key->bytes.len > KEY_MAX || !trusted(dirfd, S_IFDIR, &st))
                return;
        memcpy(head.magic, MAGIC, sizeof MAGIC);
        cor_text_add_n(&file, &head, sizeof head);
        cor_text_add_n(&file, key->bytes.s, key->bytes.len);
        cor_text_add_n(&file, program->items, program->n_items * sizeof *program->items);
        head.sum = hash_words(file.s + sizeof head, file.len - sizeof head);
        memcpy(file.s, &head, sizeof head);

        if (cor_own_write(dirfd, key->name, file.s, file.len, 0600, false, &err) < 0)
                cor_debug("seccomp: program not cached: %s", err.msg);
        else
                sweep(dirfd);
}
