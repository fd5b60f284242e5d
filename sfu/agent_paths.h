/**
 * @file agent_paths.h  With `ice: full`: an ICE agent per participant of one worker, as paths
 * (media/path.h, PATH_AGENT). For servers behind a NAT that maps no ports. Real I/O.
 *
 * The answer to an offer must name our candidates, so agents gather in advance: each worker keeps
 * AGENTS_READY of them, tells control of each (MAIL_AGENT), and control gives them away with
 * answers. The MAIL_JOIN that has an agent's ufrag makes it the participant's. Relays are those of
 * the setting `ice_servers`, but for turns:.
 *
 * Each agent has sockets, and costs a wake-up of GLib per datagram: media of ICE-lite is
 * untouched by it. Thread: the worker's own.
 */
#ifndef SFU_AGENT_PATHS_H
#define SFU_AGENT_PATHS_H

#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "sfu/mail.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct agent_paths;
struct config;
struct datagram;
struct event_base;
struct packet;
struct packet_pool;

/** How many wait for somebody who joins. */
enum { AGENTS_READY = 8 };

/** One that has waited for so long is given to nobody: a NAT may have forgotten it. */
#define AGENT_FRESH_US (15 * SECOND)
/** And is replaced after this. */
#define AGENT_STALE_US (20 * SECOND)

struct agent_paths_handler {
    /** Packets came, with all but arrival_us set; the references are the handler's. */
    void (*receive)(void *owner, struct packet **packets, size_t n);
    /** That was all for now. */
    void (*end_turn)(void *owner);
    /** An agent has found its peer. */
    void (*open_path)(void *owner, uint32_t participant, const struct sockaddr_storage *path);
    /** A mail for control, its own from here. */
    void (*post)(void *owner, struct mail *mail);
};

struct agent_paths_config {
    uint32_t worker;
    const struct config *settings; /* copied: ice_servers and their secret */
    struct packet_pool *pool;      /* borrowed */
};

/**
 * Begin to gather as soon as the loop runs. Looks up the hosts of `ice_servers`, which may take
 * seconds; one that is not there is left out and logged.
 *
 * @param handler  copied
 * @return 0; -ENOMEM
 */
MUST_USE int agent_paths_new(struct agent_paths **ret, struct event_base *base,
                             const struct agent_paths_config *config,
                             const struct agent_paths_handler *handler, void *owner);
/** Close all of them. NULL is fine. @return NULL */
struct agent_paths *agent_paths_free(struct agent_paths *a);

/** Look at what the worker is told: who joins, offers again, or leaves. Borrowed. */
void agent_paths_mail(struct agent_paths *a, const struct mail *mail);

/** Send datagrams, all to the path `number`. */
void agent_paths_send(struct agent_paths *a, uint32_t number, const struct datagram *datagrams,
                      size_t n);

#endif
