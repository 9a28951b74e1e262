/*
 * One blob on its way in. Its file in images/ingest is in one of these states:
 *
 *      begun     locked by its writer; the hash covers exactly the bytes before `offset`
 *      finished  size and digest are right; nothing more is written
 *      in place  renamed to blobs/<algorithm>/<hex>; nothing is left in ingest/
 *
 * The lock belongs to the file, not to its name: whoever gets it looks whether the name still leads there, since the
 * writer before may have put it in its place or thrown it away. A partial file may have been written by a machine that
 * lost its power, and may hold anything; the digest at the end tells.
 */
#include "base/process.h"
#include "base/text.h"
#include "store/blob_internal.h"
#include "store/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REHASH_BYTES (1 << 20)

struct blob_ingest {
        struct store *s;
        struct digest expected, digest; /* expected: may be none */
        char name[BLOB_PATH_MAX];       /* in ingest/ */
        struct hash *hash;
        int fd;
        int64_t offset, size, limit; /* size -1: not known, then up to limit */
        bool finished, placed, drop;
};

static struct blob_ingest *ingest_alloc(struct store *s, int64_t size, int64_t limit)
{
        struct blob_ingest *i = cor_alloc(sizeof *i);

        i->s = s;
        i->fd = -1;
        i->size = size;
        i->limit = size >= 0 ? size : limit;
        return i;
}

/* What messages call it. */
static const char *ingest_what(const struct blob_ingest *i)
{
        return digest_set(&i->expected) ? i->expected.text : "new blob";
}

/* Read what a former attempt left, so that the hash covers it; too much of it is not what we want. */
static int ingest_rehash(struct blob_ingest *i, struct cor_err *err)
{
        auto_str buf = NULL;
        struct stat st;
        ssize_t n;

        if (fstat(i->fd, &st) < 0)
                return cor_fail_errno(err, "look at partial blob %s", ingest_what(i));
        if (st.st_size > i->limit)
                return blob_ingest_restart(i, err);
        if (st.st_size == 0)
                return 0;
        buf = cor_alloc(REHASH_BYTES);
        while ((n = pread(i->fd, buf, REHASH_BYTES, i->offset)) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return cor_fail_errno(err, "read partial blob %s", ingest_what(i));
                hash_add(i->hash, buf, (size_t)n);
                i->offset += n;
        }
        return 0;
}

