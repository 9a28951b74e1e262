/*
 * coracle-tls HOST PORT [--ca FILE] [--certificate FILE] [--key FILE] [--insecure]: the TLS side of a connection. What
 * comes in on descriptor 0, a stream socket, goes to the server. The monitor, which is static and small, starts it for
 * the log driver syslog where the server is tcp+tls://.
 *
 * Once the server is connected and is who it should be, one byte is said on descriptor 0: TLS_READY; or TLS_FAILED and
 * why. It ends with its starter, with either side's end, and when the server has taken nothing for STUCK_S.
 */
#include "base/alloc.h"
#include "base/fd.h"
#include "base/text.h"
#include "base/tls_child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PIECE = 16 * 1024, STUCK_S = 15, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct options {
        const char *host, *port, *ca, *certificate, *key;
        bool insecure;
};

static void say(char first, const char *text)
{
        char message[TLS_MESSAGE_MAX];
        int n = snprintf(message, sizeof message, "%c%s", first, text);

        (void)!write(STDIN_FILENO, message, (size_t)n < sizeof message ? (size_t)n : sizeof message - 1);
}

/* The oldest of OpenSSL's errors is the cause. */
static int fail_tls(struct cor_err *err, const char *what)
{
        char text[200] = "";
        unsigned long code = ERR_get_error();

        if (code == 0)
                return errno ? cor_fail_errno(err, "%s", what) : cor_fail(err, COR_SYSTEM, "%s: it was closed", what);
        ERR_error_string_n(code, text, sizeof text);
        return cor_fail(err, COR_INVALID, "%s: %s", what, ERR_reason_error_string(code) ?: text);
}

/* --- the connection ----------------------------------------------------------------------------------------------- */

