#include "monitor/log_server.h"

#include "base/fd.h"
#include "base/process.h"
#include "base/tls_child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
        CONNECT_MS = 10 * 1000,
        LOOKUP_MS = 10 * 1000,
        LOOKUP_AGAIN_MS = 2 * 1000,
        PAUSE_MS = 500,
        PAUSE_MAX_MS = 30 * 1000,
        ADDRESSES_MAX = 8
};

struct address {
        int family;
        union {
                struct in_addr v4;
                struct in6_addr v6;
        } ip;
};

struct log_server {
        enum syslog_transport transport;
        char *path; /* of a local one */
        char *name; /* for errors */
        char *host; /* a name, or NULL */
        int lookup_ms;
        struct address addresses[ADDRESSES_MAX];
        size_t n_addresses, next;
        uint16_t port;
        int fd;
        bool is_stream, connecting;
        struct cor_strv tls; /* the command line of the child that makes TLS of the connection */
        size_t sent;         /* of a message that was only taken in part */
        int64_t since_ms, retry_ms, pause_ms;
};

void log_server_free(struct log_server *s)
{
        cor_fd_close(&s->fd);
        free(s->path);
        free(s->name);
        free(s->host);
        cor_strv_done(&s->tls);
        free(s);
}

static void log_server_free_p(struct log_server **s)
{
        if (*s)
                log_server_free(*s);
}

/* --- where it is -------------------------------------------------------------------------------------------------- */

static bool add_address(struct log_server *s, const char *text)
{
        struct address a = { .family = AF_INET };

        if (s->n_addresses == ADDRESSES_MAX)
                return true;
        if (inet_pton(AF_INET, text, &a.ip.v4) != 1) {
                a.family = AF_INET6;
                if (inet_pton(AF_INET6, text, &a.ip.v6) != 1)
                        return false;
        }
        s->addresses[s->n_addresses++] = a;
        return true;
}

/* Names are the system's to know: a program without shared libraries cannot ask its switch, so its own program is. */
static int look_up(struct log_server *s, struct cor_err *err)
{
        char *const argv[] = { (char *)"getent", (char *)"ahosts", (char *)"--", s->host, NULL };
        const struct cor_spawn spawn = {
                .path = "getent", .argv = argv, .stdout_fd = -1, .stderr_fd = -1, .timeout_ms = s->lookup_ms
        };
        auto_str output = NULL;
        char *cursor, *line;
        int status;

        if (cor_spawn_run(&spawn, &status, &output, err) < 0)
                return cor_wrap(err, "look up %.253s", s->host);
        for (cursor = output; (line = cor_split_next(&cursor, '\n')) != NULL;)
                if (strstr(line, "STREAM")) {
                        line[strcspn(line, " \t")] = '\0';
                        (void)add_address(s, line);
                }
        if (s->n_addresses == 0)
                return cor_fail(err, COR_NOT_FOUND, "lookup %.253s: no such host", s->host);
        return 0;
}

static int find(struct log_server *s, const struct syslog_address *a, struct cor_err *err)
{
        uint32_t port;

        if (a->path) {
                s->path = cor_strdup(a->path);
                s->name = cor_strdup(a->path);
                return 0;
        }
        if (cor_parse_u32(a->port, &port) < 0 || port == 0 || port > UINT16_MAX)
                return cor_fail(err, COR_INVALID, "syslog-address: port '%.60s': expected a number from 1 to 65535",
                                a->port);
        s->port = (uint16_t)port;
        s->name = cor_printf("%s %s:%s", a->transport == SYSLOG_UDP ? "udp" : "tcp", a->host, a->port);
        if (a->transport == SYSLOG_TLS)
                return 0; /* names are looked up by the child */
        s->host = add_address(s, a->host) ? NULL : cor_strdup(a->host);
        return 0;
}

/* --- the connection ----------------------------------------------------------------------------------------------- */

