#include "signaling/message_media_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/** A list that is read into memory of its own. */
struct list_of {
    const char *name;
    size_t max, size; /* entries, and bytes of one */
    int (*read)(const struct input *in, void *out);
};

/* @param ret  owns the list from here on, also when an entry is bad. @return 0, and *n; -EBADMSG */
static int read_list(const struct input *in, const struct list_of *list, void **ret, uint32_t *n)
{
    int len = input_list_len(in, list->name, list->max, "bad_field");

    if (len <= 0)
        return len;
    *ret = calloc((size_t)len, list->size);
    if (!*ret)
        return input_bad_field(in, list->name, "do not fit into memory");
    *n = (uint32_t)len;
    return input_list(in, list->name, list->read, *ret, list->size);
}

static int read_u16(const struct input *in, const char *name, uint32_t max, uint16_t *ret)
{
    uint32_t value = *ret;
    int err = input_u32(in, name, max, &value);

    *ret = (uint16_t)value;
    return err;
}

static int read_u8(const struct input *in, const char *name, uint32_t max, uint8_t *ret)
{
    uint32_t value = *ret;
    int err = input_u32(in, name, max, &value);

    *ret = (uint8_t)value;
    return err;
}

/* Several whole numbers, each of which may be missing. */
struct number {
    const char *name;
    uint32_t *value;
};

static int read_numbers(const struct input *in, const struct number *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int err = input_u32(in, numbers[i].name, UINT32_MAX, numbers[i].value);

        if (err < 0)
            return err;
    }
    return 0;
}

/* view */

static int read_priority(const struct input *in, uint8_t *ret)
{
    const char *word = NULL;
    int err = input_string(in, "priority", &word);

    if (err < 0 || !word)
        return err;
    for (int i = VIEW_NORMAL; i <= VIEW_PINNED; i++) {
        if (strcmp(word, view_priority_name((enum view_priority)i)) == 0) {
            *ret = (uint8_t)i;
            return 0;
        }
    }
    return input_bad_field(in, "priority", "is none of normal, speaker, screen, pinned");
}

/* A stream is named by the slot it comes in, or by its track. */
static int read_which(const struct input *in, struct message_view *view)
{
    bool by_track = input_find(in, "track") != NULL;

    if (by_track && input_find(in, "mid"))
        return input_bad_field(in, "mid", "must not be there beside track");
    if (by_track)
        return input_id(in, "track", track_id_parse, &view->track);
    return input_word(in, "mid", mid_chars, view->mid, MESSAGE_MID_MAX);
}

static int read_one_view(const struct input *in, void *out)
{
    struct message_view *view = out;
    int err = read_which(in, view);

    if (err < 0)
        return err;
    err = read_u16(in, "width", MESSAGE_VIEW_SIDE_MAX, &view->width);
    if (err < 0)
        return err;
    err = read_u16(in, "height", MESSAGE_VIEW_SIDE_MAX, &view->height);
    if (err < 0)
        return err;
    err = read_u16(in, "fps", MESSAGE_VIEW_FPS_MAX, &view->fps);
    if (err < 0)
        return err;
    err = read_priority(in, &view->priority);
    if (err < 0)
        return err;
    return input_bool(in, "paused", &view->paused);
}

static const struct list_of list_of_views = {"views", MESSAGE_MAX_VIEWS,
                                             sizeof(struct message_view), read_one_view};

int message_read_view(const struct input *in, struct message *m)
{
    if (input_find(in, "views"))
        return read_list(in, &list_of_views, (void **)&m->views, &m->n_views);
    m->views = calloc(1, sizeof(m->views[0]));
    if (!m->views)
        return input_bad_field(in, "mid", "does not fit into memory");
    m->n_views = 1;
    return read_one_view(in, m->views);
}

int message_read_subscribe(const struct input *in, struct message *m)
{
    return input_id(in, "track", track_id_parse, &m->track.id);
}

/* speakers */

