/*
 * What a hostile container does, for the attack_*.bats tests. Every loop has an end.
 *
 *   attacker exchange A B SECONDS       exchange two names of one file system over and over (RENAME_EXCHANGE)
 *   attacker watch SECONDS STOP-FILE    in a container: look at every process that appears and take what it offers:
 *                                       its binary, descriptors, memory, folders. Ends early when STOP-FILE is there.
 *
 * `watch` prints one line for what should not have been had: "held exe|fd|mem|cwd|root PID …", and "wrote …" if a
 * binary could be written to, at once or after its process had ended. What belongs to the root file system is not
 * counted.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HELD_MAX = 256, NEAR_PIDS = 8, FAR_PIDS = 512, FAR_ROUNDS = 64 };

enum { MOUNTS_MAX = 128 };

static uint64_t own_mounts[MOUNTS_MAX]; /* the container's */
static size_t n_own_mounts;
static ino_t root_ino;
static struct {
        int fd;
        pid_t pid;
} held[HELD_MAX];
static size_t n_held;

static double now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int exchange(const char *a, const char *b, double seconds)
{
        double end = now() + seconds;
        unsigned long n = 0;

        while (now() < end)
                for (int i = 0; i < 64; i++, n++)
                        if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) < 0) {
                                perror("exchange");
                                return 1;
                        }
        printf("exchanged %lu times\n", n);
        return 0;
}

/* The numbers at the start of the lines of mountinfo. */
static bool read_own_mounts(void)
{
        FILE *file = fopen("/proc/self/mountinfo", "re");
        char line[4096];

        while (file && n_own_mounts < MOUNTS_MAX && fgets(line, sizeof line, file))
                own_mounts[n_own_mounts++] = strtoull(line, NULL, 10);
        if (file)
                fclose(file);
        return n_own_mounts > 0 && n_own_mounts < MOUNTS_MAX;
}

/* Whether a file or folder lies on a mount that is none of the container's. */
static bool is_foreign(int dirfd, const char *name)
{
        struct statx st;

        if (statx(dirfd, name, *name ? 0 : AT_EMPTY_PATH, STATX_MNT_ID | STATX_TYPE, &st) < 0 ||
            !(st.stx_mask & STATX_MNT_ID))
                return false;
        if (!S_ISDIR(st.stx_mode) && !S_ISREG(st.stx_mode))
                return false;
        for (size_t i = 0; i < n_own_mounts; i++)
                if (own_mounts[i] == st.stx_mnt_id)
                        return false;
        return true;
}

static void try_to_write(size_t i, const char *when)
{
        char path[64];
        int fd;

        snprintf(path, sizeof path, "/proc/self/fd/%d", held[i].fd);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return;
        printf("wrote %s %d: %s\n", when, held[i].pid, write(fd, "owned", 5) == 5 ? "written" : "opened");
        close(fd);
}

static void look_at_exe(pid_t pid)
{
        char path[64];
        int fd;

        snprintf(path, sizeof path, "/proc/%d/exe", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return;
        if (!is_foreign(fd, "") || n_held == HELD_MAX) {
                close(fd);
                return;
        }
        for (size_t i = 0; i < n_held; i++)
                if (held[i].pid == pid) {
                        close(fd);
                        return;
                }
        printf("held exe %d\n", pid);
        held[n_held].fd = fd;
        held[n_held].pid = pid;
        try_to_write(n_held++, "at once");
}

static void look_at_folder(pid_t pid, const char *name)
{
        char path[64];
        struct stat st;
        int fd;

        snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return;
        if (is_foreign(fd, "") || (strcmp(name, "root") == 0 && (fstat(fd, &st) < 0 || st.st_ino != root_ino)))
                printf("held %s %d\n", name, pid);
        close(fd);
}

static void look_at_descriptors(pid_t pid)
{
        char path[64], target[256];
        struct dirent *entry;
        DIR *dir;

        snprintf(path, sizeof path, "/proc/%d/fd", pid);
        dir = opendir(path);
        while (dir && (entry = readdir(dir))) {
                ssize_t n;

                if (!isdigit((unsigned char)entry->d_name[0]) || !is_foreign(dirfd(dir), entry->d_name))
                        continue;
                n = readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);
                if (n <= 0)
                        continue;
                target[n] = '\0';
                printf("held fd %d %s %s\n", pid, entry->d_name, target);
        }
        if (dir)
                closedir(dir);
}

/* What a process runs: one of the image's own programs, something else, or nothing any more. */
enum program { OWN, OTHER, ENDED };

static enum program program_of(pid_t pid)
{
        char path[64], target[256];
        ssize_t n;

        snprintf(path, sizeof path, "/proc/%d/exe", pid);
        n = readlink(path, target, sizeof target - 1);
        if (n < 0 && (errno == ENOENT || errno == ESRCH))
                return ENDED;
        return n > 5 && strncmp(target, "/bin/", 5) == 0 ? OWN : OTHER;
}

static void look_at_memory(pid_t pid)
{
        char path[64];
        int fd;

        snprintf(path, sizeof path, "/proc/%d/mem", pid);
        fd = program_of(pid) == OTHER ? open(path, O_RDWR | O_CLOEXEC) : -1;
        if (fd < 0)
                return;
        if (program_of(pid) == OTHER) /* between the two it may have begun one of the image's, and even ended it */
                printf("held mem %d\n", pid);
        close(fd);
}

static int watch(double seconds, const char *stop)
{
        double end = now() + seconds;
        pid_t highest = getpid();
        unsigned long seen = 0, round = 0;
        struct stat st;

        if (stat("/", &st) < 0 || !read_own_mounts()) {
                perror("watch");
                return 1;
        }
        root_ino = st.st_ino;
        setvbuf(stdout, NULL, _IOLBF, 0);
        printf("watching\n");
        while (now() < end && access(stop, F_OK) < 0) {
                /*
                 * The next numbers are known before they are there: faster than reading the folder. Who had no turn for
                 * a while has to look further ahead.
                 */
                pid_t ahead = round++ % FAR_ROUNDS == 0 ? FAR_PIDS : NEAR_PIDS;

                for (pid_t pid = highest + 1; pid <= highest + ahead; pid++) {
                        char path[32];
                        double until;

                        snprintf(path, sizeof path, "/proc/%d", pid);
                        if (access(path, F_OK) < 0)
                                continue;
                        seen++;
                        highest = pid;
                        until = now() + 2;
                        while (access(path, F_OK) == 0 && now() < until) {
                                look_at_exe(pid);
                                look_at_descriptors(pid);
                                look_at_memory(pid);
                                look_at_folder(pid, "cwd");
                                look_at_folder(pid, "root");
                        }
                        break;
                }
        }
        for (size_t i = 0; i < n_held; i++)
                try_to_write(i, "afterwards");
        printf("seen %lu\n", seen);
        return 0;
}

int main(int argc, char **argv)
{
        if (argc == 5 && strcmp(argv[1], "exchange") == 0)
                return exchange(argv[2], argv[3], atof(argv[4]));
        if (argc == 4 && strcmp(argv[1], "watch") == 0)
                return watch(atof(argv[2]), argv[3]);
        fprintf(stderr, "usage: attacker exchange A B SECONDS | watch SECONDS STOP-FILE\n");
        return 2;
}
