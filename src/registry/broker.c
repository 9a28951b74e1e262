/*
 * Messages are a head and, behind it, texts that end with NUL. A question has one: the name or the domain. An answer to
 * a name has two, the name and its addresses; one about credentials has four, each '+' and the text, or "-" for none.
 */
#include "registry/broker.h"
#include "base/fd.h"
#include "base/process.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
        NAME_MAX_BYTES = 256, /* of a host or domain, with its end */
        ADDRESSES_MAX = 32,
        MESSAGE_MAX_BYTES = 160 << 10, /* of an answer; what a socket takes at once is a little more */
        AT_ONCE_MAX = 32,              /* children */
};

enum kind { KIND_NAME, KIND_CREDENTIALS };

struct question {
        enum kind kind;
        char text[NAME_MAX_BYTES];
};

struct answer_head {
        enum kind kind;
        int found; /* credentials: 1, 0 none, -1 with err */
        struct cor_err err;
};

struct broker {
        const struct registry_config *config;
        int socket;
        pid_t pid;
        char *buf;             /* MESSAGE_MAX_BYTES */
        struct cor_strv early; /* hosts and addresses in turn, that came while credentials were waited for */
};

/* -------------------------------------------------------------------------------------------------------- answering */

struct server {
        const struct registry_config *config;
        const struct cor_strv *domains;
        int socket;
        pid_t children[AT_ONCE_MAX];
        size_t n_children;
};

static void add_text(struct cor_text *t, const char *s)
{
        cor_text_add_n(t, s, strlen(s) + 1);
}

static void add_optional(struct cor_text *t, const char *s)
{
        cor_text_add_c(t, s ? '+' : '-');
        add_text(t, s ? s : "");
}

/* Numbers with commas between them. An address with a scope (%eth0) is left out: libcurl does not take it. */
static void add_addresses(struct cor_text *t, const char *host)
{
        struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all = NULL;
        int n = 0;

        if (getaddrinfo(host, NULL, &hints, &all) == 0) {
                for (struct addrinfo *a = all; a && n < ADDRESSES_MAX; a = a->ai_next) {
                        char text[NI_MAXHOST];

                        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0 &&
                            !strchr(text, '%'))
                                cor_text_printf(t, "%s%s", n++ ? "," : "", text);
                }
                freeaddrinfo(all);
        }
        cor_text_add_n(t, "", 1);
}

static bool is_ours(const struct server *s, const char *domain)
{
        for (size_t i = 0; i < s->domains->n_items; i++)
                if (strcmp(s->domains->items[i], domain) == 0)
                        return true;
        return false;
}

static void find_credentials(const struct server *s, const char *domain, struct answer_head *head, struct cor_text *t)
{
        auto_registry_auth auth = { 0 };

        if (is_ours(s, domain))
                head->found = registry_auth_find(s->config, domain, &auth, &head->err);
        else
                head->found = cor_fail(&head->err, COR_DENIED, "%s is not asked in this transfer", domain);
        add_optional(t, auth.user);
        add_optional(t, auth.password);
        add_optional(t, auth.identity_token);
        add_optional(t, auth.registry_token);
}

/* A child's whole life. While a helper runs, it ends by SIGTERM, which cor_spawn_run() passes on. */
static _Noreturn void answer(const struct server *s, const struct question *q)
{
        struct answer_head head = { .kind = q->kind };
        auto_text t = COR_TEXT_INIT;
        sigset_t term;

        prctl(PR_SET_PDEATHSIG, SIGTERM);
        sigemptyset(&term);
        sigaddset(&term, SIGTERM);
        if (q->kind == KIND_CREDENTIALS)
                sigprocmask(SIG_BLOCK, &term, NULL);
        cor_text_add_n(&t, &head, sizeof head);
        if (q->kind == KIND_CREDENTIALS) {
                find_credentials(s, q->text, &head, &t);
        } else {
                add_text(&t, q->text);
                add_addresses(&t, q->text);
        }
        if (t.len > MESSAGE_MAX_BYTES) {
                head.found = cor_fail(&head.err, COR_INVALID, "credentials of more than %d bytes", MESSAGE_MAX_BYTES);
                t.len = sizeof head;
        }
        memcpy(t.s, &head, sizeof head);
        (void)!send(s->socket, t.s, t.len, MSG_NOSIGNAL);
        explicit_bzero(t.s, t.len);
        _exit(0);
}

/* Collect children that have ended; if there is no room, wait for one. */
static void reap(struct server *s)
{
        size_t kept = 0;
        bool full = s->n_children == AT_ONCE_MAX;

        if (full) {
                siginfo_t info;

                (void)waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
        }
        for (size_t i = 0; i < s->n_children; i++)
                if (waitpid(s->children[i], NULL, WNOHANG) == 0)
                        s->children[kept++] = s->children[i];
        s->n_children = kept;
}

/* One question: 1, or 0 when the other side has ended. */
static int serve(struct server *s)
{
        struct question q;
        ssize_t n = cor_recv(s->socket, &q, sizeof q, 0);
        pid_t pid;

        if (n != (ssize_t)sizeof q)
                return 0;
        q.text[sizeof q.text - 1] = '\0';
        reap(s);
        if (s->n_children == AT_ONCE_MAX)
                return 1;
        pid = fork();
        if (pid == 0)
                answer(s, &q);
        if (pid < 0)
                return 0;
        s->children[s->n_children++] = pid;
        return 1;
}

