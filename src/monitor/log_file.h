#ifndef CORACLE_MONITOR_LOG_FILE_H
#define CORACLE_MONITOR_LOG_FILE_H
/*
 * A log in files: NAME grows; once it is full, it becomes NAME.1, that NAME.2, and so on, the oldest goes. Those with a
 * number are compressed, if that is asked for, by a child that is there just for it: NAME.1.gz takes the place of
 * NAME.1.
 *
 * Records are collected and written many at once. A file that got only a part of them (a full disk) is cut back to its
 * last whole record.
 */
#include "monitor/log.h"
#include "monitor/log_settings.h"

struct log_file;
/* log_file_open() - @name in @folder */
int log_file_open(const char *folder, const char *name, const struct log_file_settings *s, struct log_file **ret,
                  struct cor_err *err) COR_MUST_CHECK;
/* log_file_record() - a buffer to append one record to; it may be written with those before it, or lost with them */
struct cor_text *log_file_record(struct log_file *f);
/* log_file_flush() - write what was collected */
void log_file_flush(struct log_file *f);
/* log_file_rest() - give the buffer back */
void log_file_rest(struct log_file *f);
const struct log_loss *log_file_loss(const struct log_file *f);
/* log_file_close() - a child that is compressing has a moment to end; what it does not manage is done next time */
void log_file_close(struct log_file *f);
static inline void log_file_close_p(struct log_file **f)
{
        log_file_close(*f);
}
#define auto_log_file COR_CLEANUP(log_file_close_p) struct log_file *

/* log_file_wait(), log_file_step() - for the child's end */
void log_file_wait(const struct log_file *f, struct log_wait *ret);
void log_file_step(struct log_file *f);

#endif
