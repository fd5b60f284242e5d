/* Over the loopback interface: the only unit that is about the network itself. */

#include "media/udp_socket.h"

#include "media/address.h"
#include "media/base/clock.h"
#include "media/packet.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

enum { POOL_PACKETS = 256, WAIT_MS = 2000 };

static struct sockaddr_storage ipv4_loopback(uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_storage address = {0};

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(&address, &in, sizeof(in));
    return address;
}

static struct sockaddr_storage ipv6_loopback(uint16_t port)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_storage address = {0};

    in6.sin6_addr = in6addr_loopback;
    memcpy(&address, &in6, sizeof(in6));
    return address;
}

static bool ipv6_is_here(void)
{
    struct sockaddr_storage address = ipv6_loopback(0);
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    bool here = fd >= 0 && bind(fd, (struct sockaddr *)&address, address_len(&address)) == 0;

    if (fd >= 0)
        (void)close(fd);
    return here;
}

struct fixture {
    struct packet_pool *pool;
    struct udp_socket *a, *b;
    struct packet *in[UDP_BATCH];
    int received;
};

static void fixture_init(struct fixture *f, size_t pool_packets)
{
    *f = (struct fixture){.pool = packet_pool_new(pool_packets)};
    CHECK(f->pool);
    CHECK_EQ(udp_socket_new(&f->a, NULL, 0), 0);
    CHECK_EQ(udp_socket_new(&f->b, NULL, 0), 0);
    CHECK(udp_socket_port(f->a) != 0 && udp_socket_port(f->a) != udp_socket_port(f->b));
}

static void drop_received(struct fixture *f)
{
    while (f->received > 0)
        packet_unref(f->in[--f->received]);
}

static void fixture_done(struct fixture *f)
{
    drop_received(f);
    f->a = udp_socket_free(f->a);
    f->b = udp_socket_free(f->b);
    CHECK_EQ(packet_pool_used(f->pool), 0);
    f->pool = packet_pool_free(f->pool);
}

/* Wait until `socket` has something, and read once. */
static int receive(struct fixture *f, struct udp_socket *socket)
{
    struct pollfd readable = {.fd = udp_socket_fd(socket), .events = POLLIN};

    drop_received(f);
    CHECK(udp_socket_has_more(socket) || poll(&readable, 1, WAIT_MS) == 1);
    f->received = udp_socket_receive(socket, f->pool, f->in, 42 * MS);
    return f->received;
}

static void send_text(struct udp_socket *socket, const struct sockaddr_storage *to,
                      const char *text)
{
    struct datagram datagram = {.to = to, .data = (const uint8_t *)text, .len = strlen(text)};

    udp_socket_send(socket, &datagram, 1);
}

static void nothing_there_is_no_error(void)
{
    struct fixture f;

    fixture_init(&f, POOL_PACKETS);
    CHECK_EQ(udp_socket_receive(f.a, f.pool, f.in, 0), 0);
    fixture_done(&f);
}

static void ipv4_addresses_are_plain_both_ways(void)
{
    struct sockaddr_storage to_b;
    struct sockaddr_storage a;
    struct fixture f;

    fixture_init(&f, POOL_PACKETS);
    to_b = ipv4_loopback(udp_socket_port(f.b));
    a = ipv4_loopback(udp_socket_port(f.a));
    send_text(f.a, &to_b, "hello");
    CHECK_EQ(receive(&f, f.b), 1);
    CHECK_EQ(f.in[0]->len, 5);
    CHECK_MEM(f.in[0]->data, "hello", 5);
    CHECK_EQ(f.in[0]->arrival_us, 42 * MS);
    CHECK(address_equal(&f.in[0]->from, &a));
    send_text(f.b, &f.in[0]->from, "back");
    CHECK_EQ(receive(&f, f.a), 1);
    CHECK_MEM(f.in[0]->data, "back", 4);
    fixture_done(&f);
}

