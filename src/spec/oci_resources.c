/* `linux.resources`, which is also the document of `update`. Spec: config-linux.md, "Control groups". */
#include "spec/oci_internal.h"

#include <ctype.h>
#include <string.h>

/* Without a type a rule is for all devices; an empty word comes from Go programs that mean the same. */
static const struct cor_word rule_type_words[] = {
        { "a", 'a' }, { "b", 'b' }, { "c", 'c' }, { "", 'a' }, { NULL, 0 },
};

static const struct cor_json_field rule_fields[] = {
        COR_FIELD("allow", BOOL, struct oci_device_rule, allow, COR_JSON_REQUIRED),
        { .key = "type",
          .type = COR_JSON_WORD,
          .offset = offsetof(struct oci_device_rule, type),
          .words = rule_type_words,
          .def = 'a' },
        COR_FIELD("major", OPT_I64, struct oci_device_rule, major, 0),
        COR_FIELD("minor", OPT_I64, struct oci_device_rule, minor, 0),
        COR_FIELD("access", STR, struct oci_device_rule, access, 0),
};

static int check_device_number(const char *key, int64_t value, struct cor_err *err)
{
        if (value < -1 || value > UINT32_MAX)
                return cor_fail(err, COR_INVALID,
                                ".%s: expected a device number from 0 to 4294967295, or -1 for any, "
                                "found %lld",
                                key, (long long)value);
        return 0;
}

static int check_rule(void *object, struct cor_err *err)
{
        const struct oci_device_rule *r = object;

        if (check_device_number("major", r->major.value, err) < 0 ||
            check_device_number("minor", r->minor.value, err) < 0)
                return -1;
        if (r->access && r->access[strspn(r->access, "rwm")] != '\0')
                return cor_fail(err, COR_INVALID, ".access: expected letters of \"rwm\", found \"%.20s\"", r->access);
        return 0;
}
static const struct cor_json_doc rule_doc = COR_DOC(struct oci_device_rule, rule_fields, check_rule);

static const struct cor_json_field memory_fields[] = {
        COR_FIELD("limit", OPT_I64, struct oci_memory, limit, 0),
        COR_FIELD("reservation", OPT_I64, struct oci_memory, reservation, 0),
        COR_FIELD("swap", OPT_I64, struct oci_memory, swap, 0),
        COR_FIELD("kernel", OPT_I64, struct oci_memory, kernel, 0),
        COR_FIELD("kernelTCP", OPT_I64, struct oci_memory, kernel_tcp, 0),
        COR_FIELD("swappiness", OPT_U64, struct oci_memory, swappiness, 0),
        COR_FIELD("disableOOMKiller", OPT_BOOL, struct oci_memory, disable_oom_killer, 0),
        COR_FIELD("useHierarchy", OPT_BOOL, struct oci_memory, use_hierarchy, 0),
        COR_FIELD("checkBeforeUpdate", OPT_BOOL, struct oci_memory, check_before_update, 0),
};

static int check_memory(void *object, struct cor_err *err)
{
        struct oci_memory *m = object;

        if (m->swappiness.value == UINT64_MAX) /* docker's -1: not asked for */
                m->swappiness = (struct cor_opt_u64){ 0 };
        if (m->swappiness.set && m->swappiness.value > 100)
                return cor_fail(err, COR_INVALID, ".swappiness: expected an integer from 0 to 100, found %llu",
                                (unsigned long long)m->swappiness.value);
        return 0;
}
static const struct cor_json_doc memory_doc = COR_DOC(struct oci_memory, memory_fields, check_memory);

static const struct cor_json_field cpu_fields[] = {
        COR_FIELD("shares", OPT_U64, struct oci_cpu, shares, 0),
        COR_FIELD("quota", OPT_I64, struct oci_cpu, quota, 0),
        COR_FIELD("burst", OPT_U64, struct oci_cpu, burst, 0),
        COR_FIELD("period", OPT_U64, struct oci_cpu, period, 0),
        COR_FIELD("realtimeRuntime", OPT_I64, struct oci_cpu, rt_runtime, 0),
        COR_FIELD("realtimePeriod", OPT_U64, struct oci_cpu, rt_period, 0),
        COR_FIELD("cpus", STR, struct oci_cpu, cpus, 0),
        COR_FIELD("mems", STR, struct oci_cpu, mems, 0),
        COR_FIELD("idle", OPT_I64, struct oci_cpu, idle, 0),
};

