/*
 * Who comes first makes the namespace and starts coracle-usernet, which stays outside and is ready before anybody else
 * gets to look:
 *
 *      caller                          child, which becomes coracle-usernet
 *      fork
 *      unshare(CLONE_NEWNET)           waits for a byte
 *      one byte             ────────►  exec: tap0 is made in the namespace of the caller
 *                           ◄────────  ready
 *
 * Whoever is in the namespace holds the writing end of a FIFO whose reading end coracle-usernet has: when the last of
 * them is gone, that is its sign to end.
 */
#include "network/realm.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/members.h"
#include "base/text.h"
#include "linux/namespace.h"
#include "linux/netdev.h"
#include "linux/netlink.h"
#include "linux/procfs.h"
#include "runtime/context.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define USERNET "coracle-usernet"

#define LIST  "network"
#define ALIVE "network.alive" /* the FIFO */
#define API   "network.api"
#define LOG   "network.log"
#define TAP   "tap0"

enum { READY_MS = 30 * 1000, API_MS = 30 * 1000, LOG_MAX = 4096 };

static bool inside;

/* Whether the network that we are in belongs to the user namespace whose root we are: then it is ours to change. */
static bool has_network(void)
{
        auto_fd procfs = geteuid() == 0 ? procfs_open(NULL) : -1;
        auto_fd net = procfs < 0 ? -1 : namespace_open_pid(procfs, 0, CLONE_NEWNET, NULL);
        auto_fd owner = net < 0 ? -1 : ioctl(net, NS_GET_USERNS);

        return owner >= 0 && namespace_is_ours(procfs, owner, CLONE_NEWUSER, NULL) > 0;
}

bool realm_is_own(void)
{
        static int known = -1;

        if (known < 0)
                known = runtime_default_rootless() && !has_network();
        return known;
}

/* Beside our other programs, or in the PATH; NULL if it is in neither */
static char *find_usernet(void)
{
        auto_str program = cor_libexec_path(USERNET);

        if (access(program, X_OK) == 0)
                return COR_TAKE(program);
        free(COR_TAKE(program));
        return cor_program_find(USERNET, &program, NULL) == 0 ? COR_TAKE(program) : NULL;
}

bool realm_possible(void)
{
        auto_str program = realm_is_own() ? find_usernet() : NULL;

        return !realm_is_own() || program;
}

int realm_check(struct cor_err *err)
{
        if (!realm_is_own())
                return 0;
        if (!realm_possible())
                return cor_fail(err, COR_UNSUPPORTED,
                                "networks of ordinary users need coracle-usernet, which is not installed");
        return access("/dev/net/tun", R_OK | W_OK) == 0 ? 0
                                                        : cor_fail(err, COR_UNSUPPORTED,
                                                                   "networks of ordinary users need /dev/net/tun, to "
                                                                   "be read and written by all (modprobe tun)");
}

/* -------------------------------------------------------------------------------------------------- coracle-usernet */

enum { READY_FD = 3, ALIVE_FD, FIRST_FREE_FD };

/* What the child has of what connects it with us. */
struct ends {
        int go, ready, alive, log, run;
};

static _Noreturn void become_usernet(pid_t caller)
{
        auto_str program = find_usernet();
        auto_str netns = cor_printf("/proc/%d/ns/net", (int)caller);
        auto_str ready = cor_printf("--ready-fd=%d", READY_FD);
        auto_str alive = cor_printf("--exit-fd=%d", ALIVE_FD);
        char netns_type[] = "--netns-type=path", configure[] = "--configure", six[] = "--enable-ipv6",
             no_loopback[] = "--disable-host-loopback", api[] = "--api-socket=" API, tap[] = TAP;
        char *const argv[] = { program, configure, six, no_loopback, ready, alive, api, netns_type, netns, tap, NULL };

        if (program)
                execv(program, argv);
        dprintf(STDERR_FILENO, "%s: %s\n", program ? program : USERNET, strerror(errno));
        _exit(127);
}

