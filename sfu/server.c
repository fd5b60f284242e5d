#include "sfu/server.h"

#include "media/base/clock.h"
#include "media/base/log.h"
#include "media/base/random.h"
#include "media/base/text.h"
#include "media/dtls.h"
#include "media/seal.h"
#include "sfu/access.h"
#include "sfu/candidates.h"
#include "sfu/direct_call.h"
#include "sfu/direct_request.h"
#include "sfu/directory.h"
#include "sfu/limits.h"
#include "sfu/mail.h"
#include "sfu/notify.h"
#include "sfu/server_internal.h"
#include "sfu/session_view.h"
#include "sfu/start.h"
#include "sfu/webhooks.h"
#include "sfu/worker.h"
#include "signaling/tls.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    TICK_S = 1,       /* join timeouts are looked at so often */
    CANDIDATES_S = 5, /* and the addresses of the interfaces */
    /* who is told to rejoin does so after a random time, longer for many */
    REJOIN_MIN_MS = 500,
    REJOIN_EACH_MS = 5,
    REJOIN_SPREAD_MAX_MS = 30000,
};

static void wake(struct server *s)
{
    uint64_t one = 1;
    ssize_t written = write(s->inbox_fd, &one, sizeof(one));

    (void)written; /* full means: it is awake */
}

/* What sessions ask of us */

static void post_to_worker(void *owner, uint32_t worker, struct mail *mail)
{
    struct server *s = owner;

    if (mail->type == MAIL_LEAVE)
        s->n_leaving++;
    worker_post(s->workers[worker], mail);
}

static void describe_worker(void *owner, uint32_t worker, struct negotiation_local *ret)
{
    const struct server *s = owner;
    const struct dtls_fingerprint *fingerprint = dtls_identity_fingerprint(s->identity);
    struct candidates_worker own = {
        .index = worker,
        .udp_port = worker_port(s->workers[worker]),
        .first_udp_port = worker_port(s->workers[0]),
        .tcp_port = worker_tcp_port(s->workers[0]),
        .n_mapped = s->stun.n_mapped[worker],
        .mapped = s->stun.mapped[worker],
    };

    ret->ice_lite = true;
    (void)snprintf(ret->fingerprint.hash, sizeof(ret->fingerprint.hash), "sha-256");
    ret->fingerprint.len = fingerprint->len;
    memcpy(ret->fingerprint.bytes, fingerprint->bytes, fingerprint->len);
    ret->n_candidates = candidates_of_worker(&s->candidates, &own, ret->candidates);
}

/* Stopping is over when nobody is left. */
void server_end_if_all_gone(struct server *s)
{
    if (s->host.stopping && s->n_stopped == s->n_workers && s->n_sessions == 0 &&
        webhooks_are_idle(s->webhooks, clock_now_us()))
        (void)event_base_loopbreak(s->base);
}

/* What the workers tell us */

static void give_to_session(struct server *s, struct mail *mail)
{
    uint32_t participant = CONTAINER_OF(mail, struct mail_participant, mail)->participant;
    struct directory_member *member = directory_find(s->host.directory, participant);
    int64_t now_us = clock_now_us();

    if (!member)
        return; /* it has just left */
    session_mail(session_of(member), mail, now_us);
    whip_reap(&s->whip, session_of(member), now_us);
}

