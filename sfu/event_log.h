/**
 * @file event_log.h  Events that were sent to one client and that it may not have got: what a
 * resume sends again. As little as that needs: what the client has proven to have is dropped, of
 * some kinds only the last one is kept, and beyond a limit the oldest ones go. A client that missed
 * those is told the whole state instead.
 *
 * An embedded plain value, zero-initialised when empty: then it has no memory. Thread: control.
 */
#ifndef SFU_EVENT_LOG_H
#define SFU_EVENT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EVENT_LOG_MAX_BYTES = 16 * 1024, /* of JSON, in all */
    EVENT_LOG_MAX_EVENTS = 128,
};

struct event_log_entry {
    struct event_log_entry *next;
    uint64_t seq;
    int type; /* enum message_type */
    uint32_t len;
    char json[]; /* [len bytes] */
};

struct event_log {
    struct event_log_entry *first, **end; /* oldest first; `end` is NULL while it is empty */
    uint32_t n, bytes;
    uint64_t forgotten_seq; /* newest event that is not kept although it counts; 0: none */
};

/** Free all entries. The log is as new. */
void event_log_done(struct event_log *l);

/**
 * Keep an event, whose `seq` is higher than that of all before. If it cannot be kept (no memory, or
 * longer than the limit), it and all before it are forgotten.
 *
 * @param json       [len bytes], copied
 * @param only_last  forget the one of the same type that is there, silently: this one says it all
 */
void event_log_put(struct event_log *l, uint64_t seq, int type, const char *json, size_t len,
                   bool only_last);

/** The event `seq` happened and is not kept, nor is any before it. */
void event_log_forget(struct event_log *l, uint64_t seq);

/** The client has got everything up to `seq`: forget that. */
void event_log_confirm(struct event_log *l, uint64_t seq);

/** @return true: who has everything up to `seq` gets the rest by the entries above it */
bool event_log_reaches(const struct event_log *l, uint64_t seq);

/** @return the oldest entry above `seq`, or NULL */
const struct event_log_entry *event_log_next(const struct event_log *l, uint64_t seq);

#endif
