#include "media/seal.h"

#include "media/base/writer.h"
#include "media/seal_ipsec_mb.h"
#include "media/srtp.h"
#include "tests/tap.h"

#include <errno.h>
#include <pthread.h>

enum {
    LEN_MAX = 1400,
    LEAD_MAX = 15,
    HEAD_MAX = 12 + 15 * 4 + 4 + 8 * 4 + LEAD_MAX,
    ROOM = HEAD_MAX + LEN_MAX + SRTP_TRAILER_MAX,
    GUARD = 8, /* bytes behind the room, which must stay */
    BATCH_MAX = 3072,
    PATTERN = 0xa5,
};

static const enum srtp_profile profiles[] = {
    SRTP_AEAD_AES_128_GCM,
    SRTP_AEAD_AES_256_GCM,
    SRTP_AES_CM_128_HMAC_SHA1_80,
};

/* What a case says of a packet. */
struct draft {
    uint16_t seq;
    uint32_t ssrc;
    uint8_t csrcs;          /* number */
    uint16_t extension_len; /* 32-bit words after the extension's own; has one if `extension` */
    bool extension;
    uint16_t lead_len, payload_len;
};

/* A packet's bytes before and after. */
struct packet_bytes {
    uint8_t head[HEAD_MAX];
    uint8_t out[ROOM + GUARD];
};

/* Batches of the same packets, for two sessions or sets of sessions. */
struct fixture {
    struct seal_packet packets[BATCH_MAX];
    struct packet_bytes bytes[BATCH_MAX];
};

static struct fixture left, right;
static uint8_t payload[LEN_MAX + 1];

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % n;
}

static struct srtp_keys keys_of(enum srtp_profile profile, uint8_t seed)
{
    struct srtp_keys keys = {.profile = profile};

    srtp_profile_lengths(profile, &keys.key_len, &keys.salt_len);
    for (size_t i = 0; i < keys.key_len + keys.salt_len; i++) {
        keys.local[i] = (uint8_t)(seed + 7 * i);
        keys.remote[i] = keys.local[i]; /* a receiver of our own packets */
    }
    return keys;
}

static void start(void)
{
    static bool started;

    if (!started)
        CHECK_EQ(srtp_global_init(), 0);
    started = true;
    for (size_t i = 0; i < sizeof(payload); i++)
        payload[i] = (uint8_t)(i * 31 + 1);
    CHECK_EQ(seal_set_backend(SEAL_AUTO), 0);
    random_state = 1;
}

static struct seal_session *new_session(enum seal_backend backend, enum srtp_profile profile,
                                        uint8_t seed)
{
    struct srtp_keys keys = keys_of(profile, seed);
    struct seal_session *session;

    if (seal_set_backend(backend) == -ENOTSUP)
        SKIP("libipsec-mb is not in this build, or not for this processor");
    CHECK_EQ(seal_session_new(&session, &keys), 0);
    return session;
}

static struct srtp_session *new_receiver(enum srtp_profile profile, uint8_t seed)
{
    struct srtp_keys keys = keys_of(profile, seed);
    struct srtp_session *receiver;

    CHECK_EQ(srtp_session_new(&receiver, &keys), 0);
    return receiver;
}

/* Write packet `i` of a batch. */
static void put(struct fixture *f, size_t i, struct seal_session *session,
                const struct draft *draft)
{
    struct packet_bytes *bytes = &f->bytes[i];
    struct writer w = writer_of(bytes->head, sizeof(bytes->head));
    size_t head_len;

    writer_u8(&w, (uint8_t)(0x80 | (draft->extension ? 0x10 : 0) | draft->csrcs));
    writer_u8(&w, 96);
    writer_u16(&w, draft->seq);
    writer_u32(&w, 90 * draft->seq);
    writer_u32(&w, draft->ssrc);
    for (uint32_t n = 0; n < draft->csrcs; n++)
        writer_u32(&w, n);
    if (draft->extension) {
        writer_u16(&w, 0xbede);
        writer_u16(&w, draft->extension_len);
        for (uint32_t n = 0; n < draft->extension_len; n++)
            writer_u32(&w, 0x10101010 + n);
    }
    head_len = w.len;
    for (size_t n = 0; n < draft->lead_len; n++)
        writer_u8(&w, (uint8_t)(0x40 + n));
    CHECK(writer_ok(&w));
    memset(bytes->out, PATTERN, sizeof(bytes->out));
    f->packets[i] = (struct seal_packet){
        .session = session,
        .head = bytes->head,
        .head_len = (uint16_t)head_len,
        .lead_len = draft->lead_len,
        .payload = payload + 1, /* of all packets, and not aligned */
        .payload_len = draft->payload_len,
        .out = bytes->out,
    };
}

