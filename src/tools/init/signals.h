#ifndef CORACLE_TOOLS_INIT_SIGNALS_H
#define CORACLE_TOOLS_INIT_SIGNALS_H
/*
 * Signals as the kernel counts them: 1 to 64, and a mask is 64 bits. The C library's functions leave out the two or
 * three numbers that it keeps for its own threads (32 to 34 in musl), but those arrive here too: what docker calls
 * SIGRTMIN is 34, whatever library this program was linked with.
 */
#include "base/err.h"
#include <signal.h>
#include <stdint.h>

typedef uint64_t signal_mask;
#define SIGNAL_MASK_ALL UINT64_MAX

/* signal_mask_set() - block exactly the signals in @mask; the former mask in *@ret_old unless NULL */
int signal_mask_set(signal_mask mask, signal_mask *ret_old, struct cor_err *err) COR_MUST_CHECK;

/*
 * signal_wait() - take the next pending signal, waiting at most @timeout_ms (-1: as long as it takes). All signals must
 * be blocked. Returns the signal and fills *@ret_info; 0 when the time is over; -1 on an error.
 */
int signal_wait(int64_t timeout_ms, siginfo_t *ret_info, struct cor_err *err) COR_MUST_CHECK;

#endif
