#ifndef CORACLE_LINUX_CLONE_SELF_H
#define CORACLE_LINUX_CLONE_SELF_H
/*
 * The program's own binary, out of reach of the containers it starts (CVE-2019-5736): a process inside can open
 * /proc/PID/exe of the runtime's processes, or have the kernel run `#!/proc/self/exe`, and write to the file once
 * nobody executes it. Therefore whoever is going to enter a container first executes itself again from a read-only
 * clone of the mount that its binary lies on. The clone is detached: it is in no mount namespace, so nothing can make
 * it writable again, it costs no memory per container, and it goes away with its last user.
 */
#include "base/err.h"

enum clone_self_way {
        CLONE_SELF_NOT_NEEDED, /* read-only already, protected by fs-verity, or nothing that the caller could write */
        CLONE_SELF_MOUNT,      /* detached read-only clone of the mount */
        CLONE_SELF_MEMFD,      /* sealed copy in memory: no right to clone mounts */
};

/**
 * clone_self_protect() - continue as a process whose binary cannot be written through /proc
 * @argv, @envp: those of main()
 *
 * Returns 0 if the running image is safe as it is; otherwise executes the binary again, from main(), and does not
 * return, or returns an error. To be called first in main(): descriptors that are not close-on-exec survive, nothing
 * else does. That it happened already is seen from the binary itself; an environment variable only ends a loop.
 */
int clone_self_protect(char **argv, char **envp, struct cor_err *err) COR_MUST_CHECK;

/* clone_self_open() - a descriptor to execveat() @exe from (an open binary), and how it is protected */
int clone_self_open(int exe, enum clone_self_way *ret_way, struct cor_err *err) COR_MUST_CHECK;
/* clone_self_is_safe() - 1 if nobody can write to open binary @exe through a descriptor like it; 0 if somebody might */
int clone_self_is_safe(int exe, struct cor_err *err) COR_MUST_CHECK;

/*
 * clone_self_of() - the same for another program that is about to be executed: a descriptor of a protected form of it,
 * for /proc/self/fd, so that it need not execute itself again; with an environment from clone_self_environment(). -1 if
 * it needs none or that is not possible here: executed by its name it sees to itself.
 */
int clone_self_of(const char *program);
/* clone_self_environment() - @envp with the mark that keeps a mistake from going round for ever; free() the array */
char **clone_self_environment(char **envp) __attribute__((returns_nonnull));

#endif
