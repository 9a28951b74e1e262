#include "runtime/hooks.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

struct state_document {
        const char *oci_version, *id, *status, *bundle, *rootfs;
        int32_t pid;
        struct cor_pair *annotations;
        size_t n_annotations;
};

static const struct cor_json_field state_fields[] = {
        COR_FIELD("ociVersion", STR, struct state_document, oci_version, COR_JSON_ALWAYS),
        COR_FIELD("id", STR, struct state_document, id, COR_JSON_ALWAYS),
        COR_FIELD("status", STR, struct state_document, status, COR_JSON_ALWAYS),
        COR_FIELD("pid", I32, struct state_document, pid, 0),
        COR_FIELD("bundle", STR, struct state_document, bundle, COR_JSON_ALWAYS),
        COR_FIELD("rootfs", STR, struct state_document, rootfs, 0),
        COR_FIELD_LIST("annotations", MAP_STR, struct state_document, annotations, n_annotations, 0),
};
static const struct cor_json_doc state_doc = COR_DOC(struct state_document, state_fields, NULL);

char *hooks_state_json(const struct oci_config *config, const struct hook_state *state)
{
        struct state_document d = {
                .oci_version = config->oci_version,
                .id = state->id,
                .status = state->status,
                .bundle = state->bundle,
                .rootfs = state->rootfs,
                .pid = state->pid,
                .annotations = config->annotations,
                .n_annotations = config->n_annotations,
        };
        auto_text text = COR_TEXT_INIT;

        cor_json_print(&state_doc, &d, COR_JSON_COMPACT, &text);
        return cor_text_take(&text);
}

/* crun's run.oci.hooks.stdout and .stderr: a file to append to; without it the output goes into the error message. */
static int open_output(const struct oci_config *config, const char *annotation, struct cor_err *err)
{
        const char *path = oci_annotation(config, annotation);
        int fd;

        if (!path)
                return -1;
        /* a fifo without a reader must not hold us up: for startContainer the path is the image's */
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0700);
        if (fd < 0 || fcntl(fd, F_SETFL, O_APPEND) < 0)
                cor_fail_errno(err, "annotation %s: open %s", annotation, path);
        return fd;
}

static int run_hook(const struct oci_hook *hook, const struct oci_config *config, const char *state,
                    struct cor_err *err)
{
        static char *const no_env[] = { NULL };
        char *const own_name[] = { (char *)hook->path, NULL };
        struct cor_err out_err = { 0 };
        auto_fd out = open_output(config, "run.oci.hooks.stdout", &out_err);
        auto_fd errors = open_output(config, "run.oci.hooks.stderr", &out_err);
        struct cor_spawn s = {
                .path = hook->path,
                .argv = hook->n_args ? (char *const *)hook->args : own_name,
                .envp = hook->n_env ? (char *const *)hook->env : no_env,
                .input = state,
                .input_len = strlen(state),
                .stdout_fd = out,
                .stderr_fd = errors,
                .timeout_ms = hook->timeout.set ? (int)((uint64_t)hook->timeout.value * 1000) : -1,
        };
        auto_str output = NULL;
        int status;

        if (hook->timeout.set && hook->timeout.value > INT_MAX / 1000) /* 24 days: as good as any longer time */
                s.timeout_ms = INT_MAX;
        if (out_err.kind != COR_OK) {
                *err = out_err;
                return -1;
        }
        if (cor_spawn_run(&s, &status, &output, err) < 0)
                return -1;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
        if (output)
                output[strcspn(output, "\n")] = '\0';
        if (WIFSIGNALED(status))
                return cor_fail(err, COR_SYSTEM, "ended by signal %d, stdout/stderr: %.200s", WTERMSIG(status),
                                output ? output : "");
        return cor_fail(err, COR_SYSTEM, "exit status %d, stdout/stderr: %.200s", WEXITSTATUS(status),
                        output ? output : "");
}

int hooks_run(const char *kind, const struct oci_hook *hooks, size_t n, const struct oci_config *config,
              const struct hook_state *state, bool tolerant, struct cor_err *err)
{
        auto_str json = n ? hooks_state_json(config, state) : NULL;

        for (size_t i = 0; i < n; i++) {
                struct cor_err why = { 0 };

                if (run_hook(&hooks[i], config, json, &why) == 0)
                        continue;
                cor_wrap(&why, "error running %s hook #%zu (%s)", kind, i, hooks[i].path);
                if (!tolerant) {
                        *err = why;
                        return -1;
                }
                cor_warn("%s", why.msg);
        }
        return 0;
}
