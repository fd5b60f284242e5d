/**
 * @file rtx.h  Retransmission payload format (RFC 4588), in a stream of its own SSRC: the payload
 * is the original sequence number and then the original payload.
 *
 * Plain values. Not thread-safe.
 */
#ifndef MEDIA_RTX_H
#define MEDIA_RTX_H

#include "media/base/attributes.h"
#include "media/rtp.h"

#include <stddef.h>
#include <stdint.h>

struct packet;

enum { RTX_LEAD_LEN = 2 }; /* original sequence number [bytes] */

/**
 * Turn a received RTX packet into the original one, in place: header fields and bytes, so that it
 * is as if the original had come. Timestamp, marker and header extensions stay those of the RTX
 * packet; the first two are the original's.
 *
 * @param packet  parsed, with one reference: nobody else sees it yet
 * @param ssrc    of the original stream
 * @param pt      of the original stream
 * @return 0; -ENODATA: padding only, a probe of the peer's bandwidth estimator; -EBADMSG: too
 *         short for its number; the packet is unchanged then
 */
MUST_USE int rtx_unwrap(struct packet *packet, uint32_t ssrc, uint8_t pt);

/** An outgoing RTX stream. */
struct rtx_sender {
    uint32_t ssrc;
    uint8_t pt;   /* 0..127 */
    uint16_t seq; /* of the next packet, random at first */
};

/**
 * Write what goes before the original payload: the RTP header, then RTX_LEAD_LEN bytes.
 *
 * @param original  as the subscriber knows the packet; its ssrc and pt are not read
 * @return length of the RTP header [bytes]; -EMSGSIZE: header and lead exceed `capacity`
 */
MUST_USE int rtx_write_head(struct rtx_sender *s, const struct rtp_write *original, uint8_t *out,
                            size_t capacity);

#endif
