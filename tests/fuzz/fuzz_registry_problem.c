/* The body with which a registry refuses. */
#include "registry/problem.h"
#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        int status = size ? 400 + data[0] % 200 : 500;
        struct problem p = problem_read(status, (const char *)data, size);

        assert(p.kind != COR_OK && p.text[0]);
        for (const char *s = p.text; *s; s++)
                assert((unsigned char)*s >= ' ' && *s != 0x7f);
        return 0;
}
