/*
 * What somebody who means harm would send to a server, from one program: connections that say
 * nothing, joins that cannot succeed, and STUN from many ports. It says how much it sent and what
 * came back, as one JSON object. Only for servers of your own.
 */

#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "media/base/log.h"
#include "media/base/random.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WEBSOCKETS = 64, /* that joins are spread over */
    MAX_SOCKETS = 200000,
    MAX_FRAME = 1024,
    STUN_LEN = 20 + 24 + 24, /* head, a user name of 18 bytes, 20 bytes that claim integrity */
    HELLO_LEN = 200,
    EXIT_USAGE = 2,
};

enum mode { MODE_IDLE, MODE_JOINS, MODE_STUN, MODE_HELLO };

struct options {
    enum mode mode;
    struct sockaddr_in to;
    uint32_t count, rate, seconds;
    const char *token;
};

struct result {
    uint64_t opened, failed, closed; /* connections */
    uint64_t sent, received;         /* messages or datagrams */
    uint64_t sent_bytes, received_bytes;
};

static int *sockets; /* -1: none */

static int open_socket(const struct options *o, int type)
{
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&o->to, sizeof(o->to)) < 0 && errno != EINPROGRESS) {
        int err = -errno;

        (void)close(fd);
        return err;
    }
    return fd;
}

/* How many are due by now, less those done. */
static uint64_t due(const struct options *o, int64_t start_us, uint64_t done)
{
    uint64_t all = (uint64_t)(clock_now_us() - start_us) * o->rate / SECOND;

    return all > done ? all - done : 0;
}

/* ------------------------------------------------------------------ connections that say nothing
 */

/* @return true: it is closed, and forgotten */
static bool look(int *fd, struct result *r)
{
    char answer[512];
    ssize_t n = recv(*fd, answer, sizeof(answer), MSG_DONTWAIT);

    if (n > 0)
        r->received_bytes += (uint64_t)n;
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == ENOTCONN || errno == EINTR)))
        return false;
    (void)close(*fd);
    *fd = -1;
    r->closed++;
    return true;
}

/* Who is shut out tries again at the rate. */
static void run_idle(const struct options *o, struct result *r)
{
    int64_t start_us = clock_now_us();
    uint64_t turns = 0;
    uint32_t at = 0;

    while (clock_now_us() - start_us < (int64_t)o->seconds * SECOND) {
        for (uint64_t n = due(o, start_us, turns); n > 0; n--, turns++) {
            at = (at + 1) % o->count;
            if (sockets[at] >= 0 && !look(&sockets[at], r))
                continue;
            sockets[at] = open_socket(o, SOCK_STREAM);
            if (sockets[at] < 0)
                r->failed++;
            else
                r->opened++;
        }
        (void)poll(NULL, 0, 1);
    }
    for (uint32_t i = 0; i < o->count; i++) {
        if (sockets[i] >= 0)
            (void)look(&sockets[i], r);
    }
}

/* ------------------------------------------------------------------ joins */

static const char upgrade[] = "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/* One masked text frame (RFC 6455 section 5.2); the mask is 0. @return its length */
static size_t write_join(uint8_t frame[MAX_FRAME], const char *token)
{
    char json[MAX_FRAME - 8];
    int len = snprintf(json, sizeof(json),
                       "{\"t\":\"join\",\"id\":1,\"room\":\"flood\",\"token\":\"%s\","
                       "\"offer\":\"v=0\\r\\no=- 1 1 IN IP4 0.0.0.0\\r\\ns=-\\r\\nt=0 0\\r\\n\"}",
                       token);

    if (len < 126 || len >= (int)sizeof(json))
        return 0;
    memset(frame, 0, 8);
    frame[0] = 0x81;
    frame[1] = 0x80 | 126;
    frame[2] = (uint8_t)(len >> 8);
    frame[3] = (uint8_t)len;
    memcpy(frame + 8, json, (size_t)len);
    return 8 + (size_t)len;
}

