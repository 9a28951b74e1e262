#ifndef CORACLE_RUNTIME_FEATURES_H
#define CORACLE_RUNTIME_FEATURES_H
/* The features document: runtime-spec, "Features Structure". It tells what this build knows, not what the host has. */
#include "base/text.h"

void features_print(struct cor_text *out);

#endif
