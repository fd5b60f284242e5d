/* libipsec-mb beside libsrtp2: whatever the network brings, both say the same. */

#include "media/srtp_ipsec_mb.h"

#include "media/base/writer.h"
#include "media/seal.h"
#include "tests/srtp_reference.h"
#include "tests/tap.h"

#include <errno.h>

enum {
    RTP_HEADER_LEN = 12,
    HEADER_MAX = RTP_HEADER_LEN + 15 * 4 + 4 + 8 * 4,
    BODY_MAX = 1400,
    ROOM = HEADER_MAX + BODY_MAX + SRTCP_TRAILER_MAX,
    RTCP_MIN = 8,
    WINDOW = 1024,
    RTCP_WINDOW = 128,
    SSRC = 0x1cedcafe,
};

static const enum srtp_profile profiles[] = {
    SRTP_AEAD_AES_128_GCM,
    SRTP_AEAD_AES_256_GCM,
    SRTP_AES_CM_128_HMAC_SHA1_80,
};

enum kind { RTP, RTCP };

/* One peer, received by both back ends, and what it seals with. */
struct pair {
    struct srtp_session *ours, *theirs;
    struct srtp_keys keys;
    struct srtp_reference rtp, rtcp;
};

static uint32_t random_state;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(random_state >> 4) * n >> 28);
}

static bool one_in(uint32_t n)
{
    return random_below(n) == 0;
}

static struct srtp_session *new_session(enum seal_backend backend, const struct srtp_keys *keys)
{
    struct srtp_session *session;

    if (seal_set_backend(backend) == -ENOTSUP)
        SKIP("libipsec-mb is not in this build, or not for this processor");
    CHECK_EQ(srtp_session_new(&session, keys), 0);
    CHECK_EQ(seal_set_backend(SEAL_AUTO), 0);
    return session;
}

static struct srtp_keys make_keys(enum srtp_profile profile)
{
    struct srtp_keys keys = {.profile = profile};

    srtp_profile_lengths(profile, &keys.key_len, &keys.salt_len);
    for (size_t i = 0; i < SRTP_MASTER_MAX; i++) {
        keys.local[i] = (uint8_t)(i * 7 + 1);
        keys.remote[i] = (uint8_t)(i * 5 + 2);
    }
    return keys;
}

static void pair_init(struct pair *p, enum srtp_profile profile)
{
    p->keys = make_keys(profile);
    p->ours = new_session(SEAL_IPSEC_MB, &p->keys);
    p->theirs = new_session(SEAL_SRTP, &p->keys);
    srtp_reference_derive_rtp(&p->rtp, profile, p->keys.remote);
    srtp_reference_derive_rtcp(&p->rtcp, profile, p->keys.remote);
    random_state = 1;
}

static void pair_done(struct pair *p)
{
    srtp_session_free(p->ours);
    srtp_session_free(p->theirs);
}

static int unprotect(struct srtp_session *session, enum kind kind, uint8_t *data, size_t *len)
{
    return kind == RTP ? srtp_session_unprotect_rtp(session, data, len)
                       : srtp_session_unprotect_rtcp(session, data, len);
}

/* Both get the bytes, in blocks of exactly this size. @return what both said */
static int receive(struct pair *p, enum kind kind, const uint8_t *data, size_t len)
{
    uint8_t *left = malloc(len + 1);
    uint8_t *right = malloc(len + 1);
    size_t left_len = len;
    size_t right_len = len;
    int err;

    CHECK(left && right);
    memcpy(left + 1, data, len); /* not aligned, as behind a TURN header */
    memcpy(right, data, len);
    err = unprotect(p->ours, kind, left + 1, &left_len);
    CHECK_EQ(err, unprotect(p->theirs, kind, right, &right_len));
    if (err == 0) {
        CHECK_EQ(left_len, right_len);
        CHECK_MEM(left + 1, right, left_len);
    }
    free(left);
    free(right);
    return err;
}

/* What a case says of an RTP packet. */
struct draft {
    uint32_t ssrc;
    uint64_t index; /* roll-over counter << 16 | sequence number */
    uint8_t csrcs;
    bool extension;
    uint16_t words; /* of the extension */
    size_t body_len;
    uint8_t version; /* 0: 2 */
};

