#ifndef CORACLE_MONITOR_LOG_READ_H
#define CORACLE_MONITOR_LOG_READ_H
/*
 * Reading what the drivers json-file and local have written: the file NAME, and NAME.1 (older), NAME.2, … or NAME.1.gz,
 * … where it was rotated. While it is read, the log may grow and be rotated: a reader that has come to its end goes on
 * from there when it is asked again.
 *
 * What is not as the driver writes it (the machine went down in its middle) is passed over.
 */
#include "base/json.h"
#include "monitor/log.h"

enum log_format { LOG_FORMAT_JSON, LOG_FORMAT_LOCAL };

struct log_query {
        int64_t since, until; /* nanoseconds since 1970, both ends count; 0: no limit */
        int64_t tail;         /* only as many of the last messages; negative: all */
};

struct log_entry {
        enum log_stream stream;
        int64_t time;     /* nanoseconds since 1970 */
        const char *text; /* @n bytes, with the newline if there was one */
        size_t n;
        const struct cor_pair *attrs; /* labels, variables and tag that the driver was asked to note */
        size_t n_attrs;
};

struct log_reader;
/* log_reader_open() - read @name in folder @dirfd, which stays the caller's; NOT_FOUND if there is no log */
int log_reader_open(int dirfd, const char *name, enum log_format format, const struct log_query *q,
                    struct log_reader **ret, struct cor_err *err) COR_MUST_CHECK;
/* log_reader_next() - 1: the next entry, there until the next call; 0: there is none, or none yet */
int log_reader_next(struct log_reader *r, struct log_entry *ret, struct cor_err *err) COR_MUST_CHECK;
/* log_reader_over() - a message later than q->until was met: nothing more will come */
bool log_reader_over(const struct log_reader *r);
void log_reader_free(struct log_reader *r);
static inline void log_reader_free_p(struct log_reader **r)
{
        log_reader_free(*r);
}
#define auto_log_reader COR_CLEANUP(log_reader_free_p) struct log_reader *

/* log_line_parse() - one line of a json-file, changed in place; false if it is none. The parts that are fuzzed */
struct log_line {
        char *log, *stream, *time; /* NULL: not there */
        size_t log_n;
        struct cor_pair *attrs; /* of @max */
        size_t n_attrs;
};
bool log_line_parse(char *line, size_t n, struct cor_pair *attrs, size_t max, struct log_line *ret);

/*
 * The formats: bytes in, entries out. take() looks at the first bytes of @buf, which it changes: 1 there was something,
 * and *ret_used bytes are done with; an entry if ret->text is not NULL. 0: more bytes are needed.
 * @attrs has room for LOG_ATTRS_MAX. seek_back() is where the last *wanted records of a file
 * begin; *wanted is then how many are missing still.
 */
enum { LOG_ATTRS_MAX = 256 };
struct log_form {
        int (*take)(char *buf, size_t n, struct cor_pair *attrs, size_t *ret_used, struct log_entry *ret);
        int (*seek_back)(int fd, int64_t *wanted, off_t *ret, struct cor_err *err);
        bool resync; /* behind a damaged record, the next one may begin at any byte */
};
extern const struct log_form log_json_form, log_local_form;

#endif
