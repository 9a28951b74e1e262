#include "monitor/log_tag.h"

#include "base/text.h"

#include <string.h>

/* The field that begins at @word, which ends with a space or a brace; false: none that is known */
static bool add_field(const char *word, size_t len, const struct log_names *n, struct cor_text *out)
{
        const char *image_id = strchr(n->image_id, ':') ? strchr(n->image_id, ':') + 1 : n->image_id;
        const struct {
                const char *field, *value;
                int digits;
        } fields[] = {
                { ".ID", n->id, 12 },
                { ".FullID", n->id, 64 },
                { ".Name", n->name, 255 },
                { ".ImageID", image_id, 12 },
                { ".ImageFullID", n->image_id, 255 },
                { ".ImageName", n->image, 4096 },
                { ".DaemonName", "coracle", 255 },
        };

        for (size_t i = 0; i < COR_COUNT(fields); i++)
                if (strlen(fields[i].field) == len && strncmp(word, fields[i].field, len) == 0) {
                        cor_text_printf(out, "%.*s", fields[i].digits, fields[i].value);
                        return true;
                }
        return false;
}

/* Bytes of the action that @tag begins with; 0: none that is known */
static size_t take_action(const char *tag, const struct log_names *n, struct cor_text *out)
{
        const char *word = tag + 2 + strspn(tag + 2, " "), *end = word + strcspn(word, " }");
        const char *close = end + strspn(end, " ");

        if (!cor_starts_with(close, "}}") || !add_field(word, (size_t)(end - word), n, out))
                return 0;
        return (size_t)(close + 2 - tag);
}

int log_tag(const char *tag, const struct log_names *names, char **ret, struct cor_err *err)
{
        auto_text out = COR_TEXT_INIT;

        while (*tag) {
                size_t n = 1;

                if (!cor_starts_with(tag, "{{")) {
                        cor_text_add_c(&out, *tag);
                } else {
                        n = take_action(tag, names, &out);
                        if (n == 0)
                                return cor_fail(err, COR_INVALID,
                                                "log opt tag: '%.100s': expected {{.ID}}, {{.FullID}}, {{.Name}}, "
                                                "{{.ImageID}}, {{.ImageFullID}}, {{.ImageName}} or {{.DaemonName}}",
                                                tag);
                }
                tag += n;
        }
        *ret = cor_text_take(&out);
        return 0;
}
