#ifndef CORACLE_MONITOR_LOG_SETTINGS_H
#define CORACLE_MONITOR_LOG_SETTINGS_H
/* What --log-driver and --log-opt ask for: checked when a container is made, used when it runs. */
#include "base/alloc.h"
#include "base/json.h"
#include "monitor/log_syslog_words.h"

struct log_file_settings {
        uint64_t max_size; /* bytes of a file; 0: no limit */
        unsigned max_file; /* files, with the one that grows */
        bool compress;     /* all but that one */
};

struct log_settings {
        struct log_file_settings file;  /* json-file, local */
        struct log_file_settings cache; /* what `logs` reads of a driver that sends everything away */
        bool cached;
        struct cor_strv labels, env;    /* names of those that each message carries */
        char *labels_regex, *env_regex; /* or NULL; log_attrs_check() has seen them */
        char *tag;                      /* as the user wrote it, or NULL */
        bool drops;                     /* mode=non-blocking: what finds no room in the buffer is lost at once */
        uint64_t buffer;                /* bytes of it */
        struct syslog_address address;  /* syslog */
        struct syslog_tls tls;
        unsigned facility;
        enum syslog_format format;
};
void log_settings_done(struct log_settings *s);
#define auto_log_settings COR_CLEANUP(log_settings_done) struct log_settings

/*
 * log_settings_read() - the options of driver @type (NULL and "": json-file). INVALID, with docker's words where it has
 * some, for a driver that there is not, an option that it does not have, and a value that it cannot take. Where docker
 * has no limit on the size of a log, ours has one: LOG_MAX_SIZE in each of LOG_MAX_FILE files
 */
enum { LOG_MAX_SIZE = 20 << 20, LOG_MAX_FILE = 5, LOG_BUFFER = 1 << 20, LOG_BUFFER_MAX = 1 << 30 };
int log_settings_read(const char *type, const struct cor_pair *options, size_t n, struct log_settings *ret,
                      struct cor_err *err) COR_MUST_CHECK;

/* log_driver_names() - those that there are, sorted, without "none"; ends with NULL */
const char *const *log_driver_names(void);

#endif
