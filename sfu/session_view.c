#include "sfu/session_view.h"

#include "sfu/mail.h"
#include "sfu/refuse.h"
#include "sfu/session_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Requests */

static bool has_slot(const struct session *s, const char *mid)
{
    const struct media_plan *plan = session_media_plan(&s->media);

    for (uint32_t i = 0; i < plan->n_sections; i++) {
        if (plan->sections[i].use == SECTION_SLOT && strcmp(plan->sections[i].mid, mid) == 0)
            return true;
    }
    return false;
}

static bool publishes(const struct directory_member *m, uint32_t track)
{
    for (uint32_t i = 0; i < m->n_tracks; i++) {
        if (m->tracks[i].id == track)
            return true;
    }
    return false;
}

/* @return true if somebody else in the room publishes it */
static bool others_have(const struct session *s, uint32_t track)
{
    const struct directory_member *m = NULL;

    while ((m = directory_next_member(s->member.room, m))) {
        if (m != &s->member && publishes(m, track))
            return true;
    }
    return false;
}

static int check_track(const struct session *s, uint32_t track, struct message *error)
{
    char id[MESSAGE_ID_MAX];

    if (others_have(s, track))
        return 0;
    return refuse(error, "unknown_track", "nobody else in the room has a track %s",
                  track_id_text(track, id));
}

static int check_view(const struct session *s, const struct message_view *view,
                      struct message *error)
{
    if (view->track)
        return check_track(s, view->track, error);
    if (has_slot(s, view->mid))
        return 0;
    return refuse(error, "unknown_slot", "mid \"%s\" is none of your slots", view->mid);
}

int session_view(const struct session *s, const struct message *m, struct message *error)
{
    struct mail_view *mail;
    int err = 0;

    if (m->n_views == 0)
        return 0;
    mail = calloc(1, sizeof(*mail));
    if (mail)
        mail->views = malloc(m->n_views * sizeof(mail->views[0]));
    if (!mail || !mail->views) {
        free(mail);
        return refuse_no_memory(error);
    }
    mail->mail.type = MAIL_VIEW;
    mail->participant = s->member.id;
    for (uint32_t i = 0; i < m->n_views; i++) {
        if (check_view(s, &m->views[i], error) < 0)
            err = -EINVAL; /* of several, those that have just left are left out */
        else
            mail->views[mail->n_views++] = m->views[i];
    }
    if (mail->n_views == 0) {
        mail_free(&mail->mail);
        return err;
    }
    s->host->post(s->host->owner, s->member.worker, &mail->mail);
    return 0;
}

int session_subscribe(const struct session *s, uint32_t track, bool subscribed,
                      struct message *error)
{
    struct mail_subscribe *mail;
    int err = check_track(s, track, error);

    if (err < 0)
        return err;
    mail = calloc(1, sizeof(*mail));
    if (!mail)
        return refuse_no_memory(error);
    mail->mail.type = MAIL_SUBSCRIBE;
    mail->participant = s->member.id;
    mail->track = track;
    mail->subscribed = subscribed;
    s->host->post(s->host->owner, s->member.worker, &mail->mail);
    return 0;
}

/* Events. What they point to is borrowed: no message_done(). */

static void tell_streams(struct session *s, const struct mail_stream *mail)
{
    struct message event = {
        .type = MESSAGE_STREAM, .n_streams = mail->n_streams, .streams = mail->streams};

    session_send_event(s, &event);
}

static void tell_want(struct session *s, const struct mail_want *mail)
{
    struct message event = {.type = MESSAGE_WANT, .want = mail->want};

    if (publishes(&s->member, mail->want.track)) /* it may have ended in between */
        session_send_event(s, &event);
}

/* It is kept, for operators, in place of the one before. */
static void tell_quality(struct session *s, struct mail_quality *mail)
{
    struct message event = {.type = MESSAGE_QUALITY, .quality = mail->quality};

    session_send_event(s, &event);
    message_quality_free(s->quality);
    s->quality = mail->quality;
    mail->quality = NULL;
}

void session_tell_media(struct session *s, struct mail *mail)
{
    if (mail->type == MAIL_STREAM)
        tell_streams(s, CONTAINER_OF(mail, struct mail_stream, mail));
    else if (mail->type == MAIL_WANT)
        tell_want(s, CONTAINER_OF(mail, struct mail_want, mail));
    else if (mail->type == MAIL_QUALITY)
        tell_quality(s, CONTAINER_OF(mail, struct mail_quality, mail));
}

/* Only those that others know of have heard who is there. */
static void tell_speakers(struct session *s, const struct mail_speakers *mail)
{
    struct message_speaker speakers[MESSAGE_MAX_SPEAKERS];
    struct message event = {.type = MESSAGE_SPEAKERS, .speakers = speakers};

    if (s->state != SESSION_JOINED || !s->member.announced)
        return;
    memcpy(speakers, mail->speakers, mail->n_speakers * sizeof(speakers[0]));
    event.n_speakers = mail->n_speakers;
    session_send_event(s, &event);
}

void session_tell_speakers(const struct directory *d, const struct mail_speakers *mail)
{
    const struct directory_member *one = directory_find(d, mail->participant);
    struct directory_member *m = NULL;

    if (!one || directory_room_number(one->room) != mail->room)
        return; /* it has just left; the next word goes by another one */
    while ((m = directory_next_member(one->room, m))) {
        if (m->placed && m->worker == one->worker)
            tell_speakers(session_of(m), mail);
    }
}
