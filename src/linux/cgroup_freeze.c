/* Freezing and thawing. */
#include "linux/cgroup_priv.h"

#include "base/fd.h"
#include "base/process.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

bool cgroup_nap(unsigned *round, int64_t deadline_ms)
{
        unsigned shift = *round < 7 ? *round : 7;
        struct timespec t = { .tv_nsec = 100000L << shift };

        if (t.tv_nsec > 10000000L)
                t.tv_nsec = 10000000L;
        ++*round;
        if (cor_now_ms() >= deadline_ms)
                return false;
        nanosleep(&t, NULL);
        return true;
}

/* --- version 1 --------------------------------------------------------------------------------------------------- */

/*
 * The kernel freezes what is inside at the moment of the write; a process that is forked or moved in meanwhile keeps
 * the state at FREEZING, and the cure is to write again. If that does not help for a while, thawing lets a process
 * that cannot be frozen (in vfork, for one) get further.
 */
static int v1_freeze(struct cgroup_dir *d, int64_t deadline, struct cor_err *err)
{
        char state[32];
        unsigned round = 0;

        for (unsigned i = 1;; i++) {
                if (cgroup_write(d, "freezer.state", "FROZEN", err) < 0 ||
                    cgroup_read(d, "freezer.state", state, sizeof state, err) < 0)
                        return -1;
                if (strcmp(state, "FROZEN") == 0)
                        return 0;
                if (i % 32 == 0 && cgroup_write(d, "freezer.state", "THAWED", err) < 0)
                        return -1;
                if (i % 4 == 0 && !cgroup_nap(&round, deadline))
                        return cor_fail(err, COR_TIMEOUT, "unable to freeze cgroup %s", d->path);
        }
}

/* FROZEN because of a cgroup above is not our doing. FREEZING is a matter of a moment. */
static int v1_is_frozen(struct cgroup_dir *d, struct cor_err *err)
{
        int64_t deadline = cor_now_ms() + 1000;
        unsigned round = 0;
        char state[32], self[8];

        do {
                if (cgroup_read(d, "freezer.state", state, sizeof state, err) < 0)
                        return err->sys == ENOENT || err->sys == ENODEV ? 0 : -1;
        } while (strcmp(state, "FREEZING") == 0 && cgroup_nap(&round, deadline));
        if (strcmp(state, "THAWED") == 0)
                return 0;
        if (cgroup_read(d, "freezer.self_freezing", self, sizeof self, NULL) < 0)
                return 1;
        return strcmp(self, "0") != 0;
}

/* --- version 2 --------------------------------------------------------------------------------------------------- */

/* Wait until cgroup.events has @line; the kernel wakes us when the file changes. */
static int v2_wait(struct cgroup_dir *d, const char *line, int64_t deadline, struct cor_err *err)
{
        auto_fd fd = openat(d->fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
        char text[256];

        if (fd < 0)
                return cor_fail_errno(err, "cgroup %s: open cgroup.events", d->path);
        for (;;) {
                struct pollfd p = { .fd = fd, .events = POLLPRI };
                int64_t left = deadline - cor_now_ms();
                ssize_t n = pread(fd, text, sizeof text - 1, 0);

                if (n < 0)
                        return cor_fail_errno(err, "cgroup %s: read cgroup.events", d->path);
                text[n] = '\0';
                if (strstr(text, line))
                        return 0;
                if (left <= 0)
                        return cor_fail(err, COR_TIMEOUT, "cgroup %s: still not '%s'", d->path, line);
                if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
                        return cor_fail_errno(err, "cgroup %s: poll cgroup.events", d->path);
        }
}

static int v2_freeze(struct cgroup_dir *d, int64_t deadline, struct cor_err *err)
{
        if (cgroup_write(d, "cgroup.freeze", "1", err) < 0)
                return -1;
        if (v2_wait(d, "frozen 1", deadline, err) < 0)
                return cor_wrap(err, "unable to freeze");
        return 0;
}

/* ------------------------------------------------------------------------------------------------------------------ */

static struct cgroup_dir *freezer(struct cgroup *cg)
{
        struct cgroup_dir *d = cgroup_dir_of(cg, CTL_FREEZER);

        return d ? d : cgroup_dir_v2(cg);
}

int cgroup_freeze(struct cgroup *cg, bool frozen, int timeout_ms, struct cor_err *err)
{
        struct cgroup_dir *d = freezer(cg);
        int64_t deadline = cor_now_ms() + timeout_ms;

        if (!d)
                return cor_fail(err, COR_UNSUPPORTED, "cannot freeze: the container has no cgroup with a freezer");
        if (!frozen)
                return d->h->v2 ? cgroup_write(d, "cgroup.freeze", "0", err)
                                : cgroup_write(d, "freezer.state", "THAWED", err);
        if ((d->h->v2 ? v2_freeze(d, deadline, err) : v1_freeze(d, deadline, err)) == 0)
                return 0;
        /* half frozen is the worst of states */
        (void)!cgroup_write(d, d->h->v2 ? "cgroup.freeze" : "freezer.state", d->h->v2 ? "0" : "THAWED", NULL);
        return -1;
}

bool cgroup_stands_still(struct cgroup *cg)
{
        struct cgroup_dir *d = freezer(cg);
        char text[256];

        if (!d || cgroup_read(d, d->h->v2 ? "cgroup.events" : "freezer.state", text, sizeof text, NULL) < 0)
                return false;
        return strstr(text, d->h->v2 ? "frozen 1" : "FROZEN") != NULL;
}

int cgroup_is_frozen(struct cgroup *cg, struct cor_err *err)
{
        struct cgroup_dir *d = freezer(cg);
        uint64_t value = 0;

        if (!d)
                return 0;
        if (!d->h->v2)
                return v1_is_frozen(d, err);
        return cgroup_read_u64(d, "cgroup.freeze", &value) == 0 && value == 1;
}
