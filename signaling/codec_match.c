#include "signaling/codec_match.h"

#include "signaling/h264_profile.h"
#include "signaling/plan.h"
#include "signaling/sdp_token.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* How much we want a variant of a codec: the higher the better. */
enum { UNUSABLE = 0, LAST_RESORT = 1, GOOD = 2 };

struct variant {
    const struct sdp_format *format;
    enum codec codec;
    int rank;
};

struct variants {
    uint32_t n;
    struct variant items[SDP_MAX_FORMATS];
};

/* Single NAL units (0) or fragments (1); interleaved (2) nobody implements. RFC 7742: constrained
 * baseline is what everybody decodes. */
static int h264_rank(const char *fmtp)
{
    static const int ranks[] = {
        [H264_CONSTRAINED_BASELINE] = 4, [H264_BASELINE] = 3, [H264_MAIN] = 2,
        [H264_CONSTRAINED_HIGH] = 1,     [H264_HIGH] = 1,
    };
    struct h264_format format;

    if (!h264_format_read(fmtp, &format) || format.packetization_mode > 1)
        return UNUSABLE;
    if (format.profile == H264_OTHER)
        return LAST_RESORT;
    return GOOD + (format.packetization_mode == 1 ? 10 : 0) + ranks[format.profile];
}

static int rank_of(enum codec codec, const struct sdp_format *format)
{
    switch (codec) {
    case CODEC_H264:
        return h264_rank(format->fmtp);
    case CODEC_VP9: /* profiles above 0 are more bits or other colours: few decode them */
        return sdp_token_fmtp_number(format->fmtp, "profile-id", 0) == 0 ? GOOD : LAST_RESORT;
    case CODEC_AV1:
        return sdp_token_fmtp_number(format->fmtp, "profile", 0) == 0 ? GOOD : LAST_RESORT;
    case CODEC_PCMU:
    case CODEC_PCMA:
        return format->channels <= 1 ? GOOD : UNUSABLE;
    case CODEC_NONE:
    case CODEC_COUNT:
        return UNUSABLE;
    case CODEC_OPUS:
    case CODEC_RED:
    case CODEC_VP8:
    case CODEC_H265:
        return GOOD;
    }
    return UNUSABLE;
}

/* RFC 5761, section 4: with rtcp-mux these look like RTCP. */
static bool looks_like_rtcp(const struct sdp_format *format)
{
    return format->pt >= 64 && format->pt <= 95;
}

/* RFC 3551, table 4: these need no a=rtpmap. */
static enum codec codec_of(const struct sdp_format *format)
{
    if (format->name[0] != '\0')
        return codec_by_name(format->name, strlen(format->name), format->clock_rate);
    if (format->pt == 0)
        return CODEC_PCMU;
    return format->pt == 8 ? CODEC_PCMA : CODEC_NONE;
}

static void read_variants(struct variants *v, const struct sdp_section *s, enum media_kind kind)
{
    v->n = 0;
    for (uint32_t i = 0; i < s->n_formats; i++) {
        enum codec codec = codec_of(&s->formats[i]);
        int rank = rank_of(codec, &s->formats[i]);

        if (rank != UNUSABLE && !looks_like_rtcp(&s->formats[i]) && codec_info(codec)->kind == kind)
            v->items[v->n++] = (struct variant){&s->formats[i], codec, rank};
    }
}

/* @return the payload type that retransmits `format` (RFC 4588), or 0 */
static uint8_t rtx_pt_of(const struct sdp_section *s, const struct sdp_format *format,
                         uint32_t clock_rate)
{
    for (uint32_t i = 0; i < s->n_formats; i++) {
        const struct sdp_format *rtx = &s->formats[i];

        if (strcasecmp(rtx->name, "rtx") == 0 && rtx->clock_rate == clock_rate &&
            !looks_like_rtcp(rtx) &&
            sdp_token_fmtp_number(rtx->fmtp, "apt", UINT32_MAX) == format->pt)
            return rtx->pt;
    }
    return 0;
}

/* Parameters answered as offered, when their value is a plain word. What is left out says what the
 * offerer can receive or sends, and would be a promise from us. */
