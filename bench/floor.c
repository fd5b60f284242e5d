/*
 * The floor under a forwarding server: nothing but sealing packets and handing them to the kernel,
 * as fast as it goes. What a server adds to these numbers is its own.
 *
 * One unconnected UDP socket sends to one address per subscriber, all in 127.0.0.0/8 and all read
 * by one sink process. CPU time is that of the sending process; over loopback it includes the
 * kernel's way up to the sink's receive buffer.
 */

#include "bench/measure.h"
#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "media/base/log.h"
#include "media/seal.h"
#include "media/srtp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 /* linux/udp.h; Linux 4.18 */
#endif

enum {
    SUBSCRIBERS_MAX = 65536,
    PACKET_MIN = 12,
    PACKET_MAX = 1400,
    BURST_MAX = 64,  /* UDP_MAX_SEGMENTS of Linux before 6.9 */
    BATCH_MAX = 256, /* packets sealed and sent at a time: 300 KiB, in the second-level cache */
    RUN_BYTES_MAX = 65000,
    HEAD_LEN = 12,
    BUFFER_BYTES = 4 * 1024 * 1024,
    SINK_BATCH = 256,
    SINK_BYTES = 64, /* of each datagram, that the sink looks at */
};

struct options {
    uint32_t subscribers, packet_len, burst, seconds;
    bool gso;
    enum srtp_profile profile;
    enum seal_backend backend;
};

struct subscriber {
    struct seal_session *session;
    struct sockaddr_in to;
    uint16_t seq;
};

/* Room for the one control message that tells the size of a run's datagrams. */
struct run_control {
    _Alignas(struct cmsghdr) uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
};

struct floor {
    struct options options;
    struct subscriber *subscribers;
    int fd;
    uint64_t packets, calls, failed;
    size_t n_packets, n_messages; /* of the batch */
    struct seal_packet sealing[BATCH_MAX];
    struct iovec parts[BATCH_MAX];
    struct mmsghdr messages[BATCH_MAX];
    struct run_control control[BATCH_MAX];
    uint8_t heads[BATCH_MAX][HEAD_LEN];
    uint8_t payload[PACKET_MAX];
    _Alignas(64) uint8_t out[BATCH_MAX][(PACKET_MAX + SRTP_TRAILER_MAX + 15) / 16 * 16];
};

/* The sink */

struct sink {
    atomic_uint_least64_t *received; /* shared with the sink process */
    pid_t pid;                       /* 0: there is none */
    uint16_t port;
};

/* Read for ever; the process is killed. */
__attribute__((noreturn)) static void run_sink(atomic_uint_least64_t *received, int fd)
{
    static struct mmsghdr messages[SINK_BATCH];
    static struct iovec parts[SINK_BATCH];
    static uint8_t bytes[SINK_BYTES];

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; i < SINK_BATCH; i++) {
        parts[i] = (struct iovec){bytes, sizeof(bytes)};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    for (;;) {
        int n = recvmmsg(fd, messages, SINK_BATCH, MSG_WAITFORONE, NULL);

        if (n > 0)
            atomic_fetch_add_explicit(received, (uint64_t)n, memory_order_relaxed);
    }
}

/* Start one, reading on its port of every local address. @return 0; -errno */
static int start_sink(struct sink *sink)
{
    struct sockaddr_in local = {.sin_family = AF_INET};
    socklen_t len = sizeof(local);
    int size = BUFFER_BYTES;
    pid_t pid;
    int fd;

    sink->received = mmap(NULL, sizeof(*sink->received), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sink->received == MAP_FAILED || fd < 0 || bind(fd, (struct sockaddr *)&local, len) < 0 ||
        getsockname(fd, (struct sockaddr *)&local, &len) < 0)
        return -errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    sink->port = ntohs(local.sin_port);
    pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0)
        run_sink(sink->received, fd);
    sink->pid = pid;
    return close(fd) < 0 ? -errno : 0;
}

static void stop_sink(struct sink *sink)
{
    if (sink->pid <= 0)
        return;
    (void)kill(sink->pid, SIGKILL);
    (void)waitpid(sink->pid, NULL, 0);
    sink->pid = 0;
}

/* Sending */

