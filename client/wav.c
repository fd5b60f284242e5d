#include "client/wav.h"

#include "client/file.h"
#include "client/little_endian.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    HEADER_LEN = 44,
    RIFF_HEADER_LEN = 12,
    CHUNK_HEADER_LEN = 8,
    FORMAT_LEN = 16,
    FORMAT_PCM = 1,
    FORMAT_FLOAT = 3,
    FORMAT_EXTENSIBLE = 0xfffe,
    FORMAT_EXTENSIBLE_LEN = 40,
    SUB_FORMAT_AT = 24, /* in the fmt chunk: first two bytes of the sub-format's GUID */
};

static int parse_format(struct wav *wav, const uint8_t *chunk, size_t len)
{
    uint32_t tag;
    uint32_t bits;
    uint32_t channels;

    if (len < FORMAT_LEN)
        return -EBADMSG;
    tag = (uint32_t)little_endian_get(chunk, 2);
    channels = (uint32_t)little_endian_get(chunk + 2, 2);
    wav->rate = (uint32_t)little_endian_get(chunk + 4, 4);
    bits = (uint32_t)little_endian_get(chunk + 14, 2);
    if (tag == FORMAT_EXTENSIBLE && len >= FORMAT_EXTENSIBLE_LEN)
        tag = (uint32_t)little_endian_get(chunk + SUB_FORMAT_AT, 2);
    if (channels < 1 || channels > WAV_MAX_CHANNELS)
        return -ENOTSUP;
    if (wav->rate < WAV_MIN_RATE || wav->rate > WAV_MAX_RATE)
        return -ENOTSUP;
    wav->format = tag == FORMAT_FLOAT ? WAV_FLOAT : WAV_PCM;
    if (tag == FORMAT_FLOAT && bits != 32 && bits != 64)
        return -ENOTSUP;
    if (tag == FORMAT_PCM && (bits % 8 != 0 || bits < 8 || bits > 32))
        return -ENOTSUP;
    if (tag != FORMAT_PCM && tag != FORMAT_FLOAT)
        return -ENOTSUP;
    wav->channels = (uint16_t)channels;
    wav->sample_bytes = (uint16_t)(bits / 8);
    return 0;
}

static void take_data(struct wav *wav, const uint8_t *chunk, size_t len)
{
    wav->data = chunk;
    wav->n_frames = len / ((size_t)wav->channels * wav->sample_bytes);
}

int wav_parse(struct wav *ret, const uint8_t *data, size_t len)
{
    struct wav wav = {0};
    size_t at = RIFF_HEADER_LEN;

    if (len < RIFF_HEADER_LEN || memcmp(data, "RIFF", 4) != 0 || memcmp(data + 8, "WAVE", 4) != 0)
        return -EBADMSG;
    while (len - at >= CHUNK_HEADER_LEN) {
        const uint8_t *chunk = data + at + CHUNK_HEADER_LEN;
        size_t left = len - at - CHUNK_HEADER_LEN;
        size_t chunk_len = little_endian_get(data + at + 4, 4);
        size_t here = chunk_len < left ? chunk_len : left;

        if (memcmp(data + at, "fmt ", 4) == 0) {
            int err = parse_format(&wav, chunk, here);

            if (err < 0)
                return err;
        } else if (memcmp(data + at, "data", 4) == 0) {
            if (wav.channels == 0)
                return -EBADMSG;
            take_data(&wav, chunk, here);
            *ret = wav;
            return 0;
        }
        here += here < left ? here & 1 : 0; /* chunks begin at even places */
        at += CHUNK_HEADER_LEN + here;
    }
    return -EBADMSG;
}

int wav_open(struct wav *ret, const char *path)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    int err = file_read(path, WAV_MAX_BYTES, &bytes, &len);

    if (err < 0)
        return err;
    err = wav_parse(ret, bytes, len);
    if (err < 0) {
        free(bytes);
        return err;
    }
    ret->file = bytes;
    return 0;
}

void wav_done(struct wav *wav)
{
    free(wav->file);
    *wav = (struct wav){0};
}

static int16_t sample_of_float(double v)
{
    if (!(v > -1)) /* NaN too */
        return (int16_t)(isnan(v) ? 0 : INT16_MIN);
    if (v >= 1)
        return INT16_MAX;
    return (int16_t)lrint(v * INT16_MAX);
}

static int16_t float_sample(const uint8_t *p, size_t bytes)
{
    if (bytes == 4) {
        uint32_t bits = (uint32_t)little_endian_get(p, 4);
        float v;

        memcpy(&v, &bits, sizeof(v));
        return sample_of_float((double)v);
    }

    uint64_t bits = little_endian_get(p, 8);
    double v;

    memcpy(&v, &bits, sizeof(v));
    return sample_of_float(v);
}

