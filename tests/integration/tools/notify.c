/*
 * Both ends of sd_notify(3).
 *
 *      tool-notify listen SOCKET      a service manager: prints each message as one line ("READY=1 MAINPID=42"), with
 *                                     "+fd" behind those that bring a descriptor, until it is killed
 *      tool-notify send MESSAGE...    a service: sends each to $NOTIFY_SOCKET; "\n" in them is a new line
 *      tool-notify barrier            sends BARRIER=1 and waits for the descriptor to be closed
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAIT_MS = 20000 };

static int die(const char *what)
{
        fprintf(stderr, "tool-notify: %s: %s\n", what, strerror(errno));
        return 1;
}

/* A name that starts with '@' is an abstract one. */
static socklen_t address(const char *name, struct sockaddr_un *ret)
{
        size_t n = strlen(name);

        memset(ret, 0, sizeof *ret);
        ret->sun_family = AF_UNIX;
        if (n >= sizeof ret->sun_path)
                exit(die("the name is too long"));
        memcpy(ret->sun_path, name, n);
        if (name[0] == '@')
                ret->sun_path[0] = '\0';
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (name[0] != '@'));
}

static int listen_on(const char *name)
{
        struct sockaddr_un addr;
        socklen_t len = address(name, &addr);
        int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (sock < 0 || bind(sock, (struct sockaddr *)&addr, len) < 0)
                return die(name);
        for (;;) {
                char text[4096], control[CMSG_SPACE(sizeof(int))];
                struct iovec iov = { .iov_base = text, .iov_len = sizeof text - 1 };
                struct msghdr msg = {
                        .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = control,
                        .msg_controllen = sizeof control,
                };
                ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
                struct cmsghdr *c;
                int fd;

                if (n < 0)
                        return die("receive");
                for (ssize_t i = 0; i < n; i++)
                        if (text[i] == '\n')
                                text[i] = ' ';
                text[n] = '\0';
                c = CMSG_FIRSTHDR(&msg);
                printf("%s%s\n", text, c ? "+fd" : "");
                fflush(stdout);
                if (c) {
                        memcpy(&fd, CMSG_DATA(c), sizeof fd);
                        close(fd);
                }
        }
}

static int connect_manager(void)
{
        const char *name = getenv("NOTIFY_SOCKET");
        struct sockaddr_un addr;
        socklen_t len = address(name ? name : "", &addr);
        int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (sock < 0 || connect(sock, (struct sockaddr *)&addr, len) < 0)
                exit(die(name ? name : "NOTIFY_SOCKET"));
        return sock;
}

static void send_message(int sock, char *text)
{
        char *to = text;

        for (const char *from = text; *from; from++) {
                if (from[0] == '\\' && from[1] == 'n') {
                        *to++ = '\n';
                        from++;
                } else {
                        *to++ = *from;
                }
        }
        *to = '\0';
        if (send(sock, text, strlen(text), MSG_NOSIGNAL) < 0)
                exit(die("send"));
}

static int barrier(int sock)
{
        char text[] = "BARRIER=1", control[CMSG_SPACE(sizeof(int))] = { 0 };
        struct iovec iov = { .iov_base = text, .iov_len = sizeof text - 1 };
        struct msghdr msg = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = sizeof control,
        };
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        struct pollfd p;
        int ends[2];

        if (pipe(ends) < 0)
                return die("pipe");
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &ends[1], sizeof(int));
        if (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0)
                return die("send");
        close(ends[1]);
        p = (struct pollfd){ .fd = ends[0], .events = POLLIN };
        return poll(&p, 1, WAIT_MS) == 1 ? 0 : die("nobody closed the descriptor");
}

int main(int argc, char **argv)
{
        int sock;

        if (argc == 3 && strcmp(argv[1], "listen") == 0)
                return listen_on(argv[2]);
        if (argc < 2 || (strcmp(argv[1], "send") != 0 && strcmp(argv[1], "barrier") != 0))
                return 2;
        sock = connect_manager();
        if (strcmp(argv[1], "barrier") == 0)
                return barrier(sock);
        for (int i = 2; i < argc; i++)
                send_message(sock, argv[i]);
        return 0;
}
