/* The unpacker as the network process sees it: a socket on which requests go and events come. */
#include "image/unpack_internal.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct unpacker {
        int socket;
        pid_t pid;
        struct unpack_event *early; /* of other jobs, that came while an answer was waited for */
        size_t n_early;
};

struct served {
        const char *store;
        const struct image_limits *limits;
};

static void serve(void *context, int socket)
{
        const struct served *s = context;

        unpack_serve(s->store, s->limits, socket);
}

int unpacker_start(const char *store, const struct image_limits *limits, struct unpacker **ret, struct cor_err *err)
{
        struct served s = { store, limits };
        struct unpacker *u;
        pid_t pid;
        int socket = cor_child_serve(serve, &s, &pid, err);

        if (socket < 0)
                return -1;
        u = cor_alloc(sizeof *u);
        *u = (struct unpacker){ .socket = socket, .pid = pid };
        *ret = u;
        return 0;
}

void unpacker_free(struct unpacker *u)
{
        if (!u)
                return;
        cor_fd_close(&u->socket); /* it clears up and ends */
        (void)cor_child_wait(u->pid, -1, NULL);
        free(u->early);
        free(u);
}

int unpacker_fd(const struct unpacker *u)
{
        return u->socket;
}

static int send_request(struct unpacker *u, struct request *r, const struct digest *lower, int blob, int wake,
                        struct cor_err *err)
{
        union {
                char bytes[CMSG_SPACE(2 * sizeof(int))];
                struct cmsghdr align;
        } control = { 0 };
        struct iovec parts[] = { { r, sizeof *r }, { (void *)(uintptr_t)lower, r->n_lower * sizeof *lower } };
        struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };
        size_t n_fds = blob < 0 ? 0 : wake < 0 ? 1 : 2;
        int fds[2] = { blob, wake };
        struct cmsghdr *c;
        ssize_t n;

        if (n_fds > 0) {
                m.msg_control = control.bytes;
                m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
                c = CMSG_FIRSTHDR(&m);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
                memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
        }
        do
                n = sendmsg(u->socket, &m, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        return n < 0 ? cor_fail_errno(err, "speak with the unpacker") : 0;
}

int unpacker_add(struct unpacker *u, unsigned job, const struct unpack_job *j, struct cor_err *err)
{
        struct request r = {
                .type = REQUEST_ADD, .job = job, .size = j->size, .bottom = j->bottom, .n_lower = (uint32_t)j->n_lower
        };

        if (j->n_lower > UNPACK_MAX_LOWER)
                return cor_fail(err, COR_UNSUPPORTED,
                                "a layer that leans on more than %d layers below it: overlayfs takes no more",
                                (int)UNPACK_MAX_LOWER);
        return send_request(u, &r, j->lower, j->blob_fd, j->wake_fd, err);
}

static int hear(struct unpacker *u, struct unpack_event *ret, struct cor_err *err)
{
        ssize_t n = cor_recv(u->socket, ret, sizeof *ret, 0);

        if (n < 0)
                return cor_fail_errno(err, "hear the unpacker");
        if (n != (ssize_t)sizeof *ret)
                return cor_fail(err, COR_SYSTEM, "the unpacker ended without a word");
        return 0;
}

bool unpacker_has_event(const struct unpacker *u)
{
        return u->n_early > 0;
}

int unpacker_next(struct unpacker *u, struct unpack_event *ret, struct cor_err *err)
{
        if (u->n_early == 0)
                return hear(u, ret, err);
        *ret = u->early[0];
        memmove(u->early, u->early + 1, --u->n_early * sizeof *u->early);
        return 0;
}

/* The answer carries the number of the job, which has told of its end before; what others tell meanwhile is kept. */
static int ask(struct unpacker *u, struct request *r, struct cor_err *err)
{
        struct unpack_event event;

        if (send_request(u, r, NULL, -1, -1, err) < 0)
                return -1;
        for (;;) {
                if (hear(u, &event, err) < 0)
                        return -1;
                if (event.job == r->job)
                        break;
                *COR_GROW(u->early, u->n_early) = event;
        }
        if (event.type != UNPACK_FAILED)
                return 0;
        *err = event.err;
        return -1;
}

int unpacker_commit(struct unpacker *u, unsigned job, const struct digest *name, struct cor_err *err)
{
        struct request r = { .type = REQUEST_COMMIT, .job = job, .name = *name };

        return ask(u, &r, err);
}

int unpacker_drop(struct unpacker *u, unsigned job, struct cor_err *err)
{
        struct request r = { .type = REQUEST_DROP, .job = job };

        return ask(u, &r, err);
}
