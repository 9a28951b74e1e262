#include "cli/coracle/detach.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

/* One name: a character, "ctrl-" and a character of ASCII's first two columns, or DEL; -1: there is no such key */
static int key_code(const char *name)
{
        static const char controls[] = "@abcdefghijklmnopqrstuvwxyz[\\]^_";
        const char *at;

        if (strlen(name) == 1)
                return (uint8_t)*name;
        if (strcmp(name, "DEL") == 0)
                return 127;
        if (!cor_starts_with(name, "ctrl-") || strlen(name) != strlen("ctrl-x"))
                return -1;
        at = strchr(controls, name[strlen("ctrl-")]);
        return at ? (int)(at - controls) : -1;
}

int detach_parse(const char *keys, struct detach *ret, struct cor_err *err)
{
        auto_str copy = cor_strdup(keys ? keys : "ctrl-p,ctrl-q");
        char *cursor = copy, *name;
        struct detach d = { .n = 0 };

        while ((name = cor_split_next(&cursor, ',')) != NULL) {
                int code = key_code(name);

                if (code < 0)
                        return cor_fail(err, COR_INVALID, "Unknown character: '%.50s'", name);
                if (d.n == DETACH_KEYS_MAX)
                        return cor_fail(err, COR_INVALID, "more than %d keys to detach", DETACH_KEYS_MAX);
                d.keys[d.n++] = (uint8_t)code;
        }
        *ret = d;
        return 0;
}

/* The sequence has been typed up to d->found, and @byte is not what follows: how much of its end begins it again */
static void give_back(struct detach *d, uint8_t byte, char *out, size_t *n)
{
        while (d->found > 0 && d->keys[d->found] != byte) {
                size_t keep = d->found - 1;

                while (keep > 0 && memcmp(d->keys, d->keys + d->found - keep, keep) != 0)
                        keep--;
                memcpy(out + *n, d->keys, d->found - keep);
                *n += d->found - keep;
                d->found = keep;
        }
}

bool detach_filter(struct detach *d, const char *in, size_t n, char *out, size_t *ret_n)
{
        size_t kept = 0;

        for (size_t i = 0; i < n; i++) {
                uint8_t byte = (uint8_t)in[i];

                give_back(d, byte, out, &kept);
                if (d->n > 0 && d->keys[d->found] == byte) {
                        if (++d->found == d->n) {
                                d->found = 0;
                                *ret_n = kept;
                                return true;
                        }
                } else {
                        out[kept++] = in[i];
                }
        }
        *ret_n = kept;
        return false;
}
