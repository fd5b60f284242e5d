/**
 * @file relay_batch.h  Packets on their way from one worker to another: flat blocks of memory that
 * go as mail and come back to be filled again.
 *
 * A batch carries copies, so nobody holds a packet of another worker's pool, and packets need no
 * atomic count. What is under way from one worker to another is bounded: RELAY_BYTES_MAX.
 */
#ifndef SFU_RELAY_BATCH_H
#define SFU_RELAY_BATCH_H

#include "media/base/attributes.h"
#include "media/base/mailbox.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "media/speaker_detector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RELAY_BATCH_MAX = 64 * 1024,       /* bytes of one batch, its head included */
    RELAY_BYTES_MAX = 4 * 1024 * 1024, /* of all batches of one pipe */
};

/** What one record says of a track. */
enum relay_kind {
    RELAY_PACKET, /* `len` bytes of RTP follow, as `rtp` describes them */
    RELAY_REPORT, /* a sender report */
    RELAY_BYE,    /* the layer has ended */
    RELAY_LEVELS, /* how loud it is, as `levels` says */
};

struct relay_record {
    uint32_t participant, track; /* numbers of publisher and track */
    enum relay_kind kind;
    uint8_t layer;
    bool recovered; /* came as RTX */
    uint16_t len;   /* [bytes] behind the record */
    int64_t arrival_us;
    union {
        struct rtp_header rtp;
        struct rtcp_sender_info report;
        struct speaker_report levels;
    };
};

/** From one worker to another; made, filled and freed by the thread of the first. */
struct relay_pipe;

/** A mail (MAIL_RELAY_BATCH); mail_free() gives it back to its pipe. */
struct relay_batch {
    struct mail mail;
    struct relay_pipe *pipe;
    uint32_t size, len;                   /* [bytes] there are, and used of them */
    _Alignas(int64_t) uint8_t contents[]; /* records, each followed by its bytes */
};

/** @return a pipe without batches, or NULL: no memory */
struct relay_pipe *relay_pipe_new(void);

/** The sender is done with it; batches that are still under way may come back later. NULL is fine.
 *  @return NULL */
struct relay_pipe *relay_pipe_free(struct relay_pipe *p);

/**
 * Get an empty batch; the sender fills it and posts it.
 *
 * @param expected  as many bytes of records are likely [bytes]: a batch is not much larger than
 *                  that, so that many small ones may be under way
 * @return the batch, which has room for a record of a whole packet at least; NULL: too much is
 *         under way, or no memory
 */
struct relay_batch *relay_pipe_take(struct relay_pipe *p, size_t expected);

/** @return bytes of all batches: under way, being filled, and kept for later */
size_t relay_pipe_bytes(const struct relay_pipe *p);

/** Give a batch back to its pipe, from any thread. */
void relay_batch_give_back(struct relay_batch *b);

/** Append a record with `len` bytes. @return it, to be filled but for `len`; NULL: no room */
struct relay_record *relay_batch_add(struct relay_batch *b, uint16_t len);

/** Walk the records: begin with *cursor = 0. @return the next one, or NULL at the end */
const struct relay_record *relay_batch_next(const struct relay_batch *b, size_t *cursor);

/** @return where the bytes of a record are */
uint8_t *relay_record_bytes(struct relay_record *r);
const uint8_t *relay_record_content(const struct relay_record *r);

#endif
