/**
 * @file direct_request.h  What a WebSocket asks for of direct calls, and what its two are told of
 * it (docs/PROTOCOL.md, Direct calls). The state of calls is direct_call's. Thread: control.
 */
#ifndef SFU_DIRECT_REQUEST_H
#define SFU_DIRECT_REQUEST_H

#include "media/base/attributes.h"

#include <stdint.h>

struct message;
struct session;
struct session_host;

enum {
    DIRECT_RELAY_BYTES_PER_S = 64 * 1024, /* of one session, once it has used up... */
    DIRECT_RELAY_BURST = 256 * 1024,
};

/** Request `call`. */
void direct_request_call(struct session *s, const struct message *m, int64_t now_us);

/** Requests `ringing`, `accept`, `reject`, `cancel` and `end`. */
void direct_request_act(struct session *s, const struct message *m, int64_t now_us);

/** Request `relay`. */
void direct_request_relay(struct session *s, const struct message *m, int64_t now_us);

/** `s`, which is in a room, is about to leave it: the other one of its call is told. */
void direct_request_leave(struct session *s);

/** End what has rung too long. Call it about once per second. */
void direct_request_expire(struct session_host *host, int64_t now_us);

#endif
