/**
 * @file subscription_target.h  Which packets of its track a subscription takes: the side of
 * subscription.c that knows of layers. Thread: the worker's own.
 */
#ifndef SFU_SUBSCRIPTION_TARGET_H
#define SFU_SUBSCRIPTION_TARGET_H

#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "media/picture_rewriter.h"
#include "media/seq_rewriter.h"
#include "sfu/forward.h"
#include "sfu/layer_selector.h"

#include <stdbool.h>
#include <stdint.h>

struct subscription;
struct track_layer;

/** After a switch, packets of before are found for so long. */
#define SUBSCRIPTION_PAST_US (1 * SECOND)

/** What a subscription needs once it leaves out layers, or was switched: most never do. */
struct subscription_layers {
    bool renumbers;    /* `pictures` counts */
    bool has_selector; /* `selector` knows frames of the layer */
    int64_t asked_us;  /* when a key picture was asked for that the selector needs; or NEVER_US */
    int64_t open_us;   /* since then the selector leaves nothing out; or NEVER_US */
    struct picture_rewriter pictures;
    struct layer_selector selector;
    /* what was sent before the last switch */
    struct track_layer *past; /* NULL: nothing is known of it */
    int64_t past_until_us;
    struct seq_rewriter past_rewriter;
    struct picture_rewriter past_pictures;
    struct layer_selector past_selector;
    bool past_has_selector;
};

/** How packets of a layer were sent, now or before. */
struct sent_source {
    struct track_layer *layer;
    struct seq_rewriter *rewriter;
    struct picture_rewriter *pictures; /* NULL: numbers of pictures went as they are */
    struct layer_selector *selector;   /* NULL: all went */
};

/** A packet of another layer than what is forwarded: @return true if the stream goes over to it,
 *  beginning with this packet */
bool subscription_begin(struct subscription *s, const struct forward *f);

/** @return true if a picture of `layer` was taken so long before the last one that was sent, by the
 *          sources' clocks, that the stream must not go over to it. @param ts  the picture's */
bool subscription_is_past(const struct subscription *s, const struct track_layer *layer,
                          uint32_t ts);

/** What becomes of a packet of the layer. */
enum admission {
    ADMIT,        /* it goes out */
    ADMIT_AS_END, /* likewise, as the last packet of its picture */
    ADMIT_NOT,    /* it is left out */
    ADMIT_NONE,   /* nothing of the layer goes out any more */
};

/** There is something to attend to. @param newest  nothing later of the layer was sent */
enum admission subscription_admit(struct subscription *s, const struct forward *f, bool newest);

/** A picture is complete, and a key frame of the target waits for that: go over to it. */
void subscription_finish_switch(struct subscription *s, int64_t now_us);

/** @return the number in its source of what was sent as `seq`, and *ret that source; -ENOENT: it is
 *          no number that we know */
MUST_USE int subscription_find_sent(struct subscription *s, uint16_t seq, int64_t now_us,
                                    struct sent_source *ret);

/** A late packet is of what was sent before the last switch, or the pause.
 *  @return true, and *ret is how that was sent */
bool subscription_find_past(struct subscription *s, const struct forward *f,
                            struct sent_source *ret);

/** @return the packet as the selector sees it */
struct selector_packet subscription_selector_packet(const struct forward *f, bool newest);

#endif
