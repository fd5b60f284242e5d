#include "media/loss_estimator.h"

#include "media/base/clock.h"

#include <math.h>

static const int64_t WINDOW_US = 200 * MS;
static const int64_t WINDOW_MAX_US = SECOND;  /* with fewer packets than WINDOW_PACKETS */
static const int64_t HELPED_US = 30 * SECOND; /* remember that */
static const int64_t HOLD_US = 4 * SECOND;    /* a bound that was right */

enum { WINDOW_PACKETS = 60, TEST_PACKETS = 80, WINDOW_MIN_PACKETS = 10, LEARN_PACKETS = 500 };
enum { ROW_MAX = 3 }; /* in a row: further ones are part of the same misfortune, not of the rate */
enum { HELPED_OFTEN = 3 }; /* once and again may be chance */

static const double INHERENT_MAX = 0.15; /* a path that loses more is taken for congested */
static const double FREE = 0.08;         /* no more than that: no matter, whatever it comes from */
static const double FREE_KNOWN = 0.03;
static const double USUAL = 0.03;
static const double TOLERATED = 0.02; /* beyond what is known */
static const double DEVIATIONS = 2.5; /* beyond these it is no chance */
static const double MARGIN = 1.3;     /* a test is short */
static const double CUT_MAX = 0.5;    /* of one test */
static const double CUT_TEST = 0.1;   /* is enough to see what it does to the losses */
static const double LEAST_BPS = 10000;
static const double RISE = 0.25; /* per second, up to CLOSE of what was sent at the cut */
static const double RISE_CLOSE = 0.03;
static const double CLOSE = 0.9;
static const double LET_GO = 1.3; /* the bound this far above the cut is none */

void loss_estimator_init(struct loss_estimator *l)
{
    *l = (struct loss_estimator){.bound_bps = INFINITY, .counts_us = INT64_MIN};
}

void loss_estimator_skip(struct loss_estimator *l)
{
    l->sent = l->lost = 0;
    l->bytes = 0;
}

void loss_estimator_on_packet(struct loss_estimator *l, int64_t sent_us, uint32_t len,
                              bool received)
{
    l->row = received ? 0 : l->row + 1;
    if (sent_us < l->counts_us || l->row > ROW_MAX)
        return;
    if (l->sent == 0)
        l->first_sent_us = l->last_sent_us = sent_us;
    if (sent_us > l->last_sent_us)
        l->last_sent_us = sent_us;
    l->sent++;
    l->bytes += len;
    if (!received)
        l->lost++;
}

static void set_phase(struct loss_estimator *l, enum loss_phase phase, int64_t now_us)
{
    l->phase = phase;
    l->since_us = l->updated_us = now_us;
    if (phase == LOSS_FREE)
        l->bound_bps = INFINITY;
}

/* Down to what would have got through, and see; packets that left before say nothing of it. */
static void cut(struct loss_estimator *l, double loss, double sent_bps, int64_t now_us)
{
    double excess = (loss - l->inherent) / (1 - l->inherent);
    double most = loss > INHERENT_MAX ? CUT_MAX : CUT_TEST;

    sent_bps = fmax(sent_bps, LEAST_BPS);
    l->tested = loss;
    l->tested_bps = sent_bps;
    l->bound_bps = sent_bps * (1 - fmin(most, fmax(CUT_TEST, excess)));
    l->before_bps = 0;
    l->counts_us = now_us;
    set_phase(l, LOSS_TESTING, now_us);
}

/* @return share that may be lost; less where it is known that losses come with the rate */
static double allowed(const struct loss_estimator *l, int64_t now_us)
{
    bool is_known = l->helped >= HELPED_OFTEN && now_us - l->helped_us < HELPED_US;

    return fmax(is_known ? FREE_KNOWN : FREE, l->inherent + TOLERATED);
}

/* @return losses in a window of `sent` that are surely more than may be */
static bool is_excess(const struct loss_estimator *l, double loss, uint32_t sent, int64_t now_us)
{
    double usual = fmax(l->inherent, USUAL);
    double deviation = sqrt(usual * (1 - usual) / sent);

    return loss > allowed(l, now_us) + DEVIATIONS * deviation;
}

/* Over some hundred packets, up to what a test has shown: losses that come with the rate grow as
 * slowly as it does, and must not become usual on the way. */
