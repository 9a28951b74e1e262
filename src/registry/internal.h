#ifndef CORACLE_REGISTRY_INTERNAL_H
#define CORACLE_REGISTRY_INTERNAL_H
/* The handle, for the files of registry/ only. */
#include "registry/call.h"
#include "registry/problem.h"

struct job; /* a download or an upload in its queue */

struct registry {
        const struct registry_config *config;
        char *domain, *path; /* "docker.io", "library/debian"; path NULL: for the registry as a whole */
        char *name;          /* as a person writes it: "debian" */
        struct http *http;
        struct broker *broker; /* NULL: the process still has its rights */
        struct host *hosts;
        size_t n_hosts;
        struct call *calls;
        struct job *jobs; /* in the order of their start */
        int attempts;
        char *mounting_digest, *mounting_url; /* an upload that a refused mount has begun */
        bool offline;                         /* ask for a token that lasts: */
        char *refresh_token;
};

/* registry_step() - let everything go on for at most @max_ms; 1 if @wake_fd is readable */
int registry_step(struct registry *r, int wake_fd, int max_ms, struct cor_err *err) COR_MUST_CHECK;
/* calls_step() - begin what waits for its time; the ms until the next one has to begin, at most @max_ms */
int calls_step(struct registry *r, int max_ms);
/* jobs_step() - begin what waits for its turn */
void jobs_step(struct registry *r);
void jobs_free(struct registry *r);

/* What a call that is waited for brought. */
struct outcome {
        bool over;
        struct http_answer answer; /* a copy */
        char *url;
        struct cor_err err; /* kind COR_OK: a 2xx */
};
void outcome_done(struct outcome *o);
#define auto_outcome COR_CLEANUP(outcome_done) struct outcome
/*
 * registry_ask() - make a call and wait for its end (others go on meanwhile). spec's done and context are set here. 0
 * when the loop worked: o->err and o->answer.status say what came.
 */
int registry_ask(struct registry *r, struct call_spec *spec, struct outcome *o, struct cor_err *err) COR_MUST_CHECK;

/* registry_denied() - @problem in docker's words for a pull or push that is not allowed */
int registry_denied(const struct registry *r, const struct cor_err *problem, bool push, struct cor_err *err);

/* A job: what its queue knows. */
enum job_kind { JOB_DOWNLOAD, JOB_UPLOAD };
struct job {
        struct registry *registry;
        struct job *next;
        enum job_kind kind;
        bool running;
        void (*start)(struct job *j);
        void (*drop)(struct job *j);                          /* free it, `done` not called; ends its call */
        void (*cancel)(struct job *j, struct cor_err *error); /* tells its owner */
};
/* job_add() - into the queue; job_remove() - out of it (before its owner is told) */
void job_add(struct registry *r, struct job *j);
void job_remove(struct job *j);

#endif
