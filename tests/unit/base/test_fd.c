#include "base/fd.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

static bool is_open(int fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

static bool is_cloexec(int fd)
{
        return fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

static void closing_keeps_errno_and_forgets_the_number(void **state)
{
        int fd = dup(0), copy = fd, none = -1, bad = 1 << 20;

        errno = EXDEV;
        cor_fd_close(&fd);
        assert_int_equal(fd, -1);
        assert_false(is_open(copy));
        cor_fd_close(&none);
        errno = EXDEV;
        cor_fd_close(&bad); /* EBADF inside */
        assert_int_equal(errno, EXDEV);
}

static void a_taken_descriptor_stays_open(void **state)
{
        int kept;

        {
                auto_fd fd = dup(0);

                kept = cor_fd_take(&fd);
                assert_int_equal(fd, -1);
        }
        assert_true(is_open(kept));
        close(kept);
}

static void on_alarm(int sig)
{
}

/* A pipe whose other end a child serves: @n bytes in pieces, with signals in between. */
static void reading_goes_on_to_the_end(void **state)
{
        struct cor_err err = { 0 };
        struct sigaction act = { .sa_handler = on_alarm }; /* no SA_RESTART: EINTR is seen */
        char buf[100000];
        int ends[2], status;
        pid_t pid;

        sigaction(SIGUSR1, &act, NULL);
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                char part[5000] = { 0 };

                for (int i = 0; i < 18; i++) {
                        kill(getppid(), SIGUSR1);
                        if (write(ends[1], part, sizeof part) != sizeof part)
                                _exit(1);
                }
                _exit(0);
        }
        close(ends[1]);
        assert_int_equal(cor_read_full(ends[0], buf, sizeof buf, &err), 90000);
        assert_int_equal(cor_read_full(ends[0], buf, sizeof buf, &err), 0);
        close(ends[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(cor_read_full(-1, buf, 1, &err), -1);
        assert_int_equal(err.sys, EBADF);
}

static void writing_goes_on_to_the_end(void **state)
{
        struct cor_err err = { 0 };
        char *buf = calloc(1, 300000);
        int ends[2], status;
        pid_t pid;

        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                ssize_t n, total = 0;

                close(ends[1]);
                while ((n = read(ends[0], buf, 4096)) > 0)
                        total += n;
                _exit(total == 300000 ? 0 : 1);
        }
        close(ends[0]);
        assert_int_equal(cor_write_full(ends[1], buf, 300000, &err), 0);
        close(ends[1]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        free(buf);
        assert_int_equal(cor_write_full(ends[1], "x", 1, &err), -1);
        assert_int_equal(err.sys, EBADF);
        assert_int_equal(cor_write_full(-1, "x", 0, &err), 0);
}

static void close_on_exec_is_set_and_cleared(void **state)
{
        struct cor_err err = { 0 };
        auto_fd fd = dup(0);

        assert_int_equal(cor_fd_cloexec(fd, true, &err), 0);
        assert_true(is_cloexec(fd));
        assert_int_equal(cor_fd_cloexec(fd, false, &err), 0);
        assert_false(is_cloexec(fd));
        assert_int_equal(cor_fd_cloexec(-1, true, &err), -1);
        assert_int_equal(err.sys, EBADF);
}

/* Mark all from 200 on; exit status 0 if exactly those were marked. */
static int mark_from_200(void)
{
        struct cor_err err = { 0 };

        if (dup2(0, 199) < 0 || dup2(0, 200) < 0 || dup2(0, 257) < 0)
                return 1;
        if (cor_fds_cloexec_from(200, &err) < 0)
                return 2;
        return is_cloexec(199) || !is_cloexec(200) || !is_cloexec(257) ? 3 : 0;
}

static void all_from_a_number_on_are_marked(void **state)
{
        for (int refused = 0; refused < 2; refused++) {
                int status;
                pid_t pid = fork();

                assert_true(pid >= 0);
                if (pid == 0) {
                        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

                        if (refused &&
                            (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(close_range), 0) < 0 ||
                             seccomp_load(filter) < 0))
                                _exit(99);
                        seccomp_release(filter);
                        _exit(mark_from_200());
                }
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_int_equal(status, 0);
        }
}

static void descriptors_travel_with_their_payload(void **state)
{
        static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
        struct cor_err err = { 0 };
        struct stat sent, got;

        for (size_t i = 0; i < COR_COUNT(types); i++) {
                auto_fd null = open("/dev/null", O_RDONLY | O_CLOEXEC), fd = -1;
                char payload[32] = "";
                size_t n = 99;
                int pair[2];

                assert_int_equal(socketpair(AF_UNIX, types[i] | SOCK_CLOEXEC, 0, pair), 0);
                assert_int_equal(cor_send_fd(pair[0], null, "/dev/pts/0", 11, &err), 0);
                fd = cor_recv_fd(pair[1], payload, sizeof payload, &n, &err);
                assert_true(fd >= 0);
                assert_true(is_cloexec(fd));
                assert_int_equal(n, 11);
                assert_string_equal(payload, "/dev/pts/0");
                assert_int_equal(fstat(null, &sent), 0);
                assert_int_equal(fstat(fd, &got), 0);
                assert_int_equal(sent.st_rdev, got.st_rdev);

                cor_fd_close(&fd);
                assert_int_equal(cor_send_fd(pair[0], null, NULL, 0, &err), 0);
                fd = cor_recv_fd(pair[1], NULL, 0, &n, &err);
                assert_true(fd >= 0);
                assert_int_equal(n, 0);
                close(pair[0]);
                close(pair[1]);
        }
}

static void send_many(int sock, const int *fds, size_t n_fds)
{
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(253 * sizeof(int))];
        } control = { 0 };
        struct iovec iov = { .iov_base = (char[]){ 'x' }, .iov_len = 1 };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control };

        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
        assert_int_equal(sendmsg(sock, &msg, 0), 1);
}

