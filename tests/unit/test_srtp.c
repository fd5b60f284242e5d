#include "media/srtp.h"

#include "media/base/writer.h"
#include "media/seal.h"
#include "media/srtp_ipsec_mb.h"
#include "tests/srtp_reference.h"
#include "tests/tap.h"

#include <errno.h>

enum { HEADER_LEN = 12, RTCP_LEN = 52 };

static const enum srtp_profile all_profiles[] = {
    SRTP_AEAD_AES_128_GCM,
    SRTP_AEAD_AES_256_GCM,
    SRTP_AES_CM_128_HMAC_SHA1_80,
};
enum { PROFILES = sizeof(all_profiles) / sizeof(all_profiles[0]) };

/* RFC 3711 appendix B.3. */
static const uint8_t b3_master[] = {
    0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0, 0xd6, 0x4f, 0xa3, 0x2c, 0x06, 0xde, 0x41,
    0x39, 0x0e, 0xc6, 0x75, 0xad, 0x49, 0x8a, 0xfe, 0xeb, 0xb6, 0x96, 0x0b, 0x3a, 0xab, 0xe6,
};
static const uint8_t b3_key[] = {0xc6, 0x1e, 0x7a, 0x93, 0x74, 0x4f, 0x39, 0xee,
                                 0x10, 0x73, 0x4a, 0xfe, 0x3f, 0xf7, 0xa0, 0x87};
static const uint8_t b3_salt[] = {0x30, 0xcb, 0xbc, 0x08, 0x86, 0x3d, 0x8c,
                                  0x85, 0xd4, 0x9d, 0xb3, 0x4a, 0x9a, 0xe1};
static const uint8_t b3_auth[] = {0xce, 0xbe, 0x32, 0x1f, 0x6f, 0xf7, 0x71, 0x6b, 0x6f, 0xd4,
                                  0xab, 0x49, 0xaf, 0x25, 0x6a, 0x15, 0x6d, 0x38, 0xba, 0xa4};

/* RFC 7714 section 16: "Gallia est omnis divisa in partes tres", session keys. */
static const uint8_t gallia[] = {
    0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41, 0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2, 'G', 'a', 'l', 'l', 'i',
    'a',  ' ',  'e',  's',  't',  ' ',  'o',  'm',  'n',  'i',  's',  ' ',  'd', 'i', 'v', 'i', 's',
    'a',  ' ',  'i',  'n',  ' ',  'p',  'a',  'r',  't',  'e',  's',  ' ',  't', 'r', 'e', 's',
};
static const uint8_t gallia_128[] = {
    0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41, 0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2, 0xf2, 0x4d,
    0xe3, 0xa3, 0xfb, 0x34, 0xde, 0x6c, 0xac, 0xba, 0x86, 0x1c, 0x9d, 0x7e, 0x4b, 0xca,
    0xbe, 0x63, 0x3b, 0xd5, 0x0d, 0x29, 0x4e, 0x6f, 0x42, 0xa5, 0xf4, 0x7a, 0x51, 0xc7,
    0xd1, 0x9b, 0x36, 0xde, 0x3a, 0xdf, 0x88, 0x33, 0x89, 0x9d, 0x7f, 0x27, 0xbe, 0xb1,
    0x6a, 0x91, 0x52, 0xcf, 0x76, 0x5e, 0xe4, 0x39, 0x0c, 0xce,
};
static const uint8_t gallia_256[] = {
    0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41, 0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2, 0x32, 0xb1,
    0xde, 0x78, 0xa8, 0x22, 0xfe, 0x12, 0xef, 0x9f, 0x78, 0xfa, 0x33, 0x2e, 0x33, 0xaa,
    0xb1, 0x80, 0x12, 0x38, 0x9a, 0x58, 0xe2, 0xf3, 0xb5, 0x0b, 0x2a, 0x02, 0x76, 0xff,
    0xae, 0x0f, 0x1b, 0xa6, 0x37, 0x99, 0xb8, 0x7b, 0x7a, 0xa3, 0xdb, 0x36, 0xdf, 0xff,
    0xd6, 0xb0, 0xf9, 0xbb, 0x78, 0x78, 0xd7, 0xa7, 0x6c, 0x13,
};

