#include "monitor/clear.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "monitor/other_runtime.h"
#include "runtime/context.h"
#include "runtime/lifecycle.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

enum { RUNTIME_TIMEOUT_MS = 30 * 1000 };

static int delete_by_own(const char *run, const char *id, struct cor_err *err)
{
        auto_str root = cor_printf("%s/runtime", run);
        const struct runtime_context ctx = { .root = root, .rootless = runtime_default_rootless() };

        return container_delete(&ctx, id, true, err);
}

static int delete_by_other(int folder, const char *run, const char *id, struct cor_err *err)
{
        auto_str state = cor_printf("%s/%s/" OTHER_RUNTIME_STATE, run, id);
        char program[PATH_MAX];
        char *const argv[] = { program,           (char *)"--root",      state, (char *)"delete",
                               (char *)"--force", (char *)(uintptr_t)id, NULL };
        struct cor_spawn s = { .path = program, .argv = argv, .stdout_fd = -1, .stderr_fd = -1 };
        ssize_t n = readlinkat(folder, OTHER_RUNTIME_LINK, program, sizeof program - 1);
        auto_str output = NULL;
        int status = 0;

        if (n <= 0)
                return 0;
        program[n] = '\0';
        s.timeout_ms = RUNTIME_TIMEOUT_MS;
        if (cor_spawn_run(&s, &status, &output, err) < 0)
                return -1;
        return status == 0 ? 0
                           : cor_fail(err, COR_SYSTEM, "%s delete failed with code %d: %.200s", program,
                                      cor_status_code(status), output ? output : "");
}

static int clear(struct store *s, const char *id, struct cor_err *err)
{
        auto_fd base = store_run_open(s, err), folder = -1;
        const char *run;

        if (base < 0 || store_run_path(s, &run, err) < 0 || delete_by_own(run, id, err) < 0)
                return -1;
        folder = openat(base, id, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (folder >= 0 && delete_by_other(folder, run, id, err) < 0)
                return -1;
        return cor_own_remove_tree(base, id, err);
}

void monitor_clear(struct store *s, const char *id)
{
        struct cor_err err = { 0 };

        if (clear(s, id, &err) < 0)
                cor_warn("container %s: what its dead monitor left: %s", id, err.msg);
}
