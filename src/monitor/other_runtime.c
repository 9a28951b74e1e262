#include "monitor/other_runtime.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
        COMMAND_TIMEOUT_MS = 120 * 1000, /* runc itself waits 30 s for each job of systemd, and has more than one */
        CONSOLE_TIMEOUT_MS = 5000,
        LOG_MAX = 1 << 16,
        MESSAGE_MAX = 300,
        SHORT_NAME = 12,
        CODE_NO_EXEC = 127
};

void other_runtime_become(const struct other_runtime *o, const char *const *words, const int stdio[3])
{
        struct cor_strv argv = { 0 };
        sigset_t none;

        cor_strv_add(&argv, o->program);
        cor_strv_add(&argv, "--root");
        cor_strv_take(&argv, cor_printf("%s/" OTHER_RUNTIME_STATE, o->run));
        cor_strv_add(&argv, "--log");
        cor_strv_add(&argv, o->log);
        for (; *words; words++)
                cor_strv_add(&argv, *words);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        for (int i = 0; i < 3; i++)
                if (stdio[i] >= 0 && dup2(stdio[i], i) < 0)
                        _exit(CODE_NO_EXEC);
        execv(argv.items[0], argv.items);
        _exit(CODE_NO_EXEC);
}

/* They end with 255, 1 or what they like; what is told of the program itself they say in the same words. */
static enum cor_kind kind_of(const char *line)
{
        if (strstr(line, "executable file") && strstr(line, "not found"))
                return COR_EXEC_MISSING;
        return strstr(line, "exec") && strstr(line, "ermission denied") ? COR_EXEC_REFUSED : COR_SYSTEM;
}

/* The last line of its log says best what went wrong. */
static int command_failed(const struct other_runtime *o, const char *what, int code, struct cor_err *err)
{
        auto_str text = NULL;
        const char *line = "";
        size_t n;

        if (cor_read_file(o->log, LOG_MAX, &text, &n, NULL) == 0 && n > 1) {
                char *end = text + n - 1;

                while (end > text && *end == '\n')
                        *end-- = '\0';
                line = strrchr(text, '\n');
                line = line ? line + 1 : text;
        }
        return cor_fail(err, kind_of(line), "%s %s failed with code %d: %.*s", o->program, what, code, MESSAGE_MAX,
                        line);
}

int other_runtime_run(const struct other_runtime *o, const char *const *words, const int stdio[3], struct cor_err *err)
{
        int status = 0;
        pid_t pid = fork();

        if (pid < 0)
                return cor_fail_errno(err, "start %s", o->program);
        if (pid == 0)
                other_runtime_become(o, words, stdio);
        if (cor_child_wait(pid, COMMAND_TIMEOUT_MS, &status) == 0) {
                kill(pid, SIGKILL);
                cor_child_wait(pid, CONSOLE_TIMEOUT_MS, NULL);
                return cor_fail(err, COR_TIMEOUT, "%s %s does not end", o->program, words[0]);
        }
        return status == 0 ? 0 : command_failed(o, words[0], cor_status_code(status), err);
}

int other_runtime_pid(const struct other_runtime *o, const char *path, pid_t *ret, struct cor_err *err)
{
        auto_str text = NULL;
        int32_t pid;
        size_t n;

        if (cor_read_file(path, 32, &text, &n, err) < 0)
                return -1;
        text[strcspn(text, "\n")] = '\0';
        if (cor_parse_i32(text, &pid) < 0 || pid <= 1)
                return cor_fail(err, COR_SYSTEM, "%s wrote no pid", o->program);
        *ret = pid;
        return 0;
}

