#include "sfu/worker.h"

#include "media/base/clock.h"
#include "media/base/log.h"
#include "media/base/mailbox.h"
#include "media/packet.h"
#include "media/path.h"
#include "media/udp_socket.h"
#include "sfu/agent_paths.h"
#include "sfu/mail.h"
#include "sfu/tcp_greeter.h"
#include "sfu/tcp_paths.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
    TURN_BATCHES = 8, /* read before anything is sent: what a burst brings is sent as one */
    STATS_COUNT = sizeof(struct forwarder_stats) / sizeof(uint64_t),
};
_Static_assert(sizeof(struct forwarder_stats) == STATS_COUNT * sizeof(uint64_t),
               "nothing but counters");

struct worker {
    struct worker_handler handler;
    void *owner;
    uint32_t index, n_workers;
    uint32_t max_tcp, max_tcp_per_address;
    bool pinned;
    uint32_t core;
    uint16_t port;
    int buffer_bytes;
    struct udp_socket *socket;
    struct forwarder *forwarder;
    struct tcp_paths *tcp;       /* NULL: none */
    struct agent_paths *agents;  /* NULL: ICE-lite only */
    struct tcp_greeter *greeter; /* NULL: it does not listen, or another one does */
    bool has_paths;              /* there was one ever: not all datagrams go to the UDP socket */
    struct event_base *base;
    struct event *readable, *mail, *timer;
    int64_t armed_us; /* what the timer is set to */
    int wake_fd, timer_fd;
    struct mailbox mailbox;
    pthread_t thread;
    bool running; /* of the thread that started it */
    atomic_bool stopping;
    _Atomic uint64_t stats[STATS_COUNT];
};

/* To paths of all kinds: a peer's datagrams are next to each other. */
static void send_by_path(struct worker *w, const struct datagram *datagrams, size_t n)
{
    while (n > 0) {
        const struct sockaddr_storage *to = datagrams[0].to;
        size_t run = path_run(datagrams, n);

        if (!path_is(to))
            udp_socket_send(w->socket, datagrams, run);
        else if (path_kind(to) == PATH_TCP && w->tcp)
            tcp_paths_send(w->tcp, path_number(to), datagrams, run);
        else if (path_kind(to) == PATH_AGENT && w->agents)
            agent_paths_send(w->agents, path_number(to), datagrams, run);
        datagrams += run;
        n -= run;
    }
}

static void on_send(void *owner, const struct datagram *datagrams, size_t n)
{
    struct worker *w = owner;

    if (w->has_paths)
        send_by_path(w, datagrams, n);
    else
        udp_socket_send(w->socket, datagrams, n);
}

static void on_post(void *owner, struct mail *mail)
{
    struct worker *w = owner;

    w->handler.post(w->owner, mail);
}

static void on_send_to_worker(void *owner, uint32_t worker, struct mail *mail)
{
    struct worker *w = owner;

    w->handler.send_to_worker(w->owner, worker, mail);
}

static void put_tcp_stats(const struct worker *w, struct forwarder_stats *ret)
{
    if (w->tcp) {
        const struct tcp_paths_stats *stats = tcp_paths_stats(w->tcp);

        ret->tcp_paths = stats->open;
        ret->tcp_refused = stats->refused + stats->garbled;
        ret->tcp_expired = stats->expired;
        ret->drop_tcp = stats->dropped;
    }
    if (w->greeter) {
        ret->tcp_accepted = tcp_greeter_stats(w->greeter)->accepted;
        ret->tcp_refused += tcp_greeter_stats(w->greeter)->refused;
    }
}

static void publish_stats(struct worker *w)
{
    struct forwarder_stats stats;
    uint64_t counts[STATS_COUNT];

    forwarder_stats(w->forwarder, &stats);
    stats.drop_send = udp_socket_stats(w->socket)->send_dropped;
    put_tcp_stats(w, &stats);
    memcpy(counts, &stats, sizeof(counts));
    for (size_t i = 0; i < STATS_COUNT; i++)
        atomic_store_explicit(&w->stats[i], counts[i], memory_order_relaxed);
}

/* A timer of our own, set only when the deadline has come nearer: libevent sets its own in every
 * turn, a system call and a timer of the processor, which is dear in a virtual machine. This one
 * goes off too early now and then, and is set anew. */
