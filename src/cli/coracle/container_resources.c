/* Flags of resources, limits and devices. */
#include "cli/coracle/container_words.h"

#include <ctype.h>
#include <string.h>

enum { BLKIO_WEIGHT_MIN = 10, BLKIO_WEIGHT_MAX = 1000, SWAPPINESS_MAX = 100 };

/* ---- numbers ---- */

enum number_kind { NUMBER_I64, NUMBER_BYTES, NUMBER_SWAP, NUMBER_CPUS };

struct number {
        char flag[20];
        uint8_t kind;
        uint16_t from, to; /* members of container_flags and of docker_host_config */
};

#define NUMBER(FLAG, KIND, FROM, TO)                                                                                   \
        {                                                                                                              \
                FLAG, NUMBER_##KIND, offsetof(struct container_flags, FROM), offsetof(struct docker_host_config, TO)   \
        }

static const struct number numbers[] = {
        NUMBER("cpu-period", I64, cpu_period, cpu_period),
        NUMBER("cpu-quota", I64, cpu_quota, cpu_quota),
        NUMBER("cpu-rt-period", I64, cpu_rt_period, cpu_realtime_period),
        NUMBER("cpu-rt-runtime", I64, cpu_rt_runtime, cpu_realtime_runtime),
        NUMBER("cpu-shares", I64, cpu_shares, cpu_shares),
        NUMBER("cpus", CPUS, cpus, nano_cpus),
        NUMBER("memory", BYTES, memory, memory),
        NUMBER("memory-reservation", BYTES, memory_reservation, memory_reservation),
        NUMBER("memory-swap", SWAP, memory_swap, memory_swap),
        NUMBER("oom-score-adj", I64, oom_score_adj, oom_score_adj),
        NUMBER("shm-size", BYTES, shm_size, shm_size),
        NUMBER("cpu-count", I64, cpu_count, cpu_count),
        NUMBER("cpu-percent", I64, cpu_percent, cpu_percent),
        NUMBER("io-maxbandwidth", BYTES, io_maxbandwidth, io_maximum_bandwidth),
        NUMBER("io-maxiops", I64, io_maxiops, io_maximum_iops),
};

static int read_number(const struct number *n, const char *s, int64_t *ret, struct cor_err *err)
{
        switch ((enum number_kind)n->kind) {
        case NUMBER_I64:
                return words_i64(s, "ParseInt", 64, ret, err);
        case NUMBER_CPUS:
                return words_cpus(s, ret, err);
        case NUMBER_SWAP:
                if (strcmp(s, "-1") == 0) {
                        *ret = -1;
                        return 0;
                }
                return words_bytes(s, ret, err);
        case NUMBER_BYTES:
                return words_bytes(s, ret, err);
        }
        return -1;
}

static int all_numbers(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        for (size_t i = 0; i < COR_COUNT(numbers); i++) {
                const struct number *n = &numbers[i];
                const char *s = *(const char *const *)(const void *)((const char *)f + n->from);
                int64_t *to = (int64_t *)(void *)((char *)&r->host + n->to);
                struct cor_err why = { 0 };

                if (s && read_number(n, s, to, &why) < 0)
                        return container_flag_wrong(err, n->flag, s, "%s", why.msg);
        }
        return 0;
}

/* Those with a place for "not given" */
static int optional_numbers(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        struct docker_host_config *h = &r->host;
        struct cor_err why = { 0 };
        uint64_t weight;

        if (f->memory_swappiness) {
                if (words_i64(f->memory_swappiness, "ParseInt", 64, &h->memory_swappiness.value, &why) < 0)
                        return container_flag_wrong(err, "memory-swappiness", f->memory_swappiness, "%s", why.msg);
                if (h->memory_swappiness.value < -1 || h->memory_swappiness.value > SWAPPINESS_MAX)
                        return cor_fail(err, COR_INVALID, "invalid value: %lld. Valid memory swappiness range is 0-100",
                                        (long long)h->memory_swappiness.value);
                h->memory_swappiness.set = h->memory_swappiness.value >= 0;
        }
        if (f->pids_limit) {
                if (words_i64(f->pids_limit, "ParseInt", 64, &h->pids_limit.value, &why) < 0)
                        return container_flag_wrong(err, "pids-limit", f->pids_limit, "%s", why.msg);
                h->pids_limit.set = true;
        }
        if (f->blkio_weight) {
                if (words_u64(f->blkio_weight, 0, 16, &weight, &why) < 0)
                        return container_flag_wrong(err, "blkio-weight", f->blkio_weight, "%s", why.msg);
                h->blkio_weight = (uint32_t)weight;
        }
        return 0;
}