/* Open and lock the file: 1 it is ours, 0 another process has it, -1. */
static int ingest_take(struct blob_ingest *i, int wait_ms, struct cor_err *err)
{
        int64_t end = cor_now_ms() + wait_ms;

        for (;;) {
                auto_fd fd =
                        openat(i->s->ingest, i->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
                int64_t left = end - cor_now_ms();
                int held;

                if (fd < 0)
                        return cor_fail_errno(err, "write blob %s", ingest_what(i));
                held = cor_flock(fd, wait_ms < 0 ? -1 : left > 0 ? (int)left : 0, err);
                if (held <= 0)
                        return held;
                if (store_same(i->s->ingest, i->name, fd)) {
                        i->fd = cor_fd_take(&fd);
                        return 1;
                }
        }
}

static int there(const struct blob_ingest *i, struct cor_err *err)
{
        int64_t size = blob_find(i->s, &i->expected);

        if (size < 0)
                return 0;
        if (i->size >= 0 && size != i->size)
                return cor_fail(err, COR_INVALID, "blob %s has %lld bytes, not the %lld that were announced",
                                i->expected.text, (long long)size, (long long)i->size);
        return 1;
}

int blob_ingest_begin(struct store *s, const struct digest *expected, int64_t size, int64_t limit, int wait_ms,
                      struct blob_ingest **ret, struct cor_err *err)
{
        auto_blob_ingest i = ingest_alloc(s, size, limit);
        int r;

        i->expected = *expected;
        i->hash = hash_new(digest_algorithm(expected));
        snprintf(i->name, sizeof i->name, "%s-%s", digest_name(expected), digest_hex(expected));
        r = there(i, err);
        if (r == 0) {
                r = ingest_take(i, wait_ms, err);
                if (r == 0)
                        return BLOB_INGEST_LOCKED;
                if (r > 0) { /* the writer before us may have come to its end */
                        r = there(i, err);
                        i->drop = r != 0;
                }
        }
        if (r < 0)
                return -1;
        if (r > 0)
                return BLOB_INGEST_THERE;
        if (ingest_rehash(i, err) < 0)
                return -1;
        *ret = COR_TAKE(i);
        return BLOB_INGEST_OURS;
}

int blob_ingest_new(struct store *s, int64_t limit, struct blob_ingest **ret, struct cor_err *err)
{
        auto_blob_ingest i = ingest_alloc(s, -1, limit);

        i->hash = hash_new(DIGEST_SHA256);
        do { /* a process that clears up may come between the file and its lock, and take it for a leftover */
                int held;

                cor_fd_close(&i->fd);
                store_random_name(STORE_NEW, i->name);
                i->fd = openat(s->ingest, i->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
                if (i->fd < 0)
                        return cor_fail_errno(err, "write a new blob");
                held = cor_flock(i->fd, -1, err);
                if (held < 0)
                        return -1;
        } while (!store_same(s->ingest, i->name, i->fd));
        *ret = COR_TAKE(i);
        return 0;
}

int64_t blob_ingest_offset(const struct blob_ingest *i)
{
        return i->offset;
}

int blob_ingest_fd(const struct blob_ingest *i)
{
        return i->fd;
}

int blob_ingest_write(struct blob_ingest *i, const void *bytes, size_t n, struct cor_err *err)
{
        const char *at = bytes;

        if ((uint64_t)n > (uint64_t)(i->limit - i->offset))
                return cor_fail(err, COR_INVALID, "blob %s is longer than %s %lld bytes", ingest_what(i),
                                i->size >= 0 ? "its" : "the allowed", (long long)i->limit);
        while (n > 0) {
                ssize_t put = pwrite(i->fd, at, n, i->offset);

                if (put < 0 && errno == EINTR)
                        continue;
                if (put < 0) {
                        i->drop = errno == ENOSPC || errno == EDQUOT; /* a full disk needs the room more than we do */
                        return cor_fail_errno(err, "write blob %s", ingest_what(i));
                }
                hash_add(i->hash, at, (size_t)put);
                i->offset += put;
                at += put;
                n -= (size_t)put;
        }
        return 0;
}

int blob_ingest_restart(struct blob_ingest *i, struct cor_err *err)
{
        (void)hash_digest(i->hash);
        i->offset = 0;
        i->finished = false;
        return ftruncate(i->fd, 0) < 0 ? cor_fail_errno(err, "begin blob %s anew", ingest_what(i)) : 0;
}

int blob_ingest_finish(struct blob_ingest *i, struct digest *ret, struct cor_err *err)
{
        if (i->size >= 0 && i->offset < i->size)
                return cor_fail(err, COR_INVALID, "blob %s ends after %lld of its %lld bytes", ingest_what(i),
                                (long long)i->offset, (long long)i->size);
        i->digest = hash_digest(i->hash);
        if (digest_set(&i->expected) && !digest_eq(&i->digest, &i->expected)) {
                struct digest found = i->digest;

                if (blob_ingest_restart(i, err) < 0)
                        return -1;
                return cor_fail(err, COR_INVALID, "blob %s: its bytes have another digest, %s", ingest_what(i),
                                found.text);
        }
        i->finished = true;
        if (ret)
                *ret = i->digest;
        return 0;
}

/* The folder of an algorithm, which the layout has for sha256 from the beginning. */
static int make_folder(const struct blob_ingest *i, struct cor_err *err)
{
        if (mkdirat(i->s->blobs, digest_name(&i->digest), 0700) < 0 && errno != EEXIST)
                return cor_fail_errno(err, "make the folder of %s blobs", digest_name(&i->digest));
        return store_sync_folder(i->s->blobs, "the folder of blobs", err);
}

int blob_ingest_commit(struct blob_ingest *i, bool synced, struct cor_err *err)
{
        char path[BLOB_PATH_MAX];

        if (!i->finished)
                return cor_fail(err, COR_INVALID, "blob %s is not finished", ingest_what(i));
        if (fchmod(i->fd, 0644) < 0 || (!synced && fsync(i->fd) < 0))
                return cor_fail_errno(err, "sync blob %s", i->digest.text);
        blob_path(&i->digest, path);
        if (digest_algorithm(&i->digest) != DIGEST_SHA256 && make_folder(i, err) < 0)
                return -1;
        if (renameat(i->s->ingest, i->name, i->s->blobs, path) < 0)
                return cor_fail_errno(err, "put blob %s in its place", i->digest.text);
        i->placed = true;
        return 0;
}

void blob_ingest_end(struct blob_ingest *i)
{
        if (!i)
                return;
        if (i->fd >= 0 && !i->placed && (i->drop || i->offset == 0 || !digest_set(&i->expected)))
                unlinkat(i->s->ingest, i->name, 0);
        cor_fd_close(&i->fd);
        hash_free(i->hash);
        free(i);
}
