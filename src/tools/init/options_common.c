#include "tools/init/options.h"

#include "tools/init/say.h"

#include <stdlib.h>
#include <sys/wait.h>

void options_defaults(struct options *ret)
{
        *ret = (struct options){
                .action = OPTIONS_RUN,
                .verbosity = SAY_WARNING,
                .grace_ms = GRACE_DEFAULT_MS,
        };
}

int options_read_environment(struct options *o, struct cor_err *err)
{
        const char *text = getenv("TINI_VERBOSITY");

        if (getenv("TINI_SUBREAPER"))
                o->subreaper = true;
        if (getenv("TINI_KILL_PROCESS_GROUP"))
                o->process_group = true;
        if (!text)
                return 0;
        if (text[0] < '0' || text[0] > '9' || text[1])
                return cor_fail(err, COR_INVALID, "TINI_VERBOSITY: \"%s\" is not a number from 0 to 9", text);
        o->verbosity = (unsigned)(text[0] - '0');
        return 0;
}

int options_exit_code(const struct options *o, int status)
{
        int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);

        return o->remap[code & 255] ? 0 : code;
}
