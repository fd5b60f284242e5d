/**
 * @file direct_room.h  Rooms for two that talk peer to peer: who is caller and who callee, and when
 * such a room becomes an ordinary one. What is said of it is told to its members.
 * Thread: control.
 */
#ifndef SFU_DIRECT_ROOM_H
#define SFU_DIRECT_ROOM_H

#include "signaling/message_call.h"

#include <stdint.h>

struct message;
struct session;

/** `s` has just entered its room, and nobody knows of it yet. @param wanted  what a room shall be
 *  that begins with it */
void direct_room_enter(struct session *s, enum room_mode wanted);

/** `s` has media with the server: a direct room is none any more. */
void direct_room_offered(struct session *s);

/** `s` is about to leave its room. */
void direct_room_leave(struct session *s);

/** Write what its room is and what `s` is in it. */
void direct_room_describe(const struct session *s, struct message_call *ret);

/** @return the other one of a direct room; 0: there is none, or no direct room */
uint32_t direct_room_peer(const struct session *s);

#endif
