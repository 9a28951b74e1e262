/* Manifests, indexes and image configurations as registries and archives send them; the choice of a platform. */
#include "image/platform.h"

#include "document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void prints_again(const struct cor_json_doc *doc, const void *object)
{
        auto_str fault = printing_fault(doc, object);

        if (fault) {
                fprintf(stderr, "%s\n", fault);
                abort();
        }
}

static void fuzz_manifest(const char *text, size_t n)
{
        auto_json struct image_manifest *m = NULL;
        struct platform want = platform_host();
        struct cor_err err = { 0 };

        if (image_manifest_parse(text, n, "manifest", &m, &err) < 0) {
                FUZZ_REQUIRE(m == NULL);
                FUZZ_REQUIRE(err.kind == COR_INVALID || err.kind == COR_UNSUPPORTED);
                return;
        }
        FUZZ_REQUIRE(image_manifest_is_index(m) || m->config);
        if (image_manifest_is_index(m)) {
                int i = platform_choose(m, &want, &err);

                FUZZ_REQUIRE(i < (int)m->n_manifests);
        }
        prints_again(&image_manifest_doc, m);
}

static void fuzz_config(const char *text, size_t n)
{
        auto_json struct image_config *c = NULL;
        struct cor_err err = { 0 };
        int64_t ns;

        if (image_config_parse(text, n, "image config", &c, &err) < 0) {
                FUZZ_REQUIRE(c == NULL);
                FUZZ_REQUIRE(err.kind == COR_INVALID || err.kind == COR_UNSUPPORTED);
                return;
        }
        (void)image_time(c->created, &ns);
        prints_again(&image_config_doc, c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        fuzz_manifest((const char *)data, size);
        fuzz_config((const char *)data, size);
        return 0;
}
