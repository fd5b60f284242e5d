/**
 * @file codec.h  The codecs we forward, as SDP names them. Shared by negotiation and media.
 */
#ifndef MEDIA_BASE_CODEC_H
#define MEDIA_BASE_CODEC_H

#include <stddef.h>
#include <stdint.h>

enum media_kind { KIND_AUDIO, KIND_VIDEO };

enum codec {
    CODEC_NONE,
    CODEC_OPUS,
    CODEC_RED, /* RFC 2198 around Opus */
    CODEC_PCMU,
    CODEC_PCMA,
    CODEC_VP8,
    CODEC_VP9,
    CODEC_H264,
    CODEC_AV1,
    CODEC_H265,
    CODEC_COUNT
};

/** What is fixed for a codec. */
struct codec_info {
    const char *name; /* as in a=rtpmap; compare without case */
    enum media_kind kind;
    uint32_t clock_rate; /* [Hz] of RTP timestamps */
    uint8_t channels;    /* 0: not written in a=rtpmap */
};

/** @return facts of `codec`, which is not CODEC_NONE; static storage */
const struct codec_info *codec_info(enum codec codec);

/** @return the codec named so (any case, `len` characters) with that clock rate, or CODEC_NONE */
enum codec codec_by_name(const char *name, size_t len, uint32_t clock_rate);

/** @return "audio" or "video"; static storage */
const char *media_kind_name(enum media_kind kind);

#endif
