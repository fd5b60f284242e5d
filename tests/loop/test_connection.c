/* The path of a participant at a server with several addresses: 10.0.1.x, of fake_peer.host. */

#include "media/base/clock.h"
#include "tests/fake_peer.h"
#include "tests/tap.h"

enum { ROOM = 1 };

static const struct netem_config perfect = {.seed = 1, .delay_us = 10 * MS};

/* A client that talks and listens to one other, by the server's address `host`. */
static struct fake_peer *join(struct fake_world *w, uint8_t host)
{
    struct fake_peer *p = fake_peer_new(w, 1, 0, 1, 0);

    p->host = host;
    fake_peer_offer(p, ROOM);
    return p;
}

/* A check now, as browsers make it when they see something new. */
static void check_at(struct fake_peer *p, uint8_t host, bool nominates)
{
    p->host = host;
    p->nominates = nominates;
    p->check_us = p->world->now_us;
    fake_world_run(p->world, 1 * SECOND);
}

static void answers_and_media_leave_from_the_address_that_was_asked(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 2);

    fake_world_run(w, 3 * SECOND);
    CHECK(a->connected && b->connected);
    CHECK(a->last_from == 1 && a->last_reply_from == 1);
    CHECK(b->last_from == 2 && b->last_reply_from == 2);
    (void)fake_world_free(w);
}

static void media_follows_to_another_address_of_ours(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);
    struct fake_peer *b = join(w, 2);
    uint64_t before;

    fake_world_run(w, 3 * SECOND);
    check_at(a, 3, true);
    before = fake_peer_sink(a, KIND_AUDIO, 0)->packets;
    fake_world_run(w, 1 * SECOND);
    CHECK_EQ(fake_peer_sink(a, KIND_AUDIO, 0)->packets, before + 50);
    CHECK(a->last_from == 3 && a->last_reply_from == 3);
    CHECK(b->last_from == 2 && b->last_reply_from == 2);
    (void)fake_world_free(w);
}

static void a_check_that_nominates_nothing_is_answered_and_moves_nothing(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);

    (void)join(w, 2);
    fake_world_run(w, 3 * SECOND);
    check_at(a, 3, false);
    CHECK(a->last_from == 1 && a->last_reply_from == 3);
    check_at(a, 3, true);
    CHECK(a->last_from == 3 && a->last_reply_from == 3);
    (void)fake_world_free(w);
}

static void ice_restart_takes_our_address_along(void)
{
    struct fake_world *w = fake_world_new(&perfect, NULL);
    struct fake_peer *a = join(w, 1);

    (void)join(w, 2);
    fake_world_run(w, 3 * SECOND);
    fake_peer_restart_ice(a);
    fake_peer_offer(a, ROOM);
    a->port++;
    check_at(a, 4, true);
    CHECK_EQ(a->last_to, a->port);
    CHECK(a->last_from == 4 && a->last_reply_from == 4);
    (void)fake_world_free(w);
}

TAP_CASES(CASE(answers_and_media_leave_from_the_address_that_was_asked),
          CASE(media_follows_to_another_address_of_ours),
          CASE(a_check_that_nominates_nothing_is_answered_and_moves_nothing),
          CASE(ice_restart_takes_our_address_along))
