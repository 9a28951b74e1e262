/* diff, export, commit: the files of containers. */
#include "cli/coracle/verb_container.h"

#include "engine/container_files.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- diff ---- */

static int run_diff(struct invocation *in, struct cor_err *err)
{
        auto_container_changes changes = { 0 };
        auto_text out = COR_TEXT_INIT;
        auto_engine e = { 0 };

        if (verb_engine(in, &e, err) < 0 || engine_diff(&e, in->args[0], &changes, err) < 0)
                return -1;
        for (size_t i = 0; i < changes.n_items; i++) {
                cor_text_printf(&out, "%c ", changes.items[i].kind);
                verb_add_foreign(changes.items[i].path, strlen(changes.items[i].path), &out);
                cor_text_add_c(&out, '\n');
        }
        return verb_print(&out, err);
}

const struct verb verb_diff = {
        .summary = "Show what a container has changed in its files",
        .arguments = "CONTAINER",
        .min_args = 1,
        .max_args = 1,
        .run = run_diff,
};

/* ---- export ---- */

struct export_options {
        const char *output;
};

struct exported {
        struct engine *engine;
        const char *name;
};

static int write_exported(void *context, int fd, struct cor_err *err)
{
        const struct exported *x = context;

        return engine_export(x->engine, x->name, fd, err);
}

static int run_export(struct invocation *in, struct cor_err *err)
{
        const struct export_options *o = in->options;
        auto_engine e = { 0 };
        struct exported x = { &e, in->args[0] };

        if (!o->output && isatty(STDOUT_FILENO))
                return cor_fail(err, COR_INVALID,
                                "cowardly refusing to save to a terminal. Use the -o flag or redirect");
        if (verb_engine(in, &e, err) < 0)
                return -1;
        return o->output ? verb_to_file(o->output, write_exported, &x, err) : write_exported(&x, STDOUT_FILENO, err);
}

static const struct option export_rows[] = {
        OPTION_ROW("output", 'o', TEXT, struct export_options, output, "string", OPTION_FILE,
                   "Write to this file instead of standard output"),
};

const struct verb verb_export = {
        .summary = "Write the files of a container to an archive",
        .arguments = "CONTAINER",
        .min_args = 1,
        .max_args = 1,
        .options_size = sizeof(struct export_options),
        .options = export_rows,
        .n_options = COR_COUNT(export_rows),
        .run = run_export,
};

/* ---- commit ---- */

struct commit_options {
        const char *author, *message;
        char **changes;
        size_t n_changes;
        bool no_pause;
};

static int run_commit(struct invocation *in, struct cor_err *err)
{
        const struct commit_options *o = in->options;
        const struct container_commit c = { .reference = in->n_args > 1 ? in->args[1] : NULL,
                                            .author = o->author,
                                            .message = o->message,
                                            .pause = !o->no_pause,
                                            .changes = o->changes,
                                            .n_changes = o->n_changes };
        struct digest id = { .text = "" };
        auto_text out = COR_TEXT_INIT;
        auto_engine e = { 0 };

        if (verb_engine(in, &e, err) < 0 || engine_commit(&e, in->args[0], &c, &id, err) < 0)
                return -1;
        cor_text_printf(&out, "%s\n", id.text);
        return verb_print(&out, err);
}

static const struct option commit_rows[] = {
        OPTION_ROW("author", 'a', TEXT, struct commit_options, author, "string", 0, "Who made it: NAME <MAIL>"),
        OPTION_ROW_LIST("change", 'c', struct commit_options, changes, n_changes, "list",
                        "Apply this Dockerfile instruction to the image: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, …"),
        OPTION_ROW("message", 'm', TEXT, struct commit_options, message, "string", 0, "A comment for the history"),
        OPTION_ROW("pause", 'p', FLAG, struct commit_options, no_pause, "", OPTION_OFF,
                   "Pause it while its files are read (default true)"),
};

const struct verb verb_commit = {
        .summary = "Make an image of a container",
        .arguments = "CONTAINER [REPOSITORY[:TAG]]",
        .min_args = 1,
        .max_args = 2,
        .options_size = sizeof(struct commit_options),
        .options = commit_rows,
        .n_options = COR_COUNT(commit_rows),
        .run = run_commit,
};
