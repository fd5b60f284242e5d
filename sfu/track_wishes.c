/* Which layers of a track flow, who aims for which, and what nobody needs: parts of track.h. */
#include "sfu/core.h"
#include "sfu/subscription.h"
#include "sfu/track.h"
#include "sfu/track_relay.h"

static uint8_t bit_of(unsigned at)
{
    return (uint8_t)(1U << at);
}

static uint8_t find_flowing(const struct track *t, int64_t now_us)
{
    uint8_t flowing = 0;

    for (unsigned i = 0; i < PLAN_MAX_LAYERS; i++) {
        if (t->layers[i] && track_layer_flows(t->layers[i], now_us))
            flowing |= bit_of(i);
    }
    return flowing;
}

struct track_layer *track_aim(const struct track *t, uint8_t at)
{
    struct track_layer *found = NULL;

    for (unsigned i = 0; i < PLAN_MAX_LAYERS && (i <= at || !found); i++) {
        if (t->flowing & bit_of(i))
            found = t->layers[i];
    }
    return found;
}

void track_choose_layer(struct track *t, int64_t now_us)
{
    uint8_t flowing = find_flowing(t, now_us);

    if (!flowing || flowing == t->flowing)
        return;
    t->flowing = flowing;
    t->best = track_aim(t, UINT8_MAX);
    if (t->relay_to)
        track_relay_aim(t);
    LIST_FOREACH(link, &t->live)
        subscription_aim(subscription_of_link(link));
    track_note_change(t);
}

void track_note_change(struct track *t)
{
    LIST_FOREACH(link, &t->live)
        subscriber_note_change(subscription_of_link(link)->subscriber);
}

void track_note_wishes(struct track *t)
{
    if (t->wishes_changed)
        return;
    t->wishes_changed = true;
    core_touch(t->core, t->publisher);
}

static uint8_t wishes_of(const struct track *t, const struct subscription *s, uint8_t all)
{
    uint8_t highest = t->section->n_layers - 1;
    uint8_t wanted = s->layer ? bit_of(track_layer_index(t, s->layer)) : 0;

    if (s->automatic)
        return all; /* whichever flows */
    if (s->wanted.paused)
        return wanted;
    if (s->target)
        wanted |= bit_of(track_layer_index(t, s->target));
    return wanted | bit_of(s->wanted.layer < highest ? s->wanted.layer : highest);
}

bool track_update_wishes(struct track *t)
{
    uint8_t all = (uint8_t)(bit_of(t->section->n_layers) - 1);
    uint8_t before = t->wanted_layers;

    if (!t->wishes_changed)
        return false;
    t->wishes_changed = false;
    t->wanted_layers = 0;
    LIST_FOREACH(link, &t->live)
        t->wanted_layers |= wishes_of(t, subscription_of_link(link), all);
    for (unsigned i = 0; i < PLAN_MAX_LAYERS; i++)
        t->wanted_layers |= t->relay_wants[i] ? bit_of(i) & all : 0;
    return t->wanted_layers != before;
}
