/* A whole forwarder with clients of every kind, over simulated links in simulated time. */

#include "media/base/clock.h"
#include "media/packet.h"
#include "media/rtcp.h"
#include "tests/fake_peer.h"
#include "tests/tap.h"

enum { SEEDS = 20, ROOM = 1 };

static const struct netem_config perfect = {.seed = 1, .delay_us = 10 * MS};

static struct forwarder_stats stats_of(const struct fake_world *w)
{
    struct forwarder_stats stats;

    forwarder_stats(w->forwarder, &stats);
    return stats;
}

/* A client that publishes one of each kind and has slots for `slots` others, in the room. */
static struct fake_peer *join(struct fake_world *w, uint32_t slots)
{
    struct fake_peer *p = fake_peer_new(w, 1, 1, slots, slots);

    fake_peer_offer(p, ROOM);
    return p;
}

/* Everybody leaves; nothing may be left. */
static void done(struct fake_world *w)
{
    for (uint32_t i = 0; i < w->n_peers; i++) {
        if (!w->peers[i]->gone)
            fake_peer_leave(w->peers[i]);
        CHECK(w->peers[i]->gone);
    }
    forwarder_flush(w->forwarder);
    CHECK_EQ(packet_pool_used(forwarder_pool(w->forwarder)), 0);
    CHECK_EQ(stats_of(w).participants, 0);
    CHECK_EQ(stats_of(w).tracks, 0);
    CHECK_EQ(stats_of(w).subscriptions, 0);
    CHECK_EQ(forwarder_deadline(w->forwarder), NEVER_US);
    (void)fake_world_free(w);
}

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
}

static void check_starts_with_key_frame(const struct fake_sink *sink)
{
    const struct fake_got *first = fake_sink_got(sink, 0);

    CHECK(first && first->content.first && first->content.key);
}

static void everybody_gets_what_the_others_send(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);

    for (uint32_t i = 0; i < 4; i++)
        (void)join(w, 3);
    fake_world_run(w, 5 * SECOND);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK(w->peers[i]->connected);
        for (uint32_t n = 0; n < 3; n++) {
            /* slots are in order of publishing, without oneself */
            const struct fake_peer *from = w->peers[n < i ? n : n + 1];
            const struct fake_sink *audio = fake_peer_sink(w->peers[i], KIND_AUDIO, n);
            const struct fake_sink *video = fake_peer_sink(w->peers[i], KIND_VIDEO, n);

            check_carries(audio, fake_peer_source(from, KIND_AUDIO, 0), from);
            check_carries(video, fake_peer_source(from, KIND_VIDEO, 0), from);
            check_starts_with_key_frame(video);
            CHECK(audio->packets > 200);
            CHECK(video->packets > 500);
            CHECK(audio->last_level < 100);
        }
    }
    CHECK_EQ(stats_of(w).drop_duplicate + stats_of(w).drop_transport + stats_of(w).drop_rtcp, 0);
    done(w);
}

static void slots_are_told_with_track_and_publisher(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 2);
    struct fake_peer *b = join(w, 2);

    fake_world_run(w, 10 * MS);
    CHECK_EQ(a->n_slot_mails, 1);
    CHECK_EQ(a->track_of_section[2], b->tracks[0].id);
    CHECK_EQ(a->publisher_of_section[2], b->id);
    CHECK_EQ(a->track_of_section[4], b->tracks[1].id);
    CHECK_EQ(a->track_of_section[3], 0);
    fake_peer_leave(b);
    fake_world_run(w, 10 * MS);
    CHECK_EQ(a->n_slot_mails, 2);
    CHECK_EQ(a->track_of_section[2], 0);
    CHECK_EQ(a->track_of_section[4], 0);
    done(w);
}

static void late_joiner_gets_a_key_frame_first(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 2);
    struct fake_peer *late;

    fake_world_run(w, 5 * SECOND);
    late = fake_peer_new(w, 0, 0, 2, 2);
    fake_peer_offer(late, ROOM);
    fake_world_run(w, 1 * SECOND);
    check_starts_with_key_frame(fake_peer_sink(late, KIND_VIDEO, 0));
    check_carries(fake_peer_sink(late, KIND_VIDEO, 0), fake_peer_source(a, KIND_VIDEO, 0), a);
    CHECK(fake_sink_len(fake_peer_sink(late, KIND_VIDEO, 0)) > 80);
    CHECK(fake_peer_source(a, KIND_VIDEO, 0)->key_requests >= 1);
    CHECK(fake_peer_source(a, KIND_VIDEO, 0)->key_requests <= 3);
    done(w);
}

