#ifndef CORACLE_TOOLS_INIT_LICENSE_H
#define CORACLE_TOOLS_INIT_LICENSE_H
/* What `coracle-init -l` prints: the project's license, and that of the C library that is linked in. */
extern const char init_license[];

#endif
