#ifndef CORACLE_IMAGE_REFERENCE_H
#define CORACLE_IMAGE_REFERENCE_H
/*
 * References as docker reads them (distribution/reference): [DOMAIN[:PORT]/]PATH[:TAG][@DIGEST]. What has no domain is
 * docker.io's, what has one component there is library's, what has neither tag nor digest means :latest.
 */
#include "spec/digest.h"

struct reference {
        char *domain;         /* "docker.io", "localhost:5000", "[::1]:5000" */
        char *path;           /* "library/debian" */
        char *tag;            /* NULL: none */
        struct digest digest; /* not set: none */
};
void reference_done(struct reference *r);
#define auto_reference COR_CLEANUP(reference_done) struct reference

/*
 * reference_parse() - INVALID with docker's reason: "invalid reference format", "… repository name (library/X) must be
 * lowercase", a name that is 64 hexadecimal digits, too long, a bad digest. A tag is not added:
 * reference_default_tag().
 */
int reference_parse(const char *s, struct reference *ret, struct cor_err *err) COR_MUST_CHECK;
/* reference_default_tag() - give it the tag "latest" if it has neither tag nor digest; true if it did */
bool reference_default_tag(struct reference *r);
/* reference_name() - "docker.io/library/debian"; reference_full() - with tag and digest; free() */
char *reference_name(const struct reference *r);
char *reference_full(const struct reference *r);
/* reference_tagged() - "docker.io/library/debian:12", NULL without a tag; free() */
char *reference_tagged(const struct reference *r);
/* reference_digested() - "docker.io/library/debian@sha256:…" with @d; free() */
char *reference_digested(const struct reference *r, const struct digest *d);
/* reference_familiar() - as a person writes it: "debian:12", "debian@sha256:…", "localhost:5000/x"; free() */
char *reference_familiar(const struct reference *r);
/* reference_familiar_name() - the same without tag and digest: the column REPOSITORY */
char *reference_familiar_name(const struct reference *r);

#endif