static void who_joins_with_many_shares_their_key_frame(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = fake_peer_new(w, 0, 1, 0, 0);
    uint64_t before;

    fake_peer_offer(a, ROOM);
    fake_world_run(w, 3 * SECOND);
    before = fake_peer_source(a, KIND_VIDEO, 0)->key_requests;
    for (uint32_t i = 0; i < 8; i++) {
        fake_peer_offer(fake_peer_new(w, 0, 0, 0, 1), ROOM);
        fake_world_run(w, 100 * MS);
    }
    fake_world_run(w, 1 * SECOND);
    for (uint32_t i = 1; i <= 8; i++) {
        const struct fake_sink *sink = fake_peer_sink(w->peers[i], KIND_VIDEO, 0);

        check_starts_with_key_frame(sink);
        check_carries(sink, fake_peer_source(a, KIND_VIDEO, 0), a);
    }
    /* 0.8 s of joining: one key frame serves half a second */
    CHECK(fake_peer_source(a, KIND_VIDEO, 0)->key_requests <= before + 2);
    done(w);
}

static void a_publisher_that_ignores_requests_is_seen_all_the_same(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = fake_peer_new(w, 0, 1, 0, 0);
    struct fake_peer *b = fake_peer_new(w, 0, 0, 0, 1);
    struct fake_source *source;
    uint32_t key_index;

    fake_peer_offer(a, ROOM);
    fake_world_run(w, 2 * SECOND);
    source = fake_peer_source(a, KIND_VIDEO, 0);
    source->ignores_requests = true;
    source->packets_per_frame = 1;
    source->key_wanted = true; /* its own, every now and then */
    key_index = source->index;
    fake_world_run(w, 1 * SECOND); /* too old to be given to who joins now, at first */
    fake_peer_offer(b, ROOM);
    fake_world_run(w, 3 * SECOND);
    CHECK(source->key_requests > 1);
    check_carries(fake_peer_sink(b, KIND_VIDEO, 0), source, a);
    CHECK_EQ(fake_sink_got(fake_peer_sink(b, KIND_VIDEO, 0), 0)->content.index, key_index);
    done(w);
}

static void lost_packets_are_all_recovered(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct netem_config lossy = {.seed = seed, .delay_us = 20 * MS, .jitter_us = 5 * MS};
        struct fake_world *w = fake_world_new(&lossy, NULL);
        struct fake_peer *a;
        struct fake_peer *b;

        a = join(w, 1);
        b = join(w, 1);
        a->no_feedback = b->no_feedback = true; /* or losses are taken for a narrow path */
        fake_peer_link(a, "loss=5%; at=8s loss=0");
        fake_peer_link(b, "loss=5%; at=8s loss=0");
        fake_world_run(w, 10 * SECOND);
        CHECK(a->connected && b->connected);
        check_carries(fake_peer_sink(a, KIND_VIDEO, 0), fake_peer_source(b, KIND_VIDEO, 0), b);
        check_carries(fake_peer_sink(b, KIND_VIDEO, 0), fake_peer_source(a, KIND_VIDEO, 0), a);
        CHECK(fake_peer_sink(a, KIND_VIDEO, 0)->recovered > 10);
        CHECK(fake_peer_source(a, KIND_VIDEO, 0)->resent > 10);
        CHECK(stats_of(w).recovered_in > 20);
        done(w);
    }
}

static void media_follows_a_peer_that_moves(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 1);
    uint64_t before;

    fake_world_run(w, 3 * SECOND);
    a->port++;
    a->check_us = w->now_us; /* a browser that sees its network change checks at once */
    fake_world_run(w, 3 * SECOND);
    CHECK_EQ(a->last_to, a->port);
    check_carries(fake_peer_sink(b, KIND_AUDIO, 0), fake_peer_source(a, KIND_AUDIO, 0), a);
    check_carries(fake_peer_sink(a, KIND_AUDIO, 0), fake_peer_source(b, KIND_AUDIO, 0), b);
    before = fake_peer_sink(a, KIND_AUDIO, 0)->packets;
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(fake_peer_sink(a, KIND_AUDIO, 0)->packets, before + 50);
    done(w);
}

