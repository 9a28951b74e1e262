#ifndef CORACLE_STORE_EVENT_INTERNAL_H
#define CORACLE_STORE_EVENT_INTERNAL_H
/* What writing and reading events share. */
#include "store/event.h"

#define EVENT_FILE     "events"
#define EVENT_FILE_OLD "events.1"

/* event_folder() - where the files are, open */
int event_folder(struct store *s, struct cor_err *err) COR_MUST_CHECK;

#endif
