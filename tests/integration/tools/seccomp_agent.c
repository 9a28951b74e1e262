/*
 * Who listens for notified system calls: seccomp_agent SOCKET FILE VALUE
 * Takes one container process state and listener at SOCKET, writes the state to FILE, and answers each call with VALUE,
 * until the last process under the filter has ended. Ends by itself after a minute in any case.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAX_STATE = 65536, LIFE_SECONDS = 60 };

static void die(const char *what)
{
        perror(what);
        exit(1);
}

static int open_socket(const char *path)
{
        struct sockaddr_un addr = { .sun_family = AF_UNIX };
        int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (snprintf(addr.sun_path, sizeof addr.sun_path, "%s.new", path) >= (int)sizeof addr.sun_path)
                return errno = ENAMETOOLONG, -1;
        /* Whoever finds it can connect. */
        if (sock < 0 || bind(sock, (struct sockaddr *)&addr, sizeof addr) < 0 || listen(sock, 4) < 0 ||
            rename(addr.sun_path, path) < 0)
                return -1;
        return sock;
}

static int take_listener(int conn, char *state, size_t *ret_len)
{
        union {
                struct cmsghdr head;
                char room[CMSG_SPACE(sizeof(int))];
        } control;
        struct iovec piece = { .iov_base = state, .iov_len = MAX_STATE };
        struct msghdr msg = {
                .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
        };
        ssize_t n = recvmsg(conn, &msg, MSG_CMSG_CLOEXEC);
        const struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
        int fd;

        if (n <= 0 || !head || head->cmsg_type != SCM_RIGHTS)
                return -1;
        memcpy(&fd, CMSG_DATA(head), sizeof fd);
        *ret_len = (size_t)n;
        while ((n = read(conn, state + *ret_len, MAX_STATE - *ret_len)) > 0)
                *ret_len += (size_t)n;
        return fd;
}

static void write_state(const char *path, const char *state, size_t len)
{
        char beside[4096];
        FILE *f;

        snprintf(beside, sizeof beside, "%s.new", path);
        f = fopen(beside, "w");
        if (!f || fwrite(state, 1, len, f) != len || fclose(f) != 0 || rename(beside, path) < 0)
                die(path);
}

static void answer_all(int listener, long long value)
{
        struct seccomp_notif_sizes sizes;
        struct pollfd ready = { .fd = listener, .events = POLLIN };
        struct seccomp_notif_resp *said;
        struct seccomp_notif *asked;

        if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
                die("seccomp");
        asked = malloc(sizes.seccomp_notif);
        said = malloc(sizes.seccomp_notif_resp);
        while (asked && said && poll(&ready, 1, -1) > 0 && (ready.revents & POLLIN)) {
                memset(asked, 0, sizes.seccomp_notif);
                memset(said, 0, sizes.seccomp_notif_resp);
                if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, asked) < 0)
                        continue;
                said->id = asked->id;
                said->val = value;
                (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, said);
        }
}

int main(int argc, char **argv)
{
        static char state[MAX_STATE];
        int sock, conn, listener;
        size_t len = 0;

        alarm(LIFE_SECONDS);
        if (argc != 4)
                return fprintf(stderr, "usage: %s SOCKET FILE VALUE\n", argv[0]), 2;
        sock = open_socket(argv[1]);
        conn = sock < 0 ? -1 : accept(sock, NULL, NULL);
        listener = conn < 0 ? -1 : take_listener(conn, state, &len);
        if (listener < 0)
                die(argv[1]);
        write_state(argv[2], state, len);
        answer_all(listener, atoll(argv[3]));
        return 0;
}