static void ipv6_addresses_stay_ipv6(void)
{
    struct sockaddr_storage to_b;
    struct sockaddr_storage a;
    struct fixture f;

    if (!ipv6_is_here())
        SKIP("no IPv6 here");
    fixture_init(&f, POOL_PACKETS);
    to_b = ipv6_loopback(udp_socket_port(f.b));
    a = ipv6_loopback(udp_socket_port(f.a));
    send_text(f.a, &to_b, "six");
    CHECK_EQ(receive(&f, f.b), 1);
    CHECK(address_equal(&f.in[0]->from, &a));
    fixture_done(&f);
}

static struct sockaddr_storage ipv4_host(uint8_t host, uint16_t port)
{
    struct sockaddr_storage address = ipv4_loopback(port);
    struct sockaddr_in in;

    memcpy(&in, &address, sizeof(in));
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
    memcpy(&address, &in, sizeof(in));
    return address;
}

/* Ask b at `asked`, and have it answer with datagrams of these lengths from where it was asked. */
static void check_answer(struct fixture *f, const struct sockaddr_storage *asked,
                         const size_t *lens, size_t n)
{
    static const uint8_t bytes[PACKET_CAPACITY];
    struct datagram answers[4];
    struct sockaddr_storage to;
    struct local_address from;
    size_t seen = 0;

    send_text(f->a, asked, "who?");
    CHECK_EQ(receive(f, f->b), 1);
    to = f->in[0]->from;
    from = f->in[0]->to;
    for (size_t i = 0; i < n; i++)
        answers[i] = (struct datagram){.to = &to, .from = &from, .data = bytes, .len = lens[i]};
    udp_socket_send(f->b, answers, n);
    CHECK_EQ(udp_socket_stats(f->b)->send_dropped, 0);
    while (seen < n) {
        CHECK(receive(f, f->a) > 0);
        for (int i = 0; i < f->received && seen < n; i++, seen++) {
            CHECK(address_equal(&f->in[i]->from, asked));
            CHECK_EQ(f->in[i]->len, lens[seen]);
        }
    }
}

static void answers_leave_from_the_address_that_was_asked(void)
{
    static const size_t lens[] = {100, 1000, 1000, 300}; /* one alone, and a run */
    struct sockaddr_storage asked;
    struct fixture f;

    fixture_init(&f, POOL_PACKETS);
    for (uint8_t host = 1; host <= 3; host++) {
        asked = ipv4_host(host, udp_socket_port(f.b));
        check_answer(&f, &asked, lens, ARRAY_LEN(lens));
    }
    asked = ipv6_loopback(udp_socket_port(f.b));
    if (ipv6_is_here())
        check_answer(&f, &asked, lens, ARRAY_LEN(lens));
    CHECK_EQ(udp_socket_stats(f.b)->send_calls, ipv6_is_here() ? 4 : 3);
    fixture_done(&f);
}

static void a_run_the_kernel_refuses_leaves_from_there_too(void)
{
    static const size_t lens[] = {500, 500, 500};
    struct sockaddr_storage asked;
    struct fixture f;
    int on = 1;

    fixture_init(&f, POOL_PACKETS);
    /* Linux cuts no runs without checksums. */
    CHECK_EQ(setsockopt(udp_socket_fd(f.b), SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on)), 0);
    asked = ipv4_host(2, udp_socket_port(f.b));
    check_answer(&f, &asked, lens, ARRAY_LEN(lens));
    CHECK_EQ(udp_socket_stats(f.b)->send_runs, 0);
    fixture_done(&f);
}

