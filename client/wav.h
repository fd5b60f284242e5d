/**
 * @file wav.h  WAV files (RIFF): reading PCM of 8 to 32 bits and float, writing 16 bit PCM.
 *
 * Samples are interleaved int16_t. A reader works on bytes in memory or on a file it opens; a
 * writer's file is a valid WAV after every wav_writer_flush(). Not thread-safe.
 */
#ifndef CLIENT_WAV_H
#define CLIENT_WAV_H

#include "media/base/attributes.h"

#include <stddef.h>
#include <stdint.h>

enum {
    WAV_MAX_CHANNELS = 8,
    WAV_MIN_RATE = 4000,
    WAV_MAX_RATE = 192000,
    WAV_MAX_BYTES = 1024 * 1024 * 1024, /* largest file read: 1.5 hours of 48 kHz stereo */
};

enum wav_format {
    WAV_PCM,
    WAV_FLOAT,
};

/** A WAV file in memory. */
struct wav {
    uint32_t rate;     /* [Hz] WAV_MIN_RATE..WAV_MAX_RATE */
    uint16_t channels; /* 1..WAV_MAX_CHANNELS */
    enum wav_format format;
    uint16_t sample_bytes; /* of one sample of one channel: 1..4, float: 4 or 8 */
    size_t n_frames;       /* a frame is one sample of each channel */
    const uint8_t *data;   /* little endian; lies in the bytes parsed */
    uint8_t *file;         /* owned if wav_open() read it, else NULL */
};

/**
 * Read the headers of a WAV in memory. A data chunk that says it is longer than the bytes there
 * (a recording that was cut off) is taken as far as it goes.
 *
 * @param data  borrowed as long as `ret` is used
 * @return 0; -EBADMSG: not a WAV; -ENOTSUP: a format we do not read (compressed, odd rate)
 */
MUST_USE int wav_parse(struct wav *ret, const uint8_t *data, size_t len);

/** Read a file; wav_done() it. @return as wav_parse(); -EFBIG: above WAV_MAX_BYTES; -errno of open
 *  and read */
MUST_USE int wav_open(struct wav *ret, const char *path);
void wav_done(struct wav *wav);

/** @return sample of `channel` in frame `frame`, which are in range */
int16_t wav_sample(const struct wav *wav, size_t frame, uint16_t channel);

/** Writes 16 bit PCM as it comes. */
struct wav_writer;

/** Create or overwrite `path`. @return 0; -ENOMEM; -errno of open and write */
MUST_USE int wav_writer_new(struct wav_writer **ret, const char *path, uint32_t rate,
                            uint16_t channels);
/** Finish the headers and close. NULL is fine. @return NULL */
struct wav_writer *wav_writer_free(struct wav_writer *w);

/** Append frames of `channels` interleaved samples. @return 0; -EFBIG: the format's 4 GiB are full;
 *  -errno of write */
MUST_USE int wav_writer_put(struct wav_writer *w, const int16_t *samples, size_t n_frames);

/** Append silence, as a hole in the file where that is possible. @return as wav_writer_put() */
MUST_USE int wav_writer_put_silence(struct wav_writer *w, uint64_t n_frames);

/** Bring lengths in the headers up to date. @return 0; -errno of write */
MUST_USE int wav_writer_flush(struct wav_writer *w);

/** @return frames written so far */
uint64_t wav_writer_frames(const struct wav_writer *w);

#endif