/* RFC 7714 section 17.1, index 0x5d4. */
static const uint8_t report[RTCP_LEN] = {
    0x81, 0xc8, 0x00, 0x0d, 0x4d, 0x61, 0x72, 0x73, 0x4e, 0x54, 0x50, 0x31, 0x4e,
    0x54, 0x50, 0x32, 0x52, 0x54, 0x50, 0x20, 0x00, 0x00, 0x04, 0x2a, 0x00, 0x00,
    0xe9, 0x30, 0x4c, 0x75, 0x6e, 0x61, 0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe,
    0xef, 0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef,
};
static const uint8_t report_128[] = {
    0x81, 0xc8, 0x00, 0x0d, 0x4d, 0x61, 0x72, 0x73, 0x63, 0xe9, 0x48, 0x85, 0xdc, 0xda, 0xb6,
    0x7c, 0xa7, 0x27, 0xd7, 0x66, 0x2f, 0x6b, 0x7e, 0x99, 0x7f, 0xf5, 0xc0, 0xf7, 0x6c, 0x06,
    0xf3, 0x2d, 0xc6, 0x76, 0xa5, 0xf1, 0x73, 0x0d, 0x6f, 0xda, 0x4c, 0xe0, 0x9b, 0x46, 0x86,
    0x30, 0x3d, 0xed, 0x0b, 0xb9, 0x27, 0x5b, 0xc8, 0x4a, 0xa4, 0x58, 0x96, 0xcf, 0x4d, 0x2f,
    0xc5, 0xab, 0xf8, 0x72, 0x45, 0xd9, 0xea, 0xde, 0x80, 0x00, 0x05, 0xd4,
};

static struct srtp_keys keys_for(enum srtp_profile profile)
{
    struct srtp_keys keys = {.profile = profile};

    srtp_profile_lengths(profile, &keys.key_len, &keys.salt_len);
    for (size_t i = 0; i < SRTP_MASTER_MAX; i++) {
        keys.local[i] = (uint8_t)(i * 7 + 1);
        keys.remote[i] = (uint8_t)(i * 5 + 2);
    }
    return keys;
}

static struct srtp_session *make(const struct srtp_keys *keys)
{
    struct srtp_session *session = NULL;

    CHECK_EQ(srtp_global_init(), 0);
    CHECK_EQ(srtp_session_new(&session, keys), 0);
    return session;
}

/* `check` by libsrtp2, then by libipsec-mb. */
static void with_each_backend(void (*check)(void))
{
    for (enum seal_backend backend = SEAL_SRTP; backend <= SEAL_IPSEC_MB; backend++) {
        if (seal_set_backend(backend) == 0) /* libipsec-mb is not everywhere */
            check();
    }
    CHECK_EQ(seal_set_backend(SEAL_AUTO), 0);
}

/* Gallia under another number, sealed as the peer would. */
static size_t sealed_by_peer(const struct srtp_keys *keys, uint32_t ssrc, uint32_t roc,
                             uint16_t seq, uint8_t *out)
{
    struct srtp_reference reference;
    uint8_t packet[sizeof(gallia)];
    struct writer w = writer_of(packet, sizeof(packet));

    writer_bytes(&w, gallia, 2);
    writer_u16(&w, seq);
    writer_bytes(&w, gallia + 4, 4);
    writer_u32(&w, ssrc);
    writer_bytes(&w, gallia + HEADER_LEN, sizeof(gallia) - HEADER_LEN);
    srtp_reference_derive_rtp(&reference, keys->profile, keys->remote);
    return srtp_reference_seal_rtp(&reference, roc, packet, HEADER_LEN, sizeof(packet), out);
}

