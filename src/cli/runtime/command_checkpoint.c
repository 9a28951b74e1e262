/* checkpoint, restore */
#include "cli/runtime/command.h"

#include "runtime/checkpoint.h"

/* Rows that fill the same member of both structs. */
/* clang-format off */
#define CRIU_ROWS(S)                                                                                                   \
        OPTION_ROW("image-path", 0, TEXT, S, criu.image_path, "DIR", OPTION_DIR,                                       \
                   "The folder of the images; ./checkpoint when not given"),                                           \
        OPTION_ROW("work-path", 0, TEXT, S, criu.work_path, "DIR", OPTION_DIR,                                         \
                   "The folder of criu's log; that of the images when not given"),                                     \
        OPTION_ROW("tcp-established", 0, FLAG, S, criu.tcp_established, "", 0,                                         \
                   "Allow established TCP connections"),                                                               \
        OPTION_ROW("ext-unix-sk", 0, FLAG, S, criu.ext_unix_sk, "", 0,                                                 \
                   "Allow Unix sockets that lead out of the container"),                                               \
        OPTION_ROW("shell-job", 0, FLAG, S, criu.shell_job, "", 0,                                                     \
                   "Allow processes that belong to a terminal of the caller"),                                         \
        OPTION_ROW("file-locks", 0, FLAG, S, criu.file_locks, "", 0, "Allow locks of files"),                          \
        OPTION_ROW("manage-cgroups-mode", 0, WORD, S, criu.manage_cgroups, "soft|full|strict|ignore", 0,               \
                   "How criu treats the cgroups of the processes"),                                                    \
        OPTION_ROW("network-lock", 0, WORD, S, criu.network_lock, "iptables|nftables|skip", 0,                         \
                   "What keeps packets of TCP connections out meanwhile"),                                             \
        OPTION_ROW("auto-dedup", 0, FLAG, S, criu.auto_dedup, "", 0,                                                   \
                   "Remove from the images what is in newer ones"),                                                    \
        OPTION_ROW("lazy-pages", 0, FLAG, S, criu.lazy_pages, "", 0,                                                   \
                   "Copy memory when it is needed; goes with criu lazy-pages"),                                        \
        OPTION_ROW_LIST("empty-ns", 0, S, criu.empty_ns, criu.n_empty_ns, "NAMESPACE",                                 \
                        "Leave the properties of this namespace out: network, which always is")
/* clang-format on */

static const struct option checkpoint_rows[] = {
        CRIU_ROWS(struct checkpoint_options),
        OPTION_ROW("leave-running", 0, FLAG, struct checkpoint_options, leave_running, "", 0,
                   "Let the container run on; otherwise it is deleted"),
        OPTION_ROW("pre-dump", 0, FLAG, struct checkpoint_options, pre_dump, "", 0,
                   "Write the memory only, and let the container run on"),
        OPTION_ROW("parent-path", 0, TEXT, struct checkpoint_options, parent_path, "DIR", 0,
                   "The images of the pre-dump before, relative to --image-path"),
        OPTION_ROW("page-server", 0, TEXT, struct checkpoint_options, page_server, "ADDRESS:PORT", 0,
                   "Send the memory to this server"),
        OPTION_ROW("status-fd", 0, COUNT, struct checkpoint_options, status_fd, "FD", 0,
                   "With --lazy-pages: write a zero byte to this descriptor when the server is ready"),
        OPTION_ROW("link-remap", 0, FLAG, struct checkpoint_options, criu.link_remap, "", 0,
                   "Give files that were deleted while open a name again"),
        OPTION_ROW("tcp-skip-in-flight", 0, FLAG, struct checkpoint_options, tcp_skip_in_flight, "", 0,
                   "Leave out TCP connections that are not yet accepted"),
};

static int run_checkpoint(struct invocation *in, struct cor_err *err)
{
        struct checkpoint_options o = *(const struct checkpoint_options *)in->options;

        o.id = in->args[0];
        return container_checkpoint(&in->context, &o, err);
}

const struct command command_checkpoint = {
        .name = "checkpoint",
        .summary = "Write the processes of a container to files, by criu",
        .arguments = "CONTAINER",
        .min_args = 1,
        .max_args = 1,
        .options_size = sizeof(struct checkpoint_options),
        .options = checkpoint_rows,
        .n_options = COR_COUNT(checkpoint_rows),
        .run = run_checkpoint,
};

#define ROW(NAME, LETTER, TYPE, M, VALUE, FLAGS, HELP)                                                                 \
        OPTION_ROW(NAME, LETTER, TYPE, struct restore_options, M, VALUE, FLAGS, HELP)

static const struct option restore_rows[] = {
        CRIU_ROWS(struct restore_options),
        ROW("bundle", 'b', TEXT, bundle, "DIR", OPTION_DIR, "The bundle; the working directory when not given"),
        ROW("console-socket", 0, TEXT, console_socket, "SOCKET", OPTION_FILE,
            "Send the container's terminal, as a descriptor, to this Unix socket"),
        ROW("pid-file", 0, TEXT, pid_file, "FILE", OPTION_FILE, "Write the first process's number to FILE"),
        ROW("detach", 'd', FLAG, detach, "", 0, "Do not wait for the container to end"),
        ROW("no-subreaper", 0, FLAG, no_subreaper, "", 0, "Do not adopt processes that their parents left behind"),
        ROW("no-pivot", 0, FLAG, no_pivot, "", OPTION_HIDDEN, "Accepted, as criu decides how the root is entered"),
        ROW("lsm-profile", 0, TEXT, lsm_profile, "TYPE:NAME", 0, "The profile or label of the processes"),
        ROW("lsm-mount-context", 0, TEXT, lsm_mount_context, "CONTEXT", 0, "The SELinux context of the mounts"),
        ROW("tcp-close", 0, FLAG, tcp_close, "", 0, "Close TCP connections that were established"),
};

static int run_restore(struct invocation *in, struct cor_err *err)
{
        struct restore_options o = *(const struct restore_options *)in->options;

        o.id = in->args[0];
        return container_restore(&in->context, &o, &in->code, err);
}

const struct command command_restore = {
        .name = "restore",
        .summary = "Make a container from the files of a checkpoint, by criu",
        .arguments = "CONTAINER",
        .flags = COMMAND_ENTERS,
        .min_args = 1,
        .max_args = 1,
        .options_size = sizeof(struct restore_options),
        .options = restore_rows,
        .n_options = COR_COUNT(restore_rows),
        .run = run_restore,
};
