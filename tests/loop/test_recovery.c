/* Losses on either side of the forwarder: what is sent again, what a key frame makes up for, and
 * what one participant can make others do. */

#include "tests/loop/relay_fixture.h"

enum { LOSSY_SEEDS = 5 };

static const int64_t IN_TIME_US = 400 * MS;

/** Frames of one source that one sink should have. */
struct frames {
    uint32_t all, whole, in_time;
};

static void change_links(struct fake_peer *p, const struct netem_config *link)
{
    netem_change(p->up, link);
    netem_change(p->down, link);
}

/* [us] when the source sent what has this index; it never paused. */
static int64_t sent_us(const struct fake_source *s, uint32_t index)
{
    return s->next_us - (int64_t)(s->frames - index / s->packets_per_frame) * s->frame_us;
}

/* Count the frames from the first that came on, but for those that may be under way. */
static struct frames count_frames(const struct fake_sink *sink, const struct fake_source *source,
                                  int64_t now_us)
{
    static uint32_t came[FAKE_HISTORY], came_in_time[FAKE_HISTORY]; /* packets, by frame */
    uint32_t first = fake_sink_got(sink, 0)->content.index / source->packets_per_frame;
    struct frames n = {0};

    memset(came, 0, sizeof(came));
    memset(came_in_time, 0, sizeof(came_in_time));
    for (int64_t i = 0; i < fake_sink_len(sink); i++) {
        const struct fake_got *got = fake_sink_got(sink, i);
        uint32_t frame;

        if (!got)
            continue;
        CHECK_EQ(got->content.source, source->ssrc);
        frame = got->content.index / source->packets_per_frame;
        came[frame % FAKE_HISTORY]++;
        came_in_time[frame % FAKE_HISTORY] += got->at_us - sent_us(source, got->content.index) <=
                                              IN_TIME_US;
    }
    for (uint32_t frame = first; frame < source->frames; frame++) {
        if (sent_us(source, frame * source->packets_per_frame) > now_us - 1 * SECOND)
            break;
        n.all++;
        n.whole += came[frame] == source->packets_per_frame;
        n.in_time += came_in_time[frame] == source->packets_per_frame;
    }
    return n;
}

static void frames_come_in_time_over_lossy_links(void)
{
    for (uint64_t seed = 1; seed <= LOSSY_SEEDS; seed++) {
        struct netem_config link = {.seed = seed, .delay_us = 50 * MS};
        struct fake_world *w = fake_world_new(&link, NULL);
        struct fake_peer *a = join(w, 0, 1, 0);
        struct fake_peer *b = join(w, 0, 0, 1);
        const struct fake_source *source;
        struct frames n;
        uint64_t before;

        b->sends_pli = true;
        fake_world_run(w, 2 * SECOND);
        source = fake_peer_source(a, KIND_VIDEO, 0);
        before = source->key_requests;
        link.loss = 0.05;
        change_links(a, &link);
        change_links(b, &link);
        fake_world_run(w, 30 * SECOND);
        n = count_frames(fake_peer_sink(b, KIND_VIDEO, 0), source, w->now_us);
        CHECK(n.all > 900);
        printf("# seed %d: %u frames, %u whole, %u in time, %d requests\n", (int)seed, n.all,
               n.whole, n.in_time, (int)(source->key_requests - before));
        CHECK(n.whole >= n.all * 999 / 1000);
        CHECK(n.in_time >= n.all * 95 / 100);
        CHECK(source->key_requests - before <= 15);
        CHECK_EQ(fake_peer_sink(b, KIND_VIDEO, 0)->wrong, 0);
        finish(w, 0);
    }
}

static void bursts_of_losses_are_repaired(void)
{
    struct frames all = {0};

    for (uint64_t seed = 1; seed <= LOSSY_SEEDS; seed++) {
        struct netem_config link = {.seed = seed, .delay_us = 50 * MS};
        struct fake_world *w = fake_world_new(&link, NULL);
        struct fake_peer *a = join(w, 0, 1, 0);
        struct fake_peer *b = join(w, 0, 0, 1);
        const struct fake_source *source;
        struct frames n;
        uint64_t before;

        b->sends_pli = true;
        b->no_feedback = true; /* or bursts are taken for a path too narrow for the picture */
        fake_world_run(w, 2 * SECOND);
        source = fake_peer_source(a, KIND_VIDEO, 0);
        before = source->key_requests;
        link.burst_start = 0.001;
        link.burst_len = 20;
        netem_change(a->up, &link);
        netem_change(b->down, &link);
        fake_world_run(w, 30 * SECOND);
        n = count_frames(fake_peer_sink(b, KIND_VIDEO, 0), source, w->now_us);
        printf("# seed %d: %u frames, %u whole, %u in time, %d requests\n", (int)seed, n.all,
               n.whole, n.in_time, (int)(source->key_requests - before));
        CHECK(netem_stats(a->up)->lost + netem_stats(b->down)->lost > 50);
        CHECK(n.whole >= n.all * 99 / 100);
        CHECK(source->key_requests - before <= 15);
        all.all += n.all;
        all.in_time += n.in_time;
        finish(w, 0);
    }
    /* Where a burst makes the estimate sink below what is sent, frames are late for a while. */
    CHECK(all.in_time >= all.all * 90 / 100);
}

