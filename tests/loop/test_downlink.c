/* Subscribers behind links of their own: what the forwarder finds out of each, and what its pace
 * does to sound and picture. */

#include "media/base/clock.h"
#include "media/congestion_controller.h"
#include "tests/fake_peer.h"
#include "tests/tap.h"

#include <stdlib.h>

enum { ROOM = 1, DELAYS_MAX = 4096 };

static const struct netem_config good = {.seed = 1, .delay_us = 20 * MS};

static struct forwarder_stats stats_of(const struct fake_world *w)
{
    struct forwarder_stats stats;

    forwarder_stats(w->forwarder, &stats);
    return stats;
}

static struct congestion_stats path_of(const struct fake_peer *p)
{
    struct congestion_stats stats;

    CHECK_EQ(forwarder_path_stats(p->world->forwarder, p->id, &stats), 0);
    return stats;
}

/* A room of one who sends sound and picture, and subscribers with a link each. */
static struct fake_world *room_new(const struct netem_config *down, uint32_t subscribers)
{
    struct fake_world *w = fake_world_new(&good, NULL);

    fake_peer_offer(fake_peer_new(w, 1, 1, 0, 0), ROOM);
    for (uint32_t i = 0; i < subscribers; i++) {
        struct fake_peer *p = fake_peer_new(w, 0, 0, 1, 1);

        netem_change(p->down, down);
        fake_peer_offer(p, ROOM);
    }
    return w;
}

