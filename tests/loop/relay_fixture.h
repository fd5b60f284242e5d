/**
 * @file relay_fixture.h  A room on several workers, and how to leave it. Everything is static:
 * checks belong to the file that includes it.
 */
#ifndef TESTS_LOOP_RELAY_FIXTURE_H
#define TESTS_LOOP_RELAY_FIXTURE_H

#include "media/base/clock.h"
#include "media/packet.h"
#include "tests/fake_peer.h"
#include "tests/tap.h"

enum { SEEDS = 20, ROOM = 1 };

static const struct netem_config perfect = {.seed = 1, .delay_us = 10 * MS};

static inline struct forwarder_stats stats_of(const struct fake_world *w, uint32_t worker)
{
    struct forwarder_stats stats;

    forwarder_stats(w->forwarders[worker], &stats);
    return stats;
}

static inline struct fake_world *begin(uint32_t workers)
{
    return fake_world_new_spread(&perfect, NULL, workers);
}

/* A client on `worker` that publishes so much and has so many slots of each kind. */
static inline struct fake_peer *join(struct fake_world *w, uint32_t worker, uint32_t publish,
                                     uint32_t slots)
{
    struct fake_peer *p = fake_peer_new(w, publish, publish, slots, slots);

    p->worker = worker;
    fake_peer_offer(p, ROOM);
    return p;
}

/* Everybody leaves; nothing may be left but `most_packets` of DTLS that came too early: who leaves
 * before it is connected goes on for a while. */
static inline void finish(struct fake_world *w, size_t most_packets)
{
    for (uint32_t i = 0; i < w->n_peers; i++) {
        if (!w->peers[i]->gone)
            fake_peer_leave(w->peers[i]);
    }
    fake_world_run(w, 1 * SECOND); /* for mail that is slow */
    for (uint32_t i = 0; i < w->n_peers; i++)
        CHECK(w->peers[i]->gone);
    for (uint32_t i = 0; i < w->n_workers; i++) {
        CHECK(packet_pool_used(forwarder_pool(w->forwarders[i])) <= most_packets);
        CHECK_EQ(stats_of(w, i).participants, 0);
        CHECK_EQ(stats_of(w, i).tracks, 0);
        CHECK_EQ(stats_of(w, i).subscriptions, 0);
        CHECK_EQ(forwarder_deadline(w->forwarders[i]), NEVER_US);
    }
    (void)fake_world_free(w);
}

static inline void done(struct fake_world *w)
{
    finish(w, 0);
}

#endif
