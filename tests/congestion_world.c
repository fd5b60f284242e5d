#include "tests/congestion_world.h"

#include "bench/netem.h"
#include "media/base/clock.h"

#include <math.h>
#include <stdlib.h>

enum {
    PACKET = 1200,      /* the longest */
    PADDING = 280,      /* the shortest that a probe is made of */
    AUDIO_PACKET = 100, /* every 20 ms */
    RESULTS_MAX = WORLD_HISTORY / 8,
};

static const int64_t TICK_US = MS;
static const int64_t HOARD_US = 400 * MS; /* a source pauses when this much waits to be sent */
static const int64_t REORDER_US = 20 * MS;

static double uniform(struct world *w)
{
    return (double)(netem_random(&w->random) >> 11) * 0x1p-53;
}

struct world *world_new(uint64_t seed)
{
    struct world *w = calloc(1, sizeof(*w));

    if (!w)
        abort();
    w->random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    w->link = (struct world_link){.rate_bps = 10e6, .queue_bytes = 65536, .delay_us = 25 * MS};
    return w;
}

struct world *world_free(struct world *w)
{
    for (size_t i = 0; w && i < w->flow_count; i++)
        congestion_controller_free(w->flows[i].controller);
    free(w);
    return NULL;
}

struct world_flow *world_add_flow(struct world *w, const struct congestion_config *config)
{
    struct world_flow *f = &w->flows[w->flow_count++];

    if (congestion_controller_new(&f->controller, config, w->now_us) < 0)
        abort();
    f->feedback_min_us = 50 * MS;
    f->feedback_max_us = 100 * MS;
    return f;
}

/* --- the link */

static void queue_packet(struct world *w, struct world_flow *f, uint32_t len, uint8_t probe)
{
    uint64_t seq = f->next_seq++;

    f->history[seq % WORLD_HISTORY].sent_us = w->now_us;
    f->history[seq % WORLD_HISTORY].arrival_us = NEVER_US;
    f->history[seq % WORLD_HISTORY].len = len;
    f->history[seq % WORLD_HISTORY].probe = probe;
    f->history[seq % WORLD_HISTORY].told = false;
    f->history[seq % WORLD_HISTORY].told_lost = false;
    f->sent_bytes += len;
    f->sent_packets++;
    f->turn_bytes += len;
    if (w->link.is_dead || uniform(w) < w->link.loss ||
        w->queue_bytes + len > w->link.queue_bytes || w->queue_count == WORLD_MAX_QUEUED) {
        f->lost_packets++;
        return;
    }
    w->queue[(w->queue_first + w->queue_count++) % WORLD_MAX_QUEUED] = (struct world_queued){
        .queued_us = w->now_us, .flow = (uint32_t)(f - w->flows), .len = len, .seq = seq};
    w->queue_bytes += len;
}

static void arrive(struct world *w, const struct world_queued *q, int64_t left_us)
{
    struct world_flow *f = &w->flows[q->flow];
    int64_t arrival_us = left_us + w->link.delay_us;

    arrival_us += (int64_t)(uniform(w) * (double)w->link.jitter_us);
    if (arrival_us < w->last_arrival_us)
        arrival_us = w->last_arrival_us;
    w->last_arrival_us = arrival_us;
    if (uniform(w) < w->link.reorder)
        arrival_us += REORDER_US;
    f->history[q->seq % WORLD_HISTORY].arrival_us = arrival_us;
    f->received_bytes += q->len;
}

static void run_link(struct world *w)
{
    while (w->queue_count > 0) {
        const struct world_queued *q = &w->queue[w->queue_first];
        int64_t start_us = w->free_us > q->queued_us ? w->free_us : q->queued_us;
        int64_t left_us = start_us + (int64_t)(8.0 * q->len * SECOND / w->link.rate_bps);

        if (left_us > w->now_us)
            break;
        w->free_us = left_us;
        arrive(w, q, left_us);
        w->queue_bytes -= q->len;
        w->queue_first = (w->queue_first + 1) % WORLD_MAX_QUEUED;
        w->queue_count--;
    }
}

/* --- sources and pacer */

static double source_bps(const struct world_flow *f)
{
    double bps = f->fixed_bps;

    if (bps <= 0) {
        bps = (double)congestion_controller_estimate(f->controller);
        bps -= f->has_audio ? 40000 : 0;
        if (f->most_bps > 0)
            bps = fmin(bps, f->most_bps);
    }
    return fmax(bps, 0);
}

