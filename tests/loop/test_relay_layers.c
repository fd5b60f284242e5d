#include "tests/loop/relay_fixture.h"

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

static void layers_cross_and_the_best_is_seen(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *a = fake_peer_new(w, 0, 1, 0, 0);
    struct fake_peer *b;
    const struct fake_sink *sink;
    uint64_t before;

    a->layers = 3;
    fake_peer_offer(a, ROOM);
    b = join(w, 1, 0, 1);
    fake_world_run(w, 3 * SECOND);
    sink = fake_peer_sink(b, KIND_VIDEO, 0);
    check_carries(sink, a->upper[0][1], a);
    a->upper[0][1]->paused = true; /* as an encoder does that has too little bandwidth */
    fake_world_run(w, 4 * SECOND);
    CHECK_EQ(fake_sink_got(sink, fake_sink_len(sink) - 1)->content.source, a->upper[0][0]->ssrc);
    CHECK_EQ(fake_sink_len(sink), sink->packets);
    before = sink->packets;
    a->upper[0][1]->paused = false;
    fake_world_run(w, 2 * SECOND);
    CHECK(sink->packets > before + 150);
    CHECK_EQ(fake_sink_got(sink, fake_sink_len(sink) - 1)->content.source, a->upper[0][1]->ssrc);
    CHECK_EQ(sink->wrong, 0);
    CHECK_EQ(fake_sink_len(sink), sink->packets);
    done(w);
}

static uint32_t newest_source(const struct fake_sink *sink)
{
    return fake_sink_got(sink, fake_sink_len(sink) - 1)->content.source;
}

static void only_layers_that_are_wanted_cross(void)
{
    struct fake_world *w = begin(2);
    struct fake_peer *a = fake_peer_new(w, 0, 1, 0, 0);
    const struct fake_source *best, *lowest;
    struct fake_peer *b;
    const struct fake_sink *sink;
    uint64_t before, sent;

    a->layers = 3;
    fake_peer_offer(a, ROOM);
    b = join(w, 1, 0, 1);
    fake_world_run(w, 4 * SECOND);
    sink = fake_peer_sink(b, KIND_VIDEO, 0);
    best = a->upper[0][1];
    CHECK_EQ(newest_source(sink), best->ssrc);
    before = stats_of(w, 0).relay_out;
    lowest = fake_peer_source(a, KIND_VIDEO, 0); /* is kept at hand */
    sent = best->packets + lowest->packets;
    fake_world_run(w, 2 * SECOND);
    CHECK(stats_of(w, 0).relay_out - before <= best->packets + lowest->packets - sent + 10);
    a->upper[0][1]->paused = true; /* another has to do, though nobody asked for it */
    fake_world_run(w, 4 * SECOND);
    CHECK_EQ(newest_source(sink), a->upper[0][0]->ssrc);
    CHECK_EQ(sink->wrong, 0);
    CHECK_EQ(fake_sink_len(sink), sink->packets);
    done(w);
}

TAP_CASES(CASE(layers_cross_and_the_best_is_seen), CASE(only_layers_that_are_wanted_cross))
