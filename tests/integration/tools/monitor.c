/*
 * Plays those who start a container's monitor and speak with it:
 *
 *      tool-monitor create STORE IMAGE CONFIG HOSTCONFIG     a row and a writable layer; prints the id and RUN/<id>
 *      tool-monitor start STORE ID [FLAGS]                   starts a monitor, relays, ends with the program's code
 *      tool-monitor attach STORE ID [FLAGS]                  the same with a monitor that runs
 *      tool-monitor ask STORE ID WHAT [SIGNAL [TIMEOUT]]     stop, restart, kill, pause, resume, update, wait
 *      tool-monitor row STORE ID                             what the row says
 *
 * FLAGS: detach (only until it has started), in (our stdin goes to it), only-in (no output), size=ROWSxCOLUMNS,
 * slow (read nothing until our stdin ends), packets (print types and lengths in place of content). The monitor is
 * $MONITOR. With slow, and where it asks to wait, it says "sent" on stderr once the monitor can know of it.
 */
#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "monitor/protocol.h"
#include "store/container.h"
#include "store/image.h"
#include "store/snapshot.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct flags {
        bool detach, in, only_in, slow, packets;
        struct monitor_size size;
};

static char packet[MONITOR_PACKET_MAX];

static int make_id(char ret[65])
{
        uint8_t bytes[32];

        if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
                return -1;
        for (size_t i = 0; i < sizeof bytes; i++)
                snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
        return 0;
}

static int create(struct store *s, char **words, struct cor_err *err)
{
        auto_image_row image = { 0 };
        auto_container_row row = { 0 };
        auto_fd folder = -1;
        const char *run;
        char id[65];

        if (image_find(s, words[0], &image, err) < 0 || make_id(id) < 0)
                return -1;
        row.id = cor_strdup(id);
        row.name = cor_strndup(id, 12);
        row.image = cor_strdup(words[0]);
        row.image_id = image.id;
        row.created = (int64_t)time(NULL) * 1000000000;
        row.config = cor_strdup(words[1]);
        row.host_config = cor_strdup(words[2]);
        row.auto_remove = strstr(words[2], "\"AutoRemove\":true") != NULL;
        row.networking = cor_strdup("{}");
        row.mounts = cor_strdup("[]");
        row.command = cor_strdup("");
        for (size_t i = 0; i < image.n_layers; i++)
                *COR_GROW(row.layers, row.n_layers) = image.layers[i].name;
        if (container_row_add(s, &row, err) < 0)
                return -1;
        folder = container_folder_open(s, id, err);
        if (folder < 0 || snapshot_make(s, folder, row.layers, row.n_layers, 0, err) < 0 ||
            store_run_path(s, &run, err) < 0)
                return -1;
        printf("%s %s/%s\n", id, run, id);
        return 0;
}

static int show_row(struct store *s, char **words, struct cor_err *err)
{
        auto_container_row r = { 0 };

        if (container_row_find(s, words[0], &r, err) < 0)
                return -1;
        printf("phase=%s pid=%d code=%d oom=%d stopped=%d restarts=%lld health=%d locked=%d error=%s\n",
               container_phase_name(r.now.phase), (int)r.now.pid, (int)r.now.exit_code, r.now.oom_killed, r.now.stopped,
               (long long)r.now.restart_count, (int)r.now.health,
               container_row_locked(s, r.number, CONTAINER_LOCK_MONITOR, err), r.now.error ? r.now.error : "");
        return 0;
}

/* --- the relay ---------------------------------------------------------------------------------------------------- */

static int print_packet(const struct flags *f, int type, size_t n)
{
        if (f->packets) {
                printf("%d %zu\n", type, n);
                fflush(stdout);
                return 0;
        }
        if (type == MONITOR_STDOUT || type == MONITOR_STDERR)
                return cor_write_full(type == MONITOR_STDOUT ? 1 : 2, packet + 1, n, NULL);
        return 0;
}