int16_t wav_sample(const struct wav *wav, size_t frame, uint16_t channel)
{
    const uint8_t *p;

    assert(frame < wav->n_frames && channel < wav->channels);
    p = wav->data + (frame * wav->channels + channel) * wav->sample_bytes;
    if (wav->format == WAV_FLOAT)
        return float_sample(p, wav->sample_bytes);
    if (wav->sample_bytes == 1)
        return (int16_t)((p[0] - 128) * 256); /* 8 bit PCM is unsigned */
    return (int16_t)(uint16_t)little_endian_get(p + wav->sample_bytes - 2, 2);
}

struct wav_writer {
    FILE *file;
    uint32_t rate;
    uint16_t channels;
    uint64_t n_frames;
    uint64_t hole_frames; /* silence put since the last samples, not in the file yet */
};

static size_t frame_bytes(const struct wav_writer *w)
{
    return (size_t)w->channels * sizeof(int16_t);
}

static void make_header(const struct wav_writer *w, uint8_t header[HEADER_LEN])
{
    uint32_t data_len = (uint32_t)(w->n_frames * frame_bytes(w));

    memcpy(header, "RIFF....WAVEfmt ", 16);
    little_endian_put(header + 4, data_len + HEADER_LEN - CHUNK_HEADER_LEN, 4);
    little_endian_put(header + 16, FORMAT_LEN, 4);
    little_endian_put(header + 20, FORMAT_PCM, 2);
    little_endian_put(header + 22, w->channels, 2);
    little_endian_put(header + 24, w->rate, 4);
    little_endian_put(header + 28, w->rate * (uint32_t)frame_bytes(w), 4);
    little_endian_put(header + 32, (uint32_t)frame_bytes(w), 2);
    little_endian_put(header + 34, 16, 2);
    memcpy(header + 36, "data", 4);
    little_endian_put(header + 40, data_len, 4);
}

static int write_header(struct wav_writer *w)
{
    uint8_t header[HEADER_LEN];

    make_header(w, header);
    return fwrite(header, 1, sizeof(header), w->file) == sizeof(header) ? 0 : -EIO;
}

static int write_hole(struct wav_writer *w)
{
    if (w->hole_frames == 0)
        return 0;
    if (fseeko(w->file, (off_t)(w->hole_frames * frame_bytes(w)), SEEK_CUR) < 0)
        return -errno;
    w->hole_frames = 0;
    return 0;
}

static int flush(struct wav_writer *w)
{
    off_t end = (off_t)(HEADER_LEN + w->n_frames * frame_bytes(w));
    int err = write_hole(w);

    if (err < 0)
        return err;
    if (fflush(w->file) != 0 || ftruncate(fileno(w->file), end) < 0)
        return -errno;
    if (fseeko(w->file, 0, SEEK_SET) < 0)
        return -errno;
    err = write_header(w);
    if (err < 0)
        return err;
    return fseeko(w->file, 0, SEEK_END) < 0 || fflush(w->file) != 0 ? -errno : 0;
}

int wav_writer_new(struct wav_writer **ret, const char *path, uint32_t rate, uint16_t channels)
{
    struct wav_writer *w = calloc(1, sizeof(*w));
    int err;

    if (!w)
        return -ENOMEM;
    w->rate = rate;
    w->channels = channels;
    w->file = fopen(path, "wbe");
    if (!w->file) {
        err = -errno;
        goto fail;
    }
    err = write_header(w);
    if (err < 0)
        goto fail;
    *ret = w;
    return 0;
fail:
    wav_writer_free(w);
    return err;
}

struct wav_writer *wav_writer_free(struct wav_writer *w)
{
    if (!w)
        return NULL;
    if (w->file) {
        (void)flush(w); /* nobody is left to tell of an error */
        (void)fclose(w->file);
    }
    free(w);
    return NULL;
}

static bool has_room(const struct wav_writer *w, uint64_t n_frames)
{
    uint64_t max = (UINT32_MAX - HEADER_LEN) / frame_bytes(w);

    return n_frames <= max - w->n_frames;
}

int wav_writer_put(struct wav_writer *w, const int16_t *samples, size_t n_frames)
{
    int err;

    if (!has_room(w, n_frames))
        return -EFBIG;
    err = write_hole(w);
    if (err < 0)
        return err;
    for (size_t i = 0; i < n_frames * w->channels; i++) {
        uint8_t bytes[2];

        little_endian_put(bytes, (uint16_t)samples[i], 2);
        if (fwrite(bytes, 1, sizeof(bytes), w->file) != sizeof(bytes))
            return -EIO;
    }
    w->n_frames += n_frames;
    return 0;
}

int wav_writer_put_silence(struct wav_writer *w, uint64_t n_frames)
{
    if (!has_room(w, n_frames))
        return -EFBIG;
    w->n_frames += n_frames;
    w->hole_frames += n_frames;
    return 0;
}

int wav_writer_flush(struct wav_writer *w)
{
    return flush(w);
}

uint64_t wav_writer_frames(const struct wav_writer *w)
{
    return w->n_frames;
}