static void run_source(struct world *w, struct world_flow *f)
{
    double bps = source_bps(f);

    if (f->has_audio && w->now_us >= f->next_audio_us) {
        queue_packet(w, f, AUDIO_PACKET, 0);
        f->next_audio_us = w->now_us + 20 * MS;
    }
    if (f->waiting_bytes * 8 * SECOND > bps * (double)HOARD_US)
        return;
    if (f->frame_rate <= 0) {
        f->waiting_bytes += bps / 8 * (double)TICK_US / SECOND;
    } else if (w->now_us >= f->next_frame_us) {
        f->waiting_bytes += bps / 8 / f->frame_rate * (0.7 + 0.6 * uniform(w));
        f->next_frame_us = w->now_us + (int64_t)(SECOND / f->frame_rate);
    }
}

static void start_probe(struct world *w, struct world_flow *f)
{
    if (f->probe.id != 0 || !congestion_controller_take_probe(f->controller, &f->probe, w->now_us))
        return;
    f->probe_packets = f->probe_bytes = 0;
    f->probe_start_us = f->probe_next_us = w->now_us;
}

/* What waits goes first, padding fills up. */
static void run_probe(struct world *w, struct world_flow *f)
{
    while (f->probe.id != 0 && f->probe_next_us <= w->now_us) {
        double size = (double)f->probe.min_bytes / f->probe.min_packets;
        uint32_t len = (uint32_t)fmax(PADDING, fmin(PACKET, size));

        if (f->waiting_bytes >= PACKET) {
            len = PACKET;
            f->waiting_bytes -= len;
        } else {
            f->padding_bytes += len;
        }
        queue_packet(w, f, len, f->probe.id);
        f->probe_packets++;
        f->probe_bytes += len;
        f->probe_next_us += (int64_t)(8.0 * len * SECOND / (double)f->probe.bps);
        if (f->probe_packets >= f->probe.min_packets && f->probe_bytes >= f->probe.min_bytes &&
            f->probe_next_us >= f->probe_start_us + f->probe.duration_us)
            f->probe.id = 0;
    }
}

static void run_pacer(struct world *w, struct world_flow *f)
{
    double pacing_bps = (double)congestion_controller_pacing(f->controller);

    if (f->is_uncontrolled)
        pacing_bps = 1e9;
    if (f->next_send_us < w->now_us - TICK_US)
        f->next_send_us = w->now_us - TICK_US;
    if (f->probe.id == 0 && f->next_send_us > w->now_us)
        return;
    while (f->probe.id == 0 && f->next_send_us <= w->now_us + f->burst_us) {
        double enough = f->frame_rate > 0 ? 200 : PACKET;
        uint32_t len = (uint32_t)fmin(PACKET, f->waiting_bytes);

        if (f->waiting_bytes < enough)
            break;
        f->waiting_bytes -= len;
        queue_packet(w, f, len, 0);
        f->next_send_us += (int64_t)(8.0 * len * SECOND / pacing_bps);
    }
}

/* --- feedback */

static int64_t receiver_clock(const struct world_flow *f, int64_t us)
{
    int64_t there_us = us + f->clock_offset_us + (int64_t)(f->clock_drift * (double)us);

    return there_us - there_us % 250; /* as transport-cc tells it */
}

static uint64_t highest_arrived(const struct world_flow *f, int64_t now_us)
{
    uint64_t highest = f->highest_arrived; /* exclusive */

    for (uint64_t seq = highest; seq < f->next_seq; seq++)
        if (f->history[seq % WORLD_HISTORY].arrival_us <= now_us)
            highest = seq + 1;
    return highest;
}

static void add_result(struct world_flow *f, struct world_feedback *fb, uint64_t seq,
                       int64_t now_us)
{
    bool received = f->history[seq % WORLD_HISTORY].arrival_us <= now_us;

    if (f->history[seq % WORLD_HISTORY].told || fb->n == RESULTS_MAX ||
        (!received && f->history[seq % WORLD_HISTORY].told_lost))
        return;
    if (received)
        f->history[seq % WORLD_HISTORY].told = true;
    else
        f->history[seq % WORLD_HISTORY].told_lost = true;
    fb->results[fb->n++] = (struct congestion_result){
        .seq = (uint16_t)seq,
        .received = received,
        .probe = f->history[seq % WORLD_HISTORY].probe,
        .len = f->history[seq % WORLD_HISTORY].len,
        .sent_us = f->history[seq % WORLD_HISTORY].sent_us,
        .arrival_us = received ? receiver_clock(f, f->history[seq % WORLD_HISTORY].arrival_us) : 0,
    };
}

