/**
 * @file srtp_kdf.h  Session keys out of master keys: RFC 3711 section 4.3 with key derivation rate
 * 0, and RFC 7714 section 11, which feeds it the 12-byte salts of GCM.
 */
#ifndef MEDIA_SRTP_KDF_H
#define MEDIA_SRTP_KDF_H

#include "media/base/attributes.h"
#include "media/srtp.h"

#include <stddef.h>
#include <stdint.h>

enum {
    /* What a key is for: labels of section 4.3.1. */
    SRTP_KDF_CIPHER_KEY = 0,
    SRTP_KDF_AUTH_KEY = 1,
    SRTP_KDF_SALT = 2,

    /* Whose keys: added to those labels. */
    SRTP_KDF_RTP = 0,
    SRTP_KDF_RTCP = 3,

    SRTP_KDF_MAX = 256, /* longest key asked for [bytes] */
    SRTP_CIPHER_KEY_MAX = 32,
    SRTP_AUTH_KEY_LEN = 20,
    SRTP_SALT_MAX = 14,
};

/** What one direction's RTP or RTCP is encrypted and authenticated with. */
struct srtp_session_keys {
    uint8_t cipher_key[SRTP_CIPHER_KEY_MAX]; /* as long as the master key */
    uint8_t auth_key[SRTP_AUTH_KEY_LEN];     /* unused by GCM */
    uint8_t salt[SRTP_SALT_MAX];             /* as long as the master salt, then zeros */
};

/**
 * Derive one key.
 *
 * @param key_len   of the master key [bytes]: 16 or 32
 * @param salt_len  of the master salt, which follows the master key [bytes]: 12 or 14
 * @param ret       room for `len` bytes, at most SRTP_KDF_MAX
 * @return 0; -EINVAL: a length; -ENOMEM, -EIO: OpenSSL failed
 */
MUST_USE int srtp_kdf_derive(uint8_t *ret, size_t len, unsigned label, const uint8_t *master,
                             size_t key_len, size_t salt_len);

/**
 * Derive all keys of one direction's RTP or RTCP.
 *
 * @param whose   SRTP_KDF_RTP or SRTP_KDF_RTCP
 * @param master  key then salt, as long as `profile` wants them
 * @return 0; -EINVAL: no such profile; -ENOMEM, -EIO: OpenSSL failed
 */
MUST_USE int srtp_kdf_session_keys(struct srtp_session_keys *ret, enum srtp_profile profile,
                                   unsigned whose, const uint8_t *master);

#endif
