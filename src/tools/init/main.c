/*
 * coracle-init: the first process of a container. It runs with the rights of whoever started it, in that one's
 * namespaces, as pid 1 or not, and stays single-threaded:
 *
 *   1. read options and environment
 *   2. become child subreaper, ask for the parent-death signal
 *   3. block all signals; from here on they wait for the loop
 *   4. fork the main child (child.c)
 *   5. reap and pass on signals until it is over (supervise.c)
 */
#include "tools/init/child.h"
#include "tools/init/descendants.h"
#include "tools/init/license.h"
#include "tools/init/options.h"
#include "tools/init/say.h"
#include "tools/init/supervise.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

/*
 * dockerd runs its init with --version and reads "tini version X - git.Y" from the answer, which `docker version` and
 * `docker info` show.
 */
#define VERSION_LINE "tini version 0.19.0 (coracle-init " CORACLE_VERSION ") - git.coracle\n"

/* answer() - the requests that need no child; the exit code, or -1 to go on */
static int answer(enum options_action action)
{
        switch (action) {
        case OPTIONS_USAGE:
                options_print_help(STDERR_FILENO);
                return EXIT_FAILURE;
        case OPTIONS_HELP:
                options_print_help(STDOUT_FILENO);
                return EXIT_SUCCESS;
        case OPTIONS_VERSION:
                dprintf(STDOUT_FILENO, VERSION_LINE);
                return EXIT_SUCCESS;
        case OPTIONS_LICENSE:
                dprintf(STDOUT_FILENO, "%s", init_license);
                return EXIT_SUCCESS;
        case OPTIONS_RUN:
                break;
        }
        return -1;
}

static bool is_subreaper(void)
{
        int on = 0;

        return prctl(PR_GET_CHILD_SUBREAPER, &on, 0, 0, 0) == 0 && on;
}

/* adopt_orphans() - see to it that orphans become children of this process, or warn that they will not */
static int adopt_orphans(const struct options *o, struct cor_err *err)
{
        bool reaches_all = o->wait_all || o->signal_all;

        if (reaches_all && descendants_check(err) < 0)
                return -1;
        if (o->subreaper || (reaches_all && getpid() != 1)) {
                if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
                        return cor_fail_errno(err, "become child subreaper");
                say(SAY_TRACE, "this process is a child subreaper");
        }
        if (getpid() != 1 && !is_subreaper())
                say(SAY_WARNING, "neither pid 1 nor child subreaper: orphaned processes will not be reaped "
                                 "(use -s or set TINI_SUBREAPER)");
        return 0;
}

/* die_with_parent() - get @sig when the parent ends; at once if it has ended since @parent was seen */
static int die_with_parent(int sig, pid_t parent, struct cor_err *err)
{
        if (sig == 0)
                return 0;
        if (prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0) < 0)
                return cor_fail_errno(err, "ask for the parent-death signal");
        if (getppid() != parent && kill(getpid(), sig) < 0)
                return cor_fail_errno(err, "parent-death signal");
        return 0;
}

/* prepare() - stages 2 and 3 */
static int prepare(const struct options *o, pid_t parent, struct child_inheritance *ret, struct cor_err *err)
{
        const struct sigaction normal = { .sa_handler = SIG_DFL };

        if (adopt_orphans(o, err) < 0)
                return -1;
        if (signal_mask_set(SIGNAL_MASK_ALL, &ret->mask, err) < 0)
                return -1;
        if (sigaction(SIGCHLD, &normal, &ret->on_child_end) < 0) /* if ignored, there would be nothing to wait for */
                return cor_fail_errno(err, "reset SIGCHLD");
        return die_with_parent(o->parent_death_signal, parent, err);
}

static int run(const struct options *o, pid_t parent, int *ret_status, struct cor_err *err)
{
        struct child_inheritance inheritance;
        struct child child;

        if (prepare(o, parent, &inheritance, err) < 0)
                return -1;
        if (child_spawn(o->command, &inheritance, &child, err) < 0)
                return -1;
        say(SAY_INFO, "started \"%s\" as process %ld", o->command[0], (long)child.pid);
        return supervise(o, &child, ret_status, err);
}

int main(int argc, char **argv)
{
        pid_t parent = getppid();
        struct options options;
        struct cor_err err;
        int code, status;

        if (options_parse(argc, argv, &options, &err) < 0) {
                say(SAY_ERROR, "%s (-h shows the options)", err.msg);
                return EXIT_FAILURE;
        }
        code = answer(options.action);
        if (code >= 0)
                return code;
        if (options_read_environment(&options, &err) < 0)
                say(SAY_WARNING, "%s", err.msg);
        say_verbosity(options.verbosity);

        if (run(&options, parent, &status, &err) < 0) {
                say(SAY_ERROR, "%s", err.msg);
                return EXIT_FAILURE;
        }
        return options_exit_code(&options, status);
}
