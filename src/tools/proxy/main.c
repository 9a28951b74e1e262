/*
 * coracle-proxy: does the job of docker-proxy, for dockerd --userland-proxy-path. One process for one port: what
 * arrives at -host-ip:-host-port goes to -container-ip:-container-port.
 *
 * Descriptor 3 is dockerd's: "0\n" when the port is open, or "1\n" and why not. With -use-listen-fd descriptor 4 is the
 * socket, bound (and listening) already. SIGTERM and SIGINT end it, and so does the end of the world it was made for:
 * it holds nothing but its sockets.
 */
#include "base/fd.h"
#include "base/process.h"
#include "base/text.h"
#include "linux/forward.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PARENT_FD = 3, LISTEN_FD = 4, EXIT_USAGE = 2, PORT_MAX = 65535 };

struct options {
        const char *proto, *host_ip, *container_ip;
        int32_t host_port, container_port;
        bool use_listen_fd, version;
};

static const char usage[] = "Usage of coracle-proxy:\n"
                            "  -container-ip string\n    \tcontainer ip (default 0.0.0.0)\n"
                            "  -container-port int\n    \tcontainer port (default -1)\n"
                            "  -host-ip string\n    \thost ip (default 0.0.0.0)\n"
                            "  -host-port int\n    \thost port (default -1)\n"
                            "  -proto string\n    \tproxy protocol: tcp, udp, sctp (default \"tcp\")\n"
                            "  -use-listen-fd\n    \tuse a supplied listen fd\n"
                            "  -v, -version\n    \tprint version information and quit\n";

/* ---------------------------------------------------------------------------------------------------------- options */

struct flag {
        const char *name;
        enum { FLAG_TEXT, FLAG_PORT, FLAG_BOOL } kind;
        void *to;
};

static int read_bool(const char *value, bool *ret)
{
        static const struct cor_word words[] = {
                { "1", 1 }, { "t", 1 }, { "T", 1 },     { "true", 1 },  { "True", 1 },  { "TRUE", 1 }, { "0", 0 },
                { "f", 0 }, { "F", 0 }, { "false", 0 }, { "False", 0 }, { "FALSE", 0 }, { NULL, 0 },
        };
        const struct cor_word *w = cor_word_find(words, value);

        if (!w)
                return -1;
        *ret = w->value != 0;
        return 0;
}

/* Flags as Go's package flag has them: one or two dashes, the value behind = or in the next word. */
static int read_flag(const struct flag *flags, size_t n, char **argv, int *at, struct cor_err *err)
{
        const char *name = argv[*at] + (cor_starts_with(argv[*at], "--") ? 2 : 1), *equals = strchr(name, '=');
        size_t len = equals ? (size_t)(equals - name) : strlen(name);
        const char *value = equals ? equals + 1 : NULL;
        const struct flag *f = NULL;
        int r = 0;

        for (size_t i = 0; i < n && !f; i++)
                if (strlen(flags[i].name) == len && strncmp(flags[i].name, name, len) == 0)
                        f = &flags[i];
        if (!f)
                return cor_fail(err, COR_INVALID, "flag provided but not defined: -%.*s", (int)len, name);
        if (!value && f->kind != FLAG_BOOL)
                value = argv[++*at];
        if (!value && f->kind != FLAG_BOOL)
                return cor_fail(err, COR_INVALID, "flag needs an argument: -%s", f->name);
        if (f->kind == FLAG_TEXT)
                *(const char **)f->to = value;
        else if (f->kind == FLAG_PORT)
                r = cor_parse_i32(value, f->to);
        else if (value)
                r = read_bool(value, f->to);
        else
                *(bool *)f->to = true;
        return r < 0 ? cor_fail(err, COR_INVALID, "invalid value \"%.60s\" for flag -%s", value, f->name) : 0;
}

static int read_options(char **argv, struct options *o, struct cor_err *err)
{
        const struct flag flags[] = {
                { "proto", FLAG_TEXT, &o->proto },
                { "host-ip", FLAG_TEXT, &o->host_ip },
                { "host-port", FLAG_PORT, &o->host_port },
                { "container-ip", FLAG_TEXT, &o->container_ip },
                { "container-port", FLAG_PORT, &o->container_port },
                { "use-listen-fd", FLAG_BOOL, &o->use_listen_fd },
                { "v", FLAG_BOOL, &o->version },
                { "version", FLAG_BOOL, &o->version },
        };

        for (int i = 1; argv[i] && argv[i][0] == '-' && argv[i][1] && strcmp(argv[i], "--") != 0; i++)
                if (read_flag(flags, COR_COUNT(flags), argv, &i, err) < 0)
                        return -1;
        return 0;
}

/* ------------------------------------------------------------------------------------------------------------- work */

