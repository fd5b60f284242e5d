/* Rooms that are on several workers, with clients of every kind, in simulated time. */

#include "media/base/clock.h"
#include "media/packet.h"
#include "media/rtcp.h"
#include "sfu/relay_batch.h"
#include "tests/fake_peer.h"
#include "tests/loop/relay_fixture.h"
#include "tests/tap.h"

/* Does `sink` carry `source`, whole and right? */
static void check_carries(const struct fake_sink *sink, const struct fake_source *source,
                          const struct fake_peer *publisher)
{
    const struct fake_got *last = fake_sink_got(sink, fake_sink_len(sink) - 1);

    CHECK(last != NULL);
    CHECK_EQ(last->content.source, source->ssrc);
    CHECK_EQ(last->csrc, publisher->id);
    CHECK_EQ(sink->wrong, 0);
    CHECK_EQ(fake_sink_gaps(sink), 0);
    CHECK(source->index - last->content.index < 60); /* it is what is sent now, or was held */
}

static void check_starts_with_key_frame(const struct fake_sink *sink)
{
    const struct fake_got *first = fake_sink_got(sink, 0);

    CHECK(first && first->content.first && first->content.key);
}

/* The n-th slot of each kind carries the publisher's first track of each. */
static void check_sees(const struct fake_peer *p, uint32_t n, const struct fake_peer *publisher)
{
    check_carries(fake_peer_sink(p, KIND_AUDIO, n), fake_peer_source(publisher, KIND_AUDIO, 0),
                  publisher);
    check_carries(fake_peer_sink(p, KIND_VIDEO, n), fake_peer_source(publisher, KIND_VIDEO, 0),
                  publisher);
    check_starts_with_key_frame(fake_peer_sink(p, KIND_VIDEO, n));
}

/* Every slot that carries something carries it well, and all of the others are seen. */
static void check_sees_all(const struct fake_peer *p, uint32_t n_others)
{
    uint32_t seen = 0;

    for (uint32_t i = 0; i < p->n_sections; i++) {
        const struct fake_peer *publisher = NULL;

        if (p->sections[i].use != SECTION_SLOT || p->sections[i].kind != KIND_VIDEO ||
            p->track_of_section[i] == 0)
            continue;
        for (uint32_t k = 0; k < p->world->n_peers; k++) {
            if (p->world->peers[k]->id == p->publisher_of_section[i])
                publisher = p->world->peers[k];
        }
        CHECK(publisher != NULL);
        check_carries(p->sinks[i], fake_peer_source(publisher, KIND_VIDEO, 0), publisher);
        seen++;
    }
    CHECK_EQ(seen, n_others);
}

static void workers_of_a_room_see_and_hear_each_other(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *a = join(w, 0, 1, 1);
    struct fake_peer *b = join(w, 1, 1, 1);

    fake_world_run(w, 5 * SECOND);
    check_sees(a, 0, b);
    check_sees(b, 0, a);
    CHECK(fake_peer_sink(a, KIND_AUDIO, 0)->packets > 200);
    CHECK(fake_peer_sink(b, KIND_VIDEO, 0)->packets > 500);
    CHECK(fake_peer_sink(b, KIND_AUDIO, 0)->last_level < 100);
    for (uint32_t i = 0; i < 2; i++) {
        CHECK_EQ(stats_of(w, i).relay_out, stats_of(w, 1 - i).relay_in);
        CHECK(stats_of(w, i).relay_out > 700);
        CHECK(stats_of(w, i).relay_out_batches < stats_of(w, i).relay_out);
        CHECK_EQ(stats_of(w, i).drop_relay + stats_of(w, i).drop_unasked, 0);
        CHECK_EQ(stats_of(w, i).drop_duplicate, 0);
        CHECK_EQ(stats_of(w, i).tracks, 4);
    }
    done(w);
}

static void a_room_may_be_on_every_worker(void)
{
    struct fake_world *w = begin(3);

    for (uint32_t i = 0; i < 6; i++)
        (void)join(w, i % 3, 1, 5);
    fake_world_run(w, 5 * SECOND);
    for (uint32_t i = 0; i < 6; i++)
        check_sees_all(w->peers[i], 5);
    done(w);
}

