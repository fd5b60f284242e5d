/**
 * @file dd_history.h  Dependency structures of one stream: the newest, and the one before it, for
 * packets that come late or are read again.
 *
 * A structure is good for the packets from the one that brought it, in the order of their sequence
 * numbers, to the one that brings another. Plain value of 4 KiB; not tied to a thread.
 */
#ifndef MEDIA_DD_HISTORY_H
#define MEDIA_DD_HISTORY_H

#include "media/base/attributes.h"
#include "media/dependency_descriptor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DD_HISTORY = 2 }; /* structures kept */

/** All zero: empty. */
struct dd_history {
    struct {
        int64_t since; /* unwrapped number of the first packet that it is good for */
        uint8_t id;    /* 1..255, counted; 0: this place is free */
        struct dd_structure structure;
    } kept[DD_HISTORY];
    uint8_t newest;  /* index in `kept` */
    uint8_t last_id; /* given */
    /* of the newest packet that began a key frame */
    bool has_key;
    uint32_t key_ts;
    int64_t key_seq;
};

/** Where a packet is in its stream. */
struct dd_place {
    int64_t seq; /* unwrapped */
    uint32_t ts; /* RTP timestamp */
};

/**
 * Read a packet's descriptor with the structure that is good for it, and keep what it brings.
 *
 * @param id  receives which structure it is: for dd_history_find()
 * @return 0; -EBADMSG: malformed; -ENOENT: its structure is not known (any more, or yet)
 */
MUST_USE int dd_history_read(struct dd_history *h, struct dd_frame *ret, uint8_t *id,
                             const struct dd_place *place, const uint8_t *data, size_t len);

/** Forget all: another stream takes the place of this one. Ids are not given again soon. */
void dd_history_clear(struct dd_history *h);

/** @return the structure with this id, valid until the next call with `h`; NULL: it is gone */
const struct dd_structure *dd_history_find(const struct dd_history *h, uint8_t id);

/** Is a packet with this timestamp of the newest key picture? All its spatial layers have one. */
bool dd_history_is_key(const struct dd_history *h, uint32_t ts);

#endif
