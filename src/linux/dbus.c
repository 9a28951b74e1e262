#include "linux/dbus.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/process.h"

#include <string.h>
#include <unistd.h>

enum { TIMEOUT_MS = 45000 };

int dbus_ask(const char *who, const char *request, size_t len, struct cor_err *err)
{
        auto_str path = cor_libexec_path("coracle-systemd");
        auto_str output = NULL;
        char *argv[] = { path, NULL };
        struct cor_spawn s = { .path = path,
                               .argv = argv,
                               .input = request,
                               .input_len = len,
                               .stdout_fd = -1,
                               .stderr_fd = -1,
                               .timeout_ms = TIMEOUT_MS };
        int status = 0;

        if (access(path, X_OK) < 0)
                return cor_fail(err, COR_UNSUPPORTED, "%s: %s is not installed (it is built where libsystemd is)", who,
                                path);
        if (cor_spawn_run(&s, &status, &output, err) < 0)
                return cor_wrap(err, "%s", who);
        if (status == 0)
                return 0;
        for (size_t n = output ? strlen(output) : 0; n > 0 && output[n - 1] == '\n'; n--)
                output[n - 1] = '\0';
        return cor_fail(err, COR_SYSTEM, "%s: %s", who, output && *output ? output : "coracle-systemd failed");
}
