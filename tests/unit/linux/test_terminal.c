#include "linux/terminal.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "child.h"

static char dir[] = "/tmp/coracle-test-XXXXXX";

static void own_devpts(void)
{
        CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        CHECK(mount("devpts", dir, "devpts", 0, "newinstance,ptmxmode=0666,mode=0620") == 0);
}

static void open_pair(void *data)
{
        auto_terminal_pty p = TERMINAL_PTY_INIT;
        struct stat st;
        char text[8];

        own_devpts();
        auto_fd devpts = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK_OK(terminal_open(devpts, &p, &err));
        CHECK(p.number == 0);
        CHECK(isatty(p.slave));
        CHECK(fcntl(p.slave, F_GETFD) & FD_CLOEXEC && fcntl(p.master, F_GETFD) & FD_CLOEXEC);
        CHECK(write(p.slave, "x", 1) == 1 && read(p.master, text, 1) == 1 && text[0] == 'x');
        CHECK_OK(terminal_chown(p.slave, 1234, &err));
        CHECK(fstatat(devpts, "0", &st, 0) == 0 && st.st_uid == 1234);
}

static void a_pair_comes_from_the_given_devpts(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(open_pair, NULL), 0);
}

static void expect_refusal(const char *part)
{
        auto_fd devpts = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct terminal_pty p = TERMINAL_PTY_INIT;
        struct cor_err err = { 0 };

        CHECK(terminal_open(devpts, &p, &err) < 0);
        CHECK(p.master == -1 && p.slave == -1);
        if (!strstr(err.msg, part))
                dprintf(2, "# %s\n", err.msg);
        CHECK(strstr(err.msg, part));
}

static void replace_devpts(void *data)
{
        own_devpts();
        auto_str ptmx = cor_printf("%s/ptmx", dir);

        /* something mounted over ptmx, a tmpfs with a ptmx of its own, a folder that is no devpts root */
        CHECK(mount("/dev/null", ptmx, NULL, MS_BIND, NULL) == 0);
        expect_refusal("open /dev/pts/ptmx");
        CHECK(umount(ptmx) == 0);
        CHECK(mount("tmpfs", dir, "tmpfs", 0, NULL) == 0);
        CHECK(mknod(ptmx, S_IFCHR | 0666, makedev(5, 2)) == 0);
        expect_refusal("is not a devpts");
}

static void a_false_devpts_is_refused(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(replace_devpts, NULL), 0);
}

static void take_terminal(void *data)
{
        auto_terminal_pty p = TERMINAL_PTY_INIT;
        struct winsize size;

        own_devpts();
        auto_fd devpts = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK_OK(terminal_open(devpts, &p, &err));
        CHECK_OK(terminal_set_size(p.slave, 0, 0, &err));
        CHECK_OK(terminal_set_size(p.slave, 33, 77, &err));
        CHECK(setsid() > 0);
        signal(SIGHUP, SIG_IGN); /* comes when the master is closed */
        CHECK_OK(terminal_make_stdio(p.slave, &err));
        for (int fd = 0; fd <= 2; fd++)
                CHECK(isatty(fd) && !(fcntl(fd, F_GETFD) & FD_CLOEXEC));
        auto_fd tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
        CHECK(tty >= 0);
        CHECK(ioctl(0, TIOCGWINSZ, &size) == 0 && size.ws_row == 33 && size.ws_col == 77);
}

static void the_slave_becomes_controlling_terminal_and_stdio(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(take_terminal, NULL), 0);
}

