/* Who gets which layer: views, paths, priorities, what publishers are told to send. */

#include "media/base/clock.h"
#include "sfu/participant_views.h"
#include "tests/fake_peer.h"
#include "tests/tap.h"

enum { ROOM = 1, SEEDS = 5 };

static const struct netem_config perfect = {.seed = 1, .delay_us = 20 * MS};

static struct fake_world *begin(void)
{
    return fake_world_new(&perfect, NULL);
}

/* A client that publishes one video in three layers. */
static struct fake_peer *publish(struct fake_world *w, bool obeys)
{
    struct fake_peer *p = fake_peer_new(w, 1, 1, 0, 0);

    p->layers = 3;
    p->obeys = obeys;
    fake_peer_offer(p, ROOM);
    return p;
}

static struct fake_peer *watch(struct fake_world *w, uint32_t slots)
{
    struct fake_peer *p = fake_peer_new(w, 0, 0, slots, slots);

    fake_peer_offer(p, ROOM);
    return p;
}

static void view(struct fake_peer *p, uint32_t track, struct message_view said)
{
    said.track = track;
    fake_peer_view(p, &said);
}

/* @return which layer of the n-th video slot's track came last; -1: nothing did */
static int layer_seen(const struct fake_peer *p, uint32_t n)
{
    const struct fake_sink *sink = fake_peer_sink(p, KIND_VIDEO, n);
    const struct fake_got *got = fake_sink_got(sink, fake_sink_len(sink) - 1);

    return got ? got->content.scale : -1;
}

/* Does nothing new of the n-th video slot come for a while? What was sent may come again. */
static bool is_silent(struct fake_world *w, const struct fake_peer *p, uint32_t n)
{
    const struct fake_sink *sink = fake_peer_sink(p, KIND_VIDEO, n);
    int64_t before;

    fake_world_run(w, 200 * MS);
    before = sink->newest;
    fake_world_run(w, 500 * MS);
    return sink->newest == before;
}

static void check_follows(const struct fake_got *last, const struct fake_got *got)
{
    bool goes_on;

    if (!got) {
        CHECK(!"a packet is missing");
        return;
    }
    goes_on = last && last->content.source == got->content.source &&
              last->content.index + 1 == got->content.index;
    CHECK(goes_on || (got->content.first && got->content.key));
}

/* A decoder never missed anything: no number is missing, and every other source, or index that is
 * not the next, begins with a key frame. */
static void check_decodes(const struct fake_peer *p, uint32_t n)
{
    const struct fake_sink *sink = fake_peer_sink(p, KIND_VIDEO, n);

    CHECK_EQ(sink->wrong, 0);
    CHECK(fake_sink_len(sink) > 0);
    for (int64_t i = 0; i < fake_sink_len(sink); i++)
        check_follows(i > 0 ? fake_sink_got(sink, i - 1) : NULL, fake_sink_got(sink, i));
}

static uint32_t video_of(const struct fake_peer *p)
{
    return p->tracks[1].id;
}

static void done(struct fake_world *w)
{
    for (uint32_t i = 0; i < w->n_peers; i++) {
        if (!w->peers[i]->gone)
            fake_peer_leave(w->peers[i]);
    }
    forwarder_flush(w->forwarder);
    CHECK_EQ(forwarder_deadline(w->forwarder), NEVER_US);
    (void)fake_world_free(w);
}

/* ------------------------------------------------------------------ views */

static void a_view_gets_the_layer_it_needs(void)
{
    struct fake_world *w = begin();
    struct fake_peer *a = publish(w, false);
    struct fake_peer *small = watch(w, 1);
    struct fake_peer *middle = watch(w, 1);
    struct fake_peer *large = watch(w, 1);

    view(small, video_of(a), (struct message_view){.width = 300, .height = 170});
    view(middle, video_of(a), (struct message_view){.width = 640, .height = 360});
    fake_world_run(w, 5 * SECOND);
    CHECK_EQ(layer_seen(small, 0), 0);
    CHECK_EQ(layer_seen(middle, 0), 1);
    CHECK_EQ(layer_seen(large, 0), 2);
    view(small, video_of(a), (struct message_view){.width = 1280, .height = 720});
    view(large, video_of(a), (struct message_view){.width = 160, .height = 90});
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(layer_seen(small, 0), 2);
    CHECK_EQ(layer_seen(middle, 0), 1);
    CHECK_EQ(layer_seen(large, 0), 0);
    for (uint32_t i = 1; i <= 3; i++)
        check_decodes(w->peers[i], 0);
    done(w);
}

