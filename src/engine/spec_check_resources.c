/* Limits: which this machine can hold, and which make sense. What it cannot is taken out, with a warning. */
#include "engine/spec_internal.h"

#include "base/file.h"
#include "linux/bitlist.h"
#include "runtime/context.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MEMORY_MIN = 6 << 20, NANO = 1000000000 };

/* --- what the machine can do ------------------------------------------------------------------------------------- */

/* What says that a limit can be had: a file of the root cgroup on version 1, a controller on version 2. */
struct ability {
        const char *v1, *v2;
};
static const struct ability memory_limit = { "memory/memory.limit_in_bytes", "memory" };
static const struct ability swap_limit = { "memory/memory.memsw.limit_in_bytes", "memory" };
static const struct ability memory_soft = { "memory/memory.soft_limit_in_bytes", "memory" };
static const struct ability swappiness = { "memory/memory.swappiness", NULL };
static const struct ability oom_control = { "memory/memory.oom_control", NULL };
static const struct ability cpu_shares = { "cpu/cpu.shares", "cpu" };
static const struct ability cpu_quota = { "cpu/cpu.cfs_quota_us", "cpu" };
static const struct ability cpu_realtime = { "cpu/cpu.rt_runtime_us", NULL };
static const struct ability cpu_sets = { "cpuset/cpuset.cpus", "cpuset" };
static const struct ability io_weight = { "blkio/blkio.weight", "io" };
static const struct ability io_weight_device = { "blkio/blkio.weight_device", "io" };
static const struct ability io_throttle = { "blkio/blkio.throttle.read_bps_device", "io" };
static const struct ability pids = { "pids/cgroup.procs", "pids" };

static bool has_word(const char *words, const char *word)
{
        size_t n = strlen(word);

        for (const char *w = words; *w; w += strcspn(w, " \n"), w += strspn(w, " \n"))
                if (strncmp(w, word, n) == 0 && (w[n] == ' ' || w[n] == '\n' || w[n] == '\0'))
                        return true;
        return false;
}

/*
 * The cgroup below which ours are made: all there is, for root; where systemd makes them, that of the user's systemd,
 * whatever session we are in; else our own. free()
 */
static char *cgroup_above(void)
{
        auto_str text = NULL;
        unsigned user;

        if (!runtime_default_rootless())
                return cor_strdup("");
        if (spec_has_systemd() && cor_read_file("/proc/self/uid_map", 65536, &text, NULL, NULL) == 0 &&
            sscanf(text, "%*u %u", &user) == 1)
                return cor_printf("/user.slice/user-%u.slice/user@%u.service", user, user);
        free(COR_TAKE(text));
        if (cor_read_file("/proc/self/cgroup", 65536, &text, NULL, NULL) < 0 || !cor_starts_with(text, "0::"))
                return cor_strdup("");
        text[strcspn(text, "\n")] = '\0';
        return cor_strdup(strcmp(text, "0::/") == 0 ? "" : text + 3);
}

static bool has_controller(const char *name)
{
        auto_str below = cgroup_above();
        auto_str path = NULL;
        auto_str list = NULL;
        size_t n;

        path = cor_printf("/sys/fs/cgroup%s/cgroup.controllers", below);
        return cor_read_file(path, 65536, &list, &n, NULL) == 0 && has_word(list, name);
}

static bool can(const struct ability *a)
{
        auto_str path = NULL;

        if (spec_host_is_unified())
                return a->v2 && has_controller(a->v2);
        if (runtime_default_rootless())
                return false;
        path = cor_printf("/sys/fs/cgroup/%s", a->v1);
        return access(path, F_OK) == 0;
}

void spec_abilities(struct spec_abilities *ret)
{
        bool quota = can(&cpu_quota);

        *ret = (struct spec_abilities){
                .memory = can(&memory_limit),
                .swap = can(&swap_limit),
                .oom_kill_disable = can(&oom_control),
                .cpu_period = quota,
                .cpu_quota = quota,
                .cpu_shares = can(&cpu_shares),
                .cpuset = can(&cpu_sets),
                .pids = can(&pids),
        };
}

/* --- memory ------------------------------------------------------------------------------------------------------ */

