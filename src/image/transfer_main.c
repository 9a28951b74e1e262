/*
 * coracle-transfer: registries and archives, in a process of its own with few rights. Started by the engine
 * (image/transfer.c), never by hand.
 *
 *   1 hear the request; open the store; read the configuration, as the caller
 *   2 fork the unpacker, which keeps the rights that files need (image/unpack.h)
 *   3 read what the registry's configuration names, certificates above all
 *   4 give up all capabilities, fork the broker, which may still read files and run programs (registry/broker.h)
 *   5 give up what is left but the blobs of the store and, if there is a registry, TCP (image/confine.h)
 *   6 only now speak with anybody outside, or read an archive
 */
#include "base/fd.h"
#include "base/log.h"
#include "image/confine.h"
#include "image/job.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { CONVERSATION_FD = 3, INPUT_FD = 4, OUTPUT_FD = 5, REQUEST_WAIT_MS = 30000 };

static const struct verb {
        int (*run)(struct transfer_job *job, struct cor_err *err);
        bool registry, named, unpacks; /* it asks the image's registry; one that is named; it makes layers */
} verbs[] = {
        [TRANSFER_PULL] = { job_pull, .registry = true, .unpacks = true },
        [TRANSFER_PUSH] = { job_push, .registry = true },
        [TRANSFER_LOAD] = { job_load, .unpacks = true },
        [TRANSFER_SAVE] = { job_save },
        [TRANSFER_PUSH_LIST] = { job_push_list, .registry = true },
        [TRANSFER_MANIFEST] = { job_manifest, .registry = true },
        [TRANSFER_LOGIN] = { job_login, .named = true },
        [TRANSFER_SEARCH] = { job_search, .named = true },
        [TRANSFER_IMPORT] = { job_import, .unpacks = true },
        [TRANSFER_COMMIT] = { job_import, .unpacks = true },
};

static void job_done(struct transfer_job *job)
{
        registry_free(job->registry);
        unpacker_free(job->unpacker);
        store_free(job->store);
        reference_done(&job->reference);
        registry_config_done(&job->config);
}

static int read_reference(struct transfer_job *job, struct cor_err *err)
{
        if (!job->request->reference)
                return 0;
        if (reference_parse(job->request->reference, &job->reference, err) < 0)
                return -1;
        reference_default_tag(&job->reference);
        return 0;
}

/* Who is asked; free() */
static int find_domain(const struct transfer_job *job, const struct verb *v, char **ret, struct cor_err *err)
{
        const char *domain = v->named ? job->request->domain : job->reference.domain;

        if (!v->registry && !v->named)
                return registry_fetch_domain(job->request->url, ret, err);
        if (!domain)
                return cor_fail(err, COR_INVALID, "the request names no %s", v->named ? "registry" : "image");
        *ret = cor_strdup(domain);
        return 0;
}

static int open_registry(struct transfer_job *job, const struct verb *v, struct cor_err *err)
{
        auto_str domain = NULL;

        if (find_domain(job, v, &domain, err) < 0)
                return -1;
        if (job->request->insecure)
                cor_strv_add(&job->config.insecure, domain);
        return registry_new(&job->config, domain, v->registry ? job->reference.path : NULL, &job->registry, err);
}

/* An archive of many images has many files, and each is held open until it is known what it is for. */
static void raise_file_limit(void)
{
        struct rlimit files;

        if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur == files.rlim_max)
                return;
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
}

/* What the cage leaves of the file system. */
struct places {
        struct landlock_rule items[16];
        size_t n;
};

static void places_done(struct places *p)
{
        while (p->n > 0)
                close(p->items[--p->n].fd);
}

/* What is not there cannot be used: no reason to fail. */
static void add_place(struct places *p, int dirfd, const char *path, enum landlock_right right)
{
        int fd = p->n < COR_COUNT(p->items) ? openat(dirfd, path, O_PATH | O_CLOEXEC) : -1;

        if (fd >= 0)
                p->items[p->n++] = (struct landlock_rule){ .fd = fd, .right = right };
}

