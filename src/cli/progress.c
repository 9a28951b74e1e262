#include "cli/progress.h"

#include "base/fd.h"
#include "base/process.h"
#include "cli/rune.h"
#include "cli/units.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { REDRAW_MS = 100, LINES_MAX = 4096, BAR_LENGTH = 50, BAR_FROM_WIDTH = 110 };

struct row {
        char *id, *status;
        int64_t drawn_ms; /* when it was drawn last */
};

struct progress {
        int fd;
        bool terminal;
        unsigned width, height;
        struct row *rows; /* from the uppermost to the lowest on the screen; the cursor is below */
        size_t n_rows;
};

struct progress *progress_new(int fd)
{
        struct progress *p = cor_alloc(sizeof *p);
        struct winsize size = { 0 };
        const char *term = getenv("TERM");

        p->fd = fd;
        p->terminal = isatty(fd) && !(term && strcmp(term, "dumb") == 0);
        if (p->terminal && ioctl(fd, TIOCGWINSZ, &size) < 0)
                size = (struct winsize){ 0 };
        p->width = size.ws_col > 0 ? size.ws_col : 80;
        p->height = size.ws_row > 0 ? size.ws_row : 24;
        return p;
}

void progress_free(struct progress *p)
{
        if (!p)
                return;
        for (size_t i = 0; i < p->n_rows; i++) {
                free(p->rows[i].id);
                free(p->rows[i].status);
        }
        free(p->rows);
        free(p);
}

void progress_bar(int64_t current, int64_t total, unsigned width, struct cor_text *out)
{
        auto_text now = COR_TEXT_INIT;
        int done;

        if (total <= 0 || current < 0)
                return;
        units_size(current, 4, &now);
        if (width > BAR_FROM_WIDTH) {
                done = current >= total ? BAR_LENGTH : (int)((double)current / (double)total * 100) / 2;
                cor_text_add_c(out, '[');
                for (int i = 0; i < done; i++)
                        cor_text_add_c(out, '=');
                cor_text_printf(out, ">%*s] ", BAR_LENGTH - done, "");
        }
        cor_text_printf(out, "%8s", now.s);
        if (current <= total) {
                cor_text_add_c(out, '/');
                units_size(total, 4, out);
        }
}

/* Texts from a registry do not command the terminal. */
static void add_safe(const char *s, struct cor_text *out)
{
        uint32_t rune;

        for (size_t n = strlen(s), len; n > 0; s += len, n -= len) {
                len = rune_next(s, n, &rune);
                if (rune_is_printable(rune) && !(rune == RUNE_ERROR && len == 1))
                        cor_text_add_n(out, s, len);
                else
                        cor_text_add_c(out, '?');
        }
}

static void send(const struct progress *p, const struct cor_text *t)
{
        (void)!cor_write_full(p->fd, t->s, t->len, NULL); /* nobody who watches is no reason to stop */
}

static void add_line(const struct progress *p, const struct progress_change *c, struct cor_text *out)
{
        if (c->id) {
                add_safe(c->id, out);
                cor_text_add(out, ": ");
        }
        add_safe(c->status, out);
        if (p->terminal && c->total > 0) {
                cor_text_add_c(out, ' ');
                progress_bar(c->current, c->total, p->width, out);
        }
}

static struct row *find(struct progress *p, const char *id)
{
        for (size_t i = 0; i < p->n_rows; i++)
                if (strcmp(p->rows[i].id, id) == 0)
                        return &p->rows[i];
        return NULL;
}

/* Elsewhere than on a terminal: what changed, and no bytes */
static void show_plain(struct progress *p, const struct progress_change *c)
{
        struct row *r = c->id ? find(p, c->id) : NULL;
        auto_text t = COR_TEXT_INIT;

        if (c->total > 0 || (r && strcmp(r->status, c->status) == 0))
                return;
        if (c->id && !r && p->n_rows < LINES_MAX) {
                r = COR_GROW(p->rows, p->n_rows);
                r->id = cor_strdup(c->id);
        }
        if (r) {
                free(r->status);
                r->status = cor_strdup(c->status);
        }
        add_line(p, c, &t);
        cor_text_add_c(&t, '\n');
        send(p, &t);
}

/* Go up to its line, write it anew, and come back. */
static void redraw(struct progress *p, struct row *r, const struct progress_change *c)
{
        size_t up = p->n_rows - (size_t)(r - p->rows);
        bool same = cor_streq(r->status, c->status);
        int64_t now = cor_now_ms();
        auto_text t = COR_TEXT_INIT;

        if (up >= p->height || (same && c->current < c->total && now - r->drawn_ms < REDRAW_MS))
                return; /* it has left the screen, or was drawn just now */
        cor_text_printf(&t, "\033[%zuA\033[2K\r", up);
        add_line(p, c, &t);
        cor_text_printf(&t, "\r\033[%zuB", up);
        send(p, &t);
        r->drawn_ms = now;
        if (same)
                return;
        free(r->status);
        r->status = cor_strdup(c->status);
}

static void show_new(struct progress *p, const struct progress_change *c)
{
        auto_text t = COR_TEXT_INIT;
        struct row *r;

        add_line(p, c, &t);
        cor_text_add_c(&t, '\n');
        send(p, &t);
        if (p->n_rows >= LINES_MAX)
                return;
        r = COR_GROW(p->rows, p->n_rows);
        *r = (struct row){ .id = cor_strdup(c->id ? c->id : ""), .status = cor_strdup(c->status) };
}

void progress_show(struct progress *p, const struct progress_change *c)
{
        struct row *r = c->id && p->terminal ? find(p, c->id) : NULL;

        if (!p->terminal)
                show_plain(p, c);
        else if (r)
                redraw(p, r, c);
        else
                show_new(p, c);
}
