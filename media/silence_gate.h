/**
 * @file silence_gate.h  Which packets of a silent sound are worth sending on: the first few, so
 * that who listens has the comfort noise of it, then one now and then. Anything else passes at
 * once.
 *
 * A plain value, all zero to begin with. Owns nothing. Not thread-safe.
 */
#ifndef MEDIA_SILENCE_GATE_H
#define MEDIA_SILENCE_GATE_H

#include "media/base/clock.h"

#include <stdbool.h>
#include <stdint.h>

/** One packet per so long: Opus renews its comfort noise so often. */
#define SILENCE_GATE_INTERVAL_US (400 * MS)
/** Digital silence passes for so long: it may be a pause between words after a noise gate. */
#define SILENCE_GATE_PATIENCE_US (200 * MS)

enum {
    SILENCE_GATE_FIRST = 3, /* packets of comfort noise that pass in any case */
    SILENCE_GATE_DTX = 3,   /* Opus says in so many bytes that there is nothing to say */
};

enum silence {
    SILENCE_NONE,    /* sound, or not known */
    SILENCE_COMFORT, /* the encoder says so: DTX */
    SILENCE_DIGITAL, /* level 127, in packets like any other */
};

struct silence_gate {
    enum silence kind; /* of the packet before */
    uint8_t n;         /* packets of this silence, up to SILENCE_GATE_FIRST */
    int64_t since_us;  /* when this silence began */
    int64_t passed_us; /* when the last packet of it passed */
};

/** @param len  of the payload of Opus [bytes]. @param level  0..127, or -1: not told */
enum silence silence_of(unsigned len, int level);

/** The next packet of the sound, in order. @return true: send it on */
bool silence_gate_pass(struct silence_gate *g, enum silence kind, int64_t now_us);

#endif