static void a_view_of_a_slot_is_for_whatever_is_in_it(void)
{
    struct fake_world *w = begin();
    struct fake_peer *a = publish(w, false);
    struct fake_peer *b = watch(w, 1);
    struct message_view said = {.mid = "1", .width = 320, .height = 180}; /* the video slot */

    fake_peer_view(b, &said);
    fake_world_run(w, 3 * SECOND);
    CHECK_EQ(layer_seen(b, 0), 0);
    fake_peer_leave(a);
    (void)publish(w, false);
    fake_world_run(w, 4 * SECOND);
    CHECK_EQ(layer_seen(b, 0), 0);
    said.width = said.height = 0;
    fake_peer_view(b, &said);
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(layer_seen(b, 0), 2);
    done(w);
}

static void what_is_not_shown_is_not_sent_and_that_is_told(void)
{
    struct fake_world *w = begin();
    struct fake_peer *a = publish(w, false);
    struct fake_peer *b = watch(w, 1);
    struct fake_peer *c = watch(w, 1);

    fake_world_run(w, 3 * SECOND);
    CHECK_EQ(b->n_stream_mails, 0); /* a slot that is bound is active */
    view(b, video_of(a), (struct message_view){.paused = true});
    CHECK(is_silent(w, b, 0));
    CHECK_EQ(b->reason_of_section[1], STREAM_VIEW);
    CHECK(!is_silent(w, c, 0));
    view(b, video_of(a), (struct message_view){.paused = false});
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(b->reason_of_section[1], STREAM_ACTIVE);
    CHECK_EQ(b->n_stream_mails, 2);
    CHECK_EQ(layer_seen(b, 0), 2);
    check_decodes(b, 0);
    check_decodes(c, 0);
    done(w);
}

static void sound_can_be_left_out_too(void)
{
    struct fake_world *w = begin();
    struct fake_peer *a = publish(w, false);
    struct fake_peer *b = watch(w, 1);
    const struct fake_sink *sink;
    uint64_t before;

    fake_world_run(w, 2 * SECOND);
    sink = fake_peer_sink(b, KIND_AUDIO, 0);
    view(b, a->tracks[0].id, (struct message_view){.paused = true});
    fake_world_run(w, 200 * MS);
    before = sink->packets;
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(sink->packets, before);
    CHECK_EQ(b->reason_of_section[0], STREAM_VIEW);
    view(b, a->tracks[0].id, (struct message_view){.paused = false});
    fake_world_run(w, 1 * SECOND);
    CHECK(sink->packets >= before + 40);
    CHECK_EQ(fake_sink_len(sink), sink->packets);
    CHECK_EQ(b->reason_of_section[0], STREAM_ACTIVE);
    done(w);
}

static void what_its_publisher_mutes_is_told(void)
{
    struct fake_world *w = begin();
    struct fake_peer *a = publish(w, false);
    struct fake_peer *b = watch(w, 1);

    fake_world_run(w, 3 * SECOND);
    fake_peer_mute(a, 1, true);
    fake_world_run(w, 150 * MS);
    CHECK_EQ(b->reason_of_section[1], STREAM_MUTED);
    fake_peer_mute(a, 1, false);
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(b->reason_of_section[1], STREAM_ACTIVE);
    CHECK_EQ(layer_seen(b, 0), 2);
    check_decodes(b, 0);
    done(w);
}

static void what_is_not_sent_is_told_when_that_lasts(void)
{
    struct fake_world *w = begin();
    struct fake_peer *a = publish(w, false);
    struct fake_peer *b = watch(w, 1);

    fake_world_run(w, 3 * SECOND);
    for (uint32_t i = 0; i < 3; i++)
        fake_peer_layer(a, 0, i)->paused = true;
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(b->reason_of_section[1], STREAM_ACTIVE);
    fake_world_run(w, 3 * SECOND);
    CHECK_EQ(b->reason_of_section[1], STREAM_NOT_SENT);
    for (uint32_t i = 0; i < 3; i++)
        fake_peer_layer(a, 0, i)->paused = false;
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(b->reason_of_section[1], STREAM_ACTIVE);
    CHECK_EQ(b->n_stream_mails, 2);
    CHECK_EQ(layer_seen(b, 0), 2);
    done(w);
}

