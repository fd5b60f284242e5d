#include "sfu/session_mute.h"

#include "sfu/mail.h"
#include "sfu/session_caps.h"
#include "sfu/session_internal.h"
#include "sfu/session_spread.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static const struct message_track *find_track(const struct session *s, uint32_t id)
{
    for (uint32_t i = 0; i < s->member.n_tracks; i++) {
        if (s->member.tracks[i].id == id)
            return &s->member.tracks[i];
    }
    return NULL;
}

static void tell_publisher(struct session *s, const struct message_track *track)
{
    struct message event = {.type = MESSAGE_TRACK, .change = CHANGE_UPDATE, .track = *track};

    session_send_event(s, &event);
}

int session_mute(struct session *s, uint32_t id, bool muted, bool by_admin)
{
    const struct message_track *track = find_track(s, id);
    struct mail_mute *mail;

    assert(muted || !by_admin);
    if (!track)
        return -ENOENT;
    if (!muted && session_is_held(s, track->kind))
        return -EPERM;
    mail = calloc(1, sizeof(*mail));
    if (!mail)
        return -ENOMEM;
    *mail = (struct mail_mute){
        .mail = {.type = MAIL_MUTE}, .participant = s->member.id, .track = id, .muted = muted};
    if (directory_mute(s->host->directory, &s->member, id, muted, by_admin) < 0)
        assert(false); /* it was found above */
    session_spread_mute(s, mail);
    s->host->post(s->host->owner, s->member.worker, &mail->mail);
    session_caps_settle(s, false);
    if (by_admin)
        tell_publisher(s, track);
    return 0;
}

int session_mute_kind(struct session *s, enum media_kind kind)
{
    for (uint32_t i = 0; i < s->member.n_tracks; i++) {
        const struct message_track *track = &s->member.tracks[i];
        int err = 0;

        if (track->kind == kind)
            err = session_mute(s, track->id, true, true);
        if (err < 0)
            return err;
    }
    return 0;
}

void session_hold(struct session *s, enum media_kind kind, bool hold)
{
    if (hold)
        s->held |= 1U << kind;
    else
        s->held &= ~(1U << kind);
}

bool session_is_held(const struct session *s, enum media_kind kind)
{
    return s->held & 1U << kind;
}

void session_hold_tracks(const struct session *s, struct message_track *tracks, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (session_is_held(s, tracks[i].kind))
            tracks[i].muted = tracks[i].muted_by_admin = true;
    }
}
