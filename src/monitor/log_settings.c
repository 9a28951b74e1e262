#include "monitor/log_settings.h"

#include "base/text.h"
#include "monitor/log_attrs.h"
#include "monitor/log_tag.h"

#include <string.h>
#include <unistd.h>

enum { MAX_FILES = 1000 };

void log_settings_done(struct log_settings *s)
{
        cor_strv_done(&s->labels);
        cor_strv_done(&s->env);
        free(s->labels_regex);
        free(s->env_regex);
        free(s->tag);
        syslog_address_done(&s->address);
        syslog_tls_done(&s->tls);
        *s = (struct log_settings){ 0 };
}

/* --- values ------------------------------------------------------------------------------------------------------- */

/* @bytes were read with powers of 1024; docker has those of 1000 here, for the same letters. */
static uint64_t decimal(const char *value, uint64_t bytes)
{
        static const char letters[] = "kmgt";
        const char *unit = strpbrk(value, "kmgtKMGT");

        if (!unit)
                return bytes;
        for (size_t n = (size_t)(strchr(letters, *unit | 0x20) - letters) + 1; n > 0; n--)
                bytes = bytes / 1024 * 1000;
        return bytes;
}

/* "-1" is docker's word for no limit. */
static int read_size(const char *key, const char *value, uint64_t *ret, struct cor_err *err)
{
        if (strcmp(value, "-1") == 0)
                *ret = 0;
        else if (cor_parse_size(value, ret) < 0 || *ret == 0)
                return cor_fail(err, COR_INVALID, "%s: '%.100s': expected a positive number of bytes, as 10m", key,
                                value);
        *ret = decimal(value, *ret);
        return 0;
}

static int read_files(const char *key, const char *value, unsigned *ret, struct cor_err *err)
{
        uint32_t files;

        if (cor_parse_u32(value, &files) < 0 || files > MAX_FILES)
                return cor_fail(err, COR_INVALID, "%s: '%.100s': expected a number from 1 to %d", key, value,
                                MAX_FILES);
        if (files == 0)
                return cor_fail(err, COR_INVALID, "%s cannot be less than 1", key);
        *ret = files;
        return 0;
}

/* The words that Go takes. */
static int read_bool(const char *key, const char *value, bool *ret, struct cor_err *err)
{
        static const struct cor_word words[] = {
                { "1", 1 }, { "t", 1 }, { "T", 1 },     { "true", 1 },  { "TRUE", 1 },  { "True", 1 }, { "0", 0 },
                { "f", 0 }, { "F", 0 }, { "false", 0 }, { "FALSE", 0 }, { "False", 0 }, { NULL, 0 },
        };
        const struct cor_word *w = cor_word_find(words, value);

        if (!w)
                return cor_fail(err, COR_INVALID, "invalid value for option %s: %.100s", key, value);
        *ret = w->value;
        return 0;
}

static void split(const char *value, struct cor_strv *ret)
{
        auto_str copy = cor_strdup(value);
        char *cursor = copy, *word;

        while ((word = cor_split_next(&cursor, ',')))
                if (*word)
                        cor_strv_add(ret, word);
}

static int read_tag(const char *value, struct log_settings *s, struct cor_err *err)
{
        static const struct log_names anybody = { .id = "", .name = "", .image = "", .image_id = "" };
        auto_str ignored = NULL;

        free(s->tag);
        s->tag = cor_strdup(value);
        return log_tag(value, &anybody, &ignored, err);
}

static int read_pattern(const char *key, const char *value, char **ret, struct cor_err *err)
{
        free(*ret);
        *ret = cor_strdup(value);
        return log_pattern_check(key, value, err);
}

static int read_path(const char *key, const char *value, char **ret, struct cor_err *err)
{
        free(*ret);
        *ret = cor_strdup(value);
        if (*value != '/')
                return cor_fail(err, COR_INVALID, "log opt %s: '%.200s': expected an absolute path", key, value);
        return access(value, R_OK) < 0 ? cor_fail_errno(err, "log opt %s: %.200s", key, value) : 0;
}

static int read_buffer(const char *value, struct log_settings *s, struct cor_err *err)
{
        if (cor_parse_size(value, &s->buffer) < 0 || s->buffer == 0 || s->buffer > LOG_BUFFER_MAX)
                return cor_fail(err, COR_INVALID,
                                "error parsing option max-buffer-size: '%.100s': expected a number of bytes, as 4m",
                                value);
        return 0;
}

