/* What sealing costs per packet, and opening what was sealed: by back end, profile, size and number
 * of sessions. Then what a session keeps on the heap. With an argument, only the lines whose names
 * contain it. */

#include "bench/measure.h"
#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "media/seal.h"
#include "media/srtp.h"

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    SESSIONS_MAX = 1000,
    BATCH = 200,   /* packets in one call, about what fits in the server's send buffer */
    HEAD_LEN = 20, /* with a one-byte extension of 4 bytes */
    PACKET_MAX = 1150,
    ROOM = (PACKET_MAX + SRTP_TRAILER_MAX + 15) / 16 * 16,
    ROUNDS = 5,
    ROUND_CPU_US = 40000,
    RECEIVED = SESSIONS_MAX, /* packets of a window, received one after the other */
    WINDOWS = 200,
};

/* One way of use. */
struct use {
    const char *name;
    size_t sessions, batch;
};

static const struct use uses[] = {
    {"alone", 1, 1}, /* a packet of sound to one subscriber */
    {"1_session", 1, BATCH},
    {"1000_sessions", SESSIONS_MAX, BATCH}, /* each packet to another subscriber */
};

static const enum srtp_profile profiles[] = {
    SRTP_AEAD_AES_128_GCM,
    SRTP_AEAD_AES_256_GCM,
    SRTP_AES_CM_128_HMAC_SHA1_80,
};

static const uint16_t packet_lens[] = {120, PACKET_MAX}; /* in clear, header included */

struct bench {
    _Alignas(64) uint8_t out[RECEIVED][ROOM];
    struct seal_session *sessions[SESSIONS_MAX];
    struct srtp_session *receivers[SESSIONS_MAX];
    struct seal_packet packets[BATCH];
    size_t next; /* session */
    uint16_t seq[SESSIONS_MAX];
    uint8_t payload[PACKET_MAX];
    uint8_t heads[BATCH][HEAD_LEN];
};

static int make_sessions(struct bench *b, enum srtp_profile profile, size_t n)
{
    struct srtp_keys keys = {.profile = profile};

    srtp_profile_lengths(profile, &keys.key_len, &keys.salt_len);
    for (size_t i = 0; i < n; i++) {
        int err;

        memcpy(keys.local, &i, sizeof(i));
        err = seal_session_new(&b->sessions[i], &keys);
        if (err < 0)
            return err;
    }
    return 0;
}

/* The other ends of make_sessions(). */
static int make_receivers(struct bench *b, enum srtp_profile profile, size_t n)
{
    struct srtp_keys keys = {.profile = profile};

    srtp_profile_lengths(profile, &keys.key_len, &keys.salt_len);
    for (size_t i = 0; i < n; i++) {
        int err;

        memcpy(keys.remote, &i, sizeof(i));
        err = srtp_session_new(&b->receivers[i], &keys);
        if (err < 0)
            return err;
    }
    return 0;
}

static void free_sessions(struct bench *b)
{
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        b->sessions[i] = seal_session_free(b->sessions[i]);
        b->receivers[i] = srtp_session_free(b->receivers[i]);
    }
}

static void lay_out(struct bench *b, const struct use *use, uint16_t packet_len)
{
    static const uint8_t head[HEAD_LEN] = {0x90, 96, [12] = 0xbe, 0xde, 0, 1, 0x12, 1, 2, 3};

    for (size_t i = 0; i < use->batch; i++) {
        uint16_t seq = b->seq[b->next]++;

        memcpy(b->heads[i], head, HEAD_LEN);
        b->heads[i][2] = (uint8_t)(seq >> 8);
        b->heads[i][3] = (uint8_t)seq;
        b->packets[i] = (struct seal_packet){
            .session = b->sessions[b->next],
            .head = b->heads[i],
            .head_len = HEAD_LEN,
            .payload = b->payload,
            .payload_len = (uint16_t)(packet_len - HEAD_LEN),
            .out = b->out[i],
        };
        b->next = (b->next + 1) % use->sessions;
    }
}

