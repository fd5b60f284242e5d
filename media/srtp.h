/**
 * @file srtp.h  SRTP and SRTCP of one peer: the receiving side, and SRTCP both ways; `media/seal`
 * sends RTP.
 *
 * Two back ends say the same of every packet: libipsec-mb, and libsrtp2, which runs everywhere.
 * seal_set_backend() chooses for both files. An SSRC begins in cycle 0 of its numbers wherever its
 * first one lies; a number is accepted once, up to 1023 behind the newest (SRTCP: 127), and only
 * what is authenticated leaves a trace. SRTCP in clear, with a tag, is accepted under AES-GCM only.
 *
 * libipsec-mb is stricter where no peer gets in practice: an SSRC ends with its 2^48th packet, and
 * SRTCP is sent from 1024 SSRCs at most.
 *
 * Names beginning with srtp_session_ are ours; libsrtp2 itself owns srtp_protect_rtcp() and others.
 *
 * Thread: the worker's (or client's) own; srtp_global_init() before threads. A session may be made
 * and used by different threads, not at once.
 */
#ifndef MEDIA_SRTP_H
#define MEDIA_SRTP_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** In the order in which we prefer them. */
enum srtp_profile {
    SRTP_NONE,
    SRTP_AEAD_AES_128_GCM,        /* RFC 7714 */
    SRTP_AEAD_AES_256_GCM,        /* RFC 7714 */
    SRTP_AES_CM_128_HMAC_SHA1_80, /* RFC 3711, RFC 5764 */
};

enum {
    SRTP_MASTER_MAX = 46,   /* key + salt [bytes]: 32 + 14 rounded up */
    SRTP_TRAILER_MAX = 16,  /* bytes SRTP adds */
    SRTCP_TRAILER_MAX = 20, /* bytes SRTCP adds */
    SRTP_MAX_SSRCS = 128,   /* heard per peer; the one silent for longest is forgotten, and with it
                               its replay window and roll-over counter */
};

/** Master keys of both directions, as DTLS exports them (RFC 5764 section 4.2). */
struct srtp_keys {
    enum srtp_profile profile;
    size_t key_len, salt_len;        /* [bytes] */
    uint8_t local[SRTP_MASTER_MAX];  /* key then salt: what we send with */
    uint8_t remote[SRTP_MASTER_MAX]; /* key then salt: what we receive with */
};

/** Key and salt length of `profile` [bytes]. */
void srtp_profile_lengths(enum srtp_profile profile, size_t *key_len, size_t *salt_len);
const char *srtp_profile_name(enum srtp_profile profile);

/** Start the back end in use, before threads; again does no harm. @return 0; -ENOTSUP: libsrtp2
 *  lacks AEAD or will not start */
MUST_USE int srtp_global_init(void);

struct srtp_session;

/** Make both directions. @return 0; -EINVAL: profile and key lengths; -ENOMEM; -EIO */
MUST_USE int srtp_session_new(struct srtp_session **ret, const struct srtp_keys *keys);
struct srtp_session *srtp_session_free(struct srtp_session *s);

/**
 * Decrypt RTP in place.
 *
 * @param len  in: bytes; out: bytes of the plain packet. After a failure the bytes are undefined
 * @return 0; -EPERM: authentication failed; -EEXIST: replayed or too old; -EBADMSG: malformed;
 *         -ENOMEM; -EIO: the library failed
 */
MUST_USE int srtp_session_unprotect_rtp(struct srtp_session *s, uint8_t *data, size_t *len);
/** The same for RTCP. */
MUST_USE int srtp_session_unprotect_rtcp(struct srtp_session *s, uint8_t *data, size_t *len);

/** Encrypt RTCP in place; `capacity` >= *len + SRTCP_TRAILER_MAX. @return 0; -EMSGSIZE: no room, or
 * no RTCP header; -EIO: the library failed, or the SSRC has sent 2^31 packets or is one too many */
MUST_USE int srtp_session_protect_rtcp(struct srtp_session *s, uint8_t *data, size_t *len,
                                       size_t capacity);

#endif
