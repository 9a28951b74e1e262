/*
 * json-file, docker's format on disk: containers/<id>/<id>-json.log, one object a line. What came in one piece is
 * written in one piece; a file that got only a part of it (a full disk) is cut back to its last whole line. A file that
 * is full is renamed to <id>-json.log.1, and so on.
 */
#include "monitor/log.h"

#include "base/fd.h"
#include "monitor/log_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEEP_BYTES = 4096 };

struct log_json {
        int folder; /* containers/<id> */
        char *name; /* of the file that grows */
        int fd;
        off_t size;
        off_t max_size; /* 0: no limit */
        unsigned max_file;
        char *attrs;           /* what each line carries: ",\"attrs\":{…}", or "" */
        struct cor_text lines; /* not written yet */
};

static void json_close(void *log)
{
        struct log_json *l = log;

        cor_text_done(&l->lines);
        cor_fd_close(&l->fd);
        cor_fd_close(&l->folder);
        free(l->attrs);
        free(l->name);
        free(l);
}

static void log_json_free(struct log_json **l)
{
        if (*l)
                json_close(*l);
}

/* --- attributes ----------------------------------------------------------------------------------------------------
 */

struct attrs {
        struct cor_pair *items; /* keys and values borrowed */
        size_t n_items;
};

static void attrs_done(struct attrs *a)
{
        free(a->items);
}

/* Those of @from, KEY=VALUE each, whose key is among @wanted */
static void add_wanted(struct attrs *a, const struct cor_strv *wanted, const struct cor_strv *from)
{
        for (size_t i = 0; i < wanted->n_items; i++)
                for (size_t k = 0; k < from->n_items; k++) {
                        size_t n = strlen(wanted->items[i]);

                        if (strncmp(from->items[k], wanted->items[i], n) == 0 && from->items[k][n] == '=')
                                *COR_GROW(a->items, a->n_items) =
                                        (struct cor_pair){ wanted->items[i], from->items[k] + n + 1 };
                }
}

static int by_key(const void *a, const void *b)
{
        const struct cor_pair *x = a, *y = b;

        return strcmp(x->key, y->key);
}

/* Sorted, as Go writes maps. */
static char *print_attrs(const struct attrs *a)
{
        struct cor_text t = COR_TEXT_INIT;

        for (size_t i = 0; i < a->n_items; i++) {
                cor_text_add(&t, i ? "," : ",\"attrs\":{");
                cor_text_add_json(&t, a->items[i].key);
                cor_text_add_c(&t, ':');
                cor_text_add_json(&t, a->items[i].value);
        }
        if (a->n_items)
                cor_text_add_c(&t, '}');
        return cor_text_take(&t);
}

static int make_attrs(const struct log_options *o, const struct log_settings *s, char **ret, struct cor_err *err)
{
        const struct log_names names = { .id = o->id, .name = o->name, .image = o->image, .image_id = o->image_id };
        COR_CLEANUP(attrs_done) struct attrs a = { 0 };
        auto_str tag = NULL;

        add_wanted(&a, &s->labels, o->labels);
        add_wanted(&a, &s->env, o->env);
        if (s->tag && log_tag(s->tag, &names, &tag, err) < 0)
                return -1;
        if (tag)
                *COR_GROW(a.items, a.n_items) = (struct cor_pair){ "tag", tag };
        if (a.n_items)
                qsort(a.items, a.n_items, sizeof *a.items, by_key);
        *ret = print_attrs(&a);
        return 0;
}

/* --- files ---------------------------------------------------------------------------------------------------------
 */

static int open_file(struct log_json *l, struct cor_err *err)
{
        struct stat st;

        l->fd = openat(l->folder, l->name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640);
        if (l->fd < 0 || fstat(l->fd, &st) < 0)
                return cor_fail_errno(err, "open %s", l->name);
        l->size = st.st_size;
        return 0;
}

/* NAME becomes NAME.1, that NAME.2, …; the oldest goes. With one file alone, it is begun anew. */
static int rotate(struct log_json *l, struct cor_err *err)
{
        for (unsigned i = l->max_file - 1; i > 0; i--) {
                auto_str to = cor_printf("%s.%u", l->name, i);
                auto_str from = i > 1 ? cor_printf("%s.%u", l->name, i - 1) : cor_strdup(l->name);

                if (renameat(l->folder, from, l->folder, to) < 0 && errno != ENOENT)
                        return cor_fail_errno(err, "rename %s", from);
        }
        if (l->max_file == 1 && unlinkat(l->folder, l->name, 0) < 0 && errno != ENOENT)
                return cor_fail_errno(err, "remove %s", l->name);
        cor_fd_close(&l->fd);
        return open_file(l, err);
}