static int read_mode(const char *value, struct log_settings *s, struct cor_err *err)
{
        s->drops = strcmp(value, "non-blocking") == 0;
        if (!s->drops && *value && strcmp(value, "blocking") != 0)
                return cor_fail(err, COR_INVALID, "logger: logging mode not supported: %.100s", value);
        return 0;
}

/* --- options ------------------------------------------------------------------------------------------------------ */

enum which {
        JSON_FILE = 1,
        LOCAL = 2,
        JOURNALD = 4,
        SYSLOG = 8,
        FILES = JSON_FILE | LOCAL,
        ALL = FILES | JOURNALD | SYSLOG
};

enum key {
        MAX_SIZE,
        MAX_FILE,
        COMPRESS,
        LABELS,
        LABELS_REGEX,
        ENV,
        ENV_REGEX,
        TAG,
        MODE,
        MAX_BUFFER_SIZE,
        CACHE_DISABLED,
        CACHE_MAX_SIZE,
        CACHE_MAX_FILE,
        CACHE_COMPRESS,
        ADDRESS,
        FACILITY,
        FORMAT,
        TLS_CA,
        TLS_CERTIFICATE,
        TLS_KEY,
        TLS_INSECURE
};

static const struct {
        const char *name;
        enum key key;
        unsigned drivers;
} options[] = {
        { "max-size", MAX_SIZE, FILES },
        { "max-file", MAX_FILE, FILES },
        { "compress", COMPRESS, FILES },
        { "labels", LABELS, ALL },
        { "labels-regex", LABELS_REGEX, ALL },
        { "env", ENV, ALL },
        { "env-regex", ENV_REGEX, ALL },
        { "tag", TAG, ALL },
        { "mode", MODE, ALL },
        { "max-buffer-size", MAX_BUFFER_SIZE, ALL },
        { "cache-disabled", CACHE_DISABLED, ALL },
        { "cache-max-size", CACHE_MAX_SIZE, ALL },
        { "cache-max-file", CACHE_MAX_FILE, ALL },
        { "cache-compress", CACHE_COMPRESS, ALL },
        { "syslog-address", ADDRESS, SYSLOG },
        { "syslog-facility", FACILITY, SYSLOG },
        { "syslog-format", FORMAT, SYSLOG },
        { "syslog-tls-ca-cert", TLS_CA, SYSLOG },
        { "syslog-tls-cert", TLS_CERTIFICATE, SYSLOG },
        { "syslog-tls-key", TLS_KEY, SYSLOG },
        { "syslog-tls-skip-verify", TLS_INSECURE, SYSLOG },
};

static const struct {
        const char *name;
        unsigned bit;
        const char *words; /* by which docker says that it does not have an option */
} drivers[] = {
        { "json-file", JSON_FILE, "json-file log driver" },
        { "local", LOCAL, "log driver local" },
        { "journald", JOURNALD, "journald log driver" },
        { "syslog", SYSLOG, "syslog log driver" },
};

static int take(enum key key, const char *name, const char *value, struct log_settings *s, struct cor_err *err)
{
        switch (key) {
        case MAX_SIZE:
                return read_size(name, value, &s->file.max_size, err);
        case MAX_FILE:
                return read_files(name, value, &s->file.max_file, err);
        case COMPRESS:
                return read_bool(name, value, &s->file.compress, err);
        case LABELS:
                split(value, &s->labels);
                return 0;
        case LABELS_REGEX:
                return read_pattern(name, value, &s->labels_regex, err);
        case ENV:
                split(value, &s->env);
                return 0;
        case ENV_REGEX:
                return read_pattern(name, value, &s->env_regex, err);
        case TAG:
                return read_tag(value, s, err);
        case MODE:
                return read_mode(value, s, err);
        case MAX_BUFFER_SIZE:
                return read_buffer(value, s, err);
        case CACHE_DISABLED:
                return read_bool(name, value, &s->cached, err);
        case CACHE_MAX_SIZE:
                return read_size(name, value, &s->cache.max_size, err);
        case CACHE_MAX_FILE:
                return read_files(name, value, &s->cache.max_file, err);
        case CACHE_COMPRESS:
                return read_bool(name, value, &s->cache.compress, err);
        case ADDRESS:
                syslog_address_done(&s->address);
                return syslog_address_parse(value, &s->address, err);
        case FACILITY:
                return syslog_facility_parse(value, &s->facility, err);
        case FORMAT:
                return syslog_format_parse(value, &s->format, err);
        case TLS_CA:
                return read_path(name, value, &s->tls.ca, err);
        case TLS_CERTIFICATE:
                return read_path(name, value, &s->tls.certificate, err);
        case TLS_KEY:
                return read_path(name, value, &s->tls.key, err);
        default: /* as docker, whatever the value */
                s->tls.insecure = true;
                return 0;
        }
}

