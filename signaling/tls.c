#include "signaling/tls.h"

#include "media/base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

/* What tells one state of the two files from another. */
struct stamp {
    struct timespec cert_time, key_time;
    ino_t cert_inode, key_inode;
    off_t cert_size, key_size;
};

struct tls_context {
    SSL_CTX *ctx;
    char *cert_file, *key_file; /* owned; of a server */
    struct stamp used, seen;    /* of the files: when they were read, at the last look */
};

static struct stamp read_stamp(const struct tls_context *t)
{
    struct stat cert = {0};
    struct stat key = {0};

    (void)stat(t->cert_file, &cert); /* not there: zeros, which is another state, too */
    (void)stat(t->key_file, &key);
    return (struct stamp){
        .cert_time = cert.st_mtim,
        .key_time = key.st_mtim,
        .cert_inode = cert.st_ino,
        .key_inode = key.st_ino,
        .cert_size = cert.st_size,
        .key_size = key.st_size,
    };
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same(const struct stamp *a, const struct stamp *b)
{
    return is_same_time(&a->cert_time, &b->cert_time) && is_same_time(&a->key_time, &b->key_time) &&
           a->cert_inode == b->cert_inode && a->key_inode == b->key_inode &&
           a->cert_size == b->cert_size && a->key_size == b->key_size;
}

/* What OpenSSL's `code` means, for people. */
static const char *reason_of(unsigned long code)
{
    const char *reason;

    if (ERR_SYSTEM_ERROR(code))
        reason = strerrordesc_np(ERR_GET_REASON(code));
    else
        reason = ERR_reason_error_string(code);
    return reason ? reason : "unknown error";
}

/* Say what failed, and OpenSSL's first reason. @return -EINVAL */
static int refuse(char error[TLS_ERROR_SIZE], const char *what, const char *file)
{
    (void)snprintf(error, TLS_ERROR_SIZE, "%s %s: %s", what, file, reason_of(ERR_peek_error()));
    ERR_clear_error();
    return -EINVAL;
}

/* OpenSSL's own would ask at the terminal. */
static int no_pass_phrase(char *buf, int size, int rwflag, void *arg)
{
    (void)rwflag;
    (void)arg;
    if (size > 0)
        buf[0] = '\0';
    return 0;
}

/* RFC 7301: of what a client offers we speak HTTP/1.1; who offers other things only learns so. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *in, unsigned len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = NULL;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in, len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* What both sides have in common. @return NULL: no memory */
static SSL_CTX *make_context(const SSL_METHOD *method)
{
    static const uint64_t options = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                    SSL_OP_IGNORE_UNEXPECTED_EOF;
    static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20"; /* of TLS 1.2 */
    SSL_CTX *ctx = SSL_CTX_new(method);

    if (!ctx)
        return NULL;
    (void)SSL_CTX_set_options(ctx, options);
    /* an idle connection keeps no buffers for records: 14 KiB in all, measured */
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets need none */
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_cipher_list(ctx, ciphers) == 1)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

static int use_files(SSL_CTX *ctx, const struct tls_context *t, char error[TLS_ERROR_SIZE])
{
    SSL_CTX_set_default_passwd_cb(ctx, no_pass_phrase);
    if (SSL_CTX_use_certificate_chain_file(ctx, t->cert_file) != 1)
        return refuse(error, "cannot use the certificate", t->cert_file);
    if (SSL_CTX_use_PrivateKey_file(ctx, t->key_file, SSL_FILETYPE_PEM) != 1)
        return refuse(error, "cannot use the key", t->key_file);
    if (SSL_CTX_check_private_key(ctx) != 1)
        return refuse(error, "the key does not belong to the certificate", t->cert_file);
    return 0;
}

int tls_server_reload(struct tls_context *t, char error[TLS_ERROR_SIZE])
{
    SSL_CTX *ctx = make_context(TLS_server_method());
    int err;

    (void)snprintf(error, TLS_ERROR_SIZE, "out of memory");
    if (!ctx)
        return -ENOMEM;
    t->used = t->seen = read_stamp(t); /* before reading: what changes meanwhile is seen later */
    (void)SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    ERR_clear_error();
    err = use_files(ctx, t, error);
    if (err < 0) {
        SSL_CTX_free(ctx);
        return err;
    }
    SSL_CTX_free(t->ctx);
    t->ctx = ctx;
    error[0] = '\0';
    return 0;
}

int tls_server_check(struct tls_context *t, char error[TLS_ERROR_SIZE])
{
    struct stamp now = read_stamp(t);
    bool settled = is_same(&now, &t->seen);
    int err;

    t->seen = now;
    error[0] = '\0';
    if (!settled || is_same(&now, &t->used))
        return 0;
    err = tls_server_reload(t, error);
    return err < 0 ? err : 1;
}

int tls_server_new(struct tls_context **ret, const char *cert_file, const char *key_file,
                   char error[TLS_ERROR_SIZE])
{
    struct tls_context *t = calloc(1, sizeof(*t));
    int err = -ENOMEM;

    (void)snprintf(error, TLS_ERROR_SIZE, "out of memory");
    if (!t)
        return -ENOMEM;
    t->cert_file = strdup(cert_file);
    t->key_file = strdup(key_file);
    if (!t->cert_file || !t->key_file)
        goto fail;
    err = tls_server_reload(t, error);
    if (err < 0)
        goto fail;
    *ret = t;
    return 0;
fail:
    tls_free(t);
    return err;
}

int64_t tls_server_expires_s(const struct tls_context *t)
{
    struct tm tm = {0};

    if (ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(t->ctx)), &tm) != 1)
        return INT64_MAX; /* it does not say */
    return timegm(&tm);
}

