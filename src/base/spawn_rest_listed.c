/*
 * Our own descriptors are close-on-exec from birth, so that another thread's, opened meanwhile, do not matter: what has
 * to be closed is what we have inherited ourselves, and that does not change.
 */
#include "base/spawn_rest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int spawn_closes_rest(posix_spawn_file_actions_t *actions)
{
        DIR *open_ones = opendir("/proc/self/fd");
        const struct dirent *entry;
        int r = 0;

        if (!open_ones)
                return errno;
        while (r == 0 && (errno = 0, entry = readdir(open_ones))) {
                int fd = atoi(entry->d_name); /* 0 of "." and ".." */
                int flags = fd > STDERR_FILENO ? fcntl(fd, F_GETFD) : -1;

                if (flags >= 0 && !(flags & FD_CLOEXEC))
                        r = posix_spawn_file_actions_addclose(actions, fd);
        }
        if (r == 0)
                r = errno;
        closedir(open_ones);
        return r;
}