/* The packet was sealed, kept to its room, and has its header in clear. */
static void check_sealed(const struct fixture *f, size_t i)
{
    const struct seal_packet *p = &f->packets[i];
    size_t clear_len = (size_t)p->head_len + p->lead_len + p->payload_len;
    uint8_t untouched[GUARD];

    CHECK_EQ(p->out_len, clear_len + seal_overhead(p->session));
    CHECK_MEM(p->out, p->head, p->head_len);
    memset(untouched, PATTERN, sizeof(untouched));
    CHECK_MEM(p->out + clear_len + SRTP_TRAILER_MAX, untouched, sizeof(untouched));
}

static void check_same(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CHECK_EQ(left.packets[i].out_len, right.packets[i].out_len);
        CHECK_MEM(left.packets[i].out, right.packets[i].out, left.packets[i].out_len);
    }
}

/* libsrtp2 gets the clear packet back. */
static void check_opens(struct srtp_session *receiver, const struct seal_packet *p)
{
    uint8_t data[ROOM];
    size_t len = p->out_len;
    size_t head_len = (size_t)p->head_len + p->lead_len;

    memcpy(data, p->out, len);
    CHECK_EQ(srtp_session_unprotect_rtp(receiver, data, &len), 0);
    CHECK_EQ(len, head_len + p->payload_len);
    CHECK_MEM(data, p->head, head_len);
    CHECK_MEM(data + head_len, p->payload, p->payload_len);
}

/* Seal one packet alone. @return its sealed length */
static uint16_t seal_alone(struct fixture *f, struct seal_session *session, uint32_t ssrc,
                           uint16_t seq)
{
    const struct draft draft = {.seq = seq, .ssrc = ssrc, .payload_len = 20};

    size_t sealed;

    put(f, 0, session, &draft);
    sealed = seal_batch(f->packets, 1);
    CHECK_EQ(sealed, f->packets[0].out_len > 0);
    return f->packets[0].out_len;
}

/* Have the payload lie where it goes. */
static void put_in_place(struct seal_packet *packet)
{
    uint8_t *place = packet->out + packet->head_len + packet->lead_len;

    memcpy(place, packet->payload, packet->payload_len);
    packet->payload = place;
}

/* All of a profile's lengths, with every number of lead bytes, by both back ends; for each of them
 * a fourth of the payloads lies in its place. */
static void compare_lengths(enum srtp_profile profile)
{
    struct seal_session *ours = new_session(SEAL_IPSEC_MB, profile, 3);
    struct seal_session *theirs = new_session(SEAL_SRTP, profile, 3);
    struct srtp_session *receiver = new_receiver(profile, 3);
    const size_t n = LEAD_MAX + 1;

    for (unsigned len = 0; len <= LEN_MAX; len++) {
        for (unsigned i = 0; i < n; i++) {
            struct draft draft = {.seq = (uint16_t)(len * n + i),
                                  .ssrc = 0xdeadbeef,
                                  .csrcs = (uint8_t)(len % 3),
                                  .extension = len % 2,
                                  .extension_len = (uint16_t)(len % 5),
                                  .lead_len = (uint16_t)i,
                                  .payload_len = (uint16_t)len};

            put(&left, i, ours, &draft);
            put(&right, i, theirs, &draft);
            if (i % 2)
                put_in_place(i % 4 == 1 ? &left.packets[i] : &right.packets[i]);
        }
        CHECK_EQ(seal_batch(left.packets, n), n);
        CHECK_EQ(seal_batch(right.packets, n), n);
        check_same(n);
        for (size_t i = 0; i < n; i++) {
            check_sealed(&left, i);
            check_opens(receiver, i % 4 == 1 ? &right.packets[i] : &left.packets[i]);
        }
    }
    seal_session_free(ours);
    seal_session_free(theirs);
    srtp_session_free(receiver);
}

