#ifndef CORACLE_IMAGE_CONFINE_H
#define CORACLE_IMAGE_CONFINE_H
/*
 * The cage of the process that unpacks: whoever takes it over by a crafted archive or stream finds itself with the
 * files of the store, and without the means to do more with them than to unpack.
 */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

/**
 * unpack_confine() - give up all rights that unpacking does not need, for ever
 * @folders:        what may be written: the layer's folder, or layers/ and images/ of the store; the layers below are
 * read, so they have to be beneath one of these
 * @overlay_prefix: "trusted.overlay." keeps CAP_SYS_ADMIN, which setting such an attribute takes
 *
 *   no_new_privs; Landlock where the kernel has it (5.19): nothing but @folders, no TCP, no signals to others
 *   capabilities: those to change owners, modes and attributes of files and to make devices; no more can be had
 *   seccomp: an allow-list. No program can be executed, no process started, no socket made, nothing mounted, traced,
 *   or mapped to be executed; threads can be made. What is refused fails with EPERM.
 *
 * To be called by the process itself while it has one thread, once its libraries are loaded (a first hash made: OpenSSL
 * reads its configuration). Descriptors that are open already stay usable. In a build with sanitizers, which need more
 * than that at the end of a process, only the capabilities go.
 */
int unpack_confine(const int *folders, size_t n_folders, const char *overlay_prefix, struct cor_err *err)
        COR_MUST_CHECK;

#endif
