/* A call that notifies, from the filter to the agent: container, runtime and agent are processes of this test. */
#include "linux/seccomp_internal.h"

#include "base/fd.h"
#include "base/process.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct scene {
        char dir[64], path[80];
        int agent; /* listening */
};

static int setup(void **state)
{
        struct scene *s = cor_alloc(sizeof *s);
        struct sockaddr_un addr = { .sun_family = AF_UNIX };

        strcpy(s->dir, "/tmp/coracle-seccomp-XXXXXX");
        if (!mkdtemp(s->dir))
                return -1;
        snprintf(s->path, sizeof s->path, "%s/agent", s->dir);
        strcpy(addr.sun_path, s->path);
        s->agent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (s->agent < 0 || bind(s->agent, (struct sockaddr *)&addr, sizeof addr) < 0 || listen(s->agent, 1) < 0)
                return -1;
        *state = s;
        return 0;
}

static int teardown(void **state)
{
        struct scene *s = *state;

        close(s->agent);
        unlink(s->path);
        rmdir(s->dir);
        free(s);
        return 0;
}

/* The container: tells the number of its listener by write(), waits for a byte, makes the call that notifies. */
static void child_run(const struct seccomp_program *program, int sock)
{
        struct cor_err err = { 0 };
        int listener = -1;
        char byte;

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_program_install(program, &listener, &err) < 0)
                _exit(100);
        if (write(sock, &listener, sizeof listener) != sizeof listener || read(sock, &byte, 1) != 1)
                _exit(101);
        _exit(syscall(SYS_getuid) == 4711 ? 0 : 102);
}

/* The agent's part: one notification, answered with 4711. */
static void agent_answer(int listener)
{
        struct seccomp_notif_sizes sizes;
        struct pollfd ready = { .fd = listener, .events = POLLIN };
        auto_free struct seccomp_notif *asked = NULL;
        auto_free struct seccomp_notif_resp *said = NULL;

        assert_int_equal(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes), 0);
        asked = cor_alloc(sizes.seccomp_notif);
        said = cor_alloc(sizes.seccomp_notif_resp);
        assert_int_equal(poll(&ready, 1, 10000), 1);
        assert_int_equal(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, asked), 0);
        assert_int_equal(asked->data.nr, SYS_getuid);
        said->id = asked->id;
        said->val = 4711;
        assert_int_equal(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, said), 0);
}

static void program_of(struct scene *s, struct seccomp_program *ret)
{
        static const char *names[] = { "getuid", NULL };
        static struct oci_seccomp_rule rule = { .names = names, .n_names = 1, .action = "SCMP_ACT_NOTIFY" };
        static struct oci_seccomp profile = { .default_action = "SCMP_ACT_ALLOW",
                                              .syscalls = &rule,
                                              .n_syscalls = 1,
                                              .listener_metadata = "say \"hi\"" };
        struct seccomp_options opts = SECCOMP_OPTIONS_INIT;
        struct cor_err err = { 0 };

        profile.listener_path = s->path;
        if (seccomp_program_make(&profile, &opts, ret, &err) < 0)
                fail_msg("%s", err.msg);
}

static void a_notified_call_reaches_the_agent(void **state)
{
        static const char message[] = "{\"ociVersion\":\"1.2.0\",\"fds\":[\"seccompFd\"],\"pid\":%d,"
                                      "\"metadata\":\"say \\\"hi\\\"\",\"state\":{\"id\":\"x\"}}";
        struct scene *s = *state;
        auto_seccomp_program program = SECCOMP_PROGRAM_INIT;
        auto_fd pidfd = -1, listener = -1, conn = -1, received = -1;
        char got[512] = "", expected[512];
        int pair[2], remote = -1, status;
        struct cor_err err = { 0 };
        size_t n;
        pid_t pid;

        if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &(uint32_t){ SECCOMP_RET_USER_NOTIF }) < 0) {
                print_message("skipped: seccomp(2) does not notify here: %s; runs on the CI machine\n",
                              strerror(errno));
                skip();
        }
        program_of(s, &program);
        assert_true(program.notifies);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        pid = fork();
        if (pid == 0)
                child_run(&program, pair[1]);
        close(pair[1]);
        pidfd = cor_pidfd_open(pid, &err);
        assert_true(pidfd >= 0);
        assert_int_equal(read(pair[0], &remote, sizeof remote), sizeof remote);

        assert_int_equal(seccomp_notify_take(pidfd, pair[1], &err), -1); /* the socket in the child: no listener */
        listener = seccomp_notify_take(pidfd, remote, &err);
        if (listener < 0)
                fail_msg("%s", err.msg);
        if (seccomp_notify_send(&program, listener, pid, "1.2.0", "{\"id\":\"x\"}", &err) < 0)
                fail_msg("%s", err.msg);

        conn = accept(s->agent, NULL, NULL);
        received = cor_recv_fd(conn, got, sizeof got - 1, &n, &err);
        if (received < 0)
                fail_msg("%s", err.msg);
        snprintf(expected, sizeof expected, message, (int)pid);
        assert_string_equal(got, expected);
        assert_int_equal(read(conn, got, sizeof got), 0); /* and the connection is closed */

        cor_fd_close(&listener);
        assert_int_equal(write(pair[0], "", 1), 1);
        agent_answer(received);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        close(pair[0]);
}

static void a_missing_agent_is_an_error_with_its_path(void **state)
{
        struct seccomp_program program = { .listener_path = "/nonexistent/agent" };
        struct cor_err err = { 0 };

        assert_int_equal(seccomp_notify_send(&program, 0, 1, "1.2.0", "{}", &err), -1);
        assert_non_null(strstr(err.msg, "/nonexistent/agent"));
}

static void a_large_state_arrives_whole(void **state)
{
        struct scene *s = *state;
        struct seccomp_program program = { .listener_path = s->path };
        const size_t size = 3 << 20;
        auto_free char *json = cor_alloc(size + 1), *got = NULL;
        struct cor_err err = { 0 };
        auto_fd conn = -1;
        size_t n = 0;
        ssize_t r;
        int status;
        pid_t pid;

        memset(json, ' ', size);
        json[0] = '{';
        json[size - 1] = '}';
        pid = fork();
        if (pid == 0)
                _exit(seccomp_notify_send(&program, 0, 1, "1.2.0", json, &err) < 0);
        conn = accept(s->agent, NULL, NULL);
        got = cor_alloc(size + 4096);
        while ((r = read(conn, got + n, size + 4096 - n)) > 0)
                n += (size_t)r;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_true(n > size);
        assert_string_equal(got + n - 3, " }}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_notified_call_reaches_the_agent),
                TEST(a_missing_agent_is_an_error_with_its_path),
                TEST(a_large_state_arrives_whole),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
