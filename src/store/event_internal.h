#ifndef CORACLE_STORE_EVENT_INTERNAL_H
#define CORACLE_STORE_EVENT_INTERNAL_H
/* What writing and reading events share. */
#include "store/event.h"

#define EVENT_FILE     "events"
#define EVENT_FILE_OLD "events.1"

#endif
