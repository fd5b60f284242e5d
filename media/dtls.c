#include "media/dtls.h"

#include "media/base/clock.h"
#include "media/base/reader.h"
#include "media/dtls_flight.h"
#include "media/dtls_identity.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

enum {
    TIMER_EXPIRED_US = 1,        /* OpenSSL takes what is less than 15 ms away as expired */
    TIMER_NEVER_US = 2000000000, /* 2,000 s of the real clock */
    RECORD_HEADER_LEN = 13,
    RECORD_TYPE_MIN = 20,
    RECORD_TYPE_MAX = 25,
    RECORD_VERSION_MAJOR = 0xfe,
    PLAINTEXT_MAX = 16384, /* RFC 6347 section 4.1 */
};

/* Records on their way out, together as far as a datagram reaches. OpenSSL writes repeated messages
 * one by one, and each datagram is one more that can be lost. */
struct outgoing {
    size_t len;
    uint8_t data[DTLS_MTU];
};

struct dtls {
    SSL *ssl;
    struct dtls_handler handler;
    void *owner;
    struct dtls_fingerprint fingerprint; /* of the peer */
    enum dtls_state state;
    bool started;
    int64_t now_us, give_up_us;
    struct dtls_flight *flight; /* NULL once trimmed */
    struct outgoing *outgoing;  /* NULL but in run() */
    const uint8_t *input;       /* the datagram being fed; NULL once read */
    size_t input_len;
    const char *error; /* what to say instead of OpenSSL's reason; NULL: nothing */
    char error_text[128];
};

static const char *const state_names[] = {
    [DTLS_HANDSHAKE] = "handshake",
    [DTLS_CONNECTED] = "connected",
    [DTLS_CLOSED] = "closed",
    [DTLS_FAILED] = "failed",
};

const char *dtls_state_name(enum dtls_state state)
{
    return state_names[state];
}

static void set_state(struct dtls *d, enum dtls_state state)
{
    assert(d->state == DTLS_HANDSHAKE || (d->state == DTLS_CONNECTED && state > DTLS_CONNECTED));
    d->state = state;
}

/* The lower end of OpenSSL's stack: a read takes the datagram being fed. */

static void send_outgoing(struct dtls *d)
{
    if (d->outgoing->len > 0)
        d->handler.send(d->owner, d->outgoing->data, d->outgoing->len);
    d->outgoing->len = 0;
}

static void write_records(struct dtls *d, const uint8_t *data, size_t len)
{
    struct outgoing *outgoing = d->outgoing;

    if (outgoing && outgoing->len + len > DTLS_MTU)
        send_outgoing(d);
    if (!outgoing || len > DTLS_MTU) { /* data of a record that is all the MTU */
        d->handler.send(d->owner, data, len);
        return;
    }
    memcpy(outgoing->data + outgoing->len, data, len);
    outgoing->len += len;
}

static int bio_write(BIO *bio, const char *data, int len)
{
    struct dtls *d = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (d->flight && dtls_flight_copying(d->flight))
        dtls_flight_add(d->flight, (const uint8_t *)data, (size_t)len);
    else
        write_records(d, (const uint8_t *)data, (size_t)len);
    return len;
}

static int bio_read(BIO *bio, char *data, int capacity)
{
    struct dtls *d = BIO_get_data(bio);
    size_t len = d->input_len;

    BIO_clear_retry_flags(bio);
    if (d->flight)
        dtls_flight_end_copy(d->flight);
    if (!d->input) {
        BIO_set_retry_read(bio);
        return -1;
    }
    if (len > (size_t)capacity)
        len = (size_t)capacity;
    memcpy(data, d->input, len);
    d->input = NULL;
    return (int)len;
}

/* Anything but 0 for what it does not know makes OpenSSL believe in features: 1 for the "kernel
 * TLS" controls sends records in clear. */
static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

/* Called with 0 before a flight is first written, and with our last answer each time OpenSSL is
 * about to repeat it because its timer ran out. A repeat ends when OpenSSL reads. */
