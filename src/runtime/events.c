#include "runtime/events.h"

#include "base/fd.h"
#include "base/log.h"
#include "linux/resctrl.h"
#include "runtime/record.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

struct watch {
        struct container container;
        struct cgroup *cgroup;
        struct oci_config *config; /* for intelRdt; NULL when it has none */
        struct cgroup_oom *oom;    /* NULL: there is no memory controller */
        int init, fd;              /* pidfd of the first process; where to write */
};

static void watch_done(struct watch *w)
{
        if (w->oom)
                cgroup_oom_close(w->oom);
        cor_fd_close(&w->init);
        cgroup_close(w->cgroup);
        cor_json_free(w->config);
        container_done(&w->container);
}
#define auto_watch COR_CLEANUP(watch_done) struct watch

static int watch_open(const struct runtime_context *ctx, const char *id, struct watch *w, struct cor_err *err)
{
        struct cor_procid init;

        if (container_open(ctx, id, &w->container, err) < 0)
                return -1;
        if (container_status(&w->container) == CONTAINER_STOPPED)
                return cor_fail(err, COR_BUSY, "container with id %s is not running", id);
        init = container_init_process(&w->container);
        w->init = cor_procid_open(&init, err);
        if (w->init < 0 || container_cgroup(&w->container, &w->cgroup, err) < 0)
                return -1;
        return container_config(&w->container, &w->config, err);
}

/* The members behind those of the cgroup. */
static int add_more(const struct watch *w, struct cor_text *out, struct cor_err *err)
{
        const struct oci_intel_rdt *rdt = w->config->linux_->intel_rdt;

        cor_text_add(out, "\"intel_rdt\":");
        if (!rdt)
                cor_text_add(out, "{}");
        else if (resctrl_print_stats(rdt, w->container.id, out, err) < 0)
                return -1;
        cor_text_add(out, ",\"network_interfaces\":null");
        return 0;
}

static int write_stats(const struct watch *w, struct cor_err *err)
{
        auto_text line = COR_TEXT_INIT, more = COR_TEXT_INIT;
        struct cgroup_stats s;

        if (add_more(w, &more, err) < 0 || cgroup_stats(w->cgroup, &s, err) < 0)
                return cor_wrap(err, "statistics of container %s", w->container.id);
        cor_text_printf(&line, "{\"type\":\"stats\",\"id\":\"%s\",\"data\":", w->container.id);
        cgroup_stats_print(&s, more.s, &line);
        cor_text_add(&line, "}\n");
        cgroup_stats_done(&s);
        return cor_write_full(w->fd, line.s, line.len, err);
}

int events_once(const struct runtime_context *ctx, const char *id, int fd, struct cor_err *err)
{
        auto_watch w = { .container = CONTAINER_INIT, .init = -1, .fd = fd };

        return watch_open(ctx, id, &w, err) < 0 ? -1 : write_stats(&w, err);
}

/* Tell of what happened since last time; *ret_gone when there is no cgroup any more. */
static int write_oom(const struct watch *w, bool *ret_gone, struct cor_err *err)
{
        uint64_t n;

        if (cgroup_oom_check(w->oom, &n, ret_gone, err) < 0)
                return -1;
        for (; n > 0; n--) {
                auto_text line = COR_TEXT_INIT;

                cor_text_printf(&line, "{\"type\":\"oom\",\"id\":\"%s\"}\n", w->container.id);
                if (cor_write_full(w->fd, line.s, line.len, err) < 0)
                        return -1;
        }
        return 0;
}

enum { WATCH_INIT, WATCH_READER, WATCH_OOM, WATCH_FDS };

/* Wait for something to tell, at most until @end; 1: go on, 0: the container or the reader is gone. */
static int watch_wait(const struct watch *w, int64_t end, struct cor_err *err)
{
        struct pollfd fds[WATCH_FDS] = {
                [WATCH_INIT] = { .fd = w->init, .events = POLLIN },
                [WATCH_READER] = { .fd = w->fd }, /* POLLERR: the pipe's other end was closed */
                [WATCH_OOM] = { .fd = w->oom ? cgroup_oom_fd(w->oom) : -1, .events = POLLIN },
        };
        int64_t left = end - cor_now_ms();
        bool gone = false;

        if (poll(fds, WATCH_FDS, left > 0 ? (int)left : 0) < 0 && errno != EINTR)
                return cor_fail_errno(err, "poll");
        /* the end of the container first: the last out-of-memory event is often what ended it */
        if (w->oom && (fds[WATCH_OOM].revents || fds[WATCH_INIT].revents) && write_oom(w, &gone, err) < 0)
                return -1;
        return !gone && !fds[WATCH_INIT].revents && !(fds[WATCH_READER].revents & (POLLERR | POLLNVAL));
}

int events_follow(const struct runtime_context *ctx, const char *id, int interval_ms, int fd, struct cor_err *err)
{
        auto_watch w = { .container = CONTAINER_INIT, .init = -1, .fd = fd };
        struct cor_err why = { 0 };
        int64_t next;

        if (watch_open(ctx, id, &w, err) < 0)
                return -1;
        if (cgroup_oom_open(w.cgroup, &w.oom, &why) < 0)
                cor_warn("no out-of-memory events: %s", why.msg);
        next = cor_now_ms() + interval_ms;
        for (;;) {
                int r = watch_wait(&w, next, err);

                if (r <= 0)
                        return r;
                if (cor_now_ms() < next)
                        continue;
                next += interval_ms;
                if (write_stats(&w, err) < 0) {
                        if (cor_wait_readable(w.init, 0, &why) != 1)
                                return -1;
                        cor_err_clear(err); /* the cgroup has gone with the container, which is seen next */
                }
        }
}
