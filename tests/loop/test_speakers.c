/* Who speaks is heard, by everybody and from the first syllable on; who is silent costs little. */

#include "media/rtcp.h"
#include "tests/loop/relay_fixture.h"

enum {
    VOICE = 30,
    SILENCE = 127,
    SLOTS = 3,
    PRE_ROLL = 4, /* packets */
};

/* @return the n-th client's microphone */
static struct fake_source *mic(const struct fake_world *w, uint32_t n)
{
    return fake_peer_source(w->peers[n], KIND_AUDIO, 0);
}

/* A client that publishes one track of sound, and one of video if `video_slots`. */
static struct fake_peer *add(struct fake_world *w, uint32_t worker, uint32_t audio_slots,
                             uint32_t video_slots)
{
    struct fake_peer *p = fake_peer_new(w, 1, video_slots > 0, audio_slots, video_slots);

    p->worker = worker;
    fake_peer_offer(p, ROOM);
    return p;
}

static struct fake_world *begin_with(uint32_t n, uint32_t workers, uint32_t audio_slots,
                                     uint32_t video_slots)
{
    struct fake_world *w = begin(workers);

    for (uint32_t i = 0; i < n; i++)
        (void)add(w, i % workers, audio_slots, video_slots);
    fake_world_run(w, 2 * SECOND);
    return w;
}

static struct forwarder_stats stats_of_all(const struct fake_world *w)
{
    struct forwarder_stats sum = {0};

    for (uint32_t i = 0; i < w->n_workers; i++) {
        sum.rtp_in += stats_of(w, i).rtp_in;
        sum.rtp_out += stats_of(w, i).rtp_out;
        sum.nacks_in += stats_of(w, i).nacks_in;
        sum.nacks_out += stats_of(w, i).nacks_out;
        sum.relay_out += stats_of(w, i).relay_out;
        sum.silence_left_out += stats_of(w, i).silence_left_out;
    }
    return sum;
}

/* @return true: the packet number `index` of a source has come in some slot */
static bool got(const struct fake_peer *p, const struct fake_source *source, uint32_t index)
{
    for (uint32_t i = 0; i < p->n_sections; i++) {
        const struct fake_sink *sink = p->sinks[i];

        for (int64_t k = sink ? fake_sink_len(sink) - 1 : -1; k >= 0; k--) {
            const struct fake_got *packet = fake_sink_got(sink, k);

            if (packet && packet->content.source == source->ssrc && packet->content.index == index)
                return true;
        }
    }
    return false;
}

/* @return how many slots of a client carry the track of another one */
static uint32_t count_slots(const struct fake_peer *p, const struct fake_peer *of,
                            enum media_kind kind)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->n_sections; i++)
        n += p->sections[i].kind == kind && p->publisher_of_section[i] == of->id;
    return n;
}

/* Everybody but the speaker heard it from its first packet on, and a bit before. */
static void check_first_syllable(struct fake_world *w, uint32_t speaker, uint32_t first)
{
    for (uint32_t i = 0; i < w->n_peers; i++) {
        if (i == speaker)
            continue;
        CHECK(got(w->peers[i], mic(w, speaker), first));
        CHECK(got(w->peers[i], mic(w, speaker), first + 1));
        CHECK(got(w->peers[i], mic(w, speaker), first - PRE_ROLL));
        CHECK_EQ(count_slots(w->peers[i], w->peers[speaker], KIND_AUDIO), 1);
    }
}

static void check_speaker(const struct fake_world *w, uint32_t speaker)
{
    for (uint32_t i = 0; i < w->n_peers; i++) {
        const struct fake_peer *p = w->peers[i];

        CHECK_EQ(p->n_speakers, 1);
        CHECK_EQ(p->speakers[0].participant, w->peers[speaker]->id);
        CHECK(p->speakers[0].dominant);
        CHECK_EQ(p->speakers[0].level, VOICE);
    }
}

/* One falls silent, another begins, and half a second later everybody knows. */
static void change_speaker(struct fake_world *w, uint32_t from, uint32_t to)
{
    uint32_t first = mic(w, to)->index;

    mic(w, from)->level = FAKE_QUIET;
    mic(w, to)->level = VOICE;
    fake_world_run(w, 40 * MS); /* 10 there, 10 back, and the next packet */
    fake_world_run(w, 20 * MS);
    check_first_syllable(w, to, first);
    fake_world_run(w, 450 * MS); /* and 10 ms on the way */
    check_speaker(w, to);
}