static int read_settings(const struct log_options *o, struct log_settings *ret, struct cor_err *err)
{
        auto_free struct cor_pair *pairs = cor_alloc((o->options->n_items + 1) * sizeof *pairs);
        auto_strv keys = { 0 };

        for (size_t i = 0; i < o->options->n_items; i++) {
                const char *word = o->options->items[i];
                size_t n = strcspn(word, "=");

                cor_strv_take(&keys, cor_strndup(word, n));
                pairs[i] = (struct cor_pair){ keys.items[i], word[n] ? word + n + 1 : "" };
        }
        return log_settings_read(o->type, pairs, o->options->n_items, ret, err);
}

static int json_open(const struct log_options *o, void **ret, struct cor_err *err)
{
        COR_CLEANUP(log_json_free) struct log_json *l = cor_alloc(sizeof *l);
        auto_log_settings s = { 0 };

        l->fd = l->folder = -1;
        l->name = cor_printf("%s-json.log", o->id);
        if (read_settings(o, &s, err) < 0 || make_attrs(o, &s, &l->attrs, err) < 0)
                return -1;
        l->max_size = s.max_size > INT64_MAX ? 0 : (off_t)s.max_size;
        l->max_file = s.max_file;
        l->folder = open(o->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (l->folder < 0)
                return cor_fail_errno(err, "open %s", o->folder);
        if (open_file(l, err) < 0)
                return -1;
        *ret = COR_TAKE(l);
        return 0;
}

/* Text as a JSON string, as Go's encoder writes it; a message has no NUL that would end it. */
static void add_escaped(struct cor_text *t, const char *text, size_t n)
{
        auto_str copy = NULL;

        if (!memchr(text, '\0', n)) {
                copy = cor_strndup(text, n);
                cor_text_add_json(t, copy);
                t->len--; /* the closing quote */
                return;
        }
        cor_text_add_c(t, '"');
        for (size_t at = 0; at < n;) {
                size_t len = strnlen(text + at, n - at);
                auto_text piece = COR_TEXT_INIT;
                auto_str part = cor_strndup(text + at, len);

                cor_text_add_json(&piece, part);
                cor_text_add_n(t, piece.s + 1, piece.len - 2);
                if (at + len < n)
                        cor_text_add(t, "\\u0000");
                at += len + 1;
        }
}

static void add_time(struct cor_text *t, const struct timespec *time)
{
        char text[64], *end;
        struct tm tm;
        size_t n;

        gmtime_r(&time->tv_sec, &tm);
        n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
        end = text + n + snprintf(text + n, sizeof text - n, ".%09ld", time->tv_nsec);
        while (end[-1] == '0')
                end--;
        if (end[-1] == '.')
                end--;
        cor_text_add_n(t, text, (size_t)(end - text));
}

/* What was kept back, in one write. */
static int write_lines(struct log_json *l, struct cor_err *err)
{
        int r = l->lines.len ? cor_write_full(l->fd, l->lines.s, l->lines.len, err) : 0;

        if (r == 0)
                l->size += (off_t)l->lines.len;
        else
                (void)!ftruncate(l->fd, l->size);
        l->lines.len = 0;
        return r;
}

/* As docker, a file is full once it has its bytes: the last line may lie over. */
static bool is_full(const struct log_json *l)
{
        return l->max_size > 0 && l->size + (off_t)l->lines.len >= l->max_size;
}

static int json_write(void *log, const struct log_message *m, struct cor_err *err)
{
        struct log_json *l = log;

        if (is_full(l) && (write_lines(l, err) < 0 || rotate(l, err) < 0))
                return -1;
        cor_text_add(&l->lines, "{\"log\":");
        add_escaped(&l->lines, m->text, m->n);
        cor_text_add(&l->lines, m->partial ? "\",\"stream\":\"" : "\\n\",\"stream\":\"");
        cor_text_add(&l->lines, m->stream == LOG_STDOUT ? "stdout" : "stderr");
        cor_text_add_c(&l->lines, '"');
        cor_text_add(&l->lines, l->attrs);
        cor_text_add(&l->lines, ",\"time\":\"");
        add_time(&l->lines, &m->time);
        cor_text_add(&l->lines, "Z\"}\n");
        return 0;
}

static int json_flush(void *log, struct cor_err *err)
{
        struct log_json *l = log;
        int r = write_lines(l, err);

        if (l->lines.room > KEEP_BYTES)
                cor_text_done(&l->lines);
        return r;
}

const struct log_driver log_json_driver = {
        .name = "json-file", .open = json_open, .write = json_write, .flush = json_flush, .close = json_close
};