static int receive(struct srtp_session *session, const struct srtp_keys *keys, uint32_t ssrc,
                   uint32_t roc, uint16_t seq)
{
    uint8_t data[sizeof(gallia) + SRTP_TRAILER_MAX];
    size_t len = sealed_by_peer(keys, ssrc, roc, seq, data);
    int err = srtp_session_unprotect_rtp(session, data, &len);

    if (err == 0) {
        CHECK_EQ(len, sizeof(gallia));
        CHECK_MEM(data + HEADER_LEN, gallia + HEADER_LEN, sizeof(gallia) - HEADER_LEN);
    }
    return err;
}

static void reference_derives_the_keys_of_rfc_3711(void)
{
    struct srtp_reference r;

    srtp_reference_derive_rtp(&r, SRTP_AES_CM_128_HMAC_SHA1_80, b3_master);
    CHECK_MEM(r.key, b3_key, sizeof(b3_key));
    CHECK_MEM(r.salt, b3_salt, sizeof(b3_salt));
    CHECK_MEM(r.auth, b3_auth, sizeof(b3_auth));
}

static void reference_seals_the_packets_of_rfc_7714(void)
{
    struct srtp_reference r = {.profile = SRTP_AEAD_AES_128_GCM, .salt = "Quid pro quo"};
    uint8_t out[sizeof(report_128)];

    for (size_t i = 0; i < sizeof(r.key); i++)
        r.key[i] = (uint8_t)i;
    CHECK_EQ(srtp_reference_seal_rtp(&r, 0, gallia, HEADER_LEN, sizeof(gallia), out),
             sizeof(gallia_128));
    CHECK_MEM(out, gallia_128, sizeof(gallia_128));
    CHECK_EQ(srtp_reference_seal_rtcp(&r, 0x5d4, report, RTCP_LEN, out), sizeof(report_128));
    CHECK_MEM(out, report_128, sizeof(report_128));
    r.profile = SRTP_AEAD_AES_256_GCM;
    CHECK_EQ(srtp_reference_seal_rtp(&r, 0, gallia, HEADER_LEN, sizeof(gallia), out),
             sizeof(gallia_256));
    CHECK_MEM(out, gallia_256, sizeof(gallia_256));
}

static void check_rtp(void)
{
    for (size_t i = 0; i < PROFILES; i++) {
        struct srtp_keys keys = keys_for(all_profiles[i]);
        struct srtp_session *session = make(&keys);

        CHECK_EQ(receive(session, &keys, 1, 0, 100), 0);
        CHECK_EQ(receive(session, &keys, 2, 0, 40000), 0);
        srtp_session_free(session);
    }
}

static void rtp_of_every_profile_is_decrypted(void)
{
    with_each_backend(check_rtp);
}

static void check_rtcp(void)
{
    for (size_t i = 0; i < PROFILES; i++) {
        struct srtp_keys keys = keys_for(all_profiles[i]);
        struct srtp_session *session = make(&keys);
        struct srtp_reference peer;
        uint8_t data[RTCP_LEN + SRTCP_TRAILER_MAX];
        uint8_t again[sizeof(data)];
        size_t len;
        size_t again_len;

        srtp_reference_derive_rtcp(&peer, keys.profile, keys.remote);
        len = again_len = srtp_reference_seal_rtcp(&peer, 1, report, RTCP_LEN, data);
        memcpy(again, data, len);
        CHECK_EQ(srtp_session_unprotect_rtcp(session, data, &len), 0);
        CHECK_EQ(len, RTCP_LEN);
        CHECK_MEM(data, report, RTCP_LEN);
        CHECK_EQ(srtp_session_unprotect_rtcp(session, again, &again_len), -EEXIST);
        srtp_session_free(session);
    }
}