static void slots_are_given_in_order_of_publishing_on_every_worker(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *first = join(w, 0, 1, 0);
    struct fake_peer *near, *far;

    (void)join(w, 1, 1, 0);
    near = join(w, 0, 0, 1);
    far = join(w, 1, 0, 1);
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(near->publisher_of_section[0], first->id);
    CHECK_EQ(far->publisher_of_section[0], first->id);
    done(w);
}

static void a_packet_crosses_once_for_all_of_a_worker(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *a = join(w, 0, 1, 0);

    for (uint32_t i = 0; i < 4; i++)
        (void)join(w, 1, 0, 1);
    fake_world_run(w, 3 * SECOND);
    for (uint32_t i = 1; i <= 4; i++)
        check_sees(w->peers[i], 0, a);
    CHECK(stats_of(w, 0).relay_out <= fake_peer_source(a, KIND_AUDIO, 0)->packets +
                                          fake_peer_source(a, KIND_VIDEO, 0)->packets);
    CHECK_EQ(stats_of(w, 0).rtp_out, 0);
    done(w);
}

static void what_nobody_wants_does_not_cross(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *a = join(w, 0, 1, 0);
    struct fake_peer *b = join(w, 1, 1, 0); /* no slot */

    fake_world_run(w, 3 * SECOND);
    CHECK_EQ(stats_of(w, 0).relay_out + stats_of(w, 0).relay_out_batches, 0);
    CHECK_EQ(stats_of(w, 1).tracks, 4);
    (void)fake_peer_add(b, SECTION_SLOT, KIND_AUDIO);
    fake_peer_offer(b, ROOM);
    fake_world_run(w, 2 * SECOND);
    check_carries(fake_peer_sink(b, KIND_AUDIO, 0), fake_peer_source(a, KIND_AUDIO, 0), a);
    CHECK(stats_of(w, 0).relay_out < 110); /* the sound alone */
    done(w);
}

static void what_nobody_wants_any_more_stops(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *a = join(w, 0, 1, 0);
    struct fake_peer *b = join(w, 1, 0, 1);
    struct netem_config cut = {.loss = 1};
    uint64_t before;

    fake_world_run(w, 3 * SECOND);
    check_sees(b, 0, a);
    netem_change(b->up, &cut); /* its worker finds out, and says so to control only */
    fake_world_run(w, 35 * SECOND);
    CHECK(b->ended);
    CHECK_EQ(packet_pool_used(forwarder_pool(w->forwarders[1])), 0);
    CHECK_EQ(stats_of(w, 1).tracks, 2); /* control has not closed the room here yet */
    before = stats_of(w, 0).relay_out;
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(stats_of(w, 0).relay_out, before);
    CHECK_EQ(stats_of(w, 1).drop_unasked, 0);
    (void)join(w, 1, 0, 1); /* as if control did not know yet */
    fake_world_run(w, 2 * SECOND);
    check_sees(w->peers[2], 0, a);
    done(w);
}

static void the_last_subscriber_that_leaves_stops_it_at_once(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *b;
    uint64_t before;

    (void)join(w, 0, 1, 0);
    (void)join(w, 1, 1, 0); /* no slot, and stays */
    b = join(w, 1, 0, 1);
    fake_world_run(w, 2 * SECOND);
    CHECK(stats_of(w, 0).relay_out > 100);
    fake_peer_leave(b);
    fake_world_run(w, 5 * MS);
    before = stats_of(w, 0).relay_out;
    fake_world_run(w, 500 * MS);
    CHECK_EQ(stats_of(w, 0).relay_out, before);
    done(w);
}

static void late_joiner_on_another_worker_gets_a_key_frame_first(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *a = join(w, 0, 1, 0);
    struct fake_peer *late;

    fake_world_run(w, 5 * SECOND);
    late = join(w, 1, 0, 1);
    fake_world_run(w, 1 * SECOND);
    check_sees(late, 0, a);
    CHECK(fake_sink_len(fake_peer_sink(late, KIND_VIDEO, 0)) > 80);
    CHECK(fake_peer_source(a, KIND_VIDEO, 0)->key_requests >= 1);
    CHECK(fake_peer_source(a, KIND_VIDEO, 0)->key_requests <= 3);
    done(w);
}

