#include "runtime/watch.h"

#include "base/process.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct cor_err err;

struct child {
        pid_t pid;
        int sock;
};

/* A child that holds the other end, and does @what. */
static struct child child_start(void (*what)(int sock))
{
        struct child c;
        int pair[2];

        memset(&err, 0, sizeof err);
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
        c.pid = fork();
        assert_true(c.pid >= 0);
        if (c.pid == 0) {
                close(pair[0]);
                alarm(60);
                what(pair[1]);
                _exit(0);
        }
        close(pair[1]);
        c.sock = pair[0];
        return c;
}

static void child_end(struct child *c)
{
        int status;

        kill(c->pid, SIGKILL);
        assert_int_equal(cor_child_wait(c->pid, 10000, &status), 1);
        close(c->sock);
}

static struct watch watch_of(const struct child *c)
{
        struct watch w = WATCH_INIT;

        w.who = "the child";
        w.pid = c->pid;
        w.tick_ms = 20;
        w.still_ms = w.idle_ms = 400;
        return w;
}

static void sleeps(int sock)
{
        pause();
}

static void stops(int sock)
{
        raise(SIGSTOP);
}

static void works(int sock)
{
        for (int64_t end = cor_now_ms() + 1500; cor_now_ms() < end;)
                ;
        (void)!write(sock, "x", 1);
        pause();
}

static void ends(int sock)
{
        usleep(100 * 1000);
}

static void who_was_stopped_is_not_waited_for(void **state)
{
        struct child c = child_start(stops);
        struct watch w = watch_of(&c);

        w.may_idle = true;
        assert_int_equal(watch_wait(&w, c.sock, &err), -1);
        assert_int_equal(err.kind, COR_TIMEOUT);
        assert_non_null(strstr(err.msg, "stopped"));
        child_end(&c);
}

static void who_does_nothing_is_not_waited_for_for_ever(void **state)
{
        struct child c = child_start(sleeps);
        struct watch w = watch_of(&c);

        assert_int_equal(watch_wait(&w, c.sock, &err), -1);
        assert_int_equal(err.kind, COR_TIMEOUT);
        assert_non_null(strstr(err.msg, "has done nothing"));
        child_end(&c);
}

static void who_works_may_take_its_time(void **state)
{
        struct child c = child_start(works);
        struct watch w = watch_of(&c);

        assert_int_equal(watch_wait(&w, c.sock, &err), 0);
        child_end(&c);
}

static void an_end_is_something_to_read(void **state)
{
        struct child c = child_start(ends);
        struct watch w = watch_of(&c);

        assert_int_equal(watch_wait(&w, c.sock, &err), 0);
        child_end(&c);
}

static void a_child_that_does_not_end_is_left(void **state)
{
        struct child c = child_start(sleeps);
        int status = -1;

        assert_int_equal(cor_child_wait(c.pid, 50, &status), 0);
        assert_int_equal(status, -1);
        child_end(&c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(who_was_stopped_is_not_waited_for),
                cmocka_unit_test(who_does_nothing_is_not_waited_for_for_ever),
                cmocka_unit_test(who_works_may_take_its_time),
                cmocka_unit_test(an_end_is_something_to_read),
                cmocka_unit_test(a_child_that_does_not_end_is_left),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