static void of_fifty_who_send_three_are_heard(void)
{
    struct fake_world *w = begin_with(50, 1, SLOTS, 0);
    struct forwarder_stats before = stats_of_all(w);
    uint32_t last = 49;

    fake_world_run(w, 1 * SECOND);
    CHECK(stats_of_all(w).rtp_in - before.rtp_in >= UINT64_C(50) * 49);
    CHECK(stats_of_all(w).rtp_out - before.rtp_out <= UINT64_C(50) * SLOTS * 51);
    for (uint32_t i = 3; i < 50; i += 9) {
        change_speaker(w, last, i);
        fake_world_run(w, 300 * MS);
        last = i;
    }
    for (uint32_t i = 0; i < w->n_peers; i++) {
        for (uint32_t k = 0; k < w->peers[i]->n_sections; k++)
            CHECK(!w->peers[i]->sinks[k] || w->peers[i]->sinks[k]->wrong == 0);
    }
    CHECK_EQ(stats_of_all(w).nacks_in, 0);
    done(w);
}

static void a_room_on_three_workers_hears_alike(void)
{
    struct fake_world *w = begin_with(12, 3, SLOTS, 0);
    uint32_t last = 0;

    for (uint32_t i = 4; i < 12; i++) {
        change_speaker(w, last, i);
        fake_world_run(w, 300 * MS);
        last = i;
    }
    CHECK_EQ(stats_of_all(w).nacks_in, 0);
    done(w);
}

/* What every client was told of who speaks, and who is dominant, in whatever order. */
static void check_told_alike(const struct fake_world *w)
{
    const struct fake_peer *a = w->peers[0];

    for (uint32_t i = 1; i < w->n_peers; i++) {
        const struct fake_peer *b = w->peers[i];

        CHECK_EQ(a->n_speakers, b->n_speakers);
        for (uint32_t k = 0; k < a->n_speakers; k++) {
            uint32_t found = 0;

            for (uint32_t n = 0; n < b->n_speakers; n++)
                found += a->speakers[k].participant == b->speakers[n].participant &&
                         a->speakers[k].dominant == b->speakers[n].dominant;
            CHECK_EQ(found, 1);
        }
    }
}

/* Some begin to speak, some stop. */
static void converse(struct fake_world *w, uint64_t *random)
{
    for (uint32_t i = 0; i < w->n_peers; i++) {
        if (netem_random(random) % 3 == 0)
            mic(w, i)->level = netem_random(random) % 3 ? FAKE_QUIET : VOICE;
    }
    fake_world_run(w, (int64_t)(netem_random(random) % 700) * MS);
}

static void any_conversation_is_heard_alike(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct fake_world *w = begin_with(6, 3, 2, 0);
        uint64_t random = seed;

        for (int round = 1; round <= 15; round++) {
            converse(w, &random);
            if (round % 5 != 0)
                continue;
            fake_world_run(w, 1200 * MS); /* until all is told */
            check_told_alike(w);
        }
        done(w);
    }
}

static void who_is_silent_crosses_no_worker(void)
{
    struct fake_world *w = begin_with(12, 2, 1, 0);
    struct forwarder_stats before = stats_of_all(w);

    mic(w, 5)->level = VOICE;
    fake_world_run(w, 2 * SECOND);
    /* One speaker to the other worker, and who is in the speaker's own slot; nine are silent. */
    CHECK(stats_of_all(w).relay_out - before.relay_out <= 2 * 110 + 100);
    done(w);
}

/* Listeners and a speaker, and so many more who send noise and have no slots. */
static uint64_t forwarded_beside(uint32_t silent, uint64_t *received)
{
    struct fake_world *w = begin_with(6, 1, SLOTS, 0);
    struct forwarder_stats before;

    for (uint32_t i = 0; i < silent; i++)
        (void)add(w, 0, 0, 0);
    fake_world_run(w, 2 * SECOND);
    before = stats_of_all(w);
    mic(w, 0)->level = VOICE;
    fake_world_run(w, 2 * SECOND);
    *received = stats_of_all(w).rtp_in - before.rtp_in;
    before.rtp_out = stats_of_all(w).rtp_out - before.rtp_out;
    done(w);
    return before.rtp_out;
}

