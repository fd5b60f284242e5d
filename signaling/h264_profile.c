#include "signaling/h264_profile.h"

#include "signaling/sdp_token.h"

#include <stddef.h>
#include <string.h>

static const uint32_t UNNAMED = 0x42e01f; /* constrained baseline, level 3.1 */

static bool read_hex(struct sdp_span span, uint32_t *ret)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t value = 0;

    if (span.len != 6)
        return false;
    for (size_t i = 0; i < span.len; i++) {
        const char *digit = span.start[i] ? strchr(digits, span.start[i] | 0x20) : NULL;

        if (!digit)
            return false;
        value = value << 4 | (uint32_t)(digit - digits);
    }
    *ret = value;
    return true;
}

/* RFC 6184 table 5: profile_idc and the constraint bits of profile-iop that matter. */
static enum h264_profile profile_of(uint32_t profile_level_id)
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
        if (table[i].idc == profile_level_id >> 16 &&
            (profile_level_id >> 8 & table[i].mask) == table[i].iop)
            return table[i].profile;
    }
    return H264_OTHER;
}

bool h264_format_read(const char *fmtp, struct h264_format *ret)
{
    struct sdp_span span;

    ret->packetization_mode = sdp_token_fmtp_number(fmtp, "packetization-mode", 0);
    ret->profile_level_id = UNNAMED;
    if (sdp_token_fmtp(fmtp, "profile-level-id", &span) && !read_hex(span, &ret->profile_level_id))
        return false;
    ret->profile = profile_of(ret->profile_level_id);
    return true;
}
