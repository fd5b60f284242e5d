/* What congestion control must do on a path, in simulated time: each case over SEEDS paths. */
#include "media/congestion_controller.h"

#include "media/base/clock.h"
#include "tests/congestion_world.h"
#include "tests/tap.h"

#include <math.h>

enum { SEEDS = 20 };

static const int64_t STEP_US = 100 * MS;
static const uint64_t PLENTY_BPS = 20000000; /* wanted */

static double estimate_of(const struct world_flow *f)
{
    return (double)congestion_controller_estimate(f->controller);
}

/* Say what does not hold, and on which path. */
static void require(bool holds, const char *what, uint64_t seed, double value)
{
    if (!holds)
        printf("# seed %" PRIu64 ": %s: %.3f\n", seed, what, value);
    CHECK(holds);
}

/* A path of `rate_bps`: delay, jitter, loss and kind of source differ from seed to seed. */
static struct world *path_of(uint64_t seed, double rate_bps, struct world_flow **flow)
{
    struct world *w = world_new(seed);

    w->link.rate_bps = rate_bps;
    w->link.delay_us = (25 + (int64_t)(seed * 5 % 26)) * MS;
    w->link.jitter_us = (int64_t)(seed % 4) * 5 * MS;
    *flow = world_add_flow(w, NULL);
    (*flow)->frame_rate = seed & 1 ? 30 : 0;
    (*flow)->has_audio = seed & 2;
    (*flow)->burst_us = seed & 4 ? 10 * MS : 0; /* as media/egress_pace does */
    congestion_controller_set_wanted((*flow)->controller, PLENTY_BPS, 0);
    return w;
}

/* The link has `rate_bps` for 30 s: `settle_us` from now the estimate is near, and stays. */
static void require_settled(struct world *w, uint64_t seed, double rate_bps, int64_t settle_us)
{
    double recent[20] = {0}; /* 2 s */
    int near = 0;
    int samples = 0;

    w->link.rate_bps = rate_bps;
    for (int i = 0; i < 30 * SECOND / STEP_US; i++) {
        double share, mean = 0;

        world_run(w, STEP_US);
        share = estimate_of(&w->flows[0]) / rate_bps;
        recent[i % 20] = share;
        for (int k = 0; k < 20; k++)
            mean += recent[k] / 20;
        if (i * STEP_US < settle_us)
            continue;
        near += fabs(share - 1) < 0.2;
        samples++;
        require(fabs(mean - 1) < 0.2, "mean of 2 s of the link's rate", seed, mean);
    }
    require(near > 0.9 * samples, "share of the time near it", seed, (double)near / samples);
}

/* `queue_us`: as long as the link sends in it; 0: 64 KiB */
static void follow_steps(uint64_t seed, int64_t queue_us)
{
    static const struct {
        double rate_bps;
        int64_t settle_us;
    } steps[] = {{3e6, 15 * SECOND}, {1e6, 5 * SECOND}, {0.5e6, 5 * SECOND}, {2e6, 15 * SECOND}};
    struct world_flow *f;
    struct world *w = path_of(seed, 3e6, &f);

    w->link.loss = (double)(seed % 5) * 0.0125;
    for (size_t i = 0; i < 4; i++) {
        if (queue_us > 0)
            w->link.queue_bytes = (size_t)(steps[i].rate_bps / 8 * (double)queue_us / SECOND);
        require_settled(w, seed, steps[i].rate_bps, steps[i].settle_us);
    }
    require(world_queue_us(w, 0.95) < 100 * MS, "95 % of the queue [us]", seed,
            (double)world_queue_us(w, 0.95));
    require((double)f->received_bytes * 8 > 0.8 * 30 * 6.5e6, "bits received of 195 M", seed,
            (double)f->received_bytes * 8);
    world_free(w);
}

static void steps_of_the_link_are_followed_with_a_short_queue(void)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        follow_steps(seed, 0);
}

static void the_same_with_a_queue_of_200_ms(void)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        follow_steps(seed, 200 * MS);
}

static void two_flows_share_a_link(void)
{
    static const double rates[] = {2e6, 4e6, 1e6};

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct world *w = world_new(seed);
        double ratio;

        w->link.rate_bps = rates[seed % 3];
        w->link.jitter_us = (int64_t)(seed % 4) * 5 * MS;
        w->link.loss = (double)(seed % 2) * 0.01;
        for (int i = 0; i < 2; i++) {
            struct world_flow *f = world_add_flow(w, NULL);

            f->frame_rate = seed & 4 ? 30 : 0;
            f->burst_us = seed & 8 ? 10 * MS : 0;
            f->start_us = i * 10 * SECOND;
            congestion_controller_set_wanted(f->controller, PLENTY_BPS, 0);
        }
        world_run(w, 60 * SECOND);
        world_measure(w);
        world_run(w, 60 * SECOND);
        ratio = (double)w->flows[0].received_bytes / (double)w->flows[1].received_bytes;
        require(fmax(ratio, 1 / ratio) < 1.5, "bytes of the one to the other", seed, ratio);
        require(world_queue_us(w, 0.95) < 100 * MS, "95 % of the queue [us]", seed,
                (double)world_queue_us(w, 0.95));
        world_free(w);
    }
}

