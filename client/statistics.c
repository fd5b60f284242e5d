#include "client/statistics.h"

#include "client/bulletin.h"
#include "client/incoming.h"
#include "client/media_link.h"
#include "client/roster.h"
#include "client/streams.h"
#include "media/base/clock.h"
#include "signaling/json_text.h"

#include <inttypes.h>
#include <stddef.h>

/* What we send, added up. */
struct sent {
    uint64_t packets, bytes;
    int64_t lost;
    int64_t rtt_us; /* -1: not known */
    uint64_t bps;
};

static void add_sender(struct sent *sent, const struct rtp_sender *sender)
{
    if (!sender)
        return;
    sent->packets += sender->stats.packets;
    sent->bytes += sender->stats.bytes;
    sent->lost += sender->stats.total_lost;
    if (sender->stats.rtt_us >= 0)
        sent->rtt_us = sender->stats.rtt_us;
}

static struct sent sum_up(const struct statistics *s)
{
    struct sent sent = {.rtt_us = -1};

    if (s->streams) {
        add_sender(&sent, streams_video_sender(s->streams));
        add_sender(&sent, streams_audio_sender(s->streams));
        sent.bps = streams_sent_bps(s->streams);
    }
    return sent;
}

static double ms_of(int64_t us)
{
    return (double)us / (double)MS;
}

static int64_t lost_of(const struct incoming *in)
{
    int64_t expected = in->stats.highest - in->stats.base + 1;

    return in->stats.started && expected > (int64_t)in->stats.received
               ? expected - (int64_t)in->stats.received
               : 0;
}

static double jitter_ms(const struct incoming *in)
{
    return in->stats.jitter * 1000 / in->stats.clock_rate;
}

static uint32_t participant_of(const struct incoming *in)
{
    return in->source ? in->source : in->participant;
}

static const char *transport_of(const struct ice_path *path)
{
    if (path->relay_tls)
        return "tls";
    return path->relay_tcp || path->local.transport != ICE_UDP ? "tcp" : "udp";
}

/* "host", "relay/tcp": how we reach the peer */
static void append_path(struct text *out, const struct ice_path *path)
{
    const char *transport = transport_of(path);

    text_printf(out, "%s%s%s-%s", ice_candidate_type_name(path->local.type),
                strcmp(transport, "udp") == 0 ? "" : "/",
                strcmp(transport, "udp") == 0 ? "" : transport,
                ice_candidate_type_name(path->remote.type));
}

static void append_audio(struct text *out, const struct statistics *s, const struct incoming *in)
{
    const struct jitter_buffer *buffer = audio_receiver_buffer(in->audio);
    const struct jitter_stats *stats = jitter_buffer_stats(buffer);

    text_printf(out, " concealed=%" PRIu64 " fec=%" PRIu64 " jitter=%.1fms buffer=%.0fms",
                stats->concealed, stats->fec, jitter_ms(in),
                ms_of(jitter_buffer_delay_us(buffer, s->now_us)));
}

static void append_video(struct text *out, const struct incoming *in)
{
    const struct video_receiver_stats *stats = video_receiver_stats(in->video);

    text_printf(out, " frames=%" PRIu64 " key_frames=%" PRIu64 " jitter=%.1fms", stats->frames,
                stats->key_frames, jitter_ms(in));
}

/* "layer=1/2": the first of those, and the second is meant to be */
static void append_told(struct text *out, const struct statistics *s, const struct incoming *in)
{
    const struct quality_subscription *told = bulletin_subscription(s->bulletin, in->mid);
    enum stream_reason paused = bulletin_paused(s->bulletin, in->mid);

    if (in->video && told && told->layer != MESSAGE_LAYER_NONE)
        text_printf(out, " layer=%u/%u", told->layer, told->target);
    if (paused != STREAM_ACTIVE)
        text_printf(out, " paused=%s", stream_reason_name(paused));
}

