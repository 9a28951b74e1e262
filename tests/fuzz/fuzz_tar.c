/*
 * The reader of archives. Headers have their checksums put right first, or no mutation would get past them. Whatever
 * comes, each entry can be used: terminated names, pieces of data in order and inside the file.
 */
#include "image/tar.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
        uint8_t *bytes;
        size_t n, at, chunk;
};

static ssize_t read_input(void *context, void *buf, size_t n, struct cor_err *err)
{
        struct input *in = context;

        if (n > in->chunk)
                n = in->chunk;
        if (n > in->n - in->at)
                n = in->n - in->at;
        memcpy(buf, in->bytes + in->at, n);
        in->at += n;
        return (ssize_t)n;
}

static void put_checksums_right(uint8_t *bytes, size_t n)
{
        for (uint8_t *block = bytes; n >= 512; block += 512, n -= 512) {
                unsigned sum = 0;
                char text[8];

                if (memcmp(block + 257, "ustar", 5) != 0)
                        continue;
                memset(block + 148, ' ', 8);
                for (size_t i = 0; i < 512; i++)
                        sum += block[i];
                snprintf(text, sizeof text, "%06o", sum & 0777777);
                memcpy(block + 148, text, 7);
        }
}

static unsigned touch(const void *bytes, size_t n)
{
        const uint8_t *p = bytes;
        unsigned sum = 0;

        for (size_t i = 0; i < n; i++)
                sum += p[i];
        return sum;
}

static unsigned use_entry(const struct tar_entry *e)
{
        unsigned sum = touch(e->name, strlen(e->name)) + touch(e->link, strlen(e->link)) +
                       touch(e->uname, strlen(e->uname)) + touch(e->gname, strlen(e->gname));
        int64_t at = 0;

        assert(e->size >= 0 && e->mode <= 07777 && e->uid < UINT32_MAX && e->gid < UINT32_MAX);
        assert(e->mtime.tv_nsec >= 0 && e->mtime.tv_nsec < 1000000000);
        for (size_t i = 0; i < e->n_xattrs; i++)
                sum += touch(e->xattrs[i].name, strlen(e->xattrs[i].name)) +
                       touch(e->xattrs[i].value, e->xattrs[i].len);
        for (size_t i = 0; i < e->n_extents; i++) {
                assert(e->sparse && e->extents[i].offset >= at &&
                       e->extents[i].length <= e->size - e->extents[i].offset);
                at = e->extents[i].offset + e->extents[i].length;
        }
        return sum;
}

static int use_data(struct tar_reader *r, const struct tar_entry *e, struct cor_err *err)
{
        int64_t last = 0, at;
        const void *bytes;
        size_t n;
        int more;

        while ((more = tar_data(r, &at, &bytes, &n, err)) > 0) {
                assert(e->type == TAR_FILE && n > 0 && at >= last && (int64_t)n <= e->size - at);
                touch(bytes, n);
                last = at + (int64_t)n;
        }
        return more;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = { .bytes = malloc(size + 1), .n = size, .chunk = 1 + size % 1500 };
        const struct tar_source source = { .read = read_input, .context = &in };
        const struct tar_limits limits = { .entries = 1000, .bytes = 1LL << 40, .header_bytes = 64 << 10 };
        auto_tar_reader r = tar_reader_new(&source, &limits);
        const struct tar_entry *e;
        struct cor_err err = { 0 };
        bool skip = false;
        int more;

        assert(in.bytes);
        if (size > 0)
                memcpy(in.bytes, data, size);
        put_checksums_right(in.bytes, size);
        while ((more = tar_next(r, &e, &err)) > 0) {
                use_entry(e);
                skip = !skip;
                if (skip && use_data(r, e, &err) < 0) {
                        more = -1;
                        break;
                }
        }
        if (more < 0)
                assert(err.kind == COR_INVALID && err.msg[0] != '\0');
        else
                assert(tar_drain(r, &err) == 0 && in.at == in.n);
        free(in.bytes);
        return 0;
}