static unsigned int flight_timer(SSL *ssl, unsigned int last_us)
{
    struct dtls *d = SSL_get_app_data(ssl);

    if (!d->flight)
        return TIMER_NEVER_US;
    if (last_us == 0)
        dtls_flight_begin(d->flight, d->now_us);
    else if (!dtls_flight_next_copy(d->flight))
        return TIMER_NEVER_US; /* this copy is still written */
    return TIMER_EXPIRED_US;
}

/* Replaces the check of a chain, of which there is none: RFC 8122 section 5. */
int dtls_verify_certificate(X509_STORE_CTX *store, void *unused)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct dtls *d = SSL_get_app_data(ssl);
    const X509 *certificate = X509_STORE_CTX_get0_cert(store);
    struct dtls_fingerprint seen;

    (void)unused;
    if (certificate && dtls_identity_digest(&seen, certificate, d->fingerprint.hash) == 0 &&
        seen.len == d->fingerprint.len && memcmp(seen.bytes, d->fingerprint.bytes, seen.len) == 0) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    d->error = "peer's certificate does not match its fingerprint";
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

BIO_METHOD *dtls_method_new(void)
{
    /* No BIO_get_new_index(): there are only some 120 of them in a process. */
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "datagrams of a session");

    if (!method)
        return NULL;
    (void)BIO_meth_set_write(method, bio_write);
    (void)BIO_meth_set_read(method, bio_read);
    (void)BIO_meth_set_ctrl(method, bio_control);
    return method;
}

static int make_ssl(struct dtls *d, const struct dtls_identity *identity, bool client)
{
    BIO *bio;

    d->ssl = SSL_new(dtls_identity_context(identity));
    bio = BIO_new(dtls_identity_method(identity));
    if (!d->ssl || !bio) {
        BIO_free(bio);
        return -ENOMEM;
    }
    BIO_set_data(bio, d);
    BIO_set_init(bio, 1);
    SSL_set_bio(d->ssl, bio, bio);
    SSL_set_app_data(d->ssl, d);
    SSL_set_mtu(d->ssl, DTLS_MTU);
    DTLS_set_timer_cb(d->ssl, flight_timer);
    if (client)
        SSL_set_connect_state(d->ssl);
    else
        SSL_set_accept_state(d->ssl);
    return 0;
}

int dtls_new(struct dtls **ret, const struct dtls_identity *identity,
             const struct dtls_fingerprint *fingerprint, bool client,
             const struct dtls_handler *handler, void *owner)
{
    static const size_t digest_lens[] = {
        [FINGERPRINT_SHA256] = 32,
        [FINGERPRINT_SHA384] = 48,
        [FINGERPRINT_SHA512] = 64,
    };
    struct dtls *d;
    int err;

    if (fingerprint->len != digest_lens[fingerprint->hash])
        return -EINVAL;
    d = calloc(1, sizeof(*d));
    if (!d)
        return -ENOMEM;
    d->handler = *handler;
    d->owner = owner;
    d->fingerprint = *fingerprint;
    d->flight = dtls_flight_new();
    err = d->flight ? make_ssl(d, identity, client) : -ENOMEM;
    if (err < 0) {
        dtls_free(d);
        return err;
    }
    *ret = d;
    return 0;
}

struct dtls *dtls_free(struct dtls *d)
{
    if (!d)
        return NULL;
    d->flight = dtls_flight_free(d->flight);
    SSL_free(d->ssl);
    free(d);
    return NULL;
}

int dtls_offer_only(struct dtls *d, enum srtp_profile profile)
{
    static const char *const names[] = {
        [SRTP_AEAD_AES_128_GCM] = "SRTP_AEAD_AES_128_GCM",
        [SRTP_AEAD_AES_256_GCM] = "SRTP_AEAD_AES_256_GCM",
        [SRTP_AES_CM_128_HMAC_SHA1_80] = "SRTP_AES128_CM_SHA1_80",
    };

    if (profile == SRTP_NONE || SSL_set_tlsext_use_srtp(d->ssl, names[profile]) != 0)
        return -EINVAL;
    return 0;
}

