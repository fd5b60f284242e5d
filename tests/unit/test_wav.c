#include "client/wav.h"

#include "client/little_endian.h"
#include "tests/tap.h"

#include <errno.h>
#include <unistd.h>

enum { HEADER_LEN = 44, EXTENSIBLE = 0xfffe };

static char path[] = "/tmp/test_wav_XXXXXX";

/* @return a file name of this run; the same each time */
static const char *scratch(void)
{
    static int fd = -1;

    if (fd < 0)
        fd = mkstemp(path);
    CHECK(fd >= 0);
    return path;
}

#define FORMAT(tag, channels, rate, bits) ((const uint32_t[]){tag, channels, rate, bits})

/* Write a header by hand for `data_len` bytes of samples. */
static size_t make(uint8_t *out, const uint32_t format[4], const void *samples, uint32_t data_len)
{
    memset(out, 0, HEADER_LEN);
    memcpy(out, "RIFF....WAVEfmt ", 16);
    little_endian_put(out + 16, 16, 4);
    little_endian_put(out + 20, format[0], 2);
    little_endian_put(out + 22, format[1], 2);
    little_endian_put(out + 24, format[2], 4);
    little_endian_put(out + 34, format[3], 2);
    memcpy(out + 36, "data", 4);
    little_endian_put(out + 40, data_len, 4);
    memcpy(out + HEADER_LEN, samples, data_len);
    return HEADER_LEN + data_len;
}

static void what_is_written_is_read_again(void)
{
    static const int16_t samples[] = {0, 1, -1, INT16_MAX, INT16_MIN, 1234};
    struct wav_writer *w = NULL;
    struct wav wav;

    CHECK_EQ(wav_writer_new(&w, scratch(), 48000, 2), 0);
    CHECK_EQ(wav_writer_put(w, samples, 3), 0);
    CHECK_EQ(wav_writer_frames(w), 3);
    wav_writer_free(w);
    CHECK_EQ(wav_open(&wav, scratch()), 0);
    CHECK_EQ(wav.rate, 48000);
    CHECK_EQ(wav.channels, 2);
    CHECK_EQ(wav.n_frames, 3);
    for (size_t i = 0; i < 6; i++)
        CHECK_EQ(wav_sample(&wav, i / 2, (uint16_t)(i % 2)), samples[i]);
    wav_done(&wav);
}

static void silence_is_heard_in_its_place(void)
{
    static const int16_t one = 1000;
    struct wav_writer *w = NULL;
    struct wav wav;

    CHECK_EQ(wav_writer_new(&w, scratch(), 48000, 1), 0);
    CHECK_EQ(wav_writer_put_silence(w, 100000), 0);
    CHECK_EQ(wav_writer_put(w, &one, 1), 0);
    CHECK_EQ(wav_writer_put_silence(w, 50), 0);
    wav_writer_free(w);
    CHECK_EQ(wav_open(&wav, scratch()), 0);
    CHECK_EQ(wav.n_frames, 100051);
    CHECK_EQ(wav_sample(&wav, 99999, 0), 0);
    CHECK_EQ(wav_sample(&wav, 100000, 0), 1000);
    CHECK_EQ(wav_sample(&wav, 100050, 0), 0);
    wav_done(&wav);
}

static void a_file_is_whole_after_each_flush(void)
{
    static const int16_t samples[] = {1, 2, 3};
    struct wav_writer *w = NULL;
    struct wav wav;

    CHECK_EQ(wav_writer_new(&w, scratch(), 16000, 1), 0);
    for (int i = 1; i <= 3; i++) {
        CHECK_EQ(wav_writer_put(w, samples, 3), 0);
        CHECK_EQ(wav_writer_put_silence(w, 7), 0);
        CHECK_EQ(wav_writer_flush(w), 0);
        CHECK_EQ(wav_open(&wav, scratch()), 0);
        CHECK_EQ(wav.n_frames, 10 * i);
        CHECK_EQ(wav_sample(&wav, 10 * (size_t)i - 8, 0), 3);
        wav_done(&wav);
    }
    wav_writer_free(w);
}

static void a_recording_ends_where_the_format_does(void)
{
    static const int16_t one = 1;
    struct wav_writer *w = NULL;

    CHECK_EQ(wav_writer_new(&w, "/dev/null", 48000, 1), 0);
    CHECK_EQ(wav_writer_put_silence(w, (UINT32_MAX - HEADER_LEN) / 2), 0);
    CHECK_EQ(wav_writer_put_silence(w, 1), -EFBIG);
    CHECK_EQ(wav_writer_put(w, &one, 1), -EFBIG);
    wav_writer_free(w);
}

