#include "media/base/text.h"
#include "signaling/json_text.h"
#include "signaling/message_media_input.h"
#include "signaling/message_output.h"

#include <inttypes.h>

static const char *word(bool value)
{
    return value ? "true" : "false";
}

static void write_view(struct text *out, const struct message_view *view)
{
    char id[MESSAGE_ID_MAX];

    if (view->track)
        text_printf(out, "\"track\":\"%s\"", track_id_text(view->track, id));
    else
        text_append(out, "\"mid\":");
    if (!view->track)
        json_append_string(out, view->mid);
    output_if_any(out, "width", view->width);
    output_if_any(out, "height", view->height);
    output_if_any(out, "fps", view->fps);
    if (view->priority != VIEW_NORMAL)
        output_string(out, "priority", view_priority_name((enum view_priority)view->priority));
    if (view->paused)
        text_append(out, ",\"paused\":true");
}

static void write_views(struct text *out, const struct message *m)
{
    if (m->n_views == 1) {
        text_append(out, ",");
        write_view(out, m->views);
        return;
    }
    text_append(out, ",\"views\":[");
    for (uint32_t i = 0; i < m->n_views; i++) {
        text_append(out, i > 0 ? ",{" : "{");
        write_view(out, &m->views[i]);
        text_append(out, "}");
    }
    text_append(out, "]");
}

static void write_track_id(struct text *out, uint32_t track)
{
    char id[MESSAGE_ID_MAX];

    text_printf(out, ",\"track\":\"%s\"", track_id_text(track, id));
}

static void write_speakers(struct text *out, const struct message *m)
{
    char id[MESSAGE_ID_MAX];

    text_append(out, ",\"speakers\":[");
    for (uint32_t i = 0; i < m->n_speakers; i++) {
        const struct message_speaker *speaker = &m->speakers[i];

        text_printf(out, "%s{\"participant\":\"%s\",\"level\":%u%s}", i > 0 ? "," : "",
                    participant_id_text(speaker->participant, id), speaker->level,
                    speaker->dominant ? ",\"dominant\":true" : "");
    }
    text_append(out, "]");
}

static void write_streams(struct text *out, const struct message *m)
{
    text_append(out, ",\"streams\":[");
    for (uint32_t i = 0; i < m->n_streams; i++) {
        const struct message_stream *stream = &m->streams[i];

        text_append(out, i > 0 ? ",{\"mid\":" : "{\"mid\":");
        json_append_string(out, stream->mid);
        write_track_id(out, stream->track);
        output_string(out, "state", stream->reason == STREAM_ACTIVE ? "active" : "paused");
        if (stream->reason != STREAM_ACTIVE)
            output_string(out, "reason", stream_reason_name((enum stream_reason)stream->reason));
        text_append(out, "}");
    }
    text_append(out, "]");
}

static void write_rid(struct text *out, uint32_t i, const char *rid)
{
    text_append(out, i > 0 ? ",{\"rid\":" : "{\"rid\":");
    if (rid[0])
        json_append_string(out, rid);
    else
        text_append(out, "null");
}

static void write_want(struct text *out, const struct message_want *want)
{
    write_track_id(out, want->track);
    text_append(out, ",\"layers\":[");
    for (uint32_t i = 0; i < want->n_layers; i++) {
        write_rid(out, i, want->layers[i].rid);
        text_printf(out, ",\"active\":%s}", word(want->layers[i].active));
    }
    text_append(out, "]");
    output_if_any(out, "max_fps", want->max_fps);
}

static void write_scores(struct text *out, const struct message_quality *q)
{
    char id[MESSAGE_ID_MAX];

    text_append(out, ",\"participants\":[");
    for (uint32_t i = 0; i < q->n_participants; i++) {
        const struct message_score *score = &q->participants[i];

        text_printf(out, "%s{\"id\":\"%s\",\"score\":%u}", i > 0 ? "," : "",
                    participant_id_text(score->participant, id), score->score);
    }
    text_append(out, "]");
}