static void silence_for_30_s_ends_a_participant(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 1);
    struct netem_config cut = {.loss = 1};

    fake_world_run(w, 2 * SECOND);
    netem_change(b->up, &cut);
    fake_world_run(w, 26 * SECOND);
    CHECK(!b->ended);
    fake_world_run(w, 7 * SECOND);
    CHECK(b->ended && !b->gone);
    CHECK_EQ(b->end, PEER_CONSENT_LOST);
    CHECK_EQ(a->track_of_section[2], 0);
    CHECK_EQ(stats_of(w).participants, 1);
    CHECK_EQ(stats_of(w).tracks, 2);
    CHECK(!a->ended);
    done(w);
}

static void media_without_checks_is_a_sign_of_life(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *publisher = fake_peer_new(w, 1, 0, 0, 0);
    struct fake_peer *player = fake_peer_new(w, 0, 0, 1, 0);

    fake_peer_offer(publisher, ROOM);
    fake_peer_offer(player, ROOM);
    fake_world_run(w, 2 * SECOND);
    publisher->checks = false;
    fake_world_run(w, 40 * SECOND);
    CHECK(!publisher->ended);
    check_carries(fake_peer_sink(player, KIND_AUDIO, 0), fake_peer_source(publisher, KIND_AUDIO, 0),
                  publisher);
    done(w);
}

static void who_never_connects_is_told_why(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = fake_peer_new(w, 1, 0, 1, 0);

    a->checks = false;
    fake_peer_offer(a, ROOM);
    fake_world_run(w, 29 * SECOND);
    CHECK(!a->ended);
    fake_world_run(w, 2 * SECOND);
    CHECK(a->ended);
    CHECK_EQ(a->end, PEER_FAILED);
    CHECK_STR(a->reason, "no connectivity check arrived; is UDP port 7882 reachable?");
    CHECK_EQ(stats_of(w).participants, 0);
    done(w);
}

static void who_hangs_up_is_gone_for_the_others(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 1);

    fake_world_run(w, 2 * SECOND);
    transport_close(b->transport);
    fake_world_run(w, 100 * MS);
    CHECK(b->ended);
    CHECK_EQ(b->end, PEER_CLOSED);
    CHECK_EQ(a->track_of_section[2], 0);
    done(w);
}

static void leaving_says_good_bye(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);

    fake_world_run(w, 2 * SECOND);
    fake_peer_leave(a);
    CHECK(a->gone);
    fake_world_run(w, 100 * MS);
    CHECK_EQ(transport_state(a->transport), TRANSPORT_CLOSED);
    CHECK(!a->ended);
    a->gone = false;
    fake_peer_leave(a); /* a second time: answered all the same */
    CHECK(a->gone);
    done(w);
}

static void stopping_says_good_bye_to_all(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 1);

    fake_world_run(w, 2 * SECOND);
    fake_world_stop(w);
    CHECK(w->stopped);
    fake_world_run(w, 100 * MS);
    CHECK_EQ(transport_state(a->transport), TRANSPORT_CLOSED);
    CHECK_EQ(transport_state(b->transport), TRANSPORT_CLOSED);
    CHECK_EQ(stats_of(w).participants, 0);
    done(w);
}

static void reoffer_adds_a_track_and_leaves_the_others_alone(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 3);
    struct fake_peer *b = join(w, 3);

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
    CHECK_EQ(stats_of(w).tracks, 4);
    check_carries(fake_peer_sink(b, KIND_VIDEO, 0), fake_peer_source(a, KIND_VIDEO, 0), a);
    done(w);
}

static void missing_slots_are_asked_for_and_filled(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);

    for (uint32_t i = 0; i < 3; i++)
        (void)join(w, 4);
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(a->n_needs, 1);
    CHECK(a->need_audio >= 2 && a->need_video >= 2);
    CHECK(fake_peer_sink(a, KIND_VIDEO, 0)->packets > 0);
    for (uint32_t i = 0; i < 2; i++) {
        (void)fake_peer_add(a, SECTION_SLOT, KIND_AUDIO);
        (void)fake_peer_add(a, SECTION_SLOT, KIND_VIDEO);
    }
    fake_peer_offer(a, ROOM);
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(a->n_needs, 1);
    for (uint32_t i = 0; i < 3; i++)
        check_carries(fake_peer_sink(a, KIND_VIDEO, i),
                      fake_peer_source(w->peers[i + 1], KIND_VIDEO, 0), w->peers[i + 1]);
    done(w);
}

