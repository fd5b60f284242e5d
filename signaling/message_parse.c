#include "signaling/json_text.h"
#include "signaling/message.h"
#include "signaling/message_call_input.h"
#include "signaling/message_input.h"
#include "signaling/message_media_input.h"
#include "signaling/message_session.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* What Number.MAX_SAFE_INTEGER is: beyond, a browser would send another number back. */
static const uint64_t max_number = (UINT64_C(1) << 53) - 1;

/* Parts of messages */

static int read_kind(const struct input *in, enum media_kind *ret)
{
    const char *kind = NULL;
    int err = input_string(in, "kind", &kind);

    if (err < 0)
        return err;
    if (kind && strcmp(kind, "audio") == 0)
        *ret = KIND_AUDIO;
    else if (kind && strcmp(kind, "video") == 0)
        *ret = KIND_VIDEO;
    else
        return input_bad_field(in, "kind", "is neither audio nor video");
    return 0;
}

static int read_sdp(const struct input *in, const char *name, struct message *m)
{
    const char *sdp = NULL;
    int err = input_string(in, name, &sdp);

    if (err < 0)
        return err;
    if (!sdp || !*sdp)
        return input_bad_field(in, name, "is missing");
    m->sdp = strdup(sdp);
    return m->sdp ? 0 : input_bad_field(in, name, "does not fit into memory");
}

static int read_token(const struct input *in, struct message *m)
{
    const char *token = NULL;
    int err = input_string(in, "token", &token);

    if (err < 0 || !token)
        return err;
    if (strlen(token) > MESSAGE_TOKEN_MAX)
        return input_bad_field(in, "token", "is too long");
    m->token = strdup(token);
    return m->token ? 0 : input_bad_field(in, "token", "does not fit into memory");
}

static const char *default_source(enum media_kind kind)
{
    return kind == KIND_AUDIO ? "microphone" : "camera";
}

static int read_track_offer(const struct input *in, void *out)
{
    struct message_track_offer *track = out;
    int err = input_word(in, "mid", mid_chars, track->mid, MESSAGE_MID_MAX);

    if (err < 0)
        return err;
    err = read_kind(in, &track->kind);
    if (err < 0)
        return err;
    utf8_copy(track->source, sizeof(track->source), default_source(track->kind));
    err = input_optional_word(in, "source", track->source, MESSAGE_SOURCE_MAX);
    if (err < 0)
        return err;
    return input_bool(in, "muted", &track->muted);
}

static int read_track_id(const struct input *in, struct message_track *track)
{
    int err = input_id(in, "id", track_id_parse, &track->id);

    if (err < 0 || !input_find(in, "participant"))
        return err;
    return input_id(in, "participant", participant_id_parse, &track->participant);
}

static int read_muted_by(const struct input *in, struct message_track *track)
{
    const char *by = NULL;
    int err = input_string(in, "muted_by", &by);

    track->muted_by_admin = by && strcmp(by, "admin") == 0;
    return err;
}

static int read_track(const struct input *in, void *out)
{
    struct message_track *track = out;
    int err = read_track_id(in, track);

    if (err < 0)
        return err;
    err = read_kind(in, &track->kind);
    if (err < 0)
        return err;
    utf8_copy(track->source, sizeof(track->source), default_source(track->kind));
    err = input_optional_word(in, "source", track->source, MESSAGE_SOURCE_MAX);
    if (err < 0)
        return err;
    if (input_find(in, "mid"))
        err = input_word(in, "mid", mid_chars, track->mid, MESSAGE_MID_MAX);
    if (err < 0)
        return err;
    err = input_bool(in, "muted", &track->muted);
    if (err < 0)
        return err;
    err = read_muted_by(in, track);
    if (err < 0)
        return err;
    return input_u32(in, "max_bps", UINT32_MAX, &track->max_bps);
}

