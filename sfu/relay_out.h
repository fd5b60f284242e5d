/**
 * @file relay_out.h  What a worker sends to others of its publishers' tracks: gathered in a turn,
 * one batch per worker, and posted when the turn ends. Thread: the worker's own.
 */
#ifndef SFU_RELAY_OUT_H
#define SFU_RELAY_OUT_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

struct core;
struct packet;
struct relay_out;
struct rtcp_sender_info;
struct speaker_report;

enum { RELAY_MAX_WORKERS = 64 }; /* a set of workers is a number of 64 bits, the first the lowest */

/** What a record is about, and who gets it. */
struct relay_source {
    uint64_t workers; /* at least one */
    uint32_t participant, track;
    uint8_t layer;
};

/** @return NULL: no memory */
struct relay_out *relay_out_new(struct core *core);
/** Free, posting nothing. NULL is fine. @return NULL */
struct relay_out *relay_out_free(struct relay_out *o);

/** Send a packet; what cannot be sent now is dropped and counted. @param recovered  came as RTX */
void relay_out_packet(struct relay_out *o, const struct relay_source *source,
                      const struct packet *packet, bool recovered);

/** Send a sender report that came at `arrival_us`. */
void relay_out_report(struct relay_out *o, const struct relay_source *source,
                      const struct rtcp_sender_info *report, int64_t arrival_us);

/** Tell how loud the track is. */
void relay_out_levels(struct relay_out *o, const struct relay_source *source,
                      const struct speaker_report *levels);

/** Say that a layer has ended. */
void relay_out_bye(struct relay_out *o, const struct relay_source *source);

/** Post what was gathered. */
void relay_out_flush(struct relay_out *o);

#endif
