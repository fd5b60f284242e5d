/**
 * @file rtp.h  RTP header (RFC 3550 section 5.1) with header extensions (RFC 8285): read, write.
 *
 * Plain values; no allocation; not tied to a thread.
 */
#ifndef MEDIA_RTP_H
#define MEDIA_RTP_H

#include "media/base/attributes.h"
#include "media/base/extension.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RTP_HEADER_LEN = 12,
    RTP_MAX_CSRCS = 15,
    RTP_MAX_EXTENSIONS = 16, /* elements kept of one packet; further ones are skipped */
    RTP_MID_MAX = 32,        /* longest mid or rid value we read [bytes] */
};

/** One header extension element: where its value lies in the packet. */
struct rtp_extension {
    uint8_t id;      /* 1..255, as negotiated */
    uint8_t len;     /* [bytes] */
    uint16_t offset; /* from the start of the packet */
};

/** A parsed header, host byte order. */
struct rtp_header {
    bool marker;
    uint8_t pt; /* 0..127 */
    uint8_t n_csrcs;
    uint8_t n_extensions;
    uint8_t padding_len; /* bytes of padding at the end, its count byte included */
    uint16_t seq;
    uint32_t ts;
    uint32_t ssrc;
    uint16_t header_len;  /* offset of the payload */
    uint16_t payload_len; /* without padding */
    struct rtp_extension extensions[RTP_MAX_EXTENSIONS];
};

/**
 * Parse a decrypted packet.
 *
 * Padding-only packets (payload_len 0) are fine. Elements of RFC 8285 one-byte and two-byte
 * forms are read; other profiles of extension are skipped whole.
 *
 * @param ret  written only on success
 * @return 0; -EBADMSG: not version 2, or any length passes the end
 */
MUST_USE int rtp_parse(struct rtp_header *ret, const uint8_t *data, size_t len);

/** @return the element with `id`, or NULL (also for id 0) */
const struct rtp_extension *rtp_find_extension(const struct rtp_header *h, uint8_t id);

/** An element to write. */
struct rtp_extension_value {
    uint8_t id;  /* 1..255 */
    uint8_t len; /* [bytes] 1..16 in one-byte form, 0..255 in two-byte form */
    const uint8_t *value;
};

/** @return what abs-send-time says of `now_us`: 24 bits of seconds in 6.18 fixed point, of any
 *          clock that counts evenly */
uint32_t rtp_send_time(int64_t now_us);

/** What rtp_write_header() writes. */
struct rtp_write {
    bool marker, padding; /* padding: sets the P bit only */
    uint8_t pt;
    uint16_t seq;
    uint32_t ts, ssrc;
    uint8_t n_csrcs;
    uint32_t csrcs[RTP_MAX_CSRCS];
    uint8_t n_extensions;
    const struct rtp_extension_value *extensions; /* borrowed */
};

/**
 * Write a header; one-byte extension form unless an id above 14 or a length above 16 needs the
 * two-byte form.
 *
 * @return bytes written; -EMSGSIZE: more than `capacity`
 */
MUST_USE int rtp_write_header(uint8_t *out, size_t capacity, const struct rtp_write *h);

/** RFC 7983 section 7: what a datagram on the shared port is, by its first byte. */
enum datagram_kind {
    DATAGRAM_UNKNOWN,
    DATAGRAM_STUN,
    DATAGRAM_DTLS,
    DATAGRAM_RTP,
    DATAGRAM_RTCP, /* RFC 5761 section 4: second byte 192..223 */
};
enum datagram_kind datagram_kind(const uint8_t *data, size_t len);

#endif