static int check_swap(struct docker_host_config *h, bool update, struct cor_strv *warnings, struct cor_err *err)
{
        if (h->memory > 0 && h->memory_swap != -1 && !can(&swap_limit)) {
                spec_warn(warnings,
                          "Your kernel does not support swap limit capabilities or the cgroup is not mounted. "
                          "Memory limited without swap.");
                h->memory_swap = -1;
        }
        if (h->memory > 0 && h->memory_swap > 0 && h->memory_swap < h->memory)
                return cor_fail(err, COR_INVALID,
                                "Minimum memoryswap limit should be larger than memory limit, see usage");
        if (h->memory == 0 && h->memory_swap > 0 && !update)
                return cor_fail(err, COR_INVALID,
                                "You should always set the Memory limit when using Memoryswap limit, see usage");
        return 0;
}

static int check_reservation(struct docker_host_config *h, struct cor_strv *warnings, struct cor_err *err)
{
        if (h->memory_reservation > 0 && !can(&memory_soft)) {
                spec_warn(warnings, "Your kernel does not support memory soft limit capabilities or the cgroup is not "
                                    "mounted. Limitation discarded.");
                h->memory_reservation = 0;
        }
        if (h->memory_reservation > 0 && h->memory_reservation < MEMORY_MIN)
                return cor_fail(err, COR_INVALID, "Minimum memory reservation allowed is 6MB");
        if (h->memory > 0 && h->memory_reservation > 0 && h->memory < h->memory_reservation)
                return cor_fail(err, COR_INVALID,
                                "Minimum memory limit can not be less than memory reservation limit, see usage");
        return 0;
}

static int check_swappiness(struct docker_host_config *h, struct cor_strv *warnings, struct cor_err *err)
{
        if (h->memory_swappiness.set && h->memory_swappiness.value == -1) /* of old: not given */
                h->memory_swappiness.set = false;
        if (h->memory_swappiness.set && !can(&swappiness)) {
                spec_warn(warnings, "Your kernel does not support memory swappiness capabilities or the cgroup is not "
                                    "mounted. Memory swappiness discarded.");
                h->memory_swappiness.set = false;
        }
        if (h->memory_swappiness.set && (h->memory_swappiness.value < 0 || h->memory_swappiness.value > 100))
                return cor_fail(err, COR_INVALID, "Invalid value: %" PRId64 ", valid memory swappiness range is 0-100",
                                h->memory_swappiness.value);
        return 0;
}

static void check_oom(struct docker_host_config *h, struct cor_strv *warnings)
{
        if (!h->oom_kill_disable.set)
                return;
        if (!can(&oom_control)) {
                if (h->oom_kill_disable.value)
                        spec_warn(warnings, "Your kernel does not support OomKillDisable. OomKillDisable discarded.");
                h->oom_kill_disable.set = false;
        } else if (h->oom_kill_disable.value && h->memory == 0) {
                spec_warn(warnings, "OOM killer is disabled for the container, but no memory limit is set, this can "
                                    "result in the system running out of resources.");
        }
}

static int check_memory(struct docker_host_config *h, bool update, struct cor_strv *warnings, struct cor_err *err)
{
        if (h->memory != 0 && h->memory < MEMORY_MIN)
                return cor_fail(err, COR_INVALID, "Minimum memory limit allowed is 6MB");
        if (h->memory > 0 && !can(&memory_limit)) {
                spec_warn(warnings, "Your kernel does not support memory limit capabilities or the cgroup is not "
                                    "mounted. Limitation discarded.");
                h->memory = 0;
                h->memory_swap = -1;
        }
        if (check_swap(h, update, warnings, err) < 0 || check_swappiness(h, warnings, err) < 0 ||
            check_reservation(h, warnings, err) < 0)
                return -1;
        check_oom(h, warnings);
        return 0;
}

/* --- processors -------------------------------------------------------------------------------------------------- */

static int check_nano(const struct docker_host_config *h, struct cor_err *err)
{
        long n = sysconf(_SC_NPROCESSORS_ONLN);

        if (h->nano_cpus == 0)
                return 0;
        if (h->cpu_period > 0)
                return cor_fail(err, COR_INVALID, "Conflicting options: Nano CPUs and CPU Period cannot both be set");
        if (h->cpu_quota > 0)
                return cor_fail(err, COR_INVALID, "Conflicting options: Nano CPUs and CPU Quota cannot both be set");
        if (h->nano_cpus < 0 || h->nano_cpus > n * NANO)
                return cor_fail(err, COR_INVALID,
                                "range of CPUs is from 0.01 to %ld.00, as there are only %ld CPUs available", n, n);
        if (!can(&cpu_quota))
                return cor_fail(err, COR_INVALID,
                                "NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the "
                                "cgroup is not mounted");
        return 0;
}

