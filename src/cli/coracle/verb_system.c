/* system start, system stop: for the service of the machine's init (docs/boot.md). */
#include "cli/coracle/verb_container.h"

static void show(void *context, const struct container_row *r, const struct cor_err *failure)
{
        struct invocation *in = context;
        auto_text line = COR_TEXT_INIT;
        struct cor_err ignored;

        if (failure) {
                verb_say("Error: %s: %s", r->name, failure->msg);
                in->code = 1;
                return;
        }
        cor_text_printf(&line, "%s\n", r->name);
        (void)!verb_print(&line, &ignored); /* the others come first */
}

static int run_start(struct invocation *in, struct cor_err *err)
{
        const struct boot_report report = { .each = show, .context = in };
        auto_engine e = { 0 };

        return verb_engine(in, &e, err) < 0 ? -1 : engine_boot(&e, &report, err);
}

static int run_stop(struct invocation *in, struct cor_err *err)
{
        const struct boot_report report = { .each = show, .context = in };
        auto_engine e = { 0 };

        return verb_engine(in, &e, err) < 0 ? -1 : engine_shut_down(&e, &report, err);
}

const struct verb verb_system_start = {
        .summary = "Start the containers whose restart policy wants it after the start of the machine",
        .run = run_start,
};

const struct verb verb_system_stop = {
        .summary = "End all containers, as before the end of the machine; system start brings them back",
        .run = run_stop,
};