/* Write the clear packet. @return length of its header */
static size_t write_rtp(const struct draft *draft, uint8_t *out)
{
    struct writer w = writer_of(out, ROOM);
    uint8_t version = draft->version ? draft->version : 2;
    size_t header_len;

    writer_u8(&w, (uint8_t)(version << 6 | (draft->extension ? 0x10 : 0) | draft->csrcs));
    writer_u8(&w, 96);
    writer_u16(&w, (uint16_t)draft->index);
    writer_u32(&w, (uint32_t)draft->index * 3000);
    writer_u32(&w, draft->ssrc);
    for (uint32_t i = 0; i < draft->csrcs; i++)
        writer_u32(&w, i);
    if (draft->extension) {
        writer_u16(&w, 0xbede);
        writer_u16(&w, draft->words);
        for (uint32_t i = 0; i < draft->words; i++)
            writer_u32(&w, 0x10101010 + i);
    }
    header_len = w.len;
    for (size_t i = 0; i < draft->body_len; i++)
        writer_u8(&w, (uint8_t)(draft->index + i * 31));
    CHECK(writer_ok(&w));
    return header_len;
}

/* @return bytes of the packet, sealed as the peer would */
static size_t seal_rtp(const struct pair *p, const struct draft *draft, uint8_t *out)
{
    uint8_t clear[ROOM];
    size_t header_len = write_rtp(draft, clear);

    return srtp_reference_seal_rtp(&p->rtp, (uint32_t)(draft->index >> 16), clear, header_len,
                                   header_len + draft->body_len, out);
}

static int receive_index(struct pair *p, uint32_t ssrc, uint64_t index)
{
    const struct draft draft = {.ssrc = ssrc, .index = index, .body_len = 20};
    uint8_t data[ROOM];

    return receive(p, RTP, data, seal_rtp(p, &draft, data));
}

static size_t write_rtcp(uint32_t ssrc, size_t body_len, uint8_t *out)
{
    struct writer w = writer_of(out, ROOM);

    writer_u16(&w, 0x81c8);
    writer_u16(&w, (uint16_t)(body_len / 4 + 1));
    writer_u32(&w, ssrc);
    for (size_t i = 0; i < body_len; i++)
        writer_u8(&w, (uint8_t)(i * 7));
    CHECK(writer_ok(&w));
    return w.len;
}

static size_t seal_rtcp(const struct pair *p, uint32_t ssrc, uint32_t index, size_t body_len,
                        uint8_t *out)
{
    uint8_t clear[ROOM];

    return srtp_reference_seal_rtcp(&p->rtcp, index, clear, write_rtcp(ssrc, body_len, clear), out);
}

static int receive_rtcp_index(struct pair *p, uint32_t ssrc, uint32_t index)
{
    uint8_t data[ROOM];

    return receive(p, RTCP, data, seal_rtcp(p, ssrc, index, 44, data));
}

/* `check` for each profile. */
static void with_each_profile(void (*check)(struct pair *p))
{
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        struct pair p;

        pair_init(&p, profiles[i]);
        check(&p);
        pair_done(&p);
    }
}

/* Every length, CSRC count and extension that libsrtp2 and libipsec-mb seal. */
static void check_rtp_of_both(struct pair *p)
{
    struct srtp_keys peer = p->keys;

    memcpy(peer.local, p->keys.remote, sizeof(peer.local));
    for (enum seal_backend backend = SEAL_SRTP; backend <= SEAL_IPSEC_MB; backend++) {
        struct seal_session *session;

        CHECK_EQ(seal_set_backend(backend), 0);
        CHECK_EQ(seal_session_new(&session, &peer), 0);
        for (uint32_t n = 0; n <= BODY_MAX; n++) {
            const struct draft draft = {.ssrc = SSRC + (uint32_t)backend,
                                        .index = 65000 + n,
                                        .csrcs = (uint8_t)(n % 16),
                                        .extension = n / 16 % 2,
                                        .words = (uint16_t)(n % 9),
                                        .body_len = n};
            uint8_t clear[ROOM];
            uint8_t out[ROOM];
            struct seal_packet packet = {.session = session,
                                         .head = clear,
                                         .head_len = (uint16_t)write_rtp(&draft, clear),
                                         .payload_len = (uint16_t)n,
                                         .out = out};

            packet.payload = clear + packet.head_len;
            CHECK_EQ(seal_batch(&packet, 1), 1);
            CHECK_EQ(receive(p, RTP, out, packet.out_len), 0);
        }
        seal_session_free(session);
    }
    CHECK_EQ(seal_set_backend(SEAL_AUTO), 0);
}