static int check_cpu(void *object, struct cor_err *err)
{
        const struct oci_cpu *c = object;

        if (c->cpus && c->cpus[0] && !oci_list_valid(c->cpus, OCI_CPU_MAX))
                return cor_fail(err, COR_INVALID, ".cpus: expected a list of CPUs such as \"0-3,7\", found \"%.80s\"",
                                c->cpus);
        if (c->mems && c->mems[0] && !oci_list_valid(c->mems, OCI_NODE_MAX))
                return cor_fail(err, COR_INVALID, ".mems: expected a list of nodes such as \"0-1\", found \"%.80s\"",
                                c->mems);
        if (c->idle.set && c->idle.value != 0 && c->idle.value != 1)
                return cor_fail(err, COR_INVALID, ".idle: expected 0 or 1, found %lld", (long long)c->idle.value);
        return 0;
}
static const struct cor_json_doc cpu_doc = COR_DOC(struct oci_cpu, cpu_fields, check_cpu);

static const struct cor_json_field pids_fields[] = {
        COR_FIELD("limit", OPT_I64, struct oci_pids, limit, 0),
};
static const struct cor_json_doc pids_doc = COR_DOC(struct oci_pids, pids_fields, NULL);

/* A weight is 10 to 1000; 0 asks for nothing. */
static int check_weight(const char *key, struct cor_opt_u64 weight, struct cor_err *err)
{
        if (weight.set && weight.value != 0 && (weight.value < 10 || weight.value > 1000))
                return cor_fail(err, COR_INVALID, ".%s: expected an integer from 10 to 1000, found %llu", key,
                                (unsigned long long)weight.value);
        return 0;
}

static int check_block_device(int64_t major, int64_t minor, struct cor_err *err)
{
        const char *key = major < 0 || major > UINT32_MAX ? "major" : "minor";

        if (major < 0 || major > UINT32_MAX || minor < 0 || minor > UINT32_MAX)
                return cor_fail(err, COR_INVALID, ".%s: expected a device number from 0 to 4294967295", key);
        return 0;
}

static const struct cor_json_field weight_fields[] = {
        COR_FIELD("major", I64, struct oci_weight_device, major, COR_JSON_REQUIRED),
        COR_FIELD("minor", I64, struct oci_weight_device, minor, COR_JSON_REQUIRED),
        COR_FIELD("weight", OPT_U16, struct oci_weight_device, weight, 0),
        COR_FIELD("leafWeight", OPT_U16, struct oci_weight_device, leaf_weight, 0),
};

static int check_weight_device(void *object, struct cor_err *err)
{
        const struct oci_weight_device *d = object;

        if (check_block_device(d->major, d->minor, err) < 0 || check_weight("weight", d->weight, err) < 0)
                return -1;
        return check_weight("leafWeight", d->leaf_weight, err);
}
static const struct cor_json_doc weight_doc = COR_DOC(struct oci_weight_device, weight_fields, check_weight_device);

static const struct cor_json_field throttle_fields[] = {
        COR_FIELD("major", I64, struct oci_throttle_device, major, COR_JSON_REQUIRED),
        COR_FIELD("minor", I64, struct oci_throttle_device, minor, COR_JSON_REQUIRED),
        COR_FIELD("rate", U64, struct oci_throttle_device, rate, COR_JSON_ALWAYS),
};

static int check_throttle_device(void *object, struct cor_err *err)
{
        const struct oci_throttle_device *d = object;

        return check_block_device(d->major, d->minor, err);
}
static const struct cor_json_doc throttle_doc =
        COR_DOC(struct oci_throttle_device, throttle_fields, check_throttle_device);

static const struct cor_json_field block_io_fields[] = {
        COR_FIELD("weight", OPT_U16, struct oci_block_io, weight, 0),
        COR_FIELD("leafWeight", OPT_U16, struct oci_block_io, leaf_weight, 0),
        COR_FIELD_LIST_OF("weightDevice", LIST_OBJ, struct oci_block_io, weight_devices, n_weight_devices, &weight_doc,
                          0),
        COR_FIELD_LIST_OF("throttleReadBpsDevice", LIST_OBJ, struct oci_block_io, read_bps, n_read_bps, &throttle_doc,
                          0),
        COR_FIELD_LIST_OF("throttleWriteBpsDevice", LIST_OBJ, struct oci_block_io, write_bps, n_write_bps,
                          &throttle_doc, 0),
        COR_FIELD_LIST_OF("throttleReadIOPSDevice", LIST_OBJ, struct oci_block_io, read_iops, n_read_iops,
                          &throttle_doc, 0),
        COR_FIELD_LIST_OF("throttleWriteIOPSDevice", LIST_OBJ, struct oci_block_io, write_iops, n_write_iops,
                          &throttle_doc, 0),
};

static int check_block_io(void *object, struct cor_err *err)
{
        const struct oci_block_io *b = object;

        if (check_weight("weight", b->weight, err) < 0)
                return -1;
        return check_weight("leafWeight", b->leaf_weight, err);
}
static const struct cor_json_doc block_io_doc = COR_DOC(struct oci_block_io, block_io_fields, check_block_io);

static const struct cor_json_field hugepage_fields[] = {
        COR_FIELD("pageSize", STR, struct oci_hugepage_limit, page_size, COR_JSON_REQUIRED),
        COR_FIELD("limit", U64, struct oci_hugepage_limit, limit, COR_JSON_REQUIRED),
};