static void rtcp_of_every_profile_is_decrypted(void)
{
    with_each_backend(check_rtcp);
}

static void check_rtcp_sent(void)
{
    for (size_t i = 0; i < PROFILES; i++) {
        struct srtp_keys keys = keys_for(all_profiles[i]);
        struct srtp_session *session = make(&keys);
        struct srtp_reference us;
        uint8_t data[RTCP_LEN + SRTCP_TRAILER_MAX];
        uint8_t expected[sizeof(data)];

        srtp_reference_derive_rtcp(&us, keys.profile, keys.local);
        for (uint32_t index = 1; index < 4; index++) {
            size_t len = RTCP_LEN;
            size_t expected_len = srtp_reference_seal_rtcp(&us, index, report, RTCP_LEN, expected);

            memcpy(data, report, RTCP_LEN);
            CHECK_EQ(srtp_session_protect_rtcp(session, data, &len, sizeof(data)), 0);
            CHECK_EQ(len, expected_len);
            CHECK_MEM(data, expected, expected_len);
        }
        srtp_session_free(session);
    }
}

static void rtcp_is_encrypted_as_the_reference_does(void)
{
    with_each_backend(check_rtcp_sent);
}

static void check_rtcp_room(void)
{
    struct srtp_keys keys = keys_for(SRTP_AEAD_AES_128_GCM);
    struct srtp_session *session = make(&keys);
    uint8_t data[RTCP_LEN + SRTCP_TRAILER_MAX];
    size_t len = RTCP_LEN;

    memcpy(data, report, RTCP_LEN);
    CHECK_EQ(srtp_session_protect_rtcp(session, data, &len, sizeof(data) - 1), -EMSGSIZE);
    CHECK_EQ(srtp_session_protect_rtcp(session, data, &len, 10), -EMSGSIZE);
    len = 7;
    CHECK_EQ(srtp_session_protect_rtcp(session, data, &len, sizeof(data)), -EMSGSIZE);
    srtp_session_free(session);
}

static void rtcp_needs_room_for_its_trailer(void)
{
    with_each_backend(check_rtcp_room);
}

static void check_replay(void)
{
    for (size_t i = 0; i < PROFILES; i++) {
        struct srtp_keys keys = keys_for(all_profiles[i]);
        struct srtp_session *session = make(&keys);

        CHECK_EQ(receive(session, &keys, 1, 0, 3000), 0);
        CHECK_EQ(receive(session, &keys, 1, 0, 3000), -EEXIST);
        CHECK_EQ(receive(session, &keys, 1, 0, 3000 - 1000), 0);
        CHECK_EQ(receive(session, &keys, 1, 0, 3000 - 1000), -EEXIST);
        CHECK_EQ(receive(session, &keys, 1, 0, 3000 - 1024), -EEXIST);
        CHECK_EQ(receive(session, &keys, 2, 0, 3000), 0);
        srtp_session_free(session);
    }
}

static void replay_is_refused_within_a_window_of_1024(void)
{
    with_each_backend(check_replay);
}

static void check_wrap(void)
{
    struct srtp_keys keys = keys_for(SRTP_AES_CM_128_HMAC_SHA1_80);
    struct srtp_session *session = make(&keys);

    CHECK_EQ(receive(session, &keys, 1, 0, 65534), 0);
    CHECK_EQ(receive(session, &keys, 1, 1, 1), 0);
    CHECK_EQ(receive(session, &keys, 1, 0, 65535), 0);
    CHECK_EQ(receive(session, &keys, 1, 1, 0), 0);
    srtp_session_free(session);
}

static void sequence_numbers_may_wrap(void)
{
    with_each_backend(check_wrap);
}