static void rtp_that_either_seals_opens_the_same(void)
{
    with_each_profile(check_rtp_of_both);
}

/* A session that receives what `keys` send. */
static struct srtp_session *new_other_end(enum seal_backend backend, const struct srtp_keys *keys)
{
    struct srtp_keys other = *keys;

    memcpy(other.local, keys->remote, sizeof(other.local));
    memcpy(other.remote, keys->local, sizeof(other.remote));
    return new_session(backend, &other);
}

/* Of each length, and of many SSRCs in turn. */
static void check_rtcp_of_both(struct pair *p)
{
    struct srtp_session *our_end = new_other_end(SEAL_IPSEC_MB, &p->keys);
    struct srtp_session *their_end = new_other_end(SEAL_SRTP, &p->keys);

    for (uint32_t n = 0; n <= 1200; n++) {
        uint8_t ours[ROOM];
        uint8_t theirs[ROOM];
        uint8_t clear[ROOM];
        size_t clear_len = write_rtcp(SSRC + n % 37, n, clear);
        size_t our_len = clear_len;
        size_t their_len = clear_len;

        memcpy(ours, clear, clear_len);
        memcpy(theirs, clear, clear_len);
        CHECK_EQ(srtp_session_protect_rtcp(p->ours, ours, &our_len, sizeof(ours)), 0);
        CHECK_EQ(srtp_session_protect_rtcp(p->theirs, theirs, &their_len, sizeof(theirs)), 0);
        CHECK_EQ(our_len, their_len);
        CHECK_MEM(ours, theirs, our_len);
        CHECK_EQ(srtp_session_unprotect_rtcp(their_end, ours, &our_len), 0);
        CHECK_EQ(srtp_session_unprotect_rtcp(our_end, theirs, &their_len), 0);
        CHECK_EQ(our_len, clear_len);
        CHECK_EQ(their_len, clear_len);
        CHECK_MEM(ours, clear, clear_len);
        CHECK_MEM(theirs, clear, clear_len);
    }
    srtp_session_free(our_end);
    srtp_session_free(their_end);
}

static void rtcp_that_either_seals_opens_by_the_other(void)
{
    with_each_profile(check_rtcp_of_both);
}

/* Across the wraps that end cycles 0, 1 and 2, each seventh packet 90 late, each fifth again. */
static void check_wraps(struct pair *p)
{
    enum { AROUND = 400, LATE = 90 };

    for (uint64_t cycle = 1; cycle <= 3; cycle++) {
        const uint64_t wrap = cycle << 16;

        for (uint64_t index = wrap - 60000; index < wrap - AROUND; index += 20000)
            CHECK_EQ(receive_index(p, SSRC, index), 0);
        for (uint64_t index = wrap - AROUND; index < wrap + AROUND; index++) {
            if (index % 7 > 0)
                CHECK_EQ(receive_index(p, SSRC, index), 0);
            if (index >= wrap - AROUND + LATE && (index - LATE) % 7 == 0)
                CHECK_EQ(receive_index(p, SSRC, index - LATE), 0);
            if (index % 5 == 0 && index % 7 > 0)
                CHECK_EQ(receive_index(p, SSRC, index), -EEXIST);
        }
        CHECK_EQ(receive_index(p, SSRC, wrap + AROUND), 0);
        CHECK_EQ(receive_index(p, SSRC, wrap + 2 * 65536 + 2 * AROUND),
                 -EPERM); /* a cycle was slept through */
    }
}

static void roll_over_counter_follows_through_wraps(void)
{
    with_each_profile(check_wraps);
}

/* Numbers of cycle 0 all belong to it while the newest is in its first half. */
static void check_first_packets(struct pair *p)
{
    static const uint64_t firsts[] = {0, 1, 32767, 32768, 32769, 65535};

    for (uint32_t i = 0; i < ARRAY_LEN(firsts); i++) {
        for (uint32_t n = 0; n < ARRAY_LEN(firsts); n++) {
            uint32_t ssrc = SSRC + 16 * i + n;

            CHECK_EQ(receive_index(p, ssrc, firsts[i] + 65536), -EPERM);
            CHECK_EQ(receive_index(p, ssrc, firsts[i]), 0);
            CHECK_EQ(receive_index(p, ssrc, firsts[i]), -EEXIST);
            (void)receive_index(p, ssrc, firsts[n]);
            (void)receive_index(p, ssrc, firsts[n] + 65536);
            (void)receive_index(p, ssrc, firsts[i] + 1);
        }
    }
}