static void of_several_descriptors_one_is_kept(void **state)
{
        struct cor_err err = { 0 };
        size_t counts[] = { 1, 2, 3, 253 };
        int fds[253], pair[2];

        for (size_t i = 0; i < COR_COUNT(fds); i++)
                fds[i] = 0;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        for (size_t i = 0; i < COR_COUNT(counts); i++) {
                int next = dup(0), fd;
                bool before[600];
                char c;

                close(next);
                for (int n = 0; n < (int)COR_COUNT(before); n++)
                        before[n] = is_open(n);
                send_many(pair[0], fds, counts[i]);
                fd = cor_recv_fd(pair[1], &c, 1, NULL, &err);
                assert_int_equal(fd, next);
                close(fd);
                for (int n = 0; n < (int)COR_COUNT(before); n++)
                        assert_int_equal(is_open(n), before[n]);
        }
        close(pair[0]);
        close(pair[1]);
}

static void a_message_without_descriptor_is_an_error(void **state)
{
        struct cor_err err = { 0 };
        char buf[8];
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(write(pair[0], "hello", 5), 5);
        assert_int_equal(cor_recv_fd(pair[1], buf, sizeof buf, NULL, &err), -1);
        assert_int_equal(err.kind, COR_SYSTEM);
        close(pair[0]);
        assert_int_equal(cor_recv_fd(pair[1], buf, sizeof buf, NULL, &err), -1);
        assert_string_equal(err.msg, "receive descriptor: the other side closed the socket");
        assert_int_equal(cor_send_fd(pair[1], 0, "x", 1, &err), -1); /* and no SIGPIPE */
        assert_int_equal(err.sys, EPIPE);
        close(pair[1]);
        assert_int_equal(cor_send_fd(0, -1, "x", 1, &err), -1);
}

static int listen_at(const char *dir, const char *name)
{
        struct sockaddr_un addr = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), at = open(dir, O_PATH | O_CLOEXEC);

        snprintf(addr.sun_path, sizeof addr.sun_path, "/proc/self/fd/%d/%.80s", at, name);
        assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
        assert_int_equal(listen(fd, 0), 0);
        close(at);
        return fd;
}

