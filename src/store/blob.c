#include "store/blob.h"
#include "base/alloc.h"
#include "base/file.h"
#include "store/blob_internal.h"
#include "store/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void blob_path(const struct digest *d, char path[BLOB_PATH_MAX])
{
        snprintf(path, BLOB_PATH_MAX, "%s/%s", digest_name(d), digest_hex(d));
}

int64_t blob_find(const struct store *s, const struct digest *d)
{
        char path[BLOB_PATH_MAX];
        struct stat st;

        blob_path(d, path);
        return fstatat(s->blobs, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) ? st.st_size : -1;
}

int blob_open(const struct store *s, const struct digest *d, struct cor_err *err)
{
        char path[BLOB_PATH_MAX];
        int fd;

        blob_path(d, path);
        fd = openat(s->blobs, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return cor_fail(err, COR_NOT_FOUND, "blob %s is not in the store", d->text);
        return fd < 0 ? cor_fail_errno(err, "open blob %s", d->text) : fd;
}

int blob_read(const struct store *s, const struct digest *d, size_t limit, char **ret, size_t *ret_n,
              struct cor_err *err)
{
        auto_hash hash = hash_new(digest_algorithm(d));
        auto_fd fd = blob_open(s, d, err);
        auto_str what = NULL;
        auto_str bytes = NULL;
        struct digest found;
        size_t n;

        if (fd < 0)
                return -1;
        what = cor_printf("blob %s", d->text);
        if (cor_read_fd(fd, what, limit, &bytes, &n, err) < 0)
                return -1;
        hash_add(hash, bytes, n);
        found = hash_digest(hash);
        if (!digest_eq(&found, d))
                return cor_fail(err, COR_INVALID, "blob %s is damaged: its bytes have the digest %s", d->text,
                                found.text);
        *ret = COR_TAKE(bytes);
        *ret_n = n;
        return 0;
}

int blob_put(struct store *s, const void *bytes, size_t n, struct digest *ret, struct cor_err *err)
{
        auto_blob_ingest ingest = NULL;
        struct digest digest = hash_bytes(bytes, n);

        if (blob_find(s, &digest) != (int64_t)n) {
                if (blob_ingest_new(s, (int64_t)n, &ingest, err) < 0 || blob_ingest_write(ingest, bytes, n, err) < 0 ||
                    blob_ingest_finish(ingest, NULL, err) < 0 || blob_ingest_commit(ingest, false, err) < 0 ||
                    blob_sync_folder(s, err) < 0)
                        return -1;
        }
        *ret = digest;
        return 0;
}

int blob_remove(struct store *s, const struct digest *d, struct cor_err *err)
{
        char path[BLOB_PATH_MAX];

        blob_path(d, path);
        if (unlinkat(s->blobs, path, 0) < 0 && errno != ENOENT)
                return cor_fail_errno(err, "remove blob %s", d->text);
        return 0;
}

int blob_sync_folder(struct store *s, struct cor_err *err)
{
        static const char *const algorithms[] = { "sha256", "sha512" };

        for (size_t i = 0; i < COR_COUNT(algorithms); i++) {
                auto_fd fd = openat(s->blobs, algorithms[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                if (fd < 0 && errno == ENOENT)
                        continue;
                if (fd < 0 || fsync(fd) < 0)
                        return cor_fail_errno(err, "sync the folder of blobs");
        }
        return 0;
}

/* A walk over the blobs of one algorithm. */
struct walk {
        const struct store *s;
        const char *algorithm;
        int (*each)(const struct digest *d, int64_t size, void *context, struct cor_err *err);
        void *context;
};

static int walk_one(const char *name, void *context, struct cor_err *err)
{
        struct walk *w = context;
        char text[sizeof(struct digest) + 16];
        struct digest d;
        int64_t size;

        if (strlen(name) > DIGEST_TEXT_MAX)
                return 0;
        snprintf(text, sizeof text, "%s:%s", w->algorithm, name);
        if (digest_parse(text, &d, NULL) < 0) /* not one of ours */
                return 0;
        size = blob_find(w->s, &d);
        return size < 0 ? 0 : w->each(&d, size, w->context, err);
}

int blob_each(const struct store *s,
              int (*each)(const struct digest *d, int64_t size, void *context, struct cor_err *err), void *context,
              struct cor_err *err)
{
        static const char *const algorithms[] = { "sha256", "sha512" };

        for (size_t i = 0; i < COR_COUNT(algorithms); i++) {
                struct walk w = { s, algorithms[i], each, context };
                auto_fd fd = openat(s->blobs, algorithms[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
                int r;

                if (fd < 0 && errno == ENOENT)
                        continue;
                if (fd < 0)
                        return cor_fail_errno(err, "list the blobs");
                r = store_each_name(fd, "the blobs", walk_one, &w, err);
                if (r != 0)
                        return r;
        }
        return 0;
}
