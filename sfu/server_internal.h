/**
 * @file server_internal.h  What the files of the server share; nobody else includes it.
 */
#ifndef SFU_SERVER_INTERNAL_H
#define SFU_SERVER_INTERNAL_H

#include "media/base/list.h"
#include "media/base/mailbox.h"
#include "sfu/agent_paths.h"
#include "sfu/candidates.h"
#include "sfu/drain.h"
#include "sfu/mail.h"
#include "sfu/server.h"
#include "sfu/session.h"
#include "sfu/whip.h"
#include "signaling/http_server.h"
#include "signaling/plan.h"

#include <stdatomic.h>

struct admin_request;
struct dtls_identity;
struct evdns_base;
struct evdns_getaddrinfo_request;
struct event;
struct tls_context;
struct webhook_http;
struct webhooks;
struct worker;

/** What a STUN server sees of the workers' sockets (server_stun.c). */
struct server_stun {
    char host[CANDIDATES_HOST_MAX + 1];
    uint16_t port;
    bool failing;     /* that was said */
    int64_t asked_us; /* 0: never */
    struct evdns_base *dns;
    struct evdns_getaddrinfo_request *request; /* under way; NULL: none */
    uint32_t n_servers;
    struct sockaddr_storage servers[MAIL_MAX_PROBES]; /* one of each family */
    uint32_t n_mapped[CONFIG_MAX_WORKERS];
    struct sockaddr_storage mapped[CONFIG_MAX_WORKERS][MAIL_MAX_PROBES];
};

struct server {
    struct config config;
    struct event_base *base;
    struct event *wakeup, *tick, *stop_timeout, *signals[3];
    struct server_loader loader;
    struct http_server *http;
    struct tls_context *tls; /* NULL: plain HTTP */
    struct dtls_identity *identity;
    struct session_host host;
    struct whip whip;
    struct drain drain;
    struct webhooks *webhooks;
    struct webhook_http *webhook_http; /* its carrier */
    struct list sessions;              /* that have a WebSocket, or had one and may get another */
    uint32_t n_sessions, n_leaving;
    uint32_t n_workers, n_stopped;
    struct worker *workers[CONFIG_MAX_WORKERS];
    struct candidates candidates;
    struct server_stun stun;
    struct mail_agent agents[CONFIG_MAX_WORKERS][AGENTS_READY]; /* since_us 0: none */
    int64_t started_us, candidates_us, tls_checked_us;
    struct mailbox inbox; /* from the workers */
    int inbox_fd;         /* eventfd: mail came, or somebody wants us to stop */
    atomic_bool stop_wanted;
    int64_t watchdog_us, watched_us; /* how often the service manager is told, and when it was */
    uint32_t n_asked;                /* workers that have not yet said that they are alive */
};

/** What the HTTP server calls; its owner is the server. */
extern const struct http_handler server_http_handler;

/** What whoever runs the server asks for: http_handler.on_metrics and .on_admin. */
void server_metrics(void *owner, struct text *out);
int server_admin(void *owner, const struct admin_request *request, struct text *out,
                 struct message *error);

/** With `ice: full`: an agent waits for somebody; session_host.take_agent. */
void server_keep_agent(struct server *s, const struct mail_agent *mail);
MUST_USE int server_take_agent(void *owner, uint32_t worker, struct mail_agent *ret);

/** Tell other programs what happens. @return 0; -ENOMEM */
MUST_USE int server_start_webhooks(struct server *s);
void server_stop_webhooks(struct server *s);

/** Go on with emptying the server, if that is going on; once per tick. */
void server_advance_drain(struct server *s, int64_t now_us);

/** Say good-bye to everybody; server_run() returns soon. */
void server_begin_to_stop(struct server *s);
/** Free one of `sessions`. */
void server_free_session(struct server *s, struct session *session, int64_t now_us);

/** While the server is stopping: leave the loop once all workers and WebSockets are done. */
void server_end_if_all_gone(struct server *s);

/** @return what the directory takes, as the settings have it */
struct directory_limits server_directory_limits(const struct server *s);

/** Look where media can be sent to. */
void server_refresh_candidates(struct server *s, int64_t now_us);

/* server_stun.c */

/** Ask the STUN server, if there is one and the time has come. */
void server_advance_stun(struct server *s, int64_t now_us);
/** Take what a worker was answered. */
void server_mail_mapped(struct server *s, const struct mail_mapped *mail);
void server_stop_stun(struct server *s);

/* server_notify.c */

/** Tell the service manager, if there is one, that the server serves. */
void server_notify_ready(struct server *s);

/** Tell it that the server is alive, if all workers are; once per tick. */
void server_watch(struct server *s, int64_t now_us);

/* server_tls.c */

/** Read the certificate, if there is one to use. @return 0; -errno: error is set */
MUST_USE int server_open_tls(struct server *s, struct config_error *error);

/** Take a new certificate if the files have changed. */
void server_check_tls(struct server *s, int64_t now_us);

#endif