static void count_answers(int *fd, struct result *r)
{
    char answer[16384];
    ssize_t n;

    while ((n = recv(*fd, answer, sizeof(answer), MSG_DONTWAIT)) > 0) {
        r->received_bytes += (uint64_t)n;
        for (ssize_t i = 0; i + 1 < n; i++)
            r->received += answer[i] == (char)0x81; /* never inside the text, which is ASCII */
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN))
        return;
    (void)close(*fd);
    *fd = -1;
    r->closed++;
}

static void send_join(const struct options *o, int *fd, const uint8_t *frame, size_t len,
                      struct result *r)
{
    ssize_t n;

    if (*fd < 0) {
        *fd = open_socket(o, SOCK_STREAM);
        if (*fd < 0) {
            r->failed++;
            return;
        }
        r->opened++;
        (void)poll(&(struct pollfd){.fd = *fd, .events = POLLOUT}, 1, 100);
        (void)!send(*fd, upgrade, sizeof(upgrade) - 1, MSG_NOSIGNAL);
    }
    n = send(*fd, frame, len, MSG_NOSIGNAL);
    if (n > 0)
        r->sent_bytes += (uint64_t)n;
    count_answers(fd, r);
}

static void run_joins(const struct options *o, struct result *r)
{
    uint8_t frame[MAX_FRAME];
    size_t len = write_join(frame, o->token);
    int64_t start_us = clock_now_us();

    while (clock_now_us() - start_us < (int64_t)o->seconds * SECOND) {
        for (uint64_t n = due(o, start_us, r->sent); n > 0; n--)
            send_join(o, &sockets[r->sent++ % WEBSOCKETS], frame, len, r);
        (void)poll(NULL, 0, 1);
    }
    (void)poll(NULL, 0, 500);
    for (uint32_t i = 0; i < WEBSOCKETS; i++) {
        if (sockets[i] >= 0)
            count_answers(&sockets[i], r);
    }
}

/* ------------------------------------------------------------------ datagrams */

/* A binding request of a stranger: well-formed, and for nobody. */
static size_t write_stun(uint8_t out[STUN_LEN])
{
    static const uint8_t head[] = {0, 1, 0, STUN_LEN - 20, 0x21, 0x12, 0xA4, 0x42};

    memset(out, 0, STUN_LEN);
    memcpy(out, head, sizeof(head));
    random_bytes(out + 8, 12);
    out[21] = 0x06; /* USERNAME */
    out[23] = 18;
    random_name((char *)out + 24, 17);
    out[32] = ':';
    out[45] = 0x08; /* MESSAGE-INTEGRITY */
    out[47] = 20;
    random_bytes(out + 48, 20);
    return STUN_LEN;
}

/* The head of a ClientHello's record, and what might be one. */
static size_t write_hello(uint8_t out[HELLO_LEN])
{
    static const uint8_t head[] = {22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, HELLO_LEN - 13, 1};

    random_bytes(out, HELLO_LEN);
    memcpy(out, head, sizeof(head));
    return HELLO_LEN;
}

static void run_datagrams(const struct options *o, struct result *r)
{
    uint8_t out[HELLO_LEN], in[2048];
    int64_t start_us = clock_now_us();
    ssize_t n;

    for (uint32_t i = 0; i < o->count; i++) {
        sockets[i] = open_socket(o, SOCK_DGRAM);
        r->opened += sockets[i] >= 0;
        r->failed += sockets[i] < 0;
    }
    while (clock_now_us() - start_us < (int64_t)o->seconds * SECOND) {
        for (uint64_t left = due(o, start_us, r->sent); left > 0; left--) {
            size_t len = o->mode == MODE_STUN ? write_stun(out) : write_hello(out);
            int fd = sockets[r->sent++ % o->count];

            if (fd < 0 || send(fd, out, len, 0) < 0)
                continue;
            r->sent_bytes += len;
        }
        (void)poll(NULL, 0, 1);
    }
    (void)poll(NULL, 0, 500);
    for (uint32_t i = 0; i < o->count; i++) {
        while (sockets[i] >= 0 && (n = recv(sockets[i], in, sizeof(in), MSG_DONTWAIT)) > 0) {
            r->received++;
            r->received_bytes += (uint64_t)n;
        }
    }
}

