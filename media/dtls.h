/**
 * @file dtls.h  DTLS 1.2 with use_srtp (RFC 6347, RFC 5764): the handshake by OpenSSL with memory
 * BIOs, records after it by media/dtls_record, as an OpenSSL session would hold 40 kB per peer.
 *
 * Sans-I/O: records go in, records come out through the handler. Owner of the OpenSSL dependency.
 * Thread: one session belongs to one thread; an identity may be shared once made.
 */
#ifndef MEDIA_DTLS_H
#define MEDIA_DTLS_H

#include "media/base/attributes.h"
#include "media/srtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DTLS_MTU = 1200,      /* largest handshake datagram we send [bytes] */
    FINGERPRINT_MAX = 64, /* sha-512 [bytes] */
    DTLS_HANDSHAKE_TIMEOUT_S = 30,
};

enum fingerprint_hash { FINGERPRINT_SHA256, FINGERPRINT_SHA384, FINGERPRINT_SHA512 };

/** Of a certificate (RFC 8122). */
struct dtls_fingerprint {
    enum fingerprint_hash hash;
    size_t len; /* 32, 48, 64 */
    uint8_t bytes[FINGERPRINT_MAX];
};

/** Our certificate (ECDSA P-256, self-signed, 30 days) and key; immutable once made. */
struct dtls_identity;
MUST_USE int dtls_identity_new(struct dtls_identity **ret);
struct dtls_identity *dtls_identity_free(struct dtls_identity *identity);
/** @return SHA-256 fingerprint of our certificate; valid as long as the identity */
const struct dtls_fingerprint *dtls_identity_fingerprint(const struct dtls_identity *identity);

enum dtls_state {
    DTLS_HANDSHAKE, /* from the start */
    DTLS_CONNECTED, /* keys are there */
    DTLS_CLOSED,    /* close_notify received or sent */
    DTLS_FAILED,    /* alert, timeout or wrong certificate; dtls_error() says which */
};

struct dtls_handler {
    /** One datagram to send. `data` is valid only during the call. */
    void (*send)(void *owner, const uint8_t *data, size_t len);
    /** Application data (SCTP), decrypted. May be NULL. */
    void (*on_data)(void *owner, const uint8_t *data, size_t len);
};

struct dtls;

/**
 * @param identity     borrowed: must outlive the session
 * @param fingerprint  the certificate we must see; copied
 * @param client       true: we send the ClientHello (at the first dtls_advance())
 * @return 0; -ENOMEM; -EINVAL: fingerprint length does not match its hash
 */
MUST_USE int dtls_new(struct dtls **ret, const struct dtls_identity *identity,
                      const struct dtls_fingerprint *fingerprint, bool client,
                      const struct dtls_handler *handler, void *owner);
/** Offer or accept this SRTP profile alone, for tests and measurements; before the first datagram.
 *  @return 0; -EINVAL: SRTP_NONE */
MUST_USE int dtls_offer_only(struct dtls *d, enum srtp_profile profile);
/** NULL is fine; sends nothing. @return NULL */
struct dtls *dtls_free(struct dtls *d);

/** Feed one datagram of records. @return 0; -EBADMSG: not records; -ECONNABORTED: failed or closed
 */
MUST_USE int dtls_receive(struct dtls *d, const uint8_t *data, size_t len, int64_t now_us);

/** Start, retransmit flights, time out. @return when to call again [us], or NEVER_US */
MUST_USE int64_t dtls_advance(struct dtls *d, int64_t now_us);

/** Send application data in one record. @return 0; -ENOTCONN; -EMSGSIZE: 0 or above DTLS_MTU bytes;
 *  -ENOMEM */
MUST_USE int dtls_send(struct dtls *d, const uint8_t *data, size_t len);

/** Send close_notify, if connected. */
void dtls_close(struct dtls *d);

/** @return where the session is */
enum dtls_state dtls_state(const struct dtls *d);
/** @return "handshake", ...; static storage */
const char *dtls_state_name(enum dtls_state state);
/** @return why it failed, for people ("peer's certificate does not match its fingerprint");
 *  "" if it did not */
const char *dtls_error(const struct dtls *d);
/** Copy the SRTP keys. @return 0; -ENOTCONN before DTLS_CONNECTED; -ENOTSUP: no common profile, or
 *  dtls_trim() was called */
MUST_USE int dtls_srtp_keys(const struct dtls *d, struct srtp_keys *ret);
/** Forget the SRTP keys; call once they are copied. */
void dtls_trim(struct dtls *d);

#endif