static void work_grows_with_listeners_not_with_the_silent(void)
{
    uint64_t few_in, many_in;
    uint64_t few = forwarded_beside(0, &few_in);
    uint64_t many = forwarded_beside(40, &many_in);

    CHECK(many_in > 7 * few_in);
    CHECK(many <= few + 20);
}

static void who_pauses_keeps_the_slot_while_nobody_needs_it(void)
{
    struct fake_world *w = begin_with(8, 1, 2, 0);
    uint32_t mails;

    mic(w, 6)->level = VOICE;
    fake_world_run(w, 1 * SECOND);
    mails = w->peers[0]->n_slot_mails;
    for (int i = 0; i < 5; i++) {
        mic(w, 6)->level = FAKE_QUIET;
        fake_world_run(w, 2 * SECOND);
        mic(w, 6)->level = VOICE;
        fake_world_run(w, 1 * SECOND);
    }
    CHECK_EQ(w->peers[0]->n_slot_mails, mails);
    CHECK_EQ(count_slots(w->peers[0], w->peers[6], KIND_AUDIO), 1);
    done(w);
}

static void with_slots_for_all_nothing_moves(void)
{
    struct fake_world *w = begin_with(4, 1, 3, 0);
    uint32_t mails = w->peers[0]->n_slot_mails;

    for (uint32_t i = 1; i < 4; i++) {
        mic(w, i)->level = VOICE;
        fake_world_run(w, 1 * SECOND);
        mic(w, i)->level = FAKE_QUIET;
    }
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(w->peers[0]->n_slot_mails, mails);
    CHECK(w->peers[0]->n_speaker_mails >= 3);
    CHECK_EQ(w->peers[0]->n_speakers, 0);
    done(w);
}

static void several_beginners_are_told_at_once(void)
{
    struct fake_world *w = begin_with(8, 1, 3, 0);
    uint32_t mails = w->peers[0]->n_slot_mails;

    for (uint32_t i = 5; i < 8; i++) {
        mic(w, i)->level = VOICE;
        mic(w, i)->next_us = mic(w, 5)->next_us; /* all in one turn */
    }
    fake_world_run(w, 100 * MS);
    CHECK_EQ(w->peers[0]->n_slot_mails, mails + 1);
    for (uint32_t i = 5; i < 8; i++)
        CHECK_EQ(count_slots(w->peers[0], w->peers[i], KIND_AUDIO), 1);
    done(w);
}

static void who_is_muted_speaks_no_more(void)
{
    struct fake_world *w = begin_with(3, 2, 1, 0);

    mic(w, 0)->level = VOICE;
    fake_world_run(w, 1 * SECOND);
    check_speaker(w, 0);
    fake_peer_mute(w->peers[0], 0, true);
    fake_world_run(w, 300 * MS);
    for (uint32_t i = 0; i < 3; i++)
        CHECK_EQ(w->peers[i]->n_speakers, 0);
    done(w);
}

static void a_speaker_who_leaves_is_told(void)
{
    struct fake_world *w = begin_with(4, 2, 1, 0);

    mic(w, 1)->level = VOICE;
    fake_world_run(w, 1 * SECOND);
    check_speaker(w, 1);
    fake_peer_leave(w->peers[1]);
    fake_world_run(w, 300 * MS);
    CHECK_EQ(w->peers[0]->n_speakers, 0);
    CHECK_EQ(w->peers[3]->n_speakers, 0);
    done(w);
}

static void who_comes_later_is_told_who_speaks(void)
{
    struct fake_world *w = begin_with(3, 2, 1, 0);

    mic(w, 1)->level = VOICE;
    fake_world_run(w, 2 * SECOND);
    (void)add(w, 0, 1, 0);
    fake_world_run(w, 1 * SECOND);
    check_speaker(w, 1);
    done(w);
}

static void who_tells_no_levels_is_heard(void)
{
    struct fake_world *w = begin_with(8, 1, 2, 0);

    mic(w, 7)->no_level = true;
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(count_slots(w->peers[0], w->peers[7], KIND_AUDIO), 1);
    CHECK_EQ(w->peers[0]->n_speakers, 0);
    mic(w, 6)->level = mic(w, 5)->level = VOICE;
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(count_slots(w->peers[0], w->peers[5], KIND_AUDIO), 1);
    CHECK_EQ(count_slots(w->peers[0], w->peers[6], KIND_AUDIO), 1);
    done(w);
}

