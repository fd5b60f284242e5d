#include "sfu/participant_refresh.h"

#include "sfu/core.h"
#include "sfu/participant.h"
#include "sfu/participant_slots.h"
#include "sfu/participant_want.h"
#include "sfu/track.h"

static void forget_what_was_told(struct subscription *s)
{
    s->told_track = ~(s->track ? s->track->id : 0); /* another one, whatever it is */
    s->share.told = SLOT_ACTIVE;                    /* as every slot is that is told to be bound */
}

void participant_refresh(struct participant *p, int64_t now_us)
{
    for (size_t i = 0; i < p->plan->n_sections; i++) {
        if (p->subscriptions[i])
            forget_what_was_told(p->subscriptions[i]);
    }
    participant_tell_slots(p);
    participant_want_tell_all(p);
    p->need_outstanding = false;
    p->need_us = now_us - NEED_INTERVAL_US;
    core_touch(p->core, &p->actor);
}
