/* Speaking with the monitor of a container: starting it, asking it. */
#include "engine/container_internal.h"

#include "base/fd.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

int container_monitor_connect(struct engine *e, const struct container_row *r, struct cor_err *err)
{
        auto_str path = NULL;
        const char *run;
        int sock;

        if (store_run_path(e->store, &run, err) < 0)
                return -1;
        path = cor_printf("%s/%s/" MONITOR_SOCKET, run, r->id);
        sock = cor_unix_connect(path, SOCK_SEQPACKET, err);
        if (sock < 0 && err->kind != COR_DENIED)
                err->kind = COR_NOT_FOUND; /* refused: it has just ended */
        return sock < 0 ? cor_wrap(err, "the monitor of container %s", r->id) : sock;
}

int container_await(int sock, char *buf, enum monitor_packet wanted, size_t *ret_n, struct cor_err *err)
{
        size_t n;

        for (;;) {
                int type = monitor_receive(sock, buf, &n, err);

                if (type < 0)
                        return -1;
                if (type == 0)
                        return cor_fail(err, COR_NOT_FOUND, "the container's monitor ended");
                if (type == MONITOR_ERROR) {
                        memcpy(err, buf + 1, sizeof *err);
                        err->msg[sizeof err->msg - 1] = '\0';
                        return -1;
                }
                if (type == (int)wanted)
                        break;
        }
        if (ret_n)
                *ret_n = n;
        return 0;
}

int container_monitor_ask(struct engine *e, const struct container_row *r, enum monitor_packet packet,
                          const void *content, size_t n, enum monitor_packet answer, struct cor_err *err)
{
        auto_free char *buf = cor_alloc(MONITOR_PACKET_MAX);
        auto_fd sock = container_monitor_connect(e, r, err);

        if (sock < 0)
                return -1;
        if (monitor_send(sock, packet, content, n, err) < 0)
                return -1;
        return container_await(sock, buf, answer, NULL, err);
}

int container_monitor_exec(struct engine *e, const struct container_row *r, const struct monitor_exec *x,
                           const char *process, struct cor_err *err)
{
        auto_free char *buf = cor_alloc(MONITOR_PACKET_MAX);
        auto_fd document = memfd_create("process", MFD_CLOEXEC), sock = -1;
        size_t len = strlen(process);

        if (document < 0 || write(document, process, len) != (ssize_t)len)
                return cor_fail_errno(err, "keep the process's document");
        sock = container_monitor_connect(e, r, err);
        if (sock < 0 || monitor_send_exec(sock, x, document, err) < 0)
                return -1;
        return container_await(sock, buf, MONITOR_DONE, NULL, err);
}
