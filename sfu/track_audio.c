#include "sfu/track_audio.h"

#include "media/packet.h"
#include "media/payload.h"
#include "media/silence_gate.h"
#include "sfu/core.h"
#include "sfu/room_speakers.h"
#include "sfu/subscription.h"
#include "sfu/track.h"

enum {
    LEVEL_UNKNOWN = -1,
    PRE_ROLL_PACKETS = 16,
    VOICE_BIT = 0x80, /* RFC 6464 */
};

/* @return the octet of RFC 6464, or LEVEL_UNKNOWN */
static int level_octet(const struct track *t, const struct packet *packet)
{
    const struct rtp_extension *e;

    e = rtp_find_extension(&packet->rtp, t->extensions.id[EXTENSION_AUDIO_LEVEL]);
    return e && e->len > 0 ? packet->data[e->offset] : LEVEL_UNKNOWN;
}

/* @return bytes that Opus made of this packet's time; UINT32_MAX: of another codec, or malformed */
static unsigned opus_len(enum codec codec, const struct packet *packet)
{
    const uint8_t *payload = packet->data + packet->rtp.header_len;
    int skip = 0;

    if (codec == CODEC_RED)
        skip = payload_red_primary(payload, packet->rtp.payload_len);
    else if (codec != CODEC_OPUS)
        return UINT32_MAX;
    return skip < 0 ? UINT32_MAX : (unsigned)(packet->rtp.payload_len - skip);
}

bool track_audio_take(struct track *t, const struct packet *packet, uint8_t format, int64_t now_us)
{
    int octet = level_octet(t, packet);
    int level = octet < 0 ? LEVEL_UNKNOWN : octet & ~VOICE_BIT;
    unsigned len = opus_len(t->section->codecs[format].codec, packet);
    enum silence silence = silence_of(len, level);
    bool passes;

    if (packet->rtp.payload_len == 0)
        return true; /* padding */
    passes = silence_gate_pass(&t->silence, silence, packet->arrival_us);
    if (!passes)
        t->core->stats.silence_left_out++;
    if (t->publisher->kind != ACTOR_PARTICIPANT)
        return passes; /* of replicas we are told */
    if (level != LEVEL_UNKNOWN)
        room_speakers_hear(t, (uint8_t)level, octet & VOICE_BIT, now_us);
    else if (silence == SILENCE_NONE)
        room_speakers_hear_sound(t, now_us);
    return passes;
}

uint16_t track_audio_since(const struct track *t, int64_t age_us)
{
    const struct track_layer *layer = t->layers[0];
    const struct packet *newest;
    uint16_t seq;

    if (!layer)
        return 0;
    seq = (uint16_t)layer->receiver.highest;
    newest = packet_store_get(&layer->store, seq);
    for (int i = 0; i < PRE_ROLL_PACKETS && newest; i++) {
        const struct packet *before = packet_store_get(&layer->store, (uint16_t)(seq - 1));

        if (!before || before->rtp.ssrc != newest->rtp.ssrc ||
            newest->arrival_us - before->arrival_us > age_us)
            break;
        seq--;
    }
    return seq;
}

void track_audio_pre_roll(struct track *t, struct subscription *s, int64_t now_us)
{
    struct track_layer *layer = t->layers[0];
    uint16_t seq = track_audio_since(t, TRACK_PRE_ROLL_US);

    if (!layer || !s->subscriber->connected)
        return;
    for (; seq != (uint16_t)layer->receiver.highest; seq++) {
        struct forward f;

        if (track_find_packet(t, layer, seq, now_us, &f) == 0)
            (void)subscription_forward(s, &f);
    }
}
