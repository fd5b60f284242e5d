#include "signaling/json_text.h"
#include "signaling/message.h"
#include "signaling/message_call_input.h"
#include "signaling/message_media_input.h"
#include "signaling/message_output.h"
#include "signaling/message_session.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

static void write_participant_id(struct text *out, const char *name, uint32_t id)
{
    char text[MESSAGE_ID_MAX];

    output_string(out, name, participant_id_text(id, text));
}

static void write_track_id(struct text *out, const char *name, uint32_t id)
{
    char text[MESSAGE_ID_MAX];

    output_string(out, name, track_id_text(id, text));
}

static void write_change(struct text *out, enum message_change change)
{
    switch (change) {
    case CHANGE_JOIN:
        output_string(out, "change", "join");
        break;
    case CHANGE_UPDATE:
        output_string(out, "change", "update");
        break;
    case CHANGE_LEAVE:
        output_string(out, "change", "leave");
        break;
    }
}

static void write_reason(struct text *out, const struct message *m)
{
    output_word(out, "code", m->code);
    output_word(out, "message", m->text);
}

static void write_track_offers(struct text *out, const struct message *m)
{
    text_append(out, ",\"tracks\":[");
    for (uint32_t i = 0; i < m->n_track_offers; i++) {
        const struct message_track_offer *track = &m->track_offers[i];

        text_append(out, i > 0 ? ",{\"mid\":" : "{\"mid\":");
        json_append_string(out, track->mid);
        output_string(out, "kind", media_kind_name(track->kind));
        output_word(out, "source", track->source);
        output_bool(out, "muted", track->muted);
        text_append(out, "}");
    }
    text_append(out, "]");
}

/* Within a participant, its id need not be said again. */
static void write_track(struct text *out, const struct message_track *track, bool with_participant)
{
    char id[MESSAGE_ID_MAX];

    text_printf(out, "{\"id\":\"%s\"", track_id_text(track->id, id));
    if (with_participant && track->participant)
        write_participant_id(out, "participant", track->participant);
    output_word(out, "mid", track->mid);
    output_string(out, "kind", media_kind_name(track->kind));
    output_word(out, "source", track->source);
    output_bool(out, "muted", track->muted);
    if (track->muted_by_admin)
        output_string(out, "muted_by", "admin");
    output_if_any(out, "max_bps", track->max_bps);
    text_append(out, "}");
}

static void write_tracks(struct text *out, const struct message_track *tracks, uint32_t n)
{
    text_append(out, ",\"tracks\":[");
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0)
            text_append(out, ",");
        write_track(out, &tracks[i], false);
    }
    text_append(out, "]");
}

static void write_participant(struct text *out, const struct message_participant *participant)
{
    char id[MESSAGE_ID_MAX];

    text_printf(out, "{\"id\":\"%s\"", participant_id_text(participant->id, id));
    output_string(out, "name", participant->name);
    write_tracks(out, participant->tracks, participant->n_tracks);
    text_append(out, "}");
}

static void write_participants(struct text *out, const struct message *m)
{
    text_append(out, ",\"participants\":[");
    for (uint32_t i = 0; i < m->n_participants; i++) {
        if (i > 0)
            text_append(out, ",");
        write_participant(out, &m->participants[i]);
    }
    text_append(out, "]");
}

static void write_ice_servers(struct text *out, const struct message *m)
{
    text_append(out, ",\"ice_servers\":[");
    for (uint32_t i = 0; i < m->n_ice_servers; i++) {
        const struct message_ice_server *server = &m->ice_servers[i];

        text_append(out, i > 0 ? ",{\"urls\":[" : "{\"urls\":[");
        for (uint32_t j = 0; j < server->n_urls; j++) {
            if (j > 0)
                text_append(out, ",");
            json_append_string(out, server->urls[j]);
        }
        text_append(out, "]");
        output_word(out, "username", server->username);
        output_word(out, "credential", server->credential);
        text_append(out, "}");
    }
    text_append(out, "]");
}

static void write_limits(struct text *out, const struct message_limits *limits)
{
    text_printf(out,
                ",\"limits\":{\"audio_slots\":%" PRIu32 ",\"video_slots\":%" PRIu32
                ",\"tracks\":%" PRIu32,
                limits->audio_slots, limits->video_slots, limits->tracks);
    output_if_any(out, "audio_bps", limits->audio_bps);
    output_if_any(out, "camera_bps", limits->camera_bps);
    output_if_any(out, "screen_bps", limits->screen_bps);
    output_if_any(out, "room_bps", limits->room_bps);
    text_append(out, "}");
}

static void write_joined(struct text *out, const struct message *m)
{
    output_string(out, "room", m->room);
    write_participant_id(out, "you", m->you);
    if (m->sdp)
        output_string(out, "answer", m->sdp);
    message_write_mode(out, &m->call);
    write_tracks(out, m->tracks, m->n_tracks);
    write_participants(out, m);
    write_ice_servers(out, m);
    message_write_session(out, &m->session);
    write_limits(out, &m->limits);
}

static void write_resumed(struct text *out, const struct message *m)
{
    write_participant_id(out, "you", m->you);
    output_bool(out, "replayed", m->replayed);
    write_ice_servers(out, m);
    if (m->replayed)
        return;
    message_write_mode(out, &m->call);
    write_tracks(out, m->tracks, m->n_tracks);
    write_participants(out, m);
}

static void write_participant_change(struct text *out, const struct message *m)
{
    char id[MESSAGE_ID_MAX];

    assert(m->n_participants == 1);
    write_change(out, m->change);
    text_append(out, ",\"participant\":");
    if (m->change == CHANGE_LEAVE)
        text_printf(out, "{\"id\":\"%s\"}", participant_id_text(m->participants[0].id, id));
    else
        write_participant(out, &m->participants[0]);
    write_reason(out, m);
}

