/* A reference that is taken reads back as itself, whole and familiar; so do platforms and instructions of --change. */
#include "image/change.h"
#include "image/platform.h"
#include "image/reference.h"

#include "document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const char *text, const struct reference *r)
{
        auto_reference copy = { 0 };
        auto_str full = reference_full(r);
        auto_str full_again = NULL;

        FUZZ_REQUIRE(reference_parse(text, &copy, NULL) == 0);
        full_again = reference_full(&copy);
        FUZZ_REQUIRE(strcmp(full, full_again) == 0);
}

static void fuzz_reference(const char *text)
{
        auto_reference r = { 0 };
        struct cor_err err = { 0 };
        auto_str full = NULL;
        auto_str familiar = NULL;

        if (reference_parse(text, &r, &err) < 0) {
                FUZZ_REQUIRE(err.kind == COR_INVALID);
                return;
        }
        full = reference_full(&r);
        familiar = reference_familiar(&r);
        again(full, &r);
        again(familiar, &r);
        FUZZ_REQUIRE(!strstr(r.path, "..") && r.path[0] != '/');
}

static void fuzz_platform(const char *text)
{
        struct platform p, copy;
        auto_str name = NULL;
        auto_str name_again = NULL;

        if (platform_parse(text, &p, NULL) < 0)
                return;
        name = platform_format(&p);
        FUZZ_REQUIRE(platform_parse(name, &copy, NULL) == 0);
        name_again = platform_format(&copy);
        FUZZ_REQUIRE(strcmp(name, name_again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        auto_str text = cor_strndup((const char *)data, size);
        struct image_change change = { 0 };

        fuzz_reference(text);
        fuzz_platform(text);
        (void)!image_change_apply(&change, text, NULL);
        image_change_done(&change);
        return 0;
}
