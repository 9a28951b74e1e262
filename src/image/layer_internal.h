#ifndef CORACLE_IMAGE_LAYER_INTERNAL_H
#define CORACLE_IMAGE_LAYER_INTERNAL_H
/*
 * How a layer is unpacked; for layer_*.c alone.
 *
 *      layer_name.c     names in archives: cleaned, checked, fit to print
 *      layer_place.c    directories that are held open, since most entries go where the one before went
 *      layer_walk.c     the way to a directory that is not there, or lies behind links or in a lower layer
 *      layer_lower.c    what the layers below hold; copies of it
 *      layer_attr.c     owner, mode, times, attributes
 *      layer_apply.c    the entries
 *      layer_diff*.c    the way back
 */
#include "image/layer.h"

#include <limits.h>
#include <sys/stat.h>

#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"
#define WHITEOUT_META   ".wh..wh." /* what else begins so is aufs' own and means nothing */

enum { PLACES = 4 };

/* A directory of the layer, open; its times are put back when it is let go, so that files made in it leave no trace. */
struct place {
        int fd; /* -1: this one is free */
        char *path;
        size_t len;
        uint64_t used; /* when; the oldest one goes first */
        dev_t dev;
        ino_t ino;
        struct timespec times[2];                   /* accessed, modified */
        enum { HIDES_UNKNOWN, HIDES, SHOWS } hides; /* whether whiteouts in it mean nothing */
        bool inherits;                              /* what is made here gets its group or an ACL from here */
};

struct apply {
        int root;
        const struct layer_apply_options *options;
        struct tar_reader *reader;
        struct layer_applied *applied;
        uid_t uid; /* of what is made without being told otherwise */
        gid_t gid;
        bool acls; /* some directory has a default ACL */
        struct place places[PLACES];
        uint64_t clock;
        int64_t implied; /* directories made without an entry */
        char opaque[64]; /* the attribute's name */
};

/* An entry's name, cleaned: "usr/bin/env"; empty for the root. */
struct layer_path {
        char text[PATH_MAX];
        size_t parent_len; /* of "usr/bin" */
        const char *base;  /* "env" */
};

/* layer_leans() - @e needs to know what is below (layer_apply.c) */
void layer_leans(struct apply *a, const struct tar_entry *e);

/* ----------------------------------------------------------------------------------------------------- layer_name.c */

/*
 * layer_path_parse() - INVALID: out of the tree, too long, a part too long. `base` may begin with .wh., the parts
 * before it may not; *ret_meta: they are aufs' own, nothing to unpack
 */
int layer_path_parse(const char *name, struct layer_path *ret, bool *ret_meta, struct cor_err *err) COR_MUST_CHECK;
/* layer_shown() - @name fit for a message, in @buf of @n bytes (too long: cut) */
const char *layer_shown(const char *name, char *buf, size_t n);
/* layer_quiet() - no name of the archive that came into the message shall speak to a terminal */
void layer_quiet(struct cor_err *err);

/* ---------------------------------------------------------------------------------------------------- layer_place.c */

/*
 * layer_place() - the directory @path (@len bytes of it), made if the archive may lack it: 0 and *ret, borrowed until
 * the next call; 1: it may be in a lower layer, and those are not known
 */
int layer_place(struct apply *a, const char *path, size_t len, const struct tar_entry *e, struct place **ret,
                struct cor_err *err) COR_MUST_CHECK;
/* layer_places_leave() - let all of them go: before a directory is replaced or its times are set */
int layer_places_leave(struct apply *a, struct cor_err *err) COR_MUST_CHECK;

/* ----------------------------------------------------------------------------------------------------- layer_walk.c */

/*
 * layer_walk() - go to directory @path through this layer and those below, making here what is only there; its
 * descriptor, and its name without links in *ret_real (PATH_MAX bytes). -2: the layers below are not known.
 */
int layer_walk(struct apply *a, const char *path, const struct tar_entry *e, char *ret_real, struct cor_err *err)
        COR_MUST_CHECK;
enum { LAYER_LEANS = -2 };

/* ---------------------------------------------------------------------------------------------------- layer_lower.c */

/* A directory as it is in one layer: the index of a lower one, or -1 for the layer that is being made. */
struct layer_dir {
        int fd, layer;
};
struct layer_view {
        struct layer_dir *items; /* uppermost first */
        size_t n;
};
/* layer_view_open() - the view of directory @path (real names); layer_view_done(), on one that is {0} as well */
int layer_view_open(const struct apply *a, const char *path, struct layer_view *ret, struct cor_err *err)
        COR_MUST_CHECK;
void layer_view_done(struct layer_view *v);
#define auto_layer_view COR_CLEANUP(layer_view_done) struct layer_view
/* layer_view_descend() - make it that of directory @name in it */
int layer_view_descend(const struct apply *a, struct layer_view *v, const char *name, struct cor_err *err)
        COR_MUST_CHECK;
/* layer_view_find() - the lower directory that shows @name, and what that is; NULL: none does */
const struct layer_dir *layer_view_find(const struct layer_view *v, const char *name, struct stat *ret_st);
/* layer_copy_up() - make @base in @dir as the copy of @base in @lower, which is @st; INVALID for a directory */
int layer_copy_up(struct apply *a, int lower, const char *base, const struct stat *st, int dir, struct cor_err *err)
        COR_MUST_CHECK;

/* ----------------------------------------------------------------------------------------------------- layer_attr.c */

/* layer_attr_file() - all attributes of the new regular file or directory @fd; @exact: nothing may be taken for granted
 */
int layer_attr_fd(struct apply *a, int fd, const struct tar_entry *e, bool exact, struct cor_err *err) COR_MUST_CHECK;
/* layer_attr_at() - the same for @base in @place, of any other kind */
int layer_attr_at(struct apply *a, const struct place *place, const char *base, const struct tar_entry *e,
                  struct cor_err *err) COR_MUST_CHECK;
/* layer_xattr_kept() - an attribute that is a layer's own: not overlayfs', not the host's security label */
bool layer_xattr_kept(const char *name);
/* layer_xattrs_list() - names of @fd's attributes (an O_PATH descriptor will do), each terminated; free() */
ssize_t layer_xattrs_list(int fd, char **ret, struct cor_err *err) COR_MUST_CHECK;
/* layer_xattr_get() - 1 with a value to be freed, 0 if it is gone */
int layer_xattr_get(int fd, const char *name, char **ret, size_t *ret_len, struct cor_err *err) COR_MUST_CHECK;
/* layer_xattrs_copy() - all that are kept, from @from to @to; @strip: take away what @to has, first */
int layer_xattrs_copy(struct apply *a, int from, int to, struct cor_err *err) COR_MUST_CHECK;
int layer_xattrs_strip(int fd, bool acls_only, struct cor_err *err) COR_MUST_CHECK;
int layer_set_opaque(const struct apply *a, int dir, struct cor_err *err) COR_MUST_CHECK;
bool layer_is_opaque(const struct apply *a, int dir);
static inline bool layer_is_whiteout(const struct stat *st)
{
        return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

#endif
