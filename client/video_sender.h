/**
 * @file video_sender.h  Publishes the VP8 of an IVF file, over and over, at the file's own pace.
 * Not thread-safe.
 */
#ifndef CLIENT_VIDEO_SENDER_H
#define CLIENT_VIDEO_SENDER_H

#include "client/rtp_sender.h"
#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

struct packet_pool;
struct video_sender;

enum { VIDEO_RATE = 90000 }; /* [Hz] of RTP timestamps */

/** @return 0; -ENOTSUP: not VP8; -ENODATA: does not begin with a key frame; as ivf_open() */
MUST_USE int video_sender_new(struct video_sender **ret, const char *path);
/** NULL is fine. @return NULL */
struct video_sender *video_sender_free(struct video_sender *s);

/** Begin to send, as this RTP stream. Once. @return 0; -ENOMEM */
MUST_USE int video_sender_start(struct video_sender *s, const struct rtp_sender_config *rtp,
                                int64_t now_us);

/** Send the frames that are due. @return when to call again [us]; NEVER_US before the start, and
 *  while nobody wants any */
MUST_USE int64_t video_sender_advance(struct video_sender *s, struct rtp_path *path,
                                      struct packet_pool *pool, int64_t now_us);

/** The peer needs a key frame: go on with the next one in the file. At most every 300 ms. */
void video_sender_skip_to_key_frame(struct video_sender *s, int64_t now_us);

/**
 * Somebody wants it, or nobody does: then nothing is sent, the file stands still, and it goes on
 * with a key frame. At first it is wanted.
 */
void video_sender_set_wanted(struct video_sender *s, bool wanted, int64_t now_us);
/** @return what was said last */
bool video_sender_wanted(const struct video_sender *s);

/** @return the RTP stream, for reports; NULL before the start */
struct rtp_sender *video_sender_rtp(struct video_sender *s);

/** @return frames sent so far */
uint64_t video_sender_frames(const struct video_sender *s);

#endif
