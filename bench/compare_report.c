/*
 * bench-compare: medians, ratios, tables. A ratio is the median of the ratios of each round, not the ratio of medians:
 * what slowed the machine for a moment slowed both commands of that round.
 */
#include "compare.h"
#include <stdlib.h>
#include <string.h>

struct spread {
        double min, median, max;
};

typedef double (*sample_field)(const struct sample *s);

static double field_wall(const struct sample *s)
{
        return s->wall_ms;
}

static double field_cpu(const struct sample *s)
{
        return s->cpu_ms;
}

static double field_rss(const struct sample *s)
{
        return s->rss_kib;
}

static int double_compare(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

/* The spread of @field over all rounds, divided by that of @base in the same round unless it is NULL. */
static struct spread spread_of(const struct comparison *cmp, const struct row *row, sample_field field,
                               const struct row *base)
{
        static double values[ROUNDS_MAX];
        size_t i, n = cmp->n_rounds;
        double divisor;

        for (i = 0; i < n; i++) {
                divisor = base ? field(&base->samples[i]) : 1;
                values[i] = divisor > 0 ? field(&row->samples[i]) / divisor : 0;
        }
        qsort(values, n, sizeof values[0], double_compare);
        return (struct spread){ values[0], (values[(n - 1) / 2] + values[n / 2]) / 2, values[n - 1] };
}

static int name_width(const struct comparison *cmp)
{
        size_t i, width = 8;

        for (i = 0; i < cmp->n_rows; i++)
                if (strlen(cmp->rows[i].name) > width)
                        width = strlen(cmp->rows[i].name);
        return (int)width;
}

void report_text(const struct comparison *cmp, FILE *out)
{
        int width = name_width(cmp);
        struct spread wall, cpu, rss;
        const struct row *row, *base;
        size_t i, b;

        fprintf(out, "%s (%zu rounds)\n", cmp->title, cmp->n_rounds);
        fprintf(out, "%-*s %9s %9s %9s %9s %9s", width, "", "wall min", "median", "max ms", "cpu ms", "rss KiB");
        for (b = 0; b < cmp->n_bases; b++)
                fprintf(out, "  | x %s: wall, cpu", cmp->rows[cmp->bases[b]].name);
        fputc('\n', out);
        for (i = 0; i < cmp->n_rows; i++) {
                row = &cmp->rows[i];
                wall = spread_of(cmp, row, field_wall, NULL);
                cpu = spread_of(cmp, row, field_cpu, NULL);
                rss = spread_of(cmp, row, field_rss, NULL);
                fprintf(out, "%-*s %9.2f %9.2f %9.2f %9.2f %9.0f", width, row->name, wall.min, wall.median, wall.max,
                        cpu.median, rss.median);
                for (b = 0; b < cmp->n_bases; b++) {
                        base = &cmp->rows[cmp->bases[b]];
                        fprintf(out, "  | %*.2f %5.2f", (int)strlen(base->name) + 8,
                                spread_of(cmp, row, field_wall, base).median,
                                spread_of(cmp, row, field_cpu, base).median);
                }
                if (row->n_failed)
                        fprintf(out, "  %zu FAILED", row->n_failed);
                fputc('\n', out);
        }
        fputc('\n', out);
}

static void json_text(const char *s, FILE *out)
{
        fputc('"', out);
        for (; *s; s++)
                if (*s == '"' || *s == '\\')
                        fprintf(out, "\\%c", *s);
                else if ((unsigned char)*s < ' ')
                        fprintf(out, "\\u%04x", (unsigned)*s);
                else
                        fputc(*s, out);
        fputc('"', out);
}

static void json_spread(const char *key, struct spread s, FILE *out)
{
        fprintf(out, ",\"%s\":{\"min\":%.3f,\"median\":%.3f,\"max\":%.3f}", key, s.min, s.median, s.max);
}

static void json_ratios(const struct comparison *cmp, const struct row *row, FILE *out)
{
        const struct row *base;
        size_t b;

        fputs(",\"ratio\":{", out);
        for (b = 0; b < cmp->n_bases; b++) {
                base = &cmp->rows[cmp->bases[b]];
                if (b)
                        fputc(',', out);
                json_text(base->name, out);
                fprintf(out, ":{\"wall\":%.3f,\"cpu\":%.3f,\"rss\":%.3f}", spread_of(cmp, row, field_wall, base).median,
                        spread_of(cmp, row, field_cpu, base).median, spread_of(cmp, row, field_rss, base).median);
        }
        fputc('}', out);
}

void report_json(const struct comparison *cmp, FILE *out)
{
        const struct row *row;
        size_t i;

        for (i = 0; i < cmp->n_rows; i++) {
                row = &cmp->rows[i];
                fputs("{\"table\":", out);
                json_text(cmp->title, out);
                fputs(",\"row\":", out);
                json_text(row->name, out);
                fprintf(out, ",\"rounds\":%zu,\"failed\":%zu", cmp->n_rounds, row->n_failed);
                json_spread("wall_ms", spread_of(cmp, row, field_wall, NULL), out);
                json_spread("cpu_ms", spread_of(cmp, row, field_cpu, NULL), out);
                json_spread("rss_kib", spread_of(cmp, row, field_rss, NULL), out);
                json_ratios(cmp, row, out);
                fputs("}\n", out);
        }
}
