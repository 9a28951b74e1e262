#ifndef CORACLE_MONITOR_LOG_SETTINGS_H
#define CORACLE_MONITOR_LOG_SETTINGS_H
/* What --log-driver and --log-opt ask for: checked when a container is made, used when it runs. */
#include "base/alloc.h"
#include "base/json.h"

struct log_settings {
        uint64_t max_size;           /* bytes of a file; 0: no limit */
        unsigned max_file;           /* files, with the one that grows */
        struct cor_strv labels, env; /* names of those that each message carries */
        char *tag;                   /* as the user wrote it, or NULL */
};
void log_settings_done(struct log_settings *s);
#define auto_log_settings COR_CLEANUP(log_settings_done) struct log_settings

/*
 * log_settings_read() - the options of driver @type (NULL and "": json-file). INVALID for a driver that there is not,
 * an option that it does not have, and a value that it cannot take; UNSUPPORTED for what docker's can and ours cannot
 * yet. Where docker has no limit on the size of a log, ours has one: LOG_MAX_SIZE in each of LOG_MAX_FILE files
 */
enum { LOG_MAX_SIZE = 20 << 20, LOG_MAX_FILE = 5 };
int log_settings_read(const char *type, const struct cor_pair *options, size_t n, struct log_settings *ret,
                      struct cor_err *err) COR_MUST_CHECK;

/* log_tag() - @tag with {{.ID}}, {{.FullID}}, {{.Name}}, {{.ImageID}}, {{.ImageFullID}}, {{.ImageName}} filled in;
 * free()
 */
struct log_names {
        const char *id, *name, *image, *image_id;
};
int log_tag(const char *tag, const struct log_names *names, char **ret, struct cor_err *err) COR_MUST_CHECK;

#endif