static void read_mail(struct server *s, struct mail *mail)
{
    switch ((enum mail_type)mail->type) {
    case MAIL_STATE:
    case MAIL_SLOTS:
    case MAIL_NEED:
    case MAIL_STREAM:
    case MAIL_WANT:
    case MAIL_QUALITY:
        give_to_session(s, mail);
        break;
    case MAIL_SPEAKERS:
        session_tell_speakers(s->host.directory, CONTAINER_OF(mail, struct mail_speakers, mail));
        break;
    case MAIL_MAPPED:
        server_mail_mapped(s, CONTAINER_OF(mail, struct mail_mapped, mail));
        break;
    case MAIL_GONE:
        s->n_leaving--;
        break;
    case MAIL_PONG:
        s->n_asked--;
        break;
    case MAIL_AGENT:
        server_keep_agent(s, CONTAINER_OF(mail, struct mail_agent, mail));
        break;
    case MAIL_STOPPED:
        s->n_stopped++;
        server_end_if_all_gone(s);
        break;
    case MAIL_JOIN:
    case MAIL_UPDATE:
    case MAIL_MUTE:
    case MAIL_CAP:
    case MAIL_VIEW:
    case MAIL_SUBSCRIBE:
    case MAIL_REFRESH:
    case MAIL_LEAVE:
    case MAIL_STOP:
    case MAIL_PROBE:
    case MAIL_PING:
    case MAIL_PUBLISHER:
    case MAIL_UNPUBLISH:
    case MAIL_CLOSE_ROOM:
    case MAIL_RELAY_START:
    case MAIL_RELAY_STOP:
    case MAIL_RELAY_LISTEN:
    case MAIL_RELAY_IGNORE:
    case MAIL_RELAY_KEY_FRAME:
    case MAIL_RELAY_BATCH:
    case MAIL_TCP:
        break; /* these go the other way, or between workers */
    }
}

/* Called on a worker's thread. */
static void take_mail_from_worker(void *owner, struct mail *mail)
{
    struct server *s = owner;

    if (mailbox_push(&s->inbox, mail))
        wake(s);
}

/* Called on a worker's thread, for another one; there are all of them while any runs. */
static void pass_to_worker(void *owner, uint32_t worker, struct mail *mail)
{
    struct server *s = owner;

    worker_post(s->workers[worker], mail);
}

static void on_wakeup(evutil_socket_t fd, short what, void *owner)
{
    struct server *s = owner;
    struct mail *next;
    uint64_t count;

    (void)what;
    if (read((int)fd, &count, sizeof(count)) < 0)
        return; /* not ours to worry: nothing was written */
    for (struct mail *mail = mailbox_take(&s->inbox); mail; mail = next) {
        next = mail->next;
        read_mail(s, mail);
        mail_free(mail);
    }
    if (atomic_load(&s->stop_wanted) && !s->host.stopping)
        server_begin_to_stop(s);
}

/* Time */

static void advance_session(struct server *s, struct session *session, int64_t now_us)
{
    int64_t limit_us = (int64_t)s->config.join_timeout_s * SECOND;

    if (session_state(session) == SESSION_CONNECTED &&
        now_us - session_since_us(session) >= limit_us)
        session_dismiss(session, "join_timeout", "no room was joined in time", now_us);
    if (session_advance(session, now_us))
        server_free_session(s, session, now_us);
}

static void advance_sessions(struct server *s, int64_t now_us)
{
    LIST_FOREACH_SAFE(link, &s->sessions) {
        session_renew_token(session_of_link(link), now_us);
        advance_session(s, session_of_link(link), now_us);
    }
}

void server_refresh_candidates(struct server *s, int64_t now_us)
{
    candidates_gather(&s->candidates, &s->config);
    s->candidates_us = now_us;
}

/* The wall clock may be set at any time. */
static void read_wall_clock(struct server *s, int64_t now_us)
{
    s->host.wall_offset_us = clock_wall_us() - now_us;
}

static void on_tick(evutil_socket_t fd, short what, void *owner)
{
    struct server *s = owner;
    int64_t now_us = clock_now_us();

    (void)fd;
    (void)what;
    read_wall_clock(s, now_us);
    access_advance(s->host.access, now_us);
    webhooks_advance(s->webhooks, now_us);
    server_advance_drain(s, now_us);
    direct_request_expire(&s->host, now_us);
    advance_sessions(s, now_us);
    if (now_us - s->candidates_us >= CANDIDATES_S * SECOND)
        server_refresh_candidates(s, now_us);
    whip_tick(&s->whip, now_us);
    server_advance_stun(s, now_us);
    server_check_tls(s, now_us);
    server_watch(s, now_us);
}

/* Stopping */

static void on_stop_timeout(evutil_socket_t fd, short what, void *owner)
{
    struct server *s = owner;

    (void)fd;
    (void)what;
    log_warn("server", "not all was closed in time: websockets=%" PRIu32 " workers=%" PRIu32,
             s->n_sessions, s->n_workers - s->n_stopped);
    (void)event_base_loopbreak(s->base);
}

