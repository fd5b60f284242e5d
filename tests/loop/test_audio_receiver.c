/* Opus over a simulated network: what is heard, how much is lost, how late it is. */
#include "client/audio_receiver.h"

#include "bench/netem.h"
#include "client/audio_source.h"
#include "client/opus_codec.h"
#include "media/base/clock.h"
#include "media/base/reader.h"
#include "media/base/writer.h"
#include "tests/tap.h"

#include <math.h>

enum { SECONDS = 30, TICKS = SECONDS * 50, HEAD = 6, SOURCE = 77 };

static const int64_t TICK_US = 20 * MS;
static const double TURN = 6.283185307179586;

/* What came of half a minute of a 440 Hz tone. */
struct outcome {
    struct jitter_stats stats;
    double tone_share;     /* of the power that is the tone, sounding frames only */
    int sounding;          /* frames */
    int64_t mean_delay_us; /* of the buffer */
};

struct run {
    struct opus_sender *encoder;
    struct audio_source *tone;
    struct audio_receiver *receiver;
    struct netem *link;
    uint32_t sent;
    bool voice;
    double power, tone_power;
};

/* Twenty harmonics of 120 Hz that swell four times a second, and end in the gaps of words. */
static void read_voice(uint32_t frame, int16_t *out)
{
    for (uint32_t i = 0; i < AUDIO_FRAME; i++) {
        double t = (double)(frame * AUDIO_FRAME + i) / AUDIO_RATE;
        double loud = fmax(0, sin(TURN * 4 * t));
        double sum = 0;

        for (int n = 1; n <= 20; n++)
            sum += sin(TURN * 120 * n * t + n * n) / n;
        out[i] = (int16_t)(5000 * loud * sum);
    }
}

static void send_frame(struct run *run, int64_t now_us)
{
    int16_t samples[AUDIO_FRAME];
    uint8_t datagram[HEAD + OPUS_MAX_PACKET];
    struct writer w = writer_of(datagram, sizeof(datagram));
    int len;

    if (run->voice)
        read_voice(run->sent, samples);
    else
        audio_source_read(run->tone, samples);
    writer_u16(&w, (uint16_t)run->sent);
    writer_u32(&w, run->sent * AUDIO_FRAME);
    len = opus_sender_encode(run->encoder, samples, datagram + HEAD, OPUS_MAX_PACKET);
    CHECK(len > 0);
    run->sent++;
    netem_push(run->link, 0, datagram, HEAD + (size_t)len, now_us);
}

static void receive(struct run *run, int64_t until_us)
{
    uint8_t datagram[NETEM_DATAGRAM_MAX];
    size_t len;

    while (netem_deadline(run->link) <= until_us) {
        int64_t now_us = netem_deadline(run->link);

        while (netem_pop(run->link, now_us, NULL, datagram, &len)) {
            struct reader r = reader_of(datagram, len);
            struct jitter_packet packet = {
                .source = SOURCE, .data = datagram + HEAD, .len = len - HEAD};

            packet.seq = reader_u16(&r);
            packet.ts = reader_u32(&r);
            (void)(audio_receiver_put(run->receiver, &packet, now_us) == 0);
        }
    }
}

/* Power of the frame, and of its part that is the 440 Hz tone (Goertzel: sin and cos sums). */
static void measure(struct run *run, const int16_t *samples)
{
    const double step = TURN * 440 / AUDIO_RATE;
    double s1 = 0;
    double s2 = 0;

    for (size_t i = 0; i < AUDIO_FRAME; i++) {
        double s = samples[i] + 2 * cos(step) * s1 - s2;

        s2 = s1;
        s1 = s;
        run->power += (double)samples[i] * samples[i];
    }
    run->tone_power += 2 * (s1 * s1 + s2 * s2 - 2 * cos(step) * s1 * s2) / AUDIO_FRAME;
}

/* Run for half a minute.
 * @param drift  of the sender's clock, 1: none
 * @param voice  not the tone, but what Opus takes for speech and protects by FEC */
static struct outcome simulate_sound(const struct netem_config *config, double drift, bool voice)
{
    struct run run = {.sent = 65000, .voice = voice}; /* the sequence number wraps on the way */
    struct opus_encoder_config encoder = {.channels = 1, .bitrate_bps = 24000, .loss_percent = 20};
    struct outcome outcome = {0};
    int64_t send_us = 0;
    int64_t step_us = (int64_t)((double)TICK_US * drift);
    int64_t delays_us = 0;