static void check_tampering(void)
{
    for (size_t i = 0; i < PROFILES; i++) {
        struct srtp_keys keys = keys_for(all_profiles[i]);
        struct srtp_session *session = make(&keys);
        uint8_t data[sizeof(gallia) + SRTP_TRAILER_MAX];
        size_t sealed_len = sealed_by_peer(&keys, 1, 0, 100, data);

        for (size_t at = 1; at < sealed_len; at++) {
            size_t len = sealed_len;

            (void)sealed_by_peer(&keys, 1, 0, 100, data);
            data[at] ^= 0x10;
            CHECK_EQ(srtp_session_unprotect_rtp(session, data, &len), -EPERM);
        }
        CHECK_EQ(receive(session, &keys, 1, 0, 100), 0);
        srtp_session_free(session);
    }
}

static void every_changed_byte_is_noticed(void)
{
    with_each_backend(check_tampering);
}

static void check_short_packets(void)
{
    for (size_t i = 0; i < PROFILES; i++) {
        struct srtp_keys keys = keys_for(all_profiles[i]);
        struct srtp_session *session = make(&keys);
        bool gcm = keys.profile != SRTP_AES_CM_128_HMAC_SHA1_80;
        size_t min_rtp = HEADER_LEN + (gcm ? 16U : 10U);
        size_t min_rtcp = 8 + 4 + (gcm ? 16U : 10U);

        for (size_t n = 0; n <= min_rtcp; n++) {
            uint8_t *exact = calloc(1, n + 1);
            size_t len = n;

            CHECK(exact);
            exact[0] = 0x80;
            if (n < min_rtp)
                CHECK_EQ(srtp_session_unprotect_rtp(session, exact, &len), -EBADMSG);
            CHECK_EQ(srtp_session_unprotect_rtcp(session, exact, &len),
                     n < min_rtcp ? -EBADMSG : -EPERM);
            free(exact);
        }
        srtp_session_free(session);
    }
}

static void short_packet_is_malformed(void)
{
    with_each_backend(check_short_packets);
}

static void check_ssrc_limit(void)
{
    struct srtp_keys keys = keys_for(SRTP_AEAD_AES_128_GCM);
    struct srtp_session *session = make(&keys);

    for (uint32_t ssrc = 1; ssrc <= SRTP_MAX_SSRCS; ssrc++)
        CHECK_EQ(receive(session, &keys, ssrc, 0, 100), 0);
    CHECK_EQ(receive(session, &keys, 1, 0, 101), 0);
    CHECK_EQ(receive(session, &keys, 0x80000000, 0, 100), 0);
    CHECK_EQ(receive(session, &keys, 2, 0, 100), 0); /* its replay window is forgotten */
    CHECK_EQ(receive(session, &keys, 1, 0, 100), -EEXIST);
    CHECK_EQ(receive(session, &keys, 4, 0, 100), -EEXIST);
    srtp_session_free(session);
}

static void ssrcs_have_a_limit_and_the_quietest_goes(void)
{
    with_each_backend(check_ssrc_limit);
}

static void check_forged_ssrcs(void)
{
    struct srtp_keys keys = keys_for(SRTP_AES_CM_128_HMAC_SHA1_80);
    struct srtp_keys forged = keys;
    struct srtp_session *session = make(&keys);

    forged.remote[0] ^= 1;
    CHECK_EQ(receive(session, &keys, 1, 0, 100), 0);
    for (uint32_t ssrc = 2; ssrc <= 2 * SRTP_MAX_SSRCS; ssrc++)
        CHECK_EQ(receive(session, &forged, ssrc, 0, 100), -EPERM);
    CHECK_EQ(receive(session, &keys, 1, 0, 100), -EEXIST);
    srtp_session_free(session);
}

static void ssrcs_of_forged_packets_are_not_kept(void)
{
    with_each_backend(check_forged_ssrcs);
}

static void check_key_lengths(void)
{
    struct srtp_keys keys = keys_for(SRTP_AEAD_AES_128_GCM);
    struct srtp_session *session = NULL;

    keys.salt_len = 14;
    CHECK_EQ(srtp_session_new(&session, &keys), -EINVAL);
    keys = keys_for(SRTP_AEAD_AES_128_GCM);
    keys.profile = SRTP_NONE;
    CHECK_EQ(srtp_session_new(&session, &keys), -EINVAL);
}

