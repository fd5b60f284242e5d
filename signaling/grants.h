/**
 * @file grants.h  What a token lets its bearer do. A plain value. Thread: any.
 */
#ifndef SIGNALING_GRANTS_H
#define SIGNALING_GRANTS_H

#include "signaling/message.h"

#include <stdbool.h>
#include <stdint.h>

enum { GRANTS_MAX_SOURCES = 8 };

struct grants {
    char identity[MESSAGE_NAME_MAX + 1]; /* `sub`; "": none */
    char name[MESSAGE_NAME_MAX + 1];     /* `name`; goes over that of join; "": none */
    char room[MESSAGE_ROOM_MAX + 1];     /* the one it is for; "*": any; "": none */
    bool join;
    bool publish;   /* send media */
    bool subscribe; /* get the media of others */
    bool data;      /* send messages and data */
    bool hidden;    /* is there without being seen, and publishes nothing */
    bool admin;     /* look at and end what others do; in its room, or everywhere without one */
    bool record;    /* record and stop recording */
    uint32_t n_sources;
    char sources[GRANTS_MAX_SOURCES][MESSAGE_SOURCE_MAX + 1]; /* publish only these; 0: all */
    int64_t expires_s;                                        /* Unix time; 0: never */
};

/** All that somebody without a token may do where no token is needed: everything but `admin` and
 *  `record`, in any room. */
void grants_open(struct grants *ret);

/** @return true if they are for `room` */
bool grants_have_room(const struct grants *g, const char *room);

/** @return true if a track of that kind and source may be published. Where sources are listed, the
 *  usual ones stand for their kind, too: no picture comes in as a microphone */
bool grants_have_source(const struct grants *g, enum media_kind kind, const char *source);

/** @return true if anything at all may be published */
bool grants_may_publish(const struct grants *g);

#endif
