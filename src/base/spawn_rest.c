#include "base/spawn_rest.h"

#include <unistd.h>

int spawn_closes_rest(posix_spawn_file_actions_t *actions)
{
        return posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
}
