#include "image/unpack_writeback.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"
#include "image/confine.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EVERY_BYTES = 8 << 20, END_MS = 1000 };

struct writeback {
        int images, layers; /* folders of the store, borrowed; layers is -1 if one sync does for both */
        int64_t bytes;      /* since the last sync */
        bool begun;
        int wake; /* a pipe to the process; -1: there is none */
        pid_t pid;
};

struct writeback *writeback_new(const struct store *s)
{
        struct writeback *w = cor_alloc(sizeof *w);
        struct stat images, layers;

        *w = (struct writeback){ .images = store_images_fd(s), .layers = store_layers_fd(s), .wake = -1 };
        if (fstat(w->images, &images) == 0 && fstat(w->layers, &layers) == 0 && images.st_dev == layers.st_dev)
                w->layers = -1;
        return w;
}

/* One sync for all words that are in the pipe. What fails here will be told by the sync at the end. */
static _Noreturn void sync_when_told(const struct writeback *w, int told, pid_t parent)
{
        const int fds[] = { w->images, w->layers, told };
        struct cor_err err = { 0 };
        char words[64];
        ssize_t n = 1;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent || confine_descriptors(fds, COR_COUNT(fds), &err) < 0)
                _exit(1);
        for (;;) {
                n = read(told, words, sizeof words);
                if (n == 0 || (n < 0 && errno != EINTR))
                        _exit(0);
                (void)!syncfs(w->images);
                if (w->layers >= 0)
                        (void)!syncfs(w->layers);
        }
}

/* Without it (no processes or descriptors left) the disk begins later, that is all. */
static void start(struct writeback *w)
{
        pid_t us = getpid();
        int ends[2];

        w->begun = true;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return;
        w->pid = fork();
        if (w->pid == 0)
                sync_when_told(w, ends[0], us);
        close(ends[0]);
        if (w->pid > 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0)
                w->wake = ends[1];
        else
                close(ends[1]);
}

void writeback_add(struct writeback *w, int64_t bytes)
{
        w->bytes += bytes;
        if (w->bytes < EVERY_BYTES)
                return;
        w->bytes = 0;
        if (!w->begun)
                start(w);
        if (w->wake >= 0)
                (void)!write(w->wake, ".", 1); /* a full pipe is told enough */
}

void writeback_free(struct writeback *w)
{
        if (!w)
                return;
        cor_fd_close(&w->wake);
        if (w->pid > 0) {
                kill(w->pid, SIGKILL); /* if it waits for a slow disk, it ends later */
                (void)cor_child_wait(w->pid, END_MS, NULL);
        }
        free(w);
}
