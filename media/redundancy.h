/**
 * @file redundancy.h  How much of its sound a path needs twice: grows with losses at once, and ends
 * when they have been over for a while.
 *
 * A plain value: embed it, zero it, forget it. Not thread-safe.
 */
#ifndef MEDIA_REDUNDANCY_H
#define MEDIA_REDUNDANCY_H

#include "media/base/attributes.h"
#include "media/base/clock.h"

#include <stdint.h>

/** Losses must have been less for so long before there is less redundancy. */
#define REDUNDANCY_CALM_US (10 * SECOND)

enum { REDUNDANCY_LEVELS = 3 }; /* 0..2 earlier payloads with each */

struct redundancy {
    uint8_t level;   /* earlier payloads that losses call for */
    int64_t calm_us; /* since when fewer would do; 0: they would not */
};

/**
 * Take in what is known now; call about once per second.
 *
 * @param loss  share of packets lost lately, 0..1: from 2 % on one earlier payload goes with each,
 *              from 10 % on two; half of that ends it
 * @param room  for how many there is room on the path
 * @return how many earlier payloads shall go with each, at most `room`
 */
MUST_USE uint8_t redundancy_update(struct redundancy *r, double loss, uint8_t room, int64_t now_us);

#endif