static void keys_must_fit_the_profile(void)
{
    with_each_backend(check_key_lengths);
}

/* A session of libipsec-mb with the session keys of RFC 7714's examples, all one. */
static struct srtp_session *make_by_rfc_7714(enum srtp_profile profile)
{
    struct srtp_ipsec_mb_keys keys = {.rtp_in.salt = "Quid pro quo"};
    struct srtp_session *session = NULL;

    if (seal_set_backend(SEAL_IPSEC_MB) == -ENOTSUP)
        SKIP("libipsec-mb is not in this build, or not for this processor");
    CHECK_EQ(seal_set_backend(SEAL_AUTO), 0);
    for (size_t i = 0; i < sizeof(keys.rtp_in.cipher_key); i++)
        keys.rtp_in.cipher_key[i] = (uint8_t)i;
    keys.rtcp_in = keys.rtcp_out = keys.rtp_in;
    CHECK_EQ(srtp_ipsec_mb_session_new(&session, profile, &keys), 0);
    return session;
}

static void check_vector(enum srtp_profile profile, const uint8_t *sealed, size_t len)
{
    struct srtp_session *session = make_by_rfc_7714(profile);
    uint8_t data[sizeof(gallia_128)];

    memcpy(data, sealed, len);
    CHECK_EQ(srtp_session_unprotect_rtp(session, data, &len), 0);
    CHECK_EQ(len, sizeof(gallia));
    CHECK_MEM(data, gallia, sizeof(gallia));
    srtp_session_free(session);
}

static void packets_of_rfc_7714_are_decrypted(void)
{
    check_vector(SRTP_AEAD_AES_128_GCM, gallia_128, sizeof(gallia_128));
    check_vector(SRTP_AEAD_AES_256_GCM, gallia_256, sizeof(gallia_256));
}

static void report_of_rfc_7714_is_decrypted_and_encrypted(void)
{
    struct srtp_session *session = make_by_rfc_7714(SRTP_AEAD_AES_128_GCM);
    uint8_t data[sizeof(report_128)];
    size_t len = sizeof(report_128);

    memcpy(data, report_128, len);
    CHECK_EQ(srtp_session_unprotect_rtcp(session, data, &len), 0);
    CHECK_EQ(len, RTCP_LEN);
    CHECK_MEM(data, report, RTCP_LEN);
    for (uint32_t index = 1; index <= 0x5d4; index++) {
        len = RTCP_LEN;
        memcpy(data, report, len);
        CHECK_EQ(srtp_session_protect_rtcp(session, data, &len, sizeof(data)), 0);
    }
    CHECK_EQ(len, sizeof(report_128));
    CHECK_MEM(data, report_128, sizeof(report_128));
    srtp_session_free(session);
}

TAP_CASES(CASE(reference_derives_the_keys_of_rfc_3711),
          CASE(reference_seals_the_packets_of_rfc_7714), CASE(rtp_of_every_profile_is_decrypted),
          CASE(rtcp_of_every_profile_is_decrypted), CASE(rtcp_is_encrypted_as_the_reference_does),
          CASE(rtcp_needs_room_for_its_trailer), CASE(replay_is_refused_within_a_window_of_1024),
          CASE(sequence_numbers_may_wrap), CASE(every_changed_byte_is_noticed),
          CASE(short_packet_is_malformed), CASE(ssrcs_have_a_limit_and_the_quietest_goes),
          CASE(ssrcs_of_forged_packets_are_not_kept), CASE(keys_must_fit_the_profile),
          CASE(packets_of_rfc_7714_are_decrypted),
          CASE(report_of_rfc_7714_is_decrypted_and_encrypted))
