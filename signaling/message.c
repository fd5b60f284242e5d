#include "signaling/message.h"

#include "signaling/message_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_names[] = {
    [MESSAGE_UNKNOWN] = "unknown", [MESSAGE_JOIN] = "join",
    [MESSAGE_OFFER] = "offer",     [MESSAGE_MUTE] = "mute",
    [MESSAGE_PING] = "ping",       [MESSAGE_LEAVE] = "leave",
    [MESSAGE_JOINED] = "joined",   [MESSAGE_ANSWER] = "answer",
    [MESSAGE_NEED] = "need",       [MESSAGE_PARTICIPANT] = "participant",
    [MESSAGE_TRACK] = "track",     [MESSAGE_SLOTS] = "slots",
    [MESSAGE_GO] = "go",           [MESSAGE_OK] = "ok",
    [MESSAGE_ERROR] = "error",     [MESSAGE_PONG] = "pong",
    [MESSAGE_VIEW] = "view",       [MESSAGE_SUBSCRIBE] = "subscribe",
    [MESSAGE_STREAM] = "stream",   [MESSAGE_UNSUBSCRIBE] = "unsubscribe",
    [MESSAGE_WANT] = "want",       [MESSAGE_SPEAKERS] = "speakers",
    [MESSAGE_CALL] = "call",       [MESSAGE_RINGING] = "ringing",
    [MESSAGE_ACCEPT] = "accept",   [MESSAGE_REJECT] = "reject",
    [MESSAGE_CANCEL] = "cancel",   [MESSAGE_END] = "end",
    [MESSAGE_RELAY] = "relay",     [MESSAGE_ACCEPTED] = "accepted",
    [MESSAGE_ENDED] = "ended",     [MESSAGE_ROOM] = "room",
    [MESSAGE_QUALITY] = "quality", [MESSAGE_LIMIT] = "limit",
    [MESSAGE_TOKEN] = "token",     [MESSAGE_RESUME] = "resume",
    [MESSAGE_RESUMED] = "resumed",
};

const char *message_type_name(enum message_type type)
{
    return type_names[type];
}

void message_done(struct message *m)
{
    free(m->sdp);
    free(m->token);
    free(m->participants);
    free(m->slots);
    free(m->views);
    free(m->speakers);
    free(m->streams);
    free(m->call.data);
    m->sdp = NULL;
    m->token = NULL;
    m->participants = NULL;
    m->slots = NULL;
    m->views = NULL;
    m->speakers = NULL;
    m->streams = NULL;
    m->call.data = NULL;
    m->quality = message_quality_free(m->quality);
    m->n_participants = m->n_slots = m->n_views = m->n_speakers = m->n_streams = 0;
}

struct message_quality *message_quality_free(struct message_quality *q)
{
    if (!q)
        return NULL;
    free(q->participants);
    free(q->tracks);
    free(q->subscriptions);
    free(q);
    return NULL;
}

const char *view_priority_name(enum view_priority priority)
{
    static const char *const names[] = {[VIEW_NORMAL] = "normal",
                                        [VIEW_SPEAKER] = "speaker",
                                        [VIEW_SCREEN] = "screen",
                                        [VIEW_PINNED] = "pinned"};

    return names[priority];
}

const char *stream_reason_name(enum stream_reason reason)
{
    static const char *const names[] = {[STREAM_ACTIVE] = "active",
                                        [STREAM_BANDWIDTH] = "bandwidth",
                                        [STREAM_VIEW] = "view",
                                        [STREAM_MUTED] = "muted",
                                        [STREAM_NOT_SENT] = "not_sent"};

    return names[reason];
}

const char *participant_id_text(uint32_t id, char out[MESSAGE_ID_MAX])
{
    (void)snprintf(out, MESSAGE_ID_MAX, "p-%08x", id);
    return out;
}

const char *track_id_text(uint32_t id, char out[MESSAGE_ID_MAX])
{
    (void)snprintf(out, MESSAGE_ID_MAX, "t-%08x", id);
    return out;
}

const char *session_id_text(uint32_t id, char out[MESSAGE_ID_MAX])
{
    (void)snprintf(out, MESSAGE_ID_MAX, "s-%08x", id);
    return out;
}

/* One spelling only: 8 lower-case digits. */
uint32_t message_id_parse(const char *text, char kind)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t id = 0;

    if (text[0] != kind || text[1] != '-' || strspn(text + 2, digits) != 8 || text[10])
        return 0;
    for (text += 2; *text; text++)
        id = id << 4 | (uint32_t)(strchr(digits, *text) - digits);
    return id;
}

uint32_t participant_id_parse(const char *text)
{
    return message_id_parse(text, 'p');
}

uint32_t track_id_parse(const char *text)
{
    return message_id_parse(text, 't');
}

uint32_t session_id_parse(const char *text)
{
    return message_id_parse(text, 's');
}

bool room_name_valid(const char *name)
{
    return is_made_of(name, room_chars, MESSAGE_ROOM_MAX) && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}