static int check_quota(struct docker_host_config *h, struct cor_strv *warnings, struct cor_err *err)
{
        if ((h->cpu_period != 0 || h->cpu_quota != 0) && !can(&cpu_quota)) {
                spec_warn(warnings, "Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.");
                h->cpu_period = h->cpu_quota = 0;
        }
        if (h->cpu_period != 0 && (h->cpu_period < 1000 || h->cpu_period > 1000000))
                return cor_fail(err, COR_INVALID,
                                "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
        if (h->cpu_quota > 0 && h->cpu_quota < 1000)
                return cor_fail(err, COR_INVALID, "CPU cfs quota can not be less than 1ms (i.e. 1000)");
        return 0;
}

static int check_realtime(const struct docker_host_config *h, struct cor_err *err)
{
        if ((h->cpu_realtime_period != 0 || h->cpu_realtime_runtime != 0) && !can(&cpu_realtime))
                return cor_fail(err, COR_INVALID, "kernel does not support CPU real-time scheduler");
        if (h->cpu_realtime_period != 0 && h->cpu_realtime_runtime > h->cpu_realtime_period)
                return cor_fail(err, COR_INVALID, "cpu real-time runtime cannot be higher than cpu real-time period");
        return 0;
}

/* "0-3,7": is each of @list's ranges among those of @available? -1 if it is no list */
static int ranges_within(const char *list, const char *available)
{
        auto_str copy = cor_strdup(list);
        char *cursor = copy, *range;

        while ((range = cor_split_next(&cursor, ',')) != NULL) {
                char *ends = range, *from = cor_split_next(&ends, '-'), *to = cor_split_next(&ends, '-');
                uint32_t a, b;

                if (!from || ends || cor_parse_u32(from, &a) < 0 || a > 8192)
                        return -1;
                b = a;
                if (to && (cor_parse_u32(to, &b) < 0 || b < a || b > 8192))
                        return -1;
                for (uint32_t i = a; i <= b; i++) {
                        auto_str copy_of = cor_strdup(available);
                        char *c = copy_of, *r;
                        bool found = false;

                        while (!found && (r = cor_split_next(&c, ',')) != NULL) {
                                unsigned x = 0, y = 0;
                                int n = sscanf(r, "%u-%u", &x, &y);

                                found = n >= 1 && i >= x && i <= (n == 2 ? y : x);
                        }
                        if (!found)
                                return 0;
                }
        }
        return 1;
}

static int check_set(const char *wanted, const char *file, const char *what, const char *plural, struct cor_err *err)
{
        char available[4096] = "";
        int within;

        if (spec_empty(wanted))
                return 0;
        if (cor_read_at(AT_FDCWD, file, available, sizeof available, NULL) < 0)
                snprintf(available, sizeof available, "0"); /* a machine with one of them says nothing */
        within = ranges_within(wanted, available);
        if (within < 0)
                return cor_fail(err, COR_INVALID, "Invalid value %.100s for cpuset %s", wanted, what);
        if (within == 0)
                return cor_fail(err, COR_INVALID,
                                "Requested %s are not available - requested %.100s, available: %.100s", plural, wanted,
                                available);
        return 0;
}

static int check_sets(struct docker_host_config *h, struct cor_strv *warnings, struct cor_err *err)
{
        if ((!spec_empty(h->cpuset_cpus) || !spec_empty(h->cpuset_mems)) && !can(&cpu_sets)) {
                spec_warn(warnings,
                          "Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.");
                h->cpuset_cpus = h->cpuset_mems = "";
        }
        return check_set(h->cpuset_cpus, "/sys/devices/system/cpu/online", "cpus", "CPUs", err) < 0 ||
                               check_set(h->cpuset_mems, "/sys/devices/system/node/online", "mems", "memory nodes",
                                         err) < 0
                       ? -1
                       : 0;
}

static int check_cpu(struct docker_host_config *h, struct cor_strv *warnings, struct cor_err *err)
{
        if (h->cpu_shares < 0)
                return cor_fail(err, COR_INVALID, "invalid CPU shares (%" PRId64 "): value must be a positive integer",
                                h->cpu_shares);
        if (h->cpu_shares > 0 && !can(&cpu_shares)) {
                spec_warn(warnings, "Your kernel does not support CPU shares or the cgroup is not mounted. Shares "
                                    "discarded.");
                h->cpu_shares = 0;
        }
        if (h->cpu_percent > 0) {
                spec_warn(warnings, "linux does not support CPU percent. Percent discarded.");
                h->cpu_percent = 0;
        }
        return check_nano(h, err) < 0 || check_quota(h, warnings, err) < 0 || check_realtime(h, err) < 0 ||
                               check_sets(h, warnings, err) < 0
                       ? -1
                       : 0;
}

/* --- block devices, processes, ulimits --------------------------------------------------------------------------- */

static void drop(size_t *n, const struct ability *a, const char *text, struct cor_strv *warnings)
{
        if (*n == 0 || can(a))
                return;
        spec_warn(warnings, "Your kernel does not support %s discarded.", text);
        *n = 0;
}

static int check_io(struct docker_host_config *h, struct cor_strv *warnings, struct cor_err *err)
{
        if (h->blkio_weight > 0 && (h->blkio_weight < 10 || h->blkio_weight > 1000))
                return cor_fail(err, COR_INVALID, "Range of blkio weight is from 10 to 1000");
        if (h->blkio_weight > 0 && !can(&io_weight)) {
                spec_warn(warnings,
                          "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight "
                          "discarded.");
                h->blkio_weight = 0;
        }
        if (h->io_maximum_bandwidth != 0 || h->io_maximum_iops != 0)
                return cor_fail(err, COR_INVALID,
                                "Invalid QoS settings: linux does not support Maximum IO Bandwidth or Maximum IO IOps");
        drop(&h->n_blkio_weight_device, &io_weight_device,
             "Block I/O weight_device or the cgroup is not mounted. Weight-device", warnings);
        drop(&h->n_blkio_device_read_bps, &io_throttle,
             "BPS Block I/O read limit or the cgroup is not mounted. Block I/O BPS read limit", warnings);
        drop(&h->n_blkio_device_write_bps, &io_throttle,
             "BPS Block I/O write limit or the cgroup is not mounted. Block I/O BPS write limit", warnings);
        drop(&h->n_blkio_device_read_iops, &io_throttle,
             "IOPS Block read limit or the cgroup is not mounted. Block I/O IOPS read limit", warnings);
        drop(&h->n_blkio_device_write_iops, &io_throttle,
             "IOPS Block write limit or the cgroup is not mounted. Block I/O IOPS write limit", warnings);
        return 0;
}

static void check_pids(struct docker_host_config *h, struct cor_strv *warnings)
{
        if (!h->pids_limit.set || h->pids_limit.value <= 0 || can(&pids))
                return;
        spec_warn(warnings, "Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs "
                            "limit discarded.");
        h->pids_limit.set = false;
}

static int check_ulimits(const struct docker_host_config *h, struct cor_err *err)
{
        for (size_t i = 0; i < h->n_ulimits; i++) {
                const struct docker_ulimit *u = &h->ulimits[i];
                auto_str name = cor_printf("RLIMIT_%s", u->name ? u->name : "");

                for (char *t = name; *t; t++)
                        *t = (char)toupper((unsigned char)*t);
                if (!cor_word_find(oci_rlimit_words, name))
                        return cor_fail(err, COR_INVALID, "invalid ulimit type: %.40s", u->name ? u->name : "");
                if (u->hard != -1 && (u->soft == -1 || u->soft > u->hard))
                        return cor_fail(err, COR_INVALID,
                                        "ulimit soft limit must be less than or equal to hard limit: %" PRId64
                                        " > %" PRId64,
                                        u->soft, u->hard);
        }
        return 0;
}

int spec_check_resources(struct docker_host_config *h, bool update, struct cor_strv *warnings, struct cor_err *err)
{
        if (check_memory(h, update, warnings, err) < 0 || check_cpu(h, warnings, err) < 0 ||
            check_io(h, warnings, err) < 0)
                return -1;
        check_pids(h, warnings);
        return check_ulimits(h, err);
}