static void views_that_change_often_are_told_seldom(void)
{
    struct fake_world *w = begin();
    struct fake_peer *a = publish(w, false);
    struct fake_peer *b = watch(w, 1);

    fake_world_run(w, 3 * SECOND);
    for (int i = 0; i < 200; i++) {
        view(b, video_of(a), (struct message_view){.paused = i % 2 == 0});
        fake_world_run(w, 10 * MS);
    }
    CHECK(b->n_stream_mails <= 22);
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(b->reason_of_section[1], STREAM_ACTIVE);
    check_decodes(b, 0);
    done(w);
}

static void a_pinned_track_gets_a_slot_and_keeps_it(void)
{
    struct fake_world *w = begin();
    struct fake_peer *a = publish(w, false);
    struct fake_peer *b = publish(w, false);
    struct fake_peer *c = watch(w, 1);

    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(c->track_of_section[1], video_of(a));
    view(c, video_of(b), (struct message_view){.priority = VIEW_PINNED});
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(c->track_of_section[1], video_of(b));
    fake_peer_source(a, KIND_AUDIO, 0)->level = 0x80 | 30; /* speaks */
    fake_world_run(w, 5 * SECOND);
    CHECK_EQ(c->track_of_section[1], video_of(b));
    CHECK_EQ(layer_seen(c, 0), 2);
    view(c, video_of(b), (struct message_view){.priority = VIEW_NORMAL});
    fake_world_run(w, 5 * SECOND);
    CHECK_EQ(c->track_of_section[1], video_of(a));
    done(w);
}

static void an_unsubscribed_track_comes_into_no_slot(void)
{
    struct fake_world *w = begin();
    struct fake_peer *a = publish(w, false);
    struct fake_peer *b = watch(w, 1);

    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(b->track_of_section[1], video_of(a));
    fake_peer_subscribe(b, video_of(a), false);
    CHECK(is_silent(w, b, 0));
    CHECK_EQ(b->track_of_section[1], 0);
    CHECK_EQ(b->track_of_section[0], a->tracks[0].id); /* sound is another track */
    fake_peer_subscribe(b, video_of(a), true);
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(layer_seen(b, 0), 2);
    check_decodes(b, 0);
    done(w);
}

static void views_of_nothing_are_counted(void)
{
    struct fake_world *w = begin();
    struct fake_peer *b = watch(w, 1);
    struct message_view said = {.mid = "77"};
    struct forwarder_stats stats;

    fake_peer_view(b, &said);
    for (uint32_t i = 1; i <= PARTICIPANT_MAX_VIEWS + 10; i++)
        fake_peer_view(b, &(struct message_view){.track = 100000 + i}); /* tracks that ended */
    fake_world_run(w, 1 * SECOND);
    forwarder_stats(w->forwarder, &stats);
    CHECK_EQ(stats.drop_view, 1);
    done(w);
}

/* ------------------------------------------------------------------ want */

static void what_nobody_needs_is_not_sent(void)
{
    struct fake_world *w = begin();
    struct fake_peer *a = publish(w, true);
    struct fake_peer *b = watch(w, 1);
    uint64_t before;

    view(b, video_of(a), (struct message_view){.width = 320, .height = 180});
    fake_world_run(w, 4 * SECOND);
    CHECK_EQ(a->want_of_section[1], 1);
    before = fake_peer_layer(a, 0, 2)->packets;
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(fake_peer_layer(a, 0, 2)->packets, before);
    CHECK_EQ(layer_seen(b, 0), 0);
    done(w);
}