static void a_socket_of_one_address_does_not_ask_for_it(void)
{
    static const size_t lens[] = {5};
    struct sockaddr_storage asked;
    struct fixture f;

    fixture_init(&f, POOL_PACKETS);
    f.b = udp_socket_free(f.b);
    CHECK_EQ(udp_socket_new(&f.b, "127.0.0.2", 0), 0);
    asked = ipv4_host(2, udp_socket_port(f.b));
    check_answer(&f, &asked, lens, 1);
    send_text(f.a, &asked, "again");
    CHECK_EQ(receive(&f, f.b), 1);
    CHECK_EQ(f.in[0]->to.len, 0);
    f.b = udp_socket_free(f.b);
    CHECK_EQ(udp_socket_new(&f.b, "0.0.0.0", 0), 0);
    asked = ipv4_host(2, udp_socket_port(f.b));
    check_answer(&f, &asked, lens, 1);
    fixture_done(&f);
}

static void neighbours_from_two_addresses_are_no_run(void)
{
    struct local_address from[2] = {{.len = 4, .bytes = {127, 0, 0, 2}},
                                    {.len = 4, .bytes = {127, 0, 0, 3}}};
    struct datagram datagrams[2];
    struct sockaddr_storage to_a;
    struct fixture f;

    fixture_init(&f, POOL_PACKETS);
    to_a = ipv4_loopback(udp_socket_port(f.a));
    for (size_t i = 0; i < 2; i++)
        datagrams[i] = (struct datagram){
            .to = &to_a, .from = &from[i], .data = (const uint8_t *)"hello", .len = 5};
    udp_socket_send(f.b, datagrams, 2);
    CHECK_EQ(receive(&f, f.a), 2);
    for (uint8_t i = 0; i < 2; i++) {
        struct sockaddr_storage expected = ipv4_host(2 + i, udp_socket_port(f.b));

        CHECK(address_equal(&f.in[i]->from, &expected));
    }
    fixture_done(&f);
}

static void address_to_bind_is_literal(void)
{
    struct udp_socket *socket = NULL;
    struct udp_socket *second = NULL;

    CHECK_EQ(udp_socket_new(&socket, "localhost", 0), -EINVAL);
    CHECK_EQ(udp_socket_new(&socket, "192.0.2.1", 0), -EADDRNOTAVAIL);
    CHECK_EQ(udp_socket_new(&socket, "127.0.0.1", 0), 0);
    CHECK_EQ(udp_socket_new(&second, "127.0.0.1", udp_socket_port(socket)), -EADDRINUSE);
    CHECK(udp_socket_buffer_bytes(socket) > 0);
    udp_socket_free(socket);
}

static void batch_is_read_with_one_call(void)
{
    struct sockaddr_storage to_b;
    struct datagram datagrams[UDP_BATCH + 1];
    uint8_t bytes[UDP_BATCH + 1];
    struct fixture f;

    fixture_init(&f, POOL_PACKETS);
    to_b = ipv4_loopback(udp_socket_port(f.b));
    for (size_t i = 0; i < UDP_BATCH + 1; i++) {
        bytes[i] = (uint8_t)i;
        /* longer and longer: no runs */
        datagrams[i] = (struct datagram){.to = &to_b, .data = bytes, .len = i + 1};
    }
    udp_socket_send(f.a, datagrams, UDP_BATCH + 1);
    CHECK_EQ(receive(&f, f.b), UDP_BATCH);
    for (size_t i = 0; i < UDP_BATCH; i++)
        CHECK_EQ(f.in[i]->len, i + 1);
    CHECK_EQ(udp_socket_stats(f.b)->receive_calls, 1);
    CHECK(!udp_socket_has_more(f.b));
    CHECK_EQ(receive(&f, f.b), 1);
    CHECK_EQ(f.in[0]->data[UDP_BATCH], UDP_BATCH);
    CHECK_EQ(udp_socket_stats(f.b)->receive_datagrams, UDP_BATCH + 1);
    fixture_done(&f);
}

