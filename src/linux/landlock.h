#ifndef CORACLE_LINUX_LANDLOCK_H
#define CORACLE_LINUX_LANDLOCK_H
/* Landlock: a process gives up all files but those beneath some places, for ever, and for its children. */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

enum landlock_right {
        LANDLOCK_READ,  /* files and lists of files */
        LANDLOCK_WRITE, /* all but executing and control of devices */
        LANDLOCK_PLACE, /* as WRITE, but the content of files that are there stays: for what is renamed into place */
};

struct landlock_rule {
        int fd; /* a folder, or one file; O_PATH will do */
        enum landlock_right right;
};

/**
 * landlock_confine() - from now on open, make and remove files beneath the places of @rules only; nothing is executed
 * @network: TCP stays, to connect but not to listen (what is not there cannot be taken: Linux 6.7 and newer)
 *
 * What is open already stays open, and attributes of what can be named can be read and set: Landlock has no say in
 * these. Needs no_new_privs. Returns 1; 0 if the kernel has none, or one that could not allow a hard link from one
 * directory to another (before Linux 5.19).
 */
int landlock_confine(const struct landlock_rule *rules, size_t n_rules, bool network, struct cor_err *err)
        COR_MUST_CHECK;

#endif
