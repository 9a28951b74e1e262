/*
 * The processes of one layer. Extractor (forked by the unpacker):
 *
 *   1 makes a pipe and forks the inflater; both die with their parent
 *   2 gives up what unpacking does not need (image/confine.h)
 *   3 reads the archive from the pipe, hashes it, unpacks it
 *   4 reports UNPACK_DONE or UNPACK_FAILED, once
 *
 * Inflater: gives up everything but its descriptors, reads the blob as it grows, writes the archive into the pipe,
 * reports UNPACK_PROGRESS; what it stumbles over it reports to the extractor by a message in place of the digest.
 */
#include "image/unpack_worker.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"
#include "image/compress.h"
#include "image/confine.h"
#include "store/hash.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIPE_BYTES = 1 << 20, CHUNK_BYTES = 256 << 10, PROGRESS_BYTES = 512 << 10 };

/* --------------------------------------------------------------------------------------------------------- inflater */

struct growing {
        const struct unpack_work *work;
        int64_t offset, reported;
        bool whole;
};

static void report_progress(struct growing *g)
{
        struct unpack_event event = { .job = g->work->job, .type = UNPACK_PROGRESS, .offset = g->offset };

        if (g->offset - g->reported < PROGRESS_BYTES && g->offset < g->work->size)
                return;
        g->reported = g->offset;
        (void)!send(g->work->report_fd, &event, sizeof event, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Wait until the blob has grown or is whole. */
static int wait_for_more(struct growing *g, struct cor_err *err)
{
        char words[4096];
        ssize_t n;

        do
                n = read(g->work->wake_fd, words, sizeof words);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return cor_fail_errno(err, "wait for the download");
        if (n == 0)
                return cor_fail(err, COR_BUSY, "the download was stopped");
        g->whole = memchr(words, UNPACK_WHOLE, (size_t)n) != NULL;
        return 0;
}

static ssize_t read_growing(void *context, void *buf, size_t n, struct cor_err *err)
{
        struct growing *g = context;
        int64_t left = g->work->size - g->offset;
        ssize_t got;

        if (left <= 0)
                return 0;
        if ((int64_t)n > left)
                n = (size_t)left;
        for (;;) {
                got = pread(g->work->blob_fd, buf, n, g->offset);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return cor_fail_errno(err, "read the blob");
                if (got > 0)
                        break;
                if (g->whole)
                        return cor_fail(err, COR_INVALID, "the blob is shorter than its descriptor says");
                if (wait_for_more(g, err) < 0)
                        return -1;
        }
        g->offset += got;
        report_progress(g);
        return got;
}

static int inflate_into(const struct unpack_work *w, int out, struct cor_err *err)
{
        struct growing g = { .work = w, .whole = w->wake_fd < 0 };
        auto_inflater i = inflater_new(read_growing, &g, 0, w->limits.ratio);
        auto_free char *buf = cor_alloc(CHUNK_BYTES);
        ssize_t n;

        while ((n = inflater_read(i, buf, CHUNK_BYTES, err)) > 0)
                if (cor_write_full(out, buf, (size_t)n, err) < 0)
                        return -1;
        return (int)n;
}

/* What the inflater leaves behind for the extractor: err.kind is COR_OK when all went well. */
static _Noreturn void inflater_run(const struct unpack_work *w, int out, int verdict)
{
        const int fds[] = { w->blob_fd, w->wake_fd, w->report_fd, out, verdict };
        struct cor_err err = { 0 };

        if (confine_descriptors(fds, COR_COUNT(fds), &err) == 0 && confine_inflater(&err) == 0 &&
            inflate_into(w, out, &err) == 0)
                err.kind = COR_OK;
        (void)!write(verdict, &err, sizeof err);
        _exit(0);
}

/* -------------------------------------------------------------------------------------------------------- extractor */

struct hashed {
        int fd, verdict;
        struct hash *hash;
        bool ended;
};

/* The end of the pipe is the end of the archive only if the inflater says that all went well. */
static int end_of_archive(struct hashed *h, struct cor_err *err)
{
        struct cor_err verdict;
        ssize_t n;

        if (h->ended)
                return 0;
        n = cor_read_full(h->verdict, &verdict, sizeof verdict, err);
        if (n < 0)
                return -1;
        if (n != (ssize_t)sizeof verdict)
                return cor_fail(err, COR_SYSTEM, "the process that decompresses ended without a word");
        h->ended = true;
        if (verdict.kind == COR_OK)
                return 0;
        *err = verdict;
        return -1;
}

static ssize_t read_hashed(void *context, void *buf, size_t n, struct cor_err *err)
{
        struct hashed *h = context;
        ssize_t got;

        do
                got = read(h->fd, buf, n);
        while (got < 0 && errno == EINTR);
        if (got < 0)
                return cor_fail_errno(err, "read the archive");
        if (got == 0)
                return end_of_archive(h, err);
        hash_add(h->hash, buf, (size_t)got);
        return got;
}

static int extract(const struct unpack_work *w, struct hashed *h, struct unpack_event *event, struct cor_err *err)
{
        const struct layer_apply_options options = {
                .overlay_prefix = w->overlay_prefix,
                .rootless = w->rootless,
                .limits = { .entries = w->limits.entries, .bytes = w->limits.bytes },
                .lower = w->lower_fds,
                .n_lower = w->n_lower,
                .probe = w->n_lower == 0 && !w->bottom,
        };
        const struct tar_source source = { .read = read_hashed, .context = h };
        auto_tar_reader reader = tar_reader_new(&source, &options.limits);

        if (layer_apply(w->layer_fd, reader, &options, &event->applied, err) < 0 || tar_drain(reader, err) < 0)
                return -1;
        event->diff_id = hash_digest(h->hash);
        return 0;
}

static void die_with_parent(void)
{
        prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Start the inflater; our end of its pipe and of its verdict. */
static int start_inflater(const struct unpack_work *w, int *ret_archive, int *ret_verdict, struct cor_err *err)
{
        int archive[2], verdict[2];
        pid_t pid, us = getpid();

        if (pipe2(archive, O_CLOEXEC) < 0 || pipe2(verdict, O_CLOEXEC) < 0)
                return cor_fail_errno(err, "make a pipe");
        fcntl(archive[1], F_SETPIPE_SZ, PIPE_BYTES); /* less is slower, not wrong */
        pid = fork();
        if (pid < 0)
                return cor_fail_errno(err, "start a process");
        if (pid == 0) {
                die_with_parent();
                close(archive[0]);
                close(verdict[0]);
                close(w->layer_fd);
                if (getppid() == us)
                        inflater_run(w, archive[1], verdict[1]);
                _exit(1);
        }
        close(archive[1]);
        close(verdict[1]);
        *ret_archive = archive[0];
        *ret_verdict = verdict[0];
        return 0;
}

static int confine(const struct unpack_work *w, const struct hashed *h, struct cor_err *err)
{
        int folders[1 + UNPACK_MAX_LOWER], fds[4 + UNPACK_MAX_LOWER] = { w->layer_fd, w->report_fd, h->fd, h->verdict };

        for (size_t i = 0; i < w->n_lower; i++)
                fds[4 + i] = folders[1 + i] = w->lower_fds[i];
        if (confine_descriptors(fds, 4 + w->n_lower, err) < 0)
                return -1;
        folders[0] = w->layer_fd;
        return unpack_confine(folders, 1 + w->n_lower, w->overlay_prefix, err);
}

_Noreturn void unpack_work(const struct unpack_work *w)
{
        struct unpack_event event = { .job = w->job, .type = UNPACK_DONE };
        struct hashed h = { .fd = -1, .verdict = -1, .hash = hash_new(DIGEST_SHA256) };

        die_with_parent();
        umask(0);
        if (start_inflater(w, &h.fd, &h.verdict, &event.err) < 0 || confine(w, &h, &event.err) < 0 ||
            extract(w, &h, &event, &event.err) < 0)
                event.type = UNPACK_FAILED;
        (void)!send(w->report_fd, &event, sizeof event, MSG_NOSIGNAL);
        _exit(0);
}
