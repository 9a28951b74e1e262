#include "engine/manifest_entry.h"

#include "base/text.h"
#include "image/reference.h"
#include "registry/encode.h"
#include <string.h>

static const struct cor_json_field entry_fields[] = {
        COR_FIELD("Ref", STR, struct manifest_entry, ref, COR_JSON_REQUIRED),
        COR_FIELD_OBJ("Descriptor", OBJ, struct manifest_entry, descriptor, &image_descriptor_doc, COR_JSON_REQUIRED),
        COR_FIELD("Raw", STR, struct manifest_entry, raw, COR_JSON_REQUIRED),
};
const struct cor_json_doc manifest_entry_doc = COR_DOC(struct manifest_entry, entry_fields, NULL);

int manifest_full_name(const char *name, char **ret, struct cor_err *err)
{
        auto_reference r = { 0 };

        if (reference_parse(name, &r, err) < 0)
                return -1;
        reference_default_tag(&r);
        *ret = reference_full(&r);
        return 0;
}

void manifest_entry_print(const char *ref, const struct image_descriptor *d, const char *text, struct cor_text *t)
{
        auto_str raw = base64_encode(text, strlen(text));

        cor_text_add(t, "{\"Ref\":");
        cor_text_add_json(t, ref);
        cor_text_add(t, ",\"Descriptor\":");
        cor_json_print(&image_descriptor_doc, d, COR_JSON_COMPACT, t);
        cor_text_printf(t, ",\"Raw\":\"%s\",\"%s\":%s}", raw,
                        strcmp(d->media_type, MEDIA_OCI_MANIFEST) == 0 ? "OCIManifest" : "SchemaV2Manifest", text);
}

int manifest_entry_of(const char *ref, const struct remote_manifest *m, struct cor_text *t, struct cor_err *err)
{
        auto_json struct image_config *config = NULL;
        struct image_platform platform = { 0 };
        struct image_descriptor d = { .platform = &platform };

        if (!m->config)
                return cor_fail(err, COR_INVALID, "%s is no image: its manifest names no configuration", ref);
        if (image_config_parse(m->config, strlen(m->config), "image config", &config, err) < 0)
                return cor_wrap(err, "%s", ref);
        d.media_type = m->media_type;
        d.digest = m->digest.text;
        d.size = m->n;
        platform = (struct image_platform){ .architecture = config->architecture,
                                            .os = config->os,
                                            .variant = config->variant,
                                            .os_version = config->os_version,
                                            .os_features = config->os_features,
                                            .n_os_features = config->n_os_features };
        manifest_entry_print(ref, &d, m->text, t);
        return 0;
}

/* The images that index @text, which a registry has as @r, lists: docker calls them NAME:TAG@DIGEST. */
static int add_images(struct engine *e, struct reference *r, const char *text, size_t n, bool insecure,
                      struct cor_text *t, struct cor_err *err)
{
        auto_json struct image_manifest *index = NULL;
        const char *before = "[";

        if (image_manifest_parse(text, n, "image index", &index, err) < 0)
                return -1;
        for (size_t i = 0; i < index->n_manifests; i++) {
                const struct image_descriptor *d = &index->manifests[i];
                auto_remote_manifest m = { 0 };
                auto_str ref = NULL;

                if (!media_is_manifest(d->media_type))
                        continue;
                if (digest_parse(d->digest, &r->digest, err) < 0)
                        return -1;
                ref = reference_full(r);
                if (engine_manifest(e, ref, insecure, true, &m, err) < 0)
                        return -1;
                cor_text_add(t, before);
                before = ",";
                if (manifest_entry_of(ref, &m, t, err) < 0)
                        return -1;
        }
        cor_text_add(t, *before == ',' ? "]" : "[]");
        return 0;
}

int manifest_entry_fetch(struct engine *e, const char *name, bool insecure, char **ret, struct cor_err *err)
{
        auto_remote_manifest m = { 0 };
        auto_reference r = { 0 };
        auto_text t = COR_TEXT_INIT;
        auto_str full = NULL;
        int failed;

        if (reference_parse(name, &r, err) < 0 || manifest_full_name(name, &full, err) < 0 ||
            engine_manifest(e, name, insecure, true, &m, err) < 0)
                return -1;
        failed = media_is_index(m.media_type) ? add_images(e, &r, m.text, m.n, insecure, &t, err)
                                              : manifest_entry_of(full, &m, &t, err);
        if (failed < 0)
                return cor_wrap(err, "%s", full);
        *ret = cor_text_take(&t);
        return 0;
}
