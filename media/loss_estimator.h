/**
 * @file loss_estimator.h  Which losses mean that too much is sent, and a bound for the rate.
 *
 * A wireless path may lose 5 % at any rate; sending less does not help there. So losses beyond what
 * the path is known to lose anyway are put to the test: the bound goes down to what got through,
 * and if what is sent then is lost as often, the path loses that much by nature and the bound goes.
 * If it is lost less often, the bound was right and rises again slowly. Plain value.
 */
#ifndef MEDIA_LOSS_ESTIMATOR_H
#define MEDIA_LOSS_ESTIMATOR_H

#include <stdbool.h>
#include <stdint.h>

enum loss_phase {
    LOSS_FREE,    /* no bound */
    LOSS_TESTING, /* a bound, to see what it changes */
    LOSS_BOUND,   /* it did change something */
};

struct loss_estimator {
    double bound_bps;  /* INFINITY: none */
    double inherent;   /* what the path loses at any rate, 0..1 */
    double shown;      /* by a test: it is not more than that */
    double tested;     /* loss that the test is about */
    double before_bps; /* a bound that has helped, and was lowered further; 0: none */
    double tested_bps; /* what was sent then */
    enum loss_phase phase;
    int64_t since_us;   /* of the phase */
    uint8_t helped;     /* how often a bound was right, without one that was not in between */
    int64_t helped_us;  /* the last time */
    int64_t counts_us;  /* packets that left before are not counted */
    int64_t updated_us; /* bound last raised */
    /* the running window */
    int64_t first_sent_us, last_sent_us;
    uint32_t sent, lost;
    uint32_t row; /* lost in a row, until now */
    uint64_t bytes;
};

void loss_estimator_init(struct loss_estimator *l);

/** Note what became of a packet. @param sent_us  |sent_us| < 2^60 */
void loss_estimator_on_packet(struct loss_estimator *l, int64_t sent_us, uint32_t len,
                              bool received);

/**
 * Decide, once after the packets of each feedback.
 *
 * @param rtt_us        > 0
 * @param rate_bps      the estimate, all bounds included
 * @param is_congested  a queue stands on the path: losses are no evidence of a lossy path
 * @param is_limited    much less is sent than the path carries: losses do not come from the rate,
 *                      unless they are very many
 */
void loss_estimator_update(struct loss_estimator *l, int64_t rtt_us, double rate_bps,
                           bool is_congested, bool is_limited, int64_t now_us);

/** So much passed at once: a bound below that is none. */
void loss_estimator_lift(struct loss_estimator *l, double bps, int64_t now_us);

/** Forget the running window: what happened in it was no matter of rates. */
void loss_estimator_skip(struct loss_estimator *l);

#endif
