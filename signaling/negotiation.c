#include "signaling/negotiation.h"

#include "media/base/random.h"
#include "signaling/plan.h"
#include "signaling/sdp.h"
#include "signaling/sdp_write.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct negotiation {
    struct negotiation_policy policy;
    uint64_t session_id, version; /* of o= */
    struct media_plan *plan;      /* after the last answer; also what slots remember */
    bool restarted_ice;           /* by the last answered offer */
};

const struct negotiation_policy negotiation_default_policy = {
    .audio = {CODEC_OPUS, CODEC_RED, CODEC_PCMU, CODEC_PCMA},
    .video = {CODEC_VP8, CODEC_VP9, CODEC_H264, CODEC_AV1, CODEC_H265},
    .max_sections = PLAN_MAX_SECTIONS,
    .max_publish = 8,
    .max_audio_slots = 16,
    .max_video_slots = 24,
};

int negotiation_new(struct negotiation **ret, const struct negotiation_policy *policy)
{
    struct negotiation *n = calloc(1, sizeof(*n));

    if (!n)
        return -ENOMEM;
    n->policy = *policy;
    n->session_id = random_u64() >> 1; /* RFC 8829, section 5.2.1: 63 bits */
    *ret = n;
    return 0;
}

struct negotiation *negotiation_free(struct negotiation *n)
{
    if (n)
        media_plan_unref(n->plan);
    free(n);
    return NULL;
}

const struct media_plan *negotiation_plan(const struct negotiation *n)
{
    return n->plan;
}

bool negotiation_restarted_ice(const struct negotiation *n)
{
    return n->restarted_ice;
}

int negotiation_restart_ice(struct negotiation *n, const char *ufrag, const char *pwd)
{
    struct media_plan *plan;
    int err;

    err = media_plan_copy(&plan, n->plan);
    if (err < 0)
        return err;
    (void)snprintf(plan->ufrag, sizeof(plan->ufrag), "%s", ufrag);
    (void)snprintf(plan->pwd, sizeof(plan->pwd), "%s", pwd);
    media_plan_unref(n->plan);
    n->plan = plan;
    return 0;
}

struct media_plan *negotiation_share_plan(const struct negotiation *n)
{
    return media_plan_ref(n->plan);
}

static bool is_media(const struct sdp_section *section)
{
    return strcmp(section->media, "audio") == 0 || strcmp(section->media, "video") == 0;
}

/* Is the m-line part of the one transport? Without a group there is only one m-line (checked). */
static bool is_bundled(const struct sdp *sdp, const struct sdp_section *section)
{
    for (uint32_t i = 0; i < sdp->n_bundle; i++) {
        if (strcmp(sdp->bundle[i], section->mid) == 0)
            return true;
    }
    return sdp->n_bundle == 0;
}

/* What every m-line that carries media must have. */
static int check_section(const struct sdp *sdp, uint32_t index, struct negotiation_error *error)
{
    const struct sdp_section *section = &sdp->sections[index];

    if (section->mid[0] == '\0')
        return sdp_fail(error, -EBADMSG, "no_mid", "line %" PRIu32 ": the m-line has no a=mid",
                        section->line);
    if (!section->rtcp_mux)
        return sdp_fail(error, -EBADMSG, "no_rtcp_mux",
                        "line %" PRIu32 ": the m-line has no a=rtcp-mux", section->line);
    for (uint32_t i = 0; i < index; i++) {
        if (sdp_section_live(&sdp->sections[i]) &&
            strcmp(sdp->sections[i].mid, section->mid) == 0) {
            return sdp_fail(error, -EBADMSG, "same_mid",
                            "line %" PRIu32 ": the m-line in line %" PRIu32 " has the same a=mid",
                            section->line, sdp->sections[i].line);
        }
    }
    return 0;
}

static int check_offer(const struct sdp *sdp, struct negotiation_error *error)
{
    uint32_t live = 0;
    int err;

    if (sdp->n_sections == 0)
        return sdp_fail(error, -EBADMSG, "no_media", "there is no m-line");
    for (uint32_t i = 0; i < sdp->n_sections; i++) {
        const struct sdp_section *section = &sdp->sections[i];

        if (!is_media(section) || !sdp_section_live(section))
            continue;
        err = check_section(sdp, i, error);
        if (err < 0)
            return err;
        live++;
        if (live > 1 && sdp->n_bundle == 0) {
            return sdp_fail(error, -EBADMSG, "no_bundle",
                            "line %" PRIu32 ": a second m-line, and no a=group:BUNDLE",
                            section->line);
        }
    }
    return 0;
}

/* Does the m-line go on with what it was? Stopped and rejected ones may become anything. */
static bool continues(const struct plan_section *before, const struct plan_section *now)
{
    return before->kind == now->kind && strcmp(before->mid, now->mid) == 0;
}

