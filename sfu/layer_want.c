#include "sfu/layer_want.h"

void layer_want_init(struct layer_want *w, uint8_t n, int64_t now_us)
{
    *w = (struct layer_want){.told = (uint8_t)((1U << n) - 1)};
    w->needed = w->told;
    for (uint32_t i = 0; i < PLAN_MAX_LAYERS; i++)
        w->asked_us[i] = w->left_us[i] = now_us;
}

static bool has(uint8_t set, uint32_t at)
{
    return set >> at & 1;
}

/* @return what is to be told: what is needed, and what was until lately */
static uint8_t wish(const struct layer_want *w, int64_t now_us)
{
    uint8_t wish = w->needed;

    for (uint32_t i = 0; i < PLAN_MAX_LAYERS; i++) {
        if (has(w->told, i) && now_us < w->left_us[i] + LAYER_WANT_KEEP_US)
            wish |= (uint8_t)(1U << i);
    }
    return wish;
}

bool layer_want_update(struct layer_want *w, uint8_t needed, int64_t now_us)
{
    uint8_t before = w->told;
    uint8_t now;

    if (needed == w->needed && needed == w->told)
        return false; /* as nearly always */
    for (uint32_t i = 0; i < PLAN_MAX_LAYERS; i++) {
        if (has(w->needed, i) && !has(needed, i))
            w->left_us[i] = now_us;
    }
    w->needed = needed;
    now = wish(w, now_us);
    if (now == before || (w->spoke && now_us < w->told_us + LAYER_WANT_INTERVAL_US))
        return false;
    for (uint32_t i = 0; i < PLAN_MAX_LAYERS; i++) {
        if (has(now, i) && !has(before, i))
            w->asked_us[i] = now_us;
    }
    w->told = now;
    w->spoke = true;
    w->told_us = now_us;
    return true;
}

int64_t layer_want_deadline(const struct layer_want *w)
{
    int64_t next_us = NEVER_US;
    int64_t may_us = w->spoke ? w->told_us + LAYER_WANT_INTERVAL_US : 0;

    if (w->needed & ~w->told)
        return may_us;
    for (uint32_t i = 0; i < PLAN_MAX_LAYERS; i++) {
        int64_t due_us = w->left_us[i] + LAYER_WANT_KEEP_US;

        if (has(w->told, i) && !has(w->needed, i) && due_us < next_us)
            next_us = due_us;
    }
    return next_us > may_us ? next_us : may_us;
}

bool layer_want_expects(const struct layer_want *w, uint8_t at, int64_t now_us)
{
    return has(w->told, at) && now_us >= w->asked_us[at] + LAYER_WANT_PATIENCE_US;
}