static void an_impossible_size_is_refused(void **state)
{
        struct cor_err err = { 0 };

        assert_int_equal(terminal_set_size(0, 65536, 1, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
}

/* A pty of the host's in place of the container's: its slave end is what the container would hold. */
struct fixture {
        int master, slave, in[2], out[2];
        struct terminal_relay relay;
};

static void fixture_init(struct fixture *f)
{
        struct termios plain;

        f->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_int_equal(unlockpt(f->master), 0);
        f->slave = open(ptsname(f->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_int_equal(tcgetattr(f->slave, &plain), 0);
        cfmakeraw(&plain);
        assert_int_equal(tcsetattr(f->slave, TCSANOW, &plain), 0);
        assert_int_equal(pipe2(f->in, O_CLOEXEC), 0);
        assert_int_equal(pipe2(f->out, O_CLOEXEC), 0);
        terminal_relay_init(&f->relay, f->in[0], f->out[1], f->master);
}

static void fixture_done(struct fixture *f)
{
        terminal_relay_done(&f->relay);
        cor_fd_close(&f->master);
        cor_fd_close(&f->slave);
        for (int i = 0; i < 2; i++) {
                cor_fd_close(&f->in[i]);
                cor_fd_close(&f->out[i]);
        }
}

/* turn() - one turn of a loop as the runtime's; false when there is nothing to do within @ms */
static bool turn(struct fixture *f, int ms, int *ret)
{
        struct pollfd fds[TERMINAL_RELAY_FDS];
        int n = terminal_relay_poll(&f->relay, fds);
        struct cor_err err = { 0 };

        if (poll(fds, (nfds_t)n, ms) <= 0)
                return false;
        *ret = terminal_relay_step(&f->relay, fds, n, &err);
        assert_true(*ret >= 0);
        return true;
}

static void data_goes_both_ways(void **state)
{
        struct fixture f;
        char text[16];
        int more = 1;

        fixture_init(&f);
        assert_int_equal(write(f.in[1], "in", 2), 2);
        assert_int_equal(write(f.slave, "out", 3), 3);
        while (turn(&f, 50, &more))
                assert_int_equal(more, 1);
        assert_int_equal(read(f.slave, text, sizeof text), 2);
        assert_memory_equal(text, "in", 2);
        assert_int_equal(read(f.out[0], text, sizeof text), 3);
        assert_memory_equal(text, "out", 3);
        fixture_done(&f);
}

static void the_relay_ends_when_the_container_closes_and_all_is_written(void **state)
{
        struct fixture f;
        char text[16];
        int more = 1;

        fixture_init(&f);
        cor_fd_close(&f.in[1]); /* the user's end of input alone ends nothing */
        while (turn(&f, 50, &more))
                assert_int_equal(more, 1);
        assert_int_equal(write(f.slave, "bye", 3), 3);
        cor_fd_close(&f.slave);
        while (more && turn(&f, 10000, &more))
                ;
        assert_int_equal(more, 0);
        assert_int_equal(read(f.out[0], text, sizeof text), 3);
        fixture_done(&f);
}

static void a_reader_that_is_gone_does_not_stop_the_container(void **state)
{
        struct fixture f;
        int more = 1;

        signal(SIGPIPE, SIG_IGN);
        fixture_init(&f);
        cor_fd_close(&f.out[0]);
        for (int i = 0; i < 5; i++) {
                assert_int_equal(write(f.slave, "x", 1), 1);
                while (turn(&f, 50, &more))
                        assert_int_equal(more, 1);
        }
        fixture_done(&f);
}

static void a_slow_reader_loses_nothing(void **state)
{
        enum { TOTAL = 300000 };
        struct fixture f;
        size_t written = 0, got = 0;
        char chunk[1000];
        int more = 1;

        fixture_init(&f);
        assert_true(fcntl(f.slave, F_SETFL, O_NONBLOCK) == 0 && fcntl(f.out[0], F_SETFL, O_NONBLOCK) == 0);
        while (got < TOTAL) {
                size_t left = TOTAL - written;
                ssize_t n;

                memset(chunk, 'x', sizeof chunk);
                n = left ? write(f.slave, chunk, left < sizeof chunk ? left : sizeof chunk) : 0;
                if (n > 0)
                        written += (size_t)n;
                else /* only now is the reader's turn: its pipe is full by then */
                        while ((n = read(f.out[0], chunk, sizeof chunk)) > 0)
                                got += (size_t)n;
                (void)!turn(&f, 0, &more);
        }
        assert_int_equal(got, TOTAL);
        fixture_done(&f);
}

static void what_is_left_in_the_pty_is_drained(void **state)
{
        struct cor_err err = { 0 };
        struct fixture f;
        char text[16];

        fixture_init(&f);
        assert_int_equal(write(f.slave, "rest", 4), 4); /* the slave stays open: a stray child may hold it */
        assert_int_equal(terminal_relay_drain(&f.relay, 10000, &err), 0);
        assert_int_equal(read(f.out[0], text, sizeof text), 4);
        fixture_done(&f);
}

static void the_users_terminal_gets_its_settings_back_and_its_size_is_passed_on(void **state)
{
        struct winsize size = { .ws_row = 11, .ws_col = 22 }, seen = { 0 };
        struct termios before, during, after;
        struct cor_err err = { 0 };
        struct fixture f;
        int user = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), tty;

        assert_int_equal(unlockpt(user), 0);
        tty = open(ptsname(user), O_RDWR | O_NOCTTY | O_CLOEXEC);
        fixture_init(&f);
        terminal_relay_init(&f.relay, tty, tty, f.master);
        assert_int_equal(tcgetattr(tty, &before), 0);
        assert_int_equal(terminal_relay_raw(&f.relay, &err), 0);
        assert_int_equal(tcgetattr(tty, &during), 0);
        assert_false(during.c_lflag & (tcflag_t)ICANON);
        assert_int_equal(ioctl(tty, TIOCSWINSZ, &size), 0);
        assert_int_equal(terminal_relay_resize(&f.relay, &err), 0);
        assert_int_equal(ioctl(f.slave, TIOCGWINSZ, &seen), 0);
        assert_int_equal(seen.ws_row, 11);
        assert_int_equal(seen.ws_col, 22);
        terminal_relay_done(&f.relay);
        terminal_relay_done(&f.relay);
        assert_int_equal(tcgetattr(tty, &after), 0);
        assert_int_equal(after.c_lflag, before.c_lflag);
        assert_int_equal(after.c_oflag, before.c_oflag);
        fixture_done(&f);
        close(tty);
        close(user);
}

static void the_master_is_sent_with_its_name(void **state)
{
        struct cor_err err = { 0 };
        int pair[2];
        char name[32] = { 0 };
        size_t n = 0;

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        auto_fd master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_int_equal(terminal_send(pair[0], master, &err), 0);
        auto_fd got = cor_recv_fd(pair[1], name, sizeof name - 1, &n, &err);
        assert_true(got >= 0 && isatty(got));
        assert_string_equal(name, "/dev/ptmx");
        close(pair[0]);
        close(pair[1]);
}

static int make_dir(void **state)
{
        return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
        return rmdir(dir);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_pair_comes_from_the_given_devpts),
                cmocka_unit_test(a_false_devpts_is_refused),
                cmocka_unit_test(the_slave_becomes_controlling_terminal_and_stdio),
                cmocka_unit_test(an_impossible_size_is_refused),
                cmocka_unit_test(data_goes_both_ways),
                cmocka_unit_test(the_relay_ends_when_the_container_closes_and_all_is_written),
                cmocka_unit_test(a_reader_that_is_gone_does_not_stop_the_container),
                cmocka_unit_test(a_slow_reader_loses_nothing),
                cmocka_unit_test(what_is_left_in_the_pty_is_drained),
                cmocka_unit_test(the_users_terminal_gets_its_settings_back_and_its_size_is_passed_on),
                cmocka_unit_test(the_master_is_sent_with_its_name),
        };

        return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