static void write_track_change(struct text *out, const struct message *m)
{
    char id[MESSAGE_ID_MAX];

    write_change(out, m->change);
    text_append(out, ",\"track\":");
    if (m->change != CHANGE_LEAVE) {
        write_track(out, &m->track, true);
        return;
    }
    text_printf(out, "{\"id\":\"%s\"", track_id_text(m->track.id, id));
    if (m->track.participant)
        write_participant_id(out, "participant", m->track.participant);
    text_append(out, "}");
}

static void write_slots(struct text *out, const struct message *m)
{
    output_number(out, "epoch", m->epoch);
    text_append(out, ",\"slots\":[");
    for (uint32_t i = 0; i < m->n_slots; i++) {
        const struct message_slot *slot = &m->slots[i];

        text_append(out, i > 0 ? ",{\"mid\":" : "{\"mid\":");
        json_append_string(out, slot->mid);
        if (slot->track) {
            write_track_id(out, "track", slot->track);
            write_participant_id(out, "participant", slot->participant);
        } else {
            text_append(out, ",\"track\":null");
        }
        text_append(out, "}");
    }
    text_append(out, "]");
}

static void write_join(struct text *out, const struct message *m)
{
    output_string(out, "room", m->room);
    output_word(out, "name", m->name);
    if (m->token)
        output_string(out, "token", m->token);
    if (m->sdp)
        output_string(out, "offer", m->sdp);
    message_write_mode(out, &m->call);
    write_track_offers(out, m);
}

static void write_token(struct text *out, const struct message *m)
{
    output_string(out, "token", m->token ? m->token : "");
    output_if_any(out, "expires_in_s", m->expires_in_s);
}

static void write_go(struct text *out, const struct message *m)
{
    output_string(out, "action", m->action);
    output_word(out, "room", m->room);
    if (m->token)
        output_string(out, "token", m->token);
    output_word(out, "url", m->url);
    output_if_any(out, "after_ms", m->retry_after_ms);
    write_reason(out, m);
}

static void write_offer(struct text *out, const struct message *m)
{
    output_number(out, "n", m->n);
    output_string(out, "sdp", m->sdp ? m->sdp : "");
    write_track_offers(out, m);
}

static void write_mute(struct text *out, const struct message *m)
{
    write_track_id(out, "track", m->track.id);
    output_bool(out, "muted", m->track.muted);
}

static void write_answer(struct text *out, const struct message *m)
{
    output_number(out, "n", m->n);
    output_string(out, "sdp", m->sdp ? m->sdp : "");
    write_tracks(out, m->tracks, m->n_tracks);
}

static void write_need(struct text *out, const struct message *m)
{
    output_number(out, "audio", m->need_audio);
    output_number(out, "video", m->need_video);
}

static void write_error(struct text *out, const struct message *m)
{
    write_reason(out, m);
    output_if_any(out, "retry_after_ms", m->retry_after_ms);
}

/* By type; those that are not there have no fields of their own. */
static void (*const writers[])(struct text *out, const struct message *m) = {
    [MESSAGE_JOIN] = write_join,
    [MESSAGE_OFFER] = write_offer,
    [MESSAGE_MUTE] = write_mute,
    [MESSAGE_RESUME] = message_write_resume,
    [MESSAGE_JOINED] = write_joined,
    [MESSAGE_RESUMED] = write_resumed,
    [MESSAGE_ANSWER] = write_answer,
    [MESSAGE_NEED] = write_need,
    [MESSAGE_PARTICIPANT] = write_participant_change,
    [MESSAGE_TRACK] = write_track_change,
    [MESSAGE_SLOTS] = write_slots,
    [MESSAGE_CALL] = message_write_call,
    [MESSAGE_RINGING] = message_write_call,
    [MESSAGE_ACCEPT] = message_write_call,
    [MESSAGE_REJECT] = message_write_call,
    [MESSAGE_CANCEL] = message_write_call,
    [MESSAGE_END] = message_write_call,
    [MESSAGE_RELAY] = message_write_call,
    [MESSAGE_ACCEPTED] = message_write_call,
    [MESSAGE_ENDED] = message_write_call,
    [MESSAGE_ROOM] = message_write_call,
    [MESSAGE_OK] = message_write_call,
    [MESSAGE_VIEW] = message_write_media,
    [MESSAGE_SUBSCRIBE] = message_write_media,
    [MESSAGE_UNSUBSCRIBE] = message_write_media,
    [MESSAGE_SPEAKERS] = message_write_media,
    [MESSAGE_STREAM] = message_write_media,
    [MESSAGE_WANT] = message_write_media,
    [MESSAGE_LIMIT] = message_write_media,
    [MESSAGE_QUALITY] = message_write_media,
    [MESSAGE_TOKEN] = write_token,
    [MESSAGE_GO] = write_go,
    [MESSAGE_ERROR] = write_error,
};

static bool is_request(enum message_type type)
{
    return type >= MESSAGE_JOIN && type <= MESSAGE_RELAY;
}

int message_write(struct text *out, const struct message *m)
{
    assert(m->type != MESSAGE_UNKNOWN);
    text_append(out, "{\"t\":");
    json_append_string(out, message_type_name(m->type));
    if (m->id)
        output_number(out, is_request(m->type) ? "id" : "re", m->id);
    if (m->seq)
        output_number(out, "seq", m->seq);
    if (m->type < ARRAY_LEN(writers) && writers[m->type])
        writers[m->type](out, m);
    text_append(out, "}");
    return text_ok(out) ? 0 : -EMSGSIZE;
}
