/* The `linux` section of config.json but for resources and seccomp. Spec: config-linux.md. */
#include "spec/oci_internal.h"

#include <string.h>
#include <sys/personality.h>
#include <sys/stat.h>

static const struct cor_json_field id_map_fields[] = {
        COR_FIELD("containerID", U32, struct oci_id_map, container_id, COR_JSON_REQUIRED),
        COR_FIELD("hostID", U32, struct oci_id_map, host_id, COR_JSON_REQUIRED),
        COR_FIELD("size", U32, struct oci_id_map, size, COR_JSON_REQUIRED),
};

static int check_id_map(void *object, struct cor_err *err)
{
        const struct oci_id_map *m = object;

        if (m->size == 0)
                return cor_fail(err, COR_INVALID, ".size: expected at least 1");
        if (m->size > UINT32_MAX - m->container_id || m->size > UINT32_MAX - m->host_id)
                return cor_fail(err, COR_INVALID, ".size: reaches beyond the last id");
        return 0;
}
const struct cor_json_doc oci_id_map_doc = COR_DOC(struct oci_id_map, id_map_fields, check_id_map);

static const struct cor_json_field namespace_fields[] = {
        COR_FIELD_WORD("type", struct oci_namespace, type, oci_namespace_words, COR_JSON_REQUIRED),
        COR_FIELD("path", STR, struct oci_namespace, path, 0),
};

static int check_namespace(void *object, struct cor_err *err)
{
        struct oci_namespace *n = object;

        if (n->path && n->path[0] == '\0')
                n->path = NULL;
        if (n->path && n->path[0] != '/')
                return cor_fail(err, COR_INVALID, ".path: expected an absolute path, found \"%.200s\"", n->path);
        return 0;
}
static const struct cor_json_doc namespace_doc = COR_DOC(struct oci_namespace, namespace_fields, check_namespace);

static const struct cor_word device_words[] = {
        { "c", S_IFCHR }, { "b", S_IFBLK }, { "p", S_IFIFO }, { "u", S_IFCHR }, { NULL, 0 },
};

#define DEVICE_NUMBER(KEY, M)                                                                                          \
        {                                                                                                              \
                .key = (KEY), .type = COR_JSON_I64, .offset = offsetof(struct oci_device, M), .def = -1                \
        }
static const struct cor_json_field device_fields[] = {
        COR_FIELD("path", STR, struct oci_device, path, COR_JSON_REQUIRED),
        COR_FIELD_WORD("type", struct oci_device, type, device_words, COR_JSON_REQUIRED),
        DEVICE_NUMBER("major", major),
        DEVICE_NUMBER("minor", minor),
        COR_FIELD("fileMode", OPT_U32, struct oci_device, file_mode, 0),
        COR_FIELD("uid", OPT_U32, struct oci_device, uid, 0),
        COR_FIELD("gid", OPT_U32, struct oci_device, gid, 0),
};

enum { MAJOR_MAX = 0xfff, MINOR_MAX = 0xfffff, MODE_MASK = 07777 }; /* dev_t of the kernel: 12 and 20 bits */

static int check_device_number(const char *key, int64_t value, int64_t max, struct cor_err *err)
{
        if (value == -1)
                return cor_fail(err, COR_INVALID, ".%s: required for a device, but missing", key);
        if (value < 0 || value > max)
                return cor_fail(err, COR_INVALID, ".%s: expected an integer from 0 to %lld, found %lld", key,
                                (long long)max, (long long)value);
        return 0;
}

static int check_device(void *object, struct cor_err *err)
{
        struct oci_device *d = object;

        if (d->path[0] != '/')
                return cor_fail(err, COR_INVALID, ".path: expected an absolute path, found \"%.200s\"", d->path);
        if (d->type == S_IFIFO) {
                d->major = d->minor = 0;
        } else if (check_device_number("major", d->major, MAJOR_MAX, err) < 0 ||
                   check_device_number("minor", d->minor, MINOR_MAX, err) < 0) {
                return -1;
        }
        d->file_mode.value &= MODE_MASK; /* engines add the type of the file */
        return 0;
}
static const struct cor_json_doc device_doc = COR_DOC(struct oci_device, device_fields, check_device);

static const struct cor_json_field net_device_fields[] = {
        COR_FIELD("name", STR, struct oci_net_device, name, 0),
};

bool oci_net_name_valid(const char *name)
{
        enum { IFNAME_BYTES = 16 };

        return name[0] && strlen(name) < IFNAME_BYTES && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
               !strpbrk(name, "/: \t\n\v\f\r");
}

