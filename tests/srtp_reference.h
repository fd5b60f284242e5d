/**
 * @file srtp_reference.h  SRTP and SRTCP by the book (RFC 3711, RFC 7714) over OpenSSL's ciphers:
 * slow, and sharing no code with what it checks. One packet with its index given; keeps no state.
 */
#ifndef TESTS_SRTP_REFERENCE_H
#define TESTS_SRTP_REFERENCE_H

#include "media/srtp.h"

#include <stddef.h>
#include <stdint.h>

/** Session keys of RTP or RTCP. */
struct srtp_reference {
    enum srtp_profile profile;
    uint8_t key[32], salt[14], auth[20];
};

/** Derive the session keys from `master` (key then salt), RFC 3711 section 4.3.1. */
void srtp_reference_derive_rtp(struct srtp_reference *ret, enum srtp_profile profile,
                               const uint8_t *master);
void srtp_reference_derive_rtcp(struct srtp_reference *ret, enum srtp_profile profile,
                                const uint8_t *master);

/** Seal the RTP packet [len bytes], whose header has `header_len`. @return bytes written to `out`,
 *  which has room for len + SRTP_TRAILER_MAX */
size_t srtp_reference_seal_rtp(const struct srtp_reference *r, uint32_t roc, const uint8_t *packet,
                               size_t header_len, size_t len, uint8_t *out);

/** Seal an RTCP compound. @return bytes written to `out`, which has room for
 *  len + SRTCP_TRAILER_MAX */
size_t srtp_reference_seal_rtcp(const struct srtp_reference *r, uint32_t index,
                                const uint8_t *packet, size_t len, uint8_t *out);

/** The same, only authenticated and left in clear (E bit 0). */
size_t srtp_reference_seal_clear_rtcp(const struct srtp_reference *r, uint32_t index,
                                      const uint8_t *packet, size_t len, uint8_t *out);

#endif
