#ifndef CORACLE_ENGINE_LOGS_JOURNAL_H
#define CORACLE_ENGINE_LOGS_JOURNAL_H
/*
 * What the driver journald has sent, as `journalctl` reads it back: the format of the journal's files is systemd's
 * own. It is a child that prints, and goes on printing if it follows.
 */
#include "monitor/log_read.h"

struct journal_reader;
/* journal_reader_open() - of the container with this full @id */
int journal_reader_open(const char *id, const struct log_query *q, bool follow, struct journal_reader **ret,
                        struct cor_err *err) COR_MUST_CHECK;
/* journal_reader_next() - 1: an entry, there until the next call; 0: none now (or it is over, if it does not follow) */
int journal_reader_next(struct journal_reader *r, struct log_entry *ret, struct cor_err *err) COR_MUST_CHECK;
/* journal_reader_fd() - readable when there may be more */
int journal_reader_fd(const struct journal_reader *r);
bool journal_reader_over(const struct journal_reader *r);
/* journal_reader_rest() - follow no more: what comes now is what the journal has still got, up to its end */
int journal_reader_rest(struct journal_reader *r, struct cor_err *err) COR_MUST_CHECK;
void journal_reader_free(struct journal_reader *r);
static inline void journal_reader_free_p(struct journal_reader **r)
{
        if (*r)
                journal_reader_free(*r);
}
#define auto_journal_reader COR_CLEANUP(journal_reader_free_p) struct journal_reader *

#endif
