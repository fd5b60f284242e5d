/**
 * @file seal.h  Encrypt outgoing RTP in batches, out of place: clear payload in, sealed packet out.
 *
 * One session per (subscriber transport, outgoing direction); the roll-over counter of each SSRC is
 * kept inside (RFC 3711 section 3.3.1). Packets of one call may belong to many sessions; within a
 * session they are sealed in the order given.
 *
 * A packet may be sealed again to be sent again, but only with the very same bytes: its number is
 * the cipher's nonce, and two different packets under one nonce give the key stream (and with GCM
 * the authentication key) away. What changes per sending, a transport-wide number say, needs RTX.
 *
 * Two back ends make the same bytes: libipsec-mb, which encrypts many packets under many keys at
 * once, and libsrtp2, one packet after the other.
 *
 * Thread: the worker's own; what the back end needs per thread is made at first use and freed when
 * the thread ends. A session may be made and used by different threads, not at once.
 */
#ifndef MEDIA_SEAL_H
#define MEDIA_SEAL_H

#include "media/base/attributes.h"
#include "media/srtp.h"

#include <stddef.h>
#include <stdint.h>

enum seal_backend {
    SEAL_AUTO,     /* the fastest that this build has and this processor runs */
    SEAL_SRTP,     /* libsrtp2 */
    SEAL_IPSEC_MB, /* libipsec-mb; x86-64 with AES and carry-less multiplication */
};

enum { SEAL_SSRCS_MAX = 1024 }; /* SSRCs one session can send */

/**
 * Choose who seals, and who does the work of srtp.h, for sessions made from now on. Once per
 * process, before threads; without it the choice is SEAL_AUTO.
 *
 * @return 0; -ENOTSUP: not in this build, or not on this processor; the choice is as it was
 */
MUST_USE int seal_set_backend(enum seal_backend backend);

/** @return who seals for sessions made now: never SEAL_AUTO */
enum seal_backend seal_backend_in_use(void);

const char *seal_backend_name(enum seal_backend backend);

struct seal_session;

/** Make the sending side of `keys`. @return 0; -EINVAL: profile and key lengths;
 *  -ENOMEM; -EIO */
MUST_USE int seal_session_new(struct seal_session **ret, const struct srtp_keys *keys);
struct seal_session *seal_session_free(struct seal_session *s);

/** @return bytes sealing adds to an RTP packet of this session (tag) */
size_t seal_overhead(const struct seal_session *s);

/** One packet to seal. All pointers are borrowed for the call. */
struct seal_packet {
    struct seal_session *session;
    const uint8_t *head;    /* RTP header [head_len], then `lead_len` bytes of payload (may be 0) */
    uint16_t head_len;      /* RTP header with CSRCs and extensions [bytes] */
    uint16_t lead_len;      /* first payload bytes, taken from after the header: RTX's OSN, RED */
    const uint8_t *payload; /* the rest of the payload; may lie in `out` already, where it goes */
    uint16_t payload_len;
    uint8_t *out;     /* room for head + lead + payload + SRTP_TRAILER_MAX */
    uint16_t out_len; /* set: bytes of the sealed packet; 0: could not be sealed */
};

/**
 * Seal `n` packets. Not sealed is one that is malformed (head_len is not what the header says, or
 * the packet is longer than UDP can carry), 1024 or more numbers older than the newest of its SSRC,
 * or of an SSRC beyond SEAL_SSRCS_MAX.
 *
 * @return how many were sealed (the others have out_len 0)
 */
size_t seal_batch(struct seal_packet *packets, size_t n);

#endif
