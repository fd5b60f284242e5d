#include "sfu/subscription_target.h"

#include "sfu/core.h"
#include "sfu/subscription.h"
#include "sfu/track.h"

void subscriber_note_change(struct subscriber *s)
{
    if (s->layers_changed || !s->actor)
        return;
    s->layers_changed = true;
    core_touch(s->core, s->actor);
}

void subscription_connect(struct subscription *s)
{
    if (!s->track)
        return;
    list_unlink(&s->link);
    list_append(&s->track->live, &s->link);
    subscription_restart(s);
}

static void forget_layer(struct subscription *s)
{
    s->layer = NULL;
    s->attention = 0;
    s->mid_picture = false;
    track_note_wishes(s->track);
}

void subscription_restart(struct subscription *s)
{
    forget_layer(s);
    s->target = s->wanted.paused ? NULL : track_aim(s->track, s->wanted.layer);
    s->fresh = !s->wanted.paused;
    if (s->fresh)
        track_note_fresh(s->track);
}

void subscription_aim(struct subscription *s)
{
    struct track_layer *target;

    target = s->wanted.paused ? NULL : track_aim(s->track, s->wanted.layer);
    if (target == s->target)
        return;
    s->target = target;
    track_note_wishes(s->track);
    if (target && target != s->layer)
        track_want_key_frame(s->track, target);
}

static bool is_live(const struct subscription *s)
{
    return s->track && s->subscriber->connected;
}

/* Nothing shall be sent from the end of this picture on. */
static void pause_at_picture_end(struct subscription *s)
{
    s->target = NULL;
    s->fresh = false;
    if (s->layer && s->mid_picture)
        s->attention |= ATTEND_STOP;
    else
        forget_layer(s);
}

static bool is_same(const struct layer_target *a, const struct layer_target *b)
{
    return a->paused == b->paused && a->layer == b->layer && a->sid == b->sid && a->tid == b->tid;
}

void subscription_set_target(struct subscription *s, const struct layer_target *target)
{
    bool was_paused = s->wanted.paused;

    if (!s->automatic && is_same(&s->wanted, target))
        return;
    s->automatic = false;
    s->wanted = *target;
    if (!is_live(s))
        return;
    track_note_wishes(s->track);
    if (target->paused)
        pause_at_picture_end(s);
    else if (was_paused)
        subscription_restart(s);
    else
        subscription_aim(s);
}

struct layer_target subscription_current(const struct subscription *s)
{
    struct layer_target current = {.paused = !s->layer, .sid = UINT8_MAX, .tid = UINT8_MAX};

    if (s->layer)
        current.layer = track_layer_index(s->track, s->layer);
    return current;
}

void subscription_want_key_frame(struct subscription *s)
{
    if (s->track)
        track_want_key_frame(s->track, s->layer ? s->layer : s->target);
}

/* May the stream begin with `layer`? With less than is aimed for, too: better than nothing. */
static bool may_begin(const struct subscription *s, const struct track_layer *layer)
{
    return s->target &&
           track_layer_index(s->track, layer) <= track_layer_index(s->track, s->target);
}

/* Estimation begins with the first packet, before it leaves. */
static void note_sending(struct subscriber *subscriber)
{
    if (subscriber->sends)
        return;
    subscriber->sends = true;
    core_touch(subscriber->core, subscriber->actor);
}

bool subscription_begin(struct subscription *s, const struct forward *f)
{
    if (!f->frame.starts_key || f->packet->rtp.payload_len == 0 ||
        (f->layer != s->target && (s->layer || !may_begin(s, f->layer)))) {
        s->subscriber->core->stats.drop_waiting += !s->layer && s->target;
        return false;
    }
    if (s->rewriter.started)
        seq_rewriter_switch(&s->rewriter);
    s->layer = f->layer;
    s->attention = 0;
    track_note_wishes(s->track);
    note_sending(s->subscriber);
    return true;
}

/* @return true if the packet is of a later picture than the last that was sent */
static bool is_next_picture(const struct subscription *s, const struct forward *f)
{
    return f->newest && (!s->mid_picture || seq_rewriter_map_ts(&s->rewriter, f->packet->rtp.ts) !=
                                                s->rewriter.last_out_ts);
}

bool subscription_admit(struct subscription *s, const struct forward *f)
{
    if (s->attention & ATTEND_STOP && is_next_picture(s, f)) {
        forget_layer(s);
        return false;
    }
    return true;
}
