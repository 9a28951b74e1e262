#include "image/archive.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "image/compress.h"
#include "image/tar.h"
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINK_MAX_HOPS = 8 };

struct archive {
        struct store *store;
        struct archive_file **files;
        size_t n_files;
        void *by_name, *by_digest; /* trees of tsearch(3) over the files */
};

static int by_name(const void *a, const void *b)
{
        return strcmp(((const struct archive_file *)a)->name, ((const struct archive_file *)b)->name);
}

static int by_digest(const void *a, const void *b)
{
        return strcmp(((const struct archive_file *)a)->digest.text, ((const struct archive_file *)b)->digest.text);
}

static void file_free(struct archive_file *f)
{
        blob_ingest_end(f->ingest);
        free(f->name);
        free(f->target);
        free(f);
}

static void keep(void *node)
{
}

void archive_free(struct archive *a)
{
        if (!a)
                return;
        tdestroy(a->by_name, keep);
        tdestroy(a->by_digest, keep);
        for (size_t i = 0; i < a->n_files; i++)
                file_free(a->files[i]);
        free(a->files);
        free(a);
}

struct archive_file *archive_find(struct archive *a, const char *name)
{
        auto_str clean = cor_path_clean(name);
        struct archive_file key = { .name = clean + 1 };

        for (int hops = 0; hops < LINK_MAX_HOPS; hops++) {
                struct archive_file **found = tfind(&key, &a->by_name, by_name);

                if (!found || !(*found)->target)
                        return found ? *found : NULL;
                key.name = (*found)->target;
        }
        return NULL;
}

struct archive_file *archive_find_blob(struct archive *a, const struct digest *d)
{
        struct archive_file key = { .digest = *d }, **found = tfind(&key, &a->by_digest, by_digest);

        return found ? *found : NULL;
}

int archive_file_text(const struct archive_file *f, char **ret, size_t *ret_n, struct cor_err *err)
{
        auto_str text = NULL;
        int64_t n = 0;

        if (f->size > ARCHIVE_DOCUMENT_MAX_BYTES)
                return cor_fail(err, COR_INVALID, "%s: %lld bytes, more than the limit of %d", f->name,
                                (long long)f->size, (int)ARCHIVE_DOCUMENT_MAX_BYTES);
        if (!f->ingest)
                return cor_fail(err, COR_INVALID, "%s: used twice", f->name);
        text = cor_alloc((size_t)f->size + 1);
        while (n < f->size) {
                ssize_t got = pread(blob_ingest_fd(f->ingest), text + n, (size_t)(f->size - n), n);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        return cor_fail_errno(err, "read %s", f->name);
                n += got;
        }
        *ret = COR_TAKE(text);
        *ret_n = (size_t)f->size;
        return 0;
}

int archive_text(struct archive *a, const char *name, char **ret, size_t *ret_n, struct cor_err *err)
{
        const struct archive_file *f = archive_find(a, name);

        if (!f)
                return cor_fail(err, COR_NOT_FOUND, "the archive has no file %.300s", name);
        return archive_file_text(f, ret, ret_n, err);
}

/* ---------------------------------------------------------------------------------------------------------- reading */

static ssize_t read_fd(void *context, void *buf, size_t n, struct cor_err *err)
{
        const int *fd = context;
        ssize_t got;

        do
                got = read(*fd, buf, n);
        while (got < 0 && errno == EINTR);
        return got >= 0 ? got : cor_fail_errno(err, "read the archive");
}

static ssize_t read_inflated(void *context, void *buf, size_t n, struct cor_err *err)
{
        return inflater_read(context, buf, n, err);
}

/* The data of a file into an ingest of its own. A hole of a sparse file is zeros. */
static int take_data(struct archive *a, struct tar_reader *reader, struct archive_file *f, struct cor_err *err)
{
        const void *bytes;
        char head[6];
        int64_t offset;
        size_t n;
        int r;

        if (blob_ingest_new(a->store, f->size, &f->ingest, err) < 0)
                return -1;
        while ((r = tar_data(reader, &offset, &bytes, &n, err)) > 0) {
                if (offset != blob_ingest_offset(f->ingest))
                        return cor_fail(err, COR_INVALID, "a sparse file, which no archive of images has");
                if (blob_ingest_write(f->ingest, bytes, n, err) < 0)
                        return -1;
        }
        if (r < 0)
                return -1;
        if (blob_ingest_offset(f->ingest) != f->size)
                return cor_fail(err, COR_INVALID, "%lld bytes, expected %lld", (long long)blob_ingest_offset(f->ingest),
                                (long long)f->size);
        n = (size_t)pread(blob_ingest_fd(f->ingest), head, sizeof head, 0);
        f->compression = compression_guess(head, n <= sizeof head ? n : 0);
        return blob_ingest_finish(f->ingest, &f->digest, err);
}

/* A link's target as a name in the archive: that of a symbolic link is relative to its folder. */
static char *target_of(const struct tar_entry *e, const char *name)
{
        const char *slash = strrchr(name, '/');
        auto_str joined = NULL;
        auto_str clean = NULL;

        if (e->type == TAR_SYMLINK && e->link[0] != '/' && slash)
                joined = cor_printf("%.*s/%s", (int)(slash - name), name, e->link);
        clean = cor_path_clean(joined ? joined : e->link);
        return cor_strdup(clean + 1);
}

static int take_entry(struct archive *a, struct tar_reader *reader, const struct tar_entry *e, struct cor_err *err)
{
        struct archive_file *f, **seen;
        auto_str clean = NULL;

        if (e->type != TAR_FILE && e->type != TAR_SYMLINK && e->type != TAR_HARDLINK)
                return 0;
        if (a->n_files >= ARCHIVE_MAX_FILES)
                return cor_fail(err, COR_INVALID, "more than %d files", (int)ARCHIVE_MAX_FILES);
        clean = cor_path_clean(e->name);
        f = cor_alloc(sizeof *f);
        f->name = cor_strdup(clean + 1);
        f->size = e->size;
        *COR_GROW(a->files, a->n_files) = f;
        if (e->type != TAR_FILE)
                f->target = target_of(e, f->name);
        else if (take_data(a, reader, f, err) < 0)
                return cor_wrap(err, "%.200s", f->name);
        seen = tsearch(f, &a->by_name, by_name);
        if (!seen || *seen != f)
                return cor_fail(err, COR_INVALID, "%.200s: twice in the archive", f->name);
        if (!f->target)
                tsearch(f, &a->by_digest, by_digest); /* the first of several with the same bytes */
        return 0;
}

int archive_read(struct store *s, int fd, const struct image_limits *limits, struct archive **ret, struct cor_err *err)
{
        const struct tar_limits tar_limits = { .entries = limits->entries };
        auto_inflater inflater = inflater_new(read_fd, &fd, 0, limits->ratio);
        const struct tar_source source = { .read = read_inflated, .context = inflater };
        auto_tar_reader reader = tar_reader_new(&source, &tar_limits);
        auto_archive a = cor_alloc(sizeof *a);
        const struct tar_entry *e;
        int r;

        inflater_accept_foreign(inflater);
        a->store = s;
        while ((r = tar_next(reader, &e, err)) > 0)
                if (take_entry(a, reader, e, err) < 0)
                        return cor_wrap(err, "archive");
        if (r < 0 || tar_drain(reader, err) < 0)
                return cor_wrap(err, "archive");
        *ret = COR_TAKE(a);
        return 0;
}
