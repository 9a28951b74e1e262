/*
 * What a command has others do for it: processor time and peak memory of the daemon that it speaks with, read from
 * /proc, as a daemon does not end with the command. Its children count once it has waited for them; their memory does
 * not.
 */
#include "compare.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 4096, CPU_FIRST = 14, CPU_LAST = 17 }; /* utime, stime, cutime, cstime: proc_pid_stat(5) */

static int pid_of(const char *pidfile)
{
        FILE *file = fopen(pidfile, "re");
        int pid = 0;

        if (!file)
                return 0;
        if (fscanf(file, "%d", &pid) != 1)
                pid = 0;
        fclose(file);
        return pid;
}

static size_t proc_read(int pid, const char *name, char text[TEXT_MAX])
{
        size_t n = 0;
        FILE *file;

        snprintf(text, TEXT_MAX, "/proc/%d/%s", pid, name);
        file = fopen(text, "re");
        if (file) {
                n = fread(text, 1, TEXT_MAX - 1, file);
                fclose(file);
        }
        text[n] = 0;
        return n;
}

static double cpu_ms(int pid)
{
        char text[TEXT_MAX], *save = NULL, *word;
        unsigned long ticks = 0;
        int field = 2; /* what follows the name, which may hold anything, is field 3 */

        if (proc_read(pid, "stat", text) == 0 || !(word = strrchr(text, ')')))
                return 0;
        for (word = strtok_r(word + 1, " ", &save); word; word = strtok_r(NULL, " ", &save))
                if (++field >= CPU_FIRST && field <= CPU_LAST)
                        ticks += strtoul(word, NULL, 10);
        return (double)ticks * 1e3 / (double)sysconf(_SC_CLK_TCK);
}

static double peak_kib(int pid)
{
        char text[TEXT_MAX], *line;

        return proc_read(pid, "status", text) > 0 && (line = strstr(text, "\nVmHWM:"))
                       ? strtod(line + sizeof "\nVmHWM:" - 1, NULL)
                       : 0;
}

void daemon_begin(struct daemon *d, const char *pidfile)
{
        char path[64];
        int fd;

        *d = (struct daemon){ .pid = pidfile ? pid_of(pidfile) : 0 };
        if (d->pid == 0)
                return;
        snprintf(path, sizeof path, "/proc/%d/clear_refs", d->pid);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd >= 0) { /* 5: the peak begins anew */
                (void)!write(fd, "5", 1);
                close(fd);
        }
        d->cpu_ms = cpu_ms(d->pid);
}

void daemon_end(const struct daemon *d, struct sample *sample)
{
        double peak;

        if (d->pid == 0)
                return;
        sample->cpu_ms += cpu_ms(d->pid) - d->cpu_ms;
        peak = peak_kib(d->pid);
        if (peak > sample->rss_kib)
                sample->rss_kib = peak;
}
