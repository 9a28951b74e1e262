#include "runtime/passwd.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { PASSWD_MAX_BYTES = 1 << 20 };

/* name:password:UID:GID:gecos:HOME:shell */
static char *home_of_line(char *line, uid_t uid)
{
        char *field[7] = { NULL };
        uint32_t id;
        size_t n = 0;

        while (n < COR_COUNT(field) && (field[n] = cor_split_next(&line, ':')) != NULL)
                n++;
        if (n < 6 || cor_parse_u32(field[2], &id) < 0 || id != uid || field[5][0] != '/')
                return NULL;
        return field[5];
}

char *passwd_home_in(const char *text, size_t n, uid_t uid)
{
        auto_str copy = cor_strndup(text, n);
        char *cursor = copy, *line;

        while ((line = cor_split_next(&cursor, '\n')) != NULL) {
                char *home = home_of_line(line, uid);

                if (home)
                        return cor_printf("HOME=%s", home);
        }
        return cor_strdup("HOME=/");
}

char *passwd_home(uid_t uid)
{
        auto_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        /* without O_NONBLOCK a fifo of that name would hold us up for ever */
        auto_fd fd = cor_root_open(root, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, NULL);
        auto_str text = NULL;
        struct stat st;
        size_t n;

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
            cor_read_fd(fd, "/etc/passwd", PASSWD_MAX_BYTES, &text, &n, NULL) < 0)
                return cor_strdup("HOME=/");
        return passwd_home_in(text, n, uid);
}
