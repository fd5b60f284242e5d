/**
 * @file forward.h  One packet on its way from a layer to the subscriptions: what is found out once,
 * for all of them. A plain value that lives as long as the packet is handed around.
 */
#ifndef SFU_FORWARD_H
#define SFU_FORWARD_H

#include "media/base/codec.h"
#include "media/base/extension.h"
#include "media/frame_info.h"
#include "media/packet.h"

#include <stdbool.h>
#include <stdint.h>

struct track_layer;

enum { FORWARD_MAX_EXTENSIONS = 5 };

/** A header extension that is passed through. */
struct forward_extension {
    enum extension kind;
    uint8_t len;          /* [bytes] */
    const uint8_t *value; /* in the packet */
};

struct forward {
    struct forward *next;  /* of those of its track that wait in core */
    struct packet *packet; /* borrowed; while it waits, a reference */
    struct track_layer *layer;
    uint8_t format;      /* index in codecs of the publisher's m-line */
    bool newest;         /* no packet of the layer with a higher number has come yet */
    uint32_t clock_rate; /* [Hz] of its timestamps */
    int64_t now_us;
    struct frame_info frame; /* of audio nothing but starts_key, which is true */
    uint8_t n_extensions;
    struct forward_extension extensions[FORWARD_MAX_EXTENSIONS];
};

#endif
