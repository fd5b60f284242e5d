#include "sfu/drain.h"

#include "media/base/clock.h"

#include <stdio.h>

void drain_begin(struct drain *d, int64_t left_us, bool stop, const char *url, int64_t now_us)
{
    *d = (struct drain){
        .on = true, .stop = stop, .deadline_us = left_us < 0 ? INT64_MAX : now_us + left_us};
    (void)snprintf(d->redirect_url, sizeof(d->redirect_url), "%s", url);
}

void drain_cancel(struct drain *d)
{
    *d = (struct drain){0};
}

enum drain_step drain_advance(struct drain *d, uint32_t participants, int64_t now_us)
{
    if (!d->on)
        return DRAIN_WAIT;
    if (participants == 0)
        return d->stop ? DRAIN_STOP : DRAIN_WAIT;
    if (now_us < d->deadline_us || d->sent_away)
        return DRAIN_WAIT;
    d->sent_away = true;
    return DRAIN_SEND_AWAY;
}

int64_t drain_left_s(const struct drain *d, int64_t now_us)
{
    if (d->deadline_us == INT64_MAX)
        return -1;
    return d->deadline_us > now_us ? (d->deadline_us - now_us + SECOND - 1) / SECOND : 0;
}
