#ifndef CORACLE_RUNTIME_EXEC_PROCESS_H
#define CORACLE_RUNTIME_EXEC_PROCESS_H
/* What `exec` runs: a process.json, or the container's own process changed by the command line. */
#include "runtime/exec.h"
#include "spec/oci.h"

/*
 * exec_process() - *ret is @config's process, changed in place, or a document of its own, *ret_owner, to be freed with
 * cor_json_free() (NULL in the first case)
 */
int exec_process(const struct exec_options *o, struct oci_config *config, struct oci_process **ret,
                 struct oci_process **ret_owner, struct cor_err *err) COR_MUST_CHECK;
/* exec_parse_user() - "UID" or "UID:GID", decimal, nothing else (CVE-2026-30892); without GID the other stays */
int exec_parse_user(const char *text, uint32_t *uid, uint32_t *gid, struct cor_err *err) COR_MUST_CHECK;

#endif