    CHECK_EQ(opus_sender_new(&run.encoder, &encoder), 0);
    CHECK_EQ(audio_source_new(&run.tone, "tone:440", 1, false), 0);
    CHECK_EQ(audio_receiver_new(&run.receiver, 1), 0);
    run.link = netem_new(config);
    CHECK(run.link);
    for (int tick = 0; tick < TICKS; tick++) {
        int64_t now_us = tick * TICK_US + 7 * MS;
        int16_t samples[AUDIO_FRAME];
        uint32_t source;

        for (; send_us <= now_us; send_us += step_us) {
            receive(&run, send_us);
            send_frame(&run, send_us);
        }
        receive(&run, now_us);
        if (!audio_receiver_take(run.receiver, samples, &source, now_us))
            continue;
        CHECK_EQ(source, SOURCE);
        outcome.sounding++;
        measure(&run, samples);
        delays_us += jitter_buffer_delay_us(audio_receiver_buffer(run.receiver), now_us);
    }
    outcome.stats = *jitter_buffer_stats(audio_receiver_buffer(run.receiver));
    outcome.tone_share = run.tone_power / run.power;
    outcome.mean_delay_us = delays_us / (outcome.sounding + 1);
    netem_free(run.link);
    audio_receiver_free(run.receiver);
    audio_source_free(run.tone);
    opus_sender_free(run.encoder);
    return outcome;
}

static struct outcome simulate(const struct netem_config *config, double drift)
{
    return simulate_sound(config, drift, false);
}

static void a_good_network_costs_two_frames_of_delay(void)
{
    struct netem_config config = {.seed = 1, .delay_us = 20 * MS};
    struct outcome o = simulate(&config, 1);

    CHECK_EQ(o.stats.concealed, 0);
    CHECK_EQ(o.stats.late, 0);
    CHECK(o.sounding > TICKS - 10);
    CHECK(o.tone_share > 0.99);
    CHECK(o.mean_delay_us <= 70 * MS);
}

static void jitter_is_bought_off_with_delay(void)
{
    struct netem_config config = {.seed = 2, .delay_us = 20 * MS, .jitter_us = 80 * MS};
    struct outcome o = simulate(&config, 1);

    CHECK(o.stats.concealed < TICKS / 50);
    CHECK(o.tone_share > 0.97);
    CHECK(o.mean_delay_us >= 60 * MS && o.mean_delay_us <= 160 * MS);
}

static void most_single_losses_are_repaired_by_fec(void)
{
    struct netem_config config = {.seed = 3, .delay_us = 20 * MS, .loss = 0.05};
    struct outcome o = simulate_sound(&config, 1, true);

    CHECK(o.stats.fec >= 30); /* of 68; the others were silence, which Opus does not repeat */
    CHECK(o.stats.concealed < TICKS / 40);
}

static void reordering_and_duplicates_are_not_heard(void)
{
    struct netem_config config = {
        .seed = 4, .delay_us = 20 * MS, .reorder = 0.1, .reorder_us = 25 * MS, .duplicate = 0.1};
    struct outcome o = simulate(&config, 1);

    CHECK(o.stats.duplicates > TICKS / 15);
    CHECK(o.stats.late < 10);
    CHECK(o.stats.concealed + o.stats.fec < 20);
    CHECK(o.tone_share > 0.98);
}

static void clocks_that_drift_apart_are_followed(void)
{
    struct netem_config config = {.seed = 5, .delay_us = 20 * MS, .jitter_us = 5 * MS};

    for (int i = 0; i < 2; i++) {
        struct outcome o = simulate(&config, i ? 1.0005 : 0.9995); /* 15 ms */

        CHECK(o.stats.concealed < 10);
        CHECK(o.mean_delay_us < 120 * MS);
        CHECK(o.sounding > TICKS - 20);
    }
}

static void a_burst_of_losses_is_survived(void)
{
    struct netem_config config = {
        .seed = 6, .delay_us = 20 * MS, .burst_start = 0.02, .burst_len = 10};
    struct outcome o = simulate(&config, 1);

    CHECK(o.stats.concealed > 10);
    CHECK_EQ(o.stats.restarts, 0);
    CHECK(o.sounding > TICKS * 9 / 10);
    CHECK(o.mean_delay_us < 200 * MS);
}

TAP_CASES(CASE(a_good_network_costs_two_frames_of_delay), CASE(jitter_is_bought_off_with_delay),
          CASE(most_single_losses_are_repaired_by_fec),
          CASE(reordering_and_duplicates_are_not_heard), CASE(clocks_that_drift_apart_are_followed),
          CASE(a_burst_of_losses_is_survived))
