/**
 * @file congestion_controller.h  How much one path carries: the sender's side of
 * draft-ietf-rmcat-gcc-02, with probing.
 *
 * Sans-I/O heap object of at most CONGESTION_MAX_BYTES, one per transport that sends media. Rates
 * are bits per second on the wire, IP and UDP heads included. One thread. Every argument that comes
 * from a peer (results, REMB, loss reports, receiver's clock) may be anything.
 *
 * The owner tells what it sends and what feedback says, calls congestion_controller_advance() when
 * it is due, then takes the probes and reads estimate and pacing:
 *
 *     on_sent, on_feedback, set_rtt, set_wanted  ->  advance  ->  take_probe, estimate, pacing
 */
#ifndef MEDIA_CONGESTION_CONTROLLER_H
#define MEDIA_CONGESTION_CONTROLLER_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONGESTION_MAX_BYTES = 16 * 1024,
    CONGESTION_START_BPS = 300 * 1000,
    CONGESTION_MIN_BPS = 30 * 1000,
    CONGESTION_MAX_BPS = 100 * 1000 * 1000,
};

/** Bounds of the estimate [bit/s]; 0: the default above. Brought into min <= start <= max. */
struct congestion_config {
    uint32_t start_bps, min_bps, max_bps;
};

/** What a peer says of one packet. */
struct congestion_result {
    uint16_t seq;
    bool received;
    uint8_t probe;      /* id of the probe it was part of; 0: none */
    uint32_t len;       /* on the wire [bytes] */
    int64_t sent_us;    /* our clock */
    int64_t arrival_us; /* receiver's clock, unwrapped; if received */
};

/** A probe to send: `bps` for `duration_us`, at least `min_packets` and `min_bytes`. Its packets
 *  (media, retransmissions, padding) are marked with `id`. */
struct congestion_probe {
    uint8_t id; /* 1..255 */
    uint64_t bps;
    int64_t duration_us;
    uint32_t min_packets, min_bytes;
};

enum congestion_state {
    CONGESTION_WAITING,  /* no feedback of any kind yet: the estimate is the start value */
    CONGESTION_STEADY,   /* growing, or as large as it may */
    CONGESTION_DRAINING, /* a queue has built up: less is sent until it is gone */
    CONGESTION_LOSSY,    /* held down by losses that grow with the rate */
    CONGESTION_SILENT,   /* packets leave and no feedback comes */
    CONGESTION_REPORTED, /* no transport feedback: after REMB and receiver reports */
};

struct congestion_stats {
    uint64_t estimate_bps;
    uint64_t acked_bps; /* what arrived lately; 0: unknown */
    uint64_t delay_bps; /* bound by delay */
    uint64_t loss_bps;  /* bound by losses; UINT64_MAX: none */
    int64_t rtt_us;     /* as set, or the shortest answer seen; 0: unknown */
    int64_t queue_us;   /* standing queue of the path */
    double loss;        /* share of packets lost lately, 0..1 */
    enum congestion_state state;
    bool application_limited; /* much less is sent than the path would carry */
};

struct congestion_controller;

/** @param config  borrowed; NULL: all defaults. @return 0; -ENOMEM */
MUST_USE int congestion_controller_new(struct congestion_controller **ret,
                                       const struct congestion_config *config, int64_t now_us);
/** NULL is fine. @return NULL */
struct congestion_controller *congestion_controller_free(struct congestion_controller *c);

/**
 * Take the results of one feedback packet (transport-cc or RFC 8888).
 *
 * @param results  in the order of sending. Each packet is told of at most once as lost and at most
 *                 once as received; one that was lost may turn out received later
 */
void congestion_controller_on_feedback(struct congestion_controller *c,
                                       const struct congestion_result *results, size_t n,
                                       int64_t now_us);

/** A receiver's own estimate [bit/s]. Ignored once there was transport feedback. */
void congestion_controller_on_remb(struct congestion_controller *c, uint64_t bps, int64_t now_us);

/** A receiver report of a stream that has no gaps but the path's.
 *  Ignored once there was transport feedback. @param fraction  lost, of 256 */
void congestion_controller_on_loss_report(struct congestion_controller *c, uint8_t fraction,
                                          int64_t now_us);

/** @param rtt_us  measured by RTCP or ICE; clamped to 1 ms .. 3 s */
void congestion_controller_set_rtt(struct congestion_controller *c, int64_t rtt_us);

/** What the application would send if it could, all it sends now included [bit/s]. Probing goes no
 *  higher than twice that; 0: nothing is wanted. Until the first call: 5 Mbit/s. */
void congestion_controller_set_wanted(struct congestion_controller *c, uint64_t wanted_bps,
                                      int64_t now_us);

/** Tell of what left since the last call (once per turn is enough).
 *  @param bytes  on the wire, probes included; only packets that feedback will tell of */
void congestion_controller_on_sent(struct congestion_controller *c, uint32_t bytes, int64_t now_us);

/** Do what is due. @return when to call again [us], > now_us; NEVER_US: when something happened */
int64_t congestion_controller_advance(struct congestion_controller *c, int64_t now_us);

/** @return estimate of what the path carries [bit/s], within the bounds of the configuration */
uint64_t congestion_controller_estimate(const struct congestion_controller *c);

/** @return the rate at which the pacer may send [bit/s]: the estimate times a factor, 2.5 in good
 *          times; below the estimate while a queue drains */
uint64_t congestion_controller_pacing(const struct congestion_controller *c);

/** Take the next probe that is to be sent now. Call until false, after each advance; one that
 *  cannot be sent is simply not sent. @return true: *ret was written */
MUST_USE bool congestion_controller_take_probe(struct congestion_controller *c,
                                               struct congestion_probe *ret, int64_t now_us);

/** Fill `ret` with what is known now. */
void congestion_controller_stats(const struct congestion_controller *c,
                                 struct congestion_stats *ret);

const char *congestion_state_name(enum congestion_state state);

#endif
