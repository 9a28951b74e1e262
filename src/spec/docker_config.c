/*
 * Config: what a container takes with it wherever it runs. Which keys are always there, and which are null when nothing
 * is set, is docker's (API 1.51): Go leaves out what is marked "omitempty", and prints a nil list as null.
 */
#include "spec/docker.h"

#define C struct docker_config
static const struct cor_json_field config_fields[] = {
        COR_FIELD("Hostname", STR, C, hostname, COR_JSON_ALWAYS),
        COR_FIELD("Domainname", STR, C, domainname, COR_JSON_ALWAYS),
        COR_FIELD("User", STR, C, user, COR_JSON_ALWAYS),
        COR_FIELD("AttachStdin", BOOL, C, attach_stdin, COR_JSON_ALWAYS),
        COR_FIELD("AttachStdout", BOOL, C, attach_stdout, COR_JSON_ALWAYS),
        COR_FIELD("AttachStderr", BOOL, C, attach_stderr, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("ExposedPorts", MAP_OBJ, C, exposed_ports, n_exposed_ports, &image_set_item_doc, 0),
        COR_FIELD("Tty", BOOL, C, tty, COR_JSON_ALWAYS),
        COR_FIELD("OpenStdin", BOOL, C, open_stdin, COR_JSON_ALWAYS),
        COR_FIELD("StdinOnce", BOOL, C, stdin_once, COR_JSON_ALWAYS),
        COR_FIELD_LIST("Env", LIST_STR, C, env, n_env, COR_JSON_NULL),
        COR_FIELD_LIST("Cmd", LIST_STR, C, cmd, n_cmd, COR_JSON_NULL | COR_JSON_ONE),
        COR_FIELD_OBJ("Healthcheck", OBJ, C, healthcheck, &image_healthcheck_doc, 0),
        COR_FIELD("ArgsEscaped", BOOL, C, args_escaped, 0),
        COR_FIELD("Image", STR, C, image, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("Volumes", MAP_OBJ, C, volumes, n_volumes, &image_set_item_doc, COR_JSON_NULL),
        COR_FIELD("WorkingDir", STR, C, working_dir, COR_JSON_ALWAYS),
        COR_FIELD_LIST("Entrypoint", LIST_STR, C, entrypoint, n_entrypoint, COR_JSON_NULL | COR_JSON_ONE),
        COR_FIELD("NetworkDisabled", BOOL, C, network_disabled, 0),
        COR_FIELD("MacAddress", STR, C, mac_address, 0),
        COR_FIELD_LIST("OnBuild", LIST_STR, C, on_build, n_on_build, COR_JSON_NULL),
        COR_FIELD_LIST("Labels", MAP_STR, C, labels, n_labels, COR_JSON_NULL),
        COR_FIELD("StopSignal", STR, C, stop_signal, 0),
        COR_FIELD("StopTimeout", OPT_I64, C, stop_timeout, 0),
        COR_FIELD_LIST("Shell", LIST_STR, C, shell, n_shell, COR_JSON_ONE),
};
#undef C
const struct cor_json_doc docker_config_doc = COR_DOC(struct docker_config, config_fields, NULL);