static const char *const kept_parameters[CODEC_COUNT][6] = {
    [CODEC_OPUS] = {"stereo", "sprop-stereo", "usedtx", "cbr", "maxaveragebitrate"},
    [CODEC_VP9] = {"profile-id"},
    [CODEC_H264] = {"level-asymmetry-allowed", "packetization-mode", "profile-level-id"},
    [CODEC_AV1] = {"level-idx", "profile", "tier"},
    [CODEC_H265] = {"level-id", "profile-id", "tier-flag", "tx-mode"},
};

static bool is_plain(struct sdp_span span)
{
    for (size_t i = 0; i < span.len; i++) {
        char c = span.start[i];

        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
            return false;
    }
    return span.len > 0 && span.len <= 12;
}

static void append_parameter(char out[PLAN_FMTP_MAX], const char *key, struct sdp_span value)
{
    size_t len = strlen(out);

    (void)snprintf(out + len, PLAN_FMTP_MAX - len, "%s%s=%.*s", len > 0 ? ";" : "", key,
                   (int)value.len, value.start);
}

static void answer_fmtp(char out[PLAN_FMTP_MAX], enum codec codec, const char *offered)
{
    const char *const *key = kept_parameters[codec];
    struct sdp_span value;

    out[0] = '\0';
    if (codec == CODEC_OPUS)
        (void)snprintf(out, PLAN_FMTP_MAX, "minptime=10;useinbandfec=1");
    /* Who says that it will send stereo (GStreamer) sends it only if asked to. */
    if (codec == CODEC_OPUS && sdp_token_fmtp_number(offered, "stereo", 2) == 2 &&
        sdp_token_fmtp_number(offered, "sprop-stereo", 0) == 1)
        append_parameter(out, "stereo", (struct sdp_span){"1", 1});
    for (size_t i = 0; i < ARRAY_LEN(kept_parameters[codec]) && key[i]; i++) {
        if (sdp_token_fmtp(offered, key[i], &value) && is_plain(value))
            append_parameter(out, key[i], value);
    }
}

/* Append a payload type with what is agreed about it. */
static struct plan_codec *append(struct plan_section *section, const struct sdp_section *s,
                                 const struct variant *v)
{
    struct plan_codec *codec = &section->codecs[section->n_codecs++];
    uint8_t feedback = v->format->feedback;
    /* GStreamer offers the feedback, but no extension to number the packets with. */
    bool transport_cc = (feedback & SDP_TRANSPORT_CC) &&
                        section->extensions.id[EXTENSION_TRANSPORT_CC] != 0;

    /* We read it, but do not write it. */
    bool ccfb = (feedback & SDP_ACK_CCFB) && !transport_cc && section->use == SECTION_SLOT;

    *codec = (struct plan_codec){
        .codec = v->codec,
        .pt = v->format->pt,
        .rtx_pt = rtx_pt_of(s, v->format, codec_info(v->codec)->clock_rate),
        .nack = feedback & SDP_NACK,
        .pli = feedback & SDP_NACK_PLI,
        .fir = feedback & SDP_CCM_FIR,
        .transport_cc = transport_cc,
        .remb = (feedback & SDP_GOOG_REMB) && !transport_cc && !ccfb,
        .ccfb = ccfb,
    };
    return codec;
}

/* @return the payload type of `section`'s Opus that this RED is around, "111/111" (RFC 2198), or 0
 */
static uint8_t opus_in_red(const struct plan_section *section, const struct variant *v)
{
    const char *blocks = v->format->fmtp;
    struct sdp_span first;
    uint32_t pt;

    if (!sdp_token_next(&blocks, '/', &first) || !sdp_token_number(first, 127, &pt))
        return 0;
    for (uint8_t i = 0; i < section->n_codecs; i++) {
        if (section->codecs[i].codec == CODEC_OPUS && section->codecs[i].pt == pt)
            return section->codecs[i].pt;
    }
    return 0;
}

