/*
 * manifest create, annotate, inspect, push, rm: lists of manifests, which are put together here and lie where docker
 * has them until they are pushed.
 */
#include "cli/coracle/verb.h"
#include "engine/manifest_entry.h"
#include "engine/manifest_list.h"

#include <stdlib.h>
#include <string.h>

struct manifest_options {
        bool insecure, amend, purge, verbose;
        struct manifest_annotation annotation;
};

#define ROW(NAME, LETTER, TYPE, M, VALUE, HELP)                                                                        \
        OPTION_ROW(NAME, LETTER, TYPE, struct manifest_options, M, VALUE, 0, HELP)
#define INSECURE_ROW ROW("insecure", 0, FLAG, insecure, "", "Plain http and unknown certificates will do")

/* ---- create ---- */

static int run_create(struct invocation *in, struct cor_err *err)
{
        const struct manifest_options *o = in->options;
        auto_text t = COR_TEXT_INIT;
        auto_str folder = NULL;
        auto_str name = NULL;
        auto_engine e = { 0 };

        if (manifest_list_folder(&folder, err) < 0 || verb_engine(in, &e, err) < 0 ||
            manifest_list_create(&e, folder, in->args[0], in->args + 1, in->n_args - 1, o->amend, o->insecure, &name,
                                 err) < 0)
                return -1;
        cor_text_printf(&t, "Created manifest list %s\n", name);
        return verb_print(&t, err);
}

static const struct option create_rows[] = {
        ROW("amend", 'a', FLAG, amend, "", "Add to a list that is there already"),
        INSECURE_ROW,
};

const struct verb verb_manifest_create = {
        .summary = "Begin a list of manifests, to be annotated and pushed",
        .arguments = "MANIFEST_LIST MANIFEST [MANIFEST...]",
        .min_args = 2,
        .max_args = VERB_ARGS_ANY,
        .options_size = sizeof(struct manifest_options),
        .options = create_rows,
        .n_options = COR_COUNT(create_rows),
        .run = run_create,
};

/* ---- annotate ---- */

static int run_annotate(struct invocation *in, struct cor_err *err)
{
        const struct manifest_options *o = in->options;
        auto_str folder = NULL;

        if (manifest_list_folder(&folder, err) < 0)
                return -1;
        return manifest_list_annotate(folder, in->args[0], in->args[1], &o->annotation, err);
}

static const struct option annotate_rows[] = {
        ROW("arch", 0, TEXT, annotation.architecture, "string", "Architecture"),
        ROW("os", 0, TEXT, annotation.os, "string", "Operating system"),
        OPTION_ROW_LIST("os-features", 0, struct manifest_options, annotation.os_features, annotation.n_os_features,
                        "strings", "A feature that the operating system must have"),
        ROW("os-version", 0, TEXT, annotation.os_version, "string", "Version of the operating system"),
        ROW("variant", 0, TEXT, annotation.variant, "string", "Variant of the architecture"),
};

const struct verb verb_manifest_annotate = {
        .summary = "Say for which platform a manifest of a local list is",
        .arguments = "MANIFEST_LIST MANIFEST",
        .min_args = 2,
        .max_args = 2,
        .options_size = sizeof(struct manifest_options),
        .options = annotate_rows,
        .n_options = COR_COUNT(annotate_rows),
        .run = run_annotate,
};

/* ---- inspect ---- */

static void add_line(struct cor_text *out, const char *indent, unsigned depth)
{
        cor_text_add_c(out, '\n');
        for (unsigned i = 0; i < depth; i++)
                cor_text_add(out, indent);
}

/* JSON with a line for each member, nothing else changed */
static void add_indented(const char *s, const char *indent, struct cor_text *out)
{
        unsigned depth = 0;
        bool quoted = false;

        for (; *s; s++) {
                if (quoted) {
                        cor_text_add_c(out, *s);
                        if (*s == '\\' && s[1])
                                cor_text_add_c(out, *++s);
                        else
                                quoted = *s != '"';
                        continue;
                }
                if (strchr(" \t\r\n", *s))
                        continue;
                if ((*s == '}' || *s == ']') && depth > 0) {
                        depth--;
                        if (out->s[out->len - 1] != '{' && out->s[out->len - 1] != '[')
                                add_line(out, indent, depth);
                } else if (out->len > 0 && strchr("{[,", out->s[out->len - 1])) {
                        add_line(out, indent, depth);
                }
                quoted = *s == '"';
                depth += *s == '{' || *s == '[';
                cor_text_add_c(out, *s);
                if (*s == ':')
                        cor_text_add_c(out, ' ');
        }
        cor_text_add_c(out, '\n');
}

