#include "signaling/tls.h"

#include "media/base/clock.h"
#include "tests/certificate.h"
#include "tests/tap.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000 };

/* What one end saw. */
struct end {
    struct bufferevent *bev;
    int connected, ended;
    char error[TLS_ERROR_SIZE];
};

static struct certificate files;
static struct event_base *base;
static struct tls_context *server, *client;
static struct end near_end, far_end; /* the server's, the client's */
static char error[TLS_ERROR_SIZE];

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct end *end = arg;

    if (what & BEV_EVENT_CONNECTED) {
        end->connected++;
        return;
    }
    end->ended++;
    (void)tls_error(bev, end->error);
}

static void set_up(const char *names, long valid_s)
{
    (void)signal(SIGPIPE, SIG_IGN);
    certificate_init(&files, names, valid_s);
    base = event_base_new();
    CHECK(base);
    near_end = far_end = (struct end){0};
    CHECK_EQ(tls_server_new(&server, files.cert_file, files.key_file, error), 0);
    CHECK_EQ(tls_client_new(&client, files.ca_file, false, error), 0);
}

static void close_ends(void)
{
    if (near_end.bev)
        bufferevent_free(near_end.bev);
    if (far_end.bev)
        bufferevent_free(far_end.bev);
    near_end = far_end = (struct end){0};
}

static void tear_down(void)
{
    close_ends();
    server = tls_free(server);
    client = tls_free(client);
    event_base_free(base);
    certificate_done(&files);
}

static void watch(struct end *end, struct bufferevent *bev)
{
    CHECK(bev);
    end->bev = bev;
    bufferevent_setcb(bev, NULL, NULL, on_event, end);
    CHECK_EQ(bufferevent_enable(bev, EV_READ | EV_WRITE), 0);
}

static void turn(void)
{
    struct timeval limit = {.tv_usec = 10 * 1000};

    (void)event_base_loopexit(base, &limit);
    (void)event_base_loop(base, EVLOOP_ONCE);
}

