/*
 * Layers without the store and the engine:
 *
 *      layer apply [--probe] [--rootless] [--confine] [--bytes N] [--entries N] [--ratio N] FOLDER [LOWER...] <ARCHIVE
 *      layer diff [--gzip|--zstd] FOLDER >ARCHIVE
 *      layer inflate <ARCHIVE
 *      layer cage FOLDER OUTSIDE
 *
 * `apply` unpacks an archive, compressed or not, into FOLDER, in overlayfs form, on top of the folders LOWER, uppermost
 * first. --confine: with unpack_confine(). It prints "bytes=N entries=N needs_lower=N" and why. `cage` says, a line
 * each, what unpack_confine() leaves a process, whose file OUTSIDE is not in FOLDER. Errors go to stderr;
 * exit status 1.
 */
#include "image/layer.h"
#include "image/compress.h"
#include "image/confine.h"

#include "base/fd.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOWERS_MAX 128

static ssize_t read_stdin(void *context, void *buf, size_t n, struct cor_err *err)
{
        ssize_t got;

        do
                got = read(0, buf, n);
        while (got < 0 && errno == EINTR);
        return got < 0 ? cor_fail_errno(err, "read the archive") : got;
}

static ssize_t read_inflater(void *context, void *buf, size_t n, struct cor_err *err)
{
        return inflater_read(context, buf, n, err);
}

struct options {
        struct layer_apply_options apply;
        unsigned ratio;
        enum compression compression;
        bool confine;
        int lower[LOWERS_MAX];
};

static int open_folder(const char *path, struct cor_err *err)
{
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? cor_fail_errno(err, "open %s", path) : fd;
}

static int confine(const struct options *o, int dir, struct cor_err *err)
{
        int folders[LOWERS_MAX + 1] = { dir };

        memcpy(folders + 1, o->lower, sizeof o->lower);
        return unpack_confine(folders, o->apply.n_lower + 1, o->apply.overlay_prefix, err);
}

static int apply(struct options *o, char **folders, struct cor_err *err)
{
        auto_inflater inflater = inflater_new(read_stdin, NULL, 0, o->ratio);
        struct tar_source source = { .read = read_inflater, .context = inflater };
        auto_tar_reader reader = tar_reader_new(&source, &o->apply.limits);
        struct layer_applied applied;
        auto_fd dir = open_folder(folders[0], err);

        if (dir < 0)
                return -1;
        for (folders++; *folders; folders++) {
                if (o->apply.n_lower == LOWERS_MAX)
                        return cor_fail(err, COR_INVALID, "more than %d lower folders", LOWERS_MAX);
                o->lower[o->apply.n_lower] = open_folder(*folders, err);
                if (o->lower[o->apply.n_lower++] < 0)
                        return -1;
        }
        o->apply.lower = o->lower;
        if (o->confine && confine(o, dir, err) < 0)
                return -1;
        if (layer_apply(dir, reader, &o->apply, &applied, err) < 0)
                return -1;
        if (!applied.needs_lower && tar_drain(reader, err) < 0)
                return -1;
        printf("bytes=%lld entries=%lld needs_lower=%d %s\n", (long long)applied.bytes, (long long)applied.entries,
               applied.needs_lower, applied.why);
        return 0;
}

static int write_stdout(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        return cor_write_full(1, bytes, n, err);
}

static int inflate(struct cor_err *err)
{
        auto_inflater inflater = inflater_new(read_stdin, NULL, 0, 0);
        static char buf[1 << 18];
        ssize_t n;

        while ((n = inflater_read(inflater, buf, sizeof buf, err)) > 0)
                if (write_stdout(NULL, buf, (size_t)n, err) < 0)
                        return -1;
        return (int)n;
}

static int write_deflater(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        return deflater_write(context, bytes, n, err);
}

static int diff(const struct options *o, const char *folder, struct cor_err *err)
{
        auto_deflater deflater = deflater_new(o->compression, 0, write_stdout, NULL);
        struct tar_sink sink = { .write = write_deflater, .context = deflater };
        auto_tar_writer writer = tar_writer_new(&sink);
        auto_fd dir = open_folder(folder, err);

        if (dir < 0 || layer_diff(dir, o->apply.overlay_prefix, writer, err) < 0)
                return -1;
        return deflater_end(deflater, err);
}

/* --------------------------------------------------------------------------------------------------------- the cage */

