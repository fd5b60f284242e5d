/**
 * @file tcp_paths.h  TCP connections of one worker's peers (RFC 6544), as paths (media/path.h,
 * PATH_TCP). Real I/O.
 *
 * A connection must be proven by a check TCP_PROVE_US after it came, and is closed when it is
 * nobody's any more, or was silent for TCP_SILENT_US. What cannot be sent at once waits (bounded),
 * what has no place is dropped, so that a slow peer costs nobody else anything.
 *
 * Thread: the worker's own.
 */
#ifndef SFU_TCP_PATHS_H
#define SFU_TCP_PATHS_H

#include "media/base/attributes.h"
#include "media/base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct datagram;
struct event_base;
struct packet;
struct packet_pool;
struct tcp_paths;

/** In which a check must have proven whose it is. */
#define TCP_PROVE_US (5 * SECOND)
/** Without a byte of it: consent has run out long ago. */
#define TCP_SILENT_US (60 * SECOND)

struct tcp_paths_handler {
    /** Packets came, with all but arrival_us set; the references are the handler's. */
    void (*receive)(void *owner, struct packet **packets, size_t n);
    /** That was all for now. */
    void (*end_turn)(void *owner);
    /** @return true if the path is one that a participant has proven to be its own */
    bool (*is_proven)(void *owner, const struct sockaddr_storage *path);
};

/** Counters since the start, but for `open`. */
struct tcp_paths_stats {
    uint64_t open;      /* connections now */
    uint64_t refused;   /* over a limit */
    uint64_t expired;   /* not proven in time, nobody's any more, or silent */
    uint64_t garbled;   /* sent what is no frame */
    uint64_t dropped;   /* datagrams that had no place on their way out, or whose path is gone */
    uint64_t no_packet; /* came in while the pool was exhausted */
};

struct tcp_paths_config {
    struct packet_pool *pool; /* borrowed */
    uint32_t max;             /* connections at a time */
    uint32_t max_per_address; /* of those, from one address (IPv6: one /64) */
};

/**
 * @param base     borrowed
 * @param handler  copied
 * @return 0; -ENOMEM
 */
MUST_USE int tcp_paths_new(struct tcp_paths **ret, struct event_base *base,
                           const struct tcp_paths_config *config,
                           const struct tcp_paths_handler *handler, void *owner);
/** Close all of them. NULL is fine. @return NULL */
struct tcp_paths *tcp_paths_free(struct tcp_paths *t);

/** Take over a connection; `fd` is closed where that fails (counted). */
void tcp_paths_adopt(struct tcp_paths *t, int fd, const struct sockaddr_storage *peer);

/** @return true while there is any connection that datagrams might go to */
bool tcp_paths_any(const struct tcp_paths *t);

/** Send datagrams, all to the path `number`, with one system call where the kernel takes them. */
void tcp_paths_send(struct tcp_paths *t, uint32_t number, const struct datagram *datagrams,
                    size_t n);

/** Close what has expired. */
void tcp_paths_advance(struct tcp_paths *t, int64_t now_us);

/** @return when to call that [us], or NEVER_US; changes with what comes */
int64_t tcp_paths_deadline(const struct tcp_paths *t);

/** @return counters; valid as long as `t` */
const struct tcp_paths_stats *tcp_paths_stats(const struct tcp_paths *t);

#endif
