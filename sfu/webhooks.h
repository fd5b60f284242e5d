/**
 * @file webhooks.h  Events for other programs: rooms that begin and end, participants that join and
 * leave, tracks. Whatever began is said to have ended, with the same id, once. docs/ADMIN.md has
 * the events.
 *
 * No I/O: what is to be posted goes through a table. Thread: control.
 */
#ifndef SFU_WEBHOOKS_H
#define SFU_WEBHOOKS_H

#include "media/base/attributes.h"
#include "sfu/webhook_queue.h"

#include <stdbool.h>
#include <stdint.h>

struct config;
struct session_host;
struct session_watch;
struct webhook_post;
struct webhooks;

/** What carries events away. */
struct webhook_carrier {
    void *owner;
    /** Begin to POST; tell the end with webhooks_posted(). @return 0; -ENOMEM: it has failed */
    int (*post)(void *owner, const struct webhook_post *post, void *tag);
    /** Do not tell the end of it. */
    void (*cancel)(void *owner, const void *tag);
};

/**
 * @param config   `webhooks` and `webhook_secret` are copied
 * @param host     borrowed: its clock
 * @param carrier  copied
 * @return 0; -ENOMEM
 */
MUST_USE int webhooks_new(struct webhooks **ret, const struct config *config,
                          const struct session_host *host, const struct webhook_carrier *carrier,
                          int64_t now_us);

/** Drop what is left. NULL is fine. @return NULL */
struct webhooks *webhooks_free(struct webhooks *w);

/** Take other receivers, or another secret; what waits for receivers that stay is kept.
 *  @return 0; -ENOMEM: as before */
MUST_USE int webhooks_configure(struct webhooks *w, const struct config *config);

/** What sessions are to call. */
void webhooks_watch(struct webhooks *w, struct session_watch *ret);

/** A POST has ended. @param taken  the receiver has it */
void webhooks_posted(struct webhooks *w, void *tag, bool taken, int64_t now_us);

/** Send what is due; about once per second. */
void webhooks_advance(struct webhooks *w, int64_t now_us);

/** @return true if nothing is under way and nothing is to be sent now. NULL is idle */
bool webhooks_are_idle(const struct webhooks *w, int64_t now_us);

/** Sums over the receivers. */
struct webhook_stats {
    struct webhook_counters counters;
    uint64_t events; /* that happened while there was a receiver */
    uint32_t queued; /* now */
};
void webhooks_stats(const struct webhooks *w, struct webhook_stats *ret);

#endif