static void pause_before_next(struct log_server *s)
{
        cor_fd_close(&s->fd);
        s->connecting = false;
        s->sent = 0;
        s->pause_ms = s->pause_ms == 0 ? PAUSE_MS : s->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : s->pause_ms * 2;
        s->retry_ms = cor_now_ms() + s->pause_ms;
}

void log_server_leave(struct log_server *s)
{
        pause_before_next(s);
}

static int connect_address(struct log_server *s, struct cor_err *err)
{
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(s->port) };
        struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(s->port) };
        const struct address *a;
        auto_fd fd = -1;
        int r;

        if (s->n_addresses == 0 && look_up(s, err) < 0)
                return -1;
        a = &s->addresses[s->next++ % s->n_addresses];
        fd = socket(a->family, (s->is_stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return cor_fail_errno(err, "dial %s", s->name);
        v4.sin_addr = a->ip.v4;
        v6.sin6_addr = a->ip.v6;
        r = a->family == AF_INET ? connect(fd, (struct sockaddr *)&v4, sizeof v4)
                                 : connect(fd, (struct sockaddr *)&v6, sizeof v6);
        if (r < 0 && errno != EINPROGRESS)
                return cor_fail_errno(err, "dial %s: connect", s->name);
        s->connecting = r < 0;
        s->fd = cor_fd_take(&fd);
        return 0;
}

static int connect_path(struct log_server *s, const char *path, int type, struct cor_err *err)
{
        s->fd = cor_unix_connect(path, type | SOCK_NONBLOCK, err);
        s->is_stream = type == SOCK_STREAM;
        return s->fd < 0 ? -1 : 0;
}

static int connect_local(struct log_server *s, struct cor_err *err)
{
        static const char *const paths[] = { "/dev/log", "/var/run/syslog", "/var/run/log" };
        static const int types[] = { SOCK_DGRAM, SOCK_STREAM };

        for (size_t i = 0; i < COR_COUNT(paths); i++)
                for (size_t k = 0; k < COR_COUNT(types); k++)
                        if (connect_path(s, paths[i], types[k], NULL) == 0)
                                return 0;
        return cor_fail(err, COR_NOT_FOUND, "Unix syslog delivery error");
}

/* coracle-tls on the other end of a socket; the loop collects it. */
static int spawn_tls(const struct log_server *s, int end, struct cor_err *err)
{
        auto_str path = cor_libexec_path("coracle-tls");
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attr;
        sigset_t none, all;
        pid_t pid;
        int error;

        sigemptyset(&none);
        sigfillset(&all);
        posix_spawn_file_actions_init(&files);
        posix_spawnattr_init(&attr);
        posix_spawn_file_actions_adddup2(&files, end, STDIN_FILENO);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        posix_spawnattr_setsigmask(&attr, &none);
        posix_spawnattr_setsigdefault(&attr, &all);
        error = posix_spawn(&pid, path, &files, &attr, s->tls.items, environ);
        posix_spawn_file_actions_destroy(&files);
        posix_spawnattr_destroy(&attr);
        errno = error;
        return error ? cor_fail_errno(err, "start %s", path) : 0;
}

static int connect_tls(struct log_server *s, struct cor_err *err)
{
        int ends[2];
        auto_fd ours = -1, its = -1;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                return cor_fail_errno(err, "socketpair");
        ours = ends[0];
        its = ends[1];
        if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
                return cor_fail_errno(err, "fcntl");
        if (spawn_tls(s, its, err) < 0)
                return -1;
        s->connecting = true;
        s->fd = cor_fd_take(&ours);
        return 0;
}

static int begin(struct log_server *s, struct cor_err *err)
{
        s->since_ms = cor_now_ms();
        s->connecting = false;
        s->sent = 0;
        if (s->transport == SYSLOG_LOCAL)
                return connect_local(s, err);
        if (s->path)
                return connect_path(s, s->path, s->transport == SYSLOG_UNIX ? SOCK_STREAM : SOCK_DGRAM, err);
        s->is_stream = s->transport != SYSLOG_UDP;
        return s->transport == SYSLOG_TLS ? connect_tls(s, err) : connect_address(s, err);
}

static short connect_events(const struct log_server *s)
{
        return s->transport == SYSLOG_TLS ? POLLIN : POLLOUT;
}

/* What coracle-tls says when it is there. */
static int hear_tls(struct log_server *s, struct cor_err *err)
{
        char text[TLS_MESSAGE_MAX + 1] = "";
        ssize_t n = recv(s->fd, text, TLS_MESSAGE_MAX, MSG_DONTWAIT);

        if (n > 0 && text[0] == TLS_READY) {
                s->connecting = false;
                return 1;
        }
        if (n < 0 && errno == EAGAIN)
                return 0;
        return cor_fail(err, COR_SYSTEM, "dial %s: %s", s->name,
                        n > 1 && text[0] == TLS_FAILED ? text + 1 : "coracle-tls has ended");
}

/* 1: connected, 0: not yet, -1: it does not listen */
static int look(struct log_server *s, struct cor_err *err)
{
        struct pollfd p = { .fd = s->fd, .events = connect_events(s) };
        socklen_t n = sizeof(int);
        int error = 0;

        if (!s->connecting)
                return 1;
        if (poll(&p, 1, 0) <= 0) {
                if (cor_now_ms() - s->since_ms < CONNECT_MS)
                        return 0;
                error = ETIMEDOUT;
        } else if (s->transport == SYSLOG_TLS) {
                return hear_tls(s, err);
        } else if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0) {
                error = errno;
        }
        errno = error;
        if (error)
                return cor_fail_errno(err, "dial %s: connect", s->name);
        s->connecting = false;
        return 1;
}

