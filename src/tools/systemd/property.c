#include "tools/systemd/property.h"

#include "tools/systemd/variant.h"
#include <errno.h>
#include <string.h>

static int bus_failed(int r, const char *name, struct cor_err *err)
{
        errno = -r;
        return cor_fail_errno(err, "property %s", name);
}

/* Everything around the value: (sv) */
static int open_property(sd_bus_message *m, const char *name, const char *type)
{
        int r = sd_bus_message_open_container(m, 'r', "sv");

        if (r >= 0)
                r = sd_bus_message_append(m, "s", name);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', type);
        return r;
}

static int close_property(sd_bus_message *m)
{
        int r = sd_bus_message_close_container(m);

        return r < 0 ? r : sd_bus_message_close_container(m);
}

int property_bool(sd_bus_message *m, const char *name, bool value, struct cor_err *err)
{
        int r = sd_bus_message_append(m, "(sv)", name, "b", (int)value);

        return r < 0 ? bus_failed(r, name, err) : 0;
}

int property_string(sd_bus_message *m, const char *name, const char *value, struct cor_err *err)
{
        int r = sd_bus_message_append(m, "(sv)", name, "s", value);

        return r < 0 ? bus_failed(r, name, err) : 0;
}

int property_pids(sd_bus_message *m, uint32_t pid, struct cor_err *err)
{
        int r = sd_bus_message_append(m, "(sv)", "PIDs", "au", 1, pid);

        return r < 0 ? bus_failed(r, "PIDs", err) : 0;
}

/* --- values of known types --------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
        const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

        return at ? (int)(at - digits) : -1;
}

static int append_bytes(sd_bus_message *m, const char *hex)
{
        size_t n = strlen(hex) / 2;
        auto_free uint8_t *bytes = cor_alloc(n);

        for (size_t i = 0; i < n; i++) {
                int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

                if (high < 0 || low < 0)
                        return -EINVAL;
                bytes[i] = (uint8_t)(high << 4 | low);
        }
        return sd_bus_message_append_array(m, 'y', bytes, n);
}

static int append_pairs(sd_bus_message *m, const char *lines)
{
        auto_str copy = cor_strdup(lines);
        char *cursor = copy, *line;
        int r = sd_bus_message_open_container(m, 'a', "(ss)");

        while (r >= 0 && (line = cor_split_next(&cursor, '\n'))) {
                char *space = strchr(line, ' ');

                if (!space)
                        continue;
                *space = '\0';
                r = sd_bus_message_append(m, "(ss)", line, space + 1);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_typed(sd_bus_message *m, const struct request_property *p)
{
        uint64_t number;

        if (strcmp(p->type, "s") == 0)
                return sd_bus_message_append(m, "s", p->value);
        if (strcmp(p->type, "ay") == 0)
                return append_bytes(m, p->value);
        if (strcmp(p->type, "a(ss)") == 0)
                return append_pairs(m, p->value);
        if (strcmp(p->type, "t") != 0 || cor_parse_u64(p->value, &number) < 0)
                return -EINVAL;
        return sd_bus_message_append(m, "t", number);
}

static int add_typed(sd_bus_message *m, const struct request_property *p, struct cor_err *err)
{
        int r = open_property(m, p->name, p->type);

        if (r >= 0)
                r = append_typed(m, p);
        if (r >= 0)
                r = close_property(m);
        return r < 0 ? bus_failed(r, p->name, err) : 0;
}

/* --- values of annotations --------------------------------------------------------------------------------------- */

static int append_number(sd_bus_message *m, const struct variant *v)
{
        int64_t number = (int64_t)(v->negative ? 0 - v->number : v->number);

        switch (v->type[0]) {
        case 'd':
                return sd_bus_message_append(m, "d", v->real);
        case 'y':
                return sd_bus_message_append(m, "y", (int)number);
        case 'n':
                return sd_bus_message_append(m, "n", (int)number);
        case 'q':
                return sd_bus_message_append(m, "q", (int)number);
        case 'i':
                return sd_bus_message_append(m, "i", (int32_t)number);
        case 'u':
                return sd_bus_message_append(m, "u", (uint32_t)number);
        case 'x':
                return sd_bus_message_append(m, "x", number);
        default:
                return sd_bus_message_append(m, "t", v->number);
        }
}

static int append_variant(sd_bus_message *m, const struct variant *v)
{
        auto_str inner = NULL;
        int r;

        switch (v->kind) {
        case VARIANT_BOOL:
                return sd_bus_message_append(m, "b", (int)v->truth);
        case VARIANT_NUMBER:
                return append_number(m, v);
        case VARIANT_STRING:
                return sd_bus_message_append_basic(m, v->type[0], v->text);
        case VARIANT_ARRAY:
        case VARIANT_TUPLE:
                break;
        }
        inner = cor_strdup(v->type + 1);
        if (v->kind == VARIANT_TUPLE)
                inner[strlen(inner) - 1] = '\0';
        r = sd_bus_message_open_container(m, v->kind == VARIANT_TUPLE ? 'r' : 'a', inner);
        for (size_t i = 0; i < v->n_items && r >= 0; i++)
                r = append_variant(m, &v->items[i]);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* systemd has …USec properties where unit files say …Sec. */
static int add_text(sd_bus_message *m, const struct request_text *t, struct cor_err *err)
{
        size_t len = strlen(t->name);
        auto_variant v = { .type = NULL };
        auto_str name = cor_strdup(t->name);
        int r;

        if (variant_parse(t->value, &v, err) < 0)
                return cor_wrap(err, "annotation org.systemd.property.%s", t->name);
        if (len > 4 && cor_ends_with(name, "Sec") && name[len - 4] >= 'a' && name[len - 4] <= 'z') {
                if (variant_seconds(&v, err) < 0)
                        return cor_wrap(err, "annotation org.systemd.property.%s", t->name);
                free(name);
                name = cor_printf("%.*sUSec", (int)len - 3, t->name);
        }
        r = open_property(m, name, v.type);
        if (r >= 0)
                r = append_variant(m, &v);
        if (r >= 0)
                r = close_property(m);
        return r < 0 ? bus_failed(r, t->name, err) : 0;
}

int property_add_all(sd_bus_message *m, const struct request *r, unsigned version, struct cor_err *err)
{
        for (size_t i = 0; i < r->n_properties; i++)
                if (r->properties[i].since <= version && add_typed(m, &r->properties[i], err) < 0)
                        return -1;
        for (size_t i = 0; i < r->n_texts; i++)
                if (add_text(m, &r->texts[i], err) < 0)
                        return -1;
        return 0;
}
