/**
 * @file dtls_record.h  Records of a DTLS 1.2 session whose handshake is over: sealing and opening
 * under its keys (RFC 6347 section 4.1, RFC 5246 section 6.2.3.3), in 200 bytes where OpenSSL keeps
 * 40 kB. AEAD ciphers alone, as media/dtls_identity offers no others. Part of `media/dtls`.
 *
 * Thread: that of the session.
 */
#ifndef MEDIA_DTLS_RECORD_H
#define MEDIA_DTLS_RECORD_H

#include "media/base/attributes.h"
#include "media/base/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ssl_st; /* OpenSSL's SSL; its header hides names of media/srtp.h */

enum {
    DTLS_RECORD_HEADER_LEN = 13,
    DTLS_RECORD_OVERHEAD = DTLS_RECORD_HEADER_LEN + 8 + 16, /* header, nonce, tag [bytes] */
    DTLS_PLAINTEXT_MAX = 16384,                             /* RFC 6347 section 4.1 [bytes] */
    DTLS_EPOCH = 1, /* of what the handshake agreed on; another would be a renegotiation */
};

/** Content types, RFC 5246 section 6.2.1; those outside are no records. */
enum dtls_type {
    DTLS_TYPE_CHANGE_CIPHER_SPEC = 20,
    DTLS_TYPE_ALERT = 21,
    DTLS_TYPE_HANDSHAKE = 22,
    DTLS_TYPE_DATA = 23,
};

/** A record as it is on the wire; the fragment is borrowed. */
struct dtls_record {
    uint8_t type, version_major;
    uint16_t epoch;
    uint64_t seq; /* 48 bits */
    const uint8_t *fragment;
    size_t len;
};

/** Read the next record of a datagram. @return false: there is none, or it is cut short */
bool dtls_record_read(struct reader *datagram, struct dtls_record *ret);

/** The last record that OpenSSL sent under the keys: ours go on after it, as a nonce that is used
 *  twice would tell the key (RFC 5116 section 5.1.1). */
struct dtls_sent {
    bool any;
    uint64_t seq, nonce; /* nonce: the explicit part, of AES-GCM */
};

struct dtls_records;

/**
 * Derive the keys of a finished handshake.
 *
 * @param ssl  borrowed; must send nothing from here on
 * @return 0; -ENOTSUP: no cipher that we know, or nothing was sent yet; -ENOMEM
 */
MUST_USE int dtls_records_new(struct dtls_records **ret, const struct ssl_st *ssl,
                              const struct dtls_sent *sent);
/** The keys are wiped. NULL is fine. @return NULL */
struct dtls_records *dtls_records_free(struct dtls_records *r);

/**
 * Seal one record.
 *
 * @param out  room for len + DTLS_RECORD_OVERHEAD
 * @return its bytes; 0: no memory
 */
MUST_USE size_t dtls_records_seal(struct dtls_records *r, enum dtls_type type, const uint8_t *data,
                                  size_t len, uint8_t *out);

/**
 * Open a record of DTLS_EPOCH, each at most once (RFC 6347 section 4.1.2.6).
 *
 * @param out  room for DTLS_PLAINTEXT_MAX
 * @param len  receives its bytes
 * @return 0; -EBADMSG: too short or long; -EEXIST: replayed or too old; -EPERM: forged
 */
MUST_USE int dtls_records_open(struct dtls_records *r, const struct dtls_record *record,
                               uint8_t *out, size_t *len);

#endif
