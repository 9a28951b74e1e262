#include "monitor/log_queue.h"

#include "base/process.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>

enum { STUCK_MS = 10 * 1000, DEAD_MS = 10 * 1000, LAST_MS = 3 * 1000, KEEP_BYTES = 4096 };

static size_t used(const struct log_queue *q)
{
        return q->bytes.len - q->start;
}

bool log_queue_is_empty(const struct log_queue *q)
{
        return used(q) == 0;
}

bool log_queue_is_full(const struct log_queue *q)
{
        return !q->drops && used(q) >= LOG_QUEUE_HOLD;
}

int64_t log_queue_due(const struct log_queue *q)
{
        return q->stuck_ms && !q->drops ? q->stuck_ms + STUCK_MS : -1;
}

static void lose(struct log_queue *q, uint64_t n, const char *why)
{
        struct cor_err err = { 0 };

        cor_fail(&err, COR_TIMEOUT, "%s", why);
        log_loss_add(&q->loss, n, &err);
}

static void compact(struct log_queue *q)
{
        if (q->start < q->bytes.len && q->start < q->bytes.room / 2)
                return;
        if (q->start < q->bytes.len)
                memmove(q->bytes.s, q->bytes.s + q->start, q->bytes.len - q->start);
        q->bytes.len -= q->start;
        q->start = 0;
}

void log_queue_add(struct log_queue *q, const char *bytes, size_t n)
{
        uint32_t length = (uint32_t)n;

        if (q->drops && used(q) > 0 && used(q) + n > q->limit) {
                lose(q, 1, "the buffer of mode=non-blocking is full (max-buffer-size)");
                return;
        }
        if (!q->drops && cor_now_ms() < q->dead_until) {
                lose(q, 1, "nobody takes it");
                return;
        }
        cor_text_add_n(&q->bytes, &length, sizeof length);
        cor_text_add_n(&q->bytes, bytes, n);
        q->n++;
}

static void pop(struct log_queue *q, size_t n)
{
        q->start += sizeof(uint32_t) + n;
        q->n--;
        q->stuck_ms = 0;
        compact(q);
}

/* Nothing was taken for so long: whether the container has waited enough. */
static bool give_up(struct log_queue *q)
{
        int64_t now = cor_now_ms();

        if (q->stuck_ms == 0)
                q->stuck_ms = now;
        if (q->drops || now - q->stuck_ms < STUCK_MS)
                return false;
        lose(q, q->n, "nobody takes it");
        q->start = q->bytes.len = 0;
        q->n = 0;
        q->stuck_ms = 0;
        q->dead_until = now + DEAD_MS;
        return true;
}

bool log_queue_run(struct log_queue *q)
{
        while (used(q) > 0) {
                struct cor_err err = { 0 };
                uint32_t n;

                memcpy(&n, q->bytes.s + q->start, sizeof n);
                switch (q->send(q->context, q->bytes.s + q->start + sizeof n, n, &err)) {
                case LOG_SENT:
                        log_loss_over(&q->loss);
                        break;
                case LOG_LOST:
                        log_loss_add(&q->loss, 1, &err);
                        break;
                case LOG_LATER:
                        return !give_up(q);
                }
                pop(q, n);
        }
        return true;
}

void log_queue_last(struct log_queue *q, const struct log_driver *driver, void *log)
{
        int64_t until = cor_now_ms() + LAST_MS, now;

        while (!log_queue_is_empty(q) && (now = cor_now_ms()) < until) {
                struct log_wait w = { .fd = -1, .at = -1 };
                struct pollfd fd;

                driver->wait(log, &w);
                fd = (struct pollfd){ .fd = w.fd, .events = w.events };
                if (w.at < 0 || w.at > until)
                        w.at = until;
                (void)poll(&fd, 1, w.at > now ? (int)(w.at - now) : 0);
                driver->step(log);
        }
        if (!log_queue_is_empty(q))
                lose(q, q->n, "nobody has taken it when the container ended");
}

void log_queue_rest(struct log_queue *q)
{
        if (used(q) == 0 && q->bytes.room > KEEP_BYTES) {
                cor_text_done(&q->bytes);
                q->start = 0;
        }
}

void log_queue_done(struct log_queue *q)
{
        cor_text_done(&q->bytes);
}
