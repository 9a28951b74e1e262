/*
 * The features document. It is written as text: nobody reads it back into a struct, and all of it is words that other
 * tables hold already.
 */
#include "runtime/features.h"

#include "linux/caps.h"
#include "linux/mount_option.h"
#include "linux/seccomp.h"
#include "spec/oci.h"

#include <stdlib.h>
#include <string.h>

enum { INDENT = 4, WORDS_MAX = 128 };

/* An object that is being written: knows how deep it is, and whether a comma is due. */
struct writer {
        struct cor_text *out;
        int depth;
        bool filled;
};

static void item(struct writer *w, const char *key)
{
        cor_text_printf(w->out, "%s\n%*s", w->filled ? "," : "", INDENT * w->depth, "");
        w->filled = true;
        if (key) {
                cor_text_add_json(w->out, key);
                cor_text_add(w->out, ": ");
        }
}

static void open_level(struct writer *w, const char *key, char bracket)
{
        item(w, key);
        cor_text_add_c(w->out, bracket);
        w->depth++;
        w->filled = false;
}

static void close_level(struct writer *w, char bracket)
{
        w->depth--;
        cor_text_printf(w->out, "\n%*s%c", INDENT * w->depth, "", bracket);
        w->filled = true;
}

static void text(struct writer *w, const char *key, const char *value)
{
        item(w, key);
        cor_text_add_json(w->out, value);
}

static void truth(struct writer *w, const char *key, bool value)
{
        item(w, key);
        cor_text_add(w->out, value ? "true" : "false");
}

static void words(struct writer *w, const char *key, const char *const *list)
{
        open_level(w, key, '[');
        for (; *list; list++)
                text(w, NULL, *list);
        close_level(w, ']');
}

static int compare_words(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void words_of_table(struct writer *w, const char *key, const struct cor_word *table)
{
        const char *list[WORDS_MAX];
        size_t n = 0;

        for (; table[n].word && n + 1 < WORDS_MAX; n++)
                list[n] = table[n].word;
        list[n] = NULL;
        qsort(list, n, sizeof *list, compare_words);
        words(w, key, list);
}

static void object_enabled(struct writer *w, const char *key)
{
        open_level(w, key, '{');
        truth(w, "enabled", true);
        close_level(w, '}');
}

static void mount_options(struct writer *w)
{
        const char *word;
        size_t i = 0;

        open_level(w, "mountOptions", '[');
        while ((word = mount_option_next(&i)) != NULL)
                text(w, NULL, word);
        close_level(w, ']');
}

static void capabilities(struct writer *w)
{
        open_level(w, "capabilities", '[');
        for (int i = 0; caps_name(i); i++)
                text(w, NULL, caps_name(i));
        close_level(w, ']');
}

static void cgroup(struct writer *w)
{
        open_level(w, "cgroup", '{');
        truth(w, "v1", true);
        truth(w, "v2", true);
        truth(w, "systemd", CORACLE_SYSTEMD);
        truth(w, "systemdUser", CORACLE_SYSTEMD);
        truth(w, "rdma", true);
        close_level(w, '}');
}

static void seccomp(struct writer *w, const struct seccomp_features *f)
{
        open_level(w, "seccomp", '{');
        truth(w, "enabled", true);
        words(w, "actions", f->actions);
        words(w, "operators", f->operators);
        words(w, "archs", f->archs);
        words(w, "knownFlags", f->known_flags);
        words(w, "supportedFlags", f->supported_flags);
        close_level(w, '}');
}

static void linux_features(struct writer *w, const struct seccomp_features *f)
{
        open_level(w, "linux", '{');
        words_of_table(w, "namespaces", oci_namespace_words);
        capabilities(w);
        cgroup(w);
        seccomp(w, f);
        object_enabled(w, "apparmor");
        object_enabled(w, "selinux");
        open_level(w, "intelRdt", '{');
        truth(w, "enabled", true);
        truth(w, "schemata", true);
        truth(w, "monitoring", true);
        close_level(w, '}');
        open_level(w, "memoryPolicy", '{');
        words_of_table(w, "modes", oci_mempolicy_words);
        words_of_table(w, "flags", oci_mempolicy_flag_words);
        close_level(w, '}');
        open_level(w, "mountExtensions", '{');
        object_enabled(w, "idmap");
        close_level(w, '}');
        object_enabled(w, "netDevices");
        close_level(w, '}');
}

void features_print(struct cor_text *out)
{
        static const char *const hooks[] = {
                "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop", NULL
        };
        /* these make the runtime do more than the rest of config.json says; a dot at the end stands for a prefix */
        static const char *const unsafe[] = {
                "org.systemd.property.",
                "run.oci.",
                NULL,
        };
        struct writer w = { .out = out, .depth = 1 };
        struct seccomp_features f;

        seccomp_features(&f);
        cor_text_add_c(out, '{');
        text(&w, "ociVersionMin", "1.0.0");
        text(&w, "ociVersionMax", OCI_VERSION);
        words(&w, "hooks", hooks);
        mount_options(&w);
        linux_features(&w, &f);
        open_level(&w, "annotations", '{');
        text(&w, "io.github.seccomp.libseccomp.version", f.library);
        text(&w, "org.opencontainers.runc.checkpoint.enabled", "true");
        close_level(&w, '}');
        words(&w, "potentiallyUnsafeConfigAnnotations", unsafe);
        cor_text_add(out, "\n}\n");
}
