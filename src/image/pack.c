/*
 * The caller waits and looks after the engine; the threads take layers from a counter. They touch nothing but their
 * layer, and stop between two chunks when `stop` is set. Each tells by the eventfd that it has come to its end.
 */
#include "image/pack.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "image/compress.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { CHUNK_BYTES = 256 << 10, GZIP_LEVEL = 6, THREADS_MAX = 32 };

struct pack {
        struct pack_layer *layers;
        size_t n_layers;
        atomic_size_t next;
        atomic_bool stop;
        int ended; /* eventfd */
};

static int write_packed(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        return blob_ingest_write(context, bytes, n, err);
}

static int pack_one(struct pack *p, struct pack_layer *l, struct cor_err *err)
{
        auto_deflater d = deflater_new(COMPRESSION_GZIP, GZIP_LEVEL, write_packed, l->into);
        auto_free char *buf = cor_alloc(CHUNK_BYTES);
        ssize_t n;

        while ((n = read(l->fd, buf, CHUNK_BYTES)) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return cor_fail_errno(err, "read the layer");
                if (atomic_load(&p->stop))
                        return cor_fail(err, COR_BUSY, "interrupted");
                if (deflater_write(d, buf, (size_t)n, err) < 0)
                        return -1;
        }
        return deflater_end(d, err);
}

static void *work(void *context)
{
        struct pack *p = context;
        uint64_t one = 1;

        for (size_t i; !atomic_load(&p->stop) && (i = atomic_fetch_add(&p->next, 1)) < p->n_layers;)
                if (pack_one(p, &p->layers[i], &p->layers[i].err) < 0)
                        atomic_store(&p->stop, true);
        (void)!write(p->ended, &one, sizeof one);
        return NULL;
}

/* Until all threads have said that they are at their end. */
static int wait_for(struct pack *p, size_t n_threads, int wake_fd, struct cor_err *err)
{
        struct pollfd polled[] = { { .fd = p->ended, .events = POLLIN }, { .fd = wake_fd, .events = POLLIN } };
        uint64_t ended = 0, n;

        while (ended < n_threads) {
                int r = poll(polled, COR_COUNT(polled), -1);

                if (r < 0 && errno != EINTR)
                        return cor_fail_errno(err, "wait for the threads that compress");
                if (r <= 0)
                        continue;
                if (polled[1].revents)
                        return cor_fail(err, COR_BUSY, "interrupted");
                if (polled[0].revents && read(p->ended, &n, sizeof n) == (ssize_t)sizeof n)
                        ended += n;
        }
        return 0;
}

static size_t threads_for(size_t n_layers)
{
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        size_t n = processors < 1 ? 1 : processors > THREADS_MAX ? THREADS_MAX : (size_t)processors;

        return n < n_layers ? n : n_layers;
}

/* What stopped the others, rather than that they were stopped. */
static int first_error(const struct pack *p, struct cor_err *err)
{
        const struct cor_err *found = NULL;

        for (size_t i = 0; i < p->n_layers; i++)
                if (p->layers[i].err.kind != COR_OK && (!found || found->kind == COR_BUSY))
                        found = &p->layers[i].err;
        if (!found)
                return 0;
        *err = *found;
        return -1;
}

int pack_layers(struct pack_layer *layers, size_t n_layers, int wake_fd, struct cor_err *err)
{
        struct pack p = { .layers = layers, .n_layers = n_layers };
        pthread_t threads[THREADS_MAX];
        size_t n = 0, wanted = threads_for(n_layers);
        auto_fd ended = eventfd(0, EFD_CLOEXEC);
        int r = 0;

        if (ended < 0)
                return cor_fail_errno(err, "make an eventfd");
        p.ended = ended;
        while (n < wanted && (errno = pthread_create(&threads[n], NULL, work, &p)) == 0)
                n++;
        if (n == 0 && n_layers > 0) /* fewer are slower, not wrong */
                return cor_fail_errno(err, "start a thread");
        r = wait_for(&p, n, wake_fd, err);
        if (r < 0)
                atomic_store(&p.stop, true);
        while (n > 0)
                pthread_join(threads[--n], NULL);
        return r < 0 ? -1 : first_error(&p, err);
}