static void a_bad_uplink_hurts_nobody_elses_stream(void)
{
    struct netem_config link = {.seed = 3, .delay_us = 20 * MS};
    struct fake_world *w = fake_world_new(&link, NULL);
    struct fake_peer *bad = join(w, 0, 1, 0);
    struct fake_peer *good = join(w, 0, 1, 0);
    struct fake_peer *viewer = join(w, 0, 0, 2);
    const struct fake_source *source;
    struct frames n;
    uint64_t before;

    viewer->sends_pli = true;
    fake_world_run(w, 2 * SECOND);
    source = fake_peer_source(good, KIND_VIDEO, 0);
    before = source->key_requests;
    link.loss = 0.1;
    netem_change(bad->up, &link);
    fake_world_run(w, 20 * SECOND);
    n = count_frames(fake_peer_sink(viewer, KIND_VIDEO, 1), source, w->now_us);
    CHECK(n.all > 600);
    CHECK_EQ(n.in_time, n.all);
    CHECK_EQ(source->key_requests, before);
    CHECK_EQ(fake_peer_sink(viewer, KIND_VIDEO, 1)->recovered, 0);
    n = count_frames(fake_peer_sink(viewer, KIND_VIDEO, 0), fake_peer_source(bad, KIND_VIDEO, 0),
                     w->now_us);
    CHECK(n.in_time >= n.all * 95 / 100);
    finish(w, 0);
}

/* Lose what is sent for 50 ms, so that nobody can send it again. */
static void lose_for_good(struct fake_world *w, struct fake_peer *p)
{
    struct netem_config link = {.delay_us = 10 * MS, .loss = 1};

    netem_change(p->up, &link);
    fake_world_run(w, 70 * MS);
    link.loss = 0;
    netem_change(p->up, &link);
    memset(fake_peer_source(p, KIND_VIDEO, 0)->sent, 0, sizeof(p->sources[0]->sent));
}

static void a_key_frame_makes_up_for_what_does_not_come(void)
{
    for (uint32_t far = 0; far < 2; far++) {
        struct fake_world *w = begin(2);
        struct fake_peer *a = join(w, 0, 1, 0);
        struct fake_peer *b = join(w, far, 0, 1);
        const struct fake_source *source;
        const struct fake_sink *sink;
        uint64_t before;

        fake_world_run(w, 2 * SECOND);
        source = fake_peer_source(a, KIND_VIDEO, 0);
        sink = fake_peer_sink(b, KIND_VIDEO, 0);
        before = source->key_requests;
        lose_for_good(w, a);
        fake_world_run(w, 100 * MS);
        CHECK(source->nacks > 0);
        CHECK_EQ(source->key_requests, before); /* it may come still */
        fake_world_run(w, 1 * SECOND);
        CHECK_EQ(source->key_requests, before + 1);
        CHECK_EQ(stats_of(w, 0).lost_in, 1);
        CHECK(fake_sink_gaps(sink) > 0);
        CHECK(fake_sink_got(sink, fake_sink_len(sink) - 1)->content.index + 100 > source->index);
        CHECK(!source->key_wanted);
        fake_world_run(w, 5 * SECOND);
        CHECK_EQ(source->key_requests, before + 1);
        finish(w, 0);
    }
}

static void no_key_frame_is_asked_for_what_nobody_sees(void)
{
    struct fake_world *w = begin(1);
    struct fake_peer *a = join(w, 0, 1, 0);
    uint64_t before;

    fake_world_run(w, 2 * SECOND);
    before = fake_peer_source(a, KIND_VIDEO, 0)->key_requests;
    lose_for_good(w, a);
    fake_world_run(w, 3 * SECOND);
    CHECK(fake_peer_source(a, KIND_VIDEO, 0)->nacks > 0);
    CHECK_EQ(fake_peer_source(a, KIND_VIDEO, 0)->key_requests, before);
    finish(w, 0);
}