static void equal_neighbours_arrive_as_they_were_sent(void)
{
    /* runs of 1,000 bytes that end in a shorter one, a longer one, and another address */
    static const size_t lens[] = {1000, 1000, 1000, 400, 1000, 1200, 7, 1000, 1000};
    enum { N = sizeof(lens) / sizeof(lens[0]), OTHER_FROM = 8 };
    static uint8_t bytes[N][1200];
    struct sockaddr_storage to_b;
    struct sockaddr_storage to_a;
    struct datagram datagrams[N];
    struct fixture f;
    size_t seen = 0;

    fixture_init(&f, POOL_PACKETS);
    to_b = ipv4_loopback(udp_socket_port(f.b));
    to_a = ipv4_loopback(udp_socket_port(f.a));
    for (size_t i = 0; i < N; i++) {
        memset(bytes[i], (int)i, sizeof(bytes[i]));
        datagrams[i] = (struct datagram){
            .to = i < OTHER_FROM ? &to_b : &to_a, .data = bytes[i], .len = lens[i]};
    }
    udp_socket_send(f.a, datagrams, N);
    CHECK_EQ(udp_socket_stats(f.a)->send_datagrams, N);
    CHECK_EQ(udp_socket_stats(f.a)->send_dropped, 0);
    CHECK_EQ(udp_socket_stats(f.a)->send_calls, 1);
    while (seen < N) {
        CHECK(receive(&f, seen < OTHER_FROM ? f.b : f.a) > 0);
        CHECK(seen >= OTHER_FROM || seen + (size_t)f.received <= OTHER_FROM);
        for (int i = 0; i < f.received; i++, seen++) {
            CHECK_EQ(f.in[i]->len, lens[seen]);
            CHECK_MEM(f.in[i]->data, bytes[seen], lens[seen]);
        }
    }
    printf("# runs: %" PRIu64 "\n", udp_socket_stats(f.a)->send_runs);
    fixture_done(&f);
}

static void more_than_a_batch_is_sent_in_order(void)
{
    enum { N = UDP_SEND_BATCH + 70, LEN = 8 };
    static struct datagram datagrams[N];
    static uint8_t bytes[N][LEN];
    struct sockaddr_storage to_b;
    struct fixture f;
    size_t seen = 0;

    fixture_init(&f, POOL_PACKETS);
    to_b = ipv4_loopback(udp_socket_port(f.b));
    for (size_t i = 0; i < N; i++) {
        (void)snprintf((char *)bytes[i], LEN, "%zu", i);
        datagrams[i] = (struct datagram){.to = &to_b, .data = bytes[i], .len = LEN};
    }
    udp_socket_send(f.a, datagrams, N);
    CHECK_EQ(udp_socket_stats(f.a)->send_datagrams, N);
    while (seen < N) {
        CHECK(receive(&f, f.b) > 0);
        for (int i = 0; i < f.received; i++)
            CHECK_MEM(f.in[i]->data, bytes[seen++], LEN);
    }
    fixture_done(&f);
}

enum { RUN_LEN = 1000, RUN_MAX = 64 };

/* Send `n` datagrams of `len` bytes as a run, the last with `last_len`; each is full of its number
 * after `first`. */
static void send_run(struct udp_socket *socket, const struct sockaddr_storage *to, size_t first,
                     size_t n, size_t len, size_t last_len)
{
    static uint8_t bytes[RUN_MAX][2000];
    struct datagram datagrams[RUN_MAX];
    uint64_t runs = udp_socket_stats(socket)->send_runs;

    for (size_t i = 0; i < n; i++) {
        memset(bytes[i], (int)((first + i) & 0xff), sizeof(bytes[i]));
        datagrams[i] = (struct datagram){
            .to = to, .data = bytes[i], .len = i == n - 1 ? last_len : len};
    }
    udp_socket_send(socket, datagrams, n);
    if (udp_socket_stats(socket)->send_runs == runs)
        SKIP("this kernel cuts no runs");
}

static void need_runs(struct udp_socket *socket)
{
    if (udp_socket_take_runs(socket, true) < 0)
        SKIP("this kernel hands on no runs");
}