static void who_joins_with_many_shares_their_key_frame(void)
{
    struct fake_world *w = begin(3);
    struct fake_peer *a = join(w, 0, 1, 0);
    uint64_t before;

    fake_world_run(w, 3 * SECOND);
    before = fake_peer_source(a, KIND_VIDEO, 0)->key_requests;
    for (uint32_t i = 0; i < 9; i++) {
        (void)join(w, i % 3, 0, 1);
        fake_world_run(w, 50 * MS);
    }
    fake_world_run(w, 1 * SECOND);
    for (uint32_t i = 1; i <= 9; i++)
        check_sees(w->peers[i], 0, a);
    CHECK(fake_peer_source(a, KIND_VIDEO, 0)->key_requests <= before + 2);
    done(w);
}

static void a_young_key_frame_crosses_with_all_since(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *a = join(w, 0, 1, 0);
    struct fake_peer *first = join(w, 0, 0, 1);
    struct fake_peer *b;
    uint64_t before;

    fake_world_run(w, 2 * SECOND);
    fake_peer_source(a, KIND_VIDEO, 0)->key_wanted = true;
    fake_world_run(w, 100 * MS);
    before = fake_peer_source(a, KIND_VIDEO, 0)->key_requests;
    b = join(w, 1, 0, 1);
    fake_world_run(w, 1 * SECOND);
    check_sees(b, 0, a);
    check_sees(first, 0, a);
    CHECK_EQ(fake_peer_source(a, KIND_VIDEO, 0)->key_requests, before);
    done(w);
}

static void a_publisher_that_ignores_requests_is_seen_all_the_same(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *a = join(w, 0, 1, 0);
    struct fake_source *source;
    struct fake_peer *b;
    uint32_t key_index;

    fake_world_run(w, 2 * SECOND);
    source = fake_peer_source(a, KIND_VIDEO, 0);
    source->ignores_requests = true;
    source->packets_per_frame = 1;
    source->key_wanted = true;
    key_index = source->index;
    fake_world_run(w, 1 * SECOND);
    b = join(w, 1, 0, 1);
    fake_world_run(w, 3 * SECOND);
    CHECK(source->key_requests > 1);
    check_carries(fake_peer_sink(b, KIND_VIDEO, 0), source, a);
    CHECK_EQ(fake_sink_got(fake_peer_sink(b, KIND_VIDEO, 0), 0)->content.index, key_index);
    done(w);
}

static void lost_packets_are_asked_of_ones_own_worker(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct netem_config lossy = {.seed = seed, .delay_us = 20 * MS, .jitter_us = 5 * MS};
        struct fake_world *w = fake_world_new_spread(&lossy, NULL, 2);
        struct fake_peer *a = join(w, 0, 1, 1);
        struct fake_peer *b = join(w, 1, 1, 1);

        lossy.loss = 0.05;
        netem_change(b->down, &lossy);
        fake_world_run(w, 5 * SECOND);
        lossy.loss = 0;
        netem_change(b->down, &lossy);
        fake_world_run(w, 1 * SECOND);
        check_carries(fake_peer_sink(b, KIND_VIDEO, 0), fake_peer_source(a, KIND_VIDEO, 0), a);
        CHECK(fake_peer_sink(b, KIND_VIDEO, 0)->recovered > 5);
        CHECK(stats_of(w, 1).rtx_out > 5);
        CHECK_EQ(stats_of(w, 0).nacks_in, 0);
        CHECK_EQ(fake_peer_source(a, KIND_VIDEO, 0)->resent, 0);
        CHECK_EQ(stats_of(w, 1).nacks_out, 0); /* none for the replica */
        done(w);
    }
}

