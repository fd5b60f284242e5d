#include "media/dtls.h"

#include "media/base/clock.h"
#include "media/base/reader.h"
#include "media/dtls_flight.h"
#include "media/dtls_identity.h"
#include "media/dtls_record.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

enum {
    TIMER_EXPIRED_US = 1,        /* OpenSSL takes what is less than 15 ms away as expired */
    TIMER_NEVER_US = 2000000000, /* 2,000 s of the real clock */
    RECORD_TYPE_MAX = 25,        /* RFC 9146 */
    RECORD_VERSION_MAJOR = 0xfe,
    ALERT_LEN = 2,
    ALERT_WARNING = 1,
    ALERT_FATAL = 2,
    CLOSE_NOTIFY = 0,       /* RFC 5246 section 7.2 */
    NO_RENEGOTIATION = 100, /* the same */
    FINISHED = 20,          /* RFC 5246 section 7.4 */
};

/* Records on their way out, together as far as a datagram reaches. OpenSSL writes repeated messages
 * one by one, and each datagram is one more that can be lost. */
struct outgoing {
    size_t len;
    uint8_t data[DTLS_MTU];
};

/* The server's last datagram, for a client that did not get it: RFC 6347 section 4.2.4. */
struct last_flight {
    size_t len;
    uint8_t data[];
};

/* OpenSSL's session with its 40 kB, until the handshake is over. */
struct handshake {
    SSL *ssl;
    struct dtls_fingerprint fingerprint; /* of the peer */
    bool started;
    int64_t now_us, give_up_us;
    struct dtls_flight *flight;
    const uint8_t *input; /* the datagram being fed; NULL once read */
    size_t input_len;
    struct dtls_sent sent; /* under the keys */
    const char *error;     /* what to say instead of OpenSSL's reason; NULL: nothing */
};

struct dtls {
    struct dtls_handler handler;
    void *owner;
    enum dtls_state state;
    struct handshake *handshake;     /* in DTLS_HANDSHAKE */
    struct dtls_records *records;    /* NULL before DTLS_CONNECTED */
    struct last_flight *last_flight; /* NULL: none, or no memory */
    struct srtp_keys *keys;          /* NULL: no common profile, or trimmed */
    struct outgoing *outgoing;       /* NULL but while a datagram is being received */
    const char *error;               /* static storage */
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

/* ------------------------------------------------------------------ the lower end of OpenSSL */

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

/* Our own records must be no repetition of OpenSSL's. */
static void note_sent(struct dtls_sent *sent, const uint8_t *data, size_t len)
{
    struct reader r = reader_of(data, len);
    struct dtls_record record;

    while (dtls_record_read(&r, &record)) {
        struct reader nonce = reader_of(record.fragment, record.len);

        if (record.epoch == DTLS_EPOCH)
            *sent = (struct dtls_sent){true, record.seq, reader_u64(&nonce)};
    }
}

static int bio_write(BIO *bio, const char *data, int len)
{
    struct dtls *d = BIO_get_data(bio);
    struct handshake *h = d->handshake;

    BIO_clear_retry_flags(bio);
    if (d->records)
        return len; /* who sends is us now: with OpenSSL, numbers would be used twice */
    note_sent(&h->sent, (const uint8_t *)data, (size_t)len);
    if (dtls_flight_copying(h->flight))
        dtls_flight_add(h->flight, (const uint8_t *)data, (size_t)len);
    else
        write_records(d, (const uint8_t *)data, (size_t)len);
    return len;
}

static int bio_read(BIO *bio, char *data, int capacity)
{
    struct dtls *d = BIO_get_data(bio);
    struct handshake *h = d->handshake;
    size_t len = h->input_len;

    BIO_clear_retry_flags(bio);
    dtls_flight_end_copy(h->flight);
    if (!h->input) {
        BIO_set_retry_read(bio);
        return -1;
    }
    if (len > (size_t)capacity)
        len = (size_t)capacity;
    memcpy(data, h->input, len);
    h->input = NULL;
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
    const struct dtls *d = SSL_get_app_data(ssl);
    struct handshake *h = d->handshake;

    if (last_us == 0)
        dtls_flight_begin(h->flight, h->now_us);
    else if (!dtls_flight_next_copy(h->flight))
        return TIMER_NEVER_US; /* this copy is still written */
    return TIMER_EXPIRED_US;
}

/* Replaces the check of a chain, of which there is none: RFC 8122 section 5. */
int dtls_verify_certificate(X509_STORE_CTX *store, void *unused)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct handshake *h = ((struct dtls *)SSL_get_app_data(ssl))->handshake;
    const X509 *certificate = X509_STORE_CTX_get0_cert(store);
    struct dtls_fingerprint seen;

