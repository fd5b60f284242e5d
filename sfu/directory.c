#include "sfu/directory.h"

#include "media/base/map.h"
#include "media/base/random.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct directory_room {
    char name[MESSAGE_ROOM_MAX + 1];
    uint32_t number;
    bool direct;
    uint32_t n_members, n_visible;
    struct directory_room_limits limits;
    struct list members;  /* directory_member.link, in the order of entering */
    uint32_t n_workers;   /* of the directory */
    uint32_t on_worker[]; /* members by worker */
};

struct directory {
    struct directory_limits limits;
    struct directory_handler handler;
    struct map rooms;        /* by name */
    struct map participants; /* by id */
    uint32_t next_participant, next_track, next_room;
    uint32_t n_workers;
    uint32_t *load; /* members by worker */
};

static struct directory_member *member_of(struct list *link)
{
    return CONTAINER_OF(link, struct directory_member, link);
}

int directory_new(struct directory **ret, const struct directory_limits *limits, uint32_t workers,
                  const struct directory_handler *handler)
{
    struct directory *d = calloc(1, sizeof(*d));

    if (!d)
        return -ENOMEM;
    map_init(&d->rooms);
    map_init(&d->participants);
    d->limits = *limits;
    d->handler = *handler;
    d->next_participant = random_u32();
    d->next_track = random_u32();
    d->next_room = random_u32();
    d->n_workers = workers;
    d->load = calloc(workers, sizeof(*d->load));
    if (!d->load) {
        directory_free(d);
        return -ENOMEM;
    }
    *ret = d;
    return 0;
}

struct directory *directory_free(struct directory *d)
{
    if (!d)
        return NULL;
    assert(map_count(&d->participants) == 0 && map_count(&d->rooms) == 0);
    map_done(&d->rooms);
    map_done(&d->participants);
    free(d->load);
    free(d);
    return NULL;
}

/* 0 means "none" everywhere. */
static uint32_t next_number(uint32_t *counter)
{
    ++*counter;
    if (*counter == 0)
        ++*counter;
    return *counter;
}

/* Rooms */

/* How well a worker does for one more of the room; the least is the best. */
static int rank_of(const struct directory *d, const struct directory_room *room, uint32_t worker)
{
    uint32_t n = room->on_worker[worker];

    if (n > 0 && n < d->limits.room_spread)
        return 0;
    return n == 0 ? 1 : 2;
}

static uint32_t choose_worker(const struct directory *d, const struct directory_room *room)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < d->n_workers; i++) {
        int rank = rank_of(d, room, i);
        int best_rank = rank_of(d, room, best);

        if (rank < best_rank || (rank == best_rank && d->load[i] < d->load[best]))
            best = i;
    }
    return best;
}

static int room_new(struct directory_room **ret, struct directory *d, const char *name)
{
    struct directory_room *room;
    int err;

    if (map_count(&d->rooms) >= d->limits.rooms)
        return -ENFILE;
    room = calloc(1, sizeof(*room) + d->n_workers * sizeof(room->on_worker[0]));
    if (!room)
        return -ENOMEM;
    err = map_put_str(&d->rooms, name, room);
    if (err < 0) {
        free(room);
        return err;
    }
    (void)snprintf(room->name, sizeof(room->name), "%s", name);
    room->number = next_number(&d->next_room);
    room->n_workers = d->n_workers;
    list_init(&room->members);
    *ret = room;
    return 0;
}

static void room_free_if_empty(struct directory *d, struct directory_room *room)
{
    if (room->n_members)
        return;
    (void)map_remove_str(&d->rooms, room->name);
    free(room);
}

/* Events */

static void tell_others(struct directory *d, const struct directory_member *m,
                        struct message *event)
{
    if (!m->announced || m->hidden)
        return;
    LIST_FOREACH(link, &m->room->members) {
        struct directory_member *other = member_of(link);

        if (other != m && other->announced)
            d->handler.deliver(other, event);
    }
}

static void describe(const struct directory_member *m, struct message_participant *ret)
{
    *ret = (struct message_participant){.id = m->id, .n_tracks = m->n_tracks};
    memcpy(ret->name, m->name, sizeof(ret->name));
    for (uint32_t i = 0; i < m->n_tracks; i++) {
        ret->tracks[i] = m->tracks[i];
        ret->tracks[i].mid[0] = '\0'; /* the publisher's own business */
        ret->tracks[i].max_bps = 0;
    }
}

static void tell_track(struct directory *d, const struct directory_member *m,
                       const struct message_track *track, enum message_change change)
{
    struct message event = {.type = MESSAGE_TRACK, .change = change, .track = *track};

    event.track.mid[0] = '\0';
    event.track.max_bps = 0;
    tell_others(d, m, &event);
}

