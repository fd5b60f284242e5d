/* Sessions of WHIP and WHEP: one POST, then PATCHes for ICE. */
#include "sfu/session_internal.h"

#include "sfu/refuse.h"
#include "sfu/session_access.h"
#include "sfu/track_list.h"
#include "signaling/json_text.h"
#include "signaling/sdp_fragment.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* @return the m-line after `at` in an offer that was read before; NULL: there is none */
static const char *next_media(const char *at)
{
    const char *line = strstr(at, "\nm=");

    return line ? line + 1 : NULL;
}

/* RFC 9725 section 4.4.3: all m-lines or none, as half of a stream misleads people. Data channels,
 * which browsers offer lightly, are no part of it. */
static int check_whole(const struct media_plan *plan, const char *offer, struct message *error)
{
    const char *line = next_media(offer);

    for (uint32_t i = 0; line && i < plan->n_sections; i++, line = next_media(line)) {
        bool is_media = strncmp(line, "m=audio", 7) == 0 || strncmp(line, "m=video", 7) == 0;

        if (is_media && plan->sections[i].use == SECTION_REJECTED) {
            return refuse(error, "section_refused",
                          "m-line %" PRIu32 " has no codec the server takes, is not in the BUNDLE "
                          "group, or is one too many",
                          i + 1);
        }
    }
    return 0;
}

/* What a publisher sends is a microphone and a camera: nothing says otherwise. */
static int check_granted(const struct session *s, const struct media_plan *plan,
                         struct message *error)
{
    for (uint32_t i = 0; i < plan->n_sections; i++) {
        const struct plan_section *section = &plan->sections[i];
        const char *source = track_list_source(section, NULL, 0, NULL, 0);

        if (section->use == SECTION_REJECTED &&
            !grants_have_source(&s->grants, section->kind, source))
            return refuse(error, "not_allowed", "the token does not let its bearer publish a %s",
                          source);
    }
    return 0;
}

static int check_publisher(const struct media_plan *plan, const char *offer, struct message *error)
{
    if (!track_list_count(plan, SECTION_PUBLISH))
        return refuse(error, "nothing_to_publish",
                      "the offer has no sendonly m-line with a codec the server takes");
    if (track_list_count(plan, SECTION_SLOT))
        return refuse(error, "bad_direction", "a publisher's offer has sendonly m-lines only");
    return check_whole(plan, offer, error);
}

static int check_player(const struct media_plan *plan, struct message *error)
{
    if (track_list_count(plan, SECTION_PUBLISH))
        return refuse(error, "bad_direction", "a player's offer has recvonly m-lines only");
    if (!track_list_count(plan, SECTION_SLOT))
        return refuse(error, "nothing_to_play",
                      "the offer has no recvonly m-line with a codec the server has");
    return 0;
}

int session_check_direction(const struct session *s, const struct session_offer *offer,
                            struct message *error)
{
    const struct media_plan *plan = session_media_plan(&s->media);

    switch (s->kind) {
    case SESSION_WHIP:
        if (check_granted(s, plan, error) < 0)
            return -EINVAL;
        return check_publisher(plan, offer->sdp, error);
    case SESSION_WHEP:
        return check_player(plan, error);
    case SESSION_WEBSOCKET:
        break;
    }
    return 0;
}

void session_set_name(struct session *s, const char *name)
{
    utf8_copy(s->member.name, sizeof(s->member.name), name);
}

int session_post(struct session *s, const char *room, const struct session_offer *offer,
                 struct text *answer, struct message *error, int64_t now_us)
{
    int err;

    assert(s->kind != SESSION_WEBSOCKET && s->state == SESSION_CONNECTED);
    if (!s->member.name[0])
        (void)snprintf(s->member.name, sizeof(s->member.name), "%s-%.4s",
                       session_kind_name(s->kind), s->resource);
    err = session_admit(s, NULL, room, now_us, error);
    if (err < 0)
        return -EINVAL;
    err = session_join(s, room, offer, answer, error, now_us);
    if (err < 0)
        return err;
    directory_announce(s->host->directory, &s->member);
    return 0;
}

bool session_knows_ice(const struct session *s, const char *ufrag, const char *pwd)
{
    const struct media_plan *plan = session_media_plan(&s->media);

    return plan && strcmp(plan->ufrag, ufrag) == 0 && strcmp(plan->pwd, pwd) == 0;
}

int session_restart_ice(struct session *s, const char *ufrag, const char *pwd,
                        struct text *fragment, struct message *error)
{
    struct negotiation_local local = {0};
    struct mail_join *mail = NULL;
    int err;

    assert(s->state == SESSION_JOINED);
    err = session_media_restart_ice(&s->media, ufrag, pwd);
    if (err == -EINVAL)
        return refuse(error, "sdp_syntax", "a=ice-ufrag or a=ice-pwd is no such thing");
    if (err == 0)
        err = session_media_mail(&s->media, &mail);
    if (err < 0)
        return refuse_no_memory(error);
    session_post_plan(s, mail, MAIL_UPDATE);
    s->host->describe(s->host->owner, s->member.worker, &local);
    memcpy(local.ufrag, s->media.ufrag, sizeof(s->media.ufrag));
    memcpy(local.pwd, s->media.pwd, sizeof(s->media.pwd));
    sdp_fragment_write(fragment, &local, session_media_plan(&s->media));
    return 0;
}
