#include "sfu/layer_ladder.h"

#include <stddef.h>

enum {
    USUAL_WIDTH = 1280,
    USUAL_HEIGHT = 720,
    USUAL_FPS = 30,
    SMOOTH_FPS = 30,       /* more frames than that are worth little */
    AREA_MAX = 1 << 26,    /* [px] what is compared is no larger */
    STRETCH_PERCENT = 150, /* a picture stretched to that area still covers a view */
    FPS_EXCESS_PERCENT =
        125 /* so many more frames than wanted are no reason to have half of them */
};

/* What the lower temporal layers usually take of an encoding [percent], by their number. */
static const uint8_t temporal_percent[LADDER_MAX_LAYERS][LADDER_MAX_LAYERS] = {
    {100}, {60, 100}, {40, 60, 100}, {25, 40, 60, 100}};

static uint64_t area_of(const struct ladder_step *step)
{
    uint64_t area = (uint64_t)step->width * step->height;

    return area < AREA_MAX ? area : AREA_MAX;
}

uint64_t ladder_step_worth(const struct ladder_step *step, bool screen)
{
    uint64_t area = area_of(step);
    uint64_t frames = step->fps <= SMOOTH_FPS ? 4 * step->fps : 3 * SMOOTH_FPS + step->fps;

    /* Half the frames are made up for by 16 times the area; of a screen twice the area is worth
     * four times the frames. Of two encodings of one size the higher is the finer. */
    return (screen ? area * area * frames : area * frames * frames * frames * frames) *
               LADDER_MAX_ENCODINGS +
           step->layer;
}

static uint8_t layers_of(uint8_t n)
{
    if (n == 0)
        return 1;
    return n < LADDER_MAX_LAYERS ? n : LADDER_MAX_LAYERS;
}

/* @return what all up to (sid, tid) takes; 0: not known */
static uint32_t rate_of(const struct ladder_encoding *e, uint8_t sid, uint8_t tid)
{
    uint8_t n_spatial = layers_of(e->n_spatial);
    uint8_t n_temporal = layers_of(e->n_temporal);
    uint64_t whole;

    if (e->bps[sid][tid])
        return e->bps[sid][tid];
    whole = e->bps[sid][n_temporal - 1];
    if (!whole) /* each spatial layer has about four times the rate of the one below */
        whole = e->bps[n_spatial - 1][n_temporal - 1] >> 2 * (n_spatial - 1 - sid);
    return (uint32_t)(whole * temporal_percent[n_temporal - 1][tid] / 100);
}

/* What the highest encoding has, from one whose size is known. */
static struct ladder_view largest(const struct ladder_encoding *encodings, uint8_t n)
{
    struct ladder_view view = {.width = USUAL_WIDTH, .height = USUAL_HEIGHT};

    for (uint8_t i = 0; i < n; i++) {
        if (!encodings[i].width || !encodings[i].height)
            continue;
        view.width = (uint16_t)(encodings[i].width << (n - 1 - i));
        view.height = (uint16_t)(encodings[i].height << (n - 1 - i));
    }
    return view;
}

static uint8_t at_least_one(uint32_t value)
{
    return (uint8_t)(value ? value : 1);
}

static void add_step(struct layer_ladder *l, const struct ladder_step *step)
{
    uint8_t at = l->n++;

    for (; at > 0 && l->steps[at - 1].bps > step->bps; at--)
        l->steps[at] = l->steps[at - 1];
    l->steps[at] = *step;
}

/* `size`: of the encoding's highest spatial layer. */
static void add_encoding(struct layer_ladder *l, const struct ladder_encoding *e, uint8_t layer,
                         const struct ladder_view *size)
{
    uint8_t n_spatial = layers_of(e->n_spatial);
    uint8_t n_temporal = layers_of(e->n_temporal);
    uint8_t fps = e->fps ? e->fps : USUAL_FPS;

    for (uint8_t sid = 0; sid < n_spatial; sid++) {
        uint8_t smaller = (uint8_t)(n_spatial - 1 - sid);

        for (uint8_t tid = 0; tid < n_temporal; tid++) {
            struct ladder_step step = {
                .bps = rate_of(e, sid, tid),
                .width = (uint16_t)(size->width >> smaller ? size->width >> smaller : 1),
                .height = (uint16_t)(size->height >> smaller ? size->height >> smaller : 1),
                .fps = at_least_one(fps >> (n_temporal - 1 - tid)),
                .layer = layer,
                .sid = sid,
                .tid = tid,
            };

            if (step.bps)
                add_step(l, &step);
        }
    }
}

void layer_ladder_make(struct layer_ladder *ret, const struct ladder_encoding *encodings, uint8_t n,
                       bool screen)
{
    struct ladder_view top;

    if (n > LADDER_MAX_ENCODINGS)
        n = LADDER_MAX_ENCODINGS;
    top = largest(encodings, n);
    ret->screen = screen;
    ret->n = 0;
    for (uint8_t i = 0; i < n; i++) {
        struct ladder_view size = {.width = encodings[i].width, .height = encodings[i].height};

        if (!encodings[i].there)
            continue;
        if (!size.width || !size.height) {
            size.width = (uint16_t)(top.width >> (n - 1 - i));
            size.height = (uint16_t)(top.height >> (n - 1 - i));
        }
        add_encoding(ret, &encodings[i], i, &size);
    }
}

/* @return the area of the smallest picture that covers the view, or a larger one */
static uint64_t covering_area(const struct layer_ladder *l, const struct ladder_view *view)
{
    uint64_t wanted = (uint64_t)view->width * view->height * 100;
    uint64_t best = UINT64_MAX;

    if (!wanted)
        return UINT64_MAX;
    for (uint8_t i = 0; i < l->n; i++) {
        uint64_t area = area_of(&l->steps[i]);

        if (area * STRETCH_PERCENT >= wanted && area < best)
            best = area;
    }
    return best;
}

/* Has the step more frames than wanted, though fewer could be had of the same picture? */
static bool is_too_fast(const struct ladder_step *step, const struct ladder_view *view)
{
    return view->fps && step->tid > 0 && step->fps * 100 > view->fps * FPS_EXCESS_PERCENT;
}

uint8_t layer_ladder_narrow(const struct layer_ladder *ladder, const struct ladder_view *view,
                            uint8_t ret[LADDER_MAX_STEPS])
{
    uint64_t max_area = covering_area(ladder, view);
    uint64_t worth = 0;
    uint8_t n = 0;

    for (uint8_t i = 0; i < ladder->n; i++) {
        const struct ladder_step *step = &ladder->steps[i];
        uint64_t worth_now = ladder_step_worth(step, ladder->screen);

        if (area_of(step) > max_area || is_too_fast(step, view))
            continue;
        if (n > 0 && worth_now <= worth)
            continue;
        if (n > 0 && step->bps == ladder->steps[ret[n - 1]].bps)
            n--; /* more for the same */
        ret[n++] = i;
        worth = worth_now;
    }
    return n;
}
