/* The client's side of signaling/negotiation.h: what it offers, and what the answer to it means. */
#include "signaling/codec_match.h"
#include "signaling/negotiation.h"
#include "signaling/plan.h"
#include "signaling/sdp.h"
#include "signaling/sdp_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { OPUS_PT = 111 };

/* Payload types as browsers number them, for those who read traces. */
static const struct {
    uint8_t pt, rtx_pt;
    const char *fmtp;
} formats[CODEC_COUNT] = {
    [CODEC_OPUS] = {OPUS_PT, 0, "minptime=10;useinbandfec=1"},
    [CODEC_RED] = {63, 0, "111/111"},
    [CODEC_PCMU] = {0, 0, ""},
    [CODEC_PCMA] = {8, 0, ""},
    [CODEC_VP8] = {96, 97, ""},
    [CODEC_VP9] = {98, 99, "profile-id=0"},
    [CODEC_H264] = {102, 103,
                    "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"},
    [CODEC_AV1] = {45, 46, "level-idx=5;profile=0;tier=0"},
    [CODEC_H265] = {49, 50, "level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST"},
};

static const char opus_stereo[] = "minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1";

/* One number per extension for all m-lines, as BUNDLE asks (RFC 9143, section 9.2). */
static const struct extension_map audio_extensions = {.id = {
                                                          [EXTENSION_AUDIO_LEVEL] = 1,
                                                          [EXTENSION_ABS_SEND_TIME] = 2,
                                                          [EXTENSION_TRANSPORT_CC] = 3,
                                                          [EXTENSION_MID] = 4,
                                                      }};
static const struct extension_map video_extensions = {.id = {
                                                          [EXTENSION_ABS_SEND_TIME] = 2,
                                                          [EXTENSION_TRANSPORT_CC] = 3,
                                                          [EXTENSION_MID] = 4,
                                                          [EXTENSION_RID] = 10,
                                                      }};

static const struct extension_map *extensions_of(enum media_kind kind)
{
    return kind == KIND_AUDIO ? &audio_extensions : &video_extensions;
}

/* What the section names, or else everything we know. */
static const enum codec *codecs_of(const struct offer_section *section)
{
    if (section->codecs[0] != CODEC_NONE)
        return section->codecs;
    return section->kind == KIND_AUDIO ? negotiation_default_policy.audio
                                       : negotiation_default_policy.video;
}

static void offer_codec(struct plan_codec *out, enum codec codec, bool stereo)
{
    bool video = codec_info(codec)->kind == KIND_VIDEO;

    *out = (struct plan_codec){
        .codec = codec,
        .pt = formats[codec].pt,
        .rtx_pt = formats[codec].rtx_pt,
        .nack = video,
        .pli = video,
        .fir = video,
        .transport_cc = codec != CODEC_RED,
        .fmtp = codec == CODEC_OPUS && stereo ? opus_stereo : formats[codec].fmtp,
    };
}

static void offer_plan(struct plan_section *plan, const struct offer_section *section)
{
    const enum codec *codecs = codecs_of(section);

    *plan = (struct plan_section){
        .use = section->use,
        .kind = section->kind,
        .extensions = *extensions_of(section->kind),
        .rtcp_rsize = true,
    };
    memcpy(plan->mid, section->mid, sizeof(plan->mid));
    for (size_t i = 0; i < POLICY_CODECS && codecs[i] != CODEC_NONE; i++) {
        if (codec_info(codecs[i])->kind == section->kind)
            offer_codec(&plan->codecs[plan->n_codecs++], codecs[i], section->stereo);
    }
}

static void write_section(struct text *offer, const struct negotiation_local *local,
                          const struct offer_section *section)
{
    struct plan_section plan;
    struct sdp_write_section out = {
        .plan = &plan,
        .local = local,
        .accepted = true,
        .direction = SDP_INACTIVE,
        .setup = SDP_SETUP_ACTPASS,
    };

    offer_plan(&plan, section);
    if (section->use == SECTION_SLOT)
        out.direction = SDP_RECVONLY;
    if (section->use == SECTION_PUBLISH) {
        out.direction = SDP_SENDONLY;
        out.ssrc = section->ssrc;
        out.rtx_ssrc = section->rtx_ssrc;
        (void)snprintf(out.stream, sizeof(out.stream), "%s", local->cname);
        (void)snprintf(out.track, sizeof(out.track), "%s", section->mid);
    }
    sdp_write_section(offer, &out);
}

int offer_write(struct text *offer, const struct negotiation_local *local,
                const struct offer_section *sections, uint32_t n, uint64_t session_id,
                uint64_t version)
{
    struct sdp_write_session session = {
        .id = session_id & INT64_MAX,
        .version = version & INT64_MAX,
        .ice_lite = local->ice_lite,
        .extmap_allow_mixed = true,
    };

    if (n > PLAN_MAX_SECTIONS)
        return -EMSGSIZE;
    for (uint32_t i = 0; i < n; i++)
        session.bundle[session.n_bundle++] = sections[i].mid;
    sdp_write_session(offer, &session);
    for (uint32_t i = 0; i < n; i++)
        write_section(offer, local, &sections[i]);
    return text_ok(offer) ? 0 : -EMSGSIZE;
}

