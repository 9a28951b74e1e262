/* Names of signals from the command line. */
#include "base/alloc.h"
#include "base/process.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        auto_str s = cor_strndup((const char *)data, size);
        struct cor_err err = { 0 };
        int sig = cor_signal_parse(s, &err);
        const char *name;

        assert(sig >= -1 && sig <= 64);
        assert((sig < 0) == (err.kind == COR_INVALID));
        name = cor_signal_name(sig);
        if (name)
                assert(cor_signal_parse(name, &err) == sig);
        return 0;
}