static void first_packet_may_have_any_number(void)
{
    with_each_profile(check_first_packets);
}

static void check_windows(struct pair *p)
{
    for (uint64_t newest = 3000; newest < 4 * 65536; newest += 30000) {
        CHECK_EQ(receive_index(p, SSRC, newest), 0);
        for (uint64_t behind = 1; behind < WINDOW; behind += behind < 70 ? 1 : 61)
            CHECK_EQ(receive_index(p, SSRC, newest - behind), 0);
        CHECK_EQ(receive_index(p, SSRC, newest - WINDOW), -EEXIST);
        for (uint64_t behind = 0; behind < WINDOW; behind++)
            (void)receive_index(p, SSRC, newest - behind);
        CHECK_EQ(receive_index(p, SSRC, newest - WINDOW + 1), -EEXIST);
        CHECK_EQ(receive_index(p, SSRC, newest - WINDOW - 1), -EEXIST);
    }
}

static void rtp_replays_and_what_is_too_old_are_refused(void)
{
    with_each_profile(check_windows);
}

static void check_rtcp_windows(struct pair *p)
{
    CHECK_EQ(receive_rtcp_index(p, SSRC, 0), 0);
    CHECK_EQ(receive_rtcp_index(p, SSRC, 0), -EEXIST);
    for (uint32_t newest = 60; newest < 1u << 30;
         newest = newest < 2000 ? newest + 61 : 3 * newest) {
        CHECK_EQ(receive_rtcp_index(p, SSRC, newest), 0);
        for (uint32_t behind = 0; behind <= 2 * RTCP_WINDOW && behind <= newest; behind++)
            (void)receive_rtcp_index(p, SSRC, newest - behind);
        for (uint32_t behind = 0; behind <= 2 * RTCP_WINDOW && behind <= newest; behind++)
            CHECK_EQ(receive_rtcp_index(p, SSRC, newest - behind), -EEXIST);
    }
    CHECK_EQ(receive_rtcp_index(p, SSRC, 0x7fffffff), 0);
    CHECK_EQ(receive_rtcp_index(p, SSRC, 0x7fffffff - RTCP_WINDOW), -EEXIST);
    CHECK_EQ(receive_rtcp_index(p, SSRC, 0x7fffffff - RTCP_WINDOW + 1), 0);
    CHECK_EQ(receive_rtcp_index(p, SSRC + 1, 0x7fffffff), 0);
}

static void rtcp_replays_and_what_is_too_old_are_refused(void)
{
    with_each_profile(check_rtcp_windows);
}

static const struct draft rich = {
    .ssrc = SSRC, .index = 100, .csrcs = 2, .extension = true, .words = 2, .body_len = 40};

static void check_tampering(struct pair *p)
{
    uint8_t data[ROOM];
    size_t rtp_len = seal_rtp(p, &rich, data);
    size_t rtcp_len;

    for (size_t bit = 0; bit < 8 * rtp_len; bit++) {
        (void)seal_rtp(p, &rich, data);
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(receive(p, RTP, data, rtp_len) < 0);
    }
    (void)seal_rtp(p, &rich, data);
    CHECK_EQ(receive(p, RTP, data, rtp_len), 0);
    rtcp_len = seal_rtcp(p, SSRC, 1, 44, data);
    for (size_t bit = 0; bit < 8 * rtcp_len; bit++) {
        (void)seal_rtcp(p, SSRC, 1, 44, data);
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_EQ(receive(p, RTCP, data, rtcp_len), -EPERM);
    }
    (void)seal_rtcp(p, SSRC, 1, 44, data);
    CHECK_EQ(receive(p, RTCP, data, rtcp_len), 0);
}

static void every_changed_bit_is_noticed(void)
{
    with_each_profile(check_tampering);
}