int container_resources(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        r->host.cpuset_cpus = f->cpuset_cpus;
        r->host.cpuset_mems = f->cpuset_mems;
        r->host.cgroup_parent = f->cgroup_parent;
        if (f->oom_kill_disable)
                r->host.oom_kill_disable = (struct cor_opt_bool){ .set = true, .value = true };
        return all_numbers(r, f, err) < 0 ? -1 : optional_numbers(r, f, err);
}

/* ---- block devices ---- */

/* "/dev/x:VALUE" */
static int cut_device(struct container_request *r, const char *flag, const char *word, const char **ret_path,
                      const char **ret_value, struct cor_err *err)
{
        *ret_path = request_cut(r, word, ':', ret_value);
        if (!*ret_value || !**ret_path)
                return container_flag_wrong(err, flag, word, "bad format: %.100s", word);
        if (!cor_starts_with(*ret_path, "/dev/"))
                return container_flag_wrong(err, flag, word, "bad format for device path: %.100s", word);
        return 0;
}

static int throttles(struct container_request *r, const char *flag, const struct flag_list *l, bool bytes,
                     struct docker_throttle_device **items, size_t *n, struct cor_err *err)
{
        for (size_t i = 0; i < l->n_items; i++) {
                struct docker_throttle_device d = { 0 };
                const char *value;
                int64_t rate = 0;
                int bad;

                if (cut_device(r, flag, l->items[i], &d.path, &value, err) < 0)
                        return -1;
                bad = bytes ? words_bytes(value, &rate, NULL) : words_u64(value, 10, 64, &d.rate, NULL);
                if (bad < 0)
                        return container_flag_wrong(err, flag, l->items[i],
                                                    "invalid rate for device: %.100s. The correct format is "
                                                    "<device-path>:<number>%s. Number must be a positive integer%s",
                                                    l->items[i], bytes ? "[<unit>]" : "",
                                                    bytes ? ". Unit is optional and can be kb, mb, or gb" : "");
                if (bytes)
                        d.rate = (uint64_t)rate;
                *REQUEST_GROW(r, *items, *n) = d;
        }
        return 0;
}

static int weights(struct container_request *r, const struct flag_list *l, struct cor_err *err)
{
        struct docker_host_config *h = &r->host;

        for (size_t i = 0; i < l->n_items; i++) {
                const char *path, *value;
                uint64_t w;

                if (cut_device(r, "blkio-weight-device", l->items[i], &path, &value, err) < 0)
                        return -1;
                if (words_u64(value, 10, 16, &w, NULL) < 0 || (w > 0 && (w < BLKIO_WEIGHT_MIN || w > BLKIO_WEIGHT_MAX)))
                        return container_flag_wrong(err, "blkio-weight-device", l->items[i],
                                                    "invalid weight for device: %.100s", l->items[i]);
                *REQUEST_GROW(r, h->blkio_weight_device, h->n_blkio_weight_device) =
                        (struct docker_weight_device){ .path = path, .weight = (uint32_t)w };
        }
        return 0;
}

/* ---- ulimits ---- */

static const char *const ulimit_names[] = { "core",    "cpu",      "data",   "fsize",      "locks",
                                            "memlock", "msgqueue", "nice",   "nofile",     "nproc",
                                            "rss",     "rtprio",   "rttime", "sigpending", "stack" };

