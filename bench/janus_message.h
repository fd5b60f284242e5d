/**
 * @file janus_message.h  Messages of Janus and its VideoRoom plugin, as far as load needs them.
 * Plain values; not tied to a thread.
 */
#ifndef BENCH_JANUS_MESSAGE_H
#define BENCH_JANUS_MESSAGE_H

#include "media/base/attributes.h"

#include <stddef.h>
#include <stdint.h>

enum janus_kind {
    JANUS_OTHER,    /* of no interest: ack, webrtcup, media, ... */
    JANUS_SUCCESS,  /* of create, attach (id), or of a synchronous request to the plugin */
    JANUS_JOINED,   /* publisher: id is its feed */
    JANUS_EVENT,    /* of the plugin, with an answer perhaps */
    JANUS_ATTACHED, /* subscriber: with an offer */
    JANUS_ERROR,    /* of Janus or the plugin */
    JANUS_HANGUP,   /* the media connection is gone */
};

enum { JANUS_ROOM_EXISTS = 427, JANUS_ERROR_TEXT = 160 };

struct janus_message {
    enum janus_kind kind;
    uint64_t id;
    char *sdp; /* owned; NULL: none */
    int error_code;
    char error[JANUS_ERROR_TEXT]; /* ERROR, HANGUP: why */
};

/** @return 0; -EBADMSG: not JSON, or no message of Janus; janus_message_done() after success */
MUST_USE int janus_message_parse(struct janus_message *ret, const char *text, size_t len);
void janus_message_done(struct janus_message *m);

/** Where a request goes; 0: not there yet. */
struct janus_address {
    uint64_t session, handle;
};

/**
 * Requests, as text that the caller frees.
 *
 * @param type  "create", "attach", "keepalive" or "destroy"
 * @return NULL: no memory
 */
char *janus_request(const struct janus_address *to, const char *type);
/** Make a room for so many publishers, without a limit of bit rate. */
char *janus_request_room(const struct janus_address *to, uint64_t room, uint32_t publishers);
/** Join as one who publishes. */
char *janus_request_join(const struct janus_address *to, uint64_t room);
/** Join to receive these. */
char *janus_request_subscribe(const struct janus_address *to, uint64_t room, const uint64_t *feeds,
                              size_t n);
/** Send an offer ("publish") or an answer ("start"). */
char *janus_request_sdp(const struct janus_address *to, const char *request, const char *sdp);

#endif