static void layers_stop_and_come_back_within_2_s(void)
{
    struct fake_world *w = begin();
    struct fake_peer *a = publish(w, true);
    struct fake_peer *b = watch(w, 1);

    fake_world_run(w, 4 * SECOND);
    CHECK_EQ(layer_seen(b, 0), 2);
    CHECK_EQ(a->want_of_section[1], 5); /* the lowest for bad times */
    for (int i = 0; i < 3; i++) {
        view(b, video_of(a), (struct message_view){.width = 320, .height = 180});
        fake_world_run(w, 2 * SECOND);
        CHECK_EQ(layer_seen(b, 0), 0);
        CHECK(fake_peer_layer(a, 0, 2)->unwanted && fake_peer_layer(a, 0, 1)->unwanted);
        view(b, video_of(a), (struct message_view){.width = 1280, .height = 720});
        fake_world_run(w, 2 * SECOND);
        CHECK_EQ(layer_seen(b, 0), 2);
        CHECK(!fake_peer_layer(a, 0, 2)->unwanted && fake_peer_layer(a, 0, 1)->unwanted);
    }
    CHECK_EQ(b->n_stream_mails, 0);
    check_decodes(b, 0);
    done(w);
}

static void with_nobody_there_nothing_is_wanted(void)
{
    struct fake_world *w = begin();
    struct fake_peer *a = publish(w, true);
    struct fake_peer *b;

    fake_world_run(w, 3 * SECOND);
    CHECK_EQ(a->n_wants, 1);
    CHECK_EQ(a->want_of_section[1], 0);
    b = watch(w, 1);
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(layer_seen(b, 0), 2);
    fake_peer_leave(b);
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(a->want_of_section[1], 0);
    done(w);
}

static void who_does_not_obey_loses_nothing(void)
{
    struct fake_world *w = begin();
    struct fake_peer *a = publish(w, false);
    struct fake_peer *b = watch(w, 1);

    view(b, video_of(a), (struct message_view){.width = 320, .height = 180});
    fake_world_run(w, 4 * SECOND);
    CHECK_EQ(a->want_of_section[1], 1);
    CHECK_EQ(layer_seen(b, 0), 0);
    view(b, video_of(a), (struct message_view){.width = 0});
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(layer_seen(b, 0), 2);
    check_decodes(b, 0);
    done(w);
}

static void a_layer_that_does_not_come_stays_wanted(void)
{
    struct fake_world *w = begin();
    struct fake_peer *a = publish(w, true);
    struct fake_peer *b = watch(w, 1);

    fake_world_run(w, 4 * SECOND);
    fake_peer_layer(a, 0, 2)->paused = true; /* its uplink has become too narrow */
    fake_world_run(w, 8 * SECOND);
    CHECK_EQ(layer_seen(b, 0), 1);
    CHECK_EQ(a->want_of_section[1] & 6, 6);
    fake_peer_layer(a, 0, 2)->paused = false;
    fake_peer_layer(a, 0, 2)->key_wanted = true;
    fake_world_run(w, 3 * SECOND);
    CHECK_EQ(layer_seen(b, 0), 2);
    CHECK_EQ(a->want_of_section[1], 5);
    check_decodes(b, 0);
    done(w);
}

static void who_is_on_another_worker_is_heard_too(void)
{
    struct fake_world *w = fake_world_new_spread(&perfect, NULL, 2);
    struct fake_peer *a = publish(w, true);
    struct fake_peer *b = fake_peer_new(w, 0, 0, 1, 1);

    b->worker = 1;
    fake_peer_offer(b, ROOM);
    view(b, video_of(a), (struct message_view){.width = 320, .height = 180});
    fake_world_run(w, 5 * SECOND);
    CHECK_EQ(layer_seen(b, 0), 0);
    CHECK_EQ(a->want_of_section[1], 1);
    view(b, video_of(a), (struct message_view){.width = 640, .height = 360});
    fake_world_run(w, 4 * SECOND);
    CHECK_EQ(layer_seen(b, 0), 1);
    CHECK_EQ(a->want_of_section[1], 3);
    fake_peer_leave(b);
    fake_world_run(w, 2 * SECOND);
    CHECK_EQ(a->want_of_section[1], 0);
    done(w);
}

/* ------------------------------------------------------------------ paths */

/* Join behind a link. */
static struct fake_peer *watch_over(struct fake_world *w, uint32_t slots, const char *link)
{
    struct fake_peer *p = fake_peer_new(w, 0, 0, slots, slots);

    fake_peer_link(p, link);
    fake_peer_offer(p, ROOM);
    return p;
}

static void check_sound(const struct fake_peer *p, uint32_t n, int64_t least)
{
    const struct fake_sink *sink = fake_peer_sink(p, KIND_AUDIO, n);

    CHECK(fake_sink_len(sink) >= least);
    CHECK(fake_sink_gaps(sink) * 100 <= (uint64_t)fake_sink_len(sink));
}

