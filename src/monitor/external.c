#include "monitor/external.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "linux/mount.h"
#include "linux/namespace.h"
#include "monitor/clear.h"
#include "monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Names in RUN/<id>. */
#define PID_FILE "pid"
#define LOG_FILE "runtime.log"

enum { COMMAND_TIMEOUT_MS = 60 * 1000, CONSOLE_TIMEOUT_MS = 5000, LOG_MAX = 1 << 16, MESSAGE_MAX = 300, SHORT_ID = 12 };

struct external {
        bool mounted, created;
        int console;        /* listening socket, or -1 */
        char *console_path; /* its path: in RUN, as those in RUN/<id> may be too long for the address of a socket */
};

/* --- its commands ------------------------------------------------------------------------------------------------- */

static void __attribute__((noreturn)) become(const struct monitor *m, const char *const *words, const int stdio[3])
{
        struct cor_strv argv = { 0 };
        sigset_t none;

        cor_strv_add(&argv, m->settings.runtime);
        cor_strv_add(&argv, "--root");
        cor_strv_take(&argv, cor_printf("%s/" CLEAR_RUNTIME_STATE, m->run));
        cor_strv_add(&argv, "--log");
        cor_strv_take(&argv, cor_printf("%s/" LOG_FILE, m->run));
        for (; *words; words++)
                cor_strv_add(&argv, *words);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        for (int i = 0; i < 3; i++)
                if (stdio[i] >= 0 && dup2(stdio[i], i) < 0)
                        _exit(127);
        execv(argv.items[0], argv.items);
        _exit(127);
}

/* The last line of its log says best what went wrong. */
static int command_failed(const struct monitor *m, const char *what, int status, struct cor_err *err)
{
        auto_str path = cor_printf("%s/" LOG_FILE, m->run);
        auto_str text = NULL;
        const char *line = "";
        size_t n;

        if (cor_read_file(path, LOG_MAX, &text, &n, NULL) == 0 && n > 1) {
                char *end = text + n - 1;

                while (end > text && *end == '\n')
                        *end-- = '\0';
                line = strrchr(text, '\n');
                line = line ? line + 1 : text;
        }
        return cor_fail(err, COR_SYSTEM, "%s %s failed with code %d: %.*s", m->settings.runtime, what,
                        cor_status_code(status), MESSAGE_MAX, line);
}

static int run_with(const struct monitor *m, const char *const *words, const int stdio[3], struct cor_err *err)
{
        int status = 0;
        pid_t pid = fork();

        if (pid < 0)
                return cor_fail_errno(err, "start %s", m->settings.runtime);
        if (pid == 0)
                become(m, words, stdio);
        if (cor_child_wait(pid, COMMAND_TIMEOUT_MS, &status) == 0) {
                kill(pid, SIGKILL);
                cor_child_wait(pid, CONSOLE_TIMEOUT_MS, NULL);
                return cor_fail(err, COR_TIMEOUT, "%s %s does not end", m->settings.runtime, words[0]);
        }
        return status == 0 ? 0 : command_failed(m, words[0], status, err);
}

static int run(const struct monitor *m, const char *const *words, struct cor_err *err)
{
        return run_with(m, words, (int[]){ -1, -1, -1 }, err);
}

/* --- start -------------------------------------------------------------------------------------------------------- */

static int mount_root(struct monitor *m, struct external *x, int root, struct cor_err *err)
{
        auto_str place = cor_printf("%s/rootfs", m->run);
        auto_fd at = -1;

        if (!m->life.private) {
                if (namespace_unshare(CLONE_NEWNS, err) < 0 || mount_propagation("/", MS_SLAVE | MS_REC, err) < 0)
                        return -1;
                m->life.private = true;
                /* what it has open lies on mounts of the other namespace, and those make no overlay here */
                monitor_close_store(m);
                if (monitor_open_store(m, err) < 0)
                        return -1;
        }
        at = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (at < 0)
                return cor_fail_errno(err, "open %s", place);
        if (mount_attach(root, at, err) < 0)
                return -1;
        x->mounted = true;
        return 0;
}

static int listen_for_console(struct monitor *m, struct external *x, struct cor_err *err)
{
        struct sockaddr_un addr = { .sun_family = AF_UNIX };
        auto_fd sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        x->console_path = cor_printf("%.*s/tty-%.*s", (int)(strrchr(m->run, '/') - m->run), m->run, SHORT_ID, m->id);
        if (strlen(x->console_path) >= sizeof addr.sun_path)
                return cor_fail(err, COR_UNSUPPORTED, "%s is too long for a console socket", x->console_path);
        memcpy(addr.sun_path, x->console_path, strlen(x->console_path) + 1);
        (void)unlink(addr.sun_path);
        if (sock < 0)
                return cor_fail_errno(err, "make a console socket");
        if (bind(sock, (struct sockaddr *)&addr, sizeof addr) < 0 || listen(sock, 1) < 0)
                return cor_fail_errno(err, "make a console socket");
        x->console = cor_fd_take(&sock);
        return 0;
}

