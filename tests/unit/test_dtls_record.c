#include "media/dtls_record.h"

#include "media/dtls.h"
#include "media/dtls_flight.h"
#include "media/dtls_identity.h"
#include "tests/tap.h"

#include <errno.h>

enum { WIRE_MAX = 128, DATAGRAM_MAX = 4096, DATA_MAX = 2048 };

/* Datagrams of ours. */
struct wire {
    uint8_t data[WIRE_MAX][DATAGRAM_MAX];
    size_t len[WIRE_MAX];
    size_t n;
};

/* A session of ours and a peer that is OpenSSL alone, before and after the handshake. */
struct fixture {
    bool gcm; /* is the suite's cipher */
    struct dtls_identity *identity;
    struct dtls *dtls;
    struct wire wire;
    uint8_t data[DATA_MAX]; /* application data that came to us */
    size_t data_len;
    struct dtls_sent sent; /* the last record under the keys */
    SSL_CTX *context;
    SSL *peer;
    BIO *to_peer, *from_peer; /* owned by `peer` */
};

static struct fixture f;

static const char *const suites[] = {
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
};

/* OpenSSL's records and ours are one sequence: no number and no nonce is used twice. */
static void check_sequence(const uint8_t *data, size_t len)
{
    struct reader datagram = reader_of(data, len);
    struct dtls_record record;

    while (dtls_record_read(&datagram, &record)) {
        struct reader fragment = reader_of(record.fragment, record.len);
        uint64_t nonce = reader_u64(&fragment);

        if (record.epoch != DTLS_EPOCH)
            continue;
        CHECK(!f.sent.any || record.seq > f.sent.seq);
        CHECK(!f.sent.any || !f.gcm || nonce - f.sent.nonce == record.seq - f.sent.seq);
        f.sent = (struct dtls_sent){true, record.seq, nonce};
    }
}

static void on_send(void *owner, const uint8_t *data, size_t len)
{
    (void)owner;
    check_sequence(data, len);
    CHECK(f.wire.n < WIRE_MAX && len <= DATAGRAM_MAX);
    memcpy(f.wire.data[f.wire.n], data, len);
    f.wire.len[f.wire.n++] = len;
}

static void on_data(void *owner, const uint8_t *data, size_t len)
{
    (void)owner;
    CHECK(f.data_len + len <= DATA_MAX);
    memcpy(f.data + f.data_len, data, len);
    f.data_len += len;
}

static int accept_any(X509_STORE_CTX *store, void *unused)
{
    (void)store;
    (void)unused;
    return 1;
}

