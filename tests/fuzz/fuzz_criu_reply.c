/* What criu answers. */
#include "runtime/criu_wire.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct cor_err err = { 0 };
        struct criu_reply r;
        int got = criu_reply_parse(data, size, &r, &err);

        assert((got < 0) == (err.kind == COR_INVALID));
        if (got < 0)
                return 0;
        assert(memchr(r.message, '\0', sizeof r.message));
        assert(memchr(r.script, '\0', sizeof r.script));
        return 0;
}