/* -1: go on */
static int handle(const struct flags *f, int type, size_t n)
{
        struct monitor_exit e;
        struct cor_err err;

        if (type == 0) {
                fprintf(stderr, "the monitor is gone\n");
                return 125;
        }
        if (print_packet(f, type, n) < 0)
                return 125;
        switch (type) {
        case MONITOR_EXIT:
                memcpy(&e, packet + 1, sizeof e);
                if (f->packets)
                        printf("exit code=%d oom=%d last=%d removed=%d\n", (int)e.code, e.oom_killed, e.last,
                               e.removed);
                return e.code;
        case MONITOR_ERROR:
                memcpy(&err, packet + 1, sizeof err);
                fprintf(stderr, "%s\n", err.msg);
                return err.kind == COR_EXEC_MISSING ? 127 : err.kind == COR_EXEC_REFUSED ? 126 : 125;
        case MONITOR_STARTED:
                return f->detach ? 0 : -1;
        case MONITOR_STOPPED:
        case MONITOR_DONE:
                return 0;
        default:
                return -1;
        }
}

/* A monitor that has ended needs no input, and may have said more before. */
static int pass_input(int sock, bool *open, struct cor_err *err)
{
        ssize_t n = read(0, packet, sizeof packet - 1);
        int r = n > 0 ? monitor_send(sock, MONITOR_STDIN, packet, (size_t)n, err)
                      : monitor_send(sock, MONITOR_STDIN_END, NULL, 0, err);

        *open = n > 0 && r == 0;
        return r == 0 || err->sys == EPIPE || err->sys == ECONNRESET ? 0 : -1;
}

/* Or the sender would wait for a monitor that waits for it to read. */
static bool takes_more(int sock)
{
        struct pollfd p = { .fd = sock, .events = POLLOUT };

        return poll(&p, 1, 0) > 0;
}

static int relay(int sock, const struct flags *f, int *ret_code, struct cor_err *err)
{
        bool in = f->in || f->slow, ready = false; /* ready: there is input */

        for (;;) {
                struct pollfd fds[2] = { { .fd = sock, .events = (short)(ready ? POLLIN | POLLOUT : POLLIN) },
                                         { .fd = in && !ready ? 0 : -1, .events = POLLIN } };
                size_t n = 0;
                int type;

                if (f->slow && in) {
                        while (read(0, packet, sizeof packet) > 0)
                                continue;
                        in = false;
                        continue;
                }
                if (poll(fds, 2, -1) < 0)
                        return cor_fail_errno(err, "poll");
                ready = ready || fds[1].revents;
                if (ready && takes_more(sock)) {
                        ready = false;
                        if (pass_input(sock, &in, err) < 0)
                                return -1;
                }
                if (!(fds[0].revents & ~POLLOUT))
                        continue;
                type = monitor_receive(sock, packet, &n, err);
                if (type < 0)
                        return -1;
                *ret_code = handle(f, type, n);
                if (*ret_code >= 0)
                        return 0;
        }
}

/* The monitor has it before anything that is sent to it from now on. */
static void say_sent(void)
{
        fputs("sent\n", stderr);
}

static int attach(int sock, const struct flags *f, struct cor_err *err)
{
        const struct monitor_attach a = { .in = f->in, .out = !f->only_in, .err = !f->only_in };

        if (f->size.rows && monitor_send(sock, MONITOR_RESIZE, &f->size, sizeof f->size, err) < 0)
                return -1;
        if (!f->detach && monitor_send(sock, MONITOR_ATTACH, &a, sizeof a, err) < 0)
                return -1;
        if (f->slow)
                say_sent();
        return 0;
}

