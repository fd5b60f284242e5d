/**
 * @file probe_control.h  When to send faster than the estimate for a moment to see whether the path
 * carries more, and what came of it. Plain value.
 *
 * At the start three and six times the start value; after a success twice what was found; every
 * five seconds while more is wanted than is known to pass; soon after the rate has fallen far.
 * Never beyond what is useful: twice what is wanted.
 */
#ifndef MEDIA_PROBE_CONTROL_H
#define MEDIA_PROBE_CONTROL_H

#include "media/base/attributes.h"
#include "media/congestion_controller.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PROBE_MAX_OPEN = 4, /* sent, not answered yet */
    PROBE_MAX_PENDING = 2,
    PROBE_MIN_PACKETS = 5,
};

/* What has been told of one probe. */
struct probe_cluster {
    uint8_t id; /* 0: unused */
    double bps;
    int64_t taken_us;
    uint32_t min_packets, min_bytes;
    uint32_t received, lost;
    uint64_t bytes; /* received */
    int64_t first_sent_us, last_sent_us, first_arrival_us, last_arrival_us;
    uint32_t first_len, last_len;
    int64_t duration_us;
};

/** What is known of the path when probes are decided on. */
struct probe_view {
    double estimate_bps;
    double wanted_bps; /* INFINITY: anything */
    double max_bps;
    int64_t rtt_us, jitter_us;
    bool is_congested; /* a queue drains: no time for probes */
    bool is_known;     /* the estimate is near what was too much a moment ago: no use */
};

/** What a probe found. */
struct probe_outcome {
    double bps;        /* what passed; 0: it failed, nothing is known */
    bool is_saturated; /* more than that does not pass */
    bool is_vague;     /* it may be jitter that made it so: a longer one would tell */
};

struct probe_control {
    struct probe_cluster open[PROBE_MAX_OPEN];
    double pending_bps[PROBE_MAX_PENDING];
    size_t pending;
    double wanted_bps; /* as of the last advance */
    int64_t next_us;   /* the next is not due earlier */
    int64_t last_us;   /* the last was decided on */
    int64_t duration_us;
    uint8_t last_id;
    uint8_t failures; /* without a success in between */
    bool started;
    bool hastened; /* there is a reason now, whatever was known */
};

void probe_control_init(struct probe_control *p);

/** Decide on new probes. @return when to call again [us], > now_us; NEVER_US */
int64_t probe_control_advance(struct probe_control *p, const struct probe_view *view,
                              int64_t now_us);

/** The path may carry more than the estimate: probe in `after_us` if more is wanted, whatever was
 *  known. Never within a second of the last. */
void probe_control_hasten(struct probe_control *p, int64_t after_us, int64_t now_us);

/** @return true: *ret is to be sent now */
MUST_USE bool probe_control_take(struct probe_control *p, struct congestion_probe *ret,
                                 int64_t now_us);

/** Note what became of a packet with a probe's id. */
void probe_control_on_result(struct probe_control *p, const struct congestion_result *result);

/** Take the outcome of a probe that is decided: call after each feedback and advance until false.
 *  @return true: *ret was written */
MUST_USE bool probe_control_take_outcome(struct probe_control *p, struct probe_outcome *ret,
                                         const struct probe_view *view, int64_t now_us);

#endif
