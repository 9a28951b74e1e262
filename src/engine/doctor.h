#ifndef CORACLE_ENGINE_DOCTOR_H
#define CORACLE_ENGINE_DOCTOR_H
/*
 * What this machine has and lacks for containers, found out by doing it where that leaves nothing behind (in namespaces
 * of a child that ends), else by looking. Needs no store, and enters no user namespace: it is about the caller as they
 * are.
 */
#include "base/err.h"

enum doctor_state {
        DOCTOR_GOOD,
        DOCTOR_LIMITED, /* containers run, but something that users know does not work */
        DOCTOR_MISSING, /* without it there are no containers, or none of a kind */
};
struct doctor_finding {
        const char *name; /* "cgroups" */
        enum doctor_state state;
        char *message; /* one line */
        char *remedy;  /* a command that mends it, or NULL */
};
struct doctor_report {
        struct doctor_finding *items;
        size_t n_items;
};
void doctor_report_done(struct doctor_report *r);
#define auto_doctor_report COR_CLEANUP(doctor_report_done) struct doctor_report

/* engine_doctor() - @store: the folder whose disk is looked at; it need not be there yet */
void engine_doctor(const char *store, struct doctor_report *ret);

#endif
