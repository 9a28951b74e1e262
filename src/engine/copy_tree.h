#ifndef CORACLE_ENGINE_COPY_TREE_H
#define CORACLE_ENGINE_COPY_TREE_H
/*
 * Files and directories copied from one place to another, each named by a directory's descriptor and a name in it. No
 * link is followed on either side, so neither can lead the copy out of where it began, whatever changes meanwhile.
 */
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct idmap;

struct copy_tree {
        bool drop_setid; /* what was another's program must not become one that runs as the caller */
        bool keep_owner; /* else what is made belongs to the caller */
        bool all_kinds;  /* devices, too; else they are refused */
        /*
         * Owners that are kept are of the user namespace with this map on one side: where it is copied from, or with
         * `into`, to. Whom it does not know belongs to nobody. NULL: none
         */
        const struct idmap *map;
        bool into;
        int64_t bytes; /* of files, counted up */
};
/*
 * copy_tree() - @name in @from becomes @to_name in @to: a file takes the place of what is no directory, directories are
 * merged. INVALID if one is a directory and the other is not
 */
int copy_tree(struct copy_tree *c, int from, const char *name, int to, const char *to_name, struct cor_err *err)
        COR_MUST_CHECK;
/* copy_tree_inside() - what is in directory @from, into directory @to */
int copy_tree_inside(struct copy_tree *c, int from, int to, struct cor_err *err) COR_MUST_CHECK;

#endif
