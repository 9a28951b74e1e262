#include "monitor/log_export.h"

#include "base/date.h"

#include <string.h>

enum { LENGTH_BYTES = 8, PRIORITY_ERR = '3' };

struct field {
        char *key, *value; /* both end with NUL; what is behind the value was a newline */
        size_t n;
};

/* The bytes of the field at @at; 0: there are not enough, -1: it is none. The empty line is one of its own. */
static int64_t measure(const char *at, size_t n)
{
        const char *end = memchr(at, '\n', n);
        uint8_t length[LENGTH_BYTES];
        uint64_t value = 0;
        size_t key;

        if (!end)
                return 0;
        key = (size_t)(end - at);
        if (key == 0 || memchr(at, '=', key))
                return (int64_t)key + 1;
        if (n < key + 1 + LENGTH_BYTES)
                return 0;
        memcpy(length, end + 1, LENGTH_BYTES);
        for (unsigned i = 0; i < LENGTH_BYTES; i++)
                value |= (uint64_t)length[i] << (8 * i);
        if (value > LOG_EXPORT_MAX)
                return -1;
        if (n < key + 1 + LENGTH_BYTES + value + 1)
                return 0;
        return at[key + 1 + LENGTH_BYTES + value] == '\n' ? (int64_t)(key + 1 + LENGTH_BYTES + value + 1) : -1;
}

/* The whole entry, with its empty line; 0 and -1 as above. */
static int64_t measure_entry(const char *buf, size_t n)
{
        size_t at = 0;

        for (;;) {
                int64_t field = measure(buf + at, n - at);

                if (field <= 0)
                        return field;
                at += (size_t)field;
                if (field == 1)
                        return (int64_t)at;
        }
}

/* Of @n bytes that measure() has found to be a field. */
static struct field split(char *at, size_t n)
{
        const char *line = memchr(at, '\n', n), *equals = memchr(at, '=', (size_t)(line - at));
        bool is_text = equals != NULL;
        size_t key = (size_t)((is_text ? equals : line) - at);
        size_t skip = key + 1 + (is_text ? 0 : LENGTH_BYTES);
        struct field f = { .key = at, .value = at + skip, .n = n - skip - 1 };

        at[key] = '\0';
        return f;
}

bool log_export_is_attr(const char *key)
{
        static const char *const known[] = { "MESSAGE",    "PRIORITY",      "CODE_",         "ERRNO",
                                             "SYSLOG_",    "CONTAINER_ID",  "CONTAINER_TAG", "CONTAINER_NAME",
                                             "IMAGE_NAME", "CONTAINER_LOG", "MESSAGE_ID",    "CONTAINER_PARTIAL" };

        if (*key == '_')
                return false;
        for (size_t i = 0; i < COR_COUNT(known); i++) {
                size_t n = strlen(known[i]);

                if (strncmp(key, known[i], n) == 0 && (key[n] == '\0' || key[n] == '_' || known[i][n - 1] == '_'))
                        return false;
        }
        return true;
}

static void read_time(const struct field *f, bool exact, struct log_entry *ret)
{
        struct timespec time;
        int64_t us;

        if (exact && cor_time_parse(f->value, &time) == 0)
                ret->time = cor_time_ns(&time);
        else if (!exact && ret->time == 0 && cor_parse_i64(f->value, &us) == 0 && us < INT64_MAX / 1000 && us > 0)
                ret->time = us * 1000;
}

struct found {
        char *message;
        bool partial;
        const char *cursor;
};

static void take_field(const struct field *f, struct cor_pair *attrs, struct log_entry *ret, struct found *found)
{
        if (strcmp(f->key, "MESSAGE") == 0) {
                found->message = f->value;
                ret->n = f->n;
                return; /* its newline stays */
        }
        f->value[f->n] = '\0';
        if (strcmp(f->key, "__CURSOR") == 0)
                found->cursor = f->value;
        else if (strcmp(f->key, "SYSLOG_TIMESTAMP") == 0)
                read_time(f, true, ret);
        else if (strcmp(f->key, "__REALTIME_TIMESTAMP") == 0)
                read_time(f, false, ret);
        else if (strcmp(f->key, "PRIORITY") == 0)
                ret->stream = f->value[0] == PRIORITY_ERR && f->n == 1 ? LOG_STDERR : LOG_STDOUT;
        else if (strcmp(f->key, "CONTAINER_PARTIAL_MESSAGE") == 0)
                found->partial = strcmp(f->value, "true") == 0;
        else if (log_export_is_attr(f->key) && ret->n_attrs < LOG_ATTRS_MAX)
                attrs[ret->n_attrs++] = (struct cor_pair){ f->key, f->value };
}

static int by_key(const void *a, const void *b)
{
        const struct cor_pair *x = a, *y = b;

        return strcmp(x->key, y->key);
}

int log_export_take(char *buf, size_t n, struct cor_pair *attrs, size_t *ret_used, struct log_entry *ret,
                    const char **ret_cursor)
{
        int64_t whole = measure_entry(buf, n);
        struct found found = { .message = NULL };

        if (whole <= 0)
                return (int)whole;
        *ret = (struct log_entry){ .attrs = attrs };
        for (char *at = buf; at < buf + whole - 1;) {
                int64_t len = measure(at, (size_t)(buf + whole - at));
                struct field f;

                if (len <= 1)
                        break;
                f = split(at, (size_t)len);
                take_field(&f, attrs, ret, &found);
                at += len;
        }
        ret->text = found.message;
        ret->n += found.message && !found.partial;
        if (ret->n_attrs > 1)
                qsort(attrs, ret->n_attrs, sizeof *attrs, by_key);
        *ret_used = (size_t)whole;
        *ret_cursor = found.cursor;
        return 1;
}
