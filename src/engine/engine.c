#include "engine/engine.h"
#include "base/alloc.h"
#include "base/file.h"
#include "engine/container.h"
#include "engine/rootless.h"

#include <unistd.h>

int engine_open(const char *root, struct engine *ret, struct cor_err *err)
{
        auto_str path = NULL;

        /* The path comes first: whose store it is, is asked of the user who calls, not of the root of the namespace. */
        if ((root ? cor_path_absolute(root, &path, err) : store_default_path(&path, err)) < 0 ||
            (geteuid() != 0 && rootless_enter(err) < 0))
                return -1;
        return store_open(path, STORE_DATABASE | STORE_CREATE, &ret->store, err);
}

void engine_done(struct engine *e)
{
        engine_forget_ahead(e);
        store_free(e->store);
        e->store = NULL;
}