static void sockets_are_reached_however_long_their_path(void **state)
{
        struct scratch *s = *state;
        struct cor_err err = { 0 };
        char dir[PATH_MAX], path[PATH_MAX + 32];

        snprintf(dir, sizeof dir, "%s", s->path);
        for (int depth = 0; depth < 12; depth++) {
                auto_fd listening = listen_at(dir, "socket"), ours = -1, theirs = -1;

                snprintf(path, sizeof path, "%s/socket", dir);
                ours = cor_unix_connect(path, SOCK_STREAM, &err);
                if (ours < 0)
                        fail_msg("%s", err.msg);
                assert_true(is_cloexec(ours));
                theirs = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
                assert_true(theirs >= 0);
                assert_int_equal(cor_write_full(ours, "x", 1, &err), 0);
                assert_true(strlen(dir) + 24 < sizeof dir);
                snprintf(dir + strlen(dir), 24, "/a-rather-long-name");
                assert_int_equal(mkdir(dir, 0700), 0);
        }
        assert_true(strlen(path) > 2 * sizeof((struct sockaddr_un *)0)->sun_path);
        snprintf(path + strlen(path), 2, "x");
        assert_int_equal(cor_unix_connect(path, SOCK_STREAM, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_int_equal(cor_unix_connect("", SOCK_STREAM, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_int_equal(cor_unix_connect("/dev/null", SOCK_STREAM, &err), -1);
        assert_int_equal(err.sys, ECONNREFUSED);
}

static void waiting_for_input_has_an_end(void **state)
{
        struct cor_err err = { 0 };
        int ends[2];

        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_int_equal(cor_wait_readable(ends[0], 0, &err), 0);
        assert_int_equal(cor_wait_readable(ends[0], 20, &err), 0);
        assert_int_equal(write(ends[1], "x", 1), 1);
        assert_int_equal(cor_wait_readable(ends[0], -1, &err), 1);
        assert_int_equal(read(ends[0], &(char){ 0 }, 1), 1);
        close(ends[1]);
        assert_int_equal(cor_wait_readable(ends[0], -1, &err), 1); /* its end can be read */
        close(ends[0]);
        assert_int_equal(cor_wait_readable(ends[0], -1, &err), -1);
        assert_int_equal(err.sys, EBADF);
}

/* The other side ends with something unread: the kernel says so once, before what it had sent. */
static void what_was_sent_before_an_end_is_received(void **state)
{
        const int types[] = { SOCK_SEQPACKET, SOCK_STREAM };

        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
                char buf[8] = "";
                int ends[2];

                assert_int_equal(socketpair(AF_UNIX, types[i] | SOCK_CLOEXEC, 0, ends), 0);
                assert_int_equal(send(ends[1], "last", 4, 0), 4);
                assert_int_equal(send(ends[0], "unread", 6, 0), 6);
                close(ends[1]);
                assert_int_equal(cor_recv(ends[0], buf, sizeof buf, 0), 4);
                assert_string_equal(buf, "last");
                assert_int_equal(cor_recv(ends[0], buf, sizeof buf, 0), 0);
                close(ends[0]);
        }
}

static void signals_do_not_lengthen_a_wait(void **state)
{
        struct sigaction act = { .sa_handler = on_alarm };
        struct itimerval often = { .it_interval = { .tv_usec = 2000 }, .it_value = { .tv_usec = 2000 } }, off = { 0 };
        int ends[2];

        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        sigaction(SIGALRM, &act, NULL);
        setitimer(ITIMER_REAL, &often, NULL); /* a wait that began anew at each signal would never end */
        assert_int_equal(cor_wait_readable(ends[0], 50, NULL), 0);
        setitimer(ITIMER_REAL, &off, NULL);
        signal(SIGALRM, SIG_DFL);
        close(ends[0]);
        close(ends[1]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(closing_keeps_errno_and_forgets_the_number),
                cmocka_unit_test(a_taken_descriptor_stays_open),
                cmocka_unit_test(reading_goes_on_to_the_end),
                cmocka_unit_test(writing_goes_on_to_the_end),
                cmocka_unit_test(close_on_exec_is_set_and_cleared),
                cmocka_unit_test(all_from_a_number_on_are_marked),
                cmocka_unit_test(descriptors_travel_with_their_payload),
                cmocka_unit_test(of_several_descriptors_one_is_kept),
                cmocka_unit_test(a_message_without_descriptor_is_an_error),
                cmocka_unit_test(what_was_sent_before_an_end_is_received),
                scratch_test(sockets_are_reached_however_long_their_path),
                cmocka_unit_test(waiting_for_input_has_an_end),
                cmocka_unit_test(signals_do_not_lengthen_a_wait),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
