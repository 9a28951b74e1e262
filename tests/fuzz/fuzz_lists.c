/* Text from configurations, command lines and /etc: bit lists, names of kernel parameters, capabilities, subordinate
 * ids. */
#include "linux/bitlist.h"
#include "linux/caps.h"
#include "linux/idmap.h"
#include "linux/sysctl.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bitlist(const char *s)
{
        struct bitlist b;

        if (bitlist_parse(s, "list", &b, NULL) < 0)
                return;
        assert(b.n_bits > 0 && b.n_bits <= BITLIST_MAX && bitlist_has(&b, b.n_bits - 1));
        for (unsigned i = b.n_bits; i < BITLIST_MAX; i++)
                assert(!bitlist_has(&b, i));
}

/* No path that is taken leaves /proc/sys, whatever the key was. */
static void check_sysctl(const char *s)
{
        char path[SYSCTL_PATH_MAX];

        (void)sysctl_namespace(s);
        if (sysctl_path(s, path, sizeof path, NULL) < 0)
                return;
        assert(strlen(path) == strlen(s) && path[0] != '/');
        for (const char *part = path; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL) {
                size_t len = strcspn(part, "/");

                assert(len > 0 && !(len == 1 && part[0] == '.') && !(len == 2 && part[0] == '.' && part[1] == '.'));
        }
}

static void check_caps(const char *s)
{
        int number = caps_number(s);
        auto_text unknown = COR_TEXT_INIT;

        assert(number < 0 || caps_name(number));
        (void)caps_parse_list(&s, 1, &unknown);
}

/* Whatever the files say, the mapping that is made of it can be written. */
static void check_sub_ranges(const char *s)
{
        struct oci_id_map *sub auto_free = NULL;
        struct oci_id_map *items auto_free = NULL;
        size_t n_sub = 0, n = 0;
        uint32_t id = s[0] ? (uint32_t)(uint8_t)s[0] * 700 : 0;
        uint32_t host;

        idmap_sub_ranges(s, "u", 1000, &sub, &n_sub);
        idmap_fill(id, 1000, sub, n_sub, &items, &n);
        assert(n >= 1 && idmap_check(items, n, "map", NULL) == 0);
        assert(idmap_to_host(items, n, id, &host) && host == 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *s auto_free = cor_strndup((const char *)data, size);

        check_bitlist(s);
        check_sysctl(s);
        check_caps(s);
        check_sub_ranges(s);
        return 0;
}