static int read_address(const char *flag, const char *ip, int32_t port, struct forward_address *ret,
                        struct cor_err *err)
{
        if (port < 0 || port > PORT_MAX)
                return cor_fail(err, COR_INVALID, "-%s-port: expected 0 to %d, got %d", flag, PORT_MAX, port);
        return forward_address(ip, (uint16_t)port, ret, err) < 0 ? cor_wrap(err, "-%s-ip", flag) : 0;
}

/* What dockerd has made is used only if it is what was asked for. */
static int take_socket(int protocol, struct cor_err *err)
{
        int got = 0, flags = fcntl(LISTEN_FD, F_GETFL);
        socklen_t n = sizeof got;

        if (getsockopt(LISTEN_FD, SOL_SOCKET, SO_PROTOCOL, &got, &n) < 0)
                return cor_fail_errno(err, "-use-listen-fd: descriptor %d", LISTEN_FD);
        if (got != protocol)
                return cor_fail(err, COR_INVALID, "-use-listen-fd: descriptor %d is a socket of protocol %d, not %d",
                                LISTEN_FD, got, protocol);
        if (flags < 0 || fcntl(LISTEN_FD, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(LISTEN_FD, F_SETFD, FD_CLOEXEC) < 0)
                return cor_fail_errno(err, "-use-listen-fd: descriptor %d", LISTEN_FD);
        if (protocol != IPPROTO_UDP && listen(LISTEN_FD, SOMAXCONN) < 0)
                return cor_fail_errno(err, "-use-listen-fd: listen");
        return LISTEN_FD;
}

static int open_port(const struct options *o, struct forward *f, struct cor_err *err)
{
        static const struct cor_word protocols[] = {
                { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "sctp", IPPROTO_SCTP }, { NULL, 0 }
        };
        const struct cor_word *protocol = cor_word_find(protocols, o->proto);
        struct forward_address host, container;
        int fd;

        if (!protocol)
                return cor_fail(err, COR_INVALID, "unsupported protocol %.40s", o->proto);
        if (read_address("container", o->container_ip, o->container_port, &container, err) < 0)
                return -1;
        if (o->use_listen_fd) {
                fd = take_socket((int)protocol->value, err);
        } else {
                if (read_address("host", o->host_ip, o->host_port, &host, err) < 0)
                        return -1;
                fd = forward_listen((int)protocol->value, &host, err);
                if (fd < 0)
                        cor_wrap(err, "failed to listen on %s:%d/%s", o->host_ip, o->host_port, o->proto);
        }
        return fd < 0 ? -1 : forward_add(f, (int)protocol->value, fd, &container, err);
}

static int catch_signals(struct cor_err *err)
{
        sigset_t set;

        signal(SIGPIPE, SIG_IGN);
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        return cor_signals_take(&set, NULL, err);
}

static void raise_limit(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                (void)setrlimit(RLIMIT_NOFILE, &limit);
        }
}

static int loop(struct forward *f, int signals)
{
        for (;;) {
                struct pollfd fds[] = { { .fd = forward_fd(f), .events = POLLIN },
                                        { .fd = signals, .events = POLLIN } };
                int64_t due = forward_due(f), left = due <= 0 ? due : due - cor_now_ms();
                int timeout = due < 0 ? -1 : left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;

                if (poll(fds, COR_COUNT(fds), timeout) < 0 && errno != EINTR)
                        return 1;
                if (fds[1].revents)
                        return 0;
                forward_step(f);
        }
}

/* The parent may be a person at a shell, who has not given a descriptor 3. */
static void report(const struct cor_err *failure)
{
        auto_text text = COR_TEXT_INIT;

        if (failure)
                cor_text_printf(&text, "1\n%s", failure->msg);
        else
                cor_text_add(&text, "0\n");
        if (write(PARENT_FD, text.s, text.len) < 0 && failure)
                fprintf(stderr, "coracle-proxy: %s\n", failure->msg);
        close(PARENT_FD);
}

int main(int argc, char **argv)
{
        struct options o = {
                .proto = "tcp", .host_ip = "0.0.0.0", .container_ip = "0.0.0.0", .host_port = -1, .container_port = -1
        };
        bool told = fcntl(PARENT_FD, F_SETFD, FD_CLOEXEC) == 0;
        struct forward *f = NULL;
        struct cor_err err = { 0 };
        int signals, code;

        if (argc < 1 || read_options(argv, &o, &err) < 0) {
                fprintf(stderr, "%s\n%s", err.msg, usage);
                return EXIT_USAGE;
        }
        if (o.version) {
                printf("coracle-proxy version " CORACLE_VERSION "\n");
                return 0;
        }
        raise_limit();
        signals = catch_signals(&err);
        if (signals < 0 || forward_new(&f, &err) < 0 || open_port(&o, f, &err) < 0) {
                if (told)
                        report(&err);
                else
                        fprintf(stderr, "coracle-proxy: %s\n", err.msg);
                forward_free(f);
                return 1;
        }
        if (told)
                report(NULL);
        code = loop(f, signals);
        forward_free(f);
        return code;
}