/* Limits */

void directory_set_limits(struct directory *d, const struct directory_limits *limits)
{
    d->limits = *limits;
}

int directory_limit_room(struct directory *d, const char *name,
                         const struct directory_room_limits *limits)
{
    struct directory_room *room = map_get_str(&d->rooms, name);

    if (!room)
        return -ENOENT;
    room->limits = *limits;
    return 0;
}

const struct directory_room_limits *directory_room_limits(const struct directory_room *room)
{
    return &room->limits;
}

uint32_t directory_room_capacity(const struct directory *d, const struct directory_room *room)
{
    return room->limits.participants ? room->limits.participants : d->limits.participants_per_room;
}

/* Members */

void directory_hush(struct directory *d, const char *name)
{
    struct directory_room *room = map_get_str(&d->rooms, name);

    if (!room)
        return;
    LIST_FOREACH(link, &room->members) {
        member_of(link)->announced = false;
    }
}

static int put_member(struct directory *d, struct directory_member *m)
{
    int err;

    do {
        m->id = next_number(&d->next_participant);
        err = map_put(&d->participants, &m->id, sizeof(m->id), m);
    } while (err == -EEXIST);
    return err;
}

/* Of those who are seen, one message must be able to list all. */
static bool is_full(const struct directory *d, const struct directory_room *room,
                    const struct directory_member *newcomer)
{
    if (room->n_members >= directory_room_capacity(d, room))
        return true;
    return !newcomer->hidden && room->n_visible >= MESSAGE_MAX_PARTICIPANTS;
}

int directory_enter(struct directory *d, struct directory_member *m, const char *room_name)
{
    struct directory_room *room;
    int err;

    assert(!m->room);
    if (!room_name_valid(room_name))
        return -EINVAL;
    if (map_count(&d->participants) >= d->limits.participants)
        return -EUSERS;
    room = map_get_str(&d->rooms, room_name);
    if (room && is_full(d, room, m))
        return -EDQUOT;
    if (!room) {
        err = room_new(&room, d, room_name);
        if (err < 0)
            return err;
    }
    err = put_member(d, m);
    if (err < 0) {
        m->id = 0;
        room_free_if_empty(d, room);
        return err;
    }
    m->room = room;
    list_append(&room->members, &m->link);
    room->n_members++;
    room->n_visible += !m->hidden;
    return 0;
}

void directory_place(struct directory *d, struct directory_member *m)
{
    assert(m->room);
    if (m->placed)
        return;
    m->placed = true;
    m->worker = choose_worker(d, m->room);
    m->room->on_worker[m->worker]++;
    d->load[m->worker]++;
}

void directory_unplace(struct directory *d, struct directory_member *m)
{
    if (!m->placed)
        return;
    m->placed = false;
    m->room->on_worker[m->worker]--;
    d->load[m->worker]--;
}

void directory_announce(struct directory *d, struct directory_member *m)
{
    struct message_participant self;
    struct message event = {
        .type = MESSAGE_PARTICIPANT,
        .change = CHANGE_JOIN,
        .n_participants = 1,
        .participants = &self,
    };

    assert(m->room && !m->announced);
    m->announced = true;
    describe(m, &self);
    tell_others(d, m, &event);
}

void directory_leave(struct directory *d, struct directory_member *m, const char *code,
                     const char *text)
{
    struct directory_room *room = m->room;
    struct message_participant self = {.id = m->id};
    struct message event = {
        .type = MESSAGE_PARTICIPANT,
        .change = CHANGE_LEAVE,
        .n_participants = 1,
        .participants = &self,
    };

    if (!room)
        return;
    (void)snprintf(event.code, sizeof(event.code), "%s", code);
    (void)snprintf(event.text, sizeof(event.text), "%s", text);
    tell_others(d, m, &event);
    list_unlink(&m->link);
    (void)map_remove(&d->participants, &m->id, sizeof(m->id));
    directory_unplace(d, m);
    room->n_members--;
    room->n_visible -= !m->hidden;
    room_free_if_empty(d, room);
    m->room = NULL;
    m->announced = false;
    m->id = 0;
    m->n_tracks = 0;
    free(m->tracks);
    m->tracks = NULL;
}

/* Tracks */

static const struct message_track *find_same(const struct message_track *tracks, uint32_t n,
                                             const struct message_track *track)
{
    for (uint32_t i = 0; i < n; i++) {
        if (tracks[i].kind == track->kind && strcmp(tracks[i].mid, track->mid) == 0)
            return &tracks[i];
    }
    return NULL;
}