static void stop_workers(struct server *s)
{
    for (uint32_t i = 0; i < s->n_workers; i++) {
        struct mail *mail = calloc(1, sizeof(*mail));

        if (!mail) {
            s->n_stopped++; /* its peers will notice by silence */
            continue;
        }
        mail->type = MAIL_STOP;
        worker_post(s->workers[i], mail);
    }
}

/* They are to join again, here or wherever their balancer then sends them, but not all at once. */
static void send_to_rejoin(struct session *session, uint32_t spread_ms, int64_t now_us)
{
    struct message go = {.type = MESSAGE_GO,
                         .action = "rejoin",
                         .code = "server_stopping",
                         .text = "the server is stopping",
                         .retry_after_ms = REJOIN_MIN_MS + random_u32() % spread_ms};

    session_send_away(session, &go, now_us);
}

static uint32_t rejoin_spread_ms(uint32_t participants)
{
    uint32_t more = participants < REJOIN_SPREAD_MAX_MS / REJOIN_EACH_MS
                        ? participants * REJOIN_EACH_MS
                        : REJOIN_SPREAD_MAX_MS;

    return REJOIN_MIN_MS + more;
}

void server_begin_to_stop(struct server *s)
{
    uint32_t spread_ms = rejoin_spread_ms(directory_participants(s->host.directory));
    struct timeval limit = {.tv_sec = s->config.stop_timeout_s};
    int64_t now_us = clock_now_us();

    log_info("server", "stopping: rooms=%" PRIu32 " participants=%" PRIu32,
             directory_rooms(s->host.directory), directory_participants(s->host.directory));
    s->host.stopping = true;
    (void)notify("STOPPING=1");
    (void)event_add(s->stop_timeout, &limit);
    LIST_FOREACH(link, &s->sessions) {
        send_to_rejoin(session_of_link(link), spread_ms, now_us);
    }
    advance_sessions(s, now_us); /* those without a WebSocket are gone now */
    whip_done(&s->whip, now_us);
    stop_workers(s);
    server_end_if_all_gone(s);
}

void server_stop(struct server *s)
{
    atomic_store(&s->stop_wanted, true);
    wake(s);
}

static void on_signal(evutil_socket_t number, short what, void *owner)
{
    struct server *s = owner;
    int64_t now_us = clock_now_us();

    (void)what;
    if (number == SIGHUP) {
        (void)notify("RELOADING=1");
        (void)server_reload(s);
        (void)notify("READY=1");
        return;
    }
    if (s->host.stopping)
        _exit(EXIT_FAILURE);
    if (s->config.drain_timeout_s == 0 || (s->drain.on && s->drain.stop)) {
        server_begin_to_stop(s);
        return;
    }
    log_info("server", "draining, another signal ends that: deadline_s=%" PRIu32,
             s->config.drain_timeout_s);
    drain_begin(&s->drain, s->config.drain_timeout_s * SECOND, true, s->drain.redirect_url, now_us);
    server_advance_drain(s, now_us);
}

