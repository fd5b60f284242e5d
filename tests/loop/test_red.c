/* Sound over paths that lose packets, to subscribers that take it twice. */

#include "media/rtcp.h"
#include "tests/loop/relay_fixture.h"

enum { RED_PT = 63, OPUS_PT = 111 };

/** Somebody who speaks, and somebody who listens. */
struct call {
    struct fake_world *w;
    struct fake_peer *speaker, *listener;
    const struct fake_sink *sink;
};

static struct call call(const struct forwarder_limits *limits, bool takes_red, bool tells_arrivals)
{
    struct call c = {.w = fake_world_new(&perfect, limits)};

    c.speaker = fake_peer_new(c.w, 1, 0, 0, 0);
    c.listener = fake_peer_new(c.w, 0, 0, 1, 0);
    c.speaker->sections[0].codecs[0] = CODEC_OPUS;
    if (!takes_red)
        c.listener->sections[0].codecs[0] = CODEC_OPUS;
    c.listener->no_feedback = !tells_arrivals;
    fake_peer_offer(c.speaker, ROOM);
    fake_peer_offer(c.listener, ROOM);
    fake_world_run(c.w, 4 * SECOND);
    c.sink = fake_peer_sink(c.listener, KIND_AUDIO, 0);
    fake_peer_sink(c.listener, KIND_AUDIO, 0)->no_nack = true;
    CHECK_EQ(fake_peer_source(c.speaker, KIND_AUDIO, 0)->codec, CODEC_OPUS);
    CHECK(c.sink->packets > 100);
    CHECK_EQ(c.sink->red, 0);
    CHECK_EQ(c.sink->last_pt, OPUS_PT);
    return c;
}

static void lose(struct call *c, double loss)
{
    struct netem_config link = perfect;

    link.loss = loss;
    netem_change(c->listener->down, &link);
}

/* @return share of the last `n` payloads that the listener does not have */
static double missing(const struct call *c, int64_t n)
{
    int64_t missing = 0;

    for (int64_t i = fake_sink_len(c->sink) - n; i < fake_sink_len(c->sink); i++)
        missing += !fake_sink_got(c->sink, i);
    return (double)missing / (double)n;
}

static void sound_survives_losses(void)
{
    struct call c = call(NULL, true, true);
    uint64_t red;

    lose(&c, 0.12);
    fake_world_run(c.w, 4 * SECOND);
    CHECK(c.sink->red > 0);
    CHECK_EQ(c.sink->last_pt, RED_PT);
    fake_world_run(c.w, 60 * SECOND);
    printf("# %.2f %% missing, %d rescued\n", 100 * missing(&c, 3000), (int)c.sink->rescued);
    /* Nobody knows that the path carries more than sound and its double. */
    CHECK(missing(&c, 3000) < 0.02);
    CHECK(c.sink->rescued > 250);
    CHECK_EQ(c.sink->wrong, 0);
    lose(&c, 0);
    fake_world_run(c.w, 30 * SECOND);
    red = c.sink->red;
    fake_world_run(c.w, 5 * SECOND);
    CHECK_EQ(c.sink->red, red);
    CHECK_EQ(c.sink->last_pt, OPUS_PT);
    CHECK_EQ(c.sink->wrong, 0);
    finish(c.w, 0);
}

static void who_takes_no_red_gets_none(void)
{
    struct call c = call(NULL, false, true);

    lose(&c, 0.12);
    fake_world_run(c.w, 20 * SECOND);
    CHECK_EQ(c.sink->red, 0);
    CHECK_EQ(c.sink->last_pt, OPUS_PT);
    CHECK(missing(&c, 500) > 0.05);
    CHECK_EQ(c.sink->wrong, 0);
    finish(c.w, 0);
}

static void it_can_be_turned_off(void)
{
    struct forwarder_limits limits = forwarder_default_limits;
    struct call c;

    limits.no_red = true;
    c = call(&limits, true, true);
    lose(&c, 0.12);
    fake_world_run(c.w, 20 * SECOND);
    CHECK_EQ(c.sink->red, 0);
    CHECK(missing(&c, 500) > 0.05);
    finish(c.w, 0);
}

static void send_receiver_report(const struct call *c, uint8_t fraction_lost)
{
    struct rtcp_report report = {.ssrc = c->sink->section->ssrc, .fraction_lost = fraction_lost};
    uint8_t bytes[64];
    struct writer w = writer_of(bytes, sizeof(bytes));

    rtcp_write_rr(&w, 1, &report, 1);
    CHECK_EQ(transport_send_rtcp(c->listener->transport, bytes, w.len), 0);
}

static void reports_of_losses_do_where_nothing_better_comes(void)
{
    struct call c = call(NULL, true, false);

    lose(&c, 0.1);
    send_receiver_report(&c, 4);
    fake_world_run(c.w, 2 * SECOND);
    CHECK_EQ(c.sink->red, 0);
    send_receiver_report(&c, 26);
    fake_world_run(c.w, 3 * SECOND);
    CHECK(c.sink->red > 40);
    CHECK_EQ(c.sink->last_pt, RED_PT);
    finish(c.w, 0);
}

static void with_two_earlier_payloads_hardly_any_sound_is_missing(void)
{
    struct call c = call(NULL, true, false);

    lose(&c, 0.1);
    send_receiver_report(&c, 26);
    fake_world_run(c.w, 62 * SECOND);
    printf("# %.2f %% missing, %d rescued\n", 100 * missing(&c, 3000), (int)c.sink->rescued);
    CHECK(missing(&c, 3000) < 0.005);
    CHECK(c.sink->rescued > 250);
    CHECK_EQ(c.sink->wrong, 0);
    finish(c.w, 0);
}

static void losses_of_the_speaker_say_nothing_of_the_listeners_path(void)
{
    struct call c = call(NULL, true, false);
    struct netem_config link = perfect;

    link.loss = 0.2;
    netem_change(c.speaker->up, &link);
    for (int i = 0; i < 10; i++) {
        fake_world_run(c.w, 1 * SECOND);
        send_receiver_report(&c, 51);
    }
    fake_world_run(c.w, 1 * SECOND);
    CHECK_EQ(c.sink->red, 0);
    finish(c.w, 0);
}

TAP_CASES(CASE(sound_survives_losses), CASE(who_takes_no_red_gets_none), CASE(it_can_be_turned_off),
          CASE(reports_of_losses_do_where_nothing_better_comes),
          CASE(with_two_earlier_payloads_hardly_any_sound_is_missing),
          CASE(losses_of_the_speaker_say_nothing_of_the_listeners_path))