static void aes_128_gcm_is_the_same_from_both_at_all_lengths(void)
{
    start();
    compare_lengths(SRTP_AEAD_AES_128_GCM);
}

static void aes_256_gcm_is_the_same_from_both_at_all_lengths(void)
{
    start();
    compare_lengths(SRTP_AEAD_AES_256_GCM);
}

static void aes_cm_is_the_same_from_both_at_all_lengths(void)
{
    start();
    compare_lengths(SRTP_AES_CM_128_HMAC_SHA1_80);
}

/* Every profile, CSRC count and extension length of one back end opens again. */
static void check_headers(enum seal_backend backend)
{
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        struct seal_session *session = new_session(backend, profiles[i], 9);
        struct srtp_session *receiver = new_receiver(profiles[i], 9);

        for (uint16_t n = 0; n < 16 * 10; n++) {
            struct draft draft = {.seq = n,
                                  .csrcs = (uint8_t)(n % 16),
                                  .extension = n / 16 > 0,
                                  .extension_len = n / 16 > 0 ? (uint16_t)(n / 16 - 1) : 0,
                                  .lead_len = n % 3,
                                  .payload_len = n % 40};

            put(&left, 0, session, &draft);
            CHECK_EQ(seal_batch(left.packets, 1), 1);
            check_sealed(&left, 0);
            check_opens(receiver, &left.packets[0]);
        }
        seal_session_free(session);
        srtp_session_free(receiver);
    }
}

static void csrcs_and_extensions_stay_in_clear_by_libipsec_mb(void)
{
    start();
    check_headers(SEAL_IPSEC_MB);
}

static void csrcs_and_extensions_stay_in_clear_by_libsrtp2(void)
{
    start();
    check_headers(SEAL_SRTP);
}

/*
 * Packets across the wrap that ends `cycle`; every fifth is lost and sent again 32 packets later.
 */
static void check_wrap(enum seal_backend backend, enum srtp_profile profile, uint32_t cycle)
{
    enum { AROUND = 300, LATER = 32, SLOTS = 64, SSRC = 77 };
    struct seal_session *session = new_session(backend, profile, 5);
    struct srtp_session *receiver = new_receiver(profile, 5);
    const uint32_t first = (cycle + 1) * 65536 - AROUND;

    for (uint32_t index = 100; index < first; index += 20000) {
        CHECK(seal_alone(&right, session, SSRC, (uint16_t)index) > 0);
        check_opens(receiver, &right.packets[0]);
    }
    for (uint32_t n = 0; n < 2 * AROUND; n++) {
        struct draft draft = {.seq = (uint16_t)(first + n), .ssrc = SSRC, .payload_len = 30};
        const struct seal_packet *before = &left.packets[(n - LATER) % SLOTS];

        put(&left, n % SLOTS, session, &draft);
        CHECK_EQ(seal_batch(&left.packets[n % SLOTS], 1), 1);
        if (n % 5 > 0)
            check_opens(receiver, &left.packets[n % SLOTS]);
        if (n < LATER || (n - LATER) % 5 > 0)
            continue;
        draft.seq = (uint16_t)(first + n - LATER);
        put(&right, 0, session, &draft);
        CHECK_EQ(seal_batch(right.packets, 1), 1);
        CHECK_EQ(right.packets[0].out_len, before->out_len);
        CHECK_MEM(right.packets[0].out, before->out, before->out_len);
        check_opens(receiver, &right.packets[0]);
    }
    seal_session_free(session);
    srtp_session_free(receiver);
}

static void check_wraps(enum seal_backend backend)
{
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        check_wrap(backend, profiles[i], 0);
        check_wrap(backend, profiles[i], 2);
    }
}

static void resends_across_the_wrap_open_by_libipsec_mb(void)
{
    start();
    check_wraps(SEAL_IPSEC_MB);
}

static void resends_across_the_wrap_open_by_libsrtp2(void)
{
    start();
    check_wraps(SEAL_SRTP);
}

