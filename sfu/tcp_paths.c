#include "sfu/tcp_paths.h"

#include "media/address.h"
#include "media/base/list.h"
#include "media/base/map.h"
#include "media/base/reader.h"
#include "media/packet.h"
#include "media/path.h"
#include "media/tcp_socket.h"
#include "media/udp_socket.h"
#include "signaling/http_clients.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TURN_READS = 8 }; /* of one connection, before the others have their turn */

/* How often it is looked at who has expired. */
static const int64_t LOOK_US = 1 * SECOND;

struct tcp_path {
    struct list link;
    struct tcp_paths *paths;
    struct http_client *client;
    struct event *readable, *writable;
    struct sockaddr_storage address; /* as path_address() */
    uint32_t number;
    bool heard;       /* since it was last looked at */
    bool waits;       /* for the descriptor to be writable */
    int64_t heard_us; /* about when something last came; 0: not looked at yet */
    int64_t check_us; /* when it must be proven */
    struct tcp_socket socket;
};

struct tcp_paths {
    struct tcp_paths_handler handler;
    void *owner;
    struct event_base *base;
    struct packet_pool *pool;
    struct list all;
    struct map by_number;
    struct http_clients clients;
    uint32_t next_number;
    int64_t look_us; /* when to look at them next */
    struct tcp_paths_stats stats;
    uint8_t scratch[TCP_READ_BYTES];
};

int tcp_paths_new(struct tcp_paths **ret, struct event_base *base,
                  const struct tcp_paths_config *config, const struct tcp_paths_handler *handler,
                  void *owner)
{
    struct tcp_paths *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    t->handler = *handler;
    t->owner = owner;
    t->base = base;
    t->pool = config->pool;
    t->look_us = NEVER_US;
    list_init(&t->all);
    map_init(&t->by_number);
    http_clients_init(&t->clients);
    t->clients.max = config->max;
    t->clients.max_per_address = config->max_per_address;
    t->clients.limit_loopback = true;
    *ret = t;
    return 0;
}

static void free_event(struct event *event)
{
    if (event)
        event_free(event);
}

static void close_path(struct tcp_path *p)
{
    struct tcp_paths *t = p->paths;

    (void)map_remove(&t->by_number, &p->number, sizeof(p->number));
    free_event(p->readable);
    free_event(p->writable);
    if (p->client)
        http_clients_leave(&t->clients, p->client);
    list_unlink(&p->link);
    t->stats.open--;
    tcp_socket_done(&p->socket);
    free(p);
}

struct tcp_paths *tcp_paths_free(struct tcp_paths *t)
{
    if (!t)
        return NULL;
    LIST_FOREACH_SAFE(link, &t->all) {
        close_path(CONTAINER_OF(link, struct tcp_path, link));
    }
    map_done(&t->by_number);
    http_clients_done(&t->clients);
    free(t);
    return NULL;
}

static struct packet *make_packet(struct tcp_path *p, const uint8_t *frame, size_t len)
{
    struct packet *packet = packet_new(p->paths->pool);

    if (!packet) {
        p->paths->stats.no_packet++;
        return NULL;
    }
    memcpy(packet->data, frame, len);
    packet->len = (uint16_t)len;
    packet->from = p->address;
    packet->to = (struct local_address){0};
    return packet;
}

/* Hand on the frames in `len` bytes that were read. @return 0; -EMSGSIZE: they are none */
static int hand_on(struct tcp_path *p, size_t len)
{
    struct tcp_paths *t = p->paths;
    struct reader in = reader_of(t->scratch, len);
    struct packet *packets[UDP_BATCH];
    const uint8_t *frame;
    size_t n = 0;
    int more;

    while ((more = tcp_deframer_next(&p->socket.in, &in, &frame, &len)) > 0) {
        packets[n] = make_packet(p, frame, len);
        n += packets[n] != NULL;
        if (n == UDP_BATCH) {
            t->handler.receive(t->owner, packets, n);
            n = 0;
        }
    }
    if (n > 0)
        t->handler.receive(t->owner, packets, n);
    return more;
}