static void the_server_may_limit_streams(void)
{
    struct forwarder_limits limits = forwarder_default_limits;
    struct fake_world *w;
    uint32_t first;

    limits.max_audio_streams = 2;
    w = fake_world_new(&perfect, &limits);
    for (uint32_t i = 0; i < 6; i++)
        (void)add(w, 0, 5, 0);
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(w->peers[0]->n_needs, 0);
    first = mic(w, 5)->index;
    mic(w, 5)->level = VOICE;
    fake_world_run(w, 100 * MS);
    CHECK(got(w->peers[0], mic(w, 5), first));
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t bound = 0;

        for (uint32_t k = 0; k < 6; k++)
            bound += count_slots(w->peers[i], w->peers[k], KIND_AUDIO);
        CHECK_EQ(bound, 2);
    }
    done(w);
}

/* ------------------------------------------------------------------ video */

static void pictures_follow_the_dominant_speaker(void)
{
    struct fake_world *w = begin_with(8, 2, 2, 2);
    int64_t moved_us = 0;
    uint32_t mails;

    for (uint32_t i = 3; i < 8; i++) {
        mails = w->peers[0]->n_slot_mails;
        mic(w, i)->level = VOICE;
        fake_world_run(w, 1500 * MS);
        CHECK_EQ(count_slots(w->peers[0], w->peers[i], KIND_VIDEO), 1);
        CHECK_EQ(count_slots(w->peers[1], w->peers[i], KIND_VIDEO), 1);
        CHECK_EQ(w->peers[0]->n_slot_mails, mails + 2); /* the sound's slot, then the picture's */
        CHECK(w->peers[0]->slots_us - moved_us >= 1 * SECOND);
        moved_us = w->peers[0]->slots_us;
        mic(w, i)->level = FAKE_QUIET;
    }
    /* The last two who spoke. */
    CHECK_EQ(count_slots(w->peers[0], w->peers[6], KIND_VIDEO), 1);
    done(w);
}

static void a_picture_stays_for_a_second(void)
{
    struct fake_world *w = begin_with(4, 1, 3, 1);
    int64_t first_us;

    mic(w, 2)->level = VOICE;
    while (count_slots(w->peers[0], w->peers[2], KIND_VIDEO) == 0)
        fake_world_run(w, 1 * MS);
    first_us = w->now_us;
    mic(w, 2)->level = FAKE_QUIET;
    mic(w, 3)->level = VOICE;
    while (count_slots(w->peers[0], w->peers[3], KIND_VIDEO) == 0)
        fake_world_run(w, 1 * MS);
    CHECK(w->now_us - first_us >= 1 * SECOND);
    CHECK(w->now_us - first_us <= 1200 * MS);
    done(w);
}

static void a_screen_goes_before_speakers(void)
{
    struct fake_world *w = begin_with(5, 1, 2, 2);
    struct fake_peer *p = fake_peer_new(w, 0, 1, 0, 0);

    p->tracks[0].screen = true;
    fake_peer_offer(p, ROOM);
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(count_slots(w->peers[0], p, KIND_VIDEO), 1);
    for (uint32_t i = 1; i < 5; i++) {
        mic(w, i)->level = VOICE;
        fake_world_run(w, 1500 * MS);
        mic(w, i)->level = FAKE_QUIET;
        CHECK_EQ(count_slots(w->peers[0], p, KIND_VIDEO), 1);
    }
    done(w);
}

static void who_shows_nothing_gives_way(void)
{
    struct fake_world *w = begin_with(4, 2, 3, 1);

    CHECK_EQ(count_slots(w->peers[0], w->peers[1], KIND_VIDEO), 1);
    fake_peer_mute(w->peers[1], 1, true);
    fake_world_run(w, 100 * MS);
    CHECK_EQ(count_slots(w->peers[0], w->peers[2], KIND_VIDEO), 1);
    fake_peer_mute(w->peers[1], 1, false);
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(count_slots(w->peers[0], w->peers[2], KIND_VIDEO), 1);
    done(w);
}

