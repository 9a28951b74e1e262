#ifndef CORACLE_TESTS_UNIT_STORE_OPENED_H
#define CORACLE_TESTS_UNIT_STORE_OPENED_H
/* What tests of the store begin with. After cmocka.h. */
#include "../base/scratch.h"
#include "store/store.h"

/* A store in the scratch folder; @flags beside STORE_CREATE */
static inline struct store *open_store(struct scratch *s, unsigned flags)
{
        struct cor_err err = { 0 };
        struct store *store = NULL;
        char path[PATH_MAX + 8];

        snprintf(path, sizeof path, "%s/store", s->path);
        if (store_open(path, STORE_CREATE | flags, &store, &err) < 0)
                fail_msg("%s", err.msg);
        return store;
}

static inline struct digest digest_of(const char *text)
{
        struct digest d;

        assert_int_equal(digest_parse(text, &d, NULL), 0);
        return d;
}

#endif
