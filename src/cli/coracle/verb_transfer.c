/*
 * pull, push, load, save, import. The work is done by coracle-transfer, which ends when this process does: so Ctrl-C
 * needs no handling here, and what is worth keeping is kept there.
 */
#include "base/fd.h"
#include "cli/coracle/verb.h"
#include "cli/progress.h"
#include "image/reference.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void on_update(void *context, const struct transfer_progress *u)
{
        const struct progress_change c = { .id = u->id, .status = u->status, .current = u->current, .total = u->total };

        progress_show(context, &c);
}

static int say(struct cor_err *err, const char *fmt, const char *what)
{
        auto_text t = COR_TEXT_INIT;

        cor_text_add(&t, fmt);
        cor_text_add(&t, what);
        cor_text_add_c(&t, '\n');
        return verb_print(&t, err);
}

/* ---- pull, push ---- */

struct pull_options {
        bool all_tags, quiet, trust, discard;
        const char *platform;
};

#define PULL_ROW(NAME, LETTER, TYPE, M, VALUE, FLAGS, HELP)                                                            \
        OPTION_ROW(NAME, LETTER, TYPE, struct pull_options, M, VALUE, FLAGS, HELP)

static int check(const struct reference *r, const struct pull_options *o, struct cor_err *err)
{
        if (o->trust)
                return cor_fail(err, COR_UNSUPPORTED,
                                "--disable-content-trust=false: Docker Content Trust is not supported");
        if (o->all_tags && (r->tag || digest_set(&r->digest)))
                return cor_fail(err, COR_INVALID, "tag can't be used with --all-tags/-a");
        return 0;
}

/* "debian:latest" */
static char *familiar_of(const char *full)
{
        auto_reference r = { 0 };

        return reference_parse(full, &r, NULL) == 0 ? reference_familiar(&r) : cor_strdup(full);
}

static int say_pulled(const struct image_pulled *p, struct cor_err *err)
{
        auto_str familiar = familiar_of(p->full);
        auto_text t = COR_TEXT_INIT;

        if (digest_set(&p->digest))
                cor_text_printf(&t, "Digest: %s\n", p->digest.text);
        cor_text_printf(&t, "Status: %s for %s\n", p->newer ? "Downloaded newer image" : "Image is up to date",
                        familiar);
        return verb_print(&t, err);
}

static int run_pull(struct invocation *in, struct cor_err *err)
{
        const struct pull_options *o = in->options;
        const struct image_pull pull = {
                .reference = in->args[0], .platform = o->platform, .all_tags = o->all_tags, .discard = o->discard
        };
        auto_progress progress = progress_new(STDOUT_FILENO);
        const struct engine_progress updates = { .update = on_update, .context = progress };
        auto_image_pulled pulled = { 0 };
        auto_reference r = { 0 };
        auto_engine e = { 0 };

        if (reference_parse(in->args[0], &r, err) < 0 || check(&r, o, err) < 0)
                return -1;
        if (!o->all_tags && reference_default_tag(&r) && !o->quiet && say(err, "Using default tag: ", r.tag) < 0)
                return -1;
        if (verb_engine(in, &e, err) < 0 || engine_pull(&e, &pull, o->quiet ? NULL : &updates, &pulled, err) < 0)
                return -1;
        if (!o->quiet && say_pulled(&pulled, err) < 0)
                return -1;
        return say(err, "", pulled.full);
}

static const struct option pull_rows[] = {
        PULL_ROW("all-tags", 'a', FLAG, all_tags, "", 0, "Pull all tags of the repository"),
        PULL_ROW("discard", 0, FLAG, discard, "", 0,
                 "Keep layers in their unpacked form only: half the disk, and no push or save afterwards"),
        PULL_ROW("disable-content-trust", 0, FLAG, trust, "", OPTION_OFF,
                 "Docker Content Trust is not known here: it cannot be asked for"),
        PULL_ROW("platform", 0, TEXT, platform, "string", 0, "The platform to pull: OS/ARCHITECTURE[/VARIANT]"),
        PULL_ROW("quiet", 'q', FLAG, quiet, "", 0, "Show the name of the image only"),
};

const struct verb verb_pull = {
        .summary = "Fetch an image from a registry",
        .arguments = "NAME[:TAG|@DIGEST]",
        .min_args = 1,
        .max_args = 1,
        .options_size = sizeof(struct pull_options),
        .options = pull_rows,
        .n_options = COR_COUNT(pull_rows),
        .run = run_pull,
};