static int64_t deadline(const struct worker *w)
{
    int64_t due_us = forwarder_deadline(w->forwarder);

    if (w->tcp)
        due_us = clock_earlier(due_us, tcp_paths_deadline(w->tcp));
    if (w->greeter)
        due_us = clock_earlier(due_us, tcp_greeter_deadline(w->greeter));
    return due_us;
}

static void arm_timer(struct worker *w)
{
    int64_t due_us = deadline(w);
    int64_t at_us = due_us > 0 ? due_us : 1; /* 0 would stop it */
    struct itimerspec at = {
        .it_value = {.tv_sec = at_us / SECOND, .tv_nsec = at_us % SECOND * 1000},
    };

    if (due_us >= w->armed_us)
        return;
    w->armed_us = due_us;
    (void)timerfd_settime(w->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void end_turn(struct worker *w)
{
    forwarder_flush(w->forwarder);
    arm_timer(w);
    publish_stats(w);
}

static void on_readable(evutil_socket_t fd, short what, void *owner)
{
    struct worker *w = owner;
    int64_t now_us = clock_now_us();
    struct packet *packets[UDP_BATCH];
    int n = UDP_BATCH;

    (void)fd;
    (void)what;
    for (int i = 0; udp_socket_has_more(w->socket) || (i < TURN_BATCHES && n == UDP_BATCH); i++) {
        n = udp_socket_receive(w->socket, forwarder_pool(w->forwarder), packets, now_us);
        if (n > 0)
            forwarder_receive(w->forwarder, packets, (size_t)n, now_us);
    }
    end_turn(w);
}

/* ------------------------------------------------------------------ TCP */

static void on_tcp_receive(void *owner, struct packet **packets, size_t n)
{
    struct worker *w = owner;
    int64_t now_us = clock_now_us();

    for (size_t i = 0; i < n; i++)
        packets[i]->arrival_us = now_us;
    forwarder_receive(w->forwarder, packets, n, now_us);
}

static void on_tcp_end_turn(void *owner)
{
    end_turn(owner);
}

static bool on_tcp_is_proven(void *owner, const struct sockaddr_storage *path)
{
    struct worker *w = owner;

    return forwarder_has_path(w->forwarder, path);
}

static void adopt_tcp(struct worker *w, int fd, const struct sockaddr_storage *peer)
{
    if (!w->tcp) {
        (void)close(fd);
        return;
    }
    w->has_paths = true;
    tcp_paths_adopt(w->tcp, fd, peer);
}

static void adopt(struct worker *w, struct mail_tcp *mail)
{
    adopt_tcp(w, mail->fd, &mail->peer);
    mail->fd = -1;
    mail_free(&mail->mail);
}

/* The listener knows whose a connection is. */
static void on_greeted(void *owner, uint32_t worker, int fd, const struct sockaddr_storage *peer)
{
    struct worker *w = owner;
    struct mail_tcp *mail;

    if (worker == w->index) {
        adopt_tcp(w, fd, peer);
        arm_timer(w);
        return;
    }
    mail = calloc(1, sizeof(*mail));
    if (!mail) {
        (void)close(fd);
        return;
    }
    *mail = (struct mail_tcp){.mail = {.type = MAIL_TCP}, .fd = fd, .peer = *peer};
    w->handler.send_to_worker(w->owner, worker, &mail->mail);
}

static int make_tcp_paths(struct worker *w, const struct worker_config *config)
{
    static const struct tcp_paths_handler handler = {
        .receive = on_tcp_receive, .end_turn = on_tcp_end_turn, .is_proven = on_tcp_is_proven};
    struct tcp_paths_config wanted = {
        .pool = forwarder_pool(w->forwarder),
        .max = config->max_tcp,
        .max_per_address = config->max_tcp_per_address,
    };

    return wanted.max > 0 ? tcp_paths_new(&w->tcp, w->base, &wanted, &handler, w) : 0;
}

int worker_listen_tcp(struct worker *w, const char *address, uint16_t port)
{
    struct tcp_greeter_config config = {
        .address = address,
        .port = port > 0 ? port : w->port,
        .n_workers = w->n_workers,
        .max = w->max_tcp,
        .max_per_address = w->max_tcp_per_address,
    };
    int err;

    assert(!w->running && !w->greeter);
    err = tcp_greeter_new(&w->greeter, w->base, &config, on_greeted, w);
    if (err == -EADDRINUSE && port == 0) {
        config.port = 0;
        err = tcp_greeter_new(&w->greeter, w->base, &config, on_greeted, w);
    }
    return err;
}

uint16_t worker_tcp_port(const struct worker *w)
{
    return w->greeter ? tcp_greeter_port(w->greeter) : 0;
}

/* ------------------------------------------------------------------ ICE agents */

static void on_agent_path(void *owner, uint32_t participant, const struct sockaddr_storage *path)
{
    struct worker *w = owner;

    w->has_paths = true;
    /* one that has left meanwhile has no use for it, and its agent goes with MAIL_LEAVE */
    (void)!forwarder_open_path(w->forwarder, participant, path, clock_now_us());
}

static int make_agent_paths(struct worker *w, const struct worker_config *config)
{
    static const struct agent_paths_handler handler = {.receive = on_tcp_receive,
                                                       .end_turn = on_tcp_end_turn,
                                                       .open_path = on_agent_path,
                                                       .post = on_post};

    struct agent_paths_config wanted = {
        .worker = w->index, .settings = config->agents, .pool = forwarder_pool(w->forwarder)};

    return wanted.settings ? agent_paths_new(&w->agents, w->base, &wanted, &handler, w) : 0;
}

/* ------------------------------------------------------------------ the loop */

static void on_mail(evutil_socket_t fd, short what, void *owner)
{
    struct worker *w = owner;
    int64_t now_us = clock_now_us();
    uint64_t count;
    struct mail *mail;

    (void)what;
    (void)!read(fd, &count, sizeof(count)); /* nothing there: woken for nothing, which is fine */
    mail = mailbox_take(&w->mailbox);
    while (mail) {
        struct mail *next = mail->next;

        if (w->agents)
            agent_paths_mail(w->agents, mail);
        if (mail->type == MAIL_TCP)
            adopt(w, CONTAINER_OF(mail, struct mail_tcp, mail));
        else
            forwarder_mail(w->forwarder, mail, now_us);
        mail = next;
    }
    end_turn(w);
    if (atomic_load(&w->stopping))
        (void)event_base_loopbreak(w->base);
}

static void on_timer(evutil_socket_t fd, short what, void *owner)
{
    struct worker *w = owner;
    int64_t now_us = clock_now_us();
    uint64_t count;

    (void)what;
    (void)!read(fd, &count, sizeof(count)); /* how often it went off: once */
    w->armed_us = NEVER_US;
    if (w->tcp)
        tcp_paths_advance(w->tcp, now_us);
    if (w->greeter)
        tcp_greeter_advance(w->greeter, now_us);
    (void)forwarder_advance(w->forwarder, now_us);
    end_turn(w);
}

static int make_events(struct worker *w)
{
    struct event_config *config = event_config_new();

    if (!config)
        return -ENOMEM;
    (void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK); /* one thread owns the base */
    w->base = event_base_new_with_config(config);
    event_config_free(config);
    if (!w->base)
        return -ENOMEM;
    w->readable = event_new(w->base, udp_socket_fd(w->socket), EV_READ | EV_PERSIST, on_readable,
                            w);
    w->mail = event_new(w->base, w->wake_fd, EV_READ | EV_PERSIST, on_mail, w);
    w->timer = event_new(w->base, w->timer_fd, EV_READ | EV_PERSIST, on_timer, w);
    if (!w->readable || !w->mail || !w->timer)
        return -ENOMEM;
    if (event_add(w->readable, NULL) < 0 || event_add(w->mail, NULL) < 0 ||
        event_add(w->timer, NULL) < 0)
        return -ENOMEM;
    return 0;
}

static int open_all(struct worker *w, const struct worker_config *config)
{
    static const struct forwarder_handler handler = {
        .send = on_send, .post = on_post, .send_to_worker = on_send_to_worker};
    struct forwarder_config forwarder = {
        .identity = config->identity,
        .index = config->index,
        .limits = config->limits,
    };
    int err = udp_socket_new(&w->socket, config->address, config->port);

    if (err < 0)
        return err;
    w->port = forwarder.port = udp_socket_port(w->socket);
    w->buffer_bytes = udp_socket_buffer_bytes(w->socket);
    err = forwarder_new(&w->forwarder, &forwarder, &handler, w);
    if (err < 0)
        return err;
    w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    w->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC); /* clock_now_us() */
    if (w->wake_fd < 0 || w->timer_fd < 0)
        return -errno;
    err = make_events(w);
    if (err == 0)
        err = make_tcp_paths(w, config);
    return err < 0 ? err : make_agent_paths(w, config);
}

int worker_new(struct worker **ret, const struct worker_config *config,
               const struct worker_handler *handler, void *owner)
{
    struct worker *w = calloc(1, sizeof(*w));
    int err;

    if (!w)
        return -ENOMEM;
    w->handler = *handler;
    w->owner = owner;
    w->index = config->index;
    w->n_workers = config->n_workers;
    w->max_tcp = config->max_tcp;
    w->max_tcp_per_address = config->max_tcp_per_address;
    w->pinned = config->pinned;
    w->core = config->core;
    w->wake_fd = w->timer_fd = -1;
    w->armed_us = NEVER_US;
    mailbox_init(&w->mailbox);
    err = open_all(w, config);
    if (err < 0) {
        worker_free(w);
        return err;
    }
    *ret = w;
    return 0;
}

static void pin(const struct worker *w)
{
    cpu_set_t cores;
    int err;

    CPU_ZERO(&cores);
    CPU_SET(w->core, &cores);
    err = pthread_setaffinity_np(pthread_self(), sizeof(cores), &cores);
    if (err != 0)
        log_warn("worker", "cannot be pinned and may run on any core: index=%u core=%u err=%s",
                 w->index, w->core, strerrordesc_np(err));
}

static void *run(void *owner)
{
    struct worker *w = owner;
    char name[16];

    (void)snprintf(name, sizeof(name), "media-%u", w->index % 1000);
    (void)pthread_setname_np(pthread_self(), name);
    if (w->pinned)
        pin(w);
    if (event_base_dispatch(w->base) < 0)
        log_error("worker", "event loop failed: index=%u", w->index);
    return NULL;
}

int worker_start(struct worker *w)
{
    sigset_t all;
    sigset_t before;
    int err;

    assert(!w->running);
    /* Signals are the main thread's; a new thread inherits the mask. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    err = pthread_create(&w->thread, NULL, run, w);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err != 0)
        return -err;
    w->running = true;
    return 0;
}

static void wake(struct worker *w)
{
    static const uint64_t one = 1;

    (void)!write(w->wake_fd, &one, sizeof(one)); /* full: it is awake already */
}

void worker_post(struct worker *w, struct mail *mail)
{
    if (mailbox_push(&w->mailbox, mail))
        wake(w);
}

void worker_stop(struct worker *w)
{
    if (!w->running)
        return;
    atomic_store(&w->stopping, true);
    wake(w);
    (void)pthread_join(w->thread, NULL);
    w->running = false;
}

static void free_event(struct event *event)
{
    if (event)
        event_free(event);
}

static void free_mail(struct worker *w)
{
    struct mail *mail = mailbox_take(&w->mailbox);

    while (mail) {
        struct mail *next = mail->next;

        mail_free(mail);
        mail = next;
    }
}

struct worker *worker_free(struct worker *w)
{
    if (!w)
        return NULL;
    worker_stop(w);
    w->greeter = tcp_greeter_free(w->greeter);
    w->tcp = tcp_paths_free(w->tcp);
    w->agents = agent_paths_free(w->agents);
    free_event(w->readable);
    free_event(w->mail);
    free_event(w->timer);
    if (w->base)
        event_base_free(w->base);
    if (w->wake_fd >= 0)
        (void)close(w->wake_fd);
    if (w->timer_fd >= 0)
        (void)close(w->timer_fd);
    w->socket = udp_socket_free(w->socket); /* has packets of the forwarder's pool */
    w->forwarder = forwarder_free(w->forwarder);
    free_mail(w);
    free(w);
    return NULL;
}

uint16_t worker_port(const struct worker *w)
{
    return w->port;
}

int worker_buffer_bytes(const struct worker *w)
{
    return w->buffer_bytes;
}

uint32_t worker_load(const struct worker *w)
{
    size_t at = offsetof(struct forwarder_stats, participants) / sizeof(uint64_t);

    return (uint32_t)atomic_load_explicit(&w->stats[at], memory_order_relaxed);
}

void worker_stats(const struct worker *w, struct forwarder_stats *ret)
{
    uint64_t counts[STATS_COUNT];

    for (size_t i = 0; i < STATS_COUNT; i++)
        counts[i] = atomic_load_explicit(&w->stats[i], memory_order_relaxed);
    memcpy(ret, counts, sizeof(counts));
}
