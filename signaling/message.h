/**
 * @file message.h  Signaling messages: JSON text frames <-> structs, both directions.
 *
 * docs/PROTOCOL.md is the manual. Unknown fields are ignored; a message type we do not know is
 * MESSAGE_UNKNOWN and answered with an error. Strings of a parsed message belong to it.
 * Participants and tracks are 32-bit numbers inside and "p-1a2b3c4d", "t-1a2b3c4d" outside; a
 * participant's number is also the CSRC of its media. Thread: any, no shared state.
 */
#ifndef SIGNALING_MESSAGE_H
#define SIGNALING_MESSAGE_H

#include "media/base/attributes.h"
#include "media/base/codec.h"
#include "media/base/text.h"
#include "signaling/message_call.h"
#include "signaling/message_media.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MESSAGE_MAX_BYTES = 512 * 1024,  /* a text frame, an offer included */
    MESSAGE_MAX_DEPTH = 16,          /* nesting of JSON */
    MESSAGE_MAX_TRACKS = 32,         /* in one join or offer, and of one participant */
    MESSAGE_MAX_PARTICIPANTS = 2048, /* in one joined */
    MESSAGE_MAX_SLOTS = 128,         /* in one slots */
    MESSAGE_MAX_ICE_SERVERS = 4,
    MESSAGE_MAX_ICE_URLS = 4, /* of one ICE server */
    MESSAGE_NAME_MAX = 64,    /* participant's name [bytes of UTF-8] */
    MESSAGE_ROOM_MAX = 64,    /* room name: [A-Za-z0-9._~-]+ */
    MESSAGE_SOURCE_MAX = 32,  /* "camera", "microphone", "screen", "screen_audio", ... */
    MESSAGE_TOKEN_MAX = 4096, /* a token [bytes] */
    MESSAGE_ID_MAX = 40,      /* text of a participant, track or session id */
    MESSAGE_SECRET_MAX = 64,  /* token of a session */
};

enum message_type {
    MESSAGE_UNKNOWN,
    /* client -> server */
    MESSAGE_JOIN,
    MESSAGE_OFFER,
    MESSAGE_MUTE,
    MESSAGE_VIEW,
    MESSAGE_SUBSCRIBE,
    MESSAGE_UNSUBSCRIBE,
    MESSAGE_ACCEPT,
    MESSAGE_REJECT,
    MESSAGE_CANCEL,
    MESSAGE_END,
    MESSAGE_RESUME,
    MESSAGE_PING,
    MESSAGE_LEAVE,
    /* both ways */
    MESSAGE_CALL,
    MESSAGE_RINGING,
    MESSAGE_RELAY,
    /* server -> client */
    MESSAGE_JOINED,
    MESSAGE_RESUMED,
    MESSAGE_ANSWER,
    MESSAGE_NEED,
    MESSAGE_PARTICIPANT,
    MESSAGE_TRACK,
    MESSAGE_SLOTS,
    MESSAGE_SPEAKERS,
    MESSAGE_STREAM,
    MESSAGE_WANT,
    MESSAGE_LIMIT,
    MESSAGE_QUALITY,
    MESSAGE_ACCEPTED,
    MESSAGE_ENDED,
    MESSAGE_ROOM,
    MESSAGE_TOKEN,
    MESSAGE_GO,
    MESSAGE_OK,
    MESSAGE_ERROR,
    MESSAGE_PONG,
};
const char *message_type_name(enum message_type type);

/** A track a client publishes: which m-line carries what. */
struct message_track_offer {
    char mid[MESSAGE_MID_MAX + 1];
    enum media_kind kind;
    char source[MESSAGE_SOURCE_MAX + 1];
    bool muted;
};

/** A track in the roster. */
struct message_track {
    uint32_t id, participant;
    enum media_kind kind;
    char source[MESSAGE_SOURCE_MAX + 1];
    char mid[MESSAGE_MID_MAX + 1]; /* the publisher's m-line; only told to itself, "" otherwise */
    bool muted;
    bool muted_by_admin; /* by whoever runs the server, not by its publisher */
    uint32_t max_bps;    /* what it may be sent with; only told to its publisher; 0: no limit */
};

struct message_participant {
    uint32_t id;
    char name[MESSAGE_NAME_MAX + 1];
    uint32_t n_tracks;
    struct message_track tracks[MESSAGE_MAX_TRACKS];
};

struct message_slot {
    char mid[MESSAGE_MID_MAX + 1];
    uint32_t track, participant; /* 0, 0: the slot is empty */
};

/** A STUN or TURN server, as RTCPeerConnection takes it. */
struct message_ice_server {
    uint32_t n_urls;
    char urls[MESSAGE_MAX_ICE_URLS][256]; /* "turn:turn.example.org:3478?transport=udp" */
    char username[128], credential[128];  /* "": none */
};