static void make_peer(const char *suite, bool client)
{
    const SSL_CTX *ours = dtls_identity_context(f.identity);

    f.context = SSL_CTX_new(DTLS_method());
    CHECK(f.context != NULL);
    SSL_CTX_set_verify(f.context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(f.context, accept_any, NULL);
    SSL_CTX_set_options(f.context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET);
    CHECK(SSL_CTX_use_certificate(f.context, SSL_CTX_get0_certificate(ours)));
    CHECK(SSL_CTX_use_PrivateKey(f.context, SSL_CTX_get0_privatekey(ours)));
    CHECK(SSL_CTX_set_cipher_list(f.context, suite));
    CHECK_EQ(SSL_CTX_set_tlsext_use_srtp(f.context, "SRTP_AEAD_AES_128_GCM"), 0);
    f.peer = SSL_new(f.context);
    f.to_peer = BIO_new(BIO_s_mem());
    f.from_peer = BIO_new(BIO_s_mem());
    CHECK(f.peer && f.to_peer && f.from_peer);
    (void)BIO_set_mem_eof_return(f.to_peer, -1);
    SSL_set_bio(f.peer, f.to_peer, f.from_peer);
    SSL_set_mtu(f.peer, DTLS_MTU);
    if (client)
        SSL_set_connect_state(f.peer);
    else
        SSL_set_accept_state(f.peer);
}

static void begin(const char *suite, bool peer_is_client)
{
    static const struct dtls_handler handler = {.send = on_send, .on_data = on_data};

    f = (struct fixture){.gcm = strstr(suite, "GCM") != NULL};
    CHECK_EQ(dtls_identity_new(&f.identity), 0);
    CHECK_EQ(dtls_new(&f.dtls, f.identity, dtls_identity_fingerprint(f.identity), !peer_is_client,
                      &handler, NULL),
             0);
    make_peer(suite, peer_is_client);
}

static void end(void)
{
    dtls_free(f.dtls);
    SSL_free(f.peer);
    SSL_CTX_free(f.context);
    dtls_identity_free(f.identity);
}

/* What the peer has written, all in one datagram. @return its bytes */
static size_t take_from_peer(uint8_t out[DATAGRAM_MAX])
{
    int len = BIO_read(f.from_peer, out, DATAGRAM_MAX);

    return len > 0 ? (size_t)len : 0;
}

static void deliver_to_us(void)
{
    uint8_t datagram[DATAGRAM_MAX];
    size_t len = take_from_peer(datagram);

    if (len > 0)
        (void)!dtls_receive(f.dtls, datagram, len, 0);
}

static void deliver_to_peer(void)
{
    for (size_t i = 0; i < f.wire.n; i++)
        CHECK_EQ(BIO_write(f.to_peer, f.wire.data[i], (int)f.wire.len[i]), (int)f.wire.len[i]);
    f.wire.n = 0;
}

static void connect_both(void)
{
    for (int i = 0; i < 4; i++) {
        (void)!dtls_advance(f.dtls, 0);
        deliver_to_peer();
        (void)SSL_do_handshake(f.peer);
        deliver_to_us();
    }
    deliver_to_peer();
    CHECK_EQ(SSL_do_handshake(f.peer), 1);
    CHECK_EQ(dtls_state(f.dtls), DTLS_CONNECTED);
}

static void begin_connected(const char *suite, bool peer_is_client)
{
    begin(suite, peer_is_client);
    connect_both();
    CHECK_STR(SSL_get_cipher(f.peer), suite);
}

static void peer_says(const char *text)
{
    CHECK_EQ(SSL_write(f.peer, text, (int)strlen(text)), (int)strlen(text));
}

static void check_peer_hears(const char *text)
{
    char heard[64] = "";

    deliver_to_peer();
    CHECK_EQ(SSL_read(f.peer, heard, sizeof(heard) - 1), (int)strlen(text));
    CHECK_STR(heard, text);
}

static void data_goes_both_ways_with_every_cipher_in_both_roles(void)
{
    for (size_t i = 0; i < 2 * ARRAY_LEN(suites); i++) {
        begin_connected(suites[i / 2], i % 2);
        for (int k = 0; k < 3; k++) {
            CHECK_EQ(dtls_send(f.dtls, (const uint8_t *)"hello", 5), 0);
            check_peer_hears("hello");
            peer_says("good day");
            deliver_to_us();
            CHECK_EQ(f.data_len, 8);
            CHECK_MEM(f.data, "good day", 8);
            f.data_len = 0;
        }
        end();
    }
}

static void keys_do_without_the_extended_master_secret(void)
{
    begin(suites[0], true);
    (void)SSL_set_options(f.peer, SSL_OP_NO_EXTENDED_MASTER_SECRET);
    connect_both();
    CHECK_EQ(SSL_get_extms_support(f.peer), 0);
    CHECK_EQ(dtls_send(f.dtls, (const uint8_t *)"hello", 5), 0);
    check_peer_hears("hello");
    end();
}

static void our_good_bye_is_understood(void)
{
    char byte;

    for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
        begin_connected(suites[i], i % 2);
        dtls_close(f.dtls);
        deliver_to_peer();
        CHECK_EQ(SSL_read(f.peer, &byte, 1), 0);
        CHECK_EQ(SSL_get_error(f.peer, 0), SSL_ERROR_ZERO_RETURN);
        end();
    }
}

static void the_peers_good_bye_is_answered(void)
{
    for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
        begin_connected(suites[i], i % 2);
        CHECK_EQ(SSL_shutdown(f.peer), 0);
        deliver_to_us();
        CHECK_EQ(dtls_state(f.dtls), DTLS_CLOSED);
        CHECK_STR(dtls_error(f.dtls), "");
        deliver_to_peer();
        CHECK_EQ(SSL_shutdown(f.peer), 1);
        end();
    }
}

/* The peer, a server, has done its part; what it sends last has not come yet. */
static void connect_peer(void)
{
    (void)!dtls_advance(f.dtls, 0);
    deliver_to_peer();
    (void)SSL_do_handshake(f.peer);
    deliver_to_us();
    deliver_to_peer();
    CHECK_EQ(SSL_do_handshake(f.peer), 1);
    CHECK_EQ(dtls_state(f.dtls), DTLS_HANDSHAKE);
}

/* A record with data and the good-bye, both in the datagram that ends the handshake. */
static void what_comes_with_the_end_of_the_handshake_is_read(void)
{
    begin(suites[0], false);
    connect_peer();
    peer_says("early");
    CHECK_EQ(SSL_shutdown(f.peer), 0);
    deliver_to_us();
    CHECK_EQ(dtls_state(f.dtls), DTLS_CLOSED);
    CHECK_EQ(f.data_len, 5);
    CHECK_MEM(f.data, "early", 5);
    deliver_to_peer();
    CHECK_EQ(SSL_shutdown(f.peer), 1);
    end();
}

static void openssl_sends_nothing_once_the_handshake_is_over(void)
{
    begin(suites[0], false);
    connect_peer();
    CHECK_EQ(SSL_renegotiate(f.peer), 1);
    (void)SSL_do_handshake(f.peer);
    deliver_to_us(); /* the request for a new handshake, right behind the end of the first */
    CHECK_EQ(dtls_state(f.dtls), DTLS_CONNECTED);
    CHECK_EQ(f.wire.n, 0);
    CHECK_EQ(dtls_send(f.dtls, (const uint8_t *)"x", 1), 0);
    CHECK_EQ(f.sent.seq, 1 + DTLS_FLIGHT_COPIES);
    end();
}

