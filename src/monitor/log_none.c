/* Nothing is kept. */
#include "monitor/log.h"

static int none_open(const struct log_options *o, const struct log_settings *s, void **ret, struct cor_err *err)
{
        *ret = NULL;
        return 0;
}

static void none_write(void *log, const struct log_message *m)
{
}

static void none_flush_or_close(void *log)
{
}

const struct log_driver log_none_driver = { .name = "none",
                                            .open = none_open,
                                            .write = none_write,
                                            .flush = none_flush_or_close,
                                            .close = none_flush_or_close };
