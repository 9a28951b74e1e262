/*
 * A disk that loses its power.
 *
 *      powerlog serve FOLDER IMAGE LOG      until FOLDER is unmounted: FOLDER/disk is the disk, which begins as IMAGE
 *      powerlog count LOG                   how many records LOG has
 *      powerlog cut LOG N SEED IMAGE        make IMAGE, as it was before, what the disk holds after a cut behind record
 * N; prints the last mark before that
 *
 * `serve` is a file system (FUSE, spoken directly) with a file that a loop device can be made of. Each write and each
 * flush of that device comes here and is logged. Whatever is written to FOLDER/mark goes into the log as well: what the
 * test knows to be done at that point. After a cut the disk holds all that was written before the last flush, and of
 * what came later some and some not (by SEED): this is what a disk with a cache in it may do, and harder than most do.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE_MAX = 1 << 17, REQUEST_MAX = WRITE_MAX + 4096, NODE_ROOT = 1, NODE_DISK, NODE_MARK };
enum record_type { RECORD_WRITE = 1, RECORD_FLUSH, RECORD_MARK };

struct record {
        uint32_t type, len;
        uint64_t offset;
};

static struct {
        int fuse, disk, log;
        uint64_t size;
} served;

static _Noreturn void die(const char *what)
{
        fprintf(stderr, "powerlog: %s: %s\n", what, strerror(errno));
        exit(1);
}

/* ------------------------------------------------------------------------------------------------------- the server */

static void log_record(enum record_type type, uint64_t offset, const void *bytes, size_t len)
{
        struct record r = { .type = type, .len = (uint32_t)len, .offset = offset };
        struct iovec parts[] = { { &r, sizeof r }, { (void *)(uintptr_t)bytes, len } };

        if (writev(served.log, parts, 2) != (ssize_t)(sizeof r + len))
                die("write the log");
}

static void reply(uint64_t unique, int error, const void *bytes, size_t len)
{
        struct fuse_out_header h = { .len = (uint32_t)(sizeof h + len), .error = -error, .unique = unique };
        struct iovec parts[] = { { &h, sizeof h }, { (void *)(uintptr_t)bytes, len } };

        if (writev(served.fuse, parts, 2) < 0 && errno != ENOENT)
                die("answer");
}

static struct fuse_attr attr_of(uint64_t node)
{
        return (struct fuse_attr){
                .ino = node,
                .size = node == NODE_DISK ? served.size : 0,
                .blocks = node == NODE_DISK ? served.size / 512 : 0,
                .mode = node == NODE_ROOT ? S_IFDIR | 0755 : S_IFREG | 0600,
                .nlink = 1,
                .blksize = 4096,
        };
}

static void do_init(const struct fuse_in_header *h, const struct fuse_init_in *in)
{
        struct fuse_init_out out = {
                .major = FUSE_KERNEL_VERSION,
                .minor = FUSE_KERNEL_MINOR_VERSION,
                .max_readahead = in->max_readahead,
                .flags = in->flags & (FUSE_BIG_WRITES | FUSE_MAX_PAGES),
                .max_background = 16,
                .congestion_threshold = 12,
                .max_write = WRITE_MAX,
                .max_pages = WRITE_MAX / 4096,
        };

        reply(h->unique, 0, &out, sizeof out);
}

static void do_lookup(const struct fuse_in_header *h, const char *name)
{
        uint64_t node = strcmp(name, "disk") == 0 ? NODE_DISK : strcmp(name, "mark") == 0 ? NODE_MARK : 0;
        struct fuse_entry_out out = { .nodeid = node, .attr = attr_of(node) };

        reply(h->unique, node ? 0 : ENOENT, &out, node ? sizeof out : 0);
}

static void do_attr(const struct fuse_in_header *h)
{
        struct fuse_attr_out out = { .attr = attr_of(h->nodeid) };

        reply(h->unique, 0, &out, sizeof out);
}

static void do_open(const struct fuse_in_header *h)
{
        struct fuse_open_out out = { .open_flags = h->nodeid == NODE_DISK ? FOPEN_KEEP_CACHE : FOPEN_DIRECT_IO };

        reply(h->unique, 0, &out, sizeof out);
}

static void do_read(const struct fuse_in_header *h, const struct fuse_read_in *in)
{
        static char bytes[WRITE_MAX];
        size_t want = in->size < sizeof bytes ? in->size : sizeof bytes;
        ssize_t n = h->nodeid == NODE_DISK ? pread(served.disk, bytes, want, (off_t)in->offset) : 0;

        reply(h->unique, n < 0 ? EIO : 0, bytes, n < 0 ? 0 : (size_t)n);
}

static void do_write(const struct fuse_in_header *h, const struct fuse_write_in *in)
{
        const void *bytes = in + 1;
        struct fuse_write_out out = { .size = in->size };

        if (h->nodeid == NODE_MARK) {
                log_record(RECORD_MARK, 0, bytes, in->size);
        } else {
                if (pwrite(served.disk, bytes, in->size, (off_t)in->offset) != (ssize_t)in->size)
                        die("write the disk");
                log_record(RECORD_WRITE, in->offset, bytes, in->size);
        }
        reply(h->unique, 0, &out, sizeof out);
}