static void say(const char *what, bool done)
{
        char line[64];
        int n = snprintf(line, sizeof line, "%s: %s\n", what, done ? "ok" : "refused");

        (void)!write(1, line, (size_t)n);
}

static bool opens(const char *path, int flags)
{
        auto_fd fd = open(path, flags | O_CLOEXEC, 0600);

        return fd >= 0;
}

static bool forks(void)
{
        pid_t pid = fork();

        if (pid == 0)
                _exit(0);
        return pid > 0;
}

static bool maps_code(void)
{
        void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        return p == MAP_FAILED || mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0;
}

static void *nothing(void *context)
{
        return NULL;
}

static bool makes_thread(void)
{
        pthread_t thread;

        return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
}

static int cage(const char *folder, const char *outside, struct cor_err *err)
{
        auto_str inside = cor_printf("%s/file", folder);
        auto_fd dir = open_folder(folder, err);
        char *const words[] = { (char[]){ "true" }, NULL };

        if (dir < 0 || unpack_confine(&dir, 1, "trusted.overlay.", err) < 0)
                return -1;
        say("write inside", opens(inside, O_WRONLY | O_CREAT));
        say("thread", makes_thread());
        say("read outside", opens(outside, O_RDONLY));
        say("write outside", opens(outside, O_WRONLY));
        say("fork", forks());
        say("exec", execv("/bin/true", words) == 0);
        say("socket", socket(AF_INET, SOCK_STREAM, 0) >= 0);
        say("mount", mount("none", folder, "tmpfs", 0, NULL) == 0);
        say("unshare", unshare(CLONE_NEWNS) == 0);
        say("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
        say("kill", kill(getppid(), 0) == 0);
        say("setuid", setuid(1) == 0);
        say("open_by_handle", syscall(SYS_open_by_handle_at, dir, NULL, 0) >= 0 || errno != EPERM);
        say("executable memory", maps_code());
        say("bpf", syscall(SYS_bpf, 0, NULL, 0) >= 0 || errno != EPERM);
        say("chroot", chroot(folder) == 0);
        return 0;
}

static int number(const char *word, int64_t *ret, struct cor_err *err)
{
        return word && cor_parse_i64(word, ret) == 0 ? 0 : cor_fail(err, COR_INVALID, "not a number");
}

static int run(char **words, struct cor_err *err)
{
        struct options o = { .apply = { .overlay_prefix = "trusted.overlay." } };
        const char *verb = *words ? *words++ : "";
        int64_t ratio = 0;
        int r = 0;

        for (; r == 0 && *words && cor_starts_with(*words, "--"); words++)
                if (strcmp(*words, "--probe") == 0)
                        o.apply.probe = true;
                else if (strcmp(*words, "--rootless") == 0)
                        o.apply.rootless = true;
                else if (strcmp(*words, "--confine") == 0)
                        o.confine = true;
                else if (strcmp(*words, "--gzip") == 0)
                        o.compression = COMPRESSION_GZIP;
                else if (strcmp(*words, "--zstd") == 0)
                        o.compression = COMPRESSION_ZSTD;
                else if (strcmp(*words, "--bytes") == 0)
                        r = number(*++words, &o.apply.limits.bytes, err);
                else if (strcmp(*words, "--entries") == 0)
                        r = number(*++words, &o.apply.limits.entries, err);
                else if (strcmp(*words, "--ratio") == 0)
                        r = number(*++words, &ratio, err);
                else
                        r = cor_fail(err, COR_INVALID, "unknown flag %s", *words);
        o.ratio = (unsigned)ratio;
        if (o.apply.rootless)
                o.apply.overlay_prefix = "user.overlay.";
        if (r < 0)
                return -1;
        if (strcmp(verb, "apply") == 0 && *words)
                return apply(&o, words, err);
        if (strcmp(verb, "diff") == 0 && *words)
                return diff(&o, *words, err);
        if (strcmp(verb, "cage") == 0 && words[0] && words[1])
                return cage(words[0], words[1], err);
        if (strcmp(verb, "inflate") == 0)
                return inflate(err);
        return cor_fail(err, COR_INVALID,
                        "usage: layer apply [FLAGS] FOLDER [LOWER...], layer diff [FLAGS] FOLDER, layer inflate, "
                        "layer cage FOLDER OUTSIDE");
}

int main(int argc, char **argv)
{
        struct cor_err err = { 0 };

        if (run(argv + 1, &err) == 0)
                return 0;
        fprintf(stderr, "layer: %s\n", err.msg);
        return 1;
}