/* f->in[at] has this length, and is full of `number`. */
static void check_filled(const struct fixture *f, size_t at, size_t number, size_t len)
{
    uint8_t expected[PACKET_CAPACITY];

    memset(expected, (int)(number & 0xff), sizeof(expected));
    CHECK_EQ(f->in[at]->len, len);
    CHECK_MEM(f->in[at]->data, expected, len);
}

/* A run of eight from a to b at `asked`, whose local address is `local` [len]. */
static void check_run(struct fixture *f, const struct sockaddr_storage *asked, size_t len,
                      const void *local, size_t local_len)
{
    struct sockaddr_storage a = asked->ss_family == AF_INET ? ipv4_loopback(udp_socket_port(f->a))
                                                            : ipv6_loopback(udp_socket_port(f->a));
    uint64_t runs = udp_socket_stats(f->b)->receive_runs;

    send_run(f->a, asked, 1, 8, len, len / 2);
    CHECK_EQ(receive(f, f->b), 8);
    CHECK_EQ(udp_socket_stats(f->b)->receive_runs, runs + 1);
    for (size_t i = 0; i < 8; i++) {
        check_filled(f, i, 1 + i, i == 7 ? len / 2 : len);
        CHECK(address_equal(&f->in[i]->from, &a));
        CHECK_EQ(f->in[i]->arrival_us, 42 * MS);
        CHECK_EQ(f->in[i]->to.len, local_len);
        CHECK_MEM(f->in[i]->to.bytes, local, local_len);
    }
}

static void a_run_arrives_as_its_datagrams(void)
{
    static const uint8_t host_2[4] = {127, 0, 0, 2};
    static const size_t lens[] = {2, RUN_LEN, PACKET_CAPACITY};
    struct sockaddr_storage to_b;
    struct fixture f;

    fixture_init(&f, POOL_PACKETS);
    need_runs(f.b);
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        to_b = ipv4_host(2, udp_socket_port(f.b));
        check_run(&f, &to_b, lens[i], host_2, sizeof(host_2));
        to_b = ipv6_loopback(udp_socket_port(f.b));
        if (ipv6_is_here())
            check_run(&f, &to_b, lens[i] < 1400 ? lens[i] : 1400, &in6addr_loopback, 16);
    }
    CHECK_EQ(udp_socket_stats(f.b)->receive_datagrams, ipv6_is_here() ? 48 : 24);
    CHECK_EQ(udp_socket_stats(f.b)->receive_cut, 0);
    fixture_done(&f);
}

static void a_run_to_a_socket_of_one_address_names_it_not(void)
{
    struct sockaddr_storage to_b;
    struct fixture f;

    fixture_init(&f, POOL_PACKETS);
    f.b = udp_socket_free(f.b);
    CHECK_EQ(udp_socket_new(&f.b, "127.0.0.2", 0), 0);
    need_runs(f.b);
    to_b = ipv4_host(2, udp_socket_port(f.b));
    check_run(&f, &to_b, RUN_LEN, "", 0);
    fixture_done(&f);
}

