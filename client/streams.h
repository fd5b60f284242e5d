/**
 * @file streams.h  Everything we send and receive over one media link: our tracks, the slots, and
 * the RTCP between. Not thread-safe.
 */
#ifndef CLIENT_STREAMS_H
#define CLIENT_STREAMS_H

#include "client/opus_codec.h"
#include "media/base/attributes.h"
#include "media/base/list.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audio_source;
struct incoming;
struct media_link;
struct packet;
struct rtp_sender;
struct streams;
struct video_frame;
struct video_sender;

struct streams_config {
    uint16_t channels; /* of sound: 1, 2 */
    struct opus_encoder_config encoder;
    struct audio_source *audio; /* borrowed; what we say; NULL: nothing */
    struct video_sender *video; /* borrowed; what we show; NULL: nothing */
    char cname[33];
};

struct streams_handler {
    /** 20 ms of one participant (0: unknown) were heard: AUDIO_FRAME samples of each channel. */
    void (*on_sound)(void *owner, uint32_t participant, const int16_t *samples);
    /** A whole frame of video arrived. */
    void (*on_video)(void *owner, const struct video_frame *frame);
};

/** @param link     borrowed: must outlive the streams
 *  @param handler  borrowed. @return 0; -ENOMEM */
MUST_USE int streams_new(struct streams **ret, const struct streams_config *config,
                         struct media_link *link, const struct streams_handler *handler,
                         void *owner);
/** NULL is fine. @return NULL */
struct streams *streams_free(struct streams *s);

/** Take over what was agreed; what is there already stays. @return 0; -ENOTSUP: the server takes
 *  none of the codecs of a track we publish; -ENOMEM */
MUST_USE int streams_apply(struct streams *s, const struct media_plan *plan, int64_t now_us);

/** A slot carries another track; 0, 0: nothing. Unknown mids are ignored. */
void streams_bind(struct streams *s, const char *mid, uint32_t track, uint32_t participant,
                  int64_t now_us);

/** Somebody in the room wants our video, or nobody does. Call streams_advance() soon. */
void streams_want_video(struct streams *s, bool wanted, int64_t now_us);

/** A packet came over the link; as media_link_handler.on_rtp and on_rtcp. */
void streams_on_rtp(struct streams *s, struct packet *packet, int64_t now_us);
void streams_on_rtcp(struct streams *s, const uint8_t *data, size_t len, int64_t now_us);

/** Play and send 20 ms of sound. Call every 20 ms, from the joining on. */
void streams_tick(struct streams *s, int64_t now_us);

/** Send video, reports, and requests that are due. @return when to call again [us], or NEVER_US */
MUST_USE int64_t streams_advance(struct streams *s, int64_t now_us, int64_t wall_us);

/** Measure how fast everything flows; call before statistics are told. */
void streams_look(struct streams *s, int64_t now_us);
/** @return what we sent when looked at last [bit/s of payload] */
uint64_t streams_sent_bps(const struct streams *s);

/** @return list of struct incoming, by `link` */
const struct list *streams_incoming(const struct streams *s);
/** @return our audio stream; NULL: none */
const struct rtp_sender *streams_audio_sender(const struct streams *s);
/** @return our video stream; NULL: none */
const struct rtp_sender *streams_video_sender(const struct streams *s);
/** @return true if we have video and nobody wants it */
bool streams_video_paused(const struct streams *s);

#endif
