#include "sfu/format_match.h"

#include "media/base/attributes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/** How well two formats fit. */
enum fit { FIT_NOT, FIT_INCLUDES, FIT_SAME };

const char *fmtp_value(const char *fmtp, const char *name, size_t *len)
{
    size_t name_len = strlen(name);

    for (const char *at = fmtp; *at;) {
        size_t span;

        at += strspn(at, "; \t");
        span = strcspn(at, ";");
        if (span >= name_len && strncasecmp(at, name, name_len) == 0 &&
            (span == name_len || at[name_len] == '=')) {
            size_t skip = name_len + (span > name_len);

            *len = strcspn(at + skip, "; \t");
            return at + skip;
        }
        at += span;
    }
    return NULL;
}

/* Numeric parameter `name`, or `missing` if it is not there or no number. */
static unsigned long number_of(const char *fmtp, const char *name, int base, unsigned long missing)
{
    size_t len;
    const char *text = fmtp_value(fmtp, name, &len);
    char digits[12];
    char *end;
    unsigned long number;

    if (!text || len == 0 || len >= sizeof(digits))
        return missing;
    memcpy(digits, text, len);
    digits[len] = '\0';
    number = strtoul(digits, &end, base);
    return *end ? missing : number;
}

/* Profiles of H.264 so that each decodes those before it, by and large. */
enum h264_profile {
    H264_CONSTRAINED_BASELINE,
    H264_BASELINE,
    H264_MAIN,
    H264_CONSTRAINED_HIGH,
    H264_HIGH,
    H264_OTHER
};

/* RFC 6184 table 5: profile_idc and the constraint bits of profile-iop that matter. */
static enum h264_profile h264_profile_of(unsigned long profile_level_id)
{
    static const struct {
        uint8_t idc, mask, iop;
        enum h264_profile profile;
    } table[] = {
        {0x42, 0x4f, 0x40, H264_CONSTRAINED_BASELINE},
        {0x4d, 0x8f, 0x80, H264_CONSTRAINED_BASELINE},
        {0x58, 0xcf, 0xc0, H264_CONSTRAINED_BASELINE},
        {0x42, 0x4f, 0x00, H264_BASELINE},
        {0x58, 0xcf, 0x80, H264_BASELINE},
        {0x4d, 0xaf, 0x00, H264_MAIN},
        {0x64, 0xff, 0x0c, H264_CONSTRAINED_HIGH},
        {0x64, 0xff, 0x00, H264_HIGH},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].idc == (profile_level_id >> 16 & 0xff) &&
            (profile_level_id >> 8 & table[i].mask) == table[i].iop)
            return table[i].profile;
    }
    return H264_OTHER;
}

static enum fit fit_h264(const char *published, const char *taken)
{
    /* Without a word browsers mean constrained baseline, level 3.1. */
    unsigned long published_id = number_of(published, "profile-level-id", 16, 0x42e01f);
    unsigned long taken_id = number_of(taken, "profile-level-id", 16, 0x42e01f);
    enum h264_profile published_profile = h264_profile_of(published_id);
    enum h264_profile taken_profile = h264_profile_of(taken_id);
    unsigned long published_mode = number_of(published, "packetization-mode", 10, 0);
    unsigned long taken_mode = number_of(taken, "packetization-mode", 10, 0);

    if (published_mode > taken_mode)
        return FIT_NOT;
    if (published_profile == H264_OTHER || taken_profile == H264_OTHER)
        return published_id >> 8 == taken_id >> 8 ? FIT_SAME : FIT_NOT;
    if (published_profile == taken_profile)
        return published_mode == taken_mode ? FIT_SAME : FIT_INCLUDES;
    /* Baseline has tools (FMO, ASO) that main and high lack. */
    if (published_profile == H264_BASELINE || published_profile > taken_profile)
        return FIT_NOT;
    return FIT_INCLUDES;
}

static enum fit fit_of(const struct plan_codec *published, const struct plan_codec *taken)
{
    const char *profile = NULL;
    unsigned long missing = 0;

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
    return number_of(published->fmtp, profile, 10, missing) ==
                   number_of(taken->fmtp, profile, 10, missing)
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
