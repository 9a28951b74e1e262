/* containerd's hosts.toml, and with it the reader of TOML. */
#include "registry/hosts_toml.h"
#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct registry_config none;
        struct registry_host *hosts;
        size_t n;

        if (hosts_toml_parse(&none, (const char *)data, size, "/f", "r.test:5000", &hosts, &n, NULL) < 0)
                return 0;
        assert(n > 0);
        for (size_t i = 0; i < n; i++)
                assert(strncmp(hosts[i].url, "http", 4) == 0);
        registry_hosts_free(hosts, n);
        return 0;
}