static int read_ulimit(const char *name, const char *value, struct docker_ulimit *ret, struct cor_err *err)
{
        auto_str copy = cor_strdup(value);
        char *cursor = copy, *soft = cor_split_next(&cursor, ':'), *hard = soft ? cor_split_next(&cursor, ':') : NULL;
        bool known = false;

        for (size_t i = 0; i < COR_COUNT(ulimit_names); i++)
                known = known || strcmp(ulimit_names[i], name) == 0;
        if (!known)
                return cor_fail(err, COR_INVALID, "invalid ulimit type: %.100s", name);
        soft = soft ? soft : copy;
        if (hard && cor_split_next(&cursor, ':'))
                return cor_fail(err, COR_INVALID,
                                "too many limit value arguments - %.100s, can only have up to two, `soft[:hard]`",
                                value);
        if (cor_parse_i64(hard ? hard : soft, &ret->hard) < 0 || cor_parse_i64(soft, &ret->soft) < 0)
                return cor_fail(err, COR_INVALID, "strconv.ParseInt: parsing \"%.100s\": invalid syntax",
                                hard && cor_parse_i64(hard, &ret->hard) < 0 ? hard : soft);
        if (ret->hard != -1 && ret->soft == -1)
                return cor_fail(err, COR_INVALID,
                                "ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), "
                                "hard: %lld",
                                (long long)ret->hard);
        if (ret->hard != -1 && ret->soft > ret->hard)
                return cor_fail(err, COR_INVALID,
                                "ulimit soft limit must be less than or equal to hard limit: %lld > %lld",
                                (long long)ret->soft, (long long)ret->hard);
        ret->name = name;
        return 0;
}

/* Sorted by name; the last one of a name holds. */
static int ulimits(struct container_request *r, const struct flag_list *l, struct cor_err *err)
{
        struct docker_host_config *h = &r->host;

        for (size_t i = 0; i < l->n_items; i++) {
                const char *value, *name = request_cut(r, l->items[i], '=', &value);
                struct docker_ulimit u = { 0 };
                struct cor_err why = { 0 };
                size_t at = 0;

                if (!value)
                        return container_flag_wrong(err, "ulimit", l->items[i], "invalid ulimit argument: %.100s",
                                                    l->items[i]);
                if (read_ulimit(name, value, &u, &why) < 0)
                        return container_flag_wrong(err, "ulimit", l->items[i], "%s", why.msg);
                while (at < h->n_ulimits && strcmp(h->ulimits[at].name, name) < 0)
                        at++;
                if (at == h->n_ulimits || strcmp(h->ulimits[at].name, name) != 0) {
                        (void)REQUEST_GROW(r, h->ulimits, h->n_ulimits);
                        memmove(h->ulimits + at + 1, h->ulimits + at, (h->n_ulimits - 1 - at) * sizeof *h->ulimits);
                }
                h->ulimits[at] = u;
        }
        return 0;
}

int container_limits(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        struct docker_host_config *h = &r->host;

        if (ulimits(r, &f->ulimit, err) < 0 || weights(r, &f->blkio_weight_device, err) < 0)
                return -1;
        if (throttles(r, "device-read-bps", &f->device_read_bps, true, &h->blkio_device_read_bps,
                      &h->n_blkio_device_read_bps, err) < 0 ||
            throttles(r, "device-write-bps", &f->device_write_bps, true, &h->blkio_device_write_bps,
                      &h->n_blkio_device_write_bps, err) < 0)
                return -1;
        if (throttles(r, "device-read-iops", &f->device_read_iops, false, &h->blkio_device_read_iops,
                      &h->n_blkio_device_read_iops, err) < 0)
                return -1;
        return throttles(r, "device-write-iops", &f->device_write_iops, false, &h->blkio_device_write_iops,
                         &h->n_blkio_device_write_iops, err);
}

/* ---- devices ---- */

