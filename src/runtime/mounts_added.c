#include "runtime/mounts_added.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ADDED_FILE "mounts"

enum { ADDED_MAX_BYTES = 1 << 20 };

int mounts_added_note(int dirfd, const char *destination, bool added, struct cor_err *err)
{
        auto_str clean = cor_path_clean(destination);
        auto_text line = COR_TEXT_INIT;
        auto_fd fd = openat(dirfd, ADDED_FILE, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (fd < 0)
                return cor_fail_errno(err, "note the mount at %s", destination);
        cor_text_add_c(&line, added ? '+' : '-');
        cor_text_add_json(&line, clean);
        cor_text_add_c(&line, '\n');
        if (cor_write_full(fd, line.s, line.len, err) < 0)
                return cor_wrap(err, "note the mount at %s", destination);
        return 0;
}

/* Take away the last line that says the same about another change. */
static void take_away(struct cor_strv *left, const char *place)
{
        for (size_t i = left->n_items; i-- > 0;) {
                if (strcmp(left->items[i], place) != 0)
                        continue;
                free(left->items[i]);
                memmove(left->items + i, left->items + i + 1, (left->n_items - i) * sizeof *left->items);
                left->n_items--;
                return;
        }
}

int mounts_added_check(int dirfd, struct cor_err *err)
{
        auto_strv left = { 0 };
        auto_str text = NULL;
        struct cor_err why = { 0 };
        char *cursor, *line;
        size_t n;

        if (cor_own_read(dirfd, ADDED_FILE, ADDED_MAX_BYTES, &text, &n, &why) < 0) {
                if (why.kind == COR_NOT_FOUND)
                        return 0;
                *err = why;
                return -1;
        }
        cursor = text;
        while ((line = cor_split_next(&cursor, '\n')) != NULL) {
                if (line[0] == '+')
                        cor_strv_add(&left, line + 1);
                else if (line[0] == '-')
                        take_away(&left, line + 1);
        }
        if (left.n_items == 0)
                return 0;
        return cor_fail(
                err, COR_BUSY,
                "%s was mounted by `mounts add`, and would be missing after a restore: `mounts remove` it first",
                left.items[0]);
}