static int read_participant(const struct input *in, void *out)
{
    struct message_participant *participant = out;
    int err = input_id(in, "id", participant_id_parse, &participant->id);

    if (err < 0)
        return err;
    err = input_text(in, "name", participant->name, sizeof(participant->name));
    if (err < 0)
        return err;
    err = input_bounded_list(in, "tracks", read_track, participant->tracks,
                             sizeof(participant->tracks[0]), MESSAGE_MAX_TRACKS);
    if (err < 0)
        return err;
    participant->n_tracks = (uint32_t)err;
    for (uint32_t i = 0; i < participant->n_tracks; i++)
        participant->tracks[i].participant = participant->id;
    return 0;
}

static int read_slot(const struct input *in, void *out)
{
    struct message_slot *slot = out;
    int err = input_word(in, "mid", mid_chars, slot->mid, MESSAGE_MID_MAX);

    if (err < 0 || !input_find(in, "track"))
        return err;
    err = input_id(in, "track", track_id_parse, &slot->track);
    if (err < 0)
        return err;
    return input_id(in, "participant", participant_id_parse, &slot->participant);
}

/* `urls` is a string or a list of them, as RTCIceServer has it. */
static int read_urls(const struct input *in, struct message_ice_server *server)
{
    const json_t *urls = input_find(in, "urls");
    size_t n = json_is_array(urls) ? json_array_size(urls) : 1;

    if (n > MESSAGE_MAX_ICE_URLS)
        return input_bad_field(in, "urls", "has too many entries");
    for (size_t i = 0; i < n; i++) {
        const char *url = json_string_value(json_is_array(urls) ? json_array_get(urls, i) : urls);

        if (!url || strlen(url) >= sizeof(server->urls[i]))
            return input_bad_field(in, "urls", "is no URL");
        utf8_copy(server->urls[i], sizeof(server->urls[i]), url);
    }
    server->n_urls = (uint32_t)n;
    return 0;
}

static int read_ice_server(const struct input *in, void *out)
{
    struct message_ice_server *server = out;
    int err = read_urls(in, server);

    if (err < 0)
        return err;
    err = input_text(in, "username", server->username, sizeof(server->username));
    if (err < 0)
        return err;
    return input_text(in, "credential", server->credential, sizeof(server->credential));
}

static int read_limits(const struct input *in, struct message_limits *limits)
{
    const struct {
        const char *name;
        uint32_t *ret;
    } fields[] = {
        {"audio_slots", &limits->audio_slots}, {"video_slots", &limits->video_slots},
        {"tracks", &limits->tracks},           {"audio_bps", &limits->audio_bps},
        {"camera_bps", &limits->camera_bps},   {"screen_bps", &limits->screen_bps},
        {"room_bps", &limits->room_bps},
    };
    const json_t *value = input_find(in, "limits");
    struct input object;
    int err = value ? input_enter(in, &object, value, "limits", INPUT_NO_INDEX) : 0;

    if (!value)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(fields) && err == 0; i++)
        err = input_u32(&object, fields[i].name, UINT32_MAX, fields[i].ret);
    return err;
}

static int read_change(const struct input *in, enum message_change *ret)
{
    const char *change = NULL;
    int err = input_string(in, "change", &change);

    if (err < 0)
        return err;
    if (change && strcmp(change, "join") == 0)
        *ret = CHANGE_JOIN;
    else if (change && strcmp(change, "update") == 0)
        *ret = CHANGE_UPDATE;
    else if (change && strcmp(change, "leave") == 0)
        *ret = CHANGE_LEAVE;
    else
        return input_bad_field(in, "change", "is none of join, update, leave");
    return 0;
}

static int read_reason(const struct input *in, struct message *m)
{
    int err = input_optional_word(in, "code", m->code, sizeof(m->code) - 1);

    if (err < 0)
        return err;
    return input_text(in, "message", m->text, sizeof(m->text));
}

static int read_track_offers(const struct input *in, struct message *m)
{
    int n = input_bounded_list(in, "tracks", read_track_offer, m->track_offers,
                               sizeof(m->track_offers[0]), MESSAGE_MAX_TRACKS);

    m->n_track_offers = n < 0 ? 0 : (uint32_t)n;
    return n < 0 ? n : 0;
}

