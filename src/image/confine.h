#ifndef CORACLE_IMAGE_CONFINE_H
#define CORACLE_IMAGE_CONFINE_H
/*
 * The cages of the processes of a transfer (image/unpack.h): whoever takes one over by a crafted archive, stream or
 * answer finds itself with the files that it works on, and without the means to do more with them.
 *
 *      network process   no capability, the blobs of the store, connections by TCP, few system calls
 *      its broker        no capability (registry/broker.h: it hears no stranger)
 *      unpacker          the capabilities that files need
 *      extractor         the same, its layer's folder and nothing else, few system calls
 *      inflater          no capability, no folder, few system calls
 */
#include "base/err.h"
#include "linux/landlock.h"

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

/* confine_broker() - give up all capabilities, and that of getting any: what may be written is the caller's own */
int confine_broker(struct cor_err *err) COR_MUST_CHECK;
/**
 * confine_network() - the same, and more: for the process that speaks with registries and reads archives of images
 * @rules:   what stays of the file system (Landlock, where the kernel has it)
 * @speaks: it speaks with somebody; otherwise it gets no socket at all
 *
 * By seccomp as unpack_confine(), and beside that children can be waited for, and with @speaks it may connect by IP.
 * Unix sockets are not to be had: uid 0 is welcome at too many of them (those of container engines, D-Bus). A core of
 * it, which could hold secrets, is not written.
 */
int confine_network(const struct landlock_rule *rules, size_t n_rules, bool speaks, struct cor_err *err) COR_MUST_CHECK;
/* confine_unpacker() - give up all capabilities but those that unpack_confine() keeps */
int confine_unpacker(const char *overlay_prefix, struct cor_err *err) COR_MUST_CHECK;
/* confine_inflater() - only descriptors are left; memory for the buffers has to be there */
int confine_inflater(struct cor_err *err) COR_MUST_CHECK;
/* confine_descriptors() - close all but standard error and @fds (negative ones are skipped) */
int confine_descriptors(const int *fds, size_t n_fds, struct cor_err *err) COR_MUST_CHECK;

#endif