static void random_loss_does_not_take_the_rate_down(void)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct world_flow *f;
        struct world *w = path_of(seed, 10e6, &f);
        double used;

        w->link.loss = 0.05;
        world_run(w, 20 * SECOND);
        world_measure(w);
        world_run(w, 40 * SECOND);
        used = (double)f->received_bytes * 8 / 40 / 10e6;
        require(used > 0.6, "used share of the link", seed, used);
        world_free(w);
    }
}

/* A path that drops what is too much, and queues nothing. */
static void losses_that_come_with_the_rate_are_congestion(void)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct world_flow *f;
        struct world *w = path_of(seed, 2e6, &f);
        double lost, used;

        f->frame_rate = 0; /* a frame at once is too much for it at any rate */
        w->link.queue_bytes = 4000;
        world_run(w, 20 * SECOND);
        world_measure(w);
        world_run(w, 60 * SECOND);
        lost = (double)f->lost_packets / (double)f->sent_packets;
        used = (double)f->received_bytes * 8 / 60 / 2e6;
        require(lost < 0.1, "lost", seed, lost);
        require(used > 0.7, "used share of the link", seed, used);
        world_free(w);
    }
}

/* @return how long it takes until the estimate is at least `bps` [us], at most `most_us` */
static int64_t time_until(struct world *w, double bps, int64_t most_us)
{
    int64_t start_us = w->now_us;

    while (w->now_us - start_us < most_us && estimate_of(&w->flows[0]) < bps)
        world_run(w, 10 * MS);
    return w->now_us - start_us;
}

static void a_new_path_is_known_within_two_seconds(void)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct world_flow *f;
        struct world *w = path_of(seed, 10e6, &f);
        int64_t took_us;

        f->most_bps = 2.5e6;
        congestion_controller_set_wanted(f->controller, 2500000, 0);
        took_us = time_until(w, 2.5e6, 10 * SECOND);
        require(took_us < 2 * SECOND, "us until 2.5 Mbit/s", seed, (double)took_us);
        world_free(w);
    }
}

static void a_stream_that_was_small_for_a_minute_may_grow_in_three_seconds(void)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct world_flow *f;
        struct world *w = path_of(seed, 10e6, &f);
        int64_t took_us;

        f->most_bps = 300e3;
        congestion_controller_set_wanted(f->controller, 340000, 0);
        world_run(w, 60 * SECOND);
        require(estimate_of(f) >= 300e3, "estimate after a minute", seed, estimate_of(f));
        require(estimate_of(f) < 1e6, "estimate that nothing has tested", seed, estimate_of(f));
        f->most_bps = 2.5e6;
        congestion_controller_set_wanted(f->controller, 2500000, w->now_us);
        took_us = time_until(w, 2.5e6, 10 * SECOND);
        require(took_us < 3 * SECOND, "us until 2.5 Mbit/s", seed, (double)took_us);
        world_free(w);
    }
}

static void the_estimate_outlives_a_pause_of_all_video(void)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct world_flow *f;
        struct world *w = path_of(seed, 10e6, &f);

        f->has_audio = true;
        f->most_bps = 2.5e6;
        congestion_controller_set_wanted(f->controller, 2500000, 0);
        world_run(w, 10 * SECOND);
        f->most_bps = 1;
        congestion_controller_set_wanted(f->controller, 40000, w->now_us);
        world_run(w, 30 * SECOND);
        require(estimate_of(f) > 2e6, "estimate", seed, estimate_of(f));
        world_free(w);
    }
}

static void video_that_starts_late_finds_its_rate_by_padding(void)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct world_flow *f;
        struct world *w = path_of(seed, 10e6, &f);
        int64_t took_us;

        f->has_audio = true;
        f->most_bps = 1;
        congestion_controller_set_wanted(f->controller, 0, 0);
        world_run(w, 10 * SECOND);
        require(f->padding_bytes == 0, "padding that nobody has use for", seed,
                (double)f->padding_bytes);
        congestion_controller_set_wanted(f->controller, 2500000, w->now_us);
        took_us = time_until(w, 2.4e6, 10 * SECOND);
        require(took_us < 3 * SECOND, "us until 2.4 Mbit/s", seed, (double)took_us);
        world_free(w);
    }
}

static void a_dead_path_is_used_again_within_three_seconds(void)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct world_flow *f;
        struct world *w = path_of(seed, 3e6, &f);
        int64_t took_us;

        world_run(w, 20 * SECOND);
        w->link.is_dead = true;
        world_run(w, 3 * SECOND);
        require(estimate_of(f) < 1e6, "estimate of a dead path", seed, estimate_of(f));
        w->link.is_dead = false;
        took_us = time_until(w, 2.4e6, 10 * SECOND);
        require(took_us < 3 * SECOND, "us until 80 % of the link", seed, (double)took_us);
        world_free(w);
    }
}