static void fail(struct dtls *d, const char *why)
{
    if (d->error)
        why = d->error;
    (void)snprintf(d->error_text, sizeof(d->error_text), "%s", why ? why : "handshake failed");
    d->flight = dtls_flight_free(d->flight);
    set_state(d, DTLS_FAILED);
}

static void peer_closed(struct dtls *d)
{
    set_state(d, DTLS_CLOSED);
    (void)SSL_shutdown(d->ssl); /* our close_notify in answer */
}

/* What OpenSSL says when it neither finished nor gave data. */
static void judge(struct dtls *d, int result)
{
    switch (SSL_get_error(d->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        break;
    case SSL_ERROR_ZERO_RETURN:
        peer_closed(d);
        break;
    default:
        fail(d, ERR_reason_error_string(ERR_peek_error()));
        break;
    }
}

static void read_data(struct dtls *d)
{
    uint8_t data[PLAINTEXT_MAX];
    int len;

    while (d->state == DTLS_CONNECTED) {
        len = SSL_read(d->ssl, data, sizeof(data));
        if (len <= 0) {
            judge(d, len);
            return;
        }
        if (d->handler.on_data)
            d->handler.on_data(d->owner, data, (size_t)len);
    }
}

/* OpenSSL works between these two. Its record buffers are 18 KiB per session, and with DTLS it does
 * not release them by itself (SSL_MODE_RELEASE_BUFFERS): idle sessions have none. */

static bool enter(struct dtls *d)
{
    ERR_clear_error(); /* of other sessions of this thread */
    return SSL_alloc_buffers(d->ssl);
}

static void leave(struct dtls *d)
{
    if (d->state != DTLS_HANDSHAKE)
        (void)SSL_free_buffers(d->ssl); /* refuses while a record is half read */
    ERR_clear_error();
}

/* Let OpenSSL go as far as it can with what it has. */
static void run(struct dtls *d)
{
    struct outgoing outgoing = {.len = 0};

    if (!enter(d))
        return; /* no memory: as if the datagram were lost */
    d->outgoing = &outgoing;
    if (d->state == DTLS_HANDSHAKE) {
        int result = SSL_do_handshake(d->ssl);

        if (result == 1) {
            set_state(d, DTLS_CONNECTED);
        } else {
            judge(d, result);
        }
    }
    read_data(d);
    send_outgoing(d);
    d->outgoing = NULL;
    d->input = NULL;
    leave(d);
}

static void start(struct dtls *d, int64_t now_us)
{
    if (d->started)
        return;
    d->started = true;
    d->give_up_us = now_us + DTLS_HANDSHAKE_TIMEOUT_S * SECOND;
    if (!SSL_is_server(d->ssl))
        run(d);
}

/* OpenSSL drops what it cannot read without a word; our callers count it. */
static bool is_record(const uint8_t *data, size_t len)
{
    struct reader r = reader_of(data, len);
    uint8_t type = reader_u8(&r);
    uint8_t version = reader_u8(&r);

    reader_skip(&r, RECORD_HEADER_LEN - 4);
    reader_skip(&r, reader_u16(&r));
    return reader_ok(&r) && type >= RECORD_TYPE_MIN && type <= RECORD_TYPE_MAX &&
           version == RECORD_VERSION_MAJOR;
}

int dtls_receive(struct dtls *d, const uint8_t *data, size_t len, int64_t now_us)
{
    if (!is_record(data, len))
        return -EBADMSG;
    if (d->state > DTLS_CONNECTED)
        return -ECONNABORTED;
    d->now_us = now_us;
    start(d, now_us);
    d->input = data;
    d->input_len = len;
    run(d);
    return d->state > DTLS_CONNECTED ? -ECONNABORTED : 0;
}

int64_t dtls_advance(struct dtls *d, int64_t now_us)
{
    int64_t flight_us;

    d->now_us = now_us;
    if (d->state == DTLS_HANDSHAKE)
        start(d, now_us);
    if (d->state != DTLS_HANDSHAKE)
        return NEVER_US;
    if (now_us >= d->give_up_us) {
        fail(d, "no answer to the DTLS handshake");
        return NEVER_US;
    }
    dtls_flight_advance(d->flight, now_us, d->handler.send, d->owner);
    flight_us = dtls_flight_deadline(d->flight);
    return flight_us < d->give_up_us ? flight_us : d->give_up_us;
}

int dtls_send(struct dtls *d, const uint8_t *data, size_t len)
{
    int result;

    if (d->state != DTLS_CONNECTED)
        return -ENOTCONN;
    if (len == 0 || len > DTLS_MTU)
        return -EMSGSIZE;
    if (!enter(d))
        return -ENOMEM;
    result = SSL_write(d->ssl, data, (int)len);
    if (result <= 0)
        judge(d, result);
    leave(d);
    return result > 0 ? 0 : -ENOTCONN;
}

void dtls_close(struct dtls *d)
{
    if (d->state != DTLS_CONNECTED)
        return;
    set_state(d, DTLS_CLOSED);
    if (enter(d))
        (void)SSL_shutdown(d->ssl);
    leave(d);
}

enum dtls_state dtls_state(const struct dtls *d)
{
    return d->state;
}

const char *dtls_error(const struct dtls *d)
{
    return d->error_text;
}

/* RFC 5764 section 4.1.2, RFC 7714 section 14.2. */
static enum srtp_profile profile_of(const SRTP_PROTECTION_PROFILE *chosen)
{
    switch (chosen ? chosen->id : 0) {
    case 0x0001:
        return SRTP_AES_CM_128_HMAC_SHA1_80;
    case 0x0007:
        return SRTP_AEAD_AES_128_GCM;
    case 0x0008:
        return SRTP_AEAD_AES_256_GCM;
    default:
        return SRTP_NONE;
    }
}

int dtls_srtp_keys(const struct dtls *d, struct srtp_keys *ret)
{
    static const char label[] = "EXTRACTOR-dtls_srtp";
    uint8_t material[2 * SRTP_MASTER_MAX];
    struct srtp_keys keys = {0};
    bool server = SSL_is_server(d->ssl);
    uint8_t *client_side = server ? keys.remote : keys.local;
    uint8_t *server_side = server ? keys.local : keys.remote;
    const uint8_t *salts;

    if (d->state != DTLS_CONNECTED)
        return -ENOTCONN;
    keys.profile = profile_of(SSL_get_selected_srtp_profile(d->ssl));
    if (keys.profile == SRTP_NONE)
        return -ENOTSUP;
    srtp_profile_lengths(keys.profile, &keys.key_len, &keys.salt_len);
    if (!SSL_export_keying_material(d->ssl, material, 2 * (keys.key_len + keys.salt_len), label,
                                    sizeof(label) - 1, NULL, 0, 0))
        return -ENOTSUP;
    /* RFC 5764 section 4.2: client's key, server's key, client's salt, server's salt. */
    salts = material + 2 * keys.key_len;
    memcpy(client_side, material, keys.key_len);
    memcpy(client_side + keys.key_len, salts, keys.salt_len);
    memcpy(server_side, material + keys.key_len, keys.key_len);
    memcpy(server_side + keys.key_len, salts + keys.salt_len, keys.salt_len);
    explicit_bzero(material, sizeof(material));
    *ret = keys;
    return 0;
}

void dtls_trim(struct dtls *d)
{
    /* What OpenSSL keeps of its last flight must stay: the peer may not have had it yet. */
    if (d->state != DTLS_HANDSHAKE)
        d->flight = dtls_flight_free(d->flight);
}