static void what_the_publisher_sends_again_crosses_too(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct netem_config lossy = {.seed = seed, .delay_us = 20 * MS, .jitter_us = 5 * MS};
        struct fake_world *w = fake_world_new_spread(&lossy, NULL, 2);
        struct fake_peer *a = join(w, 0, 1, 0);
        struct fake_peer *b = join(w, 1, 0, 1);

        lossy.loss = 0.05;
        netem_change(a->up, &lossy);
        fake_world_run(w, 5 * SECOND);
        lossy.loss = 0;
        netem_change(a->up, &lossy);
        fake_world_run(w, 1 * SECOND);
        check_carries(fake_peer_sink(b, KIND_VIDEO, 0), fake_peer_source(a, KIND_VIDEO, 0), a);
        CHECK(stats_of(w, 0).recovered_in > 10);
        CHECK_EQ(stats_of(w, 1).recovered_in, 0);
        done(w);
    }
}

static void key_frame_requests_cross_coalesced(void)
{
    struct fake_world *w = begin(3);
    struct fake_peer *a = join(w, 0, 1, 0);
    uint64_t before;

    for (uint32_t i = 0; i < 8; i++)
        (void)join(w, 1 + i % 2, 0, 1);
    fake_world_run(w, 3 * SECOND);
    before = fake_peer_source(a, KIND_VIDEO, 0)->key_requests;
    for (uint32_t i = 1; i <= 8; i++)
        fake_peer_send_pli(w->peers[i], 1);
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(stats_of(w, 1).key_frames_in + stats_of(w, 2).key_frames_in, 8);
    CHECK_EQ(fake_peer_source(a, KIND_VIDEO, 0)->key_requests, before + 1);
    done(w);
}

static void muted_tracks_do_not_cross(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *a = join(w, 0, 0, 1);
    struct fake_peer *b = join(w, 1, 1, 0);
    const struct fake_sink *audio;
    const struct fake_sink *video;
    uint64_t before;

    fake_world_run(w, 2 * SECOND);
    audio = fake_peer_sink(a, KIND_AUDIO, 0);
    video = fake_peer_sink(a, KIND_VIDEO, 0);
    fake_peer_mute(b, 0, true);
    fake_peer_mute(b, 1, true);
    fake_world_run(w, 100 * MS);
    before = audio->packets + video->packets;
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(audio->packets + video->packets, before);
    CHECK(stats_of(w, 1).relay_out <= before);
    CHECK_EQ(a->track_of_section[0], b->tracks[0].id);
    fake_peer_mute(b, 0, false);
    fake_peer_mute(b, 1, false);
    fake_world_run(w, 1 * SECOND);
    CHECK(audio->packets + video->packets > before + 100);
    CHECK_EQ(fake_sink_len(video), video->packets);
    CHECK_EQ(fake_sink_len(audio), audio->packets);
    CHECK_EQ(video->wrong + audio->wrong, 0);
    for (int64_t i = 1; i < fake_sink_len(video); i++) {
        const struct fake_got *got = fake_sink_got(video, i);

        if (got->content.index != fake_sink_got(video, i - 1)->content.index + 1)
            CHECK(got->content.first && got->content.key);
    }
    done(w);
}

static void a_track_muted_from_the_start_crosses_once_unmuted(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *a = fake_peer_new(w, 1, 1, 0, 0);
    struct fake_peer *b;

    a->tracks[0].muted = a->tracks[1].muted = true;
    fake_peer_offer(a, ROOM);
    b = join(w, 1, 0, 1);
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(stats_of(w, 0).relay_out, 0);
    fake_peer_mute(a, 0, false);
    fake_peer_mute(a, 1, false);
    fake_world_run(w, 2 * SECOND);
    check_sees(b, 0, a);
    done(w);
}