int server_handle_signals(struct server *s)
{
    static const int numbers[ARRAY_LEN(s->signals)] = {SIGTERM, SIGINT, SIGHUP};

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        s->signals[i] = evsignal_new(s->base, numbers[i], on_signal, s);
        if (!s->signals[i] || event_add(s->signals[i], NULL) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* Starting */

static int make_events(struct server *s)
{
    struct timeval tick = {.tv_sec = TICK_S};

    s->base = event_base_new();
    s->inbox_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!s->base || s->inbox_fd < 0)
        return s->base ? -errno : -ENOMEM;
    s->wakeup = event_new(s->base, s->inbox_fd, EV_READ | EV_PERSIST, on_wakeup, s);
    s->tick = event_new(s->base, -1, EV_PERSIST, on_tick, s);
    s->stop_timeout = event_new(s->base, -1, 0, on_stop_timeout, s);
    if (!s->wakeup || !s->tick || !s->stop_timeout)
        return -ENOMEM;
    if (event_add(s->wakeup, NULL) < 0 || event_add(s->tick, &tick) < 0)
        return -ENOMEM;
    return 0;
}

struct directory_limits server_directory_limits(const struct server *s)
{
    return (struct directory_limits){
        .rooms = s->config.max_rooms,
        .participants = s->config.max_participants,
        .participants_per_room = s->config.max_participants_per_room,
        .room_spread = s->config.room_spread,
    };
}

static int make_directory(struct server *s, uint32_t workers)
{
    static const struct directory_handler roster = {.deliver = session_deliver};
    struct directory_limits limits = server_directory_limits(s);

    return directory_new(&s->host.directory, &limits, workers, &roster);
}

static void init(struct server *s, const struct config *config)
{
    s->config = *config;
    s->inbox_fd = -1;
    s->started_us = clock_now_us();
    list_init(&s->sessions);
    mailbox_init(&s->inbox);
    s->host.config = &s->config;
    s->host.drain = &s->drain;
    s->host.owner = s;
    s->host.post = post_to_worker;
    s->host.describe = describe_worker;
    s->host.take_agent = config->ice_full ? server_take_agent : NULL;
    whip_init(&s->whip, &s->host);
}

/* All sockets first, then the threads. */
static int start_workers(struct server *s, uint32_t n, struct config_error *error)
{
    static const struct worker_handler from_worker = {.post = take_mail_from_worker,
                                                      .send_to_worker = pass_to_worker};
    struct worker_config config;
    int err;

    for (uint32_t i = 0; i < n; i++) {
        start_configure_worker(&s->config, i, &config);
        config.identity = s->identity;
        config.n_workers = n;
        err = worker_new(&s->workers[i], &config, &from_worker, s);
        if (err < 0)
            return start_worker_failed(&s->config, &config, err, error);
        s->n_workers++;
    }
    err = start_tcp(&s->config, s->workers[0], error);
    if (err < 0)
        return err;
    for (uint32_t i = 0; i < n; i++) {
        err = worker_start(s->workers[i]);
        if (err < 0)
            return start_fail(error, err, "a media thread cannot be started: %s",
                              strerrordesc_np(-err));
    }
    start_check_buffer(s->workers[0]);
    return 0;
}

static int start(struct server *s, struct config_error *error)
{
    uint32_t workers = start_worker_count(&s->config);
    int err = seal_set_backend((enum seal_backend)s->config.seal);

    if (err < 0)
        return start_fail(error, err, "seal is %s, which this program or processor lacks: try auto",
                          seal_backend_name((enum seal_backend)s->config.seal));
    err = access_new(&s->host.access, &s->config, error);
    if (err < 0)
        return err;
    err = limits_new(&s->host.limits, &s->config);
    if (err < 0)
        return start_fail(error, err, "cannot start: %s", strerrordesc_np(-err));
    err = make_events(s);
    if (err == 0)
        err = make_directory(s, workers);
    if (err == 0)
        err = direct_calls_new(&s->host.calls);
    if (err == 0)
        err = dtls_identity_new(&s->identity);
    if (err < 0)
        return start_fail(error, err, "cannot start: %s", strerrordesc_np(-err));
    err = start_workers(s, workers, error);
    if (err < 0)
        return err;
    read_wall_clock(s, s->started_us);
    err = server_start_webhooks(s);
    if (err < 0)
        return start_fail(error, err, "cannot start: %s", strerrordesc_np(-err));
    server_refresh_candidates(s, s->started_us);
    if (!s->candidates.n)
        log_warn("server", "no address to tell clients; set --advertise");
    err = server_open_tls(s, error);
    if (err == 0)
        err = start_http(&s->http, &s->config, s->base, &server_http_handler, s, error);
    if (err == 0 && s->tls)
        http_server_use_tls(s->http, s->tls);
    return err;
}

/* What somebody needs to know who looks for why nobody gets through. */
static void log_start(const struct server *s)
{
    struct text addresses;

    text_init(&addresses, 1024);
    for (uint32_t i = 0; i < s->candidates.n; i++)
        text_printf(&addresses, "%s%s", i ? "," : "", s->candidates.addresses[i].text);
    log_info("server",
             "serving: http_port=%u udp_ports=%u-%u tcp_port=%u workers=%" PRIu32
             " seal=%s media_addresses=%s",
             (unsigned)server_port(s), (unsigned)worker_port(s->workers[0]),
             (unsigned)worker_port(s->workers[s->n_workers - 1]),
             (unsigned)worker_tcp_port(s->workers[0]), s->n_workers,
             seal_backend_name(seal_backend_in_use()), text_str(&addresses));
    text_done(&addresses);
}

int server_new(struct server **ret, const struct config *config, struct config_error *error)
{
    struct server *s = calloc(1, sizeof(*s));
    int err;

    if (!s)
        return start_fail(error, -ENOMEM, "cannot start: %s", strerrordesc_np(ENOMEM));
    (void)signal(SIGPIPE, SIG_IGN);
    init(s, config);
    start_fit_descriptors(&s->config);
    err = start(s, error);
    if (err < 0) {
        server_free(s);
        return err;
    }
    log_start(s);
    *ret = s;
    return 0;
}

int server_run(struct server *s)
{
    server_notify_ready(s);
    return event_base_dispatch(s->base) < 0 ? -EIO : 0;
}

static void free_event(struct event *event)
{
    if (event)
        event_free(event);
}

static void drop_mail(struct server *s)
{
    struct mail *next;

    for (struct mail *mail = mailbox_take(&s->inbox); mail; mail = next) {
        next = mail->next;
        mail_free(mail);
    }
}

/* Those without a WebSocket; the others went with theirs. */
static void free_sessions(struct server *s)
{
    LIST_FOREACH_SAFE(link, &s->sessions) {
        server_free_session(s, session_of_link(link), clock_now_us());
    }
}

struct server *server_free(struct server *s)
{
    if (!s)
        return NULL;
    s->host.stopping = true;
    server_stop_webhooks(s);
    server_stop_stun(s);
    s->http = http_server_free(s->http);
    s->tls = tls_free(s->tls);
    whip_done(&s->whip, clock_now_us());
    for (uint32_t i = 0; i < s->n_workers; i++)
        worker_stop(s->workers[i]);
    for (uint32_t i = 0; i < s->n_workers; i++)
        s->workers[i] = worker_free(s->workers[i]);
    drop_mail(s);
    free_sessions(s);
    directory_free(s->host.directory);
    s->host.access = access_free(s->host.access);
    direct_calls_free(s->host.calls);
    s->host.limits = limits_free(s->host.limits);
    dtls_identity_free(s->identity);
    free_event(s->wakeup);
    free_event(s->tick);
    free_event(s->stop_timeout);
    for (size_t i = 0; i < ARRAY_LEN(s->signals); i++)
        free_event(s->signals[i]);
    if (s->base)
        event_base_free(s->base);
    if (s->inbox_fd >= 0)
        (void)close(s->inbox_fd);
    free(s);
    return NULL;
}

/* What others may know */

const char *server_state_name(const struct server_status *status)
{
    if (status->stopping)
        return "stopping";
    return status->draining ? "draining" : "ok";
}

void server_status(const struct server *s, struct server_status *ret)
{
    *ret = (struct server_status){
        .rooms = directory_rooms(s->host.directory),
        .participants = directory_participants(s->host.directory),
        .sessions = s->n_sessions + whip_count(&s->whip),
        .leaving = s->n_leaving,
        .workers = s->n_workers,
        .uptime_s = (clock_now_us() - s->started_us) / SECOND,
        .draining = s->drain.on,
        .stopping = s->host.stopping,
    };
    for (uint32_t i = 0; i < s->n_workers; i++)
        ret->on_worker[i] = directory_load(s->host.directory, i);
}

uint16_t server_port(const struct server *s)
{
    return http_server_port(s->http);
}

const char *server_url(const struct server *s, char out[96])
{
    static const char *const here[] = {"::", "0.0.0.0", "127.0.0.1", "::1"};
    const char *address = s->config.listen_address;

    for (size_t i = 0; i < ARRAY_LEN(here); i++) {
        if (strcmp(address, here[i]) == 0)
            address = "localhost";
    }
    (void)snprintf(out, 96, strchr(address, ':') ? "%s://[%s]:%u" : "%s://%s:%u",
                   s->tls ? "https" : "http", address, (unsigned)server_port(s));
    return out;
}
