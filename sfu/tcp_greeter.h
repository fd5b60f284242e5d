/**
 * @file tcp_greeter.h  The listener for TCP paths of all workers (RFC 6544, passive): finds out
 * whose a connection is. Real I/O.
 *
 * The first message on it must be a check (STUN in a frame of RFC 4571). It is looked at while it
 * is still in the kernel, so a connection costs us a descriptor and no buffer, and goes to its
 * worker with nothing read. The ufrag names that worker (ice_ufrag_tag()); whether the check is
 * authentic is for its peer to see. Who says nothing for TCP_GREET_US, or something else, is
 * closed.
 *
 * Thread: that of its event base.
 */
#ifndef SFU_TCP_GREETER_H
#define SFU_TCP_GREETER_H

#include "media/base/attributes.h"
#include "media/base/clock.h"

#include <stdint.h>
#include <sys/socket.h>

struct event_base;
struct tcp_greeter;

/** In which the first message must be there. */
#define TCP_GREET_US (5 * SECOND)

struct tcp_greeter_config {
    const char *address; /* literal to bind, or NULL for all; only for tcp_greeter_new() */
    uint16_t port;       /* 0: any */
    uint32_t n_workers;
    uint32_t max, max_per_address; /* connections that have not said anything yet */
};

/** Counters since the start. */
struct tcp_greeter_stats {
    uint64_t accepted;
    uint64_t refused; /* over a limit, too slow, or their first message was none of ours */
};

/**
 * @param base     borrowed
 * @param greeted  called with a connection of `worker`; the descriptor is the callee's
 * @return 0; -errno as tcp_socket_listen(); -ENOMEM
 */
MUST_USE int tcp_greeter_new(struct tcp_greeter **ret, struct event_base *base,
                             const struct tcp_greeter_config *config,
                             void (*greeted)(void *owner, uint32_t worker, int fd,
                                             const struct sockaddr_storage *peer),
                             void *owner);
/** Close the listener and who was not handed on. NULL is fine. @return NULL */
struct tcp_greeter *tcp_greeter_free(struct tcp_greeter *g);

/** @return the port that is listened on */
uint16_t tcp_greeter_port(const struct tcp_greeter *g);

/** Close who was silent for too long, and listen again where that was given up for lack of
 *  descriptors. */
void tcp_greeter_advance(struct tcp_greeter *g, int64_t now_us);

/** @return when to call that [us], or NEVER_US; changes with what comes */
int64_t tcp_greeter_deadline(const struct tcp_greeter *g);

/** @return counters; valid as long as `g` */
const struct tcp_greeter_stats *tcp_greeter_stats(const struct tcp_greeter *g);

#endif