static void check_truncation(struct pair *p)
{
    uint8_t data[ROOM];
    size_t rtp_len = seal_rtp(p, &rich, data);
    size_t rtcp_len;

    for (size_t len = 0; len < rtp_len; len++)
        CHECK(receive(p, RTP, data, len) < 0);
    data[rtp_len] = 0;
    CHECK_EQ(receive(p, RTP, data, rtp_len + 1), -EPERM);
    CHECK_EQ(receive(p, RTP, data, rtp_len), 0);
    for (size_t len = 0; len < rtp_len; len++) /* and where its number is known */
        CHECK(receive(p, RTP, data, len) < 0);
    rtcp_len = seal_rtcp(p, SSRC, 1, 44, data);
    for (size_t len = 0; len < rtcp_len; len++)
        CHECK(receive(p, RTCP, data, len) < 0);
    CHECK_EQ(receive(p, RTCP, data, rtcp_len), 0);
    for (size_t len = 0; len < rtcp_len; len++)
        CHECK(receive(p, RTCP, data, len) < 0);
}

static void packets_cut_short_are_refused(void)
{
    with_each_profile(check_truncation);
}

/* RFC 3711 section 3.4 lets a peer send RTCP in clear, with a tag. */
static void check_clear_rtcp(struct pair *p)
{
    bool gcm = p->keys.profile != SRTP_AES_CM_128_HMAC_SHA1_80;
    uint8_t clear[ROOM];
    uint8_t data[ROOM];

    for (uint32_t body_len = 0; body_len < 100; body_len++) {
        size_t clear_len = write_rtcp(SSRC, body_len, clear);
        size_t len = srtp_reference_seal_clear_rtcp(&p->rtcp, body_len + 1, clear, clear_len, data);

        data[0] ^= 1;
        CHECK_EQ(receive(p, RTCP, data, len), -EPERM);
        data[0] ^= 1;
        CHECK_EQ(receive(p, RTCP, data, len), gcm ? 0 : -EPERM);
        CHECK_EQ(receive(p, RTCP, data, len), gcm ? -EEXIST : -EPERM);
    }
}

static void rtcp_in_clear_is_for_gcm_only(void)
{
    with_each_profile(check_clear_rtcp);
}

/* Three times what is remembered, in turns of RTP and RTCP; then who is still known. */
static void check_many_ssrcs(struct pair *p)
{
    enum { MANY = 3 * SRTP_MAX_SSRCS };
    size_t known = 0;

    for (uint32_t i = 0; i < MANY; i++) {
        if (i % 3 == 0)
            CHECK_EQ(receive_rtcp_index(p, i, 7), 0);
        else
            CHECK_EQ(receive_index(p, i, 7), 0);
        CHECK_EQ(receive_index(p, 1, 100 + i), 0); /* never the quietest */
    }
    for (uint32_t i = MANY; i > 0; i--)
        known += receive_index(p, i - 1, 7) == -EEXIST;
    CHECK(known > SRTP_MAX_SSRCS / 2 && known <= SRTP_MAX_SSRCS);
}

static void the_same_ssrcs_are_forgotten(void)
{
    with_each_profile(check_many_ssrcs);
}

/* One sender of the long run. */
struct sender {
    uint64_t newest; /* accepted */
    uint32_t rtcp_newest;
    uint32_t ssrc;
};

/* @return an index to send next: mostly the following, else late, early, again or absurd */
static uint64_t next_index(const struct sender *s)
{
    uint32_t way = random_below(100);
    uint64_t back = 0;

    if (way < 60)
        return s->newest + 1;
    if (way < 70)
        return s->newest + 2 + random_below(50);
    if (way < 85)
        back = random_below(300);
    else if (way < 92)
        back = random_below(2 * WINDOW);
    else if (way < 98)
        return s->newest + random_below(33000);
    else
        back = random_below(140000);
    return s->newest > back ? s->newest - back : s->newest;
}

/* @return its new length */
static size_t spoil(uint8_t *data, size_t len)
{
    switch (random_below(5)) {
    case 0:
        return random_below((uint32_t)len + 1);
    case 1:
        data[len] = (uint8_t)random_below(256);
        return len + 1;
    case 2:
        data[random_below(len < 20 ? (uint32_t)len : 20)] ^= (uint8_t)(1 + random_below(255));
        return len;
    case 3:
        data[len - 1 - random_below(len < 20 ? (uint32_t)len : 20)] ^= 0x80;
        return len;
    default:
        data[random_below((uint32_t)len)] ^= (uint8_t)(1 << random_below(8));
        return len;
    }
}

