#include "tools/init/child.h"

#include "tools/init/say.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <unistd.h>

#define EXIT_CANNOT_EXECUTE 126
#define EXIT_NOT_FOUND      127
#define DEFAULT_PATH        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* exec_as_script() - a script without "#!" line is run by the shell, as execvp(3) and every shell do */
static void exec_as_script(const char *path, char **command)
{
        size_t n = 1;
        char **argv;

        while (command[n])
                n++;
        argv = calloc(n + 2, sizeof *argv);
        if (!argv)
                return;
        argv[0] = (char *)"/bin/sh";
        argv[1] = (char *)path;
        memcpy(argv + 2, command + 1, (n - 1) * sizeof *argv);
        execve(argv[0], argv, environ);
        free(argv);
        errno = ENOEXEC;
}

static void exec_path(const char *path, char **command)
{
        execve(path, command, environ);
        if (errno == ENOEXEC)
                exec_as_script(path, command);
        else if (errno == ENOENT && access(path, F_OK) == 0)
                errno = ELIBBAD; /* there it is, but what its "#!" line or ELF header asks for is not */
}

/* exec_search() - look @command up in PATH; returns with errno of the most telling failure */
static void exec_search(char **command)
{
        const char *dir = getenv("PATH"), *end;
        int telling = ENOENT;

        for (dir = dir ? dir : DEFAULT_PATH;; dir = end + 1) {
                char path[PATH_MAX];
                int len;

                end = strchrnul(dir, ':');
                len = snprintf(path, sizeof path, "%.*s%s%s", (int)(end - dir), dir, end > dir ? "/" : "", command[0]);
                if (len > 0 && (size_t)len < sizeof path) {
                        exec_path(path, command);
                        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
                                return;
                        if (errno == EACCES)
                                telling = EACCES;
                }
                if (!*end)
                        break;
        }
        errno = telling;
}

static noreturn void exec_command(char **command)
{
        if (!command[0][0])
                errno = ENOENT;
        else if (strchr(command[0], '/'))
                exec_path(command[0], command);
        else
                exec_search(command);

        if (errno == ENOENT) {
                say(SAY_ERROR, "cannot run \"%s\": no such program", command[0]);
                _exit(EXIT_NOT_FOUND);
        }
        if (errno == ELIBBAD) {
                say(SAY_ERROR, "cannot run \"%s\": its interpreter or dynamic loader does not exist", command[0]);
                _exit(EXIT_NOT_FOUND);
        }
        say(SAY_ERROR, "cannot run \"%s\": %s", command[0], strerror(errno));
        _exit(EXIT_CANNOT_EXECUTE);
}

/*
 * Runs in the child with all signals blocked. Thereby SIGTTOU is, and a background process may hand the terminal
 * around: the kernel neither stops it nor refuses.
 */
static noreturn void child_run(char **command, const struct child_inheritance *inheritance, bool take_terminal)
{
        struct cor_err err;

        if (setpgid(0, 0) < 0)
                say(SAY_WARNING, "cannot give the child a process group: %s", strerror(errno));
        if (take_terminal && tcsetpgrp(STDIN_FILENO, getpid()) < 0)
                say(SAY_WARNING, "cannot hand the terminal to the child: %s", strerror(errno));

        sigaction(SIGCHLD, &inheritance->on_child_end, NULL);
        if (signal_mask_set(inheritance->mask, NULL, &err) < 0) {
                say(SAY_ERROR, "%s", err.msg);
                _exit(EXIT_CANNOT_EXECUTE);
        }
        exec_command(command);
}

int child_spawn(char **command, const struct child_inheritance *inheritance, struct child *ret, struct cor_err *err)
{
        /* Started in the background of a shell, we must leave the terminal to whom it belongs. */
        bool foreground = isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
        pid_t pid = fork();

        if (pid < 0)
                return cor_fail_errno(err, "start a child process");
        if (pid == 0)
                child_run(command, inheritance, foreground);

        /* By both sides, so that neither is ahead: a signal to the group may be due at once. EACCES: already executing.
         */
        if (setpgid(pid, pid) < 0 && errno != EACCES)
                say(SAY_DEBUG, "cannot give the child a process group: %s", strerror(errno));

        *ret = (struct child){ .pid = pid, .has_terminal = foreground };
        return 0;
}

void child_take_terminal_back(struct child *c)
{
        if (!c->has_terminal)
                return;
        c->has_terminal = false;
        if (tcsetpgrp(STDIN_FILENO, getpgrp()) < 0)
                say(SAY_DEBUG, "cannot take the terminal back: %s", strerror(errno));
}