/* Numbers that leap and fall back: what is refused, and all else, is the same. */
static void both_back_ends_guess_the_same_of_disorder(void)
{
    enum { STEPS = 30000 };

    start();
    for (uint8_t ssrcs = 1; ssrcs <= 40; ssrcs += 39) {
        struct seal_session *ours = new_session(SEAL_IPSEC_MB, SRTP_AEAD_AES_128_GCM, 1);
        struct seal_session *theirs = new_session(SEAL_SRTP, SRTP_AEAD_AES_128_GCM, 1);
        uint16_t newest[40] = {0};
        size_t refused = 0;

        for (size_t i = 0; i < STEPS; i++) {
            uint32_t ssrc = random_below(ssrcs);
            uint32_t range = i % 100 == 0 ? 65536 : 2200;
            uint16_t seq = (uint16_t)(newest[ssrc] + random_below(range) - range / 2);

            refused += seal_alone(&left, ours, ssrc, seq) == 0;
            (void)seal_alone(&right, theirs, ssrc, seq);
            check_same(1);
            if (left.packets[0].out_len > 0 && (uint16_t)(seq - newest[ssrc]) < 32768)
                newest[ssrc] = seq;
        }
        CHECK(refused > STEPS / 100 && refused < STEPS / 2);
        seal_session_free(ours);
        seal_session_free(theirs);
    }
}

static void packet_1024_behind_the_newest_is_refused(void)
{
    start();
    for (enum seal_backend backend = SEAL_SRTP; backend <= SEAL_IPSEC_MB; backend++) {
        struct seal_session *session = new_session(backend, SRTP_AEAD_AES_128_GCM, 1);

        CHECK(seal_alone(&left, session, 1, 65000) > 0);
        CHECK(seal_alone(&left, session, 1, 1000) > 0);
        CHECK(seal_alone(&left, session, 1, (uint16_t)(1000 - 1023)) > 0);
        CHECK_EQ(seal_alone(&left, session, 1, (uint16_t)(1000 - 1024)), 0);
        CHECK(seal_alone(&left, session, 1, 1001) > 0);
        seal_session_free(session);
    }
}

static void ssrc_beyond_the_limit_is_refused(void)
{
    start();
    for (enum seal_backend backend = SEAL_SRTP; backend <= SEAL_IPSEC_MB; backend++) {
        struct seal_session *session = new_session(backend, SRTP_AEAD_AES_128_GCM, 1);

        for (uint32_t ssrc = 0; ssrc < SEAL_SSRCS_MAX; ssrc++)
            CHECK(seal_alone(&left, session, ssrc, 1) > 0);
        CHECK_EQ(seal_alone(&left, session, SEAL_SSRCS_MAX, 1), 0);
        CHECK(seal_alone(&left, session, 0, 2) > 0);
        seal_session_free(session);
    }
}

/* Three packets of each of 1000 sessions, profiles mixed, in one call. */
static void many_sessions_share_a_batch(void)
{
    enum { SESSIONS = 1000, EACH = 3, N = SESSIONS * EACH, ROUNDS = 3 };
    static struct seal_session *ours[SESSIONS], *theirs[SESSIONS];

    start();
    for (size_t i = 0; i < SESSIONS; i++) {
        ours[i] = new_session(SEAL_IPSEC_MB, profiles[i % 3], (uint8_t)i);
        theirs[i] = new_session(SEAL_SRTP, profiles[i % 3], (uint8_t)i);
    }
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < N; i++) {
            struct draft draft = {.seq = (uint16_t)(65534 + i / SESSIONS + round * EACH),
                                  .ssrc = (uint32_t)(i % 7),
                                  .lead_len = i % 11 == 0 ? 2 : 0,
                                  .payload_len = (uint16_t)random_below(LEN_MAX)};

            put(&left, i, ours[i % SESSIONS], &draft);
            put(&right, i, theirs[i % SESSIONS], &draft);
        }
        CHECK_EQ(seal_batch(left.packets, N), N);
        CHECK_EQ(seal_batch(right.packets, N), N);
        check_same(N);
    }
    for (size_t i = 0; i < SESSIONS; i++) {
        seal_session_free(ours[i]);
        seal_session_free(theirs[i]);
    }
}