static int receive_console(struct monitor *m, struct external *x, struct cor_err *err)
{
        auto_fd conn = -1, master = -1;
        char name[256];
        int r = cor_wait_readable(x->console, CONSOLE_TIMEOUT_MS, err);

        if (r < 0)
                return -1;
        conn = r > 0 ? accept4(x->console, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (conn < 0 || cor_wait_readable(conn, CONSOLE_TIMEOUT_MS, err) <= 0)
                return cor_fail(err, COR_SYSTEM, "%s sent no terminal", m->settings.runtime);
        master = cor_recv_fd(conn, name, sizeof name, NULL, err);
        if (master < 0)
                return -1;
        cor_fd_close(&x->console);
        return life_take_terminal(m, master, err);
}

static int read_pid(struct monitor *m, struct cor_err *err)
{
        auto_str path = cor_printf("%s/" PID_FILE, m->run);
        auto_str text = NULL;
        int32_t pid;
        size_t n;

        if (cor_read_file(path, 32, &text, &n, err) < 0)
                return -1;
        text[strcspn(text, "\n")] = '\0';
        if (cor_parse_i32(text, &pid) < 0 || pid <= 1)
                return cor_fail(err, COR_SYSTEM, "%s wrote no pid", m->settings.runtime);
        m->life.pid = pid;
        return 0;
}

static int create(struct monitor *m, struct external *x, struct cor_err *err)
{
        auto_str pid_file = cor_printf("%s/" PID_FILE, m->run);
        auto_str link = cor_printf("%s/" CLEAR_RUNTIME_LINK, m->run);
        const char *words[] = { "create", "--bundle", m->folder, "--pid-file", pid_file, m->id, NULL, NULL, NULL };
        COR_CLEANUP(life_ends_done) struct life_ends e = LIFE_ENDS_INIT;

        if (m->settings.tty) {
                if (listen_for_console(m, x, err) < 0)
                        return -1;
                words[5] = "--console-socket";
                words[6] = x->console_path;
                words[7] = m->id;
        } else if (life_make_pipes(m, &e, err) < 0) {
                return -1;
        }
        if (symlink(m->settings.runtime, link) < 0 && errno != EEXIST)
                return cor_fail_errno(err, "make %s", link);
        x->created = true;
        if (run_with(m, words, e.fd, err) < 0 || read_pid(m, err) < 0)
                return -1;
        return m->settings.tty ? receive_console(m, x, err) : 0;
}

int external_start(struct monitor *m, int root, struct cor_err *err)
{
        struct external *x = cor_alloc(sizeof *x);

        x->console = -1;
        m->life.external = x;
        if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
                return cor_fail_errno(err, "become a subreaper");
        if (mount_root(m, x, root, err) < 0)
                return -1;
        if (create(m, x, err) < 0 || life_look(m, err) < 0)
                return -1;
        return run(m, (const char *[]){ "start", m->id, NULL }, err);
}

/* --- afterwards --------------------------------------------------------------------------------------------------- */

int external_freeze(struct monitor *m, bool frozen, struct cor_err *err)
{
        return run(m, (const char *[]){ frozen ? "pause" : "resume", m->id, NULL }, err);
}

void external_kill(struct monitor *m)
{
        struct cor_err err = { 0 };

        if (m->life.frozen && external_freeze(m, false, &err) < 0)
                cor_warn("%s", err.msg);
}

void external_end(struct monitor *m)
{
        static const char *const files[] = { PID_FILE, LOG_FILE, CLEAR_RUNTIME_LINK };
        struct external *x = m->life.external;
        auto_fd folder = open(m->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        auto_str place = cor_printf("%s/rootfs", m->run);
        struct cor_err err = { 0 };

        if (x->created && run(m, (const char *[]){ "delete", "--force", m->id, NULL }, &err) < 0)
                cor_warn("%s", err.msg);
        if (m->life.pid > 0)
                (void)cor_child_wait(m->life.pid, CONSOLE_TIMEOUT_MS, NULL);
        if (x->mounted && umount2(place, MNT_DETACH) < 0)
                cor_warn("unmount %s: %m", place);
        cor_fd_close(&x->console);
        if (x->console_path)
                (void)unlink(x->console_path);
        free(x->console_path);
        for (size_t i = 0; folder >= 0 && i < COR_COUNT(files); i++)
                (void)unlinkat(folder, files[i], 0);
        if (folder >= 0 && cor_own_remove_tree(folder, CLEAR_RUNTIME_STATE, &err) < 0)
                cor_warn("%s", err.msg);
        free(x);
        m->life.external = NULL;
}

void external_exec(const struct monitor *m, const struct cor_strv *command, int output)
{
        const char **words = cor_realloc_array(NULL, command->n_items + 3, sizeof *words);
        size_t n = 0;

        words[n++] = "exec";
        words[n++] = m->id;
        for (size_t i = 0; i < command->n_items; i++)
                words[n++] = command->items[i];
        words[n] = NULL;
        become(m, words, (int[]){ -1, output, output });
}
