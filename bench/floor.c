/*
 * The floor under a forwarding server: nothing but sealing packets and handing them to the kernel,
 * as fast as it goes, in one of the ways of floor_send.h. What a server adds to these numbers is
 * its own.
 *
 * There is one address per subscriber, all in 127.0.0.0/8 and all read by one sink process. CPU
 * time is that of the sending process; over loopback it includes the kernel's way up to the sink's
 * receive buffer. With --to nobody reads: to a dummy interface the rest is the way down alone.
 */

#include "bench/floor_send.h"
#include "bench/measure.h"
#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "media/base/log.h"
#include "media/seal.h"
#include "media/srtp.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <getopt.h>
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

enum {
    SUBSCRIBERS_MAX = 65536,
    PACKET_MIN = 12,
    PACKET_MAX = 1400,
    BURST_MAX = 64, /* UDP_MAX_SEGMENTS of Linux before 6.9 */
    CHUNK_KIB_MAX = 4096,
    BATCH_MAX = FLOOR_MESSAGES_MAX, /* packets sealed and sent at a time, if the chunk has room */
    RUN_BYTES_MAX = 65000,
    HEAD_LEN = 12,
    OUT_ALIGN = 16,
    DISCARD_PORT = 9, /* of those where nobody reads */
    BUFFER_BYTES = 4 * 1024 * 1024,
    SINK_BATCH = 256,
    SINK_BYTES = 64, /* of each datagram, that the sink looks at */
};

struct options {
    uint32_t subscribers, packet_len, burst, seconds, chunk_kib;
    bool gso;
    struct in_addr to; /* of the first subscriber; 0: loopback, with a sink */
    struct floor_send_options send;
    enum srtp_profile profile;
    enum seal_backend backend;
};

struct subscriber {
    struct seal_session *session;
    uint16_t seq;
};

struct floor {
    struct options options;
    struct subscriber *subscribers;
    struct sockaddr_in *targets; /* one per subscriber */
    uint64_t packets;
    size_t n_packets, batch_max; /* of the batch */
    size_t room;                 /* for one sealed packet in `out` */
    uint8_t *out;
    struct seal_packet sealing[BATCH_MAX];
    struct iovec parts[BATCH_MAX];
    uint8_t heads[BATCH_MAX][HEAD_LEN];
    uint8_t payload[PACKET_MAX];
    struct floor_sender sender;
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

static int make_subscribers(struct floor *f, uint16_t port)
{
    struct srtp_keys keys = {.profile = f->options.profile};
    uint32_t first = f->options.to.s_addr ? ntohl(f->options.to.s_addr) : INADDR_LOOPBACK;

    srtp_profile_lengths(keys.profile, &keys.key_len, &keys.salt_len);
    f->subscribers = calloc(f->options.subscribers, sizeof(*f->subscribers));
    f->targets = calloc(f->options.subscribers, sizeof(*f->targets));
    if (!f->subscribers || !f->targets)
        return -ENOMEM;
    for (uint32_t i = 0; i < f->options.subscribers; i++) {
        int err;

        memcpy(keys.local, &i, sizeof(i));
        err = seal_session_new(&f->subscribers[i].session, &keys);
        if (err < 0)
            return err;
        f->targets[i] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        f->targets[i].sin_addr.s_addr = htonl(first + i);
    }
    return 0;
}

/* The address of ours from which the first subscriber is reached. */
static int find_local(const struct floor *f, in_addr_t *ret)
{
    struct sockaddr_in local = {0};
    socklen_t len = sizeof(local);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int err = 0;

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&f->targets[0], len) < 0 ||
        getsockname(fd, (struct sockaddr *)&local, &len) < 0)
        err = -errno;
    *ret = local.sin_addr.s_addr;
    (void)close(fd);
    return err;
}

static int make_room(struct floor *f)
{
    size_t bytes = (size_t)f->options.chunk_kib * 1024;

    f->room = (f->options.packet_len + SRTP_TRAILER_MAX + OUT_ALIGN - 1UL) / OUT_ALIGN * OUT_ALIGN;
    f->batch_max = bytes / f->room < BATCH_MAX ? bytes / f->room : BATCH_MAX;
    if (f->batch_max < f->options.burst)
        f->batch_max = f->options.burst;
    f->out = aligned_alloc(64, (f->batch_max * f->room + 63) / 64 * 64);
    return f->out ? 0 : -ENOMEM;
}

/* Seal and send the batch: `burst` packets for each subscriber from number `first` on. */
static void send_batch(struct floor *f, size_t first)
{
    size_t run = f->options.gso ? f->options.burst : 1;
    size_t run_max = RUN_BYTES_MAX / (f->options.packet_len + SRTP_TRAILER_MAX);

    run = run < run_max ? run : run_max;
    (void)seal_batch(f->sealing, f->n_packets);
    for (size_t i = 0; i < f->n_packets; i++)
        f->parts[i] = (struct iovec){f->sealing[i].out, f->sealing[i].out_len};
    for (size_t at = 0; at < f->n_packets;) {
        size_t left = f->options.burst - at % f->options.burst; /* of this subscriber's */
        size_t n = run < left ? run : left;

        floor_sender_add(&f->sender, first + at / f->options.burst, &f->parts[at], n);
        at += n;
    }
    floor_sender_flush(&f->sender);
    f->packets += f->n_packets;
    f->n_packets = 0;
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
            .out = f->out + at * f->room,
        };
    }
}