/* Answer a variant if there is place for it. */
static void answer(struct media_plan *plan, struct plan_section *section,
                   const struct sdp_section *offered, const struct variant *v)
{
    char fmtp[PLAN_FMTP_MAX];
    uint8_t opus_pt = v->codec == CODEC_RED ? opus_in_red(section, v) : 0;

    if (section->n_codecs == PLAN_MAX_CODECS || (v->codec == CODEC_RED && opus_pt == 0))
        return;
    if (v->codec == CODEC_RED)
        (void)snprintf(fmtp, sizeof(fmtp), "%u/%u", opus_pt, opus_pt);
    else
        answer_fmtp(fmtp, v->codec, v->format->fmtp);
    append(section, offered, v)->fmtp = plan_keep_text(plan, fmtp);
}

/* @return the best variant of `codec` with a rank in [min, below), the first among equals */
static const struct variant *best(const struct variants *v, enum codec codec, int min, int below)
{
    const struct variant *ret = NULL;

    for (uint32_t i = 0; i < v->n; i++) {
        const struct variant *item = &v->items[i];

        if (item->codec == codec && item->rank >= min && item->rank < below &&
            (!ret || item->rank > ret->rank))
            ret = item;
    }
    return ret;
}

static bool in_list(const enum codec list[POLICY_CODECS], enum codec codec)
{
    for (size_t i = 0; i < POLICY_CODECS && list[i] != CODEC_NONE; i++) {
        if (list[i] == codec)
            return true;
    }
    return false;
}

void codec_match_publish(struct media_plan *plan, struct plan_section *section,
                         const struct sdp_section *offered, const enum codec wanted[POLICY_CODECS])
{
    struct variants variants;
    const struct variant *v = NULL;

    read_variants(&variants, offered, section->kind);
    section->n_codecs = 0;
    for (int min = GOOD; min >= LAST_RESORT && !v; min--) {
        for (size_t i = 0; i < POLICY_CODECS && wanted[i] != CODEC_NONE && !v; i++)
            v = wanted[i] == CODEC_RED ? NULL : best(&variants, wanted[i], min, INT32_MAX);
    }
    if (!v)
        return;
    answer(plan, section, offered, v);
    v = best(&variants, CODEC_RED, GOOD, INT32_MAX);
    if (v && in_list(wanted, CODEC_RED))
        answer(plan, section, offered, v);
}

/* Every variant of `codec` with at least rank `min`, the best first, otherwise as offered. */
static void answer_all(struct media_plan *plan, struct plan_section *section,
                       const struct sdp_section *offered, const struct variants *variants,
                       enum codec codec, int min)
{
    const struct variant *v;
    int below = INT32_MAX;

    while ((v = best(variants, codec, min, below))) {
        below = v->rank;
        for (; v < variants->items + variants->n; v++) {
            if (v->codec == codec && v->rank == below)
                answer(plan, section, offered, v);
        }
    }
}

void codec_match_slot(struct media_plan *plan, struct plan_section *section,
                      const struct sdp_section *offered, const enum codec wanted[POLICY_CODECS])
{
    struct variants variants;

    read_variants(&variants, offered, section->kind);
    section->n_codecs = 0;
    for (int min = GOOD; min >= LAST_RESORT && section->n_codecs == 0; min--) {
        for (size_t i = 0; i < POLICY_CODECS && wanted[i] != CODEC_NONE; i++)
            answer_all(plan, section, offered, &variants, wanted[i], min);
    }
}

void codec_match_answer(struct media_plan *plan, struct plan_section *section,
                        const struct sdp_section *answered, const enum codec wanted[POLICY_CODECS])
{
    struct variants variants;

    read_variants(&variants, answered, section->kind);
    section->n_codecs = 0;
    for (uint32_t i = 0; i < variants.n && section->n_codecs < PLAN_MAX_CODECS; i++) {
        const struct variant *v = &variants.items[i];
        char fmtp[PLAN_FMTP_MAX];

        if (!in_list(wanted, v->codec))
            continue;
        (void)snprintf(fmtp, sizeof(fmtp), "%s", v->format->fmtp);
        append(section, answered, v)->fmtp = plan_keep_text(plan, fmtp);
    }
}
