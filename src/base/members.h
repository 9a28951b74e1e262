#ifndef CORACLE_BASE_MEMBERS_H
#define CORACLE_BASE_MEMBERS_H
/*
 * Processes of one user that share something which lives as long as one of them does, a namespace say, and which no
 * process keeps for the others: a file of the user's run folder lists them, and who comes later finds one that lives.
 */
#include "base/err.h"
#include "base/process.h"
#include "base/text.h"

struct members {
        const char *name;
        char *path; /* of the folder */
        int run, lock;
        struct cor_text others;  /* those that live, as the file has them */
        struct cor_procid first; /* one of them; pid 0: there is none */
};
#define MEMBERS_INIT                                                                                                   \
        {                                                                                                              \
                .run = -1, .lock = -1, .others = COR_TEXT_INIT                                                         \
        }
/* members_end() - lets others look */
void members_end(struct members *m);
#define auto_members COR_CLEANUP(members_end) struct members

/*
 * members_begin() - who is in file @name of $CORACLE_RUN, or of the folder coracle in $XDG_RUNTIME_DIR. Nobody else
 * looks until members_end(). 1, or 0 where the user has no such folder: then nothing can be shared
 */
int members_begin(const char *name, struct members *m, struct cor_err *err) COR_MUST_CHECK;
/* members_add() - @pid is one, too */
int members_add(struct members *m, pid_t pid, struct cor_err *err) COR_MUST_CHECK;

#endif