static void append_quality(struct text *out, const struct statistics *s)
{
    const struct message_quality *q = s->bulletin->quality;

    if (!q)
        return;
    text_printf(out, " score=%u", q->score);
    if (q->estimate_bps > 0)
        text_printf(out, " estimate=%" PRIu32 "kbit/s", q->estimate_bps / 1000);
}

static void append_incoming(struct text *out, const struct statistics *s, const struct incoming *in)
{
    char id[MESSAGE_ID_MAX];
    const char *name = roster_name(s->roster, participant_of(in));

    if (!in->stats.started)
        return;
    text_printf(
        out,
        " | %s %s: packets=%" PRIu64 " bytes=%" PRIu64 " lost=%" PRId64 " rate=%" PRIu64 "kbit/s",
        media_kind_name(in->kind), name[0] ? name : participant_id_text(participant_of(in), id),
        in->stats.received, in->stats.bytes, lost_of(in), in->rate.bps / 1000);
    if (in->audio)
        append_audio(out, s, in);
    else
        append_video(out, in);
    append_told(out, s, in);
}

void statistics_text(struct text *out, const struct statistics *s)
{
    struct sent sent = sum_up(s);
    struct ice_path path;

    text_printf(out, "%.0fs %s", (double)(s->now_us - s->since_us) / (double)SECOND,
                media_link_state_name(media_link_state(s->link)));
    if (media_link_ice_path(s->link, &path) == 0) {
        text_append(out, " ");
        append_path(out, &path);
    }
    if (sent.rtt_us >= 0)
        text_printf(out, " rtt=%.1fms", ms_of(sent.rtt_us));
    text_printf(
        out, " sent: packets=%" PRIu64 " bytes=%" PRIu64 " lost=%" PRId64 " rate=%" PRIu64 "kbit/s",
        sent.packets, sent.bytes, sent.lost, sent.bps / 1000);
    append_quality(out, s);
    if (s->streams) {
        LIST_FOREACH(it, streams_incoming(s->streams))
            append_incoming(out, s, CONTAINER_OF(it, struct incoming, link));
    }
    text_append(out, "\n");
}

static void json_path(struct text *out, const struct statistics *s)
{
    struct ice_path path;

    if (media_link_ice_path(s->link, &path) < 0)
        return;
    text_printf(out, ",\"local\":\"%s\",\"remote\":\"%s\",\"transport\":\"%s\"",
                ice_candidate_type_name(path.local.type), ice_candidate_type_name(path.remote.type),
                transport_of(&path));
}

static void json_audio(struct text *out, const struct statistics *s, const struct incoming *in)
{
    const struct jitter_buffer *buffer = audio_receiver_buffer(in->audio);
    const struct jitter_stats *stats = jitter_buffer_stats(buffer);

    text_printf(out,
                ",\"late\":%" PRIu64 ",\"concealed\":%" PRIu64 ",\"fec\":%" PRIu64
                ",\"discarded\":%" PRIu64 ",\"inserted\":%" PRIu64 ",\"buffer_ms\":%.1f"
                ",\"target_ms\":%.1f",
                stats->late, stats->concealed, stats->fec, stats->discarded, stats->inserted,
                ms_of(jitter_buffer_delay_us(buffer, s->now_us)),
                ms_of(jitter_buffer_target_us(buffer)));
}

static void json_video(struct text *out, const struct incoming *in)
{
    const struct video_receiver_stats *stats = video_receiver_stats(in->video);

    text_printf(out,
                ",\"frames\":%" PRIu64 ",\"key_frames\":%" PRIu64 ",\"recovered\":%" PRIu64
                ",\"dropped\":%" PRIu64,
                stats->frames, stats->key_frames, stats->recovered, stats->dropped);
    if (stats->width > 0)
        text_printf(out, ",\"width\":%u,\"height\":%u", stats->width, stats->height);
}

