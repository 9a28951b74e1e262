/* run, create: flags to documents, the image if it is not here, the container, its start, and its streams. */
#include "cli/coracle/attach.h"
#include "cli/coracle/container_words.h"
#include "cli/coracle/settings.h"
#include "cli/coracle/verb.h"
#include "cli/coracle/verb_container.h"
#include "cli/progress.h"
#include "engine/image_platform.h"
#include "image/reference.h"

#include "base/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_REFUSED = 125, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };
enum pull { PULL_MISSING, PULL_ALWAYS, PULL_NEVER };

/* One call of either */
struct runner {
        struct invocation *in;
        const struct container_flags *flags;
        struct container_request *request;
        struct settings *settings;
        struct engine engine;
        enum pull pull;
        bool starts;
        char *id;
};

static void runner_done(struct runner *r)
{
        container_request_free(r->request);
        cor_json_free(r->settings);
        engine_done(&r->engine);
        free(r->id);
}
#define auto_runner COR_CLEANUP(runner_done) struct runner

/* ---- documents ---- */

static int read_pull(const char *word, enum pull *ret, struct cor_err *err)
{
        static const char words[][8] = { "missing", "always", "never" };

        *ret = PULL_MISSING;
        for (size_t i = 0; i < COR_COUNT(words); i++)
                if (!word || strcmp(word, words[i]) == 0) {
                        *ret = (enum pull)i;
                        return 0;
                }
        return cor_fail(err, COR_INVALID,
                        "invalid pull option: '%.50s': must be one of \"always\", \"missing\" or \"never\"", word);
}

static bool has_variable(const struct docker_config *c, const char *name)
{
        size_t n = strlen(name);

        for (size_t i = 0; i < c->n_env; i++)
                if (strncmp(c->env[i], name, n) == 0 && (c->env[i][n] == '=' || !c->env[i][n]))
                        return true;
        return false;
}

/* Proxies that config.json has for containers, in both spellings of their variables */
static void add_proxies(struct runner *r)
{
        for (size_t i = 0; i < r->settings->n_proxies; i++) {
                const struct settings_proxy *p = &r->settings->proxies[i];
                const struct {
                        char upper[12], lower[12];
                        const char *value;
                } variables[] = { { "HTTP_PROXY", "http_proxy", p->http },
                                  { "HTTPS_PROXY", "https_proxy", p->https },
                                  { "FTP_PROXY", "ftp_proxy", p->ftp },
                                  { "NO_PROXY", "no_proxy", p->no },
                                  { "ALL_PROXY", "all_proxy", p->all } };
                struct docker_config *c = &r->request->config;

                if (strcmp(p->key, "default") != 0)
                        continue;
                for (size_t v = 0; v < COR_COUNT(variables); v++) {
                        const char *names[] = { variables[v].upper, variables[v].lower };

                        for (size_t n = 0; n < 2 && variables[v].value; n++)
                                if (!has_variable(c, names[n]))
                                        request_add(r->request, &c->env, &c->n_env,
                                                    request_printf(r->request, "%s=%s", names[n], variables[v].value));
                }
        }
}

static int prepare(struct runner *r, struct cor_err *err)
{
        struct monitor_size size = attach_size();

        if (read_pull(r->flags->pull, &r->pull, err) < 0 || settings_load(&r->settings, err) < 0 ||
            container_request_make(r->flags, r->in->args, r->in->n_args, &r->request, err) < 0 ||
            container_flags_refuse(r->flags, err) < 0)
                return -1;
        add_proxies(r);
        r->request->host.console_size[0] = size.rows;
        r->request->host.console_size[1] = size.columns;
        return 0;
}

/* ---- the image ---- */

static void on_update(void *context, const struct transfer_progress *u)
{
        const struct progress_change c = { .id = u->id, .status = u->status, .current = u->current, .total = u->total };

        progress_show(context, &c);
}

static void say_pulled(const struct image_pulled *p)
{
        auto_reference ref = { 0 };
        auto_str name = reference_parse(p->full, &ref, NULL) == 0 ? reference_familiar(&ref) : cor_strdup(p->full);

        if (digest_set(&p->digest))
                verb_say("Digest: %s", p->digest.text);
        verb_say("Status: %s for %s", p->newer ? "Downloaded newer image" : "Image is up to date", name);
}