static int spawn_monitor(const char *store, const char *id, struct cor_err *err)
{
        const char *program = getenv("MONITOR");
        int ends[2], status;
        pid_t pid;

        if (!program || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return cor_fail(err, COR_SYSTEM, "MONITOR is not set");
        pid = fork();
        if (pid < 0)
                return cor_fail_errno(err, "fork");
        if (pid == 0) {
                if (dup2(ends[1], MONITOR_STARTER_FD) == MONITOR_STARTER_FD &&
                    cor_fd_cloexec(MONITOR_STARTER_FD, false, err) == 0)
                        execl(program, program, "--store", store, id, (char *)NULL);
                _exit(1);
        }
        if (ends[1] != MONITOR_STARTER_FD)
                close(ends[1]);
        if (waitpid(pid, &status, 0) != pid || status != 0)
                return cor_fail(err, COR_SYSTEM, "%s failed: status %x", program, (unsigned)status);
        return ends[0];
}

static int start(struct store *s, const char *id, const struct flags *f, int *ret_code, struct cor_err *err)
{
        auto_fd sock = spawn_monitor(store_path(s), id, err);

        if (sock < 0 || attach(sock, f, err) < 0 || monitor_send(sock, MONITOR_START, NULL, 0, err) < 0)
                return -1;
        return relay(sock, f, ret_code, err);
}

static int connect_to(struct store *s, const char *id, struct cor_err *err)
{
        auto_str path = NULL;
        const char *run;

        if (store_run_path(s, &run, err) < 0)
                return -1;
        path = cor_printf("%s/%s/" MONITOR_SOCKET, run, id);
        return cor_unix_connect(path, SOCK_SEQPACKET, err);
}

static int ask(struct store *s, char **words, int *ret_code, struct cor_err *err)
{
        static const struct cor_word types[] = {
                { "stop", MONITOR_STOP },     { "restart", MONITOR_RESTART },
                { "kill", MONITOR_KILL },     { "pause", MONITOR_PAUSE },
                { "resume", MONITOR_RESUME }, { "update", MONITOR_UPDATE },
                { "wait", MONITOR_WAIT },     { NULL, 0 },
        };
        const struct cor_word *w = cor_word_find(types, words[1]);
        struct monitor_stop how = { .timeout_ms = MONITOR_STOP_OWN_TIMEOUT };
        const struct flags f = { .detach = true };
        auto_fd sock = connect_to(s, words[0], err);

        if (sock < 0 || !w)
                return -1;
        if (words[2])
                how.signal = cor_signal_parse(words[2], err);
        if (words[2] && words[3])
                how.timeout_ms = atoi(words[3]);
        if (monitor_send(sock, (enum monitor_packet)w->value, &how, sizeof how, err) < 0)
                return -1;
        if (w->value == MONITOR_WAIT)
                say_sent();
        return relay(sock, &f, ret_code, err);
}

static struct flags read_flags(char **words)
{
        struct flags f = { 0 };

        for (; *words; words++) {
                unsigned rows, columns;

                f.detach = f.detach || strcmp(*words, "detach") == 0;
                f.in = f.in || strcmp(*words, "in") == 0 || strcmp(*words, "only-in") == 0;
                f.only_in = f.only_in || strcmp(*words, "only-in") == 0;
                f.slow = f.slow || strcmp(*words, "slow") == 0;
                f.packets = f.packets || strcmp(*words, "packets") == 0;
                if (sscanf(*words, "size=%ux%u", &rows, &columns) == 2)
                        f.size = (struct monitor_size){ (uint16_t)rows, (uint16_t)columns };
        }
        return f;
}

static int run(char **argv, int *ret_code, struct cor_err *err)
{
        struct flags f = read_flags(argv + 3);
        auto_store s = NULL;
        auto_fd sock = -1;

        if (store_open(argv[2], STORE_DATABASE, &s, err) < 0)
                return -1;
        if (strcmp(argv[1], "create") == 0)
                return create(s, argv + 3, err);
        if (strcmp(argv[1], "row") == 0)
                return show_row(s, argv + 3, err);
        if (strcmp(argv[1], "ask") == 0)
                return ask(s, argv + 3, ret_code, err);
        if (strcmp(argv[1], "start") == 0)
                return start(s, argv[3], &f, ret_code, err);
        sock = connect_to(s, argv[3], err);
        return sock < 0 || attach(sock, &f, err) < 0 ? -1 : relay(sock, &f, ret_code, err);
}

int main(int argc, char **argv)
{
        struct cor_err err = { 0 };
        int code = 0;

        if (argc < 4)
                return 2;
        if (run(argv, &code, &err) == 0)
                return code;
        fprintf(stderr, "tool-monitor: %s\n", err.msg);
        return 125;
}
