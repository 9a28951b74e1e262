/*
 * coracle-usernet: does the job of slirp4netns. Frames of a network namespace become connections of this host's user.
 *
 * One process without threads, in the namespaces of whoever started it:
 *
 *   1  options; the tap interface, made by a child in the target's namespaces (target.c); libslirp; the API socket
 *   2  the sandbox: an empty root, no capabilities, no new privileges, a filter (sandbox.c). Outside stays a child that
 *      copies resolv.conf into it (resolver.c)
 *   3  --ready-fd is told; from here on hostile bytes are read: frames of the guest, requests at the API socket
 *   4  the end: --exit-fd, a signal, or the end of the network namespace
 */
#include "base/fd.h"
#include "base/process.h"
#include "base/text.h"
#include "linux/seccomp.h"
#include "tools/usernet/api.h"
#include "tools/usernet/options.h"
#include "tools/usernet/sandbox.h"
#include "tools/usernet/stack.h"
#include "tools/usernet/target.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct program {
        const char *name;
        struct usernet_options o;
        struct target target;
        struct stack *stack;
        struct api *api;
        int listening; /* of the API; -1: none, or the API has it */
        int resolver;
        bool stopped; /* by --exit-fd */
};

static const char *name_of(const char *argv0)
{
        return argv0 && *argv0 ? cor_base_name(argv0) : "coracle-usernet";
}

/* Under the name of slirp4netns its line is what clients look for; the fields are those that it has, too. */
static int print_version(const char *name)
{
        struct seccomp_features features;

        seccomp_features(&features);
        if (strcmp(name, "slirp4netns") == 0)
                printf("slirp4netns version 1.3.2 (coracle-usernet " CORACLE_VERSION ")\n");
        else
                printf("coracle-usernet version " CORACLE_VERSION "\n");
        printf("commit: coracle-" CORACLE_VERSION "\nlibslirp: %s\nSLIRP_CONFIG_VERSION_MAX: %d\n", stack_version(),
               stack_config_version());
        printf("libseccomp: %s\n", features.library);
        return fflush(stdout) == 0 ? 0 : 1;
}

static int print_help(const char *name, FILE *to)
{
        auto_text text = COR_TEXT_INIT;

        usernet_options_help(name, &text);
        return fputs(text.s, to) >= 0 && fflush(to) == 0 ? 0 : 1;
}

/* ------------------------------------------------------------------------------------------------------------ begin */

/* What our parent forgot to close would be in reach of whoever takes over this process. */
static void close_others(const struct usernet_options *o)
{
        unsigned keep[] = { (unsigned)o->exit_fd, (unsigned)o->ready_fd }, from = STDERR_FILENO + 1;

        if (keep[0] > keep[1])
                keep[0] = (unsigned)o->ready_fd, keep[1] = (unsigned)o->exit_fd;
        for (size_t i = 0; i < COR_COUNT(keep); i++) { /* -1 is the last of all */
                if (keep[i] < from)
                        continue;
                if (keep[i] > from)
                        (void)!cor_fds_close(from, keep[i] - 1, NULL);
                from = keep[i] + 1;
                if (from == 0)
                        return;
        }
        (void)!cor_fds_close(from, ~0U, NULL);
}

static int check_fd(const char *flag, int fd, struct cor_err *err)
{
        if (fd < 0)
                return 0;
        if (fcntl(fd, F_GETFD) < 0)
                return cor_fail_errno(err, "--%s: descriptor %d", flag, fd);
        return fd > STDERR_FILENO ? cor_fd_cloexec(fd, true, err) : 0;
}

static void raise_limit(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                (void)setrlimit(RLIMIT_NOFILE, &limit);
        }
}

/* What slirp4netns tells, too: a person at a terminal wants to know what to put into resolv.conf. */
static void print_settings(const struct usernet_options *o)
{
        const struct {
                const char *name;
                uint32_t offset;
        } rows[] = {
                { "Gateway", 2 }, { "DNS", 3 }, { "DHCP begin", 15 }, { "DHCP end", 30 }, { "Recommended IP", 100 }
        };
        char text[IP_TEXT_BYTES];
        struct ip mask = ip_mask(4, o->network.bits), gateway = target_ip(o, 2);

        if (o->ready_fd == STDOUT_FILENO)
                return;
        printf("Starting slirp\n* MTU:             %u\n", (unsigned)o->mtu);
        printf("* Network:         %s\n", ip_text(&o->network.ip, text));
        printf("* Netmask:         %s\n", ip_text(&mask, text));
        for (size_t i = 0; i < COR_COUNT(rows); i++) {
                struct ip ip = target_ip(o, rows[i].offset);

                printf("* %s:%*s%s\n", rows[i].name, (int)(16 - strlen(rows[i].name)), "", ip_text(&ip, text));
        }
        if (o->api_socket)
                printf("* API Socket:      %s\n", o->api_socket);
        if (!o->disable_host_loopback)
                printf("WARNING: 127.0.0.1:* on the host is accessible as %s (set --disable-host-loopback to prohibit "
                       "connecting to 127.0.0.1:*)\n",
                       ip_text(&gateway, text));
        fflush(stdout);
}

