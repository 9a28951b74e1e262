#ifndef CORACLE_LINUX_MOUNT_OPTION_H
#define CORACLE_LINUX_MOUNT_OPTION_H
/* The words of a mount's `options`, sorted into what the kernel wants them as. */
#include "base/text.h"
#include "linux/mount.h"
#include "spec/oci.h"

struct mount_options {
        struct mount_attrs attrs;     /* of this mount */
        struct mount_attrs recursive; /* of it and all below it: rro, rnosuid, … and rshared, rslave, … */
        unsigned long sb_flags;       /* of the superblock: sync, dirsync, lazytime, … */
        bool bind, rbind, remount;
        bool tmpcopyup, copy_symlink, src_nofollow, dest_nofollow;
        bool idmap, ridmap;
        const char *idmap_maps; /* behind "idmap=", or NULL; points into the options */
        const char
                *beneath; /* behind "x-beneath=": the source is looked up below this folder, links included; or NULL */
        char *data;       /* all other options, comma-separated, for the filesystem; or NULL. Owned. */
};
void mount_options_done(struct mount_options *o);

/* mount_options_parse() - never fails: an unknown word belongs to the filesystem, as mount(8) has it */
void mount_options_parse(const char *const *words, size_t n, struct mount_options *ret);

/* mount_option_next() - the known words in alphabetical order; start with *@i = 0; NULL at the end (`features`) */
const char *mount_option_next(size_t *i);

/* mount_propagation_of() - MS_ flags of "rslave" and the like, 0 for anything else */
unsigned long mount_propagation_of(const char *word);

#endif
