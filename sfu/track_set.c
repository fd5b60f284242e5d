#include "sfu/track_set.h"

#include "sfu/room.h"
#include "sfu/track_layer.h"

#include <errno.h>
#include <string.h>

void track_set_done(struct track_set *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        s->tracks[i] = track_free(s->tracks[i]);
    s->n = 0;
    room_touch(s->room);
}

struct track *track_set_find(const struct track_set *s, uint32_t id)
{
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->tracks[i]->id == id)
            return s->tracks[i];
    }
    return NULL;
}

/* @return index of the PUBLISH section with this mid, or n_sections */
static size_t find_section(const struct media_plan *plan, const char *mid)
{
    size_t at = 0;

    while (at < plan->n_sections &&
           (plan->sections[at].use != SECTION_PUBLISH || strcmp(plan->sections[at].mid, mid) != 0))
        at++;
    return at;
}

/* Has `mail` this track, in an m-line of the same kind? */
static bool goes_on(const struct track *track, const struct mail_join *mail)
{
    for (uint32_t i = 0; i < mail->n_tracks; i++) {
        size_t at = find_section(mail->plan, mail->tracks[i].mid);

        if (mail->tracks[i].id == track->id && at < mail->plan->n_sections &&
            mail->plan->sections[at].kind == track->kind)
            return true;
    }
    return false;
}

static void end_tracks(struct track_set *s, const struct mail_join *mail)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < s->n; i++) {
        if (goes_on(s->tracks[i], mail))
            s->tracks[kept++] = s->tracks[i];
        else
            track_free(s->tracks[i]);
    }
    s->n = kept;
}

static struct track *add_track(struct track_set *s, const struct mail_track *from,
                               const struct plan_section *section,
                               const struct extension_map *extensions)
{
    struct track *track = track_new(s->core, s->publisher, from->id, s->participant, section,
                                    extensions);

    if (!track)
        return NULL;
    track->set = s;
    track->screen = from->screen;
    track_set_muted(track, from->muted);
    room_add_track(s->room, track);
    s->tracks[s->n++] = track;
    return track;
}

int track_set_update(struct track_set *s, const struct mail_join *mail,
                     const struct extension_map *extensions, struct track **ret)
{
    int err = 0;

    end_tracks(s, mail);
    for (uint32_t i = 0; i < mail->n_tracks && i < MESSAGE_MAX_TRACKS; i++) {
        size_t at = find_section(mail->plan, mail->tracks[i].mid);
        struct track *track = track_set_find(s, mail->tracks[i].id);

        if (at == mail->plan->n_sections)
            continue;
        if (track) {
            track->screen = mail->tracks[i].screen;
            track_set_section(track, &mail->plan->sections[at], extensions);
        } else if (s->n < MESSAGE_MAX_TRACKS) {
            track = add_track(s, &mail->tracks[i], &mail->plan->sections[at], extensions);
            err = track ? err : -ENOMEM;
        }
        if (track)
            track->max_bps = mail->tracks[i].max_bps;
        if (ret)
            ret[at] = track;
    }
    room_touch(s->room);
    return err;
}

void track_set_mute(struct track_set *s, uint32_t id, bool muted)
{
    struct track *track = track_set_find(s, id);

    if (!track)
        return;
    track_set_muted(track, muted);
    if (s->room->crowded[track->kind])
        room_touch(s->room); /* whoever shows something goes before who does not */
}

void track_set_cap(struct track_set *s, uint32_t id, uint32_t max_bps)
{
    struct track *track = track_set_find(s, id);

    if (track)
        track->max_bps = max_bps;
}

void track_set_look_after(struct track_set *s, int64_t now_us)
{
    for (uint32_t i = 0; i < s->n; i++) {
        track_choose_layer(s->tracks[i], now_us);
        track_serve_waiting(s->tracks[i], now_us);
        track_expire(s->tracks[i], TRACK_LAYER_KEEP_US, now_us);
        track_measure_update(s->tracks[i], now_us);
    }
}

void track_set_expire(struct track_set *s, int64_t keep_us, int64_t now_us)
{
    for (uint32_t i = 0; i < s->n; i++)
        track_expire(s->tracks[i], keep_us, now_us);
}