/** What the server takes of one client. */
struct message_limits {
    uint32_t audio_slots, video_slots, tracks;
    uint32_t audio_bps, camera_bps, screen_bps; /* of one track; 0: no limit */
    uint32_t room_bps;                          /* of all video in the room; 0: no limit */
};

/** What a client needs to go on after its WebSocket was lost. */
struct message_session {
    char id[MESSAGE_ID_MAX]; /* "": none, it cannot */
    char token[MESSAGE_SECRET_MAX + 1];
    uint32_t resume_s; /* it has so long to come back */
};

/** Change of a participant or track in the roster. */
enum message_change { CHANGE_JOIN, CHANGE_UPDATE, CHANGE_LEAVE };

/** One message of either direction; members in use depend on `type` (docs/PROTOCOL.md). */
struct message {
    enum message_type type;
    uint32_t expires_in_s; /* token; 0: never */
    char type_name[32];    /* as received, also of unknown types */
    uint64_t id;           /* request number, 0: none; in replies it is `re` */
    uint64_t seq;          /* of server events; resume, resumed: of the last one */
    char room[MESSAGE_ROOM_MAX + 1];
    char name[MESSAGE_NAME_MAX + 1];
    bool replayed; /* resumed: the missed events follow; else this is the state */
    char *sdp;     /* offer or answer; owned; NULL if absent */
    char *token;   /* join; token: the new one; owned; NULL if absent */
    uint64_t n;    /* number of the offer */
    uint32_t n_track_offers;
    struct message_track_offer track_offers[MESSAGE_MAX_TRACKS];
    uint32_t you;      /* joined, resumed: our participant */
    uint32_t n_tracks; /* joined, resumed, answer: all of our own tracks, with their ids */
    struct message_track tracks[MESSAGE_MAX_TRACKS];
    uint32_t n_ice_servers; /* joined */
    struct message_ice_server ice_servers[MESSAGE_MAX_ICE_SERVERS];
    struct message_limits limits;   /* joined */
    struct message_session session; /* joined; resume: id and token */
    uint32_t retry_after_ms;        /* error: wait so long; go: before the next try; 0: none */
    struct message_participant *participants; /* owned: roster (joined, resumed) or the one
                                                 (participant) */
    enum message_change change;
    struct message_track track; /* track; mute: id and muted; subscribe, unsubscribe: id; limit:
                                   id and max_bps */
    uint32_t epoch, n_slots;
    struct message_slot *slots; /* owned */
    uint32_t n_participants, n_views, n_speakers, n_streams;
    struct message_view *views;       /* owned, like the next three */
    struct message_speaker *speakers; /* dominant first */
    struct message_stream *streams;
    struct message_quality *quality;
    struct message_call call;
    struct message_want want;
    uint32_t need_audio, need_video; /* how many slots of each kind are wanted in all */
    char action[20]; /* go: "leave"; "rejoin" (room and token, if others); "redirect" (url) */
    char url[256];   /* go redirect: where to join in place of this server */
    char code[32];   /* error code or reason word */
    char text[256];  /* error message or reason for people */
};

/**
 * Parse one text frame.
 *
 * @param ret    on success (and MESSAGE_UNKNOWN is success) the message; message_done() it
 * @param error  on failure: message with type MESSAGE_ERROR, id, code and text set, ready to send;
 *               codes "bad_json", "too_deep", "too_large", "bad_field"
 * @return 0; -EBADMSG
 */
MUST_USE int message_parse(struct message *ret, const char *text, size_t len,
                           struct message *error);

/** Free what `m` owns. */
void message_done(struct message *m);

/** Append the JSON of `m` to `out`. @return 0; -EMSGSIZE: `out` is full */
MUST_USE int message_write(struct text *out, const struct message *m);

/** @return the number of an id, "p-1a2b3c4d" of kind 'p' and so on; 0 if `text` is none */
uint32_t message_id_parse(const char *text, char kind);
/** Write "p-1a2b3c4d", "t-1a2b3c4d" or "s-1a2b3c4d". @return `out` */
const char *participant_id_text(uint32_t id, char out[MESSAGE_ID_MAX]);
const char *track_id_text(uint32_t id, char out[MESSAGE_ID_MAX]);
const char *session_id_text(uint32_t id, char out[MESSAGE_ID_MAX]);
/** @return the number, or 0 if `text` is no such id */
uint32_t participant_id_parse(const char *text);
uint32_t track_id_parse(const char *text);
uint32_t session_id_parse(const char *text);

/** @return true if `name` may name a room (1..64 of [A-Za-z0-9._~-], not "." or "..") */
bool room_name_valid(const char *name);

#endif