/* A few packets are hashed in another way than many. */
static void compare_batches(enum srtp_profile profile)
{
    enum { N_MAX = 40 };
    struct seal_session *ours = new_session(SEAL_IPSEC_MB, profile, 2);
    struct seal_session *theirs = new_session(SEAL_SRTP, profile, 2);
    uint16_t seq = 0;

    for (size_t n = 1; n <= N_MAX; n++) {
        for (size_t at = 0; at < n; at++) {
            struct draft draft = {.seq = seq++, .payload_len = (uint16_t)random_below(LEN_MAX)};

            put(&left, at, ours, &draft);
            put(&right, at, theirs, &draft);
        }
        CHECK_EQ(seal_batch(left.packets, n), n);
        CHECK_EQ(seal_batch(right.packets, n), n);
        check_same(n);
    }
    seal_session_free(ours);
    seal_session_free(theirs);
}

static void batch_of_any_size_is_the_same_from_both(void)
{
    start();
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++)
        compare_batches(profiles[i]);
}

static void sessions_of_both_back_ends_share_a_batch(void)
{
    enum { N = 60 };
    struct seal_session *sessions[2];
    struct srtp_session *receiver;

    start();
    sessions[0] = new_session(SEAL_IPSEC_MB, SRTP_AES_CM_128_HMAC_SHA1_80, 6);
    sessions[1] = new_session(SEAL_SRTP, SRTP_AES_CM_128_HMAC_SHA1_80, 6);
    receiver = new_receiver(SRTP_AES_CM_128_HMAC_SHA1_80, 6);
    for (unsigned i = 0; i < N; i++) {
        struct draft draft = {.seq = (uint16_t)i, .payload_len = 100};

        put(&left, i, sessions[i / 4 % 2], &draft);
    }
    CHECK_EQ(seal_batch(left.packets, N), N);
    for (size_t i = 0; i < N; i++)
        check_opens(receiver, &left.packets[i]);
    seal_session_free(sessions[0]);
    seal_session_free(sessions[1]);
    srtp_session_free(receiver);
}

/* Of five packets the three in the middle are wrong. */
static void malformed_packets_are_left_out(void)
{
    const struct draft draft = {.extension = true, .extension_len = 1, .payload_len = 50};

    start();
    for (enum seal_backend backend = SEAL_SRTP; backend <= SEAL_IPSEC_MB; backend++) {
        for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
            struct seal_session *session = new_session(backend, profiles[i], 1);

            for (size_t n = 0; n < 5; n++)
                put(&left, n, session, &draft);
            left.packets[1].head_len -= 4;                 /* an extension that passes the header */
            left.bytes[2].head[0] = 0x50;                  /* version 1 */
            left.packets[3].payload_len = UINT16_MAX - 30; /* with a tag, longer than UDP */
            CHECK_EQ(seal_batch(left.packets, 5), 2);
            for (size_t n = 1; n < 4; n++)
                CHECK_EQ(left.packets[n].out_len, 0);
            check_sealed(&left, 0);
            check_sealed(&left, 4);
            CHECK_EQ(seal_batch(left.packets, 0), 0);
            seal_session_free(session);
        }
    }
}

static void wrong_key_lengths_are_refused(void)
{
    struct seal_session *session;

    start();
    for (enum seal_backend backend = SEAL_SRTP; backend <= SEAL_IPSEC_MB; backend++) {
        struct srtp_keys keys = keys_of(SRTP_AEAD_AES_128_GCM, 1);

        if (seal_set_backend(backend) == -ENOTSUP)
            SKIP("libipsec-mb is not in this build, or not for this processor");
        keys.salt_len = 14;
        CHECK_EQ(seal_session_new(&session, &keys), -EINVAL);
        keys = keys_of(SRTP_AEAD_AES_256_GCM, 1);
        keys.key_len = 16;
        CHECK_EQ(seal_session_new(&session, &keys), -EINVAL);
        keys.profile = SRTP_NONE;
        CHECK_EQ(seal_session_new(&session, &keys), -EINVAL);
    }
}

static void choice_is_the_fast_one_where_there_is_one(void)
{
    start();
    CHECK_EQ(seal_set_backend(SEAL_SRTP), 0);
    CHECK_EQ(seal_backend_in_use(), SEAL_SRTP);
    CHECK_STR(seal_backend_name(seal_backend_in_use()), "libsrtp2");
    if (seal_set_backend(SEAL_IPSEC_MB) == 0) {
        CHECK_EQ(seal_set_backend(SEAL_AUTO), 0);
        CHECK_EQ(seal_backend_in_use(), SEAL_IPSEC_MB);
        CHECK_STR(seal_backend_name(seal_backend_in_use()), "libipsec-mb");
    } else {
        CHECK_EQ(seal_backend_in_use(), SEAL_SRTP); /* as before */
        CHECK_EQ(seal_set_backend(SEAL_AUTO), 0);
        CHECK_EQ(seal_backend_in_use(), SEAL_SRTP);
    }
    CHECK_STR(seal_backend_name(SEAL_AUTO), "auto");
}

