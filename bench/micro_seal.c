/* What sealing costs per packet: by back end, profile, size and number of sessions. With an
 * argument, only the lines whose names contain it. */

#include "bench/measure.h"
#include "media/base/attributes.h"
#include "media/seal.h"
#include "media/srtp.h"

#include <errno.h>
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
    _Alignas(64) uint8_t out[BATCH][ROOM];
    struct seal_session *sessions[SESSIONS_MAX];
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

static void free_sessions(struct bench *b)
{
    for (size_t i = 0; i < SESSIONS_MAX; i++)
        b->sessions[i] = seal_session_free(b->sessions[i]);
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

/* One line, if its name is wanted. */
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

/* All lines of the back end in use. */
static bool run_all(struct bench *b, const char *wanted)
{
    bool done = true;

    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        for (size_t n = 0; n < ARRAY_LEN(uses) * ARRAY_LEN(packet_lens); n++)
            done = done && run(b, profiles[i], &uses[n % ARRAY_LEN(uses)],
                               packet_lens[n / ARRAY_LEN(uses)], wanted);
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