static int read_speaker(const struct input *in, void *out)
{
    struct message_speaker *speaker = out;
    int err = input_id(in, "participant", participant_id_parse, &speaker->participant);

    if (err < 0)
        return err;
    err = read_u8(in, "level", MESSAGE_LEVEL_SILENCE, &speaker->level);
    if (err < 0)
        return err;
    return input_bool(in, "dominant", &speaker->dominant);
}

static const struct list_of list_of_speakers = {"speakers", MESSAGE_MAX_SPEAKERS,
                                                sizeof(struct message_speaker), read_speaker};

int message_read_speakers(const struct input *in, struct message *m)
{
    return read_list(in, &list_of_speakers, (void **)&m->speakers, &m->n_speakers);
}

/* stream */

static int read_reason(const struct input *in, uint8_t *ret)
{
    const char *state = NULL;
    const char *reason = NULL;
    int err = input_string(in, "state", &state);

    if (err < 0)
        return err;
    err = input_string(in, "reason", &reason);
    if (err < 0)
        return err;
    *ret = STREAM_ACTIVE;
    if (state && strcmp(state, "active") == 0)
        return 0;
    for (int i = STREAM_BANDWIDTH; reason && i <= STREAM_NOT_SENT; i++) {
        if (strcmp(reason, stream_reason_name((enum stream_reason)i)) == 0)
            *ret = (uint8_t)i;
    }
    if (!state || strcmp(state, "paused") != 0)
        return input_bad_field(in, "state", "is neither active nor paused");
    return *ret != STREAM_ACTIVE ? 0 : input_bad_field(in, "reason", "is not known");
}

static int read_one_stream(const struct input *in, void *out)
{
    struct message_stream *stream = out;
    int err = input_word(in, "mid", mid_chars, stream->mid, MESSAGE_MID_MAX);

    if (err < 0)
        return err;
    err = input_id(in, "track", track_id_parse, &stream->track);
    if (err < 0)
        return err;
    return read_reason(in, &stream->reason);
}

static const struct list_of list_of_streams = {"streams", MESSAGE_MAX_STREAMS,
                                               sizeof(struct message_stream), read_one_stream};

int message_read_stream(const struct input *in, struct message *m)
{
    return read_list(in, &list_of_streams, (void **)&m->streams, &m->n_streams);
}

/* want */

static int read_want_layer(const struct input *in, void *out)
{
    struct message_want_layer *layer = out;
    int err = input_optional_word(in, "rid", layer->rid, MESSAGE_RID_MAX);

    if (err < 0)
        return err;
    return input_bool(in, "active", &layer->active);
}

int message_read_want(const struct input *in, struct message *m)
{
    struct message_want *want = &m->want;
    int n = input_id(in, "track", track_id_parse, &want->track);

    if (n < 0)
        return n;
    n = input_bounded_list(in, "layers", read_want_layer, want->layers, sizeof(want->layers[0]),
                           MESSAGE_MAX_LAYERS);
    if (n < 0)
        return n;
    want->n_layers = (uint32_t)n;
    return input_u32(in, "max_fps", MESSAGE_VIEW_FPS_MAX, &want->max_fps);
}

/* limit */

int message_read_limit(const struct input *in, struct message *m)
{
    int err = input_id(in, "track", track_id_parse, &m->track.id);

    return err < 0 ? err : input_u32(in, "max_bps", UINT32_MAX, &m->track.max_bps);
}

/* quality */

static int read_score(const struct input *in, void *out)
{
    struct message_score *score = out;
    int err = input_id(in, "id", participant_id_parse, &score->participant);

    if (err < 0)
        return err;
    return read_u8(in, "score", MESSAGE_SCORE_MAX, &score->score);
}

static int read_quality_layer(const struct input *in, void *out)
{
    struct quality_layer *layer = out;
    int err = input_optional_word(in, "rid", layer->rid, MESSAGE_RID_MAX);

    if (err < 0)
        return err;
    err = input_u32(in, "rate_bps", UINT32_MAX, &layer->rate_bps);
    if (err < 0)
        return err;
    err = read_u16(in, "width", UINT16_MAX, &layer->width);
    if (err < 0)
        return err;
    err = read_u16(in, "height", UINT16_MAX, &layer->height);
    if (err < 0)
        return err;
    err = read_u16(in, "fps", UINT16_MAX, &layer->fps);
    if (err < 0)
        return err;
    return input_bool(in, "active", &layer->active);
}

