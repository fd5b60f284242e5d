#include "sfu/session_whep.h"

#include "sfu/refuse.h"
#include "sfu/session_internal.h"
#include "sfu/session_view.h"
#include "signaling/json_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { USUAL_TEMPORAL = 3 }; /* layers of what browsers send unasked */

bool session_whep_is_active(const struct session *s)
{
    const struct directory_member *m = NULL;

    while ((m = directory_next_member(s->member.room, m))) {
        if (m != &s->member && m->n_tracks > 0)
            return true;
    }
    return false;
}

/* @return the number of the m-line with this mid, as it stands in the SDP; -1: none */
static int section_of(const struct session *s, const char *mid)
{
    const struct media_plan *plan = session_media_plan(&s->media);

    for (uint32_t i = 0; i < plan->n_sections; i++) {
        if (plan->sections[i].use == SECTION_SLOT && strcmp(plan->sections[i].mid, mid) == 0)
            return (int)i;
    }
    return -1;
}

/* @return what its publisher's worker says of a track; NULL: nothing yet, or it has ended */
static const struct quality_track *find_track(const struct session *s, uint32_t track)
{
    struct directory_member *m = NULL;

    while ((m = directory_next_member(s->member.room, m))) {
        const struct message_quality *q = session_quality(session_of(m));

        for (uint32_t i = 0; q && i < q->n_tracks; i++) {
            if (q->tracks[i].track == track)
                return &q->tracks[i];
        }
    }
    return NULL;
}

static void write_layer(struct text *out, const struct quality_layer *layer, bool rates)
{
    text_append(out, "{");
    if (layer->rid[0]) {
        text_append(out, "\"rid\":");
        json_append_string(out, layer->rid);
    } else {
        text_append(out, "\"spatialLayerId\":0");
    }
    if (layer->width)
        text_printf(out, ",\"width\":%u,\"height\":%u", layer->width, layer->height);
    if (!rates)
        text_printf(out, ",\"active\":%d", layer->active);
    else if (layer->active)
        text_printf(out, ",\"bitrate\":%" PRIu32, layer->rate_bps);
    text_append(out, "}");
}

/* The largest comes first. */
static void write_layers(struct text *out, const struct quality_track *track, bool rates)
{
    text_append(out, "[");
    for (uint32_t i = track->n_layers; i > 0; i--) {
        write_layer(out, &track->layers[i - 1], rates);
        if (i > 1)
            text_append(out, ",");
    }
    text_append(out, "]");
}

void session_whep_write_layers(const struct session *s, bool rates, struct text *out)
{
    const struct message_quality *q = session_quality(s);
    const char *separator = "";

    text_append(out, "{");
    for (uint32_t i = 0; q && i < q->n_subscriptions; i++) {
        int section = section_of(s, q->subscriptions[i].mid);
        const struct quality_track *track = find_track(s, q->subscriptions[i].track);

        if (section < 0 || !track || track->n_layers == 0)
            continue;
        if (session_media_plan(&s->media)->sections[section].kind != KIND_VIDEO)
            continue;
        text_printf(out, "%s\"%d\":", separator, section);
        write_layers(out, track, rates);
        separator = ",";
    }
    text_append(out, "}");
}

static bool is_muted(const struct session *s, uint32_t track)
{
    const struct directory_member *m = NULL;

    while ((m = directory_next_member(s->member.room, m))) {
        for (uint32_t i = 0; i < m->n_tracks; i++) {
            if (m->tracks[i].id == track)
                return m->tracks[i].muted;
        }
    }
    return false;
}

void session_whep_write_muted(const struct session *s, struct text *out)
{
    const struct message_quality *q = session_quality(s);
    const char *separator = "";

    text_append(out, "{");
    for (uint32_t i = 0; q && i < q->n_subscriptions; i++) {
        int section = section_of(s, q->subscriptions[i].mid);

        if (section < 0)
            continue;
        text_printf(out, "%s\"%d\":%s", separator, section,
                    is_muted(s, q->subscriptions[i].track) ? "true" : "false");
        separator = ",";
    }
    text_append(out, "}");
}

/* @return the m-line of video that is meant; NULL: there is none */
static const struct plan_section *find_section(const struct session *s, uint32_t wanted)
{
    const struct media_plan *plan = session_media_plan(&s->media);

    for (uint32_t i = 0; i < plan->n_sections; i++) {
        const struct plan_section *section = &plan->sections[i];

        if (section->use == SECTION_SLOT && section->kind == KIND_VIDEO &&
            (wanted == WHEP_ANY || wanted == i))
            return section;
    }
    return NULL;
}

/* @return the encoding of what the m-line carries; NULL: it carries none of that name */
static const struct quality_layer *find_layer(const struct session *s, const char *mid,
                                              const char *rid)
{
    const struct message_quality *q = session_quality(s);

    for (uint32_t i = 0; q && i < q->n_subscriptions; i++) {
        const struct quality_track *track = strcmp(q->subscriptions[i].mid, mid) == 0
                                                ? find_track(s, q->subscriptions[i].track)
                                                : NULL;

        for (uint32_t j = 0; track && j < track->n_layers; j++) {
            if (strcmp(track->layers[j].rid, rid) == 0)
                return &track->layers[j];
        }
    }
    return NULL;
}

/* Each temporal layer doubles the frames of those below. */
static uint16_t frames_of(uint32_t temporal)
{
    enum { USUAL_FPS = 30 };

    return temporal >= USUAL_TEMPORAL - 1
               ? 0
               : (uint16_t)(USUAL_FPS >> (USUAL_TEMPORAL - 1 - temporal));
}

int session_whep_choose(struct session *s, const struct whep_layer *want, struct message *error)
{
    const struct plan_section *section = find_section(s, want->section);
    const struct quality_layer *layer;
    struct message_view view = {.width = (uint16_t)want->width,
                                .height = (uint16_t)want->height,
                                .fps = frames_of(want->temporal)};
    struct message m = {.type = MESSAGE_VIEW, .n_views = 1, .views = &view};

    if (!section)
        return refuse(error, "unknown_slot", "no m-line of video that is played has that number");
    if (want->rid[0]) {
        layer = find_layer(s, section->mid, want->rid);
        if (!layer || !layer->width)
            return refuse(error, "unknown_layer", "nothing with the rid \"%s\" is known there now",
                          want->rid);
        view.width = layer->width;
        view.height = layer->height;
    } else if (!view.width != !view.height) { /* one side is enough: 16:9 */
        view.width = view.width ? view.width : (uint16_t)(view.height * 16 / 9);
        view.height = view.height ? view.height : (uint16_t)(view.width * 9 / 16);
    }
    (void)snprintf(view.mid, sizeof(view.mid), "%s", section->mid);
    return session_view(s, &m, error);
}