/* RFC 7714 section 16 */
static const uint8_t gcm_clear[] = "\x80\x40\xf1\x7b\x80\x41\xf8\xd3\x55\x01\xa0\xb2"
                                   "Gallia est omnis divisa in partes tres";
static const uint8_t gcm_128_sealed[] = {
    0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41, 0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2, 0xf2, 0x4d,
    0xe3, 0xa3, 0xfb, 0x34, 0xde, 0x6c, 0xac, 0xba, 0x86, 0x1c, 0x9d, 0x7e, 0x4b, 0xca,
    0xbe, 0x63, 0x3b, 0xd5, 0x0d, 0x29, 0x4e, 0x6f, 0x42, 0xa5, 0xf4, 0x7a, 0x51, 0xc7,
    0xd1, 0x9b, 0x36, 0xde, 0x3a, 0xdf, 0x88, 0x33, 0x89, 0x9d, 0x7f, 0x27, 0xbe, 0xb1,
    0x6a, 0x91, 0x52, 0xcf, 0x76, 0x5e, 0xe4, 0x39, 0x0c, 0xce,
};
static const uint8_t gcm_256_sealed[] = {
    0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41, 0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2, 0x32, 0xb1,
    0xde, 0x78, 0xa8, 0x22, 0xfe, 0x12, 0xef, 0x9f, 0x78, 0xfa, 0x33, 0x2e, 0x33, 0xaa,
    0xb1, 0x80, 0x12, 0x38, 0x9a, 0x58, 0xe2, 0xf3, 0xb5, 0x0b, 0x2a, 0x02, 0x76, 0xff,
    0xae, 0x0f, 0x1b, 0xa6, 0x37, 0x99, 0xb8, 0x7b, 0x7a, 0xa3, 0xdb, 0x36, 0xdf, 0xff,
    0xd6, 0xb0, 0xf9, 0xbb, 0x78, 0x78, 0xd7, 0xa7, 0x6c, 0x13,
};

/* @return sealed bytes of the packet, in left.bytes[0].out, under these session keys */
static uint16_t seal_vector(enum srtp_profile profile, const struct srtp_session_keys *keys,
                            const uint8_t *clear, uint16_t len)
{
    struct seal_session *session;

    if (seal_set_backend(SEAL_IPSEC_MB) == -ENOTSUP)
        SKIP("libipsec-mb is not in this build, or not for this processor");
    CHECK_EQ(seal_ipsec_mb_session_new(&session, profile, keys), 0);
    left.packets[0] = (struct seal_packet){
        .session = session,
        .head = clear,
        .head_len = 12,
        .payload = clear + 12,
        .payload_len = (uint16_t)(len - 12),
        .out = left.bytes[0].out,
    };
    CHECK_EQ(seal_batch(left.packets, 1), 1);
    seal_session_free(session);
    return left.packets[0].out_len;
}

static void gcm_is_as_in_rfc_7714(void)
{
    struct srtp_session_keys keys = {.salt = "Quid pro quo"};

    start();
    for (size_t i = 0; i < sizeof(keys.cipher_key); i++)
        keys.cipher_key[i] = (uint8_t)i;
    CHECK_EQ(seal_vector(SRTP_AEAD_AES_128_GCM, &keys, gcm_clear, sizeof(gcm_clear) - 1),
             sizeof(gcm_128_sealed));
    CHECK_MEM(left.bytes[0].out, gcm_128_sealed, sizeof(gcm_128_sealed));
    CHECK_EQ(seal_vector(SRTP_AEAD_AES_256_GCM, &keys, gcm_clear, sizeof(gcm_clear) - 1),
             sizeof(gcm_256_sealed));
    CHECK_MEM(left.bytes[0].out, gcm_256_sealed, sizeof(gcm_256_sealed));
}

