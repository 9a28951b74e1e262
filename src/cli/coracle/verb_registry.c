/* login, logout, search, manifest inspect. */
#include "base/fd.h"
#include "cli/coracle/verb.h"
#include "cli/rune.h"
#include "registry/config.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD_MAX_BYTES = 64 << 10, SEARCH_LIMIT_MAX = 100 };

static const char docker_io[] = "docker.io";

/* "https://index.docker.io/v1/" is docker.io; free() */
static char *domain_of(const char *server)
{
        auto_str domain = NULL;
        const char *scheme = server ? strstr(server, "://") : NULL;

        if (!server || !*server)
                return cor_strdup(docker_io);
        server = scheme ? scheme + 3 : server;
        domain = cor_strndup(server, strcspn(server, "/"));
        if (strcmp(domain, "index.docker.io") == 0 || strcmp(domain, "registry-1.docker.io") == 0)
                return cor_strdup(docker_io);
        return COR_TAKE(domain);
}

/* How the credentials are called in config.json */
static const char *shown(const char *domain)
{
        return strcmp(domain, docker_io) == 0 ? "https://index.docker.io/v1/" : domain;
}

/* ---- login ---- */

struct login_options {
        const char *user, *password;
        bool password_stdin;
};

/* A line of standard input; @stop ends it as an interrupt, 0: nothing does. free() *ret */
static int read_line(char stop, char **ret, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT;
        char c = 0;
        ssize_t n;

        while ((n = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n' && t.len < PASSWORD_MAX_BYTES) {
                if (stop && c == stop)
                        return cor_fail(err, COR_BUSY, "interrupted");
                cor_text_add_c(&t, c);
        }
        if (n < 0)
                return cor_fail_errno(err, "read from the terminal");
        *ret = cor_strndup(t.s ? t.s : "", t.len);
        return 0;
}

/* Without echo; and Ctrl-C is a letter meanwhile, so that the echo is there again when it ends us. */
static int read_secret(char **ret, struct cor_err *err)
{
        struct termios old, quiet;
        int r;

        if (tcgetattr(STDIN_FILENO, &old) < 0)
                return cor_fail_errno(err, "look at the terminal");
        quiet = old;
        quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
        if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) < 0)
                return cor_fail_errno(err, "switch off the terminal's echo");
        r = read_line((char)old.c_cc[VINTR], ret, err);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
        (void)!write(STDOUT_FILENO, "\n", 1);
        return r;
}

static int ask(const char *prompt, bool secret, char **ret, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT;

        cor_text_add(&t, prompt);
        if (verb_print(&t, err) < 0)
                return -1;
        return secret ? read_secret(ret, err) : read_line(0, ret, err);
}

/* All of standard input, without its last line break */
static int read_password(char **ret, struct cor_err *err)
{
        auto_str text = cor_alloc(PASSWORD_MAX_BYTES + 1);
        ssize_t n = cor_read_full(STDIN_FILENO, text, PASSWORD_MAX_BYTES + 1, err);

        if (n < 0)
                return -1;
        if (n > PASSWORD_MAX_BYTES)
                return cor_fail(err, COR_INVALID, "the password is longer than %d bytes", PASSWORD_MAX_BYTES);
        while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
                n--;
        text[n] = '\0';
        *ret = COR_TAKE(text);
        return 0;
}

