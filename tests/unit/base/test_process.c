#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

/* A child that waits to be killed (for a minute at most); its name is in the way of careless parsers. */
static pid_t start_child(const char *name)
{
        int ready[2];
        pid_t pid;

        assert_int_equal(pipe(ready), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                prctl(PR_SET_NAME, name);
                alarm(60);
                close(ready[1]);
                close(ready[0]);
                for (;;)
                        pause();
        }
        close(ready[1]);
        assert_int_equal(read(ready[0], &(char){ 0 }, 1), 0);
        close(ready[0]);
        return pid;
}

static void end_child(pid_t pid)
{
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_process_is_known_by_its_start_time(void **state)
{
        struct cor_procid id = { 0 }, again = { 0 };
        struct cor_err err = { 0 };
        char letter = 0;

        assert_int_equal(cor_procid_get(getpid(), &id, &letter, &err), 0);
        assert_int_equal(id.pid, getpid());
        assert_true(id.start_time > 0);
        assert_int_equal(letter, 'R');
        assert_int_equal(cor_procid_get(getpid(), &again, NULL, &err), 0);
        assert_true(again.start_time == id.start_time);
        assert_true(cor_procid_alive(&id));
}

static void a_name_with_brackets_and_spaces_is_no_obstacle(void **state)
{
        static const char *const names[] = { "a) Z 1 2 3", ")))) X", "( ) (", " ", "\n) Z\n" };

        for (size_t i = 0; i < COR_COUNT(names); i++) {
                pid_t pid = start_child(names[i]);
                struct cor_procid id = { 0 }, ours = { 0 };
                char letter = 0;

                assert_int_equal(cor_procid_get(pid, &id, &letter, NULL), 0);
                assert_int_equal(cor_procid_get(getpid(), &ours, NULL, NULL), 0);
                assert_true(letter == 'S' || letter == 'R');
                assert_true(id.start_time >= ours.start_time);
                assert_true(id.start_time < ours.start_time + 1000000);
                end_child(pid);
        }
}

static void what_is_gone_is_not_found(void **state)
{
        struct cor_procid id = { 0 }, none = { 0 }, negative = { .pid = -1 };
        struct cor_err err = { 0 };
        pid_t pid = start_child("short");

        assert_int_equal(cor_procid_get(pid, &id, NULL, &err), 0);
        end_child(pid);
        assert_int_equal(cor_procid_get(pid, &none, NULL, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_int_equal(none.pid, 0); /* written on success only */
        assert_false(cor_procid_alive(&id));
        assert_int_equal(cor_procid_open(&id, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_false(cor_procid_alive(&none));
        assert_false(cor_procid_alive(&negative)); /* kill(-1, 0) would say yes */
        assert_int_equal(cor_procid_open(&none, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_int_equal(cor_procid_get(0, &none, NULL, &err), -1);
        assert_int_equal(cor_procid_get(-1, &none, NULL, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
}

static void a_recycled_pid_is_another_process(void **state)
{
        struct cor_procid id = { 0 };
        struct cor_err err = { 0 };
        pid_t pid = start_child("heir");

        assert_int_equal(cor_procid_get(pid, &id, NULL, &err), 0);
        assert_true(cor_procid_alive(&id));
        id.start_time--; /* as if recorded of an earlier process of that number */
        assert_false(cor_procid_alive(&id));
        assert_int_equal(cor_procid_open(&id, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        end_child(pid);
}

static void a_zombie_is_not_alive(void **state)
{
        struct cor_procid id = { 0 };
        struct cor_err err = { 0 };
        pid_t pid = start_child("zombie");
        siginfo_t info;
        char letter;

        assert_int_equal(cor_procid_get(pid, &id, NULL, &err), 0);
        kill(pid, SIGKILL);
        assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
        assert_int_equal(cor_procid_get(pid, &id, &letter, &err), 0);
        assert_int_equal(letter, 'Z');
        assert_false(cor_procid_alive(&id));
        assert_int_equal(cor_procid_open(&id, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void *wait_to_be_killed(void *arg)
{
        for (;;)
                pause();
        return NULL;
}

/* Its state is Z, but it runs on: who believes the letter would remove a container under a living process. */
static void a_process_whose_first_thread_left_is_alive(void **state)
{
        struct cor_procid id = { 0 };
        struct cor_err err = { 0 };
        char letter = 0;
        auto_fd pidfd = -1;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                pthread_t thread;

                prctl(PR_SET_PDEATHSIG, SIGKILL);
                alarm(60);
                if (pthread_create(&thread, NULL, wait_to_be_killed, NULL) != 0)
                        _exit(1);
                pthread_exit(NULL);
        }
        for (int i = 0; i < 10000 && letter != 'Z'; i++) {
                assert_int_equal(cor_procid_get(pid, &id, &letter, &err), 0);
                usleep(1000);
        }
        assert_int_equal(letter, 'Z');
        assert_true(cor_procid_alive(&id));
        pidfd = cor_procid_open(&id, &err);
        assert_true(pidfd >= 0);
        assert_int_equal(cor_pidfd_signal(pidfd, SIGKILL, &err), 0);
        assert_int_equal(cor_pidfd_wait_gone(pidfd, 30000, &err), 1);
        assert_false(cor_procid_alive(&id));
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void what_cannot_be_looked_at_is_not_reported_dead(void **state)
{
        struct cor_procid id = { 0 };
        struct rlimit before, none;
        bool alive;

        assert_int_equal(cor_procid_get(getppid(), &id, NULL, NULL), 0);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        none = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        alive = cor_procid_alive(&id);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_true(alive);
}

static void processes_are_signalled_and_awaited_by_pidfd(void **state)
{
        struct cor_err err = { 0 };
        pid_t pid = start_child("pidfd");
        auto_fd pidfd = cor_pidfd_open(pid, &err);
        int status;

        assert_true(pidfd >= 0);
        assert_int_equal(cor_pidfd_wait_gone(pidfd, 0, &err), 0);
        assert_int_equal(cor_pidfd_wait_gone(pidfd, 10, &err), 0);
        assert_int_equal(cor_pidfd_signal(pidfd, 0, &err), 0);
        assert_int_equal(cor_pidfd_signal(pidfd, 1000, &err), -1);
        assert_int_equal(err.sys, EINVAL);
        assert_int_equal(cor_pidfd_signal(pidfd, SIGTERM, &err), 0);
        assert_int_equal(cor_pidfd_wait_gone(pidfd, -1, &err), 1);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(cor_status_code(status), 128 + SIGTERM);
        assert_int_equal(cor_pidfd_signal(pidfd, SIGTERM, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_int_equal(cor_pidfd_open(pid, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
}

static void answer_twice_as_much(void *context, int socket)
{
        const int *number = context;
        int n;

        while (read(socket, &n, sizeof n) == sizeof n) {
                n = 2 * n + *number;
                if (write(socket, &n, sizeof n) != sizeof n)
                        break;
        }
        _exit(7);
}

static void a_child_serves_until_its_socket_is_closed(void **state)
{
        int number = 5, n = 10, status;
        struct cor_err err = { 0 };
        pid_t pid;
        auto_fd socket = cor_child_serve(answer_twice_as_much, &number, &pid, &err);

        assert_true(socket >= 0);
        assert_int_equal(write(socket, &n, sizeof n), sizeof n);
        assert_int_equal(read(socket, &n, sizeof n), sizeof n);
        assert_int_equal(n, 25);
        cor_fd_close(&socket);
        assert_int_equal(cor_child_wait(pid, -1, &status), 1);
        assert_int_equal(cor_status_code(status), 7);
}

static void wait_statuses_become_exit_codes(void **state)
{
        assert_int_equal(cor_status_code(W_EXITCODE(0, 0)), 0);
        assert_int_equal(cor_status_code(W_EXITCODE(255, 0)), 255);
        assert_int_equal(cor_status_code(W_EXITCODE(0, SIGKILL)), 137);
        assert_int_equal(cor_status_code(W_EXITCODE(0, SIGSEGV) | 0x80), 139); /* with a core dump */
}

static void signals_have_many_names(void **state)
{
        static const struct {
                const char *name;
                int sig;
        } good[] = {
                { "TERM", SIGTERM },
                { "SIGTERM", SIGTERM },
                { "sigterm", SIGTERM },
                { "Term", SIGTERM },
                { "15", SIGTERM },
                { "9", SIGKILL },
                { "0", 0 },
                { "64", 64 },
                { "RTMIN", 34 },
                { "RTMIN+3", 37 },
                { "SIGRTMIN+3", 37 },
                { "sigrtmin+0", 34 },
                { "RTMIN+30", 64 },
                { "RTMAX", 64 },
                { "RTMAX-14", 50 },
                { "rtmax-30", 34 },
                { "SIGRTMIN+20", 54 },
                { "IOT", SIGABRT },
                { "CLD", SIGCHLD },
                { "POLL", SIGIO },
                { "UNUSED", SIGSYS },
                { "WINCH", SIGWINCH },
                { "SIGSTKFLT", SIGSTKFLT },
        };
        static const char *const bad[] = { "",           "SIG",
                                           "SIGSIGTERM", "65",
                                           "-1",         "-9",
                                           "+9",         "TERM ",
                                           " TERM",      "TER",
                                           "TERMX",      "RTMIN+31",
                                           "RTMIN-1",    "RTMAX+1",
                                           "RTMAX-31",   "RTMIN+",
                                           "RTMIN+-1",   "RTMIN+4294967297",
                                           "0x9",        "9.0",
                                           "4294967305", "18446744073709551625",
                                           "RTMIN+3x" };
        struct cor_err err = { 0 };

        for (size_t i = 0; i < COR_COUNT(good); i++)
                assert_int_equal(cor_signal_parse(good[i].name, &err), good[i].sig);
        for (size_t i = 0; i < COR_COUNT(bad); i++) {
                cor_err_clear(&err);
                assert_int_equal(cor_signal_parse(bad[i], &err), -1);
                assert_int_equal(err.kind, COR_INVALID);
        }
        assert_int_equal(cor_signal_parse("FOO", &err), -1);
        assert_non_null(strstr(err.msg, "\"FOO\""));
}

static void each_signal_is_known_by_its_own_name(void **state)
{
        assert_string_equal(cor_signal_name(SIGTERM), "SIGTERM");
        assert_string_equal(cor_signal_name(SIGABRT), "SIGABRT");
        assert_string_equal(cor_signal_name(SIGRTMIN), "SIGRTMIN");
        assert_string_equal(cor_signal_name(SIGRTMAX), "SIGRTMAX");
        for (int sig = 1; sig <= 64; sig++) {
                if (sig == 32 || sig == 33) {
                        assert_null(cor_signal_name(sig));
                        continue;
                }
                assert_int_equal(cor_signal_parse(cor_signal_name(sig), NULL), sig);
        }
        assert_null(cor_signal_name(0));
        assert_null(cor_signal_name(65));
        assert_null(cor_signal_name(-1));
}

static int open_null(void *context, struct cor_err *err)
{
        int fd = open(context, O_RDONLY | O_CLOEXEC);

        return fd < 0 ? cor_fail_errno(err, "open it") : fd;
}

static int die(void *context, struct cor_err *err)
{
        _exit(0);
}

static void a_child_hands_back_a_descriptor_or_why_there_is_none(void **state)
{
        char there[] = "/dev/null", gone[] = "/nowhere/at/all";
        struct cor_err err = { 0 };
        auto_fd fd = cor_child_fd(open_null, there, &err);

        assert_true(fd >= 0);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        assert_int_equal(cor_child_fd(open_null, gone, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_non_null(strstr(err.msg, "open it"));
        assert_int_equal(cor_child_fd(open_null, gone, NULL), -1);
        assert_int_equal(cor_child_fd(die, NULL, &err), -1);
        assert_non_null(strstr(err.msg, "died"));
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* all are collected */
}

static void the_clock_does_not_go_back(void **state)
{
        int64_t before = cor_now_ms();

        assert_true(before > 0);
        assert_true(cor_now_ms() >= before);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_process_is_known_by_its_start_time),
                cmocka_unit_test(a_name_with_brackets_and_spaces_is_no_obstacle),
                cmocka_unit_test(what_is_gone_is_not_found),
                cmocka_unit_test(a_recycled_pid_is_another_process),
                cmocka_unit_test(a_zombie_is_not_alive),
                cmocka_unit_test(a_process_whose_first_thread_left_is_alive),
                cmocka_unit_test(what_cannot_be_looked_at_is_not_reported_dead),
                cmocka_unit_test(processes_are_signalled_and_awaited_by_pidfd),
                cmocka_unit_test(a_child_serves_until_its_socket_is_closed),
                cmocka_unit_test(a_child_hands_back_a_descriptor_or_why_there_is_none),
                cmocka_unit_test(wait_statuses_become_exit_codes),
                cmocka_unit_test(signals_have_many_names),
                cmocka_unit_test(each_signal_is_known_by_its_own_name),
                cmocka_unit_test(the_clock_does_not_go_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
