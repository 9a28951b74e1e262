/* cp: files between a container and the machine. */
#include "cli/coracle/verb_container.h"

#include "cli/units.h"
#include "engine/container_files.h"

#include <string.h>
#include <unistd.h>

struct cp_options {
        bool archive, follow, quiet;
};

/* "CONTAINER:PATH", or a path of the machine, which may have colons behind a slash or a dot at its beginning */
static bool split(const char *word, char **ret_name, const char **ret_path)
{
        const char *colon = word[0] == '/' || word[0] == '.' ? NULL : strchr(word, ':');

        *ret_path = colon ? colon + 1 : word;
        *ret_name = colon && colon > word ? cor_strndup(word, (size_t)(colon - word)) : NULL;
        return *ret_name != NULL;
}

static bool is_stream(const char *path)
{
        return strcmp(path, "-") == 0;
}

static int say(const struct cp_options *o, int64_t bytes, const char *name, const char *path)
{
        auto_text size = COR_TEXT_INIT;

        if (o->quiet || !isatty(STDOUT_FILENO))
                return 0;
        units_size(bytes, 3, &size);
        verb_say("Successfully copied %s to %s%s%s", size.s, name ? name : "", name ? ":" : "", path);
        return 0;
}

static int copy_out(struct engine *e, const struct cp_options *o, const char *name, const char *path,
                    const char *target, struct cor_err *err)
{
        const struct container_copy c = { .archive = o->archive, .follow = o->follow };
        int64_t bytes = 0;

        if (is_stream(target))
                return engine_copy_archive_out(e, name, path, &c, STDOUT_FILENO, err);
        return engine_copy_out(e, name, path, target, &c, &bytes, err) < 0 ? -1 : say(o, bytes, NULL, target);
}

static int copy_in(struct engine *e, const struct cp_options *o, const char *source, const char *name, const char *path,
                   struct cor_err *err)
{
        const struct container_copy c = { .archive = o->archive, .follow = o->follow };
        int64_t bytes = 0;

        if (is_stream(source))
                return engine_copy_archive_in(e, STDIN_FILENO, name, path, err);
        return engine_copy_in(e, source, name, path, &c, &bytes, err) < 0 ? -1 : say(o, bytes, name, path);
}

static int run_cp(struct invocation *in, struct cor_err *err)
{
        const struct cp_options *o = in->options;
        auto_str from_name = NULL;
        auto_str to_name = NULL;
        const char *from, *to;
        bool out = split(in->args[0], &from_name, &from), into = split(in->args[1], &to_name, &to);
        auto_engine e = { 0 };

        if (out && into)
                return cor_fail(err, COR_INVALID, "copying between containers is not supported");
        if (!out && !into)
                return cor_fail(err, COR_INVALID, "must specify at least one container source");
        if (out && is_stream(to) && isatty(STDOUT_FILENO))
                return cor_fail(err, COR_INVALID, "cowardly refusing to write an archive to a terminal");
        if (verb_engine(in, &e, err) < 0)
                return -1;
        return out ? copy_out(&e, o, from_name, from, to, err) : copy_in(&e, o, from, to_name, to, err);
}

static const struct option cp_rows[] = {
        OPTION_ROW("archive", 'a', FLAG, struct cp_options, archive, "", 0, "Keep user and group of what is copied"),
        OPTION_ROW("follow-link", 'L', FLAG, struct cp_options, follow, "", 0,
                   "A link as the source stands for what it leads to"),
        OPTION_ROW("quiet", 'q', FLAG, struct cp_options, quiet, "", 0, "Do not say what was copied"),
};

const struct verb verb_cp = {
        .summary = "Copy files between a container and the machine",
        .arguments = "CONTAINER:PATH PATH|- | PATH|- CONTAINER:PATH",
        .min_args = 2,
        .max_args = 2,
        .options_size = sizeof(struct cp_options),
        .options = cp_rows,
        .n_options = COR_COUNT(cp_rows),
        .run = run_cp,
};