static void write_feedback(struct world *w, struct world_flow *f)
{
    struct world_feedback *fb;
    double range_us = (double)(f->feedback_max_us - f->feedback_min_us);
    uint64_t from;

    if (w->now_us < f->next_feedback_us)
        return;
    f->next_feedback_us = w->now_us + f->feedback_min_us + (int64_t)(uniform(w) * range_us);
    f->highest_arrived = highest_arrived(f, w->now_us);
    if (f->answers_nothing || w->feedback_count == WORLD_MAX_FEEDBACK)
        return;
    fb = &w->feedback[(w->feedback_first + w->feedback_count) % WORLD_MAX_FEEDBACK];
    fb->n = 0;
    fb->flow = (uint32_t)(f - w->flows);
    fb->due_us = w->now_us + w->link.delay_us;
    /* a look back for those that came late */
    from = f->next_told > 64 ? f->next_told - 64 : 0;
    for (uint64_t seq = from; seq < f->highest_arrived; seq++)
        add_result(f, fb, seq, w->now_us);
    f->next_told = f->highest_arrived;
    if (fb->n > 0 && !w->link.is_dead && uniform(w) >= f->feedback_loss)
        w->feedback_count++;
}

static void deliver_feedback(struct world *w)
{
    while (w->feedback_count > 0 && w->feedback[w->feedback_first].due_us <= w->now_us) {
        const struct world_feedback *fb = &w->feedback[w->feedback_first];

        congestion_controller_on_feedback(w->flows[fb->flow].controller, fb->results, fb->n,
                                          w->now_us);
        w->feedback_first = (w->feedback_first + 1) % WORLD_MAX_FEEDBACK;
        w->feedback_count--;
    }
}

/* --- all of it */

static void run_flow(struct world *w, struct world_flow *f)
{
    double estimate;

    if (w->now_us < f->start_us)
        return;
    run_source(w, f);
    if (!f->is_uncontrolled) {
        start_probe(w, f);
        run_probe(w, f);
    }
    run_pacer(w, f);
    write_feedback(w, f);
    if (f->turn_bytes > 0)
        congestion_controller_on_sent(f->controller, f->turn_bytes, w->now_us);
    if (f->turn_bytes > 0 || w->now_us >= f->advance_us)
        f->advance_us = congestion_controller_advance(f->controller, w->now_us);
    f->turn_bytes = 0;
    estimate = (double)congestion_controller_estimate(f->controller);
    f->estimate_sum += estimate;
    f->estimate_samples++;
    f->estimate_low = fmin(f->estimate_low, estimate);
    f->estimate_high = fmax(f->estimate_high, estimate);
}

void world_run(struct world *w, int64_t duration_us)
{
    int64_t end_us = w->now_us + duration_us;

    while (w->now_us < end_us) {
        int64_t queue_us = (int64_t)(8.0 * (double)w->queue_bytes * SECOND / w->link.rate_bps);
        int64_t bin = queue_us / MS < WORLD_QUEUE_BINS ? queue_us / MS : WORLD_QUEUE_BINS - 1;

        w->queue_bins[bin]++;
        w->queue_samples++;
        run_link(w);
        deliver_feedback(w);
        for (size_t i = 0; i < w->flow_count; i++)
            run_flow(w, &w->flows[i]);
        w->now_us += TICK_US;
    }
}

void world_measure(struct world *w)
{
    for (size_t i = 0; i < WORLD_QUEUE_BINS; i++)
        w->queue_bins[i] = 0;
    w->queue_samples = 0;
    for (size_t i = 0; i < w->flow_count; i++) {
        struct world_flow *f = &w->flows[i];

        f->sent_bytes = f->received_bytes = f->sent_packets = f->lost_packets = 0;
        f->padding_bytes = f->estimate_samples = 0;
        f->estimate_sum = f->estimate_high = 0;
        f->estimate_low = INFINITY;
    }
}

int64_t world_queue_us(const struct world *w, double share)
{
    uint64_t below = 0;
    int64_t bin = 0;

    while (bin < WORLD_QUEUE_BINS - 1 &&
           (double)(below += w->queue_bins[bin]) < share * (double)w->queue_samples)
        bin++;
    return bin * MS;
}

double world_estimate(const struct world_flow *f)
{
    return f->estimate_samples ? f->estimate_sum / (double)f->estimate_samples : 0;
}