static int check_reoffer(const struct media_plan *before, const struct media_plan *now,
                         const struct sdp *sdp, struct negotiation_error *error)
{
    if (now->n_sections < before->n_sections) {
        return sdp_fail(error, -EPROTO, "section_removed",
                        "%" PRIu32 " m-lines, the offer before had %" PRIu32, now->n_sections,
                        before->n_sections);
    }
    for (uint32_t i = 0; i < before->n_sections; i++) {
        const struct plan_section *section = &before->sections[i];

        if ((section->use == SECTION_PUBLISH || section->use == SECTION_SLOT) &&
            sdp_section_live(&sdp->sections[i]) &&
            !(is_media(&sdp->sections[i]) && continues(section, &now->sections[i]))) {
            return sdp_fail(error, -EPROTO, "section_changed",
                            "line %" PRIu32 ": the m-line was %s with a=mid:%s, still in use",
                            sdp->sections[i].line, media_kind_name(section->kind), section->mid);
        }
    }
    return 0;
}

/* How many m-lines of each use there are; compared with the policy. */
struct usage {
    uint32_t sections, publish, slots[2]; /* slots by enum media_kind */
};

/* Count a section. @return false: it would be over a limit, and nothing changed */
static bool admit(struct usage *usage, const struct negotiation_policy *policy,
                  const struct plan_section *section)
{
    uint32_t max_slots = section->kind == KIND_AUDIO ? policy->max_audio_slots
                                                     : policy->max_video_slots;

    if (usage->sections >= policy->max_sections)
        return false;
    if (section->use == SECTION_PUBLISH && usage->publish >= policy->max_publish)
        return false;
    if (section->use == SECTION_SLOT && usage->slots[section->kind] >= max_slots)
        return false;
    usage->sections++;
    usage->publish += section->use == SECTION_PUBLISH;
    usage->slots[section->kind] += section->use == SECTION_SLOT;
    return true;
}

/* Did this m-line carry the same before, so that nothing new is asked for? */
static bool is_known(const struct media_plan *before, const struct media_plan *now, uint32_t i)
{
    return before && i < before->n_sections && before->sections[i].use == now->sections[i].use &&
           continues(&before->sections[i], &now->sections[i]);
}

/* Reject what is over a limit; a new m-line never takes the place of one that is in use. */
static void limit(const struct negotiation_policy *policy, const struct media_plan *before,
                  struct media_plan *now, const struct sdp *sdp)
{
    struct usage usage = {0};

    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < now->n_sections; i++) {
            if (is_known(before, now, i) == (round == 0) &&
                plan_section_accepted(&now->sections[i], &sdp->sections[i]) &&
                !admit(&usage, policy, &now->sections[i]))
                plan_reject_section(&now->sections[i]);
        }
    }
}

static void reject_unwanted(const struct negotiation_local *local, struct media_plan *plan)
{
    if (!local->may_publish)
        return;
    for (uint32_t i = 0; i < plan->n_sections; i++) {
        struct plan_section *section = &plan->sections[i];

        if (section->use == SECTION_PUBLISH && !local->may_publish(local->cap_owner, section))
            plan_reject_section(section);
    }
}

static bool ssrc_in_use(const struct media_plan *plan, uint32_t ssrc)
{
    for (uint32_t i = 0; i < plan->n_sections; i++) {
        const struct plan_section *section = &plan->sections[i];

        if (section->ssrc == ssrc || section->rtx_ssrc == ssrc)
            return true;
        for (uint8_t j = 0; j < section->n_layers; j++) {
            if (section->layers[j].ssrc == ssrc || section->layers[j].rtx_ssrc == ssrc)
                return true;
        }
    }
    return false;
}

static uint32_t new_ssrc(const struct media_plan *plan)
{
    uint32_t ssrc;

    do
        ssrc = random_u32();
    while (ssrc == 0 || ssrc_in_use(plan, ssrc));
    return ssrc;
}

/* @return the lowest number that no slot of this kind has */
static uint32_t new_slot(const struct media_plan *plan, enum media_kind kind)
{
    bool used[PLAN_MAX_SECTIONS] = {false};
    uint32_t slot = 0;

    for (uint32_t i = 0; i < plan->n_sections; i++) {
        if (plan->sections[i].ssrc != 0 && plan->sections[i].kind == kind)
            used[plan->sections[i].slot] = true;
    }
    while (used[slot])
        slot++;
    return slot;
}