/* Lay out and seal some packets. @return how many; 0: not sealed */
static size_t seal_some(struct bench *b, const struct use *use, uint16_t packet_len)
{
    size_t sealed = 0;

    while (sealed < SESSIONS_MAX) {
        lay_out(b, use, packet_len);
        if (seal_batch(b->packets, use->batch) != use->batch)
            return 0;
        sealed += use->batch;
    }
    return sealed;
}

/* @return CPU time per packet [ns]; the best round, for others may disturb; < 0: not sealed */
static double measure(struct bench *b, const struct use *use, uint16_t packet_len)
{
    double best_ns = 1e9;

    for (size_t round = 0; round < ROUNDS; round++) {
        struct cpu_time start = measure_cpu(RUSAGE_THREAD);
        size_t packets = 0;
        int64_t cpu_us;
        double ns;

        do {
            size_t n = seal_some(b, use, packet_len);

            if (n == 0)
                return -1;
            packets += n;
            cpu_us = measure_cpu_us_since(RUSAGE_THREAD, start);
        } while (cpu_us < ROUND_CPU_US);
        ns = 1000.0 * (double)cpu_us / (double)packets;
        best_ns = ns < best_ns ? ns : best_ns;
    }
    return best_ns;
}

/* Seal a window of packets, each to the next session. @return were all sealed? */
static bool seal_window(struct bench *b, const struct use *use, uint16_t packet_len)
{
    const struct use alone = {.sessions = use->sessions, .batch = 1};

    b->next = 0;
    for (size_t i = 0; i < RECEIVED; i++) {
        lay_out(b, &alone, packet_len);
        b->packets[0].out = b->out[i];
        if (seal_batch(b->packets, 1) != 1)
            return false;
    }
    return true;
}

/* @return time per packet [ns]; the best window, as in measure(): it is too short for the clock of
 * CPU time; < 0: not opened */
static double measure_receiving(struct bench *b, const struct use *use, uint16_t packet_len)
{
    int64_t best_us = INT64_MAX;

    for (size_t window = 0; window < WINDOWS; window++) {
        size_t opened = 0;
        int64_t start_us;
        int64_t us;

        if (!seal_window(b, use, packet_len))
            return -1;
        start_us = clock_now_us();
        for (size_t i = 0; i < RECEIVED; i++) {
            size_t len = b->packets[0].out_len;

            opened += srtp_session_unprotect_rtp(b->receivers[i % use->sessions], b->out[i],
                                                 &len) == 0;
        }
        us = clock_now_us() - start_us;
        best_us = us < best_us ? us : best_us;
        if (opened != RECEIVED)
            return -1;
    }
    return 1000.0 * (double)best_us / RECEIVED;
}

/* Sessions of the back end in use, and whoever is fastest to seal for them. */
static int make_both_ends(struct bench *b, enum srtp_profile profile, size_t n)
{
    enum seal_backend backend = seal_backend_in_use();
    int err;

    err = make_receivers(b, profile, n);
    if (err == 0)
        err = seal_set_backend(SEAL_AUTO);
    if (err == 0)
        err = make_sessions(b, profile, n);
    if (err == 0)
        err = seal_set_backend(backend);
    return err;
}

/* One line of receiving, if its name is wanted. */
static bool run_receiving(struct bench *b, enum srtp_profile profile, const struct use *use,
                          uint16_t packet_len, const char *wanted)
{
    char name[128];
    double ns = -1;

    (void)snprintf(name, sizeof(name), "unseal.%s.%s.%uB.%s",
                   seal_backend_name(seal_backend_in_use()), srtp_profile_name(profile), packet_len,
                   use->name);
    if (use->batch == 1 || !strstr(name, wanted))
        return true;
    if (make_both_ends(b, profile, use->sessions) == 0)
        ns = measure_receiving(b, use, packet_len);
    free_sessions(b);
    if (ns < 0)
        return false;
    measure_print(name, ns, "ns/packet");
    return true;
}

