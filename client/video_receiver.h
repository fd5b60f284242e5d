/**
 * @file video_receiver.h  One incoming VP8 stream from packets to whole frames: order, requests for
 * what is missing, and for key frames. Not thread-safe.
 */
#ifndef CLIENT_VIDEO_RECEIVER_H
#define CLIENT_VIDEO_RECEIVER_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packet;
struct video_receiver;

/** A whole frame. */
struct video_frame {
    const uint8_t *data; /* valid during the call */
    size_t len;
    bool key_frame;
    uint16_t width, height; /* of the last key frame */
    uint32_t ts;
    uint32_t source; /* participant, 0: unknown */
};

struct video_receiver_stats {
    uint64_t packets, frames, key_frames, bytes; /* bytes: of whole frames */
    uint64_t recovered;                          /* packets that came after we asked for them */
    uint64_t dropped;                            /* packets that became no frame */
    uint16_t width, height;                      /* of the last key frame; 0: not known */
};

/** @param on_frame  called from within video_receiver_put() and _advance()
 *  @return 0; -ENOMEM */
MUST_USE int video_receiver_new(struct video_receiver **ret,
                                void (*on_frame)(void *owner, const struct video_frame *frame),
                                void *owner);
/** NULL is fine. @return NULL */
struct video_receiver *video_receiver_free(struct video_receiver *r);

/** A packet arrived, first time or again.
 *  @param packet  parsed; a reference is taken. @param source  participant it shows, 0: unknown */
void video_receiver_put(struct video_receiver *r, struct packet *packet, uint32_t source,
                        int64_t now_us);

/** Give up what stays missing. @return when to call again [us], or NEVER_US */
MUST_USE int64_t video_receiver_advance(struct video_receiver *r, int64_t now_us);

/** @return how many sequence numbers to ask for now were written */
MUST_USE size_t video_receiver_poll_nacks(struct video_receiver *r, int64_t now_us, uint16_t *out,
                                          size_t max);
/** @return true: ask for a key frame now */
MUST_USE bool video_receiver_poll_key_frame(struct video_receiver *r, int64_t now_us);

/** @return counts since the beginning */
const struct video_receiver_stats *video_receiver_stats(const struct video_receiver *r);

#endif
