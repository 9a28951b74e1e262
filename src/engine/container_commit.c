/*
 * A container becomes an image: the archive of its writable layer goes through a pipe to coracle-transfer, which makes
 * a layer of it as of any other archive.
 *
 *      child                           caller
 *      writes the archive      ────►   hands the pipe's other end to coracle-transfer, and waits for the image
 *                              ────►   its struct cor_err, of kind COR_OK if all was written
 */
#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "engine/container_files.h"
#include "engine/container_internal.h"
#include "engine/image.h"
#include "image/layer.h"
#include "store/event.h"
#include "store/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

struct committing {
        struct engine *e;
        struct container_row row;
        struct image_row base;
        int upper; /* the writable layer */
        int lock;
        bool paused;
};

static void committing_done(struct committing *c)
{
        if (c->paused && engine_pause_container(c->e, c->row.id, false, NULL) < 0)
                c->paused = false; /* it has ended meanwhile */
        cor_fd_close(&c->upper);
        cor_fd_close(&c->lock);
        container_row_done(&c->row);
        image_row_done(&c->base);
}

static int write_all(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        return cor_write_full(*(const int *)context, bytes, n, err);
}

static _Noreturn void child_run(const struct committing *c, int output, int report, pid_t caller)
{
        const struct tar_sink sink = { .write = write_all, .context = &output };
        struct tar_writer *writer = tar_writer_new(&sink);
        struct cor_err err = { 0 };

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        if (getppid() == caller && layer_diff(c->upper, store_overlay_prefix(c->e->store), writer, &err) == 0)
                cor_err_clear(&err);
        (void)!write(report, &err, sizeof err);
        _exit(0);
}

/* What the child says is the reason, if it has one: the transfer then only saw a short archive. */
static int hear(int report, int r, struct cor_err *err)
{
        struct cor_err told = { 0 };
        ssize_t n = cor_read_full(report, &told, sizeof told, NULL);

        if (n == (ssize_t)sizeof told && told.kind == COR_OK)
                return r;
        if (n == (ssize_t)sizeof told && told.sys != EPIPE) {
                told.msg[sizeof told.msg - 1] = '\0';
                if (err)
                        *err = told;
                return -1;
        }
        return r < 0 ? -1 : cor_fail(err, COR_SYSTEM, "the process that reads the container's files died");
}

static int make_image(const struct committing *c, const struct image_commit *i, struct digest *ret_id,
                      struct cor_err *err)
{
        auto_fd from = -1, to = -1, report = -1, told = -1;
        pid_t caller = getpid(), child;
        int archive[2], reports[2], r;

        if (pipe2(archive, O_CLOEXEC) < 0)
                return cor_fail_errno(err, "make a pipe");
        from = archive[0];
        to = archive[1];
        if (pipe2(reports, O_CLOEXEC) < 0)
                return cor_fail_errno(err, "make a pipe");
        told = reports[0];
        report = reports[1];
        child = fork();
        if (child < 0)
                return cor_fail_errno(err, "fork");
        if (child == 0) {
                close(from);
                child_run(c, to, report, caller);
        }
        cor_fd_close(&to);
        cor_fd_close(&report);
        r = engine_commit_image(c->e, from, i, ret_id, err);
        cor_fd_close(&from); /* the child sees that nobody reads any more */
        r = hear(told, r, err);
        (void)cor_child_wait(child, -1, NULL);
        return r;
}

/* One that runs is paused while its files are read; of one that does not nobody starts it meanwhile. */
static int hold_still(struct committing *c, bool pause, struct cor_err *err)
{
        struct cor_err why = { 0 };

        if (!container_runs(&c->row))
                return 0;
        cor_fd_close(&c->lock);
        if (!pause || c->row.now.phase != CONTAINER_PHASE_RUNNING)
                return 0;
        if (engine_pause_container(c->e, c->row.id, true, &why) == 0) {
                c->paused = true;
                return 0;
        }
        if (why.kind == COR_UNSUPPORTED) { /* as where cgroups are not delegated to a user */
                cor_warn("the container goes on while its files are read: %s", why.msg);
                return 0;
        }
        if (err)
                *err = why;
        return -1;
}

static int prepare(struct committing *c, const char *name, struct cor_err *err)
{
        auto_fd folder = -1;

        c->lock = container_work(c->e, name, &c->row, err);
        if (c->lock < 0)
                return -1;
        if (image_find(c->e->store, c->row.image_id.text, &c->base, err) < 0)
                return cor_wrap(err, "the image of container %s", c->row.id);
        folder = container_folder_open(c->e->store, c->row.id, err);
        if (folder < 0 || snapshot_make(c->e->store, folder, c->row.layers, c->row.n_layers, 0, err) < 0)
                return -1;
        c->upper = openat(folder, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return c->upper < 0 ? cor_fail_errno(err, "open the writable layer of container %s", c->row.id) : 0;
}

int engine_commit(struct engine *e, const char *name, const struct container_commit *o, struct digest *ret_id,
                  struct cor_err *err)
{
        COR_CLEANUP(committing_done) struct committing c = { .e = e, .upper = -1, .lock = -1 };
        struct cor_pair more[] = { { "comment", o->message ? o->message : "" },
                                   { "imageID", NULL },
                                   { "imageRef", o->reference ? o->reference : "" } };
        struct image_commit i = { .base = &c.base,
                                  .reference = o->reference,
                                  .author = o->author,
                                  .message = o->message,
                                  .changes = o->changes,
                                  .n_changes = o->n_changes };

        if (prepare(&c, name, err) < 0 || hold_still(&c, o->pause, err) < 0)
                return -1;
        i.command = c.row.command;
        i.config = c.row.config;
        if (make_image(&c, &i, ret_id, err) < 0)
                return cor_wrap(err, "commit container %s", c.row.id);
        more[1].value = ret_id->text;
        event_write_container(e->store, &c.row, "commit", more, COR_COUNT(more));
        return 0;
}