static int open_socket(struct floor *f)
{
    int size = BUFFER_BYTES;

    f->fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (f->fd < 0)
        return -errno;
    (void)setsockopt(f->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    return 0;
}

static int make_subscribers(struct floor *f, uint16_t port)
{
    struct srtp_keys keys = {.profile = f->options.profile};

    srtp_profile_lengths(keys.profile, &keys.key_len, &keys.salt_len);
    f->subscribers = calloc(f->options.subscribers, sizeof(*f->subscribers));
    if (!f->subscribers)
        return -ENOMEM;
    for (uint32_t i = 0; i < f->options.subscribers; i++) {
        struct subscriber *s = &f->subscribers[i];
        int err;

        memcpy(keys.local, &i, sizeof(i));
        err = seal_session_new(&s->session, &keys);
        if (err < 0)
            return err;
        s->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        s->to.sin_addr.s_addr = htonl(INADDR_LOOPBACK + i);
    }
    return 0;
}

/* Packets [first, first + n) of the batch are one message. */
static void add_message(struct floor *f, struct subscriber *s, size_t first, size_t n)
{
    struct run_control *control = &f->control[f->n_messages];
    struct mmsghdr *message = &f->messages[f->n_messages++];
    uint16_t sealed_len = f->sealing[first].out_len;
    struct cmsghdr *size;

    for (size_t i = 0; i < n; i++)
        f->parts[first + i] = (struct iovec){f->sealing[first + i].out, sealed_len};
    message->msg_hdr = (struct msghdr){.msg_name = &s->to,
                                       .msg_namelen = sizeof(s->to),
                                       .msg_iov = &f->parts[first],
                                       .msg_iovlen = n};
    if (n == 1)
        return;
    message->msg_hdr.msg_control = control;
    message->msg_hdr.msg_controllen = sizeof(*control);
    size = CMSG_FIRSTHDR(&message->msg_hdr);
    size->cmsg_level = IPPROTO_UDP;
    size->cmsg_type = UDP_SEGMENT;
    size->cmsg_len = CMSG_LEN(sizeof(sealed_len));
    memcpy(CMSG_DATA(size), &sealed_len, sizeof(sealed_len));
}

static void send_messages(struct floor *f)
{
    size_t sent = 0;

    while (sent < f->n_messages) {
        int n = sendmmsg(f->fd, f->messages + sent, (unsigned)(f->n_messages - sent), 0);

        f->calls++;
        if (n <= 0) { /* leave one out, so that this ends */
            f->failed += f->messages[sent].msg_hdr.msg_iovlen;
            n = 1;
        }
        sent += (size_t)n;
    }
}

/* Seal and send the batch: `burst` packets for each subscriber from `first` on. */
static void send_batch(struct floor *f, struct subscriber *first)
{
    size_t run = f->options.gso ? f->options.burst : 1;
    size_t run_max = RUN_BYTES_MAX / (f->options.packet_len + SRTP_TRAILER_MAX);

    run = run < run_max ? run : run_max;
    (void)seal_batch(f->sealing, f->n_packets);
    for (size_t at = 0; at < f->n_packets;) {
        size_t left = f->options.burst - at % f->options.burst; /* of this subscriber's */
        size_t n = run < left ? run : left;

        add_message(f, first + at / f->options.burst, at, n);
        at += n;
    }
    send_messages(f);
    f->packets += f->n_packets;
    f->n_packets = f->n_messages = 0;
}

static void lay_out(struct floor *f, struct subscriber *s)
{
    for (uint32_t i = 0; i < f->options.burst; i++) {
        size_t at = f->n_packets++;
        uint16_t seq = s->seq++;
        uint8_t *head = f->heads[at];

        memcpy(head, (const uint8_t[HEAD_LEN]){0x80, 96}, HEAD_LEN);
        head[2] = (uint8_t)(seq >> 8);
        head[3] = (uint8_t)seq;
        f->sealing[at] = (struct seal_packet){
            .session = s->session,
            .head = head,
            .head_len = HEAD_LEN,
            .payload = f->payload,
            .payload_len = (uint16_t)(f->options.packet_len - HEAD_LEN),
            .out = f->out[at],
        };
    }
}

/* One burst to every subscriber. */
static void run_turn(struct floor *f)
{
    struct subscriber *first = f->subscribers;
    struct subscriber *end = f->subscribers + f->options.subscribers;

    for (struct subscriber *s = first; s < end; s++) {
        if (f->n_packets + f->options.burst > BATCH_MAX) {
            send_batch(f, first);
            first = s;
        }
        lay_out(f, s);
    }
    send_batch(f, first);
}

static void report(const struct floor *f, struct cpu_time start, int64_t wall_us,
                   const struct sink *sink)
{
    struct cpu_time now = measure_cpu(RUSAGE_SELF);
    double packets = (double)f->packets;
    double user_us = (double)(now.user_us - start.user_us);
    double system_us = (double)(now.system_us - start.system_us);
    uint64_t received = atomic_load_explicit(sink->received, memory_order_relaxed);

    printf("# %u subscribers, %u-byte packets in bursts of %u, gso %s, %s by %s\n",
           f->options.subscribers, f->options.packet_len, f->options.burst,
           f->options.gso ? "on" : "off", srtp_profile_name(f->options.profile),
           seal_backend_name(seal_backend_in_use()));
    measure_print("floor.cpu", (user_us + system_us) / packets, "us/packet");
    measure_print("floor.user", user_us / packets, "us/packet");
    measure_print("floor.system", system_us / packets, "us/packet");
    measure_print("floor.rate", packets / (double)wall_us * 1e6, "packets/s");
    measure_print("floor.calls", (double)f->calls / packets, "calls/packet");
    measure_print("floor.failed", 100.0 * (double)f->failed / packets, "%");
    measure_print("floor.received", 100.0 * (double)received / packets, "%");
}

static void run(struct floor *f, const struct sink *sink)
{
    int64_t start_us = clock_now_us();
    int64_t end_us = start_us + f->options.seconds * SECOND;
    struct cpu_time start = measure_cpu(RUSAGE_SELF);

    while (clock_now_us() < end_us)
        run_turn(f);
    report(f, start, clock_now_us() - start_us, sink);
}

/* Options */

static void usage(FILE *to)
{
    (void)fputs(
        "floor [--subscribers N] [--packet BYTES] [--burst N] [--gso on|off] [--seconds N]\n"
        "      [--profile gcm128|gcm256|cm] [--backend auto|libsrtp2|libipsec-mb]\n"
        "Seals and sends as fast as it goes; prints what a packet costs. Defaults:\n"
        "  100 subscribers, packets of 1150 bytes before sealing, bursts of 8 packets per\n"
        "  subscriber, gso on, 2 seconds, gcm128, auto\n",
        to);
}

/* @return true: `text` is a number from `low` to `high`, in *ret */
static bool parse_number(const char *text, uint32_t low, uint32_t high, uint32_t *ret)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (end == text || *end != '\0' || value < low || value > high)
        return false;
    *ret = (uint32_t)value;
    return true;
}

