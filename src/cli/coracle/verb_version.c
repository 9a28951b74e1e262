/* version, and the scripts that complete command lines. */
#include "cli/coracle/help.h"
#include "cli/coracle/verb.h"

#include "image/platform.h"

#include <string.h>

struct version_options {
        const char *format;
};

/* The client's part has docker's names: {{.Client.Version}} */
static struct value *version(struct value_pool *p)
{
        struct platform host = platform_host();
        struct value *client = value_struct(p, "*version.clientVersion"), *all = value_struct(p, "version.versionInfo");

        value_field_text(p, client, "Version", CORACLE_VERSION);
        value_field_text(p, client, "Os", host.os);
        value_field_text(p, client, "Arch", host.architecture);
        value_field(p, all, "Client", NULL, client);
        return all;
}

static int run_version(struct invocation *in, struct cor_err *err)
{
        const struct version_options *o = in->options;
        auto_value_pool p = value_pool_new(SIZE_MAX);
        const struct value *v = version(p);
        auto_text t = COR_TEXT_INIT;

        if (o->format) {
                if (format_inspect(strcmp(o->format, "json") == 0 ? "{{json .}}" : o->format, &v, 1, &t, err) < 0)
                        return -1;
        } else {
                struct platform host = platform_host();

                cor_text_printf(&t, "Client:\n Version:           %s\n OS/Arch:           %s/%s\n", CORACLE_VERSION,
                                host.os, host.architecture);
        }
        return verb_print(&t, err);
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
