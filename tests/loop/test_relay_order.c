/* Mail between control and the workers of a room, read at any time: in the end all is as it should.
 */

#include "media/base/clock.h"
#include "media/demux.h"
#include "tests/fake_peer.h"
#include "tests/loop/relay_fixture.h"
#include "tests/tap.h"

enum { PEERS_MAX = 12 };

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* Somebody speaks, or stops to: slots follow, on every worker. */
static void change_level(struct fake_peer *p, uint64_t *random)
{
    if (p->sources[0] && p->sections[0].kind == KIND_AUDIO)
        p->sources[0]->level = next_random(random) % 2 ? 30 : FAKE_QUIET;
}

static void change_something(struct fake_world *w, uint64_t *random)
{
    struct fake_peer *p;

    if (w->n_peers < PEERS_MAX && next_random(random) % 3 == 0) {
        (void)join(w, next_random(random) % w->n_workers, next_random(random) % 2, 6);
        return;
    }
    if (w->n_peers == 0)
        return;
    p = w->peers[next_random(random) % w->n_peers];
    if (!p->joined || p->ended)
        return;
    change_level(w->peers[next_random(random) % w->n_peers], random);
    switch (next_random(random) % 4) {
    case 0:
        fake_peer_leave(p);
        break;
    case 1:
        if (p->sections[0].use == SECTION_PUBLISH)
            fake_peer_mute(p, next_random(random) % 2, next_random(random) % 2);
        break;
    case 2:
        if (p->n_sections < 16)
            (void)fake_peer_add(p, next_random(random) % 2 ? SECTION_PUBLISH : SECTION_SLOT,
                                KIND_VIDEO);
        fake_peer_offer(p, ROOM);
        break;
    default:
        if (transport_state(p->transport) == TRANSPORT_CONNECTED)
            transport_close(p->transport); /* the worker finds out first */
        break;
    }
}

/* Come, go, mute and re-offer at random, with mail that takes its time. */
static void churn(struct fake_world *w, uint64_t *random)
{
    for (uint32_t i = 0; i < 40; i++) {
        change_something(w, random);
        fake_world_run(w, next_random(random) % 200 * MS);
    }
}

/* As control does: who has ended is let go of, and nobody is muted from now on. */
static void calm_down(struct fake_world *w)
{
    fake_world_run(w, 1 * SECOND);
    for (uint32_t i = 0; i < w->n_peers; i++) {
        struct fake_peer *p = w->peers[i];

        if (p->joined && p->ended)
            fake_peer_leave(p);
        for (uint32_t k = 0; k < p->n_sections && p->joined; k++) {
            if (p->sections[k].use == SECTION_PUBLISH)
                fake_peer_mute(p, k, false);
        }
    }
    fake_world_run(w, 2 * SECOND);
}

/* Of one kind: m-lines of this use, of `p` or of all that joined but `p`. */
static uint32_t count(const struct fake_peer *p, bool others, enum section_use use,
                      enum media_kind kind)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->world->n_peers; i++) {
        const struct fake_peer *other = p->world->peers[i];

        for (uint32_t k = 0; k < other->n_sections && other->joined; k++)
            n += (other != p) == others && other->sections[k].use == use &&
                 other->sections[k].kind == kind;
    }
    return n;
}

/* Every slot that can carry something does, and what it carries flows. */
static void check_flows(struct fake_peer *p, enum media_kind kind, const uint64_t *before)
{
    uint32_t wanted = count(p, true, SECTION_PUBLISH, kind);
    uint32_t slots = count(p, false, SECTION_SLOT, kind);
    uint32_t bound = 0;

    for (uint32_t i = 0; i < p->n_sections; i++) {
        const struct fake_sink *sink = p->sinks[i];

        if (p->sections[i].kind != kind || p->track_of_section[i] == 0)
            continue;
        bound++;
        CHECK_EQ(fake_sink_got(sink, fake_sink_len(sink) - 1)->csrc, p->publisher_of_section[i]);
        CHECK_EQ(sink->wrong, 0);
        CHECK(sink->packets >= before[i] + (kind == KIND_VIDEO ? 80 : 30));
    }
    CHECK_EQ(bound, wanted < slots ? wanted : slots);
}

static void check_all_flow(struct fake_peer *p, const uint64_t *before)
{
    if (!p->joined)
        return;
    check_flows(p, KIND_AUDIO, before);
    check_flows(p, KIND_VIDEO, before);
}

static void note_packets(const struct fake_world *w, uint64_t ret[PEERS_MAX][FAKE_MAX_SECTIONS])
{
    for (uint32_t i = 0; i < w->n_peers; i++) {
        for (uint32_t k = 0; k < w->peers[i]->n_sections; k++)
            ret[i][k] = w->peers[i]->sinks[k] ? w->peers[i]->sinks[k]->packets : 0;
    }
}

static void mail_may_cross_in_every_order(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct fake_world *w = begin(3);
        uint64_t before[PEERS_MAX][FAKE_MAX_SECTIONS];
        uint64_t random = seed;

        w->mail_delay_ms = 20;
        w->mail_seed = seed;
        churn(w, &random);
        calm_down(w);
        note_packets(w, before);
        fake_world_run(w, 1 * SECOND);
        for (uint32_t i = 0; i < w->n_peers; i++)
            check_all_flow(w->peers[i], before[i]);
        finish(w, DEMUX_MAX_EARLY);
    }
}

TAP_CASES(CASE(mail_may_cross_in_every_order))
