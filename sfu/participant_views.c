#include "sfu/participant_views.h"

#include "media/base/list.h"
#include "sfu/room.h"
#include "sfu/track.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 8 };

void participant_views_done(struct participant_views *v)
{
    free(v->views);
    *v = (struct participant_views){0};
}

static struct participant_view *find(const struct participant_views *v, uint32_t track,
                                     uint32_t slot)
{
    for (uint32_t i = 0; i < v->n; i++) {
        struct participant_view *view = &v->views[i];

        if (view->track == track && (track || view->slot == slot))
            return view;
    }
    return NULL;
}

static bool is_in_room(const struct room *room, uint32_t track)
{
    LIST_FOREACH(link, &room->tracks) {
        if (CONTAINER_OF(link, struct track, room_link)->id == track)
            return true;
    }
    return false;
}

static void forget_ended(struct participant_views *v, const struct room *room)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < v->n; i++) {
        if (!v->views[i].track || is_in_room(room, v->views[i].track))
            v->views[kept++] = v->views[i];
    }
    v->n = kept;
}

static bool grow(struct participant_views *v)
{
    uint32_t capacity = v->capacity ? 2 * v->capacity : FIRST_CAPACITY;
    struct participant_view *views = realloc(v->views, capacity * sizeof(*views));

    if (!views)
        return false;
    v->views = views;
    v->capacity = capacity;
    return true;
}

struct participant_view *participant_views_edit(struct participant_views *v, uint32_t track,
                                                uint32_t slot, const struct room *room)
{
    struct participant_view *view = find(v, track, slot);

    if (view)
        return view;
    if (v->n == v->capacity) /* before it grows: tracks come and go for hours */
        forget_ended(v, room);
    if (v->n == PARTICIPANT_MAX_VIEWS || (v->n == v->capacity && !grow(v)))
        return NULL;
    view = &v->views[v->n++];
    *view = (struct participant_view){.track = track, .slot = track ? 0 : slot};
    return view;
}

const struct participant_view *participant_views_of_track(const struct participant_views *v,
                                                          uint32_t track)
{
    return find(v, track, 0);
}

struct participant_view participant_views_find(const struct participant_views *v, uint32_t track,
                                               uint32_t slot)
{
    const struct participant_view *of_track = find(v, track, 0);
    const struct participant_view *of_slot = find(v, 0, slot);
    struct participant_view view = {.track = track, .slot = slot};

    if (of_track)
        view = *of_track;
    if (!of_slot)
        return view;
    view.paused = view.paused || of_slot->paused;
    if (!view.size.width && !view.size.height) {
        view.size.width = of_slot->size.width;
        view.size.height = of_slot->size.height;
    }
    if (!view.size.fps)
        view.size.fps = of_slot->size.fps;
    if (view.priority == PRIORITY_NORMAL)
        view.priority = of_slot->priority;
    return view;
}
