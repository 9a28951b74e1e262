/*
 * The main() of a fuzz target in a normal build: gives it each file of the named folders, and first of all an empty
 * input. A finding ends the program by a signal, after the name of the file has been printed. An empty corpus is an
 * error: it would test nothing.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_INPUT_BYTES = 16 << 20 };

static int replay_file(const char *path)
{
        struct stat st;
        uint8_t *data;
        size_t size;
        FILE *f;

        printf("%s\n", path);
        fflush(stdout);
        f = fopen(path, "re");
        if (f == NULL || fstat(fileno(f), &st) < 0 || st.st_size > MAX_INPUT_BYTES) {
                fprintf(stderr, "%s: cannot be read, or is larger than %d bytes\n", path, MAX_INPUT_BYTES);
                exit(2);
        }
        size = (size_t)st.st_size;
        data = malloc(size > 0 ? size : 1); /* of the exact size, so that sanitizers see a read past its end */
        if (data == NULL || fread(data, 1, size, f) != size) {
                perror(path);
                exit(2);
        }
        fclose(f);
        LLVMFuzzerTestOneInput(data, size);
        free(data);
        return 1;
}

static int is_input(const struct dirent *entry)
{
        return entry->d_name[0] != '.';
}

static int replay_folder(const char *path)
{
        struct dirent **entries;
        char file[4096];
        int n = scandir(path, &entries, is_input, alphasort);

        if (n < 0) {
                perror(path);
                exit(2);
        }
        for (int i = 0; i < n; i++) {
                snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
                replay_file(file);
                free(entries[i]);
        }
        free(entries);
        return n;
}

int main(int argc, char **argv)
{
        struct stat st;
        int n = 0;

        LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
        for (int i = 1; i < argc; i++)
                n += stat(argv[i], &st) == 0 && !S_ISDIR(st.st_mode) ? replay_file(argv[i]) : replay_folder(argv[i]);
        printf("%d inputs\n", n);
        if (n == 0)
                fprintf(stderr, "no inputs\n");
        return n == 0;
}
