#include "sfu/format_match.h"

#include "signaling/h264_profile.h"
#include "signaling/sdp_token.h"

#include <errno.h>

/** How well two formats fit. */
enum fit { FIT_NOT, FIT_INCLUDES, FIT_SAME };

static enum fit fit_h264(const char *published_fmtp, const char *taken_fmtp)
{
    struct h264_format published;
    struct h264_format taken;

    if (!h264_format_read(published_fmtp, &published) || !h264_format_read(taken_fmtp, &taken) ||
        published.packetization_mode > taken.packetization_mode)
        return FIT_NOT;
    if (published.profile == H264_OTHER || taken.profile == H264_OTHER)
        return published.profile_level_id >> 8 == taken.profile_level_id >> 8 ? FIT_SAME : FIT_NOT;
    if (published.profile == taken.profile)
        return published.packetization_mode == taken.packetization_mode ? FIT_SAME : FIT_INCLUDES;
    /* Baseline has tools (FMO, ASO) that main and high lack. */
    if (published.profile == H264_BASELINE || published.profile > taken.profile)
        return FIT_NOT;
    return FIT_INCLUDES;
}

static enum fit fit_of(const struct plan_codec *published, const struct plan_codec *taken)
{
    const char *profile = NULL;
    uint32_t missing = 0;

    if (published->codec != taken->codec)
        return FIT_NOT;
    switch (published->codec) {
    case CODEC_H264:
        return fit_h264(published->fmtp, taken->fmtp);
    case CODEC_VP9:
        profile = "profile-id";
        break;
    case CODEC_AV1:
        profile = "profile";
        break;
    case CODEC_H265:
        profile = "profile-id";
        missing = 1;
        break;
    case CODEC_NONE:
    case CODEC_OPUS:
    case CODEC_RED:
    case CODEC_PCMU:
    case CODEC_PCMA:
    case CODEC_VP8:
    case CODEC_COUNT:
        return FIT_SAME;
    }
    return sdp_token_fmtp_number(published->fmtp, profile, missing) ==
                   sdp_token_fmtp_number(taken->fmtp, profile, missing)
               ? FIT_SAME
               : FIT_NOT;
}

int format_match(const struct plan_section *section, const struct plan_codec *published)
{
    enum fit best = FIT_NOT;
    int found = -ENOENT;

    for (int i = 0; i < section->n_codecs; i++) {
        enum fit fit = fit_of(published, &section->codecs[i]);

        if (fit > best) {
            best = fit;
            found = i;
        }
    }
    return found;
}

int format_find(const struct plan_section *section, enum codec codec)
{
    for (int i = 0; i < section->n_codecs; i++) {
        if (section->codecs[i].codec == codec)
            return i;
    }
    return -ENOENT;
}
