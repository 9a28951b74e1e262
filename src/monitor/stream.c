#include "monitor/stream.h"

#include "base/fd.h"
#include "base/process.h"
#include "monitor/client.h"
#include "monitor/monitor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { TTY_RETRY_MS = 100 };

/* Never touched, never there: pages of these cost memory only where a container prints or reads much. */
static char output_buffers[2][STREAM_BYTES];
static char input_buffer[STREAM_BYTES];

void streams_init(struct monitor *m)
{
        for (int i = 0; i < 2; i++)
                m->out[i] = (struct output){ .fd = -1 };
        m->in = (struct input){ .fd = -1 };
}

void streams_done(struct monitor *m)
{
        for (int i = 0; i < 2; i++)
                cor_fd_close(&m->out[i].fd);
        cor_fd_close(&m->in.fd);
        m->in.n = 0;
        m->in.end_wanted = false;
}

const char *output_bytes(int which)
{
        return output_buffers[which];
}

static enum monitor_packet packet_of(const struct output *o, int which)
{
        return which == 0 || o->is_tty ? MONITOR_STDOUT : MONITOR_STDERR;
}

void output_settled(struct monitor *m, int which)
{
        for (size_t i = 0; i < m->n_clients; i++)
                if (client_is_owed(&m->clients[i], which))
                        return;
        m->out[which].n = 0;
}

int output_read(struct monitor *m, int which)
{
        struct output *o = &m->out[which];
        struct timespec now;
        ssize_t n;

        do
                n = read(o->fd, output_buffers[which], STREAM_BYTES);
        while (n < 0 && errno == EINTR);
        if (n < 0 && errno == EAGAIN)
                return 0;
        /* a terminal that no process has open at the moment; the next one may open it again */
        if (n < 0 && errno == EIO && o->is_tty && m->state == STATE_RUNNING) {
                o->retry_at = cor_now_ms() + TTY_RETRY_MS;
                return 0;
        }
        if (n <= 0) {
                cor_fd_close(&o->fd);
                return -1;
        }
        clock_gettime(CLOCK_REALTIME, &now);
        if (m->log)
                log_write(m->log, which == 0 ? LOG_STDOUT : LOG_STDERR, output_buffers[which], (size_t)n, &now);
        o->n = (size_t)n;
        clients_send_output(m, which, packet_of(o, which));
        output_settled(m, which);
        m->progress_ms = cor_now_ms();
        return 1;
}

void input_write(struct monitor *m)
{
        struct input *in = &m->in;
        ssize_t n;

        while (in->n > 0 && in->fd >= 0) {
                n = write(in->fd, input_buffer + in->start, in->n);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN)
                        return;
                if (n < 0) { /* nobody will read it */
                        cor_fd_close(&in->fd);
                        break;
                }
                in->start += (size_t)n;
                in->n -= (size_t)n;
        }
        in->n = 0;
        if (in->end_wanted)
                cor_fd_close(&in->fd);
        in->end_wanted = false;
}

void input_add(struct monitor *m, const char *bytes, size_t n)
{
        if (m->in.fd < 0)
                return;
        memcpy(input_buffer, bytes, n);
        m->in.start = 0;
        m->in.n = n;
        input_write(m);
}

void input_end(struct monitor *m)
{
        m->in.end_wanted = true;
        if (m->in.n == 0)
                input_write(m);
}
