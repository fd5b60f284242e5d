/*
 * What receiving costs over loopback: ns of CPU time per packet of 1,150 bytes, in runs that were
 * sent as one (UDP_SEGMENT) and one by one, with runs taken as they come (UDP_GRO) and without.
 *
 *     receive   udp_socket_receive() alone: the system call, and packets filled
 *     all       sending included; over loopback the kernel's receiving half is done by who sends
 *
 * With a name, only lines that contain it.
 */
#include "bench/measure.h"
#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "media/packet.h"
#include "media/udp_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    PACKET = 1150,
    WAITING = 256, /* packets sent before they are received; the socket's buffer has room */
    ROUNDS = 60,
    ROUND_REPEATS = 8,
    POOL_PACKETS = 1024,
};

struct bench {
    struct packet_pool *pool;
    struct udp_socket *from, *to;
    struct sockaddr_storage address, same; /* datagrams of two pointers are no run */
    struct datagram datagrams[WAITING];
    uint8_t payload[PACKET];
};

static struct sockaddr_storage loopback(uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_storage address = {0};

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(&address, &in, sizeof(in));
    return address;
}

static void lay_out(struct bench *b, size_t run)
{
    b->address = b->same = loopback(udp_socket_port(b->to));
    for (size_t i = 0; i < WAITING; i++)
        b->datagrams[i] = (struct datagram){
            .to = i / run % 2 ? &b->address : &b->same, .data = b->payload, .len = PACKET};
}

/* @return packets received */
static size_t receive_all(struct bench *b)
{
    size_t received = 0;
    int n = 1;

    while (n > 0) {
        struct packet *packets[UDP_BATCH];

        n = udp_socket_receive(b->to, b->pool, packets, 0);
        for (int i = 0; i < n; i++)
            packet_unref(packets[i]);
        received += n > 0 ? (size_t)n : 0;
    }
    return received;
}

struct cost {
    double receive_ns, all_ns;
};

/* @return false: packets were lost */
static bool measure(struct bench *b, struct cost *best)
{
    *best = (struct cost){1e9, 1e9};
    for (size_t round = 0; round < ROUNDS; round++) {
        int64_t receive_us = 0;
        int64_t begin_us = clock_now_us();
        double n = (double)ROUND_REPEATS * WAITING;
        double ns;

        for (size_t i = 0; i < ROUND_REPEATS; i++) {
            int64_t start_us;

            udp_socket_send(b->from, b->datagrams, WAITING);
            start_us = clock_now_us();
            if (receive_all(b) != WAITING)
                return false;
            receive_us += clock_now_us() - start_us;
        }
        ns = 1000 * (double)receive_us / n;
        best->receive_ns = ns < best->receive_ns ? ns : best->receive_ns;
        ns = 1000 * (double)(clock_now_us() - begin_us) / n;
        best->all_ns = ns < best->all_ns ? ns : best->all_ns;
    }
    return true;
}

static bool run_line(struct bench *b, size_t run, bool merged, const char *wanted)
{
    struct cost cost;
    char name[64];

    (void)snprintf(name, sizeof(name), "run_of_%zu.%s", run, merged ? "gro" : "plain");
    if (!strstr(name, wanted))
        return true;
    if (udp_socket_take_runs(b->to, merged) < 0) {
        printf("# %s: not with this kernel\n", name);
        return true;
    }
    lay_out(b, run);
    if (!measure(b, &cost))
        return false;
    (void)snprintf(name, sizeof(name), "run_of_%zu.%s.receive", run, merged ? "gro" : "plain");
    measure_print(name, cost.receive_ns, "ns/packet");
    (void)snprintf(name, sizeof(name), "run_of_%zu.%s.all", run, merged ? "gro" : "plain");
    measure_print(name, cost.all_ns, "ns/packet");
    return true;
}

int main(int argc, char **argv)
{
    static const size_t runs[] = {1, 2, 4, 8, 16};
    const char *wanted = argc > 1 ? argv[1] : "";
    struct bench b = {.pool = packet_pool_new(POOL_PACKETS)};
    bool done = b.pool && udp_socket_new(&b.from, NULL, 0) == 0 &&
                udp_socket_new(&b.to, NULL, 0) == 0;

    for (size_t i = 0; i < 2 * ARRAY_LEN(runs); i++)
        done = done && run_line(&b, runs[i / 2], i % 2, wanted);
    if (!done)
        (void)fputs("micro_receive: packets were lost, or there is no socket\n", stderr);
    udp_socket_free(b.from);
    udp_socket_free(b.to);
    packet_pool_free(b.pool);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