static void server_run(void *context, int socket)
{
        enum { OURS = STDERR_FILENO + 1 };
        struct server *s = context;

        s->socket = OURS;
        /* the conversation with the engine and the unpacker's socket end with the other process, not with this one */
        if ((socket != OURS && dup3(socket, OURS, O_CLOEXEC) < 0) || cor_fds_close(OURS + 1, ~0U, NULL) < 0)
                _exit(1);
        while (serve(s) == 1)
                ;
        for (size_t i = 0; i < s->n_children; i++)
                kill(s->children[i], SIGTERM);
        for (size_t i = 0; i < s->n_children; i++)
                (void)cor_child_wait(s->children[i], 2000, NULL);
        _exit(0);
}

/* ----------------------------------------------------------------------------------------------------------- asking */

int broker_start(const struct registry_config *config, const struct cor_strv *domains, struct broker **ret,
                 struct cor_err *err)
{
        struct server s = { .config = config, .domains = domains };
        struct broker *b;
        pid_t pid;
        int socket = cor_child_serve(server_run, &s, &pid, err);

        if (socket < 0)
                return -1;
        b = cor_alloc(sizeof *b);
        *b = (struct broker){ .config = config, .socket = socket, .pid = pid, .buf = cor_alloc(MESSAGE_MAX_BYTES + 1) };
        *ret = b;
        return 0;
}

void broker_free(struct broker *b)
{
        if (!b)
                return;
        cor_fd_close(&b->socket);
        (void)cor_child_wait(b->pid, -1, NULL);
        cor_strv_done(&b->early);
        free(b->buf);
        free(b);
}

int broker_fd(const struct broker *b)
{
        return b->socket;
}

static int ask(struct broker *b, enum kind kind, const char *text, struct cor_err *err)
{
        struct question q = { .kind = kind };
        ssize_t n;

        if (strlen(text) >= sizeof q.text)
                return cor_fail(err, COR_INVALID, "'%.60s…' is too long for the name of a host", text);
        memcpy(q.text, text, strlen(text));
        do
                n = send(b->socket, &q, sizeof q, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        return n < 0 ? cor_fail_errno(err, "ask the broker") : 0;
}

/* The next answer, whose texts are @n bytes at *ret_text: 1, or 0 if none has come and @wait is not set. */
static int hear(struct broker *b, bool wait, struct answer_head *head, const char **ret_text, size_t *ret_n,
                struct cor_err *err)
{
        ssize_t n = cor_recv(b->socket, b->buf, MESSAGE_MAX_BYTES, wait ? 0 : MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
                return 0;
        if (n < 0)
                return cor_fail_errno(err, "hear the broker");
        if ((size_t)n < sizeof *head)
                return cor_fail(err, COR_SYSTEM, "the broker ended without a word");
        memcpy(head, b->buf, sizeof *head);
        b->buf[n] = '\0';
        *ret_text = b->buf + sizeof *head;
        *ret_n = (size_t)n - sizeof *head;
        return 1;
}

int broker_ask_name(struct broker *b, const char *host, struct cor_err *err)
{
        return ask(b, KIND_NAME, host, err);
}

int broker_next_name(struct broker *b, char **ret_host, char **ret_addresses, struct cor_err *err)
{
        struct answer_head head;
        const char *text;
        size_t n;
        int r;

        if (b->early.n_items >= 2) {
                *ret_addresses = b->early.items[--b->early.n_items];
                *ret_host = b->early.items[--b->early.n_items];
                b->early.items[b->early.n_items] = NULL;
                return 1;
        }
        r = hear(b, false, &head, &text, &n, err);
        if (r <= 0)
                return r;
        if (head.kind != KIND_NAME || strlen(text) >= n)
                return cor_fail(err, COR_INVALID, "the broker answers what was not asked");
        *ret_host = cor_strdup(text);
        *ret_addresses = cor_strdup(text + strlen(text) + 1);
        return 1;
}

static const char *take_optional(const char *text, const char *end, char **ret)
{
        if (text < end && *text == '+')
                *ret = cor_strdup(text + 1);
        return text < end ? text + strlen(text) + 1 : end;
}

/* Wait for an answer about credentials; what comes about names is kept. */
static int wait_credentials(struct broker *b, struct answer_head *head, const char **ret_text, size_t *ret_n,
                            struct cor_err *err)
{
        struct pollfd polled[] = { { .fd = b->socket, .events = POLLIN },
                                   { .fd = b->config->wake_fd > 0 ? b->config->wake_fd : -1, .events = POLLIN } };

        for (;;) {
                int r = poll(polled, COR_COUNT(polled), -1);

                if (r < 0 && errno != EINTR)
                        return cor_fail_errno(err, "wait for the broker");
                if (r <= 0)
                        continue;
                if (polled[1].revents)
                        return cor_fail(err, COR_BUSY, "interrupted");
                r = hear(b, true, head, ret_text, ret_n, err);
                if (r == 0)
                        continue;
                if (r < 0 || head->kind == KIND_CREDENTIALS)
                        return r;
                if (strlen(*ret_text) < *ret_n) {
                        cor_strv_add(&b->early, *ret_text);
                        cor_strv_add(&b->early, *ret_text + strlen(*ret_text) + 1);
                }
        }
}

int broker_credentials(struct broker *b, const char *domain, struct registry_auth *ret, struct cor_err *err)
{
        struct answer_head head = { .kind = KIND_NAME };
        const char *text, *end;
        size_t n;

        if (ask(b, KIND_CREDENTIALS, domain, err) < 0 || wait_credentials(b, &head, &text, &n, err) < 0)
                return -1;
        if (head.found <= 0) {
                if (head.found < 0 && err)
                        *err = head.err;
                return head.found < 0 ? -1 : 0;
        }
        end = text + n;
        text = take_optional(text, end, &ret->user);
        text = take_optional(text, end, &ret->password);
        text = take_optional(text, end, &ret->identity_token);
        take_optional(text, end, &ret->registry_token);
        explicit_bzero(b->buf, MESSAGE_MAX_BYTES);
        return 1;
}
