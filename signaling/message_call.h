/**
 * @file message_call.h  What signaling messages say of direct calls: who calls whom, and what two
 * clients tell each other. Plain values, part of struct message.
 *
 * Calls are 32-bit numbers inside and "c-1a2b3c4d" outside.
 */
#ifndef SIGNALING_MESSAGE_CALL_H
#define SIGNALING_MESSAGE_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MESSAGE_RELAY_MAX = 64 * 1024, /* bytes of relay.data, as compact JSON */
    MESSAGE_CALL_ID_MAX = 16,      /* text of a call's id */
};

/** What a room is. */
enum room_mode {
    ROOM_SFU,    /* media goes over the server */
    ROOM_DIRECT, /* two talk peer to peer */
};
const char *room_mode_name(enum room_mode mode);

/** Who sends the offer in a direct call. */
enum call_role { ROLE_NONE, ROLE_CALLER, ROLE_CALLEE };
/** @return "caller", "callee"; "" for none */
const char *call_role_name(enum call_role role);

struct message_call {
    uint32_t id;       /* the call; 0: not given */
    uint32_t to, from; /* call, relay: the other one of a request, of an event; 0: not given */
    uint32_t peer;     /* accepted: the other one */
    bool video;        /* media is "video": both kinds; else "audio" */
    uint8_t mode;      /* enum room_mode: join, joined, room */
    uint8_t role;      /* enum call_role: joined, room, accepted */
    size_t data_len;   /* relay, of `data` */
    char *data;        /* relay: a JSON object; owned by the message */
};

/** Write "c-1a2b3c4d". @return `out` */
const char *call_id_text(uint32_t id, char out[MESSAGE_CALL_ID_MAX]);
/** @return the number, or 0 if `text` is no such id */
uint32_t call_id_parse(const char *text);

#endif
