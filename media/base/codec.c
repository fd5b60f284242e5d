#include "media/base/codec.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const struct codec_info infos[CODEC_COUNT] = {
    [CODEC_OPUS] = {"opus", KIND_AUDIO, 48000, 2}, /* RFC 7587: always written so */
    [CODEC_RED] = {"red", KIND_AUDIO, 48000, 2},   /* browsers: one Opus block per entry */
    [CODEC_PCMU] = {"PCMU", KIND_AUDIO, 8000, 0},  [CODEC_PCMA] = {"PCMA", KIND_AUDIO, 8000, 0},
    [CODEC_VP8] = {"VP8", KIND_VIDEO, 90000, 0},   [CODEC_VP9] = {"VP9", KIND_VIDEO, 90000, 0},
    [CODEC_H264] = {"H264", KIND_VIDEO, 90000, 0}, [CODEC_AV1] = {"AV1", KIND_VIDEO, 90000, 0},
    [CODEC_H265] = {"H265", KIND_VIDEO, 90000, 0},
};

const struct codec_info *codec_info(enum codec codec)
{
    assert(codec > CODEC_NONE && codec < CODEC_COUNT);
    return &infos[codec];
}

enum codec codec_by_name(const char *name, size_t len, uint32_t clock_rate)
{
    for (enum codec codec = CODEC_NONE + 1; codec < CODEC_COUNT; codec++) {
        const struct codec_info *info = &infos[codec];

        if (info->clock_rate == clock_rate && strlen(info->name) == len &&
            strncasecmp(info->name, name, len) == 0)
            return codec;
    }
    return CODEC_NONE;
}

const char *media_kind_name(enum media_kind kind)
{
    switch (kind) {
    case KIND_AUDIO:
        return "audio";
    case KIND_VIDEO:
        return "video";
    }
    assert(false); /* not a media kind */
    return "audio";
}
