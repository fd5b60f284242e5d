#include "sfu/session_media.h"

#include "media/base/random.h"
#include "sfu/config.h"
#include "sfu/refuse.h"
#include "sfu/track_list.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct negotiation_policy make_policy(const struct session_media *m)
{
    const struct config *config = m->config;
    struct negotiation_policy policy = negotiation_default_policy;

    policy.max_sections = config->max_sections;
    policy.max_publish = config->max_tracks;
    policy.max_audio_slots = config->max_audio_slots;
    policy.max_video_slots = config->max_video_slots;
    policy.plays_only = m->plays_only;
    return policy;
}

static void use_credentials(struct session_media *m, const struct ice_credentials *c)
{
    memcpy(m->ufrag, c->ufrag, sizeof(m->ufrag));
    memcpy(m->pwd, c->pwd, sizeof(m->pwd));
}

int session_media_open(struct session_media *m, const struct config *config, uint32_t worker)
{
    struct negotiation_policy policy;
    struct ice_credentials credentials;

    ice_credentials_make_tagged(&credentials, worker);
    m->config = config;
    m->worker = worker;
    policy = make_policy(m);
    use_credentials(m, &credentials);
    random_name(m->cname, SESSION_CNAME_LEN);
    return negotiation_new(&m->negotiation, &policy);
}

int session_media_use_agent(struct session_media *m, const struct mail_agent *agent)
{
    free(m->agent);
    m->agent = malloc(sizeof(*m->agent));
    if (!m->agent)
        return -ENOMEM;
    assert(strlen(agent->credentials.ufrag) == ICE_LOCAL_UFRAG &&
           strlen(agent->credentials.pwd) == ICE_LOCAL_PWD);
    *m->agent = *agent;
    use_credentials(m, &agent->credentials);
    return 0;
}

/* Say of us what the agent is. */
static void describe_agent(const struct mail_agent *agent, struct negotiation_local *local)
{
    local->ice_lite = false;
    local->next_ufrag[0] = '\0'; /* it keeps its credentials */
    local->n_candidates = agent->n_candidates;
    memcpy(local->candidates, agent->candidates,
           agent->n_candidates * sizeof(agent->candidates[0]));
}

void session_media_done(struct session_media *m)
{
    free(m->agent);
    m->agent = NULL;
    m->negotiation = negotiation_free(m->negotiation);
}

const struct media_plan *session_media_plan(const struct session_media *m)
{
    return m->negotiation ? negotiation_plan(m->negotiation) : NULL;
}

static int answer_with(struct negotiation *n, const struct negotiation_local *local,
                       const struct session_offer *offer, struct text *answer,
                       struct message *error)
{
    struct negotiation_error why = {0};
    int err = negotiation_answer(n, local, offer->sdp, offer->len, answer, &why);

    if (err == -ENOMEM)
        return refuse_no_memory(error);
    if (err < 0)
        return refuse(error, why.code[0] ? why.code : "sdp_syntax", "%s", why.message);
    return 0;
}

/* An answer cannot be taken back, so what the client says of its tracks is checked against one that
 * is thrown away. */
static int check_tracks(const struct session_media *m, const struct negotiation_local *local,
                        const struct session_offer *offer, struct message *error)
{
    struct negotiation_policy policy = make_policy(m);
    struct negotiation *trial = NULL;
    struct text answer;
    int err;

    if (!offer->n_tracks)
        return 0;
    err = negotiation_new(&trial, &policy);
    if (err < 0)
        return refuse_no_memory(error);
    text_init(&answer, SDP_MAX_BYTES);
    err = answer_with(trial, local, offer, &answer, error);
    if (err == 0)
        err = track_list_check(negotiation_plan(trial), offer->tracks, offer->n_tracks, error);
    text_done(&answer);
    negotiation_free(trial);
    return err;
}

int session_media_answer(struct session_media *m, struct negotiation_local *local,
                         const struct session_offer *offer, struct text *answer,
                         struct message *error)
{
    struct ice_credentials next;
    int err;

    ice_credentials_make_tagged(&next, m->worker);
    memcpy(local->ufrag, m->ufrag, sizeof(m->ufrag));
    memcpy(local->pwd, m->pwd, sizeof(m->pwd));
    memcpy(local->next_ufrag, next.ufrag, sizeof(m->ufrag));
    memcpy(local->next_pwd, next.pwd, sizeof(m->pwd));
    memcpy(local->cname, m->cname, sizeof(m->cname));
    if (m->agent)
        describe_agent(m->agent, local);
    if (offer->len > m->config->max_sdp_bytes)
        return refuse(error, "sdp_too_large", "the offer has %zu bytes, more than %" PRIu32,
                      offer->len, m->config->max_sdp_bytes);
    err = check_tracks(m, local, offer, error);
    if (err < 0)
        return err;
    err = answer_with(m->negotiation, local, offer, answer, error);
    if (err == 0 && !m->agent && negotiation_restarted_ice(m->negotiation))
        use_credentials(m, &next);
    return err;
}

int session_media_restart_ice(struct session_media *m, const char *ufrag, const char *pwd)
{
    const struct media_plan *plan = session_media_plan(m);
    struct ice_credentials theirs = {0};
    struct ice_credentials ours;
    int err;

    (void)snprintf(theirs.ufrag, sizeof(theirs.ufrag), "%s", ufrag);
    (void)snprintf(theirs.pwd, sizeof(theirs.pwd), "%s", pwd);
    if (!plan || m->agent || !ice_credentials_valid(&theirs) || strlen(ufrag) > ICE_UFRAG_MAX ||
        strlen(pwd) > ICE_PWD_MAX ||
        (strcmp(plan->ufrag, ufrag) == 0 && strcmp(plan->pwd, pwd) == 0))
        return -EINVAL;
    err = negotiation_restart_ice(m->negotiation, ufrag, pwd);
    if (err < 0)
        return err;
    ice_credentials_make_tagged(&ours, m->worker);
    use_credentials(m, &ours);
    return 0;
}

int session_media_mail(const struct session_media *m, struct mail_join **ret)
{
    struct mail_join *mail = calloc(1, sizeof(*mail));

    if (!mail)
        return -ENOMEM;
    mail->mail.type = MAIL_JOIN;
    mail->plan = negotiation_share_plan(m->negotiation);
    memcpy(mail->ufrag, m->ufrag, sizeof(m->ufrag));
    memcpy(mail->pwd, m->pwd, sizeof(m->pwd));
    *ret = mail;
    return 0;
}

void session_media_put_tracks(struct mail_join *mail, const struct message_track *tracks,
                              uint32_t n)
{
    mail->n_tracks = n;
    for (uint32_t i = 0; i < n; i++) {
        mail->tracks[i] = (struct mail_track){
            .id = tracks[i].id,
            .kind = tracks[i].kind,
            .muted = tracks[i].muted,
            .max_bps = tracks[i].max_bps,
            .screen = strcmp(tracks[i].source, "screen") == 0 ||
                      strcmp(tracks[i].source, "screen_audio") == 0,
        };
        (void)snprintf(mail->tracks[i].mid, sizeof(mail->tracks[i].mid), "%s", tracks[i].mid);
    }
}