static int read_quality_track(const struct input *in, void *out)
{
    struct quality_track *track = out;
    const struct number numbers[] = {{"rate_bps", &track->rate_bps},
                                     {"loss_permille", &track->loss_permille},
                                     {"jitter_ms", &track->jitter_ms},
                                     {"rtt_ms", &track->rtt_ms}};
    int n = input_id(in, "track", track_id_parse, &track->track);

    if (n < 0)
        return n;
    n = read_numbers(in, numbers, ARRAY_LEN(numbers));
    if (n < 0)
        return n;
    n = input_bounded_list(in, "layers", read_quality_layer, track->layers,
                           sizeof(track->layers[0]), MESSAGE_MAX_LAYERS);
    if (n < 0)
        return n;
    track->n_layers = (uint32_t)n;
    return 0;
}

static int read_quality_subscription(const struct input *in, void *out)
{
    struct quality_subscription *s = out;
    const struct number numbers[] = {{"rate_bps", &s->rate_bps},
                                     {"loss_permille", &s->loss_permille},
                                     {"key_frames", &s->key_frames},
                                     {"freezes_avoided", &s->freezes_avoided}};
    int err = input_word(in, "mid", mid_chars, s->mid, MESSAGE_MID_MAX);

    if (err < 0)
        return err;
    err = input_id(in, "track", track_id_parse, &s->track);
    if (err < 0)
        return err;
    err = read_numbers(in, numbers, ARRAY_LEN(numbers));
    if (err < 0)
        return err;
    s->layer = s->target = MESSAGE_LAYER_NONE;
    err = read_u8(in, "layer", MESSAGE_LAYER_NONE, &s->layer);
    if (err < 0)
        return err;
    err = read_u8(in, "target", MESSAGE_LAYER_NONE, &s->target);
    if (err < 0)
        return err;
    err = read_u8(in, "spatial", UINT8_MAX, &s->spatial);
    if (err < 0)
        return err;
    return read_u8(in, "temporal", UINT8_MAX, &s->temporal);
}

static int read_you(const struct input *in, struct message_quality *q)
{
    const struct number numbers[] = {{"estimate_bps", &q->estimate_bps},
                                     {"rtt_ms", &q->rtt_ms},
                                     {"up_loss_permille", &q->up_loss_permille},
                                     {"down_loss_permille", &q->down_loss_permille}};
    struct input you;
    int err = input_enter(in, &you, input_find(in, "you"), "you", INPUT_NO_INDEX);

    if (err < 0)
        return err;
    err = read_u8(&you, "score", MESSAGE_SCORE_MAX, &q->score);
    if (err < 0)
        return err;
    return read_numbers(&you, numbers, ARRAY_LEN(numbers));
}

static const struct list_of list_of_scores = {"participants", MESSAGE_MAX_SCORES,
                                              sizeof(struct message_score), read_score};
static const struct list_of list_of_tracks = {"tracks", MESSAGE_MAX_QUALITY_TRACKS,
                                              sizeof(struct quality_track), read_quality_track};
static const struct list_of list_of_subscriptions = {"subscriptions", MESSAGE_MAX_SUBSCRIPTIONS,
                                                     sizeof(struct quality_subscription),
                                                     read_quality_subscription};

int message_read_quality(const struct input *in, struct message *m)
{
    struct message_quality *q = m->quality = calloc(1, sizeof(*q));
    int err;

    if (!q)
        return input_bad_field(in, "you", "does not fit into memory");
    err = read_you(in, q);
    if (err < 0)
        return err;
    err = read_list(in, &list_of_scores, (void **)&q->participants, &q->n_participants);
    if (err < 0)
        return err;
    err = read_list(in, &list_of_tracks, (void **)&q->tracks, &q->n_tracks);
    if (err < 0)
        return err;
    return read_list(in, &list_of_subscriptions, (void **)&q->subscriptions, &q->n_subscriptions);
}
