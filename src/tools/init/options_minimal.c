/* The form of coracle-init without options (-Dinit_minimal=true): see options.h. */
#include "tools/init/options.h"

#include <stdio.h>

int options_parse(int argc, char **argv, struct options *ret, struct cor_err *err)
{
        (void)err;
        options_defaults(ret);
        if (argc < 2)
                ret->action = OPTIONS_USAGE;
        else
                ret->command = argv + 1;
        return 0;
}

void options_print_help(int fd)
{
        dprintf(fd, "usage: coracle-init COMMAND [ARG...]\n"
                    "Run COMMAND as the only child that matters: pass signals on to it, reap orphans, and\n"
                    "end with its exit code. This build takes no options.\n");
}