/* Make both ends and run the handshake to its end. */
static void shake_hands(const char *host)
{
    int fds[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    watch(&near_end, tls_accept(server, base, fds[0]));
    watch(&far_end, tls_connect(client, base, host));
    CHECK_EQ(bufferevent_setfd(far_end.bev, fds[1]), 0);
    for (int i = 0; i < PATIENCE_MS / 10; i++) {
        if (far_end.ended || near_end.ended || (far_end.connected && near_end.connected))
            return;
        turn();
    }
}

static void check_text_arrives(struct end *from, struct end *to)
{
    char text[6] = "";

    CHECK_EQ(bufferevent_write(from->bev, "hello", 5), 0);
    for (int i = 0; i < PATIENCE_MS / 10; i++) {
        if (evbuffer_get_length(bufferevent_get_input(to->bev)) == 5)
            break;
        turn();
    }
    CHECK_EQ(bufferevent_read(to->bev, text, 5), 5);
    CHECK_STR(text, "hello");
}

static const char *version(void)
{
    return SSL_get_version(bufferevent_openssl_get_ssl(far_end.bev));
}

static void both_ends_talk(void)
{
    set_up("DNS:sluice.test", 3600);
    shake_hands("sluice.test");
    CHECK_EQ(far_end.connected, 1);
    CHECK_EQ(near_end.connected, 1);
    CHECK_STR(version(), "TLSv1.3");
    check_text_arrives(&far_end, &near_end);
    check_text_arrives(&near_end, &far_end);
    tear_down();
}

static void an_end_without_close_notify_is_an_end(void)
{
    set_up("DNS:sluice.test", 3600);
    shake_hands("sluice.test");
    CHECK_EQ(near_end.connected, 1);
    (void)shutdown(bufferevent_getfd(far_end.bev), SHUT_RDWR);
    for (int i = 0; i < PATIENCE_MS / 10 && !near_end.ended; i++)
        turn();
    CHECK_EQ(near_end.ended, 1);
    CHECK_STR(near_end.error, "");
    tear_down();
}

static void addresses_are_checked_as_names_are(void)
{
    set_up("IP:127.0.0.1,IP:::1", 3600);
    shake_hands("127.0.0.1");
    CHECK_EQ(far_end.connected, 1);
    close_ends();
    shake_hands("::1");
    CHECK_EQ(far_end.connected, 1);
    close_ends();
    shake_hands("127.0.0.2");
    CHECK_EQ(far_end.connected, 0);
    CHECK_STR(far_end.error, "its certificate is not accepted: IP address mismatch");
    tear_down();
}

static void another_host_is_refused(void)
{
    set_up("DNS:sluice.test", 3600);
    shake_hands("other.test");
    CHECK_EQ(far_end.connected, 0);
    CHECK_EQ(far_end.ended, 1);
    CHECK_STR(far_end.error, "its certificate is not accepted: hostname mismatch");
    tear_down();
}

static void an_authority_that_is_not_known_is_refused(void)
{
    set_up("DNS:sluice.test", 3600);
    client = tls_free(client);
    CHECK_EQ(tls_client_new(&client, NULL, false, error), 0);
    shake_hands("sluice.test");
    CHECK_EQ(far_end.connected, 0);
    CHECK_STR(far_end.error,
              "its certificate is not accepted: unable to get local issuer certificate");
    for (int i = 0; i < PATIENCE_MS / 10 && !near_end.ended; i++)
        turn();
    CHECK_STR(near_end.error, "TLS failed: tlsv1 alert unknown ca");
    tear_down();
}

static void a_certificate_that_has_expired_is_refused(void)
{
    set_up("DNS:sluice.test", -10);
    shake_hands("sluice.test");
    CHECK_EQ(far_end.connected, 0);
    CHECK_STR(far_end.error, "its certificate is not accepted: certificate has expired");
    tear_down();
}

static void who_wants_it_trusts_everybody(void)
{
    set_up("DNS:sluice.test", -10);
    client = tls_free(client);
    CHECK_EQ(tls_client_new(&client, NULL, true, error), 0);
    shake_hands("other.test");
    CHECK_EQ(far_end.connected, 1);
    check_text_arrives(&far_end, &near_end);
    tear_down();
}

static void tls_1_1_is_refused(void)
{
    set_up("DNS:sluice.test", 3600);

    int fds[2];
    SSL_CTX *old = SSL_CTX_new(TLS_client_method());

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    SSL_CTX_set_security_level(old, 0);
    (void)SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION);
    watch(&near_end, tls_accept(server, base, fds[0]));
    watch(&far_end,
          bufferevent_openssl_socket_new(base, fds[1], SSL_new(old), BUFFEREVENT_SSL_CONNECTING,
                                         BEV_OPT_CLOSE_ON_FREE));
    for (int i = 0; i < PATIENCE_MS / 10 && !near_end.ended; i++)
        turn();
    CHECK_STR(near_end.error, "TLS failed: unsupported protocol");
    SSL_CTX_free(old);
    tear_down();
}

static void tls_1_2_has_forward_secrecy(void)
{
    set_up("DNS:sluice.test", 3600);

    int fds[2];
    struct bufferevent *bev = tls_connect(client, base, "sluice.test");

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    (void)SSL_set_max_proto_version(bufferevent_openssl_get_ssl(bev), TLS1_2_VERSION);
    watch(&near_end, tls_accept(server, base, fds[0]));
    watch(&far_end, bev);
    CHECK_EQ(bufferevent_setfd(bev, fds[1]), 0);
    for (int i = 0; i < PATIENCE_MS / 10 && !far_end.connected; i++)
        turn();
    CHECK_EQ(far_end.connected, 1);
    CHECK_STR(version(), "TLSv1.2");
    CHECK(strncmp(SSL_get_cipher(bufferevent_openssl_get_ssl(bev)), "ECDHE-ECDSA-", 12) == 0);
    tear_down();
}

static void protocols_are_chosen(void)
{
    static const unsigned char both[] = "\x02h2\x08http/1.1";
    static const unsigned char h2[] = "\x02h2";
    const unsigned char *chosen = NULL;
    unsigned len = 0;
    int fds[2];

    set_up("DNS:sluice.test", 3600);
    for (int i = 0; i < 2; i++) {
        struct bufferevent *bev = tls_connect(client, base, "sluice.test");
        SSL *ssl = bufferevent_openssl_get_ssl(bev);

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
        CHECK_EQ(SSL_set_alpn_protos(ssl, i ? h2 : both, i ? sizeof(h2) - 1 : sizeof(both) - 1), 0);
        watch(&near_end, tls_accept(server, base, fds[0]));
        watch(&far_end, bev);
        CHECK_EQ(bufferevent_setfd(bev, fds[1]), 0);
        for (int j = 0; j < PATIENCE_MS / 10 && !far_end.connected && !far_end.ended; j++)
            turn();
        SSL_get0_alpn_selected(ssl, &chosen, &len);
        CHECK_EQ(far_end.connected, i == 0);
        CHECK_EQ(len, i == 0 ? 8 : 0);
        CHECK(i == 1 || memcmp(chosen, "http/1.1", 8) == 0);
        if (i == 1)
            CHECK_STR(far_end.error, "TLS failed: tlsv1 alert no application protocol");
        close_ends();
    }
    tear_down();
}

