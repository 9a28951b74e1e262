/*
 *   1  clone_self_protect()     it will be the parent of processes in containers
 *   2  leave()                  stdio, folder and environment of the starter
 *   3  prepare()                signals, the store
 *   4  the starter's words      until START; with the first, the MONITOR lock and the folder of sockets: take()
 *   5  monitor_start()          STARTED or ERROR
 *   6  monitor_main_loop()
 */
#include "monitor/program.h"

#include "base/fd.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/process.h"
#include "linux/clone_self.h"
#include "monitor/clear.h"
#include "monitor/client.h"
#include "monitor/monitor.h"
#include "monitor/names.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, STARTER_TIMEOUT_MS = 60 * 1000, ARENA_KEEP = 64 * 1024, ID_DIGITS = 64 };

/* --- 2: away from the starter ------------------------------------------------------------------------------------- */

/* What concerns one process of the starter's, and would be taken for ours. */
static void clear_environment(void)
{
        static const char *const names[] = { "NOTIFY_SOCKET", "WATCHDOG_PID",   "WATCHDOG_USEC",           "LISTEN_PID",
                                             "LISTEN_FDS",    "LISTEN_FDNAMES", "RUN_OCI_SECCOMP_RECEIVER" };

        for (size_t i = 0; i < COR_COUNT(names); i++)
                unsetenv(names[i]);
        if (strcmp(getenv(HEAP_VARIABLE) ?: "", HEAP_VALUE) == 0) /* what this process has needed; it starts others */
                unsetenv(HEAP_VARIABLE);
}

static int close_all_but_socket(void)
{
        int null = open("/dev/null", O_RDWR);

        if (null < 0)
                return -1;
        for (int fd = 0; fd < 3; fd++)
                if (null != fd && dup2(null, fd) < 0)
                        return -1;
        if (cor_fds_close(MONITOR_STARTER_FD + 1, ~0U, NULL) < 0)
                return -1;
        return fcntl(MONITOR_STARTER_FD, F_SETFD, FD_CLOEXEC);
}

/* Who was started without a session of his own still has to leave: the process that the starter waits for ends here. */
static int begin_session(void)
{
        pid_t pid = fork();

        if (pid > 0)
                _exit(0);
        return pid < 0 || setsid() < 0 ? -1 : 0;
}

static int leave(void)
{
        if (getsid(0) != getpid() && begin_session() < 0)
                return -1;
        clear_environment();
        umask(022);
        return chdir("/") < 0 ? -1 : close_all_but_socket();
}

/* --- 3 ------------------------------------------------------------------------------------------------------------ */

static int take_over_signals(struct monitor *m, struct cor_err *err)
{
        sigset_t set;

        cor_signals_all(&set);
        m->signals = cor_signals_take(&set, NULL, err);
        return m->signals < 0 ? -1 : 0;
}

static int make_folder(const char *path, struct cor_err *err)
{
        return mkdir(path, 0700) < 0 && errno != EEXIST ? cor_fail_errno(err, "make %s", path) : 0;
}