/* Packets of each frame of video, 1.15 Mbit/s with 8. */
static void set_frames(struct fake_world *w, uint32_t packets)
{
    fake_world_run(w, 300 * MS); /* until it is there */
    fake_peer_source(w->peers[0], KIND_VIDEO, 0)->packets_per_frame = packets;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* @return what 95 of 100 packets of sound do not exceed of delay beyond the least [us] */
static int64_t delay_p95(const struct fake_sink *sink, int64_t frame_us, int64_t from_us)
{
    static int64_t delays[DELAYS_MAX];
    size_t n = 0;

    for (int64_t i = 0; i < fake_sink_len(sink) && n < DELAYS_MAX; i++) {
        const struct fake_got *got = fake_sink_got(sink, i);

        if (got && got->at_us >= from_us)
            delays[n++] = got->at_us - got->content.index * frame_us;
    }
    CHECK(n > 50);
    qsort(delays, n, sizeof(delays[0]), compare);
    return delays[n * 95 / 100] - delays[0];
}

static void the_estimate_comes_near_the_link(void)
{
    const struct netem_config link = {
        .rate_bps = 2000 * 1000, .queue_bytes = 50 * 1000, .delay_us = 20 * MS};
    struct fake_world *w = room_new(&link, 1);
    struct congestion_stats stats;

    set_frames(w, 8);
    fake_world_run(w, 10 * SECOND);
    stats = path_of(w->peers[1]);
    CHECK(stats.estimate_bps > 1300 * 1000 && stats.estimate_bps < 2400 * 1000);
    CHECK(stats.queue_us < 100 * MS);
    CHECK_EQ(fake_peer_sink(w->peers[1], KIND_VIDEO, 0)->wrong, 0);
    CHECK_EQ(fake_sink_gaps(fake_peer_sink(w->peers[1], KIND_VIDEO, 0)), 0);
    CHECK(stats_of(w).feedback_in > 50);
    fake_world_free(w);
}

/* @return frames of which some packets came later than others, of 100 */
static int64_t split_frames(const struct fake_sink *sink, int64_t from_us)
{
    const struct fake_got *first = NULL;
    int64_t frames = 0;
    int64_t split = 0;
    bool counted = false;

    for (int64_t i = 0; i < fake_sink_len(sink); i++) {
        const struct fake_got *got = fake_sink_got(sink, i);

        if (!got || got->at_us < from_us)
            continue;
        if (!first || got->ts != first->ts) {
            first = got;
            frames++;
            counted = false;
        } else if (got->at_us > first->at_us && !counted) {
            split++;
            counted = true;
        }
    }
    CHECK(frames > 50);
    return split * 100 / frames;
}

static void frames_leave_as_runs(void)
{
    struct fake_world *w = room_new(&good, 1);

    set_frames(w, 8);
    fake_world_run(w, 10 * SECOND);
    CHECK(split_frames(fake_peer_sink(w->peers[1], KIND_VIDEO, 0), w->now_us - 5 * SECOND) < 5);
    fake_world_free(w);
}

/* Frames that take the link 28 ms each, and a large one. */
static void sound_does_not_wait_for_pictures(void)
{
    const struct netem_config link = {
        .rate_bps = 1500 * 1000, .queue_bytes = 100 * 1000, .delay_us = 20 * MS};
    struct fake_world *w = room_new(&link, 1);
    struct fake_source *video;
    struct fake_sink *audio;

    set_frames(w, 6);
    fake_world_run(w, 6 * SECOND);
    video = fake_peer_source(w->peers[0], KIND_VIDEO, 0);
    audio = fake_peer_sink(w->peers[1], KIND_AUDIO, 0);
    video->packets_per_frame = 40;
    fake_world_run(w, 33 * MS);
    video->packets_per_frame = 6;
    fake_world_run(w, 11967 * MS);
    CHECK(delay_p95(audio, 20 * MS, w->now_us - 12 * SECOND) < 24 * MS);
    CHECK(audio->packets > 800);
    CHECK_EQ(audio->wrong, 0);
    fake_world_free(w);
}

/* Sound alone, and a slot for a picture that nobody sends: padding finds out. */
static void without_a_picture_there_are_probes(void)
{
    struct fake_world *w = fake_world_new(&good, NULL);
    struct fake_peer *b;

    fake_peer_offer(fake_peer_new(w, 1, 0, 0, 0), ROOM);
    b = fake_peer_new(w, 0, 0, 1, 1);
    fake_peer_offer(b, ROOM);
    fake_world_run(w, 5 * SECOND);
    CHECK(b->padding > 5);
    CHECK(stats_of(w).probe_out >= b->padding);
    CHECK(path_of(b).estimate_bps > CONGESTION_START_BPS);
    CHECK_EQ(fake_peer_sink(b, KIND_AUDIO, 0)->wrong, 0);
    fake_world_free(w);
}

/* Of a paused picture nothing comes, and the path is known still. */
static void a_muted_picture_leaves_the_estimate(void)
{
    struct fake_world *w = room_new(&good, 1);
    uint64_t before;

    set_frames(w, 8);
    fake_world_run(w, 5 * SECOND);
    before = path_of(w->peers[1]).estimate_bps;
    fake_peer_mute(w->peers[0], 1, true);
    fake_world_run(w, 10 * SECOND);
    CHECK(path_of(w->peers[1]).estimate_bps > before * 8 / 10);
    fake_world_free(w);
}

static void lost_feedback_does_little(void)
{
    const struct netem_config bad = {.delay_us = 20 * MS, .loss = 0.3, .seed = 7};
    struct fake_world *w = room_new(&good, 1);

    netem_change(w->peers[1]->up, &bad);
    set_frames(w, 8);
    fake_world_run(w, 10 * SECOND);
    CHECK(path_of(w->peers[1]).estimate_bps > 1000 * 1000);
    fake_world_free(w);
}

static uint64_t estimate_behind(const struct netem_config *up)
{
    struct fake_world *w = room_new(&good, 2);
    uint64_t bps;

    set_frames(w, 8);
    netem_change(w->peers[0]->up, up);
    fake_world_run(w, 10 * SECOND);
    for (uint32_t i = 1; i <= 2; i++)
        CHECK(path_of(w->peers[i]).loss < 0.01);
    bps = path_of(w->peers[1]).estimate_bps;
    fake_world_free(w);
    return bps;
}

static void a_bad_uplink_is_the_publishers_alone(void)
{
    const struct netem_config bad = {.seed = 3, .delay_us = 20 * MS, .loss = 0.1};

    CHECK(estimate_behind(&bad) > estimate_behind(&good) * 8 / 10);
}

static void who_tells_nothing_is_not_held_back(void)
{
    struct fake_world *w = room_new(&good, 1);
    struct fake_sink *video;

    w->peers[1]->no_feedback = true;
    set_frames(w, 16);
    fake_world_run(w, 6 * SECOND);
    video = fake_peer_sink(w->peers[1], KIND_VIDEO, 0);
    CHECK(split_frames(video, w->now_us - 5 * SECOND) == 0);
    CHECK(video->packets > 2000);
    CHECK_EQ(video->wrong, 0);
    fake_world_free(w);
}

TAP_CASES(CASE(the_estimate_comes_near_the_link), CASE(frames_leave_as_runs),
          CASE(sound_does_not_wait_for_pictures), CASE(without_a_picture_there_are_probes),
          CASE(a_muted_picture_leaves_the_estimate), CASE(lost_feedback_does_little),
          CASE(a_bad_uplink_is_the_publishers_alone), CASE(who_tells_nothing_is_not_held_back))
