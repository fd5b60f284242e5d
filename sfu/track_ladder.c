#include "sfu/track_ladder.h"

#include "sfu/core.h"
#include "sfu/track.h"

#include <stdlib.h>
#include <string.h>

enum {
    ON_THE_WIRE_PERCENT = 103, /* extensions that are added, and the tag of SRTP */
    UP = 4,   /* a rate that is higher now is believed by that part of the difference */
    DOWN = 8, /* one that is lower: it may be the picture that is quiet */
};

/* A rate is taken as measured for so long. */
static const int64_t YOUNG_US = 2 * SECOND;

_Static_assert(LADDER_MAX_ENCODINGS == (int)PLAN_MAX_LAYERS, "one for each");

static bool flows(const struct track *t, uint8_t at, int64_t now_us)
{
    return t->layers[at] && track_layer_flows(t->layers[at], now_us);
}

/* Does nothing come, though something should? */
static bool is_silent(const struct track *t, int64_t now_us)
{
    bool expected = false;

    for (uint8_t i = 0; i < t->section->n_layers; i++) {
        if (flows(t, i, now_us))
            return false;
        expected = expected || layer_want_expects(&t->want, i, now_us);
    }
    return expected;
}

/* Is the encoding sent, or would it be if we asked? */
static bool is_there(const struct track *t, uint8_t at, int64_t now_us)
{
    const struct track_layer *layer = t->layers[at];

    if (!layer || !layer->receiver.started)
        return false;
    return flows(t, at, now_us) || !layer_want_expects(&t->want, at, now_us);
}

static void even_out(uint32_t *kept, uint32_t measured, bool young)
{
    if (*kept == 0 || young)
        *kept = measured;
    else if (measured > *kept)
        *kept += (measured - *kept) / UP;
    else
        *kept -= (*kept - measured) / DOWN;
}

/* Frames are missing for a moment when an encoding begins, and in every freeze. */
static void even_out_fps(uint8_t *kept, uint8_t measured)
{
    if (measured >= *kept)
        *kept = measured;
    else
        *kept -= (uint8_t)((*kept - measured + DOWN - 1) / DOWN);
}

static void measure(struct track_ladder *l, const struct track *t, uint8_t at, int64_t now_us)
{
    const struct track_layer *layer = t->layers[at];
    bool young;

    if (!layer || !track_layer_flows(layer, now_us))
        return; /* what it had is remembered */
    if (!l->began_us[at])
        l->began_us[at] = now_us;
    young = now_us < l->began_us[at] + YOUNG_US;
    even_out_fps(&l->fps[at], layer->fps);
    for (uint8_t sid = 0; sid < layer->n_spatial && sid < LADDER_MAX_LAYERS; sid++) {
        for (uint8_t tid = 0; tid < layer->n_temporal && tid < LADDER_MAX_LAYERS; tid++) {
            uint64_t bps = track_layer_rate(layer, sid, tid);

            even_out(&l->bps[at][sid][tid], (uint32_t)(bps * ON_THE_WIRE_PERCENT / 100), young);
        }
    }
}

static struct ladder_encoding describe(const struct track_ladder *l, const struct track *t,
                                       uint8_t at)
{
    const struct track_layer *layer = t->layers[at];
    struct ladder_encoding e = {.there = true};

    e.n_spatial = layer->n_spatial;
    e.n_temporal = layer->n_temporal;
    e.width = layer->width;
    e.height = layer->height;
    e.fps = l->fps[at];
    memcpy(e.bps, l->bps[at], sizeof(e.bps));
    return e;
}

static bool is_measured(const struct ladder_encoding *e)
{
    return e->n_spatial && e->n_temporal && e->bps[e->n_spatial - 1][e->n_temporal - 1];
}

static void make(struct track_ladder *l, struct track *t, int64_t now_us)
{
    struct ladder_encoding encodings[LADDER_MAX_ENCODINGS] = {{0}};
    uint8_t n = t->section->n_layers;
    bool silent = is_silent(t, now_us);

    track_choose_layer(t, now_us);
    l->partial = false;
    for (uint8_t i = 0; i < n && i < LADDER_MAX_ENCODINGS; i++) {
        measure(l, t, i, now_us);
        if (!silent && is_there(t, i, now_us))
            encodings[i] = describe(l, t, i);
        l->partial = l->partial || (flows(t, i, now_us) && !is_measured(&encodings[i]));
    }
    layer_ladder_make(&l->ladder, encodings, n, t->screen);
    l->made_us = now_us;
    l->flowing = t->flowing;
    l->told = t->want.told;
}

static bool is_due(const struct track_ladder *l, const struct track *t, int64_t now_us)
{
    int64_t interval_us = l->partial ? TRACK_LADDER_FIRST_US : TRACK_LADDER_INTERVAL_US;

    return now_us >= l->made_us + interval_us || l->flowing != t->flowing ||
           l->told != t->want.told;
}

const struct layer_ladder *track_ladder(struct track *t, int64_t now_us)
{
    if (t->kind != KIND_VIDEO)
        return NULL;
    if (!t->ladder) {
        t->ladder = calloc(1, sizeof(*t->ladder));
        if (!t->ladder) {
            t->core->stats.drop_memory++;
            return NULL;
        }
        make(t->ladder, t, now_us);
    } else if (is_due(t->ladder, t, now_us)) {
        make(t->ladder, t, now_us);
    }
    return &t->ladder->ladder;
}

uint8_t track_needed_layers(const struct track *t, int64_t now_us)
{
    uint8_t needed = t->wanted_layers;

    for (uint8_t i = 0; i < t->section->n_layers && needed; i++) {
        if (!t->layers[i] || (!flows(t, i, now_us) && layer_want_expects(&t->want, i, now_us)))
            needed |= (uint8_t)(1U << i);
    }
    return needed & (uint8_t)((1U << t->section->n_layers) - 1);
}
