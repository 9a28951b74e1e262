/*
 * bench-compare: runs several commands in turn (A B C A B C ...), so that a drift of the machine hits all alike, and
 * prints wall time, CPU time and peak memory of each with its ratios to named rows.
 *
 *      bench-compare [-n ROUNDS] [-w WARMUPS] [-t TITLE] [-b ROW]... [-j FILE] [-s SECONDS] [-T SECONDS] ROW...
 *      ROW: --row NAME [--copies N] [--before SHELL] [--after SHELL] [--daemon PIDFILE]... [--orphans] --run COMMAND
 *           [--run COMMAND]...
 *
 * A COMMAND is split at blanks and started without a shell, with its input and output at /dev/null; `{}` in it stands
 * for the number of the copy. CPU time is the kernel's accounting of the command and all that it waited for; this
 * process is their subreaper, so orphans that end before the command does are counted as well, and with --orphans
 * those that go on for a while: they are waited for once the wall time is taken. Peak memory is ru_maxrss, which exec
 * inherits: no command can show less than this program's own half megabyte. What the daemons of the PIDFILEs do
 * meanwhile counts as the command's own. With -s each command waits, for so many seconds at most, until nothing else
 * runs on the machine: what the one before it left to be done is nobody's.
 * Exit status: 0, 1 if a command failed (its first message is shown), 2 for wrong usage.
 */
#include "compare.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS_MAX = 64, COMMAND_MAX = 4096 };

static int messages_fd; /* stderr of the commands */

static noreturn void die(const char *what, const char *which)
{
        fprintf(stderr, "bench-compare: %s %s: %s\n", what, which, strerror(errno));
        exit(1);
}

static noreturn void usage(const char *why)
{
        fprintf(stderr,
                "bench-compare: %s\n"
                "usage: bench-compare [-n ROUNDS] [-w WARMUPS] [-t TITLE] [-b ROW]... [-j FILE] [-s SECONDS] [-T "
                "SECONDS]\n"
                "                     ROW...\n"
                "ROW: --row NAME [--copies N] [--before SHELL] [--after SHELL] [--daemon PIDFILE]... [--orphans]\n"
                "     --run COMMAND [--run COMMAND]...\n",
                why);
        exit(2);
}

static double now_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static pid_t command_spawn(char *const *argv)
{
        posix_spawn_file_actions_t actions;
        pid_t pid;

        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, messages_fd, STDERR_FILENO);
        errno = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
        if (errno)
                die("start", argv[0]);
        posix_spawn_file_actions_destroy(&actions);
        return pid;
}