/* 1: there is a connection, 0: not yet, -1: nor will there be one for a while; the error says why */
static int have_connection(struct log_server *s, struct cor_err *err)
{
        int r;

        if (s->fd < 0 && cor_now_ms() < s->retry_ms)
                return cor_fail(err, COR_BUSY, "%s does not listen", s->name ? s->name : "syslog");
        if (s->fd < 0 && begin(s, err) < 0) {
                pause_before_next(s);
                return -1;
        }
        r = look(s, err);
        if (r < 0)
                pause_before_next(s);
        if (r > 0)
                s->pause_ms = 0;
        return r;
}

/* --- messages ----------------------------------------------------------------------------------------------------- */

static ssize_t send_once(const struct log_server *s, const char *bytes, size_t n)
{
        ssize_t sent;

        do
                sent = send(s->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        while (sent < 0 && errno == EINTR);
        return sent;
}

/* All of a stream that it takes now. */
static ssize_t send_rest(struct log_server *s, const char *bytes, size_t n)
{
        ssize_t sent = 0;

        while (s->sent < n && (sent = send_once(s, bytes + s->sent, n - s->sent)) >= 0)
                s->sent += (size_t)sent;
        if (s->sent < n)
                return -1;
        s->sent = 0;
        return 0;
}

static ssize_t send_message(struct log_server *s, const char *bytes, size_t n)
{
        ssize_t r = s->is_stream ? send_rest(s, bytes, n) : send_once(s, bytes, n);

        /* what a datagram brought back is the answer to an earlier one */
        if (r < 0 && errno == ECONNREFUSED && s->transport == SYSLOG_UDP)
                r = send_once(s, bytes, n);
        return r;
}

enum log_sent log_server_send(struct log_server *s, const char *bytes, size_t n, bool keep, struct cor_err *err)
{
        for (int tries = 0; tries < 2; tries++) {
                int r = have_connection(s, err);

                if (r <= 0)
                        return r == 0 || keep ? LOG_LATER : LOG_LOST;
                if (send_message(s, bytes, n) >= 0)
                        return LOG_SENT;
                if (errno == EAGAIN)
                        return LOG_LATER;
                cor_fail_errno(err, "send to %s", s->name ? s->name : "syslog");
                if (s->transport == SYSLOG_UDP || errno == EMSGSIZE)
                        return LOG_LOST;
                cor_fd_close(&s->fd); /* it was started anew, perhaps: once more, from the message's beginning */
                s->retry_ms = 0;
        }
        pause_before_next(s);
        return keep ? LOG_LATER : LOG_LOST;
}

/* A server that has closed its end would take the next message and lose it. */
void log_server_step(struct log_server *s)
{
        struct cor_err err = { 0 };
        char ignored[512];
        ssize_t n;

        if (s->fd >= 0 && s->connecting) {
                if (look(s, &err) < 0)
                        pause_before_next(s);
                return;
        }
        if (s->fd < 0 || !s->is_stream)
                return;
        n = recv(s->fd, ignored, sizeof ignored, MSG_DONTWAIT);
        if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
                return;
        cor_fd_close(&s->fd);
        s->sent = 0;
}

void log_server_wait(const struct log_server *s, bool has_messages, struct log_wait *ret)
{
        ret->fd = s->fd;
        ret->events =
                s->connecting ? connect_events(s) : (short)((has_messages ? POLLOUT : 0) | (s->is_stream ? POLLIN : 0));
        if (ret->events == 0)
                ret->fd = -1;
        if (s->connecting)
                ret->at = s->since_ms + CONNECT_MS;
        else if (s->fd < 0 && has_messages)
                ret->at = s->retry_ms;
}

/* --- open --------------------------------------------------------------------------------------------------------- */

static int first_connection(struct log_server *s, struct cor_err *err)
{
        size_t tries = 0;

        do {
                struct pollfd p;
                int r;

                cor_fd_close(&s->fd);
                if (begin(s, err) < 0)
                        continue;
                p = (struct pollfd){ .fd = s->fd, .events = connect_events(s) };
                if (s->connecting)
                        (void)poll(&p, 1, CONNECT_MS);
                r = look(s, err);
                if (r > 0)
                        return 0;
                if (r == 0)
                        cor_fail(err, COR_TIMEOUT, "dial %s: i/o timeout", s->name);
        } while (++tries < s->n_addresses);
        return -1;
}

static void add_file(struct cor_strv *argv, const char *flag, const char *path)
{
        if (!path)
                return;
        cor_strv_add(argv, flag);
        cor_strv_add(argv, path);
}

static void make_tls(struct log_server *s, const struct syslog_address *a, const struct syslog_tls *tls)
{
        cor_strv_add(&s->tls, "coracle-tls");
        cor_strv_add(&s->tls, a->host);
        cor_strv_add(&s->tls, a->port);
        add_file(&s->tls, "--ca", tls->ca);
        add_file(&s->tls, "--certificate", tls->certificate);
        add_file(&s->tls, "--key", tls->key);
        if (tls->insecure)
                cor_strv_add(&s->tls, "--insecure");
}

int log_server_open(const struct syslog_address *a, const struct syslog_tls *tls, bool again, struct log_server **ret,
                    struct cor_err *err)
{
        COR_CLEANUP(log_server_free_p) struct log_server *s = cor_alloc(sizeof *s);

        s->fd = -1;
        s->transport = a->transport;
        s->lookup_ms = again ? LOOKUP_AGAIN_MS : LOOKUP_MS;
        if (a->transport == SYSLOG_TLS)
                make_tls(s, a, tls);
        if (a->transport != SYSLOG_LOCAL && find(s, a, err) < 0)
                return -1;
        if (!again && first_connection(s, err) < 0)
                return -1;
        s->lookup_ms = LOOKUP_AGAIN_MS;
        *ret = COR_TAKE(s);
        return 0;
}