static void do_statfs(const struct fuse_in_header *h)
{
        struct fuse_statfs_out out = { .st = { .bsize = 4096, .namelen = 255, .frsize = 4096 } };

        reply(h->unique, 0, &out, sizeof out);
}

static void answer(const struct fuse_in_header *h)
{
        const void *body = h + 1;

        switch (h->opcode) {
        case FUSE_INIT:
                return do_init(h, body);
        case FUSE_LOOKUP:
                return do_lookup(h, body);
        case FUSE_GETATTR:
        case FUSE_SETATTR:
                return do_attr(h);
        case FUSE_OPEN:
                return do_open(h);
        case FUSE_READ:
                return do_read(h, body);
        case FUSE_WRITE:
                return do_write(h, body);
        case FUSE_STATFS:
                return do_statfs(h);
        case FUSE_FSYNC:
                log_record(RECORD_FLUSH, 0, NULL, 0);
                return reply(h->unique, 0, NULL, 0);
        case FUSE_FLUSH:
        case FUSE_RELEASE:
        case FUSE_DESTROY:
                return reply(h->unique, 0, NULL, 0);
        case FUSE_FORGET:
        case FUSE_BATCH_FORGET:
        case FUSE_INTERRUPT:
                return;
        default:
                return reply(h->unique, h->opcode == FUSE_FALLOCATE ? EOPNOTSUPP : ENOSYS, NULL, 0);
        }
}

static int serve(char **args)
{
        static union {
                struct fuse_in_header header;
                char bytes[REQUEST_MAX];
        } request;
        char options[128];
        struct stat st;
        ssize_t n;

        served.disk = open(args[1], O_RDWR | O_CLOEXEC);
        served.log = open(args[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        served.fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
        if (served.disk < 0 || served.log < 0 || served.fuse < 0 || fstat(served.disk, &st) < 0)
                die("open");
        served.size = (uint64_t)st.st_size;
        snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,max_read=%d", served.fuse,
                 WRITE_MAX);
        if (mount("powerlog", args[0], "fuse", MS_NOSUID | MS_NODEV, options) < 0)
                die("mount");
        for (;;) {
                n = read(served.fuse, &request, sizeof request);
                if (n < 0 && errno == ENODEV) /* unmounted */
                        return 0;
                if (n < 0 && errno != EINTR && errno != ENOENT && errno != EAGAIN)
                        die("read a request");
                if (n >= (ssize_t)sizeof(struct fuse_in_header))
                        answer(&request.header);
        }
}

/* --------------------------------------------------------------------------------------------------------- the cuts */

/* The next record of @log: false at its end. */
static bool next_record(FILE *log, struct record *r, char bytes[WRITE_MAX])
{
        if (fread(r, sizeof *r, 1, log) != 1)
                return false;
        if (r->len > WRITE_MAX || fread(bytes, 1, r->len, log) != r->len) {
                errno = EINVAL;
                die("the log is cut off");
        }
        return true;
}

static FILE *open_log(const char *path)
{
        FILE *log = fopen(path, "re");

        if (!log)
                die(path);
        return log;
}

static char buffer[WRITE_MAX];

static int count(char **args)
{
        FILE *log = open_log(args[0]);
        struct record r;
        unsigned long n = 0;

        while (next_record(log, &r, buffer))
                n++;
        printf("%lu\n", n);
        return 0;
}

/* How many of the first @n records are surely on the disk. */
static unsigned long flushed(FILE *log, unsigned long n)
{
        unsigned long sure = 0;
        struct record r;

        for (unsigned long i = 0; i < n && next_record(log, &r, buffer); i++)
                if (r.type == RECORD_FLUSH)
                        sure = i;
        rewind(log);
        return sure;
}

static int cut(char **args)
{
        FILE *log = open_log(args[0]);
        unsigned long n = strtoul(args[1], NULL, 10), sure = flushed(log, n);
        int image = open(args[3], O_WRONLY | O_CLOEXEC);
        char mark[256] = "";
        struct record r;

        if (image < 0)
                die(args[3]);
        srandom((unsigned)strtoul(args[2], NULL, 10));
        for (unsigned long i = 0; i < n && next_record(log, &r, buffer); i++) {
                if (r.type == RECORD_MARK)
                        snprintf(mark, sizeof mark, "%.*s", (int)r.len, buffer);
                if (r.type != RECORD_WRITE || (i > sure && random() % 2))
                        continue;
                if (pwrite(image, buffer, r.len, (off_t)r.offset) != (ssize_t)r.len)
                        die("write the image");
        }
        puts(mark);
        return close(image) < 0;
}

int main(int argc, char **argv)
{
        if (argc == 5 && strcmp(argv[1], "serve") == 0)
                return serve(argv + 2);
        if (argc == 3 && strcmp(argv[1], "count") == 0)
                return count(argv + 2);
        if (argc == 6 && strcmp(argv[1], "cut") == 0)
                return cut(argv + 2);
        fprintf(stderr, "usage: powerlog serve FOLDER IMAGE LOG | count LOG | cut LOG N SEED IMAGE\n");
        return 2;
}
