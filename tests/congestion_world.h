/**
 * @file congestion_world.h  Senders with congestion controllers over one bottleneck, in simulated
 * time: a link with rate, queue, delay, jitter and loss, receivers that answer with feedback, and
 * sources that follow the estimate as video does. All from one seed.
 */
#ifndef TESTS_CONGESTION_WORLD_H
#define TESTS_CONGESTION_WORLD_H

#include "media/congestion_controller.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WORLD_MAX_FLOWS = 4,
    WORLD_MAX_QUEUED = 8192, /* packets in the link's queue */
    WORLD_HISTORY = 8192,    /* packets of a flow that can be under way */
    WORLD_MAX_FEEDBACK = 32, /* feedback packets under way */
    WORLD_QUEUE_BINS = 3000, /* of 1 ms */
};

struct world_link {
    double rate_bps;    /* > 0 */
    size_t queue_bytes; /* more is dropped */
    int64_t delay_us;   /* one way, the other way too */
    int64_t jitter_us;  /* added, uniform; does not reorder */
    double loss;        /* each packet, before the queue */
    bool is_dead;       /* everything is lost, also feedback */
    double reorder;     /* packets that take 20 ms longer */
};

struct world_flow {
    /* to be set before the first run, or changed in between */
    int64_t start_us;
    double fixed_bps;  /* sends this whatever the estimate; 0: follows it */
    double most_bps;   /* sends no more than this; 0: as much as it may */
    double frame_rate; /* sends frames; 0: smoothly */
    int64_t burst_us;  /* what the pacer lets go at once; 0: packet by packet */
    bool has_audio;    /* 40 kbit/s beside it */
    int64_t feedback_min_us, feedback_max_us; /* pause between two, uniform; 0: 50, 100 ms */
    double feedback_loss;
    int64_t clock_offset_us;                  /* of the receiver */
    double clock_drift;                       /* relative */
    bool answers_nothing;                     /* feedback is off */
    struct congestion_controller *controller; /* NULL: none is made; set by world_start() */
    bool is_uncontrolled;

    /* results since world_measure() */
    uint64_t sent_bytes, received_bytes, sent_packets, lost_packets, padding_bytes;
    double estimate_sum, estimate_low, estimate_high;
    uint64_t estimate_samples;

    /* inner state */
    struct {
        int64_t sent_us, arrival_us; /* arrival: NEVER_US: not, or not yet */
        uint32_t len;
        uint8_t probe;
        bool told_lost, told;
    } history[WORLD_HISTORY];
    uint64_t next_seq, next_told, highest_arrived;
    double bucket_bytes;  /* what the source has made and not yet cut into packets */
    double waiting_bytes; /* in the pacer */
    int64_t next_frame_us, next_audio_us, next_send_us, next_feedback_us;
    struct congestion_probe probe; /* being sent; id 0: none */
    uint32_t probe_packets, probe_bytes;
    int64_t probe_start_us, probe_next_us;
    int64_t advance_us;
    uint32_t turn_bytes;
};

struct world_queued {
    int64_t queued_us;
    uint32_t flow, len;
    uint64_t seq;
};

struct world_feedback {
    int64_t due_us;
    uint32_t flow, n;
    struct congestion_result results[WORLD_HISTORY / 8];
};

struct world {
    struct world_link link;
    struct world_flow flows[WORLD_MAX_FLOWS];
    size_t flow_count;
    uint64_t random;
    int64_t now_us;

    struct world_queued queue[WORLD_MAX_QUEUED]; /* ring */
    size_t queue_first, queue_count, queue_bytes;
    int64_t free_us; /* when the link has sent what it is sending */
    int64_t last_arrival_us;
    struct world_feedback feedback[WORLD_MAX_FEEDBACK]; /* ring */
    size_t feedback_first, feedback_count;

    uint64_t
        queue_bins[WORLD_QUEUE_BINS]; /* time the queue was that long [ms of ms], since measure */
    uint64_t queue_samples;
};

/** @return a world with an idle link of 10 Mbit/s, 64 KiB, 25 ms each way; aborts without memory */
struct world *world_new(uint64_t seed);
struct world *world_free(struct world *w);

/** @return a new flow, to be set up by the caller */
struct world_flow *world_add_flow(struct world *w, const struct congestion_config *config);

/** Let `duration_us` pass. */
void world_run(struct world *w, int64_t duration_us);

/** Begin to measure anew. */
void world_measure(struct world *w);

/** @return how long a packet would have waited, `share` (0..1) of the time since world_measure() */
int64_t world_queue_us(const struct world *w, double share);

/** @return mean of the estimate since world_measure() [bit/s] */
double world_estimate(const struct world_flow *f);

#endif
