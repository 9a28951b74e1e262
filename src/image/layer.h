#ifndef CORACLE_IMAGE_LAYER_H
#define CORACLE_IMAGE_LAYER_H
/*
 * Layers: an archive unpacked into an overlayfs layer, and the archive made from one again (image-spec layer.md).
 *
 * Nothing in an archive is trusted. Names are resolved beneath the folder with openat2 (in the root, no magic links), a
 * parent that is a link is followed inside the layer only, hard links go to files of the layer only.
 */
#include "base/text.h"
#include "image/tar.h"

/* What layer_apply() found. */
struct layer_applied {
        int64_t bytes; /* that files use, for `docker images` (sizes, a hard link counted once) */
        int64_t entries;
        bool needs_lower; /* it leans on what lies below it (see layer_apply()) */
        char why[200];    /* the first entry that does, for the log */
};

struct layer_apply_options {
        const char *overlay_prefix; /* "trusted.overlay." or "user.overlay." */
        bool rootless;              /* device nodes cannot be made: INVALID names the entry */
        struct tar_limits limits;
        /*
         * The layers below, uppermost first, as O_PATH folders; n_lower 0 and `probe` set: none are known, and an
         * archive that needs them makes layer_apply() stop with needs_lower and success.
         */
        const int *lower;
        size_t n_lower;
        bool probe;
};

/**
 * layer_apply() - unpack a layer's archive
 * @dirfd:   an empty folder; afterwards it holds the layer in overlayfs form
 * @reader:  the uncompressed archive
 * @ret:     what was found
 *
 * Whiteouts (.wh.NAME) become 0/0 character devices, .wh..wh..opq an opaque directory; those hide what lies below,
 * never what the same archive holds. Entry given twice: the last one holds. Owners, modes, times (ns), xattrs, ACLs,
 * file capabilities, devices, fifos, sparse files come out as umoci unpacks them. An archive leans on the layers below
 * when it has a hard link to a file that it does not hold, a parent directory without an entry, or a parent that is a
 * link in a lower layer: with `lower` these are looked up there (a linked file is copied up, a parent gets the lower
 * one's owner, mode, times and xattrs). Without (first layer of an image: n_lower 0, no probe) a missing parent is made
 * 0755 root.
 *
 * An archive without an entry for the root leaves the folder the attributes it has. Sets the umask of the process to 0.
 *
 * Errors name the entry. Needs the rights to change owners where the archive has others than the caller.
 */
int layer_apply(int dirfd, struct tar_reader *reader, const struct layer_apply_options *options,
                struct layer_applied *ret, struct cor_err *err) COR_MUST_CHECK;

/* How fuse-overlayfs marks an opaque directory: by this attribute ("y"), and by names in it. layer_diff() knows it. */
#define LAYER_FUSE_OPAQUE "user.fuseoverlayfs.opaque"
static inline bool layer_is_fuse_mark(const char *name)
{
        return cor_streq(name, ".wh..wh..opq") || cor_streq(name, ".wh..opq");
}

/**
 * layer_diff() - the archive of a layer: the exact inverse of layer_apply()
 * @dirfd:  the layer (an overlayfs upper directory, say)
 * @writer: gets entries in the order of names (bytes), parents before children, hard links after the file they lead to
 *
 * 0/0 devices become whiteouts, opaque directories .wh..wh..opq; overlayfs' own xattrs are left out.
 */
int layer_diff(int dirfd, const char *overlay_prefix, struct tar_writer *writer, struct cor_err *err) COR_MUST_CHECK;
/* layer_diff_inside() - the same without an entry for the folder itself */
int layer_diff_inside(int dirfd, const char *overlay_prefix, struct tar_writer *writer, struct cor_err *err)
        COR_MUST_CHECK;

#endif