static void who_is_pinned_keeps_the_slot_and_who_is_refused_gets_none(void)
{
    struct fake_world *w = begin_with(8, 1, 2, 2);
    struct fake_peer *p = w->peers[0];
    struct message_view pin = {.priority = VIEW_PINNED};

    for (uint32_t section = 0; section < 2; section++) { /* sound and picture of the fifth */
        pin.track = w->peers[5]->tracks[section].id;
        fake_peer_view(p, &pin);
    }
    fake_peer_subscribe(p, w->peers[6]->tracks[0].id, false);
    for (uint32_t i = 1; i < 8; i++) {
        mic(w, i)->level = VOICE;
        fake_world_run(w, 1500 * MS);
        mic(w, i)->level = FAKE_QUIET;
        CHECK_EQ(count_slots(p, w->peers[5], KIND_AUDIO), 1);
        CHECK_EQ(count_slots(p, w->peers[5], KIND_VIDEO), 1);
        CHECK_EQ(count_slots(p, w->peers[i], KIND_AUDIO), i != 6);
        CHECK_EQ(count_slots(w->peers[i != 1 ? 1 : 2], w->peers[i], KIND_AUDIO), 1);
    }
    done(w);
}

/* [us] wall time of the newest packet, as the sink's sender reports tell */
static int64_t newest_us(const struct fake_sink *s, uint32_t rate)
{
    uint32_t ts = fake_sink_got(s, fake_sink_len(s) - 1)->ts;

    CHECK(s->has_report);
    return ntp_to_wall_us(s->report_ntp) + (int32_t)(ts - s->report_ts) * SECOND / rate;
}

/* Of one the sound, of another one the picture; the clocks of fake peers are minutes apart. */
static void who_share_a_slot_number_share_a_clock(void)
{
    struct fake_world *w = begin(1);
    struct fake_peer *listener = fake_peer_new(w, 0, 0, 1, 1);
    int64_t apart_us;

    fake_peer_offer(fake_peer_new(w, 1, 0, 0, 0), ROOM);
    fake_peer_offer(fake_peer_new(w, 0, 1, 0, 0), ROOM);
    fake_peer_offer(listener, ROOM);
    fake_world_run(w, 5 * SECOND + 500 * MS);
    CHECK(listener->publisher_of_section[0] != listener->publisher_of_section[1]);
    apart_us = newest_us(fake_peer_sink(listener, KIND_AUDIO, 0), 48000) -
               newest_us(fake_peer_sink(listener, KIND_VIDEO, 0), 90000);
    CHECK(apart_us > -60 * MS && apart_us < 60 * MS);
    done(w);
}

/* ------------------------------------------------------------------ silence */

/* Two clients with a slot each; the first one is heard by the second. */
static struct fake_sink *begin_two(struct fake_world **w)
{
    *w = begin_with(2, 1, 1, 0);
    CHECK(fake_peer_sink((*w)->peers[1], KIND_AUDIO, 0)->packets > 50);
    return fake_peer_sink((*w)->peers[1], KIND_AUDIO, 0);
}

/* Nothing is missing in the numbers of a slot, or in those of its source. */
static void check_no_gap(const struct fake_world *w, const struct fake_sink *sink)
{
    CHECK_EQ(fake_sink_len(sink), (int64_t)sink->packets);
    CHECK_EQ(stats_of(w, 0).nacks_in, 0);
    CHECK_EQ(stats_of(w, 0).nacks_out, 0);
    CHECK_EQ(sink->wrong, 0);
}

static void comfort_noise_is_thinned_out(void)
{
    struct fake_world *w;
    struct fake_sink *sink = begin_two(&w);

    mic(w, 0)->comfort = true;
    fake_world_run(w, 4 * SECOND);
    CHECK(sink->comfort >= 12 && sink->comfort <= 14);
    CHECK(stats_of(w, 0).silence_left_out >= 180);
    check_no_gap(w, sink);
    done(w);
}

static void speech_after_comfort_noise_comes_at_once(void)
{
    struct fake_world *w;
    struct fake_sink *sink = begin_two(&w);
    const struct fake_got *before, *after;
    uint32_t index;
    uint64_t packets;

    mic(w, 0)->comfort = true;
    fake_world_run(w, 4100 * MS);
    index = mic(w, 0)->index;
    mic(w, 0)->comfort = false;
    before = fake_sink_got(sink, fake_sink_len(sink) - (int64_t)sink->comfort - 1);
    packets = sink->packets;
    fake_world_run(w, 1 * SECOND);
    CHECK(sink->packets - packets >= 48);
    after = fake_sink_got(sink, fake_sink_len(sink) - (int64_t)(sink->packets - packets));
    CHECK(before && after);
    CHECK_EQ(before->content.index, index - 1);
    CHECK_EQ(after->content.index, index);
    /* Its time is that of the source: nothing was taken out of that. */
    CHECK(after->ts - before->ts >= 4000 * 48 && after->ts - before->ts <= 4200 * 48);
    check_no_gap(w, sink);
    done(w);
}

