/* Documents around registries: docker's config.json, daemon.json, what token servers and credential helpers answer, and
 * lists of referrers. The first byte says which. */
#include "registry/auth.h"
#include "registry/encode.h"
#include "spec/daemon_network.h"
#include "spec/registry.h"

#include "document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_token(const uint8_t *data, size_t size)
{
        char *token = NULL, *refresh = NULL;
        int64_t seconds;

        if (token_read((const char *)data, size, &token, &seconds, &refresh, NULL) == 0)
                FUZZ_REQUIRE(seconds > 0 && token);
        free(token);
        free(refresh);
}

static void read_base64(const uint8_t *data, size_t size)
{
        auto_str text = cor_strndup((const char *)data, size);
        auto_str bytes = NULL;
        size_t n;

        if (base64_decode(text, &bytes, &n) == 0)
                free(base64_encode(bytes, n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct cor_json_doc *const docs[] = { &docker_client_doc, &daemon_config_doc,
                                                           &helper_credentials_doc, &referrers_doc };

        if (size == 0)
                return 0;
        if (data[0] % 6 == 4)
                read_token(data + 1, size - 1);
        else if (data[0] % 6 == 5)
                read_base64(data + 1, size - 1);
        else
                (void)document_fuzz(docs[data[0] % 6], data + 1, size - 1);
        if (data[0] % 6 == 1) /* of daemon.json others read other keys */
                (void)document_fuzz(&daemon_network_doc, data + 1, size - 1);
        return 0;
}