/* ------------------------------------------------------------------ the command line */

static int usage(FILE *out, int status)
{
    (void)fprintf(
        out, "usage: flood idle|joins|stun|hello ADDRESS PORT [options]\n"
             "\n"
             "  idle    open connections and say nothing; those that are closed are opened again\n"
             "  joins   join over 64 WebSockets with a token that is no good, or a bad offer\n"
             "  stun    binding requests of strangers, from many ports\n"
             "  hello   the first datagram of DTLS, likewise\n"
             "\n"
             "  --count N     connections at a time, or ports; default 1000\n"
             "  --rate N      connections, joins or datagrams per second; default 1000\n"
             "  --seconds N   default 10\n"
             "  --token TEXT  of the joins\n");
    return status;
}

static bool read_number(uint32_t *ret, uint32_t max)
{
    char *end;
    unsigned long n = strtoul(optarg, &end, 10);

    if (*optarg < '0' || *optarg > '9' || *end || n < 1 || n > max)
        return false;
    *ret = (uint32_t)n;
    return true;
}

static bool read_options(struct options *o, int argc, char **argv)
{
    static const struct option options[] = {
        {"count", required_argument, NULL, 'c'},
        {"rate", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 's'},
        {"token", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    int c;

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
    while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        bool good = c == 't' || (c == 'c' && read_number(&o->count, MAX_SOCKETS)) ||
                    (c == 'r' && read_number(&o->rate, 10000000)) ||
                    (c == 's' && read_number(&o->seconds, 3600));

        if (!good)
            return false;
        if (c == 't')
            o->token = optarg;
    }
    return argc - optind == 3;
}

static bool read_target(struct options *o, char **argv)
{
    static const char *const names[] = {"idle", "joins", "stun", "hello"};
    long port = strtol(argv[2], NULL, 10);

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(argv[0], names[i]) != 0)
            continue;
        o->mode = (enum mode)i;
        o->to.sin_family = AF_INET;
        o->to.sin_port = htons((uint16_t)port);
        return port > 0 && port < 65536 && inet_pton(AF_INET, argv[1], &o->to.sin_addr) == 1;
    }
    return false;
}

static void raise_descriptors(uint32_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (wanted + 16 <= limit.rlim_max)
        return;
    (void)fprintf(stderr, "flood: %" PRIu32 " sockets are more than ulimit -n allows: %ju\n",
                  wanted, (uintmax_t)limit.rlim_max);
}

int main(int argc, char **argv)
{
    struct options o = {.count = 1000, .rate = 1000, .seconds = 10, .token = "x.y.z"};
    struct result r = {0};

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, EXIT_SUCCESS);
    if (!read_options(&o, argc, argv) || !read_target(&o, argv + optind))
        return usage(stderr, EXIT_USAGE);
    if (o.mode == MODE_JOINS)
        o.count = WEBSOCKETS;
    raise_descriptors(o.count);
    sockets = malloc(o.count * sizeof(sockets[0]));
    if (!sockets)
        return EXIT_FAILURE;
    memset(sockets, 0xFF, o.count * sizeof(sockets[0]));
    if (o.mode == MODE_IDLE)
        run_idle(&o, &r);
    else if (o.mode == MODE_JOINS)
        run_joins(&o, &r);
    else
        run_datagrams(&o, &r);
    (void)printf("{\"opened\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"closed\":%" PRIu64
                 ",\"sent\":%" PRIu64 ",\"received\":%" PRIu64 ",\"sent_bytes\":%" PRIu64
                 ",\"received_bytes\":%" PRIu64 "}\n",
                 r.opened, r.failed, r.closed, r.sent, r.received, r.sent_bytes, r.received_bytes);
    free(sockets);
    return EXIT_SUCCESS;
}
