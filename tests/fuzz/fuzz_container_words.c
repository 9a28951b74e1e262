/* What users write about containers: volumes, tmpfs options, security options, device rules, users; profiles. */
#include "document.h"
#include "engine/default_seccomp.h"
#include "engine/spec_point.h"
#include "engine/spec_user.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_volume(void *root, const char *s)
{
        struct spec_point p;

        if (spec_point_parse_bind(root, s, NULL, &p, NULL) == 0) {
                assert(p.destination[0] == '/' && p.destination[1] != '\0' && !strstr(p.destination, "/../"));
                assert(strcmp(p.type, "bind") == 0 ? p.source[0] == '/'
                                                   : p.anonymous || (p.name && !strchr(p.name, '/')));
        }
}

static void check_mount(void *root, const char *s)
{
        struct docker_mount_volume v = { .subpath = s };
        struct docker_mount m = { .type = "volume", .source = "vol", .target = "/x", .volume_options = &v };
        struct spec_point p;

        if (spec_point_from_mount(root, &m, false, &p, NULL) == 0)
                assert(p.subpath == NULL || (p.subpath[0] != '/' && strncmp(p.subpath, "../", 3) != 0));
        m = (struct docker_mount){ .type = "volume", .source = "vol", .target = s };
        if (spec_point_from_mount(root, &m, false, &p, NULL) == 0)
                assert(p.destination[0] == '/' && p.destination[1] != '\0');
}

static void check_options(void *root, const char *s)
{
        struct docker_host_config h = { .security_opt = &s, .n_security_opt = 1 };
        struct spec_security security;
        struct oci_device_rule rule;
        const char **words = NULL;
        size_t n = 0;

        (void)!spec_security_parse(&h, root, &security, NULL);
        if (spec_parse_device_rule(s, &rule, NULL) == 0)
                assert(rule.allow && rule.access[0] && rule.major.value >= -1 && rule.minor.value >= -1);
        if (spec_tmpfs_options(root, s, &words, &n, NULL) == 0)
                for (size_t i = 0; i < n; i++)
                        assert(!strchr(words[i], ','));
}

static void check_user(const char *s)
{
        auto_spec_user u = { 0 };
        const char *colon = strchr(s, '\n');
        auto_str who = cor_strndup(s, colon ? (size_t)(colon - s) : strlen(s));

        if (spec_user_find_in(colon ? colon + 1 : NULL, colon ? colon + 1 : NULL, who, NULL, 0, &u, NULL) == 0)
                assert(u.n_gids > 0 && u.gids[0] == u.gid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char frame[] = "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"x\"}}";
        struct seccomp_target t = { .arch = "amd64", .kernel = 6 };
        auto_json struct oci_config *root = NULL;
        auto_str s = cor_strndup((const char *)data, size);
        struct oci_seccomp *profile = NULL;
        struct spec_point *points = NULL;
        size_t n = 0;

        assert(oci_config_parse(frame, sizeof frame - 1, NULL, &root, NULL) == 0);
        check_volume(root, s);
        check_mount(root, s);
        check_options(root, s);
        check_user(s);
        (void)!seccomp_profile_parse(root, s, strlen(s), "profile", &t, &profile, NULL);
        (void)!spec_points_parse(root, s, &points, &n, NULL);
        return 0;
}