static void runs_of_two_senders_stay_apart(void)
{
    enum { ROUNDS = 3, EACH = 4 };
    struct sockaddr_storage senders[2];
    struct sockaddr_storage to_b;
    struct udp_socket *c = NULL;
    struct fixture f;

    fixture_init(&f, POOL_PACKETS);
    need_runs(f.b);
    CHECK_EQ(udp_socket_new(&c, NULL, 0), 0);
    to_b = ipv4_loopback(udp_socket_port(f.b));
    senders[0] = ipv4_loopback(udp_socket_port(f.a));
    senders[1] = ipv4_loopback(udp_socket_port(c));
    for (size_t i = 0; i < ROUNDS; i++) {
        send_run(f.a, &to_b, i * EACH, EACH, RUN_LEN, RUN_LEN);
        send_run(c, &to_b, 100 + i * EACH, EACH, RUN_LEN - 100, 10);
        send_text(i % 2 ? c : f.a, &to_b, "single");
    }
    CHECK_EQ(receive(&f, f.b), ROUNDS * (2 * EACH + 1));
    for (size_t i = 0; i < ROUNDS; i++) {
        const size_t at = i * (2 * EACH + 1);

        for (size_t k = 0; k < EACH; k++) {
            check_filled(&f, at + k, i * EACH + k, RUN_LEN);
            check_filled(&f, at + EACH + k, 100 + i * EACH + k, k == EACH - 1 ? 10 : RUN_LEN - 100);
            CHECK(address_equal(&f.in[at + k]->from, &senders[0]));
            CHECK(address_equal(&f.in[at + EACH + k]->from, &senders[1]));
        }
        CHECK_MEM(f.in[at + 2 * EACH]->data, "single", 6);
        CHECK(address_equal(&f.in[at + 2 * EACH]->from, &senders[i % 2]));
    }
    CHECK_EQ(udp_socket_stats(f.b)->receive_calls, 1);
    c = udp_socket_free(c);
    fixture_done(&f);
}

static void what_one_call_brings_beyond_a_batch_is_handed_on_in_order(void)
{
    enum { RUNS = 3 };
    struct sockaddr_storage to_b;
    struct fixture f;

    fixture_init(&f, POOL_PACKETS + RUNS * RUN_MAX);
    need_runs(f.b);
    to_b = ipv4_loopback(udp_socket_port(f.b));
    send_text(f.a, &to_b, "first"); /* so that batches end within runs */
    for (size_t i = 0; i < RUNS; i++)
        send_run(f.a, &to_b, i * RUN_MAX, RUN_MAX, 100, 100);
    CHECK_EQ(receive(&f, f.b), UDP_BATCH);
    CHECK_MEM(f.in[0]->data, "first", 5);
    for (size_t i = 1; i < UDP_BATCH; i++)
        check_filled(&f, i, i - 1, 100);
    for (size_t batch = 1; batch < RUNS; batch++) {
        CHECK(udp_socket_has_more(f.b));
        CHECK_EQ(receive(&f, f.b), UDP_BATCH);
        for (size_t i = 0; i < UDP_BATCH; i++)
            check_filled(&f, i, batch * UDP_BATCH + i - 1, 100);
    }
    CHECK_EQ(receive(&f, f.b), 1);
    check_filled(&f, 0, RUNS * RUN_MAX - 1, 100);
    CHECK(!udp_socket_has_more(f.b));
    CHECK_EQ(udp_socket_stats(f.b)->receive_calls, 1);
    CHECK_EQ(udp_socket_receive(f.b, f.pool, f.in, 0), 0);
    f.received = 0;
    CHECK_EQ(packet_pool_used(f.pool), UDP_BATCH + 1); /* ready, and the last one */
    f.b = udp_socket_free(f.b);
    CHECK_EQ(packet_pool_used(f.pool), 1);
    packet_unref(f.in[0]);
    fixture_done(&f);
}

static void what_finds_no_packet_of_a_run_is_counted(void)
{
    enum { SPARE = 3, N = 8 };
    struct packet *held[UDP_BATCH + SPARE];
    struct sockaddr_storage to_b;
    struct fixture f;

    fixture_init(&f, UDP_BATCH + SPARE);
    need_runs(f.b);
    to_b = ipv4_loopback(udp_socket_port(f.b));
    send_run(f.a, &to_b, 0, N, RUN_LEN, RUN_LEN);
    CHECK_EQ(receive(&f, f.b), 1 + SPARE); /* the one that was ready, and what is left */
    for (size_t i = 0; i <= SPARE; i++)
        check_filled(&f, i, i, RUN_LEN);
    CHECK_EQ(udp_socket_stats(f.b)->receive_no_packet, N - 1 - SPARE);
    CHECK_EQ(udp_socket_stats(f.b)->receive_datagrams, N);
    drop_received(&f);
    /* and with none at all */
    f.b = udp_socket_free(f.b);
    CHECK_EQ(udp_socket_new(&f.b, NULL, 0), 0);
    to_b = ipv4_loopback(udp_socket_port(f.b));
    for (size_t i = 0; i < ARRAY_LEN(held); i++)
        held[i] = packet_new(f.pool);
    send_run(f.a, &to_b, 0, N, RUN_LEN, 10);
    CHECK_EQ(receive(&f, f.b), 0);
    CHECK_EQ(udp_socket_stats(f.b)->receive_no_packet, N);
    for (size_t i = 0; i < ARRAY_LEN(held); i++)
        packet_unref(held[i]);
    send_run(f.a, &to_b, 0, N, RUN_LEN, 10);
    CHECK_EQ(receive(&f, f.b), 1 + SPARE);
    fixture_done(&f);
}