static void learn(struct loss_estimator *l, double loss, uint32_t sent, bool is_limited)
{
    l->inherent += (loss - l->inherent) * fmin(0.5, (double)sent / LEARN_PACKETS);
    if (is_limited)
        l->shown = fmax(l->shown, l->inherent);
    l->inherent = fmin(l->inherent, fmin(INHERENT_MAX, fmax(FREE, l->shown)));
}

/* Were the rate to blame, as much as before would get through, and so less be lost. Half way from
 * nothing changed to that counts. */
static bool has_helped(const struct loss_estimator *l, double loss)
{
    double through_bps = l->tested_bps * (1 - l->tested);
    double expected = fmax(0, 1 - through_bps / l->bound_bps);

    return loss < (expected + l->tested) / 2;
}

static void conclude_test(struct loss_estimator *l, double loss, int64_t now_us)
{
    double before_bps = l->bound_bps;

    if (has_helped(l, loss)) {
        l->helped = l->helped < UINT8_MAX ? l->helped + 1 : l->helped;
        l->helped_us = now_us;
        if (l->helped >= HELPED_OFTEN)
            l->inherent = fmin(l->inherent, loss);
        set_phase(l, LOSS_BOUND, now_us);
        if (loss > allowed(l, now_us)) { /* perhaps it helps more */
            cut(l, loss, before_bps, now_us);
            l->before_bps = before_bps;
        }
        return;
    }
    l->helped = 0;
    l->inherent = fmin(INHERENT_MAX, loss);
    l->shown = MARGIN * l->inherent;
    if (l->before_bps > 0) {
        l->bound_bps = l->before_bps;
        set_phase(l, LOSS_BOUND, now_us);
    } else if (loss > INHERENT_MAX) {
        cut(l, loss, before_bps, now_us);
    } else {
        set_phase(l, LOSS_FREE, now_us);
    }
}

static void raise_bound(struct loss_estimator *l, int64_t now_us)
{
    double passed = (double)(now_us - l->updated_us) / SECOND;
    double rise = l->bound_bps < CLOSE * l->tested_bps ? RISE : RISE_CLOSE;

    if (now_us - l->since_us < HOLD_US)
        passed = 0;
    l->updated_us = now_us;
    l->bound_bps *= 1 + rise * fmax(0, fmin(1, passed));
    if (l->bound_bps > LET_GO * l->tested_bps)
        set_phase(l, LOSS_FREE, now_us);
}

void loss_estimator_lift(struct loss_estimator *l, double bps, int64_t now_us)
{
    if (l->bound_bps < bps)
        set_phase(l, LOSS_FREE, now_us);
}

static bool window_is_full(const struct loss_estimator *l, int64_t rtt_us)
{
    int64_t span_us = l->last_sent_us - l->first_sent_us;

    if (l->phase == LOSS_TESTING)
        return (span_us >= rtt_us && l->sent >= TEST_PACKETS) || span_us >= 2 * WINDOW_MAX_US;
    if (span_us >= WINDOW_MAX_US)
        return l->sent >= WINDOW_MIN_PACKETS;
    return span_us >= WINDOW_US && l->sent >= WINDOW_PACKETS;
}

void loss_estimator_update(struct loss_estimator *l, int64_t rtt_us, double rate_bps,
                           bool is_congested, bool is_limited, int64_t now_us)
{
    double loss, sent_bps;
    uint32_t sent = l->sent;

    if (l->phase == LOSS_BOUND)
        raise_bound(l, now_us);
    if (is_congested) { /* whoever looks at delays does what is to be done */
        if (l->phase == LOSS_TESTING)
            set_phase(l, LOSS_FREE, now_us);
        loss_estimator_skip(l);
        return;
    }
    if (sent < WINDOW_MIN_PACKETS || !window_is_full(l, rtt_us))
        return;
    loss = (double)l->lost / sent;
    sent_bps = 8.0 * (double)l->bytes * SECOND / (double)(l->last_sent_us - l->first_sent_us);
    loss_estimator_skip(l);
    if (l->phase == LOSS_TESTING)
        conclude_test(l, loss, now_us);
    else if (is_excess(l, loss, sent, now_us) && !(is_limited && loss <= INHERENT_MAX))
        cut(l, loss, is_limited ? sent_bps : rate_bps, now_us);
    else
        learn(l, loss, sent, is_limited);
}