static void tell_gone(struct directory *d, const struct directory_member *m,
                      const struct message_track *old, uint32_t n_old)
{
    for (uint32_t i = 0; i < n_old; i++) {
        if (!find_same(m->tracks, m->n_tracks, &old[i]))
            tell_track(d, m, &old[i], CHANGE_LEAVE);
    }
}

static void tell_new_and_changed(struct directory *d, const struct directory_member *m,
                                 const struct message_track *old, uint32_t n_old)
{
    for (uint32_t i = 0; i < m->n_tracks; i++) {
        const struct message_track *track = &m->tracks[i];
        const struct message_track *before = find_same(old, n_old, track);

        if (!before)
            tell_track(d, m, track, CHANGE_JOIN);
        else if (before->muted != track->muted || strcmp(before->source, track->source) != 0)
            tell_track(d, m, track, CHANGE_UPDATE);
    }
}

int directory_set_tracks(struct directory *d, struct directory_member *m,
                         const struct message_track *tracks, uint32_t n)
{
    struct message_track *old = m->tracks;
    uint32_t n_old = m->n_tracks;
    struct message_track *now = calloc(n + 1UL, sizeof(*now));

    assert(n <= MESSAGE_MAX_TRACKS && m->room);
    if (!now)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        const struct message_track *before = find_same(old, n_old, &tracks[i]);

        now[i] = tracks[i];
        now[i].participant = m->id;
        now[i].id = before ? before->id : next_number(&d->next_track);
        now[i].muted_by_admin |= before && before->muted_by_admin;
        now[i].muted_by_admin &= now[i].muted;
    }
    m->tracks = now;
    m->n_tracks = n;
    tell_gone(d, m, old, n_old);
    tell_new_and_changed(d, m, old, n_old);
    free(old);
    return 0;
}

int directory_mute(struct directory *d, struct directory_member *m, uint32_t track, bool muted,
                   bool by_admin)
{
    for (uint32_t i = 0; i < m->n_tracks; i++) {
        struct message_track *t = &m->tracks[i];

        if (t->id != track)
            continue;
        by_admin = muted && (by_admin || t->muted_by_admin);
        if (t->muted != muted || t->muted_by_admin != by_admin) {
            t->muted = muted;
            t->muted_by_admin = by_admin;
            tell_track(d, m, t, CHANGE_UPDATE);
        }
        return 0;
    }
    return -ENOENT;
}

int directory_roster(const struct directory_member *m, struct message *message)
{
    uint32_t n = 0;

    message->n_participants = 0;
    message->participants = calloc(m->room->n_members, sizeof(*message->participants));
    if (!message->participants)
        return -ENOMEM;
    LIST_FOREACH(link, &m->room->members) {
        const struct directory_member *other = member_of(link);

        if (other != m && other->announced && !other->hidden)
            describe(other, &message->participants[n++]);
    }
    message->n_participants = n;
    return 0;
}

struct directory_member *directory_find(const struct directory *d, uint32_t id)
{
    return map_get(&d->participants, &id, sizeof(id));
}

const struct directory_room *directory_find_room(const struct directory *d, const char *name)
{
    return map_get_str(&d->rooms, name);
}

const struct directory_room *directory_next_room(const struct directory *d, size_t *cursor)
{
    return map_next(&d->rooms, cursor);
}

uint32_t directory_rooms(const struct directory *d)
{
    return (uint32_t)map_count(&d->rooms);
}

uint32_t directory_participants(const struct directory *d)
{
    return (uint32_t)map_count(&d->participants);
}

const char *directory_room_name(const struct directory_room *room)
{
    return room->name;
}

uint32_t directory_room_number(const struct directory_room *room)
{
    return room->number;
}

uint32_t directory_load(const struct directory *d, uint32_t worker)
{
    return d->load[worker];
}

uint32_t directory_room_visible(const struct directory_room *room)
{
    return room->n_visible;
}

bool directory_room_is_direct(const struct directory_room *room)
{
    return room->direct;
}

void directory_room_set_direct(struct directory_room *room, bool direct)
{
    room->direct = direct;
}

uint32_t directory_room_members(const struct directory_room *room, uint32_t worker)
{
    return room->on_worker[worker];
}

int directory_next_worker(const struct directory_room *room, uint32_t except, uint32_t *cursor)
{
    while (*cursor < room->n_workers) {
        uint32_t worker = (*cursor)++;

        if (worker != except && room->on_worker[worker] > 0)
            return (int)worker;
    }
    return -ENOENT;
}

struct directory_member *directory_next_member(const struct directory_room *room,
                                               const struct directory_member *after)
{
    struct list *next = after ? after->link.next : room->members.next;

    return next == &room->members ? NULL : member_of(next);
}
