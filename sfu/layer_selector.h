/**
 * @file layer_selector.h  Which frames of one encoding a subscriber gets: up to a spatial and a
 * temporal layer, changed only where a decoder can follow. Pure.
 *
 * With a dependency descriptor (any codec) its decode targets, indications and chains tell; else
 * VP8's and VP9's payload descriptors do; other frames have no layers, and go out. Temporal layers
 * go down with the next picture, up where a picture says that nothing from before is needed.
 * Spatial layers go down with the next picture where the lower ones were sent all along, up with a
 * key picture.
 *
 * A frame is forwarded or left out as a whole: what was decided with the first packet that came
 * holds for late ones, and for those that are sent again. A plain value of 450 bytes, made when a
 * subscription is first restricted. Not thread-safe.
 */
#ifndef SFU_LAYER_SELECTOR_H
#define SFU_LAYER_SELECTOR_H

#include "media/base/attributes.h"
#include "media/frame_info.h"
#include "sfu/decode_targets.h"

#include <stdbool.h>
#include <stdint.h>

struct dd_structure;

enum {
    LAYER_SELECTOR_WINDOW = 256, /* newest frames that are known; a power of two */
    LAYER_SELECTOR_CHANGES = 4,  /* newest changes that late frames are judged by */
};

/** A packet, as the selector sees it. All is borrowed. */
struct selector_packet {
    const struct frame_info *frame;
    const struct dd_structure *structure; /* that it refers to; NULL: none, or it is gone */
    uint32_t ts;                          /* RTP timestamp */
    uint16_t seq;                         /* RTP sequence number */
    bool newest;                          /* no packet with a higher number has come yet */
};

struct selector_verdict {
    bool forward;
    bool ends_picture; /* the last packet of the picture that is forwarded: set the marker */
    bool unknown;      /* nothing was decided that is remembered */
};

/** From a frame on, what is forwarded. */
struct selector_change {
    int64_t from; /* unwrapped number */
    uint32_t ts;  /* of its picture, which is concerned as a whole */
    struct layer_limit limit;
    uint8_t target; /* where decode targets tell */
};

struct layer_selector {
    struct layer_limit limit;   /* what shall be */
    struct layer_limit current; /* what is, without decode targets */
    bool by_targets;            /* the newest frame had a dependency descriptor */
    bool raises;                /* with the next picture all temporal layers can be decoded */
    bool started;
    bool begun;     /* `ts` is of the picture that it was made in */
    uint8_t n_open; /* pictures that the highest decode target had all frames of */
    bool has_gap;   /* packets between the newest frame and the next have not come */
    uint16_t seq;   /* of the newest packet */
    uint32_t ts;    /* of the newest picture */
    int64_t newest; /* unwrapped number of the newest frame, or picture */
    struct decode_targets targets;
    struct selector_change changes[LAYER_SELECTOR_CHANGES]; /* newest first */
    uint8_t fates[LAYER_SELECTOR_WINDOW]; /* by number: layers that are forwarded, or unknown */
};

/** All that came before was forwarded. @param ts  of the newest picture of that, which goes on as a
 *  whole (RTP timestamp) */
void layer_selector_init(struct layer_selector *s, uint32_t ts);

/** Forward no more than that. */
void layer_selector_set_limit(struct layer_selector *s, struct layer_limit limit);

/** Decide about a packet that arrived. */
struct selector_verdict layer_selector_decide(struct layer_selector *s,
                                              const struct selector_packet *packet);

/** @return what was decided about a packet that is to be sent again */
struct selector_verdict layer_selector_recall(const struct layer_selector *s,
                                              const struct selector_packet *packet);

/** @return what is forwarded now; LAYER_UNLIMITED: all there is */
struct layer_limit layer_selector_current(const struct layer_selector *s);

/** @return true if only a key picture can bring the spatial layers that shall be.
 *  @param n_spatial  how many there are */
bool layer_selector_needs_key(const struct layer_selector *s, uint8_t n_spatial);

/** @return true if all there is shall be forwarded, and is */
bool layer_selector_is_open(const struct layer_selector *s);

#endif