static void write_quality_track(struct text *out, const struct quality_track *track)
{
    char id[MESSAGE_ID_MAX];

    text_printf(out, "{\"track\":\"%s\"", track_id_text(track->track, id));
    output_if_any(out, "rate_bps", track->rate_bps);
    output_if_any(out, "loss_permille", track->loss_permille);
    output_if_any(out, "jitter_ms", track->jitter_ms);
    output_if_any(out, "rtt_ms", track->rtt_ms);
    text_append(out, ",\"layers\":[");
    for (uint32_t i = 0; i < track->n_layers; i++) {
        const struct quality_layer *layer = &track->layers[i];

        write_rid(out, i, layer->rid);
        output_if_any(out, "rate_bps", layer->rate_bps);
        output_if_any(out, "width", layer->width);
        output_if_any(out, "height", layer->height);
        output_if_any(out, "fps", layer->fps);
        text_printf(out, ",\"active\":%s}", word(layer->active));
    }
    text_append(out, "]}");
}

/* MESSAGE_LAYER_NONE goes without saying. */
static void write_layer(struct text *out, const char *name, uint8_t layer)
{
    if (layer != MESSAGE_LAYER_NONE)
        text_printf(out, ",\"%s\":%u", name, layer);
}

static void write_subscription(struct text *out, const struct quality_subscription *s)
{
    text_append(out, "{\"mid\":");
    json_append_string(out, s->mid);
    write_track_id(out, s->track);
    output_if_any(out, "rate_bps", s->rate_bps);
    output_if_any(out, "loss_permille", s->loss_permille);
    write_layer(out, "layer", s->layer);
    write_layer(out, "target", s->target);
    output_if_any(out, "spatial", s->spatial);
    output_if_any(out, "temporal", s->temporal);
    output_if_any(out, "key_frames", s->key_frames);
    output_if_any(out, "freezes_avoided", s->freezes_avoided);
    text_append(out, "}");
}

void message_quality_write(struct text *out, const struct message_quality *q)
{
    text_printf(out, "\"you\":{\"score\":%u", q->score);
    output_if_any(out, "estimate_bps", q->estimate_bps);
    output_if_any(out, "rtt_ms", q->rtt_ms);
    output_if_any(out, "up_loss_permille", q->up_loss_permille);
    output_if_any(out, "down_loss_permille", q->down_loss_permille);
    text_append(out, "}");
    write_scores(out, q);
    text_append(out, ",\"tracks\":[");
    for (uint32_t i = 0; i < q->n_tracks; i++) {
        text_append(out, i > 0 ? "," : "");
        write_quality_track(out, &q->tracks[i]);
    }
    text_append(out, "],\"subscriptions\":[");
    for (uint32_t i = 0; i < q->n_subscriptions; i++) {
        text_append(out, i > 0 ? "," : "");
        write_subscription(out, &q->subscriptions[i]);
    }
    text_append(out, "]");
}

static void write_limit(struct text *out, const struct message_track *track)
{
    write_track_id(out, track->id);
    text_printf(out, ",\"max_bps\":%" PRIu32, track->max_bps); /* 0 is news, too */
}

void message_write_media(struct text *out, const struct message *m)
{
    if (m->type == MESSAGE_VIEW)
        write_views(out, m);
    else if (m->type == MESSAGE_SUBSCRIBE || m->type == MESSAGE_UNSUBSCRIBE)
        write_track_id(out, m->track.id);
    else if (m->type == MESSAGE_SPEAKERS)
        write_speakers(out, m);
    else if (m->type == MESSAGE_STREAM)
        write_streams(out, m);
    else if (m->type == MESSAGE_WANT)
        write_want(out, &m->want);
    else if (m->type == MESSAGE_LIMIT)
        write_limit(out, &m->track);
    if (m->type == MESSAGE_QUALITY) {
        text_append(out, ",");
        message_quality_write(out, m->quality);
    }
}
