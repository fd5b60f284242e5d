#include "client/incoming.h"

#include "media/base/clock.h"
#include "media/base/reader.h"
#include "media/packet.h"
#include "media/rtx.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t clock_rate_of(const struct plan_section *section)
{
    enum codec first = section->n_codecs > 0 ? section->codecs[0].codec : CODEC_OPUS;

    return codec_info(first)->clock_rate;
}

int incoming_new(struct incoming **ret, const struct plan_section *section, uint16_t channels,
                 void (*on_frame)(void *owner, const struct video_frame *frame), void *owner)
{
    struct incoming *in = calloc(1, sizeof(*in));
    int err;

    if (!in)
        return -ENOMEM;
    assert(section->use == SECTION_SLOT);
    memcpy(in->mid, section->mid, sizeof(in->mid));
    in->kind = section->kind;
    in->ssrc = section->ssrc;
    in->rtx_ssrc = section->rtx_ssrc;
    in->n_codecs = section->n_codecs;
    memcpy(in->codecs, section->codecs, sizeof(in->codecs));
    for (size_t i = 0; i < in->n_codecs; i++)
        in->codecs[i].fmtp = NULL; /* goes with the plan */
    in->extensions = section->extensions;
    stream_receiver_init(&in->stats, section->ssrc, clock_rate_of(section));
    err = in->kind == KIND_AUDIO ? audio_receiver_new(&in->audio, channels)
                                 : video_receiver_new(&in->video, on_frame, owner);
    if (err < 0) {
        incoming_free(in);
        return err;
    }
    *ret = in;
    return 0;
}

struct incoming *incoming_free(struct incoming *in)
{
    if (!in)
        return NULL;
    list_unlink(&in->link);
    in->audio = audio_receiver_free(in->audio);
    in->video = video_receiver_free(in->video);
    free(in);
    return NULL;
}

void incoming_bind(struct incoming *in, uint32_t track, uint32_t participant, int64_t now_us)
{
    in->track = track;
    in->participant = participant;
    in->bound_us = now_us;
}

static const struct plan_codec *codec_of(const struct incoming *in, uint8_t pt)
{
    for (size_t i = 0; i < in->n_codecs; i++) {
        if (in->codecs[i].pt == pt)
            return &in->codecs[i];
    }
    return NULL;
}

static const struct plan_codec *codec_of_rtx(const struct incoming *in, uint8_t rtx_pt)
{
    for (size_t i = 0; i < in->n_codecs; i++) {
        if (in->codecs[i].rtx_pt == rtx_pt)
            return &in->codecs[i];
    }
    return NULL;
}

/* The server names the participant whose media it is as the first CSRC; before it does, what is
 * bound to the slot. */
static uint32_t source_of(const struct incoming *in, const struct packet *packet)
{
    struct reader r = reader_of(packet->data, packet->rtp.header_len);

    if (packet->rtp.n_csrcs == 0)
        return in->participant;
    reader_skip(&r, RTP_HEADER_LEN);
    return reader_u32(&r);
}

static int deliver(struct incoming *in, const struct plan_codec *codec, struct packet *packet,
                   int64_t now_us)
{
    const struct rtp_header *rtp = &packet->rtp;
    struct jitter_packet sound = {
        .seq = rtp->seq,
        .ts = rtp->ts,
        .source = source_of(in, packet),
        .data = packet->data + rtp->header_len,
        .len = rtp->payload_len,
    };

    in->source = sound.source;
    in->last_packet_us = now_us;
    if (in->video && codec->codec == CODEC_VP8) {
        video_receiver_put(in->video, packet, in->source, now_us);
        return 0;
    }
    if (!in->audio || codec->codec != CODEC_OPUS)
        return -ENOTSUP;
    if (rtp->payload_len == 0)
        return 0; /* padding */
    return audio_receiver_put(in->audio, &sound, now_us);
}

static int on_rtx(struct incoming *in, struct packet *packet, int64_t now_us)
{
    const struct plan_codec *codec = codec_of_rtx(in, packet->rtp.pt);
    int err;

    if (!codec)
        return -ENOTSUP;
    err = rtx_unwrap(packet, in->ssrc, codec->pt);
    if (err < 0)
        return err == -ENODATA ? 0 : err;
    stream_receiver_on_recovered(&in->stats);
    return deliver(in, codec, packet, now_us);
}

int incoming_on_packet(struct incoming *in, struct packet *packet, int64_t now_us)
{
    const struct rtp_header *rtp = &packet->rtp;
    const struct plan_codec *codec;

    if (rtp->ssrc == in->rtx_ssrc && in->rtx_ssrc != 0)
        return on_rtx(in, packet, now_us);
    stream_receiver_on_packet(&in->stats, rtp->seq, rtp->ts, rtp->payload_len, now_us);
    in->reported = true;
    codec = codec_of(in, rtp->pt);
    if (!codec)
        return -ENOTSUP;
    return deliver(in, codec, packet, now_us);
}
