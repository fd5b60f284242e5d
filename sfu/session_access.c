#include "sfu/session_access.h"

#include "sfu/access.h"
#include "sfu/session_caps.h"
#include "sfu/session_internal.h"
#include "sfu/track_list.h"

#include <stdlib.h>
#include <string.h>

static enum access_want want_of(enum session_kind kind)
{
    static const enum access_want wants[] = {[SESSION_WEBSOCKET] = ACCESS_JOIN,
                                             [SESSION_WHIP] = ACCESS_WHIP,
                                             [SESSION_WHEP] = ACCESS_WHEP};

    return wants[kind];
}

int session_admit(struct session *s, const char *token, const char *room, int64_t now_us,
                  struct message *error)
{
    int err = session_limits_enter(s, now_us, error);

    if (err < 0)
        return err;
    err = access_admit(s->host->access, token && token[0] ? token : s->token, want_of(s->kind),
                       room, session_host_wall_s(s->host, now_us), &s->grants, error);
    if (err < 0) {
        session_limits_failed(s, now_us);
        return err;
    }
    err = session_limits_identify(s, now_us, error);
    if (err < 0)
        return err;
    s->member.hidden = s->kind == SESSION_WHEP || s->grants.hidden;
    if (s->grants.name[0])
        session_set_name(s, s->grants.name);
    return 0;
}

bool session_may_publish(void *owner, const struct plan_section *section)
{
    const struct session_caps *caps = owner;
    const struct session *s = caps->session;

    return grants_have_source(&s->grants, section->kind,
                              track_list_source(section, caps->offer->tracks, caps->offer->n_tracks,
                                                s->member.tracks, s->member.n_tracks));
}

void session_set_token(struct session *s, const char *token)
{
    free(s->token);
    s->token = token && token[0] ? strdup(token) : NULL;
}

void session_renew_token(struct session *s, int64_t now_us)
{
    int64_t now_s = session_host_wall_s(s->host, now_us);
    struct message event = {.type = MESSAGE_TOKEN};

    if (s->state != SESSION_JOINED || access_is_open(s->host->access) ||
        !access_must_renew(s->host->access, &s->grants, now_s))
        return;
    if (access_renew(s->host->access, &s->grants, now_s, &event.token) < 0)
        return; /* it is asked again in a second */
    event.expires_in_s = (uint32_t)(s->grants.expires_s - now_s);
    session_send_event(s, &event);
    message_done(&event);
}

const struct grants *session_grants(const struct session *s)
{
    return &s->grants;
}