/* One burst to every subscriber. */
static void run_turn(struct floor *f)
{
    size_t first = 0;

    assert(f->subscribers);
    for (size_t i = 0; i < f->options.subscribers; i++) {
        if (f->n_packets + f->options.burst > f->batch_max) {
            send_batch(f, first);
            first = i;
        }
        lay_out(f, &f->subscribers[i]);
    }
    send_batch(f, first);
}

static const char *const switches[] = {"off", "on"};
static const char *const ways[FLOOR_WAYS] = {
    "sendmmsg", "connected", "zerocopy", "uring", "uring-connected", "uring-zerocopy",
};

static void report(const struct floor *f, struct cpu_time start, int64_t wall_us,
                   const struct sink *sink)
{
    struct cpu_time now = measure_cpu(RUSAGE_SELF);
    const struct options *o = &f->options;
    double packets = (double)f->packets;
    double user_us = (double)(now.user_us - start.user_us);
    double system_us = (double)(now.system_us - start.system_us);
    uint64_t received = sink->received ? atomic_load(sink->received) : 0;

    printf("# %u subscribers, %u-byte packets in bursts of %u, gso %s, %s by %s\n", o->subscribers,
           o->packet_len, o->burst, switches[o->gso], srtp_profile_name(o->profile),
           seal_backend_name(seal_backend_in_use()));
    printf("# %s, mapped %s, pktinfo %s, fragment %s, %zu packets at a time\n", ways[o->send.way],
           switches[o->send.mapped], switches[o->send.pktinfo], switches[!o->send.dont_fragment],
           f->batch_max);
    measure_print("floor.cpu", (user_us + system_us) / packets, "us/packet");
    measure_print("floor.user", user_us / packets, "us/packet");
    measure_print("floor.system", system_us / packets, "us/packet");
    measure_print("floor.rate", packets / (double)wall_us * 1e6, "packets/s");
    measure_print("floor.calls", (double)f->sender.calls / packets, "calls/packet");
    measure_print("floor.failed", 100.0 * (double)f->sender.failed / packets, "%");
    if (sink->received)
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
        "      [--way sendmmsg|connected|zerocopy|uring|uring-connected|uring-zerocopy]\n"
        "      [--mapped on|off] [--pktinfo on|off] [--fragment on|off] [--chunk KIB] [--to ADDR]\n"
        "Seals and sends as fast as it goes; prints what a packet costs. Defaults:\n"
        "  100 subscribers, packets of 1150 bytes before sealing, bursts of 8 packets per\n"
        "  subscriber, gso on, 2 seconds, gcm128, auto, sendmmsg from an IPv6 socket to mapped\n"
        "  addresses with pktinfo (as the server does), fragment on, chunks of 256 KiB, over\n"
        "  loopback. --to sends to addresses from this one on, where nobody need read.\n",
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

/* @return true: `text` is "on" or "off", in *ret */
static bool parse_switch(const char *text, bool *ret)
{
    *ret = strcmp(text, switches[1]) == 0;
    return *ret || strcmp(text, switches[0]) == 0;
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
    case 'k':
        return parse_number(value, 1, CHUNK_KIB_MAX, &options->chunk_kib);
    case 'a':
        return inet_pton(AF_INET, value, &options->to) == 1;
    case 'g':
        return parse_switch(value, &options->gso);
    case 'm':
        return parse_switch(value, &options->send.mapped);
    case 'i':
        return parse_switch(value, &options->send.pktinfo);
    case 'f':
        if (!parse_switch(value, &options->send.dont_fragment))
            return false;
        options->send.dont_fragment = !options->send.dont_fragment;
        return true;
    case 'w':
        found = find_word(value, ways, ARRAY_LEN(ways));
        options->send.way = (enum floor_way)(found > 0 ? found : 0);
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
        {"way", required_argument, NULL, 'w'},
        {"mapped", required_argument, NULL, 'm'},
        {"pktinfo", required_argument, NULL, 'i'},
        {"fragment", required_argument, NULL, 'f'},
        {"chunk", required_argument, NULL, 'k'},
        {"to", required_argument, NULL, 'a'},
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
        err = make_room(f);
    if (err == 0 && !f->options.to.s_addr)
        err = start_sink(sink);
    if (err == 0)
        err = make_subscribers(f, sink->port ? sink->port : DISCARD_PORT);
    if (err == 0)
        err = find_local(f, &f->options.send.from);
    if (err != 0)
        return err;
    return floor_sender_init(&f->sender, &f->options.send, f->targets, f->options.subscribers);
}

static void stop(struct floor *f, struct sink *sink)
{
    floor_sender_done(&f->sender);
    stop_sink(sink);
    for (uint32_t i = 0; f->subscribers && i < f->options.subscribers; i++)
        seal_session_free(f->subscribers[i].session);
    free(f->subscribers);
    free(f->targets);
    free(f->out);
}

int main(int argc, char **argv)
{
    static struct floor f = {
        .sender.fd = -1,
        .options = {.subscribers = 100,
                    .packet_len = 1150,
                    .burst = 8,
                    .seconds = 2,
                    .chunk_kib = 256,
                    .gso = true,
                    .send = {.mapped = true, .pktinfo = true},
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
