#ifndef CORACLE_BENCH_COMPARE_H
#define CORACLE_BENCH_COMPARE_H
/*
 * What the files of bench-compare share: compare.c runs the commands, compare_daemon.c looks at the daemons behind
 * them, compare_report.c tells what came out.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { ROWS_MAX = 16, RUNS_MAX = 8, BASES_MAX = 5, DAEMONS_MAX = 4, ROUNDS_MAX = 10000, COPIES_MAX = 1000 };

/* One round of one row. */
struct sample {
        double wall_ms;
        double cpu_ms;  /* user and system time of everything that ended, orphans included, and of the daemon */
        double rss_kib; /* the largest process of them */
};

struct row {
        const char *name;
        const char *runs[RUNS_MAX]; /* one after the other, all timed */
        size_t n_runs;
        const char *before, *after;        /* shell commands, not timed; NULL: none */
        const char *pidfiles[DAEMONS_MAX]; /* of the daemons that do the work */
        size_t n_pidfiles;
        bool orphans;           /* what goes on after the commands counts, too */
        size_t copies;          /* of each run, at the same time */
        struct sample *samples; /* one a round */
        size_t n_failed;        /* runs that did not exit with 0, warm-up included */
};

struct comparison {
        const char *title;
        struct row rows[ROWS_MAX];
        size_t n_rows;
        size_t bases[BASES_MAX]; /* rows that the others are held against */
        size_t n_bases;
        size_t n_rounds, n_warmups;
        unsigned timeout_s; /* of one run */
        unsigned settle_s;  /* before each round of a row, wait up to so long until nothing else runs on the machine */
};

/* A daemon while one round runs. daemon_begin() - @pidfile may be NULL; daemon_end() - add its share to @sample */
struct daemon {
        int pid; /* 0: none */
        double cpu_ms;
};
void daemon_begin(struct daemon *d, const char *pidfile);
void daemon_end(const struct daemon *d, struct sample *sample);

/* report_text() - an aligned table; report_json() - one object a row and line */
void report_text(const struct comparison *cmp, FILE *out);
void report_json(const struct comparison *cmp, FILE *out);

#endif
