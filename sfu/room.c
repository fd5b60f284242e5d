#include "sfu/room.h"

#include "sfu/core.h"
#include "sfu/participant.h"
#include "sfu/participant_slots.h"
#include "sfu/room_speakers.h"
#include "sfu/track.h"

#include <assert.h>
#include <stdlib.h>

struct room *room_new(struct core *core, uint32_t id)
{
    struct room *room = calloc(1, sizeof(*room));

    if (!room)
        return NULL;
    room->core = core;
    room->id = id;
    list_init(&room->participants);
    list_init(&room->tracks);
    list_init(&room->relays);
    return room;
}

bool room_empty(const struct room *room)
{
    return list_empty(&room->participants) && list_empty(&room->relays);
}

struct room *room_free(struct room *room)
{
    if (!room)
        return NULL;
    assert(room_empty(room) && list_empty(&room->tracks));
    list_unlink(&room->dirty_link);
    room_speakers_free(room->speakers);
    free(room);
    return NULL;
}

void room_add(struct room *room, struct participant *p)
{
    list_append(&room->participants, &p->room_link);
    room->n_participants++;
}

void room_remove(struct room *room, struct participant *p)
{
    list_unlink(&p->room_link);
    room->n_participants--;
}

void room_add_track(struct room *room, struct track *track)
{
    list_append(&room->tracks, &track->room_link);
    track->room = room;
}

static void make_dirty(struct room *room)
{
    if (!list_linked(&room->dirty_link))
        list_append(&room->core->dirty_rooms, &room->dirty_link);
}

void room_touch(struct room *room)
{
    room->all_dirty = true;
    make_dirty(room);
}

void room_touch_one(struct room *room, struct participant *p)
{
    p->wishes_changed = true;
    make_dirty(room);
}

static size_t count_tracks(const struct room *room)
{
    size_t n = 0;

    LIST_FOREACH(link, &room->tracks)
        n++;
    return n;
}

/* @return true: a picture has to wait before it may move to a slot */
static bool assign_each(struct room *room, struct track *const *tracks, size_t n,
                        const struct slot_scratch *scratch, int64_t now_us)
{
    bool held = false;

    room->crowded[KIND_AUDIO] = room->crowded[KIND_VIDEO] = false;
    LIST_FOREACH(link, &room->participants) {
        struct participant *p = CONTAINER_OF(link, struct participant, room_link);

        if ((room->all_dirty || p->wishes_changed) &&
            participant_assign_slots(p, tracks, n, scratch, now_us))
            held = true;
        p->wishes_changed = false;
        for (int kind = 0; kind < SLOT_KINDS; kind++)
            room->crowded[kind] = room->crowded[kind] || p->crowded[kind];
    }
    room->all_dirty = false;
    return held;
}

void room_assign_slots(struct room *room, int64_t now_us)
{
    size_t n = count_tracks(room);
    struct slot_scratch scratch = {0};
    struct track **tracks = calloc(n + 1, sizeof(struct track *));

    scratch.tracks = calloc(n + 1, sizeof(struct track *));
    scratch.rated = calloc(n + 1, sizeof(*scratch.rated));
    scratch.described = calloc(n + 1, sizeof(*scratch.described));
    if (!tracks || !scratch.tracks || !scratch.rated || !scratch.described) {
        room->core->stats.drop_memory++; /* the next change tries again */
        goto out;
    }
    n = 0;
    LIST_FOREACH(link, &room->tracks) {
        tracks[n] = CONTAINER_OF(link, struct track, room_link);
        participant_rate_track(tracks[n], &scratch.rated[n]);
        n++;
    }
    if (assign_each(room, tracks, n, &scratch, now_us) && room->speakers)
        room_speakers_hold(room->speakers);
out:
    free(tracks);
    free(scratch.tracks);
    free(scratch.rated);
    free(scratch.described);
}
