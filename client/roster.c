#include "client/roster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 16 };

void roster_done(struct roster *r)
{
    free(r->participants);
    free(r->tracks);
    *r = (struct roster){0};
}

/* @return room for one more element of `size` bytes, or NULL: no memory */
static void *grow(void *array, size_t n, size_t *capacity, size_t size)
{
    size_t wanted = *capacity ? *capacity * 2 : FIRST_CAPACITY;
    void *grown = array;

    if (n < *capacity)
        return array;
    grown = reallocarray(array, wanted, size);
    if (grown)
        *capacity = wanted;
    return grown;
}

static struct roster_participant *find_participant(const struct roster *r, uint32_t id)
{
    for (size_t i = 0; i < r->n_participants; i++) {
        if (r->participants[i].id == id)
            return &r->participants[i];
    }
    return NULL;
}

static struct roster_track *find_track(const struct roster *r, uint32_t id)
{
    for (size_t i = 0; i < r->n_tracks; i++) {
        if (r->tracks[i].id == id)
            return &r->tracks[i];
    }
    return NULL;
}

static int put_track(struct roster *r, const struct message_track *track, uint32_t participant)
{
    struct roster_track *known = find_track(r, track->id);

    if (!known) {
        struct roster_track *grown = grow(r->tracks, r->n_tracks, &r->track_capacity,
                                          sizeof(*r->tracks));

        if (!grown)
            return -ENOMEM;
        r->tracks = grown;
        known = &r->tracks[r->n_tracks++];
    }
    *known = (struct roster_track){
        .id = track->id, .participant = participant, .kind = track->kind, .muted = track->muted};
    return 0;
}

static void remove_track(struct roster *r, struct roster_track *track)
{
    if (track)
        *track = r->tracks[--r->n_tracks];
}

static int put_participant(struct roster *r, const struct message_participant *participant)
{
    struct roster_participant *known = find_participant(r, participant->id);
    int err = 0;

    if (!known) {
        struct roster_participant *grown = grow(r->participants, r->n_participants,
                                                &r->participant_capacity, sizeof(*r->participants));

        if (!grown)
            return -ENOMEM;
        r->participants = grown;
        known = &r->participants[r->n_participants++];
        known->id = participant->id;
    }
    (void)snprintf(known->name, sizeof(known->name), "%s", participant->name);
    for (uint32_t i = 0; i < participant->n_tracks && err == 0; i++)
        err = put_track(r, &participant->tracks[i], participant->id);
    return err;
}

static void remove_tracks_of(struct roster *r, uint32_t participant)
{
    for (size_t i = r->n_tracks; i > 0; i--) {
        if (r->tracks[i - 1].participant == participant)
            remove_track(r, &r->tracks[i - 1]);
    }
}

static int update_participants(struct roster *r, const struct message *m)
{
    int err = 0;

    for (uint32_t i = 0; i < m->n_participants && err == 0; i++) {
        /* The name of one who left is kept: what was recorded is still named after it. */
        if (m->type == MESSAGE_PARTICIPANT && m->change == CHANGE_LEAVE)
            remove_tracks_of(r, m->participants[i].id);
        else
            err = put_participant(r, &m->participants[i]);
    }
    return err;
}

int roster_update(struct roster *r, const struct message *m)
{
    if (m->type == MESSAGE_RESUMED && !m->replayed)
        r->n_tracks = 0; /* all there are follow */
    if (m->type == MESSAGE_JOINED || m->type == MESSAGE_RESUMED || m->type == MESSAGE_PARTICIPANT)
        return update_participants(r, m);
    if (m->type != MESSAGE_TRACK)
        return 0;
    if (m->change != CHANGE_LEAVE)
        return put_track(r, &m->track, m->track.participant);
    remove_track(r, find_track(r, m->track.id));
    return 0;
}

const char *roster_name(const struct roster *r, uint32_t participant)
{
    const struct roster_participant *known = find_participant(r, participant);

    return known ? known->name : "";
}

const struct roster_track *roster_track(const struct roster *r, uint32_t track)
{
    return find_track(r, track);
}
