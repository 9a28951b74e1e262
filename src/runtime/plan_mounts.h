#ifndef CORACLE_RUNTIME_PLAN_MOUNTS_H
#define CORACLE_RUNTIME_PLAN_MOUNTS_H
/* The part of the plan that is about mounts: options parsed, and what only the parent may open, opened. */
#include "runtime/plan.h"

int plan_mounts(struct plan *p, struct cor_err *err) COR_MUST_CHECK;
void plan_mounts_done(struct plan *p);
/* plan_mount_sources() - the same without the root file system: options, and sources as p->clone_all says */
int plan_mount_sources(struct plan *p, struct cor_err *err) COR_MUST_CHECK;
/* plan_mount_open() - open the source of mount @index, if the parent has to; plan_mounts() did so for all but the last
 * of a plan with p->notify, whose source is made later */
int plan_mount_open(struct plan *p, size_t index, struct cor_err *err) COR_MUST_CHECK;

/*
 * plan_mount_idmap() - the maps of "idmap=uids=0-1000-10#10-2000-5;gids=…" (crun's form: id in the file system, id on
 * the host, length); with "@" the host id is one of the container's, translated by @base. idmap_done()
 */
int plan_mount_idmap(const char *text, const struct idmap *base, struct idmap *ret, struct cor_err *err) COR_MUST_CHECK;

#endif