static void few_packets_are_enough(void)
{
    struct sockaddr_storage to_b;
    struct fixture f;

    fixture_init(&f, 3);
    to_b = ipv4_loopback(udp_socket_port(f.b));
    for (int round = 0; round < 4; round++) {
        send_text(f.a, &to_b, "one");
        send_text(f.a, &to_b, "four");
        CHECK_EQ(receive(&f, f.b), 2);
        CHECK_EQ(f.in[0]->len, 3);
        CHECK_EQ(f.in[1]->len, 4);
        send_text(f.a, &to_b, "seventh"); /* while those are held */
        send_text(f.a, &to_b, "lost");
        CHECK_EQ(udp_socket_receive(f.b, f.pool, &f.in[2], 0), 1);
        f.received = 3;
        CHECK_EQ(f.in[2]->len, 7);
        drop_received(&f);
        CHECK_EQ(receive(&f, f.b), 1);
        CHECK_EQ(f.in[0]->len, 4);
    }
    fixture_done(&f);
}

static void too_long_datagrams_of_a_run_are_dropped_and_counted(void)
{
    struct sockaddr_storage to_b;
    struct fixture f;

    fixture_init(&f, POOL_PACKETS);
    need_runs(f.b);
    to_b = ipv4_loopback(udp_socket_port(f.b));
    send_run(f.a, &to_b, 0, 4, PACKET_CAPACITY + 1, 20);
    send_run(f.a, &to_b, 10, 4, 2000, 2000);
    send_run(f.a, &to_b, 20, 2, RUN_LEN, RUN_LEN);
    CHECK_EQ(receive(&f, f.b), 3);
    check_filled(&f, 0, 3, 20);
    check_filled(&f, 1, 20, RUN_LEN);
    check_filled(&f, 2, 21, RUN_LEN);
    CHECK_EQ(udp_socket_stats(f.b)->receive_cut, 3 + 4);
    fixture_done(&f);
}

static void runs_can_be_left_to_the_kernel(void)
{
    struct sockaddr_storage to_b;
    struct fixture f;

    fixture_init(&f, POOL_PACKETS);
    need_runs(f.b);
    to_b = ipv4_loopback(udp_socket_port(f.b));
    send_run(f.a, &to_b, 0, 2, RUN_LEN, RUN_LEN);
    CHECK_EQ(receive(&f, f.b), 2);
    CHECK_EQ(udp_socket_take_runs(f.b, false), 0);
    send_run(f.a, &to_b, 0, 8, RUN_LEN, 10);
    CHECK_EQ(receive(&f, f.b), 8);
    for (size_t i = 0; i < 8; i++)
        check_filled(&f, i, i, i == 7 ? 10 : RUN_LEN);
    CHECK_EQ(udp_socket_stats(f.b)->receive_runs, 1);
    fixture_done(&f);
}