/* @return index of `text` among `words`, or -1 */
static int find_word(const char *text, const char *const *words, int n)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(text, words[i]) == 0)
            return i;
    }
    return -1;
}

static bool set_option(struct options *options, int option, const char *value)
{
    static const char *const switches[] = {"off", "on"};
    static const char *const profiles[] = {"gcm128", "gcm256", "cm"};
    static const char *const backends[] = {"auto", "libsrtp2", "libipsec-mb"};
    int found = 0;

    switch (option) {
    case 's':
        return parse_number(value, 1, SUBSCRIBERS_MAX, &options->subscribers);
    case 'p':
        return parse_number(value, PACKET_MIN, PACKET_MAX, &options->packet_len);
    case 'b':
        return parse_number(value, 1, BURST_MAX, &options->burst);
    case 't':
        return parse_number(value, 1, 3600, &options->seconds);
    case 'g':
        found = find_word(value, switches, ARRAY_LEN(switches));
        options->gso = found > 0;
        break;
    case 'c':
        found = find_word(value, profiles, ARRAY_LEN(profiles));
        options->profile = (enum srtp_profile)(SRTP_AEAD_AES_128_GCM + found);
        break;
    case 'l':
        found = find_word(value, backends, ARRAY_LEN(backends));
        options->backend = (enum seal_backend)(SEAL_AUTO + found);
        break;
    default:
        return false;
    }
    return found >= 0;
}

static bool parse_options(struct options *options, int argc, char **argv)
{
    static const struct option names[] = {
        {"subscribers", required_argument, NULL, 's'},
        {"packet", required_argument, NULL, 'p'},
        {"burst", required_argument, NULL, 'b'},
        {"gso", required_argument, NULL, 'g'},
        {"seconds", required_argument, NULL, 't'},
        {"profile", required_argument, NULL, 'c'},
        {"backend", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option;

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'h') {
            usage(stdout);
            exit(EXIT_SUCCESS); /* NOLINT(concurrency-mt-unsafe) */
        }
        if (!set_option(options, option, optarg))
            return false;
    }
    return optind == argc;
}

static int start(struct floor *f, struct sink *sink)
{
    int err = srtp_global_init();

    if (err == 0)
        err = seal_set_backend(f->options.backend);
    if (err == 0)
        err = open_socket(f);
    if (err == 0)
        err = start_sink(sink);
    if (err < 0)
        return err;
    return make_subscribers(f, sink->port);
}

static void stop(struct floor *f, struct sink *sink)
{
    stop_sink(sink);
    for (uint32_t i = 0; f->subscribers && i < f->options.subscribers; i++)
        seal_session_free(f->subscribers[i].session);
    free(f->subscribers);
    if (f->fd >= 0)
        (void)close(f->fd);
}

int main(int argc, char **argv)
{
    static struct floor f = {
        .fd = -1,
        .options = {.subscribers = 100,
                    .packet_len = 1150,
                    .burst = 8,
                    .seconds = 2,
                    .gso = true,
                    .profile = SRTP_AEAD_AES_128_GCM},
    };
    struct sink sink = {0};
    int err;

    if (!parse_options(&f.options, argc, argv)) {
        usage(stderr);
        return 2;
    }
    err = start(&f, &sink);
    if (err == 0)
        run(&f, &sink);
    else
        (void)fprintf(stderr, "floor: cannot start: %s\n", err_name(err));
    stop(&f, &sink);
    return err == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
