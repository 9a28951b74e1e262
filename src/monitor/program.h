#ifndef CORACLE_MONITOR_PROGRAM_H
#define CORACLE_MONITOR_PROGRAM_H
/*
 * coracle-monitor --store PATH ID: what stays with one running container (monitor/protocol.h, monitor/monitor.h). It is
 * started by the engine in a session of its own, with its end of a socket pair as descriptor 3; it outlives its
 * starter.
 *
 * It is a name of the program coracle, not a file of its own: runtime, store and networks, which both consist of for
 * the most part, are on the disk and in its cache once.
 */

/* monitor_program() - main() by that name, before anything else was done: the exit code */
int monitor_program(int argc, char **argv, char **envp);

#endif
