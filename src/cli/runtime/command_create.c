/* create, start, run */
#include "cli/runtime/command.h"

#include "base/file.h"
#include "runtime/create.h"

#define ROW(NAME, LETTER, TYPE, M, VALUE, FLAGS, HELP)                                                                 \
        OPTION_ROW(NAME, LETTER, TYPE, struct create_options, M, VALUE, FLAGS, HELP)

/* `create` and `run` share these. */
#define CREATE_ROWS                                                                                                    \
        ROW("bundle", 'b', TEXT, bundle, "DIR", OPTION_DIR, "The bundle; the working directory when not given"),       \
                ROW("config", 'f', TEXT, config, "FILE", OPTION_FILE,                                                  \
                    "Read FILE instead of the bundle's config.json"),                                                  \
                ROW("console-socket", 0, TEXT, console_socket, "SOCKET", OPTION_FILE,                                  \
                    "Send the container's terminal, as a descriptor, to this Unix socket"),                            \
                ROW("pid-file", 0, TEXT, pid_file, "FILE", OPTION_FILE, "Write the first process's number to FILE"),   \
                ROW("pidfd-socket", 0, TEXT, pidfd_socket, "SOCKET", OPTION_FILE,                                      \
                    "Send a descriptor of the first process (pidfd) to this Unix socket"),                             \
                ROW("preserve-fds", 0, COUNT, preserve_fds, "N", 0,                                                    \
                    "Pass N more descriptors on, counted from 3 or behind those of $LISTEN_FDS"),                      \
                ROW("no-pivot", 0, FLAG, no_pivot, "", 0,                                                              \
                    "Enter the root without pivot_root, for roots on a ramdisk; less safe"),                           \
                ROW("no-new-keyring", 0, FLAG, no_new_keyring, "", 0, "Keep the caller's session keyring"),            \
                ROW("no-subreaper", 0, FLAG, no_subreaper, "", 0,                                                      \
                    "Do not adopt processes that their parents left behind")

static const struct option create_options[] = { CREATE_ROWS };

static const struct option run_options[] = {
        CREATE_ROWS,
        ROW("detach", 'd', FLAG, detach, "", 0, "Do not wait for the container to end"),
        ROW("keep", 0, FLAG, keep, "", 0, "Do not delete the container when it has ended"),
};

/*
 * What the runtime wants. --config is looked for from the working directory, unless it is the name that a bundle's
 * configuration has anyway (crun). *ret_config holds the path.
 */
static int read_options(const struct invocation *in, struct create_options *ret, char **ret_config, struct cor_err *err)
{
        *ret = *(const struct create_options *)in->options;
        ret->id = in->args[0];
        if (cor_streq(ret->config, "config.json"))
                ret->config = NULL;
        if (!ret->config)
                return 0;
        if (cor_path_absolute(ret->config, ret_config, err) < 0)
                return cor_wrap(err, "option --config");
        ret->config = *ret_config;
        return 0;
}

static int run_create(struct invocation *in, struct cor_err *err)
{
        struct create_options o;
        auto_str config = NULL;

        return read_options(in, &o, &config, err) < 0 ? -1 : container_create(&in->context, &o, err);
}

const struct command command_create = {
        .name = "create",
        .summary = "Make a container, up to the point where only `start` is missing",
        .arguments = "CONTAINER",
        .flags = COMMAND_ENTERS | COMMAND_PREFIX,
        .min_args = 1,
        .max_args = 1,
        .options_size = sizeof(struct create_options),
        .options = create_options,
        .n_options = COR_COUNT(create_options),
        .run = run_create,
};

static int run_run(struct invocation *in, struct cor_err *err)
{
        struct create_options o;
        auto_str config = NULL;

        if (read_options(in, &o, &config, err) < 0)
                return -1;
        if (container_run(&in->context, &o, &in->code, err) < 0) {
                in->code = command_exec_code(err, 1);
                return -1;
        }
        return 0;
}

const struct command command_run = {
        .name = "run",
        .summary = "Make a container and start it, wait for its end, and delete it",
        .arguments = "CONTAINER",
        .flags = COMMAND_ENTERS | COMMAND_PREFIX,
        .min_args = 1,
        .max_args = 1,
        .options_size = sizeof(struct create_options),
        .options = run_options,
        .n_options = COR_COUNT(run_options),
        .run = run_run,
};

static int run_start(struct invocation *in, struct cor_err *err)
{
        return container_start(&in->context, in->args[0], err);
}

const struct command command_start = {
        .name = "start",
        .summary = "Run the program of a container that was created",
        .arguments = "CONTAINER",
        .min_args = 1,
        .max_args = 1,
        .run = run_start,
};