/* Split @command at blanks with @copy in the place of {}. @buf holds the words. */
static void command_split(const char *command, size_t copy, char buf[COMMAND_MAX], char *argv[WORDS_MAX])
{
        char *end = buf, *save = NULL, *word;
        size_t n = 0;

        errno = E2BIG;
        for (; *command; command++) {
                if (end > buf + COMMAND_MAX - 24)
                        die("split", command);
                if (command[0] == '{' && command[1] == '}')
                        end += sprintf(end, "%zu", copy), command++;
                else
                        *end++ = *command;
        }
        *end = 0;
        for (word = strtok_r(buf, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
                if (n + 1 == WORDS_MAX)
                        die("split", buf);
                argv[n++] = word;
        }
        if (n == 0)
                usage("an empty command");
        argv[n] = NULL;
}

static void sample_add(struct sample *sample, const struct rusage *ru)
{
        sample->cpu_ms += (double)(ru->ru_utime.tv_sec + ru->ru_stime.tv_sec) * 1e3 +
                          (double)(ru->ru_utime.tv_usec + ru->ru_stime.tv_usec) / 1e3;
        if ((double)ru->ru_maxrss > sample->rss_kib)
                sample->rss_kib = (double)ru->ru_maxrss;
}

/* Mark @pid as ended; false if it is not one of ours but an orphan. */
static bool pids_take(pid_t *pids, size_t n, pid_t pid)
{
        size_t i;

        for (i = 0; i < n; i++)
                if (pids[i] == pid) {
                        pids[i] = 0;
                        return true;
                }
        return false;
}

static noreturn void run_give_up(const char *command, const pid_t *pids, size_t n)
{
        size_t i;

        for (i = 0; i < n; i++)
                if (pids[i])
                        kill(pids[i], SIGKILL);
        errno = ETIMEDOUT;
        die("wait for", command);
}

/* Wait for all of @pids; the number that failed. */
static size_t run_wait(const char *command, pid_t *pids, size_t n, unsigned timeout_s, struct sample *sample)
{
        size_t left = n, n_failed = 0;
        struct rusage ru;
        int status;
        pid_t pid;

        alarm(timeout_s);
        while (left > 0) {
                pid = wait4(-1, &status, 0, &ru);
                if (pid < 0)
                        run_give_up(command, pids, n);
                sample_add(sample, &ru);
                if (!pids_take(pids, n, pid))
                        continue;
                left--;
                if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                        n_failed++;
        }
        alarm(0);
        while (wait4(-1, &status, WNOHANG, &ru) > 0)
                sample_add(sample, &ru);
        return n_failed;
}

/* What the commands left behind ends by itself soon; a row that says so counts it. */
static void orphans_wait(const char *name, unsigned timeout_s, struct sample *sample)
{
        struct rusage ru;
        int status;

        alarm(timeout_s);
        while (wait4(-1, &status, 0, &ru) > 0)
                sample_add(sample, &ru);
        if (errno != ECHILD) {
                errno = ETIMEDOUT;
                die("wait for the orphans of", name);
        }
        alarm(0);
}

static size_t run_once(const char *command, size_t copies, unsigned timeout_s, struct sample *sample)
{
        static char buf[COMMAND_MAX];
        static pid_t pids[COPIES_MAX];
        char *argv[WORDS_MAX];
        size_t i;

        for (i = 0; i < copies; i++) {
                command_split(command, i, buf, argv);
                pids[i] = command_spawn(argv);
        }
        return run_wait(command, pids, copies, timeout_s, sample);
}

static void shell_run(const char *command, unsigned timeout_s)
{
        char *argv[] = { (char *)"sh", (char *)"-c", (char *)(uintptr_t)command, NULL };
        struct sample ignored = { 0 };
        pid_t pid;

        if (!command)
                return;
        pid = command_spawn(argv);
        if (run_wait(command, &pid, 1, timeout_s, &ignored) != 0)
                fprintf(stderr, "bench-compare: failed: %s\n", command);
}

static void messages_show(const struct row *row)
{
        char text[1024];
        ssize_t n = pread(messages_fd, text, sizeof text, 0);

        fprintf(stderr, "bench-compare: %s failed: %.*s\n", row->name, n > 0 ? (int)n : 0, text);
}

/* How many tasks of the whole machine run or want to, this one included; 0 where the kernel does not tell. */
static unsigned tasks_running(void)
{
        FILE *f = fopen("/proc/loadavg", "re");
        unsigned n = 0;

        if (!f)
                return 0;
        if (fscanf(f, "%*s %*s %*s %u", &n) != 1)
                n = 0;
        fclose(f);
        return n;
}

/* What the row before left to be done, by a daemon or a helper that cleans up, is none of the next one's work. */
static void settle(unsigned limit_s)
{
        enum { QUIET_LOOKS = 10, LOOK_MS = 20 };
        double end = now_ms() + limit_s * 1e3;
        unsigned quiet = 0;

        while (quiet < QUIET_LOOKS && now_ms() < end) {
                quiet = tasks_running() <= 1 ? quiet + 1 : 0;
                usleep(LOOK_MS * 1000);
        }
}

static void row_round(const struct comparison *cmp, struct row *row, struct sample *sample)
{
        struct daemon daemons[DAEMONS_MAX];
        unsigned timeout_s = cmp->timeout_s;
        size_t i, n_failed = 0;
        double start;

        shell_run(row->before, timeout_s);
        settle(cmp->settle_s);
        while (waitpid(-1, NULL, WNOHANG) > 0)
                ; /* what ended since belongs to no row */
        *sample = (struct sample){ 0 };
        for (i = 0; i < row->n_pidfiles; i++)
                daemon_begin(&daemons[i], row->pidfiles[i]);
        if (ftruncate(messages_fd, 0) < 0 || lseek(messages_fd, 0, SEEK_SET) < 0)
                die("empty", "the messages");
        start = now_ms();
        for (i = 0; i < row->n_runs; i++)
                n_failed += run_once(row->runs[i], row->copies, timeout_s, sample);
        sample->wall_ms = now_ms() - start;
        if (row->orphans)
                orphans_wait(row->name, timeout_s, sample);
        for (i = 0; i < row->n_pidfiles; i++)
                daemon_end(&daemons[i], sample);
        if (n_failed && !row->n_failed)
                messages_show(row);
        row->n_failed += n_failed;
        shell_run(row->after, timeout_s);
}

static void comparison_run(struct comparison *cmp)
{
        struct sample ignored;
        size_t i, round;

        for (i = 0; i < cmp->n_rows; i++) {
                cmp->rows[i].samples = calloc(cmp->n_rounds, sizeof(struct sample));
                if (!cmp->rows[i].samples)
                        die("allocate", "samples");
        }
        for (round = 0; round < cmp->n_warmups; round++)
                for (i = 0; i < cmp->n_rows; i++)
                        row_round(cmp, &cmp->rows[i], &ignored);
        for (round = 0; round < cmp->n_rounds; round++)
                for (i = 0; i < cmp->n_rows; i++)
                        row_round(cmp, &cmp->rows[i], &cmp->rows[i].samples[round]);
}

static size_t number_parse(const char *text, size_t min, size_t max, const char *what)
{
        char *end;
        unsigned long value = strtoul(text, &end, 10);

        if (*text < '0' || *text > '9' || *end || value < min || value > max) {
                fprintf(stderr, "bench-compare: %s is a number from %zu to %zu, not %s\n", what, min, max, text);
                exit(2);
        }
        return value;
}

enum { OPT_ROW = 256, OPT_COPIES, OPT_BEFORE, OPT_AFTER, OPT_DAEMON, OPT_ORPHANS, OPT_RUN };

static void row_option(struct comparison *cmp, int c, const char *value)
{
        struct row *row = cmp->n_rows ? &cmp->rows[cmp->n_rows - 1] : NULL;

        if (c == OPT_ROW) {
                if (cmp->n_rows == ROWS_MAX)
                        usage("too many rows");
                cmp->rows[cmp->n_rows++] = (struct row){ .name = value, .copies = 1 };
                return;
        }
        if (!row)
                usage("--row comes first");
        if (c == OPT_COPIES)
                row->copies = number_parse(value, 1, COPIES_MAX, "--copies");
        else if (c == OPT_BEFORE)
                row->before = value;
        else if (c == OPT_AFTER)
                row->after = value;
        else if (c == OPT_ORPHANS)
                row->orphans = true;
        else if (c == OPT_DAEMON && row->n_pidfiles == DAEMONS_MAX)
                usage("too many --daemon");
        else if (c == OPT_DAEMON)
                row->pidfiles[row->n_pidfiles++] = value;
        else if (row->n_runs == RUNS_MAX)
                usage("too many --run");
        else
                row->runs[row->n_runs++] = value;
}

/* A base that is not among the rows is left out: a script names all that it would like. */
static void bases_find(struct comparison *cmp, const char *const *names, size_t n)
{
        size_t i, r;

        for (i = 0; i < n; i++)
                for (r = 0; r < cmp->n_rows; r++)
                        if (strcmp(cmp->rows[r].name, names[i]) == 0)
                                cmp->bases[cmp->n_bases++] = r;
}

static void options_parse(int argc, char **argv, struct comparison *cmp, const char **ret_json)
{
        static const struct option longs[] = {
                { "row", required_argument, NULL, OPT_ROW },       { "copies", required_argument, NULL, OPT_COPIES },
                { "before", required_argument, NULL, OPT_BEFORE }, { "after", required_argument, NULL, OPT_AFTER },
                { "daemon", required_argument, NULL, OPT_DAEMON }, { "orphans", no_argument, NULL, OPT_ORPHANS },
                { "run", required_argument, NULL, OPT_RUN },       { NULL, 0, NULL, 0 }
        };
        const char *bases[BASES_MAX];
        size_t i, n_bases = 0;
        int c;

        while ((c = getopt_long(argc, argv, "n:w:t:b:j:s:T:", longs, NULL)) != -1)
                if (c == 'n')
                        cmp->n_rounds = number_parse(optarg, 1, ROUNDS_MAX, "-n");
                else if (c == 'w')
                        cmp->n_warmups = number_parse(optarg, 0, ROUNDS_MAX, "-w");
                else if (c == 's')
                        cmp->settle_s = (unsigned)number_parse(optarg, 0, 3600, "-s");
                else if (c == 'T')
                        cmp->timeout_s = (unsigned)number_parse(optarg, 1, 3600, "-T");
                else if (c == 't')
                        cmp->title = optarg;
                else if (c == 'j')
                        *ret_json = optarg;
                else if (c == 'b' && n_bases < BASES_MAX)
                        bases[n_bases++] = optarg;
                else if (c >= OPT_ROW)
                        row_option(cmp, c, optarg);
                else
                        usage("wrong option");
        if (cmp->n_rows == 0 || optind < argc)
                usage(optind < argc ? argv[optind] : "no rows");
        for (i = 0; i < cmp->n_rows; i++)
                if (cmp->rows[i].n_runs == 0)
                        usage("a row without --run");
        bases_find(cmp, bases, n_bases);
}

static void alarm_note(int sig)
{
        /* nothing: wait4() returns EINTR, and that is the message */
}

int main(int argc, char **argv)
{
        static struct comparison cmp = { .title = "comparison", .n_rounds = 30, .n_warmups = 2, .timeout_s = 60 };
        struct sigaction on_alarm = { .sa_handler = alarm_note };
        const char *json_path = NULL;
        size_t i, n_failed = 0;
        FILE *json;

        options_parse(argc, argv, &cmp, &json_path);
        sigaction(SIGALRM, &on_alarm, NULL);
        messages_fd = memfd_create("messages", MFD_CLOEXEC);
        if (messages_fd < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
                die("set up", "this process");
        comparison_run(&cmp);
        report_text(&cmp, stdout);
        if (json_path) {
                json = fopen(json_path, "ae");
                if (!json)
                        die("open", json_path);
                report_json(&cmp, json);
                if (fclose(json) != 0)
                        die("write", json_path);
        }
        for (i = 0; i < cmp.n_rows; i++) {
                n_failed += cmp.rows[i].n_failed;
                free(cmp.rows[i].samples);
        }
        return n_failed > 0;
}
