#include "client/recorder.h"

#include "client/ivf.h"
#include "client/mixer.h"
#include "client/opus_codec.h"
#include "client/video_receiver.h"
#include "client/video_sender.h"
#include "client/wav.h"
#include "media/base/list.h"
#include "signaling/message.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    FLUSH_TICKS = 50, /* headers are right at least every second, whatever happens to us */
    MAX_STEP = 10 * VIDEO_RATE, /* a larger step of timestamps is a switch, not time */
    SWITCH_STEP = VIDEO_RATE / 30,
};

/* What one participant's files need. */
struct voice {
    struct list link;
    uint32_t participant;
    bool heard; /* in this tick */
    struct mixer mixer;
    struct wav_writer *wav; /* NULL: none yet */
    struct ivf_writer *ivf; /* NULL: none yet */
    uint32_t last_ts;       /* of video */
    uint64_t pts;
};

struct recorder {
    struct recorder_config config;
    int err; /* the first failure */
    struct mixer mixer;
    struct wav_writer *all;
    struct list voices;
    size_t n_voices;
    uint64_t ticks;
};

static struct voice *voice_of(struct list *link)
{
    return CONTAINER_OF(link, struct voice, link);
}

static int make_folder(const char *path)
{
    if (!path || mkdir(path, 0777) == 0 || errno == EEXIST)
        return 0;
    return -errno;
}

int recorder_new(struct recorder **ret, const struct recorder_config *config)
{
    struct recorder *r = calloc(1, sizeof(*r));
    int err;

    if (!r)
        return -ENOMEM;
    r->config = *config;
    list_init(&r->voices);
    mixer_init(&r->mixer, config->channels);
    err = make_folder(config->each);
    if (err == 0)
        err = make_folder(config->video);
    if (err == 0 && config->all)
        err = wav_writer_new(&r->all, config->all, AUDIO_RATE, config->channels);
    if (err < 0) {
        recorder_free(r);
        return err;
    }
    *ret = r;
    return 0;
}

static void voice_free(struct voice *v)
{
    list_unlink(&v->link);
    v->wav = wav_writer_free(v->wav);
    v->ivf = ivf_writer_free(v->ivf);
    free(v);
}

struct recorder *recorder_free(struct recorder *r)
{
    if (!r)
        return NULL;
    r->all = wav_writer_free(r->all);
    LIST_FOREACH_SAFE(it, &r->voices)
        voice_free(voice_of(it));
    free(r);
    return NULL;
}

const char *recorder_file_name(uint32_t participant, const char *name, char out[RECORDER_NAME_MAX])
{
    char id[MESSAGE_ID_MAX];
    size_t len = 0;

    for (; name[len] && len < MESSAGE_NAME_MAX; len++) {
        bool plain = isalnum((unsigned char)name[len]) || name[len] == '_' ||
                     (name[len] == '.' && len > 0);

        out[len] = '_';
        if (plain)
            out[len] = name[len];
    }
    (void)snprintf(out + len, RECORDER_NAME_MAX - len, "%s%s", len > 0 ? "-" : "",
                   participant ? participant_id_text(participant, id) : "unknown");
    return out;
}

static struct voice *find_voice(struct recorder *r, uint32_t participant)
{
    struct voice *v;

    LIST_FOREACH(it, &r->voices) {
        if (voice_of(it)->participant == participant)
            return voice_of(it);
    }
    v = r->n_voices < RECORDER_MAX_VOICES ? calloc(1, sizeof(*v)) : NULL;
    if (!v)
        return NULL;
    v->participant = participant;
    mixer_init(&v->mixer, r->config.channels);
    list_append(&r->voices, &v->link);
    r->n_voices++;
    return v;
}

static int make_path(char path[PATH_MAX], const char *folder, uint32_t participant,
                     const char *name, const char *ending)
{
    char file[RECORDER_NAME_MAX];
    int len = snprintf(path, PATH_MAX, "%s/%s.%s", folder,
                       recorder_file_name(participant, name, file), ending);

    return len > 0 && len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int open_wav(struct recorder *r, struct voice *v, const char *name)
{
    char path[PATH_MAX];
    int err = make_path(path, r->config.each, v->participant, name, "wav");

    if (err == 0)
        err = wav_writer_new(&v->wav, path, AUDIO_RATE, r->config.channels);
    return err < 0 ? err : wav_writer_put_silence(v->wav, r->ticks * AUDIO_FRAME);
}

static int add_voice(struct recorder *r, uint32_t participant, const char *name,
                     const int16_t *samples)
{
    struct voice *v = find_voice(r, participant);

    if (!v)
        return -ENOMEM;
    if (!v->wav) {
        int err = open_wav(r, v, name);

        if (err < 0)
            return err;
    }
    mixer_add(&v->mixer, samples);
    v->heard = true;
    return 0;
}

void recorder_add(struct recorder *r, uint32_t participant, const char *name,
                  const int16_t *samples)
{
    if (r->err < 0)
        return;
    if (r->config.each)
        r->err = add_voice(r, participant, name, samples);
    if (r->all)
        mixer_add(&r->mixer, samples);
}

static int write_mixed(struct wav_writer *w, struct mixer *m, bool flush)
{
    int16_t samples[MIXER_FRAME * MIXER_MAX_CHANNELS];
    int err;

    mixer_take(m, samples);
    err = wav_writer_put(w, samples, MIXER_FRAME);
    return err == 0 && flush ? wav_writer_flush(w) : err;
}

static int tick_voice(struct voice *v, bool flush)
{
    int err;

    if (!v->wav)
        return 0;
    if (v->heard) {
        v->heard = false;
        return write_mixed(v->wav, &v->mixer, flush);
    }
    err = wav_writer_put_silence(v->wav, AUDIO_FRAME);
    return err == 0 && flush ? wav_writer_flush(v->wav) : err;
}

int recorder_tick(struct recorder *r)
{
    bool flush = ++r->ticks % FLUSH_TICKS == 0;

    if (r->err < 0)
        return r->err;
    if (r->all)
        r->err = write_mixed(r->all, &r->mixer, flush);
    LIST_FOREACH(it, &r->voices) {
        if (r->err == 0)
            r->err = tick_voice(voice_of(it), flush);
    }
    return r->err;
}

static int open_ivf(struct recorder *r, struct voice *v, const struct video_frame *frame,
                    const char *name)
{
    char path[PATH_MAX];
    int err = make_path(path, r->config.video, v->participant, name, "ivf");

    if (err < 0)
        return err;
    v->last_ts = frame->ts;
    return ivf_writer_new(&v->ivf, path, frame->width, frame->height, VIDEO_RATE);
}

static int write_video(struct recorder *r, const struct video_frame *frame, const char *name)
{
    struct voice *v = find_voice(r, frame->source);
    uint32_t step;

    if (!v)
        return -ENOMEM;
    if (!v->ivf) {
        int err = frame->key_frame ? open_ivf(r, v, frame, name) : -EAGAIN;

        if (err < 0)
            return err == -EAGAIN ? 0 : err; /* a file begins with a key frame */
    }
    step = frame->ts - v->last_ts;
    v->pts += step < MAX_STEP ? step : SWITCH_STEP;
    v->last_ts = frame->ts;
    return ivf_writer_put(v->ivf, frame->data, frame->len, v->pts);
}

int recorder_video(struct recorder *r, const struct video_frame *frame, const char *name)
{
    if (r->err == 0 && r->config.video)
        r->err = write_video(r, frame, name);
    return r->err;
}
