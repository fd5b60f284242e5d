#include "sfu/worker.h"

#include "media/base/clock.h"
#include "media/base/log.h"
#include "media/base/mailbox.h"
#include "media/packet.h"
#include "media/udp_socket.h"
#include "sfu/mail.h"

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
    uint32_t index;
    bool pinned;
    uint32_t core;
    uint16_t port;
    int buffer_bytes;
    struct udp_socket *socket;
    struct forwarder *forwarder;
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

static void on_send(void *owner, const struct datagram *datagrams, size_t n)
{
    struct worker *w = owner;

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

static void publish_stats(struct worker *w)
{
    struct forwarder_stats stats;
    uint64_t counts[STATS_COUNT];

    forwarder_stats(w->forwarder, &stats);
    stats.drop_send = udp_socket_stats(w->socket)->send_dropped;
    memcpy(counts, &stats, sizeof(counts));
    for (size_t i = 0; i < STATS_COUNT; i++)
        atomic_store_explicit(&w->stats[i], counts[i], memory_order_relaxed);
}

/* A timer of our own, set only when the deadline has come nearer: libevent sets its own in every
 * turn, a system call and a timer of the processor, which is dear in a virtual machine. This one
 * goes off too early now and then, and is set anew. */
static void arm_timer(struct worker *w)
{
    int64_t due_us = forwarder_deadline(w->forwarder);
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
    return make_events(w);
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
