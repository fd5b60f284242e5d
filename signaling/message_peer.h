/**
 * @file message_peer.h  What two clients tell each other by `relay` (docs/PROTOCOL.md, relay): JSON
 * objects <-> structs. The server does not look into them. Thread: any, no shared state.
 */
#ifndef SIGNALING_MESSAGE_PEER_H
#define SIGNALING_MESSAGE_PEER_H

#include "media/base/attributes.h"
#include "media/base/text.h"
#include "signaling/message.h"

#include <stddef.h>
#include <stdint.h>

enum { PEER_MAX_TRACKS = 8, PEER_CANDIDATE_MAX = 512 };

enum message_peer_type {
    PEER_OTHER, /* of a later version, or of no use to us: restart, mute */
    PEER_OFFER,
    PEER_ANSWER,
    PEER_CANDIDATE,
};

struct message_peer {
    enum message_peer_type type;
    uint64_t n;                             /* number of the offer */
    char *sdp;                              /* offer, answer: not NULL; owned */
    char candidate[PEER_CANDIDATE_MAX + 1]; /* "candidate:..."; "": there are no more */
    uint32_t n_tracks;                      /* written, not read */
    struct message_track_offer tracks[PEER_MAX_TRACKS];
};

/** @return 0, PEER_OTHER included: message_peer_done() it; -EBADMSG: not what it says it is */
MUST_USE int message_peer_parse(struct message_peer *ret, const char *text, size_t len);

/** Free what `m` owns. */
void message_peer_done(struct message_peer *m);

/** Append an offer, an answer or a candidate as JSON. @return 0; -EMSGSIZE */
MUST_USE int message_peer_write(struct text *out, const struct message_peer *m);

#endif