static void a_flood_of_pli_hurts_nobody(void)
{
    struct fake_world *w = begin(1);
    struct fake_peer *a = join(w, 0, 1, 0);
    struct fake_peer *hostile = join(w, 0, 0, 1);
    struct fake_peer *honest = join(w, 0, 0, 1);
    const struct fake_source *source;
    struct frames n;
    uint64_t before;

    fake_world_run(w, 3 * SECOND);
    source = fake_peer_source(a, KIND_VIDEO, 0);
    before = source->key_requests;
    for (int i = 0; i < 1000; i++) {
        fake_peer_send_pli(hostile, 1);
        fake_world_run(w, 10 * MS);
    }
    printf("# %d key frames\n", (int)(source->key_requests - before));
    CHECK(source->key_requests - before <= 2 + 5);
    CHECK(stats_of(w, 0).key_frames_limited > 800);
    before = source->key_requests;
    fake_peer_send_pli(honest, 1);
    fake_world_run(w, 600 * MS);
    CHECK_EQ(source->key_requests, before + 1);
    n = count_frames(fake_peer_sink(honest, KIND_VIDEO, 0), source, w->now_us);
    CHECK(n.all > 300);
    CHECK_EQ(n.in_time, n.all);
    CHECK_EQ(fake_peer_sink(honest, KIND_VIDEO, 0)->recovered, 0);
    finish(w, 0);
}

static void beyond_the_limit_a_young_key_frame_is_sent_again(void)
{
    struct fake_world *w = begin(1);
    struct fake_peer *a = join(w, 0, 1, 0);
    struct fake_peer *greedy = join(w, 0, 0, 1);
    struct fake_peer *other = join(w, 0, 0, 1);
    const struct fake_source *source;
    struct fake_sink *sink;
    uint64_t before;
    uint64_t again; /* sent by probes, in the first seconds */

    greedy->no_feedback = true;
    fake_world_run(w, 4 * SECOND);
    source = fake_peer_source(a, KIND_VIDEO, 0);
    sink = fake_peer_sink(greedy, KIND_VIDEO, 0);
    sink->no_nack = true;
    for (int i = 0; i < 2; i++) {
        fake_peer_send_pli(greedy, 1);
        fake_world_run(w, 700 * MS);
    }
    fake_peer_send_pli(other, 1);
    netem_change(greedy->down, &(struct netem_config){.loss = 1});
    fake_world_run(w, 100 * MS); /* in which the key frame is lost, and some before and after it */
    netem_change(greedy->down, &perfect);
    fake_world_run(w, 200 * MS);
    before = source->key_requests;
    again = sink->duplicates;
    CHECK(fake_sink_gaps(sink) >= source->packets_per_frame);
    fake_peer_send_pli(greedy, 1);
    fake_world_run(w, 100 * MS);
    CHECK_EQ(stats_of(w, 0).key_frames_limited, 1);
    CHECK_EQ(sink->recovered, source->packets_per_frame);
    CHECK_EQ(sink->duplicates, again);
    fake_peer_send_pli(greedy, 1);
    fake_world_run(w, 100 * MS);
    CHECK_EQ(stats_of(w, 0).key_frames_limited, 2);
    CHECK_EQ(sink->recovered, source->packets_per_frame);
    CHECK_EQ(sink->duplicates, again); /* each once */
    CHECK_EQ(source->key_requests, before);
    finish(w, 0);
}

static void a_pli_that_crosses_its_key_frame_asks_for_nothing(void)
{
    struct netem_config link = {.seed = 1, .delay_us = 100 * MS};
    struct fake_world *w = fake_world_new(&link, NULL);
    struct fake_peer *a = join(w, 0, 1, 0);
    struct fake_peer *b = join(w, 0, 0, 1);
    const struct fake_source *source;
    uint64_t before;

    fake_world_run(w, 5 * SECOND);
    source = fake_peer_source(a, KIND_VIDEO, 0);
    before = source->key_requests;
    fake_peer_send_pli(b, 1);
    fake_world_run(w, 300 * MS); /* there, to the source, and back to the server */
    CHECK_EQ(source->key_requests, before + 1);
    fake_peer_send_pli(b, 1);
    fake_world_run(w, 3 * SECOND);
    CHECK_EQ(source->key_requests, before + 1);
    CHECK_EQ(stats_of(w, 0).key_frames_answered, 1);
    fake_peer_send_pli(b, 1);
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(source->key_requests, before + 2);
    finish(w, 0);
}

TAP_CASES(CASE(frames_come_in_time_over_lossy_links), CASE(bursts_of_losses_are_repaired),
          CASE(a_bad_uplink_hurts_nobody_elses_stream),
          CASE(a_key_frame_makes_up_for_what_does_not_come),
          CASE(no_key_frame_is_asked_for_what_nobody_sees), CASE(a_flood_of_pli_hurts_nobody),
          CASE(beyond_the_limit_a_young_key_frame_is_sent_again),
          CASE(a_pli_that_crosses_its_key_frame_asks_for_nothing))