static void a_reoffer_reaches_the_other_workers(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *a = join(w, 0, 1, 3);
    struct fake_peer *b = join(w, 1, 1, 3);

    fake_world_run(w, 2 * SECOND);
    (void)fake_peer_add(a, SECTION_PUBLISH, KIND_VIDEO);
    fake_peer_offer(a, ROOM);
    fake_world_run(w, 2 * SECOND);
    check_carries(fake_peer_sink(b, KIND_VIDEO, 0), fake_peer_source(a, KIND_VIDEO, 0), a);
    check_carries(fake_peer_sink(b, KIND_VIDEO, 1), fake_peer_source(a, KIND_VIDEO, 1), a);
    check_carries(fake_peer_sink(a, KIND_VIDEO, 0), fake_peer_source(b, KIND_VIDEO, 0), b);
    CHECK(fake_sink_len(fake_peer_sink(b, KIND_VIDEO, 0)) > 300);
    a->sections[a->n_sections - 1].use = SECTION_STOPPED;
    fake_peer_offer(a, ROOM);
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(b->track_of_section[6], 0);
    CHECK_EQ(stats_of(w, 0).tracks, 4);
    CHECK_EQ(stats_of(w, 1).tracks, 4);
    check_carries(fake_peer_sink(b, KIND_VIDEO, 0), fake_peer_source(a, KIND_VIDEO, 0), a);
    done(w);
}

/* [us] wall time of the publisher when it sampled packet `index`, as the sink's reports tell */
static int64_t sampled_us(const struct fake_sink *s, uint32_t index, uint32_t rate)
{
    for (int64_t i = 0; i < fake_sink_len(s); i++) {
        const struct fake_got *got = fake_sink_got(s, i);

        if (got && got->content.index == index)
            return ntp_to_wall_us(s->report_ntp) +
                   (int32_t)(got->ts - s->report_ts) * SECOND / rate;
    }
    CHECK(false);
    return 0;
}

static void check_same_clock(const struct fake_peer *p, const struct fake_peer *other,
                             enum media_kind kind, uint32_t rate)
{
    const struct fake_sink *here = fake_peer_sink(p, kind, 0);
    const struct fake_sink *there = fake_peer_sink(other, kind, 0);
    uint32_t index = fake_sink_got(here, fake_sink_len(here) - 1)->content.index - 20;
    int64_t apart_us;

    CHECK(here->has_report && there->has_report);
    apart_us = sampled_us(here, index, rate) - sampled_us(there, index, rate);
    CHECK(apart_us > -1 * MS && apart_us < 1 * MS);
}

static void reports_tell_the_same_clock_on_every_worker(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *near, *far;

    (void)join(w, 0, 1, 0);
    near = join(w, 0, 0, 1);
    far = join(w, 1, 0, 1);
    fake_world_run(w, 5 * SECOND + 500 * MS);
    check_same_clock(near, far, KIND_AUDIO, 48000);
    check_same_clock(near, far, KIND_VIDEO, 90000);
    done(w);
}

static void a_late_joiner_knows_the_clock_before_the_next_report(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *a = join(w, 0, 1, 0);
    struct fake_peer *near, *far;

    near = join(w, 0, 0, 1);
    fake_world_run(w, 5 * SECOND);
    a->no_reports = true;
    far = join(w, 1, 0, 1);
    fake_world_run(w, 3 * SECOND);
    check_same_clock(near, far, KIND_AUDIO, 48000);
    check_same_clock(near, far, KIND_VIDEO, 90000);
    done(w);
}

static void another_ssrc_goes_on_in_the_slot(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *a = join(w, 0, 1, 0);
    struct fake_peer *b = join(w, 1, 0, 1);

    fake_world_run(w, 1 * SECOND);
    fake_peer_source(a, KIND_AUDIO, 0)->paused = true;
    fake_peer_source(a, KIND_VIDEO, 0)->paused = true;
    fake_world_run(w, 1 * SECOND);
    fake_peer_source(a, KIND_AUDIO, 0)->ssrc = 0xabcd0001;
    fake_peer_source(a, KIND_VIDEO, 0)->ssrc = 0xabcd0002;
    fake_peer_source(a, KIND_AUDIO, 0)->paused = false;
    fake_peer_source(a, KIND_VIDEO, 0)->paused = false;
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(stats_of(w, 1).drop_unrouted, 0);
    check_carries(fake_peer_sink(b, KIND_AUDIO, 0), fake_peer_source(a, KIND_AUDIO, 0), a);
    check_carries(fake_peer_sink(b, KIND_VIDEO, 0), fake_peer_source(a, KIND_VIDEO, 0), a);
    done(w);
}

