/*
 * What `coracle run hello` runs: the only file of an image that comes with the installation. It tells a new user what
 * has just happened, as it sees it from within, and what to try next.
 */
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char next[] =
        "\n"
        "To try next:\n"
        "\n"
        "  coracle ps --all                           this container: it has ended, its output is kept\n"
        "  coracle logs CONTAINER                     that output once more; coracle rm CONTAINER removes both\n"
        "  coracle run --rm --interactive --tty debian bash\n"
        "                                             a shell in a Debian that is fetched from Docker Hub first\n"
        "  coracle run --detach --memory 64m --volume data:/data debian sleep 1000\n"
        "                                             one that stays in the background, with a limit and a volume\n"
        "  coracle exec, stop, cp, stats, system df   what else is done with containers, as docker does it\n"
        "  coracle help                               all commands; coracle COMMAND --help tells of one\n";

int main(void)
{
        struct utsname host = { .nodename = "?" };

        uname(&host);
        printf("Hello from a container!\n"
               "\n"
               "If you can read this, coracle works here. What has just happened:\n"
               "\n"
               "  1. The image hello was taken from the store of images. It comes with coracle, so neither a network\n"
               "     nor a registry was needed. It has one small file, /hello, for %s.\n"
               "  2. A container was made of it: a root filesystem with a writable layer of its own, and namespaces "
               "in\n"
               "     which this program is process %ld on the host %s (Linux %s).\n"
               "  3. A process named coracle-monitor started the program, and passes on what it says. No daemon is\n"
               "     involved; when the program ends, the monitor does.\n",
               host.machine, (long)getpid(), host.nodename, host.release);
        fputs(next, stdout);
        return fflush(stdout) == 0 ? 0 : 1;
}
