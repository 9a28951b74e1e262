#ifndef CORACLE_BASE_CLEANUP_H
#define CORACLE_BASE_CLEANUP_H
/*
 * Ownership by scope: what a scope opens, the scope closes. Every owned type has an `auto_` form built on
 * COR_CLEANUP(); a value is handed over visibly, by COR_TAKE() or cor_fd_take().
 */
#include <stddef.h>

#define COR_CLEANUP(fn)     __attribute__((cleanup(fn), unused)) /* unused: to hold something may be all it is for */
#define COR_MUST_CHECK      __attribute__((warn_unused_result))
#define COR_PRINTF(fmt, va) __attribute__((format(printf, fmt, va)))
#define COR_UNUSED          __attribute__((unused))

/* COR_TAKE() - the value of pointer @p, which is NULL afterwards: the receiver owns it now */
#define COR_TAKE(p)                                                                                                    \
        ({                                                                                                             \
                __typeof__(p) taken_ = (p);                                                                            \
                (p) = NULL;                                                                                            \
                taken_;                                                                                                \
        })

#define COR_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