static int check_net_device(void *object, struct cor_err *err)
{
        struct oci_net_device *d = object;

        if (d->name && d->name[0] == '\0')
                d->name = NULL;
        if (!oci_net_name_valid(d->host_name))
                return cor_fail(err, COR_INVALID, "expected the name of a network device as the key");
        if (d->name && !oci_net_name_valid(d->name))
                return cor_fail(err, COR_INVALID, ".name: expected the name of a network device, found \"%.80s\"",
                                d->name);
        return 0;
}
static const struct cor_json_doc net_device_doc = COR_DOC(struct oci_net_device, net_device_fields, check_net_device);

static const struct cor_json_field time_offset_fields[] = {
        COR_FIELD("secs", I64, struct oci_time_offset, secs, 0),
        COR_FIELD("nanosecs", U32, struct oci_time_offset, nanosecs, 0),
};

static int check_time_offset(void *object, struct cor_err *err)
{
        const struct oci_time_offset *t = object;

        if (strcmp(t->clock, "monotonic") != 0 && strcmp(t->clock, "boottime") != 0)
                return cor_fail(err, COR_INVALID, "expected monotonic or boottime as the key");
        if (t->nanosecs >= 1000000000)
                return cor_fail(err, COR_INVALID, ".nanosecs: expected an integer from 0 to 999999999, found %u",
                                (unsigned)t->nanosecs);
        return 0;
}
static const struct cor_json_doc time_offset_doc =
        COR_DOC(struct oci_time_offset, time_offset_fields, check_time_offset);

static const struct cor_json_field intel_rdt_fields[] = {
        COR_FIELD("closID", STR, struct oci_intel_rdt, clos_id, 0),
        COR_FIELD_LIST("schemata", LIST_STR, struct oci_intel_rdt, schemata, n_schemata, 0),
        COR_FIELD("l3CacheSchema", STR, struct oci_intel_rdt, l3_cache_schema, 0),
        COR_FIELD("memBwSchema", STR, struct oci_intel_rdt, mem_bw_schema, 0),
        COR_FIELD("enableMonitoring", BOOL, struct oci_intel_rdt, enable_monitoring, 0),
};

/* closID names a directory below the mounted resctrl; "/" is its root. */
static bool clos_id_valid(const char *id)
{
        if (strcmp(id, "/") == 0)
                return true;
        return strlen(id) <= 255 && !strpbrk(id, "/\n") && strcmp(id, ".") != 0 && strcmp(id, "..") != 0;
}

static int check_intel_rdt(void *object, struct cor_err *err)
{
        struct oci_intel_rdt *r = object;

        if (r->clos_id && !clos_id_valid(r->clos_id))
                return cor_fail(err, COR_INVALID, ".closID: expected the name of a directory, found \"%.80s\"",
                                r->clos_id);
        for (size_t i = 0; i < r->n_schemata; i++)
                if (strchr(r->schemata[i], '\n'))
                        return cor_fail(err, COR_INVALID, ".schemata[%zu]: expected a single line", i);
        if (r->l3_cache_schema && strchr(r->l3_cache_schema, '\n'))
                return cor_fail(err, COR_INVALID, ".l3CacheSchema: expected a single line");
        if (r->mem_bw_schema && r->mem_bw_schema[0] &&
            (!cor_starts_with(r->mem_bw_schema, "MB:") || strchr(r->mem_bw_schema, '\n')))
                return cor_fail(err, COR_INVALID, ".memBwSchema: expected a single line that starts with \"MB:\"");
        return 0;
}
static const struct cor_json_doc intel_rdt_doc = COR_DOC(struct oci_intel_rdt, intel_rdt_fields, check_intel_rdt);

static const struct cor_json_field memory_policy_fields[] = {
        COR_FIELD_WORD("mode", struct oci_memory_policy, mode, oci_mempolicy_words, COR_JSON_REQUIRED),
        COR_FIELD("nodes", STR, struct oci_memory_policy, nodes, 0),
        COR_FIELD_LIST_WORD("flags", struct oci_memory_policy, flags, n_flags, oci_mempolicy_flag_words, 0),
};

/* Which modes take nodes: set_mempolicy(2) */
static int check_memory_policy(void *object, struct cor_err *err)
{
        const struct oci_memory_policy *m = object;
        const char *mode = cor_word_of(oci_mempolicy_words, m->mode);
        bool nodes = m->nodes && m->nodes[0];

        if (nodes && !oci_list_valid(m->nodes, OCI_NODE_MAX))
                return cor_fail(err, COR_INVALID, ".nodes: expected a list of nodes such as \"0-3,7\", found \"%.80s\"",
                                m->nodes);
        if (cor_streq(mode, "MPOL_DEFAULT") || cor_streq(mode, "MPOL_LOCAL")) {
                if (nodes)
                        return cor_fail(err, COR_INVALID, ".nodes: %s takes none", mode);
        } else if (!nodes && !cor_streq(mode, "MPOL_PREFERRED")) {
                return cor_fail(err, COR_INVALID, ".nodes: required by %s, but missing", mode);
        }
        return 0;
}
static const struct cor_json_doc memory_policy_doc =
        COR_DOC(struct oci_memory_policy, memory_policy_fields, check_memory_policy);