static size_t name_length(const char *s, const char *others, bool letter)
{
        size_t n = 0;

        if (letter ? !isalpha((unsigned char)*s) : !isalnum((unsigned char)*s))
                return 0;
        while (isalnum((unsigned char)s[n]) || (s[n] && strchr(others, s[n])))
                n++;
        return isalnum((unsigned char)s[n - 1]) ? n : 0;
}

/* "vendor.com/class=name" */
static bool is_cdi_name(const char *s)
{
        size_t vendor = name_length(s, "_-.", true), class_name, name;

        if (vendor == 0 || s[vendor] != '/')
                return false;
        s += vendor + 1;
        class_name = name_length(s, "_-.", true);
        if (class_name == 0 || s[class_name] != '=')
                return false;
        s += class_name + 1;
        name = name_length(s, "_-.:", false);
        return name > 0 && !s[name];
}

/* A composition of r, w and m, each at most once */
static bool is_device_mode(const char *s)
{
        bool r = false, w = false, m = false;

        if (!*s)
                return false;
        for (; *s; s++) {
                bool *seen = *s == 'r' ? &r : *s == 'w' ? &w : *s == 'm' ? &m : NULL;

                if (!seen || *seen)
                        return false;
                *seen = true;
        }
        return true;
}

static int read_device(struct container_request *r, const char *word, struct docker_device *ret, struct cor_err *err)
{
        char *cursor = request_text(r, word, strlen(word)), *parts[3], *part;
        size_t n = 0;

        while ((part = cor_split_next(&cursor, ':')) != NULL) {
                if (n == COR_COUNT(parts))
                        return cor_fail(err, COR_INVALID, "bad format for path: %.100s", word);
                parts[n++] = part;
        }
        if (n == 0 || !*parts[0])
                return cor_fail(err, COR_INVALID, "bad format for path: %.100s", word);
        *ret = (struct docker_device){ .path_on_host = parts[0],
                                       .path_in_container = parts[0],
                                       .cgroup_permissions = "rwm" };
        if (n == 3 && !is_device_mode(parts[2]))
                return cor_fail(err, COR_INVALID, "bad mode specified: %.100s", parts[2]);
        if (n == 3)
                ret->cgroup_permissions = parts[2];
        if (n == 2 && is_device_mode(parts[1]))
                ret->cgroup_permissions = parts[1];
        else if (n > 1)
                ret->path_in_container = parts[1];
        if (ret->path_in_container[0] != '/')
                return cor_fail(err, COR_INVALID, "%.100s is not an absolute path", ret->path_in_container);
        return 0;
}

/* "[acb] MAJOR:MINOR [rwm]", where a star is any number */
static bool is_device_rule(const char *s)
{
        size_t n;

        if ((*s != 'a' && *s != 'b' && *s != 'c') || s[1] != ' ')
                return false;
        s += 2;
        n = *s == '*' ? 1 : strspn(s, "0123456789");
        if (n == 0 || s[n] != ':')
                return false;
        s += n + 1;
        n = *s == '*' ? 1 : strspn(s, "0123456789");
        if (n == 0 || s[n] != ' ')
                return false;
        s += n + 1;
        n = strspn(s, "rwm");
        return n >= 1 && n <= 3 && !s[n];
}

/* ---- GPUs ---- */

static void split_commas(struct container_request *r, const char *value, const char ***items, size_t *n)
{
        char *cursor = request_text(r, value, strlen(value)), *part;

        while ((part = cor_split_next(&cursor, ',')) != NULL)
                request_add(r, items, n, part);
}

static int read_count(const char *s, int64_t *ret, struct cor_err *err)
{
        struct cor_err why = { 0 };
        const char *reason;

        *ret = -1;
        if (strcmp(s, "all") == 0 || words_i64(s, "Atoi", 64, ret, &why) == 0)
                return 0;
        reason = strrchr(why.msg, ':');
        return cor_fail(err, COR_INVALID, "invalid count (%.100s): value must be either \"all\" or an integer:%s", s,
                        reason ? reason + 1 : "");
}

