/*
 * `dhcp daemon`: the process that keeps leases. It runs as root in the host's network namespace, which it leaves for a
 * moment at a time (it has one thread), and may run in a mount namespace of its own: what -hostprefix is for.
 * Its words are those of the reference, with one dash or two, and the value behind a '=' or as the next word.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "cni/dhcp_server.h"

enum { FIRST_PASSED_FD = 3, BACKLOG = 1024, PID_TEXT_BYTES = 24 };

struct words {
        const char *pid_file, *host_prefix, *socket;
        struct dhcp_settings settings;
};

/* ---------------------------------------------------------------------------------------------------------- options */

static const char usage[] = "Usage: dhcp daemon [OPTION...]\n\n"
                            "Asks DHCP servers for the plugin dhcp, and keeps the leases.\n\n"
                            "  -socketpath PATH      where the plugin finds it (default " DHCP_SOCKET ")\n"
                            "  -pidfile PATH         write the process id there\n"
                            "  -hostprefix PATH      in front of -socketpath and of CNI_NETNS\n"
                            "  -timeout TIME         for the answer to one request (default 10s)\n"
                            "  -resendmax TIME       between two requests at most (default 1m2s)\n"
                            "  -resendtimeout TIME   after which ADD fails (default 3m28s, at most 9m)\n"
                            "  -broadcast            have servers answer to everybody on the link\n";

enum word { PID_FILE = 1, HOST_PREFIX, SOCKET, TIMEOUT, RESEND_MAX, RESEND_TIMEOUT, BROADCAST, HELP };
static const struct option options[] = {
        { "pidfile", required_argument, NULL, PID_FILE },
        { "hostprefix", required_argument, NULL, HOST_PREFIX },
        { "socketpath", required_argument, NULL, SOCKET },
        { "timeout", required_argument, NULL, TIMEOUT },
        { "resendmax", required_argument, NULL, RESEND_MAX },
        { "resendtimeout", required_argument, NULL, RESEND_TIMEOUT },
        { "broadcast", optional_argument, NULL, BROADCAST },
        { "help", no_argument, NULL, HELP },
        { NULL, 0, NULL, 0 },
};

static int take_time(const char *name, const char *text, int64_t max_ms, int64_t *ret, struct cor_err *err)
{
        uint64_t ms;

        if (cor_parse_duration(text, &ms) < 0 || ms == 0 || ms > (uint64_t)max_ms)
                return cor_fail(err, COR_INVALID, "-%s: \"%.32s\" is no time from 1ms to %llds", name, text,
                                (long long)max_ms / 1000);
        *ret = (int64_t)ms;
        return 0;
}

static int take_flag(const char *text, bool *ret, struct cor_err *err)
{
        static const struct cor_word words[] = { { "true", 1 }, { "1", 1 }, { "false", 0 }, { "0", 0 }, { NULL, 0 } };
        const struct cor_word *w = text ? cor_word_find(words, text) : &words[0];

        if (!w)
                return cor_fail(err, COR_INVALID, "-broadcast: \"%.32s\" is neither true nor false", text);
        *ret = w->value != 0;
        return 0;
}

static int take_word(struct words *w, int which, struct cor_err *err)
{
        enum { MINUTE_MS = 60 * 1000 };

        switch (which) {
        case PID_FILE:
                w->pid_file = optarg;
                return optarg[0] == '/' ? 0
                                        : cor_fail(err, COR_INVALID, "-pidfile: \"%.100s\" is not absolute", optarg);
        case HOST_PREFIX:
                w->host_prefix = optarg;
                return 0;
        case SOCKET:
                w->socket = optarg;
                return 0;
        case TIMEOUT:
                return take_time("timeout", optarg, 5 * MINUTE_MS, &w->settings.timeout_ms, err);
        case RESEND_MAX:
                return take_time("resendmax", optarg, 60 * MINUTE_MS, &w->settings.resend_max_ms, err);
        case RESEND_TIMEOUT: /* the plugin itself waits a little longer */
                return take_time("resendtimeout", optarg, 9 * MINUTE_MS, &w->settings.resend_timeout_ms, err);
        default:
                return take_flag(optarg, &w->settings.broadcast, err);
        }
}

/* 1 go on, 0 all was said, -1 */
static int read_words(int argc, char **argv, struct words *w, struct cor_err *err)
{
        int which;

        opterr = 0;
        while ((which = getopt_long_only(argc, argv, ":", options, NULL)) != -1) {
                if (which == HELP) {
                        fputs(usage, stdout);
                        return 0;
                }
                if (which == ':')
                        return cor_fail(err, COR_INVALID, "%s: a value is missing", argv[optind - 1]);
                if (which == '?')
                        return cor_fail(err, COR_INVALID, "%s: unknown option", argv[optind - 1]);
                if (take_word(w, which, err) < 0)
                        return -1;
        }
        if (optind < argc)
                return cor_fail(err, COR_INVALID, "\"%.100s\": there are options only", argv[optind]);
        return 1;
}

/* ---------------------------------------------------------------------------------------------------------- sockets */