static const struct cor_word personality_words[] = {
        { "LINUX", PER_LINUX },
        { "LINUX32", PER_LINUX32 },
        { NULL, 0 },
};

static const struct cor_json_field personality_fields[] = {
        COR_FIELD_WORD("domain", struct oci_personality, domain, personality_words, COR_JSON_REQUIRED),
        COR_FIELD_LIST("flags", LIST_STR, struct oci_personality, flags, n_flags, 0),
};

static int check_personality(void *object, struct cor_err *err)
{
        const struct oci_personality *p = object;

        if (p->n_flags > 0)
                return cor_fail(err, COR_INVALID, ".flags: the specification knows no flags yet, found \"%.80s\"",
                                p->flags[0]);
        return 0;
}
static const struct cor_json_doc personality_doc =
        COR_DOC(struct oci_personality, personality_fields, check_personality);

static const struct cor_json_field linux_fields[] = {
        COR_FIELD_LIST_OF("uidMappings", LIST_OBJ, struct oci_linux, uid_mappings, n_uid_mappings, &oci_id_map_doc, 0),
        COR_FIELD_LIST_OF("gidMappings", LIST_OBJ, struct oci_linux, gid_mappings, n_gid_mappings, &oci_id_map_doc, 0),
        COR_FIELD_LIST("sysctl", MAP_STR, struct oci_linux, sysctl, n_sysctl, 0),
        COR_FIELD_OBJ("resources", OBJ, struct oci_linux, resources, &oci_resources_doc, 0),
        COR_FIELD("cgroupsPath", STR, struct oci_linux, cgroups_path, 0),
        COR_FIELD_LIST_OF("namespaces", LIST_OBJ, struct oci_linux, namespaces, n_namespaces, &namespace_doc, 0),
        COR_FIELD_LIST_OF("devices", LIST_OBJ, struct oci_linux, devices, n_devices, &device_doc, 0),
        COR_FIELD_LIST_OF("netDevices", MAP_OBJ, struct oci_linux, net_devices, n_net_devices, &net_device_doc, 0),
        COR_FIELD_OBJ("seccomp", OBJ, struct oci_linux, seccomp, &oci_seccomp_doc, 0),
        COR_FIELD("rootfsPropagation", STR, struct oci_linux, rootfs_propagation, 0),
        COR_FIELD_LIST("maskedPaths", LIST_STR, struct oci_linux, masked_paths, n_masked_paths, 0),
        COR_FIELD_LIST("readonlyPaths", LIST_STR, struct oci_linux, readonly_paths, n_readonly_paths, 0),
        COR_FIELD("mountLabel", STR, struct oci_linux, mount_label, 0),
        COR_FIELD_OBJ("intelRdt", OBJ, struct oci_linux, intel_rdt, &intel_rdt_doc, 0),
        COR_FIELD_OBJ("memoryPolicy", OBJ, struct oci_linux, memory_policy, &memory_policy_doc, 0),
        COR_FIELD_OBJ("personality", OBJ, struct oci_linux, personality, &personality_doc, 0),
        COR_FIELD_LIST_OF("timeOffsets", MAP_OBJ, struct oci_linux, time_offsets, n_time_offsets, &time_offset_doc, 0),
};

static int check_propagation(const char *s, struct cor_err *err)
{
        static const struct cor_word words[] = {
                { "", 0 },        { "shared", 0 },   { "rshared", 0 },    { "slave", 0 },       { "rslave", 0 },
                { "private", 0 }, { "rprivate", 0 }, { "unbindable", 0 }, { "runbindable", 0 }, { NULL, 0 },
        };

        if (!s || cor_word_find(words, s))
                return 0;
        return cor_fail(err, COR_INVALID,
                        ".rootfsPropagation: expected one of shared, rshared, slave, rslave, private, "
                        "rprivate, unbindable, runbindable, found \"%.40s\"",
                        s);
}

static int check_linux(void *object, struct cor_err *err)
{
        const struct oci_linux *l = object;

        if (check_propagation(l->rootfs_propagation, err) < 0 ||
            oci_check_absolute("maskedPaths", l->masked_paths, l->n_masked_paths, err) < 0)
                return -1;
        return oci_check_absolute("readonlyPaths", l->readonly_paths, l->n_readonly_paths, err);
}

const struct cor_json_doc oci_linux_doc = COR_DOC(struct oci_linux, linux_fields, check_linux);