static int read_own_tracks(const struct input *in, struct message *m)
{
    int n = input_bounded_list(in, "tracks", read_track, m->tracks, sizeof(m->tracks[0]),
                               MESSAGE_MAX_TRACKS);

    m->n_tracks = n < 0 ? 0 : (uint32_t)n;
    return n < 0 ? n : 0;
}

/* Messages, client to server */

static int read_room(const struct input *in, struct message *m)
{
    int err = input_word(in, "room", room_chars, m->room, MESSAGE_ROOM_MAX);

    if (err < 0)
        return err;
    return room_name_valid(m->room) ? 0 : input_bad_field(in, "room", "must not be . or ..");
}

static int read_join(const struct input *in, struct message *m)
{
    int err = read_room(in, m);

    if (err < 0)
        return err;
    m->n = 1;
    err = input_text(in, "name", m->name, sizeof(m->name));
    if (err < 0)
        return err;
    err = message_read_mode(in, m);
    if (err < 0)
        return err;
    err = read_token(in, m);
    if (err < 0)
        return err;
    err = input_find(in, "offer") ? read_sdp(in, "offer", m) : 0;
    if (err < 0)
        return err;
    return read_track_offers(in, m);
}

static int read_offer_number(const struct input *in, struct message *m)
{
    int err = input_number(in, "n", max_number, &m->n);

    if (err < 0)
        return err;
    return m->n > 0 ? 0 : input_bad_field(in, "n", "is missing");
}

static int read_offer(const struct input *in, struct message *m)
{
    int err = read_offer_number(in, m);

    if (err < 0)
        return err;
    err = read_sdp(in, "sdp", m);
    if (err < 0)
        return err;
    return read_track_offers(in, m);
}

static int read_mute(const struct input *in, struct message *m)
{
    int err = input_id(in, "track", track_id_parse, &m->track.id);

    if (err < 0)
        return err;
    if (!input_find(in, "muted"))
        return input_bad_field(in, "muted", "is missing");
    return input_bool(in, "muted", &m->track.muted);
}

static int read_nothing(const struct input *in, struct message *m)
{
    (void)in;
    (void)m;
    return 0;
}

/* Messages, server to client */

static int read_participants(const struct input *in, struct message *m)
{
    int n = input_list_len(in, "participants", MESSAGE_MAX_PARTICIPANTS, "bad_field");

    if (n <= 0)
        return n;
    m->participants = calloc((size_t)n, sizeof(m->participants[0]));
    if (!m->participants)
        return input_bad_field(in, "participants", "do not fit into memory");
    m->n_participants = (uint32_t)n;
    return input_list(in, "participants", read_participant, m->participants,
                      sizeof(m->participants[0]));
}

static int read_ice_servers(const struct input *in, struct message *m)
{
    int n = input_bounded_list(in, "ice_servers", read_ice_server, m->ice_servers,
                               sizeof(m->ice_servers[0]), MESSAGE_MAX_ICE_SERVERS);

    m->n_ice_servers = n < 0 ? 0 : (uint32_t)n;
    return n < 0 ? n : 0;
}

static int read_joined(const struct input *in, struct message *m)
{
    int err = read_room(in, m);

    if (err < 0)
        return err;
    m->n = 1;
    err = input_id(in, "you", participant_id_parse, &m->you);
    if (err < 0)
        return err;
    err = message_read_mode(in, m);
    if (err < 0)
        return err;
    err = input_find(in, "answer") ? read_sdp(in, "answer", m) : 0;
    if (err < 0)
        return err;
    err = read_own_tracks(in, m);
    if (err < 0)
        return err;
    err = read_participants(in, m);
    if (err < 0)
        return err;
    err = read_ice_servers(in, m);
    if (err < 0)
        return err;
    err = message_read_session(in, &m->session);
    if (err < 0)
        return err;
    return read_limits(in, &m->limits);
}

