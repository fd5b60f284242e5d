#include "sfu/tcp_paths.h"

#include "media/address.h"
#include "media/packet.h"
#include "media/path.h"
#include "media/udp_socket.h"
#include "tests/tap.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <unistd.h>

enum { PER_ADDRESS = 2, MAX_RECEIVED = 64, SMALL_POOL = 16 };

static struct event_base *base;
static struct packet_pool *pool;
static struct tcp_paths *paths;
static int64_t now_us;
static bool proven;
static struct packet *received[MAX_RECEIVED];
static size_t n_received, n_turns;

static void on_receive(void *owner, struct packet **packets, size_t n)
{
    CHECK(owner == &paths);
    CHECK(n_received + n <= MAX_RECEIVED);
    for (size_t i = 0; i < n; i++)
        received[n_received++] = packets[i];
}

static void on_end_turn(void *owner)
{
    (void)owner;
    n_turns++;
}

static bool on_is_proven(void *owner, const struct sockaddr_storage *path)
{
    (void)owner;
    CHECK(path_is(path));
    return proven;
}

static void begin(void)
{
    static const struct tcp_paths_handler handler = {
        .receive = on_receive, .end_turn = on_end_turn, .is_proven = on_is_proven};
    struct tcp_paths_config config = {.max = 10, .max_per_address = PER_ADDRESS};

    now_us = 1000 * SECOND;
    n_received = n_turns = 0;
    proven = true;
    base = event_base_new();
    config.pool = pool = packet_pool_new(SMALL_POOL);
    CHECK(base && pool);
    CHECK_EQ(tcp_paths_new(&paths, base, &config, &handler, &paths), 0);
    CHECK(!tcp_paths_any(paths));
}

static void end(void)
{
    paths = tcp_paths_free(paths);
    while (n_received > 0)
        packet_unref(received[--n_received]);
    pool = packet_pool_free(pool);
    event_base_free(base);
}

static void run(void)
{
    for (int i = 0; i < 10; i++)
        CHECK(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
}

/* A connection from 192.0.2.`host`. @return the other end */
static int adopt(uint8_t host)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(5004)};
    struct sockaddr_storage peer = {0};
    int ends[2];

    in.sin_addr.s_addr = htonl(0xc0000200U + host);
    memcpy(&peer, &in, sizeof(in));
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    tcp_paths_adopt(paths, ends[0], &peer);
    return ends[1];
}

static void say(int fd, const void *bytes, size_t len)
{
    CHECK_EQ(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
    run();
}

static bool is_closed(int fd)
{
    uint8_t byte;
    ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);

    return n == 0 || (n < 0 && errno != EAGAIN);
}

/* Let time pass as its owner does. */
static void pass(int64_t us)
{
    for (int64_t end_us = now_us + us; now_us < end_us; now_us += 100 * MS)
        tcp_paths_advance(paths, now_us);
}

static void frames_become_packets_of_a_path(void)
{
    static const uint8_t frames[] = {0, 2, 'h', 'i', 0, 0, 0, 1, '!', 0, 9};
    int fd;

    begin();
    fd = adopt(7);
    say(fd, frames, sizeof(frames));
    CHECK_EQ(n_received, 2);
    CHECK_EQ(n_turns, 1);
    CHECK_EQ(received[0]->len, 2);
    CHECK_MEM(received[0]->data, "hi", 2);
    CHECK(path_is(&received[0]->from));
    CHECK_EQ(path_kind(&received[0]->from), PATH_TCP);
    CHECK(address_equal(&received[0]->from, &received[1]->from));
    say(fd, "123456789", 9);
    CHECK_EQ(n_received, 3);
    CHECK_EQ(close(fd), 0);
    run();
    CHECK(!tcp_paths_any(paths));
    end();
}

static void datagrams_go_to_their_path(void)
{
    static const uint8_t frame[] = {0, 1, '?'};
    static const uint8_t expected[] = {0, 3, 'o', 'n', 'e', 0, 3, 't', 'w', 'o'};
    const struct datagram datagrams[] = {{.data = (const uint8_t *)"one", .len = 3},
                                         {.data = (const uint8_t *)"two", .len = 3}};
    uint8_t got[64];
    uint32_t number;
    int first, second;

    begin();
    first = adopt(7);
    second = adopt(8);
    say(second, frame, sizeof(frame));
    number = path_number(&received[0]->from);
    tcp_paths_send(paths, number, datagrams, 2);
    CHECK_EQ(recv(second, got, sizeof(got), MSG_DONTWAIT), (ssize_t)sizeof(expected));
    CHECK_MEM(got, expected, sizeof(expected));
    CHECK(recv(first, got, sizeof(got), MSG_DONTWAIT) < 0);
    CHECK_EQ(close(second), 0);
    run();
    tcp_paths_send(paths, number, datagrams, 2); /* gone */
    CHECK_EQ(tcp_paths_stats(paths)->dropped, 2);
    CHECK_EQ(close(first), 0);
    end();
}

