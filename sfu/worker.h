/**
 * @file worker.h  One media thread: event loop, UDP socket, TCP paths, mailbox, timer, and the
 * forwarder with everything of its participants. The only file of the media path that reads a
 * clock.
 *
 * The control thread talks to it in mail (sfu/mail.h) and never touches what is inside; workers
 * talk to each other likewise. Order: worker_new, worker_start, any number of worker_post, then
 * MAIL_STOP and wait for MAIL_STOPPED to say good-bye to every peer (or not), worker_stop,
 * worker_free. Of workers that talk to each other all are made before the first is started, and
 * all are stopped before the first is freed.
 */
#ifndef SFU_WORKER_H
#define SFU_WORKER_H

#include "media/base/attributes.h"
#include "sfu/forwarder.h"

#include <stdbool.h>
#include <stdint.h>

struct config;
struct dtls_identity;
struct mail;
struct worker;

struct worker_config {
    uint32_t index; /* 0..RELAY_MAX_WORKERS - 1: what others call it */
    uint32_t n_workers;
    bool pinned; /* to `core` */
    uint32_t core;
    const char *address;                  /* to bind; NULL: all. Copied */
    uint16_t port;                        /* UDP; 0: any, see worker_port() */
    const struct dtls_identity *identity; /* borrowed: must outlive the worker */
    struct forwarder_limits limits;
    const struct config *agents;           /* settings of ICE agents, copied; NULL: ICE-lite only */
    uint32_t max_tcp, max_tcp_per_address; /* TCP paths at a time; 0: none at all */
};

struct worker_handler {
    /**
     * A mail for the control thread, which owns it from here (mail_free()).
     *
     * Called on the worker's thread: hand it over to a mailbox and wake the loop, nothing else.
     */
    void (*post)(void *owner, struct mail *mail);
    /** A mail for another worker: hand it to that one's worker_post(). Likewise. */
    void (*send_to_worker)(void *owner, uint32_t worker, struct mail *mail);
};

/**
 * Open the socket and make everything but the thread.
 *
 * @param handler  copied
 * @return 0; -errno of the socket (-EADDRINUSE, -EACCES, -EMFILE, -EINVAL address); -ENOMEM
 */
MUST_USE int worker_new(struct worker **ret, const struct worker_config *config,
                        const struct worker_handler *handler, void *owner);

/**
 * Take in TCP connections for all workers, of which each gets its own; once, of one of them, before
 * any is started.
 *
 * @param address  to bind; NULL: all. Copied
 * @param port     0: any, preferably that of UDP
 * @return 0; -errno of the socket; -EINVAL: address; -ENOMEM
 */
MUST_USE int worker_listen_tcp(struct worker *w, const char *address, uint16_t port);

/** Start the thread. @return 0; -EAGAIN: no more threads */
MUST_USE int worker_start(struct worker *w);

/** Hand over `mail` (the worker frees it), from any thread. After worker_stop() nobody reads it. */
void worker_post(struct worker *w, struct mail *mail);

/** End the loop and join the thread; peers are told nothing (that is MAIL_STOP). Idempotent. */
void worker_stop(struct worker *w);

/** Stop, and free with all participants. NULL is fine. @return NULL */
struct worker *worker_free(struct worker *w);

/** @return the UDP port; any thread */
uint16_t worker_port(const struct worker *w);

/** @return the port of worker_listen_tcp(); 0: it does not listen */
uint16_t worker_tcp_port(const struct worker *w);

/** @return the receive buffer the kernel gave the socket [bytes], to warn when it is small */
int worker_buffer_bytes(const struct worker *w);

/** @return participants on this worker now; any thread */
uint32_t worker_load(const struct worker *w);

/** Counters since the start, as of the end of the last turn; any thread. */
void worker_stats(const struct worker *w, struct forwarder_stats *ret);

#endif
