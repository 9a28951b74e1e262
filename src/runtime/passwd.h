#ifndef CORACLE_RUNTIME_PASSWD_H
#define CORACLE_RUNTIME_PASSWD_H
/* The container's own /etc/passwd, read from inside its root. Its content is the image's: hostile, and of any size. */
#include <stdint.h>
#include <sys/types.h>

/*
 * passwd_home() - "HOME=…" of user @uid by /etc/passwd in the caller's root, "HOME=/" when there is none; free(). Never
 * fails: a container without users is fine.
 */
char *passwd_home(uid_t uid);
/* passwd_home_in() - the same from @text of @n bytes (for tests and the fuzzer) */
char *passwd_home_in(const char *text, size_t n, uid_t uid);

#endif