static void too_long_datagram_is_dropped_and_counted(void)
{
    static uint8_t bytes[PACKET_CAPACITY + 1];
    struct sockaddr_storage to_b;
    struct datagram datagrams[2];
    struct fixture f;

    fixture_init(&f, POOL_PACKETS);
    to_b = ipv4_loopback(udp_socket_port(f.b));
    datagrams[0] = (struct datagram){.to = &to_b, .data = bytes, .len = sizeof(bytes)};
    datagrams[1] = (struct datagram){.to = &to_b, .data = bytes, .len = PACKET_CAPACITY};
    udp_socket_send(f.a, datagrams, 2);
    CHECK_EQ(receive(&f, f.b), 1);
    CHECK_EQ(f.in[0]->len, PACKET_CAPACITY);
    CHECK_EQ(udp_socket_stats(f.b)->receive_cut, 1);
    fixture_done(&f);
}

static void socket_drains_without_packets(void)
{
    struct sockaddr_storage to_b;
    struct packet *held;
    struct fixture f;

    fixture_init(&f, 1);
    to_b = ipv4_loopback(udp_socket_port(f.b));
    held = packet_new(f.pool);
    CHECK(held);
    send_text(f.a, &to_b, "one");
    send_text(f.a, &to_b, "two");
    CHECK_EQ(receive(&f, f.b), 0);
    CHECK_EQ(udp_socket_stats(f.b)->receive_no_packet, 2);
    packet_unref(held);
    send_text(f.a, &to_b, "three");
    CHECK_EQ(receive(&f, f.b), 1);
    CHECK_MEM(f.in[0]->data, "three", 5);
    fixture_done(&f);
}

static void what_cannot_be_sent_is_dropped_alone(void)
{
    static uint8_t bytes[70000];
    struct sockaddr_storage to_b;
    struct sockaddr_storage nowhere = {0};
    struct datagram datagrams[3];
    struct fixture f;

    fixture_init(&f, POOL_PACKETS);
    to_b = ipv4_loopback(udp_socket_port(f.b));
    nowhere.ss_family = AF_UNIX;
    datagrams[0] = (struct datagram){.to = &nowhere, .data = bytes, .len = 5};
    datagrams[1] = (struct datagram){.to = &to_b, .data = bytes, .len = sizeof(bytes)};
    datagrams[2] = (struct datagram){.to = &to_b, .data = (const uint8_t *)"fine", .len = 4};
    udp_socket_send(f.a, datagrams, 3);
    CHECK_EQ(udp_socket_stats(f.a)->send_dropped, 2);
    CHECK_EQ(udp_socket_stats(f.a)->send_datagrams, 1);
    CHECK_EQ(receive(&f, f.b), 1);
    CHECK_MEM(f.in[0]->data, "fine", 4);
    fixture_done(&f);
}

TAP_CASES(CASE(nothing_there_is_no_error), CASE(ipv4_addresses_are_plain_both_ways),
          CASE(ipv6_addresses_stay_ipv6), CASE(answers_leave_from_the_address_that_was_asked),
          CASE(a_run_the_kernel_refuses_leaves_from_there_too),
          CASE(a_socket_of_one_address_does_not_ask_for_it),
          CASE(neighbours_from_two_addresses_are_no_run), CASE(address_to_bind_is_literal),
          CASE(batch_is_read_with_one_call), CASE(equal_neighbours_arrive_as_they_were_sent),
          CASE(more_than_a_batch_is_sent_in_order), CASE(too_long_datagram_is_dropped_and_counted),
          CASE(a_run_arrives_as_its_datagrams), CASE(a_run_to_a_socket_of_one_address_names_it_not),
          CASE(runs_of_two_senders_stay_apart),
          CASE(what_one_call_brings_beyond_a_batch_is_handed_on_in_order),
          CASE(what_finds_no_packet_of_a_run_is_counted), CASE(few_packets_are_enough),
          CASE(too_long_datagrams_of_a_run_are_dropped_and_counted),
          CASE(runs_can_be_left_to_the_kernel), CASE(socket_drains_without_packets),
          CASE(what_cannot_be_sent_is_dropped_alone))