/* Standard output is the container's: all this is said beside it. */
static int pull_image(struct runner *r, struct cor_err *err)
{
        const struct image_pull pull = { .reference = r->in->args[0], .platform = r->flags->platform };
        auto_progress progress = progress_new(STDERR_FILENO);
        const struct engine_progress updates = { .update = on_update, .context = progress };
        auto_image_pulled pulled = { 0 };

        engine_forget_ahead(&r->engine);
        if (engine_pull(&r->engine, &pull, r->flags->quiet ? NULL : &updates, &pulled, err) < 0)
                return -1;
        if (!r->flags->quiet)
                say_pulled(&pulled);
        return 0;
}

/* An image that comes with the installation needs no registry, and so is there for --pull=never as well. */
static int get_missing(struct runner *r, struct cor_err *err)
{
        auto_reference ref = { 0 };
        auto_str name = NULL;
        struct cor_err missing = *err;
        int loaded;

        if (reference_parse(r->in->args[0], &ref, err) < 0)
                return -1;
        loaded = engine_load_builtin(&r->engine, r->in->args[0], r->flags->platform, err);
        if (loaded != 0)
                return loaded < 0 ? -1 : 0;
        *err = missing;
        if (r->pull != PULL_MISSING)
                return -1;
        cor_err_clear(err);
        (void)reference_default_tag(&ref);
        name = reference_familiar(&ref);
        if (!r->flags->quiet)
                verb_say("Unable to find image '%s' locally", name);
        return pull_image(r, err);
}

/* ---- the container ---- */

static int make_container(struct runner *r, struct cor_strv *warnings, struct cor_err *err)
{
        const struct container_new n = { .name = r->flags->name,
                                         .platform = r->flags->platform,
                                         .config = &r->request->config,
                                         .host_config = &r->request->host,
                                         .networking = &r->request->networking };
        auto_image_row image = { 0 };
        struct cor_err ignored = { 0 };

        if (r->pull == PULL_ALWAYS && pull_image(r, err) < 0)
                return -1;
        if (engine_create_container(&r->engine, &n, warnings, &r->id, err) == 0)
                return 0;
        if (err->kind != COR_NOT_FOUND || r->pull == PULL_ALWAYS ||
            (engine_image(&r->engine, r->in->args[0], &image, &ignored) == 0 &&
             image_require_platform(&image, r->flags->platform, r->in->args[0], &ignored) == 0))
                return -1; /* something else is not there */
        return get_missing(r, err) < 0 ? -1 : engine_create_container(&r->engine, &n, warnings, &r->id, err);
}

static int make(struct runner *r, struct cor_strv *warnings, struct cor_err *err)
{
        if (r->starts)
                engine_start_ahead(&r->engine);
        return make_container(r, warnings, err);
}

static void say_warnings(const struct runner *r, const struct cor_strv *warnings)
{
        const struct docker_host_config *h = &r->request->host;

        for (size_t i = 0; i < warnings->n_items; i++)
                verb_say("WARNING: %s", warnings->items[i]);
        for (size_t i = 0; i < h->n_dns; i++)
                if (cor_starts_with(h->dns[i], "127.") || strcmp(h->dns[i], "::1") == 0) {
                        verb_say("WARNING: Localhost DNS (%s) may fail in containers.", h->dns[i]);
                        break;
                }
}

/* --cidfile: made before the container is, and gone again if there will be none. */
static int open_id_file(const char *path, struct cor_err *err)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

        if (fd < 0 && errno == EEXIST)
                return cor_fail(err, COR_EXISTS,
                                "container ID file found, make sure the other container isn't running or delete %s",
                                path);
        return fd < 0 ? cor_fail_errno(err, "failed to create the container ID file: open %s", path) : fd;
}

static int create(struct runner *r, struct cor_err *err)
{
        const char *path = r->flags->cidfile;
        auto_fd file = path ? open_id_file(path, err) : -1;
        auto_strv warnings = { 0 };

        if (path && file < 0)
                return -1;
        if (verb_engine(r->in, &r->engine, err) < 0 || make(r, &warnings, err) < 0) {
                if (path)
                        unlink(path);
                return -1;
        }
        say_warnings(r, &warnings);
        return path ? cor_write_full(file, r->id, strlen(r->id), err) : 0;
}