static void a_slot_goes_on_evenly_when_its_track_changes(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 1);
    struct fake_peer *c = join(w, 1);
    const struct fake_sink *sink;
    uint64_t before;

    fake_world_run(w, 2 * SECOND);
    sink = fake_peer_sink(a, KIND_VIDEO, 0);
    CHECK_EQ(a->publisher_of_section[3], b->id);
    before = sink->packets;
    fake_peer_leave(b);
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(a->publisher_of_section[3], c->id);
    CHECK(sink->packets > before + 100);
    check_carries(sink, fake_peer_source(c, KIND_VIDEO, 0), c);
    CHECK_EQ(fake_sink_len(sink), sink->packets); /* without a gap */
    for (int64_t i = 1; i < fake_sink_len(sink); i++) {
        const struct fake_got *got = fake_sink_got(sink, i);
        const struct fake_got *last = fake_sink_got(sink, i - 1);

        CHECK((int32_t)(got->ts - last->ts) >= 0);
        CHECK((int32_t)(got->ts - last->ts) < 90000);
        if (got->content.source != last->content.source)
            CHECK(got->content.first && got->content.key);
    }
    done(w);
}

static void muted_tracks_are_not_forwarded(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 1);
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
    CHECK_EQ(a->track_of_section[2], b->tracks[0].id);
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

static void red_is_opus_to_who_takes_no_red(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = fake_peer_new(w, 1, 0, 0, 0);
    struct fake_peer *takes = fake_peer_new(w, 0, 0, 1, 0);
    struct fake_peer *takes_not = fake_peer_new(w, 0, 0, 1, 0);

    a->sections[0].codecs[0] = CODEC_OPUS;
    a->sections[0].codecs[1] = CODEC_RED;
    takes_not->sections[0].codecs[0] = CODEC_OPUS;
    fake_peer_offer(a, ROOM);
    fake_peer_offer(takes, ROOM);
    fake_peer_offer(takes_not, ROOM);
    fake_world_run(w, 3 * SECOND);
    CHECK_EQ(fake_peer_source(a, KIND_AUDIO, 0)->codec, CODEC_RED);
    check_carries(fake_peer_sink(takes, KIND_AUDIO, 0), fake_peer_source(a, KIND_AUDIO, 0), a);
    CHECK_EQ(fake_peer_sink(takes, KIND_AUDIO, 0)->last_pt, 63);
    check_carries(fake_peer_sink(takes_not, KIND_AUDIO, 0), fake_peer_source(a, KIND_AUDIO, 0), a);
    CHECK_EQ(fake_peer_sink(takes_not, KIND_AUDIO, 0)->last_pt, 111);
    done(w);
}

static void clients_without_extensions_are_routed_by_payload_type(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = fake_peer_new(w, 1, 1, 0, 0);
    struct fake_peer *b = fake_peer_new(w, 0, 0, 1, 1);

    a->strips_extensions = b->strips_extensions = true;
    fake_peer_offer(a, ROOM);
    fake_peer_offer(b, ROOM);
    fake_world_run(w, 1 * SECOND);
    /* from now on under SSRCs that no offer told */
    fake_peer_source(a, KIND_AUDIO, 0)->ssrc = 0xabcd0001;
    fake_peer_source(a, KIND_VIDEO, 0)->ssrc = 0xabcd0002;
    fake_peer_source(a, KIND_AUDIO, 0)->paused = true;
    fake_peer_source(a, KIND_VIDEO, 0)->paused = true;
    fake_world_run(w, 1 * SECOND);
    fake_peer_source(a, KIND_AUDIO, 0)->paused = false;
    fake_peer_source(a, KIND_VIDEO, 0)->paused = false;
    fake_world_run(w, 2 * SECOND);
    check_carries(fake_peer_sink(b, KIND_AUDIO, 0), fake_peer_source(a, KIND_AUDIO, 0), a);
    check_carries(fake_peer_sink(b, KIND_VIDEO, 0), fake_peer_source(a, KIND_VIDEO, 0), a);
    done(w);
}

