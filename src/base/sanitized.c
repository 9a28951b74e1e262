/*
 * Part of each program in builds with AddressSanitizer, and only there: what the sanitizers ask a program about.
 *
 * Options are here and not in ASAN_OPTIONS, since engines start the runtime without the environment they got.
 *
 * Findings: many a process ends where no test looks, in a container, behind an engine, while a test clears up, or with
 * a failure that the test expects. So each process that a sanitizer ends writes it down in CORACLE_FINDINGS, a file in
 * the build folder, for tests/integration/run to show. The file is mapped before main(): a process in a container
 * reaches it by no path and no descriptor. Text stands at its beginning, in its last 8 bytes how much of it there is.
 *
 * Leaks: at exit the leak checker clones a thread that traces the process, and spins until that says it is done. The
 * thread ends without a word where its getppid() is not the process: in another pid namespace, which is where clones of
 * ours go once exec has entered that of a container. And nobody traces a process that is not dumpable.
 */
#include "base/fd.h"

#include <fcntl.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOR_SANITIZERS __attribute__((visibility("default"), used))

static char *findings;
static size_t room;
static char command[256];

/* --- options ------------------------------------------------------------------------------------------------------ */

const char *__ubsan_default_options(void);

FOR_SANITIZERS const char *__asan_default_options(void)
{
        return "handle_abort=1"; /* what UBSan finds, and broken assertions */
}

FOR_SANITIZERS const char *__ubsan_default_options(void)
{
        return "halt_on_error=1:print_stacktrace=1:abort_on_error=1";
}

/* --- findings ----------------------------------------------------------------------------------------------------- */

static void note(const char *text)
{
        size_t len = strlen(text);
        uint64_t at = atomic_fetch_add((_Atomic uint64_t *)(void *)(findings + room), len);

        if (at < room)
                memcpy(findings + at, text, len < room - at ? len : room - at);
}

static void note_end(void)
{
        char line[sizeof command + 64];

        snprintf(line, sizeof line, "ended by a sanitizer: process %d, %s\n", (int)getpid(), command);
        note(line);
}

static void __attribute__((constructor)) open_findings(int argc, char **argv)
{
        auto_fd fd = open(CORACLE_FINDINGS, O_RDWR | O_CLOEXEC);
        struct stat st;
        void *map;

        if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < 4096)
                return;
        map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED)
                return;
        findings = map;
        room = (size_t)st.st_size - sizeof(uint64_t);
        for (int i = 0; i < argc; i++)
                snprintf(command + strlen(command), sizeof command - strlen(command), "%s ", argv[i]);
        __asan_set_error_report_callback(note);
        __sanitizer_set_death_callback(note_end);
}

/* --- leaks -------------------------------------------------------------------------------------------------------- */

static bool clones_stay_here(void)
{
        struct stat ours, of_children;

        return stat("/proc/self/ns/pid", &ours) == 0 && stat("/proc/self/ns/pid_for_children", &of_children) == 0 &&
               ours.st_ino == of_children.st_ino;
}

/* The search reads /proc, which has to be that of our own pid namespace, and traces us, which no debugger may do yet.
 */
static bool searchable(void)
{
        char status[1024] = "", ours[32];
        auto_fd fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

        if (fd < 0 || read(fd, status, sizeof status - 1) < 0)
                return false;
        snprintf(ours, sizeof ours, "\nPid:\t%d\n", (int)getpid());
        return strstr(status, ours) && strstr(status, "\nTracerPid:\t0\n");
}

/* Where no process can be made any more, the search ends the program. */
static bool can_make_a_process(void)
{
        pid_t pid = fork();

        if (pid == 0)
                _exit(0);
        return pid > 0 && waitpid(pid, NULL, 0) == pid;
}

/* Asked when the search is due. The first process of a pid namespace cannot be stopped, and so not be searched. */
FOR_SANITIZERS int __lsan_is_turned_off(void)
{
        if (getpid() == 1 || !searchable())
                return 1;
        if (!clones_stay_here()) {
                auto_fd ours = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

                if (ours < 0 || setns(ours, CLONE_NEWPID) < 0)
                        return 1;
        }
        return !can_make_a_process() || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0;
}
