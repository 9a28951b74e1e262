/*
 * YAML to JSON, event by event: one document of maps, lists and scalars. Aliases, which can make a small file huge, are
 * refused.
 */
#include "engine/cdi.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>
#include <yaml.h>

enum { DEPTH_MAX = 32 };

struct level {
        bool map;
        bool value; /* of a map: the next scalar or collection is a value */
        size_t n;
};
struct conversion {
        struct cor_text out;
        struct level levels[DEPTH_MAX];
        size_t depth;
};

/* What a plain word stands for in JSON; anything quoted is text. */
static bool is_literal(const char *s)
{
        size_t sign = s[0] == '-', digits = strspn(s + sign, "0123456789");

        if (strcmp(s, "true") == 0 || strcmp(s, "false") == 0 || strcmp(s, "null") == 0)
                return true;
        return digits > 0 && digits < 19 && s[sign + digits] == '\0' && (s[sign] != '0' || digits == 1);
}

/* The comma or colon in front of what comes next; false where a map's key is expected. */
static bool begin(struct conversion *c)
{
        struct level *l = c->depth > 0 ? &c->levels[c->depth - 1] : NULL;
        bool key = l && l->map && !l->value;

        if (!l)
                return true;
        if (l->map && l->value)
                cor_text_add_c(&c->out, ':');
        else if (l->n++ > 0)
                cor_text_add_c(&c->out, ',');
        l->value = key;
        return !key;
}

static int open_level(struct conversion *c, bool map, struct cor_err *err)
{
        if (c->depth == DEPTH_MAX)
                return cor_fail(err, COR_INVALID, "YAML: nested more than %d deep", (int)DEPTH_MAX);
        if (!begin(c))
                return cor_fail(err, COR_INVALID, "YAML: a key of a map is not a word");
        cor_text_add_c(&c->out, map ? '{' : '[');
        c->levels[c->depth++] = (struct level){ .map = map };
        return 0;
}

static int add_scalar(struct conversion *c, const yaml_event_t *e, struct cor_err *err)
{
        const char *s = (const char *)e->data.scalar.value;
        bool value;

        if (strlen(s) != e->data.scalar.length)
                return cor_fail(err, COR_INVALID, "YAML: a zero byte in a text");
        value = begin(c);
        if (value && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && (is_literal(s) || !*s || strcmp(s, "~") == 0))
                cor_text_add(&c->out, is_literal(s) ? s : "null");
        else
                cor_text_add_json(&c->out, s);
        return 0;
}

static int add_event(struct conversion *c, const yaml_event_t *e, struct cor_err *err)
{
        switch (e->type) {
        case YAML_MAPPING_START_EVENT:
                return open_level(c, true, err);
        case YAML_SEQUENCE_START_EVENT:
                return open_level(c, false, err);
        case YAML_MAPPING_END_EVENT:
        case YAML_SEQUENCE_END_EVENT:
                cor_text_add_c(&c->out, e->type == YAML_MAPPING_END_EVENT ? '}' : ']');
                c->depth--;
                return 0;
        case YAML_SCALAR_EVENT:
                return add_scalar(c, e, err);
        case YAML_ALIAS_EVENT:
                return cor_fail(err, COR_UNSUPPORTED, "YAML: aliases are not taken");
        default:
                return 0;
        }
}

static int convert(struct conversion *c, yaml_parser_t *parser, struct cor_err *err)
{
        unsigned documents = 0;

        for (;;) {
                yaml_event_t event;
                yaml_event_type_t type;
                int r;

                if (!yaml_parser_parse(parser, &event))
                        return cor_fail(err, COR_INVALID, "YAML: line %zu: %s", parser->problem_mark.line + 1,
                                        parser->problem ? parser->problem : "cannot be read");
                type = event.type;
                r = add_event(c, &event, err);
                yaml_event_delete(&event);
                if (r < 0 || type == YAML_STREAM_END_EVENT)
                        return r;
                if (type == YAML_DOCUMENT_START_EVENT && documents++ > 0)
                        return cor_fail(err, COR_INVALID, "YAML: expected one document");
        }
}

int cdi_yaml_to_json(const char *text, size_t n, char **ret, struct cor_err *err)
{
        struct conversion c = { .depth = 0 };
        yaml_parser_t parser;
        int r;

        if (!yaml_parser_initialize(&parser))
                return cor_fail(err, COR_SYSTEM, "YAML: out of memory");
        yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
        r = convert(&c, &parser, err);
        yaml_parser_delete(&parser);
        if (r == 0)
                *ret = cor_text_take(&c.out);
        cor_text_done(&c.out);
        return r;
}
