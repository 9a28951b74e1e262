/*
 * Archives unpacked, on a real file system. Nothing is made beside the layer's folder; and what could be unpacked can
 * be packed, and then unpacked and packed again to the same bytes. The same archive is applied on top of itself, too.
 */
#include "image/layer.h"

#include "base/file.h"
#include "base/text.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
        const char *bytes;
        size_t n, at;
};

static ssize_t read_input(void *context, void *buf, size_t n, struct cor_err *err)
{
        struct input *in = context;

        if (n > in->n - in->at)
                n = in->n - in->at;
        memcpy(buf, in->bytes + in->at, n);
        in->at += n;
        return (ssize_t)n;
}

static int write_text(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        cor_text_add_n(context, bytes, n);
        return 0;
}

static char scratch_path[64];

static void remove_scratch(void)
{
        rmdir(scratch_path);
}

static int scratch(void)
{
        static int fd = -1;

        if (fd >= 0)
                return fd;
        snprintf(scratch_path, sizeof scratch_path, "%s/coracle-fuzz-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        assert(mkdtemp(scratch_path));
        fd = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert(fd >= 0);
        atexit(remove_scratch);
        return fd;
}

static int count_entries(int dir)
{
        int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
        DIR *d = fdopendir(fd);

        assert(d);
        while (readdir(d))
                n++;
        closedir(d);
        return n - 2;
}

static const char *prefix(void)
{
        return geteuid() == 0 ? "trusted.overlay." : "user.overlay.";
}

/* Unpack into a new folder @name, and pack it again if that worked. */
static int there_and_back(const char *name, const char *bytes, size_t n, const char *lower, struct cor_text *ret)
{
        struct input in = { bytes, n, 0 };
        const struct tar_source source = { .read = read_input, .context = &in };
        const struct tar_sink sink = { .write = write_text, .context = ret };
        int below = lower ? openat(scratch(), lower, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
        const struct tar_limits limits = { .entries = 2000, .bytes = 1 << 20, .header_bytes = 64 << 10 };
        const struct layer_apply_options options = { .overlay_prefix = prefix(),
                                                     .rootless = geteuid() != 0,
                                                     .limits = limits,
                                                     .lower = &below,
                                                     .n_lower = lower != NULL };
        auto_tar_reader reader = tar_reader_new(&source, &limits);
        auto_tar_writer writer = tar_writer_new(&sink);
        struct layer_applied applied;
        struct cor_err err = { 0 };
        int dir, r;

        assert(mkdirat(scratch(), name, 0755) == 0);
        dir = openat(scratch(), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert(dir >= 0);
        r = layer_apply(dir, reader, &options, &applied, &err);
        assert(r == 0 || err.msg[0] != '\0');
        if (r == 0) {
                r = layer_diff(dir, prefix(), writer, &err);
                if (r < 0 && err.kind != COR_INVALID)
                        fprintf(stderr, "%s\n", err.msg);
                assert(r == 0 || err.kind == COR_INVALID); /* paths longer than an archive's, by links */
        }
        close(dir);
        if (lower)
                close(below);
        return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        auto_text first = COR_TEXT_INIT, second = COR_TEXT_INIT, third = COR_TEXT_INIT;
        auto_str fixed = cor_alloc(size + 1);
        struct cor_err err = { 0 };

        if (size > 0)
                memcpy(fixed, data, size);
        for (uint8_t *block = (uint8_t *)fixed; size - (size_t)(block - (uint8_t *)fixed) >= 512; block += 512) {
                unsigned sum = 0;

                if (memcmp(block + 257, "ustar", 5) != 0)
                        continue;
                memset(block + 148, ' ', 8);
                for (size_t i = 0; i < 512; i++)
                        sum += block[i];
                snprintf((char *)block + 148, 7, "%06o", sum & 0777777);
        }
        if (there_and_back("a", fixed, size, NULL, &first) == 0) {
                assert(there_and_back("b", first.s, first.len, NULL, &second) == 0);
                assert(first.len == second.len && memcmp(first.s, second.s, first.len) == 0);
                (void)there_and_back("c", fixed, size, "a", &third);
        }
        for (const char *const *name = (const char *const[]){ "a", "b", "c", NULL }; *name; name++)
                assert(cor_own_remove_tree(scratch(), *name, &err) == 0);
        assert(count_entries(scratch()) == 0);
        return 0;
}
