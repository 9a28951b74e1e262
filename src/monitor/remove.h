#ifndef CORACLE_MONITOR_REMOVE_H
#define CORACLE_MONITOR_REMOVE_H
/* Removing a container that does not run: by its monitor (--rm), and by the engine. */
#include "store/container.h"

/*
 * monitor_remove() - its folder, its row, and with @volumes the anonymous ones of its volumes that nobody else has. Cut
 * off half-way it can be done again. NOT_FOUND if it was gone already.
 */
int monitor_remove(struct store *s, const struct container_row *row, bool volumes, struct cor_err *err) COR_MUST_CHECK;
/* monitor_forget() - the same, but what was in its folder is still to be cleared: container_folder_clear() */
int monitor_forget(struct store *s, const struct container_row *row, bool volumes, struct container_gone *ret,
                   struct cor_err *err) COR_MUST_CHECK;

#endif
