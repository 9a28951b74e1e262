#ifndef CORACLE_BASE_SPAWN_REST_H
#define CORACLE_BASE_SPAWN_REST_H
/*
 * What a child of posix_spawn() must not inherit. spawn_rest.c has the C library close it in the child;
 * spawn_rest_listed.c, for musl, which cannot, names the descriptors that are open for it now.
 */
#include <spawn.h>

/* spawn_closes_rest() - have the child close all above 2 before it becomes another program; 0 or an error number */
int spawn_closes_rest(posix_spawn_file_actions_t *actions);

#endif
