/*
 * coracle-systemd: who speaks D-Bus, with systemd for its cgroup driver and with firewalld for bridges. It is started
 * with a request on standard input (request.h); its end is waited for: status 0, or 1 and a message on standard error.
 */
#include "tools/systemd/unit.h"
#include "tools/systemd/zone.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int run_unit(const struct request *r, struct cor_err *err)
{
        struct unit_bus *b;
        int ret;

        if (unit_bus_open(r->user, &b, err) < 0)
                return -1;
        switch ((enum request_op)r->op) {
        case OP_START:
                ret = unit_start(b, r, err);
                break;
        case OP_ATTACH:
                ret = unit_attach(b, r, err);
                break;
        case OP_SET:
                ret = unit_set(b, r, err);
                break;
        case OP_STOP:
        default:
                ret = unit_stop(b, r, err);
                break;
        }
        unit_bus_close(b);
        return ret;
}

static int run(const struct request *r, struct cor_err *err)
{
        if (r->op == OP_TRUST || r->op == OP_DISTRUST)
                return zone_trust(r->unit, r->op == OP_TRUST, err);
        return run_unit(r, err);
}

int main(int argc, char **argv)
{
        struct request *r = NULL;
        struct cor_err err = { 0 };
        int ret;

        if (argc > 1) {
                if (strcmp(argv[1], "--version") == 0)
                        return puts("coracle-systemd " CORACLE_VERSION) < 0;
                fputs("coracle-systemd is started by other programs of Coracle, with a request on standard input\n",
                      stderr);
                return 2;
        }
        ret = request_read(STDIN_FILENO, &r, &err);
        if (ret == 0)
                ret = run(r, &err);
        if (ret < 0)
                fprintf(stderr, "%s\n", err.msg);
        cor_json_free(r);
        return ret < 0;
}
