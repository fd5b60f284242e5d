/**
 * @file ipsec_mb.h  What the libipsec-mb back ends of seal.h and srtp.h share: the library's state
 * of each thread, expanded keys, and the ciphers for one packet. For ipsec_mb.c, seal_ipsec_mb.c
 * and srtp_ipsec_mb.c only, which own the dependency.
 *
 * Thread: any; what is made per thread is freed when the thread ends.
 */
#ifndef MEDIA_IPSEC_MB_H
#define MEDIA_IPSEC_MB_H

#define NO_COMPAT_IMB_API_053 /* old names of the library, some of them OpenSSL's too */

#include "media/base/attributes.h"
#include "media/srtp.h"
#include "media/srtp_kdf.h"

#include <intel-ipsec-mb.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IPSEC_MB_BLOCK_LEN = 16, /* of AES; and room for the salt, which ends in zeros */
    IPSEC_MB_ROUND_KEYS = 11,
    IPSEC_MB_SHA1_LEN = 20,
    IPSEC_MB_HMAC_LEN = 12, /* the library writes 12 or 20: the first of these */
    IPSEC_MB_GCM_IV_LEN = 12,
    IPSEC_MB_GCM_TAG_LEN = 16,
    IPSEC_MB_CM_TAG_LEN = 10,
};

/** Keys of AES-CM and HMAC-SHA1. */
struct ipsec_mb_cm_keys {
    alignas(IPSEC_MB_BLOCK_LEN) uint8_t cipher[IPSEC_MB_BLOCK_LEN * IPSEC_MB_ROUND_KEYS];
    uint8_t inner[IPSEC_MB_SHA1_LEN], outer[IPSEC_MB_SHA1_LEN]; /* HMAC after the padded key */
};

/** The library's functions of one key length of AES-GCM. */
struct ipsec_mb_gcm_calls {
    aes_gcm_pre_t expand;
    aes_gcm_enc_dec_t encrypt, decrypt;
    aes_gcm_init_t init; /* encryption in parts */
    aes_gcm_enc_dec_update_t update;
    aes_gcm_enc_dec_finalize_t finalize;
};

/** One per thread: a manager is not thread-safe. */
struct ipsec_mb {
    IMB_MGR *manager;
    IMB_MGR *hasher; /* of packets one by one, with SHA instructions; `manager`: there are none */
    struct ipsec_mb_gcm_calls gcm128, gcm256;
    struct gcm_context_data context;
    uint32_t n_jobs;
    /* Of the jobs under way; the library holds fewer than IMB_MAX_JOBS and ends them in order. */
    uint8_t ivs[IMB_MAX_JOBS][IPSEC_MB_BLOCK_LEN];
};

/** @return can this processor run it? */
bool ipsec_mb_usable(void);

/** @return the calling thread's, made if need be; NULL: no memory. Only where it is usable */
struct ipsec_mb *ipsec_mb_of_thread(void);

/** @return `len` zeros on the heap, for free(); NULL: no memory */
void *ipsec_mb_alloc(size_t alignment, size_t len);

/** The calls for one of the two GCM profiles. */
static inline const struct ipsec_mb_gcm_calls *ipsec_mb_gcm(const struct ipsec_mb *mb,
                                                            enum srtp_profile profile)
{
    return profile == SRTP_AEAD_AES_128_GCM ? &mb->gcm128 : &mb->gcm256;
}

/** Make session keys of AES-CM ready. */
void ipsec_mb_expand_cm(const struct ipsec_mb *mb, struct ipsec_mb_cm_keys *ret,
                        const struct srtp_session_keys *keys);

/**
 * Where AES-GCM begins for a packet: RFC 7714 sections 8.1 and 9.1.
 *
 * @param iv     room for IPSEC_MB_GCM_IV_LEN
 * @param index  RTP: roll-over counter << 16 | sequence number; RTCP: its 31-bit index
 */
void ipsec_mb_gcm_iv(uint8_t *iv, const uint8_t *salt, uint32_t ssrc, uint64_t index);

/** The same of AES-CM, RFC 3711 section 4.1.1. @param iv  room for IPSEC_MB_BLOCK_LEN */
void ipsec_mb_cm_iv(uint8_t *iv, const uint8_t *salt, uint32_t ssrc, uint64_t index);

/** En- or decrypt by AES-CM, now. `source` is `out`, or apart from it. @return 0; -EIO */
MUST_USE int ipsec_mb_cm_crypt(const struct ipsec_mb *mb, const struct ipsec_mb_cm_keys *keys,
                               const uint8_t *iv, uint8_t *out, const uint8_t *source, size_t len);

/** HMAC-SHA1 of one piece, now. @param tag  room for IPSEC_MB_HMAC_LEN; may lie within the piece,
 *  for it is written last. @return 0; -EIO */
MUST_USE int ipsec_mb_cm_hash(const struct ipsec_mb *mb, const struct ipsec_mb_cm_keys *keys,
                              const uint8_t *data, size_t len, uint8_t *tag);

#endif