/* Who can reach the socket can do everything with the container: it lies in a folder of the user's own (0700). */
static int listen_for_clients(struct monitor *m, struct cor_err *err)
{
        struct sockaddr_un addr = { .sun_family = AF_UNIX };
        auto_fd folder = open(m->run, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        auto_fd sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        mode_t before;
        int r;

        if (folder < 0 || sock < 0)
                return cor_fail_errno(err, "make the monitor's socket");
        (void)unlinkat(folder, MONITOR_SOCKET, 0); /* of a monitor that was killed: the lock is ours */
        snprintf(addr.sun_path, sizeof addr.sun_path, "/proc/self/fd/%d/" MONITOR_SOCKET, folder);
        before = umask(0177);
        r = bind(sock, (struct sockaddr *)&addr, sizeof addr);
        umask(before);
        if (r < 0 || listen(sock, SOMAXCONN) < 0)
                return cor_fail_errno(err, "make the monitor's socket");
        m->listener = cor_fd_take(&sock);
        return 0;
}

/* Of a monitor that was killed: the lock is ours, so it is not there any more. */
static void clear_leftovers(struct monitor *m)
{
        auto_str record = cor_printf("%s/%s", m->life.root, m->id);

        if (access(m->run, F_OK) == 0 || access(record, F_OK) == 0)
                monitor_clear(m->store, m->id);
}

static int prepare_places(struct monitor *m, struct cor_err *err)
{
        auto_str log = NULL;
        const char *run;

        if (store_run_path(m->store, &run, err) < 0)
                return -1;
        m->life.root = cor_printf("%s/runtime", run);
        m->run = cor_printf("%s/%s", run, m->id);
        m->folder = container_folder_path(m->store, m->id);
        log = cor_printf("%s/" MONITOR_LOG, m->run);
        clear_leftovers(m);
        if (make_folder(m->run, err) < 0 || cor_log_open(log, COR_LOG_TEXT, COR_LOG_WARN, err) < 0)
                return -1;
        return listen_for_clients(m, err);
}

/* Maybe before there is a container. Whether there is one does not matter yet; that the database has been looked into
 * makes the next look quick. */
static int prepare(struct monitor *m, struct cor_err *err)
{
        auto_container_row row = { 0 };
        struct cor_err ignored;

        if (take_over_signals(m, err) < 0 || monitor_open_store(m, err) < 0)
                return -1;
        (void)!container_row_find(m->store, m->id, &row, &ignored);
        return 0;
}

/* There is a container, and somebody who holds its WORK lock. */
static int take(struct monitor *m, struct cor_err *err)
{
        struct container_row *row = &m->row;

        if (m->lock >= 0)
                return 0;
        if (container_row_find(m->store, m->id, row, err) < 0)
                return -1;
        if (strcmp(row->id, m->id) != 0)
                return cor_fail(err, COR_NOT_FOUND, "No such container: %s", m->id);
        m->number = row->number;
        m->now = row->now;
        row->now.error = NULL; /* ours by now */
        m->lock = container_row_lock(m->store, m->number, CONTAINER_LOCK_MONITOR, 0, err);
        if (m->lock < 0)
                return -1;
        if (settings_read(row, &m->settings, err) < 0)
                return -1;
        return prepare_places(m, err);
}

/* --- 4 ------------------------------------------------------------------------------------------------------------ */

/* Until the container is ours, nothing is held that others could wait for: only the starter's end is an end. */
static int wait_for_word(const struct monitor *m, struct cor_err *err)
{
        int r = cor_wait_readable(MONITOR_STARTER_FD, m->lock >= 0 ? STARTER_TIMEOUT_MS : -1, err);

        return r != 0 ? r : cor_fail(err, COR_TIMEOUT, "the starter says nothing");
}

/* 1: START, 0: the starter is gone */
static int starter_words(struct monitor *m, struct cor_err *err)
{
        static char packet[MONITOR_PACKET_MAX];

        for (;;) {
                size_t n = 0;
                int type;

                if (wait_for_word(m, err) < 0)
                        return -1;
                type = monitor_receive_fd(MONITOR_STARTER_FD, packet, &n, &m->life.mount, err);
                if (type <= 0)
                        return type;
                if (take(m, err) < 0)
                        return -1;
                if (type == MONITOR_TAKE)
                        continue;
                if (type == MONITOR_START) {
                        m->life.fresh = m->life.mount >= 0;
                        return 1;
                }
                if (type != MONITOR_ATTACH && type != MONITOR_RESIZE)
                        return cor_fail(err, COR_INVALID, "packet %d before START", type);
                monitor_request(m, &m->clients[0], type, packet + 1, n, -1);
        }
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

static void init(struct monitor *m, const char *store, const char *id)
{
        *m = (struct monitor){ .store_path = store, .id = id, .lock = -1, .signals = -1, .listener = -1 };
        m->host_sockets = (struct host_sockets)HOST_SOCKETS_INIT;
        m->gone.lock = -1;
        life_init(&m->life);
        streams_init(m);
        execs_init(m);
        health_init(m);
}

/* The rest is for the kernel to take back. */
static void done(struct monitor *m)
{
        settings_done(&m->settings);
        container_row_done(&m->row);
        life_done(&m->life);
        names_free(m->names);
        host_sockets_end(&m->host_sockets);
        free(m->now.error);
        free(m->folder);
        free(m->run);
        cor_fd_close(&m->signals);
}

static int run(struct monitor *m)
{
        struct cor_err err = { 0 };
        int r;

        client_add(m, MONITOR_STARTER_FD);
        if (m->n_clients == 0)
                return EXIT_FAILED;
        r = prepare(m, &err) < 0 ? -1 : starter_words(m, &err);
        if (r <= 0) {
                if (m->lock >= 0)
                        monitor_give_up(m);
                if (r < 0)
                        client_fail(m, &m->clients[0], &err);
        } else {
                m->now.monitor_pid = getpid();
                if (monitor_start(m, &err) < 0) {
                        monitor_start_failed(m, &err);
                        client_fail(m, &m->clients[0], &err);
                } else {
                        client_tell(m, &m->clients[0], MONITOR_STARTED, NULL, 0);
                }
                monitor_main_loop(m);
        }
        clients_done(m);
        monitor_clear_gone(m);
        return r > 0 ? 0 : EXIT_FAILED;
}

static bool is_id(const char *s)
{
        return strlen(s) == ID_DIGITS && strspn(s, "0123456789abcdef") == ID_DIGITS;
}

int monitor_program(int argc, char **argv, char **envp)
{
        struct monitor m;
        struct cor_err err = { 0 };
        int code;

        if (argc != 4 || strcmp(argv[1], "--store") != 0 || argv[2][0] != '/' || !is_id(argv[3]) ||
            fcntl(MONITOR_STARTER_FD, F_GETFD) < 0) {
                fprintf(stderr, "coracle-monitor is started by coracle\n");
                return EXIT_USAGE;
        }
        /* one heap, given back to the kernel as soon as it is not needed */
        heap_keep_little(ARENA_KEEP);
        if (clone_self_protect(argv, envp, &err) < 0) {
                fprintf(stderr, "coracle-monitor: %s\n", err.msg);
                return EXIT_FAILED;
        }
        if (leave() < 0)
                return EXIT_FAILED;
        init(&m, argv[2], argv[3]);
        code = run(&m);
        done(&m);
        return code;
}
