/* What participants are told of how well it goes, over simulated links in simulated time. */

#include "media/base/clock.h"
#include "tests/fake_peer.h"
#include "tests/tap.h"

enum { ROOM = 1 };

static const struct netem_config perfect = {.seed = 1, .delay_us = 20 * MS};

static struct fake_peer *join(struct fake_world *w)
{
    struct fake_peer *p = fake_peer_new(w, 1, 1, 2, 2);

    fake_peer_offer(p, ROOM);
    return p;
}

static const struct quality_track *track_of(const struct fake_peer *p, uint32_t section)
{
    for (uint32_t i = 0; i < p->quality->n_tracks; i++) {
        if (p->quality->tracks[i].track == p->tracks[section].id)
            return &p->quality->tracks[i];
    }
    fake_must(false, "no word of that track");
    return NULL;
}

static uint8_t score_of(const struct fake_peer *to, const struct fake_peer *of)
{
    for (uint32_t i = 0; i < to->quality->n_participants; i++) {
        if (to->quality->participants[i].participant == of->id)
            return to->quality->participants[i].score;
    }
    fake_must(false, "no word of that participant");
    return 0;
}

static void a_good_call_is_told_to_be_one(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w);
    struct fake_peer *b = join(w);
    const struct quality_subscription *s;

    fake_world_run(w, 15 * SECOND);
    CHECK(a->quality && b->quality);
    CHECK_EQ(a->quality->score, 100);
    CHECK_EQ(score_of(a, b), 100);
    CHECK_EQ(a->quality->n_tracks, 2);
    CHECK_EQ(a->quality->n_subscriptions, 2);
    CHECK_EQ(a->quality->n_participants, 1);
    CHECK(track_of(a, 0)->rate_bps > 10000);
    CHECK(track_of(a, 1)->rate_bps > track_of(a, 0)->rate_bps);
    CHECK_EQ(track_of(a, 1)->loss_permille, 0);
    CHECK(track_of(a, 1)->layers[0].active);
    s = &a->quality->subscriptions[1]; /* video: what b sends is what a gets */
    CHECK_EQ(s->track, b->tracks[1].id);
    CHECK(s->rate_bps > track_of(b, 1)->rate_bps * 9 / 10);
    CHECK(s->rate_bps < track_of(b, 1)->rate_bps * 11 / 10);
    CHECK_EQ(s->layer, 0);
    CHECK_EQ(s->key_frames, 1);
    CHECK_EQ(s->freezes_avoided, 0);
    (void)fake_world_free(w);
}

static void who_sends_badly_is_told_and_so_are_those_who_watch(void)
{
    struct netem_config bad = perfect;
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w);
    struct fake_peer *b = join(w);
    struct fake_peer *c = join(w);

    bad.loss = 0.3; /* more than is repaired in time */
    netem_change(a->up, &bad);
    netem_change(a->down, &bad);
    fake_world_run(w, 20 * SECOND);
    CHECK(a->quality->up_loss_permille > 0);
    CHECK(a->quality->score < 90);
    CHECK(score_of(b, a) < 90);
    CHECK_EQ(score_of(b, c), 100);
    CHECK_EQ(b->quality->score, 100);
    (void)fake_world_free(w);
}

static void nothing_is_told_of_nothing(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *p = fake_peer_new(w, 0, 0, 1, 1);

    fake_peer_offer(p, ROOM);
    fake_world_run(w, 12 * SECOND);
    CHECK(p->connected);
    CHECK(!p->quality);
    (void)fake_world_free(w);
}

TAP_CASES(CASE(a_good_call_is_told_to_be_one),
          CASE(who_sends_badly_is_told_and_so_are_those_who_watch),
          CASE(nothing_is_told_of_nothing))
