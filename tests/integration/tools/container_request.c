/*
 * The documents that `coracle create` makes of its flags, in the form of docker's request to create a container, for
 * comparison with what docker's client sends: tool-container-request create [FLAGS] IMAGE [COMMAND...]
 */
#include "cli/coracle/container_flags.h"

#include <stdio.h>

static int show(struct cor_err *err)
{
        fprintf(stderr, "%s\n", err->msg);
        return 125;
}

/* { "Hostname": …, "HostConfig": …, "NetworkingConfig": … } */
static void print(const struct container_request *r)
{
        auto_text config = COR_TEXT_INIT, host = COR_TEXT_INIT, networking = COR_TEXT_INIT;

        cor_json_print(&docker_config_doc, &r->config, COR_JSON_COMPACT, &config);
        cor_json_print(&docker_host_config_doc, &r->host, COR_JSON_COMPACT, &host);
        cor_json_print(&docker_networking_config_doc, &r->networking, COR_JSON_COMPACT, &networking);
        printf("%.*s,\"HostConfig\":%s,\"NetworkingConfig\":%s}\n", (int)config.len - 1, config.s, host.s,
               networking.s);
}

int main(int argc, char **argv)
{
        const struct option_set set = { .items = container_rows + CONTAINER_RUN_ONLY,
                                        .n_items = CONTAINER_N_ROWS - CONTAINER_RUN_ONLY,
                                        .dialect = OPTION_DIALECT_PFLAG,
                                        .in_order = true };
        auto_container_request r = NULL;
        struct container_flags f = { 0 };
        struct cor_err err = { 0 };
        size_t n = 0;
        int code;

        if (argc < 2 || options_parse(&set, argv + 2, (size_t)argc - 2, &f, &n, &err) < 0)
                code = show(&err);
        else if (n == 0 || container_request_make(&f, argv + 2, n, &r, &err) < 0)
                code = show(&err);
        else
                code = 0;
        if (r)
                print(r);
        options_done(&set, &f);
        return code;
}
