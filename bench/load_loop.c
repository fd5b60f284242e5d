#include "bench/load_loop.h"

#include "bench/endpoint.h"
#include "media/base/clock.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* So many sockets are read before it is looked whether a frame is due: 0.5 ms of work at most. */
enum { EVENTS = 64 };

static const int64_t SIGNALING_US = 10 * MS; /* how often while media goes first */

static void advance_due(struct load_loop *l)
{
    int64_t now_us = clock_now_us();
    struct deadline_node *node;

    while ((node = deadline_heap_take_due(&l->deadlines, now_us)) != NULL) {
        struct endpoint *e = CONTAINER_OF(node, struct endpoint, deadline);
        int64_t next_us = endpoint_advance(e, now_us);

        /* There is room: it was in the heap. */
        (void)!deadline_heap_set(&l->deadlines, node, next_us);
    }
}

static void receive(struct load_loop *l, struct endpoint *e, int64_t now_us)
{
    bool setting_up = e->state < ENDPOINT_CONNECTED;

    endpoint_receive(e, now_us);
    if (setting_up)
        load_loop_wake(l, e, now_us);
}

/* @param timeout_ms  as epoll_wait(2) has it
 * @return how many sockets there were */
static int serve_sockets(struct load_loop *l, int timeout_ms)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(l->epoll_fd, events, EVENTS, timeout_ms);
    int64_t now_us = clock_now_us();

    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr)
            receive(l, events[i].data.ptr, now_us);
        else
            l->timer_us = NEVER_US; /* it has gone off; it is set anew before we wait */
    }
    advance_due(l);
    return n;
}

static void on_sockets(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)serve_sockets(arg, 0);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct load_loop *l = arg;

    (void)fd;
    (void)what;
    l->interrupted = true;
}

static int watch_timer(struct load_loop *l)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};

    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->timer_fd, &event) < 0)
        return -errno;
    return 0;
}

int load_loop_init(struct load_loop *l)
{
    *l = (struct load_loop){
        .epoll_fd = -1, .timer_fd = -1, .timer_us = NEVER_US, .signaling_us = NEVER_US};
    deadline_heap_init(&l->deadlines);
    l->base = event_base_new();
    if (!l->base)
        return -ENOMEM;
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll_fd < 0)
        return -errno;
    l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (l->timer_fd < 0)
        return -errno;
    l->sockets = event_new(l->base, l->epoll_fd, EV_READ | EV_PERSIST, on_sockets, l);
    l->interrupt = evsignal_new(l->base, SIGINT, on_signal, l);
    l->terminate = evsignal_new(l->base, SIGTERM, on_signal, l);
    if (!l->sockets || !l->interrupt || !l->terminate || event_add(l->sockets, NULL) < 0 ||
        evsignal_add(l->interrupt, NULL) < 0 || evsignal_add(l->terminate, NULL) < 0)
        return -ENOMEM;
    return watch_timer(l);
}

void load_loop_done(struct load_loop *l)
{
    if (l->sockets)
        event_free(l->sockets);
    if (l->interrupt)
        event_free(l->interrupt);
    if (l->terminate)
        event_free(l->terminate);
    if (l->epoll_fd >= 0)
        (void)close(l->epoll_fd);
    if (l->timer_fd >= 0)
        (void)close(l->timer_fd);
    deadline_heap_done(&l->deadlines);
    if (l->base)
        event_base_free(l->base);
}

struct event_base *load_loop_base(const struct load_loop *l)
{
    return l->base;
}

int load_loop_add(struct load_loop *l, struct endpoint *e)
{
    /* Edges: reading goes on until there is no more, and a socket that was read need not be looked
     * at again to find it empty. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = e};

    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, e->fd, &event) < 0)
        return -errno;
    return deadline_heap_set(&l->deadlines, &e->deadline, clock_now_us());
}

void load_loop_remove(struct load_loop *l, struct endpoint *e)
{
    (void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, e->fd, NULL);
    deadline_heap_remove(&l->deadlines, &e->deadline);
}

void load_loop_wake(struct load_loop *l, struct endpoint *e, int64_t now_us)
{
    (void)!deadline_heap_set(&l->deadlines, &e->deadline, now_us);
}

static void set_timer(struct load_loop *l, int64_t due_us)
{
    int64_t at_us = due_us > 0 ? due_us : 1; /* 0 would stop it */
    struct itimerspec at = {
        .it_value = {.tv_sec = at_us / SECOND, .tv_nsec = at_us % SECOND * 1000},
    };

    if (l->timer_us == due_us)
        return;
    l->timer_us = due_us;
    (void)timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void serve_signaling(struct load_loop *l)
{
    (void)event_base_loop(l->base, EVLOOP_NONBLOCK);
    l->signaling_us = clock_now_us() + SIGNALING_US;
}

static void poll_sockets(struct load_loop *l)
{
    int64_t before_us = clock_now_us();
    bool due = deadline_heap_next_us(&l->deadlines) <= before_us;

    if (serve_sockets(l, 0) <= 0 && !due)
        l->idle_us += clock_now_us() - before_us;
    if (before_us >= l->signaling_us)
        serve_signaling(l);
}

void load_loop_turn(struct load_loop *l, int64_t until_us)
{
    int64_t next_us = deadline_heap_next_us(&l->deadlines);

    if (l->polling && l->signaling_us != NEVER_US) {
        poll_sockets(l);
        return;
    }
    next_us = next_us < until_us ? next_us : until_us;
    next_us = next_us < l->signaling_us ? next_us : l->signaling_us;
    set_timer(l, next_us);
    if (l->signaling_us == NEVER_US) {
        (void)event_base_loop(l->base, EVLOOP_ONCE);
        return;
    }
    (void)serve_sockets(l, -1);
    if (clock_now_us() >= l->signaling_us)
        serve_signaling(l);
}

void load_loop_media_first(struct load_loop *l, bool first)
{
    bool is_first = l->signaling_us != NEVER_US;

    if (first == is_first)
        return;
    if (first)
        (void)event_del(l->sockets);
    else
        (void)event_add(l->sockets, NULL);
    l->signaling_us = first ? clock_now_us() : NEVER_US;
}

void load_loop_poll(struct load_loop *l)
{
    l->polling = true;
}

int64_t load_loop_idle_us(const struct load_loop *l)
{
    return l->idle_us;
}

bool load_loop_interrupted(const struct load_loop *l)
{
    return l->interrupted;
}