static void append_name(struct text *out, const GENERAL_NAME *name)
{
    char address[INET6_ADDRSTRLEN];
    const ASN1_STRING *value = name->type == GEN_DNS     ? name->d.dNSName
                               : name->type == GEN_IPADD ? name->d.iPAddress
                                                         : NULL;
    const unsigned char *bytes = value ? ASN1_STRING_get0_data(value) : NULL;
    int len = value ? ASN1_STRING_length(value) : 0;

    if (!value)
        return;
    if (out->len > 0)
        text_append(out, ", ");
    if (name->type == GEN_DNS)
        text_append_n(out, (const char *)bytes, (size_t)len);
    else if (len == 4 || len == 16)
        text_append(out, inet_ntop(len == 4 ? AF_INET : AF_INET6, bytes, address, sizeof(address)));
}

void tls_server_names(const struct tls_context *t, char *out, size_t capacity)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(SSL_CTX_get0_certificate(t->ctx), NID_subject_alt_name,
                                            NULL, NULL);
    struct text text;

    text_init(&text, capacity - 1);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        append_name(&text, sk_GENERAL_NAME_value(names, i));
    (void)snprintf(out, capacity, "%s", text_str(&text));
    text_done(&text);
    GENERAL_NAMES_free(names);
}

static int trust(SSL_CTX *ctx, const char *ca_file, char error[TLS_ERROR_SIZE])
{
    ERR_clear_error();
    if (!ca_file && SSL_CTX_set_default_verify_paths(ctx) != 1)
        return refuse(error, "cannot read whom to trust", "(the system's certificates)");
    if (ca_file && SSL_CTX_load_verify_file(ctx, ca_file) != 1)
        return refuse(error, "cannot use the certificates in", ca_file);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    return 0;
}

int tls_client_new(struct tls_context **ret, const char *ca_file, bool insecure,
                   char error[TLS_ERROR_SIZE])
{
    struct tls_context *t = calloc(1, sizeof(*t));
    int err = -ENOMEM;

    (void)snprintf(error, TLS_ERROR_SIZE, "out of memory");
    if (!t)
        return -ENOMEM;
    t->ctx = make_context(TLS_client_method());
    if (!t->ctx)
        goto fail;
    err = insecure ? 0 : trust(t->ctx, ca_file, error);
    if (err < 0)
        goto fail;
    error[0] = '\0';
    *ret = t;
    return 0;
fail:
    tls_free(t);
    return err;
}

static struct bufferevent *make_bufferevent(struct event_base *base, SSL *ssl, int fd,
                                            enum bufferevent_ssl_state state)
{
    struct bufferevent *bev = bufferevent_openssl_socket_new(base, fd, ssl, state,
                                                             BEV_OPT_CLOSE_ON_FREE);

    if (bev)
        bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    return bev;
}

struct bufferevent *tls_accept(struct tls_context *t, struct event_base *base, int fd)
{
    SSL *ssl = SSL_new(t->ctx);

    return ssl ? make_bufferevent(base, ssl, fd, BUFFEREVENT_SSL_ACCEPTING) : NULL;
}

/* Tell the server whom we want, and check that it is whom we get. */
static bool expect_host(SSL *ssl, const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1;
}

struct bufferevent *tls_connect(struct tls_context *t, struct event_base *base, const char *host)
{
    SSL *ssl = SSL_new(t->ctx);

    if (!ssl)
        return NULL;
    if (!expect_host(ssl, host)) {
        SSL_free(ssl);
        return NULL;
    }
    return make_bufferevent(base, ssl, -1, BUFFEREVENT_SSL_CONNECTING);
}

void tls_finish(struct bufferevent *b)
{
    (void)SSL_shutdown(bufferevent_openssl_get_ssl(b)); /* fails with a full socket: never mind */
    ERR_clear_error();
}

/* Before, and once it was reset, the socket itself knows what is wrong. */
static bool is_connected(int fd)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof(peer);

    return fd >= 0 && getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
}

/* libevent puts results of SSL_get_error() among them, too: small numbers, of no library. */
static unsigned long first_error(struct bufferevent *b)
{
    unsigned long code = bufferevent_get_openssl_error(b);

    while (code != 0 && (ERR_SYSTEM_ERROR(code) || ERR_GET_LIB(code) == 0))
        code = bufferevent_get_openssl_error(b);
    return code;
}

const char *tls_error(struct bufferevent *b, char out[TLS_ERROR_SIZE])
{
    SSL *ssl = bufferevent_openssl_get_ssl(b);
    unsigned long code = first_error(b);
    long verified = SSL_get_verify_result(ssl);

    out[0] = '\0';
    if (verified != X509_V_OK && SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE) {
        (void)snprintf(out, TLS_ERROR_SIZE, "its certificate is not accepted: %s",
                       X509_verify_cert_error_string(verified));
    } else if (code != 0) {
        (void)snprintf(out, TLS_ERROR_SIZE, "TLS failed: %s", reason_of(code));
    } else if (!SSL_is_init_finished(ssl) && is_connected(bufferevent_getfd(b))) {
        (void)snprintf(out, TLS_ERROR_SIZE, "it closed the connection during the TLS handshake");
    }
    return out;
}

struct tls_context *tls_free(struct tls_context *t)
{
    if (!t)
        return NULL;
    SSL_CTX_free(t->ctx);
    free(t->cert_file);
    free(t->key_file);
    free(t);
    return NULL;
}