    (void)unused;
    if (certificate && dtls_identity_digest(&seen, certificate, h->fingerprint.hash) == 0 &&
        seen.len == h->fingerprint.len && memcmp(seen.bytes, h->fingerprint.bytes, seen.len) == 0) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    h->error = "peer's certificate does not match its fingerprint";
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

/* ------------------------------------------------------------------ making one */

static struct handshake *handshake_free(struct handshake *h)
{
    if (!h)
        return NULL;
    h->flight = dtls_flight_free(h->flight);
    SSL_free(h->ssl);
    free(h);
    return NULL;
}

static int make_ssl(struct dtls *d, const struct dtls_identity *identity, bool client)
{
    struct handshake *h = d->handshake;
    BIO *bio;

    h->ssl = SSL_new(dtls_identity_context(identity));
    bio = BIO_new(dtls_identity_method(identity));
    if (!h->ssl || !bio) {
        BIO_free(bio);
        return -ENOMEM;
    }
    BIO_set_data(bio, d);
    BIO_set_init(bio, 1);
    SSL_set_bio(h->ssl, bio, bio);
    SSL_set_app_data(h->ssl, d);
    SSL_set_mtu(h->ssl, DTLS_MTU);
    DTLS_set_timer_cb(h->ssl, flight_timer);
    if (client)
        SSL_set_connect_state(h->ssl);
    else
        SSL_set_accept_state(h->ssl);
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

    if (fingerprint->len != digest_lens[fingerprint->hash])
        return -EINVAL;
    d = calloc(1, sizeof(*d));
    if (!d)
        return -ENOMEM;
    d->handler = *handler;
    d->owner = owner;
    d->handshake = calloc(1, sizeof(*d->handshake));
    if (!d->handshake)
        goto fail;
    d->handshake->fingerprint = *fingerprint;
    d->handshake->flight = dtls_flight_new();
    if (!d->handshake->flight || make_ssl(d, identity, client) < 0)
        goto fail;
    *ret = d;
    return 0;
fail:
    dtls_free(d);
    return -ENOMEM;
}

struct dtls *dtls_free(struct dtls *d)
{
    if (!d)
        return NULL;
    d->handshake = handshake_free(d->handshake);
    d->records = dtls_records_free(d->records);
    free(d->last_flight);
    dtls_trim(d);
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

