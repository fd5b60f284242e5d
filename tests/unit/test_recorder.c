#include "client/recorder.h"

#include "client/ivf.h"
#include "client/opus_codec.h"
#include "client/video_receiver.h"
#include "client/wav.h"
#include "tests/tap.h"

#include <errno.h>
#include <unistd.h>

static char folder[] = "/tmp/test_recorder_XXXXXX";
static char all[64];

static struct recorder *make(void)
{
    struct recorder *r = NULL;
    struct recorder_config config = {.all = all, .each = folder, .video = folder, .channels = 1};

    if (!all[0])
        CHECK(mkdtemp(folder));
    (void)snprintf(all, sizeof(all), "%s/all.wav", folder);
    CHECK_EQ(recorder_new(&r, &config), 0);
    return r;
}

/* @return sample `at` of a file in the folder, which has `n_frames` and is removed */
static void check_file(const char *name, size_t n_frames, size_t at, int16_t sample)
{
    char path[128];
    struct wav wav;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    CHECK_EQ(wav_open(&wav, path), 0);
    CHECK_EQ(wav.n_frames, n_frames);
    CHECK_EQ(wav_sample(&wav, at, 0), sample);
    wav_done(&wav);
    CHECK_EQ(unlink(path), 0);
}

static void add(struct recorder *r, uint32_t participant, const char *name, int16_t value)
{
    int16_t samples[AUDIO_FRAME];

    for (size_t i = 0; i < AUDIO_FRAME; i++)
        samples[i] = value;
    recorder_add(r, participant, name, samples);
}

static void everybody_is_in_one_file_and_each_in_another_at_the_same_time(void)
{
    struct recorder *r = make();

    for (int tick = 0; tick < 100; tick++) {
        if (tick >= 10)
            add(r, 0x2a, "Ada", 1000);
        if (tick == 50)
            add(r, 0x2b, "../Bob", 500);
        CHECK_EQ(recorder_tick(r), 0);
    }
    recorder_free(r);
    check_file("Ada-p-0000002a.wav", 100 * AUDIO_FRAME, 10 * AUDIO_FRAME, 1000);
    check_file("_._Bob-p-0000002b.wav", 100 * AUDIO_FRAME, 50 * AUDIO_FRAME, 500);
}

static void the_mix_is_the_sum(void)
{
    struct recorder *r = make();

    add(r, 1, "", 1000);
    add(r, 2, "", 500);
    add(r, 1, "", 7); /* a second track of the same participant */
    CHECK_EQ(recorder_tick(r), 0);
    CHECK_EQ(recorder_tick(r), 0);
    recorder_free(r);
    check_file("all.wav", 2 * AUDIO_FRAME, 0, 1507);
    check_file("p-00000001.wav", 2 * AUDIO_FRAME, 0, 1007);
    check_file("p-00000002.wav", 2 * AUDIO_FRAME, AUDIO_FRAME, 0);
}

static void video_begins_with_a_key_frame(void)
{
    struct recorder *r = make();
    struct video_frame frame = {.data = (const uint8_t *)"abc",
                                .len = 3,
                                .width = 320,
                                .height = 240,
                                .ts = UINT32_MAX - 1000,
                                .source = 3};
    char path[128];
    struct ivf ivf;
    struct ivf_frame read;

    CHECK_EQ(recorder_video(r, &frame, "Cy"), 0);
    frame.key_frame = true;
    CHECK_EQ(recorder_video(r, &frame, "Cy"), 0);
    frame.ts += 3000;
    CHECK_EQ(recorder_video(r, &frame, "Cy"), 0);
    frame.ts -= 100000; /* another slot */
    CHECK_EQ(recorder_video(r, &frame, "Cy"), 0);
    recorder_free(r);
    (void)snprintf(path, sizeof(path), "%s/Cy-p-00000003.ivf", folder);
    CHECK_EQ(ivf_open(&ivf, path), 0);
    for (uint64_t pts = 0; pts <= 6000; pts += 3000) {
        CHECK_EQ(ivf_next(&ivf, &read), 1);
        CHECK_EQ(read.pts, pts);
    }
    CHECK_EQ(ivf_next(&ivf, &read), 0);
    ivf_done(&ivf);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(unlink(all), 0);
}

static void names_cannot_leave_the_folder(void)
{
    char out[RECORDER_NAME_MAX];

    CHECK_STR(recorder_file_name(1, "Ada B/C", out), "Ada_B_C-p-00000001");
    CHECK_STR(recorder_file_name(1, "../../x", out), "_._.._x-p-00000001");
    CHECK_STR(recorder_file_name(1, "", out), "p-00000001");
    CHECK_STR(recorder_file_name(0, "", out), "unknown");
}

static void what_cannot_be_written_is_told(void)
{
    struct recorder *r = NULL;
    struct recorder_config config = {.all = "/nonexistent/x.wav", .channels = 1};

    CHECK_EQ(recorder_new(&r, &config), -ENOENT);
    config = (struct recorder_config){.each = "/nonexistent/x", .channels = 1};
    CHECK_EQ(recorder_new(&r, &config), -ENOENT);
    CHECK_EQ(rmdir(folder), 0); /* last case: leave nothing behind */
}

TAP_CASES(CASE(everybody_is_in_one_file_and_each_in_another_at_the_same_time),
          CASE(the_mix_is_the_sum), CASE(video_begins_with_a_key_frame),
          CASE(names_cannot_leave_the_folder), CASE(what_cannot_be_written_is_told))