static int check_login(const struct login_options *o, struct cor_err *err)
{
        if (o->password && o->password_stdin)
                return cor_fail(err, COR_INVALID, "--password and --password-stdin are mutually exclusive");
        if (o->password_stdin && !o->user)
                return cor_fail(err, COR_INVALID, "Must provide --username with --password-stdin");
        if (o->password)
                verb_say("WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
        if (!o->password_stdin && (!o->user || !o->password) && !isatty(STDIN_FILENO))
                return cor_fail(err, COR_INVALID, "Cannot perform an interactive login from a non TTY device");
        return 0;
}

static int credentials(const struct login_options *o, struct registry_auth *ret, struct cor_err *err)
{
        if (check_login(o, err) < 0)
                return -1;
        ret->user = cor_strdup(o->user);
        ret->password = cor_strdup(o->password);
        if (o->password_stdin)
                return read_password(&ret->password, err);
        if (!ret->user && ask("Username: ", false, &ret->user, err) < 0)
                return -1;
        if (!*ret->user)
                return cor_fail(err, COR_INVALID, "username is required");
        if (!ret->password && ask("Password: ", true, &ret->password, err) < 0)
                return -1;
        return *ret->password ? 0 : cor_fail(err, COR_INVALID, "password is required");
}

static int run_login(struct invocation *in, struct cor_err *err)
{
        auto_str domain = domain_of(in->n_args > 0 ? in->args[0] : NULL);
        auto_registry_config config = { 0 };
        auto_registry_auth auth = { 0 };
        auto_text t = COR_TEXT_INIT;
        auto_engine e = { 0 };
        auto_str token = NULL;

        if (credentials(in->options, &auth, err) < 0 || registry_config_load(&config, err) < 0 ||
            verb_engine(in, &e, err) < 0 || engine_login(&e, domain, auth.user, auth.password, &token, err) < 0)
                return -1;
        if (token && *token) { /* is stored instead of the password */
                auth.identity_token = COR_TAKE(token);
                free(COR_TAKE(auth.password));
        }
        if (registry_auth_store(&config, domain, &auth, err) < 0)
                return -1;
        cor_text_add(&t, "Login Succeeded\n");
        return verb_print(&t, err);
}

static const struct option login_rows[] = {
        OPTION_ROW("password", 'p', TEXT, struct login_options, password, "string", 0,
                   "The password; others on this machine can see it"),
        OPTION_ROW("password-stdin", 0, FLAG, struct login_options, password_stdin, "", 0,
                   "Read the password from standard input"),
        OPTION_ROW("username", 'u', TEXT, struct login_options, user, "string", 0, "The name of the user"),
};

const struct verb verb_login = {
        .summary = "Check credentials at a registry, and keep them",
        .arguments = "[SERVER]",
        .max_args = 1,
        .options_size = sizeof(struct login_options),
        .options = login_rows,
        .n_options = COR_COUNT(login_rows),
        .run = run_login,
};

static int run_logout(struct invocation *in, struct cor_err *err)
{
        auto_str domain = domain_of(in->n_args > 0 ? in->args[0] : NULL);
        auto_registry_config config = { 0 };
        auto_registry_auth auth = { 0 };
        auto_text t = COR_TEXT_INIT;
        int found;

        if (registry_config_load(&config, err) < 0)
                return -1;
        found = registry_auth_find(&config, domain, &auth, err);
        if (found < 0)
                return -1;
        cor_text_printf(&t, "%s %s\n", found ? "Removing login credentials for" : "Not logged in to", shown(domain));
        if (verb_print(&t, err) < 0)
                return -1;
        return found ? registry_auth_erase(&config, domain, err) : 0;
}

const struct verb verb_logout = {
        .summary = "Forget the credentials for a registry",
        .arguments = "[SERVER]",
        .max_args = 1,
        .run = run_logout,
};

/* ---- search ---- */

struct search_options {
        bool no_trunc;
        int limit;
        const char *format;
        char **filters;
        size_t n_filters;
};

enum { DESCRIPTION_SHOWN = 45, SEARCH_LIMIT = 25 };

static const struct format_heading search_headings[] = {
        { "Name", "NAME" },           { "Description", "DESCRIPTION" }, { "StarCount", "STARS" },
        { "IsOfficial", "OFFICIAL" }, { "IsAutomated", "AUTOMATED" },
};

static const struct value *member(const struct value *v, const char *name)
{
        const struct value *found = value_find(v, name, strlen(name));

        return found ? found : &value_nil;
}

static const char *text_of(const struct value *v)
{
        return value_is_text(v) ? v->text : "";
}

/* In one line, and at most 45 letters */
static void add_description(const struct value *v, bool whole, struct cor_text *out)
{
        const char *s = text_of(v);
        size_t n = strlen(s), end = 0;
        uint32_t rune;

        if (!whole && rune_count(s, n) > DESCRIPTION_SHOWN) {
                for (int i = 0; i < DESCRIPTION_SHOWN - 1; i++)
                        end += rune_next(s + end, n - end, &rune);
                n = end;
        }
        verb_add_foreign(s, n, out);
        for (size_t i = 0; i < out->len; i++)
                if (out->s[i] == '\n' || out->s[i] == '\r' || out->s[i] == '\t')
                        out->s[i] = ' ';
        if (end > 0)
                cor_text_add(out, "…");
}

/* "stars=3", "is-official=true", "is-automated=false": 1 it fits, 0 not */
static int passes(const struct search_options *o, const struct value *v, struct cor_err *err)
{
        for (size_t i = 0; i < o->n_filters; i++) {
                const char *f = o->filters[i], *value = strchr(f, '=') + 1;
                uint64_t stars = 0, wanted;
                bool on = value_truth(member(v, cor_starts_with(f, "is-official=") ? "is_official" : "is_automated"));

                if (cor_starts_with(f, "stars=")) {
                        if (cor_parse_u64(value, &wanted) < 0)
                                return cor_fail(err, COR_INVALID, "invalid filter 'stars=%s'", value);
                        if (cor_parse_u64(text_of(member(v, "star_count")), &stars) < 0 || stars < wanted)
                                return 0;
                } else if (!cor_starts_with(f, "is-official=") && !cor_starts_with(f, "is-automated=")) {
                        return cor_fail(err, COR_INVALID, "invalid filter '%.*s'", (int)(value - f - 1), f);
                } else if (strcmp(value, "true") != 0 && strcmp(value, "1") != 0 && strcmp(value, "false") != 0 &&
                           strcmp(value, "0") != 0) {
                        return cor_fail(err, COR_INVALID, "invalid filter '%s'", f);
                } else if (on != (strcmp(value, "true") == 0 || strcmp(value, "1") == 0)) {
                        return 0;
                }
        }
        return 1;
}

static const struct value *search_row(struct value_pool *p, const struct search_options *o, const struct value *v)
{
        struct value *row = value_struct(p, "*registry.searchContext");
        auto_text description = COR_TEXT_INIT, name = COR_TEXT_INIT;

        verb_add_foreign(text_of(member(v, "name")), strlen(text_of(member(v, "name"))), &name);
        add_description(member(v, "description"), o->no_trunc, &description);
        row->html = true;
        value_field_text(p, row, "Description", description.s);
        value_field_text(p, row, "IsAutomated", value_truth(member(v, "is_automated")) ? "[OK]" : "");
        value_field_text(p, row, "IsOfficial", value_truth(member(v, "is_official")) ? "[OK]" : "");
        value_field_text(p, row, "Name", name.s);
        value_field_text(p, row, "StarCount", text_of(member(v, "star_count")));
        return row;
}

static int show_found(const struct search_options *o, const char *json, struct cor_err *err)
{
        const struct format f = {
                .given = o->format,
                .standard = "{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}",
                .headings = search_headings,
                .n_headings = COR_COUNT(search_headings),
        };
        auto_value_pool p = value_pool_new(SIZE_MAX);
        auto_free const struct value **rows = NULL;
        const struct value *all, *results;
        auto_text out = COR_TEXT_INIT;
        size_t n = 0;

        if (value_from_json(p, json, strlen(json), "the registry's answer", &all, err) < 0)
                return -1;
        results = member(all, "results");
        if (results->kind != VALUE_LIST)
                return cor_fail(err, COR_INVALID, "the registry's answer has no list of results");
        rows = cor_alloc((results->n + 1) * sizeof(const struct value *));
        for (size_t i = 0; i < results->n; i++) {
                int fits = passes(o, results->items[i], err);

                if (fits < 0)
                        return -1;
                if (fits)
                        rows[n++] = search_row(p, o, results->items[i]);
        }
        return format_rows(&f, rows, n, &out, err) < 0 ? -1 : verb_print(&out, err);
}

/* "localhost:5000/x" asks that registry; what has no registry in front asks docker.io. free() *ret */
static const char *split_term(const char *term, char **ret)
{
        size_t n = strcspn(term, "/");
        auto_str first = cor_strndup(term, n);

        if (term[n] && (strpbrk(first, ".:") || strcmp(first, "localhost") == 0)) {
                *ret = domain_of(first);
                return term + n + 1;
        }
        *ret = cor_strdup(docker_io);
        return term;
}

static const struct option search_rows[] = {
        OPTION_ROW_LIST("filter", 'f', struct search_options, filters, n_filters, "filter",
                        "Only what KEY=VALUE holds for: is-official, is-automated, stars"),
        OPTION_ROW("format", 0, TEXT, struct search_options, format, "string", 0,
                   "A Go template for each row, 'table TEMPLATE' or 'json'"),
        OPTION_ROW("limit", 0, COUNT, struct search_options, limit, "int", 0, "At most so many results, up to 100"),
        OPTION_ROW("no-trunc", 0, FLAG, struct search_options, no_trunc, "", 0, "Show descriptions in full"),
};

static int run_search(struct invocation *in, struct cor_err *err)
{
        const struct search_options *o = in->options;
        auto_str domain = NULL;
        auto_str json = NULL;
        const char *term = split_term(in->args[0], &domain);
        auto_engine e = { 0 };

        if (verb_filters(&search_rows[0], o->filters, o->n_filters, err) < 0) {
                in->code = 125;
                return -1;
        }
        if (o->limit > SEARCH_LIMIT_MAX)
                return cor_fail(err, COR_INVALID, "limit %d is outside the range of [1, %d]", o->limit,
                                SEARCH_LIMIT_MAX);
        if (verb_engine(in, &e, err) < 0 ||
            engine_search(&e, domain, term, o->limit > 0 ? (unsigned)o->limit : SEARCH_LIMIT, &json, err) < 0)
                return -1;
        return show_found(o, json, err);
}

const struct verb verb_search = {
        .summary = "Search a registry that offers it for images",
        .arguments = "TERM",
        .min_args = 1,
        .max_args = 1,
        .options_size = sizeof(struct search_options),
        .options = search_rows,
        .n_options = COR_COUNT(search_rows),
        .run = run_search,
};