static void add_store(struct places *p, struct store *s)
{
        int images = store_images_fd(s), layers = store_layers_fd(s);

        add_place(p, images, "ingest", LANDLOCK_WRITE);
        add_place(p, images, "blobs", LANDLOCK_PLACE);
        add_place(p, layers, ".", LANDLOCK_READ);
        add_place(p, layers, LAYER_LOCK_FILE, LANDLOCK_WRITE);
}

static int shut_in(struct transfer_job *job, struct cor_err *err)
{
        COR_CLEANUP(places_done) struct places p = { .n = 0 };
        auto_strv files = { 0 };

        if (confine_broker(err) < 0 || (job->registry && registry_detach(job->registry, err) < 0))
                return -1;
        if (job->store && layer_lock_make(job->store, err) < 0)
                return -1;
        if (job->store)
                add_store(&p, job->store);
        if (job->registry)
                registry_files(&files);
        for (size_t i = 0; i < files.n_items; i++)
                add_place(&p, AT_FDCWD, files.items[i], LANDLOCK_READ);
        return confine_network(p.items, p.n, job->registry != NULL, err);
}

static int prepare(struct transfer_job *job, const struct verb *v, struct cor_err *err)
{
        struct image_limits limits;

        if (job->request->store && store_open(job->request->store, 0, &job->store, err) < 0)
                return -1;
        if ((v->registry || v->named || v->unpacks) && registry_config_load(&job->config, err) < 0)
                return -1;
        job->config.wake_fd = job->channel->fd; /* the engine says nothing unasked: it has gone */
        limits = image_limits_of(&job->config);
        if (v->unpacks && unpacker_start(job->request->store, &limits, &job->unpacker, err) < 0)
                return -1;
        if (read_reference(job, err) < 0)
                return -1;
        if ((v->registry || v->named || job->request->url) && open_registry(job, v, err) < 0)
                return -1;
        return shut_in(job, err);
}

static int serve(struct transfer_channel *c, const struct transfer_request *request, struct cor_err *err)
{
        struct transfer_job job = { .request = request,
                                    .channel = c,
                                    .input = fcntl(INPUT_FD, F_GETFD) >= 0 ? INPUT_FD : -1,
                                    .output = fcntl(OUTPUT_FD, F_GETFD) >= 0 ? OUTPUT_FD : -1 };
        const struct verb *v = (size_t)request->verb < COR_COUNT(verbs) ? &verbs[request->verb] : NULL;
        int r;

        if (!v || !v->run)
                return cor_fail(err, COR_UNSUPPORTED,
                                "coracle-transfer does not know this job: is it of another version?");
        r = prepare(&job, v, err) < 0 ? -1 : v->run(&job, err);
        job_done(&job);
        return r;
}

static int run(struct cor_err *err)
{
        struct transfer_channel c = { .fd = CONVERSATION_FD };
        auto_json struct transfer_message *m = NULL;
        struct transfer_message last = { .type = TRANSFER_DONE };
        int r;

        if (cor_fds_cloexec_from(CONVERSATION_FD, err) < 0)
                return -1;
        r = transfer_receive(&c, REQUEST_WAIT_MS, &m, err);
        if (r <= 0 || m->type != TRANSFER_REQUEST || !m->request)
                return r < 0 ? -1 : cor_fail(err, COR_INVALID, "expected a request of the engine on descriptor 3");
        if (serve(&c, m->request, err) < 0)
                last = (struct transfer_message){
                        .type = TRANSFER_ERROR, .kind = err->kind, .sys = err->sys, .text = err->msg
                };
        r = transfer_send(&c, &last, err);
        transfer_channel_done(&c);
        return r;
}

int main(int argc, char **argv)
{
        struct cor_err err = { 0 };

        signal(SIGPIPE, SIG_IGN);
        raise_file_limit();
        if (argc > 1 && strcmp(argv[1], "--version") == 0)
                return printf("coracle-transfer version " CORACLE_VERSION "\n") < 0;
        if (argc > 1 || fcntl(CONVERSATION_FD, F_GETFD) < 0) {
                fputs("coracle-transfer is started by coracle; it has no use of its own\n", stderr);
                return 2;
        }
        if (run(&err) == 0)
                return 0;
        if (err.sys != EPIPE) /* the engine has gone, and whoever it worked for knows why */
                cor_error("coracle-transfer: %s", err.msg);
        return 1;
}
