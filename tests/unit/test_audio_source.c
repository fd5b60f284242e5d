#include "client/audio_source.h"

#include "client/opus_codec.h"
#include "client/wav.h"
#include "tests/tap.h"

#include <errno.h>
#include <unistd.h>

static char path[] = "/tmp/test_audio_source_XXXXXX";

/* A WAV of `n` frames that count from 0, the right channel negative. */
static const char *make_wav(uint32_t rate, uint16_t channels, int n)
{
    static int fd = -1;
    struct wav_writer *w = NULL;

    if (fd < 0)
        fd = mkstemp(path);
    CHECK_EQ(wav_writer_new(&w, path, rate, channels), 0);
    for (int i = 0; i < n; i++) {
        int16_t frame[2] = {(int16_t)i, (int16_t)-i};

        CHECK_EQ(wav_writer_put(w, frame, 1), 0);
    }
    wav_writer_free(w);
    return path;
}

/* @return how often the left channel crosses zero upwards in a second */
static int frequency(struct audio_source *s, uint16_t channels)
{
    int16_t samples[AUDIO_FRAME * AUDIO_MAX_CHANNELS];
    int crossings = 0;
    int16_t last = 0;

    for (int i = 0; i < 50; i++) {
        audio_source_read(s, samples);
        for (size_t j = 0; j < AUDIO_FRAME; j++) {
            crossings += last < 0 && samples[j * channels] >= 0;
            last = samples[j * channels];
        }
    }
    return crossings;
}

static void a_tone_has_its_frequency(void)
{
    struct audio_source *s = NULL;

    CHECK_EQ(audio_source_new(&s, "tone:440", 1, false), 0);
    CHECK(abs(frequency(s, 1) - 440) <= 1);
    s = audio_source_free(s);
    CHECK_EQ(audio_source_new(&s, "tone:1000.5", 2, false), 0);
    CHECK(abs(frequency(s, 2) - 1000) <= 1);
    audio_source_free(s);
    CHECK_EQ(audio_source_new(&s, "tone:19", 1, false), -EINVAL);
    CHECK_EQ(audio_source_new(&s, "tone:20001", 1, false), -EINVAL);
    CHECK_EQ(audio_source_new(&s, "tone:", 1, false), -EINVAL);
    CHECK_EQ(audio_source_new(&s, "tone:440Hz", 1, false), -EINVAL);
}

static void silence_is_silent(void)
{
    struct audio_source *s = NULL;
    int16_t samples[AUDIO_FRAME];

    CHECK_EQ(audio_source_new(&s, "silence", 1, false), 0);
    audio_source_read(s, samples);
    CHECK_EQ(samples[0], 0);
    CHECK_EQ(samples[AUDIO_FRAME - 1], 0);
    audio_source_free(s);
}

static void a_file_is_followed_by_silence_or_by_itself(void)
{
    struct audio_source *s = NULL;
    int16_t samples[AUDIO_FRAME];

    CHECK_EQ(audio_source_new(&s, make_wav(48000, 1, 1000), 1, false), 0);
    audio_source_read(s, samples);
    CHECK_EQ(samples[959], 959);
    audio_source_read(s, samples);
    CHECK_EQ(samples[39], 999);
    CHECK_EQ(samples[40], 0);
    CHECK_EQ(samples[959], 0);
    s = audio_source_free(s);
    CHECK_EQ(audio_source_new(&s, make_wav(48000, 1, 100), 1, true), 0);
    audio_source_read(s, samples);
    CHECK_EQ(samples[0], 0);
    CHECK_EQ(samples[199], 99);
    CHECK_EQ(samples[959], 59);
    audio_source_free(s);
}

static void channels_are_mapped(void)
{
    struct audio_source *s = NULL;
    int16_t samples[AUDIO_FRAME * 2];

    CHECK_EQ(audio_source_new(&s, make_wav(48000, 2, 960), 1, false), 0);
    audio_source_read(s, samples);
    CHECK_EQ(samples[500], 0); /* left and right cancel out */
    s = audio_source_free(s);
    CHECK_EQ(audio_source_new(&s, make_wav(48000, 2, 960), 2, false), 0);
    audio_source_read(s, samples);
    CHECK_EQ(samples[1000], 500);
    CHECK_EQ(samples[1001], -500);
    s = audio_source_free(s);
    CHECK_EQ(audio_source_new(&s, make_wav(48000, 1, 960), 2, false), 0);
    audio_source_read(s, samples);
    CHECK_EQ(samples[1000], 500);
    CHECK_EQ(samples[1001], 500);
    audio_source_free(s);
}

static void any_rate_becomes_48_khz(void)
{
    struct audio_source *s = NULL;
    int16_t samples[AUDIO_FRAME];

    CHECK_EQ(audio_source_new(&s, make_wav(8000, 1, 8000), 1, false), 0);
    for (int i = 0; i < 25; i++)
        audio_source_read(s, samples); /* half a second: sample 4000 of the ramp */
    CHECK(samples[959] > 3990 && samples[959] < 4010);
    audio_source_free(s);
}

static void what_cannot_be_played_is_refused(void)
{
    struct audio_source *s = NULL;

    CHECK_EQ(audio_source_new(&s, "/nonexistent.wav", 1, false), -ENOENT);
    CHECK_EQ(audio_source_new(&s, "/dev/null", 1, false), -EBADMSG);
    CHECK_EQ(audio_source_new(&s, make_wav(48000, 1, 0), 1, false), -ENODATA);
    CHECK_EQ(unlink(path), 0); /* last case: leave nothing behind */
}

TAP_CASES(CASE(a_tone_has_its_frequency), CASE(silence_is_silent),
          CASE(a_file_is_followed_by_silence_or_by_itself), CASE(channels_are_mapped),
          CASE(any_rate_becomes_48_khz), CASE(what_cannot_be_played_is_refused))
