#include "media/redundancy.h"

/* [share] from which on a level begins. */
static const double BEGINS[REDUNDANCY_LEVELS] = {0, 0.02, 0.1};

/* @return the highest level that begins at `loss` */
static uint8_t level_of(double loss)
{
    uint8_t level = 0;

    while (level + 1 < REDUNDANCY_LEVELS && loss >= BEGINS[level + 1])
        level++;
    return level;
}

uint8_t redundancy_update(struct redundancy *r, double loss, uint8_t room, int64_t now_us)
{
    uint8_t level = level_of(loss);

    if (level > r->level)
        r->level = level;
    level = level_of(2 * loss);
    if (level >= r->level) {
        r->calm_us = 0;
    } else if (r->calm_us == 0) {
        r->calm_us = now_us;
    } else if (now_us - r->calm_us >= REDUNDANCY_CALM_US) {
        r->level = level;
        r->calm_us = 0;
    }
    return r->level < room ? r->level : room;
}