static int dial(const struct options *o, struct cor_err *err)
{
        const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
        const struct timeval limit = { .tv_sec = STUCK_S };
        struct addrinfo *list = NULL;
        int fd = -1, r = getaddrinfo(o->host, o->port, &hints, &list);

        if (r != 0)
                return cor_fail(err, COR_NOT_FOUND, "lookup %.200s: %s", o->host, gai_strerror(r));
        cor_fail(err, COR_NOT_FOUND, "no address");
        for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
                fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
                if (fd < 0)
                        continue;
                /* of connecting, of writing, of reading */
                (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
                (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
                if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
                        break;
                cor_fail_errno(err, "connect");
                close(fd);
                fd = -1;
        }
        freeaddrinfo(list);
        return fd;
}

static int load_files(SSL_CTX *ctx, const struct options *o, struct cor_err *err)
{
        if (o->ca ? SSL_CTX_load_verify_locations(ctx, o->ca, NULL) != 1 : SSL_CTX_set_default_verify_paths(ctx) != 1)
                return fail_tls(err, o->ca ? o->ca : "certificates of the system");
        if (o->certificate && SSL_CTX_use_certificate_chain_file(ctx, o->certificate) != 1)
                return fail_tls(err, o->certificate);
        if (o->key && SSL_CTX_use_PrivateKey_file(ctx, o->key, SSL_FILETYPE_PEM) != 1)
                return fail_tls(err, o->key);
        return 0;
}

static int expect_name(SSL *ssl, const char *host)
{
        uint8_t ignored[sizeof(struct in6_addr)];
        bool is_number = inet_pton(AF_INET, host, ignored) == 1 || inet_pton(AF_INET6, host, ignored) == 1;

        if (is_number)
                return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
        return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1;
}

static int shake_hands(SSL *ssl, struct cor_err *err)
{
        long verified;

        errno = 0;
        if (SSL_connect(ssl) == 1)
                return 0;
        verified = SSL_get_verify_result(ssl);
        if (verified != X509_V_OK)
                return cor_fail(err, COR_DENIED, "x509: %s", X509_verify_cert_error_string(verified));
        return fail_tls(err, "TLS");
}

static void context_free(SSL_CTX **ctx)
{
        SSL_CTX_free(*ctx);
}

static void connection_free(SSL **ssl)
{
        SSL_free(*ssl); /* with its socket */
}

static int connect_tls(const struct options *o, SSL **ret, struct cor_err *err)
{
        COR_CLEANUP(context_free) SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
        COR_CLEANUP(connection_free) SSL *ssl = NULL;
        auto_fd fd = -1;

        if (!ctx)
                return fail_tls(err, "TLS");
        SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
        SSL_CTX_set_verify(ctx, o->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
        SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY); /* a read that finds a session ticket only comes back */
        if (load_files(ctx, o, err) < 0)
                return -1;
        fd = dial(o, err);
        if (fd < 0)
                return -1;
        ssl = SSL_new(ctx);
        if (!ssl || SSL_set_fd(ssl, fd) != 1)
                return fail_tls(err, "TLS");
        BIO_set_close(SSL_get_rbio(ssl), BIO_CLOSE);
        (void)cor_fd_take(&fd);
        if (!o->insecure && expect_name(ssl, o->host) != 1)
                return fail_tls(err, "TLS");
        if (shake_hands(ssl, err) < 0)
                return -1;
        *ret = COR_TAKE(ssl);
        return 0;
}

/* --- passing on --------------------------------------------------------------------------------------------------- */

/* What a server says back is of no interest, its end is: false. */
static bool listen_to(SSL *ssl)
{
        char ignored[512];
        int n = SSL_read(ssl, ignored, sizeof ignored);

        return n > 0 || SSL_get_error(ssl, n) == SSL_ERROR_WANT_READ;
}

static bool send_all(SSL *ssl, const char *bytes, size_t n)
{
        while (n > 0) {
                int sent = SSL_write(ssl, bytes, (int)n);

                if (sent <= 0)
                        return false;
                bytes += sent;
                n -= (size_t)sent;
        }
        return true;
}

static void relay(SSL *ssl)
{
        static char piece[PIECE];

        for (;;) {
                struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
                                        { .fd = SSL_get_fd(ssl), .events = POLLIN } };
                ssize_t n;

                if (poll(fds, COR_COUNT(fds), -1) < 0 && errno != EINTR)
                        return;
                if (fds[1].revents && !listen_to(ssl))
                        return;
                if (!fds[0].revents)
                        continue;
                n = read(STDIN_FILENO, piece, sizeof piece);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0) {
                        (void)SSL_shutdown(ssl);
                        return;
                }
                if (!send_all(ssl, piece, (size_t)n))
                        return;
        }
}

static bool parse(char **argv, struct options *ret)
{
        const struct {
                const char *name, **value;
        } words[] = { { "--ca", &ret->ca }, { "--certificate", &ret->certificate }, { "--key", &ret->key } };

        for (; *argv; argv++) {
                size_t i = 0;

                if (strcmp(*argv, "--insecure") == 0) {
                        ret->insecure = true;
                        continue;
                }
                while (i < COR_COUNT(words) && strcmp(words[i].name, *argv) != 0)
                        i++;
                if (i == COR_COUNT(words) || !argv[1])
                        return false;
                *words[i].value = *++argv;
        }
        return true;
}

int main(int argc, char **argv)
{
        struct options o = { .host = argc > 2 ? argv[1] : NULL, .port = argc > 2 ? argv[2] : NULL };
        COR_CLEANUP(connection_free) SSL *ssl = NULL;
        struct cor_err err = { 0 };

        if (argc < 3 || !parse(argv + 3, &o)) {
                fprintf(stderr, "coracle-tls is started by coracle-monitor\n");
                return EXIT_USAGE;
        }
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        signal(SIGPIPE, SIG_IGN);
        if (connect_tls(&o, &ssl, &err) < 0) {
                say(TLS_FAILED, err.msg);
                return EXIT_FAILED;
        }
        say(TLS_READY, "");
        relay(ssl);
        return 0;
}
