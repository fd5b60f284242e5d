/**
 * @file mailbox.h  Lock-free queue of messages from many threads to one.
 *
 * Producers push, the consumer takes everything at once, in order per producer. Waking the
 * consumer is the owner's business: push says when the box was empty, so a batch costs one wake-up.
 */
#ifndef MEDIA_BASE_MAILBOX_H
#define MEDIA_BASE_MAILBOX_H

#include "media/base/attributes.h"

#include <stdatomic.h>
#include <stdbool.h>

/** First member of every message; the sender allocates, the receiver frees. */
struct mail {
    struct mail *next;
    int type; /* meaning is the owner's */
};

struct mailbox {
    _Atomic(struct mail *) head; /* newest first */
};

void mailbox_init(struct mailbox *m);

/** Hand `mail` over, from any thread. @return true if the box was empty: wake the consumer */
MUST_USE bool mailbox_push(struct mailbox *m, struct mail *mail);

/** Take everything, oldest first, linked by `next`. Consumer thread only. @return NULL if empty */
struct mail *mailbox_take(struct mailbox *m);

#endif