/* Slots keep number and SSRCs, also while they are inactive. */
static void keep_slots(const struct media_plan *before, struct media_plan *now,
                       const struct sdp *sdp)
{
    for (uint32_t i = 0; i < before->n_sections; i++) {
        const struct plan_section *old = &before->sections[i];
        struct plan_section *section = &now->sections[i];

        if (section->use == SECTION_PUBLISH || !continues(old, section) ||
            !plan_section_accepted(section, &sdp->sections[i]))
            continue;
        section->slot = old->slot;
        section->ssrc = old->ssrc;
        section->rtx_ssrc = old->rtx_ssrc;
    }
}

static void assign_slots(struct media_plan *plan)
{
    for (uint32_t i = 0; i < plan->n_sections; i++) {
        struct plan_section *section = &plan->sections[i];

        if (section->use != SECTION_SLOT)
            continue;
        if (section->ssrc == 0) {
            section->slot = new_slot(plan, section->kind);
            section->ssrc = new_ssrc(plan);
        }
        if (!plan_section_has_rtx(section))
            section->rtx_ssrc = 0;
        else if (section->rtx_ssrc == 0)
            section->rtx_ssrc = new_ssrc(plan);
    }
}

static bool same_fingerprint(const struct plan_fingerprint *a, const struct plan_fingerprint *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* Who sends the ClientHello. Leaving it to the client saves half a round trip: it knows our address
 * before we know its. An association that exists keeps its roles (RFC 8842, section 5.5). */
static int read_role(const struct media_plan *before, struct media_plan *now,
                     const struct sdp_section *section, struct negotiation_error *error)
{
    switch (section->setup) {
    case SDP_SETUP_NONE:
    case SDP_SETUP_ACTPASS:
        now->dtls_client = before && before->dtls_client &&
                           same_fingerprint(&before->fingerprint, &now->fingerprint);
        return 0;
    case SDP_SETUP_ACTIVE:
        now->dtls_client = false;
        return 0;
    case SDP_SETUP_PASSIVE:
        now->dtls_client = true;
        return 0;
    case SDP_SETUP_HOLDCONN:
        break;
    }
    return sdp_fail(error, -EBADMSG, "bad_setup", "line %" PRIu32 ": the m-line has a=setup:%s",
                    section->line, sdp_setup_name(section->setup));
}

/* Everything stopped or rejected is no error: the connection may be needed again. */
static int read_transport(const struct media_plan *before, struct media_plan *now,
                          const struct sdp *sdp, struct negotiation_error *error)
{
    const struct sdp_section *section = plan_tagged_section(now, sdp);
    int err;

    if (!section && before) {
        plan_keep_transport(now, before);
        return 0;
    }
    if (!section)
        section = &sdp->sections[0];
    err = plan_read_transport(now, sdp, section, error);
    if (err < 0)
        return err;
    return read_role(before, now, section, error);
}

static int make_plan(const struct negotiation *n, const struct negotiation_local *local,
                     struct media_plan **ret, const struct sdp *sdp,
                     struct negotiation_error *error)
{
    struct media_plan *plan = plan_new(sdp->n_sections);
    int err;

    if (!plan) {
        (void)sdp_fail(error, -ENOMEM, "no_memory", "out of memory");
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < sdp->n_sections; i++)
        plan_answer_section(plan, &plan->sections[i], &sdp->sections[i],
                            is_bundled(sdp, &sdp->sections[i]), &n->policy);
    err = n->plan ? check_reoffer(n->plan, plan, sdp, error) : 0;
    if (err < 0)
        goto fail;
    reject_unwanted(local, plan);
    limit(&n->policy, n->plan, plan, sdp);
    if (n->plan)
        keep_slots(n->plan, plan, sdp);
    assign_slots(plan);
    err = read_transport(n->plan, plan, sdp, error);
    if (err == 0 && plan->failed)
        err = sdp_fail(error, -ENOMEM, "no_memory", "out of memory");
    if (err < 0)
        goto fail;
    *ret = plan;
    return 0;
fail:
    media_plan_unref(plan);
    return err;
}

/* The i-th audio and the i-th video slot are one stream, so that browsers keep them in sync. */
static void name_slot(struct sdp_write_section *out, const struct plan_section *plan)
{
    (void)snprintf(out->stream, sizeof(out->stream), "slot-%" PRIu32, plan->slot);
    (void)snprintf(out->track, sizeof(out->track), "slot-%c%" PRIu32,
                   plan->kind == KIND_AUDIO ? 'a' : 'v', plan->slot);
}

static void write_section(const struct negotiation_local *local, const struct media_plan *plan,
                          uint32_t i, const struct sdp *sdp, struct text *answer)
{
    const struct plan_section *section = &plan->sections[i];
    const struct sdp_section *offered = &sdp->sections[i];
    struct sdp_write_section out = {
        .plan = section,
        .offered = offered,
        .local = local,
        .accepted = plan_section_accepted(section, offered),
        .direction = SDP_INACTIVE,
        .setup = plan->dtls_client ? SDP_SETUP_ACTIVE : SDP_SETUP_PASSIVE,
        .extmap_allow_mixed = offered->extmap_allow_mixed && !sdp->session.extmap_allow_mixed,
    };

    if (section->use == SECTION_PUBLISH)
        out.direction = SDP_RECVONLY;
    if (section->use == SECTION_SLOT) {
        out.direction = SDP_SENDONLY;
        out.ssrc = section->ssrc;
        out.rtx_ssrc = section->rtx_ssrc;
        name_slot(&out, section);
    }
    sdp_write_section(answer, &out);
}

/* @return true if the m-line with this mid stays in the group */
static bool is_accepted(const struct media_plan *plan, const struct sdp *sdp, const char *mid)
{
    for (uint32_t i = 0; i < plan->n_sections; i++) {
        if (plan_section_accepted(&plan->sections[i], &sdp->sections[i]) &&
            strcmp(plan->sections[i].mid, mid) == 0)
            return true;
    }
    return false;
}

static void write_answer(const struct negotiation *n, const struct negotiation_local *local,
                         const struct media_plan *plan, const struct sdp *sdp, struct text *answer)
{
    struct sdp_write_session session = {
        .id = n->session_id,
        .version = n->version,
        .ice_lite = local->ice_lite,
        .extmap_allow_mixed = sdp->session.extmap_allow_mixed,
    };

    for (uint32_t i = 0; i < sdp->n_bundle; i++) {
        if (is_accepted(plan, sdp, sdp->bundle[i]))
            session.bundle[session.n_bundle++] = sdp->bundle[i];
    }
    sdp_write_session(answer, &session);
    for (uint32_t i = 0; i < plan->n_sections; i++)
        write_section(local, plan, i, sdp, answer);
}

/* RFC 9143 section 9.2: in one BUNDLE an id means one extension. aiortc offers id 2 for the audio
 * level of its audio and for the send time of its video, and reads every packet by the last one
 * answered: the first m-line keeps the id, the others do without. */
static void keep_first_extension_of_id(struct sdp *sdp)
{
    enum extension owner[UINT8_MAX + 1];

    for (size_t id = 0; id < ARRAY_LEN(owner); id++)
        owner[id] = EXTENSION_COUNT;
    for (uint32_t i = 0; i < sdp->n_sections; i++) {
        struct sdp_section *section = &sdp->sections[i];
        uint32_t kept = 0;

        for (uint32_t j = 0; sdp_section_live(section) && j < section->n_extensions; j++) {
            struct sdp_extension item = section->extensions[j];

            if (owner[item.id] == EXTENSION_COUNT)
                owner[item.id] = item.extension;
            if (owner[item.id] == item.extension)
                section->extensions[kept++] = item;
        }
        section->n_extensions = kept;
    }
}

static bool restarts_ice(const struct media_plan *before, const struct media_plan *now)
{
    return before && (strcmp(before->ufrag, now->ufrag) != 0 || strcmp(before->pwd, now->pwd) != 0);
}

/* Write the answer, with our credentials of now. */
static void answer_plan(const struct negotiation *n, const struct negotiation_local *local,
                        const struct media_plan *plan, const struct sdp *sdp, struct text *answer)
{
    struct negotiation_local renewed;

    if (!restarts_ice(n->plan, plan) || !local->next_ufrag[0]) {
        write_answer(n, local, plan, sdp, answer);
        return;
    }
    renewed = *local;
    memcpy(renewed.ufrag, local->next_ufrag, sizeof(renewed.ufrag));
    memcpy(renewed.pwd, local->next_pwd, sizeof(renewed.pwd));
    write_answer(n, &renewed, plan, sdp, answer);
}

int negotiation_answer(struct negotiation *n, const struct negotiation_local *local,
                       const char *offer, size_t len, struct text *answer,
                       struct negotiation_error *error)
{
    struct sdp *sdp = NULL;
    struct media_plan *plan = NULL;
    int err;

    text_done(answer);
    err = sdp_read(&sdp, offer, len, error);
    if (err < 0)
        return err;
    err = check_offer(sdp, error);
    if (err < 0)
        goto out;
    keep_first_extension_of_id(sdp);
    err = make_plan(n, local, &plan, sdp, error);
    if (err < 0)
        goto out;
    if (local->cap)
        local->cap(local->cap_owner, plan);
    answer_plan(n, local, plan, sdp, answer);
    if (!text_ok(answer)) {
        err = sdp_fail(error, -E2BIG, "answer_too_large", "the answer has no place");
        goto out;
    }
    n->version++;
    n->restarted_ice = restarts_ice(n->plan, plan);
    media_plan_unref(n->plan);
    n->plan = plan;
    plan = NULL;
out:
    if (err < 0)
        text_done(answer);
    media_plan_unref(plan);
    sdp_free(sdp);
    return err;
}