static int gpu_field(struct container_request *r, struct docker_device_request *q, const char *field, const char *key,
                     const char *value, struct cor_err *err)
{
        const char **options = NULL;
        size_t n = 0;

        if (strcmp(key, "driver") == 0) {
                q->driver = value;
        } else if (strcmp(key, "count") == 0) {
                return read_count(value, &q->count, err);
        } else if (strcmp(key, "device") == 0) {
                split_commas(r, value, &q->device_ids, &q->n_device_ids);
        } else if (strcmp(key, "capabilities") == 0) {
                struct docker_strings *s = REQUEST_GROW(r, q->capabilities, q->n_capabilities);

                split_commas(r, value, &s->items, &s->n_items);
                request_add(r, &s->items, &s->n_items, "gpu");
        } else if (strcmp(key, "options") == 0) {
                if (words_csv(r, value, &options, &n, err) < 0)
                        return cor_wrap(err, "failed to read gpu options");
                for (size_t i = 0; i < n; i++)
                        request_set_word(r, &q->options, &q->n_options, options[i]);
        } else {
                return cor_fail(err, COR_INVALID, "unexpected key '%.100s' in '%.100s'", key, field);
        }
        return 0;
}

static int read_gpus(struct container_request *r, const char *word, struct docker_device_request *q,
                     struct cor_err *err)
{
        const char **fields = NULL, **seen = NULL;
        size_t n = 0, n_seen = 0;
        bool counted = false;

        if (words_csv(r, word, &fields, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++) {
                const char *value, *key = request_cut(r, fields[i], '=', &value);

                for (size_t s = 0; s < n_seen; s++)
                        if (strcmp(seen[s], key) == 0)
                                return cor_fail(err, COR_INVALID, "gpu request key '%.100s' can be specified only once",
                                                key);
                request_add(r, &seen, &n_seen, value ? key : "count");
                counted = counted || !value || strcmp(key, "count") == 0;
                if (value ? gpu_field(r, q, fields[i], key, value, err) < 0 : read_count(key, &q->count, err) < 0)
                        return -1;
        }
        if (!counted && q->n_device_ids == 0)
                q->count = 1;
        if (q->n_capabilities == 0) {
                struct docker_strings *s = REQUEST_GROW(r, q->capabilities, q->n_capabilities);

                request_add(r, &s->items, &s->n_items, "gpu");
        }
        return 0;
}

int container_devices(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        struct docker_host_config *h = &r->host;
        struct docker_device_request cdi = { .driver = "cdi" };

        for (size_t i = 0; i < f->gpus.n_items; i++) {
                struct docker_device_request q = { 0 };
                struct cor_err why = { 0 };

                if (read_gpus(r, f->gpus.items[i], &q, &why) < 0)
                        return container_flag_wrong(err, "gpus", f->gpus.items[i], "%s", why.msg);
                *REQUEST_GROW(r, h->device_requests, h->n_device_requests) = q;
        }
        for (size_t i = 0; i < f->device.n_items; i++) {
                struct docker_device d;

                if (is_cdi_name(f->device.items[i])) {
                        request_add(r, &cdi.device_ids, &cdi.n_device_ids, f->device.items[i]);
                        continue;
                }
                if (read_device(r, f->device.items[i], &d, err) < 0)
                        return -1;
                *REQUEST_GROW(r, h->devices, h->n_devices) = d;
        }
        if (cdi.n_device_ids > 0)
                *REQUEST_GROW(r, h->device_requests, h->n_device_requests) = cdi;
        for (size_t i = 0; i < f->device_cgroup_rule.n_items; i++)
                if (!is_device_rule(f->device_cgroup_rule.items[i]))
                        return container_flag_wrong(err, "device-cgroup-rule", f->device_cgroup_rule.items[i],
                                                    "invalid device cgroup format '%.100s'",
                                                    f->device_cgroup_rule.items[i]);
        request_add_all(r, &h->device_cgroup_rules, &h->n_device_cgroup_rules, &f->device_cgroup_rule);
        return 0;
}