static int print_id(const struct runner *r, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT;

        cor_text_printf(&t, "%s\n", r->id);
        return verb_print(&t, err);
}

static int run_create(struct invocation *in, struct cor_err *err)
{
        auto_runner r = { .in = in, .flags = in->options };

        if (prepare(&r, err) < 0)
                return verb_refuse(in, err, EXIT_REFUSED);
        return create(&r, err) < 0 ? -1 : print_id(&r, err);
}

/* ---- run ---- */

static int start_code(const struct cor_err *err)
{
        return err->kind == COR_EXEC_MISSING   ? EXIT_NOT_FOUND
               : err->kind == COR_EXEC_REFUSED ? EXIT_CANNOT_RUN
                                               : EXIT_REFUSED;
}

static int run_detached(struct runner *r, struct cor_err *err)
{
        if (print_id(r, err) < 0)
                return -1;
        if (engine_start_container(&r->engine, r->id, NULL, NULL, NULL, err) < 0)
                return verb_refuse(r->in, err, start_code(err));
        return 0;
}

static int run_attached(struct runner *r, struct cor_err *err)
{
        const struct docker_config *c = &r->request->config;
        const struct monitor_attach streams = { .in = c->attach_stdin && c->open_stdin,
                                                .out = c->attach_stdout,
                                                .err = c->attach_stderr };
        const struct monitor_size size = attach_size();
        auto_attach a = { .tty = c->tty,
                          .in = streams.in,
                          .out = streams.out,
                          .err = streams.err,
                          .proxy = !r->flags->no_sig_proxy };
        const char *keys = r->flags->detach_keys ? r->flags->detach_keys : r->settings->detach_keys;
        auto_fd sock = -1;

        if (detach_parse(keys, &a.detach, err) < 0 || attach_begin(&a, err) < 0)
                return -1;
        if (engine_start_container(&r->engine, r->id, &streams, c->tty ? &size : NULL, &sock, err) < 0) {
                attach_end(&a);
                return verb_refuse(r->in, err, start_code(err));
        }
        if (attach_monitor(&a, &r->engine, r->id, sock, &r->in->code, err) < 0)
                return -1;
        return 0;
}

/* What cannot be is said before there is a container. */
static int check_streams(struct runner *r, struct cor_err *err)
{
        struct docker_config *c = &r->request->config;
        struct detach keys;

        if (!r->flags->detach)
                return r->flags->detach_keys && detach_parse(r->flags->detach_keys, &keys, err) < 0
                               ? cor_wrap(err, "invalid detach keys")
                               : attach_check(c->tty, c->attach_stdin, err);
        if (r->flags->attach.n_items > 0)
                return cor_fail(err, COR_INVALID, "conflicting options: cannot specify both --attach and --detach");
        c->attach_stdin = c->attach_stdout = c->attach_stderr = c->stdin_once = false;
        return 0;
}

static int run_run(struct invocation *in, struct cor_err *err)
{
        auto_runner r = { .in = in, .flags = in->options, .starts = true };
        const struct docker_config *c;

        if (prepare(&r, err) < 0)
                return verb_refuse(in, err, EXIT_REFUSED);
        if (check_streams(&r, err) < 0)
                return -1;
        if (create(&r, err) < 0)
                return verb_refuse(in, err, EXIT_REFUSED);
        c = &r.request->config;
        if (!c->attach_stdin && !c->attach_stdout && !c->attach_stderr)
                return run_detached(&r, err);
        return run_attached(&r, err);
}

const struct verb verb_run = {
        .summary = "Make a container from an image, and run it",
        .arguments = "IMAGE [COMMAND] [ARG...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .in_order = true,
        .options_size = sizeof(struct container_flags),
        .options = container_rows,
        .n_options = CONTAINER_N_ROWS,
        .run = run_run,
};

const struct verb verb_create = {
        .summary = "Make a container",
        .arguments = "IMAGE [COMMAND] [ARG...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .in_order = true,
        .options_size = sizeof(struct container_flags),
        .options = container_rows + CONTAINER_RUN_ONLY,
        .n_options = CONTAINER_N_ROWS - CONTAINER_RUN_ONLY,
        .run = run_create,
};
