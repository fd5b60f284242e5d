/**
 * @file tcp_frame.h  Datagrams in a byte stream (RFC 4571): each after its length in two bytes.
 * Sans-I/O.
 *
 * Both ways are bounded: a frame longer than a packet is refused, so that whoever sends something
 * else is found out soon, and what waits to be sent has a limit. Thread: one.
 */
#ifndef MEDIA_TCP_FRAME_H
#define MEDIA_TCP_FRAME_H

#include "media/base/attributes.h"
#include "media/base/reader.h"
#include "media/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TCP_FRAME_HEAD = 2,
    TCP_FRAME_MAX = PACKET_CAPACITY, /* of a frame without its head [bytes] */
    TCP_QUEUE_BYTES = 128 * 1024,    /* that wait to be sent */
    /* Above this only what is small: sound, reports, checks. A frame of a picture that comes late
     * is worth little, and is the larger part of what there is. */
    TCP_QUEUE_BULK_BYTES = 96 * 1024,
    TCP_SMALL = 400, /* Opus with redundancy, RTCP, STUN [bytes] */
};

/** What was left of the bytes read so far: part of a frame. Members are private. */
struct tcp_deframer {
    uint16_t have;
    uint8_t bytes[TCP_FRAME_HEAD + TCP_FRAME_MAX];
};

void tcp_deframer_init(struct tcp_deframer *d);

/**
 * Take the next frame out of the bytes that follow those of earlier calls. Frames without bytes are
 * left out (RFC 4571 section 2).
 *
 * @param in     what it takes is read; until 0 is returned nothing else may be done with it
 * @param frame  receives where the frame is, until the next call
 * @return 1: there is one; 0: all was read and there is none; -EMSGSIZE: a frame longer than
 *         TCP_FRAME_MAX, and nothing that follows can be made sense of
 */
MUST_USE int tcp_deframer_next(struct tcp_deframer *d, struct reader *in, const uint8_t **frame,
                               size_t *len);

/** Write the head of a frame of `len` bytes, at most UINT16_MAX. */
void tcp_frame_head(uint8_t out[TCP_FRAME_HEAD], size_t len);

/** Bytes that wait to be sent. Members are private. */
struct tcp_queue {
    uint8_t *bytes; /* NULL: nothing ever waited */
    uint32_t start, end;
};

void tcp_queue_init(struct tcp_queue *q);
void tcp_queue_done(struct tcp_queue *q);

/** Append a frame. @return 0; -ENOBUFS: it has no place; -ENOMEM */
MUST_USE int tcp_queue_push(struct tcp_queue *q, const uint8_t *data, size_t len);

/** Append the end of a frame whose first `sent` bytes, head included, are with the kernel. Only
 *  into an empty queue. @return 0; -ENOMEM: the stream is broken then */
MUST_USE int tcp_queue_push_rest(struct tcp_queue *q, const uint8_t *data, size_t len, size_t sent);

/** @return what is to be sent next [*len bytes]; valid until the next call. *len 0: nothing */
const uint8_t *tcp_queue_peek(const struct tcp_queue *q, size_t *len);

/** So many of them are sent. */
void tcp_queue_take(struct tcp_queue *q, size_t len);

#endif