static void json_told(struct text *out, const struct statistics *s, const struct incoming *in)
{
    const struct quality_subscription *told = bulletin_subscription(s->bulletin, in->mid);
    enum stream_reason paused = bulletin_paused(s->bulletin, in->mid);

    if (in->video && told && told->layer != MESSAGE_LAYER_NONE)
        text_printf(out, ",\"layer\":%u", told->layer);
    if (in->video && told && told->target != MESSAGE_LAYER_NONE)
        text_printf(out, ",\"target\":%u", told->target);
    if (paused != STREAM_ACTIVE)
        text_printf(out, ",\"paused\":\"%s\"", stream_reason_name(paused));
}

static void json_speakers(struct text *out, const struct bulletin *b)
{
    char id[MESSAGE_ID_MAX];

    text_append(out, ",\"speakers\":[");
    for (uint32_t i = 0; i < b->n_speakers; i++) {
        const struct message_speaker *speaker = &b->speakers[i];

        text_printf(out, "%s{\"participant\":\"%s\",\"level\":%u,\"dominant\":%s}",
                    i > 0 ? "," : "", participant_id_text(speaker->participant, id), speaker->level,
                    speaker->dominant ? "true" : "false");
    }
    text_append(out, "]");
}

static void json_incoming(struct text *out, const struct statistics *s, const struct incoming *in)
{
    char id[MESSAGE_ID_MAX];

    text_printf(out,
                "{\"participant\":\"%s\",\"name\":", participant_id_text(participant_of(in), id));
    json_append_string(out, roster_name(s->roster, participant_of(in)));
    text_printf(out,
                ",\"kind\":\"%s\",\"mid\":\"%s\",\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64
                ",\"lost\":%" PRId64 ",\"rate_bps\":%" PRIu64 ",\"jitter_ms\":%.2f",
                media_kind_name(in->kind), in->mid, in->stats.received, in->stats.bytes,
                lost_of(in), in->rate.bps, jitter_ms(in));
    if (in->audio)
        json_audio(out, s, in);
    else
        json_video(out, in);
    json_told(out, s, in);
    text_append(out, "}");
}

static void json_streams(struct text *out, const struct statistics *s)
{
    const char *comma = "";

    text_append(out, ",\"streams\":[");
    if (s->streams) {
        LIST_FOREACH(it, streams_incoming(s->streams)) {
            const struct incoming *in = CONTAINER_OF(it, struct incoming, link);

            if (!in->stats.started)
                continue;
            text_append(out, comma);
            json_incoming(out, s, in);
            comma = ",";
        }
    }
    text_append(out, "]");
}

void statistics_json(struct text *out, const struct statistics *s)
{
    struct sent sent = sum_up(s);
    struct media_link_stats link = media_link_stats(s->link);

    text_printf(out, "{\"t\":%.3f,\"state\":\"%s\"",
                (double)(s->now_us - s->since_us) / (double)SECOND,
                media_link_state_name(media_link_state(s->link)));
    json_path(out, s);
    text_printf(out, ",\"cipher\":\"%s\"", media_link_cipher(s->link));
    if (sent.rtt_us >= 0)
        text_printf(out, ",\"rtt_ms\":%.2f", ms_of(sent.rtt_us));
    text_printf(out,
                ",\"sent\":{\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"lost\":%" PRId64
                ",\"rate_bps\":%" PRIu64 ",\"paused\":%s},\"wire\":{\"sent_packets\":%" PRIu64
                ",\"sent_bytes\":%" PRIu64 ",\"received_packets\":%" PRIu64
                ",\"received_bytes\":%" PRIu64 ",\"send_errors\":%" PRIu64
                ",\"bad_packets\":%" PRIu64 "}",
                sent.packets, sent.bytes, sent.lost, sent.bps,
                s->streams && streams_video_paused(s->streams) ? "true" : "false",
                link.sent_packets, link.sent_bytes, link.received_packets, link.received_bytes,
                link.send_errors, link.bad_packets);
    json_streams(out, s);
    json_speakers(out, s->bulletin);
    if (s->bulletin->quality) {
        text_append(out, ",\"quality\":{");
        message_quality_write(out, s->bulletin->quality);
        text_append(out, "}");
    }
    text_append(out, "}\n");
}
