#include "cli/runtime/command.h"

#include "runtime/exec.h"

#include <string.h>

/* What exec ends with when it is exec itself that failed, and not the program (runc, and docker's reading of it). */
enum { EXEC_FAILED = 255 };

#define ROW(NAME, LETTER, TYPE, M, VALUE, FLAGS, HELP)                                                                 \
        OPTION_ROW(NAME, LETTER, TYPE, struct exec_options, M, VALUE, FLAGS, HELP)
#define ROW_LIST(NAME, LETTER, M, VALUE, HELP) OPTION_ROW_LIST(NAME, LETTER, struct exec_options, M, n_##M, VALUE, HELP)

static const struct option exec_options[] = {
        ROW("process", 'p', TEXT, process, "FILE", OPTION_FILE,
            "Take everything about the process from FILE, a document like `process` in config.json"),
        ROW("cwd", 0, TEXT, cwd, "DIR", 0, "The working directory, inside of the container"),
        ROW_LIST("env", 'e', env, "NAME=VALUE", "Set an environment variable; may be given many times"),
        ROW("tty", 't', FLAG, tty, "", 0, "Give the process a terminal of its own"),
        ROW("user", 'u', TEXT, user, "UID[:GID]", 0, "The user, by number, and group"),
        ROW_LIST("additional-gids", 'g', additional_gids, "GID", "Add a group, by number; may be given many times"),
        ROW_LIST("cap", 'c', caps, "CAP", "Add a capability; may be given many times"),
        ROW("no-new-privs", 0, FLAG, no_new_privs, "", 0, "Let no program gain privileges when it is executed"),
        ROW("process-label", 0, TEXT, process_label, "LABEL", 0, "The SELinux label of the process"),
        ROW("apparmor", 0, TEXT, apparmor, "PROFILE", 0, "The AppArmor profile of the process"),
        ROW_LIST("cgroup", 0, cgroups, "[CONTROLLER:]PATH",
                 "Put the process into a cgroup below the container's; version 1: for some controllers only"),
        ROW("ignore-paused", 0, FLAG, ignore_paused, "", 0, "Do it in a paused container, too: it runs once resumed"),
        ROW("detach", 'd', FLAG, detach, "", 0, "Do not wait for the process to end"),
        ROW("console-socket", 0, TEXT, console_socket, "SOCKET", OPTION_FILE,
            "Send the terminal, as a descriptor, to this Unix socket"),
        ROW("pid-file", 0, TEXT, pid_file, "FILE", OPTION_FILE, "Write the number of the process to FILE"),
        ROW("pidfd-socket", 0, TEXT, pidfd_socket, "SOCKET", OPTION_FILE,
            "Send a descriptor of the process (pidfd) to this Unix socket"),
        ROW("preserve-fds", 0, COUNT, preserve_fds, "N", 0,
            "Pass N more descriptors on, counted from 3 or behind those of $LISTEN_FDS"),
        ROW("no-subreaper", 0, FLAG, no_subreaper, "", 0, "Do not adopt processes that their parents left behind"),
};

static int run_exec(struct invocation *in, struct cor_err *err)
{
        struct exec_options o = *(const struct exec_options *)in->options;

        in->code = EXEC_FAILED;
        o.id = in->args[0];
        o.args = in->args + 1;
        o.n_args = in->n_args - 1;
        if (o.n_args > 0 && strcmp(o.args[0], "--") == 0) { /* exec ID -- COMMAND */
                o.args++;
                o.n_args--;
        }
        if (o.n_args == 0 && !o.process)
                return cor_fail(err, COR_INVALID, "exec args cannot be empty: give a COMMAND, or --process FILE");
        if (container_exec(&in->context, &o, &in->code, err) < 0) {
                in->code = command_exec_code(err, EXEC_FAILED);
                return -1;
        }
        return 0;
}

const struct command command_exec = {
        .name = "exec",
        .summary = "Run one more program in a running container",
        .arguments = "CONTAINER [COMMAND [ARGUMENT...]]",
        .flags = COMMAND_ENTERS | COMMAND_IN_ORDER | COMMAND_PREFIX_SHORT,
        .min_args = 1,
        .max_args = 255,
        .options_size = sizeof(struct exec_options),
        .options = exec_options,
        .n_options = COR_COUNT(exec_options),
        .run = run_exec,
};