static int read_resumed(const struct input *in, struct message *m)
{
    int err = input_id(in, "you", participant_id_parse, &m->you);

    if (err < 0)
        return err;
    err = input_bool(in, "replayed", &m->replayed);
    if (err < 0)
        return err;
    err = read_ice_servers(in, m);
    if (err < 0 || m->replayed)
        return err;
    err = message_read_mode(in, m);
    if (err < 0)
        return err;
    err = read_own_tracks(in, m);
    if (err < 0)
        return err;
    return read_participants(in, m);
}

static int read_answer(const struct input *in, struct message *m)
{
    int err = read_offer_number(in, m);

    if (err < 0)
        return err;
    err = read_sdp(in, "sdp", m);
    if (err < 0)
        return err;
    return read_own_tracks(in, m);
}

static int read_need(const struct input *in, struct message *m)
{
    int err = input_u32(in, "audio", UINT32_MAX, &m->need_audio);

    if (err < 0)
        return err;
    return input_u32(in, "video", UINT32_MAX, &m->need_video);
}

static int read_participant_change(const struct input *in, struct message *m)
{
    struct input object;
    int err = read_change(in, &m->change);

    if (err < 0)
        return err;
    err = input_enter(in, &object, input_find(in, "participant"), "participant", INPUT_NO_INDEX);
    if (err < 0)
        return err;
    m->participants = calloc(1, sizeof(m->participants[0]));
    if (!m->participants)
        return input_bad_field(in, "participant", "does not fit into memory");
    m->n_participants = 1;
    err = read_participant(&object, m->participants);
    if (err < 0)
        return err;
    return read_reason(in, m);
}

static int read_track_change(const struct input *in, struct message *m)
{
    struct input object;
    int err = read_change(in, &m->change);

    if (err < 0)
        return err;
    err = input_enter(in, &object, input_find(in, "track"), "track", INPUT_NO_INDEX);
    if (err < 0)
        return err;
    return m->change == CHANGE_LEAVE ? read_track_id(&object, &m->track)
                                     : read_track(&object, &m->track);
}

static int read_new_token(const struct input *in, struct message *m)
{
    int err = read_token(in, m);

    if (err < 0)
        return err;
    if (!m->token)
        return input_bad_field(in, "token", "is missing");
    return input_u32(in, "expires_in_s", UINT32_MAX, &m->expires_in_s);
}

static int read_slots(const struct input *in, struct message *m)
{
    int n = input_list_len(in, "slots", MESSAGE_MAX_SLOTS, "bad_field");
    int err = input_u32(in, "epoch", UINT32_MAX, &m->epoch);

    if (err < 0 || n < 0)
        return -EBADMSG;
    if (n == 0)
        return 0;
    m->slots = calloc((size_t)n, sizeof(m->slots[0]));
    if (!m->slots)
        return input_bad_field(in, "slots", "do not fit into memory");
    m->n_slots = (uint32_t)n;
    return input_list(in, "slots", read_slot, m->slots, sizeof(m->slots[0]));
}

static int read_go(const struct input *in, struct message *m)
{
    int err = input_word(in, "action", word_chars, m->action, sizeof(m->action) - 1);

    if (err < 0)
        return err;
    if (input_find(in, "room"))
        err = input_word(in, "room", room_chars, m->room, MESSAGE_ROOM_MAX);
    if (err < 0)
        return err;
    err = input_text(in, "url", m->url, sizeof(m->url));
    if (err < 0)
        return err;
    err = input_u32(in, "after_ms", UINT32_MAX, &m->retry_after_ms);
    if (err < 0)
        return err;
    err = read_token(in, m);
    if (err < 0)
        return err;
    return read_reason(in, m);
}

static int read_error(const struct input *in, struct message *m)
{
    int err = read_reason(in, m);

    if (err < 0)
        return err;
    if (!m->code[0])
        return input_bad_field(in, "code", "is missing");
    return input_u32(in, "retry_after_ms", UINT32_MAX, &m->retry_after_ms);
}

