#include "tools/usernet/resolver.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "linux/caps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <unistd.h>

static const char path[] = "/etc/resolv.conf";

enum {
        READ_MAX = 65536,
        LINES_MAX = 16,  /* libslirp takes the first of each family */
        LOOK_MS = 30000, /* what inotify does not tell of, mounts for example, is seen after this time */
        SETTLE_MS = 20,  /* a file is being written: not a look for each write */
};

void resolver_read(struct cor_text *ret)
{
        auto_str all = NULL;
        char *rest, *line;
        size_t n;
        int left = LINES_MAX;

        if (cor_read_file(path, READ_MAX, &all, &n, NULL) < 0)
                return;
        rest = all;
        while (left > 0 && (line = cor_split_next(&rest, '\n'))) {
                if (!cor_starts_with(line, "nameserver") || (line[10] != ' ' && line[10] != '\t'))
                        continue;
                cor_text_printf(ret, "%.200s\n", line);
                left--;
        }
}

int resolver_write(int etc, const struct cor_text *lines, struct cor_err *err)
{
        return cor_own_write(etc, "resolv.conf", lines->s ? lines->s : "", lines->len, 0644, false, err);
}

/* -------------------------------------------------------------------------------------------------------- the child */

/* The file, the folder that its name is in, and the folder that it really is in, should the name be a link. */
static void watch(int inotify)
{
        const uint32_t folder = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE;
        char real[PATH_MAX], *slash;

        inotify_add_watch(inotify, path, IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB);
        inotify_add_watch(inotify, "/etc", folder | IN_ONLYDIR);
        if (realpath(path, real) && (slash = strrchr(real, '/')) && slash > real) {
                *slash = '\0';
                inotify_add_watch(inotify, real, folder | IN_ONLYDIR);
        }
}

static void swallow(int inotify)
{
        char events[4096];

        while (read(inotify, events, sizeof events) > 0)
                ;
}

/* Until the other end is closed. */
static void follow(int socket, int etc)
{
        auto_fd inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        struct pollfd fds[] = { { .fd = socket, .events = POLLIN }, { .fd = inotify, .events = POLLIN } };
        auto_text last = COR_TEXT_INIT;
        int wait_ms = 0; /* what has changed since our parent looked */

        for (;;) {
                auto_text now = COR_TEXT_INIT;

                if (inotify >= 0)
                        watch(inotify); /* again: it may be another file by now */
                resolver_read(&now);
                if ((last.len != now.len || (now.len && memcmp(last.s, now.s, now.len) != 0)) &&
                    resolver_write(etc, &now, NULL) == 0) {
                        cor_text_done(&last);
                        last = now;
                        now = (struct cor_text)COR_TEXT_INIT;
                }
                wait_ms = LOOK_MS;
                fds[1].revents = 0;
                if (poll(fds, COR_COUNT(fds), wait_ms) < 0 && errno != EINTR)
                        return;
                if (fds[0].revents)
                        return;
                if (fds[1].revents) {
                        if (poll(fds, 1, SETTLE_MS) > 0)
                                return;
                        swallow(inotify);
                }
        }
}

/* Nothing of our parent's stays open here: who waits for the end of its pipes must not wait for us. */
static int keep_only(int socket)
{
        unsigned fd = (unsigned)socket;

        if (fd > 0 && cor_fds_close(0, fd - 1, NULL) < 0)
                return -1;
        return cor_fds_close(fd + 1, ~0U, NULL);
}

static void serve(void *context, int socket)
{
        struct caps none = { .bounding = 0 };
        char byte;
        int etc;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        (void)prctl(PR_SET_NAME, "usernet-resolv", 0, 0, 0);
        if (keep_only(socket) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || caps_drop_bounding(0, NULL) < 0 ||
            caps_apply(&none, NULL, NULL) < 0)
                _exit(1);
        etc = cor_recv_fd(socket, &byte, 1, NULL, NULL);
        if (etc >= 0)
                follow(socket, etc);
        _exit(0);
}

int resolver_start(struct cor_err *err)
{
        pid_t pid;

        return cor_child_serve(serve, NULL, &pid, err);
}

int resolver_follow(int socket, int etc, struct cor_err *err)
{
        return cor_send_fd(socket, etc, "", 1, err);
}
