#ifndef CORACLE_MONITOR_LOG_RECORD_H
#define CORACLE_MONITOR_LOG_RECORD_H
/*
 * One record of the driver local, in docker's form: its length as four bytes, big end first; a protobuf message; the
 * length again, so that a log can be read from its end.
 *
 *      message LogEntry {
 *              string source = 1;              "stdout" or "stderr"
 *              int64 time_nano = 2;
 *              bytes line = 3;                 without its newline
 *              bool partial = 4;
 *              Partial partial_log_metadata = 5;       bool last = 1; string id = 2; int32 ordinal = 3;
 *              repeated Attr attrs = 6;                string key = 1; string value = 2;
 *      }
 */
#include "base/json.h"
#include "base/text.h"
#include "monitor/log.h"

enum { LOG_RECORD_MAX = 1000000, LOG_RECORD_FRAME = 4 };

/* log_record_add() - @m, with those @n_attrs */
void log_record_add(const struct log_message *m, const struct cor_pair *attrs, size_t n_attrs, struct cor_text *out);

uint32_t log_record_length(const void *at);

struct log_record {
        enum log_stream stream;
        int64_t time;
        const char *line; /* @n bytes, in the record */
        size_t n;
        bool partial, last;
        struct cor_pair *attrs; /* the caller's; each is made of texts in the record, which are changed to have ends */
        size_t n_attrs;
};
/* log_record_parse() - the message of @n bytes, without its lengths; up to @max of its attributes. False if it is none
 */
bool log_record_parse(char *bytes, size_t n, struct cor_pair *attrs, size_t max, struct log_record *ret);

#endif