static void padding_leaves_no_gap(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *a = join(w, 0, 1, 0);
    struct fake_peer *b = join(w, 1, 0, 1);
    const struct fake_sink *sink;

    fake_world_run(w, 1 * SECOND);
    for (int i = 0; i < 20; i++) {
        fake_source_send_padding(fake_peer_source(a, KIND_VIDEO, 0));
        fake_world_run(w, 50 * MS);
    }
    sink = fake_peer_sink(b, KIND_VIDEO, 0);
    check_carries(sink, fake_peer_source(a, KIND_VIDEO, 0), a);
    CHECK_EQ(fake_sink_len(sink), sink->packets);
    CHECK_EQ(stats_of(w, 0).padding_in, 20);
    CHECK_EQ(stats_of(w, 1).padding_in, 0);
    done(w);
}

static void a_publisher_that_leaves_frees_slots_everywhere(void)
{
    struct fake_world *w = begin(3);
    struct fake_peer *a = join(w, 0, 1, 1);
    struct fake_peer *b = join(w, 1, 0, 1);
    struct fake_peer *c = join(w, 2, 0, 1);

    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(b->publisher_of_section[0], a->id);
    CHECK_EQ(c->publisher_of_section[1], a->id);
    fake_peer_leave(a);
    fake_world_run(w, 100 * MS);
    for (uint32_t i = 0; i < 2; i++) {
        CHECK_EQ(b->track_of_section[i], 0);
        CHECK_EQ(c->track_of_section[i], 0);
    }
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_EQ(stats_of(w, i).tracks, 0);
        CHECK_EQ(packet_pool_used(forwarder_pool(w->forwarders[i])), 0);
    }
    done(w);
}

static void the_last_one_on_a_worker_leaves_nothing_there(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *a = join(w, 0, 1, 1);
    struct fake_peer *b = join(w, 1, 1, 1);
    uint64_t before;

    fake_world_run(w, 2 * SECOND);
    fake_peer_leave(b);
    fake_world_run(w, 100 * MS);
    CHECK_EQ(stats_of(w, 1).tracks, 0);
    CHECK_EQ(packet_pool_used(forwarder_pool(w->forwarders[1])), 0);
    CHECK_EQ(forwarder_deadline(w->forwarders[1]), NEVER_US);
    CHECK_EQ(a->track_of_section[2], 0);
    before = stats_of(w, 0).relay_out;
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(stats_of(w, 0).relay_out, before);
    b = join(w, 1, 1, 1);
    fake_world_run(w, 2 * SECOND);
    check_sees(b, 0, a);
    CHECK_EQ(a->publisher_of_section[2], b->id);
    done(w);
}

static void stopping_ends_replicas_too(void)
{
    struct fake_world *w = begin(2);

    (void)join(w, 0, 1, 1);
    (void)join(w, 1, 1, 1);
    fake_world_run(w, 2 * SECOND);
    fake_world_stop(w);
    CHECK(w->stopped);
    fake_world_run(w, 100 * MS);
    for (uint32_t i = 0; i < 2; i++) {
        CHECK_EQ(stats_of(w, i).participants, 0);
        CHECK_EQ(stats_of(w, i).tracks, 0);
        CHECK_EQ(packet_pool_used(forwarder_pool(w->forwarders[i])), 0);
    }
    done(w);
}

/* Bytes of the batches that `worker` has not read. */
static size_t unread_bytes(struct fake_world *w, uint32_t worker)
{
    struct mail *next;
    size_t bytes = 0;

    for (struct mail *mail = mailbox_take(&w->boxes[worker]); mail; mail = next) {
        next = mail->next;
        bytes += mail->type == MAIL_RELAY_BATCH ? ((struct relay_batch *)mail)->size : 0;
        (void)!mailbox_push(&w->boxes[worker], mail);
    }
    return bytes;
}

