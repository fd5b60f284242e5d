/* A forwarder that lets packets wait for others of the same subscriber, and one that does not. */

#include "media/base/clock.h"
#include "media/packet.h"
#include "tests/fake_peer.h"
#include "tests/tap.h"

enum { ROOM = 1, SPEAKERS = 4, COALESCE_MS = 14 };

static const struct netem_config perfect = {.seed = 1, .delay_us = 10 * MS};

/* A world with speakers that each hear the others, and are a few milliseconds apart. */
static struct fake_world *speakers_new(int64_t coalesce_us)
{
    struct forwarder_limits limits = forwarder_default_limits;
    struct fake_world *w;

    limits.coalesce_us = coalesce_us;
    w = fake_world_new(&perfect, &limits);
    for (uint32_t i = 0; i < SPEAKERS; i++) {
        fake_peer_offer(fake_peer_new(w, 1, 0, SPEAKERS - 1, 0), ROOM);
        w->peers[i]->source_wait_us = i * 3 * MS;
    }
    return w;
}

/* How many times the forwarder had something to send in a second of calls. */
static uint32_t count_sendings(struct fake_world *w, uint64_t *datagrams)
{
    struct forwarder_stats stats;
    uint32_t sendings = 0;
    uint64_t before;

    forwarder_stats(w->forwarder, &stats);
    *datagrams = before = stats.send_datagrams;
    for (int i = 0; i < 1000; i++) {
        fake_world_run(w, 1 * MS);
        forwarder_stats(w->forwarder, &stats);
        sendings += stats.send_datagrams > before;
        before = stats.send_datagrams;
    }
    *datagrams = before - *datagrams;
    return sendings;
}

static void check_heard(const struct fake_world *w)
{
    for (uint32_t i = 0; i < SPEAKERS; i++) {
        for (uint32_t n = 0; n < SPEAKERS - 1; n++) {
            const struct fake_sink *sink = fake_peer_sink(w->peers[i], KIND_AUDIO, n);

            CHECK(sink->packets > 150);
            CHECK_EQ(sink->wrong, 0);
            CHECK_EQ(fake_sink_gaps(sink), 0);
        }
    }
}

static void speakers_leave_together_when_they_may_wait(void)
{
    struct fake_world *at_once = speakers_new(0);
    struct fake_world *together = speakers_new(COALESCE_MS * MS);
    uint64_t datagrams;
    uint64_t same;
    uint32_t sendings;
    uint32_t fewer;

    fake_world_run(at_once, 4 * SECOND);
    fake_world_run(together, 4 * SECOND);
    sendings = count_sendings(at_once, &datagrams);
    fewer = count_sendings(together, &same);
    printf("# sendings in a second: %u at once, %u together\n", sendings, fewer);
    CHECK(fewer * 5 < sendings * 4);
    CHECK(same > datagrams * 9 / 10 && same < datagrams * 11 / 10);
    check_heard(at_once);
    check_heard(together);
    (void)fake_world_free(at_once);
    (void)fake_world_free(together);
}

static void what_waits_has_a_deadline(void)
{
    struct fake_world *w = speakers_new(COALESCE_MS * MS);
    struct forwarder_stats before;
    struct forwarder_stats now;
    uint32_t waited = 0;

    fake_world_run(w, 4 * SECOND);
    forwarder_stats(w->forwarder, &now);
    for (int i = 0; i < 1000; i++) {
        before = now;
        fake_world_run(w, 1 * MS);
        forwarder_stats(w->forwarder, &now);
        CHECK(forwarder_deadline(w->forwarder) > w->now_us);
        if (now.rtp_out == before.rtp_out || now.send_datagrams > before.send_datagrams)
            continue;
        waited++;
        CHECK(forwarder_deadline(w->forwarder) <= w->now_us + COALESCE_MS * MS);
    }
    CHECK(waited > 20);
    check_heard(w);
    (void)fake_world_free(w);
}

static void who_leaves_takes_what_waits_along(void)
{
    struct fake_world *w = speakers_new(COALESCE_MS * MS);

    fake_world_run(w, 4 * SECOND);
    for (uint32_t i = 0; i < SPEAKERS; i++) {
        fake_world_run(w, 3 * MS);
        fake_peer_leave(w->peers[i]);
        CHECK(w->peers[i]->gone);
    }
    CHECK_EQ(packet_pool_used(forwarder_pool(w->forwarder)), 0);
    CHECK_EQ(forwarder_deadline(w->forwarder), NEVER_US);
    (void)fake_world_free(w);
}

TAP_CASES(CASE(speakers_leave_together_when_they_may_wait), CASE(what_waits_has_a_deadline),
          CASE(who_leaves_takes_what_waits_along))
