/**
 * @file layer_ladder.h  In which ways a video source can be sent to one subscriber: its encodings,
 * spatial and temporal layers as steps that cost more and show more; and which of them a view of a
 * certain size is worth. Pure, plain values. Thread: any.
 */
#ifndef SFU_LAYER_LADDER_H
#define SFU_LAYER_LADDER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LADDER_MAX_ENCODINGS = 3,
    LADDER_MAX_LAYERS = 4, /* spatial, and temporal, of one encoding */
    LADDER_MAX_STEPS = LADDER_MAX_ENCODINGS * LADDER_MAX_LAYERS * LADDER_MAX_LAYERS,
};

/** One encoding, as far as it is known. */
struct ladder_encoding {
    bool there;                    /* it is sent, or would be if it were wanted */
    uint8_t n_spatial, n_temporal; /* 0 is taken as 1; at most LADDER_MAX_LAYERS */
    uint16_t width, height;        /* of the highest spatial layer; 0: not known */
    uint8_t fps;                   /* of the highest temporal layer; 0: not known */
    /* of all packets with at most this spatial and temporal layer [bit/s]; 0: not known, but the
     * one of the highest of both must be */
    uint32_t bps[LADDER_MAX_LAYERS][LADDER_MAX_LAYERS];
};

/** One way to send the source. */
struct ladder_step {
    uint32_t bps;
    uint16_t width, height; /* assumed where not known, never 0 */
    uint8_t fps;            /* likewise */
    uint8_t layer;          /* index of the encoding */
    uint8_t sid, tid;       /* highest spatial and temporal layer sent */
};

struct layer_ladder {
    bool screen; /* sharp rather than smooth */
    uint8_t n;
    struct ladder_step steps[LADDER_MAX_STEPS]; /* cheapest first */
};

/** What a subscriber shows of a source; 0: it does not say. */
struct ladder_view {
    uint16_t width, height; /* [px] */
    uint8_t fps;            /* at most */
};

/** What a step is worth, to be compared with others of a ladder with the same `screen`. A camera's
 *  picture loses more by frames than by lines, a screen the other way round. */
uint64_t ladder_step_worth(const struct ladder_step *step, bool screen);

/** Make the ladder of a source with `n` encodings, lowest first. One whose rate is not known is
 *  left out. */
void layer_ladder_make(struct layer_ladder *ret, const struct ladder_encoding *encodings, uint8_t n,
                       bool screen);

/**
 * Choose the steps worth taking for a view: no more than the smallest picture that covers it (a
 * little stretching is not seen) and the frames it wants, and none that shows less than a cheaper
 * one. One step remains at least, if there was any.
 *
 * @param ret  receives indices into ladder->steps, cheapest first
 * @return how many
 */
uint8_t layer_ladder_narrow(const struct layer_ladder *ladder, const struct ladder_view *view,
                            uint8_t ret[LADDER_MAX_STEPS]);

#endif