static void other_traffic_is_made_room_for(void)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct world_flow *f, *other;
        struct world *w = path_of(seed, 3e6, &f);
        double received_bps;

        other = world_add_flow(w, NULL);
        other->is_uncontrolled = true;
        other->fixed_bps = 1.5e6;
        other->start_us = 20 * SECOND;
        world_run(w, 25 * SECOND);
        world_measure(w);
        world_run(w, 15 * SECOND);
        received_bps = (double)f->received_bytes * 8 / 15;
        require(received_bps > 1e6, "bit/s beside it", seed, received_bps);
        require(world_queue_us(w, 0.95) < 100 * MS, "95 % of the queue [us]", seed,
                (double)world_queue_us(w, 0.95));
        other->start_us = NEVER_US; /* it is gone */
        world_run(w, 15 * SECOND);
        require(estimate_of(f) > 2.3e6, "estimate after it", seed, estimate_of(f));
        world_free(w);
    }
}

static void lost_feedback_reordering_and_drift_change_little(void)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct world_flow *f;
        struct world *w = path_of(seed, 2e6, &f);
        double used;

        f->feedback_loss = 0.1;
        f->clock_drift = (double)((int)(seed % 3) - 1) * 300e-6;
        f->clock_offset_us = -123456789 * (int64_t)seed;
        w->link.reorder = 0.02;
        world_run(w, 15 * SECOND);
        world_measure(w);
        world_run(w, 60 * SECOND);
        used = (double)f->received_bytes * 8 / 60 / 2e6;
        require(used > 0.75, "used share of the link", seed, used);
        require(world_queue_us(w, 0.95) < 100 * MS, "95 % of the queue [us]", seed,
                (double)world_queue_us(w, 0.95));
        world_free(w);
    }
}

static void a_receiver_clock_that_jumps_is_no_queue(void)
{
    static const int64_t jumps_us[] = {SECOND, -SECOND, 1000 * SECOND, -1000 * SECOND, 300 * MS};

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct world_flow *f;
        struct world *w = path_of(seed, 3e6, &f);

        world_run(w, 20 * SECOND);
        world_measure(w);
        for (int i = 0; i < 6; i++) {
            f->clock_offset_us += jumps_us[seed % 5];
            world_run(w, 5 * SECOND);
        }
        require(f->estimate_low > 1.8e6, "lowest estimate", seed, f->estimate_low);
        world_free(w);
    }
}

/* 100 ms of a new way look like a queue, but it does not get shorter when less is sent. */
static void a_longer_way_is_no_queue_for_long(void)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct world_flow *f;
        struct world *w = path_of(seed, 3e6, &f);

        world_run(w, 20 * SECOND);
        w->link.delay_us += 100 * MS;
        world_run(w, 6 * SECOND);
        require(estimate_of(f) > 2.1e6, "estimate", seed, estimate_of(f));
        world_free(w);
    }
}

static void slow_and_fast_links_are_used(void)
{
    static const double rates[] = {200e3, 300e3, 600e3, 20e6, 50e6};

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct world_flow *f;
        struct world *w = path_of(seed, rates[seed % 5], &f);
        double used;

        congestion_controller_set_wanted(f->controller, 100000000, 0);
        w->link.queue_bytes = (size_t)fmax(20000, rates[seed % 5] / 8 * 0.2);
        world_run(w, 20 * SECOND);
        world_measure(w);
        world_run(w, 20 * SECOND);
        used = (double)f->received_bytes * 8 / 20 / rates[seed % 5];
        require(used > 0.7, "used share of the link", seed, used);
        require(world_queue_us(w, 0.5) < 100 * MS, "half of the queue [us]", seed,
                (double)world_queue_us(w, 0.5));
        world_free(w);
    }
}

TAP_CASES(CASE(steps_of_the_link_are_followed_with_a_short_queue),
          CASE(the_same_with_a_queue_of_200_ms), CASE(two_flows_share_a_link),
          CASE(random_loss_does_not_take_the_rate_down),
          CASE(losses_that_come_with_the_rate_are_congestion),
          CASE(a_new_path_is_known_within_two_seconds),
          CASE(a_stream_that_was_small_for_a_minute_may_grow_in_three_seconds),
          CASE(the_estimate_outlives_a_pause_of_all_video),
          CASE(video_that_starts_late_finds_its_rate_by_padding),
          CASE(a_dead_path_is_used_again_within_three_seconds),
          CASE(other_traffic_is_made_room_for),
          CASE(lost_feedback_reordering_and_drift_change_little),
          CASE(a_receiver_clock_that_jumps_is_no_queue), CASE(a_longer_way_is_no_queue_for_long),
          CASE(slow_and_fast_links_are_used))
