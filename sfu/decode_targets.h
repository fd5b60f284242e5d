/**
 * @file decode_targets.h  Which decode target of a dependency descriptor (AV1 RTP specification,
 * appendix A) a subscriber gets, and to which it can go over. Pure.
 *
 * A target can be gone over to if all of its frames since a point where its decoding could begin
 * were forwarded: since a key picture, or since a frame with a switch indication whose chain is
 * intact. So one goes down where the lower target is part of the higher (as in L3T3), and waits for
 * a key picture where it is not (L3T3_KEY, S3). A plain value. Not thread-safe.
 */
#ifndef SFU_DECODE_TARGETS_H
#define SFU_DECODE_TARGETS_H

#include "media/base/attributes.h"
#include "media/frame_info.h"

#include <stdbool.h>
#include <stdint.h>

struct dd_structure;

enum { LAYER_UNLIMITED = 255, DECODE_TARGET_ALL = 255 };

/** Highest spatial and temporal layer. */
struct layer_limit {
    uint8_t sid, tid;
};

/** Was a frame forwarded? */
enum frame_fate { FATE_FORWARDED, FATE_LEFT_OUT, FATE_UNKNOWN };

struct decode_targets {
    uint8_t current;           /* what is forwarded; DECODE_TARGET_ALL: everything */
    uint8_t wanted;            /* what the limit allows; DECODE_TARGET_ALL: not known yet */
    uint8_t chains;            /* those that are intact, a set */
    uint32_t complete;         /* targets of which nothing is missing, a set */
    uint32_t active;           /* targets that are sent, a set */
    struct layer_limit layers; /* of current */
    bool is_open;              /* current is the highest, and nothing was left out */
    bool needs_key;            /* wanted can only be gone over to with a key picture */
};

/** Everything was forwarded so far. */
void decode_targets_init(struct decode_targets *d);

/** A picture begins with `frame`: go over to what `limit` allows if that can be.
 *  @return true: current is another target now */
bool decode_targets_begin_picture(struct decode_targets *d, const struct frame_info *frame,
                                  const struct dd_structure *structure, struct layer_limit limit);

/** Frames were lost, and it is not known what they are. Those of the current target are sent when
 *  they come; others are not, and may be missing where they are part of another target. */
void decode_targets_note_loss(struct decode_targets *d, const struct dd_structure *structure);

/** @return true if a packet of `frame` is part of `target` */
bool decode_targets_include(const struct frame_info *frame, uint8_t target);

/**
 * A frame that is the newest was forwarded or left out.
 *
 * @param fate_of  what became of the frame so many before it
 */
void decode_targets_note(struct decode_targets *d, const struct frame_info *frame,
                         const struct dd_structure *structure, bool forwarded,
                         enum frame_fate (*fate_of)(const void *owner, uint16_t before),
                         const void *owner);

#endif
