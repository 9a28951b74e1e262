#include "cli/runtime/command.h"

#include "base/file.h"
#include "base/log.h"
#include "cli/runtime/program.h"
#include "runtime/lifecycle.h"

#include <string.h>
#include <unistd.h>

/* What the options fill; linked together into a struct oci_resources once it is known what was given. */
struct update_options {
        const char *resources;
        struct oci_memory memory;
        struct oci_cpu cpu;
        struct oci_pids pids;
        struct oci_block_io block_io;
        struct oci_intel_rdt rdt;
};

static bool any_cpu(const struct oci_cpu *c)
{
        return c->shares.set || c->burst.set || c->period.set || c->rt_period.set || c->quota.set ||
               c->rt_runtime.set || c->idle.set || c->cpus || c->mems;
}

static bool any_memory(const struct oci_memory *m)
{
        return m->limit.set || m->reservation.set || m->swap.set || m->kernel.set || m->kernel_tcp.set;
}

/* Without limit of memory there can be none of memory and swap, and SCHED_IDLE leaves shares without a meaning. */
static void complete(struct oci_resources *r)
{
        if (r->memory && r->memory->limit.set && r->memory->limit.value == -1 && !r->memory->swap.set)
                r->memory->swap = (struct cor_opt_i64){ .set = true, .value = -1 };
}

static int read_document(const char *path, char **ret, size_t *ret_n, struct cor_err *err)
{
        if (strcmp(path, "-") == 0)
                return cor_read_fd(STDIN_FILENO, "standard input", OCI_CONFIG_MAX_BYTES, ret, ret_n, err);
        return cor_read_file(path, OCI_CONFIG_MAX_BYTES, ret, ret_n, err);
}

static int update_from_document(struct invocation *in, const struct update_options *o, const struct oci_intel_rdt *rdt,
                                struct cor_err *err)
{
        auto_json struct oci_resources *r = NULL;
        auto_str text = NULL;
        size_t n;

        if (read_document(o->resources, &text, &n, err) < 0)
                return cor_wrap(err, "option --resources");
        if (oci_resources_parse(text, n, strcmp(o->resources, "-") == 0 ? "standard input" : o->resources, &r, err) < 0)
                return -1;
        if (any_memory(&o->memory) || any_cpu(&o->cpu) || o->pids.limit.set || o->block_io.weight.set)
                cor_warn("with --resources, options for single limits are ignored");
        if (r->n_devices > 0 && program_kind() != PROGRAM_CRUN) {
                /* as runc: engines send all they know, and a hook may have allowed devices that they do not know of */
                cor_debug("rules for devices are not updated");
                r->n_devices = 0;
        }
        complete(r);
        return container_update(&in->context, in->args[0], r, rdt, err);
}

static int run_update(struct invocation *in, struct cor_err *err)
{
        struct update_options o = *(const struct update_options *)in->options;
        const struct oci_intel_rdt *rdt = o.rdt.l3_cache_schema || o.rdt.mem_bw_schema ? &o.rdt : NULL;
        struct oci_resources r = {
                .memory = any_memory(&o.memory) ? &o.memory : NULL,
                .cpu = any_cpu(&o.cpu) ? &o.cpu : NULL,
                .pids = o.pids.limit.set ? &o.pids : NULL,
                .block_io = o.block_io.weight.set ? &o.block_io : NULL,
        };

        if (o.resources)
                return update_from_document(in, &o, rdt, err);
        complete(&r);
        return container_update(&in->context, in->args[0], &r, rdt, err);
}

#define ROW(NAME, LETTER, TYPE, M, VALUE, FLAGS, HELP)                                                                 \
        OPTION_ROW(NAME, LETTER, TYPE, struct update_options, M, VALUE, FLAGS, HELP)

static const struct option update_rows[] = {
        ROW("resources", 'r', TEXT, resources, "FILE", OPTION_FILE,
            "Take the limits from FILE (- is standard input), a document like `linux.resources` in config.json"),
        ROW("memory", 0, SIZE, memory.limit, "BYTES", 0, "Limit of memory; -1: none"),
        ROW("memory-reservation", 0, SIZE, memory.reservation, "BYTES", 0, "Memory that is protected, or soft limit"),
        ROW("memory-swap", 0, SIZE, memory.swap, "BYTES", 0, "Limit of memory and swap together; -1: none"),
        ROW("kernel-memory", 0, SIZE, memory.kernel, "BYTES", OPTION_HIDDEN, "Limit of the kernel's memory; obsolete"),
        ROW("kernel-memory-tcp", 0, SIZE, memory.kernel_tcp, "BYTES", OPTION_HIDDEN,
            "Limit of memory in TCP buffers; obsolete"),
        ROW("cpu-share", 0, U64, cpu.shares, "N", 0, "Weight against other cgroups, 2 to 262144"),
        ROW("cpu-quota", 0, I64, cpu.quota, "USECS", 0, "Processor time in each period; -1: no limit"),
        ROW("cpu-period", 0, U64, cpu.period, "USECS", 0, "Length of the period that --cpu-quota counts for"),
        ROW("cpu-burst", 0, U64, cpu.burst, "USECS", 0, "Time that may be saved up from periods with quota left over"),
        ROW("cpu-idle", 0, I64, cpu.idle, "0|1", 0, "1: run only when nothing else wants the processor"),
        ROW("cpu-rt-runtime", 0, I64, cpu.rt_runtime, "USECS", 0, "Real-time processor time in each period; version 1"),
        ROW("cpu-rt-period", 0, U64, cpu.rt_period, "USECS", 0, "Length of the real-time period; version 1"),
        ROW("cpuset-cpus", 0, TEXT, cpu.cpus, "LIST", 0, "Processors that may be used: 0-3,7"),
        ROW("cpuset-mems", 0, TEXT, cpu.mems, "LIST", 0, "Memory nodes that may be used: 0-1"),
        ROW("pids-limit", 0, I64, pids.limit, "N", 0, "Limit of processes and threads; -1: none"),
        ROW("blkio-weight", 0, U64, block_io.weight, "N", 0, "Weight of input and output, 10 to 1000"),
        ROW("l3-cache-schema", 0, TEXT, rdt.l3_cache_schema, "SCHEMA", 0, "Share of the third-level cache (resctrl)"),
        ROW("mem-bw-schema", 0, TEXT, rdt.mem_bw_schema, "SCHEMA", 0, "Share of the memory bandwidth (resctrl)"),
};

const struct command command_update = {
        .name = "update",
        .summary = "Change the limits of a container; what is not given stays as it is",
        .arguments = "CONTAINER",
        .min_args = 1,
        .max_args = 1,
        .options_size = sizeof(struct update_options),
        .options = update_rows,
        .n_options = COR_COUNT(update_rows),
        .run = run_update,
};