static void report_ready(int fd)
{
        if (fd < 0)
                return;
        if (write(fd, "1", 1) != 1)
                fprintf(stderr, "WARNING: --ready-fd: %s\n", strerror(errno));
        close(fd);
}

static void start_api(struct program *p)
{
        struct ip guest6 = { 0 };

        if (p->listening < 0)
                return;
        if (p->o.ipv6 && p->o.target == TARGET_NETNS)
                guest6 = target_guest_address(&p->o, &p->target, 16);
        p->api = api_new(cor_fd_take(&p->listening), p->stack, target_guest_address(&p->o, &p->target, 4), guest6);
}

/* 1: told to end before there was anything to do */
static int begin(struct program *p, struct cor_err *err)
{
        const struct usernet_options *o = &p->o;
        struct sandbox_plan sandbox = { .need_root = o->need_sandbox,
                                        .need_filter = o->need_seccomp,
                                        .resolver = !o->disable_dns };
        int told;

        if (check_fd("exit-fd", o->exit_fd, err) < 0 || check_fd("ready-fd", o->ready_fd, err) < 0)
                return -1;
        signal(SIGPIPE, SIG_IGN);
        raise_limit();
        if (target_open(o, &p->target, err) < 0 || stack_new(o, &p->target, &p->stack, err) < 0)
                return -1;
        if (o->api_socket) {
                p->listening = api_listen(o->api_socket, err);
                if (p->listening < 0)
                        return -1;
        }
        print_settings(o);
        sandbox.userns = p->target.userns;
        if (sandbox_enter(&sandbox, &p->resolver, err) < 0)
                return -1;
        cor_fd_close(&p->target.userns);
        start_api(p);
        report_ready(o->ready_fd);
        told = target_accept(&p->target, o->exit_fd, err);
        if (told != 0)
                return told;
        stack_attach(p->stack, &p->target);
        return 0;
}

/* ------------------------------------------------------------------------------------------------------------- loop */

static int wait_for(struct polls *p, struct cor_err *err)
{
        int64_t left = p->due < 0 ? -1 : p->due - cor_now_ms();

        if (p->due >= 0 && left < 0)
                left = 0;
        if (poll(p->items, p->n_items, left > INT32_MAX ? INT32_MAX : (int)left) >= 0)
                return 0;
        if (errno != EINTR)
                return cor_fail_errno(err, "wait");
        for (size_t i = 0; i < p->n_items; i++)
                p->items[i].revents = 0;
        return 0;
}

static int run(struct program *p, struct cor_err *err)
{
        struct polls polls = { .due = -1 };
        int ret = 0;

        while (ret == 0 && !p->stopped) {
                size_t exit_at;

                polls_begin(&polls);
                exit_at = polls_add(&polls, p->o.exit_fd, POLLIN);
                if (p->api)
                        api_prepare(p->api, &polls);
                stack_prepare(p->stack, &polls);
                ret = wait_for(&polls, err);
                if (ret < 0)
                        break;
                p->stopped = polls.items[exit_at].revents;
                ret = stack_run(p->stack, &polls, err);
                if (p->api)
                        api_run(p->api, &polls);
        }
        free(polls.items);
        return ret;
}

static void end(struct program *p)
{
        api_free(p->api);
        stack_free(p->stack);
        target_done(&p->target);
        cor_fd_close(&p->listening);
        cor_fd_close(&p->resolver);
}

int main(int argc, char **argv)
{
        struct program p = {
                .name = name_of(argc > 0 ? argv[0] : NULL), .target = TARGET_INIT, .listening = -1, .resolver = -1
        };
        struct cor_err err = { 0 };
        bool usage = true;
        int ret;

        if (argc < 1 || usernet_options_read(argc, argv, &p.o, &usage, &err) < 0) {
                if (err.msg[0])
                        fprintf(stderr, "%s\n", err.msg);
                if (usage)
                        print_help(p.name, stderr);
                return 1;
        }
        if (p.o.help || p.o.version)
                return p.o.help ? print_help(p.name, stdout) : print_version(p.name);
        if (p.o.crowded)
                fprintf(stderr, "WARNING: too many arguments\n");
        close_others(&p.o);
        ret = begin(&p, &err);
        if (ret == 0)
                ret = run(&p, &err);
        end(&p);
        if (ret >= 0) /* told to end, or nobody is left to serve */
                return 0;
        fprintf(stderr, "%s: %s\n", p.name, err.msg);
        return 1;
}
