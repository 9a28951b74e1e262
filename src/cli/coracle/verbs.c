#include "cli/coracle/verb.h"

#include "base/fd.h"
#include "cli/rune.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct verb_group verb_groups[] = {
        { "container", "Work with containers" },
        { "image", "Work with images" },
        { "manifest", "Look at manifests, and put lists of them together" },
        { "network", "Work with networks" },
        { "system", "Look after the store, start and stop all" },
        { "volume", "Work with volumes" },
};
const size_t verb_n_groups = COR_COUNT(verb_groups);

/* In the order of help. The first place of a verb is the one that its other places are aliases of. */
const struct verb_place verb_places[] = {
        { "", "run", "", &verb_run },
        { "", "exec", "", &verb_exec },
        { "", "ps", "", &verb_ps },
        { "", "pull", "", &verb_pull },
        { "", "push", "", &verb_push },
        { "", "images", "", &verb_images },
        { "", "login", "", &verb_login },
        { "", "logout", "", &verb_logout },
        { "", "search", "", &verb_search },
        { "", "version", "", &verb_version },
        { "", "info", "", &verb_info },
        { "", "completion", "", &verb_completion },
        { "", "attach", "", &verb_attach },
        { "", "commit", "", &verb_commit },
        { "", "cp", "", &verb_cp },
        { "", "create", "", &verb_create },
        { "", "diff", "", &verb_diff },
        { "", "events", "", &verb_events },
        { "", "export", "", &verb_export },
        { "", "history", "", &verb_history },
        { "", "import", "", &verb_import },
        { "", "inspect", "", &verb_inspect },
        { "", "kill", "", &verb_kill },
        { "", "load", "", &verb_load },
        { "", "logs", "", &verb_logs },
        { "", "pause", "", &verb_pause },
        { "", "port", "", &verb_port },
        { "", "rename", "", &verb_rename },
        { "", "restart", "", &verb_restart },
        { "", "rm", "", &verb_rm },
        { "", "rmi", "", &verb_rmi },
        { "", "save", "", &verb_save },
        { "", "start", "", &verb_start },
        { "", "stats", "", &verb_stats },
        { "", "stop", "", &verb_stop },
        { "", "tag", "", &verb_tag },
        { "", "top", "", &verb_top },
        { "", "unpause", "", &verb_unpause },
        { "", "update", "", &verb_update },
        { "", "wait", "", &verb_wait },
        { "container", "attach", "", &verb_attach },
        { "container", "commit", "", &verb_commit },
        { "container", "cp", "", &verb_cp },
        { "container", "create", "", &verb_create },
        { "container", "diff", "", &verb_diff },
        { "container", "exec", "", &verb_exec },
        { "container", "export", "", &verb_export },
        { "container", "inspect", "", &verb_container_inspect },
        { "container", "kill", "", &verb_kill },
        { "container", "logs", "", &verb_logs },
        { "container", "ls", "list", &verb_ps },
        { "container", "pause", "", &verb_pause },
        { "container", "port", "", &verb_port },
        { "container", "prune", "", &verb_container_prune },
        { "container", "ps", "", &verb_ps },
        { "container", "rename", "", &verb_rename },
        { "container", "restart", "", &verb_restart },
        { "container", "rm", "remove", &verb_rm },
        { "container", "run", "", &verb_run },
        { "container", "start", "", &verb_start },
        { "container", "stats", "", &verb_stats },
        { "container", "stop", "", &verb_stop },
        { "container", "top", "", &verb_top },
        { "container", "unpause", "", &verb_unpause },
        { "container", "update", "", &verb_update },
        { "container", "wait", "", &verb_wait },
        { "image", "history", "", &verb_history },
        { "image", "import", "", &verb_import },
        { "image", "inspect", "", &verb_image_inspect },
        { "image", "load", "", &verb_load },
        { "image", "ls", "list", &verb_images },
        { "image", "prune", "", &verb_image_prune },
        { "image", "pull", "", &verb_pull },
        { "image", "push", "", &verb_push },
        { "image", "rm", "remove", &verb_rmi },
        { "image", "save", "", &verb_save },
        { "image", "tag", "", &verb_tag },
        { "manifest", "annotate", "", &verb_manifest_annotate },
        { "manifest", "create", "", &verb_manifest_create },
        { "manifest", "inspect", "", &verb_manifest_inspect },
        { "manifest", "push", "", &verb_manifest_push },
        { "manifest", "rm", "", &verb_manifest_rm },
        { "network", "connect", "", &verb_network_connect },
        { "network", "create", "", &verb_network_create },
        { "network", "disconnect", "", &verb_network_disconnect },
        { "network", "inspect", "", &verb_network_inspect },
        { "network", "ls", "list", &verb_network_ls },
        { "network", "prune", "", &verb_network_prune },
        { "network", "rm", "remove", &verb_network_rm },
        { "system", "check", "", &verb_check },
        { "system", "df", "", &verb_df },
        { "system", "doctor", "", &verb_doctor },
        { "system", "events", "", &verb_events },
        { "system", "info", "", &verb_info },
        { "system", "prune", "", &verb_system_prune },
        { "system", "start", "", &verb_system_start },
        { "system", "stop", "", &verb_system_stop },
        { "volume", "create", "", &verb_volume_create },
        { "volume", "inspect", "", &verb_volume_inspect },
        { "volume", "ls", "list", &verb_volume_ls },
        { "volume", "prune", "", &verb_volume_prune },
        { "volume", "rm", "remove", &verb_volume_rm },
};
const size_t verb_n_places = COR_COUNT(verb_places);