static void everybody_gets_what_its_own_path_carries(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct netem_config link = {.seed = seed, .delay_us = 20 * MS};
        struct fake_world *w = fake_world_new(&link, NULL);
        struct fake_peer *narrow, *middle, *wide, *bad;

        (void)publish(w, true);
        narrow = watch_over(w, 1, "down rate=230k");
        middle = watch_over(w, 1, "down rate=650k");
        wide = watch_over(w, 1, "down delay=20ms");
        bad = watch_over(w, 1, "down rate=150k loss=15%");
        fake_world_run(w, 15 * SECOND);
        CHECK_EQ(layer_seen(narrow, 0), 0);
        CHECK_EQ(layer_seen(middle, 0), 1);
        CHECK_EQ(layer_seen(wide, 0), 2);
        CHECK(layer_seen(bad, 0) <= 0);
        check_decodes(wide, 0);
        CHECK_EQ(wide->n_stream_mails, 0);
        check_sound(narrow, 0, 600);
        check_sound(middle, 0, 600);
        done(w);
    }
}

/* @return packets of the first video slot that came in `us` */
static uint64_t count_video(struct fake_world *w, const struct fake_peer *p, int64_t us)
{
    const struct fake_sink *sink = fake_peer_sink(p, KIND_VIDEO, 0);
    uint64_t before = sink->packets;

    fake_world_run(w, us);
    return sink->packets - before;
}

/* A publisher whose smallest encoding takes 160 kbit/s, and who watches it over `link`. */
static struct fake_peer *watch_small(struct fake_world *w, const char *link)
{
    struct fake_peer *a = publish(w, true);

    fake_world_run(w, 3 * SECOND);
    fake_peer_layer(a, 0, 0)->packets_per_frame = 1;
    return watch_over(w, 1, link);
}

static void stalls_of_the_network_do_not_stop_the_picture(void)
{
    struct fake_world *w = begin();
    struct fake_peer *b = watch_small(w, "down rate=300k delay=50ms");

    fake_world_run(w, 10 * SECOND);
    for (int i = 0; i < 12; i++) {
        fake_peer_link(b, "down rate=4k delay=50ms");
        fake_world_run(w, 100 * MS);
        fake_peer_link(b, "down rate=300k delay=50ms");
        CHECK(count_video(w, b, 5 * SECOND) >= 140);
    }
    CHECK_EQ(b->n_stream_mails, 0);
    CHECK_EQ(layer_seen(b, 0), 0);
    done(w);
}

static void a_link_that_shrinks_carries_the_smallest_soon(void)
{
    struct fake_world *w = begin();
    struct fake_peer *b = watch_small(w, "down rate=5M delay=50ms");

    fake_world_run(w, 15 * SECOND);
    CHECK_EQ(layer_seen(b, 0), 2);
    fake_peer_link(b, "down rate=300k delay=50ms");
    fake_world_run(w, 5 * SECOND);
    CHECK_EQ(layer_seen(b, 0), 0);
    CHECK(count_video(w, b, 5 * SECOND) >= 140);
    check_sound(b, 0, 600);
    done(w);
}

TAP_CASES(CASE(a_view_gets_the_layer_it_needs), CASE(a_view_of_a_slot_is_for_whatever_is_in_it),
          CASE(what_is_not_shown_is_not_sent_and_that_is_told), CASE(sound_can_be_left_out_too),
          CASE(what_its_publisher_mutes_is_told), CASE(what_is_not_sent_is_told_when_that_lasts),
          CASE(views_that_change_often_are_told_seldom),
          CASE(a_pinned_track_gets_a_slot_and_keeps_it),
          CASE(an_unsubscribed_track_comes_into_no_slot), CASE(views_of_nothing_are_counted),
          CASE(what_nobody_needs_is_not_sent), CASE(layers_stop_and_come_back_within_2_s),
          CASE(with_nobody_there_nothing_is_wanted), CASE(who_does_not_obey_loses_nothing),
          CASE(a_layer_that_does_not_come_stays_wanted),
          CASE(who_is_on_another_worker_is_heard_too),
          CASE(everybody_gets_what_its_own_path_carries),
          CASE(stalls_of_the_network_do_not_stop_the_picture),
          CASE(a_link_that_shrinks_carries_the_smallest_soon))
