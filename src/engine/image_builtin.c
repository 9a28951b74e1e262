/*
 * The image that comes with the installation: an archive beside the helper programs. It is for a first container where
 * there is no network; any image that the user has under its name comes before it, as does one that is pulled.
 */
#include "base/fd.h"
#include "base/process.h"
#include "engine/image.h"
#include "image/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define BUILTIN "hello"

/* The bare name only: who writes a registry in front of it means that registry. */
static bool is_builtin(const char *name)
{
        return strcmp(name, BUILTIN) == 0 || strcmp(name, BUILTIN ":latest") == 0;
}

/* 1: it is for this machine, which is all that an installation has. */
static int is_for(const char *text, struct cor_err *err)
{
        struct platform wanted, host = platform_host();

        if (!text || !*text)
                return 1;
        if (platform_parse(text, &wanted, err) < 0)
                return -1;
        return platform_rank(&wanted, &host) >= 0;
}

static void ignore_line(void *context, const char *line)
{
}

int engine_load_builtin(struct engine *e, const char *name, const char *platform, struct cor_err *err)
{
        auto_str path = cor_libexec_path(BUILTIN ".tar");
        auto_fd archive = -1;
        int fits = is_builtin(name) ? is_for(platform, err) : 0;

        if (fits <= 0)
                return fits;
        archive = open(path, O_RDONLY | O_CLOEXEC);
        if (archive < 0 && errno == ENOENT) /* an installation without it */
                return 0;
        if (archive < 0)
                return cor_fail_errno(err, "open %s", path);
        if (engine_load(e, archive, NULL, NULL, ignore_line, NULL, err) < 0)
                return cor_wrap(err, "load the image %s that comes with coracle (%s)", name, path);
        return 1;
}