const struct verb_place *verb_find(const char *group, const char *name)
{
        for (size_t i = 0; i < verb_n_places; i++) {
                const struct verb_place *p = &verb_places[i];

                if (strcmp(p->group, group) == 0 &&
                    (strcmp(p->name, name) == 0 || (p->alias[0] && strcmp(p->alias, name) == 0)))
                        return p;
        }
        return NULL;
}

const struct verb_group *verb_group_find(const char *name)
{
        for (size_t i = 0; i < verb_n_groups; i++)
                if (strcmp(verb_groups[i].name, name) == 0)
                        return &verb_groups[i];
        return NULL;
}

char *verb_path(const struct verb_place *p)
{
        return cor_printf("coracle %s%s%s", p->group, p->group[0] ? " " : "", p->name);
}

struct option_set verb_option_set(const struct verb *v)
{
        return (struct option_set){
                .items = v->options, .n_items = v->n_options, .dialect = OPTION_DIALECT_PFLAG, .in_order = v->in_order
        };
}

int verb_engine(const struct invocation *in, struct engine *ret, struct cor_err *err)
{
        return engine_open(in->globals->root, ret, err);
}

int verb_print(const struct cor_text *t, struct cor_err *err)
{
        if (t->len > 0 && cor_write_full(STDOUT_FILENO, t->s, t->len, err) < 0)
                return cor_wrap(err, "standard output");
        return 0;
}

static bool is_command(uint32_t rune)
{
        return (rune < 0x20 && rune != '\n' && rune != '\t') || (rune >= 0x7f && rune < 0xa0);
}

void verb_add_foreign(const char *s, size_t n, struct cor_text *out)
{
        bool terminal = isatty(STDOUT_FILENO);
        uint32_t rune;

        for (size_t i = 0, len; i < n; i += len) {
                len = rune_next(s + i, n - i, &rune);
                if (terminal && (is_command(rune) || (rune == RUNE_ERROR && len == 1)))
                        cor_text_add_c(out, '?');
                else
                        cor_text_add_n(out, s + i, len);
        }
}

int verb_to_file(const char *path, int (*write)(void *context, int fd, struct cor_err *err), void *context,
                 struct cor_err *err)
{
        auto_str beside = cor_printf("%s.XXXXXX", path);
        mode_t mask = umask(0);
        struct stat st;
        auto_fd fd = -1;
        int r;

        umask(mask);
        if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
                fd = open(path, O_WRONLY | O_CLOEXEC);
                return fd < 0 ? cor_fail_errno(err, "open %s", path) : write(context, fd, err);
        }
        fd = mkostemp(beside, O_CLOEXEC);
        if (fd < 0)
                return cor_fail_errno(err, "make a file beside %s", path);
        r = write(context, fd, err);
        if (r == 0 && (fchmod(fd, 0666 & ~mask) < 0 || rename(beside, path) < 0))
                r = cor_fail_errno(err, "rename %s to %s", beside, path);
        if (r < 0)
                unlink(beside);
        return r;
}

void verb_say(const char *fmt, ...)
{
        auto_str line = NULL;
        va_list ap;

        va_start(ap, fmt);
        if (vasprintf(&line, fmt, ap) < 0)
                line = NULL;
        va_end(ap);
        if (line)
                fprintf(stderr, "%s\n", line);
}

int verb_confirm(const char *warning, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT;
        char answer[16];
        ssize_t n;

        cor_text_printf(&t, "%sAre you sure you want to continue? [y/N] ", warning);
        if (verb_print(&t, err) < 0)
                return -1;
        n = read(STDIN_FILENO, answer, sizeof answer);
        return n > 0 && (answer[0] == 'y' || answer[0] == 'Y') && (n == 1 || answer[1] == '\n' || answer[1] == '\r');
}

int verb_filters(const struct option *row, char **items, size_t n, struct cor_err *err)
{
        for (size_t i = 0; i < n; i++)
                if (!strchr(items[i], '='))
                        return cor_fail(err, COR_INVALID,
                                        "invalid argument \"%s\" for \"--%s\" flag: bad format of filter (expected "
                                        "name=value)",
                                        items[i], row->name);
        return 0;
}

const char *verb_short_id(const struct digest *d, char *buf)
{
        snprintf(buf, 13, "%.12s", digest_hex(d));
        return buf;
}