static void padding_leaves_no_gap(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 1);
    const struct fake_sink *sink;

    fake_world_run(w, 1 * SECOND);
    for (int i = 0; i < 20; i++) {
        fake_source_send_padding(fake_peer_source(a, KIND_VIDEO, 0));
        fake_world_run(w, 50 * MS);
    }
    sink = fake_peer_sink(b, KIND_VIDEO, 0);
    check_carries(sink, fake_peer_source(a, KIND_VIDEO, 0), a);
    CHECK_EQ(fake_sink_len(sink), sink->packets);
    CHECK_EQ(stats_of(w).padding_in, 20);
    done(w);
}

/* [us] between what two sender reports say of the moment of timestamp 0, audio after video */
static int64_t report_us(const struct fake_sink *s, uint32_t ts, uint32_t rate)
{
    int32_t units = (int32_t)(ts - s->report_ts);

    return ntp_to_wall_us(s->report_ntp) + units * SECOND / rate;
}

static void audio_and_video_keep_their_relation_in_reports(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 1);
    const struct fake_sink *audio;
    const struct fake_sink *video;
    int64_t apart_us;

    (void)a;
    fake_world_run(w, 5 * SECOND + 500 * MS);
    audio = fake_peer_sink(b, KIND_AUDIO, 0);
    video = fake_peer_sink(b, KIND_VIDEO, 0);
    CHECK(audio->has_report && video->has_report);
    /* the newest packets of both were sent at about the same time */
    apart_us = report_us(audio, fake_sink_got(audio, fake_sink_len(audio) - 1)->ts, 48000) -
               report_us(video, fake_sink_got(video, fake_sink_len(video) - 1)->ts, 90000);
    CHECK(apart_us > -60 * MS && apart_us < 60 * MS);
    done(w);
}

static void publishers_get_reports_and_feedback(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);

    (void)join(w, 1);
    fake_world_run(w, 6 * SECOND);
    CHECK(a->reports >= 8 && a->reports <= 14);   /* two streams, once per second */
    CHECK(a->feedback > 80 && a->feedback < 130); /* every 50 ms */
    CHECK_EQ(a->remb, 0);
    done(w);
}

static void key_frame_requests_are_coalesced(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = fake_peer_new(w, 0, 1, 0, 0);
    uint64_t before;

    fake_peer_offer(a, ROOM);
    for (uint32_t i = 0; i < 8; i++)
        fake_peer_offer(fake_peer_new(w, 0, 0, 0, 1), ROOM);
    fake_world_run(w, 3 * SECOND);
    before = fake_peer_source(a, KIND_VIDEO, 0)->key_requests;
    for (uint32_t i = 1; i <= 8; i++)
        fake_peer_send_pli(w->peers[i], 0);
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(stats_of(w).key_frames_in, 8);
    CHECK_EQ(fake_peer_source(a, KIND_VIDEO, 0)->key_requests, before + 1);
    done(w);
}

static void ice_restart_keeps_the_media_flowing(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 1);

    fake_world_run(w, 2 * SECOND);
    fake_peer_restart_ice(a);
    a->checks = false;
    fake_peer_offer(a, ROOM);
    fake_world_run(w, 1 * SECOND);
    a->checks = true; /* with the new credentials, from a new address */
    a->port++;
    a->check_us = w->now_us;
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(a->last_to, a->port);
    check_carries(fake_peer_sink(b, KIND_AUDIO, 0), fake_peer_source(a, KIND_AUDIO, 0), a);
    check_carries(fake_peer_sink(a, KIND_AUDIO, 0), fake_peer_source(b, KIND_AUDIO, 0), b);
    CHECK(fake_sink_len(fake_peer_sink(a, KIND_AUDIO, 0)) > 200);
    fake_world_run(w, 40 * SECOND);
    CHECK(!a->ended);
    done(w);
}

