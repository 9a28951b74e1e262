/*
 * bench-json: what the JSON binding costs beside the library below it, on one config.json. Each round does all four in
 * turn; a round repeats each thing enough to be far above the clock's step.
 *
 *      bench-json CONFIG.JSON [ROUNDS]
 */
#include "spec/oci.h"
#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ROUNDS_MAX = 10000, REPEAT = 10, FILE_MAX = 4 << 20 };

struct input {
        char *text;
        size_t len;
        json_t *tree;              /* as jansson read it */
        struct oci_config *config; /* as the binding read it */
};

/*
 * The binding gives jansson an allocator of its own at its first parse, for good. Plain jansson is measured with the
 * usual one, so the two are exchanged around each use.
 */
static struct {
        json_malloc_t alloc;
        json_free_t free;
} binding_memory;

static void memory_plain(void)
{
        json_set_alloc_funcs(malloc, free);
}

static void memory_binding(void)
{
        json_set_alloc_funcs(binding_memory.alloc, binding_memory.free);
}

static int jansson_parse(struct input *in)
{
        json_t *tree;

        memory_plain();
        tree = json_loadb(in->text, in->len, 0, NULL);
        json_decref(tree);
        memory_binding();
        return tree ? 0 : -1;
}

static int binding_parse(struct input *in)
{
        struct cor_err err = { 0 };
        struct oci_config *config;

        if (cor_json_parse(&oci_config_doc, in->text, in->len, NULL, &config, &err) < 0)
                return -1;
        cor_json_free(config);
        return 0;
}

static int jansson_print(struct input *in)
{
        char *text;

        memory_plain();
        text = json_dumps(in->tree, JSON_COMPACT);
        free(text);
        memory_binding();
        return text ? 0 : -1;
}

static int binding_print(struct input *in)
{
        auto_text out = COR_TEXT_INIT;

        cor_json_print(&oci_config_doc, in->config, COR_JSON_COMPACT, &out);
        return out.len ? 0 : -1;
}

static const struct {
        const char *name;
        int (*run)(struct input *in);
} jobs[] = { { "jansson json_loadb", jansson_parse },
             { "cor_json_parse", binding_parse },
             { "jansson json_dumps", jansson_print },
             { "cor_json_print", binding_print } };

static double times_us[COR_COUNT(jobs)][ROUNDS_MAX];

static double now_us(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int double_compare(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

static int file_load(const char *path, struct input *in)
{
        FILE *file = fopen(path, "re");

        if (!file) {
                perror(path);
                return -1;
        }
        in->text = cor_alloc(FILE_MAX);
        in->len = fread(in->text, 1, FILE_MAX, file);
        fclose(file);
        return 0;
}

/* Both readings of the document, kept; and what each of them holds. */
static int input_read(struct input *in)
{
        struct cor_err err = { 0 };
        size_t start = mallinfo2().uordblks, with_config;

        if (cor_json_parse(&oci_config_doc, in->text, in->len, "config.json", &in->config, &err) < 0) {
                fprintf(stderr, "bench-json: %s\n", err.msg);
                return -1;
        }
        with_config = mallinfo2().uordblks;
        json_get_alloc_funcs(&binding_memory.alloc, &binding_memory.free);
        memory_plain();
        in->tree = json_loadb(in->text, in->len, 0, NULL);
        memory_binding();
        printf("config.json of %zu bytes: the binding's struct holds %zu KiB, jansson's tree %zu KiB\n", in->len,
               (with_config - start) / 1024, (mallinfo2().uordblks - with_config) / 1024);
        return 0;
}

static int jobs_run(struct input *in, size_t n_rounds)
{
        size_t round, i, k;
        double start;

        for (round = 0; round < n_rounds; round++)
                for (i = 0; i < COR_COUNT(jobs); i++) {
                        start = now_us();
                        for (k = 0; k < REPEAT; k++)
                                if (jobs[i].run(in) < 0) {
                                        fprintf(stderr, "bench-json: %s failed\n", jobs[i].name);
                                        return -1;
                                }
                        times_us[i][round] = (now_us() - start) / REPEAT;
                }
        return 0;
}

int main(int argc, char **argv)
{
        struct input in = { 0 };
        uint32_t n_rounds = 100;
        size_t i;

        if (argc < 2 || argc > 3 || (argc == 3 && cor_parse_u32(argv[2], &n_rounds) < 0) || n_rounds < 1 ||
            n_rounds > ROUNDS_MAX) {
                fprintf(stderr, "usage: bench-json CONFIG.JSON [ROUNDS]\n");
                return 2;
        }
        if (file_load(argv[1], &in) < 0 || input_read(&in) < 0 || jobs_run(&in, n_rounds) < 0)
                return 1;
        printf("%-20s %10s %10s\n", "", "min us", "median us");
        for (i = 0; i < COR_COUNT(jobs); i++) {
                qsort(times_us[i], n_rounds, sizeof times_us[i][0], double_compare);
                printf("%-20s %10.1f %10.1f\n", jobs[i].name, times_us[i][0], times_us[i][n_rounds / 2]);
        }
        printf("\n");
        cor_json_free(in.config);
        memory_plain();
        json_decref(in.tree);
        free(in.text);
        return 0;
}