static void digital_silence_is_thinned_out(void)
{
    struct fake_world *w;
    struct fake_sink *sink = begin_two(&w);
    uint64_t packets = sink->packets;

    mic(w, 0)->level = SILENCE;
    fake_world_run(w, 4 * SECOND);
    CHECK(sink->packets - packets >= 18 && sink->packets - packets <= 24);
    check_no_gap(w, sink);
    mic(w, 0)->level = FAKE_QUIET;
    packets = sink->packets;
    fake_world_run(w, 1 * SECOND);
    CHECK(sink->packets - packets >= 48);
    check_no_gap(w, sink);
    done(w);
}

static void sound_without_levels_is_never_left_out(void)
{
    struct fake_world *w;
    struct fake_sink *sink = begin_two(&w);
    uint64_t packets = sink->packets;

    mic(w, 0)->no_level = true;
    fake_world_run(w, 4 * SECOND);
    CHECK(sink->packets - packets >= 198);
    CHECK_EQ(stats_of(w, 0).silence_left_out, 0);
    CHECK_EQ(fake_sink_gaps(sink), 0);
    done(w);
}

static void replicas_leave_out_the_same(void)
{
    struct fake_world *w = begin_with(2, 2, 1, 0);
    struct fake_sink *sink = fake_peer_sink(w->peers[1], KIND_AUDIO, 0);

    mic(w, 0)->comfort = true;
    fake_world_run(w, 4 * SECOND);
    CHECK(sink->comfort >= 12 && sink->comfort <= 14);
    mic(w, 0)->comfort = false;
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(fake_sink_len(sink), (int64_t)sink->packets);
    CHECK_EQ(stats_of_all(w).nacks_in, 0);
    done(w);
}

static void loss_in_silence_does_no_harm(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct netem_config link = {.seed = seed, .delay_us = 10 * MS, .loss = 0.05};
        struct fake_world *w = fake_world_new(&link, NULL);
        struct fake_sink *sink;
        uint64_t packets;

        for (uint32_t i = 0; i < 2; i++)
            (void)add(w, 0, 1, 0);
        fake_world_run(w, 3 * SECOND);
        sink = fake_peer_sink(w->peers[1], KIND_AUDIO, 0);
        for (uint32_t i = 0; i < 4; i++) {
            mic(w, 0)->level = i % 2 ? FAKE_QUIET : SILENCE;
            fake_world_run(w, 1 * SECOND);
        }
        packets = sink->packets;
        fake_world_run(w, 1 * SECOND);
        CHECK(sink->packets - packets >= 40);
        CHECK_EQ(sink->wrong, 0);
        done(w);
    }
}

TAP_CASES(CASE(of_fifty_who_send_three_are_heard), CASE(a_room_on_three_workers_hears_alike),
          CASE(any_conversation_is_heard_alike), CASE(who_is_silent_crosses_no_worker),
          CASE(work_grows_with_listeners_not_with_the_silent),
          CASE(who_pauses_keeps_the_slot_while_nobody_needs_it),
          CASE(with_slots_for_all_nothing_moves), CASE(several_beginners_are_told_at_once),
          CASE(who_is_muted_speaks_no_more), CASE(a_speaker_who_leaves_is_told),
          CASE(who_comes_later_is_told_who_speaks), CASE(who_tells_no_levels_is_heard),
          CASE(the_server_may_limit_streams), CASE(pictures_follow_the_dominant_speaker),
          CASE(a_picture_stays_for_a_second), CASE(a_screen_goes_before_speakers),
          CASE(who_shows_nothing_gives_way),
          CASE(who_is_pinned_keeps_the_slot_and_who_is_refused_gets_none),
          CASE(who_share_a_slot_number_share_a_clock), CASE(comfort_noise_is_thinned_out),
          CASE(speech_after_comfort_noise_comes_at_once), CASE(digital_silence_is_thinned_out),
          CASE(sound_without_levels_is_never_left_out), CASE(replicas_leave_out_the_same),
          CASE(loss_in_silence_does_no_harm))
