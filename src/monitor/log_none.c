/* Nothing is kept. */
#include "monitor/log.h"

static int none_open(const struct log_options *o, void **ret, struct cor_err *err)
{
        *ret = NULL;
        return 0;
}

static int none_write(void *log, const struct log_message *m, struct cor_err *err)
{
        return 0;
}

static int none_flush(void *log, struct cor_err *err)
{
        return 0;
}

static void none_close(void *log)
{
}

const struct log_driver log_none_driver = {
        .name = "none", .open = none_open, .write = none_write, .flush = none_flush, .close = none_close
};