    if (profile == SRTP_NONE || !d->handshake ||
        SSL_set_tlsext_use_srtp(d->handshake->ssl, names[profile]) != 0)
        return -EINVAL;
    return 0;
}

static void fail(struct dtls *d, const char *why)
{
    d->error = why;
    set_state(d, DTLS_FAILED);
}

/* ------------------------------------------------------------------ after the handshake */

static int send_record(struct dtls *d, enum dtls_type type, const uint8_t *data, size_t len)
{
    uint8_t record[DTLS_MTU + DTLS_RECORD_OVERHEAD];
    size_t record_len = dtls_records_seal(d->records, type, data, len, record);

    if (record_len == 0)
        return -ENOMEM;
    write_records(d, record, record_len);
    return 0;
}

/* Lost ones are not repeated; without memory it is as if it were lost. */
static void send_alert(struct dtls *d, uint8_t description)
{
    const uint8_t alert[ALERT_LEN] = {ALERT_WARNING, description};

    (void)send_record(d, DTLS_TYPE_ALERT, alert, sizeof(alert));
}

static void peer_closed(struct dtls *d)
{
    set_state(d, DTLS_CLOSED);
    if (d->records)
        send_alert(d, CLOSE_NOTIFY); /* in answer: RFC 5246 section 7.2.1 */
}

static void take_alert(struct dtls *d, const uint8_t *alert, size_t len)
{
    if (len != ALERT_LEN)
        return;
    if (alert[1] == CLOSE_NOTIFY)
        peer_closed(d);
    else if (alert[0] == ALERT_FATAL)
        fail(d, "the peer sent a fatal alert");
}

/* Either our last flight was lost, or it is the beginning of a renegotiation. */
static void take_handshake_message(struct dtls *d, const uint8_t *message, size_t len)
{
    if (len == 0)
        return;
    if (message[0] != FINISHED)
        send_alert(d, NO_RENEGOTIATION);
    else if (d->last_flight)
        write_records(d, d->last_flight->data, d->last_flight->len);
}

static void take_plaintext(struct dtls *d, uint8_t type, const uint8_t *data, size_t len)
{
    switch (type) {
    case DTLS_TYPE_ALERT:
        take_alert(d, data, len);
        break;
    case DTLS_TYPE_HANDSHAKE:
        take_handshake_message(d, data, len);
        break;
    case DTLS_TYPE_DATA:
        if (d->handler.on_data)
            d->handler.on_data(d->owner, data, len);
        break;
    default:
        break;
    }
}

/* What is forged, replayed or of before the keys is dropped without a word: RFC 6347 section
 * 4.1.2.7. */
static void receive_records(struct dtls *d, const uint8_t *data, size_t len)
{
    struct reader r = reader_of(data, len);
    struct dtls_record record;
    uint8_t plaintext[DTLS_PLAINTEXT_MAX];
    size_t plaintext_len;

    while (d->state == DTLS_CONNECTED && dtls_record_read(&r, &record)) {
        if (record.epoch == DTLS_EPOCH &&
            dtls_records_open(d->records, &record, plaintext, &plaintext_len) == 0)
            take_plaintext(d, record.type, plaintext, plaintext_len);
    }
}

/* ------------------------------------------------------------------ the handshake */

/* What OpenSSL says when it neither finished nor gave data. */
static void judge(struct dtls *d, int result)
{
    const char *why;

    switch (SSL_get_error(d->handshake->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        break;
    case SSL_ERROR_ZERO_RETURN:
        peer_closed(d);
        break;
    default:
        why = d->handshake->error ? d->handshake->error : ERR_reason_error_string(ERR_peek_error());
        fail(d, why ? why : "handshake failed");
        break;
    }
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

/* @return false: no common profile, or OpenSSL failed */
static bool export_keys(SSL *ssl, struct srtp_keys *keys)
{
    static const char label[] = "EXTRACTOR-dtls_srtp";
    uint8_t material[2 * SRTP_MASTER_MAX];
    bool server = SSL_is_server(ssl);
    uint8_t *client_side = server ? keys->remote : keys->local;
    uint8_t *server_side = server ? keys->local : keys->remote;
    const uint8_t *salts;

    keys->profile = profile_of(SSL_get_selected_srtp_profile(ssl));
    if (keys->profile == SRTP_NONE)
        return false;
    srtp_profile_lengths(keys->profile, &keys->key_len, &keys->salt_len);
    if (!SSL_export_keying_material(ssl, material, 2 * (keys->key_len + keys->salt_len), label,
                                    sizeof(label) - 1, NULL, 0, 0))
        return false;
    /* RFC 5764 section 4.2: client's key, server's key, client's salt, server's salt. */
    salts = material + 2 * keys->key_len;
    memcpy(client_side, material, keys->key_len);
    memcpy(client_side + keys->key_len, salts, keys->salt_len);
    memcpy(server_side, material + keys->key_len, keys->key_len);
    memcpy(server_side + keys->key_len, salts + keys->salt_len, keys->salt_len);
    explicit_bzero(material, sizeof(material));
    return true;
}

/* What was written since the datagram came is what the client may not get. */
static void keep_last_flight(struct dtls *d)
{
    size_t len = d->outgoing->len;

    d->last_flight = malloc(sizeof(*d->last_flight) + len);
    if (!d->last_flight)
        return;
    d->last_flight->len = len;
    memcpy(d->last_flight->data, d->outgoing->data, len);
}

static void take_over(struct dtls *d)
{
    struct handshake *h = d->handshake;

    d->keys = calloc(1, sizeof(*d->keys));
    if (!d->keys || dtls_records_new(&d->records, h->ssl, &h->sent) < 0) {
        fail(d, "out of memory");
        return;
    }
    if (!export_keys(h->ssl, d->keys))
        dtls_trim(d);
    if (SSL_is_server(h->ssl))
        keep_last_flight(d);
    set_state(d, DTLS_CONNECTED);
}

/* OpenSSL may hold data already, of the last datagram or of one that overtook it. */
static void read_rest(struct dtls *d)
{
    uint8_t data[DTLS_PLAINTEXT_MAX];
    int len;

    while (d->state == DTLS_CONNECTED) {
        len = SSL_read(d->handshake->ssl, data, sizeof(data));
        if (len <= 0) {
            judge(d, len);
            return;
        }
        take_plaintext(d, DTLS_TYPE_DATA, data, (size_t)len);
    }
}

/* Let OpenSSL go as far as it can with what it has. */
static void run_handshake(struct dtls *d)
{
    int result;

    ERR_clear_error(); /* of other sessions of this thread */
    result = SSL_do_handshake(d->handshake->ssl);
    if (result == 1) {
        take_over(d);
        read_rest(d);
    } else {
        judge(d, result);
    }
    ERR_clear_error();
    if (d->state != DTLS_HANDSHAKE)
        d->handshake = handshake_free(d->handshake);
}

/* @param data  NULL: nothing came, it is time to begin */
static void run(struct dtls *d, const uint8_t *data, size_t len)
{
    struct outgoing outgoing = {.len = 0};

    d->outgoing = &outgoing;
    if (d->handshake) {
        d->handshake->input = data;
        d->handshake->input_len = len;
        run_handshake(d);
    } else {
        receive_records(d, data, len);
    }
    send_outgoing(d);
    d->outgoing = NULL;
}

static void start(struct dtls *d, int64_t now_us)
{
    struct handshake *h = d->handshake;

    h->now_us = now_us;
    if (h->started)
        return;
    h->started = true;
    h->give_up_us = now_us + DTLS_HANDSHAKE_TIMEOUT_S * SECOND;
    if (!SSL_is_server(h->ssl))
        run(d, NULL, 0);
}

/* OpenSSL drops what it cannot read without a word; our callers count it. */
static bool is_record(const uint8_t *data, size_t len)
{
    struct reader r = reader_of(data, len);
    struct dtls_record record;

    return dtls_record_read(&r, &record) && record.type >= DTLS_TYPE_CHANGE_CIPHER_SPEC &&
           record.type <= RECORD_TYPE_MAX && record.version_major == RECORD_VERSION_MAJOR;
}

int dtls_receive(struct dtls *d, const uint8_t *data, size_t len, int64_t now_us)
{
    if (!is_record(data, len))
        return -EBADMSG;
    if (d->state == DTLS_HANDSHAKE)
        start(d, now_us);
    if (d->state <= DTLS_CONNECTED)
        run(d, data, len);
    return d->state > DTLS_CONNECTED ? -ECONNABORTED : 0;
}

int64_t dtls_advance(struct dtls *d, int64_t now_us)
{
    struct handshake *h;
    int64_t flight_us;

    if (d->state == DTLS_HANDSHAKE)
        start(d, now_us);
    if (d->state != DTLS_HANDSHAKE)
        return NEVER_US;
    h = d->handshake;
    if (now_us >= h->give_up_us) {
        fail(d, "no answer to the DTLS handshake");
        d->handshake = handshake_free(h);
        return NEVER_US;
    }
    dtls_flight_advance(h->flight, now_us, d->handler.send, d->owner);
    flight_us = dtls_flight_deadline(h->flight);
    return flight_us < h->give_up_us ? flight_us : h->give_up_us;
}

/* ------------------------------------------------------------------ what the owner asks for */

int dtls_send(struct dtls *d, const uint8_t *data, size_t len)
{
    if (d->state != DTLS_CONNECTED)
        return -ENOTCONN;
    if (len == 0 || len > DTLS_MTU)
        return -EMSGSIZE;
    return send_record(d, DTLS_TYPE_DATA, data, len);
}

void dtls_close(struct dtls *d)
{
    if (d->state != DTLS_CONNECTED)
        return;
    set_state(d, DTLS_CLOSED);
    send_alert(d, CLOSE_NOTIFY);
}

enum dtls_state dtls_state(const struct dtls *d)
{
    return d->state;
}

const char *dtls_error(const struct dtls *d)
{
    return d->error ? d->error : "";
}

int dtls_srtp_keys(const struct dtls *d, struct srtp_keys *ret)
{
    if (d->state != DTLS_CONNECTED)
        return -ENOTCONN;
    if (!d->keys)
        return -ENOTSUP;
    *ret = *d->keys;
    return 0;
}

void dtls_trim(struct dtls *d)
{
    if (d->keys)
        explicit_bzero(d->keys, sizeof(*d->keys));
    free(d->keys);
    d->keys = NULL;
}
