#include "engine/spec_internal.h"

#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

char *spec_printf(struct spec *s, const char *fmt, ...)
{
        va_list ap;
        char *to;
        int n;

        va_start(ap, fmt);
        n = vsnprintf(NULL, 0, fmt, ap);
        va_end(ap);
        to = cor_json_alloc(s->c, (size_t)n + 1);
        va_start(ap, fmt);
        vsnprintf(to, (size_t)n + 1, fmt, ap);
        va_end(ap);
        return to;
}

char *spec_copy(void *root, const char *text)
{
        return text ? cor_json_strdup(root, text) : NULL;
}

const char *spec_strdup(struct spec *s, const char *text)
{
        return spec_copy(s->c, text);
}

void *spec_grow(void *root, void *items, size_t n, size_t size)
{
        void *to;

        if (n > 0 && (n & (n - 1)) != 0) /* room until the next power of two */
                return items;
        to = cor_json_alloc(root, (n ? 2 * n : 1) * size);
        if (n > 0)
                memcpy(to, items, n * size);
        return to;
}

void spec_add(struct spec *s, const char ***items, size_t *n, const char *text)
{
        *SPEC_GROW(s->c, *items, *n) = text;
}

void spec_warn(struct cor_strv *warnings, const char *fmt, ...)
{
        va_list ap;
        char *text = NULL;
        int n;

        if (!warnings)
                return;
        va_start(ap, fmt);
        n = vasprintf(&text, fmt, ap);
        va_end(ap);
        if (n >= 0)
                cor_strv_take(warnings, text);
}

const char *spec_container_of(const char *mode)
{
        return mode && cor_starts_with(mode, "container:") ? mode + strlen("container:") : NULL;
}

int spec_parse_bool(const char *s, bool *ret)
{
        static const struct cor_word words[] = {
                { "1", 1 }, { "t", 1 }, { "T", 1 },     { "true", 1 },  { "TRUE", 1 },  { "True", 1 }, { "0", 0 },
                { "f", 0 }, { "F", 0 }, { "false", 0 }, { "FALSE", 0 }, { "False", 0 }, { NULL, 0 },
        };
        const struct cor_word *w = cor_word_find(words, s);

        if (!w)
                return -1;
        *ret = w->value != 0;
        return 0;
}

bool spec_host_is_unified(void)
{
        struct statfs fs;

        return statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}