/* @return serial number of the certificate that the server shows */
static long shown_serial(void)
{
    X509 *cert;
    long serial;

    shake_hands("sluice.test");
    CHECK_EQ(far_end.connected, 1);
    cert = SSL_get1_peer_certificate(bufferevent_openssl_get_ssl(far_end.bev));
    serial = ASN1_INTEGER_get(X509_get0_serialNumber(cert));
    X509_free(cert);
    return serial;
}

static void a_new_certificate_is_taken_once_it_is_settled(void)
{
    set_up("DNS:sluice.test", 3600);
    CHECK_EQ(tls_server_check(server, error), 0);

    long first = shown_serial();

    certificate_renew(&files, "DNS:sluice.test", 7200);
    CHECK_EQ(tls_server_check(server, error), 0); /* may be half of it */
    CHECK_EQ(tls_server_check(server, error), 1);
    CHECK_EQ(tls_server_check(server, error), 0);
    check_text_arrives(&far_end, &near_end); /* who was there stays */
    close_ends();
    CHECK(shown_serial() > first);
    tear_down();
}

static void a_bad_new_certificate_leaves_the_old_one(void)
{
    set_up("DNS:sluice.test", 3600);

    long first = shown_serial();
    FILE *file = fopen(files.key_file, "w");

    CHECK(file);
    CHECK_EQ(fclose(file), 0);
    close_ends();
    CHECK_EQ(tls_server_check(server, error), 0);
    CHECK_EQ(tls_server_check(server, error), -EINVAL);
    CHECK(strstr(error, "cannot use the key") == error);
    CHECK_EQ(tls_server_check(server, error), 0); /* says it once */
    CHECK_EQ(shown_serial(), first);
    CHECK_EQ(unlink(files.cert_file), 0);
    CHECK_EQ(tls_server_reload(server, error), -EINVAL);
    CHECK(strstr(error, "No such file or directory"));
    tear_down();
}

static void keys_of_others_are_refused(void)
{
    struct tls_context *t = NULL;
    char other[CERTIFICATE_MAX_PATH + 8];

    set_up("DNS:sluice.test", 3600);
    (void)snprintf(other, sizeof(other), "%s.other", files.key_file);
    CHECK_EQ(rename(files.key_file, other), 0);
    certificate_renew(&files, "DNS:sluice.test", 3600);
    CHECK_EQ(tls_server_new(&t, files.cert_file, other, error), -EINVAL);
    CHECK(strstr(error, "mismatch"));
    CHECK_EQ(unlink(other), 0);
    CHECK_EQ(tls_server_new(&t, files.cert_file, files.cert_file, error), -EINVAL);
    CHECK_EQ(tls_client_new(&t, "/nowhere/ca.pem", false, error), -EINVAL);
    CHECK(strstr(error, "/nowhere/ca.pem: No such file or directory"));
    tear_down();
}

static void it_is_known_until_when_the_certificate_is_valid(void)
{
    set_up("DNS:sluice.test", 3600);

    int64_t left_s = tls_server_expires_s(server) - clock_wall_us() / 1000000;

    CHECK(left_s > 3500 && left_s <= 3600);
    tear_down();
}

TAP_CASES(CASE(both_ends_talk), CASE(an_end_without_close_notify_is_an_end),
          CASE(addresses_are_checked_as_names_are), CASE(another_host_is_refused),
          CASE(an_authority_that_is_not_known_is_refused),
          CASE(a_certificate_that_has_expired_is_refused), CASE(who_wants_it_trusts_everybody),
          CASE(tls_1_1_is_refused), CASE(tls_1_2_has_forward_secrecy), CASE(protocols_are_chosen),
          CASE(a_new_certificate_is_taken_once_it_is_settled),
          CASE(a_bad_new_certificate_leaves_the_old_one), CASE(keys_of_others_are_refused),
          CASE(it_is_known_until_when_the_certificate_is_valid))
