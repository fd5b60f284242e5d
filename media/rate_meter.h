/**
 * @file rate_meter.h  How much of one stream flows, by spatial and temporal layer, over the last
 * second or so.
 *
 * A plain value: embed it, init it, forget it. Owns nothing. Not thread-safe.
 */
#ifndef MEDIA_RATE_METER_H
#define MEDIA_RATE_METER_H

#include "media/frame_info.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RATE_METER_SLOTS = 5, /* four of them are whole, one is being filled */
    RATE_METER_CELLS = FRAME_MAX_SPATIAL * FRAME_MAX_TEMPORAL,
};

struct rate_meter {
    int64_t end_us; /* of the slot that is being filled; 0: nothing came yet */
    uint8_t at;     /* that slot */
    uint8_t whole;  /* slots before it that count */
    uint32_t pictures[RATE_METER_SLOTS];
    uint32_t bytes[RATE_METER_SLOTS][RATE_METER_CELLS]; /* by sid, then tid */
};

/** Make `m` empty. */
void rate_meter_init(struct rate_meter *m);

/** The time has come to begin another slot; see rate_meter_count(). */
void rate_meter_turn(struct rate_meter *m, int64_t now_us);

/** Count a packet. @param len  [bytes] @param ends_picture  it is the last of a picture */
static inline void rate_meter_count(struct rate_meter *m, uint8_t sid, uint8_t tid, size_t len,
                                    bool ends_picture, int64_t now_us)
{
    if (now_us >= m->end_us)
        rate_meter_turn(m, now_us);
    m->bytes[m->at][sid * FRAME_MAX_TEMPORAL + tid] += (uint32_t)len;
    m->pictures[m->at] += ends_picture;
}

/** @return rate of all layers up to `sid` and `tid`, inclusive [bit/s]; 0 in the first quarter of a
 *  second */
uint32_t rate_meter_rate(const struct rate_meter *m, uint8_t sid, uint8_t tid);

/** @return pictures per second, of all temporal layers */
uint32_t rate_meter_pictures(const struct rate_meter *m);

#endif
