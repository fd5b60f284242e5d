#include "media/rtx.h"

#include "media/packet.h"
#include "tests/tap.h"

#include <errno.h>

enum { ORIGINAL_SSRC = 0x0a0b0c0d, ORIGINAL_PT = 96, RTX_SSRC = 0x01020304, RTX_PT = 97 };

static const uint8_t mid[] = {'0'};
static const struct rtp_extension_value mid_extension = {.id = 4, .len = 1, .value = mid};

/* The original that the tests lose: marker, one CSRC, one extension. */
static const struct rtp_write original = {
    .marker = true,
    .pt = ORIGINAL_PT,
    .seq = 0xfedc,
    .ts = 777,
    .ssrc = ORIGINAL_SSRC,
    .n_csrcs = 1,
    .csrcs = {5},
    .n_extensions = 1,
    .extensions = &mid_extension,
};

/* A parsed RTX packet of the original with `payload`. */
static struct packet *make(struct packet_pool *pool, const void *payload, size_t len)
{
    struct packet *packet = packet_new(pool);
    struct rtx_sender s = {.ssrc = RTX_SSRC, .pt = RTX_PT, .seq = 9};
    int head_len = rtx_write_head(&s, &original, packet->data, PACKET_CAPACITY);

    CHECK(head_len > 0);
    memcpy(packet->data + head_len + RTX_LEAD_LEN, payload, len);
    packet->len = (uint16_t)((size_t)head_len + RTX_LEAD_LEN + len);
    CHECK_EQ(rtp_parse(&packet->rtp, packet->data, packet->len), 0);
    return packet;
}

static void head_is_a_header_of_its_own_and_the_number(void)
{
    struct rtx_sender s = {.ssrc = RTX_SSRC, .pt = RTX_PT, .seq = 65535};
    uint8_t data[64];
    struct rtp_header h;
    int len = rtx_write_head(&s, &original, data, sizeof(data));

    CHECK_EQ(rtp_parse(&h, data, (size_t)len + RTX_LEAD_LEN), 0);
    CHECK_EQ(h.header_len, len);
    CHECK_EQ(h.ssrc, RTX_SSRC);
    CHECK_EQ(h.pt, RTX_PT);
    CHECK_EQ(h.seq, 65535);
    CHECK_EQ(h.ts, 777);
    CHECK(h.marker);
    CHECK_EQ(h.n_csrcs, 1);
    CHECK(rtp_find_extension(&h, 4) != NULL);
    CHECK_EQ(data[len], 0xfe);
    CHECK_EQ(data[len + 1], 0xdc);
    CHECK_EQ(s.seq, 0);
}

static void head_that_does_not_fit_uses_no_number(void)
{
    struct rtx_sender s = {.ssrc = RTX_SSRC, .pt = RTX_PT, .seq = 9};
    uint8_t data[64];
    size_t need = (size_t)rtx_write_head(&s, &original, data, sizeof(data)) + RTX_LEAD_LEN;

    for (size_t capacity = 0; capacity < need; capacity++)
        CHECK_EQ(rtx_write_head(&s, &original, data, capacity), -EMSGSIZE);
    CHECK_EQ(s.seq, 10);
    CHECK(rtx_write_head(&s, &original, data, need) > 0);
}

static void unwrapped_packet_is_the_original(void)
{
    struct packet_pool *pool = packet_pool_new(1);
    struct packet *packet = make(pool, "payload", 7);
    uint8_t expected[64];
    int len = rtp_write_header(expected, sizeof(expected), &original);

    memcpy(expected + len, "payload", 7);
    CHECK_EQ(rtx_unwrap(packet, ORIGINAL_SSRC, ORIGINAL_PT), 0);
    CHECK_EQ(packet->len, len + 7);
    CHECK_MEM(packet->data, expected, packet->len);
    CHECK_EQ(packet->rtp.ssrc, ORIGINAL_SSRC);
    CHECK_EQ(packet->rtp.pt, ORIGINAL_PT);
    CHECK_EQ(packet->rtp.seq, 0xfedc);
    CHECK_EQ(packet->rtp.payload_len, 7);
    CHECK_EQ(packet->rtp.header_len, len);
    packet_unref(packet);
    packet_pool_free(pool);
}

static void bytes_and_header_agree_afterwards(void)
{
    struct packet_pool *pool = packet_pool_new(1);
    struct packet *packet = make(pool, "payload\0\0\3", 10);
    struct rtp_header again;

    packet->data[0] |= 0x20; /* padding of 3 bytes */
    CHECK_EQ(rtp_parse(&packet->rtp, packet->data, packet->len), 0);
    CHECK_EQ(rtx_unwrap(packet, ORIGINAL_SSRC, ORIGINAL_PT), 0);
    CHECK_EQ(rtp_parse(&again, packet->data, packet->len), 0);
    CHECK_EQ(again.payload_len, 7);
    CHECK_EQ(again.padding_len, 3);
    CHECK_EQ(packet->rtp.payload_len, 7);
    CHECK_EQ(packet->rtp.padding_len, 3);
    CHECK_EQ(again.seq, packet->rtp.seq);
    CHECK_EQ(again.ssrc, packet->rtp.ssrc);
    CHECK_EQ(again.pt, packet->rtp.pt);
    packet_unref(packet);
    packet_pool_free(pool);
}

static void empty_original_is_fine(void)
{
    struct packet_pool *pool = packet_pool_new(1);
    struct packet *packet = make(pool, "", 0);

    CHECK_EQ(rtx_unwrap(packet, ORIGINAL_SSRC, ORIGINAL_PT), 0);
    CHECK_EQ(packet->rtp.payload_len, 0);
    packet_unref(packet);
    packet_pool_free(pool);
}

static void probe_is_recognised(void)
{
    static const uint8_t probe[] = {0xa0, 97, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 3};
    struct packet_pool *pool = packet_pool_new(1);
    struct packet *packet = packet_new(pool);

    memcpy(packet->data, probe, sizeof(probe));
    packet->len = sizeof(probe);
    CHECK_EQ(rtp_parse(&packet->rtp, packet->data, packet->len), 0);
    CHECK_EQ(rtx_unwrap(packet, ORIGINAL_SSRC, ORIGINAL_PT), -ENODATA);
    CHECK_MEM(packet->data, probe, sizeof(probe));
    packet_unref(packet);
    packet_pool_free(pool);
}

static void half_a_number_is_refused(void)
{
    static const uint8_t half[] = {0x80, 97, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 0};
    struct packet_pool *pool = packet_pool_new(1);
    struct packet *packet = packet_new(pool);

    memcpy(packet->data, half, sizeof(half));
    packet->len = sizeof(half);
    CHECK_EQ(rtp_parse(&packet->rtp, packet->data, packet->len), 0);
    CHECK_EQ(rtx_unwrap(packet, ORIGINAL_SSRC, ORIGINAL_PT), -EBADMSG);
    CHECK_EQ(packet->rtp.ssrc, RTX_SSRC);
    packet_unref(packet);
    packet_pool_free(pool);
}

TAP_CASES(CASE(head_is_a_header_of_its_own_and_the_number),
          CASE(head_that_does_not_fit_uses_no_number), CASE(unwrapped_packet_is_the_original),
          CASE(bytes_and_header_agree_afterwards), CASE(empty_original_is_fine),
          CASE(probe_is_recognised), CASE(half_a_number_is_refused))
