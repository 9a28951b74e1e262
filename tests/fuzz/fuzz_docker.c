/* A container as docker's API has it, with all that is in it. */
#include "spec/docker.h"

#include "document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        return document_fuzz(&docker_container_doc, data, size);
}
