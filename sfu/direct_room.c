#include "sfu/direct_room.h"

#include "sfu/session_internal.h"

enum { PAIR = 2 };

/* @return the next one that is seen, or NULL */
static struct directory_member *next_visible(const struct directory_room *room,
                                             const struct directory_member *after)
{
    struct directory_member *m = directory_next_member(room, after);

    while (m && m->hidden)
        m = directory_next_member(room, m);
    return m;
}

void direct_room_describe(const struct session *s, struct message_call *ret)
{
    const struct directory_room *room = s->member.room;

    ret->mode = ROOM_SFU;
    ret->role = ROLE_NONE;
    if (!directory_room_is_direct(room))
        return;
    ret->mode = ROOM_DIRECT;
    if (!s->member.hidden)
        ret->role = next_visible(room, NULL) == &s->member ? ROLE_CALLER : ROLE_CALLEE;
}

static void tell(struct session *s)
{
    struct message event = {.type = MESSAGE_ROOM};

    direct_room_describe(s, &event.call);
    session_send_event(s, &event);
}

static void become_ordinary(struct directory_room *room)
{
    struct directory_member *m = NULL;

    if (!directory_room_is_direct(room))
        return;
    directory_room_set_direct(room, false);
    while ((m = directory_next_member(room, m))) {
        if (m->announced && !m->hidden)
            tell(session_of(m));
    }
}

void direct_room_enter(struct session *s, enum room_mode wanted)
{
    struct directory_room *room = s->member.room;
    bool alone = next_visible(room, NULL) == &s->member && !next_visible(room, &s->member);

    if (alone && wanted == ROOM_DIRECT && !session_has_media(s))
        directory_room_set_direct(room, true);
    else if (session_has_media(s) || directory_room_visible(room) > PAIR)
        become_ordinary(room);
}

void direct_room_offered(struct session *s)
{
    become_ordinary(s->member.room);
}

uint32_t direct_room_peer(const struct session *s)
{
    const struct directory_room *room = s->member.room;
    const struct directory_member *m = NULL;

    if (s->member.hidden || !directory_room_is_direct(room))
        return 0;
    while ((m = next_visible(room, m))) {
        if (m != &s->member)
            return m->announced ? m->id : 0;
    }
    return 0;
}

void direct_room_leave(struct session *s)
{
    struct directory_room *room = s->member.room;
    uint32_t peer = direct_room_peer(s);
    struct message event = {.type = MESSAGE_ROOM,
                            .call = {.mode = ROOM_DIRECT, .role = ROLE_CALLER}};

    if (peer && next_visible(room, NULL) == &s->member)
        session_send_event(session_of(directory_find(s->host->directory, peer)), &event);
}
