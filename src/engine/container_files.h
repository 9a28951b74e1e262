#ifndef CORACLE_ENGINE_CONTAINER_FILES_H
#define CORACLE_ENGINE_CONTAINER_FILES_H
/*
 * The files of containers, running or not: what they changed, all of them as an archive, an image made of them, and
 * copies in and out. Nothing that a container has there leads out of it: names are resolved in its root.
 */
#include "base/alloc.h"
#include "engine/engine.h"

struct container_row;

/* One path that a container has changed. */
struct container_change {
        char kind; /* 'A' added, 'C' changed, 'D' deleted */
        char *path;
};
struct container_changes {
        struct container_change *items; /* in the order of their paths */
        size_t n_items;
};
void container_changes_done(struct container_changes *c);
#define auto_container_changes COR_CLEANUP(container_changes_done) struct container_changes
/* engine_diff() - what differs from its image; directories in which something does count as changed, as in docker */
int engine_diff(struct engine *e, const char *name, struct container_changes *ret, struct cor_err *err) COR_MUST_CHECK;

/* engine_export() - write its files to @output as a tar archive, without what is mounted in it */
int engine_export(struct engine *e, const char *name, int output, struct cor_err *err) COR_MUST_CHECK;

struct container_commit {
        const char *reference; /* NULL: the image has no name */
        const char *author, *message;
        bool pause;           /* while its files are read, if it runs */
        char *const *changes; /* Dockerfile instructions */
        size_t n_changes;
};
/* engine_commit() - make an image of it: its own with one layer more, and its configuration */
int engine_commit(struct engine *e, const char *name, const struct container_commit *c, struct digest *ret_id,
                  struct cor_err *err) COR_MUST_CHECK;

struct container_copy {
        /* keep owners; else what is made belongs to root in the container, to the caller outside, there without set-id
         */
        bool archive;
        bool follow; /* a link that is named as the source stands for what it leads to */
};
/*
 * engine_copy_out() / engine_copy_in() - cp by docker's rules: a file to a file or into a directory, a directory into
 * one that is there or as a new one, what is in it if its path ends with "/."; *ret_bytes: of the files
 */
int engine_copy_out(struct engine *e, const char *name, const char *source, const char *target,
                    const struct container_copy *o, int64_t *ret_bytes, struct cor_err *err) COR_MUST_CHECK;
int engine_copy_in(struct engine *e, const char *source, const char *name, const char *target,
                   const struct container_copy *o, int64_t *ret_bytes, struct cor_err *err) COR_MUST_CHECK;
/* engine_copy_archive_out() / engine_copy_archive_in() - the same with a tar archive in place of the machine's side */
int engine_copy_archive_out(struct engine *e, const char *name, const char *source, const struct container_copy *o,
                            int output, struct cor_err *err) COR_MUST_CHECK;
int engine_copy_archive_in(struct engine *e, int input, const char *name, const char *target, struct cor_err *err)
        COR_MUST_CHECK;

/*
 * container_view() - its root filesystem, without what is mounted in it, as a detached mount; of one that does not run
 * the caller holds the WORK lock. Owners are those of the image, but where container_view_map() has something to say.
 */
int container_view(struct engine *e, const struct container_row *r, struct cor_err *err) COR_MUST_CHECK;
/* container_view_map() - one that runs shows owners as the host has them: *ret maps them; empty if there is no need */
struct idmap;
int container_view_map(const struct container_row *r, struct idmap *ret, struct cor_err *err) COR_MUST_CHECK;
/* container_view_owner() - an owner as the host has it becomes the container's; nobody if it has no such id */
void container_view_owner(const struct idmap *map, uint64_t *uid, uint64_t *gid);

#endif
