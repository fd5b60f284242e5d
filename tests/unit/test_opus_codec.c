#include "client/opus_codec.h"

#include "client/audio_sender.h"
#include "tests/tap.h"

#include <errno.h>
#include <math.h>

static const double TURN = 6.283185307179586;

/* What Opus takes for speech: harmonics of 120 Hz that swell and fade. */
static void make_voice(int16_t *out, int frame)
{
    for (int i = 0; i < AUDIO_FRAME; i++) {
        double t = (double)(frame * AUDIO_FRAME + i) / AUDIO_RATE;
        double sum = 0;

        for (int n = 1; n <= 20; n++)
            sum += sin(TURN * 120 * n * t + n * n) / n;
        out[i] = (int16_t)(5000 * fabs(sin(TURN * 2 * t)) * sum);
    }
}

struct fixture {
    struct opus_sender *sender;
    struct opus_receiver *receiver;
};

static struct fixture make(uint16_t channels, int32_t loss_percent)
{
    struct fixture f = {0};
    struct opus_encoder_config config = {
        .channels = channels, .bitrate_bps = 32000, .loss_percent = loss_percent};

    CHECK_EQ(opus_sender_new(&f.sender, &config), 0);
    CHECK_EQ(opus_receiver_new(&f.receiver, channels), 0);
    return f;
}

static void done(struct fixture *f)
{
    f->sender = opus_sender_free(f->sender);
    f->receiver = opus_receiver_free(f->receiver);
}

static void sound_survives(void)
{
    enum { FRAMES = 50 };
    static int16_t in[FRAMES * AUDIO_FRAME];
    static int16_t out[FRAMES * AUDIO_FRAME + OPUS_MAX_FRAME];
    struct fixture f = make(1, 0);
    uint8_t packet[OPUS_MAX_PACKET];

    for (int i = 0; i < FRAMES; i++) {
        int16_t *frame = in + (ptrdiff_t)i * AUDIO_FRAME;
        int len;

        make_voice(frame, i);
        len = opus_sender_encode(f.sender, frame, packet, sizeof(packet));
        CHECK(len > 0);
        CHECK_EQ(opus_packet_samples(packet, (size_t)len), AUDIO_FRAME);
        CHECK_EQ(
            opus_receiver_decode(f.receiver, packet, (size_t)len, out + (ptrdiff_t)i * AUDIO_FRAME),
            AUDIO_FRAME);
    }
    CHECK(abs(audio_level(in, FRAMES * AUDIO_FRAME) - audio_level(out, FRAMES * AUDIO_FRAME)) <= 1);
    done(&f);
}

/* Encode a second of voice. @return how many of its packets carry a copy */
static int count_copies(int32_t loss_percent)
{
    struct fixture f = make(1, loss_percent);
    int16_t in[AUDIO_FRAME];
    uint8_t packet[OPUS_MAX_PACKET];
    int copies = 0;

    for (int i = 0; i < 50; i++) {
        make_voice(in, i);
        copies += opus_packet_has_fec(
            packet, (size_t)opus_sender_encode(f.sender, in, packet, sizeof(packet)));
    }
    done(&f);
    return copies;
}

static void copies_are_made_when_loss_is_expected(void)
{
    CHECK_EQ(count_copies(0), 0);
    CHECK(count_copies(20) > 20);
}

static void what_is_lost_is_made_up(void)
{
    struct fixture f = make(2, 0);
    int16_t out[OPUS_MAX_FRAME * 2];

    CHECK_EQ(opus_receiver_conceal(f.receiver, out, AUDIO_FRAME), AUDIO_FRAME);
    CHECK_EQ(opus_receiver_conceal(f.receiver, out, 100), -EBADMSG); /* no whole 2.5 ms */
    done(&f);
}

static void what_is_not_opus_is_refused(void)
{
    struct fixture f = make(1, 0);
    static const uint8_t bad[] = {0x03, 0x00}; /* code 3 with no frames */
    int16_t out[OPUS_MAX_FRAME];

    CHECK_EQ(opus_packet_samples(bad, 0), -EBADMSG);
    CHECK_EQ(opus_receiver_decode(f.receiver, bad, 0, out), -EBADMSG);
    CHECK_EQ(opus_receiver_decode(f.receiver, bad, sizeof(bad), out), -EBADMSG);
    CHECK(!opus_packet_has_fec(bad, 0));
    CHECK(!opus_packet_has_fec(bad, sizeof(bad)));
    done(&f);
}

static void settings_out_of_range_are_refused(void)
{
    struct opus_encoder_config config = {.channels = 3, .bitrate_bps = 32000};
    struct opus_sender *sender = NULL;
    struct opus_receiver *receiver = NULL;

    CHECK_EQ(opus_sender_new(&sender, &config), -EINVAL);
    config = (struct opus_encoder_config){.channels = 1, .bitrate_bps = -5};
    CHECK_EQ(opus_sender_new(&sender, &config), -EINVAL);
    config = (struct opus_encoder_config){.channels = 1, .bitrate_bps = 32000, .loss_percent = 101};
    CHECK_EQ(opus_sender_new(&sender, &config), -EINVAL);
    CHECK_EQ(opus_receiver_new(&receiver, 0), -EINVAL);
}

static void loudness_is_in_decibels_below_full_scale(void)
{
    int16_t samples[AUDIO_FRAME];

    for (size_t i = 0; i < AUDIO_FRAME; i++)
        samples[i] = INT16_MAX;
    CHECK_EQ(audio_level(samples, AUDIO_FRAME), 0);
    for (size_t i = 0; i < AUDIO_FRAME; i++)
        samples[i] = INT16_MAX / 10;
    CHECK_EQ(audio_level(samples, AUDIO_FRAME), 20);
    memset(samples, 0, sizeof(samples));
    CHECK_EQ(audio_level(samples, AUDIO_FRAME), 127);
    CHECK_EQ(audio_level(samples, 0), 127);
}

TAP_CASES(CASE(sound_survives), CASE(copies_are_made_when_loss_is_expected),
          CASE(what_is_lost_is_made_up), CASE(what_is_not_opus_is_refused),
          CASE(settings_out_of_range_are_refused), CASE(loudness_is_in_decibels_below_full_scale))
