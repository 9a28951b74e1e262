#include "runtime/ps.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "runtime/lifecycle.h"
#include "runtime/record.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PS_TIMEOUT_MS = 30000, PS_MAX_BYTES = 16 << 20, COMMAND_MAX_BYTES = 4096, STATUS_MAX_BYTES = 8192 };

int container_pids(const struct runtime_context *ctx, const char *id, pid_t **ret, size_t *ret_n, struct cor_err *err)
{
        auto_container c = CONTAINER_INIT;
        auto_cgroup cg = NULL;

        if (container_open(ctx, id, &c, err) < 0 || container_cgroup(&c, &cg, err) < 0)
                return -1;
        if (!cgroup_exists(cg)) { /* no cgroup was to be had: the first process is all we know of */
                struct cor_procid init = container_init_process(&c);

                *ret_n = cor_procid_alive(&init) ? 1 : 0;
                *ret = cor_alloc(sizeof **ret);
                **ret = init.pid;
                return 0;
        }
        return cgroup_pids(cg, ret, ret_n, err);
}

static bool is_one_of(int64_t pid, const pid_t *pids, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (pids[i] == pid)
                        return true;
        return false;
}

/* The next word of *@cursor and its length; NULL at the end of the line */
static const char *next_word(const char **cursor, size_t *ret_len)
{
        const char *start = *cursor + strspn(*cursor, " \t");

        *ret_len = strcspn(start, " \t");
        *cursor = start + *ret_len;
        return *ret_len > 0 ? start : NULL;
}

static int pid_column(const char *heading, size_t *ret, struct cor_err *err)
{
        const char *word;
        size_t len;

        for (*ret = 0; (word = next_word(&heading, &len)) != NULL; (*ret)++)
                if (len == 3 && memcmp(word, "PID", 3) == 0)
                        return 0;
        return cor_fail(err, COR_INVALID, "couldn't find PID field in ps output: these options of ps cannot be used");
}

static bool shows_one_of(const char *line, size_t column, const pid_t *pids, size_t n_pids)
{
        const char *word = NULL;
        char digits[24];
        int64_t pid;
        size_t len;

        for (size_t i = 0; i <= column; i++)
                word = next_word(&line, &len);
        if (!word || len >= sizeof digits)
                return false;
        memcpy(digits, word, len);
        digits[len] = '\0';
        return cor_parse_i64(digits, &pid) == 0 && is_one_of(pid, pids, n_pids);
}

int ps_filter(char *output, const pid_t *pids, size_t n_pids, struct cor_text *out, struct cor_err *err)
{
        char *line = cor_split_next(&output, '\n');
        size_t column;

        if (pid_column(line ? line : "", &column, err) < 0)
                return -1;
        cor_text_printf(out, "%s\n", line);
        while ((line = cor_split_next(&output, '\n')) != NULL)
                if (shows_one_of(line, column, pids, n_pids))
                        cor_text_printf(out, "%s\n", line);
        return 0;
}

/* What a process was started as, control characters made harmless; "[NAME]" of kernel threads and zombies */
static char *command_of(pid_t pid, const char *status)
{
        auto_str path = cor_printf("/proc/%d/cmdline", pid);
        auto_str text = cor_alloc(COMMAND_MAX_BYTES + 1);
        auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : cor_read_full(fd, text, COMMAND_MAX_BYTES, NULL);

        if (n <= 0 && cor_starts_with(status, "Name:\t"))
                return cor_printf("[%.*s]", (int)strcspn(status + 6, "\n"), status + 6);
        while (n > 0 && text[n - 1] == '\0')
                n--;
        for (ssize_t i = 0; i < n; i++)
                if ((uint8_t)text[i] < 0x20 || text[i] == 0x7f)
                        text[i] = ' ';
        return COR_TAKE(text);
}

static void own_line(pid_t pid, struct cor_text *out)
{
        auto_str path = cor_printf("/proc/%d/status", pid);
        auto_str status = NULL;
        auto_str command = NULL;
        const char *uid;
        size_t n;

        if (cor_read_file(path, STATUS_MAX_BYTES, &status, &n, NULL) < 0)
                return; /* gone meanwhile */
        uid = strstr(status, "\nUid:\t");
        command = command_of(pid, status);
        cor_text_printf(out, "%-10.*s %7d %s\n", uid ? (int)strcspn(uid + 6, "\t\n") : 1, uid ? uid + 6 : "?", pid,
                        command);
}

static void own_table(const pid_t *pids, size_t n_pids, struct cor_text *out)
{
        cor_text_printf(out, "%-10s %7s %s\n", "UID", "PID", "CMD");
        for (size_t i = 0; i < n_pids; i++)
                own_line(pids[i], out);
}

/* ps's output is as long as the machine is busy: it goes to a file in memory */
static int run_ps(char *const *args, size_t n_args, char **ret, struct cor_err *err)
{
        auto_fd file = memfd_create("ps", MFD_CLOEXEC);
        auto_strv argv = { 0 };
        struct cor_spawn s = { .path = "ps", .stdout_fd = file, .stderr_fd = -1, .timeout_ms = PS_TIMEOUT_MS };
        auto_str complaint = NULL;
        size_t n;
        int status;

        if (file < 0)
                return cor_fail_errno(err, "memfd_create");
        cor_strv_add(&argv, "ps");
        for (size_t i = 0; i < n_args; i++)
                cor_strv_add(&argv, args[i]);
        if (n_args == 0)
                cor_strv_add(&argv, "-ef");
        s.argv = argv.items;
        if (cor_spawn_run(&s, &status, &complaint, err) < 0)
                return -1;
        if (status != 0)
                return cor_fail(err, COR_INVALID, "ps ended with status %d: %s", cor_status_code(status), complaint);
        if (lseek(file, 0, SEEK_SET) < 0)
                return cor_fail_errno(err, "read the output of ps");
        return cor_read_fd(file, "the output of ps", PS_MAX_BYTES, ret, &n, err);
}

int ps_table(const pid_t *pids, size_t n_pids, char *const *args, size_t n_args, struct cor_text *out,
             struct cor_err *err)
{
        struct cor_err why = { 0 };
        auto_str output = NULL;

        if (run_ps(args, n_args, &output, &why) == 0)
                return ps_filter(output, pids, n_pids, out, err);
        if (n_args > 0 || why.kind != COR_EXEC_MISSING) {
                *err = why;
                return -1;
        }
        own_table(pids, n_pids, out);
        return 0;
}
