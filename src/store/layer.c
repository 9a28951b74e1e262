#include "store/layer.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LAYER_PATH_MAX = DIGEST_TEXT_MAX + 8, SHA256_DIGITS = 64 };

struct layer_ingest {
        struct store *s;
        struct store_new folder;
        int diff; /* the tree in it */
        bool sized;
};

static bool is_there(const struct store *s, const struct digest *name)
{
        struct stat st;

        return fstatat(s->layers, digest_hex(name), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

int layer_find(const struct store *s, const struct digest *diff_id, const struct digest *chain_id, struct digest *ret)
{
        const struct digest *found = is_there(s, diff_id) ? diff_id : is_there(s, chain_id) ? chain_id : NULL;

        if (!found)
                return 0;
        *ret = *found;
        return 1;
}

int layer_open(const struct store *s, const struct digest *name, struct cor_err *err)
{
        char path[LAYER_PATH_MAX];
        int fd;

        snprintf(path, sizeof path, "%s/diff", digest_hex(name));
        fd = openat(s->layers, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return cor_fail(err, COR_NOT_FOUND, "layer %s is not in the store", name->text);
        return fd < 0 ? cor_fail_errno(err, "open layer %s", name->text) : fd;
}

int64_t layer_size(const struct store *s, const struct digest *name)
{
        char path[LAYER_PATH_MAX], text[32];
        int64_t size;

        snprintf(path, sizeof path, "%s/size", digest_hex(name));
        return cor_read_at(s->layers, path, text, sizeof text, NULL) < 0 || cor_parse_i64(text, &size) < 0 ? -1 : size;
}

int layer_remove(struct store *s, const struct digest *name, struct cor_err *err)
{
        char gone[STORE_NAME_MAX];

        store_random_name(STORE_GONE, gone);
        if (renameat(s->layers, digest_hex(name), s->work, gone) < 0)
                return errno == ENOENT ? 0 : cor_fail_errno(err, "remove layer %s", name->text);
        return cor_own_remove_tree(s->work, gone, err);
}

int layer_ingest_begin(struct store *s, struct layer_ingest **ret, struct cor_err *err)
{
        auto_layer_ingest i = cor_alloc(sizeof *i);

        i->s = s;
        i->folder.fd = i->diff = -1;
        if (store_new_make(s->work, &i->folder, err) < 0)
                return cor_wrap(err, "a new layer");
        if (mkdirat(i->folder.fd, "diff", 0755) < 0)
                return cor_fail_errno(err, "make the folder of a new layer");
        i->diff = openat(i->folder.fd, "diff", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (i->diff < 0 || fchmod(i->diff, 0755) < 0) /* whatever the umask */
                return cor_fail_errno(err, "open the folder of a new layer");
        *ret = COR_TAKE(i);
        return 0;
}

int layer_ingest_fd(const struct layer_ingest *i)
{
        return i->diff;
}

int layer_ingest_finish(struct layer_ingest *i, int64_t size, struct cor_err *err)
{
        char text[32];
        int n = snprintf(text, sizeof text, "%lld\n", (long long)size);

        if (cor_own_write(i->folder.fd, "size", text, (size_t)n, 0644, false, err) < 0)
                return -1;
        i->sized = true;
        return 0;
}

int layer_ingest_commit(struct layer_ingest *i, const struct digest *name, struct cor_err *err)
{
        if (!i->sized)
                return cor_fail(err, COR_INVALID, "layer %s is not finished", name->text);
        if (renameat(i->s->work, i->folder.name, i->s->layers, digest_hex(name)) < 0 && errno != EEXIST &&
            errno != ENOTEMPTY)
                return cor_fail_errno(err, "put layer %s in its place", name->text);
        return 0;
}

void layer_ingest_end(struct layer_ingest *i)
{
        if (!i)
                return;
        cor_fd_close(&i->diff);
        store_new_done(&i->folder);
        free(i);
}

int layer_sync_folder(struct store *s, struct cor_err *err)
{
        return store_sync_folder(s->layers, "the folder of layers", err);
}

static int open_lock(const struct store *s)
{
        return openat(s->layers, LAYER_LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}

int layer_lock_make(struct store *s, struct cor_err *err)
{
        auto_fd fd = open_lock(s);

        return fd >= 0 || errno == EROFS ? 0 : cor_fail_errno(err, "make the lock of layers");
}

int layer_lock(struct store *s, const struct digest *diff_id, int wait_ms, struct cor_err *err)
{
        auto_fd fd = open_lock(s);
        char digits[16];
        uint64_t at;
        int held;

        if (fd < 0)
                return cor_fail_errno(err, "lock layer %s", diff_id->text);
        snprintf(digits, sizeof digits, "%.15s", digest_hex(diff_id));
        if (cor_parse_u64_base(digits, 16, &at) < 0)
                return cor_fail(err, COR_INVALID, "lock layer: '%s' is not a digest", diff_id->text);
        held = cor_lock_byte(fd, (int64_t)at, wait_ms, err);
        if (held < 0)
                return cor_wrap(err, "layer %s", diff_id->text);
        if (held == 0)
                return cor_fail(err, COR_BUSY, "layer %s is being made by another process", diff_id->text);
        return cor_fd_take(&fd);
}

struct walk {
        const struct store *s;
        int (*each)(const struct digest *name, int64_t size, void *context, struct cor_err *err);
        void *context;
};

static int walk_one(const char *name, void *context, struct cor_err *err)
{
        struct walk *w = context;
        char text[sizeof(struct digest) + 16];
        struct digest d;

        if (strlen(name) > DIGEST_TEXT_MAX)
                return 0;
        snprintf(text, sizeof text, "%s:%s", strlen(name) == SHA256_DIGITS ? "sha256" : "sha512", name);
        if (digest_parse(text, &d, NULL) < 0 || !is_there(w->s, &d)) /* not one of ours */
                return 0;
        return w->each(&d, layer_size(w->s, &d), w->context, err);
}

int layer_each(const struct store *s,
               int (*each)(const struct digest *name, int64_t size, void *context, struct cor_err *err), void *context,
               struct cor_err *err)
{
        struct walk w = { s, each, context };

        return store_each_name(s->layers, "the layers", walk_one, &w, err);
}
