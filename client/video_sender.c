#include "client/video_sender.h"

#include "client/ivf.h"
#include "client/vp8.h"
#include "media/base/clock.h"
#include "media/base/random.h"
#include "media/packet.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const int64_t DEFAULT_FRAME_US = 33333; /* where the file does not say */
static const int64_t MAX_FRAME_US = 1 * SECOND;
static const int64_t KEY_FRAME_PAUSE_US = 300 * MS;

enum { MAX_FRAMES_AT_ONCE = 8 }; /* after a stall; what is older is not made up for */

struct video_sender {
    struct ivf ivf;
    struct ivf_frame next; /* sent next */
    bool started, wanted;
    struct rtp_sender rtp;
    int64_t next_us, frame_us; /* when `next` is due; time between the last two frames */
    int64_t skipped_us;        /* when we last went to a key frame */
    uint32_t ts;               /* of `next` */
    uint16_t picture;
    uint64_t frames;
};

/* The next frame, from the beginning again at the end (or where the file is damaged).
 * @return false: the file went back to its beginning */
static bool read_frame(struct video_sender *s)
{
    if (ivf_next(&s->ivf, &s->next) > 0)
        return true;
    ivf_rewind(&s->ivf);
    if (ivf_next(&s->ivf, &s->next) <= 0)
        s->next.len = 0; /* it was there before: cannot be */
    return false;
}

static int check_file(struct video_sender *s)
{
    if (strcmp(s->ivf.fourcc, "VP80") != 0)
        return -ENOTSUP;
    if (ivf_next(&s->ivf, &s->next) <= 0)
        return -ENODATA;
    return vp8_is_key_frame(s->next.data, s->next.len) ? 0 : -ENODATA;
}

int video_sender_new(struct video_sender **ret, const char *path)
{
    struct video_sender *s = calloc(1, sizeof(*s));
    int err;

    if (!s)
        return -ENOMEM;
    s->wanted = true;
    s->frame_us = DEFAULT_FRAME_US;
    s->next_us = NEVER_US;
    s->skipped_us = -KEY_FRAME_PAUSE_US;
    s->ts = random_u32();
    s->picture = (uint16_t)random_u32();
    err = ivf_open(&s->ivf, path);
    if (err == 0)
        err = check_file(s);
    if (err < 0) {
        video_sender_free(s);
        return err;
    }
    *ret = s;
    return 0;
}

struct video_sender *video_sender_free(struct video_sender *s)
{
    if (!s)
        return NULL;
    if (s->started)
        rtp_sender_done(&s->rtp);
    ivf_done(&s->ivf);
    free(s);
    return NULL;
}

int video_sender_start(struct video_sender *s, const struct rtp_sender_config *rtp, int64_t now_us)
{
    int err = rtp_sender_init(&s->rtp, rtp);

    if (err < 0)
        return err;
    s->started = true;
    s->next_us = now_us;
    return 0;
}

/* Go to the frame after `next`, in the file and in time. */
static void step(struct video_sender *s)
{
    uint64_t pts = s->next.pts;

    if (read_frame(s) && s->next.pts > pts && s->next.pts - pts < UINT32_MAX) {
        uint64_t us = (s->next.pts - pts) * s->ivf.scale * (uint64_t)SECOND / s->ivf.rate;

        s->frame_us = us < (uint64_t)MAX_FRAME_US ? (int64_t)us : MAX_FRAME_US;
    }
    s->next_us += s->frame_us;
    s->ts += (uint32_t)(s->frame_us * VIDEO_RATE / SECOND);
}

static void send_frame(struct video_sender *s, struct rtp_path *path, struct packet_pool *pool,
                       int64_t now_us)
{
    struct vp8_packetizer packetizer;
    bool last = s->next.len == 0; /* an empty frame stands for the one before */

    vp8_packetizer_init(&packetizer, s->next.data, s->next.len, s->picture++);
    while (!last) {
        struct rtp_outgoing out = {
            .payload = packet_new(pool), .ts = s->ts, .level = RTP_SENDER_NO_LEVEL};
        int err;

        if (!out.payload)
            return;
        out.payload->len = (uint16_t)vp8_packetizer_next(&packetizer, out.payload->data, &last);
        out.marker = last;
        err = rtp_sender_send(&s->rtp, path, &out, now_us);
        packet_unref(out.payload);
        if (err < 0)
            return;
    }
    s->frames++;
}

int64_t video_sender_advance(struct video_sender *s, struct rtp_path *path,
                             struct packet_pool *pool, int64_t now_us)
{
    if (!s->wanted)
        return NEVER_US;
    for (int i = 0; i < MAX_FRAMES_AT_ONCE && s->next_us <= now_us; i++) {
        send_frame(s, path, pool, now_us);
        step(s);
    }
    if (s->next_us <= now_us)
        s->next_us = now_us + s->frame_us;
    return s->next_us;
}

static void skip_to_key_frame(struct video_sender *s)
{
    bool wrapped = false;

    while (!vp8_is_key_frame(s->next.data, s->next.len)) {
        if (!read_frame(s)) {
            if (wrapped)
                return;
            wrapped = true;
        }
    }
}

void video_sender_skip_to_key_frame(struct video_sender *s, int64_t now_us)
{
    if (!s->started || now_us - s->skipped_us < KEY_FRAME_PAUSE_US)
        return;
    s->skipped_us = now_us;
    skip_to_key_frame(s);
}

/* Timestamps go on as time does. */
static void resume(struct video_sender *s, int64_t now_us)
{
    if (now_us > s->next_us) {
        s->ts += (uint32_t)((now_us - s->next_us) * VIDEO_RATE / SECOND);
        s->next_us = now_us;
    }
    s->skipped_us = now_us;
    skip_to_key_frame(s);
}

void video_sender_set_wanted(struct video_sender *s, bool wanted, int64_t now_us)
{
    bool resumes = wanted && !s->wanted && s->started;

    s->wanted = wanted;
    if (resumes)
        resume(s, now_us);
}

bool video_sender_wanted(const struct video_sender *s)
{
    return s->wanted;
}

struct rtp_sender *video_sender_rtp(struct video_sender *s)
{
    return s->started ? &s->rtp : NULL;
}

uint64_t video_sender_frames(const struct video_sender *s)
{
    return s->frames;
}