/* Appendix B.2: SSRC 0 and index 0; zeros show the key stream. */
static void aes_cm_key_stream_is_as_in_rfc_3711(void)
{
    static const uint8_t clear[12 + 48] = {0x80};
    static const struct srtp_session_keys keys = {
        .cipher_key = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09,
                       0xcf, 0x4f, 0x3c},
        .salt = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc,
                 0xfd},
    };
    static const uint8_t stream[48] = {
        0xe0, 0x3e, 0xad, 0x09, 0x35, 0xc9, 0x5e, 0x80, 0xe1, 0x66, 0xb1, 0x6d,
        0xd9, 0x2b, 0x4e, 0xb4, 0xd2, 0x35, 0x13, 0x16, 0x2b, 0x02, 0xd0, 0xf7,
        0x2a, 0x43, 0xa2, 0xfe, 0x4a, 0x5f, 0x97, 0xab, 0x41, 0xe9, 0x5b, 0x3b,
        0xb0, 0xa2, 0xe8, 0xdd, 0x47, 0x79, 0x01, 0xe4, 0xfc, 0xa8, 0x94, 0xc0,
    };

    start();
    CHECK_EQ(seal_vector(SRTP_AES_CM_128_HMAC_SHA1_80, &keys, clear, sizeof(clear)), 12 + 48 + 10);
    CHECK_MEM(left.bytes[0].out + 12, stream, sizeof(stream));
}

/* What one thread of the next case does: its own sessions, made and used there. */
static void *seal_in_a_thread(void *data)
{
    const enum srtp_profile *profile = data;
    struct srtp_keys keys = keys_of(*profile, 8);
    uint8_t head[12] = {0x80};
    uint8_t out[12 + 500 + SRTP_TRAILER_MAX];
    struct seal_session *session;
    size_t *sealed = calloc(1, sizeof(*sealed));

    if (!sealed || seal_session_new(&session, &keys) < 0)
        return sealed;
    for (uint16_t seq = 0; seq < 200; seq++) {
        struct seal_packet packet = {.session = session,
                                     .head = head,
                                     .head_len = sizeof(head),
                                     .payload = payload,
                                     .payload_len = 500,
                                     .out = out};

        head[3] = (uint8_t)seq;
        *sealed += seal_batch(&packet, 1);
    }
    seal_session_free(session);
    return sealed;
}

static void threads_seal_side_by_side(void)
{
    enum { THREADS = 3 };
    pthread_t threads[THREADS];
    enum srtp_profile of_thread[THREADS];

    start();
    for (size_t i = 0; i < THREADS; i++) {
        of_thread[i] = profiles[i];
        CHECK_EQ(pthread_create(&threads[i], NULL, seal_in_a_thread, &of_thread[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *sealed = NULL;
        size_t n;

        CHECK_EQ(pthread_join(threads[i], &sealed), 0);
        CHECK(sealed);
        n = *(size_t *)sealed;
        free(sealed);
        CHECK_EQ(n, 200);
    }
}

TAP_CASES(CASE(aes_128_gcm_is_the_same_from_both_at_all_lengths),
          CASE(aes_256_gcm_is_the_same_from_both_at_all_lengths),
          CASE(aes_cm_is_the_same_from_both_at_all_lengths),
          CASE(csrcs_and_extensions_stay_in_clear_by_libipsec_mb),
          CASE(csrcs_and_extensions_stay_in_clear_by_libsrtp2),
          CASE(resends_across_the_wrap_open_by_libipsec_mb),
          CASE(resends_across_the_wrap_open_by_libsrtp2),
          CASE(both_back_ends_guess_the_same_of_disorder),
          CASE(packet_1024_behind_the_newest_is_refused), CASE(ssrc_beyond_the_limit_is_refused),
          CASE(many_sessions_share_a_batch), CASE(batch_of_any_size_is_the_same_from_both),
          CASE(sessions_of_both_back_ends_share_a_batch), CASE(malformed_packets_are_left_out),
          CASE(wrong_key_lengths_are_refused), CASE(choice_is_the_fast_one_where_there_is_one),
          CASE(gcm_is_as_in_rfc_7714), CASE(aes_cm_key_stream_is_as_in_rfc_3711),
          CASE(threads_seal_side_by_side))