static const char *find(const struct cor_pair *pairs, size_t n, const char *key)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(pairs[i].key, key) == 0)
                        return pairs[i].value ? pairs[i].value : "";
        return NULL;
}

static int read_options(size_t driver, const struct cor_pair *pairs, size_t n, struct log_settings *s,
                        struct cor_err *err)
{
        for (size_t i = 0; i < n; i++) {
                size_t k = 0;

                while (k < COR_COUNT(options) &&
                       (strcmp(options[k].name, pairs[i].key) != 0 || !(options[k].drivers & drivers[driver].bit)))
                        k++;
                if (k == COR_COUNT(options))
                        return cor_fail(err, COR_INVALID, "unknown log opt '%.100s' for %s", pairs[i].key,
                                        drivers[driver].words);
                if (take(options[k].key, pairs[i].key, pairs[i].value ? pairs[i].value : "", s, err) < 0)
                        return -1;
        }
        return 0;
}

/* Options that do not go together. */
static int check(unsigned driver, const struct cor_pair *pairs, size_t n, const struct log_settings *s,
                 struct cor_err *err)
{
        if (find(pairs, n, "max-buffer-size") && !s->drops)
                return cor_fail(err, COR_INVALID,
                                "logger: max-buffer-size option is only supported with 'mode=non-blocking'");
        if (driver == JSON_FILE && s->file.compress && (s->file.max_file < 2 || s->file.max_size == 0))
                return cor_fail(err, COR_INVALID,
                                "compress cannot be true when max-file is less than 2 or max-size is not set");
        if (driver == LOCAL && s->file.compress && s->file.max_file < 2)
                return cor_fail(err, COR_INVALID, "compression cannot be enabled when max file count is 1");
        return 0;
}

static int find_driver(const char *type, size_t *ret, struct cor_err *err)
{
        for (size_t i = 0; i < COR_COUNT(drivers); i++)
                if (strcmp(type && *type ? type : "json-file", drivers[i].name) == 0) {
                        *ret = i;
                        return 0;
                }
        return cor_fail(err, COR_INVALID, "logger: no log driver named '%.60s' is registered", type);
}

int log_settings_read(const char *type, const struct cor_pair *pairs, size_t n, struct log_settings *ret,
                      struct cor_err *err)
{
        static const struct log_file_settings bounded = { LOG_MAX_SIZE, LOG_MAX_FILE, true };
        auto_log_settings s = { .file = bounded, .cache = bounded, .buffer = LOG_BUFFER, .facility = SYSLOG_DAEMON };
        unsigned bit;
        size_t driver = 0;

        if (type && strcmp(type, "none") == 0) {
                *ret = (struct log_settings){ 0 };
                return 0;
        }
        if (find_driver(type, &driver, err) < 0)
                return -1;
        bit = drivers[driver].bit;
        if (bit == JSON_FILE) {
                s.file.compress = false;
                if (find(pairs, n, "max-size"))
                        s.file.max_file = 1; /* docker's, once there is a limit of the user's */
        }
        if (read_options(driver, pairs, n, &s, err) < 0 || check(bit, pairs, n, &s, err) < 0)
                return -1;
        s.cached = bit == SYSLOG && !s.cached;
        s.cache.compress = s.cache.compress && s.cache.max_file > 1;
        *ret = s;
        s = (struct log_settings){ 0 };
        return 0;
}

const char *const *log_driver_names(void)
{
        static const char *const names[] = { "journald", "json-file", "local", "syslog", NULL };

        return names;
}
