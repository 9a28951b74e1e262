#include "spec/oci.h"

#include "document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        return document_fuzz(&oci_config_doc, data, size);
}
