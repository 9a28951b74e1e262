#ifndef CORACLE_MONITOR_LOG_EXPORT_H
#define CORACLE_MONITOR_LOG_EXPORT_H
/*
 * Entries of a journal in systemd's export format, as `journalctl --output=export` prints them: KEY=VALUE lines, or
 * KEY, newline, the length of the value as eight bytes, little end first, the value, newline; an empty line is the end.
 */
#include "monitor/log_read.h"

enum { LOG_EXPORT_MAX = 16 << 20 };

/*
 * log_export_is_attr() - @key is no field that the journal or the driver has of its own: what it holds is a label or a
 * variable
 */
bool log_export_is_attr(const char *key);
/*
 * log_export_take() - the entry that @buf begins with, which is changed: 1, *ret_used bytes are done with, and if it is
 * a message of a container *ret->text is not NULL. 0: more bytes are needed; -1: it is not of that form. @attrs has
 * room for LOG_ATTRS_MAX. *ret_cursor (NULL: none) says where it is in the journal.
 */
int log_export_take(char *buf, size_t n, struct cor_pair *attrs, size_t *ret_used, struct log_entry *ret,
                    const char **ret_cursor);

#endif
