/**
 * @file server.h  The control thread: HTTP and WebSocket, sessions and the room directory, and the
 * media workers that it starts and stops.
 *
 * All functions but server_stop() belong to the thread that runs it. SIGPIPE is ignored in the
 * whole process from server_new() on.
 */
#ifndef SFU_SERVER_H
#define SFU_SERVER_H

#include "media/base/attributes.h"
#include "sfu/config.h"

#include <stdbool.h>
#include <stdint.h>

struct server;

/**
 * Open the sockets and start the workers.
 *
 * @param config  copied
 * @param error   on failure: what and what to do about it, for people
 * @return 0; -errno
 */
MUST_USE int server_new(struct server **ret, const struct config *config,
                        struct config_error *error);

/** Stop with SIGTERM and SIGINT, or drain first if drain_timeout_s says so; a second one ends
 *  that, and a third the process (exit code 1). Reload with SIGHUP. @return 0; -ENOMEM */
MUST_USE int server_handle_signals(struct server *s);

/** Where settings come from when they are read again. */
struct server_loader {
    void *owner;
    /** @return 0; -EINVAL: error is set */
    int (*load)(void *owner, struct config *ret, struct config_error *error);
};

/** Before server_handle_signals(): copied. Without one SIGHUP reads keys and certificate only. */
void server_set_loader(struct server *s, const struct server_loader *loader);

/**
 * Read the settings again, and the keys and the certificate. The log tells what changed, secrets
 * left out, and what of it needs a restart. Nobody is dropped. With a broken file all stays.
 *
 * @return 0; -errno: nothing has changed
 */
int server_reload(struct server *s);

/** Serve until stopped. @return 0; -EIO: the loop failed */
MUST_USE int server_run(struct server *s);

/** Begin to stop: clients are told, transports closed, then server_run() returns. Any thread. */
void server_stop(struct server *s);

/** Free everything; what is still there is told nothing. NULL is fine. @return NULL */
struct server *server_free(struct server *s);

/** What is there now. */
struct server_status {
    uint32_t rooms, participants; /* as the directory knows them */
    uint32_t sessions;            /* WebSockets, joined or not, and those of WHIP and WHEP */
    uint32_t leaving;             /* participants whose worker has not yet let go of them */
    uint32_t workers;
    uint32_t on_worker[CONFIG_MAX_WORKERS]; /* participants of each */
    int64_t uptime_s;
    bool draining, stopping;
};
/** @return "ok", "draining" or "stopping" */
const char *server_state_name(const struct server_status *status);
void server_status(const struct server *s, struct server_status *ret);

/** Read the certificate of the signaling port anew, now; a log line tells. It is looked at every
 * few seconds anyway. @return 0, also without TLS; -errno: the old one stays */
int server_reload_certificate(struct server *s);

/** @return the port that HTTP is served on */
uint16_t server_port(const struct server *s);

/** Write the URL of the page, for people on this machine. @return `out` */
const char *server_url(const struct server *s, char out[96]);

#endif
