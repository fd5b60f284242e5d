/**
 * @file turn_client.h  The messages of one client of a TURN server (RFC 8656), to find out whether
 * it works: allocate, permit, send, and what comes back. Sans-I/O: the caller sends what is written
 * here, again when it may have got lost, and hands over what arrives. Over libnice's STUN library.
 * Not tied to a thread.
 */
#ifndef MEDIA_TURN_CLIENT_H
#define MEDIA_TURN_CLIENT_H

#include "media/base/attributes.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    TURN_MESSAGE_MAX = 1500, /* bytes of the longest message that is written or read */
    TURN_REASON_MAX = 127,
};

struct turn_client;

enum turn_event {
    TURN_IGNORED,    /* not for us, or not authentic */
    TURN_CHALLENGED, /* it told realm and nonce: allocate again */
    TURN_ALLOCATED,
    TURN_PERMITTED,
    TURN_RELEASED,
    TURN_BOUND, /* of turn_client_bind() */
    TURN_DATA,
    TURN_REFUSED,
};

/** What a message said. */
struct turn_news {
    struct sockaddr_storage relayed; /* ALLOCATED: where it listens for us */
    struct sockaddr_storage mapped;  /* ALLOCATED, BOUND: we as it sees us; family 0: not told */
    struct sockaddr_storage peer;    /* DATA: who sent it */
    const uint8_t *data;             /* DATA: into what was handed over */
    size_t len;
    int code; /* REFUSED: 401, 403, 486... */
    char reason[TURN_REASON_MAX + 1];
};

/** @param user, password  copied; at most 255 bytes. @return 0; -ENOMEM; -E2BIG */
MUST_USE int turn_client_new(struct turn_client **ret, const char *user, const char *password);
/** NULL is fine. @return NULL */
struct turn_client *turn_client_free(struct turn_client *c);

/** Write a request for a relayed address: without password first, with it when challenged.
 *  @return bytes written; 0: it cannot be written */
size_t turn_client_allocate(struct turn_client *c, uint8_t out[TURN_MESSAGE_MAX]);
/** Write a request to let `peer`'s address send to us; once allocated. @return likewise */
size_t turn_client_permit(struct turn_client *c, const struct sockaddr_storage *peer,
                          uint8_t out[TURN_MESSAGE_MAX]);
/** Write a request to give the relayed address back. @return likewise */
size_t turn_client_release(struct turn_client *c, uint8_t out[TURN_MESSAGE_MAX]);
/** Write `data`, to be relayed to `peer`. @return likewise */
size_t turn_client_send(struct turn_client *c, const struct sockaddr_storage *peer,
                        const uint8_t *data, size_t len, uint8_t out[TURN_MESSAGE_MAX]);
/** Write a STUN binding request: which address have we? @return likewise */
size_t turn_client_bind(struct turn_client *c, uint8_t out[TURN_MESSAGE_MAX]);

/** Read one message. @param ret  written unless IGNORED; `data` points into `data` here */
enum turn_event turn_client_receive(struct turn_client *c, const uint8_t *data, size_t len,
                                    struct turn_news *ret);

/** @return length of the message that begins with these 4 bytes, for a stream; 0: it is no STUN
 *  message, or longer than TURN_MESSAGE_MAX */
size_t turn_message_len(const uint8_t head[4]);

#endif
