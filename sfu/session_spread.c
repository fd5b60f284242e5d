#include "sfu/session_spread.h"

#include "sfu/directory.h"
#include "sfu/mail.h"
#include "sfu/session_internal.h"
#include "sfu/session_media.h"

#include <stdlib.h>

/* Mail for which there is no memory is left out: a publisher then is not seen on that worker before
 * its next re-offer, or is seen there, mute, until the room has left it. */

static void post(const struct session *s, int worker, struct mail *mail)
{
    s->host->post(s->host->owner, (uint32_t)worker, mail);
}

static bool is_spread(const struct session *s)
{
    uint32_t cursor = 0;

    return directory_next_worker(s->member.room, s->member.worker, &cursor) >= 0;
}

/* Tell `worker` of the tracks of `s`. */
static void publish(const struct session *s, int worker)
{
    struct mail_join *mail = NULL;

    if (session_media_mail(&s->media, &mail) < 0)
        return;
    mail->mail.type = MAIL_PUBLISHER;
    mail->participant = s->member.id;
    mail->room = directory_room_number(s->member.room);
    mail->worker = s->member.worker;
    session_media_put_tracks(mail, s->member.tracks, s->member.n_tracks);
    post(s, worker, &mail->mail);
}

static void unpublish(const struct session *s, int worker)
{
    struct mail_participant *mail = calloc(1, sizeof(*mail));

    if (!mail)
        return;
    mail->mail.type = MAIL_UNPUBLISH;
    mail->participant = s->member.id;
    post(s, worker, &mail->mail);
}

static void close_room(const struct session *s)
{
    struct mail_room *mail = calloc(1, sizeof(*mail));

    if (!mail)
        return;
    mail->mail.type = MAIL_CLOSE_ROOM;
    mail->room = directory_room_number(s->member.room);
    post(s, (int)s->member.worker, &mail->mail);
}

/* Do the same for every other worker of the room. */
static void tell_others(const struct session *s, void (*tell)(const struct session *s, int worker))
{
    uint32_t cursor = 0;
    int worker = directory_next_worker(s->member.room, s->member.worker, &cursor);

    for (; worker >= 0; worker = directory_next_worker(s->member.room, s->member.worker, &cursor))
        tell(s, worker);
}

void session_spread_enter(const struct session *s)
{
    struct directory_member *m = NULL;

    if (directory_room_members(s->member.room, s->member.worker) > 1)
        return;
    while ((m = directory_next_member(s->member.room, m))) {
        if (m->worker != s->member.worker && m->n_tracks > 0)
            publish(session_of(m), (int)s->member.worker);
    }
}

void session_spread_join(const struct session *s)
{
    if (s->member.n_tracks > 0)
        tell_others(s, publish);
}

void session_spread_update(const struct session *s, bool published)
{
    if (s->member.n_tracks > 0)
        tell_others(s, publish);
    else if (published)
        tell_others(s, unpublish);
}

void session_spread_mute(const struct session *s, const struct mail_mute *mail)
{
    uint32_t cursor = 0;
    int worker;

    while ((worker = directory_next_worker(s->member.room, s->member.worker, &cursor)) >= 0) {
        struct mail_mute *copy = malloc(sizeof(*copy));

        if (!copy)
            continue;
        *copy = *mail;
        post(s, worker, &copy->mail);
    }
}

void session_spread_leave(const struct session *s)
{
    if (!is_spread(s))
        return;
    if (s->member.n_tracks > 0)
        tell_others(s, unpublish);
    if (directory_room_members(s->member.room, s->member.worker) == 1)
        close_room(s);
}
