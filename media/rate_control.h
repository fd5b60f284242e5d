/**
 * @file rate_control.h  The rate that delay allows: up slowly, more slowly near where it was too
 * much before, down to a part of what arrived when a queue grows (draft-ietf-rmcat-gcc-02, 5.5),
 * and further down until that queue is gone. Plain value.
 */
#ifndef MEDIA_RATE_CONTROL_H
#define MEDIA_RATE_CONTROL_H

#include "media/delay_estimator.h"

#include <stdbool.h>
#include <stdint.h>

enum rate_phase {
    RATE_GROWING,
    RATE_DRAINING, /* a queue has built up */
    RATE_HOLDING,  /* it is gone; what left since has not been answered yet */
};

/** What is known of the path when a feedback arrives. */
struct rate_input {
    enum delay_signal signal;
    int64_t queue_us;    /* standing queue */
    int64_t rtt_us;      /* > 0 */
    int64_t jitter_us;   /* >= 0 */
    double acked_bps;    /* arrived in the last 200 ms or so; 0: unknown */
    double steady_bps;   /* arrived in the last 600 ms or so; 0: unknown */
    bool is_overflowing; /* many are lost */
    bool is_limited;     /* much less is sent than `bps` */
    bool is_held;        /* something else holds the rate below `bps` */
};

struct rate_control {
    double bps;
    double min_bps, max_bps;
    double link_bps;    /* what arrived at the last overuses; 0: unknown */
    double link_error;  /* relative deviation of that */
    double before_bps;  /* what was had before the queue was noticed */
    double carried_bps; /* what arrived last while it stood; 0: unknown */
    enum rate_phase phase;
    int64_t since_us;   /* of the phase */
    int64_t suspect_us; /* first overuse that nothing was done about yet; NEVER_US: none */
    int64_t drain_us;   /* the queue when draining began */
    int64_t lowered_us; /* last decrease */
    int64_t drained_us; /* end of the last drain; 0: none yet */
    int64_t updated_us;
    int64_t queue_us; /* as of the last update */
    bool rose;        /* see rate_control_take_rise() */
    bool stuck;       /* see rate_control_take_stuck() */
};

/** @param start_bps  within min_bps .. max_bps, all > 0 */
void rate_control_init(struct rate_control *r, double start_bps, double min_bps, double max_bps,
                       int64_t now_us);

/** Take what a feedback tells. */
void rate_control_update(struct rate_control *r, const struct rate_input *in, int64_t now_us);

/** Go to `bps` at once: a probe, a report or silence says so. Clamped to the bounds. */
void rate_control_set(struct rate_control *r, double bps, int64_t now_us);

/** Something else says that it is no more than `bps`. */
void rate_control_limit(struct rate_control *r, double bps);

/** @return share of `bps` to send while a queue of more than `allowed_us` drains, 1 if none does */
double rate_control_drain(const struct rate_control *r, int64_t allowed_us);

/** @return the rate is near one that was too much not long ago */
bool rate_control_is_near_link(const struct rate_control *r, int64_t now_us);

/** @return true once after more arrived than the path was believed to carry */
bool rate_control_take_rise(struct rate_control *r);

/** @return true once after less was sent for long and the queue stayed: it is none of ours */
bool rate_control_take_stuck(struct rate_control *r);

#endif