static int run_push(struct invocation *in, struct cor_err *err)
{
        const struct pull_options *o = in->options;
        auto_progress progress = progress_new(STDOUT_FILENO);
        const struct engine_progress updates = { .update = on_update, .context = progress };
        auto_reference r = { 0 };
        auto_str full = NULL;
        auto_engine e = { 0 };

        if (reference_parse(in->args[0], &r, err) < 0 || check(&r, o, err) < 0)
                return -1;
        if (!o->all_tags && reference_default_tag(&r) && !o->quiet && say(err, "Using default tag: ", r.tag) < 0)
                return -1;
        full = reference_full(&r);
        if (verb_engine(in, &e, err) < 0 ||
            engine_push(&e, in->args[0], o->platform, o->all_tags, o->quiet ? NULL : &updates, err) < 0)
                return -1;
        return o->quiet ? say(err, "", full) : 0;
}

static const struct option push_rows[] = {
        PULL_ROW("all-tags", 'a', FLAG, all_tags, "", 0, "Push all tags of the repository"),
        PULL_ROW("disable-content-trust", 0, FLAG, trust, "", OPTION_OFF,
                 "Docker Content Trust is not known here: it cannot be asked for"),
        PULL_ROW("platform", 0, TEXT, platform, "string", 0, "Push this platform only: OS/ARCHITECTURE[/VARIANT]"),
        PULL_ROW("quiet", 'q', FLAG, quiet, "", 0, "Show the name of the image only"),
};

const struct verb verb_push = {
        .summary = "Send an image to a registry",
        .arguments = "NAME[:TAG]",
        .min_args = 1,
        .max_args = 1,
        .options_size = sizeof(struct pull_options),
        .options = push_rows,
        .n_options = COR_COUNT(push_rows),
        .run = run_push,
};

/* ---- load, import ---- */

static int open_input(const char *path, struct cor_err *err)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        return fd >= 0 ? fd : cor_fail_errno(err, "open %s", path);
}

struct load_options {
        bool quiet;
        const char *input, *platform;
};

/* Layers come as they do in a pull; here they are loaded. */
static void on_load_update(void *context, const struct transfer_progress *u)
{
        struct progress_change c = { .id = u->id, .status = u->status, .current = u->current, .total = u->total };

        if (strcmp(u->status, "Pull complete") == 0)
                c.status = "Loaded";
        else if (strcmp(u->status, "Already exists") != 0)
                c.status = "Loading layer";
        progress_show(context, &c);
}

static void on_loaded(void *context, const char *line)
{
        auto_text t = COR_TEXT_INIT;

        cor_text_printf(&t, "%s\n", line);
        (void)!verb_print(&t, context);
}

static int run_load(struct invocation *in, struct cor_err *err)
{
        const struct load_options *o = in->options;
        auto_progress progress = progress_new(STDOUT_FILENO);
        const struct engine_progress updates = { .update = on_load_update, .context = progress };
        bool watched = !o->quiet && isatty(STDOUT_FILENO); /* scripts read the names only */
        auto_fd file = o->input ? open_input(o->input, err) : -1;
        struct cor_err print = { 0 };
        auto_engine e = { 0 };

        if (o->input && file < 0)
                return -1;
        if (!o->input && isatty(STDIN_FILENO))
                return cor_fail(err, COR_INVALID, "requested load from stdin, but stdin is empty");
        if (verb_engine(in, &e, err) < 0 || engine_load(&e, o->input ? file : STDIN_FILENO, o->platform,
                                                        watched ? &updates : NULL, on_loaded, &print, err) < 0)
                return -1;
        if (print.kind == COR_OK)
                return 0;
        *err = print;
        return -1;
}

static const struct option load_rows[] = {
        OPTION_ROW("input", 'i', TEXT, struct load_options, input, "string", OPTION_FILE,
                   "Read this file instead of standard input"),
        OPTION_ROW("platform", 0, TEXT, struct load_options, platform, "string", 0,
                   "Load this platform only: OS/ARCHITECTURE[/VARIANT]"),
        OPTION_ROW("quiet", 'q', FLAG, struct load_options, quiet, "", 0, "Show the names of images only"),
};

const struct verb verb_load = {
        .summary = "Load images from an archive that docker, podman, buildah or skopeo made",
        .options_size = sizeof(struct load_options),
        .options = load_rows,
        .n_options = COR_COUNT(load_rows),
        .run = run_load,
};