int other_console_listen(const struct other_runtime *o, const char *name, struct other_console *ret,
                         struct cor_err *err)
{
        struct sockaddr_un addr = { .sun_family = AF_UNIX };
        auto_fd sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ret->path = cor_printf("%.*s/tty-%s", (int)(strrchr(o->run, '/') - o->run), o->run, name);
        if (strlen(ret->path) >= sizeof addr.sun_path)
                return cor_fail(err, COR_UNSUPPORTED, "%s is too long for a console socket", ret->path);
        memcpy(addr.sun_path, ret->path, strlen(ret->path) + 1);
        (void)unlink(addr.sun_path);
        if (sock < 0)
                return cor_fail_errno(err, "make a console socket");
        if (bind(sock, (struct sockaddr *)&addr, sizeof addr) < 0 || listen(sock, 1) < 0)
                return cor_fail_errno(err, "make a console socket");
        ret->sock = cor_fd_take(&sock);
        return 0;
}

int other_console_take(const struct other_runtime *o, struct other_console *c, struct cor_err *err)
{
        auto_fd conn = -1;
        char name[256];
        int r = cor_wait_readable(c->sock, CONSOLE_TIMEOUT_MS, err);

        if (r < 0)
                return -1;
        conn = r > 0 ? accept4(c->sock, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (conn < 0 || cor_wait_readable(conn, CONSOLE_TIMEOUT_MS, err) <= 0)
                return cor_fail(err, COR_SYSTEM, "%s sent no terminal", o->program);
        cor_fd_close(&c->sock);
        return cor_recv_fd(conn, name, sizeof name, NULL, err);
}

void other_console_done(struct other_console *c)
{
        cor_fd_close(&c->sock);
        if (c->path)
                (void)unlink(c->path);
        free(c->path);
        c->path = NULL;
}

/* --- exec --------------------------------------------------------------------------------------------------------- */

static int process_file(const char *process, struct cor_err *err)
{
        auto_fd fd = memfd_create("process", 0); /* inherited */
        size_t len = strlen(process);

        if (fd < 0 || write(fd, process, len) != (ssize_t)len)
                return cor_fail_errno(err, "keep the process's document");
        return cor_fd_take(&fd);
}

/* The files of one exec, in RUN/<id>. */
struct exec_files {
        char *pid, *log;
};

static void exec_files_done(struct exec_files *f)
{
        (void)unlink(f->pid);
        (void)unlink(f->log);
        free(f->pid);
        free(f->log);
}

static int run_exec(const struct other_runtime *o, const char *const *words, const int stdio[3], struct cor_err *err)
{
        auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
        int fds[3];

        if (null < 0)
                return cor_fail_errno(err, "open /dev/null");
        for (int i = 0; i < 3; i++)
                fds[i] = stdio[i] >= 0 ? stdio[i] : null;
        return other_runtime_run(o, words, fds, err);
}

int other_runtime_exec(const struct other_exec *x, pid_t *ret_pid, int *ret_master, struct cor_err *err)
{
        auto_str name = cor_strndup(x->name, SHORT_NAME);
        COR_CLEANUP(exec_files_done) struct exec_files files = { cor_printf("%s/exec-%s.pid", x->run, name),
                                                                 cor_printf("%s/exec-%s.log", x->run, name) };
        const struct other_runtime o = { .program = x->program, .run = x->run, .log = files.log };
        auto_other_console console = OTHER_CONSOLE_INIT;
        auto_fd process = process_file(x->process, err);
        auto_str path = cor_printf("/proc/self/fd/%d", process);
        const char *words[] = {
                "exec", "--detach", "--pid-file", files.pid, "--process", path, x->id, NULL, NULL, NULL
        };

        if (process < 0)
                return -1;
        if (x->tty) {
                if (other_console_listen(&o, name, &console, err) < 0)
                        return -1;
                words[6] = "--console-socket";
                words[7] = console.path;
                words[8] = x->id;
        }
        if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
                return cor_fail_errno(err, "become a subreaper");
        if (run_exec(&o, words, x->stdio, err) < 0 || other_runtime_pid(&o, files.pid, ret_pid, err) < 0)
                return -1;
        *ret_master = x->tty ? other_console_take(&o, &console, err) : -1;
        return x->tty && *ret_master < 0 ? -1 : 0;
}