/* The whole */

static enum message_type type_by_name(const char *name)
{
    for (int i = MESSAGE_UNKNOWN + 1; i <= MESSAGE_PONG; i++) {
        if (strcmp(message_type_name((enum message_type)i), name) == 0)
            return (enum message_type)i;
    }
    return MESSAGE_UNKNOWN;
}

static int read_type(const struct input *in, struct message *m)
{
    static int (*const readers[])(const struct input *in, struct message *m) = {
        [MESSAGE_UNKNOWN] = read_nothing,
        [MESSAGE_JOIN] = read_join,
        [MESSAGE_OFFER] = read_offer,
        [MESSAGE_MUTE] = read_mute,
        [MESSAGE_PING] = read_nothing,
        [MESSAGE_LEAVE] = read_nothing,
        [MESSAGE_RESUME] = message_read_resume,
        [MESSAGE_JOINED] = read_joined,
        [MESSAGE_RESUMED] = read_resumed,
        [MESSAGE_ANSWER] = read_answer,
        [MESSAGE_NEED] = read_need,
        [MESSAGE_PARTICIPANT] = read_participant_change,
        [MESSAGE_TRACK] = read_track_change,
        [MESSAGE_SLOTS] = read_slots,
        [MESSAGE_GO] = read_go,
        [MESSAGE_OK] = message_read_ok,
        [MESSAGE_ERROR] = read_error,
        [MESSAGE_PONG] = read_nothing,
        [MESSAGE_CALL] = message_read_call,
        [MESSAGE_RINGING] = message_read_call_id,
        [MESSAGE_ACCEPT] = message_read_call_id,
        [MESSAGE_REJECT] = message_read_call_end,
        [MESSAGE_CANCEL] = message_read_call_id,
        [MESSAGE_END] = message_read_call_end,
        [MESSAGE_RELAY] = message_read_relay,
        [MESSAGE_ACCEPTED] = message_read_accepted,
        [MESSAGE_ENDED] = message_read_ended,
        [MESSAGE_ROOM] = message_read_room,
        [MESSAGE_VIEW] = message_read_view,
        [MESSAGE_SUBSCRIBE] = message_read_subscribe,
        [MESSAGE_UNSUBSCRIBE] = message_read_subscribe,
        [MESSAGE_SPEAKERS] = message_read_speakers,
        [MESSAGE_STREAM] = message_read_stream,
        [MESSAGE_WANT] = message_read_want,
        [MESSAGE_LIMIT] = message_read_limit,
        [MESSAGE_QUALITY] = message_read_quality,
        [MESSAGE_TOKEN] = read_new_token,
    };
    const char *name = NULL;
    int err = input_string(in, "t", &name);

    if (err < 0)
        return err;
    if (!name)
        return input_bad_field(in, "t", "is missing");
    utf8_copy(m->type_name, sizeof(m->type_name), name);
    m->type = type_by_name(name);
    return readers[m->type](in, m);
}

static int read_message(const struct input *in, struct message *m)
{
    /* first of all, so that the error of any other field can say which request it is about */
    int err = input_number(in, input_find(in, "re") ? "re" : "id", max_number, &m->id);

    if (err < 0)
        return err;
    in->error->id = m->id;
    err = input_number(in, "seq", max_number, &m->seq);
    if (err < 0)
        return err;
    return read_type(in, m);
}

int message_parse(struct message *ret, const char *text, size_t len, struct message *error)
{
    struct input in = {.error = error};
    json_t *root = NULL;
    int err;

    *error = (struct message){.type = MESSAGE_ERROR};
    if (len > MESSAGE_MAX_BYTES)
        return input_fail(error, "too_large", "a message has at most %d bytes", MESSAGE_MAX_BYTES);
    err = input_load(&root, text, len, error);
    if (err < 0)
        return err;
    *ret = (struct message){0};
    in.object = root;
    err = read_message(&in, ret);
    if (err < 0)
        message_done(ret);
    json_decref(root);
    return err;
}