static int send_rtp(struct pair *p, struct sender *s)
{
    struct draft draft = {
        .ssrc = s->ssrc,
        .index = next_index(s),
        .csrcs = (uint8_t)(one_in(5) ? random_below(16) : 0),
        .extension = one_in(3),
        .words = (uint16_t)random_below(9),
        .body_len = random_below(one_in(10) ? BODY_MAX : 150),
        .version = (uint8_t)(one_in(50) ? random_below(4) : 2),
    };
    uint8_t data[ROOM];
    size_t len = seal_rtp(p, &draft, data);
    int err;

    if (one_in(8))
        len = spoil(data, len);
    err = receive(p, RTP, data, len);
    if (err == 0 && draft.index > s->newest)
        s->newest = draft.index;
    return err;
}

static int send_rtcp(struct pair *p, struct sender *s)
{
    uint32_t index = s->rtcp_newest + (one_in(4) ? random_below(400) : 1);
    uint32_t back = one_in(4) ? random_below(300) : 0;
    uint8_t data[ROOM];
    size_t len;
    int err;

    index = index > back ? index - back : index;
    len = seal_rtcp(p, s->ssrc, index, random_below(300), data);
    if (one_in(8))
        len = spoil(data, len);
    err = receive(p, RTCP, data, len);
    if (err == 0 && index > s->rtcp_newest)
        s->rtcp_newest = index;
    return err;
}

/* A long bad day: loss, disorder, repetition, forgery, and more senders than are remembered. */
static void check_long_run(struct pair *p)
{
    enum { STEPS = 60000, SENDERS = 160, REGULARS = 4 };
    struct sender senders[SENDERS];
    size_t accepted = 0;
    size_t seen = 0;
    size_t forged = 0;
    size_t malformed = 0;

    for (uint32_t i = 0; i < SENDERS; i++)
        senders[i] = (struct sender){.ssrc = 0x1000 + 77 * i, .newest = random_below(65536)};
    for (size_t step = 0; step < STEPS; step++) {
        struct sender *s = &senders[one_in(5) ? random_below(SENDERS) : random_below(REGULARS)];
        int err = one_in(6) ? send_rtcp(p, s) : send_rtp(p, s);

        accepted += err == 0;
        seen += err == -EEXIST;
        forged += err == -EPERM;
        malformed += err == -EBADMSG;
        CHECK(err == 0 || err == -EEXIST || err == -EPERM || err == -EBADMSG);
    }
    CHECK(accepted > STEPS / 2 && seen > STEPS / 20 && forged > STEPS / 20);
    CHECK(malformed > STEPS / 500);
    CHECK(senders[0].newest > 3 * 65536);
}

static void long_bad_day_is_judged_the_same(void)
{
    with_each_profile(check_long_run);
}

/* A forged packet far ahead moves nothing. */
static void check_forged(struct pair *p)
{
    uint8_t data[ROOM];
    struct draft ahead = {.ssrc = SSRC, .index = 20000, .body_len = 20};
    size_t len;

    CHECK_EQ(receive_index(p, SSRC, 100), 0);
    len = seal_rtp(p, &ahead, data);
    data[len - 1] ^= 1;
    CHECK_EQ(receive(p, RTP, data, len), -EPERM);
    CHECK_EQ(receive_index(p, SSRC, 99), 0);
    CHECK_EQ(receive_index(p, SSRC, 20000), 0);
    CHECK_EQ(receive_rtcp_index(p, SSRC, 100), 0);
    len = seal_rtcp(p, SSRC, 90000, 20, data);
    data[RTCP_MIN] ^= 1;
    CHECK_EQ(receive(p, RTCP, data, len), -EPERM);
    CHECK_EQ(receive_rtcp_index(p, SSRC, 99), 0);
    CHECK_EQ(receive_rtcp_index(p, SSRC, 90000), 0);
}

static void forged_packet_changes_no_state(void)
{
    with_each_profile(check_forged);
}

TAP_CASES(CASE(rtp_that_either_seals_opens_the_same),
          CASE(rtcp_that_either_seals_opens_by_the_other),
          CASE(roll_over_counter_follows_through_wraps), CASE(first_packet_may_have_any_number),
          CASE(rtp_replays_and_what_is_too_old_are_refused),
          CASE(rtcp_replays_and_what_is_too_old_are_refused), CASE(every_changed_bit_is_noticed),
          CASE(packets_cut_short_are_refused), CASE(rtcp_in_clear_is_for_gcm_only),
          CASE(the_same_ssrcs_are_forgotten), CASE(forged_packet_changes_no_state),
          CASE(long_bad_day_is_judged_the_same))