/* "64KB", "2MB", "1GB": it becomes a part of a file name. */
static int check_hugepage(void *object, struct cor_err *err)
{
        const struct oci_hugepage_limit *h = object;
        const char *s = h->page_size, *unit = s + strspn(s, "0123456789");

        if (s[0] < '1' || s[0] > '9' || unit - s > 9 ||
            (strcmp(unit, "KB") != 0 && strcmp(unit, "MB") != 0 && strcmp(unit, "GB") != 0))
                return cor_fail(err, COR_INVALID,
                                ".pageSize: expected a size such as \"64KB\", \"2MB\" or \"1GB\", found \"%.80s\"", s);
        return 0;
}
static const struct cor_json_doc hugepage_doc = COR_DOC(struct oci_hugepage_limit, hugepage_fields, check_hugepage);

static const struct cor_json_field priority_fields[] = {
        COR_FIELD("name", STR, struct oci_interface_priority, name, COR_JSON_REQUIRED),
        COR_FIELD("priority", U32, struct oci_interface_priority, priority, COR_JSON_REQUIRED),
};

static int check_priority(void *object, struct cor_err *err)
{
        const struct oci_interface_priority *p = object;

        if (!oci_net_name_valid(p->name))
                return cor_fail(err, COR_INVALID, ".name: expected the name of a network device, found \"%.80s\"",
                                p->name);
        return 0;
}
static const struct cor_json_doc priority_doc = COR_DOC(struct oci_interface_priority, priority_fields, check_priority);

static const struct cor_json_field network_fields[] = {
        COR_FIELD("classID", OPT_U32, struct oci_network, class_id, 0),
        COR_FIELD_LIST_OF("priorities", LIST_OBJ, struct oci_network, priorities, n_priorities, &priority_doc, 0),
};
static const struct cor_json_doc network_doc = COR_DOC(struct oci_network, network_fields, NULL);

static const struct cor_json_field rdma_fields[] = {
        COR_FIELD("hcaHandles", OPT_U32, struct oci_rdma, hca_handles, 0),
        COR_FIELD("hcaObjects", OPT_U32, struct oci_rdma, hca_objects, 0),
};

/* The key starts a line "DEVICE hca_handle=…" for the kernel. */
static int check_rdma(void *object, struct cor_err *err)
{
        const struct oci_rdma *r = object;

        if (r->device[0] == '\0' || strpbrk(r->device, " \t\r\n="))
                return cor_fail(err, COR_INVALID, "expected the name of an RDMA device as the key");
        return 0;
}
static const struct cor_json_doc rdma_doc = COR_DOC(struct oci_rdma, rdma_fields, check_rdma);

static const struct cor_json_field resources_fields[] = {
        COR_FIELD_LIST_OF("devices", LIST_OBJ, struct oci_resources, devices, n_devices, &rule_doc, 0),
        COR_FIELD_OBJ("memory", OBJ, struct oci_resources, memory, &memory_doc, 0),
        COR_FIELD_OBJ("cpu", OBJ, struct oci_resources, cpu, &cpu_doc, 0),
        COR_FIELD_OBJ("pids", OBJ, struct oci_resources, pids, &pids_doc, 0),
        COR_FIELD_OBJ("blockIO", OBJ, struct oci_resources, block_io, &block_io_doc, 0),
        COR_FIELD_LIST_OF("hugepageLimits", LIST_OBJ, struct oci_resources, hugepage_limits, n_hugepage_limits,
                          &hugepage_doc, 0),
        COR_FIELD_OBJ("network", OBJ, struct oci_resources, network, &network_doc, 0),
        COR_FIELD_LIST_OF("rdma", MAP_OBJ, struct oci_resources, rdma, n_rdma, &rdma_doc, 0),
        COR_FIELD_LIST("unified", MAP_STR, struct oci_resources, unified, n_unified, 0),
};

/* Each key is the name of a file in the container's cgroup, and of no other file: it starts CONTROLLER. */
static bool cgroup_file_valid(const char *name)
{
        size_t i = 0;

        if (name[0] == '.' || strstr(name, "..") || !strchr(name, '.') || strlen(name) > 255)
                return false;
        while (isalnum((unsigned char)name[i]) || name[i] == '_' || name[i] == '.' || name[i] == '-')
                i++;
        return name[i] == '\0';
}

static int check_resources(void *object, struct cor_err *err)
{
        const struct oci_resources *r = object;

        for (size_t i = 0; i < r->n_unified; i++)
                if (!cgroup_file_valid(r->unified[i].key))
                        return cor_fail(err, COR_INVALID,
                                        ".unified: expected names of cgroup files such as \"memory.high\", "
                                        "found \"%.80s\"",
                                        r->unified[i].key);
        return 0;
}

const struct cor_json_doc oci_resources_doc = COR_DOC(struct oci_resources, resources_fields, check_resources);