static void what_a_slow_worker_has_to_read_is_bounded(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *a = join(w, 0, 1, 1);
    struct fake_peer *b = join(w, 1, 1, 1);
    uint64_t dropped, packets;
    const struct fake_sink *sink;

    fake_world_run(w, 2 * SECOND);
    fake_peer_source(a, KIND_VIDEO, 0)->packets_per_frame = 40;
    CHECK_EQ(stats_of(w, 0).drop_relay, 0);
    w->stalled[1] = true;
    fake_world_run(w, 8 * SECOND);
    dropped = stats_of(w, 0).drop_relay;
    CHECK(dropped > 100);
    CHECK(unread_bytes(w, 1) <= RELAY_BYTES_MAX);
    CHECK(unread_bytes(w, 1) > RELAY_BYTES_MAX / 2);
    w->stalled[1] = false;
    fake_peer_source(a, KIND_VIDEO, 0)->packets_per_frame = 4;
    fake_world_run(w, 500 * MS);
    CHECK_EQ(unread_bytes(w, 1), 0);
    fake_peer_send_pli(b, 3); /* what a decoder does that lost something */
    fake_world_run(w, 1 * SECOND);
    dropped = stats_of(w, 0).drop_relay;
    sink = fake_peer_sink(b, KIND_VIDEO, 0);
    packets = sink->packets;
    fake_world_run(w, 3 * SECOND);
    CHECK_EQ(stats_of(w, 0).drop_relay, dropped);
    CHECK(sink->packets >= packets + 3 * 119);
    CHECK_EQ(sink->wrong, 0);
    CHECK_EQ(fake_sink_got(sink, fake_sink_len(sink) - 1)->content.source,
             fake_peer_source(a, KIND_VIDEO, 0)->ssrc);
    done(w);
}

static void a_low_pool_lets_go_of_replicas_packets(void)
{
    struct forwarder_limits limits = {.max_participants = 10, .max_packets = 300};
    struct fake_world *w = fake_world_new_spread(&perfect, &limits, 2);
    struct fake_peer *a = join(w, 0, 1, 1);
    struct fake_peer *b = join(w, 1, 1, 1);

    fake_world_run(w, 20 * SECOND); /* 340 packets per second */
    check_carries(fake_peer_sink(a, KIND_VIDEO, 0), fake_peer_source(b, KIND_VIDEO, 0), b);
    check_carries(fake_peer_sink(b, KIND_AUDIO, 0), fake_peer_source(a, KIND_AUDIO, 0), a);
    CHECK_EQ(stats_of(w, 0).drop_pool + stats_of(w, 1).drop_pool, 0);
    done(w);
}

TAP_CASES(
    CASE(workers_of_a_room_see_and_hear_each_other), CASE(a_room_may_be_on_every_worker),
    CASE(slots_are_given_in_order_of_publishing_on_every_worker),
    CASE(a_packet_crosses_once_for_all_of_a_worker), CASE(what_nobody_wants_does_not_cross),
    CASE(what_nobody_wants_any_more_stops), CASE(the_last_subscriber_that_leaves_stops_it_at_once),
    CASE(late_joiner_on_another_worker_gets_a_key_frame_first),
    CASE(who_joins_with_many_shares_their_key_frame),
    CASE(a_young_key_frame_crosses_with_all_since),
    CASE(a_publisher_that_ignores_requests_is_seen_all_the_same),
    CASE(lost_packets_are_asked_of_ones_own_worker),
    CASE(what_the_publisher_sends_again_crosses_too), CASE(key_frame_requests_cross_coalesced),
    CASE(muted_tracks_do_not_cross), CASE(a_track_muted_from_the_start_crosses_once_unmuted),
    CASE(a_reoffer_reaches_the_other_workers), CASE(reports_tell_the_same_clock_on_every_worker),
    CASE(a_late_joiner_knows_the_clock_before_the_next_report),
    CASE(another_ssrc_goes_on_in_the_slot), CASE(padding_leaves_no_gap),
    CASE(a_publisher_that_leaves_frees_slots_everywhere),
    CASE(the_last_one_on_a_worker_leaves_nothing_there), CASE(stopping_ends_replicas_too),
    CASE(what_a_slow_worker_has_to_read_is_bounded), CASE(a_low_pool_lets_go_of_replicas_packets))
