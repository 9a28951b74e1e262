#include "monitor/log_settings.h"

#include "base/text.h"

#include <string.h>

void log_settings_done(struct log_settings *s)
{
        cor_strv_done(&s->labels);
        cor_strv_done(&s->env);
        free(s->tag);
        *s = (struct log_settings){ 0 };
}

static void split(const char *value, struct cor_strv *ret)
{
        auto_str copy = cor_strdup(value);
        char *cursor = copy, *word;

        while ((word = cor_split_next(&cursor, ',')))
                if (*word)
                        cor_strv_add(ret, word);
}

/* "-1" is docker's word for no limit. */
static int read_size(const char *value, uint64_t *ret, struct cor_err *err)
{
        if (strcmp(value, "-1") == 0)
                *ret = 0;
        else if (cor_parse_size(value, ret) < 0 || *ret == 0)
                return cor_fail(err, COR_INVALID, "max-size: '%.100s': expected a positive number of bytes, as 10m",
                                value);
        return 0;
}

static int read_files(const char *value, unsigned *ret, struct cor_err *err)
{
        uint32_t files;

        if (cor_parse_u32(value, &files) < 0 || files > 1000)
                return cor_fail(err, COR_INVALID, "max-file: '%.100s': expected a number from 1 to 1000", value);
        if (files == 0)
                return cor_fail(err, COR_INVALID, "max-file cannot be less than 1");
        *ret = files;
        return 0;
}

static int not_yet(const char *key, const char *value, struct cor_err *err)
{
        return cor_fail(err, COR_UNSUPPORTED, "log opt '%s=%.100s' is not there yet", key, value);
}

static int read_option(const char *key, const char *value, struct log_settings *s, struct cor_err *err)
{
        if (strcmp(key, "max-size") == 0)
                return read_size(value, &s->max_size, err);
        if (strcmp(key, "max-file") == 0)
                return read_files(value, &s->max_file, err);
        if (strcmp(key, "labels") == 0)
                split(value, &s->labels);
        else if (strcmp(key, "env") == 0)
                split(value, &s->env);
        else if (strcmp(key, "tag") == 0)
                s->tag = cor_strdup(value);
        else if (strcmp(key, "compress") == 0)
                return strcmp(value, "false") == 0 ? 0 : not_yet(key, value, err);
        else if (strcmp(key, "mode") == 0)
                return strcmp(value, "blocking") == 0 ? 0 : not_yet(key, value, err);
        else if (strcmp(key, "labels-regex") == 0 || strcmp(key, "env-regex") == 0 ||
                 strcmp(key, "max-buffer-size") == 0)
                return not_yet(key, value, err);
        else
                return cor_fail(err, COR_INVALID, "unknown log opt '%.100s' for json-file log driver", key);
        return 0;
}

static bool has(const struct cor_pair *options, size_t n, const char *key)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(options[i].key, key) == 0)
                        return true;
        return false;
}

int log_settings_read(const char *type, const struct cor_pair *options, size_t n, struct log_settings *ret,
                      struct cor_err *err)
{
        auto_log_settings s = { 0 };
        static const struct log_names anybody = { "", "", "", "" };
        auto_str tag = NULL;

        if (type && strcmp(type, "none") == 0) {
                *ret = s;
                return 0;
        }
        if (type && *type && strcmp(type, "json-file") != 0)
                return cor_fail(err, COR_INVALID, "logger: no log driver named '%.60s' is registered", type);
        s.max_size = LOG_MAX_SIZE;
        s.max_file = has(options, n, "max-size") ? 1 : LOG_MAX_FILE; /* docker's, once there is a limit of the user's */
        for (size_t i = 0; i < n; i++)
                if (read_option(options[i].key, options[i].value ? options[i].value : "", &s, err) < 0)
                        return -1;
        if (s.tag && log_tag(s.tag, &anybody, &tag, err) < 0)
                return -1;
        *ret = s;
        s = (struct log_settings){ 0 };
        return 0;
}

/* Bytes of the field that @tag begins with, and its value; 0: none that is known */
static size_t take_field(const char *tag, const struct log_names *n, struct cor_text *out)
{
        const char *image_id = strchr(n->image_id, ':') ? strchr(n->image_id, ':') + 1 : n->image_id;
        const struct {
                const char *field, *value;
                int digits;
        } fields[] = {
                { "{{.ID}}", n->id, 12 },
                { "{{.FullID}}", n->id, 64 },
                { "{{.Name}}", n->name, 255 },
                { "{{.ImageID}}", image_id, 12 },
                { "{{.ImageFullID}}", n->image_id, 255 },
                { "{{.ImageName}}", n->image, 4096 },
                { "{{.DaemonName}}", "coracle", 255 },
        };

        for (size_t i = 0; i < COR_COUNT(fields); i++)
                if (cor_starts_with(tag, fields[i].field)) {
                        cor_text_printf(out, "%.*s", fields[i].digits, fields[i].value);
                        return strlen(fields[i].field);
                }
        return 0;
}

int log_tag(const char *tag, const struct log_names *names, char **ret, struct cor_err *err)
{
        auto_text out = COR_TEXT_INIT;

        while (*tag) {
                size_t n = 1;

                if (!cor_starts_with(tag, "{{")) {
                        cor_text_add_c(&out, *tag);
                } else {
                        n = take_field(tag, names, &out);
                        if (n == 0)
                                return cor_fail(err, COR_UNSUPPORTED,
                                                "log opt tag: '%.100s': expected {{.ID}}, {{.FullID}}, {{.Name}}, "
                                                "{{.ImageID}}, {{.ImageFullID}} or {{.ImageName}}",
                                                tag);
                }
                tag += n;
        }
        *ret = cor_text_take(&out);
        return 0;
}