static void on_readable(evutil_socket_t fd, short what, void *owner)
{
    struct tcp_path *p = owner;
    struct tcp_paths *t = p->paths;
    int n = sizeof(t->scratch);
    int err = 0;

    (void)fd;
    (void)what;
    p->heard = true;
    for (int i = 0; i < TURN_READS && err == 0 && n == sizeof(t->scratch); i++) {
        n = tcp_socket_read(&p->socket, t->scratch, sizeof(t->scratch));
        err = n > 0 ? hand_on(p, (size_t)n) : n;
    }
    t->stats.garbled += err == -EMSGSIZE;
    if (err < 0)
        close_path(p);
    t->handler.end_turn(t->owner);
}

/* Have us told when more can be sent, if something waits. */
static void wait_to_send(struct tcp_path *p)
{
    if (p->waits || !tcp_socket_waits(&p->socket))
        return;
    p->waits = event_add(p->writable, NULL) == 0;
}

static void on_writable(evutil_socket_t fd, short what, void *owner)
{
    struct tcp_path *p = owner;

    (void)fd;
    (void)what;
    p->waits = false;
    tcp_socket_flush(&p->socket);
    wait_to_send(p);
}

static int watch(struct tcp_path *p)
{
    struct tcp_paths *t = p->paths;
    int err = map_put(&t->by_number, &p->number, sizeof(p->number), p);

    if (err < 0)
        return err;
    p->readable = event_new(t->base, p->socket.fd, EV_READ | EV_PERSIST, on_readable, p);
    p->writable = event_new(t->base, p->socket.fd, EV_WRITE, on_writable, p);
    if (!p->readable || !p->writable || event_add(p->readable, NULL) < 0)
        return -ENOMEM;
    return 0;
}

void tcp_paths_adopt(struct tcp_paths *t, int fd, const struct sockaddr_storage *peer)
{
    struct tcp_path *p = calloc(1, sizeof(*p));
    uint32_t no_wait; /* openings in time are not limited */

    if (!p) {
        t->stats.refused++;
        (void)close(fd);
        return;
    }
    p->paths = t;
    p->number = ++t->next_number;
    path_address(&p->address, PATH_TCP, p->number, peer);
    tcp_socket_init(&p->socket, fd);
    list_append(&t->all, &p->link);
    t->stats.open++;
    p->client = http_clients_enter(&t->clients, (const struct sockaddr *)peer, 0, &no_wait);
    if (!p->client || watch(p) < 0) {
        t->stats.refused++;
        close_path(p);
    } else if (t->look_us == NEVER_US) {
        t->look_us = 0;
    }
}

bool tcp_paths_any(const struct tcp_paths *t)
{
    return t->stats.open > 0;
}

void tcp_paths_send(struct tcp_paths *t, uint32_t number, const struct datagram *datagrams,
                    size_t n)
{
    struct tcp_path *p = map_get(&t->by_number, &number, sizeof(number));
    uint64_t before;

    if (!p) {
        t->stats.dropped += n;
        return;
    }
    before = p->socket.dropped;
    tcp_socket_send(&p->socket, datagrams, n);
    t->stats.dropped += p->socket.dropped - before;
    wait_to_send(p);
}

static bool has_expired(struct tcp_path *p, int64_t now_us)
{
    const struct tcp_paths *t = p->paths;

    if (p->heard || p->heard_us == 0)
        p->heard_us = now_us;
    if (p->check_us == 0)
        p->check_us = now_us + TCP_PROVE_US;
    p->heard = false;
    if (now_us - p->heard_us >= TCP_SILENT_US)
        return true;
    if (now_us < p->check_us)
        return false;
    p->check_us = now_us + TCP_PROVE_US;
    return !t->handler.is_proven(t->owner, &p->address);
}

void tcp_paths_advance(struct tcp_paths *t, int64_t now_us)
{
    if (now_us < t->look_us)
        return;
    LIST_FOREACH_SAFE(link, &t->all) {
        struct tcp_path *p = CONTAINER_OF(link, struct tcp_path, link);

        if (has_expired(p, now_us)) {
            t->stats.expired++;
            close_path(p);
        } else if (p->socket.broken) {
            close_path(p);
        }
    }
    t->look_us = list_empty(&t->all) ? NEVER_US : now_us + LOOK_US;
}

int64_t tcp_paths_deadline(const struct tcp_paths *t)
{
    return t->look_us;
}

const struct tcp_paths_stats *tcp_paths_stats(const struct tcp_paths *t)
{
    return &t->stats;
}
