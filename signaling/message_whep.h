/**
 * @file message_whep.h  The JSON of WHEP's core extensions (draft-ietf-wish-whep, events and
 * layers): bodies of POSTs to /sse and /layer. Not thread-safe.
 */
#ifndef SIGNALING_MESSAGE_WHEP_H
#define SIGNALING_MESSAGE_WHEP_H

#include "media/base/attributes.h"
#include "signaling/message.h"

#include <stddef.h>
#include <stdint.h>

/** What a player may be told of; sets are of 1 << enum whep_event. */
enum whep_event {
    WHEP_ACTIVE,      /* somebody publishes */
    WHEP_INACTIVE,    /* nobody does any more */
    WHEP_LAYERS,      /* encodings of each video that is played */
    WHEP_VIEWERCOUNT, /* players of the room */
    WHEP_MUTED,       /* ours: which m-lines carry what is muted by its publisher */
    WHEP_EVENT_COUNT,
};
/** @return "active", ... as in the field `event` */
const char *whep_event_name(enum whep_event event);

/** All names with commas between, as the attribute `events` of a Link has them. */
extern const char whep_event_names[];

/**
 * Read a list of names of events; an empty text is all of them.
 *
 * @return 0; -EBADMSG: error has code ("bad_json", "bad_field", "unknown_event") and text
 */
MUST_USE int whep_events_read(uint32_t *ret, const char *json, size_t len, struct message *error);

enum { WHEP_ANY = UINT32_MAX, WHEP_MAX_SECTION = 127, WHEP_MAX_SIZE = 16384 };

/** The encoding that a player would have; less may come when its path is narrow. */
struct whep_layer {
    uint32_t section;              /* number of the m-line; WHEP_ANY: the first video */
    char rid[MESSAGE_RID_MAX + 1]; /* "": any */
    uint32_t temporal;             /* highest temporal layer; WHEP_ANY: all */
    uint32_t width, height;        /* at most; 0: any */
};

/**
 * Read the choice of a layer: mediaId, rid (or encodingId), temporalLayerId, maxTemporalLayerId,
 * maxWidth, maxHeight. spatialLayerId and maxSpatialLayerId may only be 0, as encodings are told by
 * rid.
 *
 * @return 0; -EBADMSG: error has code and text
 */
MUST_USE int whep_layer_read(struct whep_layer *ret, const char *json, size_t len,
                             struct message *error);

#endif
