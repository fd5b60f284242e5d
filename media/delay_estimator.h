/**
 * @file delay_estimator.h  Whether a queue grows on the path, and how long it is, from when packets
 * left and arrived: the delay-based side of draft-ietf-rmcat-gcc-02 (5.2 to 5.5), with the
 * trendline filter that later implementations use, and the standing queue beside it.
 *
 * Clocks need not agree: only differences count. The time axis is the sender's clock. A drift of
 * the receiver's clock of up to 500 ppm looks like a queue of less than 8 ms. Plain value.
 */
#ifndef MEDIA_DELAY_ESTIMATOR_H
#define MEDIA_DELAY_ESTIMATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DELAY_TREND_GROUPS = 20, /* groups that the trendline is laid through */
    DELAY_BASE_SLOTS = 10,   /* of 1.5 s: the shortest delay in them has no queue in it */
};

enum delay_signal {
    DELAY_NORMAL,
    DELAY_OVERUSED,  /* the queue grows */
    DELAY_UNDERUSED, /* the queue shrinks */
};

/* Packets that left within one burst, or arrived as one. */
struct delay_group {
    int64_t first_sent_us, last_sent_us, last_arrival_us;
    bool used;
};

struct delay_point {
    double sent_ms, delay_ms;
};

struct delay_estimator {
    struct delay_group group, previous;
    struct delay_point trend[DELAY_TREND_GROUPS]; /* ring: groups % DELAY_TREND_GROUPS is next */
    uint32_t groups;                              /* points since the last reset */
    int64_t trend_start_us;
    double accumulated_ms, smoothed_ms;
    double last_trend_ms, threshold_ms;
    double over_ms; /* how long the trend has been above the threshold */
    uint32_t over_groups;
    enum delay_signal signal;

    int64_t base_us[DELAY_BASE_SLOTS]; /* shortest delay of each slot; INT64_MAX: none */
    int64_t base_slot;                 /* number of the newest slot */
    int64_t recent_us[2];              /* shortest delay of the running short slot, and the last */
    int64_t recent_start_us;
    uint32_t recent_packets;
    int64_t newest_sent_us, newest_delay_us; /* of the packet that left last */
    double jitter_us;                        /* mean step of the delay from packet to packet */
};

void delay_estimator_init(struct delay_estimator *d);

/**
 * Note a packet that arrived. One that left before the newest known is ignored.
 *
 * @param sent_us     sender's clock, |sent_us| < 2^60
 * @param arrival_us  receiver's clock, |arrival_us| < 2^60
 * @param is_probe    sent faster than the path may be able to take: kept out of the trend
 */
void delay_estimator_on_packet(struct delay_estimator *d, int64_t sent_us, int64_t arrival_us,
                               bool is_probe);

/** The path has changed, or what it carries besides: what looks like a queue now is its delay. */
void delay_estimator_rebase(struct delay_estimator *d);

/** @return how far packets have lately been delayed beyond the shortest delay known [us], 0 to
 *          10 s. The shortest of the last 50 to 100 ms: jitter is no queue */
int64_t delay_estimator_queue_us(const struct delay_estimator *d);

#endif
