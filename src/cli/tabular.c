#include "cli/tabular.h"

#include "cli/rune.h"

#include <string.h>

enum { WIDTH_MIN = 10, PADDING = 3, COLUMNS_MAX = 256 };

struct cell {
        const char *text;
        size_t n, width;
};

struct line {
        struct cell *cells; /* the last one ends with the line, and not with a tab */
        size_t n_cells;
};

struct table {
        struct line *lines;
        size_t n_lines;
        size_t widths[COLUMNS_MAX], n_widths; /* of the columns that are open */
        struct cor_text *out;
};

static void add_cell(struct line *line, const char *text, size_t n)
{
        line->cells[line->n_cells++] = (struct cell){ .text = text, .n = n, .width = rune_count(text, n) };
}

static void split_line(struct line *line, const char *text, size_t n)
{
        const char *tab;

        while (line->n_cells < COLUMNS_MAX && (tab = memchr(text, '\t', n)) != NULL) {
                add_cell(line, text, (size_t)(tab - text));
                n -= (size_t)(tab + 1 - text);
                text = tab + 1;
        }
        add_cell(line, text, n);
}

static void add_blanks(struct cor_text *out, size_t n)
{
        static const char blanks[] = "                                ";

        for (size_t some; n > 0; n -= some) {
                some = n < sizeof blanks - 1 ? n : sizeof blanks - 1;
                cor_text_add_n(out, blanks, some);
        }
}

static void write_lines(struct table *t, size_t from, size_t to)
{
        for (; from < to; from++) {
                const struct line *line = &t->lines[from];

                for (size_t i = 0; i < line->n_cells; i++) {
                        cor_text_add_n(t->out, line->cells[i].text, line->cells[i].n);
                        if (i < t->n_widths && line->cells[i].width < t->widths[i])
                                add_blanks(t->out, t->widths[i] - line->cells[i].width);
                }
                cor_text_add_c(t->out, '\n');
        }
}

static bool has_column(const struct line *line, size_t column)
{
        return column + 1 < line->n_cells;
}

/* Lines that follow each other and have a cell in this column share its width; so do, within them, those to the right.
 */
static void write_columns(struct table *t, size_t from, size_t to)
{
        size_t column = t->n_widths;

        for (size_t i = from; i < to; i++) {
                size_t width = WIDTH_MIN;

                if (!has_column(&t->lines[i], column))
                        continue;
                write_lines(t, from, i);
                for (from = i; i < to && has_column(&t->lines[i], column); i++)
                        if (t->lines[i].cells[column].width + PADDING > width)
                                width = t->lines[i].cells[column].width + PADDING;
                t->widths[t->n_widths++] = width;
                write_columns(t, from, i);
                t->n_widths--;
                from = i;
        }
        write_lines(t, from, to);
}

static size_t count(const char *text, size_t n, char c)
{
        size_t found = 0;

        for (size_t i = 0; i < n; i++)
                found += text[i] == c;
        return found;
}

void tabular_add(const char *text, size_t n, struct cor_text *out)
{
        size_t lines = count(text, n, '\n') + 1;
        auto_free struct line *all_lines = cor_alloc(lines * sizeof(struct line));
        auto_free struct cell *all_cells = cor_alloc((count(text, n, '\t') + lines) * sizeof(struct cell));
        struct table t = { .lines = all_lines, .out = out };
        struct cell *next = all_cells;

        while (n > 0) {
                const char *end = memchr(text, '\n', n);
                size_t len = end ? (size_t)(end - text) : n;
                struct line *line = &t.lines[t.n_lines++];

                line->cells = next;
                split_line(line, text, len);
                next += line->n_cells;
                n -= end ? len + 1 : len;
                text += end ? len + 1 : len;
        }
        write_columns(&t, 0, t.n_lines);
}
