/*
 * Runs in a program that stays with its container, and so keeps little of what a start needs: once the program runs,
 * only the container's folder and cgroup are held, and the configuration if there are hooks for the end.
 */
#include "runtime/spawn.h"

#include "base/fd.h"
#include "runtime/creation.h"
#include "runtime/notify.h"

struct spawned {
        struct runtime_context ctx;
        struct create_options options;
        struct create_given given;
        char *root, *id, *bundle; /* what these two point to */
        struct plan plan;
        struct creation creation;
};

static struct spawned *spawned_new(const struct runtime_context *ctx, const struct create_options *o, int root,
                                   const struct spawn_stdio *stdio)
{
        struct spawned *s = cor_alloc(sizeof *s);

        s->root = cor_strdup(ctx->root);
        s->id = cor_strdup(o->id);
        s->bundle = cor_strdup(o->bundle);
        s->ctx = *ctx;
        s->ctx.root = s->root;
        s->given.root = root;
        for (int i = 0; i < 3; i++)
                s->given.stdio[i] = stdio->fd[i];
        s->options = *o;
        s->options.id = s->id;
        s->options.bundle = s->bundle;
        s->options.given = &s->given;
        s->options.detach = false; /* the terminal's master stays with us */
        s->creation.master = -1;
        plan_init(&s->plan);
        return s;
}

int container_spawn(const struct runtime_context *ctx, const struct create_options *o, int root,
                    const struct spawn_stdio *stdio, struct spawned **ret, struct cor_err *err)
{
        auto_spawned s = spawned_new(ctx, o, root, stdio);

        if (creation_build(&s->creation, &s->ctx, &s->options, &s->plan, NULL, false, err) < 0)
                return -1;
        *ret = COR_TAKE(s);
        return 0;
}

pid_t spawned_pid(const struct spawned *s)
{
        return s->creation.init;
}

int spawned_master(const struct spawned *s)
{
        return s->creation.master;
}

struct cgroup *spawned_cgroup(const struct spawned *s)
{
        return s->plan.cgroup;
}

int spawned_start(struct spawned *s, struct cor_err *err)
{
        auto_notify notify = NOTIFY_INIT;

        if (creation_start(&s->creation, &notify, err) < 0) {
                s->creation.init = 0;
                container_done(&s->plan.container); /* removed already */
                return -1;
        }
        plan_shed(&s->plan);
        if (!s->creation.hooks_due) {
                cor_json_free(s->plan.config);
                s->plan.config = NULL;
        }
        return 0;
}

void spawned_end(struct spawned *s, bool reaped)
{
        if (reaped)
                s->creation.init = 0;
        creation_undo(&s->creation);
        s->creation.init = 0;
        container_done(&s->plan.container);
}

void spawned_free(struct spawned *s)
{
        if (!s)
                return;
        creation_done(&s->creation);
        plan_done(&s->plan);
        free(s->root);
        free(s->id);
        free(s->bundle);
        free(s);
}
