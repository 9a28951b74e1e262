/* The cases of test_root.c where openat2(2) is missing: the walk of our own does all of it. */
#define REFUSE_OPENAT2
#include "test_root.c" /* NOLINT(bugprone-suspicious-include) */
