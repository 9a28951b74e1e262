#ifndef CORACLE_ENGINE_PATTERN_H
#define CORACLE_ENGINE_PATTERN_H
/* Shell patterns as Go's path.Match() has them, which is what docker's filters take. */
#include <stdbool.h>

/* pattern_match() - 1 if the whole of @s matches, 0 if not, -1 if @pattern is malformed: * and ? do not match '/' */
int pattern_match(const char *pattern, const char *s);

#endif
