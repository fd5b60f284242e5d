#include "sfu/webhook_record.h"

#include <stdio.h>
#include <stdlib.h>

void webhook_records_init(struct webhook_records *r)
{
    *r = (struct webhook_records){0};
    map_init(&r->rooms);
    map_init(&r->participants);
}

static void free_all(struct map *map)
{
    size_t cursor = 0;
    void *value;

    while ((value = map_next(map, &cursor)))
        free(value);
    map_done(map);
}

void webhook_records_done(struct webhook_records *r)
{
    free_all(&r->participants);
    free_all(&r->rooms);
}

static struct webhook_room *open_room(struct webhook_records *r, const char *name, int64_t now_us)
{
    struct webhook_room *room = map_get_str(&r->rooms, name);

    if (room)
        return room;
    room = calloc(1, sizeof(*room));
    if (!room)
        return NULL;
    (void)snprintf(room->name, sizeof(room->name), "%s", name);
    room->since_us = now_us;
    if (map_put_str(&r->rooms, name, room) < 0) {
        free(room);
        return NULL;
    }
    room->number = ++r->n_rooms;
    return room;
}

struct webhook_participant *webhook_records_add(struct webhook_records *r, const char *room_name,
                                                uint32_t id, int64_t now_us)
{
    struct webhook_room *room = open_room(r, room_name, now_us);
    struct webhook_participant *p = calloc(1, sizeof(*p));

    if (!room || !p)
        goto fail;
    p->id = id;
    p->room = room;
    p->since_us = now_us;
    if (map_put(&r->participants, &p->id, sizeof(p->id), p) < 0)
        goto fail;
    room->n_participants++;
    return p;
fail:
    free(p);
    if (room && room->n_participants == 0)
        webhook_records_remove_room(r, room);
    return NULL;
}

struct webhook_participant *webhook_records_find(const struct webhook_records *r, uint32_t id)
{
    return map_get(&r->participants, &id, sizeof(id));
}

void webhook_records_remove(struct webhook_records *r, struct webhook_participant *p)
{
    (void)map_remove(&r->participants, &p->id, sizeof(p->id));
    p->room->n_participants--;
    free(p);
}

void webhook_records_remove_room(struct webhook_records *r, struct webhook_room *room)
{
    (void)map_remove_str(&r->rooms, room->name);
    free(room);
}