/* systemd has made the socket: exactly one, which listens. 1 with *ret_fd, or 0 */
static int find_passed(int *ret_fd, struct cor_err *err)
{
        const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
        int listens = 0, type = 0;
        socklen_t len = sizeof listens;
        uint64_t n;

        if (!pid || !fds || cor_parse_u64(pid, &n) < 0 || n != (uint64_t)getpid())
                return 0;
        if (cor_parse_u64(fds, &n) < 0 || n != 1)
                return cor_fail(err, COR_INVALID, "LISTEN_FDS: \"%.32s\" sockets, not 1", fds);
        if (getsockopt(FIRST_PASSED_FD, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0 || !listens ||
            getsockopt(FIRST_PASSED_FD, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_STREAM)
                return cor_fail(err, COR_INVALID, "LISTEN_FDS: descriptor %d is no stream socket that listens",
                                FIRST_PASSED_FD);
        if (cor_fd_cloexec(FIRST_PASSED_FD, true, err) < 0)
                return -1;
        if (fcntl(FIRST_PASSED_FD, F_SETFL, O_NONBLOCK) < 0)
                return cor_fail_errno(err, "LISTEN_FDS");
        *ret_fd = FIRST_PASSED_FD;
        return 1;
}

/* Whoever is here holds the lock of the leases: a socket that is there was left by a daemon that was killed. */
static int listen_at(const char *path, struct cor_err *err)
{
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        auto_fd sock = -1;
        struct stat st;
        mode_t before;
        int result;

        if (strlen(path) >= sizeof at.sun_path)
                return cor_fail(err, COR_INVALID, "-socketpath: %s is longer than %zu bytes", path,
                                sizeof at.sun_path - 1);
        memcpy(at.sun_path, path, strlen(path) + 1);
        if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && unlink(path) < 0)
                return cor_fail_errno(err, "remove %s", path);
        sock = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (sock < 0)
                return cor_fail_errno(err, "socket");
        before = umask(0177);
        result = bind(sock, (struct sockaddr *)&at, sizeof at);
        umask(before);
        if (result < 0 || listen(sock, BACKLOG) < 0)
                return cor_fail_errno(err, "-socketpath: listen at %s", path);
        return cor_fd_take(&sock);
}

/* Beside the socket: /run/cni/dhcp.sock, /run/cni/dhcp.leases */
static char *folder_of(const char *socket)
{
        size_t len = strlen(socket) - (cor_ends_with(socket, ".sock") ? strlen(".sock") : 0);

        return cor_printf("%.*s.leases", (int)len, socket);
}

/* ------------------------------------------------------------------------------------------------------- the daemon */

static int take_signals(struct cor_err *err)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        return cor_signals_take(&set, NULL, err);
}

static int write_pid(const char *path, struct cor_err *err)
{
        auto_str folder = cor_strndup(path, (size_t)(strrchr(path, '/') - path) + 1);
        auto_fd dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        char text[PID_TEXT_BYTES];

        if (dir < 0)
                return cor_fail_errno(err, "-pidfile: %s", folder);
        snprintf(text, sizeof text, "%d", (int)getpid());
        return cor_own_write(dir, strrchr(path, '/') + 1, text, strlen(text), 0644, false, err) < 0
                       ? cor_wrap(err, "-pidfile")
                       : 0;
}

/* Many may ask at once, and each takes two descriptors. */
static void raise_limit(void)
{
        struct rlimit r;

        if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
                r.rlim_cur = r.rlim_max;
                (void)!setrlimit(RLIMIT_NOFILE, &r);
        }
}

static int serve(const struct words *w, struct cor_err *err)
{
        auto_str socket = cor_printf("%s%s", w->host_prefix, w->socket);
        auto_str folder = folder_of(socket);
        COR_CLEANUP(dhcp_leases_done) struct dhcp_leases leases = DHCP_LEASES_INIT;
        auto_fd signals = take_signals(err);
        auto_fd listener = -1;
        int result, passed = find_passed(&listener, err);

        leases.settings = w->settings;
        leases.settings.host_prefix = w->host_prefix;
        if (signals < 0 || passed < 0 || dhcp_leases_open(&leases, folder, err) < 0)
                return -1;
        if (!passed)
                listener = listen_at(socket, err);
        if (listener < 0 || (w->pid_file && write_pid(w->pid_file, err) < 0))
                return -1;
        raise_limit();
        cor_info("at work at %s", passed ? "the socket that was passed" : socket);
        result = dhcp_server_run(&leases, listener, signals, err);
        if (!passed)
                (void)unlink(socket);
        if (w->pid_file)
                (void)unlink(w->pid_file);
        return result;
}

int dhcp_daemon_main(int argc, char **argv)
{
        struct words w = {
                .host_prefix = "",
                .socket = DHCP_SOCKET,
                .settings = { .timeout_ms = 10 * 1000, .resend_max_ms = 62 * 1000, .resend_timeout_ms = 208 * 1000 },
        };
        struct cor_err err = { 0 };
        int result = read_words(argc, argv, &w, &err);

        if (result == 0)
                return 0;
        if (result > 0 && cor_log_open(NULL, COR_LOG_TEXT, COR_LOG_INFO, &err) == 0 && serve(&w, &err) == 0)
                return 0;
        fprintf(stderr, "dhcp daemon: %s\n", err.msg);
        return 1;
}