/* One line of sealing, if its name is wanted. */
static bool run(struct bench *b, enum srtp_profile profile, const struct use *use,
                uint16_t packet_len, const char *wanted)
{
    char name[128];
    double ns;

    (void)snprintf(name, sizeof(name), "seal.%s.%s.%uB.%s",
                   seal_backend_name(seal_backend_in_use()), srtp_profile_name(profile), packet_len,
                   use->name);
    if (!strstr(name, wanted))
        return true;
    if (make_sessions(b, profile, use->sessions) < 0)
        return false;
    b->next = 0;
    ns = measure(b, use, packet_len);
    free_sessions(b);
    if (ns < 0)
        return false;
    measure_print(name, ns, "ns/packet");
    return true;
}

/* @return bytes on the heap since `before`, per session */
static double heap_since(struct mallinfo2 before)
{
    struct mallinfo2 now = mallinfo2();

    return (double)(now.uordblks + now.hblkhd - before.uordblks - before.hblkhd) / SESSIONS_MAX;
}

static void print_heap(const char *what, enum srtp_profile profile, double bytes,
                       const char *wanted)
{
    char name[128];

    (void)snprintf(name, sizeof(name), "heap.%s.%s.%s", seal_backend_name(seal_backend_in_use()),
                   srtp_profile_name(profile), what);
    if (strstr(name, wanted))
        measure_print(name, bytes, "B/session");
}

/* Sessions of the back end in use: new ones, and after each had a packet. */
static bool measure_heap(struct bench *b, enum srtp_profile profile, const char *wanted)
{
    static const struct use each_once = {.sessions = SESSIONS_MAX, .batch = 1};
    struct mallinfo2 before;
    bool done = make_both_ends(b, profile, 1) == 0; /* and what the library keeps per thread */

    free_sessions(b);
    before = mallinfo2();
    done = done && make_receivers(b, profile, SESSIONS_MAX) == 0;
    print_heap("receiver_before_any_packet", profile, heap_since(before), wanted);
    before = mallinfo2();
    done = done && make_sessions(b, profile, SESSIONS_MAX) == 0;
    done = done && seal_window(b, &each_once, PACKET_MAX);
    print_heap("sender", profile, heap_since(before), wanted);
    before = mallinfo2();
    for (size_t i = 0; done && i < SESSIONS_MAX; i++) {
        size_t len = b->packets[0].out_len;

        done = srtp_session_unprotect_rtp(b->receivers[i], b->out[i], &len) == 0;
    }
    print_heap("receiver_growth_by_one_ssrc", profile, heap_since(before), wanted);
    free_sessions(b);
    return done;
}

/* All lines of the back end in use. */
static bool run_all(struct bench *b, const char *wanted)
{
    bool done = true;

    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        for (size_t n = 0; n < ARRAY_LEN(uses) * ARRAY_LEN(packet_lens); n++) {
            const struct use *use = &uses[n % ARRAY_LEN(uses)];
            uint16_t packet_len = packet_lens[n / ARRAY_LEN(uses)];

            done = done && run(b, profiles[i], use, packet_len, wanted);
            done = done && run_receiving(b, profiles[i], use, packet_len, wanted);
        }
        done = done && measure_heap(b, profiles[i], wanted);
    }
    return done;
}

int main(int argc, char **argv)
{
    struct bench *b = aligned_alloc(_Alignof(struct bench), sizeof(*b));
    bool done = b && srtp_global_init() == 0;

    if (b)
        *b = (struct bench){0};
    for (enum seal_backend backend = SEAL_SRTP; done && backend <= SEAL_IPSEC_MB; backend++) {
        if (seal_set_backend(backend) == -ENOTSUP) {
            printf("# no %s here\n", seal_backend_name(backend));
            continue;
        }
        done = run_all(b, argc > 1 ? argv[1] : "");
    }
    if (!done)
        (void)fputs("micro_seal: sealing failed\n", stderr);
    free(b);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
