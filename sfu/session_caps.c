#include "sfu/session_caps.h"

#include "sfu/bitrate_caps.h"
#include "sfu/mail.h"
#include "sfu/session_internal.h"
#include "sfu/track_list.h"

#include <stdlib.h>
#include <string.h>

void session_caps_limits(const struct session *s, struct message_limits *ret)
{
    bitrate_caps_limits(s->host->config, directory_room_limits(s->member.room)->video_kbps, ret);
}

static uint32_t count_videos(const struct message_track *tracks, uint32_t n)
{
    uint32_t videos = 0;

    for (uint32_t i = 0; i < n; i++)
        videos += tracks[i].kind == KIND_VIDEO && !tracks[i].muted;
    return videos;
}

/* Those of the room, without what `s` publishes. */
static uint32_t count_others_videos(const struct session *s)
{
    const struct directory_member *m = NULL;
    uint32_t videos = 0;

    while ((m = directory_next_member(s->member.room, m))) {
        if (m != &s->member)
            videos += count_videos(m->tracks, m->n_tracks);
    }
    return videos;
}

static struct plan_section *find_section(struct media_plan *plan, const char *mid)
{
    uint32_t i = 0;

    while (plan->sections[i].use != SECTION_PUBLISH || strcmp(plan->sections[i].mid, mid) != 0)
        i++; /* the track was made of one */
    return &plan->sections[i];
}

void session_caps_fill(void *owner, struct media_plan *plan)
{
    const struct session_caps *caps = owner;
    const struct session *s = caps->session;
    struct message_track tracks[MESSAGE_MAX_TRACKS];
    struct message_limits limits = {0};
    uint32_t n = track_list_make(plan, caps->offer->tracks, caps->offer->n_tracks, s->member.tracks,
                                 s->member.n_tracks, tracks);
    uint32_t videos;

    session_caps_limits(s, &limits);
    videos = limits.room_bps ? count_others_videos(s) + count_videos(tracks, n) : 0;
    for (uint32_t i = 0; i < n; i++)
        find_section(plan, tracks[i].mid)->max_bps = bitrate_cap(&tracks[i], &limits, videos);
}

static void tell_worker(const struct session *s, const struct message_track *track)
{
    struct mail_cap *mail = calloc(1, sizeof(*mail));

    if (!mail)
        return; /* it goes on with the old one */
    mail->mail.type = MAIL_CAP;
    mail->participant = s->member.id;
    mail->track = track->id;
    mail->max_bps = track->max_bps;
    s->host->post(s->host->owner, s->member.worker, &mail->mail);
}

static void tell_client(struct session *s, const struct message_track *track)
{
    struct message event = {.type = MESSAGE_LIMIT, .track = *track};

    session_send_event(s, &event);
}

static void settle(struct session *s, const struct message_limits *limits, uint32_t videos)
{
    for (uint32_t i = 0; i < s->member.n_tracks; i++) {
        struct message_track *track = &s->member.tracks[i];
        uint32_t max_bps = bitrate_cap(track, limits, videos);

        if (max_bps == track->max_bps)
            continue;
        track->max_bps = max_bps;
        tell_worker(s, track);
        tell_client(s, track);
    }
}

void session_caps_settle(struct session *s, bool leaves)
{
    struct directory_member *m = NULL;
    struct message_limits limits = {0};
    uint32_t videos;

    session_caps_limits(s, &limits);
    if (limits.room_bps == 0 || s->host->stopping)
        return;
    videos = count_others_videos(s);
    if (!leaves)
        videos += count_videos(s->member.tracks, s->member.n_tracks);
    while ((m = directory_next_member(s->member.room, m))) {
        if (m != &s->member || !leaves)
            settle(session_of(m), &limits, videos);
    }
}

void session_caps_settle_room(struct session_host *host, const char *name)
{
    const struct directory_room *room = directory_find_room(host->directory, name);
    struct directory_member *m = NULL;
    struct message_limits limits = {0};
    uint32_t videos = 0;

    if (!room || host->stopping)
        return;
    while ((m = directory_next_member(room, m)))
        videos += count_videos(m->tracks, m->n_tracks);
    while ((m = directory_next_member(room, m))) {
        session_caps_limits(session_of(m), &limits);
        settle(session_of(m), &limits, videos);
    }
}