/* A local list, or a manifest of it; otherwise what the registry has. free() *ret */
static int find(struct invocation *in, const char *folder, char **ret, struct cor_err *err)
{
        const struct manifest_options *o = in->options;
        auto_remote_manifest m = { 0 };
        struct cor_err none = { 0 };
        auto_engine e = { 0 };

        if (in->n_args == 2)
                return manifest_list_member(folder, in->args[0], in->args[1], o->verbose, ret, err);
        if (manifest_list_text(folder, in->args[0], o->verbose, ret, &none) == 0)
                return 0;
        if (none.kind != COR_NOT_FOUND) {
                *err = none;
                return -1;
        }
        if (verb_engine(in, &e, err) < 0)
                return -1;
        if (o->verbose)
                return manifest_entry_fetch(&e, in->args[0], o->insecure, ret, err);
        if (engine_manifest(&e, in->args[0], o->insecure, false, &m, err) < 0)
                return -1;
        *ret = COR_TAKE(m.text);
        return 0;
}

static int run_inspect(struct invocation *in, struct cor_err *err)
{
        const struct manifest_options *o = in->options;
        auto_str folder = NULL;
        auto_str text = NULL;
        auto_text t = COR_TEXT_INIT;

        if (manifest_list_folder(&folder, err) < 0 || find(in, folder, &text, err) < 0)
                return -1;
        add_indented(text, o->verbose ? "\t" : "   ", &t);
        return verb_print(&t, err);
}

static const struct option inspect_rows[] = {
        INSECURE_ROW,
        ROW("verbose", 'v', FLAG, verbose, "", "Also names, descriptors and platforms, and each manifest of an index"),
};

const struct verb verb_manifest_inspect = {
        .summary = "Show a local list of manifests, or a manifest as a registry has it",
        .arguments = "[MANIFEST_LIST] MANIFEST",
        .min_args = 1,
        .max_args = 2,
        .options_size = sizeof(struct manifest_options),
        .options = inspect_rows,
        .n_options = COR_COUNT(inspect_rows),
        .run = run_inspect,
};

/* ---- push, rm ---- */

static int run_push(struct invocation *in, struct cor_err *err)
{
        const struct manifest_options *o = in->options;
        auto_text t = COR_TEXT_INIT;
        auto_str folder = NULL;
        auto_str said = NULL;
        auto_engine e = { 0 };

        if (manifest_list_folder(&folder, err) < 0 || verb_engine(in, &e, err) < 0 ||
            manifest_list_push(&e, folder, in->args[0], o->insecure, o->purge, &said, err) < 0)
                return -1;
        cor_text_add(&t, said);
        return verb_print(&t, err);
}

static const struct option push_rows[] = {
        INSECURE_ROW,
        ROW("purge", 'p', FLAG, purge, "", "Forget the local list once it is pushed"),
};

const struct verb verb_manifest_push = {
        .summary = "Push a local list of manifests to its registry",
        .arguments = "MANIFEST_LIST",
        .min_args = 1,
        .max_args = 1,
        .options_size = sizeof(struct manifest_options),
        .options = push_rows,
        .n_options = COR_COUNT(push_rows),
        .run = run_push,
};

static int run_rm(struct invocation *in, struct cor_err *err)
{
        auto_str folder = NULL;

        if (manifest_list_folder(&folder, err) < 0)
                return -1;
        for (size_t i = 0; i < in->n_args; i++)
                if (manifest_list_remove(folder, in->args[i], err) < 0)
                        return -1;
        return 0;
}

const struct verb verb_manifest_rm = {
        .summary = "Forget local lists of manifests",
        .arguments = "MANIFEST_LIST [MANIFEST_LIST...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .run = run_rm,
};
