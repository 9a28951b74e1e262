/* version, and the scripts that complete command lines. */
#include "cli/coracle/help.h"
#include "cli/coracle/verb.h"

#include "image/platform.h"

#include <string.h>
#include <sys/utsname.h>

struct version_options {
        const char *format;
};

/* What docker's templates ask: {{.Client.Version}}, and {{.Server.Version}}, where the engine is part of the program.
 */
static struct value *part(struct value_pool *p, const char *type)
{
        struct platform host = platform_host();
        struct value *s = value_struct(p, type);

        value_field_text(p, s, "Version", CORACLE_VERSION);
        value_field_text(p, s, "Os", host.os);
        value_field_text(p, s, "Arch", host.architecture);
        return s;
}

static struct value *version(struct value_pool *p)
{
        struct value *all = value_struct(p, "version.versionInfo");
        struct value *client = part(p, "*version.clientVersion"), *server = part(p, "*types.Version");
        struct utsname u;

        value_field_text(p, client, "Context", "default");
        value_field_text(p, server, "KernelVersion", uname(&u) < 0 ? "" : u.release);
        value_field(p, all, "Client", NULL, client);
        value_field(p, all, "Server", NULL, server);
        return all;
}

static const char standard[] = "Client:\n"
                               " Version:           {{.Client.Version}}\n"
                               " OS/Arch:           {{.Client.Os}}/{{.Client.Arch}}\n"
                               " Context:           {{.Client.Context}}\n"
                               "\n"
                               "Server:\n"
                               " Engine:\n"
                               "  Version:          {{.Server.Version}}\n"
                               "  OS/Arch:          {{.Server.Os}}/{{.Server.Arch}}";

static int run_version(struct invocation *in, struct cor_err *err)
{
        const struct version_options *o = in->options;
        const char *format = !o->format ? standard : strcmp(o->format, "json") == 0 ? "{{json .}}" : o->format;
        auto_value_pool p = value_pool_new(SIZE_MAX);
        const struct value *v = version(p);
        auto_text t = COR_TEXT_INIT;

        return format_inspect(format, &v, 1, &t, err) < 0 ? -1 : verb_print(&t, err);
}

static const struct option version_rows[] = {
        OPTION_ROW("format", 'f', TEXT, struct version_options, format, "string", 0, "A Go template, or 'json'"),
};

const struct verb verb_version = {
        .summary = "Show the version",
        .options_size = sizeof(struct version_options),
        .options = version_rows,
        .n_options = COR_COUNT(version_rows),
        .run = run_version,
};

/* "words" and what follows is what the scripts themselves ask; "manual" is for docs/man. */
static int run_completion(struct invocation *in, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT;

        if (strcmp(in->args[0], "manual") == 0)
                manual_print(&t);
        else if (strcmp(in->args[0], "words") == 0)
                completion_words(in->args + 1, in->n_args - 1, &t);
        else if (in->n_args > 1)
                return cor_fail(err, COR_INVALID, "one shell at a time: bash, zsh or fish");
        else if (completion_print(in->args[0], &t, err) < 0)
                return -1;
        return verb_print(&t, err);
}

const struct verb verb_completion = {
        .summary = "Write a script for the shell that completes command lines",
        .arguments = "bash|zsh|fish",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .run = run_completion,
};