/* @return the use that an answer to `offered` with this direction means; REJECTED: none */
static enum section_use use_of(enum section_use offered, enum sdp_direction direction)
{
    if (direction == SDP_INACTIVE)
        return SECTION_STOPPED;
    if (offered == SECTION_PUBLISH && direction != SDP_SENDONLY)
        return SECTION_PUBLISH;
    if (offered == SECTION_SLOT && direction != SDP_RECVONLY)
        return SECTION_SLOT;
    return SECTION_REJECTED;
}

static int fail_mismatch(struct negotiation_error *error, const struct sdp_section *answered,
                         const char *what)
{
    return sdp_fail(error, -EPROTO, "not_our_offer", "line %" PRIu32 ": %s", answered->line, what);
}

/* The numbers must be those we offered. */
static int check_numbers(const struct plan_section *plan, const struct sdp_section *answered,
                         struct negotiation_error *error)
{
    const struct extension_map *ours = extensions_of(plan->kind);

    for (size_t i = 0; i < EXTENSION_COUNT; i++) {
        if (plan->extensions.id[i] != 0 && plan->extensions.id[i] != ours->id[i])
            return fail_mismatch(error, answered, "a header extension that was not offered so");
    }
    for (uint8_t i = 0; i < plan->n_codecs; i++) {
        if (plan->codecs[i].pt != formats[plan->codecs[i].codec].pt)
            return fail_mismatch(error, answered, "a payload type that was not offered so");
    }
    if (plan->n_codecs == 0)
        return fail_mismatch(error, answered, "no codec of those offered");
    return 0;
}

static int read_section(struct media_plan *all, struct plan_section *plan,
                        const struct sdp_section *answered, const struct offer_section *offered,
                        struct negotiation_error *error)
{
    int err;

    *plan = (struct plan_section){.kind = offered->kind, .rtcp_rsize = answered->rtcp_rsize};
    memcpy(plan->mid, offered->mid, sizeof(plan->mid));
    if (strcmp(answered->media, media_kind_name(offered->kind)) != 0)
        return fail_mismatch(error, answered, "not the kind of media that was offered");
    if (!sdp_section_live(answered)) {
        plan->use = offered->use == SECTION_STOPPED ? SECTION_STOPPED : SECTION_REJECTED;
        return 0;
    }
    if (strcmp(answered->mid, offered->mid) != 0)
        return fail_mismatch(error, answered, "not the a=mid that was offered");
    plan->use = use_of(offered->use, answered->direction);
    if (plan->use == SECTION_REJECTED)
        return fail_mismatch(error, answered, "a direction that was not offered");
    plan_read_extensions(&plan->extensions, answered, answered->direction);
    codec_match_answer(all, plan, answered, codecs_of(offered));
    err = check_numbers(plan, answered, error);
    if (err < 0)
        return err;
    if (plan->use == SECTION_SLOT)
        plan_read_ssrc(answered, &plan->ssrc, &plan->rtx_ssrc);
    if (plan->use == SECTION_PUBLISH) {
        plan->max_bps = answered->max_bps;
        plan->n_layers = 1;
        plan->layers[0] = (struct plan_layer){.ssrc = offered->ssrc, .rtx_ssrc = offered->rtx_ssrc};
    }
    return 0;
}

static void number_slots(struct media_plan *plan)
{
    uint32_t next[2] = {0, 0}; /* by enum media_kind */

    for (uint32_t i = 0; i < plan->n_sections; i++) {
        if (plan->sections[i].use == SECTION_SLOT)
            plan->sections[i].slot = next[plan->sections[i].kind]++;
    }
}

static int read_transport(struct media_plan *plan, const struct sdp *sdp,
                          struct negotiation_error *error)
{
    const struct sdp_section *section = plan_tagged_section(plan, sdp);
    int err;

    if (!section)
        return sdp_fail(error, -EPROTO, "all_rejected", "every m-line was rejected");
    err = plan_read_transport(plan, sdp, section, error);
    if (err < 0)
        return err;
    if (section->setup != SDP_SETUP_ACTIVE && section->setup != SDP_SETUP_PASSIVE) {
        return sdp_fail(error, -EBADMSG, "bad_setup",
                        "line %" PRIu32 ": the m-line is answered neither active nor passive",
                        section->line);
    }
    plan->dtls_client = section->setup == SDP_SETUP_PASSIVE;
    return 0;
}

int answer_read(struct media_plan **ret, const char *answer, size_t len,
                const struct offer_section *sections, uint32_t n, struct negotiation_error *error)
{
    struct sdp *sdp = NULL;
    struct media_plan *plan = NULL;
    int err = sdp_read(&sdp, answer, len, error);

    if (err < 0)
        return err;
    if (sdp->n_sections != n) {
        err = sdp_fail(error, -EPROTO, "not_our_offer",
                       "%" PRIu32 " m-lines, offered were %" PRIu32, sdp->n_sections, n);
        goto out;
    }
    plan = plan_new(n);
    if (!plan) {
        err = sdp_fail(error, -ENOMEM, "no_memory", "out of memory");
        goto out;
    }
    for (uint32_t i = 0; i < n && err == 0; i++)
        err = read_section(plan, &plan->sections[i], &sdp->sections[i], &sections[i], error);
    if (err < 0)
        goto out;
    number_slots(plan);
    err = read_transport(plan, sdp, error);
    if (err == 0 && plan->failed)
        err = sdp_fail(error, -ENOMEM, "no_memory", "out of memory");
    if (err < 0)
        goto out;
    *ret = plan;
    plan = NULL;
out:
    media_plan_unref(plan);
    sdp_free(sdp);
    return err;
}
