/**
 * @file picture_rewriter.h  The numbers of pictures that a subscriber sees: continuous while what
 * its stream carries changes.
 *
 * VP8 and VP9 number pictures in their payload descriptors (picture id, TL0PICIDX, VP8's KEYIDX),
 * frames are numbered in the dependency descriptor. Decoders find by them what a picture refers to.
 * With another source all of them go on from where the old one ended. Where pictures are left out
 * VP8's picture ids close up, as a receiver waits for those that are missing; the others' gaps
 * stay: references are told as differences of these numbers.
 *
 * What was done to a picture holds for its late packets, and for those that are sent again. A plain
 * value: embed it, or make it when it is first needed: without it numbers go as they are. Not
 * thread-safe.
 */
#ifndef MEDIA_PICTURE_REWRITER_H
#define MEDIA_PICTURE_REWRITER_H

#include "media/base/attributes.h"
#include "media/frame_info.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PICTURE_WINDOW = 128 }; /* newest pictures of the source that are known; a power of two */

/** Numbers of one frame; those that its descriptors do not have mean nothing. */
struct picture_numbers {
    uint16_t picture, frame;
    uint8_t tl0, key_index;
};

struct picture_rewriter {
    int64_t newest;                /* unwrapped, of the source; -1: no picture of it came yet */
    bool closes_up;                /* a picture of this source was left out */
    struct picture_numbers offset; /* outgoing = source + offset, of the newest one */
    uint64_t left_out[PICTURE_WINDOW / 64]; /* a bit for each picture */
};

/** Make `r` change nothing. */
void picture_rewriter_init(struct picture_rewriter *r);

/** @return the numbers that `frame` has of its source */
struct picture_numbers picture_numbers_of(const struct frame_info *frame);

/** Each of `n` becomes that of `other` where that is later. */
void picture_numbers_raise(struct picture_numbers *n, const struct picture_numbers *other);

/**
 * Another source begins, or the same one anew: go on from the last numbers that were sent.
 *
 * @param last   of the newest frame that was sent
 * @param first  of the source, the first that will be
 */
void picture_rewriter_switch(struct picture_rewriter *r, const struct picture_numbers *last,
                             const struct frame_info *first);

/** @return the numbers that end with `frame`, which is the newest, whether or not it was left out:
 *          what comes late of pictures before it has none that are higher */
struct picture_numbers picture_rewriter_newest(const struct picture_rewriter *r,
                                               const struct frame_info *frame);

/** Picture `frame` of VP8 is left out as a whole; no packet of it is passed to the others. Once per
 *  picture; nothing happens for one that is too old to matter. */
void picture_rewriter_leave_out(struct picture_rewriter *r, const struct frame_info *frame);

/** @return 0, and *ret are the numbers that the subscriber gets; -ERANGE: the picture was left out,
 *          or is too old to tell */
MUST_USE int picture_rewriter_map(struct picture_rewriter *r, const struct frame_info *frame,
                                  struct picture_numbers *ret);

/**
 * Write the beginning of a payload with other numbers.
 *
 * @param payload  the packet's, as `frame` tells
 * @param lead     receives as many bytes as the return value, which then stand for as many of the
 *                 payload; room for FRAME_DESCRIPTOR_MAX
 * @return how many [bytes]; 0: nothing is numbered in it
 */
size_t picture_rewriter_write(const struct frame_info *frame, const struct picture_numbers *numbers,
                              const uint8_t *payload, uint8_t *lead);

#endif