static void every_size_of_sample_is_read(void)
{
    uint8_t file[128];
    struct wav wav;
    static const uint8_t pcm8[] = {0, 128, 255};
    static const uint8_t pcm24[] = {0xff, 0x34, 0x12};
    static const uint8_t pcm32[] = {0xff, 0xff, 0x34, 0x92};
    static const float float32[] = {0.5F, -2, 2, 0};
    static const double float64[] = {-0.5};

    CHECK_EQ(wav_parse(&wav, file, make(file, FORMAT(1, 1, 8000, 8), pcm8, 3)), 0);
    CHECK_EQ(wav_sample(&wav, 0, 0), INT16_MIN);
    CHECK_EQ(wav_sample(&wav, 1, 0), 0);
    CHECK_EQ(wav_sample(&wav, 2, 0), 127 * 256);
    CHECK_EQ(wav_parse(&wav, file, make(file, FORMAT(1, 1, 8000, 24), pcm24, 3)), 0);
    CHECK_EQ(wav_sample(&wav, 0, 0), 0x1234);
    CHECK_EQ(wav_parse(&wav, file, make(file, FORMAT(1, 1, 8000, 32), pcm32, 4)), 0);
    CHECK_EQ(wav_sample(&wav, 0, 0), (int16_t)0x9234);
    CHECK_EQ(wav_parse(&wav, file, make(file, FORMAT(3, 2, 8000, 32), float32, 16)), 0);
    CHECK_EQ(wav.n_frames, 2);
    CHECK_EQ(wav_sample(&wav, 0, 0), 16384);
    CHECK_EQ(wav_sample(&wav, 0, 1), INT16_MIN);
    CHECK_EQ(wav_sample(&wav, 1, 0), INT16_MAX);
    CHECK_EQ(wav_parse(&wav, file, make(file, FORMAT(3, 1, 8000, 64), float64, 8)), 0);
    CHECK_EQ(wav_sample(&wav, 0, 0), -16384);
}

static void an_extensible_header_says_what_it_extends(void)
{
    uint8_t file[128] = "RIFF....WAVEfmt ";
    struct wav wav;

    little_endian_put(file + 16, 40, 4);
    little_endian_put(file + 20, EXTENSIBLE, 2);
    little_endian_put(file + 22, 1, 2);
    little_endian_put(file + 24, 44100, 4);
    little_endian_put(file + 34, 16, 2);
    little_endian_put(file + 44, 1, 2);
    memcpy(file + 60, "data", 4);
    little_endian_put(file + 64, 4, 4);
    CHECK_EQ(wav_parse(&wav, file, 72), 0);
    CHECK_EQ(wav.format, WAV_PCM);
    CHECK_EQ(wav.n_frames, 2);
    little_endian_put(file + 44, 7, 2); /* mu-law */
    CHECK_EQ(wav_parse(&wav, file, 72), -ENOTSUP);
}

static void other_chunks_are_skipped(void)
{
    uint8_t file[128];
    static const int16_t one = 77;
    size_t len = make(file, FORMAT(1, 1, 8000, 16), &one, 2);
    struct wav wav;

    memmove(file + 36 + 12, file + 36, len - 36);
    memcpy(file + 36, "LIST\3\0\0\0abc", 12); /* odd: a padding byte follows */
    CHECK_EQ(wav_parse(&wav, file, len + 12), 0);
    CHECK_EQ(wav_sample(&wav, 0, 0), 77);
}

static void a_recording_that_was_cut_off_is_read_as_far_as_it_goes(void)
{
    uint8_t file[128];
    static const int16_t samples[] = {5, 6, 7};
    size_t len = make(file, FORMAT(1, 1, 8000, 16), samples, 6);
    struct wav wav;

    CHECK_EQ(wav_parse(&wav, file, len - 3), 0);
    CHECK_EQ(wav.n_frames, 1);
}

static void what_is_no_wav_is_refused(void)
{
    uint8_t file[128];
    struct wav wav;
    static const int16_t one = 1;
    size_t len = make(file, FORMAT(1, 1, 8000, 16), &one, 2);

    for (size_t cut = 0; cut < HEADER_LEN; cut++)
        CHECK_EQ(wav_parse(&wav, file, cut), -EBADMSG);
    CHECK_EQ(wav_parse(&wav, file, make(file, FORMAT(2, 1, 8000, 16), &one, 2)), -ENOTSUP);
    CHECK_EQ(wav_parse(&wav, file, make(file, FORMAT(1, 0, 8000, 16), &one, 2)), -ENOTSUP);
    CHECK_EQ(wav_parse(&wav, file, make(file, FORMAT(1, 9, 8000, 16), &one, 2)), -ENOTSUP);
    CHECK_EQ(wav_parse(&wav, file, make(file, FORMAT(1, 1, 0, 16), &one, 2)), -ENOTSUP);
    CHECK_EQ(wav_parse(&wav, file, make(file, FORMAT(1, 1, 8000, 12), &one, 2)), -ENOTSUP);
    CHECK_EQ(wav_parse(&wav, file, make(file, FORMAT(3, 1, 8000, 16), &one, 2)), -ENOTSUP);
    make(file, FORMAT(1, 1, 8000, 16), &one, 2);
    memcpy(file + 12, "junk", 4);
    CHECK_EQ(wav_parse(&wav, file, len), -EBADMSG);
    CHECK_EQ(wav_open(&wav, "/nonexistent/x.wav"), -ENOENT);
    CHECK_EQ(unlink(scratch()), 0); /* last case: leave nothing behind */
}

TAP_CASES(CASE(what_is_written_is_read_again), CASE(silence_is_heard_in_its_place),
          CASE(a_file_is_whole_after_each_flush), CASE(a_recording_ends_where_the_format_does),
          CASE(every_size_of_sample_is_read), CASE(an_extensible_header_says_what_it_extends),
          CASE(other_chunks_are_skipped),
          CASE(a_recording_that_was_cut_off_is_read_as_far_as_it_goes),
          CASE(what_is_no_wav_is_refused))
