#include "linux/seccomp_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int seccomp_options_read(const struct cor_pair *annotations, size_t n_annotations, struct seccomp_options *opts,
                         struct cor_err *err)
{
        for (size_t i = 0; i < n_annotations; i++) {
                const char *key = annotations[i].key, *value = annotations[i].value;

                if (cor_streq(key, "run.oci.seccomp_fail_unknown_syscall")) {
                        opts->fail_unknown = !cor_streq(value, "0");
                } else if (cor_streq(key, "run.oci.seccomp_bpf_data")) {
                        opts->bpf_base64 = value;
                } else if (cor_streq(key, "run.oci.seccomp.receiver")) {
                        if (value[0] != '/')
                                return cor_fail(err, COR_INVALID,
                                                "annotations[\"%s\"]: expected an absolute path, found \"%s\"", key,
                                                value);
                        opts->listener_path = value;
                }
        }
        return 0;
}

static int program_from_rules(const struct oci_seccomp *profile, const struct seccomp_options *opts,
                              struct seccomp_program *program, struct cor_err *err)
{
        auto_seccomp_cache_key key = { 0 };

        if (opts->cache_dirfd < 0)
                return seccomp_compile(profile, opts->fail_unknown, program, err);

        seccomp_cache_key_make(profile, opts->fail_unknown, &key);
        if (seccomp_cache_load(opts->cache_dirfd, &key, program))
                return 0;
        if (seccomp_compile(profile, opts->fail_unknown, program, err) < 0)
                return -1;
        seccomp_cache_store(opts->cache_dirfd, &key, program);
        return 0;
}

static int listener_find(const struct oci_seccomp *profile, const struct seccomp_options *opts,
                         struct seccomp_program *program, struct cor_err *err)
{
        bool in_profile = profile->listener_path && profile->listener_path[0];

        if (profile->listener_metadata && profile->listener_metadata[0] && !in_profile && !opts->listener_path)
                return cor_fail(err, COR_INVALID, "linux.seccomp.listenerMetadata: not allowed without listenerPath");
        if (!program->notifies)
                return 0;
        program->listener_path = in_profile ? profile->listener_path : opts->listener_path;
        program->listener_metadata = profile->listener_metadata;
        if (!program->listener_path)
                return cor_fail(err, COR_INVALID, "linux.seccomp.listenerPath: required by SCMP_ACT_NOTIFY");
        return 0;
}

int seccomp_program_make(const struct oci_seccomp *profile, const struct seccomp_options *opts,
                         struct seccomp_program *ret, struct cor_err *err)
{
        static const struct oci_seccomp no_profile = { 0 };
        const char *place = opts->bpf_base64 ? "annotations[\"run.oci.seccomp_bpf_data\"]" : "linux.seccomp";
        auto_seccomp_program program = SECCOMP_PROGRAM_INIT;

        assert(profile || opts->bpf_base64);
        if (!profile)
                profile = &no_profile;
        if (opts->bpf_base64) {
                if (seccomp_bpf_decode(opts->bpf_base64, &program, err) < 0)
                        return cor_wrap(err, "%s", place);
        } else if (program_from_rules(profile, opts, &program, err) < 0) {
                return -1;
        }
        if (seccomp_bpf_check(program.items, program.n_items, &program.notifies, err) < 0)
                return cor_wrap(err, "%s", place);
        if (listener_find(profile, opts, &program, err) < 0 ||
            seccomp_flags_make(profile, program.notifies, &program.flags, err) < 0)
                return -1;

        *ret = program;
        program.memory = NULL;
        return 0;
}

void seccomp_program_done(struct seccomp_program *program)
{
        free(program->memory);
        *program = (struct seccomp_program)SECCOMP_PROGRAM_INIT;
}

int seccomp_program_install(const struct seccomp_program *program, int *ret_notify_fd, struct cor_err *err)
{
        struct sock_fprog prog = { .len = (unsigned short)program->n_items, .filter = program->items };
        long rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, (unsigned long)program->flags, &prog);
        const char *hint = "";

        if (rc < 0) {
                if (errno == EACCES)
                        hint = " (needs noNewPrivileges or CAP_SYS_ADMIN)";
                else if (errno == EBUSY)
                        hint = " (another seccomp listener is there already)";
                return cor_fail_errno(err, "install the seccomp program%s", hint);
        }
        *ret_notify_fd = program->notifies ? (int)rc : -1;
        return 0;
}
