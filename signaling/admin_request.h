/**
 * @file admin_request.h  What operators ask for below /v1: the path and the JSON body of a request,
 * as a plain value. docs/openapi.yaml is the manual. Thread: any, no shared state.
 */
#ifndef SIGNALING_ADMIN_REQUEST_H
#define SIGNALING_ADMIN_REQUEST_H

#include "media/base/attributes.h"
#include "signaling/grants.h"
#include "signaling/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum admin_action {
    ADMIN_SERVER, /* what runs here */
    ADMIN_ROOMS,
    ADMIN_ROOM,
    ADMIN_LIMIT_ROOM, /* max_participants, max_room_kbps */
    ADMIN_CLOSE_ROOM,
    ADMIN_PARTICIPANTS,
    ADMIN_PARTICIPANT,
    ADMIN_MUTE_PARTICIPANT, /* kinds, muted, hold */
    ADMIN_KICK,
    ADMIN_MOVE, /* to_room, token */
    ADMIN_TRACKS,
    ADMIN_TRACK,
    ADMIN_MUTE_TRACK,  /* muted */
    ADMIN_DRAIN_STATE, /* whether the server is being emptied */
    ADMIN_DRAIN,       /* deadline_s, stop, redirect_url */
    ADMIN_UNDRAIN,
    ADMIN_MAKE_TOKEN, /* grants, expires_in_s */
};

enum {
    ADMIN_AUDIO = 1, /* bits of admin_request.kinds */
    ADMIN_VIDEO = 2,
    ADMIN_MAX_PARTICIPANTS = 100000,
    ADMIN_MAX_KBPS = 4000000,
    ADMIN_MAX_DEADLINE_S = 7 * 24 * 3600,
    ADMIN_MAX_EXPIRY_S = 10 * 365 * 24 * 3600,
    ADMIN_TOKEN_MAX = 4095, /* characters of a token */
    ADMIN_REASON_MAX = 120, /* bytes of UTF-8 */
    ADMIN_BODY_MAX = 16384, /* bytes of a request */
};

/** A field of the body that may be missing. */
struct admin_number {
    bool given;
    uint32_t value;
};

struct admin_request {
    enum admin_action action;
    char room[MESSAGE_ROOM_MAX + 1];    /* of the path; "": none */
    uint32_t participant, track;        /* of the path; 0: none */
    char reason[ADMIN_REASON_MAX + 1];  /* of the query, for people; "": none */
    bool muted;                         /* MUTE */
    struct admin_number hold;           /* MUTE_PARTICIPANT: 1: it may not unmute itself */
    uint32_t kinds;                     /* MUTE_PARTICIPANT: at least one of ADMIN_AUDIO, _VIDEO */
    char to_room[MESSAGE_ROOM_MAX + 1]; /* MOVE */
    char token[ADMIN_TOKEN_MAX + 1];    /* MOVE: for that room; "": none */
    struct admin_number max_participants, max_room_kbps; /* LIMIT_ROOM; 0: the server's */
    struct admin_number deadline_s;                      /* DRAIN */
    bool stop;                                           /* DRAIN: and end the server */
    char redirect_url[256];                              /* DRAIN; "": none */
    struct grants grants;             /* MAKE_TOKEN; expires_s is 0 unless it was given */
    struct admin_number expires_in_s; /* MAKE_TOKEN */
};

/**
 * Read the body of `r`, whose action and path are set, into it. Fields that are not known are
 * passed over; no body is as good as {}.
 *
 * @param text   [len bytes], NUL-terminated
 * @param error  on failure: code ("bad_json", "too_deep", "too_large", "bad_field") and text
 * @return 0; -EBADMSG
 */
MUST_USE int admin_request_parse(struct admin_request *r, const char *text, size_t len,
                                 struct message *error);

#endif
