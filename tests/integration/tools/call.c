/*
 * Make system calls and say how they end, from inside a container: call NAME|NUMBER[:ARGUMENT...]...
 * One line each: the word, a space, and the result or the name of the error ("personality:8 EPERM").
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
        const char *name;
        long number;
} calls[] = {
        { "getpriority", SYS_getpriority },
        { "getuid", SYS_getuid },
        { "keyctl", SYS_keyctl },
        { "personality", SYS_personality },
        { "sched_yield", SYS_sched_yield },
        { "sync", SYS_sync },
        { "umask", SYS_umask },
        { "unshare", SYS_unshare },
};

static long number_of(const char *word)
{
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
                if (strcmp(calls[i].name, word) == 0)
                        return calls[i].number;
        return strtol(word, NULL, 10);
}

static void print_error(int error)
{
        switch (error) {
        case EPERM:
                puts("EPERM");
                break;
        case ENOSYS:
                puts("ENOSYS");
                break;
        case EXDEV:
                puts("EXDEV");
                break;
        default:
                printf("error %d\n", error);
        }
}

static void call(char *word)
{
        char *rest = strchr(word, ':');
        unsigned long args[6] = { 0 };
        long result;

        printf("%s ", word);
        fflush(stdout);
        for (int i = 0; i < 6 && rest; i++) {
                *rest++ = '\0';
                args[i] = strtoul(rest, NULL, 0);
                rest = strchr(rest, ':');
        }
        result = syscall(number_of(word), args[0], args[1], args[2], args[3], args[4], args[5]);
        if (result == -1)
                print_error(errno);
        else
                printf("%ld\n", result);
        fflush(stdout);
}

int main(int argc, char **argv)
{
        for (int i = 1; i < argc; i++)
                call(argv[i]);
        return 0;
}