static void what_waits_is_sent_when_there_is_room(void)
{
    static const uint8_t frame[] = {0, 1, '?'};
    static uint8_t bytes[1200];
    struct datagram datagrams[32];
    size_t got = 0;
    uint32_t number;
    ssize_t n;
    int fd;

    begin();
    fd = adopt(7);
    say(fd, frame, sizeof(frame));
    number = path_number(&received[0]->from);
    for (size_t i = 0; i < ARRAY_LEN(datagrams); i++)
        datagrams[i] = (struct datagram){.data = bytes, .len = sizeof(bytes)};
    for (int i = 0; i < 100; i++)
        tcp_paths_send(paths, number, datagrams, ARRAY_LEN(datagrams));
    CHECK(tcp_paths_stats(paths)->dropped > 0);
    for (int i = 0; i < 1000; i++) {
        static uint8_t scratch[65536];

        while ((n = recv(fd, scratch, sizeof(scratch), MSG_DONTWAIT)) > 0)
            got += (size_t)n;
        run();
    }
    CHECK_EQ(got, (3200 - tcp_paths_stats(paths)->dropped) * (sizeof(bytes) + 2));
    CHECK_EQ(close(fd), 0);
    end();
}

static void who_proves_nothing_is_closed_after_five_seconds(void)
{
    int fd;

    begin();
    proven = false;
    fd = adopt(7);
    CHECK(tcp_paths_deadline(paths) <= now_us);
    pass(TCP_PROVE_US - SECOND);
    CHECK(!is_closed(fd));
    pass(2 * SECOND);
    CHECK(is_closed(fd));
    CHECK_EQ(tcp_paths_stats(paths)->expired, 1);
    CHECK_EQ(tcp_paths_deadline(paths), NEVER_US);
    CHECK_EQ(close(fd), 0);
    end();
}

static void a_path_ends_with_its_participant_and_with_silence(void)
{
    static const uint8_t frame[] = {0, 1, '.'};
    int gone, silent;

    begin();
    gone = adopt(7);
    silent = adopt(8);
    for (int i = 0; i < 14; i++) {
        pass(5 * SECOND);
        if (n_received > 0)
            packet_unref(received[--n_received]);
        say(gone, frame, sizeof(frame));
    }
    CHECK(!is_closed(gone));
    CHECK(is_closed(silent)); /* 60 s without a byte */
    proven = false;
    pass(TCP_PROVE_US + SECOND);
    CHECK(is_closed(gone));
    CHECK_EQ(tcp_paths_stats(paths)->expired, 2);
    CHECK_EQ(close(gone), 0);
    CHECK_EQ(close(silent), 0);
    end();
}

static void what_is_no_frame_ends_the_connection(void)
{
    int fd;

    begin();
    fd = adopt(7);
    say(fd, "GET / HTTP/1.1\r\n", 16);
    CHECK(is_closed(fd));
    CHECK_EQ(tcp_paths_stats(paths)->garbled, 1);
    CHECK_EQ(close(fd), 0);
    end();
}

static void one_address_has_so_many_and_no_more(void)
{
    int fds[PER_ADDRESS + 1];
    int other;

    begin();
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = adopt(7);
    other = adopt(8);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        CHECK_EQ(is_closed(fds[i]), i >= PER_ADDRESS);
        CHECK_EQ(close(fds[i]), 0);
    }
    CHECK(!is_closed(other));
    CHECK_EQ(tcp_paths_stats(paths)->refused, 1);
    CHECK_EQ(close(other), 0);
    end();
}

static void an_exhausted_pool_costs_datagrams_and_no_connection(void)
{
    static const uint8_t frame[] = {0, 1, '.'};
    int fd;

    begin();
    fd = adopt(7);
    for (int i = 0; i < SMALL_POOL + 3; i++)
        say(fd, frame, sizeof(frame));
    CHECK_EQ(n_received, SMALL_POOL);
    CHECK_EQ(tcp_paths_stats(paths)->no_packet, 3);
    packet_unref(received[--n_received]);
    say(fd, frame, sizeof(frame));
    CHECK_EQ(n_received, SMALL_POOL);
    CHECK_EQ(close(fd), 0);
    end();
}

TAP_CASES(CASE(frames_become_packets_of_a_path), CASE(datagrams_go_to_their_path),
          CASE(what_waits_is_sent_when_there_is_room),
          CASE(who_proves_nothing_is_closed_after_five_seconds),
          CASE(a_path_ends_with_its_participant_and_with_silence),
          CASE(what_is_no_frame_ends_the_connection), CASE(one_address_has_so_many_and_no_more),
          CASE(an_exhausted_pool_costs_datagrams_and_no_connection))