struct import_options {
        const char *message, *platform;
        char **changes;
        size_t n_changes;
};

/* As docker tells addresses from files. */
static bool is_url(const char *s)
{
        return cor_starts_with(s, "http://") || cor_starts_with(s, "https://");
}

static int run_import(struct invocation *in, struct cor_err *err)
{
        const struct import_options *o = in->options;
        const char *source = in->args[0];
        bool from_stdin = strcmp(source, "-") == 0, from_url = is_url(source);
        const struct image_import import = { .reference = in->n_args > 1 ? in->args[1] : NULL,
                                             .url = from_url ? source : NULL,
                                             .message = o->message,
                                             .platform = o->platform,
                                             .changes = o->changes,
                                             .n_changes = o->n_changes };
        auto_progress progress = progress_new(STDOUT_FILENO);
        const struct engine_progress updates = { .update = on_update, .context = progress };
        bool watched = from_url && isatty(STDOUT_FILENO); /* scripts read the id only */
        struct digest id = { .text = "" };
        auto_engine e = { 0 };
        auto_fd file = from_stdin || from_url ? -1 : open_input(source, err);

        if (!from_stdin && !from_url && file < 0)
                return -1;
        if (verb_engine(in, &e, err) < 0 ||
            engine_import(&e, from_stdin ? STDIN_FILENO : file, &import, watched ? &updates : NULL, &id, err) < 0)
                return -1;
        return say(err, "", id.text);
}

static const struct option import_rows[] = {
        OPTION_ROW_LIST("change", 'c', struct import_options, changes, n_changes, "list",
                        "Apply this Dockerfile instruction to the image: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, …"),
        OPTION_ROW("message", 'm', TEXT, struct import_options, message, "string", 0, "A comment for the history"),
        OPTION_ROW("platform", 0, TEXT, struct import_options, platform, "string", 0,
                   "The platform of the image: OS/ARCHITECTURE[/VARIANT]"),
};

const struct verb verb_import = {
        .summary = "Make an image of an archive of files",
        .arguments = "file|URL|- [REPOSITORY[:TAG]]",
        .min_args = 1,
        .max_args = 2,
        .options_size = sizeof(struct import_options),
        .options = import_rows,
        .n_options = COR_COUNT(import_rows),
        .run = run_import,
};

/* ---- save ---- */

struct save_options {
        const char *output, *platform, *format;
};

struct saved {
        struct engine *engine;
        const struct invocation *in;
        bool oci;
};

static int write_saved(void *context, int fd, struct cor_err *err)
{
        const struct saved *s = context;
        const struct save_options *o = s->in->options;

        return engine_save(s->engine, s->in->args, s->in->n_args, o->platform, s->oci, fd, err);
}

static int run_save(struct invocation *in, struct cor_err *err)
{
        const struct save_options *o = in->options;
        bool oci = o->format && strcmp(o->format, "oci-archive") == 0;
        auto_engine e = { 0 };
        struct saved s = { &e, in, oci };

        if (o->format && !oci && strcmp(o->format, "docker-archive") != 0)
                return cor_fail(err, COR_INVALID,
                                "option --format: expected docker-archive or oci-archive, found \"%s\"", o->format);
        if (!o->output && isatty(STDOUT_FILENO))
                return cor_fail(err, COR_INVALID,
                                "cowardly refusing to save to a terminal. Use the -o flag or redirect");
        if (verb_engine(in, &e, err) < 0)
                return -1;
        return o->output ? verb_to_file(o->output, write_saved, &s, err) : write_saved(&s, STDOUT_FILENO, err);
}

static const struct option save_rows[] = {
        OPTION_ROW("format", 0, TEXT, struct save_options, format, "string", 0,
                   "docker-archive (the default; an OCI layout as well), or oci-archive"),
        OPTION_ROW("output", 'o', TEXT, struct save_options, output, "string", OPTION_FILE,
                   "Write to this file instead of standard output"),
        OPTION_ROW("platform", 0, TEXT, struct save_options, platform, "string", 0,
                   "Save this platform only: OS/ARCHITECTURE[/VARIANT]"),
};

const struct verb verb_save = {
        .summary = "Write images to an archive",
        .arguments = "IMAGE [IMAGE...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .options_size = sizeof(struct save_options),
        .options = save_rows,
        .n_options = COR_COUNT(save_rows),
        .run = run_save,
};