/* In the folder of its socket, as names of sockets are short; descriptors 0 to 4 and no others; no signal blocked */
static bool settle_in(const struct ends *e)
{
        int folder = fchdir(e->run), ready = fcntl(e->ready, F_DUPFD, FIRST_FREE_FD),
            alive = fcntl(e->alive, F_DUPFD, FIRST_FREE_FD);
        int null = open("/dev/null", O_RDONLY);
        sigset_t none;

        sigemptyset(&none);
        return folder == 0 && ready >= 0 && alive >= 0 && null >= 0 && dup2(null, 0) == 0 && dup2(e->log, 1) == 1 &&
               dup2(e->log, 2) == 2 && dup2(ready, READY_FD) >= 0 && dup2(alive, ALIVE_FD) >= 0 &&
               cor_fds_close(FIRST_FREE_FD, ~0U, NULL) == 0 && setsid() >= 0 &&
               sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

static void serve_outside(const struct ends *e, pid_t caller)
{
        pid_t pid = fork();
        char go;

        if (pid == 0 && read(e->go, &go, 1) == 1 && settle_in(e))
                become_usernet(caller);
        _exit(pid < 0 ? 1 : 0);
}

/* What it said last is the reason. */
static int fail_with_log(int run, struct cor_err *err)
{
        auto_str text = NULL;
        char *rest, *line, *last = NULL;

        if (cor_own_read(run, LOG, LOG_MAX, &text, NULL, NULL) < 0)
                text = NULL;
        for (rest = text; rest && (line = cor_split_next(&rest, '\n'));)
                if (*line)
                        last = line;
        return cor_fail(err, COR_SYSTEM, "coracle-usernet did not get ready: %.300s", last ? last : "it said nothing");
}

static int wait_ready(int run, int ready, struct cor_err *err)
{
        int r = cor_wait_readable(ready, READY_MS, err);
        char word;

        if (r < 0)
                return -1;
        return r > 0 && read(ready, &word, 1) == 1 ? 0 : fail_with_log(run, err);
}

/* --------------------------------------------------------------------------------------------------------- the FIFO */

/* Both ends. If nobody is there it is made anew: a coracle-usernet that is about to end may still have the old one. */
static int make_alive(const struct members *m, int *ret_read, int *ret_write, struct cor_err *err)
{
        int run = m->run;

        if (m->first.pid == 0)
                (void)unlinkat(run, ALIVE, 0);
        if (mkfifoat(run, ALIVE, 0600) < 0 && errno != EEXIST)
                return cor_fail_errno(err, "make %s", ALIVE);
        *ret_read = openat(run, ALIVE, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        *ret_write = openat(run, ALIVE, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        return *ret_read < 0 || *ret_write < 0 ? cor_fail_errno(err, "open %s", ALIVE) : 0;
}

/*
 * Whether coracle-usernet lives: 1 and the writing end, 0, or -1 when it neither answers nor has ended. That its socket
 * answers after we have the writing end says that it has not decided to end before.
 */
static int open_alive(int run, const char *api, int *ret_alive, struct cor_err *err)
{
        static const char question[] = "{\"execute\": \"list_hostfwd\"}";
        auto_fd alive = openat(run, ALIVE, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        auto_fd sock = alive < 0 ? -1 : cor_unix_connect(api, SOCK_STREAM, NULL);
        char answer;
        int r;

        if (sock < 0 || write(sock, question, strlen(question)) < 0 || shutdown(sock, SHUT_WR) < 0)
                return 0;
        r = cor_wait_readable(sock, API_MS, err);
        if (r == 0)
                return cor_fail(err, COR_TIMEOUT, "coracle-usernet, which serves it, did not answer within %d s",
                                API_MS / 1000);
        if (r < 0)
                return -1;
        if (read(sock, &answer, 1) != 1)
                return 0;
        *ret_alive = cor_fd_take(&alive);
        return 1;
}

/* ---------------------------------------------------------------------------------------------------- the namespace */

static int enter(const struct members *m, struct cor_err *err)
{
        auto_fd pidfd = m->first.pid ? cor_procid_open(&m->first, err) : -1;

        if (pidfd >= 0 && namespace_enter_pidfd(pidfd, CLONE_NEWNET, err) == 0)
                return 0;
        if (m->first.pid && err->kind != COR_NOT_FOUND)
                return cor_wrap(err, "enter the network namespace of process %d", (int)m->first.pid);
        return namespace_unshare(CLONE_NEWNET, err) < 0 || netdev_lo_up(err) < 0 ? -1 : 0;
}

/* With a new coracle-usernet: ours is the first one, or it was killed. */
static int enter_and_start(struct members *m, struct cor_err *err)
{
        auto_fd log = cor_own_open(m->run, LOG, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600, err);
        auto_fd reading = -1, alive = -1, ready = -1, ready_end = -1, go = -1, go_end = -1;
        pid_t pid, caller = getpid();
        int pair[2];

        if (log < 0 || make_alive(m, &reading, &alive, err) < 0)
                return -1;
        if (pipe2(pair, O_CLOEXEC) < 0)
                return cor_fail_errno(err, "make a pipe");
        ready = pair[0], ready_end = pair[1];
        if (pipe2(pair, O_CLOEXEC) < 0)
                return cor_fail_errno(err, "make a pipe");
        go_end = pair[0], go = pair[1];
        (void)unlinkat(m->run, API, 0);
        pid = fork();
        if (pid == 0) {
                cor_fd_close(&go);
                serve_outside(&(struct ends){ go_end, ready_end, reading, log, m->run }, caller);
        }
        cor_fd_close(&ready_end);
        if (pid < 0 || cor_child_wait(pid, -1, NULL) < 0)
                return cor_fail_errno(err, "start coracle-usernet");
        if (enter(m, err) < 0)
                return -1;
        if (write(go, "", 1) != 1)
                return cor_fail_errno(err, "start coracle-usernet");
        if (wait_ready(m->run, ready, err) < 0)
                return -1;
        (void)cor_fd_take(&alive); /* until this process ends */
        return 0;
}

static int enter_any(struct members *m, struct cor_err *err)
{
        auto_str api = cor_printf("%s/" API, m->path);
        auto_fd alive = -1;
        int r = m->first.pid ? open_alive(m->run, api, &alive, err) : 0;

        if (r < 0 || (r > 0 ? enter(m, err) : enter_and_start(m, err)) < 0)
                return -1;
        (void)cor_fd_take(&alive); /* until this process ends */
        inside = true;
        return members_add(m, getpid(), err);
}

int realm_enter(struct cor_err *err)
{
        auto_members m = MEMBERS_INIT;
        int r;

        if (inside || !realm_is_own())
                return 0;
        r = realm_check(err) < 0 ? -1 : members_begin(LIST, &m, err);
        if (r == 0)
                return cor_fail(err, COR_DENIED, "networks of ordinary users need the folder $XDG_RUNTIME_DIR");
        return r < 0 || enter_any(&m, err) < 0 ? cor_wrap(err, "the network of this user") : 0;
}

int realm_there(struct cor_err *err)
{
        auto_members m = MEMBERS_INIT;
        int r;

        if (inside || !realm_is_own())
                return 1;
        r = members_begin(LIST, &m, err);
        return r > 0 ? m.first.pid != 0 : r;
}

/* ---------------------------------------------------------------------------------------------------------- sockets */

struct visit {
        const struct cor_procid *member;
        int protocol;
};

static int open_there(void *context, struct cor_err *err)
{
        const struct visit *v = context;
        auto_fd pidfd = cor_procid_open(v->member, err);

        return pidfd < 0 || namespace_enter_pidfd(pidfd, CLONE_NEWNET, err) < 0 ? -1 : netlink_open(v->protocol, err);
}

int realm_socket(int protocol, struct cor_err *err)
{
        auto_members m = MEMBERS_INIT;
        int r, fd;

        if (inside || !realm_is_own())
                return netlink_open(protocol, err);
        r = members_begin(LIST, &m, err);
        if (r < 0)
                return -1;
        if (r == 0 || m.first.pid == 0)
                return cor_fail(err, COR_NOT_FOUND, "this user has no network now");
        fd = cor_child_fd(open_there, &(struct visit){ &m.first, protocol }, err);
        return fd >= 0 ? fd : cor_wrap(err, "the network of this user");
}