static void a_renegotiation_is_refused(void)
{
    begin_connected(suites[0], true);
    CHECK_EQ(SSL_renegotiate(f.peer), 1);
    (void)SSL_do_handshake(f.peer);
    deliver_to_us();
    CHECK_EQ(dtls_state(f.dtls), DTLS_CONNECTED);
    CHECK_EQ(f.wire.n, 1);
    deliver_to_peer();
    CHECK(SSL_do_handshake(f.peer) <= 0);
    CHECK_EQ(dtls_send(f.dtls, (const uint8_t *)"x", 1), 0);
    end();
}

static void a_fatal_alert_ends_the_session(void)
{
    begin_connected(suites[0], true);
    CHECK_EQ(SSL_renegotiate(f.peer), 1);
    (void)SSL_do_handshake(f.peer);
    deliver_to_us();
    deliver_to_peer();
    (void)SSL_do_handshake(f.peer); /* does not like to be refused */
    deliver_to_us();
    CHECK_EQ(dtls_state(f.dtls), DTLS_FAILED);
    CHECK_STR(dtls_error(f.dtls), "the peer sent a fatal alert");
    end();
}

static void a_changed_record_is_dropped_whatever_was_changed(void)
{
    uint8_t datagram[DATAGRAM_MAX];
    size_t len;

    for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
        begin_connected(suites[i], true);
        CHECK_EQ(SSL_shutdown(f.peer), 0);
        len = take_from_peer(datagram);
        for (size_t at = 0; at < len; at++) {
            if (at == 1 || at == 2) /* the version, which is not looked at */
                continue;
            datagram[at] ^= 1;
            (void)!dtls_receive(f.dtls, datagram, len, 0);
            CHECK_EQ(dtls_state(f.dtls), DTLS_CONNECTED);
            datagram[at] ^= 1;
        }
        CHECK_EQ(f.wire.n, 0);
        CHECK_EQ(dtls_receive(f.dtls, datagram, len, 0), -ECONNABORTED);
        CHECK_EQ(dtls_state(f.dtls), DTLS_CLOSED);
        end();
    }
}

static void receive_nth(const uint8_t *datagram, size_t record_len, size_t n)
{
    CHECK_EQ(dtls_receive(f.dtls, datagram + n * record_len, record_len, 0), 0);
}

static void every_record_is_taken_once_and_none_that_is_too_old(void)
{
    enum { RECORDS = 100 };
    uint8_t datagrams[DATAGRAM_MAX];
    size_t len;

    begin_connected(suites[0], true);
    for (int i = 0; i < RECORDS; i++)
        peer_says("x");
    len = take_from_peer(datagrams) / RECORDS;
    receive_nth(datagrams, len, 99);
    receive_nth(datagrams, len, 36);
    CHECK_EQ(f.data_len, 2);
    receive_nth(datagrams, len, 99);
    receive_nth(datagrams, len, 36);
    receive_nth(datagrams, len, 35); /* 64 before the newest */
    receive_nth(datagrams, len, 0);
    CHECK_EQ(f.data_len, 2);
    for (size_t i = 37; i < 99; i++)
        receive_nth(datagrams, len, i);
    CHECK_EQ(f.data_len, 64);
    end();
}

static void numbers_and_nonces_go_on_where_openssl_stopped(void)
{
    uint64_t first;

    for (size_t i = 0; i < 2 * ARRAY_LEN(suites); i++) {
        begin_connected(suites[i / 2], i % 2);
        CHECK_EQ(f.sent.seq, 0); /* Finished */
        CHECK_EQ(dtls_send(f.dtls, (const uint8_t *)"x", 1), 0);
        first = f.sent.seq;
        CHECK_EQ(first, i % 2 ? 1 : 1 + DTLS_FLIGHT_COPIES); /* a client's may be repeated */
        CHECK_EQ(dtls_send(f.dtls, (const uint8_t *)"x", 1), 0);
        dtls_close(f.dtls);
        CHECK_EQ(f.sent.seq, first + 2);
        end();
    }
}

TAP_CASES(CASE(data_goes_both_ways_with_every_cipher_in_both_roles),
          CASE(keys_do_without_the_extended_master_secret), CASE(our_good_bye_is_understood),
          CASE(the_peers_good_bye_is_answered),
          CASE(what_comes_with_the_end_of_the_handshake_is_read),
          CASE(openssl_sends_nothing_once_the_handshake_is_over), CASE(a_renegotiation_is_refused),
          CASE(a_fatal_alert_ends_the_session),
          CASE(a_changed_record_is_dropped_whatever_was_changed),
          CASE(every_record_is_taken_once_and_none_that_is_too_old),
          CASE(numbers_and_nonces_go_on_where_openssl_stopped))