static void rooms_are_apart(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = fake_peer_new(w, 1, 1, 1, 1);

    fake_peer_offer(b, ROOM + 1);
    fake_world_run(w, 2 * SECOND);
    CHECK(a->connected && b->connected);
    CHECK_EQ(a->n_slot_mails + b->n_slot_mails, 0);
    CHECK_EQ(fake_peer_sink(b, KIND_AUDIO, 0)->packets, 0);
    done(w);
}

static void a_full_worker_refuses_the_newcomer(void)
{
    struct forwarder_limits limits = {.max_participants = 2, .max_packets = 4096};
    struct fake_world *w = fake_world_new(&perfect, &limits);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 1);
    struct fake_peer *c = join(w, 1);

    CHECK(c->ended);
    CHECK_EQ(c->end, PEER_FAILED);
    CHECK_STR(c->reason, "the media worker has no room for more");
    c->checks = false;
    fake_world_run(w, 2 * SECOND);
    check_carries(fake_peer_sink(a, KIND_VIDEO, 0), fake_peer_source(b, KIND_VIDEO, 0), b);
    done(w);
}

static void a_low_pool_keeps_less_and_everybody_talking(void)
{
    struct forwarder_limits limits = {.max_participants = 10, .max_packets = 300};
    struct fake_world *w = fake_world_new(&perfect, &limits);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 1);

    fake_world_run(w, 20 * SECOND); /* 340 packets per second */
    check_carries(fake_peer_sink(a, KIND_VIDEO, 0), fake_peer_source(b, KIND_VIDEO, 0), b);
    check_carries(fake_peer_sink(b, KIND_AUDIO, 0), fake_peer_source(a, KIND_AUDIO, 0), a);
    CHECK_EQ(stats_of(w).drop_pool, 0);
    done(w);
}

static void an_exhausted_pool_drops_and_recovers(void)
{
    struct forwarder_limits limits = {.max_participants = 10, .max_packets = 16};
    struct fake_world *w = fake_world_new(&perfect, &limits);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 1);
    uint64_t before;

    fake_world_run(w, 10 * SECOND);
    CHECK(stats_of(w).drop_pool > 0);
    CHECK(!a->ended && !b->ended);
    CHECK(fake_peer_sink(a, KIND_AUDIO, 0)->packets > 50);
    fake_peer_source(a, KIND_VIDEO, 0)->paused = true;
    fake_peer_source(b, KIND_VIDEO, 0)->paused = true;
    fake_world_run(w, 1 * SECOND);
    before = fake_peer_sink(a, KIND_AUDIO, 0)->packets;
    fake_world_run(w, 10 * SECOND);
    CHECK(fake_peer_sink(a, KIND_AUDIO, 0)->packets > before + 490);
    CHECK_EQ(fake_peer_sink(a, KIND_AUDIO, 0)->wrong, 0);
    done(w);
}

TAP_CASES(CASE(everybody_gets_what_the_others_send), CASE(slots_are_told_with_track_and_publisher),
          CASE(late_joiner_gets_a_key_frame_first),
          CASE(who_joins_with_many_shares_their_key_frame),
          CASE(a_publisher_that_ignores_requests_is_seen_all_the_same),
          CASE(lost_packets_are_all_recovered), CASE(media_follows_a_peer_that_moves),
          CASE(silence_for_30_s_ends_a_participant), CASE(media_without_checks_is_a_sign_of_life),
          CASE(who_never_connects_is_told_why), CASE(who_hangs_up_is_gone_for_the_others),
          CASE(leaving_says_good_bye), CASE(stopping_says_good_bye_to_all),
          CASE(reoffer_adds_a_track_and_leaves_the_others_alone),
          CASE(missing_slots_are_asked_for_and_filled),
          CASE(a_slot_goes_on_evenly_when_its_track_changes), CASE(muted_tracks_are_not_forwarded),
          CASE(red_is_opus_to_who_takes_no_red),
          CASE(clients_without_extensions_are_routed_by_payload_type), CASE(padding_leaves_no_gap),
          CASE(audio_and_video_keep_their_relation_in_reports),
          CASE(publishers_get_reports_and_feedback), CASE(key_frame_requests_are_coalesced),
          CASE(ice_restart_keeps_the_media_flowing), CASE(rooms_are_apart),
          CASE(a_full_worker_refuses_the_newcomer),
          CASE(a_low_pool_keeps_less_and_everybody_talking),
          CASE(an_exhausted_pool_drops_and_recovers))
